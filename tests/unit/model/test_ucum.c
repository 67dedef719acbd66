/* test_ucum.c - units: hand-made cases, and every definition of the UCUM table itself. */
#include "model/ucum.h"
#include "shared.h"

struct unit_case {
    const char *code, *canonical, *value, *expected;
};

static const struct unit_case cases[] = {
    {"mg/dL", "g.m-3", "1", "10"},
    {"g/L", "g.m-3", "0.14", "140"},
    {"mmol/L", "m-3.mol", "5.4", "5.4"},
    {"umol/L", "m-3.mol", "88", "0.088"},
    {"mm[Hg]", "g.m-1.s-2", "1", "133322"},
    {"kPa", "g.m-1.s-2", "1", "1000000"},
    {"[in_i]", "m", "1", "0.0254"},
    {"[lb_av]", "g", "1", "453.59237"},
    {"kg", "g", "72.5", "72500"},
    {"10*3/uL", "m-3", "1", "1000000000000"},
    {"10^9/L", "m-3", "250", "250000000000000"},
    {"%", "1", "45", "0.45"},
    {"1", "1", "7", "7"},
    {"{score}", "1", "7", "7"},
    {"/min", "s-1", "60", "1"},
    {"{beats}/min", "s-1", "72", "1.2"},
    {"mg/min", "g.s-1", "60", "0.001"},
    {"mL/min/{1.73_m2}", "m3.s-1", "90", "0.0000015"},
    {"mL/min/1.73.m2", "m5.s-1", "0", "0"},
    {"Cel", "K", "37", "310.15"},
    {"Cel{axillary}", "K", "37", "310.15"},
    {"[degF]", "K", "98.6", "310.15"},
    {"[degF]", "K", "-40", "233.15"},
    {"mCel", "K", "1000", "274.15"},
    {"J/Cel", "g.m2.s-2.K-1", "1", "1000"},
    {"[pH]", "[pH]", "7.4", "7.4"},
    {"dB", "B", "10", "1"},
    {"[IU]/L", "[iU].m-3", "1", "1000"},
    {"m[iU]/mL", "[iU].m-3", "1", "1000"},
    {"[arb'U]/mL", "[arb'U].m-3", "1", "1000000"},
    {"kg/m2", "g.m-2", "25", "25000"},
    {"m/s2", "m.s-2", "1", "1"},
    {"(m.s)/(kg.m2)", "g-1.m-1.s", "1", "0.001"},
    {"((m))", "m", "3", "3"},
    {"10*-3", "1", "1", "0.001"},
    {"10*", "1", "1", "10"},
    {"cm[H2O]", "g.m-1.s-2", "1", "98066.5"},
    {"[in_i'H2O]", "g.m-1.s-2", "1", "249088.91"},
    {"cd", "cd", "1", "1"},
    {"cal", "g.m2.s-2", "1", "4184"},
    {"a", "s", "1", "31557600"},
    {"mo", "s", "1", "2629800"},
    {"wk", "s", "1", "604800"},
    {"U/L", "m-3.mol.s-1", "60", "0.001"},
    {"meq/L", "m-3.mol", "140", "140"},
    {"m2/m2", "1", "2", "2"},
    {"KiBy", "1", "1", "8192"},
};

static const char *const wrong[] = {
    "",      "mgg",     "mg/",       "mg//dL", "(mg",     "mg)", "mg dL", "mmHg",   "k%",
    "{open", "m[",      "m1000",     "[foo]",  "mg/dL.",  ".m",  "m..s",  "0",      "Mmin",
    "µg",    "m{a{b}}", "1000.{a}b", "\x01",   "mg/dL\n", "m-",  "{a}m3", "10*3e5",
};

static med_decimal decimal(const char *text)
{
    med_decimal d;
    assert_true(med_decimal_parse(med_str_from(text), &d));
    return d;
}

/* Canonical units are compared as sets of factors by parsing the expected one too. */
static bool same_unit(med_arena *a, med_str canonical, const char *expected)
{
    med_unit unit;
    med_err err;
    return med_ucum_parse(a, med_str_from(expected), &unit, &err)
           && med_str_eq(canonical, unit.canonical);
}

static void test_canonical(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct unit_case *c = &cases[i];
        med_unit unit;
        med_err err = {0};
        if (!med_ucum_parse(a, med_str_from(c->code), &unit, &err))
            fail_msg("%s: %s", c->code, err.text);
        med_decimal value = decimal(c->value);
        med_decimal expected = decimal(c->expected);
        med_decimal got;
        assert_true(med_ucum_canonical(&unit, &value, &got));
        char text[MED_DECIMAL_TEXT];
        size_t n = med_decimal_format(&got, text);
        if (med_decimal_compare(&got, &expected) != 0
            || !same_unit(a, unit.canonical, c->canonical))
            fail_msg("%s %s is %.*s %.*s, not %s %s", c->value, c->code, (int)n, text,
                     MED_STR_ARG(unit.canonical), c->expected, c->canonical);
    }
    med_arena_free(a);
}

static void test_wrong(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 16);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        med_unit unit;
        med_err err = {0};
        if (med_ucum_parse(a, med_str_from(wrong[i]), &unit, &err))
            fail_msg("'%s' was taken for a unit: %.*s", wrong[i], MED_STR_ARG(unit.canonical));
        assert_int_equal(err.issue, MED_ISSUE_VALUE);
    }
    med_arena_free(a);
}

