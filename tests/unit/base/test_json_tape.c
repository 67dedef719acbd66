/* test_json_tape.c - members, paths and strings of a parsed tape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

enum { LIMIT = 64 << 20 };

static med_json parse(med_arena *a, const char *text)
{
    med_json j;
    med_err err = {0};
    if (!med_json_parse(a, med_str_from(text), &j, NULL, &err))
        fail_msg("%s", err.text);
    return j;
}

static void finds_members(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, "{\"x\":{\"id\":1},\"id\":2,\"\":3,\"na\\u006de\":[4]}");
    assert_int_equal(med_json_member(&j, 0, MED_STR("id")), 6);
    assert_int_equal(med_json_member(&j, 0, MED_STR("")), 8);
    assert_int_equal(med_json_member(&j, 0, MED_STR("name")), 10);
    assert_int_equal(med_json_member(&j, 0, MED_STR("na\\u006de")), 0);
    assert_int_equal(med_json_member(&j, 0, MED_STR("nam")), 0);
    assert_int_equal(med_json_member(&j, 10, MED_STR("id")), 0);
    assert_int_equal(med_json_path(&j, 0, "x.id"), 4);
    assert_int_equal(med_json_path(&j, 0, "x"), 2);
    assert_int_equal(med_json_path(&j, 0, "x.no"), 0);
    assert_int_equal(med_json_path(&j, 0, "id.x"), 0);
    med_arena_free(a);
}

static void undoes_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *content;
    } rows[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"a\\u0041b\\u00e9\\u00C9\"", "aAb\xc3\xa9\xc3\x89"},
        {"\"\\u20ac\\ud83D\\ude00.\"", "\xe2\x82\xac\xf0\x9f\x98\x80."},
        {"\"\\u0001\\u007f\\u07ff\\u0800\\uffff\"", "\x01\x7f\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
        {"\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf"},
    };
    med_arena *a = med_arena_new(LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_json j = parse(a, rows[i].text);
        med_str s;
        assert_true(med_json_string(a, &j, 0, &s));
        assert_true(med_str_eqz(s, rows[i].content));
        assert_true(med_json_string_is(&j, 0, med_str_from(rows[i].content)));
        assert_false(med_json_string_is(&j, 0, MED_STR("other")));
        assert_false(med_json_string_is(&j, 0, med_arena_printf(a, "%s.", rows[i].content)));
    }
    med_arena_free(a);
}

/* A plain string is handed out without a copy, an escaped one needs room. */
static void copies_only_when_needed(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, "[\"plain\",\"esc\\n\"]");
    size_t used = med_arena_used(a);
    med_str s;
    assert_true(med_json_string(a, &j, 1, &s));
    assert_ptr_equal(s.ptr, j.text.ptr + 2);
    assert_int_equal(med_arena_used(a), used);
    med_arena_set_limit(a, used);
    assert_false(med_json_string(a, &j, 2, &s));
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_members),
        cmocka_unit_test(undoes_escapes),
        cmocka_unit_test(copies_only_when_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
