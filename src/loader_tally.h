/* loader_tally.h - what became of what an import loads: counters by type, and what was refused.
 *
 * Its threads share one; its lock is the loader's own, too, so that rejects and settled places are
 * told one at a time. What has no comment about the lock takes it. */
#ifndef MED_LOADER_TALLY_H
#define MED_LOADER_TALLY_H

#include <pthread.h>

#include "loader.h"

enum { MED_LOADER_TYPES = 512 };

typedef struct med_loader_tally {
    pthread_mutex_t lock;
    med_loader_counts counts;
    med_loader_type types[MED_LOADER_TYPES]; /* by number in the store; what has none is at 0 */
    void (*reject)(void *arg, med_str source, uint64_t line, med_str reason, med_str text);
    void *arg;
} med_loader_tally;

/* With the lock held. */
med_loader_type *med_tally_type(med_loader_tally *t, uint32_t type);

/* The outcomes of what was committed. */
void med_tally_writes(med_loader_tally *t, const med_changeset *done);
void med_tally_reject(med_loader_tally *t, med_str source, uint64_t line, med_str reason,
                      uint32_t type, med_str text);

#endif