static void test_comparable(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool expected;
    } pairs[] = {
        {"mg/dL", "g/L", true},       {"mg/dL", "mmol/L", false}, {"m", "[in_i]", true},
        {"[iU]", "[IU]", true},       {"[iU]", "[arb'U]", false}, {"[iU]", "1", false},
        {"mmol/L", "10*3/uL", false}, {"Cel", "[degF]", true},    {"[pH]", "mol/L", false},
        {"[pH]/m", "[pH]/m", false},  {"B2", "B2", false},        {"s", "h", true},
    };
    med_arena *a = med_arena_new(1 << 16);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        med_unit x;
        med_unit y;
        med_err err;
        assert_true(med_ucum_parse(a, med_str_from(pairs[i].a), &x, &err));
        assert_true(med_ucum_parse(a, med_str_from(pairs[i].b), &y, &err));
        if (med_ucum_comparable(&x, &y) != pairs[i].expected)
            fail_msg("%s and %s", pairs[i].a, pairs[i].b);
    }
    med_arena_free(a);
}

static void test_nearest(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 16);
    med_unit unit;
    med_err err = {0};
    assert_false(med_ucum_parse(a, MED_STR("kg/[in_j]"), &unit, &err));
    assert_non_null(strstr(err.text, "position 4"));
    assert_non_null(strstr(err.text, "[in_i]"));
    med_arena_free(a);
}

static void test_memory(void **state)
{
    (void)state;
    med_unit unit;
    med_err err = {0};
    med_arena *a = med_arena_new(1 << 16);
    med_arena_set_limit(a, 0);
    assert_false(med_ucum_parse(a, MED_STR("mg/dL"), &unit, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    med_arena_free(a);
}

/* ---- every <unit> of the UCUM essence equals its own definition ---- */

static med_str attribute(med_str tag, const char *name)
{
    char key[32];
    (void)snprintf(key, sizeof key, " %s=\"", name);
    size_t at = med_str_search(tag, med_str_from(key), 0);
    if (at == tag.len)
        return MED_STR_EMPTY;
    at += strlen(key);
    return med_str_sub(tag, at, med_str_find(tag, '"', at));
}

static med_str unescape(med_arena *a, med_str s)
{
    med_str out = MED_STR_EMPTY;
    for (size_t i = 0; i < s.len; i++) {
        if (med_str_starts(med_str_skip(s, i), MED_STR("&quot;"))) {
            out = med_arena_printf(a, "%.*s\"", MED_STR_ARG(out));
            i += 5;
        } else {
            out = med_arena_printf(a, "%.*s%c", MED_STR_ARG(out), s.ptr[i]);
        }
    }
    return out;
}

static bool definition_holds(med_arena *a, med_str code, med_str value, med_str unit_code)
{
    med_unit unit;
    med_unit by;
    med_err err = {0};
    med_decimal x;
    med_decimal left;
    med_decimal right;
    const med_decimal one = med_decimal_from_int(1);
    if (!med_ucum_parse(a, code, &unit, &err)) {
        print_message("%.*s: %s\n", MED_STR_ARG(code), err.text);
        return false;
    }
    if (unit_code.len == 0)
        return true; /* a scale defined by a function: that it parses is all we ask */
    /* pi is written with 64 digits */
    value = med_str_sub(value, 0, 39);
    if (!med_ucum_parse(a, unit_code, &by, &err) || !med_decimal_parse(value, &x)
        || !med_ucum_canonical(&unit, &one, &left) || !med_ucum_canonical(&by, &x, &right))
        return false;
    double ratio = med_decimal_to_double(&left) / med_decimal_to_double(&right);
    bool exact =
        med_decimal_compare(&left, &right) == 0 || (ratio > 1 - 1e-15 && ratio < 1 + 1e-15);
    return exact && (med_ucum_comparable(&unit, &by) || med_str_find(unit.canonical, '[', 0) == 0);
}

static void test_essence(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(16 << 20);
    med_str xml = read_shared(a, "data/ucum/ucum-essence.xml");
    if (xml.len == 0) {
        med_arena_free(a);
        print_message("skipped: shared data absent\n");
        skip();
    }
    size_t good = 0;
    size_t all = 0;
    for (size_t at = 0; (at = med_str_search(xml, MED_STR("<unit "), at)) < xml.len; at++) {
        size_t end = med_str_search(xml, MED_STR("</unit>"), at);
        med_str unit = med_str_sub(xml, at, end);
        size_t from = med_str_search(unit, MED_STR("<value "), 0);
        med_str definition = med_str_sub(unit, from, med_str_find(unit, '>', from));
        med_str code = unescape(a, attribute(unit, "Code"));
        med_str value = attribute(definition, "value");
        med_str by = value.len == 0 ? MED_STR_EMPTY : attribute(definition, "Unit");
        all++;
        if (definition_holds(a, code, value, by))
            good++;
        else
            print_message("differs from its definition: %.*s = %.*s %.*s\n", MED_STR_ARG(code),
                          MED_STR_ARG(value), MED_STR_ARG(by));
    }
    print_message("ucum-essence: %zu of %zu passed\n", good, all);
    assert_true(all > 290);
    /* mol is a base unit here, on purpose (ucum.h) */
    assert_int_equal(good, all - 1);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),  cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_comparable), cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_essence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
