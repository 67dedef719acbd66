/* The head of a request: what is refused, what is understood, and that it does not matter how
 * the bytes were cut. The malformed heads are those of the smuggling literature: Linhart et al.
 * 2005 (CL.CL, CL.TE), Kettle 2019 to 2025 (TE obfuscation, bare LF, 0.CL, Expect), RFC 9112
 * section 11.2, and the fixes of Node, nginx, HAProxy and Go that followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/parse_head.h"

typedef struct verdict {
    int status; /* 0: understood; -1: more is needed */
    size_t at;
    const char *text;
} verdict;

static const med_http_limits small = {.request_line = 60, .head = 100, .headers = 4};

/* What is said of `bytes` when they arrive as [0, split) and the rest. */
static verdict judge(med_arena *a, med_str bytes, size_t split, const med_http_limits *limits,
                     med_head *head)
{
    med_head_scan s = {0};
    med_http_fault fault = {0};
    enum med_head_progress p = med_head_scan_on(&s, med_str_sub(bytes, 0, split), limits, &fault);
    if (p == MED_HEAD_MORE)
        p = med_head_scan_on(&s, bytes, limits, &fault);
    if (p == MED_HEAD_MORE)
        return (verdict){-1, s.at, "more"};
    if (p == MED_HEAD_COMPLETE && med_head_parse(a, bytes, &s, head, &fault))
        return (verdict){0, s.at, ""};
    return (verdict){fault.status, 0, fault.text};
}

static verdict judge_whole(med_arena *a, med_str bytes, med_head *head)
{
    return judge(a, bytes, bytes.len, &med_http_default_limits, head);
}

typedef struct bad_head {
    int status;
    med_str bytes;
} bad_head;

#define G "GET / HTTP/1.1\r\n"
#define P "POST / HTTP/1.1\r\nHost: a\r\n"
#define H "Host: a\r\n"
#define BAD(status, literal)                                                                       \
    {                                                                                              \
        status, MED_LIT(literal)                                                                   \
    }

