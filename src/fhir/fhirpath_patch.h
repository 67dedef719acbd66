/* fhirpath_patch.h - FHIRPath Patch on a resource. https://hl7.org/fhir/R4/fhirpatch.html */
#ifndef MED_FHIR_FHIRPATH_PATCH_H
#define MED_FHIR_FHIRPATH_PATCH_H

#include "base/json.h"
#include "model/pack.h"

/* Applies the Parameters resource at `patch` node `root` to `text`. Errors as of JSON Patch. */
bool med_fhirpath_patch_apply(med_arena *a, const med_pack *p, const med_json *patch, uint32_t root,
                              med_str text, med_str *out, med_err *err) MED_MUST_CHECK;

#endif
