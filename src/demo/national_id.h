/* national_id.h - the national person numbers of the five countries and their check digits.
 *
 * Pure functions over ASCII digits, without separators. `made` numbers of Norway are synthetic
 * (month + 80, as the Norwegian tax authority does for test people), so they can not be
 * anybody's; those of the other countries could be, therefore the demo files them under
 * identifier systems of its own. */
#ifndef MED_DEMO_NATIONAL_ID_H
#define MED_DEMO_NATIONAL_ID_H

#include "base/str.h"

enum med_national_id {
    MED_NATIONAL_ID_EMSO,   /* Slovenia, 13 digits: DDMMYYY 50 BBB K */
    MED_NATIONAL_ID_RODNE,  /* Czechia, 10 digits, divisible by 11; 9 before 1954 */
    MED_NATIONAL_ID_CPR,    /* Denmark, 10 digits: DDMMYY SSSK, modulus 11 */
    MED_NATIONAL_ID_FODSEL, /* Norway, 11 digits: DDMMYY III KK, two modulus 11 digits */
    MED_NATIONAL_ID_EGN,    /* Bulgaria, 10 digits: YYMMDD SSS K */
};

enum { MED_NATIONAL_ID_MAX = 13 };

/* True if `s` has the right length, digits only, and right check digits. Whether the date in it
 * exists is not looked at. A Danish number given since 2007 may fail and yet be real; a Czech
 * one of 9 digits has no check digit. */
bool med_national_id_check(enum med_national_id kind, med_str s);

/* Makes the number of a person born on that day with this serial (taken modulo what the country
 * has room for), NUL-terminated. False when the serial has no valid check digit: take another.
 * Years 1900 to 2036. */
bool med_national_id_make(enum med_national_id kind, int year, int month, int day, bool female,
                          uint32_t serial, char out[MED_NATIONAL_ID_MAX + 1]) MED_MUST_CHECK;

#endif
