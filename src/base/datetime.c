/* datetime.c - https://hl7.org/fhir/R4/datatypes.html#dateTime
 *
 * Calendar arithmetic is the proleptic Gregorian one in whole days (years counted from March,
 * so that the leap day is a year's last), everything else is microseconds in an int64. */
#include "base/datetime.h"

static const int64_t SECOND = 1000000;
static const int64_t MINUTE = 60 * 1000000LL;
static const int64_t HOUR = 3600 * 1000000LL;
static const int64_t DAY = 86400 * 1000000LL;

enum { DAYS_IN_400_YEARS = 146097, DAYS_TO_1970 = 719468 };

int64_t med_days_from_civil(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_IN_400_YEARS + day_of_era - DAYS_TO_1970;
}

void med_civil_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_IN_400_YEARS - 1)) / DAYS_IN_400_YEARS;
    int64_t day_of_era = z - era * DAYS_IN_400_YEARS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* ---- reading: a cursor that every step moves on, and false where the text is not so ---- */

static bool at_end(med_str s)
{
    return s.len == 0;
}

static bool take(med_str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = med_str_skip(*s, 1);
    return true;
}

/* Exactly n digits, between low and high. */
static bool take_number(med_str *s, size_t n, int low, int high, int *out)
{
    int value = 0;
    if (s->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!med_is_digit(s->ptr[i]))
            return false;
        value = value * 10 + (s->ptr[i] - '0');
    }
    if (value < low || value > high)
        return false;
    *out = value;
    *s = med_str_skip(*s, n);
    return true;
}

/* One digit or more: the microseconds they mean (finer ones are cut off) and the size of the
 * last digit's unit, at least one microsecond. */
static bool take_fraction(med_str *s, int *microseconds, int64_t *unit)
{
    size_t n = 0;
    int value = 0;
    int64_t size = SECOND;
    for (; n < s->len && med_is_digit(s->ptr[n]); n++) {
        if (size == 1)
            continue;
        value = value * 10 + (s->ptr[n] - '0');
        size /= 10;
    }
    *microseconds = value * (int)size;
    *unit = size;
    *s = med_str_skip(*s, n);
    return n > 0;
}

/* Z, +hh:mm or -hh:mm up to 14:00; nothing is `has` = false. */
static bool take_zone(med_str *s, int *minutes, bool *has)
{
    *has = !at_end(*s);
    if (!*has)
        return true;
    if (take(s, 'Z')) {
        *minutes = 0;
        return true;
    }
    int hours = 0;
    int rest = 0;
    bool west = take(s, '-');
    if ((!west && !take(s, '+')) || !take_number(s, 2, 0, 14, &hours) || !take(s, ':')
        || !take_number(s, 2, 0, hours == 14 ? 0 : 59, &rest))
        return false;
    *minutes = (west ? -1 : 1) * (hours * 60 + rest);
    return true;
}

/* yyyy, yyyy-mm or yyyy-mm-dd. */
static bool take_date(med_str *s, med_datetime *d)
{
    d->month = d->day = 1;
    d->precision = MED_DATE_YEAR;
    if (!take_number(s, 4, 1, 9999, &d->year))
        return false;
    if (!take(s, '-'))
        return true;
    d->precision = MED_DATE_MONTH;
    if (!take_number(s, 2, 1, 12, &d->month))
        return false;
    if (!take(s, '-'))
        return true;
    d->precision = MED_DATE_DAY;
    return take_number(s, 2, 1, days_in_month(d->year, d->month), &d->day);
}

/* hh(:mm(:ss(.f+))), as far as it is written. */
static bool take_time(med_str *s, med_datetime *d, int64_t *unit)
{
    d->precision = MED_DATE_HOUR;
    *unit = HOUR;
    if (!take_number(s, 2, 0, 23, &d->hour))
        return false;
    if (!take(s, ':'))
        return true;
    d->precision = MED_DATE_MINUTE;
    *unit = MINUTE;
    if (!take_number(s, 2, 0, 59, &d->minute))
        return false;
    if (!take(s, ':'))
        return true;
    d->precision = MED_DATE_SECOND;
    *unit = SECOND;
    if (!take_number(s, 2, 0, 60, &d->second))
        return false;
    if (!take(s, '.'))
        return true;
    d->precision = MED_DATE_FRACTION;
    return take_fraction(s, &d->microsecond, unit);
}

