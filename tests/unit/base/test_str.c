#include "check.h"

static void compares(void **state)
{
    (void)state;
    assert_true(med_str_starts(MED_STR("Patient/1"), MED_STR("Patient")));
    assert_true(med_str_starts(MED_STR("Patient"), MED_STR_EMPTY));
    assert_false(med_str_starts(MED_STR("Pat"), MED_STR("Patient")));
    assert_true(med_str_ends(MED_STR("a.ndjson"), MED_STR(".ndjson")));
    assert_false(med_str_ends(MED_STR("n"), MED_STR("on")));
    assert_true(med_str_ends(MED_STR("on"), MED_STR("on")));
    assert_true(med_str_eq_ignore_case(MED_STR("Content-LENGTH"), MED_STR("content-length")));
    assert_false(med_str_eq_ignore_case(MED_STR("a"), MED_STR("ab")));
    assert_false(med_str_eq_ignore_case(MED_STR("abc"), MED_STR("abd")));
    assert_false(med_str_eq_ignore_case(MED_STR("["), MED_STR("{"))); /* differ in the case bit */
    assert_false(med_str_eq_ignore_case(MED_STR("\xC4"), MED_STR("\xE4")));
    assert_int_equal(med_str_compare(MED_STR("a"), MED_STR("ab")), -1);
    assert_int_equal(med_str_compare(MED_STR("b"), MED_STR("ab")), 1);
    assert_int_equal(med_str_compare(MED_STR("aa"), MED_STR("b")), -1);
    assert_int_equal(med_str_compare(MED_STR("ab"), MED_STR("a")), 1);
    assert_int_equal(med_str_compare(MED_STR("\xFF"), MED_STR("a")), 1);
    assert_int_equal(med_str_compare(MED_STR_EMPTY, MED_STR_EMPTY), 0);
}

static void finds_and_cuts(void **state)
{
    (void)state;
    med_str s = MED_STR("a,b,,c");
    assert_int_equal(med_str_find(s, ',', 0), 1);
    assert_int_equal(med_str_find(s, ',', 2), 3);
    assert_int_equal(med_str_find(s, 'x', 0), 6);
    assert_int_equal(med_str_find(s, ',', 99), 6);
    assert_int_equal(med_str_search(s, MED_STR(",,"), 0), 3);
    assert_int_equal(med_str_search(s, MED_STR("c"), 6), 6);
    assert_int_equal(med_str_search(s, MED_STR_EMPTY, 2), 2);
    assert_int_equal(med_str_search(s, MED_STR_EMPTY, 7), 6);
    assert_int_equal(med_str_search(s, MED_STR("longer than s"), 0), 6);
    med_str rest = MED_STR_EMPTY;
    CHECK_STR(med_str_cut(s, ',', &rest), "a");
    CHECK_STR(rest, "b,,c");
    CHECK_STR(med_str_cut(rest, ';', &rest), "b,,c");
    CHECK_STR(rest, "");
    assert_non_null(rest.ptr);
    CHECK_STR(med_str_trim(MED_STR(" \t\r\n a b \n")), "a b");
    CHECK_STR(med_str_trim(MED_STR(" \t")), "");
    CHECK_STR(med_str_trim(MED_STR(" ")), "");
    CHECK_STR(med_str_sub(s, 4, 2), "");
    CHECK_STR(med_str_sub(s, 4, 99), ",c");
    CHECK_STR(med_str_from(NULL), "");
}

static void reads_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } table[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"+7", true, 7},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+", false, 0},
        {"--1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
        {"\xD9\xA1", false, 0}, /* an Arabic digit is no digit here */
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        int64_t value = 0;
        bool good = med_str_to_int64(med_str_from(table[i].text), &value);
        ROW(table[i].text, good == table[i].good);
        ROW(table[i].text, !good || value == table[i].value);
    }
}

static void measures_distance(void **state)
{
    (void)state;
    assert_int_equal(med_str_distance(MED_STR("kitten"), MED_STR("sitting")), 3);
    assert_int_equal(med_str_distance(MED_STR(""), MED_STR("abc")), 3);
    assert_int_equal(med_str_distance(MED_STR("abc"), MED_STR("")), 3);
    assert_int_equal(med_str_distance(MED_STR("abc"), MED_STR("abc")), 0);
    assert_int_equal(med_str_distance(MED_STR("nmae"), MED_STR("name")), 1);
    assert_int_equal(med_str_distance(MED_STR("ba"), MED_STR("ab")), 1);
    assert_int_equal(med_str_distance(MED_STR("abcd"), MED_STR("badc")), 2);
    assert_int_equal(med_str_distance(MED_STR("ca"), MED_STR("abc")), 3);
    char a[100];
    char b[100];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    assert_int_equal(med_str_distance((med_str){a, sizeof a}, (med_str){b, sizeof b}), 64);
}

static void guesses_what_was_meant(void **state)
{
    (void)state;
    static const med_str names[] = {MED_LIT("birthdate"), MED_LIT("deceased"), MED_LIT("family"),
                                    MED_LIT("given"), MED_LIT("Patient")};
    CHECK_STR(med_str_nearest(MED_STR("birtdate"), names, COUNT(names)), "birthdate");
    CHECK_STR(med_str_nearest(MED_STR("birthDate"), names, COUNT(names)), "birthdate");
    CHECK_STR(med_str_nearest(MED_STR("Pateint"), names, COUNT(names)), "Patient");
    CHECK_STR(med_str_nearest(MED_STR("igven"), names, COUNT(names)), "given");
    CHECK_STR(med_str_nearest(MED_STR("xyzzy"), names, COUNT(names)), "");
    /* three changes in eight letters may be meant, four are another word; the first of equals */
    static const med_str others[] = {MED_LIT("abcdefgh"), MED_LIT("abcdexyz"), MED_LIT("abcdexyw")};
    CHECK_STR(med_str_nearest(MED_STR("abcde123"), others, COUNT(others)), "abcdefgh");
    CHECK_STR(med_str_nearest(MED_STR("abcd1234"), others, COUNT(others)), "");
    CHECK_STR(med_str_nearest(MED_STR_EMPTY, names, COUNT(names)), "");
    CHECK_STR(med_str_nearest(MED_STR("given"), names, 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(finds_and_cuts),
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(measures_distance),
        cmocka_unit_test(guesses_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
