/* quantity.h - quantities with UCUM units and calendar durations.
 * http://hl7.org/fhirpath/N1/#quantity   Private to model/fhirpath/. */
#ifndef MED_MODEL_FHIRPATH_QUANTITY_H
#define MED_MODEL_FHIRPATH_QUANTITY_H

#include "model/fhirpath/run.h"

/* Both values are QUANTITY. *comparable is false when the units can not be converted into one
 * another (year and 'a' can not; with `loose`, for ~, they can). */
bool med_fp_quantity_compare(med_fp_run *r, const med_value *a, const med_value *b, bool loose,
                             bool *comparable, int *order);
/* ~: compares at the precision of the less precise one. */
bool med_fp_quantity_equivalent(med_fp_run *r, const med_value *a, const med_value *b, bool *out);
/* The value in another unit (UCUM or calendar); *good is false when there is no way. */
bool med_fp_quantity_convert(med_fp_run *r, const med_value *v, med_str unit, bool *good,
                             med_value *out);
bool med_fp_unit_is_calendar(med_str unit);
/* Is it a unit at all? */
bool med_fp_unit_is_known(med_fp_run *r, med_str unit);
/* What a FHIR quantity's 'a', 'mo', ... means in date arithmetic; others stay. */
med_str med_fp_calendar_unit(const med_value *quantity);
/* Adds, subtracts, multiplies or divides; *good is false when the result is empty. */
bool med_fp_quantity_add(med_fp_run *r, const med_value *a, const med_value *b, bool subtract,
                         bool *good, med_value *out);
bool med_fp_quantity_multiply(med_fp_run *r, const med_value *a, const med_value *b, bool divide,
                              bool *good, med_value *out);
/* Decimal digits behind the point at which the less precise of two numbers ends, and are the
 * two equal when rounded to it? */
bool med_fp_decimals_equivalent(const med_decimal *a, const med_decimal *b);
/* Rounds half away from zero to `scale` digits behind the point. */
bool med_fp_round(const med_decimal *d, int scale, med_decimal *out);

#endif
