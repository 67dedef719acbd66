/* Chunked bodies: what comes out, however they are cut, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/chunked.h"

typedef struct outcome {
    enum med_chunk_state state;
    size_t used;
} outcome;

/* Feeds pieces of `step` bytes until the end or a fault. */
static outcome decode(med_str in, size_t step, med_buf *out)
{
    med_chunked c = {0};
    size_t used = 0;
    med_buf_clear(out);
    for (size_t piece = 0; piece < in.len && c.state != MED_CHUNK_END; piece += step) {
        med_str rest = med_str_sub(in, piece, piece + step);
        while (rest.len > 0 && c.state != MED_CHUNK_END) {
            med_str data;
            size_t n = med_chunked_feed(&c, rest, &data);
            med_buf_add(out, data);
            used += n;
            rest = med_str_skip(rest, n);
            if (c.state == MED_CHUNK_BAD)
                return (outcome){MED_CHUNK_BAD, 0};
        }
    }
    return (outcome){c.state, used};
}

typedef struct body_case {
    med_str in, out;
    bool ends, bad;
    size_t behind; /* bytes of the next request */
} body_case;

#define GOOD(in, out)                                                                              \
    {                                                                                              \
        MED_LIT(in), MED_LIT(out), true, false, 0                                                  \
    }
#define BAD(in)                                                                                    \
    {                                                                                              \
        MED_LIT(in), MED_LIT(""), false, true, 0                                                   \
    }

static const body_case cases[] = {
    GOOD("0\r\n\r\n", ""),
    GOOD("5\r\nhello\r\n0\r\n\r\n", "hello"),
    GOOD("5\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\n", "hello0123456789"),
    GOOD("00000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    GOOD("1;a=b;c=\"d;e\"\r\nx\r\n0;last\r\n\r\n", "x"),
    GOOD("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
    GOOD("1\r\nx\r\n0\r\nTrailer: 1\r\nOther:\r\n\r\n", "x"),
    {MED_LIT("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1"), MED_LIT("x"), true, false, 14},
    {MED_LIT("5\r\nhel"), MED_LIT("hel"), false, false, 0},
    {MED_LIT("5\r\nhello\r\n0\r\n"), MED_LIT("hello"), false, false, 0},
    BAD("\r\n"),
    BAD("g\r\n"),
    BAD(" 5\r\nhello\r\n0\r\n\r\n"),
    BAD("5 \r\nhello\r\n0\r\n\r\n"),
    BAD("1;a=b\r\nx\r\n1 ;a=b\r\nx\r\n"),
    BAD("+5\r\nhello\r\n"),
    BAD("-1\r\n"),
    BAD("0x5\r\nhello\r\n"),
    BAD("5\nhello\r\n"),
    BAD("5\rhello\r\n"),
    BAD("5\r\nhello\n0\r\n\r\n"),
    BAD("5\r\nhello!\r\n0\r\n\r\n"),
    BAD("5\r\nhello0\r\n\r\n"),
    BAD("5\r\nhello\r0\r\n\r\n"),
    BAD(";\r\n"),
    BAD("5;\nhello\r\n"),
    BAD("5;a\x00\r\nhello\r\n"),
    BAD("5;a\rb\r\nhello\r\n"),
    BAD("0000000000000005\r\n"), /* 16 digits */
    BAD("ffffffffffffffff5\r\n"),
    BAD("5_\r\nhello\r\n"),
    BAD("5\x0b\r\nhello\r\n"),
    BAD("0\r\n\n"),
    BAD("0\r\nA: b\n\r\n"),
    BAD("0\r\nA: b\rc\r\n\r\n"),
    BAD("0\r\n: b\r\n\r\n"),
    BAD("0\r\nA : b\r\n\r\n"),
    BAD("0\r\n A: b\r\n\r\n"),
    BAD("0\r\nno colon\r\n\r\n"),
    BAD("0\r\nA\r\n\r\n"),
    BAD("0\r\nA: b\x01\r\n\r\n"),
    BAD("0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
};

static void bodies_are_decoded_however_they_are_cut(void **state)
{
    (void)state;
    med_buf out;
    med_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const body_case *c = &cases[i];
        for (size_t step = 1; step <= c->in.len; step++) {
            outcome o = decode(c->in, step, &out);
            if ((o.state == MED_CHUNK_BAD) != c->bad || (o.state == MED_CHUNK_END) != c->ends)
                fail_msg("body %zu in steps of %zu: state %d", i, step, (int)o.state);
            if (c->bad)
                continue;
            assert_true(med_str_eq(med_buf_str(&out), c->out));
            assert_int_equal(o.used, c->in.len - c->behind);
        }
    }
    med_buf_free(&out);
}

/* A stream that repeats `unit` behind `head` must be refused before `most` bytes. */
static void refused_before(med_str head, med_str unit, size_t most)
{
    med_chunked c = {0};
    med_str data;
    (void)med_chunked_feed(&c, head, &data);
    size_t n = 0;
    while (c.state != MED_CHUNK_BAD && n <= most) {
        med_str rest = unit;
        while (rest.len > 0 && c.state != MED_CHUNK_BAD)
            rest = med_str_skip(rest, med_chunked_feed(&c, rest, &data));
        n += unit.len;
    }
    assert_int_equal(c.state, MED_CHUNK_BAD);
}

static void what_is_dropped_is_bounded(void **state)
{
    (void)state;
    refused_before(MED_STR("5;"), MED_STR("x"), MED_CHUNK_EXTENSION_BYTES + 1);
    refused_before(MED_STR_EMPTY, MED_STR("1;abc=def\r\nx\r\n"), (size_t)14 * 512);
    refused_before(MED_STR("0\r\n"), MED_STR("A: b\r\n"), (size_t)MED_CHUNK_TRAILER_BYTES * 2);
    refused_before(MED_STR("0\r\nA: "), MED_STR("x"), MED_CHUNK_TRAILER_BYTES + 1);
    refused_before(MED_STR_EMPTY, MED_STR("0"), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_decoded_however_they_are_cut),
        cmocka_unit_test(what_is_dropped_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
