/* test_json_pointer.c - RFC 6901, its own examples and where nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_pointer.h"

enum { LIMIT = 1 << 20 };

static med_json parse(med_arena *a, const char *text)
{
    med_json j;
    med_err err = {0};
    if (!med_json_parse(a, med_str_from(text), &j, NULL, &err))
        fail_msg("%s", err.text);
    return j;
}

/* Section 5 of the RFC. */
static void follows_the_rfc(void **state)
{
    (void)state;
    static const char document[] =
        "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
        "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";
    static const struct {
        const char *pointer, *value;
    } rows[] = {
        {"", document},
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
    };
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, document);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_json_place place;
        med_err err = {0};
        assert_true(med_json_pointer_follow(a, &j, 0, med_str_from(rows[i].pointer), &place, &err));
        assert_true(place.exists);
        assert_int_equal(place.is_root, i == 0);
        assert_true(med_str_eqz(med_json_span(&j, place.value), rows[i].value));
    }
    med_arena_free(a);
}

/* Where something would be put that is not there yet. */
static void names_places_to_come(void **state)
{
    (void)state;
    static const struct {
        const char *pointer;
        bool in_object;
        uint32_t parent, index;
        const char *key;
    } rows[] = {
        {"/name/-", false, 2, 2, ""},      {"/name/2", false, 2, 2, ""},
        {"/gender", true, 0, 0, "gender"}, {"/name/0/fam~1ily", true, 3, 0, "fam/ily"},
        {"/name/1/-", true, 6, 0, "-"},
    };
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, "{\"name\":[{\"family\":\"x\"},{}]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_json_place place;
        med_err err = {0};
        assert_true(med_json_pointer_follow(a, &j, 0, med_str_from(rows[i].pointer), &place, &err));
        assert_false(place.exists);
        assert_int_equal(place.in_object, rows[i].in_object);
        assert_int_equal(place.parent, rows[i].parent);
        assert_int_equal(place.index, rows[i].index);
        assert_true(med_str_eqz(place.key, rows[i].key));
    }
    med_arena_free(a);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *pointer, *said;
        enum med_issue issue;
    } rows[] = {
        {"name", "a JSON Pointer is empty or begins with '/'", MED_ISSUE_INVALID},
        {"/a~", "a JSON Pointer writes '~' as ~0 and '/' as ~1; a lone '~' is neither",
         MED_ISSUE_INVALID},
        {"/a~2", "a JSON Pointer writes '~' as ~0 and '/' as ~1; a lone '~' is neither",
         MED_ISSUE_INVALID},
        {"/name/01", "'01' is no array index: expected 0, 1, 2 ... without leading zeros, or '-'",
         MED_ISSUE_INVALID},
        {"/name/+1", "'+1' is no array index: expected 0, 1, 2 ... without leading zeros, or '-'",
         MED_ISSUE_INVALID},
        {"/name/", "'' is no array index: expected 0, 1, 2 ... without leading zeros, or '-'",
         MED_ISSUE_INVALID},
        {"/name/3", "index 3 is past the end of 1 elements", MED_ISSUE_PROCESSING},
        {"/name/99999999999999999999", "index 99999999999999999999 is past the end of 1 elements",
         MED_ISSUE_PROCESSING},
        {"/name/18446744073709551616", "index 18446744073709551616 is past the end of 1 elements",
         MED_ISSUE_PROCESSING},
        {"/name/1/x", "the array has only 1 elements", MED_ISSUE_PROCESSING},
        {"/nam/0", "there is no member 'nam'; the nearest is 'name'", MED_ISSUE_PROCESSING},
        {"/entirely/0", "there is no member 'entirely'", MED_ISSUE_PROCESSING},
        {"/id/x", "'x' looks into a plain value; expected an object or array",
         MED_ISSUE_PROCESSING},
    };
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, "{\"id\":\"1\",\"name\":[{\"family\":\"x\"}]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_json_place place;
        med_err err = {0};
        assert_false(
            med_json_pointer_follow(a, &j, 0, med_str_from(rows[i].pointer), &place, &err));
        assert_string_equal(err.text, rows[i].said);
        assert_int_equal(err.issue, rows[i].issue);
    }
    med_arena_free(a);
}

static void follows_from_a_node(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, "[0,{\"a\":[5]}]");
    med_json_place place;
    med_err err = {0};
    assert_true(med_json_pointer_follow(a, &j, 2, MED_STR("/a/0"), &place, &err));
    assert_int_equal(place.value, 5);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_rfc),
        cmocka_unit_test(names_places_to_come),
        cmocka_unit_test(refuses),
        cmocka_unit_test(follows_from_a_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