/* What this kind of value must be precise to, and whether it may be without a zone. */
static bool time_allowed(const med_datetime *d, enum med_date_kind kind)
{
    switch (kind) {
    case MED_KIND_DATE:
        return false;
    case MED_KIND_DATETIME:
    case MED_KIND_INSTANT:
        return d->precision >= MED_DATE_SECOND && d->has_zone;
    case MED_KIND_SEARCH:
        return d->precision >= MED_DATE_MINUTE;
    case MED_KIND_FHIRPATH:
        return true;
    }
    return false;
}

static int64_t midnight(const med_datetime *d, int year, int month, int day)
{
    return med_days_from_civil(year, month, day) * DAY - d->zone_minutes * MINUTE;
}

static void span_of_date(med_datetime *d)
{
    d->span.low = midnight(d, d->year, d->month, d->day);
    if (d->precision == MED_DATE_YEAR)
        d->span.high = midnight(d, d->year + 1, 1, 1);
    else if (d->precision == MED_DATE_DAY)
        d->span.high = d->span.low + DAY;
    else if (d->month == 12)
        d->span.high = midnight(d, d->year + 1, 1, 1);
    else
        d->span.high = midnight(d, d->year, d->month + 1, 1);
}

/* Microseconds since midnight. A leap second is the last microsecond of the minute. */
static int64_t time_of_day(const med_datetime *d)
{
    int64_t minutes = d->hour * HOUR + d->minute * MINUTE;
    return d->second == 60 ? minutes + MINUTE - 1 : minutes + d->second * SECOND + d->microsecond;
}

bool med_datetime_parse(med_str s, enum med_date_kind kind, int zone_minutes, med_datetime *out)
{
    med_datetime d = {.zone_minutes = zone_minutes};
    if (!take_date(&s, &d))
        return false;
    if (at_end(s)) {
        span_of_date(&d);
        *out = d;
        return kind != MED_KIND_INSTANT;
    }
    if (!take(&s, 'T'))
        return false;
    if (at_end(s) && kind == MED_KIND_FHIRPATH) { /* @2024T is a dateTime of a year */
        span_of_date(&d);
        *out = d;
        return true;
    }
    int64_t unit = 0;
    if (d.precision != MED_DATE_DAY || !take_time(&s, &d, &unit)
        || !take_zone(&s, &d.zone_minutes, &d.has_zone) || !at_end(s) || !time_allowed(&d, kind))
        return false;
    d.span.low = midnight(&d, d.year, d.month, d.day) + time_of_day(&d);
    d.span.high = d.span.low + (d.second == 60 ? 1 : unit);
    *out = d;
    return true;
}

bool med_time_parse(med_str s, int64_t *microseconds)
{
    med_datetime d = {0};
    int64_t unit = 0;
    if (!take_time(&s, &d, &unit) || !at_end(s) || d.precision < MED_DATE_SECOND)
        return false;
    *microseconds = time_of_day(&d);
    return true;
}

/* ---- writing ---- */

/* n digits of value, with leading zeros; returns where it ended. */
static char *put_number(char *to, int64_t value, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + n;
}

struct civil {
    int year, month, day, weekday; /* 0 is Sunday */
    int64_t in_day;                /* microseconds */
};

/* Years outside 0001..9999 can not be written: they become the nearest that can. */
static struct civil civil_of(int64_t microseconds)
{
    int64_t first = med_days_from_civil(1, 1, 1) * DAY;
    int64_t behind = med_days_from_civil(10000, 1, 1) * DAY;
    if (microseconds < first)
        microseconds = first;
    if (microseconds >= behind)
        microseconds = behind - 1;
    int64_t days = microseconds / DAY - (microseconds % DAY < 0);
    struct civil c = {.in_day = microseconds - days * DAY,
                      .weekday = (int)(((days + 4) % 7 + 7) % 7)};
    med_civil_from_days(days, &c.year, &c.month, &c.day);
    return c;
}

static char *put_time(char *to, const struct civil *c)
{
    to = put_number(to, c->in_day / HOUR, 2);
    *to++ = ':';
    to = put_number(to, c->in_day / MINUTE % 60, 2);
    *to++ = ':';
    return put_number(to, c->in_day / SECOND % 60, 2);
}

