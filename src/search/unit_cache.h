/* unit_cache.h - private to search/: UCUM codes that were met before, already parsed.
 *
 * A hospital writes some hundred units a million times. Thread safe; readers take no lock. It
 * never grows past UNIT_CACHE_SLOTS: what finds no place is parsed each time. */
#ifndef MED_SEARCH_UNIT_CACHE_H
#define MED_SEARCH_UNIT_CACHE_H

#include "model/ucum.h"

typedef struct med_unit_cache med_unit_cache;

/* Lives in `a` and ends with it. NULL without memory. */
med_unit_cache *med_unit_cache_new(med_arena *a);
/* As med_ucum_parse; what *out names lives as long as the cache or as `a`, whichever is less.
 * `hash` is a keyed hash of the code, because callers choose codes. */
bool med_unit_cache_parse(med_unit_cache *c, uint64_t hash, med_arena *a, med_str code,
                          med_unit *out);

#endif
