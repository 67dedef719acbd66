/* dates.h - FHIRPath Date, DateTime and Time with their precision.
 * http://hl7.org/fhirpath/N1/#datetime-arithmetic and #comparison
 *
 * Private to model/fhirpath/. Pure functions. */
#ifndef MED_MODEL_FHIRPATH_DATES_H
#define MED_MODEL_FHIRPATH_DATES_H

#include "base/datetime.h"
#include "base/decimal.h"
#include "model/fhirpath.h"

struct med_fp_date {
    enum med_value_kind kind; /* MED_VALUE_DATE, _DATETIME, _TIME */
    int year, month, day, hour, minute, second;
    int microsecond; /* what is written behind six digits is cut off */
    int digits;      /* of the fraction, as written */
    enum med_date_precision precision;
    bool has_zone;
    int zone_minutes;
};

enum med_fp_order { MED_FP_BEFORE, MED_FP_SAME, MED_FP_AFTER, MED_FP_UNORDERED };

/* Of a DATETIME the 'T' may be missing or stand alone ("2015T"). False when it is none. */
bool med_fp_date_parse(enum med_value_kind kind, med_str text, struct med_fp_date *out);
enum { MED_FP_DATE_TEXT = 48 };
size_t med_fp_date_format(const struct med_fp_date *d, char out[MED_FP_DATE_TEXT]);
/* UNORDERED when precision or a missing zone leaves it open, or a time meets a date. */
enum med_fp_order med_fp_date_compare(const struct med_fp_date *a, const struct med_fp_date *b);
/* Adds `amount` (its fraction counts only for seconds) of a calendar unit or a UCUM unit of
 * definite length. *known is false for any other unit; the result is false past the years 1 to
 * 9999. */
bool med_fp_date_add(struct med_fp_date *d, const med_decimal *amount, med_str unit, bool *known);
/* The earliest or latest moment it may mean, at `digits` (4 6 8 10 12 14 17; a time 2 4 6 9). */
bool med_fp_date_boundary(struct med_fp_date *d, int digits, bool high);
/* 4 6 8 10 12 14 17, or 2 4 6 9 of a time */
int med_fp_date_digits(const struct med_fp_date *d);
void med_fp_date_from_instant(int64_t microseconds, struct med_fp_date *out);

#endif
