/* test_json_limits.c - hostile documents: depth, size, keys made to collide, no memory left.
 * Cost is counted in steps, never timed. */
#include "../../json_portable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MILLION = 1000000, LIMIT = 512 << 20 };

static med_json tape;
static med_json_error where;
static med_err err;

static bool parse(med_arena *a, const med_buf *text)
{
    assert_false(text->failed);
    json_steps = 0;
    err = (med_err){0};
    return med_json_parse_portable(a, med_buf_str(text), &tape, &where, &err);
}

/* A million open brackets end at the 65th, with a 400 and without taking memory for them. */
static void ends_deep_nesting_early(void **state)
{
    (void)state;
    static const char *const parts[] = {"[", "{\"a\":", "[{\"a\":"};
    static const size_t offsets[] = {64, 64 * 5, 32 * 6};
    for (size_t i = 0; i < 3; i++) {
        med_arena *a = med_arena_new(LIMIT);
        med_buf text;
        med_buf_init(&text, LIMIT);
        for (int n = 0; n < MILLION; n++)
            med_buf_addz(&text, parts[i]);
        assert_false(parse(a, &text));
        assert_int_equal(where.offset, offsets[i]);
        assert_int_equal(med_err_http_status(&err), 400);
        assert_string_equal(strchr(err.text, ':'), ": nested deeper than 64 levels");
        med_buf_free(&text);
        med_arena_free(a);
    }
}

enum style { PLAIN, ESCAPED, NUMBERS, STYLES };

/* PLAIN and ESCAPED: keys of one length that begin and end alike, and so meet in the parser's
 * cheap first look. */
static void add_key(med_buf *b, enum style style, int i)
{
    switch (style) {
    case PLAIN:
        med_buf_printf(b, "\"k%07dx\":", i);
        break;
    case ESCAPED:
        med_buf_printf(b, "\"\\u006b%07dx\":", i);
        break;
    case NUMBERS:
    case STYLES:
        med_buf_printf(b, "\"%d\":", i);
        break;
    }
}

static void add_object(med_buf *b, enum style style, int from, int n)
{
    for (int i = 0; i < n; i++) {
        med_buf_addc(b, i == 0 ? '{' : ',');
        add_key(b, style, from + i);
        med_buf_addc(b, '0');
    }
    med_buf_addc(b, '}');
}

/* A million keys cost a few steps each, whatever they are. */
static void stays_linear_in_keys(void **state)
{
    (void)state;
    for (enum style style = PLAIN; style < STYLES; style++) {
        med_arena *a = med_arena_new(LIMIT);
        med_buf text;
        med_buf_init(&text, LIMIT);
        int n = style == PLAIN ? MILLION : MILLION / 10;
        add_object(&text, style, 0, n);
        assert_true(parse(a, &text));
        assert_int_equal(tape.nodes[0].count, n);
        assert_in_range(json_steps, n, 4 * n);
        med_buf_free(&text);
        med_arena_free(a);
    }
}

static void stays_linear_in_small_objects(void **state)
{
    (void)state;
    for (int size = 1; size <= 40; size += size < 20 ? 1 : 10) {
        int objects = 100000 / size;
        med_arena *a = med_arena_new(LIMIT);
        med_buf text;
        med_buf_init(&text, LIMIT);
        for (int i = 0; i < objects; i++) {
            med_buf_addc(&text, i == 0 ? '[' : ',');
            add_object(&text, ESCAPED, i, size);
        }
        med_buf_addc(&text, ']');
        assert_true(parse(a, &text));
        size_t keys = (size_t)objects * (size_t)size;
        assert_true(json_steps <= keys * (MED_JSON_SMALL_OBJECT / 2 + 4));
        /* one hash table serves all of them */
        assert_true(med_arena_used(a) < sizeof(med_json_node) * (text.len / 10 + tape.n) + 4096);
        med_buf_free(&text);
        med_arena_free(a);
    }
}

/* Every pair of keys, in small and large objects, plain and escaped, is found and its second
 * key pointed at. */