static void instant_format(int64_t microseconds, int fraction_digits, char *to)
{
    struct civil c = civil_of(microseconds);
    to = put_number(to, c.year, 4);
    *to++ = '-';
    to = put_number(to, c.month, 2);
    *to++ = '-';
    to = put_number(to, c.day, 2);
    *to++ = 'T';
    to = put_time(to, &c);
    *to++ = '.';
    int64_t fraction = c.in_day % SECOND;
    to = put_number(to, fraction_digits == 3 ? fraction / 1000 : fraction, fraction_digits);
    *to = 'Z';
}

void med_instant_format(int64_t microseconds, char out[MED_INSTANT_LEN])
{
    instant_format(microseconds, 3, out);
}

void med_instant_format_micro(int64_t microseconds, char out[MED_INSTANT_MICRO_LEN])
{
    instant_format(microseconds, 6, out);
}

/* ---- RFC 9110 5.6.7 ---- */

static const char weekdays[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void med_http_date_format(int64_t microseconds, char out[MED_HTTP_DATE_LEN])
{
    struct civil c = civil_of(microseconds);
    memcpy(out, weekdays[c.weekday], 3);
    memcpy(out + 3, ", ", 2);
    char *to = put_number(out + 5, c.day, 2);
    *to++ = ' ';
    memcpy(to, months[c.month - 1], 3);
    to[3] = ' ';
    to = put_number(to + 4, c.year, 4);
    *to++ = ' ';
    to = put_time(to, &c);
    memcpy(to, " GMT", 4);
}

static bool take_text(med_str *s, const char *text)
{
    med_str t = med_str_from(text);
    if (!med_str_starts(*s, t))
        return false;
    *s = med_str_skip(*s, t.len);
    return true;
}

static bool take_month(med_str *s, int *month)
{
    for (int i = 0; i < 12; i++) {
        if (take_text(s, months[i])) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_clock(med_str *s, med_datetime *d)
{
    return take_number(s, 2, 0, 23, &d->hour) && take(s, ':')
           && take_number(s, 2, 0, 59, &d->minute) && take(s, ':')
           && take_number(s, 2, 0, 60, &d->second);
}

/* 06 Nov 1994 08:49:37 GMT, behind "Sun, " */
static bool take_imf_date(med_str *s, med_datetime *d)
{
    return take_number(s, 2, 1, 31, &d->day) && take(s, ' ') && take_month(s, &d->month)
           && take(s, ' ') && take_number(s, 4, 1, 9999, &d->year) && take(s, ' ')
           && take_clock(s, d) && take_text(s, " GMT");
}

/* 06-Nov-94 08:49:37 GMT, behind "Sunday, "; RFC 9110 reads two digits as the near past. */
static bool take_rfc850_date(med_str *s, med_datetime *d)
{
    if (!take_number(s, 2, 1, 31, &d->day) || !take(s, '-') || !take_month(s, &d->month)
        || !take(s, '-') || !take_number(s, 2, 0, 99, &d->year) || !take(s, ' '))
        return false;
    d->year += d->year < 70 ? 2000 : 1900;
    return take_clock(s, d) && take_text(s, " GMT");
}

/* Nov  6 08:49:37 1994, behind "Sun " */
static bool take_asctime_date(med_str *s, med_datetime *d)
{
    if (!take_month(s, &d->month) || !take(s, ' '))
        return false;
    bool one_digit = take(s, ' ');
    return take_number(s, one_digit ? 1 : 2, 1, 31, &d->day) && take(s, ' ') && take_clock(s, d)
           && take(s, ' ') && take_number(s, 4, 1, 9999, &d->year);
}

static bool take_http_date(med_str *s, med_datetime *d)
{
    for (int i = 0; i < 7; i++) {
        if (take_text(s, weekdays[i]))
            return take_text(s, ", ") && take_rfc850_date(s, d);
        if (s->len > 3 && memcmp(s->ptr, weekdays[i], 3) == 0) {
            *s = med_str_skip(*s, 3);
            return take_text(s, ", ") ? take_imf_date(s, d)
                                      : take(s, ' ') && take_asctime_date(s, d);
        }
    }
    return false;
}

bool med_http_date_parse(med_str s, int64_t *microseconds)
{
    med_datetime d = {0};
    if (!take_http_date(&s, &d) || !at_end(s) || d.day > days_in_month(d.year, d.month))
        return false;
    *microseconds = midnight(&d, d.year, d.month, d.day) + time_of_day(&d);
    return true;
}
