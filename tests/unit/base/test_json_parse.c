/* test_json_parse.c - what the parser takes, what it refuses, and what it says then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

enum { LIMIT = 64 << 20 };

static bool parse(med_arena *a, const char *text, med_json *out, med_err *err)
{
    *err = (med_err){0};
    return med_json_parse(a, med_str_from(text), out, NULL, err);
}

static void takes_every_kind(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j;
    med_err err;
    assert_true(
        parse(a, " {\"a\": [null, true,false , -0.10e+5, \"x\\n\"], \"b\":{}}\r\n\t", &j, &err));
    static const struct {
        enum med_json_kind kind;
        uint32_t count, next;
        const char *raw;
    } expected[] = {
        {MED_JSON_OBJECT, 2, 10, NULL},      {MED_JSON_STRING, 0, 2, "a"},
        {MED_JSON_ARRAY, 5, 8, NULL},        {MED_JSON_NULL, 0, 4, "null"},
        {MED_JSON_TRUE, 0, 5, "true"},       {MED_JSON_FALSE, 0, 6, "false"},
        {MED_JSON_NUMBER, 0, 7, "-0.10e+5"}, {MED_JSON_STRING, 0, 8, "x\\n"},
        {MED_JSON_STRING, 0, 9, "b"},        {MED_JSON_OBJECT, 0, 10, "{}"},
    };
    assert_int_equal(j.n, sizeof expected / sizeof *expected);
    for (uint32_t i = 0; i < j.n; i++) {
        assert_int_equal(med_json_kind_at(&j, i), expected[i].kind);
        assert_int_equal(j.nodes[i].count, expected[i].count);
        assert_int_equal(j.nodes[i].next, expected[i].next);
        if (expected[i].raw != NULL)
            assert_true(med_str_eqz(med_json_raw(&j, i), expected[i].raw));
    }
    assert_true(j.nodes[7].escaped);
    assert_true(med_str_eqz(med_json_span(&j, 7), "\"x\\n\""));
    assert_true(med_str_eqz(med_json_span(&j, 9), "{}"));
    assert_int_equal(med_json_span(&j, 0).len, j.text.len - 4);
    med_arena_free(a);
}

/* What is said, and where. */
static void explains(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "line 1, column 1: expected a JSON value, but the text ends here"},
        {"{\"a\":1\n,\"b\":2 \"c\":3}", "line 2, column 8: expected ',' or '}' behind a member"},
        {"[1 2]", "line 1, column 4: expected ',' or ']' behind an element"},
        {"[1,]", "line 1, column 4: expected a value behind ',' (no comma behind the last "
                 "element)"},
        {"{\"a\":1,}", "line 1, column 8: expected a key in double quotes behind ',' (no comma "
                       "behind the last member)"},
        {"{a:1}", "line 1, column 2: expected a key in double quotes or '}'"},
        {"{\"a\" 1}", "line 1, column 6: expected ':' behind a key"},
        {"{\"a\":}", "line 1, column 6: expected a value behind ':'"},
        {"[", "line 1, column 2: expected a value or ']', but the text ends here"},
        {"[01]", "line 1, column 3: expected ',' or ']' behind 0 (a number has no leading zeros)"},
        {"01", "line 1, column 2: a number has no leading zeros"},
        {"[1.]", "line 1, column 4: expected a digit behind the decimal point"},
        {"[1e]", "line 1, column 4: expected a digit in the exponent"},
        {"[-]", "line 1, column 3: expected a digit behind '-'"},
        {"[NaN]", "line 1, column 2: expected a value; JSON knows no NaN, Infinity, undefined or "
                  "None"},
        {"[True]", "line 1, column 2: expected true, false or null in small letters"},
        {"['a']", "line 1, column 2: expected a value; strings stand between double quotes"},
        {"[\"a\tb\"]", "line 1, column 4: a tab in a string is written \\t"},
        {"[\"a\n\"]", "line 1, column 4: expected '\"' before the line ends; a line break in a "
                      "string is written \\n"},
        {"[\"\\x\"]", "line 1, column 3: expected one of \" \\ / b f n r t u behind a backslash"},
        {"[\"\\u00g0\"]", "line 1, column 3: expected four hexadecimal digits behind \\u"},
        {"[\"\\u0000\"]", "line 1, column 3: a string must not hold NUL (U+0000)"},
        {"[\"\\ud800\"]", "line 1, column 3: half of a surrogate pair; expected \\uD800 to \\uDBFF "
                          "followed by \\uDC00 to \\uDFFF"},
        {"{\"a\":1, \"a\":2}", "line 1, column 10: expected another key: this object has a member "
                               "of that name already"},
        {"{} {}", "line 1, column 4: expected nothing behind the JSON value"},
        {"\xef\xbb\xbf{}", "line 1, column 1: the text begins with a byte order mark (EF BB BF); "
                           "send UTF-8 without one"},
        {"[\"\xe4\"]", "line 1, column 3: expected UTF-8: a character is cut short (is the text "
                       "Latin-1 or Windows-125x?)"},
        {"\"abc", "line 1, column 5: expected '\"' at the end of a string, but the text ends here"},
    };
    med_arena *a = med_arena_new(LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_json j;
        med_err err;
        assert_false(parse(a, rows[i].text, &j, &err));
        assert_string_equal(err.text, rows[i].said);
        assert_int_equal(err.issue, MED_ISSUE_INVALID);
        assert_int_equal(med_err_http_status(&err), 400);
    }
    med_arena_free(a);
}

static void gives_the_place(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j;
    med_json_error where;
    med_err err = {0};
    assert_false(med_json_parse(a, MED_STR("{\n  \"a\": x\n}"), &j, &where, &err));
    assert_int_equal(where.offset, 9);
    assert_int_equal(where.line, 2);
    assert_int_equal(where.column, 8);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_kind),
        cmocka_unit_test(explains),
        cmocka_unit_test(gives_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
