/* Headers of requests and answers, and what is compressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/gzip.h"
#include "http/compress.h"
#include "http/message.h"

static void request_headers_are_found_without_case(void **state)
{
    (void)state;
    const med_header headers[] = {{MED_STR("If-Match"), MED_STR("W/\"1\"")},
                                  {MED_STR("Empty"), MED_STR("")},
                                  {MED_STR("if-match"), MED_STR("second")}};
    const med_request r = {.headers = headers, .n_headers = 3};
    assert_true(med_str_eqz(med_request_header(&r, "IF-MATCH"), "W/\"1\""));
    assert_true(med_request_has_header(&r, "empty"));
    assert_false(med_request_has_header(&r, "If-Matc"));
    assert_int_equal(med_request_header(&r, "absent").len, 0);
}

static void an_answer_takes_no_foreign_line(void **state)
{
    (void)state;
    med_response r = {.body = MED_STR_EMPTY};
    assert_false(med_response_header(&r, "Location", MED_STR("/a\r\nSet-Cookie: b")));
    assert_false(med_response_header(&r, "Location", MED_STR("/a\nb")));
    assert_false(med_response_header(&r, "Location", MED_STR("/a\0b")));
    assert_false(med_response_header(&r, "content-length", MED_STR("5")));
    assert_false(med_response_header(&r, "Transfer-Encoding", MED_STR("chunked")));
    assert_true(med_response_header(&r, "Location", MED_STR("/a")));
    assert_false(med_response_set_header(&r, "location", MED_STR("/b\r")));
    assert_true(med_response_set_header(&r, "location", MED_STR("/b")));
    assert_int_equal(r.n_headers, 1);
    assert_true(med_str_eqz(r.headers[0].value, "/b"));
    for (size_t i = 1; i < MED_RESPONSE_HEADERS; i++)
        assert_true(med_response_header(&r, "X", MED_STR("y")));
    assert_false(med_response_header(&r, "X", MED_STR("y")));
}

static char text[20000];

static med_response answer(const char *type, size_t n)
{
    med_response r = {.status = 200, .body = {text, n}};
    assert_true(med_response_header(&r, "Content-Type", med_str_from(type)));
    return r;
}

static bool is_gzip(const med_response *r)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (med_str_eqz(r->headers[i].name, "Content-Encoding"))
            return true;
    }
    return false;
}

static void long_text_is_compressed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "{\"resourceType\":\"Patient\"}"[i % 26];
    med_deflaters *d = med_deflaters_new();
    med_arena *a = med_arena_new(1 << 20);
    for (int round = 0; round < 3; round++) { /* a used compressor gives the same */
        med_response r = answer("application/fhir+json; charset=utf-8", sizeof text);
        med_response_compress(d, a, true, &r);
        assert_true(is_gzip(&r));
        assert_true(r.body.len < sizeof text / 10);
        med_buf out;
        med_buf_init(&out, sizeof text);
        med_err err = {0};
        const med_gunzip_limits limits = {sizeof text, 0};
        assert_true(med_gunzip_all(r.body, &limits, &out, &err));
        assert_memory_equal(out.ptr, text, sizeof text);
        med_buf_free(&out);
    }
    med_arena_free(a);
    med_deflaters_free(d);
}

static void what_would_not_gain_is_left(void **state)
{
    (void)state;
    med_deflaters *d = med_deflaters_new();
    med_arena *a = med_arena_new(1 << 20);
    med_response r = answer("application/json", MED_COMPRESS_FROM - 1);
    med_response_compress(d, a, true, &r);
    assert_false(is_gzip(&r));
    assert_int_equal(r.n_headers, 1);
    r = answer("image/png", sizeof text);
    med_response_compress(d, a, true, &r);
    assert_false(is_gzip(&r));
    r = answer("application/json", sizeof text);
    r.no_compress = true;
    med_response_compress(d, a, true, &r);
    assert_false(is_gzip(&r));
    r = answer("application/json", sizeof text);
    med_response_compress(d, a, false, &r); /* not accepted, but caches must know */
    assert_false(is_gzip(&r));
    assert_int_equal(r.n_headers, 2);
    med_random_fill(&med_random_system, text, sizeof text);
    r = answer("application/json", sizeof text);
    med_response_compress(d, a, true, &r); /* noise does not shrink */
    assert_false(is_gzip(&r));
    assert_ptr_equal(r.body.ptr, text);
    med_arena_set_limit(a, med_arena_used(a) + 100);
    memset(text, 'x', sizeof text);
    med_response_compress(d, a, true, &r); /* no memory: sent as it is */
    assert_ptr_equal(r.body.ptr, text);
    med_arena_free(a);
    med_deflaters_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_headers_are_found_without_case),
        cmocka_unit_test(an_answer_takes_no_foreign_line),
        cmocka_unit_test(long_text_is_compressed),
        cmocka_unit_test(what_would_not_gain_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
