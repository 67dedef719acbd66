/* decimal.h - FHIR decimals: the text is the value, comparison is exact.
 * https://hl7.org/fhir/R4/datatypes.html#decimal
 *
 * A decimal is kept as text everywhere. Here are the operations on such texts: they use
 * integers of at most MED_DECIMAL_DIGITS digits and say so when a value does not fit. */
#ifndef MED_BASE_DECIMAL_H
#define MED_BASE_DECIMAL_H

#include "base/str.h"

enum { MED_DECIMAL_DIGITS = 38 };

/* Beyond ISO C, but both compilers have it. */
__extension__ typedef unsigned __int128 med_u128;

/* value = (negative ? -1 : 1) * digits * 10^exponent. `precision` is the number of significant
 * digits as written ("1.00" has 3), `scale` the digits behind the point as written (may be
 * negative for 1e2), both needed for implicit search precision. */
typedef struct med_decimal {
    med_u128 digits;
    int32_t exponent;
    int32_t precision;
    int32_t scale;
    bool negative;
} med_decimal;

/* JSON number grammar. False: not a number, more than 38 significant digits, or an exponent
 * beyond +-10000. */
bool med_decimal_parse(med_str s, med_decimal *out) MED_MUST_CHECK;
int med_decimal_compare(const med_decimal *a, const med_decimal *b); /* -1, 0, 1; exact */
bool med_decimal_is_zero(const med_decimal *d);
double med_decimal_to_double(const med_decimal *d); /* nearest; for index rows only */
/* Doubles tell decimals of at most 15 significant digits apart, but not all decimals: is `d`, whose
 * nearest double is `nearest`, one of those? And if not, has one of those the same double? */
bool med_decimal_is_distinct(const med_decimal *d, double nearest);
bool med_decimal_is_hidden(const med_decimal *d, double nearest);
/* out = a*b, a+b, a-b; false when the result needs more digits than fit. */
bool med_decimal_multiply(const med_decimal *a, const med_decimal *b,
                          med_decimal *out) MED_MUST_CHECK;
bool med_decimal_add(const med_decimal *a, const med_decimal *b, med_decimal *out) MED_MUST_CHECK;
bool med_decimal_subtract(const med_decimal *a, const med_decimal *b,
                          med_decimal *out) MED_MUST_CHECK;
/* Quotient to at most `digits` significant digits (<= 28), half away from zero; false for /0. */
bool med_decimal_divide(const med_decimal *a, const med_decimal *b, int digits,
                        med_decimal *out) MED_MUST_CHECK;
med_decimal med_decimal_from_int(int64_t n);
enum { MED_DECIMAL_TEXT = 96 };
/* Plain notation when short, else with exponent. Returns the length written (< size 96). */
size_t med_decimal_format(const med_decimal *d, char out[MED_DECIMAL_TEXT]);
/* The bounds of what a number in a search means (R4 search.html#number): [low, high) is the
 * value +- half a unit of its last written digit; as in that page's table, a lone digit with an
 * exponent counts as two (1e2 is [95, 105)). False when the bounds need more than 38 digits. */
bool med_decimal_implicit_range(const med_decimal *d, med_decimal *low,
                                med_decimal *high) MED_MUST_CHECK;

#endif
