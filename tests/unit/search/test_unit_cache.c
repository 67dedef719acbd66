/* test_unit_cache.c - what comes from the cache is what the parser says, also when it is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "search/unit_cache.h"

enum { UNITS = 3000, THREADS = 4 };

static void check(med_unit_cache *c, med_arena *a, med_str code, uint64_t hash)
{
    med_unit fresh, cached;
    med_err err = {0};
    bool good = med_ucum_parse(a, code, &fresh, &err);
    assert_int_equal(med_unit_cache_parse(c, hash, a, code, &cached), good);
    if (good) {
        assert_true(med_str_eq(cached.canonical, fresh.canonical));
        assert_int_equal(med_decimal_compare(&cached.factor, &fresh.factor), 0);
    }
}

/* Many units, and hashes that all fall together. */
static void *ask_for_many(void *cache)
{
    med_arena *a = med_arena_new((size_t)64 << 20);
    assert_non_null(a);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < UNITS; i++) {
            med_str code = med_arena_printf(a, "10*%u/mL", i % 700);
            check(cache, a, code, i % 3 == 0 ? 5 : i * 2654435761U);
        }
        check(cache, a, MED_STR("mg/dL"), 5);
        check(cache, a, MED_STR("no unit at all"), 5);
    }
    med_arena_free(a);
    return NULL;
}

static void says_what_the_parser_says(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    med_arena *a = med_arena_new((size_t)1 << 20);
    med_unit_cache *c = med_unit_cache_new(a);
    assert_non_null(c);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_many, c), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_the_parser_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
