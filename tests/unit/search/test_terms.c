/* Tests of search/: every prefix at every boundary, written from R4 search.html#prefix. */
#include "kit.h"

#include "search/extract.h"
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

/* A date without a zone is in the server's zone, in the resource as in the query; one with a zone
 * is where it is. */
static void dates_in_the_zone(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    med_datetime local, there;
    const med_search_schema *utc = k->schema;
    enum { EAST = 120 };
    if (!med_search_schema_in_zone(k->forever, med_pack_core(), k->store, EAST, &k->schema, &err))
        fail_msg("%s", err.text);
    med_str type, id;
    med_rows rows = kit_rows(k,
                             kit_json(k, "{'resourceType':'Encounter','id':'e','status':'finished',"
                                         "'class':{'code':'AMB'},'period':{'start':'2020-03-02',"
                                         "'end':'2020-03-02T23:00:00Z'}}"),
                             &type, &id);
    k->schema = utc;
    assert_true(med_datetime_parse(MED_STR("2020-03-02"), MED_KIND_SEARCH, EAST, &local));
    assert_true(med_datetime_parse(MED_STR("2020-03-02T23:00:00Z"), MED_KIND_SEARCH, 0, &there));
    assert_int_equal(rows.n_dates, 1);
    assert_int_equal(rows.dates[0].span.low, local.span.low);
    assert_int_equal(rows.dates[0].span.high, there.span.high);
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

/* The resource's number, or its Range; NULL: open. */
static const struct {
    const char *value, *low, *high;
    const char *matches;
} numbers[] = {
    /* search.html#number: 100 is [99.5, 100.5), 100.00 is [99.995, 100.005), 1e2 is [95, 105) */
    {"100", "100", "100", "10001100"},
    {"100", "99.5", "99.5", "10010101"},
    {"100", "99.4", "99.4", "01010101"},
    {"100", "100.4", "100.4", "10101010"},
    {"100", "100.5", "100.5", "01101010"},
    {"100.00", "99.995", "99.995", "10010101"},
    {"100.00", "100.004", "100.004", "10101010"},
    {"100.00", "100.005", "100.005", "01101010"},
    {"1e2", "95", "95", "10010101"},
    {"1e2", "94.9", "94.9", "01010101"},
    {"1e2", "104.9", "104.9", "10101010"},
    {"1e2", "105", "105", "01101010"},
    {"0.5", "0.45", "0.45", "10010101"},
    {"0.5", "0.55", "0.55", "01101010"},
    {"-3", "-3.5", "-3.5", "10010101"},
    {"-3", "-2.5", "-2.5", "01101010"},
    {"0", "-0.5", "-0.5", "10010101"},
    {"0", "0", "0", "10001100"},
    /* ranges, both ends included */
    {"100", "90", "110", "01111100"},
    {"100", "90", "100", "01011100"},
    {"100", "100", "110", "01101100"},
    {"100", "99.6", "100.4", "10111100"},
    {"100", "90", NULL, "01111100"},
    {"100", "101", NULL, "01101010"},
    /* other digits, the same number */
    {"100", "1.0e2", "1.0e2", "10001100"},
    {"1e-2", "0.01", "0.01", "10001100"},
    {"0.010", "0.01", "0.01", "10001100"},
    {"0.010", "0.0105", "0.0105", "01101010"},
    /* what no double can tell apart */
    {"5.4", "5.400000000000000001", "5.400000000000000001", "10101010"},
    {"5.4", "5.399999999999999999", "5.399999999999999999", "10010101"},
    {"0.1", "0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827",
     "10101010"},
    {"5.4", "5.45", "5.45", "01101010"},
    {"5.4", "5.4499999999999999999", "5.4499999999999999999", "10101010"},
    {"5.4", "5.35", "5.35", "10010101"},
    {"5.4", "5.3499999999999999999", "5.3499999999999999999", "01010101"},
    {"9007199254740993", "9007199254740992", "9007199254740992", "01010101"},
    {"9007199254740993", "9007199254740993", "9007199254740993", "10001100"},
};

static const med_decimal *decimal(struct kit *k, const char *text)
{
    med_decimal *d = MED_TAKE(k->arena, 1, med_decimal);
    assert_non_null(d);
    if (text == NULL)
        return NULL;
    assert_true(med_decimal_parse(med_str_from(text), d));
    return d;
}

/* As the index has it. */
static double high_of_row(const med_quantity_row *row)
{
    double low = med_decimal_to_double(row->exact_low),
           high = med_decimal_to_double(row->exact_high);
    return low == high && med_decimal_is_hidden(row->exact_low, low) ? MED_HIDDEN : high;
}

/* At most 15 digits on both sides, and no Range: then the text need not be asked. */
static bool is_short(const med_measure *m, const med_decimal *low, const med_decimal *high)
{
    return low != NULL && high != NULL && med_decimal_compare(low, high) == 0
           && low->precision <= 15 && m->value.precision <= 15;
}

static void numbers_by_prefix(void **state)
{
    struct kit *k = *state;
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        med_quantity_row row = {.exact_low = decimal(k, numbers[i].low),
                                .exact_high = decimal(k, numbers[i].high)};
        for (size_t p = 0; p < COUNT(prefixes); p++) {
            med_term t =
                term_of(k, "value-quantity",
                        med_arena_printf(k->arena, "%s%s", prefixes[p], numbers[i].value).ptr);
            bool expected = numbers[i].matches[p] == '1', sure = true;
            bool ranged = row.exact_low == NULL || row.exact_high == NULL;
            bool maybe = ranged
                         || med_measure_may_match(t.prefix, &t.measures[0],
                                                  med_decimal_to_double(row.exact_low),
                                                  high_of_row(&row), &sure);
            bool open = ranged || !sure;
            failed += open && is_short(&t.measures[0], row.exact_low, row.exact_high);
            if (med_term_matches_quantity(&t, &row) != expected || (expected && !maybe)
                || (!open && maybe != expected)) {
                print_error("%s%s against %s..%s\n", prefixes[p], numbers[i].value,
                            numbers[i].low == NULL ? "" : numbers[i].low,
                            numbers[i].high == NULL ? "" : numbers[i].high);
                failed++;
            }
        }
    }
    assert_int_equal(failed, 0);
}

