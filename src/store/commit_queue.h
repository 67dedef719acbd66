/* commit_queue.h - what waits for the commit thread: commits, and work of other kinds that must
 * run between groups. Private to store/.
 *
 * Any thread adds; the one that med_queue_start begins takes. What is added once it stops is
 * refused, what is there by then is still done. */
#ifndef MED_STORE_COMMIT_QUEUE_H
#define MED_STORE_COMMIT_QUEUE_H

#include <pthread.h>

#include "store/store.h"

/* Work that is not a commit; its own struct begins with this. */
struct job {
    void (*run)(struct job *job);
    void *store;
    bool again; /* set by run: it has more to do, after waiting commits */
    bool done;
    struct job *next;
};

struct commit_queue {
    pthread_mutex_t lock; /* of all of it */
    pthread_cond_t filled, job_over;
    med_commit *first, *last;
    struct job *first_job, *last_job;
    size_t n, limit; /* commits */
    bool stopping, runs;
    pthread_t thread;
    void *store;
};

enum { MED_GROUP_WRITES = 20000 }; /* a group takes no further commit beyond this */

bool med_queue_init(struct commit_queue *q, void *store, size_t limit, med_err *err);
void med_queue_free(struct commit_queue *q);
bool med_queue_start(struct commit_queue *q, void *(*thread)(void *store), med_err *err);
/* Waits until the thread has done what waits; nothing when it never began. */
void med_queue_stop(struct commit_queue *q);

/* A list of commits, all or none: MED_ISSUE_TRANSIENT when it is full or stopping. */
bool med_queue_add(struct commit_queue *q, med_commit *first, med_err *err);
/* Waits until it was run. False when the queue is stopping. */
bool med_queue_run_job(struct commit_queue *q, struct job *job, med_err *err);
size_t med_queue_count(struct commit_queue *q);

/* ---- on the commit thread ---- */
/* With the lock held: waits for something to do; false after `microseconds` (0: for ever) without
 * any. */
bool med_queue_wait(struct commit_queue *q, int64_t microseconds);
/* With the lock held: what waits, up to the size of a group, or NULL. A commit that purges has a
 * group of its own when `purge_alone`. */
med_commit *med_queue_take(struct commit_queue *q, bool purge_alone);
/* Runs the job that waits first. */
void med_queue_run(struct commit_queue *q, struct job *job);

bool med_commit_purges(const med_commit *c);
void med_commit_settle(med_commit *c, enum med_commit_state state, const med_err *err);
/* All of them up to `end`, at no write's fault. */
void med_commits_settle(med_commit *first, const med_commit *end, enum med_commit_state state,
                        const med_err *err);
size_t med_commits_done(const med_commit *first);
/* Calls `done` of each, which may free it. */
void med_commits_tell(med_commit *first);

#endif
