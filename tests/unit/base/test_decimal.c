#include <math.h>

#include "base/decimal.h"
#include "check.h"

static med_decimal parsed(const char *text)
{
    med_decimal d = {0};
    ROW(text, med_decimal_parse(med_str_from(text), &d));
    return d;
}

static void check_text(const char *row, const med_decimal *d, const char *want)
{
    char text[MED_DECIMAL_TEXT];
    size_t len = med_decimal_format(d, text);
    assert_true(len < MED_DECIMAL_TEXT);
    if (!med_str_eqz((med_str){text, len}, want))
        fail_msg("row '%s': got '%.*s', want '%s'", row, (int)len, text, want);
}

static void reads(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t digits;
        int exponent, precision;
        bool negative;
    } table[] = {
        {"0", 0, 0, 1, false},
        {"-0", 0, 0, 1, true},
        {"-0.0", 0, -1, 1, true},
        {"0.00", 0, -2, 1, false},
        {"1", 1, 0, 1, false},
        {"1.0", 10, -1, 2, false},
        {"1.00", 100, -2, 3, false},
        {"100", 100, 0, 3, false},
        {"0.010", 10, -3, 2, false},
        {"1e2", 1, 2, 1, false},
        {"1E+2", 1, 2, 1, false},
        {"1.20e-3", 120, -5, 3, false},
        {"-12.5", 125, -1, 3, true},
        {"0e5", 0, 5, 1, false},
        {"1e10000", 1, 10000, 1, false},
        {"1e-10000", 1, -10000, 1, false},
        {"1e0000000000000000002", 1, 2, 1, false},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_decimal d = parsed(table[i].text);
        ROW(table[i].text, d.digits == table[i].digits);
        ROW(table[i].text, d.exponent == table[i].exponent);
        ROW(table[i].text, d.precision == table[i].precision);
        ROW(table[i].text, d.scale == -table[i].exponent);
        ROW(table[i].text, d.negative == table[i].negative);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "-",
        "+1",
        "01",
        "-01",
        "00",
        ".5",
        "1.",
        "-.5",
        "1e",
        "1e+",
        "e5",
        "1.e5",
        "1 ",
        " 1",
        "1,5",
        "1.2.3",
        "--1",
        "0x1",
        "NaN",
        "Infinity",
        "1e10001",
        "1e-10001",
        "1_000",
        "1e99999999999999999999",
        "\xD9\xA1",
        "0.1e-10000",
        "123456789012345678901234567890123456789",  /* 39 digits */
        "1.00000000000000000000000000000000000000", /* 39 as written */
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_decimal d;
        ROW(table[i], !med_decimal_parse(med_str_from(table[i]), &d));
    }
    static const char with_nul[] = "1\0";
    med_decimal d;
    assert_false(med_decimal_parse((med_str){with_nul, 2}, &d));
}

static void takes_38_digits(void **state)
{
    (void)state;
    const char *most = "99999999999999999999999999999999999999";
    med_decimal d = parsed(most);
    assert_int_equal(d.precision, 38);
    check_text(most, &d, most);
    d = parsed("-0.0000012345678901234567890123456789012345678");
    check_text("small", &d, "-1.2345678901234567890123456789012345678e-6");
    d = parsed("0.000000000000000000000000000000000000000000000000000001");
    check_text("tiny", &d, "1e-54");
}

static void compares(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } table[] = {
        {"1", "1.00", 0},
        {"0", "-0.0", 0},
        {"0e99", "0e-99", 0},
        {"100", "1e2", 0},
        {"1e2", "99.99", 1},
        {"-1", "1", -1},
        {"-1", "-2", 1},
        {"-1", "0", -1},
        {"0.1", "0", 1},
        {"1e10000", "99999999999999999999999999999999999999", 1},
        {"1e-10000", "0", 1},
        {"-1e-10000", "0", -1},
        {"9007199254740993", "9007199254740992.0", 1}, /* a double can not tell them apart */
        {"0.1", "0.10000000000000000000000000000000000001", -1},
        {"99999999999999999999999999999999999999", "1e38", -1},
        {"1e37", "10000000000000000000000000000000000000", 0},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_decimal a = parsed(table[i].a);
        med_decimal b = parsed(table[i].b);
        ROW(table[i].a, med_decimal_compare(&a, &b) == table[i].order);
        ROW(table[i].a, med_decimal_compare(&b, &a) == -table[i].order);
        ROW(table[i].a, med_decimal_compare(&a, &a) == 0);
    }
}

