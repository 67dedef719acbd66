/* term_element.h - the value set that an element is bound to: `context` of $expand and
 * $validate-code. */
#ifndef MED_FHIR_TERM_ELEMENT_H
#define MED_FHIR_TERM_ELEMENT_H

#include "fhir/terms.h"

/* *out is the canonical of the binding. Errors: 400 for a context that names no element (or a
 * direction that there is not), 404 for a definition or element that is not known, 422 for one
 * without a value set. */
bool med_term_element_set(med_term_call *t, med_str context, med_str *out,
                          med_err *err) MED_MUST_CHECK;

#endif
