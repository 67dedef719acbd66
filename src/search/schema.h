/* schema.h - private to search/: a pack's parameters with their numbers in a store, and what
 * the index keeps of each. Others use search.h. */
#ifndef MED_SEARCH_SCHEMA_H
#define MED_SEARCH_SCHEMA_H

#include <pthread.h>

#include "model/fhirpath.h"
#include "search/search.h"
#include "search/unit_cache.h"

/* Data types that extraction tells apart, looked up once. */
typedef struct med_known_types {
    med_type coding, codeable_concept, identifier, contact_point, quantity, money, range, period,
        timing, reference, human_name, address, patient, sampled_data, ratio;
} med_known_types;

/* What the index keeps of one parameter on one type. */
typedef struct med_param_info {
    uint32_t number;   /* in the store; 0: the type has no such parameter */
    uint32_t answered; /* the row whose index rows answer: itself, or what `patient` narrows */
    uint8_t type;      /* enum med_param_type */
    uint8_t places;    /* of token rows: MED_ROW_GLOBAL, MED_ROW_PATIENT */
    bool stored;       /* has index rows of its own */
    bool compartment;  /* puts the resource into a patient's compartment */
    bool single;       /* a resource has one value at most */
    bool ranges;       /* of quantities: a value may be a Range */
    bool pairs;        /* a composite of a code and a quantity: see pair.h */
    uint32_t also[2];  /* has no rows of its own: those of these two together are its; or 0 */
} med_param_info;

/* Arenas for what one candidate needs, kept for the next search. */
enum { MED_SCRATCH_IDLE = 16, MED_SCRATCH_BYTES = 64 << 20 };
typedef struct med_scratch_pool {
    pthread_mutex_t lock;
    med_arena *idle[MED_SCRATCH_IDLE];
    size_t n;
} med_scratch_pool;

struct med_search_schema {
    const med_pack *pack;
    med_store *store;
    int zone_minutes; /* of resources' dates without a zone */
    med_known_types known;
    size_t n_types;
    uint32_t *type_numbers; /* by pack type; 0 if it is no resource */
    med_type *types;        /* by store number */
    size_t n_numbers;
    size_t n_params;
    med_param_info *params; /* by (store number of the type, pack row) */
    uint32_t *date_params;  /* by pack type: row of its clinically relevant date, or UINT32_MAX */
    bool *hubs;             /* by pack type: see hub.h */
    uint32_t *hub_dates;    /* by pack type: number of the date of its rows by hub; 0: none */
    bool has_rows[MED_ADDED_ROWS]; /* all that is stored has them */
    med_scratch_pool *scratch;
    med_unit_cache *units;
    uint32_t first_added; /* rows from here on were added at run time */
    const med_param_progress *const *added;
    const bool *ready;             /* of each of these */
    const med_fhirpath **programs; /* by pack row: of parameters that are no path, else NULL */
};

/* Numbers are given to "Observation.code", so a parameter that several types share is indexed
 * and counted for each by itself. */
static inline const med_param_info *med_schema_info(const med_search_schema *s, med_type t,
                                                    uint32_t row)
{
    return &s->params[(size_t)s->type_numbers[t] * s->n_params + row];
}

/* Does the type's every resource gather references without end? */
static inline bool med_schema_is_hub(const med_search_schema *s, med_type t)
{
    return t < s->n_types && s->hubs[t];
}

/* Refuses a query that uses a parameter whose rows are not there yet. */
bool med_schema_check_ready(const med_search_schema *s, const med_param *p,
                            med_err *err) MED_MUST_CHECK;

/* An empty arena; NULL only when the process has no memory. */
med_arena *med_scratch_take(const med_search_schema *s);
void med_scratch_give(const med_search_schema *s, med_arena *a); /* NULL is fine */

#endif
