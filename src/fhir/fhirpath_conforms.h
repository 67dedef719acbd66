/* fhirpath_conforms.h - conformsTo() of an expression that a request runs.
 * https://hl7.org/fhir/R4/fhirpath.html#functions */
#ifndef MED_FHIR_FHIRPATH_CONFORMS_H
#define MED_FHIR_FHIRPATH_CONFORMS_H

#include "fhir/call.h"
#include "model/fhirpath.h"

/* Does the resource keep the profile, base definition and all? False with *err when that can not
 * be said: nobody knows the profile, or the value is no resource. On a worker only. */
bool med_fhirpath_conforms(med_call *call, const med_value *value, med_str profile, bool *out,
                           med_err *err) MED_MUST_CHECK;

#endif
