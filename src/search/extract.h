/* extract.h - private to search/: the growing rows of one resource, and what each type of
 * parameter adds to them. One file a parameter type: token.c string.c reference.c date.c
 * number.c quantity.c uri.c. https://hl7.org/fhir/R4/search.html#ptypes */
#ifndef MED_SEARCH_EXTRACT_H
#define MED_SEARCH_EXTRACT_H

#include <math.h>

#include "model/walk.h"
#include "search/schema.h"

/* A reference of the resource, understood once: several parameters, the compartment and the
 * check of its target ask for the same one. */
typedef struct med_resolved {
    const char *at; /* of the text; NULL: nothing here */
    size_t len;
    bool valid;
    uint8_t kind; /* enum med_reference_kind */
    med_str type, id;
    uint64_t ident; /* of a local one */
    bool hub;       /* it names one */
} med_resolved;

enum { MED_RESOLVED = 8 }; /* a power of two */

/* Instead of `high` in the row of one number: its decimal has the double of a shorter one (142 and
 * 142.00000000000000001), and a double that equals a bound's says nothing. No Range ends there. */
#define MED_HIDDEN (-(double)INFINITY)

typedef struct med_extraction {
    const med_search_schema *schema;
    med_arena *arena;
    const med_json *j;
    uint32_t root;
    med_type type; /* of the resource */
    med_str base;
    bool whole;             /* strings uncut */
    bool raw;               /* strings not folded, either: for :exact */
    const uint64_t *wanted; /* bitmap of pack rows: only these, and nothing else; NULL: all */
    med_rows rows;          /* what was found; the arrays' room: */
    size_t room_tokens, room_codes, room_references, room_dates, room_strings, room_quantities,
        room_uris, room_targets, room_patients;
    med_resolved resolved[MED_RESOLVED];
    uint64_t *hubs; /* that a parameter refers to */
    size_t n_hubs, room_hubs;
} med_extraction;

/* One value of one parameter. `number` is the parameter's number in the store. */
typedef struct med_extract_value {
    const med_walk_value *at;
    uint32_t number;
    uint8_t places; /* for tokens */
} med_extract_value;

/* What queries are decided on: rows of the `wanted` parameters (a bitmap of pack rows; NULL:
 * all) with strings uncut, with `raw` not folded either (for :exact), and with systems of
 * identifiers among the codes. `patients` are those that a wanted reference names; targets and
 * time are left out. */
bool med_extract_whole(const med_search_schema *s, med_arena *a, const med_json *j, uint32_t root,
                       med_type type, med_str base, const uint64_t *wanted, bool raw, med_rows *out,
                       med_err *err) MED_MUST_CHECK;
/* The rows of one value as if it were a parameter `number` of that type. */
bool med_extract_one(med_extraction *x, enum med_param_type type, uint32_t number,
                     const med_walk_value *value, med_err *err) MED_MUST_CHECK;
/* A boolean or text that FHIRPath computed. */
bool med_extract_token_text(med_extraction *x, const med_extract_value *v, med_str text);

bool med_extract_token(med_extraction *x, const med_extract_value *v, med_err *err);
bool med_extract_string(med_extraction *x, const med_extract_value *v, med_err *err);
bool med_extract_reference(med_extraction *x, const med_extract_value *v, med_err *err);
bool med_extract_date(med_extraction *x, const med_extract_value *v, med_err *err);
bool med_extract_number(med_extraction *x, const med_extract_value *v, med_err *err);
bool med_extract_quantity(med_extraction *x, const med_extract_value *v, med_err *err);
/* A number's row. False past the arena's ceiling. */
bool med_extract_plain_number(med_extraction *x, const med_extract_value *v, const med_decimal *d);
bool med_extract_uri(med_extraction *x, const med_extract_value *v, med_err *err);

/* What a reference's text names. Good until the next call. */
const med_resolved *med_extract_resolve(med_extraction *x, med_str text);

/* Appending; false past the arena's ceiling. */
bool med_rows_add_token(med_extraction *x, med_token_row row);
bool med_rows_add_code(med_extraction *x, med_code_row row);
bool med_rows_add_reference(med_extraction *x, med_reference_row row);
bool med_rows_add_date(med_extraction *x, med_date_row row);
bool med_rows_add_string(med_extraction *x, med_string_row row);
bool med_rows_add_quantity(med_extraction *x, med_quantity_row row);
bool med_rows_add_uri(med_extraction *x, med_uri_row row);
bool med_rows_add_target(med_extraction *x, med_target_row row);
bool med_rows_add_patient(med_extraction *x, uint64_t ident);
bool med_rows_add_hub(med_extraction *x, uint64_t ident);

/* A string member of an object node, escapes undone; empty if absent or no string. False past
 * the arena's ceiling. */
bool med_extract_member(const med_extraction *x, uint32_t object, med_str key, med_str *out);
/* The interval a date, dateTime, instant, Period or Timing node means; false if none. */
bool med_extract_interval(const med_extraction *x, const med_walk_value *v, med_interval *out);

#endif
