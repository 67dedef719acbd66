/* ecl.h - the part of SNOMED CT's expression constraint language that needs no attributes.
 * https://confluence.ihtsdotools.org/display/DOCECL */
#ifndef MED_TERMINOLOGY_ECL_H
#define MED_TERMINOLOGY_ECL_H

#include "terminology/image.h"

enum { MED_ECL_DEPTH = 16, MED_ECL_BYTES = 10000 };

/* The concepts that the expression means, in `bits` (cleared, one a concept): `<`, `<<`, `<!`,
 * `<<!`,
 * `>`, `>>`, `>!`, `>>!`, `^`, `*`, brackets, AND, OR, MINUS, terms in bars. *broken is what is
 * wrong with it, or can not be answered (a concept that there is not, a refinement); else it stays
 * as it is. False without memory. */
bool med_ecl_apply(const med_image *m, med_arena *a, med_str text, uint64_t *bits, med_str *broken,
                   med_err *err) MED_MUST_CHECK;
/* Adds the active members of a reference set. */
void med_ecl_add_members(const med_image *m, med_str refset, uint64_t *bits);

#endif