static const bad_head bad_heads[] = {
    /* line ends */
    BAD(400, "GET / HTTP/1.1\nHost: a\n\n"),
    BAD(400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    BAD(400, G "Host: a\n\r\n"),
    BAD(400, G H "X: y\n\r\n"),
    BAD(400, G H "\n"),
    BAD(400, G "Host: a\r\r\n\r\n"),
    BAD(400, G H "X: y\rZ: w\r\n\r\n"),
    BAD(400, G H "X: y\r\n\n"),
    BAD(400, "\n" G H "\r\n"),
    BAD(400, "\r\n\r\n" G H "\r\n"),
    BAD(400, "\r\r\n" G H "\r\n"),
    BAD(400, G H "X: \r"
                 "GET /evil HTTP/1.1\r\n\r\n"),
    /* request line */
    BAD(400, "GET /\r\n\r\n"),
    BAD(400, "GET\r\n\r\n"),
    BAD(400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    BAD(400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET / HTTP/1.1x\r\nHost: a\r\n\r\n"),
    BAD(400, "GET / HTTP/11\r\nHost: a\r\n\r\n"),
    BAD(400, "GET / HTTP/1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET / HTTP/1,1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET / XTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    BAD(505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
    BAD(505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    BAD(501, "PRI * HTTP/2.0\r\n\r\n"),           /* an HTTP/2 preface */
    BAD(400, "\x16\x03\x01\x02\x00\x01\r\n\r\n"), /* a TLS greeting */
    BAD(501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(501, "GETX / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GE,T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "G\x80T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(405, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    /* target */
    BAD(400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET ?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /\xc4\x8d HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /<script> HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET /?a=\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
    BAD(400, "GET http://b:80/ HTTP/1.1\r\nHost: b\r\n\r\n"),
    BAD(400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    BAD(400, "GET http://a HTTP/1.1\r\n\r\n"),
    /* Host */
    BAD(400, G "\r\n"),
    BAD(400, G "Host: a\r\nHost: a\r\n\r\n"),
    BAD(400, G "Host: a\r\nhOsT: b\r\n\r\n"),
    BAD(400, G "Host:\r\n\r\n"),
    BAD(400, G "Host: a b\r\n\r\n"),
    BAD(400, G "Host: a, b\r\n\r\n"),
    BAD(400, G "Host: a/b\r\n\r\n"),
    BAD(400, G "Host: a@b\r\n\r\n"),
    BAD(400, G "Host: a:\r\n\r\n"),
    BAD(400, G "Host: a:80x\r\n\r\n"),
    BAD(400, G "Host: a:123456\r\n\r\n"),
    BAD(400, G "Host: :80\r\n\r\n"),
    BAD(400, G "Host: [::1\r\n\r\n"),
    BAD(400, G "Host: [evil]\r\n\r\n"),
    BAD(400, G "Host: [::1]x\r\n\r\n"),
    BAD(400, G "Host: a#b\r\n\r\n"),
    BAD(400, G "Host: a%00\r\n\r\n"),
    /* shape of headers */
    BAD(400, G " Host: a\r\n\r\n"),
    BAD(400, G "Host : a\r\n\r\n"),
    BAD(400, G "Host\t: a\r\n\r\n"),
    BAD(400, G H "X\r\n\r\n"),
    BAD(400, G H ": y\r\n\r\n"),
    BAD(400, G H "X y: z\r\n\r\n"),
    BAD(400, G H "X(y): z\r\n\r\n"),
    BAD(400, G H "X\x00y: z\r\n\r\n"),
    BAD(400, G H "X\xc4: z\r\n\r\n"),
    BAD(400, G H "X: a\x00z\r\n\r\n"),
    BAD(400, G H "X: a\x0bz\r\n\r\n"),
    BAD(400, G H "X: a\x7fz\r\n\r\n"),
    BAD(400, G H "X: a\x1b[2J\r\n\r\n"),
    BAD(400, G H "X: a\r\n folded\r\n\r\n"),
    BAD(400, G H "X: a\r\n\tfolded\r\n\r\n"),
    BAD(400, P "Content-Length: 5\r\n 5\r\n\r\n"),
    BAD(400, P "Transfer-Encoding:\r\n chunked\r\n\r\n"),
    /* Content-Length */
    BAD(400, P "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    BAD(400, P "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
    BAD(400, P "Content-Length: 5\r\ncontent-length: 5\r\n\r\n"),
    BAD(400, P "Content-Length: 5, 5\r\n\r\n"),
    BAD(400, P "Content-Length: 5,6\r\n\r\n"),
    BAD(400, P "Content-Length: +5\r\n\r\n"),
    BAD(400, P "Content-Length: -5\r\n\r\n"),
    BAD(400, P "Content-Length: 0x5\r\n\r\n"),
    BAD(400, P "Content-Length: 5 5\r\n\r\n"),
    BAD(400, P "Content-Length: 5.0\r\n\r\n"),
    BAD(400, P "Content-Length: 5;x\r\n\r\n"),
    BAD(400, P "Content-Length: \"5\"\r\n\r\n"),
    BAD(400, P "Content-Length: 05\r\n\r\n"),
    BAD(400, P "Content-Length:\r\n\r\n"),
    BAD(400, P "Content-Length: five\r\n\r\n"),
    BAD(400, P "Content-Length : 5\r\n\r\n"),
    BAD(400, P "Content-Length: \xb2\r\n\r\n"),
    BAD(400, P "Content-Length: 99999999999999999999999x\r\n\r\n"),
    /* Transfer-Encoding */
    BAD(400, P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: identity\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: xchunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunkedx\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked, identity\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: identity, chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked, chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: ,chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked,\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked;q=1\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: \"chunked\"\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: 'chunked'\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chunked\x00\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: chun\xc5\xbf"
               "ed\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: \xef\xbd\x83hunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding: \xa0"
               "chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding : chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding\x0b: chunked\r\n\r\n"),
    BAD(400, P " Transfer-Encoding: chunked\r\n\r\n"),
    BAD(400, P "X: y\n"
               "Transfer-Encoding: chunked\r\n\r\n"),
    BAD(400, P "X: y\r"
               "Transfer-Encoding: chunked\r\n\r\n"),
    BAD(400, P "Transfer-Encoding:\r\n\r\n"),
    BAD(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD(400,
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
    /* what must not be said twice */
    BAD(400, P "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"),
    BAD(400, P "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"),
    /* expectations */
    BAD(417, P "Expect: 200-ok\r\n\r\n"),
    BAD(417, P "Expect: y 100-continue\r\n\r\n"),
    BAD(417, P "Expect: 100-continue, 100-continue\r\n\r\n"),
    BAD(417, P "Expect: 100-continue\r\nExpect: 100-continued\r\n\r\n"),
    BAD(417, P "Expect:\r\n\r\n"),
};

static med_arena *new_arena(void)
{
    med_arena *a = med_arena_new(1 << 20);
    assert_non_null(a);
    return a;
}

static void malformed_heads_are_refused(void **state)
{
    (void)state;
    size_t n = sizeof bad_heads / sizeof bad_heads[0];
    assert_true(n >= 80);
    med_arena *a = new_arena();
    for (size_t i = 0; i < n; i++) {
        med_head head;
        verdict v = judge_whole(a, bad_heads[i].bytes, &head);
        if (v.status != bad_heads[i].status)
            fail_msg("head %zu \"%s\": %d (%s), expected %d", i, bad_heads[i].bytes.ptr, v.status,
                     v.text, bad_heads[i].status);
        assert_true(strlen(v.text) > 5);
        med_arena_reset(a);
    }
    med_arena_free(a);
}

static const med_str good_heads[] = {
    MED_LIT(G H "\r\n"),
    MED_LIT("\r\n" G H "\r\n"),
    MED_LIT("GET /fhir/Patient?name=a|b&x={\"y\":[1]} HTTP/1.1\r\nhost:a.example:8080\r\n\r\n"),
    MED_LIT("GET / HTTP/1.0\r\n\r\n"),
    MED_LIT("HEAD http://a/x?y HTTP/1.1\r\nHost: A\r\n\r\n"),
    MED_LIT("GET https://a?y HTTP/1.1\r\nHost: a\r\n\r\n"),
    MED_LIT("OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    MED_LIT(P "Content-Length: 0\r\n\r\n"),
    MED_LIT(P "Content-Length: \t 12 \t\r\nX-Name:  \xc4\x8d \r\nEmpty:\r\n\r\n"),
    MED_LIT(
        P "transfer-encoding: ChunkED\r\nExpect: 100-Continue\r\nConnection: Foo , CLOSE\r\n\r\n"),
    MED_LIT("PATCH /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    MED_LIT("DELETE /a?b#"), /* not complete */
    MED_LIT(G "Host: a\r\nX: "),
    MED_LIT(""),
};

static void it_does_not_matter_how_the_bytes_are_cut(void **state)
{
    (void)state;
    med_arena *a = new_arena();
    size_t n_bad = sizeof bad_heads / sizeof bad_heads[0];
    size_t n = n_bad + sizeof good_heads / sizeof good_heads[0];
    const med_http_limits *limits[] = {&med_http_default_limits, &small};
    for (size_t i = 0; i < 2 * n; i++) {
        med_str bytes = i / 2 < n_bad ? bad_heads[i / 2].bytes : good_heads[i / 2 - n_bad];
        med_head head;
        verdict whole = judge(a, bytes, bytes.len, limits[i % 2], &head);
        for (size_t split = 0; split <= bytes.len; split++) {
            verdict v = judge(a, bytes, split, limits[i % 2], &head);
            assert_int_equal(v.status, whole.status);
            assert_int_equal(v.at, whole.at);
            assert_string_equal(v.text, whole.text);
        }
        med_arena_reset(a);
    }
    med_arena_free(a);
}

static void understand(med_arena *a, const char *text, med_head *head)
{
    verdict v = judge_whole(a, med_str_from(text), head);
    if (v.status != 0)
        fail_msg("\"%s\": %d %s", text, v.status, v.text);
    assert_int_equal(v.at, strlen(text));
}

#define EQUAL(slice, literal) assert_true(med_str_eq((slice), MED_STR(literal)))

static void heads_are_understood(void **state)
{
    (void)state;
    med_arena *a = new_arena();
    med_head h;
    understand(a,
               "PUT /fhir/Patient/1?_format=json&x=%7C| HTTP/1.1\r\nHost: a.example:8080\r\n"
               "Content-Length: 12\r\nX-A: \t b c \t\r\nX-A: second\r\n\r\n",
               &h);
    assert_int_equal(h.method, MED_PUT);
    EQUAL(h.path, "/fhir/Patient/1");
    EQUAL(h.query, "_format=json&x=%7C|");
    EQUAL(h.host, "a.example:8080");
    EQUAL(med_host_without_port(h.host), "a.example");
    assert_int_equal(h.length, 12);
    assert_int_equal(h.n_headers, 4);
    EQUAL(h.headers[2].name, "X-A");
    EQUAL(h.headers[2].value, "b c");
    assert_true(h.keep_alive);
    assert_false(h.chunked || h.accepts_gzip || h.expects_continue || h.asterisk);

    understand(a,
               "POST http://[::1]:80?q HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: Chunked\r\n"
               "Expect: 100-continue\r\nConnection: x, Close\r\nAccept-Encoding: br, gzip;q=0.5\r\n"
               "\r\n",
               &h);
    EQUAL(h.path, "/");
    EQUAL(h.query, "q");
    EQUAL(med_host_without_port(h.host), "[::1]");
    assert_true(h.chunked && h.expects_continue && h.accepts_gzip);
    assert_false(h.keep_alive);

    understand(a, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &h);
    assert_true(h.asterisk);
    understand(a, "GET / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n\r\n", &h);
    assert_false(h.keep_alive || h.expects_continue);
    understand(a, "\r\nGET /?x HTTP/1.1\r\nHost: a\r\n\r\n", &h);
    EQUAL(h.query, "x");
    med_arena_free(a);
}

static void gzip_is_accepted_only_when_said(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool accepted;
    } cases[] = {
        {"gzip", true},
        {"GZIP", true},
        {"deflate, gzip;q=1.0", true},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0.001", true},
        {"gzip;q=0, *", false},
        {"identity", false},
        {"xgzip", false},
        {"", false},
        {"br;q=1, gzip ; Q=0", false},
    };
    med_arena *a = new_arena();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        med_str text = med_arena_printf(
            a, "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n", cases[i].value);
        med_head h;
        assert_int_equal(judge_whole(a, text, &h).status, 0);
        assert_int_equal(h.accepts_gzip, cases[i].accepted);
    }
    med_arena_free(a);
}

static void limits_hold_to_the_byte(void **state)
{
    (void)state;
    med_arena *a = new_arena();
    char text[400];
    med_head h;
    for (size_t line = 55; line < 70; line++) { /* a request line of `line` bytes */
        memset(text, 'a', sizeof text);
        memcpy(text, "GET /", 5);
        memcpy(text + line - 9, " HTTP/1.1\r\nHost: a\r\n\r\n", 22);
        verdict v = judge(a, (med_str){text, line + 13}, line + 13, &small, &h);
        assert_int_equal(v.status, line <= 60 ? 0 : 414);
    }
    for (size_t head = 90; head < 110; head++) { /* headers of `head` bytes with the empty line */
        memset(text, 'a', sizeof text);
        memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
        memcpy(text + 16 + head - 4, "\r\n\r\n", 4);
        verdict v = judge(a, (med_str){text, 16 + head}, 16 + head, &small, &h);
        assert_int_equal(v.status, head <= 101 ? 0 : 431);
    }
    med_str four = MED_STR(G H "A: 1\r\nB: 2\r\nC: 3\r\n\r\n");
    assert_int_equal(judge(a, four, four.len, &small, &h).status, 0);
    med_str five = MED_STR(G H "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n");
    assert_int_equal(judge(a, five, five.len, &small, &h).status, 431);
    memset(text, 'a', sizeof text); /* no line end at all: refused at the limit, not at the end */
    assert_int_equal(judge(a, (med_str){text, 61}, 61, &small, &h).status, -1);
    assert_int_equal(judge(a, (med_str){text, 62}, 62, &small, &h).status, 414);
    med_arena_free(a);
}

static void a_head_needs_memory_for_its_headers_only(void **state)
{
    (void)state;
    med_str text = MED_STR(G H "A: 1\r\n\r\n");
    for (size_t limit = 0; limit < 200; limit++) {
        med_arena *a = new_arena();
        med_arena_set_limit(a, limit);
        med_head h;
        int status = judge_whole(a, text, &h).status;
        assert_true(status == 0 || status == 503);
        assert_int_equal(status == 0, limit >= 2 * sizeof(med_header));
        med_arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_heads_are_refused),
        cmocka_unit_test(it_does_not_matter_how_the_bytes_are_cut),
        cmocka_unit_test(heads_are_understood),
        cmocka_unit_test(gzip_is_accepted_only_when_said),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(a_head_needs_memory_for_its_headers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
