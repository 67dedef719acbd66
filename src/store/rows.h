/* rows.h - what the index holds for one resource: the currency between search/ and store/.
 *
 * search/extract.c makes these rows on the thread that prepares a write; the store sorts and
 * writes them inside the commit, search/verify.c evaluates queries against them. Slices live
 * in the arena they were made in. Types and search parameters are named by the small numbers
 * the store has given them (med_store_intern). */
#ifndef MED_STORE_ROWS_H
#define MED_STORE_ROWS_H

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/str.h"

typedef uint64_t med_rid; /* internal id of a resource; grows with time; 0 = none */

/* Where a token row goes. GLOBAL: token(param, hash, rid). PATIENT: ptok(patient, param, hash,
 * -date, rid). Tokens that select nothing (status `final`) have only PATIENT. */
enum { MED_ROW_GLOBAL = 1, MED_ROW_PATIENT = 2 };

typedef struct med_token_row {
    uint32_t param;
    uint8_t places;
    uint64_t hash; /* 63 bits, keyed: med_store_hash of system|code, or of the bare value */
} med_token_row;

/* The dictionary behind coded tokens: serves `code` alone, `system|` and :text. A global token
 * that has one is counted (med_view_count_token is then one look); give one for every token of
 * which many resources may have the same. */
typedef struct med_code_row {
    uint64_t hash;
    uint32_t param;
    med_str system, code;
    med_str text; /* folded display and text for :text; may be empty */
} med_code_row;

typedef struct med_reference_row {
    uint32_t param;
    uint64_t target; /* ident hash of "Type/id", or of the absolute URL or canonical */
} med_reference_row;

typedef struct med_date_row {
    uint32_t param;
    med_interval span;
} med_date_row;

typedef struct med_string_row {
    uint32_t param;
    med_str folded; /* at most MED_STRING_KEY bytes, cut at a character */
} med_string_row;
enum { MED_STRING_KEY = 120 };

/* Numbers have unit 0. Quantities: the keyed hash of the canonical UCUM unit, or of
 * system|code when there is none; and of the unit as it is called, where that differs. */
typedef struct med_quantity_row {
    uint32_t param;
    uint64_t unit;
    double low, high; /* equal for a plain value; a Range's ends, +-INFINITY when open */
    /* What the doubles are nearest to; NULL when open. Only search/ has them, to decide on. */
    const med_decimal *exact_low, *exact_high;
} med_quantity_row;

typedef struct med_uri_row {
    uint32_t param;
    med_str uri; /* the store keeps the first MED_URI_KEY bytes */
} med_uri_row;
enum { MED_URI_KEY = 2048 };

/* A local reference found anywhere in the resource, with or without a search parameter: it
 * must exist at the commit, and its target can not be deleted while it stands. */
typedef struct med_target_row {
    uint32_t type;
    med_str id;
    uint64_t ident;
    med_str expression; /* FHIRPath of the element, for the error */
} med_target_row;

typedef struct med_rows {
    const med_token_row *tokens;
    size_t n_tokens;
    const med_code_row *codes;
    size_t n_codes;
    const med_reference_row *references;
    size_t n_references;
    const med_date_row *dates;
    size_t n_dates;
    const med_string_row *strings;
    size_t n_strings;
    const med_quantity_row *quantities;
    size_t n_quantities;
    const med_uri_row *uris;
    size_t n_uris;
    const med_target_row *targets;
    size_t n_targets;
    const uint64_t *patients; /* ident hashes of the patients whose compartment it is in */
    size_t n_patients;
    int64_t when; /* clinically relevant time (effective, onset, authoredOn...) in microseconds,
                     or MED_TIME_MIN: then the store takes the time of the commit */
} med_rows;

#endif
