/* Percent-encoding and queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/url.h"

static med_arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = med_arena_new(1 << 20);
    return arena == NULL;
}

static int end(void **state)
{
    (void)state;
    med_arena_free(arena);
    return 0;
}

typedef struct decode_case {
    med_str in, path, query; /* "!" : refused */
} decode_case;

static void escapes_are_undone(void **state)
{
    (void)state;
    static const decode_case cases[] = {
        {MED_LIT(""), MED_LIT(""), MED_LIT("")},
        {MED_LIT("abc"), MED_LIT("abc"), MED_LIT("abc")},
        {MED_LIT("a+b"), MED_LIT("a+b"), MED_LIT("a b")},
        {MED_LIT("a%2Bb%2bc"), MED_LIT("a+b+c"), MED_LIT("a+b+c")},
        {MED_LIT("%25%32%35"), MED_LIT("%25"), MED_LIT("%25")},
        {MED_LIT("%C4%8D"), MED_LIT("\xc4\x8d"), MED_LIT("\xc4\x8d")},
        {MED_LIT("%7C|"), MED_LIT("||"), MED_LIT("||")},
        {MED_LIT("%"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("%2"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("a%2"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("%2g"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("% 2"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("%u0041"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("%00"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("a\0b"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("%C0%AF"), MED_LIT("!"), MED_LIT("!")}, /* an overlong '/' */
        {MED_LIT("%ED%A0%80"), MED_LIT("!"), MED_LIT("!")},
        {MED_LIT("%FF"), MED_LIT("!"), MED_LIT("!")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int query = 0; query < 2; query++) {
            med_str out, wanted = query == 1 ? cases[i].query : cases[i].path;
            med_err err = {0};
            bool ok = med_percent_decode(arena, cases[i].in, query == 1, &out, &err);
            assert_int_equal(ok, !med_str_eqz(wanted, "!"));
            if (ok)
                assert_true(med_str_eq(out, wanted));
            else
                assert_int_equal(med_err_http_status(&err), 400);
        }
    }
}

static void what_is_encoded_comes_back(void **state)
{
    (void)state;
    char all[255];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(i % 127 + 1);
    med_str encoded, decoded, bytes = {all, sizeof all};
    med_err err = {0};
    assert_true(med_percent_encode(arena, bytes, &encoded));
    assert_true(med_percent_decode(arena, encoded, true, &decoded, &err));
    assert_true(med_str_eq(decoded, bytes));
    assert_true(med_percent_encode(arena, MED_STR("aZ09-._~ /%\xff"), &encoded));
    assert_true(med_str_eqz(encoded, "aZ09-._~%20%2F%25%FF"));
}

static void queries_become_pairs(void **state)
{
    (void)state;
    med_pairs p;
    med_err err = {0};
    assert_true(med_query_parse(arena, MED_STR("a=1&&b=x%3Dy&c&=d&__proto__=&a=2=3&"), &p, &err));
    static const char *const wanted[][2] = {{"a", "1"}, {"b", "x=y"},      {"c", ""},
                                            {"", "d"},  {"__proto__", ""}, {"a", "2=3"}};
    assert_int_equal(p.n, 6);
    for (size_t i = 0; i < p.n; i++) {
        assert_true(med_str_eqz(p.at[i].name, wanted[i][0]));
        assert_true(med_str_eqz(p.at[i].value, wanted[i][1]));
    }
    assert_true(med_query_parse(arena, MED_STR(""), &p, &err));
    assert_int_equal(p.n, 0);
    assert_false(med_query_parse(arena, MED_STR("a=1&b=%zz"), &p, &err));
    assert_int_equal(med_err_http_status(&err), 400);
}

static void there_are_not_too_many_pairs(void **state)
{
    (void)state;
    char text[2 * MED_QUERY_PAIRS + 2];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 == 0 ? 'a' : '&';
    med_pairs p;
    med_err err = {0};
    assert_true(med_query_parse(arena, (med_str){text, (size_t)2 * MED_QUERY_PAIRS}, &p, &err));
    assert_int_equal(p.n, MED_QUERY_PAIRS);
    assert_false(med_query_parse(arena, (med_str){text, sizeof text}, &p, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 120; limit++) {
        med_arena *a = med_arena_new(limit);
        med_pairs p;
        med_err err = {0};
        bool ok = med_query_parse(a, MED_STR("a%20=1&b=%20x"), &p, &err);
        assert_int_equal(ok, limit >= 2 * sizeof(med_pair) + 4 + 4);
        med_arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_undone),    cmocka_unit_test(what_is_encoded_comes_back),
        cmocka_unit_test(queries_become_pairs),  cmocka_unit_test(there_are_not_too_many_pairs),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
