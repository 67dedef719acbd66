/* background.h - work that no request waits for: making index rows for search parameters that
 * were added, taking away those of parameters that went.
 *
 * One thread of low priority, which rests between its batches. What a task has done
 * stands in a note of the store: it is taken up where it was after a kill, by whichever node finds
 * that nobody has it (a lease). Stops between two batches. */
#ifndef MED_BACKGROUND_H
#define MED_BACKGROUND_H

#include "edition.h"

typedef struct med_background med_background;

/* `slot` is a reader of nobody else; `editions` must outlive it. `alone`: no other process has the
 * store, so that there is no lease to wait for. */
med_background *med_background_start(med_editions *editions, const med_fhir *base, unsigned slot,
                                     bool alone, med_err *err) MED_MUST_CHECK;
void med_background_stop(med_background *b); /* NULL is fine */

#endif
