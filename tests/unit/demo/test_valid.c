/* Every resource of a nation passes the structure check of the server's own door. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nation.h"
#include "validate/structure.h"

static void is_structurally_legal(void **state)
{
    (void)state;
    nation t = nation_generate(60, 5);
    med_arena *a = med_arena_new((size_t)1 << 26);
    assert_non_null(a);
    for (size_t i = 0; i < t.n; i++) {
        med_type type;
        med_problems problems = {0};
        med_err err = {0};
        med_arena_reset(a);
        assert_true(
            med_structure_check(a, med_pack_core(), &t.all[i].json, 0, &type, &problems, &err));
        if (problems.n > 0)
            fail_msg("%.*s/%.*s: %.*s: %.*s", MED_STR_ARG(t.all[i].type), MED_STR_ARG(t.all[i].id),
                     MED_STR_ARG(problems.at[0].expression), MED_STR_ARG(problems.at[0].text));
    }
    med_arena_free(a);
    nation_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_structurally_legal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