static void becomes_a_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } table[] = {
        {"0", 0.0},
        {"0.1", 0.1},
        {"-12.5", -12.5},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"2.2250738585072014e-308", 2.2250738585072014e-308},
        {"0.3333333333333333333333333333", 0.3333333333333333333333333333},
        {"9007199254740993", 9007199254740992.0},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_decimal d = parsed(table[i].text);
        double got = med_decimal_to_double(&d);
        ROW(table[i].text, memcmp(&got, &table[i].value, sizeof got) == 0);
    }
    med_decimal huge = parsed("-1e10000");
    assert_true(isinf(med_decimal_to_double(&huge)));
}

typedef bool operation(const med_decimal *, const med_decimal *, med_decimal *);

static bool divide28(const med_decimal *a, const med_decimal *b, med_decimal *out)
{
    return med_decimal_divide(a, b, 28, out);
}
static bool divide3(const med_decimal *a, const med_decimal *b, med_decimal *out)
{
    return med_decimal_divide(a, b, 3, out);
}

static void calculates(void **state)
{
    (void)state;
    static const struct {
        operation *run;
        const char *a, *b, *want; /* NULL: does not fit */
    } table[] = {
        {med_decimal_add, "1.00", "1", "2.00"},
        {med_decimal_add, "0.1", "0.2", "0.3"},
        {med_decimal_add, "1", "-1.0", "0.0"},
        {med_decimal_add, "-1", "0.75", "-0.25"},
        {med_decimal_add, "1e5000", "1e-5000", NULL},
        {med_decimal_add, "1e5000", "0e-5000", "1e5000"},
        {med_decimal_add, "0", "1e-5000", "1e-5000"},
        {med_decimal_add, "1e38", "1.0", NULL},
        {med_decimal_add, "1e37", "1.0", "10000000000000000000000000000000000001"},
        {med_decimal_add, "5e36", "1.0", "5000000000000000000000000000000000001.0"},
        {med_decimal_add, "99999999999999999999999999999999999999", "1", "1e38"},
        {med_decimal_add, "99999999999999999999999999999999999999", "2", NULL},
        {med_decimal_subtract, "1", "0.9", "0.1"},
        {med_decimal_subtract, "0.9", "1", "-0.1"},
        {med_decimal_subtract, "0", "5", "-5"},
        {med_decimal_subtract, "-5", "-5.00", "0.00"},
        {med_decimal_multiply, "1.5", "1.50", "2.250"},
        {med_decimal_multiply, "-2", "0.0", "0.0"},
        {med_decimal_multiply, "-2", "-3", "6"},
        {med_decimal_multiply, "1000000000000000000000", "1000000000000000000000", "1e42"},
        {med_decimal_multiply, "12345678901234567891", "12345678901234567893", NULL},
        {med_decimal_multiply, "99999999999999999999999999999999999999",
         "99999999999999999999999999999999999999", NULL},
        {med_decimal_multiply, "1e10000", "1e10000", "1e20000"},
        {divide28, "1", "3", "0.3333333333333333333333333333"},
        {divide28, "2", "3", "0.6666666666666666666666666667"},
        {divide28, "-2", "3", "-0.6666666666666666666666666667"},
        {divide28, "1", "4", "0.25"},
        {divide28, "10", "5", "2"},
        {divide28, "1.00", "0.5", "20e-1"},
        {divide28, "0", "7", "0"},
        {divide28, "1", "0", NULL},
        {divide28, "0", "0.00", NULL},
        {divide28, "1", "99999999999999999999999999999999999999", "1e-38"},
        {divide28, "99999999999999999999999999999999999999", "1", "1e38"},
        {divide3, "1000", "7", "143"},
        {divide3, "12345", "1", "12300"},
        {divide3, "12350", "1", "12400"}, /* a half goes away from zero */
        {divide3, "-12350", "1", "-12400"},
        {divide3, "9995", "1", "10000"},
        {divide3, "1", "8", "0.125"},
        {divide3, "1", "16", "0.0625"},
        {divide3, "1", "80000", "0.0000125"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_decimal a = parsed(table[i].a);
        med_decimal b = parsed(table[i].b);
        med_decimal got = {0};
        char row[128];
        (void)snprintf(row, sizeof row, "%zu: %s, %s", i, table[i].a, table[i].b);
        ROW(row, table[i].run(&a, &b, &got) == (table[i].want != NULL));
        if (table[i].want == NULL)
            continue;
        med_decimal want = parsed("0");
        /* beyond what can be read, the text itself is the answer */
        if (med_decimal_parse(med_str_from(table[i].want), &want))
            ROW(row, med_decimal_compare(&got, &want) == 0);
        else
            check_text(row, &got, table[i].want);
        ROW(row, got.scale == -got.exponent);
    }
    med_decimal one = parsed("1");
    med_decimal out;
    assert_false(med_decimal_divide(&one, &one, 0, &out));
    assert_false(med_decimal_divide(&one, &one, 29, &out));
}

static void keeps_the_scale_of_sums(void **state)
{
    (void)state;
    med_decimal a = parsed("1.00");
    med_decimal b = parsed("1");
    med_decimal got;
    assert_true(med_decimal_add(&a, &b, &got));
    check_text("1.00 + 1", &got, "2.00");
    assert_true(med_decimal_multiply(&a, &a, &got));
    check_text("1.00 * 1.00", &got, "1.0000");
}

static void writes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } table[] = {
        {"0", "0"},
        {"-0.0", "0.0"},
        {"0e9000", "0"},
        {"1.00", "1.00"},
        {"1e2", "100"},
        {"-1.5e3", "-1500"},
        {"1e37", "10000000000000000000000000000000000000"},
        {"1e38", "1e38"},
        {"12e40", "1.2e41"},
        {"1e-3", "0.001"},
        {"125e-2", "1.25"},
        {"1e-40", "0.0000000000000000000000000000000000000001"},
        {"1e-41", "1e-41"},
        {"-1.25e-9999", NULL},
        {"-12345678901234567890123456789012345678e-9962",
         "-1.2345678901234567890123456789012345678e-9925"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        if (table[i].want == NULL) {
            med_decimal d;
            ROW(table[i].text, !med_decimal_parse(med_str_from(table[i].text), &d));
            continue;
        }
        med_decimal d = parsed(table[i].text);
        check_text(table[i].text, &d, table[i].want);
        char text[MED_DECIMAL_TEXT];
        size_t len = med_decimal_format(&d, text);
        med_decimal again;
        ROW(table[i].text, med_decimal_parse((med_str){text, len}, &again));
        ROW(table[i].text, med_decimal_compare(&d, &again) == 0);
    }
}

