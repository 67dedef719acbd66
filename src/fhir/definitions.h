/* definitions.h - StructureDefinitions for the validator: stored ones first, then those of
 * installed packages, then those of R4. */
#ifndef MED_FHIR_DEFINITIONS_H
#define MED_FHIR_DEFINITIONS_H

#include "fhir/call.h"
#include "model/definitions.h"

/* Good while the call's view is. A stored definition without a snapshot gets one; one that can
 * not be made is a fault that names its element. */
bool med_definition_source_of(med_call *call, med_definition_source *out,
                              med_err *err) MED_MUST_CHECK;

#endif
