/* searchset.h - the Bundle that answers a search. https://hl7.org/fhir/R4/search.html#return */
#ifndef MED_FHIR_SEARCHSET_H
#define MED_FHIR_SEARCHSET_H

#include "fhir/call.h"

/* The parameters of the URL, of a form body, or of a Parameters resource; _page apart. */
bool med_searchset_parameters(med_call *call, med_pairs *out, med_str *page,
                              med_err *err) MED_MUST_CHECK;
/* The place a page begins at: behind it stand, after `~`, those of the pages before it. */
med_str med_searchset_place(med_str page);
/* Pairs as they stand in a URL; empty past the arena's ceiling. */
med_str med_searchset_encode(med_arena *a, const med_pairs *pairs);
/* The settings that a search of this call has. */
med_search_options med_searchset_options(med_call *call);
/* Fills the response. `path` is what was searched, below the base; `self` its query. */
bool med_searchset_write(med_call *call, med_str path, med_str self, med_str page,
                         const med_query_view *view, const med_search_result *result,
                         med_err *err) MED_MUST_CHECK;

#endif
