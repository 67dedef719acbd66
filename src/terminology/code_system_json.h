/* code_system_json.h - a CodeSystem resource becomes an image.
 * https://hl7.org/fhir/R4/codesystem.html
 *
 * Also a supplement, and one whose content is a fragment, an example or not present: the image
 * says so. What the resource says of itself is kept without text, contact and (with `brief`,
 * for what is built in) all that no answer needs. */
#ifndef MED_TERMINOLOGY_CODE_SYSTEM_JSON_H
#define MED_TERMINOLOGY_CODE_SYSTEM_JSON_H

#include "base/json.h"
#include "terminology/image_builder.h"

/* From this many concepts on words are indexed. */
enum { MED_INDEX_WORDS_FROM = 3000 };

enum med_compile {
    MED_COMPILE_BRIEF = 1,  /* of what describes the resource only what questions need */
    MED_COMPILE_STRICT = 2, /* a circle in the hierarchy is an error */
};
/* `out` is empty. MED_ISSUE_INVALID when the resource is no legal CodeSystem. `how`: enum
 * med_compile. */
bool med_code_system_compile(med_arena *a, const med_json *j, uint32_t root, unsigned how,
                             med_buf *out, med_err *err) MED_MUST_CHECK;
/* Of a finished builder: a hierarchy with a circle is an error that names it. `where` says where
 * it was read ("" or "codes.csv, line 3: "). */
bool med_hierarchy_check(med_arena *a, const med_image_builder *b, med_str where,
                         med_err *err) MED_MUST_CHECK;

/* A string member, escapes undone, or "". False without memory. */
bool med_json_text(med_arena *a, const med_json *j, uint32_t object, const char *key, med_str *out);
/* A designation of a concept (of a CodeSystem, or of one that a ValueSet lists). False without
 * memory. */
bool med_designation_read(med_arena *a, const med_json *j, uint32_t node,
                          med_designation *out) MED_MUST_CHECK;
/* Was it a name of the concept once, and is no longer?
 * https://hl7.org/fhir/R4/extension-structuredefinition-standards-status.html */
bool med_designation_is_withdrawn(const med_designation *d);
/* A resource without the members named (a list ended by NULL), minified. */
bool med_json_without(med_arena *a, const med_json *j, uint32_t root, const char *const *names,
                      med_str *out);

#endif
