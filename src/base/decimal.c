/* decimal.c - https://hl7.org/fhir/R4/datatypes.html#decimal
 *
 * Everything rests on one fact: 10^38 < 2^127, so 38 digits, their sum and twice their value
 * fit an unsigned __int128. */
#include "base/decimal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXPONENT_MAX = 10000, POWERS = MED_DECIMAL_DIGITS + 1, DIVIDE_MAX = 28, PLAIN_MAX = 40 };

/* 10^n for n <= 38. */
static med_u128 power_of_ten(int n)
{
    static const uint64_t small[] = {1U,
                                     10U,
                                     100U,
                                     1000U,
                                     10000U,
                                     100000U,
                                     1000000U,
                                     10000000U,
                                     100000000U,
                                     1000000000U,
                                     10000000000U,
                                     100000000000U,
                                     1000000000000U,
                                     10000000000000U,
                                     100000000000000U,
                                     1000000000000000U,
                                     10000000000000000U,
                                     100000000000000000U,
                                     1000000000000000000U,
                                     10000000000000000000U};
    return n <= 19 ? small[n] : (med_u128)small[19] * small[n - 19];
}

/* Number of decimal digits; 1 for zero. */
static int count_digits(med_u128 n)
{
    int count = 1;
    while (count < MED_DECIMAL_DIGITS && n >= power_of_ten(count))
        count++;
    return count;
}

/* Fills *out from a computed value; false when it is too long. */
static bool finish(bool negative, med_u128 digits, int64_t exponent, med_decimal *out)
{
    for (; digits >= power_of_ten(MED_DECIMAL_DIGITS) && digits % 10 == 0; exponent++)
        digits /= 10;
    if (digits >= power_of_ten(MED_DECIMAL_DIGITS) || exponent > 2L * EXPONENT_MAX
        || exponent < -2L * EXPONENT_MAX)
        return false;
    *out = (med_decimal){.digits = digits,
                         .exponent = (int32_t)exponent,
                         .precision = count_digits(digits),
                         .scale = (int32_t)-exponent,
                         .negative = negative && digits != 0};
    return true;
}

/* Digits from *at on, into *d. Leading zeros do not count. False past 38 digits. */
static bool read_digits(med_str s, size_t *at, med_decimal *d)
{
    for (; *at < s.len && med_is_digit(s.ptr[*at]); (*at)++) {
        if (d->precision == MED_DECIMAL_DIGITS)
            return false;
        d->digits = d->digits * 10 + (unsigned)(s.ptr[*at] - '0');
        if (d->digits != 0)
            d->precision++;
    }
    return true;
}

/* [eE][+-]?digits at *at, if there is one. */
static bool read_exponent(med_str s, size_t *at, int *exponent)
{
    *exponent = 0;
    if (*at == s.len || (s.ptr[*at] != 'e' && s.ptr[*at] != 'E'))
        return true;
    (*at)++;
    bool negative = *at < s.len && s.ptr[*at] == '-';
    if (*at < s.len && (negative || s.ptr[*at] == '+'))
        (*at)++;
    size_t from = *at;
    for (; *at < s.len && med_is_digit(s.ptr[*at]); (*at)++) {
        *exponent = *exponent * 10 + (s.ptr[*at] - '0');
        if (*exponent > EXPONENT_MAX)
            return false;
    }
    if (negative)
        *exponent = -*exponent;
    return *at > from;
}

bool med_decimal_parse(med_str s, med_decimal *out)
{
    med_decimal d = {.negative = s.len > 0 && s.ptr[0] == '-'};
    size_t at = d.negative ? 1 : 0;
    size_t whole = at;
    if (!read_digits(s, &at, &d) || at == whole || (s.ptr[whole] == '0' && at > whole + 1))
        return false;
    size_t fraction = 0;
    if (at < s.len && s.ptr[at] == '.') {
        size_t from = ++at;
        if (!read_digits(s, &at, &d) || at == from)
            return false;
        fraction = at - from;
    }
    int exponent = 0;
    if (!read_exponent(s, &at, &exponent) || at != s.len || fraction > EXPONENT_MAX)
        return false;
    d.exponent = exponent - (int)fraction;
    if (d.exponent < -EXPONENT_MAX)
        return false;
    d.scale = -d.exponent;
    if (d.digits == 0)
        d.precision = 1;
    *out = d;
    return true;
}

bool med_decimal_is_zero(const med_decimal *d)
{
    return d->digits == 0;
}

/* Of two values without sign and not zero. */
static int compare_magnitude(const med_decimal *a, const med_decimal *b)
{
    int a_top = count_digits(a->digits) + a->exponent;
    int b_top = count_digits(b->digits) + b->exponent;
    if (a_top != b_top)
        return a_top < b_top ? -1 : 1;
    /* the leading digits stand in the same place, so the longer one has at most 38 */
    med_u128 x = a->digits;
    med_u128 y = b->digits;
    if (a->exponent > b->exponent)
        x *= power_of_ten(a->exponent - b->exponent);
    else
        y *= power_of_ten(b->exponent - a->exponent);
    return x < y ? -1 : x > y ? 1 : 0;
}

