/* Medians, verdicts, and what is written of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "bench/figure.h"

static void medians(void **state)
{
    (void)state;
    const double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, one[] = {7};
    assert_true(med_median(odd, 3) == 2);
    assert_true(med_median(even, 4) == 2.5);
    assert_true(med_median(one, 1) == 7);
    assert_true(med_median(one, 0) == 0);
}

static void verdicts(void **state)
{
    (void)state;
    const struct {
        med_figure figure;
        enum med_verdict verdict;
    } cases[] = {
        {{.measured = false}, MED_VERDICT_ABSENT},
        {{.measured = true, .value = 1}, MED_VERDICT_NONE},
        {{.measured = true, .value = 5, .goals = {{MED_GOAL_VALUE, true, 5}}}, MED_VERDICT_MET},
        {{.measured = true, .value = 4, .goals = {{MED_GOAL_VALUE, true, 5}}}, MED_VERDICT_MISSED},
        {{.measured = true, .value = 5, .goals = {{MED_GOAL_VALUE, false, 5}}}, MED_VERDICT_MET},
        {{.measured = true, .value = 6, .goals = {{MED_GOAL_VALUE, false, 5}}}, MED_VERDICT_MISSED},
        {{.measured = true, .p99 = 16, .goals = {{MED_GOAL_P99, false, 15}}}, MED_VERDICT_MISSED},
        {{.measured = true,
          .value = 6,
          .reference = "x",
          .reference_value = 10,
          .goals = {{MED_GOAL_RATIO, true, 0.6}}},
         MED_VERDICT_MET},
        {{.measured = true, .value = 6, .goals = {{MED_GOAL_RATIO, true, 0.6}}},
         MED_VERDICT_MISSED}, /* without a reference there is no ratio */
        {{.measured = true,
          .value = 6,
          .p99 = 16,
          .goals = {{MED_GOAL_VALUE, true, 5}, {MED_GOAL_P99, false, 15}}},
         MED_VERDICT_MISSED}, /* both must hold */
        {{.measured = true, .value = 9, .errors = 1, .goals = {{MED_GOAL_VALUE, true, 5}}},
         MED_VERDICT_ERRORS}, /* quick errors are no speed */
        {{.measured = true, .value = 9, .errors = 1}, MED_VERDICT_ERRORS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (med_figure_verdict(&cases[i].figure) != cases[i].verdict)
            fail_msg("case %zu gave %d", i, (int)med_figure_verdict(&cases[i].figure));
    }
}

/* Rounds of 10 and 30 good answers a second, one with an error. */
static void rounds_become_one_figure(void **state)
{
    (void)state;
    static med_load_result rounds[2];
    for (unsigned i = 0; i < 2; i++) {
        rounds[i].seconds = 2;
        rounds[i].good = rounds[i].sent = i == 0 ? 20 : 60;
        rounds[i].server_cpu = i == 0 ? 0.02 : 0.06;
        for (unsigned k = 0; k < rounds[i].good; k++)
            med_histogram_add(&rounds[i].time, i == 0 ? 1000000 : 3000000);
    }
    rounds[1].sent++;
    rounds[1].refused[5]++;
    rounds[1].bad_status = 503;
    med_figure f = med_figure_of_rounds(rounds, 2);
    assert_true(f.value == 20 && f.low == 10 && f.high == 30);
    assert_true(f.p50 == 2 && f.max == 3);
    assert_true(f.server_cpu_us > 999.9 && f.server_cpu_us < 1000.1);
    assert_int_equal(f.sent, 81);
    assert_int_equal(f.good, 80);
    assert_int_equal(f.errors, 1);
    assert_int_equal(f.bad_status, 503);
}

static void all_must_be_good(void **state)
{
    (void)state;
    med_figures f = {.arena = med_arena_new(1 << 20)};
    assert_true(med_figures_good(&f));
    for (int i = 0; i < 100; i++)
        assert_non_null(med_figures_add(&f, &(med_figure){.measured = true, .unit = ""}));
    assert_true(med_figures_good(&f));
    assert_non_null(med_figures_add(&f, &(med_figure){.measured = false, .unit = ""}));
    assert_false(med_figures_good(&f));
    med_arena_free(f.arena);
}

static void json_is_json(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    med_figures f = {.arena = a};
    const med_figure one = {.family = "read",
                            .key = "read",
                            .name = MED_STR("a \"name\""),
                            .measured = true,
                            .value = 1234.5,
                            .unit = "/s",
                            .reference = "/s",
                            .reference_value = 2469,
                            .is_load = true,
                            .sent = 7,
                            .goals = {{MED_GOAL_RATIO, true, 0.5}}};
    const med_figure none = {.family = "x", .key = "x", .unit = "", .note = MED_STR("why")};
    med_figures_about about = {.server = MED_STR("s"), .data = MED_STR("d"), .requests = 9};
    med_buf out;
    med_json j;
    med_err err;
    med_buf_init(&out, 1 << 20);
    assert_non_null(med_figures_add(&f, &one));
    assert_non_null(med_figures_add(&f, &none));
    assert_true(med_figures_json(&f, &about, &out));
    assert_true(med_json_parse(a, med_buf_str(&out), &j, NULL, &err));
    uint32_t figures = med_json_member(&j, 0, MED_STR("figures"));
    assert_int_equal(j.nodes[figures].count, 2);
    uint32_t first = figures + 1, second = j.nodes[first].next;
    assert_true(med_str_eqz(med_json_raw(&j, med_json_path(&j, first, "ratio")), "0.5"));
    assert_true(med_json_string_is(&j, med_json_path(&j, first, "verdict"), MED_STR("met")));
    assert_true(
        med_json_string_is(&j, med_json_path(&j, second, "verdict"), MED_STR("not measured")));
    assert_int_equal(med_json_path(&j, second, "value"), 0);
    med_buf_free(&out);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(rounds_become_one_figure),
        cmocka_unit_test(all_must_be_good),
        cmocka_unit_test(json_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
