#include "base/utf8.h"
#include "check.h"

static void agrees_with_the_definition(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        char bytes[4] = {0};
        uint32_t back = 0;
        size_t n = med_utf8_encode(c, bytes);
        bool scalar = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        assert_true((n > 0) == scalar);
        if (!scalar)
            continue;
        assert_true(n == (c < 0x80 ? 1U : c < 0x800 ? 2U : c < 0x10000 ? 3U : 4U));
        assert_true(med_utf8_decode((med_str){bytes, n}, 0, &back) == n && back == c);
        assert_true(med_utf8_check((med_str){bytes, n}) == n);
        for (size_t shorter = 1; shorter < n; shorter++)
            assert_true(med_utf8_check((med_str){bytes, shorter}) == 0);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const med_str table[] = {
        MED_LIT("\x80"),
        MED_LIT("\xBF"), /* lone continuations */
        MED_LIT("\xC0\x80"),
        MED_LIT("\xC1\xBF"), /* overlong */
        MED_LIT("\xE0\x80\x80"),
        MED_LIT("\xE0\x9F\xBF"),
        MED_LIT("\xF0\x80\x80\x80"),
        MED_LIT("\xF0\x8F\xBF\xBF"),
        MED_LIT("\xED\xA0\x80"),
        MED_LIT("\xED\xBF\xBF"), /* surrogates */
        MED_LIT("\xF4\x90\x80\x80"),
        MED_LIT("\xF5\x80\x80\x80"),
        MED_LIT("\xFE"),
        MED_LIT("\xFF"),
        MED_LIT("\xC3"),
        MED_LIT("\xC3("), /* cut short */
        MED_LIT("\xE2\x82"),
        MED_LIT("\xE2(\xA1"),
        MED_LIT("\xE2\x28\xA1"),
        MED_LIT("\xF0\x9F\x98"),
        MED_LIT("\xF0\x28\x8C\xBC"),
        MED_LIT("\xF8\x88\x80\x80\x80"),
    };
    char room[200];
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_false(med_utf8_valid(table[i]));
        /* wherever it stands among letters, it is found at its place */
        for (size_t before = 0; before < 70; before++) {
            memset(room, 'a', sizeof room);
            memcpy(room + before, table[i].ptr, table[i].len);
            assert_int_equal(med_utf8_check((med_str){room, sizeof room}), before);
            uint32_t code = 0;
            assert_int_equal(med_utf8_decode((med_str){room, sizeof room}, before, &code), 0);
            assert_int_equal(med_utf8_decode((med_str){room, before + table[i].len}, before, &code),
                             0);
            assert_int_equal(med_utf8_check((med_str){room, before + table[i].len}), before);
        }
    }
}

static void accepts_mixed_text(void **state)
{
    (void)state;
    static const char word[] = "\xC5\xBDi\xC5\xBE"
                               "ek \xE2\x82\xAC \xF0\x9F\x98\x80 ";
    char room[400];
    size_t unit = sizeof word - 1;
    for (size_t shift = 0; shift < 40; shift++) {
        memset(room, 'x', shift);
        size_t len = shift;
        for (; len + unit <= sizeof room; len += unit)
            memcpy(room + len, word, unit);
        assert_true(med_utf8_valid((med_str){room, len}));
        assert_int_equal(med_utf8_count((med_str){room, len}), shift + (len - shift) / unit * 10);
    }
}

static void cuts_between_characters(void **state)
{
    (void)state;
    med_str s = MED_STR("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    char exact[10]; /* without the NUL behind a literal */
    memcpy(exact, s.ptr, sizeof exact);
    s.ptr = exact;
    for (size_t max = 0; max < COUNT(want); max++)
        assert_int_equal(med_utf8_cut(s, max).len, want[max]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(refuses),
        cmocka_unit_test(accepts_mixed_text),
        cmocka_unit_test(cuts_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
