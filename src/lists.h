/* lists.h - keeps the full-text lists behind the writes (store/fulltext.h), on a thread of its own.
 *
 * It works when writing has paused or has left it too far behind, at a lower priority, so that
 * writes have the cores first. A store that keeps no lists needs no thread. */
#ifndef MED_LISTS_H
#define MED_LISTS_H

#include "app.h"

typedef struct med_lists med_lists;
/* The app must outlive it. */
med_lists *med_lists_start(const med_app *app, med_err *err) MED_MUST_CHECK;
/* Waits for the step at hand. */
void med_lists_stop(med_lists *l);

#endif
