/* reindex.h - making the index rows of what is stored anew, a batch at a time.
 *
 * A pass over some types, by time of the last update: what is written meanwhile has its rows from
 * the edition of its writer and needs no visit. Each resource's rows become those that the newest
 * edition makes, in a commit without a version, and are read back. */
#ifndef MED_REINDEX_H
#define MED_REINDEX_H

#include "edition.h"

typedef struct med_reindex {
    med_editions *editions;
    const med_fhir *base;
    unsigned slot;
    med_task_note *task; /* its place and figures move */
} med_reindex;

/* The next batch. task->state is MED_TASK_DONE when there is none left. */
bool med_reindex_batch(med_reindex *r, med_err *err) MED_MUST_CHECK;

#endif
