/* definition_set.h - loose StructureDefinitions in front of another source: those of a package that
 * is being added, or of files named on the command line.
 *
 * A definition that has no snapshot gets one when it is first asked for; a circle of bases is
 * found and refused. One thread at a time. */
#ifndef MED_PACKAGE_DEFINITION_SET_H
#define MED_PACKAGE_DEFINITION_SET_H

#include "package/snapshot.h"

enum { MED_DEFINITION_DEPTH = 24 };

typedef struct med_definition_set med_definition_set;

/* Lives in the arena, as all that it gives does. `behind` may be NULL. NULL past the ceiling. */
med_definition_set *med_definition_set_new(med_arena *a, const med_definition_source *behind);
/* `text` must outlive the set; `package` says where it comes from ("" of a file). Of two with the
 * same canonical and version the first counts. */
bool med_definition_set_add(med_definition_set *s, med_str text, med_str package,
                            med_err *err) MED_MUST_CHECK;
size_t med_definition_set_count(const med_definition_set *s);
/* The `i`th one, with a snapshot. *made: it had none. */
bool med_definition_set_at(med_definition_set *s, size_t i, const med_definition **out, bool *made,
                           med_err *err) MED_MUST_CHECK;
/* Asks the set, then what is behind it. */
med_definition_source med_definition_set_source(med_definition_set *s);

#endif
