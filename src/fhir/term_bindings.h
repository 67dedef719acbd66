/* term_bindings.h - the terminology as the validator asks for it.
 * https://hl7.org/fhir/R4/terminologies.html#strength */
#ifndef MED_FHIR_TERM_BINDINGS_H
#define MED_FHIR_TERM_BINDINGS_H

#include "fhir/call.h"
#include "validate/codes.h"

/* The table for a check in this call: what is built in, imported and stored, as its view sees
 * it. Costs nothing until it is asked. NULL: there is no terminology, or no memory. */
const med_coded_lookup *med_term_bindings_of(med_call *call);

/* The same for a check without a call. `scope` must outlive the table. */
med_coded_lookup med_term_bindings_in(const med_term_scope *scope);

#endif
