/* validate_definition.h - does the differential of a StructureDefinition narrow its base?
 * https://hl7.org/fhir/R4/profiling.html#snapshot */
#ifndef MED_FHIR_VALIDATE_DEFINITION_H
#define MED_FHIR_VALIDATE_DEFINITION_H

#include "model/definitions.h"
#include "validate/structure.h"

/* Of any other resource, and of a definition without a differential, it says nothing. A base that
 * is not known is a warning: whether it is kept can not be told. *list is in the arena. False only
 * where nothing can be said for want of memory. */
bool med_validate_definition(med_arena *a, const med_json *j, uint32_t root,
                             const med_definition_source *source, med_problems *list,
                             med_err *err) MED_MUST_CHECK;

#endif
