/* Durations in buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/histogram.h"

static void nothing_has_no_percentile(void **state)
{
    (void)state;
    static const med_histogram h;
    assert_int_equal(med_histogram_percentile(&h, 0.5), 0);
    assert_int_equal(med_histogram_percentile(&h, 1), 0);
}

static void one_value_is_every_percentile(void **state)
{
    (void)state;
    const uint64_t values[] = {0, 1, 127, 128, 129, 1000, 123456789, UINT64_C(1) << 42};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        med_histogram h = {0};
        med_histogram_add(&h, values[i]);
        assert_int_equal(med_histogram_percentile(&h, 0), values[i]);
        assert_int_equal(med_histogram_percentile(&h, 0.5), values[i]);
        assert_int_equal(med_histogram_percentile(&h, 1), values[i]);
    }
}

/* A bucket's bound is never below the value and at most 1/64 above it. */
static void buckets_are_narrow(void **state)
{
    (void)state;
    for (uint64_t value = 1; value < UINT64_C(1) << 42; value += value / 3 + 1) {
        med_histogram h = {0};
        med_histogram_add(&h, value);
        med_histogram_add(&h, UINT64_C(1) << 43); /* so that the greatest does not cut it off */
        uint64_t bound = med_histogram_percentile(&h, 0.5);
        assert_true(bound >= value);
        assert_true(bound - value <= value / 64);
    }
}

static void percentiles_count_values(void **state)
{
    (void)state;
    med_histogram h = {0}, half = {0};
    for (uint64_t i = 1; i <= 1000; i++)
        med_histogram_add(i % 2 == 0 ? &h : &half, i * 1000);
    med_histogram_merge(&h, &half);
    assert_int_equal(h.n, 1000);
    assert_int_equal(h.max, 1000000);
    const struct {
        double share;
        uint64_t value;
    } cases[] = {{0.5, 500000}, {0.9, 900000}, {0.99, 990000}, {1, 1000000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t got = med_histogram_percentile(&h, cases[i].share);
        assert_true(got >= cases[i].value && got <= cases[i].value + cases[i].value / 64);
    }
}

static void the_greatest_fits(void **state)
{
    (void)state;
    med_histogram h = {0};
    med_histogram_add(&h, UINT64_MAX);
    assert_int_equal(h.max, UINT64_MAX);
    assert_true(med_histogram_percentile(&h, 0.5) > UINT64_C(2) * 3600 * 1000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_no_percentile),
        cmocka_unit_test(one_value_is_every_percentile),
        cmocka_unit_test(buckets_are_narrow),
        cmocka_unit_test(percentiles_count_values),
        cmocka_unit_test(the_greatest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