/* ap: a tenth of the value, or what its digits mean if that is more. */
static void numbers_about(void **state)
{
    static const struct {
        const char *value, *number;
        bool yes;
    } cases[] = {
        {"100", "90", true},      {"100", "110", true},   {"100", "89.99", false},
        {"100", "110.01", false}, {"-100", "-110", true}, {"-100", "-89.9", false},
        {"1", "0.5", true},       {"1", "1.5", true},     {"1", "1.51", false},
        {"0", "0.5", true},       {"0", "0.51", false},   {"1.00", "1.1", true},
        {"1.00", "1.11", false},
    };
    struct kit *k = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        med_term t =
            term_of(k, "value-quantity", med_arena_printf(k->arena, "ap%s", cases[i].value).ptr);
        const med_decimal *d = decimal(k, cases[i].number);
        if (med_term_matches_quantity(&t, &(med_quantity_row){.exact_low = d, .exact_high = d})
            != cases[i].yes)
            fail_msg("ap%s against %s", cases[i].value, cases[i].number);
    }
}

/* value, system, code, unit of the Observations q0, q1, ... */
static const char *const quantities[][4] = {
    {"5.4", "http://unitsofmeasure.org", "g/dL", "g/dL"},
    {"54", "http://unitsofmeasure.org", "g/L", "g/L"},
    {"5.400000000000000001", "http://unitsofmeasure.org", "g/dL", "g/dL"},
    {"5.399999999999999999", "http://unitsofmeasure.org", "g/dL", "g/dL"},
    {"5.4", "", "", ""},
    {"5.4", "", "", "g/dL"},
    {"120", "http://unitsofmeasure.org", "mm[Hg]", "mmHg"},
    {"16", "http://unitsofmeasure.org", "kPa", "kPa"},
    {"3", "http://example.org/units", "tbl", "tablets"},
    {"5", "http://unitsofmeasure.org", "mmol/L", "mmol/L"},
    {"37.0", "http://unitsofmeasure.org", "Cel",
     "\xc2\xb0"
     "C"},
    {"98.6", "http://unitsofmeasure.org", "[degF]", "F"},
    {"1", "http://unitsofmeasure.org", "min", "min"},
    {"60", "http://unitsofmeasure.org", "s", "s"},
};

