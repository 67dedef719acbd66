/* meta.h - meta.profile, meta.security and meta.tag as sets.
 * https://hl7.org/fhir/R4/resource.html#Meta https://hl7.org/fhir/R4/resource-operation-meta.html
 */
#ifndef MED_FHIR_META_H
#define MED_FHIR_META_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

/* Meta members (without braces) in which `sent` (node of a meta object in j, 0 if none) keeps
 * the tags and security labels of `stored` (meta members of a stored text) that it does not
 * name: a PUT does not take labels away (only $meta-delete does). */
bool med_meta_keep_labels(med_arena *a, const med_json *j, uint32_t sent, med_str stored,
                          med_str *out, med_err *err) MED_MUST_CHECK;
/* True when these stored meta members hold a tag or a security label. */
bool med_meta_has_labels(med_str stored);

/* stored + given, and stored without given, for $meta-add and $meta-delete. Codings are the
 * same by system and code, profiles by text (version and all). */
bool med_meta_add(med_arena *a, med_str stored, const med_json *j, uint32_t given, med_str *out,
                  med_err *err) MED_MUST_CHECK;
bool med_meta_remove(med_arena *a, med_str stored, const med_json *j, uint32_t given, med_str *out,
                     med_err *err) MED_MUST_CHECK;

#endif
