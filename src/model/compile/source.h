/* source.h - the files of a definitions package, parsed, and small helpers to read them.
 *
 * Everything lives in the arena given to med_source_load. */
#ifndef MED_MODEL_COMPILE_SOURCE_H
#define MED_MODEL_COMPILE_SOURCE_H

#include "base/json.h"

/* The bundles of the core package that the pack is made of. */
typedef struct med_source {
    med_json types;      /* Bundle-types.json */
    med_json resources;  /* Bundle-resources.json */
    med_json params;     /* Bundle-searchParams.json: the 1,375 of the registry */
    med_json expansions; /* Bundle-valueset-expansions.json */
    med_json extensions; /* Bundle-extensions.json */
} med_source;

/* Reads the bundles in `folder`. err->text names the file. */
bool med_source_load(med_arena *a, const char *folder, med_source *out,
                     med_err *err) MED_MUST_CHECK;
/* A whole file; err->text names it. */
bool med_source_read(med_arena *a, const char *path, med_str *out, med_err *err) MED_MUST_CHECK;

/* The text of a string member, escapes undone; "" when absent. */
med_str med_source_text(med_arena *a, const med_json *j, uint32_t object, const char *key);
/* The same by a dotted path. */
med_str med_source_path(med_arena *a, const med_json *j, uint32_t object, const char *dotted);
bool med_source_true(const med_json *j, uint32_t object, const char *key);

/* Steps through Bundle.entry.resource: the first when *entry is 0; 0 at the end. */
uint32_t med_source_next(const med_json *bundle, uint32_t *entry);

/* Elements of the array at member `key`:
 *     for (uint32_t e = med_source_first(j, o, "type", &end); e < end; e = j->nodes[e].next) */
uint32_t med_source_first(const med_json *j, uint32_t object, const char *key, uint32_t *end);

#endif
