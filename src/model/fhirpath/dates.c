/* dates.c - http://hl7.org/fhirpath/N1/#dates-and-times */
#include "model/fhirpath/dates.h"

#include <stdio.h>

#define SECOND ((int64_t)1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static bool read_digits(med_str s, size_t *at, size_t n, int *out)
{
    if (*at + n > s.len)
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        char c = s.ptr[*at + i];
        if (!med_is_digit(c))
            return false;
        *out = *out * 10 + (c - '0');
    }
    *at += n;
    return true;
}

static bool take(med_str s, size_t *at, char c)
{
    if (*at >= s.len || s.ptr[*at] != c)
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool read_date(med_str s, size_t *at, struct med_fp_date *d)
{
    d->month = 1;
    d->day = 1;
    d->precision = MED_DATE_YEAR;
    if (!read_digits(s, at, 4, &d->year) || d->year == 0)
        return false;
    if (!take(s, at, '-'))
        return true;
    d->precision = MED_DATE_MONTH;
    if (!read_digits(s, at, 2, &d->month) || d->month < 1 || d->month > 12)
        return false;
    if (!take(s, at, '-'))
        return true;
    d->precision = MED_DATE_DAY;
    return read_digits(s, at, 2, &d->day) && d->day >= 1
           && d->day <= days_in_month(d->year, d->month);
}

static bool read_fraction(med_str s, size_t *at, struct med_fp_date *d)
{
    int scale = 100000;
    size_t from = *at;
    for (; *at < s.len && med_is_digit(s.ptr[*at]); (*at)++) {
        d->microsecond += (s.ptr[*at] - '0') * scale;
        scale /= 10;
    }
    d->digits = (int)(*at - from < 9 ? *at - from : 9);
    d->precision = MED_DATE_FRACTION;
    return *at > from;
}

static bool read_time(med_str s, size_t *at, struct med_fp_date *d)
{
    d->precision = MED_DATE_HOUR;
    if (!read_digits(s, at, 2, &d->hour) || d->hour > 23)
        return false;
    if (!take(s, at, ':'))
        return true;
    d->precision = MED_DATE_MINUTE;
    if (!read_digits(s, at, 2, &d->minute) || d->minute > 59)
        return false;
    if (!take(s, at, ':'))
        return true;
    d->precision = MED_DATE_SECOND;
    if (!read_digits(s, at, 2, &d->second) || d->second > 60)
        return false;
    if (d->second == 60)
        d->second = 59; /* a leap second has no place on the line of days of 86,400 */
    return !take(s, at, '.') || read_fraction(s, at, d);
}

static bool read_zone(med_str s, size_t *at, struct med_fp_date *d)
{
    int hours = 0;
    int minutes = 0;
    d->has_zone = true;
    if (take(s, at, 'Z'))
        return true;
    bool minus = *at < s.len && s.ptr[*at] == '-';
    (*at)++;
    if (!read_digits(s, at, 2, &hours) || !take(s, at, ':') || !read_digits(s, at, 2, &minutes)
        || hours * 60 + minutes > 14 * 60 || minutes > 59)
        return false;
    d->zone_minutes = (hours * 60 + minutes) * (minus ? -1 : 1);
    return true;
}

bool med_fp_date_parse(enum med_value_kind kind, med_str text, struct med_fp_date *out)
{
    struct med_fp_date d = {.kind = kind};
    size_t at = 0;
    if (kind == MED_VALUE_TIME) {
        d.year = 1;
        d.month = 1;
        d.day = 1;
        if (!read_time(text, &at, &d))
            return false;
    } else {
        if (!read_date(text, &at, &d))
            return false;
        bool time = kind == MED_VALUE_DATETIME && take(text, &at, 'T');
        if (time && at < text.len) {
            if (d.precision != MED_DATE_DAY || !read_time(text, &at, &d))
                return false;
            if (at < text.len && !read_zone(text, &at, &d))
                return false;
        }
    }
    *out = d;
    return at == text.len;
}

static int append(char *out, int n, const char *lead, int digits, int value)
{
    return n + snprintf(out + n, (size_t)(MED_FP_DATE_TEXT - n), "%s%0*d", lead, digits, value);
}

static int append_fraction(const struct med_fp_date *d, char *out, int n)
{
    int digits = d->digits > 0 ? d->digits : 3;
    int shown = digits < 6 ? digits : 6;
    int value = d->microsecond;
    for (int i = shown; i < 6; i++)
        value /= 10;
    n = append(out, n, ".", shown, value);
    for (int i = shown; i < digits; i++)
        out[n++] = '0';
    return n;
}

static int append_zone(const struct med_fp_date *d, char *out, int n)
{
    int minutes = d->zone_minutes < 0 ? -d->zone_minutes : d->zone_minutes;
    if (minutes == 0) {
        out[n++] = 'Z';
        return n;
    }
    n = append(out, n, d->zone_minutes < 0 ? "-" : "+", 2, minutes / 60);
    return append(out, n, ":", 2, minutes % 60);
}

size_t med_fp_date_format(const struct med_fp_date *d, char out[MED_FP_DATE_TEXT])
{
    int n = 0;
    bool time = d->kind == MED_VALUE_TIME;
    if (!time) {
        n = append(out, n, "", 4, d->year);
        if (d->precision >= MED_DATE_MONTH)
            n = append(out, n, "-", 2, d->month);
        if (d->precision >= MED_DATE_DAY)
            n = append(out, n, "-", 2, d->day);
    }
    if (d->precision >= MED_DATE_HOUR)
        n = append(out, n, time ? "" : "T", 2, d->hour);
    if (d->precision >= MED_DATE_MINUTE)
        n = append(out, n, ":", 2, d->minute);
    if (d->precision >= MED_DATE_SECOND)
        n = append(out, n, ":", 2, d->second);
    if (d->precision == MED_DATE_FRACTION)
        n = append_fraction(d, out, n);
    if (d->has_zone && d->precision >= MED_DATE_HOUR)
        n = append_zone(d, out, n);
    return (size_t)n;
}

/* Microseconds since 1970 of the local time as written. */
static int64_t local_time(const struct med_fp_date *d)
{
    return med_days_from_civil(d->year, d->month, d->day) * DAY + d->hour * HOUR
           + d->minute * MINUTE + d->second * SECOND + d->microsecond;
}

static void set_local_time(struct med_fp_date *d, int64_t t)
{
    int64_t days = t / DAY - (t % DAY < 0 ? 1 : 0);
    int64_t rest = t - days * DAY;
    med_civil_from_days(days, &d->year, &d->month, &d->day);
    d->hour = (int)(rest / HOUR);
    d->minute = (int)(rest / MINUTE % 60);
    d->second = (int)(rest / SECOND % 60);
    d->microsecond = (int)(rest % SECOND);
}

/* Sets what is not written to its least or greatest value. */
static void fill(struct med_fp_date *d, bool high)
{
    if (d->precision < MED_DATE_MONTH)
        d->month = high ? 12 : 1;
    if (d->precision < MED_DATE_DAY)
        d->day = high ? days_in_month(d->year, d->month) : 1;
    if (d->precision < MED_DATE_HOUR)
        d->hour = high ? 23 : 0;
    if (d->precision < MED_DATE_MINUTE)
        d->minute = high ? 59 : 0;
    if (d->precision < MED_DATE_SECOND) {
        d->second = high ? 59 : 0;
        d->microsecond = high ? 999999 : 0;
    }
}

/* The first and last moment a value may mean. Seconds and their fractions are one precision, so
 * 10:30:00 is a moment, not a second. */
static void span_of(const struct med_fp_date *d, bool widen, int64_t *low, int64_t *high)
{
    struct med_fp_date first = *d;
    struct med_fp_date last = *d;
    fill(&first, false);
    fill(&last, true);
    *low = local_time(&first);
    *high = local_time(&last);
    if (d->has_zone) {
        *low -= d->zone_minutes * MINUTE;
        *high -= d->zone_minutes * MINUTE;
    } else if (widen) {
        *low -= 14 * HOUR; /* zones go from -12:00 to +14:00 */
        *high += 12 * HOUR;
    }
}

enum med_fp_order med_fp_date_compare(const struct med_fp_date *a, const struct med_fp_date *b)
{
    int64_t a_low;
    int64_t a_high;
    int64_t b_low;
    int64_t b_high;
    if ((a->kind == MED_VALUE_TIME) != (b->kind == MED_VALUE_TIME))
        return MED_FP_UNORDERED;
    bool widen = a->has_zone != b->has_zone;
    span_of(a, widen, &a_low, &a_high);
    span_of(b, widen, &b_low, &b_high);
    if (a_high < b_low)
        return MED_FP_BEFORE;
    if (a_low > b_high)
        return MED_FP_AFTER;
    bool same = a_low == b_low && a_high == b_high && !widen;
    return same ? MED_FP_SAME : MED_FP_UNORDERED;
}

/* ---- arithmetic ---- */

struct unit {
    const char *names[4];
    enum med_date_precision precision;
    int64_t size; /* in its own kind: months, days or microseconds */
};

static const struct unit units[] = {
    {{"year", "years"}, MED_DATE_YEAR, 12},
    {{"month", "months"}, MED_DATE_MONTH, 1},
    {{"week", "weeks", "wk"}, MED_DATE_DAY, 7},
    {{"day", "days", "d"}, MED_DATE_DAY, 1},
    {{"hour", "hours", "h"}, MED_DATE_HOUR, HOUR},
    {{"minute", "minutes", "min"}, MED_DATE_MINUTE, MINUTE},
    {{"second", "seconds", "s"}, MED_DATE_SECOND, SECOND},
    {{"millisecond", "milliseconds", "ms"}, MED_DATE_FRACTION, 1000},
};

static const struct unit *find_unit(med_str name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (size_t k = 0; k < 4 && units[i].names[k] != NULL; k++)
            if (med_str_eqz(name, units[i].names[k]))
                return &units[i];
    return NULL;
}

/* The integral part; false when it is beyond what any date could bear. */
static bool whole(const med_decimal *d, int64_t *out)
{
    med_u128 digits = d->digits;
    for (int e = d->exponent; e < 0 && digits != 0; e++)
        digits /= 10;
    for (int e = d->exponent; e > 0 && digits < 1000000000000000U; e--)
        digits *= 10;
    if (digits > 1000000000000000U)
        return false;
    *out = d->negative ? -(int64_t)digits : (int64_t)digits;
    return true;
}

static bool in_range(const struct med_fp_date *d)
{
    return d->year >= 1 && d->year <= 9999;
}

static bool add_months(struct med_fp_date *d, int64_t months)
{
    int64_t all = (int64_t)d->year * 12 + (d->month - 1) + months;
    if (all < 12 || all >= 120000)
        return false;
    d->year = (int)(all / 12);
    d->month = (int)(all % 12) + 1;
    int most = days_in_month(d->year, d->month);
    if (d->day > most)
        d->day = most;
    return true;
}

static bool add_days(struct med_fp_date *d, int64_t days)
{
    if (days > 4000000 || days < -4000000)
        return false;
    /* a value without days moves by whole months of 30 or years of 365 */
    if (d->precision == MED_DATE_YEAR)
        return add_months(d, days / 365 * 12);
    if (d->precision == MED_DATE_MONTH)
        return add_months(d, days / 30);
    int64_t then = med_days_from_civil(d->year, d->month, d->day) + days;
    med_civil_from_days(then, &d->year, &d->month, &d->day);
    return in_range(d);
}

static bool add_time(struct med_fp_date *d, int64_t amount, const struct unit *unit)
{
    if (amount > 100000000000000000 / unit->size || amount < -100000000000000000 / unit->size)
        return false;
    int64_t by = amount * unit->size;
    if (d->precision < MED_DATE_HOUR)
        return add_days(d, by / DAY);
    if (d->precision == MED_DATE_HOUR)
        by -= by % HOUR;
    else if (d->precision == MED_DATE_MINUTE)
        by -= by % MINUTE;
    else if (unit->precision == MED_DATE_FRACTION && d->precision == MED_DATE_SECOND) {
        d->precision = MED_DATE_FRACTION;
        d->digits = 3;
    }
    if (d->kind == MED_VALUE_TIME)
        by %= DAY;
    set_local_time(d, local_time(d) + by);
    if (d->kind == MED_VALUE_TIME) {
        d->year = 1; /* a time wraps around */
        d->month = 1;
        d->day = 1;
    }
    return in_range(d);
}

/* Only of seconds does the fraction count, to the millisecond. */
static bool add_seconds(struct med_fp_date *d, const med_decimal *amount)
{
    static const struct unit milliseconds = {{NULL}, MED_DATE_FRACTION, 1000};
    static const struct unit seconds = {{NULL}, MED_DATE_SECOND, SECOND};
    med_decimal thousand = med_decimal_from_int(1000);
    med_decimal ms;
    int64_t n = 0;
    if (!med_decimal_multiply(amount, &thousand, &ms) || !whole(&ms, &n))
        return false;
    return n % 1000 == 0 ? add_time(d, n / 1000, &seconds) : add_time(d, n, &milliseconds);
}

bool med_fp_date_add(struct med_fp_date *d, const med_decimal *amount, med_str unit_name,
                     bool *known)
{
    const struct unit *unit = find_unit(unit_name);
    int64_t n = 0;
    *known = unit != NULL && (d->kind != MED_VALUE_TIME || unit->precision >= MED_DATE_HOUR);
    if (!*known || !whole(amount, &n))
        return false;
    if (unit->precision == MED_DATE_SECOND)
        return add_seconds(d, amount);
    if (unit->precision >= MED_DATE_HOUR)
        return add_time(d, n, unit);
    if (n > 4000000 || n < -4000000)
        return false;
    if (unit->precision == MED_DATE_DAY)
        return add_days(d, n * unit->size);
    int64_t months = n * unit->size;
    /* 2014 + 25 months is 2016 */
    return add_months(d, d->precision == MED_DATE_YEAR ? months / 12 * 12 : months);
}

/* ---- boundaries ---- */

static bool precision_of(enum med_value_kind kind, int digits, enum med_date_precision *out)
{
    static const int of_dates[] = {4, 6, 8, 10, 12, 14, 17};
    static const int of_times[] = {2, 4, 6, 9};
    bool time = kind == MED_VALUE_TIME;
    size_t n = time ? 4 : kind == MED_VALUE_DATE ? 3 : 7;
    for (size_t i = 0; i < n; i++) {
        if ((time ? of_times[i] : of_dates[i]) != digits)
            continue;
        *out = (enum med_date_precision)(i + (time ? MED_DATE_HOUR : 0));
        return true;
    }
    return false;
}

int med_fp_date_digits(const struct med_fp_date *d)
{
    static const int digits[] = {4, 6, 8, 10, 12, 14, 17};
    return digits[d->precision] - (d->kind == MED_VALUE_TIME ? 8 : 0);
}

bool med_fp_date_boundary(struct med_fp_date *d, int digits, bool high)
{
    enum med_date_precision wanted = MED_DATE_YEAR;
    if (!precision_of(d->kind, digits, &wanted))
        return false;
    fill(d, high);
    if (d->precision == MED_DATE_SECOND && high)
        d->microsecond = 999999;
    bool zone = d->kind == MED_VALUE_DATETIME && wanted >= MED_DATE_HOUR;
    if (zone && !d->has_zone) {
        /* the farther east, the earlier */
        d->has_zone = true;
        d->zone_minutes = high ? -12 * 60 : 14 * 60;
    }
    d->has_zone = zone;
    d->precision = wanted;
    d->digits = 3;
    return true;
}

void med_fp_date_from_instant(int64_t microseconds, struct med_fp_date *out)
{
    *out = (struct med_fp_date){
        .kind = MED_VALUE_DATETIME, .precision = MED_DATE_FRACTION, .digits = 3, .has_zone = true};
    set_local_time(out, microseconds);
}
