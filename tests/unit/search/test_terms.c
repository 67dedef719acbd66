/* Tests of search/: every prefix at every boundary, written from R4 search.html#prefix. */
#include "kit.h"

#include <math.h>

#include "search/query.h"

/* One clause of one value; "date=ge2020" on Observation. */
static med_term term_of(struct kit *k, const char *parameter, const char *value)
{
    med_err err = {0};
    const med_query *q =
        kit_query(k, med_arena_printf(k->arena, "Observation?%s=%s", parameter, value).ptr, &err);
    if (q == NULL)
        fail_msg("%s: %s", value, err.text);
    return q->clauses[0].terms[0];
}

static med_interval span_of(const char *text)
{
    med_datetime d;
    assert_true(med_datetime_parse(med_str_from(text), MED_KIND_SEARCH, 0, &d));
    return d.span;
}

/* eq ne gt lt ge le sa eb: 1 = matches */
static const char *const prefixes[] = {"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"};

static const struct {
    const char *value;       /* of the query */
    const char *start, *end; /* of the resource; NULL: open */
    const char *matches;
} dates[] = {
    /* equal precision */
    {"2020-03-02", "2020-03-02", "2020-03-02", "10001100"},
    {"2020-03-02", "2020-03-01", "2020-03-01", "01010101"},
    {"2020-03-02", "2020-03-03", "2020-03-03", "01101010"},
    /* the value is wider */
    {"2020-03", "2020-03-01", "2020-03-01", "10001100"},
    {"2020-03", "2020-03-31", "2020-03-31", "10001100"},
    {"2020-03", "2020-02-29", "2020-02-29", "01010101"},
    {"2020-03", "2020-04-01", "2020-04-01", "01101010"},
    {"2020", "2020-12-31T23:59:59.999Z", "2020-12-31T23:59:59.999Z", "10001100"},
    {"2020", "2021-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "01101010"},
    {"2020", "2021-01-01T00:30:00+01:00", "2021-01-01T00:30:00+01:00", "10001100"},
    /* the resource is wider */
    {"2020-03-02", "2020-03", "2020-03", "01111100"},
    {"2020-03-02", "2020", "2020", "01111100"},
    {"2020-01-01", "2020", "2020", "01101000"},
    {"2020-12-31", "2020", "2020", "01010100"},
    {"2020-03-02T10:00:00Z", "2020-03-02", "2020-03-02", "01111100"},
    /* periods */
    {"2020-03-02", "2020-03-01", "2020-03-02", "01010100"},
    {"2020-03-02", "2020-03-02", "2020-03-03", "01101000"},
    {"2020-03-02", "2020-03-01", "2020-03-03", "01111100"},
    {"2020-03-02", "2020-02-01", "2020-03-01", "01010101"},
    {"2020-03-02", "2020-03-03", "2020-04-01", "01101010"},
    {"2020-03", "2020-03-01", "2020-03-31", "10001100"},
    /* open ends */
    {"2020-03-02", "2020-01-01", NULL, "01111100"},
    {"2020-03-02", "2020-03-02", NULL, "01101000"},
    {"2020-03-02", "2020-03-03", NULL, "01101010"},
    {"2020-03-02", NULL, "2020-03-01", "01010101"},
    {"2020-03-02", NULL, "2020-03-02", "01010100"},
    {"2020-03-02", NULL, "2020-12-01", "01111100"},
};

static void dates_by_prefix(void **state)
{
    struct kit *k = *state;
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(dates); i++) {
        med_interval row = {MED_TIME_MIN, MED_TIME_MAX};
        if (dates[i].start != NULL)
            row.low = span_of(dates[i].start).low;
        if (dates[i].end != NULL)
            row.high = span_of(dates[i].end).high;
        for (size_t p = 0; p < COUNT(prefixes); p++) {
            med_term t = term_of(
                k, "date", med_arena_printf(k->arena, "%s%s", prefixes[p], dates[i].value).ptr);
            if (med_term_matches_date(&t, row) != (dates[i].matches[p] == '1')) {
                print_error("%s%s against %s..%s\n", prefixes[p], dates[i].value,
                            dates[i].start == NULL ? "" : dates[i].start,
                            dates[i].end == NULL ? "" : dates[i].end);
                failed++;
            }
        }
    }
    assert_int_equal(failed, 0);
}

/* now is 2023-11-14: ap is a tenth of the distance on both sides */
static void dates_about(void **state)
{
    struct kit *k = *state;
    med_term t = term_of(k, "date", "ap2013-11-14");
    assert_true(med_term_matches_date(&t, span_of("2014-10-01")));
    assert_true(med_term_matches_date(&t, span_of("2013-01-01")));
    assert_false(med_term_matches_date(&t, span_of("2015-01-01")));
    assert_false(med_term_matches_date(&t, span_of("2012-01-01")));
}

static const struct {
    const char *value;
    double low, high;
    const char *matches;
} numbers[] = {
    /* search.html#number: 100 is [99.5, 100.5), 100.00 is [99.995, 100.005), 1e2 is [95, 105) */
    {"100", 100, 100, "10001100"},
    {"100", 99.5, 99.5, "10010101"},
    {"100", 99.4, 99.4, "01010101"},
    {"100", 100.4, 100.4, "10101010"},
    {"100", 100.5, 100.5, "01101010"},
    {"100.00", 99.995, 99.995, "10010101"},
    {"100.00", 100.004, 100.004, "10101010"},
    {"100.00", 100.005, 100.005, "01101010"},
    {"1e2", 95, 95, "10010101"},
    {"1e2", 94.9, 94.9, "01010101"},
    {"1e2", 104.9, 104.9, "10101010"},
    {"1e2", 105, 105, "01101010"},
    {"0.5", 0.45, 0.45, "10010101"},
    {"0.5", 0.55, 0.55, "01101010"},
    {"-3", -3.5, -3.5, "10010101"},
    {"-3", -2.5, -2.5, "01101010"},
    {"0", -0.5, -0.5, "10010101"},
    {"0", 0, 0, "10001100"},
    /* ranges, both ends included */
    {"100", 90, 110, "01111100"},
    {"100", 90, 100, "01011100"},
    {"100", 100, 110, "01101100"},
    {"100", 99.6, 100.4, "10111100"},
    {"100", 90, (double)INFINITY, "01111100"},
    {"100", 101, (double)INFINITY, "01101010"},
};

static void numbers_by_prefix(void **state)
{
    struct kit *k = *state;
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        for (size_t p = 0; p < COUNT(prefixes); p++) {
            med_term t =
                term_of(k, "value-quantity",
                        med_arena_printf(k->arena, "%s%s", prefixes[p], numbers[i].value).ptr);
            bool expected = numbers[i].matches[p] == '1';
            if (med_term_matches_quantity(&t, numbers[i].low, numbers[i].high) != expected) {
                print_error("%s%s against %g..%g\n", prefixes[p], numbers[i].value, numbers[i].low,
                            numbers[i].high);
                failed++;
            }
        }
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        IN_STORE(dates_by_prefix),
        IN_STORE(dates_about),
        IN_STORE(numbers_by_prefix),
    };
    return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