static void comes_from_integers(void **state)
{
    (void)state;
    med_decimal d = med_decimal_from_int(INT64_MIN);
    check_text("min", &d, "-9223372036854775808");
    d = med_decimal_from_int(INT64_MAX);
    check_text("max", &d, "9223372036854775807");
    d = med_decimal_from_int(0);
    assert_true(med_decimal_is_zero(&d));
    assert_int_equal(d.precision, 1);
}

/* https://hl7.org/fhir/R4/search.html#number, and the quantities behind it. */
static void means_a_range(void **state)
{
    (void)state;
    static const struct {
        const char *text, *low, *high;
    } table[] = {
        {"100", "99.5", "100.5"},
        {"100.00", "99.995", "100.005"},
        {"1e2", "95", "105"},
        {"5.4", "5.35", "5.45"},
        {"5.4e-3", "0.00535", "0.00545"},
        {"5.40e-3", "0.005395", "0.005405"},
        {"0", "-0.5", "0.5"},
        {"-0.0", "-0.05", "0.05"},
        {"-2.0", "-2.05", "-1.95"},
        {"1.2e3", "1150", "1250"},
        {"1234567890123456789012345678901234567", "1234567890123456789012345678901234566.5",
         "1234567890123456789012345678901234567.5"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_decimal d = parsed(table[i].text);
        med_decimal low;
        med_decimal high;
        ROW(table[i].text, med_decimal_implicit_range(&d, &low, &high));
        check_text(table[i].text, &low, table[i].low);
        check_text(table[i].text, &high, table[i].high);
    }
    med_decimal d = parsed("12345678901234567890123456789012345678");
    med_decimal low;
    med_decimal high;
    assert_false(med_decimal_implicit_range(&d, &low, &high));
}

/* What strtod makes of the same text, for many digits and for values just between two doubles. */
static void doubles_are_the_nearest(void **state)
{
    static const char *const hard[] = {
        "9007199254740993",      "9007199254740993.0",   "1.00000000000000011102230246251565",
        "0.1000000000000000055", "79.12345678901234",    "18446744073709551615",
        "1844674407370955161.5", "36893488147419103233", "0.000000000000000000000000001",
        "123456789012345678e27", "9007199254740993e10",  "5e-324",
    };
    (void)state;
    med_decimal d;
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        assert_true(med_decimal_parse(med_str_from(hard[i]), &d));
        assert_true(med_decimal_to_double(&d) == strtod(hard[i], NULL));
    }
    uint64_t random = 88172645463325252U;
    for (int i = 0; i < 20000; i++) {
        char text[48];
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (void)snprintf(text, sizeof text, "%s%llue%d", i % 2 ? "-" : "",
                       (unsigned long long)(random >> (random % 13)), (int)(random % 61) - 30);
        assert_true(med_decimal_parse(med_str_from(text), &d));
        assert_true(med_decimal_to_double(&d) == strtod(text, NULL));
    }
}