static void finds_every_duplicate(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_buf text;
    med_buf_init(&text, LIMIT);
    for (int n = 2; n <= 20; n++)
        for (int first = 0; first < n; first++)
            for (int second = first + 1; second < n; second++) {
                size_t at = 0;
                med_buf_clear(&text);
                med_arena_reset(a);
                for (int i = 0; i < n; i++) {
                    med_buf_addc(&text, i == 0 ? '{' : ',');
                    at = i == second ? text.len + 1 : at;
                    add_key(&text, (i + first) % 2 == 0 ? PLAIN : ESCAPED, i == second ? first : i);
                    med_buf_addz(&text, "[{\"k0000000x\":1}]");
                }
                med_buf_addc(&text, '}');
                assert_false(parse(a, &text));
                assert_int_equal(where.offset, at);
            }
    med_buf_free(&text);
    med_arena_free(a);
}

static void finds_the_millionth_duplicate(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_buf text;
    med_buf_init(&text, LIMIT);
    add_object(&text, PLAIN, 0, MILLION);
    text.len--;
    med_buf_addz(&text, ",\"k0000000x\":1}");
    assert_false(parse(a, &text));
    assert_int_equal(where.offset, text.len - strlen("k0000000x\":1}"));
    assert_in_range(json_steps, MILLION, 4 * MILLION);
    med_buf_free(&text);
    med_arena_free(a);
}

/* Where the guess of nodes is too small it is corrected once, to what can still come: memory
 * stays a fixed multiple of the text, whatever the text is. */
static void grows_once(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "0,", "[],", "{},", "\"\",", "{\"\":[0]},", "   0   ,", "\",,,,::::[[[[{{{{\","};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        med_arena *a = med_arena_new(LIMIT);
        med_buf text;
        med_buf_init(&text, LIMIT);
        med_buf_addc(&text, '[');
        while (text.len < MILLION)
            med_buf_addz(&text, parts[i]);
        text.ptr[text.len - 1] = ']';
        assert_true(parse(a, &text));
        size_t most = sizeof(med_json_node) * (text.len / 10 + text.len + 32);
        assert_true(med_arena_used(a) <= most);
        med_buf_free(&text);
        med_arena_free(a);
    }
}

static const char hostile[] =
    "{\"a\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"
    "\"b\":{\"k01\":1,\"k02\":1,\"k03\":1,\"k04\":1,\"k05\":1,\"k06\":1,\"k07\":1,\"k08\":1,"
    "\"k09\":1,\"k10\":1,\"k11\":1,\"k12\":1,\"k13\":1,\"k14\":1,\"k15\":1,\"k16\":1,\"k17\":1,"
    "\"k\\u0031\\u0038\":1,\"k19\":1,\"k20\":1,\"k21\":1,\"k22\":1,\"k23\":1,\"k24\":1,\"k25\":1,"
    "\"k26\":1,\"k27\":1,\"k28\":1,\"k29\":1,\"k30\":1,\"k31\":1,\"k32\":1,\"k33\":1,\"k34\":1}}";

/* With every ceiling there is either a tape or a clear error. */
static void walks_the_arenas_limit(void **state)
{
    (void)state;
    med_buf text;
    med_buf_init(&text, LIMIT);
    med_buf_addz(&text, hostile);
    med_arena *a = med_arena_new(LIMIT);
    assert_true(parse(a, &text));
    size_t needed = med_arena_used(a), refused = 0;
    for (size_t limit = 0; limit <= needed; limit++) {
        med_arena_reset(a);
        med_arena_set_limit(a, limit);
        if (parse(a, &text))
            continue;
        assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
        assert_int_equal(med_err_http_status(&err), 413);
        refused++;
    }
    assert_int_equal(refused, needed);
    med_arena_free(a);
    med_buf_free(&text);
}

/* More than can be addressed is refused before it is looked at. */
static void refuses_too_much(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(LIMIT);
    med_json j;
    err = (med_err){0};
    assert_false(med_json_parse(a, (med_str){"[]", MED_JSON_MAX_BYTES + 1}, &j, NULL, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_LONG);
    assert_int_equal(med_err_http_status(&err), 413);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_deep_nesting_early),       cmocka_unit_test(stays_linear_in_keys),
        cmocka_unit_test(stays_linear_in_small_objects), cmocka_unit_test(finds_every_duplicate),
        cmocka_unit_test(finds_the_millionth_duplicate), cmocka_unit_test(grows_once),
        cmocka_unit_test(walks_the_arenas_limit),        cmocka_unit_test(refuses_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
