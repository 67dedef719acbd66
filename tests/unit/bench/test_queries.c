/* Queries made out of resources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/queries.h"

static med_arena *arena;
static med_samples samples;

static const char *const resources[] = {
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"name\":[{\"family\":\"\xc5\xa0\\u0107\xc3\xa9"
    "fka\",\"given\":[\"Ana Mari\"]}],\"birthDate\":\"1980-02-03\",\"identifier\":[{\"system\":"
    "\"http://x/y\",\"value\":\"1|2\"}]}",
    "{\"resourceType\":\"Observation\",\"id\":\"o1\",\"subject\":{\"reference\":\"Patient/p1\"},"
    "\"valueQuantity\":{\"value\":1.50},\"effectiveDateTime\":\"2024-05-06T07:08:09+02:00\"}",
    "{\"resourceType\":\"Observation\",\"id\":\"o2\",\"subject\":{\"reference\":\"Patient/p2\"}}",
    "{\"resourceType\":\"Appointment\",\"id\":\"a1\",\"participant\":[{\"actor\":{\"reference\":"
    "\"Patient/p1\"}},{},{\"actor\":{\"reference\":\"Practitioner/d1\"}}]}",
};

static int begin(void **state)
{
    (void)state;
    arena = med_arena_new(1 << 20);
    samples = (med_samples){.arena = arena};
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        if (!med_samples_add(&samples, med_str_from(resources[i])))
            return 1;
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    med_arena_free(arena);
    return 0;
}

static void values_are_put_in(void **state)
{
    (void)state;
    const struct {
        size_t sample;
        const char *query, *want; /* NULL: the sample lacks something */
    } cases[] = {
        {0, "Patient?_count=20", "Patient?_count=20"},
        {0, "Patient?name={name.0.family~3}&x", "Patient?name=%C5%A0%C4%87%C3%A9&x"},
        {0, "{name.0.given.0}", "Ana%20Mari"},
        {0, "{name.0.given.1}", NULL},
        {0, "{name.1.family}", NULL},
        {0, "{name}", NULL},
        {0, "{name.0}", NULL},
        {0, "{birthDate.0}", NULL},
        {0, "i={identifier.0.system}%7C{identifier.0.value}", "i=http%3A%2F%2Fx%2Fy%7C1%7C2"},
        {1, "{valueQuantity.value}", "1.50"},
        {1, "{effectiveDateTime~10}", "2024-05-06"},
        {1, "{effectiveDateTime}", "2024-05-06T07%3A08%3A09%2B02%3A00"},
        {1, "b={subject.reference>birthDate}", "b=1980-02-03"},
        {2, "b={subject.reference>birthDate}", NULL},
        {3, "{participant.*.actor.reference=Practitioner/}", "Practitioner%2Fd1"},
        {3, "{participant.*.actor.reference}", "Patient%2Fp1"},
        {3, "{participant.*.actor.reference=Device/}", NULL},
        {3, "{nothing.*.actor.reference}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        med_str got;
        bool ok =
            med_query_expand(arena, &samples, &samples.at[cases[i].sample], cases[i].query, &got);
        if (ok != (cases[i].want != NULL) || (ok && !med_str_eqz(got, cases[i].want)))
            fail_msg("%s gave %.*s", cases[i].query, MED_STR_ARG(got));
    }
}

static void queries_differ(void **state)
{
    (void)state;
    const med_query_family same = {.type = "Observation", .query = "Observation?x=1"};
    const med_query_family each = {.type = "Observation", .query = "{subject.reference}"};
    med_str *list;
    size_t n;
    assert_true(med_query_list(arena, &samples, &same, 10, &list, &n));
    assert_int_equal(n, 1);
    assert_true(med_query_list(arena, &samples, &each, 10, &list, &n));
    assert_int_equal(n, 2);
    assert_true(med_query_list(arena, &samples, &each, 1, &list, &n));
    assert_int_equal(n, 1);
}

static void only_resources_are_samples(void **state)
{
    (void)state;
    const char *const bad[] = {"", "{", "[]", "{\"resourceType\":\"Patient\"}", "{\"id\":\"1\"}"};
    size_t before = samples.n;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(med_samples_add(&samples, med_str_from(bad[i])));
    assert_int_equal(samples.n, before);
}

static void keys_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < med_query_family_count; i++) {
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(med_query_families[i].key, med_query_families[k].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_put_in),
        cmocka_unit_test(queries_differ),
        cmocka_unit_test(only_resources_are_samples),
        cmocka_unit_test(keys_are_unique),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
