/* Answers of a server, byte by byte and all at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/reply.h"

typedef struct reply_case {
    const char *bytes;
    bool end; /* the server closes behind them */
    enum med_reply_state state;
    int status;
    const char *body;
    bool close;
    size_t left; /* bytes that belong to the next answer */
} reply_case;

static const reply_case cases[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, MED_REPLY_DONE, 200, "hello",
     false, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP", false, MED_REPLY_DONE, 200, "hello",
     false, 4},
    {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", false, MED_REPLY_MORE, 0, NULL, false, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", true, MED_REPLY_BAD, 0, NULL, false, 0},
    {"HTTP/1.1 204 No Content\r\nETag: x\r\n\r\n", false, MED_REPLY_DONE, 204, "", false, 0},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, MED_REPLY_DONE, 304, "",
     false, 0},
    {"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false, MED_REPLY_DONE,
     500, "", true, 0},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx", false,
     MED_REPLY_DONE, 201, "x", false, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, it is "
     "me\r\n0\r\n\r\n",
     false, MED_REPLY_DONE, 200, "hello, it is me", false, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true, MED_REPLY_BAD, 0,
     NULL, false, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloxx0\r\n\r\n", false,
     MED_REPLY_BAD, 0, NULL, false, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", false, MED_REPLY_BAD, 0, NULL,
     false, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", false,
     MED_REPLY_BAD, 0, NULL, false, 0},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", false, MED_REPLY_MORE, 0, NULL, false, 0},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", true, MED_REPLY_DONE, 200, "until the end", true, 0},
    {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false, MED_REPLY_DONE, 200, "", true, 0},
    {"HTTP/1.1 2x0 OK\r\n\r\n", true, MED_REPLY_BAD, 0, NULL, false, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", true, MED_REPLY_BAD, 0, NULL, false, 0},
    {"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", false, MED_REPLY_BAD, 0, NULL, false, 0},
    {"", true, MED_REPLY_BAD, 0, NULL, false, 0},
};

static void check(const reply_case *c, enum med_reply_state state, const med_reply *got,
                  const med_buf *in)
{
    if (state != c->state)
        fail_msg("state %d for %s", (int)state, c->bytes);
    if (state != MED_REPLY_DONE)
        return;
    assert_int_equal(got->status, c->status);
    assert_int_equal(got->close, c->close);
    if (!med_str_eqz(got->body, c->body))
        fail_msg("body '%.*s' for %s", MED_STR_ARG(got->body), c->bytes);
    assert_int_equal(in->len - got->bytes, c->left);
}

static void answers_come_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        med_reply_reader r = {0};
        med_reply got = {0};
        med_buf in;
        med_buf_init(&in, 1 << 20);
        med_buf_addz(&in, cases[i].bytes);
        check(&cases[i], med_reply_read(&r, &in, cases[i].end, &got), &got, &in);
        med_buf_free(&in);
    }
}

static void answers_come_in_single_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        med_reply_reader r = {0};
        med_reply got = {0};
        med_buf in;
        med_buf_init(&in, 1 << 20);
        enum med_reply_state read = MED_REPLY_MORE;
        const char *at = cases[i].bytes;
        for (; *at != '\0' && read == MED_REPLY_MORE; at++) {
            med_buf_addc(&in, *at);
            read = med_reply_read(&r, &in, false, &got);
        }
        if (read == MED_REPLY_MORE && cases[i].end)
            read = med_reply_read(&r, &in, true, &got);
        reply_case c = cases[i];
        c.left = 0; /* what follows has not come yet */
        check(&c, read, &got, &in);
        med_buf_free(&in);
    }
}

static void headers_are_found_without_case(void **state)
{
    (void)state;
    const med_str head = MED_STR("HTTP/1.1 200 OK\r\nETag: W/\"7\"\r\nlocation:http://x/y\r\n\r\n");
    assert_true(med_str_eqz(med_reply_header(head, "etag"), "W/\"7\""));
    assert_true(med_str_eqz(med_reply_header(head, "Location"), "http://x/y"));
    assert_int_equal(med_reply_header(head, "Content-Length").len, 0);
    assert_int_equal(med_reply_header(head, "HTTP/1.1 200 OK").len, 0);
}

static void a_head_without_end_is_bad(void **state)
{
    (void)state;
    med_reply_reader r = {0};
    med_reply got = {0};
    med_buf in;
    med_buf_init(&in, 1 << 20);
    med_buf_addz(&in, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 10000; i++)
        med_buf_addz(&in, "X: yyyyyyyy\r\n");
    assert_int_equal(med_reply_read(&r, &in, false, &got), MED_REPLY_BAD);
    med_buf_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_at_once),
        cmocka_unit_test(answers_come_in_single_bytes),
        cmocka_unit_test(headers_are_found_without_case),
        cmocka_unit_test(a_head_without_end_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
