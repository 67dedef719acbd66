/* test_json_edit.c - edits of every kind and place, and those that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_edit.h"
#include "base/json_pointer.h"

enum { LIMIT = 1 << 20, MOST = 4 };

/* An edit that names its node by JSON Pointer. */
struct step {
    enum med_json_edit_kind kind;
    const char *pointer, *key, *text;
};

static const char document[] =
    "{ \"a\" : 1.00, \"b\\u0062\":[ 10, 20 , {\"x\":true} ], \"c\":{}, \"d\" : [] }";
#define SAME "{\"a\":1.00,\"b\\u0062\":[10,20,{\"x\":true}],\"c\":{},\"d\":[]}"

static med_json parse(med_arena *a, const char *text)
{
    med_json j;
    med_err err = {0};
    if (!med_json_parse(a, med_str_from(text), &j, NULL, &err))
        fail_msg("%s", err.text);
    return j;
}

static bool apply(med_arena *a, const struct step *steps, med_buf *out, med_err *err)
{
    med_json j = parse(a, document);
    med_json_edit edits[MOST];
    size_t n = 0;
    for (; n < MOST && steps[n].pointer != NULL; n++) {
        med_json_place place;
        assert_true(med_json_pointer_follow(a, &j, 0, med_str_from(steps[n].pointer), &place, err));
        assert_true(place.exists);
        edits[n] = (med_json_edit){.node = place.value,
                                   .kind = steps[n].kind,
                                   .key = med_str_from(steps[n].key),
                                   .text = med_str_from(steps[n].text)};
    }
    return med_json_edit_apply(a, &j, 0, edits, n, out, err);
}

static void edits(void **state)
{
    (void)state;
    static const struct {
        const char *result;
        struct step steps[MOST];
    } rows[] = {
        {SAME, {{0}}},
        {"7", {{MED_JSON_REPLACE, "", NULL, " 7 "}}},
        {"{\"a\":{\"n\":\"x y\\\" \"},\"b\\u0062\":[10,20,{\"x\":true}],\"c\":{},\"d\":[]}",
         {{MED_JSON_REPLACE, "/a", NULL, "{ \"n\" :\n\"x y\\\" \" }"}}},
        {"{\"b\\u0062\":[10,20,{\"x\":true}],\"c\":{},\"d\":[]}",
         {{MED_JSON_REMOVE, "/a", NULL, NULL}}},
        {"{\"a\":1.00,\"b\\u0062\":[10,20,{\"x\":true}],\"c\":{}}",
         {{MED_JSON_REMOVE, "/d", NULL, NULL}}},
        {"{\"a\":1.00,\"b\\u0062\":[20],\"c\":{},\"d\":[]}",
         {{MED_JSON_REMOVE, "/bb/2", NULL, NULL}, {MED_JSON_REMOVE, "/bb/0", NULL, NULL}}},
        {"{\"a\":1.00,\"b\\u0062\":[],\"c\":{},\"d\":[]}",
         {{MED_JSON_REMOVE, "/bb/2", NULL, NULL},
          {MED_JSON_REMOVE, "/bb/0", NULL, NULL},
          {MED_JSON_REMOVE, "/bb/1", NULL, NULL}}},
        {"{\"a\":1.00,\"b\\u0062\":[10,20,{}],\"c\":{},\"d\":[]}",
         {{MED_JSON_REMOVE, "/bb/2/x", NULL, NULL}}},
        {"{\"a\":1.00,\"b\\u0062\":[1,10,2,3,20,{\"x\":true}],\"c\":{},\"d\":[]}",
         {{MED_JSON_INSERT_AFTER, "/bb/0", NULL, "2"},
          {MED_JSON_INSERT_BEFORE, "/bb/0", NULL, "1"},
          {MED_JSON_INSERT_AFTER, "/bb/0", NULL, "3"}}},
        {"{\"a\":1.00,\"b\\u0062\":[0,10,20,{\"x\":true},9],\"c\":{},\"d\":[]}",
         {{MED_JSON_INSERT_LAST, "/bb", NULL, "9"}, {MED_JSON_INSERT_FIRST, "/bb", NULL, "0"}}},
        {"{\"z\\\"\":0,\"a\":1.00,\"y\":5,\"b\\u0062\":[10,20,{\"x\":true}],\"c\":{\"i\":1},\"d\":["
         "],"
         "\"e\":9}",
         {{MED_JSON_INSERT_FIRST, "", "z\"", "0"},
          {MED_JSON_INSERT_LAST, "", "e", "9"},
          {MED_JSON_INSERT_LAST, "/c", "i", "1"},
          {MED_JSON_INSERT_BEFORE, "/bb", "y", "5"}}},
        {"{\"a\":1.00,\"b\\u0062\":[10,20,{\"w\":[1],\"x\":true,\"v\":{}},8],\"c\":{},\"d\":[]}",
         {{MED_JSON_INSERT_AFTER, "/bb/2", NULL, "8"},
          {MED_JSON_INSERT_BEFORE, "/bb/2/x", "w", "[1]"},
          {MED_JSON_INSERT_LAST, "/bb/2", "v", "{}"}}},
        {"{\"a\":1.00,\"b\\u0062\":[10,20,\"new\",\"more\"],\"c\":{},\"d\":[]}",
         {{MED_JSON_REMOVE, "/bb/2", NULL, NULL},
          {MED_JSON_INSERT_AFTER, "/bb/2", NULL, "\"more\""},
          {MED_JSON_INSERT_BEFORE, "/bb/2", NULL, "\"new\""}}},
        {"{\"q\":3,\"b\\u0062\":[10,20,{\"x\":true}],\"c\":{},\"d\":[]}",
         {{MED_JSON_REMOVE, "/a", NULL, NULL}, {MED_JSON_INSERT_AFTER, "/a", "q", "3"}}},
    };
    med_arena *a = med_arena_new(LIMIT);
    med_buf out;
    med_buf_init(&out, LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_err err = {0};
        med_buf_clear(&out);
        if (!apply(a, rows[i].steps, &out, &err))
            fail_msg("row %zu: %s", i, err.text);
        med_buf_addc(&out, 0);
        assert_string_equal(out.ptr, rows[i].result);
    }
    med_buf_free(&out);
    med_arena_free(a);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        struct step steps[MOST];
    } rows[] = {
        {"a value is changed twice",
         {{MED_JSON_REPLACE, "/a", NULL, "1"}, {MED_JSON_REMOVE, "/a", NULL, NULL}}},
        {"a value is changed twice",
         {{MED_JSON_REPLACE, "/a", NULL, "1"}, {MED_JSON_REPLACE, "/a", NULL, "1"}}},
        {"a value is changed twice",
         {{MED_JSON_INSERT_LAST, "/bb", NULL, "1"}, {MED_JSON_REMOVE, "/bb", NULL, NULL}}},
        {"something is changed inside a value that is removed or replaced",
         {{MED_JSON_REMOVE, "/bb", NULL, NULL}, {MED_JSON_REPLACE, "/bb/2/x", NULL, "1"}}},
        {"something is changed inside a value that is removed or replaced",
         {{MED_JSON_INSERT_AFTER, "/bb/0", NULL, "1"}, {MED_JSON_REPLACE, "/bb", NULL, "1"}}},
        {"the whole document can not be removed and has no neighbours",
         {{MED_JSON_REMOVE, "", NULL, NULL}}},
        {"the whole document can not be removed and has no neighbours",
         {{MED_JSON_INSERT_AFTER, "", NULL, "1"}}},
        {"something is inserted into a value that is no object and no array",
         {{MED_JSON_INSERT_LAST, "/a", NULL, "1"}}},
        {"a member is inserted without a key", {{MED_JSON_INSERT_LAST, "/c", NULL, "1"}}},
        {"a member is inserted without a key", {{MED_JSON_INSERT_AFTER, "/a", NULL, "1"}}},
    };
    med_arena *a = med_arena_new(LIMIT);
    med_buf out;
    med_buf_init(&out, LIMIT);
    med_buf_addz(&out, "kept");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_err err = {0};
        assert_false(apply(a, rows[i].steps, &out, &err));
        assert_string_equal(err.text, rows[i].said);
        assert_true(med_str_eqz(med_buf_str(&out), "kept"));
    }
    med_buf_free(&out);
    med_arena_free(a);
}

