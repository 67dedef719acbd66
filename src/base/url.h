/* url.h - percent-encoding, and the pairs of a query. RFC 3986, RFC 1866 8.2.1.
 *
 * Results are slices into the arena, or of the input where nothing had to be decoded. Fails
 * with MED_ISSUE_VALUE on a bad escape, NUL or bad UTF-8. Thread safe. */
#ifndef MED_BASE_URL_H
#define MED_BASE_URL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Percent-decodes s (in a query '+' is a space). False on a bad escape, NUL or bad UTF-8. */
bool med_percent_decode(med_arena *a, med_str s, bool query, med_str *out,
                        med_err *err) MED_MUST_CHECK;
/* Percent-encodes everything but unreserved characters. */
bool med_percent_encode(med_arena *a, med_str s, med_str *out) MED_MUST_CHECK;

/* name=value pairs of a query or of an application/x-www-form-urlencoded body, decoded, in
 * order. At most MED_QUERY_PAIRS, else MED_ISSUE_TOO_COSTLY. */
enum { MED_QUERY_PAIRS = 256 };
typedef struct med_pair {
    med_str name, value;
} med_pair;
typedef struct med_pairs {
    const med_pair *at;
    size_t n;
} med_pairs;
bool med_query_parse(med_arena *a, med_str query, med_pairs *out, med_err *err) MED_MUST_CHECK;

#endif