static const struct {
    const char *value, *ids;
} found[] = {
    /* q0 .. q3, q4, q5 by the number alone */
    {"5.4", "0,2,3,4,5"},
    {"gt5.4|http://unitsofmeasure.org|g/dL", "2"},
    {"ge5.4|http://unitsofmeasure.org|g/dL", "0,1,2"},
    {"lt5.4|http://unitsofmeasure.org|g/dL", "3"},
    {"le5.4|http://unitsofmeasure.org|g/dL", "0,1,3"},
    {"5.4|http://unitsofmeasure.org|g/dL", "0,1,2,3"},
    {"54|http://unitsofmeasure.org|g/L", "0,1,2,3"},
    {"54000|http://unitsofmeasure.org|mg/L", "0,1,2,3"},
    {"gt54|http://unitsofmeasure.org|g/L", "2"},
    {"sa54|http://unitsofmeasure.org|g/L", "2"},
    {"eb54|http://unitsofmeasure.org|g/L", "3"},
    {"gt5.3|http://unitsofmeasure.org|g/dL&value-quantity=lt5.4|http://unitsofmeasure.org|g/dL",
     "3"},
    {"ge5.4|http://unitsofmeasure.org|g/dL&value-quantity=le54|http://unitsofmeasure.org|g/L",
     "0,1"},
    /* no system: the code or the unit's name */
    {"5.4||g/dL", "0,1,2,3,5"},
    {"gt5.4||g/dL", "2"},
    {"120||mmHg", "6"},
    {"120||mm[Hg]", "6,7"},
    {"120|http://unitsofmeasure.org|mm[Hg]", "6,7"},
    {"120|http://unitsofmeasure.org|mmHg", ""},
    {"3||tbl", "8"},
    {"3||tablets", "8"},
    {"3|http://example.org/units|tbl", "8"},
    {"3|http://example.org/units|tablets", ""},
    {"3|http://unitsofmeasure.org|tbl", ""},
    /* a mole is no number, a degree has its zero elsewhere, time is time */
    {"5|http://unitsofmeasure.org|mmol/L", "9"},
    {"0.005|http://unitsofmeasure.org|mol/L", "9"},
    {"37.0|http://unitsofmeasure.org|Cel", "10,11"},
    {"le37|http://unitsofmeasure.org|Cel", "10,11"},
    {"gt37|http://unitsofmeasure.org|Cel", ""},
    {"60|http://unitsofmeasure.org|s", "12,13"},
    {"1|http://unitsofmeasure.org|min", "12,13"},
};

static void put_quantity(struct kit *k, size_t i)
{
    const char *const *q = quantities[i];
    static const char *const names[] = {"value", "system", "code", "unit"};
    med_str t = med_arena_printf(k->arena,
                                 "{'resourceType':'Observation','id':'q%zu','status':'final',"
                                 "'code':{'text':'x'},'valueQuantity':{'value':%s",
                                 i, q[0]);
    for (size_t n = 1; n < 4; n++) {
        if (q[n][0] != '\0')
            t = med_arena_printf(k->arena, "%s,'%s':'%s'", t.ptr, names[n], q[n]);
    }
    kit_put(k, med_arena_printf(k->arena, "%s}}", t.ptr).ptr);
}

static unsigned ids_of(med_str ids)
{
    unsigned bits = 0;
    while (ids.len > 0) {
        int64_t n = -1;
        med_str one = med_str_cut(ids, ',', &ids);
        assert_true(med_str_to_int64(one.ptr[0] == 'q' ? med_str_skip(one, 1) : one, &n));
        assert_false(bits >> n & 1); /* once */
        bits |= 1u << n;
    }
    return bits;
}

static void quantities_by_unit(void **state)
{
    struct kit *k = *state;
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(quantities); i++)
        put_quantity(k, i);
    for (size_t i = 0; i < COUNT(found); i++) {
        static const char *const ends[] = {"", "&_count=1", "&_total=accurate"};
        unsigned expected = ids_of(med_str_from(found[i].ids));
        for (size_t e = 0; e < COUNT(ends); e++) {
            med_search_result first;
            med_str url = med_arena_printf(k->arena, "Observation?value-quantity=%s%s",
                                           found[i].value, ends[e]);
            med_str ids = kit_search(k, url.ptr, &first);
            bool total = e != 2 || first.total == (unsigned)__builtin_popcount(expected);
            if (ids_of(ids) != expected || !total) {
                print_error("%s: %.*s, expected %s\n", url.ptr, MED_STR_ARG(ids), found[i].ids);
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
        IN_STORE(dates_by_prefix),   IN_STORE(dates_about),   IN_STORE(dates_in_the_zone),
        IN_STORE(numbers_by_prefix), IN_STORE(numbers_about), IN_STORE(quantities_by_unit),
    };
    return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