static void refuses_wrong_nodes(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, document);
    med_buf out;
    med_buf_init(&out, LIMIT);
    static const struct {
        uint32_t root, node;
        const char *said;
    } rows[] = {
        {0, 1, "an edit names a key; name its value"},
        {0, 1000, "an edit lies outside the document"},
        {4, 2, "an edit lies outside the document"},
        {4, 8, "an edit names a key; name its value"},
        {4, 10, "an edit lies outside the document"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_err err = {0};
        med_json_edit edit = {rows[i].node, MED_JSON_REPLACE, MED_STR_EMPTY, MED_STR("1")};
        bool good = med_json_edit_apply(a, &j, rows[i].root, &edit, 1, &out, &err);
        assert_false(good);
        assert_string_equal(err.text, rows[i].said);
    }
    med_buf_free(&out);
    med_arena_free(a);
}

static void keeps_ceilings(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, document);
    med_json_edit edit = {2, MED_JSON_REPLACE, MED_STR_EMPTY, MED_STR("12345")};
    for (size_t limit = 0; limit < sizeof SAME + 4; limit++) {
        med_buf out;
        med_buf_init(&out, limit);
        med_err err = {0};
        if (med_json_edit_apply(a, &j, 0, &edit, 1, &out, &err))
            assert_int_equal(out.len, sizeof SAME);
        else
            assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
        assert_true(out.len <= limit);
        med_buf_free(&out);
    }
    med_buf out;
    med_buf_init(&out, LIMIT);
    med_arena_set_limit(a, med_arena_used(a));
    med_err err = {0};
    assert_false(med_json_edit_apply(a, &j, 0, &edit, 1, &out, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    med_buf_free(&out);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_wrong_nodes),
        cmocka_unit_test(keeps_ceilings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
