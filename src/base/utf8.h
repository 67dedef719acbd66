/* utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Pure functions; thread safe. */
#ifndef MED_BASE_UTF8_H
#define MED_BASE_UTF8_H

#include "base/str.h"

/* Offset of the first byte that does not belong to a whole valid character, s.len if none. */
size_t med_utf8_check(med_str s);
static inline bool med_utf8_valid(med_str s)
{
    return med_utf8_check(s) == s.len;
}

/* The character at `at` (< s.len): its length 1 to 4 and *code, or 0 when there is none. */
size_t med_utf8_decode(med_str s, size_t at, uint32_t *code);
/* Writes a Unicode scalar value; returns the length, 0 when it is none. */
size_t med_utf8_encode(uint32_t code, char out[4]);

/* Number of characters of valid UTF-8 (FHIR counts them where a length is limited). */
size_t med_utf8_count(med_str s);
/* s without the part of a character at its end that does not fit in `max` bytes. */
med_str med_utf8_cut(med_str s, size_t max);

#endif
