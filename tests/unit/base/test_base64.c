#include "base/base64.h"
#include "base/clock.h"
#include "check.h"

static void reads_and_writes(void **state)
{
    (void)state;
    /* RFC 4648 10, and bytes of every kind */
    static const struct {
        med_str bytes;
        const char *text, *url;
    } table[] = {
        {MED_LIT("f"), "Zg==", "Zg"},
        {MED_LIT("fo"), "Zm8=", "Zm8"},
        {MED_LIT("foo"), "Zm9v", "Zm9v"},
        {MED_LIT("foob"), "Zm9vYg==", "Zm9vYg"},
        {MED_LIT("fooba"), "Zm9vYmE=", "Zm9vYmE"},
        {MED_LIT("foobar"), "Zm9vYmFy", "Zm9vYmFy"},
        {MED_LIT("\0\0\0"), "AAAA", "AAAA"},
        {MED_LIT("\xFB\xFF\xBF"), "+/+/", "-_-_"},
        {MED_LIT("\xFF\xFF"), "//8=", "__8"},
    };
    med_arena *a = med_arena_new(10000);
    for (size_t i = 0; i < COUNT(table); i++) {
        med_buf b;
        med_buf_init(&b, 100);
        med_err err = {0};
        med_str got = MED_STR_EMPTY;
        size_t n = 0;
        med_base64_encode(&b, table[i].bytes);
        CHECK_STR(med_buf_str(&b), table[i].text);
        assert_true(med_base64_check(med_buf_str(&b), &n));
        assert_int_equal(n, table[i].bytes.len);
        assert_true(med_base64_decode(a, med_buf_str(&b), &got, &err));
        assert_true(med_str_eq(got, table[i].bytes));
        med_buf_clear(&b);
        med_base64url_encode(&b, table[i].bytes);
        CHECK_STR(med_buf_str(&b), table[i].url);
        assert_true(med_base64url_decode(a, med_buf_str(&b), &got, &err));
        assert_true(med_str_eq(got, table[i].bytes));
        med_buf_free(&b);
    }
    med_arena_free(a);
}

static void allows_space_between_groups(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(10000);
    med_err err = {0};
    med_str got = MED_STR_EMPTY;
    assert_true(med_base64_decode(a, MED_STR(" \tZm9v\r\nYmFy  \n"), &got, &err));
    CHECK_STR(got, "foobar");
    assert_true(med_base64_decode(a, MED_STR("Zm9v\nYg== "), &got, &err));
    CHECK_STR(got, "foob");
    med_arena_free(a);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } table[] = {
        {"", 0},
        {" ", 1},
        {"=", 0},
        {"====", 0},
        {"Z", 1},
        {"Zg", 2},
        {"Zg=", 2},
        {"Zm8", 3},
        {"Zh==", 1},
        {"Zm9=", 2},
        {"Zg==Zg==", 4},
        {"Zg===", 4},
        {"Zm9v=", 4},
        {"Z===", 1},
        {"Zg=g", 2},
        {"Zm 9v", 2},
        {"Zm9vY mFy", 5},
        {"Zm9-", 3},
        {"Zm9_", 3},
        {"Zm9\xFF", 3},
        {"Zm9v!AAA", 4},
        {"Zm9vYmFyYg", 10},
        {"Zm9vA\xC3\xA9"
         "A",
         5},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        size_t at = 99;
        ROW(table[i].text, !med_base64_check(med_str_from(table[i].text), &at));
        if (at != table[i].at)
            fail_msg("'%s': at %zu", table[i].text, at);
    }
    med_arena *a = med_arena_new(1000);
    med_err err = {0};
    med_str got = MED_STR_EMPTY;
    assert_false(med_base64_decode(a, MED_STR("Zm9v!AAA"), &got, &err));
    assert_int_equal(err.issue, MED_ISSUE_VALUE);
    assert_non_null(strstr(err.text, "character 5"));
    static const char *const url[] = {"Z",  "Zg==", "Zm9v\n", "+/+/",
                                      "Zh", "Zm9",  "Zm9vA",  "Zm!vAAAA"};
    for (size_t i = 0; i < COUNT(url); i++)
        ROW(url[i], !med_base64url_decode(a, med_str_from(url[i]), &got, &err));
    assert_true(med_base64url_decode(a, MED_STR_EMPTY, &got, &err));
    assert_int_equal(got.len, 0);
    med_arena_free(a);
}

/* Every text that is read is the one that would be written. */
static void one_text_for_one_value(void **state)
{
    (void)state;
    static const char digits[] = "AQgwZ089+/=";
    size_t n = sizeof digits - 1;
    med_arena *a = med_arena_new(1000);
    med_buf b;
    med_buf_init(&b, 100);
    for (size_t i = 0; i < n * n * n * n; i++) {
        char text[4] = {digits[i % n], digits[i / n % n], digits[i / n / n % n],
                        digits[i / n / n / n]};
        med_str s = {text, sizeof text};
        med_str bytes = MED_STR_EMPTY;
        med_err err = {0};
        med_buf_clear(&b);
        med_arena_reset(a);
        if (med_base64_decode(a, s, &bytes, &err)) {
            med_base64_encode(&b, bytes);
            assert_true(med_str_eq(med_buf_str(&b), s));
        }
    }
    med_buf_free(&b);
    med_arena_free(a);
}

static void all_digits_come_back(void **state)
{
    (void)state;
    char bytes[100]; /* more than the 64 digits, and each of them in each place */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 89 + i / 3);
    med_arena *a = med_arena_new(100000);
    for (size_t n = 1; n <= sizeof bytes; n++) {
        med_buf b;
        med_buf_init(&b, 1000);
        med_err err = {0};
        med_str got = MED_STR_EMPTY;
        med_base64_encode(&b, (med_str){bytes, n});
        assert_int_equal(b.len, (n + 2) / 3 * 4);
        assert_true(med_base64_decode(a, med_buf_str(&b), &got, &err));
        assert_true(med_str_eq(got, (med_str){bytes, n}));
        size_t before = b.len;
        med_base64url_encode(&b, (med_str){bytes, n}); /* behind what is there already */
        med_str url = med_str_skip(med_buf_str(&b), before);
        assert_true(med_base64url_decode(a, url, &got, &err));
        assert_true(med_str_eq(got, (med_str){bytes, n}));
        med_buf_free(&b);
    }
    med_arena_free(a);
}

static void stays_within_bounds(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, 7);
    med_base64_encode(&b, MED_STR("foob"));
    assert_true(b.failed);
    med_buf_clear(&b);
    med_base64_encode(&b, (med_str){"", SIZE_MAX});
    assert_true(b.failed);
    med_buf_free(&b);
    med_arena *a = med_arena_new(2);
    med_err err = {0};
    med_str got = MED_STR_EMPTY;
    assert_false(med_base64_decode(a, MED_STR("Zm9v"), &got, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(allows_space_between_groups),
        cmocka_unit_test(refuses),
        cmocka_unit_test(one_text_for_one_value),
        cmocka_unit_test(all_digits_come_back),
        cmocka_unit_test(stays_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