static int sign(const med_decimal *d)
{
    return d->digits == 0 ? 0 : d->negative ? -1 : 1;
}

int med_decimal_compare(const med_decimal *a, const med_decimal *b)
{
    int x = sign(a);
    int y = sign(b);
    if (x != y)
        return x < y ? -1 : 1;
    return x == 0 ? 0 : x * compare_magnitude(a, b);
}

/* Up to 64 bits of digits: one operation in extended precision is the nearest of its 64 bits, and
 * from there to 53 it is the nearest, too, unless the eleven bits between are just a half. */
static bool to_double_extended(const med_decimal *d, double *out)
{
#if LDBL_MANT_DIG == 64
    enum { EXACT = 27 }; /* 5^27 < 2^64 */
    static const uint64_t half = 0x400, between = 0x7ff;
    if (d->digits > UINT64_MAX || d->exponent < -EXACT || d->exponent > EXACT)
        return false;
    long double value = (long double)(uint64_t)d->digits;
    long double power = 1;
    for (int i = d->exponent < 0 ? -d->exponent : d->exponent; i > 0; i--)
        power *= 10;
    value = d->exponent < 0 ? value / power : value * power;
    uint64_t mantissa = 0;
    memcpy(&mantissa, &value, sizeof mantissa);
    if ((mantissa & between) == half)
        return false;
    *out = (double)(d->negative ? -value : value);
    return true;
#else
    (void)d;
    (void)out;
    return false;
#endif
}

double med_decimal_to_double(const med_decimal *d)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double value = 0;
    if (d->digits < (med_u128)1 << 53 && d->exponent >= -22 && d->exponent <= 22) {
        /* both are exact doubles, so the one operation rounds to the nearest */
        value = (double)(uint64_t)d->digits;
        value = d->exponent < 0 ? value / exact[-d->exponent] : value * exact[d->exponent];
        return d->negative ? -value : value;
    }
    if (to_double_extended(d, &value))
        return value;
    char text[MED_DECIMAL_TEXT];
    (void)snprintf(text, sizeof text, "%s%llu%019llue%d", d->negative ? "-" : "",
                   (unsigned long long)(d->digits / power_of_ten(19)),
                   (unsigned long long)(d->digits % power_of_ten(19)), (int)d->exponent);
    return strtod(text, NULL); /* has no point in it, so no locale can spoil it */
}

static void strip_zeros(med_decimal *d)
{
    while (d->digits != 0 && d->digits % 10 == 0) {
        d->digits /= 10;
        d->exponent++;
    }
}

bool med_decimal_is_distinct(const med_decimal *d, double nearest)
{
    med_decimal bare = *d;
    if (d->digits == 0)
        return true;
    if (bare.digits >= power_of_ten(DBL_DIG))
        strip_zeros(&bare);
    return bare.digits < power_of_ten(DBL_DIG) && isnormal(nearest);
}

bool med_decimal_is_hidden(const med_decimal *d, double nearest)
{
    char text[MED_DECIMAL_TEXT];
    if (med_decimal_is_distinct(d, nearest))
        return false;
    if (!isnormal(nearest))
        return nearest == 0;
    (void)snprintf(text, sizeof text, "%.*e", DBL_DIG - 1, nearest);
    return strtod(text, NULL) == nearest; /* written and read in the same locale */
}

bool med_decimal_multiply(const med_decimal *a, const med_decimal *b, med_decimal *out)
{
    med_decimal x = *a;
    med_decimal y = *b;
    med_u128 product = 0;
    if (__builtin_mul_overflow(x.digits, y.digits, &product)
        || product >= power_of_ten(MED_DECIMAL_DIGITS)) {
        strip_zeros(&x);
        strip_zeros(&y);
        if (__builtin_mul_overflow(x.digits, y.digits, &product))
            return false;
    }
    return finish(x.negative != y.negative, product, (int64_t)x.exponent + y.exponent, out);
}

/* Gives d the lower exponent `to`; false when its digits do not fit. */
static bool lower_exponent(med_decimal *d, int to)
{
    int by = d->digits == 0 ? 0 : d->exponent - to;
    if (by > 0 && (by >= POWERS || d->digits >= power_of_ten(MED_DECIMAL_DIGITS - by)))
        return false;
    if (by > 0)
        d->digits *= power_of_ten(by);
    d->exponent = to;
    return true;
}

static bool align(med_decimal *x, med_decimal *y)
{
    return x->exponent > y->exponent ? lower_exponent(x, y->exponent)
                                     : lower_exponent(y, x->exponent);
}

