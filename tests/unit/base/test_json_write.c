/* test_json_write.c - minified, pretty, and the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

enum { LIMIT = 1 << 20 };

static void assert_text(med_buf *b, const char *expected)
{
    assert_false(b->failed);
    med_buf_addc(b, 0);
    assert_string_equal(b->ptr, expected);
    med_buf_clear(b);
}

static med_json parse(med_arena *a, const char *text)
{
    med_json j;
    med_err err = {0};
    if (!med_json_parse(a, med_str_from(text), &j, NULL, &err))
        fail_msg("%s", err.text);
    return j;
}

static void writes_min(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_buf b;
    med_buf_init(&b, LIMIT);
    med_json j = parse(a, " { \"a b\" :\t[ 1.00 , {\r\n} , [ ] ,\"x \\n y\" ], \"c\":  null } ");
    med_json_write_min(&b, &j, 0);
    assert_text(&b, "{\"a b\":[1.00,{},[],\"x \\n y\"],\"c\":null}");
    med_json_write_min(&b, &j, 2);
    assert_text(&b, "[1.00,{},[],\"x \\n y\"]");
    med_json_write_min(&b, &j, 6);
    assert_text(&b, "\"x \\n y\"");
    med_json_write_min(&b, &j, 4);
    assert_text(&b, "{}");
    med_buf_free(&b);
    med_arena_free(a);
}

static void writes_pretty(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_buf b;
    med_buf_init(&b, LIMIT);
    med_json j = parse(a, "{\"a\":[1.00,{},[],{\"x\":[[2]]}],\"c\":null}");
    med_json_write_pretty(&b, &j, 0);
    assert_text(&b, "{\n"
                    "  \"a\": [\n"
                    "    1.00,\n"
                    "    {},\n"
                    "    [],\n"
                    "    {\n"
                    "      \"x\": [\n"
                    "        [\n"
                    "          2\n"
                    "        ]\n"
                    "      ]\n"
                    "    }\n"
                    "  ],\n"
                    "  \"c\": null\n"
                    "}");
    med_json_write_pretty(&b, &j, 5);
    assert_text(&b, "[]");
    j = parse(a, "\"x\"");
    med_json_write_pretty(&b, &j, 0);
    assert_text(&b, "\"x\"");
    med_buf_free(&b);
    med_arena_free(a);
}

static void writer_sets_commas(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, LIMIT);
    med_json_writer w = med_json_writer_to(&b);
    med_json_open(&w, '{');
    med_json_pair(&w, "a", MED_STR("1"));
    med_json_pair(&w, "skipped", MED_STR_EMPTY);
    med_json_key(&w, MED_STR("b\""));
    med_json_open(&w, '[');
    med_json_int(&w, INT64_MIN);
    med_json_int(&w, 0);
    med_json_bool(&w, true);
    med_json_open(&w, '{');
    med_json_pair(&w, "in", MED_STR("x"));
    med_json_close(&w, '}');
    med_json_open(&w, '[');
    med_json_int(&w, 1);
    med_json_int(&w, 2);
    med_json_close(&w, ']');
    med_json_raw_value(&w, MED_STR("1.00"));
    med_json_close(&w, ']');
    med_json_key(&w, MED_STR("c"));
    med_json_bool(&w, false);
    med_json_close(&w, '}');
    assert_text(&b,
                "{\"a\":\"1\",\"b\\\"\":[-9223372036854775808,0,true,{\"in\":\"x\"},[1,2],1.00],"
                "\"c\":false}");
    med_buf_free(&b);
}

static void writer_escapes(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, LIMIT);
    med_json_escape(&b, MED_STR("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9"));
    assert_text(&b, "a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9");
    med_buf_free(&b);
}

static void writer_has_a_depth(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, LIMIT);
    med_json_writer w = med_json_writer_to(&b);
    for (int i = 0; i < MED_JSON_DEPTH; i++) {
        med_json_open(&w, '[');
        if (i > 0)
            assert_int_equal(b.ptr[b.len - 2], '[');
    }
    assert_false(b.failed);
    med_json_open(&w, '[');
    assert_true(b.failed);
    med_buf_clear(&b);
    w = med_json_writer_to(&b);
    med_json_close(&w, ']');
    assert_true(b.failed);
    med_buf_free(&b);
}

/* Every ceiling below what is needed makes the buffer fail, and nothing is written past it. */
static void keeps_the_ceiling(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, "{\"a\":[1,{\"b\":\"x\"}],\"c\":{}}");
    med_buf b;
    med_buf_init(&b, LIMIT);
    med_json_write_pretty(&b, &j, 0);
    size_t needed = b.len;
    med_buf_free(&b);
    for (size_t limit = 0; limit < needed + 2; limit++) {
        med_buf_init(&b, limit);
        med_json_write_pretty(&b, &j, 0);
        assert_true(b.len <= limit);
        assert_int_equal(b.failed, limit < needed);
        med_buf_free(&b);
        med_buf_init(&b, limit);
        med_json_write_min(&b, &j, 0);
        assert_int_equal(b.failed, limit < j.text.len);
        med_buf_free(&b);
    }
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_min),         cmocka_unit_test(writes_pretty),
        cmocka_unit_test(writer_sets_commas), cmocka_unit_test(writer_escapes),
        cmocka_unit_test(writer_has_a_depth), cmocka_unit_test(keeps_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
