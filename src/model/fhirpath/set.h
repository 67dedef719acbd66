/* set.h - items without duplicates: | , distinct(), intersect(), repeat() ...
 *
 * Few items are compared one by one; more go through a hash table, so that the union of
 * thousands of strings stays linear. Private to model/fhirpath/. */
#ifndef MED_MODEL_FHIRPATH_SET_H
#define MED_MODEL_FHIRPATH_SET_H

#include "model/fhirpath/run.h"

struct med_fp_set {
    size_t first;    /* of the items on the stack */
    size_t n;        /* items in the set */
    uint32_t *heads; /* by hash, 1 + offset from first; NULL while the set is small */
    uint32_t *next;
    size_t buckets, room;
};

/* Items lie on the stack from `first` on; about `room` will be added, more make it grow. */
bool med_fp_set_begin(med_fp_run *r, size_t first, size_t room, struct med_fp_set *out);
bool med_fp_set_has(med_fp_run *r, const struct med_fp_set *set, const med_value *v, bool *found);
/* Puts `v` behind the set's items on the stack unless it is there. The place must be there: that
 * of v itself or of an item that was added or skipped before. */
bool med_fp_set_add(med_fp_run *r, struct med_fp_set *set, const med_value *v, bool *added);

#endif
