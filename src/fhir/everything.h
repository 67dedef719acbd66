/* everything.h - private to everything.c and everything_all.c: the parameters of $everything. */
#ifndef MED_FHIR_EVERYTHING_H
#define MED_FHIR_EVERYTHING_H

#include "fhir/call.h"

/* The operation's parameters as those of the search, and what the search is bounded by. */
bool med_everything_translate(med_call *call, const med_pairs *given, med_pairs *out,
                              med_search_scope *scope, med_err *err) MED_MUST_CHECK;

#endif
