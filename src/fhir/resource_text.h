/* resource_text.h - between the text a client sends, the text the store keeps and the text a
 * client gets. https://hl7.org/fhir/R4/json.html https://hl7.org/fhir/R4/resource.html#Meta
 *
 * The stored form (store/store.h) is minified, begins with resourceType, id and meta, and has no
 * meta.versionId and meta.lastUpdated: they belong to the version, not to the content, so the
 * same content is the same text. Everything else stays as it came, decimals by their text. */
#ifndef MED_FHIR_RESOURCE_TEXT_H
#define MED_FHIR_RESOURCE_TEXT_H

#include "base/json.h"
#include "store/store.h"

/* The stored form of the resource at `root`, under `id`, in the arena. `meta` replaces the
 * members of meta when it is not NULL ("\"tag\":[...]": members without braces, may be empty). */
bool med_resource_store_text(med_arena *a, const med_json *j, uint32_t root, med_str id,
                             const med_str *meta, med_str *out, med_err *err) MED_MUST_CHECK;

/* The part of a stored text that is its meta members (without braces); empty if none. */
med_str med_resource_stored_meta(med_str type, med_str id, med_str text);

/* Appends the stored text with version and time put in. */
void med_resource_render(med_buf *out, med_str type, med_str id, uint32_t version, int64_t updated,
                         med_str text);

#endif
