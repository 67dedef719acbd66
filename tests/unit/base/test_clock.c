#include "base/clock.h"
#include "check.h"

static int64_t fixed_now(void *self)
{
    return *(int64_t *)self;
}

static void fill_with_ff(void *self, void *bytes, size_t n)
{
    (void)self;
    memset(bytes, 0xFF, n);
}

static void the_system_s_clock_runs(void **state)
{
    (void)state;
    int64_t first = med_monotonic(&med_clock_system);
    int64_t second = med_monotonic(&med_clock_system);
    assert_true(second >= first);
    assert_true(med_now(&med_clock_system) > 1700000000LL * 1000000);
}

static void a_test_can_fix_time(void **state)
{
    (void)state;
    int64_t t = 42;
    med_clock clock = {fixed_now, fixed_now, &t};
    assert_int_equal(med_now(&clock), 42);
    t = 43;
    assert_int_equal(med_monotonic(&clock), 43);
}

static void makes_uuids(void **state)
{
    (void)state;
    char id[MED_UUID_LEN];
    const med_random all_ones = {fill_with_ff, NULL};
    med_random_uuid(&all_ones, id);
    assert_memory_equal(id, "ffffffff-ffff-4fff-bfff-ffffffffffff", sizeof id);
    char other[MED_UUID_LEN];
    med_random_uuid(&med_random_system, id);
    med_random_uuid(&med_random_system, other);
    assert_memory_not_equal(id, other, sizeof id);
    for (size_t i = 0; i < sizeof id; i++)
        assert_true(med_is_hex(id[i]) || id[i] == '-');
    assert_int_equal(id[14], '4');
}

static void fills_all_of_a_large_request(void **state)
{
    (void)state;
    uint8_t bytes[5000] = {0};
    med_random_fill(&med_random_system, bytes, sizeof bytes);
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += bytes[i] == 0;
    assert_true(zeros < 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_s_clock_runs),
        cmocka_unit_test(a_test_can_fix_time),
        cmocka_unit_test(makes_uuids),
        cmocka_unit_test(fills_all_of_a_large_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
