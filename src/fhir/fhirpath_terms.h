/* fhirpath_terms.h - memberOf(), subsumes() and subsumedBy() of an expression that a request runs:
 * what terminology/ and the stored terminology resources say.
 * https://hl7.org/fhir/R4/fhirpath.html#functions */
#ifndef MED_FHIR_FHIRPATH_TERMS_H
#define MED_FHIR_FHIRPATH_TERMS_H

#include "fhir/call.h"
#include "model/fhirpath.h"

/* Is the code, Coding or CodeableConcept in that value set? False: nobody knows. */
bool med_fhirpath_member_of(med_call *call, const med_value *value, med_str value_set, bool *out);
/* Does `a` stand above `b`, or is it the same? False: nobody knows. */
bool med_fhirpath_subsumes(med_call *call, const med_value *a, const med_value *b, bool *out);

#endif
