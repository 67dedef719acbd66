/* datetime.h - FHIR dates and times as half-open intervals in microseconds UTC.
 * https://hl7.org/fhir/R4/datatypes.html#dateTime
 *
 * 2024 means [2024-01-01, 2025-01-01). A value without a zone is read in `zone_minutes` (the
 * server's configured default zone). Leap seconds (:60) are read as :59.999999. */
#ifndef MED_BASE_DATETIME_H
#define MED_BASE_DATETIME_H

#include "base/str.h"

enum med_date_precision {
    MED_DATE_YEAR,
    MED_DATE_MONTH,
    MED_DATE_DAY,
    MED_DATE_HOUR,   /* only in FHIRPath literals */
    MED_DATE_MINUTE, /* only in search and FHIRPath */
    MED_DATE_SECOND,
    MED_DATE_FRACTION,
};

typedef struct med_interval {
    int64_t low;  /* inclusive; MED_TIME_MIN when open */
    int64_t high; /* exclusive; MED_TIME_MAX when open */
} med_interval;
#define MED_TIME_MIN INT64_MIN
#define MED_TIME_MAX INT64_MAX

typedef struct med_datetime {
    med_interval span;
    int year, month, day, hour, minute, second, microsecond; /* as written; missing parts 1 or 0 */
    int zone_minutes;
    enum med_date_precision precision;
    bool has_zone;
} med_datetime;

enum med_date_kind {
    MED_KIND_DATE,
    MED_KIND_DATETIME,
    MED_KIND_INSTANT,
    MED_KIND_SEARCH,
    MED_KIND_FHIRPATH, /* a literal without its @: hours alone, no zone, `2024T` are allowed */
};

/* Reads a FHIR date, dateTime, instant or search date. The kind decides what is allowed
 * (dateTime with a time needs a zone and seconds; search may leave both out). False when it
 * is none, or not a calendar day; *out may then be half filled.
 * A fraction of a second is as wide as its last digit's unit, at least a microsecond. */
bool med_datetime_parse(med_str s, enum med_date_kind kind, int zone_minutes,
                        med_datetime *out) MED_MUST_CHECK;
/* hh:mm:ss(.fff) -> microseconds since midnight. */
bool med_time_parse(med_str s, int64_t *microseconds) MED_MUST_CHECK;

enum { MED_INSTANT_LEN = 24, MED_INSTANT_MICRO_LEN = 27 };
/* 2026-11-22T10:20:30.123Z, not NUL-terminated. A time outside the years 0001 to 9999 is
 * written as the nearest inside them. */
void med_instant_format(int64_t microseconds, char out[MED_INSTANT_LEN]);
/* The same with six digits behind the point. */
void med_instant_format_micro(int64_t microseconds, char out[MED_INSTANT_MICRO_LEN]);
/* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110), 29 bytes, not NUL-terminated. */
enum { MED_HTTP_DATE_LEN = 29 };
void med_http_date_format(int64_t microseconds, char out[MED_HTTP_DATE_LEN]);
/* All three forms RFC 9110 asks for; two-digit years are 1970 to 2069. */
bool med_http_date_parse(med_str s, int64_t *microseconds) MED_MUST_CHECK;
/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t med_days_from_civil(int year, int month, int day);
void med_civil_from_days(int64_t days, int *year, int *month, int *day);

#endif