bool med_decimal_add(const med_decimal *a, const med_decimal *b, med_decimal *out)
{
    med_decimal x = *a;
    med_decimal y = *b;
    if (!align(&x, &y)) {
        /* trailing zeros, or a zero far down, may be all that is in the way */
        if (x.digits == 0 || y.digits == 0) {
            *out = x.digits == 0 ? *b : *a;
            return true;
        }
        strip_zeros(&x);
        strip_zeros(&y);
        if (!align(&x, &y))
            return false;
    }
    if (x.negative == y.negative)
        return finish(x.negative, x.digits + y.digits, x.exponent, out);
    bool x_larger = x.digits >= y.digits;
    return finish(x_larger ? x.negative : y.negative,
                  x_larger ? x.digits - y.digits : y.digits - x.digits, x.exponent, out);
}

bool med_decimal_subtract(const med_decimal *a, const med_decimal *b, med_decimal *out)
{
    med_decimal minus_b = *b;
    minus_b.negative = !minus_b.negative;
    return med_decimal_add(a, &minus_b, out);
}

/* The next digit of a long division: *rest < b before and after. Ten additions instead of a
 * product, because ten times 38 digits would not fit. */
static unsigned next_digit(med_u128 *rest, med_u128 b)
{
    med_u128 sum = 0;
    unsigned digit = 0;
    for (int i = 0; i < 10; i++) {
        sum += *rest;
        if (sum >= b) {
            sum -= b;
            digit++;
        }
    }
    *rest = sum;
    return digit;
}

bool med_decimal_divide(const med_decimal *a, const med_decimal *b, int digits, med_decimal *out)
{
    if (b->digits == 0 || digits < 1 || digits > DIVIDE_MAX)
        return false;
    med_u128 quotient = a->digits / b->digits;
    med_u128 rest = a->digits % b->digits;
    int64_t exponent = (int64_t)a->exponent - b->exponent;
    /* one digit more than asked for, to round by; what lies behind it can not change a half
     * that goes away from zero */
    med_u128 enough = power_of_ten(digits);
    for (; rest != 0 && quotient < enough; exponent--)
        quotient = quotient * 10 + next_digit(&rest, b->digits);
    for (; quotient >= enough * 10; exponent++)
        quotient /= 10;
    if (quotient >= enough) {
        quotient = quotient / 10 + (quotient % 10 >= 5);
        exponent++;
    }
    return finish(a->negative != b->negative, quotient, exponent, out);
}

med_decimal med_decimal_from_int(int64_t n)
{
    uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    med_decimal d = {.digits = magnitude, .negative = n < 0};
    d.precision = count_digits(d.digits);
    return d;
}

/* The digits of n without a NUL; returns how many. */
static int write_digits(med_u128 n, char out[MED_DECIMAL_DIGITS + 1])
{
    int count = count_digits(n);
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + (int)(n % 10));
        n /= 10;
    }
    return count;
}

size_t med_decimal_format(const med_decimal *d, char out[MED_DECIMAL_TEXT])
{
    char digits[MED_DECIMAL_DIGITS + 1] = {0};
    int n = write_digits(d->digits, digits);
    int point = n + d->exponent; /* digits before the point */
    const char *minus = d->negative && d->digits != 0 ? "-" : "";
    int len = 0;
    if (d->exponent >= 0 && (point <= MED_DECIMAL_DIGITS || d->digits == 0)) {
        int zeros = d->digits == 0 ? 0 : d->exponent;
        len = snprintf(out, MED_DECIMAL_TEXT, "%s%.*s%.*s", minus, n, digits, zeros,
                       "0000000000000000000000000000000000000000");
    } else if (d->exponent < 0 && point > 0) {
        len = snprintf(out, MED_DECIMAL_TEXT, "%s%.*s.%.*s", minus, point, digits, n - point,
                       digits + point);
    } else if (d->exponent < 0 && -d->exponent <= PLAIN_MAX) {
        len = snprintf(out, MED_DECIMAL_TEXT, "%s0.%.*s%.*s", minus, -point,
                       "0000000000000000000000000000000000000000", n, digits);
    } else {
        len = snprintf(out, MED_DECIMAL_TEXT, "%s%c%s%.*se%d", minus, digits[0], n > 1 ? "." : "",
                       n - 1, digits + 1, point - 1);
    }
    return (size_t)len;
}

bool med_decimal_implicit_range(const med_decimal *d, med_decimal *low, med_decimal *high)
{
    med_decimal half = {.digits = 5, .exponent = d->exponent - 1};
    /* R4's own table reads 1e2 as [95, 105): a lone digit before zeros counts as two */
    if (d->precision == 1 && d->exponent > 0)
        half.exponent--;
    return med_decimal_subtract(d, &half, low) && med_decimal_add(d, &half, high);
}
