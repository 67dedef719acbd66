/* term_store.h - stored CodeSystems, ValueSets and ConceptMaps as a med_terminology_source. */
#ifndef MED_FHIR_TERM_STORE_H
#define MED_FHIR_TERM_STORE_H

#include "fhir/call.h"
#include "terminology/terminology.h"

/* Good while the call's view is. */
bool med_term_store_of(med_call *call, med_terminology_source *out, med_err *err) MED_MUST_CHECK;
/* The resources of that type with that token or uri in a parameter, at most 100. */
bool med_term_store_search(med_call *call, const char *type, const char *param, med_str value,
                           med_search_result *out, med_err *err) MED_MUST_CHECK;
/* The same for searches (term_codes.c); NULL where there is no terminology, or no memory. */
const med_search_codes *med_term_codes_of(med_call *call);
/* What remembers the generation, shared by all calls. */
typedef struct med_term_watch med_term_watch;
med_term_watch *med_term_watch_new(void);
void med_term_watch_free(med_term_watch *w);

#endif
