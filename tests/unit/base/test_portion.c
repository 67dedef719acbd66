#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/portion.h"

static void fewer_after_too_much_down_to_one(void **state)
{
    (void)state;
    med_portion p = {500, 500};
    const med_err memory = {.issue = MED_ISSUE_TOO_COSTLY}, late = {.issue = MED_ISSUE_TIMEOUT};
    assert_true(med_portion_shrink(&p, &memory));
    assert_int_equal(p.n, 250);
    assert_true(med_portion_shrink(&p, &late));
    assert_int_equal(p.n, 125);
    int tries = 0;
    while (med_portion_shrink(&p, &memory))
        tries++;
    assert_int_equal(p.n, 1);
    assert_int_equal(tries, 7);
}

static void what_is_no_matter_of_size_changes_nothing(void **state)
{
    (void)state;
    med_portion p = {500, 500};
    const med_err other = {.issue = MED_ISSUE_EXCEPTION};
    assert_false(med_portion_shrink(&p, &other));
    assert_int_equal(p.n, 500);
}

static void more_again_up_to_the_most(void **state)
{
    (void)state;
    med_portion p = {1, 500};
    med_portion_grow(&p);
    assert_int_equal(p.n, 2);
    for (int i = 0; i < 100; i++)
        med_portion_grow(&p);
    assert_int_equal(p.n, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewer_after_too_much_down_to_one),
        cmocka_unit_test(what_is_no_matter_of_size_changes_nothing),
        cmocka_unit_test(more_again_up_to_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
