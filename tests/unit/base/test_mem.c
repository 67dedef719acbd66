#include "base/mem.h"
#include "check.h"

static void gives_zeroed_memory(void **state)
{
    (void)state;
    uint32_t *n = MED_NEW(1000, uint32_t);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(n[i], 0);
    n[999] = 5;
    uint32_t *more = med_realloc(n, 2000, sizeof *n);
    assert_int_equal(more[999], 5);
    med_free(more);
    void *none = med_alloc(0, 8);
    assert_non_null(none);
    none = med_realloc(none, 0, 8);
    assert_non_null(none);
    med_free(none);
    med_free(NULL);
    char *copy = med_alloc_copy(MED_STR("word"));
    assert_string_equal(copy, "word");
    med_free(copy);
}

static void refuses_what_would_wrap(void **state)
{
    (void)state;
    volatile size_t huge = SIZE_MAX;
    assert_null(med_alloc(huge, 2));
    assert_null(med_alloc(huge / 8 + 2, 8));
    assert_null(med_alloc(huge, 1));
    char *p = med_alloc(1, 1);
    assert_null(med_realloc(p, huge / 2 + 2, 2));
    assert_null(med_realloc(p, huge, 1));
    p[0] = 'x'; /* still ours */
    med_free(p);
    assert_null(med_alloc_copy((med_str){"", huge}));
}

static void says_so_without_memory(void **state)
{
    (void)state;
    char *p = med_alloc(1, 1);
    heap_fail_after(0);
    void *a = med_alloc(1, 1);
    void *b = med_realloc(p, 10, 1);
    void *c = med_alloc_copy(MED_STR("x"));
    heap_heal();
    assert_null(a);
    assert_null(b);
    assert_null(c);
    med_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_memory),
        cmocka_unit_test(refuses_what_would_wrap),
        cmocka_unit_test(says_so_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
