#include "base/datetime.h"
#include "check.h"

enum { DATE = 1, DATETIME = 2, INSTANT = 4, SEARCH = 8, FHIRPATH = 16 };
static const enum med_date_kind kinds[] = {MED_KIND_DATE, MED_KIND_DATETIME, MED_KIND_INSTANT,
                                           MED_KIND_SEARCH, MED_KIND_FHIRPATH};

static void check_instant(const char *row, int64_t got, const char *want)
{
    char text[MED_INSTANT_MICRO_LEN];
    med_instant_format_micro(got, text);
    if (!med_str_eqz((med_str){text, sizeof text}, want))
        fail_msg("row '%s': got %.27s, want %s", row, text, want);
}

/* What is allowed as what: https://hl7.org/fhir/R4/datatypes.html, the expressions of date,
 * dateTime and instant; search.html#date; the FHIRPath grammar. */
static void knows_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int allowed;
    } table[] = {
        {"2024", DATE | DATETIME | SEARCH | FHIRPATH},
        {"2024-02", DATE | DATETIME | SEARCH | FHIRPATH},
        {"2024-01-01", DATE | DATETIME | SEARCH | FHIRPATH},
        {"2024-12-31T00:00:00Z", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2024-02-29", DATE | DATETIME | SEARCH | FHIRPATH},
        {"0001", DATE | DATETIME | SEARCH | FHIRPATH},
        {"9999-12-31", DATE | DATETIME | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17.239+02:00", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17Z", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17-00:00", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17+14:00", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17-14:00", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2016-12-31T23:59:60Z", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17.1Z", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17.123456789012345678901Z", DATETIME | INSTANT | SEARCH | FHIRPATH},
        {"2015-02-07T13:28:17", SEARCH | FHIRPATH},
        {"2015-02-07T13:28", SEARCH | FHIRPATH},
        {"2015-02-07T13:28Z", SEARCH | FHIRPATH},
        {"2015-02-07T13", FHIRPATH},
        {"2015-02-07T", FHIRPATH},
        {"2015T", FHIRPATH},
        {"2015-02T", FHIRPATH},
        /* not days */
        {"0000", 0},
        {"2023-02-29", 0},
        {"1900-02-29", 0},
        {"2000-02-30", 0},
        {"2024-04-31", 0},
        {"2024-13", 0},
        {"2024-00", 0},
        {"2024-01-00", 0},
        {"2024-01-32", 0},
        /* not times */
        {"2024-01-01T24:00:00Z", 0},
        {"2024-01-01T23:60:00Z", 0},
        {"2024-01-01T23:59:61Z", 0},
        {"2024-01-01T23:59:59.Z", 0},
        {"2024-01-01T23:59:Z", 0},
        {"2024-01-01T2:00:00Z", 0},
        {"2024-01-01T12:00:00+14:01", 0},
        {"2024-01-01T12:00:00+15:00", 0},
        {"2024-01-01T12:00:00+01:60", 0},
        {"2024-01-01T12:00:00+0100", 0},
        {"2024-01-01T12:00:00+01", 0},
        {"2024-01-01T12:00:00z", 0},
        {"2024-01-01T12:00:00ZZ", 0},
        {"2024-01-01 12:00:00Z", 0},
        {"2024-01-01t12:00:00Z", 0},
        {"2024-01T12:00:00Z", 0},
        {"2024T12:00:00Z", 0},
        {"2024-01-01T12:00:00 01:00", 0},
        /* not texts */
        {"", 0},
        {"-", 0},
        {"24", 0},
        {"02024", 0},
        {"-2024", 0},
        {"+2024", 0},
        {"2024-", 0},
        {"2024-1", 0},
        {"2024-01-", 0},
        {"2024-01-1", 0},
        {"20240101", 0},
        {" 2024", 0},
        {"2024 ", 0},
        {"2024-01-01Z", 0},
        {"today", 0},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        for (size_t k = 0; k < COUNT(kinds); k++) {
            med_datetime d;
            bool good = med_datetime_parse(med_str_from(table[i].text), kinds[k], 0, &d);
            if (good != ((table[i].allowed >> k & 1) == 1))
                fail_msg("'%s' as kind %zu: %d", table[i].text, k, (int)good);
        }
    }
}

