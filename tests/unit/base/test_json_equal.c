/* test_json_equal.c - equality of values, and that its cost stays linear. */
#include "check.h"

/* The hash table counts its steps here, so that cost is counted and not timed. */
static size_t steps;
#define MED_JSON_COUNT_STEP() (steps++)
#include "base/json_keys.c"

enum { LIMIT = 256 << 20 };

static med_json parse(med_arena *a, med_str text)
{
    med_json j;
    med_err err = {0};
    if (!med_json_parse(a, text, &j, NULL, &err))
        fail_msg("%s", err.text);
    return j;
}

static bool equal(med_arena *a, const char *x, const char *y)
{
    med_json j = parse(a, med_str_from(x)), k = parse(a, med_str_from(y));
    bool forth = med_json_equal(&j, 0, &k, 0);
    assert_int_equal(forth, med_json_equal(&k, 0, &j, 0));
    return forth;
}

static void compares_values(void **state)
{
    (void)state;
    static const struct {
        const char *x, *y;
        bool equal;
    } rows[] = {
        {"1", "1", true},
        {"1.0", "1.00", false},
        {"1", "\"1\"", false},
        {"true", "false", false},
        {"null", "null", true},
        {"null", "[]", false},
        {"[]", "{}", false},
        {"[]", " [ ] ", true},
        {"\"a\\u0062\"", "\"ab\"", true},
        {"\"\\u00e9\"", "\"\xc3\xa9\"", true},
        {"\"\\n\"", "\"n\"", false},
        {"[1,2]", "[2,1]", false},
        {"[1,[2]]", "[[1],2]", false},
        {"[[],[[]]]", "[[[]],[]]", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"{\"a\":{\"x\":[1,{\"p\":1,\"q\":2}],\"y\":3},\"b\":2}",
         "{\"b\":2,\"\\u0061\":{\"y\":3,\"x\":[1,{\"q\":2,\"p\":1}]}}", true},
        {"{\"a\":[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4}]}",
         "{\"a\":[{\"y\":2,\"x\":1},{\"y\":3,\"x\":4}]}", false},
        {"{\"a\":[1],\"b\":[2,3]}", "{\"b\":[3,2],\"a\":[1]}", false},
    };
    med_arena *a = med_arena_new(LIMIT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(equal(a, rows[i].x, rows[i].y), rows[i].equal);
    med_arena_free(a);
}

static void compares_subtrees(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, MED_STR("[0,{\"a\":1,\"b\":[2]},{\"b\":[2],\"a\":1},[2]]"));
    uint32_t x = 2, y = j.nodes[x].next, z = j.nodes[y].next;
    assert_true(med_json_equal(&j, x, &j, y));
    assert_true(med_json_equal(&j, x + 4, &j, z));
    assert_false(med_json_equal(&j, x, &j, z));
    med_arena_free(a);
}

/* {"key0":0,"key1":1,...}, forwards or backwards, with one value changed if asked to. */
static med_str large_object(med_buf *b, size_t n, bool backwards, bool changed)
{
    med_buf_clear(b);
    for (size_t i = 0; i < n; i++) {
        size_t k = backwards ? n - 1 - i : i;
        med_buf_printf(b, "%c\"key%zu\":%zu", i == 0 ? '{' : ',', k,
                       changed && k == n / 2 ? k + 1 : k);
    }
    med_buf_addc(b, '}');
    assert_false(b->failed);
    return med_buf_str(b);
}

static void stays_linear(void **state)
{
    (void)state;
    enum { N = 300000 };
    med_buf x, y;
    med_buf_init(&x, LIMIT);
    med_buf_init(&y, LIMIT);
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, large_object(&x, N, false, false));
    med_json k = parse(a, large_object(&y, N, true, false));
    steps = 0;
    assert_true(med_json_equal(&j, 0, &k, 0));
    assert_in_range(steps, 2 * N, 6 * N);
    med_arena_reset(a);
    j = parse(a, med_buf_str(&x));
    k = parse(a, large_object(&y, N, true, true));
    assert_false(med_json_equal(&j, 0, &k, 0));
    med_arena_free(a);
    med_buf_free(&x);
    med_buf_free(&y);
}

/* Members in another order need memory; without it two values are not called equal. */
static void answers_without_memory(void **state)
{
    (void)state;
    enum { N = 1000 };
    med_buf x, y;
    med_buf_init(&x, LIMIT);
    med_buf_init(&y, LIMIT);
    med_arena *a = med_arena_new(LIMIT);
    med_json j = parse(a, large_object(&x, N, false, false));
    med_json k = parse(a, large_object(&y, N, true, false));
    for (long n = 0; n < 2; n++) {
        heap_fail_after(n);
        bool same_order = med_json_equal(&j, 0, &j, 0);
        bool other_order = med_json_equal(&j, 0, &k, 0);
        heap_heal();
        assert_true(same_order);
        assert_false(other_order);
    }
    assert_true(med_json_equal(&j, 0, &k, 0));
    med_arena_free(a);
    med_buf_free(&x);
    med_buf_free(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_values),
        cmocka_unit_test(compares_subtrees),
        cmocka_unit_test(stays_linear),
        cmocka_unit_test(answers_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
