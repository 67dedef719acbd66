/* worker_pool.h - a bounded pool of threads for work that may take longer than a millisecond.
 *
 * Jobs are taken first in, first out. A full queue refuses (the caller answers 503 with
 * Retry-After) instead of growing. Each worker has an index, so that its owner can keep a
 * reader connection for each. Workers run at a lower priority than the thread that made them
 * (unless told otherwise): on busy cores a slow question takes what quick ones leave. */
#ifndef MED_BASE_WORKER_POOL_H
#define MED_BASE_WORKER_POOL_H

#include "base/err.h"

enum { MED_WORKER_NICE = 19 }; /* added to the niceness of the process */

typedef struct med_worker_pool med_worker_pool;
typedef void (*med_job)(void *arg, unsigned worker);

med_worker_pool *med_worker_pool_new(unsigned workers, size_t queue_limit, med_err *err);
/* With another niceness, and with a queue that holds `room` jobs of which only `queue_limit` may
 * come by med_worker_pool_submit: the rest is for those that were let in once and come back. */
typedef struct med_worker_options {
    const char *name; /* of its threads, static: med_thread_name; NULL: "worker" */
    unsigned workers;
    size_t queue_limit, room;
    int nice;
} med_worker_options;
med_worker_pool *med_worker_pool_open(const med_worker_options *o, med_err *err);
/* False when the queue is full or the pool is stopping; then `job` will not run. */
bool med_worker_pool_submit(med_worker_pool *p, med_job job, void *arg) MED_MUST_CHECK;
/* The same for a job that must not be refused while there is any room. */
bool med_worker_pool_resubmit(med_worker_pool *p, med_job job, void *arg) MED_MUST_CHECK;
size_t med_worker_pool_waiting(const med_worker_pool *p);
unsigned med_worker_pool_size(const med_worker_pool *p);
/* Runs what is queued, then joins the threads. */
void med_worker_pool_free(med_worker_pool *p);

#endif