static void means_an_interval(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int zone;
        const char *low, *high;
    } table[] = {
        {"2024", 0, "2024-01-01T00:00:00.000000Z", "2025-01-01T00:00:00.000000Z"},
        {"2024", 60, "2023-12-31T23:00:00.000000Z", "2024-12-31T23:00:00.000000Z"},
        {"2024-02", 0, "2024-02-01T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"},
        {"2023-12", -300, "2023-12-01T05:00:00.000000Z", "2024-01-01T05:00:00.000000Z"},
        {"2024-02-29", 840, "2024-02-28T10:00:00.000000Z", "2024-02-29T10:00:00.000000Z"},
        {"0001", 0, "0001-01-01T00:00:00.000000Z", "0002-01-01T00:00:00.000000Z"},
        {"2013-01-14T10:00", 0, "2013-01-14T10:00:00.000000Z", "2013-01-14T10:01:00.000000Z"},
        {"2013-01-14T10:00", 60, "2013-01-14T09:00:00.000000Z", "2013-01-14T09:01:00.000000Z"},
        {"2013-01-14T10:00Z", 60, "2013-01-14T10:00:00.000000Z", "2013-01-14T10:01:00.000000Z"},
        {"2015-02-07T13:28:17.239+02:00", 0, "2015-02-07T11:28:17.239000Z",
         "2015-02-07T11:28:17.240000Z"},
        {"2015-02-07T00:30:00-01:30", 0, "2015-02-07T02:00:00.000000Z",
         "2015-02-07T02:00:01.000000Z"},
        {"2015-02-07T13:28:17.5Z", 0, "2015-02-07T13:28:17.500000Z", "2015-02-07T13:28:17.600000Z"},
        {"2015-02-07T13:28:17.123456Z", 0, "2015-02-07T13:28:17.123456Z",
         "2015-02-07T13:28:17.123457Z"},
        {"2015-02-07T13:28:17.1234569Z", 0, "2015-02-07T13:28:17.123456Z",
         "2015-02-07T13:28:17.123457Z"},
        {"2016-12-31T23:59:60Z", 0, "2016-12-31T23:59:59.999999Z", "2017-01-01T00:00:00.000000Z"},
        {"2016-12-31T23:59:60.5Z", 0, "2016-12-31T23:59:59.999999Z", "2017-01-01T00:00:00.000000Z"},
        {"1969-12-31T23:59:59.999999Z", 0, "1969-12-31T23:59:59.999999Z",
         "1970-01-01T00:00:00.000000Z"},
        {"1582-10-10", 0, "1582-10-10T00:00:00.000000Z", "1582-10-11T00:00:00.000000Z"},
        {"9999-12-31", 60, "9999-12-30T23:00:00.000000Z", "9999-12-31T23:00:00.000000Z"},
        {"2024-05-06T07", 0, "2024-05-06T07:00:00.000000Z", "2024-05-06T08:00:00.000000Z"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_datetime d = {0};
        ROW(table[i].text,
            med_datetime_parse(med_str_from(table[i].text), MED_KIND_FHIRPATH, table[i].zone, &d));
        check_instant(table[i].text, d.span.low, table[i].low);
        check_instant(table[i].text, d.span.high, table[i].high);
    }
    med_datetime d = {0};
    assert_true(med_datetime_parse(MED_STR("9999"), MED_KIND_DATE, 0, &d));
    assert_int_equal(d.span.high, med_days_from_civil(10000, 1, 1) * 86400000000);
}

static void keeps_what_was_written(void **state)
{
    (void)state;
    med_datetime d = {0};
    assert_true(
        med_datetime_parse(MED_STR("2016-12-31T23:59:60.25-03:30"), MED_KIND_DATETIME, 0, &d));
    assert_int_equal(d.year, 2016);
    assert_int_equal(d.month, 12);
    assert_int_equal(d.day, 31);
    assert_int_equal(d.hour, 23);
    assert_int_equal(d.minute, 59);
    assert_int_equal(d.second, 60);
    assert_int_equal(d.microsecond, 250000);
    assert_int_equal(d.zone_minutes, -210);
    assert_true(d.has_zone);
    assert_int_equal(d.precision, MED_DATE_FRACTION);
    assert_true(med_datetime_parse(MED_STR("2016"), MED_KIND_DATE, 120, &d));
    assert_int_equal(d.month, 1);
    assert_int_equal(d.day, 1);
    assert_int_equal(d.hour, 0);
    assert_int_equal(d.zone_minutes, 120);
    assert_false(d.has_zone);
    assert_int_equal(d.precision, MED_DATE_YEAR);
}

