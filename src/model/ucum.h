/* ucum.h - units of measure: grammar and conversion to canonical base units.
 * https://ucum.org/ucum   Table: npm @lhncbc/ucum-lhc, compiled in at build time.
 *
 * Thread safe, allocates nothing but from the arena. */
#ifndef MED_MODEL_UCUM_H
#define MED_MODEL_UCUM_H

#include "base/arena.h"
#include "base/decimal.h"
#include "base/err.h"

typedef struct med_unit {
    med_decimal factor; /* value in this unit * factor (+ offset, special units) = canonical value */
    med_decimal offset;
    bool special;       /* needs a function we do not invert exactly (pH, dB...): factor unusable */
    med_str canonical;  /* "g.m-3": base units in fixed order with exponents; "1" if none */
} med_unit;

/* MED_ISSUE_VALUE with position and nearest unit when the code is not UCUM. */
bool med_ucum_parse(med_arena *a, med_str code, med_unit *out, med_err *err) MED_MUST_CHECK;
/* Converts a value to the canonical unit. False when special or out of range. */
bool med_ucum_canonical(const med_unit *unit, const med_decimal *value, med_decimal *out) MED_MUST_CHECK;
/* Same dimension? */
bool med_ucum_comparable(const med_unit *a, const med_unit *b);

#endif
