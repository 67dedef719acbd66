/* json_patch.h - JSON Patch on a resource. https://www.rfc-editor.org/rfc/rfc6902 */
#ifndef MED_FHIR_JSON_PATCH_H
#define MED_FHIR_JSON_PATCH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

enum { MED_PATCH_OPERATIONS = 1000 };

/* Applies the array of operations at `patch` node `root` to `text`; *out is the new document.
 * MED_ISSUE_INVALID: no legal patch; MED_ISSUE_PROCESSING: it can not be applied (a path leads
 * nowhere, a test failed). The text names the operation by its number. */
bool med_json_patch_apply(med_arena *a, const med_json *patch, uint32_t root, med_str text,
                          med_str *out, med_err *err) MED_MUST_CHECK;

#endif
