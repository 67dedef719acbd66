#include "base/arena.h"
#include "check.h"

static void gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    static const size_t aligns[] = {1, 2, 8, 16, 64, 4096};
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < COUNT(aligns); i++) {
        for (size_t size = 0; size < 20000; size = size * 3 + 1) {
            char *p = med_arena_take(a, 1, size, aligns[i]);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % aligns[i], 0);
            for (size_t k = 0; k < size; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xAA, size);
        }
    }
    assert_false(med_arena_exhausted(a));
    med_arena_free(a);
}

static void never_runs_over_a_block_s_end(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(8 << 20);
    for (size_t i = 0; i < 3000; i++) {
        char *one = MED_TAKE(a, 1 + i % 7, char);
        char *aligned = med_arena_take(a, 1, 1 + i % 900, (size_t)1 << i % 9);
        assert_non_null(one);
        assert_non_null(aligned);
        assert_int_equal((uintptr_t)aligned % ((size_t)1 << i % 9), 0);
        memset(one, 1, 1 + i % 7);
        memset(aligned, 2, 1 + i % 900);
    }
    med_arena_free(a);
}

static void empty_takes_are_distinct_from_failure(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(100);
    assert_non_null(MED_TAKE(a, 0, uint64_t));
    med_arena_free(a);
    med_arena_free(NULL);
}

static void refuses_past_the_limit(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(100000);
    size_t taken = 0;
    while (MED_TAKE(a, 1000, char) != NULL)
        taken += 1000;
    assert_true(med_arena_exhausted(a));
    assert_true(taken <= 100000);
    assert_true(taken >= 70000); /* block ends lose a little, not half */
    assert_int_equal(med_arena_used(a), taken);
    med_arena_free(a);
}

static void refuses_what_would_wrap(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(SIZE_MAX);
    /* through a volatile, or the compiler refuses the call itself */
    volatile size_t huge = SIZE_MAX;
    assert_null(med_arena_take(a, huge, 2, 8));
    assert_null(med_arena_take(a, huge / 2 + 2, 2, 8));
    assert_null(med_arena_take(a, huge / 2, 1, 8));
    assert_null(med_arena_take(a, 1, huge - 8, 8));
    assert_true(med_arena_exhausted(a));
    assert_non_null(MED_TAKE(a, 1, int));
    med_arena_free(a);
}

static bool several_things(med_arena *a)
{
    med_str copy = MED_STR_EMPTY;
    uint64_t *numbers = MED_TAKE(a, 10, uint64_t);
    if (numbers == NULL || !med_arena_copy(a, MED_STR("some words"), &copy))
        return false;
    numbers[9] = 7;
    char *large = MED_TAKE(a, 30000, char);
    if (large == NULL)
        return false;
    large[29999] = 'x';
    med_str text = med_arena_printf(a, "%s-%d", "id", 42);
    if (text.len == 0)
        return false;
    CHECK_STR(copy, "some words");
    CHECK_STR(text, "id-42");
    assert_int_equal(text.ptr[text.len], '\0');
    return true;
}

static void fails_cleanly_at_every_limit(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    assert_true(several_things(a));
    size_t need = med_arena_used(a);
    for (size_t limit = 0; limit < need; limit += limit < 200 || limit > need - 200 ? 1 : 97) {
        med_arena_reset(a);
        med_arena_set_limit(a, limit);
        assert_false(several_things(a));
        assert_true(med_arena_exhausted(a));
    }
    med_arena_reset(a);
    med_arena_set_limit(a, need);
    assert_true(several_things(a));
    med_arena_free(a);
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    heap_fail_after(0);
    assert_null(med_arena_new(1000));
    heap_fail_after(1);
    assert_null(med_arena_new(1000));
    heap_heal();
    med_arena *a = med_arena_new(1 << 20);
    heap_fail_after(0);
    assert_false(several_things(a));
    assert_true(med_arena_exhausted(a));
    heap_heal();
    med_arena_reset(a);
    assert_false(med_arena_exhausted(a));
    assert_true(several_things(a));
    med_arena_free(a);
}

static void reset_starts_anew(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            char *p = MED_TAKE(a, 3000, char);
            for (size_t k = 0; k < 3000; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0x55, 3000);
        }
        med_arena_reset(a);
        assert_int_equal(med_arena_used(a), 0);
    }
    med_arena_free(a);
}

struct trail {
    char seen[8];
    size_t n;
};
struct step {
    struct trail *trail;
    char name;
};

static void leave_trail(void *arg)
{
    struct step *s = arg;
    s->trail->seen[s->trail->n++] = s->name;
}

static void runs_cleanups_backwards(void **state)
{
    (void)state;
    struct trail trail = {0};
    struct step steps[] = {{&trail, 'a'}, {&trail, 'b'}, {&trail, 'c'}, {&trail, 'd'}};
    med_arena *a = med_arena_new(10000);
    assert_true(med_arena_defer(a, leave_trail, &steps[0]));
    assert_true(med_arena_defer(a, leave_trail, &steps[1]));
    med_arena_reset(a);
    assert_memory_equal(trail.seen, "ba", 2);
    assert_true(med_arena_defer(a, leave_trail, &steps[2]));
    med_arena_set_limit(a, 0);
    assert_false(med_arena_defer(a, leave_trail, &steps[3])); /* runs at once */
    assert_memory_equal(trail.seen, "bad", 3);
    med_arena_free(a);
    assert_int_equal(trail.n, 4);
    assert_memory_equal(trail.seen, "badc", 4);
}

static void copy_and_printf_stop_at_the_limit(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(8);
    med_str copy = MED_STR_EMPTY;
    assert_false(med_arena_copy(a, MED_STR("eightbyt"), &copy));
    CHECK_STR(copy, "");
    CHECK_STR(med_arena_printf(a, "%s", "nine bytes"), "");
    assert_true(med_arena_exhausted(a));
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(never_runs_over_a_block_s_end),
        cmocka_unit_test(empty_takes_are_distinct_from_failure),
        cmocka_unit_test(refuses_past_the_limit),
        cmocka_unit_test(refuses_what_would_wrap),
        cmocka_unit_test(fails_cleanly_at_every_limit),
        cmocka_unit_test(fails_cleanly_without_memory),
        cmocka_unit_test(reset_starts_anew),
        cmocka_unit_test(runs_cleanups_backwards),
        cmocka_unit_test(copy_and_printf_stop_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
