#include <utf8proc.h>

#include "base/unicode.h"

#include "base/utf8.h"
#include "check.h"

static const struct {
    const char *text, *want;
} table[] = {
    {"", ""},
    {"Smith", "smith"},
    {"SMITH  \t\r\n van   der  ", "smith van der"},
    {"  x", "x"},
    /* punctuation: https://hl7.org/fhir/R4/search.html#string */
    {"O'Brien", "obrien"},
    {"O\u2019Brien", "obrien"},
    {"Ann-Marie", "ann marie"},
    {"Ann\u2013Marie", "ann marie"},
    {"St. John's", "st johns"},
    {"Novak, Ana", "novak ana"},
    {"a/b(c)", "a b c"},
    {"---", ""},
    {"...", ""},
    {"C+", "c+"}, /* symbols are not punctuation */
    {"100 %", "100"},
    /* Slovenian, Croatian, Serbian Latin */
    {"Žiga Čuk Šuštar", "ziga cuk sustar"},
    {"Đurđević Ćosić", "durdevic cosic"},
    /* Czech, Slovak, Polish, Hungarian */
    {"Dvořák Růžička Těšínský", "dvorak ruzicka tesinsky"},
    {"Ľubomír Ôk", "lubomir ok"},
    {"Łódź Żółć", "lodz zolc"},
    {"Erdős Győző", "erdos gyozo"},
    /* Danish, Norwegian, Swedish, Icelandic, Faroese */
    {"Søren Kierkegård", "soren kierkegard"},
    {"Ærø ÆRØ", "aero aero"},
    {"Bjørnstjerne Ødegård Åse", "bjornstjerne odegard ase"},
    {"A\u030Ase \u212B", "ase a"}, /* decomposed, and the angstrom sign */
    {"Þórður Guðmundsson", "thordur gudmundsson"},
    /* German, French, Romanian, Turkish, Maltese, Catalan, Sami */
    {"Größe GROẞE STRASSE", "grosse grosse strasse"},
    {"Œuvre Noël", "oeuvre noel"},
    {"Ștefan Țepeș Şahin", "stefan tepes sahin"},
    {"İstanbul Iğdır", "istanbul igdir"},
    {"Ħal Għaxaq", "hal ghaxaq"},
    {"paral\u00B7lel para\u0140lel", "parallel parallel"},
    {"Kárášjohka Ŋurj Ŧuvv", "karasjohka nurj tuvv"},
    /* Cyrillic: Bulgarian, Macedonian, Serbian, Ukrainian, Russian */
    {"ЙОРДАН Ёлкин", "иордан елкин"},
    {"Ѓорѓи Ќе Љубица", "горги ке љубица"},
    {"Київ Ґанок", "киів ґанок"},
    {"Ђорђе", "ђорђе"},
    /* Greek, with its final sigma */
    {"Ὀδυσσεύς ΟΔΥΣΣΕΥΣ", "οδυσσευσ οδυσσευσ"},
    /* compatibility forms */
    {"\uFB01n \uFF21\uFF22\uFF23 \u2460 x\u00B2", "fin abc 1 x2"},
    {"\u0149", "n"},
    /* points are not letters, vowel signs are */
    {"\u05E9\u05C1\u05B8\u05DC\u05D5\u05B9\u05DD", "\u05E9\u05DC\u05D5\u05DD"},
    {"\u0645\u064F\u062D\u0645\u062F", "\u0645\u062D\u0645\u062F"},
    {"\u0915\u093F", "\u0915\u093F"},
    {"\u0E01\u0E34", "\u0E01\u0E34"},
    /* the edges of what counts as an accent, and of what stands inside words */
    {"\u2260 a\u0338 \u0915\u093C \u05E9\u05B0 \u0710\u0711 a\u0321 a\u1DC4",
     "= a \u0915 \u05E9 \u0710 a a"},
    {"\u0E2A\u0E38 \u0E01\u0E48 \u0915\u094D", "\u0E2A\u0E38 \u0E01\u0E48 \u0915\u094D"},
    {"a`b\u00B4c\u2018d\u2019e\u201Bf\u02BBg\u02BCh\u02B9i\u2032j", "abcdefghij"},
    /* spaces of every kind, and what can not be seen */
    {"a\u00A0b\u2003c\u3000d\u2028e\xC2\x85"
     "f",
     "a b c d e f"},
    {"zero\u200Bwidth\u00ADsoft\uFEFF", "zerowidthsoft"},
    {"\U0001F600 x", "\U0001F600 x"},
    {"\xFF"
     "a",
     "\uFFFD"
     "a"},
    {"a\xC3", "a\uFFFD"},
};

static void folds(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(100000);
    for (size_t i = 0; i < COUNT(table); i++) {
        med_str got = MED_STR_EMPTY;
        assert_true(med_fold(a, med_str_from(table[i].text), &got));
        CHECK_STR(got, table[i].want);
        med_str again = MED_STR_EMPTY;
        assert_true(med_fold(a, got, &again));
        CHECK_STR(again, table[i].want);
    }
    med_arena_free(a);
}

