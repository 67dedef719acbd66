/* progress.h - a bar on a terminal, a line now and then elsewhere. One thread at a time. */
#ifndef MED_PROGRESS_H
#define MED_PROGRESS_H

#include "base/clock.h"

typedef struct med_progress_bar {
    const char *what; /* "importing" */
    const char *unit; /* "resources" */
    int64_t started, shown;
    bool terminal;
} med_progress_bar;

void med_progress_start(med_progress_bar *p, const char *what, const char *unit);
/* `fraction` of the whole in [0, 1], or negative when unknown. Draws at most ten times a second
 * (a line each five seconds when it is no terminal). */
void med_progress_show(med_progress_bar *p, double fraction, uint64_t done, uint64_t errors);
void med_progress_end(med_progress_bar *p, uint64_t done, uint64_t errors);

#endif
