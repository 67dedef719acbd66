/* national_id.c - check digits of EMŠO, rodné číslo, CPR, fødselsnummer and EGN. */
#include "demo/national_id.h"

static const uint8_t emso_weights[] = {7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
static const uint8_t cpr_weights[] = {4, 3, 2, 7, 6, 5, 4, 3, 2};
static const uint8_t fodsel_weights1[] = {3, 7, 6, 1, 8, 9, 4, 5, 2};
static const uint8_t fodsel_weights2[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
static const uint8_t egn_weights[] = {2, 4, 8, 5, 10, 9, 7, 3, 6};

static unsigned weighted_sum(const char *digits, const uint8_t *weights, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (unsigned)(digits[i] - '0') * weights[i];
    return sum;
}

/* The digit that brings the sum to 0 modulo 11; 10 means that there is none. */
static unsigned complement11(unsigned sum)
{
    return (11 - sum % 11) % 11;
}

static unsigned remainder11(const char *digits, size_t n)
{
    unsigned rest = 0;
    for (size_t i = 0; i < n; i++)
        rest = (rest * 10 + (unsigned)(digits[i] - '0')) % 11;
    return rest;
}

/* The check digit behind the first n digits; 10 or more: this serial is never given out. */
static unsigned check_digit(enum med_national_id kind, const char *digits, size_t n)
{
    switch (kind) {
    case MED_NATIONAL_ID_EMSO:
        return complement11(weighted_sum(digits, emso_weights, n));
    case MED_NATIONAL_ID_RODNE:
        return remainder11(digits, n); /* the whole is divisible by 11, since 10 = -1 */
    case MED_NATIONAL_ID_CPR:
        return complement11(weighted_sum(digits, cpr_weights, n));
    case MED_NATIONAL_ID_FODSEL:
        return complement11(weighted_sum(digits, n == 9 ? fodsel_weights1 : fodsel_weights2, n));
    case MED_NATIONAL_ID_EGN:
        return weighted_sum(digits, egn_weights, n) % 11 % 10;
    }
    return 10;
}

static size_t full_length(enum med_national_id kind)
{
    switch (kind) {
    case MED_NATIONAL_ID_EMSO:
        return 13;
    case MED_NATIONAL_ID_FODSEL:
        return 11;
    case MED_NATIONAL_ID_RODNE:
    case MED_NATIONAL_ID_CPR:
    case MED_NATIONAL_ID_EGN:
        return 10;
    }
    return 0;
}

bool med_national_id_check(enum med_national_id kind, med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!med_is_digit(s.ptr[i]))
            return false;
    }
    if (kind == MED_NATIONAL_ID_RODNE && s.len == 9)
        return true;
    if (s.len != full_length(kind))
        return false;
    size_t last = s.len - 1;
    if (kind == MED_NATIONAL_ID_FODSEL
        && check_digit(kind, s.ptr, last - 1) != (unsigned)(s.ptr[last - 1] - '0'))
        return false;
    unsigned digit = check_digit(kind, s.ptr, last);
    if (kind == MED_NATIONAL_ID_RODNE)
        digit %= 10; /* until 1985 a remainder of 10 was written as 0 */
    return digit == (unsigned)(s.ptr[last] - '0');
}

static size_t add_digits(char *out, size_t at, unsigned n, size_t width)
{
    for (size_t i = width; i-- > 0; n /= 10)
        out[at + i] = (char)('0' + n % 10);
    return at + width;
}

static size_t add_day_first(char *out, int year, int month, int day, size_t year_width)
{
    size_t n = add_digits(out, 0, (unsigned)day, 2);
    n = add_digits(out, n, (unsigned)month, 2);
    return add_digits(out, n, (unsigned)year % (year_width == 3 ? 1000u : 100u), year_width);
}

static size_t add_year_first(char *out, int year, int month, int day)
{
    size_t n = add_digits(out, 0, (unsigned)year % 100, 2);
    n = add_digits(out, n, (unsigned)month, 2);
    return add_digits(out, n, (unsigned)day, 2);
}

/* The digits in front of the check digits: date, century and sex as each country encodes them. */
static size_t make_head(enum med_national_id kind, int year, int month, int day, bool female,
                        unsigned serial, char *out)
{
    bool young = year >= 2000;
    size_t n = 0;
    switch (kind) {
    case MED_NATIONAL_ID_EMSO:
        n = add_day_first(out, year, month, day, 3);
        n = add_digits(out, n, 50, 2);
        return add_digits(out, n, serial % 500 + (female ? 500 : 0), 3);
    case MED_NATIONAL_ID_RODNE:
        n = add_year_first(out, year, month + (female ? 50 : 0), day);
        return add_digits(out, n, serial % 999 + 1, 3);
    case MED_NATIONAL_ID_CPR:
        n = add_day_first(out, year, month, day, 2);
        return add_digits(out, n, serial % 400 + (young ? 400 : 0), 3);
    case MED_NATIONAL_ID_FODSEL: {
        n = add_day_first(out, year, month + 80, day, 2);
        unsigned number = serial % 250 * 2 + (young ? 500 : 0); /* even: a woman */
        return add_digits(out, n, number + (female ? 0 : 1), 3);
    }
    case MED_NATIONAL_ID_EGN:
        n = add_year_first(out, year, month + (young ? 40 : 0), day);
        return add_digits(out, n, serial % 500 * 2 + (female ? 1 : 0), 3);
    }
    return n;
}

bool med_national_id_make(enum med_national_id kind, int year, int month, int day, bool female,
                          uint32_t serial, char out[MED_NATIONAL_ID_MAX + 1])
{
    size_t n = make_head(kind, year, month, day, female, serial, out);
    size_t full = full_length(kind);
    if (kind == MED_NATIONAL_ID_RODNE && year < 1954)
        full = 9;
    while (n < full) {
        unsigned digit = check_digit(kind, out, n);
        if (digit > 9)
            return false;
        n = add_digits(out, n, digit, 1);
    }
    out[n] = '\0';
    /* the last digit of a CPR number tells the sex: odd is a man */
    return kind != MED_NATIONAL_ID_CPR || ((out[n - 1] - '0') % 2 == 0) == female;
}
