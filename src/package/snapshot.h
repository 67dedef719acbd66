/* snapshot.h - the snapshot of a StructureDefinition out of its base and its differential.
 * https://hl7.org/fhir/R4/profiling.html#snapshot
 *
 * What a differential says is checked against what it narrows: a path that does not exist, a
 * cardinality that is wider, a type that is not allowed, a required binding that is loosened or a
 * slice that nobody defined is refused; *err names the element (expr) and the reason. Thread safe;
 * no state. Ceilings: MED_SNAPSHOT_ELEMENTS, MED_DEFINITION_DEPTH (definition_set.h). */
#ifndef MED_PACKAGE_SNAPSHOT_H
#define MED_PACKAGE_SNAPSHOT_H

#include "model/definitions.h"

enum { MED_SNAPSHOT_ELEMENTS = 20000, MED_SNAPSHOT_PATH_DEPTH = 32 };

/* *out is the StructureDefinition at `root`, minified, with its snapshot made anew; in `a`.
 * Bases and the profiles of types come from `source`. */
bool med_snapshot_make(med_arena *a, const med_json *j, uint32_t root,
                       const med_definition_source *source, med_str *out,
                       med_err *err) MED_MUST_CHECK;

#endif
