/* term_tree.h - the codes of an expansion as a tree (excludeNested=false).
 * https://hl7.org/fhir/R4/valueset-operation-expand.html */
#ifndef MED_FHIR_TERM_TREE_H
#define MED_FHIR_TERM_TREE_H

#include "terminology/expand.h"

#define MED_TREE_NONE UINT32_MAX

/* Indexes of hits; MED_TREE_NONE ends a list. Each hit stands once: under the nearest of its
 * parents that is in the expansion, too, else at the top. */
typedef struct med_term_tree {
    uint32_t *child, *sibling; /* of each hit: the first below it, the next beside it */
    uint32_t top;              /* the first at the top */
} med_term_tree;

/* Codes of systems without a hierarchy are at the top. False without memory. */
bool med_term_tree_make(med_arena *a, const med_expansion *all, med_term_tree *out) MED_MUST_CHECK;

#endif