static void folds_into_a_buffer(void **state)
{
    (void)state;
    med_buf b;
    med_buf_init(&b, 1000);
    med_buf_addz(&b, "[");
    med_fold_to(&b, MED_STR(" Ærø "));
    med_buf_addz(&b, "]");
    CHECK_STR(med_buf_str(&b), "[aero]");
    med_buf_free(&b);
    med_buf_init(&b, 3);
    med_fold_to(&b, MED_STR("Ærø"));
    assert_true(b.failed);
    char text[200];
    memset(text, 'x', sizeof text);
    med_buf_clear(&b);
    med_fold_to(&b, (med_str){text, sizeof text});
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    med_buf_free(&b);
}

/* "starts with" must work on folded texts. */
static void a_beginning_stays_a_beginning(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < COUNT(table); i++) {
        med_str s = med_str_from(table[i].text);
        med_str whole = MED_STR_EMPTY;
        assert_true(med_fold(a, s, &whole));
        for (size_t n = 0; n <= s.len; n++) {
            med_str part = MED_STR_EMPTY;
            assert_true(med_fold(a, med_utf8_cut(s, n), &part));
            ROW(table[i].text, !med_utf8_valid(s) || med_str_starts(whole, part));
        }
    }
    med_arena_free(a);
}

/* Every character there is: valid UTF-8 comes out, of no more than the promised length, and
 * folding twice is folding once. */
static void survives_every_character(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[4];
        size_t n = med_utf8_encode(c, bytes);
        if (n == 0)
            continue;
        med_str once = MED_STR_EMPTY;
        med_str twice = MED_STR_EMPTY;
        med_arena_reset(a);
        assert_true(med_fold(a, (med_str){bytes, n}, &once));
        assert_true(med_utf8_valid(once));
        assert_true(once.len <= 11 * n);
        assert_true(med_fold(a, once, &twice));
        if (!med_str_eq(once, twice))
            fail_msg("U+%04X folds to '%.*s', and that to '%.*s'", c, MED_STR_ARG(once),
                     MED_STR_ARG(twice));
    }
    med_arena_free(a);
}

/* The tables of common letters against utf8proc itself. */
static void common_letters_fold_like_all_others(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    for (uint32_t c = 0xC0; c < 0x460; c += c == 0x17F ? 0x400 - 0x17F : 1) {
        char bytes[5] = {0};
        size_t n = med_utf8_encode(c, bytes);
        med_str got = MED_STR_EMPTY;
        assert_true(med_fold(a, (med_str){bytes, n}, &got));
        utf8proc_uint8_t *want = NULL;
        utf8proc_ssize_t len =
            utf8proc_map((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)n, &want,
                         UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD
                             | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);
        assert_true(len > 0);
        bool same = med_str_eq(got, (med_str){(const char *)want, (size_t)len});
        /* letters that are taken for others, and those with an apostrophe or a dot in them */
        static const char special[] =
            "\u00E6\u00F0\u00F8\u00FE\u0111\u0127\u0131\u0138\u0142\u014B\u0153"
            "\u0167l\u00B7\u02BCn";
        bool is_special = strstr(special, (const char *)want) != NULL;
        if (!same && !is_special)
            fail_msg("U+%04X folds to '%.*s', not to '%s'", c, MED_STR_ARG(got), (char *)want);
        free(want);
    }
    med_arena_free(a);
}

/* Long texts take another way through the code than short ones. */
static void long_texts_fold_like_short_ones(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < COUNT(table); i++) {
        med_str one = med_str_from(table[i].text);
        med_buf many;
        med_buf want;
        med_buf got;
        med_buf_init(&many, 100000);
        med_buf_init(&want, 100000);
        med_buf_init(&got, 100000);
        for (int k = 0; k < 60; k++) {
            med_buf_printf(&many, "%.*s ", MED_STR_ARG(one));
            med_buf_printf(&want, "%s%s", k == 0 || table[i].want[0] == '\0' ? "" : " ",
                           table[i].want);
        }
        med_str folded = MED_STR_EMPTY;
        assert_true(med_fold(a, med_buf_str(&many), &folded));
        ROW(table[i].text, med_str_eq(folded, med_buf_str(&want)));
        med_fold_to(&got, med_buf_str(&many));
        ROW(table[i].text, med_str_eq(med_buf_str(&got), med_buf_str(&want)));
        med_buf_free(&many);
        med_buf_free(&want);
        med_buf_free(&got);
    }
    med_arena_free(a);
}

static void stops_at_the_limit(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(4);
    med_str got = MED_STR_EMPTY;
    assert_false(med_fold(a, MED_STR("four"), &got)); /* and a NUL */
    assert_false(med_fold(a, MED_STR("Ærø"), &got));
    char text[200];
    memset(text, 'x', sizeof text);
    assert_false(med_fold(a, (med_str){text, sizeof text}, &got));
    assert_true(med_fold(a, MED_STR("Ø"), &got));
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(folds_into_a_buffer),
        cmocka_unit_test(a_beginning_stays_a_beginning),
        cmocka_unit_test(survives_every_character),
        cmocka_unit_test(common_letters_fold_like_all_others),
        cmocka_unit_test(long_texts_fold_like_short_ones),
        cmocka_unit_test(stops_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
