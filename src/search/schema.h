/* schema.h - private to search/: a pack's parameters with their numbers in a store, and what
 * the index keeps of each. Others use search.h. */
#ifndef MED_SEARCH_SCHEMA_H
#define MED_SEARCH_SCHEMA_H

#include "search/search.h"

/* Data types that extraction tells apart, looked up once. */
typedef struct med_known_types {
    med_type coding, codeable_concept, identifier, contact_point, quantity, money, range, period,
        timing, reference, human_name, address, patient, sampled_data, ratio;
} med_known_types;

struct med_search_schema {
    const med_pack *pack;
    med_store *store;
    med_known_types known;
    size_t n_types;
    uint32_t *type_numbers; /* by pack type; 0 if it is no resource */
    med_type *types;        /* by store number */
    size_t n_numbers;
    size_t n_params;
    uint32_t *param_numbers;  /* by (pack type's store number, pack row); 0 if not its own */
    uint32_t *date_params;    /* by pack type: row of its clinically relevant date, or UINT32_MAX */
    uint64_t *patient_params; /* by pack type, a bitmap of rows: puts it into a compartment */
    uint64_t *aliased;        /* by pack type, a bitmap of rows: stored under another row */
    size_t words;             /* of one bitmap */
};

static inline bool med_schema_bit(const uint64_t *map, size_t words, med_type t, uint32_t row)
{
    return (map[(size_t)t * words + row / 64] >> (row % 64)) & 1;
}

/* The number of a type's parameter in the store. Numbers are given to "Observation.code", so a
 * parameter that several types share is indexed and counted for each by itself. */
static inline uint32_t med_schema_param(const med_search_schema *s, med_type t, uint32_t row)
{
    return s->param_numbers[(size_t)s->type_numbers[t] * s->n_params + row];
}

/* The row whose index rows answer for `row` on this type: itself, or for `patient` the
 * reference it narrows ("subject"). */
uint32_t med_schema_stored_row(const med_search_schema *s, med_type t, uint32_t row);

/* Which places a token row of this parameter has (MED_ROW_GLOBAL, MED_ROW_PATIENT). */
uint8_t med_schema_token_places(const med_search_schema *s, med_type t, uint32_t row);

#endif
