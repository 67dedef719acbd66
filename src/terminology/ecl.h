/* ecl.h - SNOMED CT's expression constraint language (brief syntax), without its filters ({{ }}).
 * https://confluence.ihtsdotools.org/display/DOCECL
 *
 * The relationships of a concept that are no is-a stand among its properties: the code is the
 * attribute, the value the concept or number. The property MED_ECL_GROUP (SNOMED CT's "Role group")
 * with a number begins each group of them; what stands before the first is no relationship. Number
 * 0 is the group of those that are in none. */
#ifndef MED_TERMINOLOGY_ECL_H
#define MED_TERMINOLOGY_ECL_H

#include "terminology/image.h"

#define MED_ECL_GROUP "609096000"
enum { MED_ECL_DEPTH = 16, MED_ECL_BYTES = 10000, MED_ECL_OPERANDS = 1000, MED_ECL_SCANS = 64 };

/* The concepts that the expression means, in `bits` (cleared, one a concept): `<`, `<<`, `<!`,
 * `<<!`, `>`, `>>`, `>!`, `>>!`, `^`, `*`, brackets, AND, OR, MINUS, terms in bars, refinements
 * with groups, cardinalities, R and comparisons, dots. *broken is what is wrong with it, or can not
 * be answered (a concept that there is not, a filter); else it stays as it is. False without
 * memory. */
bool med_ecl_apply(const med_image *m, med_arena *a, med_str text, uint64_t *bits, med_str *broken,
                   med_err *err) MED_MUST_CHECK;
/* Is that an expression constraint, whatever concepts there are? *broken is what is wrong with it,
 * or
 * "". */
bool med_ecl_check(med_arena *a, med_str text, med_str *broken, med_err *err) MED_MUST_CHECK;
/* Adds the active members of a reference set. */
void med_ecl_add_members(const med_image *m, med_str refset, uint64_t *bits);

#endif