/* Of two decimals with one double, one at most is distinct, and every other is hidden by it. */
static void doubles_hide_decimals(void **state)
{
    static const struct {
        const char *text;
        bool distinct, hidden;
    } table[] = {
        {"142", true, false},
        {"-0.1", true, false},
        {"0", true, false},
        {"-0.000", true, false},
        {"999999999999999", true, false},
        {"99999999999999900000", true, false},
        {"123456789012345.000", true, false},
        {"1e300", true, false},
        {"142.00000000000000001", false, true},
        {"141.99999999999999999", false, true},
        {"0.1000000000000000055511151231257827", false, true},
        {"1e-400", false, true},
        {"-1e-400", false, true},
        {"139.58812330238547", false, false},
        {"0.30000000000000004", false, false},
        {"9007199254740993", false, false},
        {"1e400", false, false},
        {"5e-324", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        med_decimal d = parsed(table[i].text);
        double nearest = med_decimal_to_double(&d);
        ROW(table[i].text, med_decimal_is_distinct(&d, nearest) == table[i].distinct);
        ROW(table[i].text, med_decimal_is_hidden(&d, nearest) == table[i].hidden);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(takes_38_digits),
        cmocka_unit_test(compares),
        cmocka_unit_test(becomes_a_double),
        cmocka_unit_test(calculates),
        cmocka_unit_test(keeps_the_scale_of_sums),
        cmocka_unit_test(writes),
        cmocka_unit_test(comes_from_integers),
        cmocka_unit_test(means_a_range),
        cmocka_unit_test(doubles_are_the_nearest),
        cmocka_unit_test(doubles_hide_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
