/* ucum.h - units of measure: grammar and conversion to canonical base units.
 * https://ucum.org/ucum   Table: npm @lhncbc/ucum-lhc, compiled in at build time.
 *
 * Two decisions beside the letter of UCUM, both for the safety of clinical data:
 * - the mole is a base unit of its own (UCUM makes it the number 6.0221367e23), so that mmol/L
 *   is never compared with a count per litre;
 * - arbitrary units ([iU], [arb'U], ...) and logarithmic scales ([pH], B, ...) are comparable
 *   only with themselves, so each is a base unit of its own, too.
 * Sizes are exact; where pi comes in, and where a product passes 38 digits, they are rounded
 * to at least 19 digits.
 *
 * Thread safe, allocates nothing but from the arena. */
#ifndef MED_MODEL_UCUM_H
#define MED_MODEL_UCUM_H

#include "base/arena.h"
#include "base/decimal.h"
#include "base/err.h"

/* canonical value = (value * factor + offset) / divisor. A divisor other than 1 keeps what is
 * no finite decimal exact: 60 mg/min is just 0.001 g/s. */
typedef struct med_unit {
    med_decimal factor;
    med_decimal divisor;
    med_decimal offset; /* 0 but for Cel, [degF], [degRe] standing alone */
    bool special;       /* a logarithmic scale inside a product: there is no canonical value */
    med_str canonical;  /* "g.m-3": base units in alphabetical order with exponents; "1" if none */
} med_unit;

/* MED_ISSUE_VALUE with position and nearest unit when the code is not UCUM. */
bool med_ucum_parse(med_arena *a, med_str code, med_unit *out, med_err *err) MED_MUST_CHECK;
/* Converts a value to the canonical unit: exact, or rounded to 28 digits where the quotient has
 * no end. False when special or out of range. */
bool med_ucum_canonical(const med_unit *unit, const med_decimal *value,
                        med_decimal *out) MED_MUST_CHECK;
/* Same dimension? */
bool med_ucum_comparable(const med_unit *a, const med_unit *b);

#endif
