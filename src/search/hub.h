/* hub.h - private to search/: what refers to one practitioner, place or organization, by date.
 *
 * Ever more refers to each of these (a hub), and a day has ever more: neither the index of
 * references nor that of dates finds one's day at a price that does not grow. So a resource whose
 * type has a date of its own (med_search_schema.hub_dates) has a row for each hub that any of its
 * search parameters refers to. It stands among the numbers, as they are ordered within a key:
 * the parameter is that of the date, the unit names hub and span class, the value is where the date
 * begins. Where it ends, and by which parameter it refers, is for their own rows to say. */
#ifndef MED_SEARCH_HUB_H
#define MED_SEARCH_HUB_H

#include "search/extract.h"
#include "search/run.h"

/* The unit of its rows; `ident` is its hash. */
uint64_t med_hub_unit(uint64_t ident, unsigned span_class);
/* A moment as its row has it (in order, exact to the year 2255), and back. */
double med_hub_number(int64_t moment);
int64_t med_hub_moment(double number);

/* The rows of a resource whose values were extracted. False past the arena's ceiling. */
bool med_extract_hubs(med_extraction *x);

enum { MED_HUB_KEYS = 16 };
/* Can clause `date` be driven among what refers to the hubs of clause `reference`? */
bool med_hub_can_drive(const med_run *r, size_t date, size_t reference);
/* The first two clauses of which this is so. */
bool med_hub_find(const med_run *r, size_t *date, size_t *reference);

#endif