static void reads_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value; /* -1: none */
    } table[] = {
        {"00:00:00", 0},
        {"23:59:59.999999", 86399999999},
        {"12:30:15.5", 45015500000},
        {"23:59:60", 86399999999},
        {"24:00:00", -1},
        {"12:30", -1},
        {"12", -1},
        {"12:30:15Z", -1},
        {"12:30:15.", -1},
        {"1:30:15", -1},
        {"", -1},
        {"T12:30:15", -1},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        int64_t value = -1;
        ROW(table[i].text,
            med_time_parse(med_str_from(table[i].text), &value) == (table[i].value >= 0));
        ROW(table[i].text, value == table[i].value);
    }
}

static void knows_the_calendar(void **state)
{
    (void)state;
    assert_int_equal(med_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(med_days_from_civil(2000, 3, 1), 11017);
    assert_int_equal(med_days_from_civil(1, 1, 1), -719162);
    int64_t days = med_days_from_civil(1, 1, 1);
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int last = lengths[month - 1] + (leap && month == 2);
            for (int day = 1; day <= last; day += day == 1 ? last - 1 : 1) {
                int y = 0;
                int m = 0;
                int d = 0;
                int64_t at = days + day - 1;
                assert_true(med_days_from_civil(year, month, day) == at);
                med_civil_from_days(at, &y, &m, &d);
                assert_true(y == year && m == month && d == day);
            }
            days += last;
        }
    }
}

static void writes_instants(void **state)
{
    (void)state;
    char text[MED_INSTANT_LEN];
    med_instant_format(1795342830123999, text);
    assert_memory_equal(text, "2026-11-22T10:20:30.123Z", sizeof text);
    med_instant_format(-1, text);
    assert_memory_equal(text, "1969-12-31T23:59:59.999Z", sizeof text);
    med_instant_format(MED_TIME_MIN, text);
    assert_memory_equal(text, "0001-01-01T00:00:00.000Z", sizeof text);
    med_instant_format(MED_TIME_MAX, text);
    assert_memory_equal(text, "9999-12-31T23:59:59.999Z", sizeof text);
    check_instant("max", MED_TIME_MAX, "9999-12-31T23:59:59.999999Z");
}

/* https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
static void speaks_http(void **state)
{
    (void)state;
    const int64_t example = 784111777LL * 1000000;
    char text[MED_HTTP_DATE_LEN];
    med_http_date_format(example + 999999, text);
    assert_memory_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT", sizeof text);
    med_http_date_format(-1, text);
    assert_memory_equal(text, "Wed, 31 Dec 1969 23:59:59 GMT", sizeof text);
    static const char *const good[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < COUNT(good); i++) {
        int64_t t = 0;
        ROW(good[i], med_http_date_parse(med_str_from(good[i]), &t));
        ROW(good[i], t == example);
    }
    int64_t t = 0;
    assert_true(med_http_date_parse(MED_STR("Thu, 29 Feb 2024 00:00:00 GMT"), &t));
    assert_int_equal(t, 1709164800LL * 1000000);
    assert_true(med_http_date_parse(MED_STR("Friday, 01-Jan-69 00:00:00 GMT"), &t));
    assert_int_equal(t, med_days_from_civil(2069, 1, 1) * 86400000000);
    static const char *const bad[] = {
        "",
        "Sun",
        "Sun,",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Thu, 29 Feb 2023 00:00:00 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sunday, 06-nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 94 08:49:37 GMT",
        "Sun nov  6 08:49:37 1994",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "784111777",
        "2024-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        ROW(bad[i], !med_http_date_parse(med_str_from(bad[i]), &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_is_allowed),
        cmocka_unit_test(means_an_interval),
        cmocka_unit_test(keeps_what_was_written),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(knows_the_calendar),
        cmocka_unit_test(writes_instants),
        cmocka_unit_test(speaks_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
