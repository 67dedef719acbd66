/* Expression constraints of SNOMED CT on a small hierarchy: 1 > 2 > 4, 1 > 3 > 4, 4 > 5; 7 apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "terminology/ecl.h"
#include "terminology/image_builder.h"

static const med_image *make(med_buf *out)
{
    static const char *const codes[] = {"1", "2", "3", "4", "5", "7"};
    static const med_concept parents[][2] = {{1, 0}, {2, 0}, {3, 1}, {3, 2}, {4, 3}};
    med_image_builder *b = med_image_builder_new();
    med_image_head head = {.url = MED_STR("http://snomed.info/sct"),
                           .version = MED_STR_EMPTY,
                           .language = MED_STR("en"),
                           .supplements = MED_STR_EMPTY,
                           .meta = MED_STR("{}"),
                           .case_sensitive = true};
    const med_image *m;
    med_err err = {0};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        (void)med_image_builder_concept(b, med_str_from(codes[i]), NULL);
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++)
        med_image_builder_parent(b, parents[i][0], parents[i][1]);
    uint16_t refset = med_image_builder_property_def(b, MED_STR("refset"), MED_STR_EMPTY,
                                                     MED_STR_EMPTY, MED_PROPERTY_CODE);
    med_image_builder_property(b, 1, refset, MED_PROPERTY_CODE, MED_STR("99"));
    med_image_builder_property(b, 5, refset, MED_PROPERTY_CODE, MED_STR("99"));
    med_buf_init(out, 1 << 20);
    assert_true(med_image_builder_finish(b, &head, out, &err));
    med_image_builder_free(b);
    assert_true(med_image_open(med_buf_str(out), &m, &err));
    return m;
}

/* The codes, or "! " and what is wrong. */
static med_str ask(const med_image *m, med_arena *a, const char *text)
{
    uint64_t bits[2] = {0};
    med_str broken = MED_STR_EMPTY, all = MED_STR_EMPTY;
    med_err err = {0};
    assert_true(med_ecl_apply(m, a, med_str_from(text), bits, &broken, &err));
    if (broken.len > 0)
        return med_arena_printf(a, "! %.*s", MED_STR_ARG(broken));
    for (med_concept c = 0; c < med_image_count(m); c++) {
        if (med_bit(bits, c))
            all = med_arena_printf(a, "%.*s%.*s", MED_STR_ARG(all),
                                   MED_STR_ARG(med_concept_code(m, c)));
    }
    return all;
}

static void test_meaning(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"4", "4"},
        {"<< 2", "245"},
        {"<2 |Two (two)|", "45"},
        {"<! 1", "23"},
        {"<<! 1", "123"},
        {"> 4", "123"},
        {">>4", "1234"},
        {">! 4", "23"},
        {">>! 4", "234"},
        {"*", "123457"},
        {"< *", "2345"},
        {"^ 99", "27"},
        {"^99 |Set| AND << 1", "2"},
        {"<< 2 and << 3", "45"},
        {"2 OR 3 or 7", "237"},
        {"<< 1 MINUS << 4", "123"},
        {"<< 2 , << 3", "45"},
        {"(2 OR 3) AND (3 OR 7)", "3"},
        {"< (2 OR 7)", "45"},
        {"((((5))))", "5"},
        {"<< 1 MINUS (4 OR ^ 99)", "135"},
    };
    med_buf out;
    const med_image *m = make(&out);
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        med_str got = ask(m, a, table[i][0]);
        if (!med_str_eqz(got, table[i][1]))
            fail_msg("%s: %.*s", table[i][0], MED_STR_ARG(got));
    }
    med_arena_free(a);
    med_buf_free(&out);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"", "is expected"},
        {"<<", "is expected"},
        {"<< 6", "names a concept that there is not: 6"},
        {"2 3", "goes on behind its end"},
        {"2 AND", "is expected"},
        {"2 AND 3 OR 4", "without brackets"},
        {"2 MINUS 3 MINUS 4", "without brackets"},
        {"(2", "closing bracket"},
        {"2 |Two", "does not end"},
        {"<< 2 : 3 = 4", "refinement"},
        {"<< 2 . 3", "refinement"},
        {"((((((((((((((((((2))))))))))))))))))", "too many brackets"},
        {"\xC3\xA9", "is expected"},
    };
    med_buf out;
    const med_image *m = make(&out);
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        med_str got = ask(m, a, table[i][0]);
        if (!med_str_starts(got, MED_STR("! "))
            || med_str_search(got, med_str_from(table[i][1]), 0) == got.len)
            fail_msg("%s: %.*s", table[i][0], MED_STR_ARG(got));
    }
    med_arena_free(a);
    med_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_meaning),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
