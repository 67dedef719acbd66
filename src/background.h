/* background.h - work that no request waits for: making index rows for search parameters that
 * were added, taking away those of parameters that went.
 *
 * One thread at the lowest priority, which does as much nothing as something. What a task has done
 * stands in a note of the store: it is taken up where it was after a kill, by whichever node finds
 * that nobody has it (a lease). Stops between two batches. */
#ifndef MED_BACKGROUND_H
#define MED_BACKGROUND_H

#include "edition.h"

typedef struct med_background med_background;

/* `slot` is a reader of nobody else; `editions` must outlive it. */
med_background *med_background_start(med_editions *editions, const med_fhir *base, unsigned slot,
                                     med_err *err) MED_MUST_CHECK;
void med_background_stop(med_background *b); /* NULL is fine */

#endif
