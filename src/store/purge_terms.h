/* purge_terms.h - what a purge takes out of the full-text lists. Private to store/. */
#ifndef MED_STORE_PURGE_TERMS_H
#define MED_STORE_PURGE_TERMS_H

#include "store/fulltext.h"

/* The postings of all versions of a resource, as gone, and sorted; which of them are in the lists
 * does not matter. In `a`, until it is reset. The store must know terms (med_terms_known). */
bool med_purge_terms(med_view *v, med_arena *a, med_rid rid, med_posting **out, size_t *n,
                     med_err *err) MED_MUST_CHECK;

#endif
