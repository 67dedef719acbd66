/* commit_queue.c - see commit_queue.h. */
#include "store/commit_queue.h"

#include <errno.h>
#include <time.h>

bool med_queue_init(struct commit_queue *q, void *store, size_t limit, med_err *err)
{
    q->store = store;
    q->limit = limit;
    return (pthread_mutex_init(&q->lock, NULL) == 0 && pthread_cond_init(&q->filled, NULL) == 0
            && pthread_cond_init(&q->job_over, NULL) == 0)
           || MED_FAIL(err, MED_ISSUE_TRANSIENT, "no locks for the store");
}

void med_queue_free(struct commit_queue *q)
{
    (void)pthread_mutex_destroy(&q->lock);
    (void)pthread_cond_destroy(&q->filled);
    (void)pthread_cond_destroy(&q->job_over);
}

bool med_queue_start(struct commit_queue *q, void *(*thread)(void *store), med_err *err)
{
    q->runs = pthread_create(&q->thread, NULL, thread, q->store) == 0;
    return q->runs || MED_FAIL(err, MED_ISSUE_TRANSIENT, "no thread for commits");
}

void med_queue_stop(struct commit_queue *q)
{
    if (!q->runs)
        return;
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_broadcast(&q->filled);
    pthread_mutex_unlock(&q->lock);
    (void)pthread_join(q->thread, NULL);
}

/* ---- adding ---- */

/* Prepares a list to be queued; returns its last. */
static med_commit *end_of(med_commit *first, size_t *n)
{
    med_commit *last = first;
    *n = 0;
    for (med_commit *c = first; c != NULL; c = c->next) {
        c->failed_at = c->n_writes;
        last = c;
        ++*n;
    }
    return last;
}

bool med_queue_add(struct commit_queue *q, med_commit *first, med_err *err)
{
    size_t n = 0;
    med_commit *last = end_of(first, &n);
    pthread_mutex_lock(&q->lock);
    bool stopping = q->stopping;
    bool refused = stopping || q->n + n > q->limit;
    if (!refused) {
        if (q->last == NULL)
            q->first = first;
        else
            q->last->next = first;
        q->last = last;
        q->n += n;
        pthread_cond_signal(&q->filled);
    }
    pthread_mutex_unlock(&q->lock);
    return !refused
           || MED_FAIL(err, MED_ISSUE_TRANSIENT,
                       stopping ? "the store is stopping" : "too many writes are waiting");
}

bool med_queue_run_job(struct commit_queue *q, struct job *job, med_err *err)
{
    job->store = q->store;
    job->next = NULL;
    job->done = false;
    pthread_mutex_lock(&q->lock);
    bool taken = !q->stopping && q->runs;
    if (taken) {
        if (q->last_job == NULL)
            q->first_job = job;
        else
            q->last_job->next = job;
        q->last_job = job;
        pthread_cond_signal(&q->filled);
    }
    while (taken && !job->done)
        pthread_cond_wait(&q->job_over, &q->lock);
    pthread_mutex_unlock(&q->lock);
    return taken || MED_FAIL(err, MED_ISSUE_TRANSIENT, "the store is stopping");
}

size_t med_queue_count(struct commit_queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->n;
    pthread_mutex_unlock(&q->lock);
    return n;
}

/* ---- taking ---- */

bool med_queue_wait(struct commit_queue *q, int64_t microseconds)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    int64_t nanoseconds = until.tv_nsec + microseconds * 1000;
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    return (microseconds == 0 ? pthread_cond_wait(&q->filled, &q->lock)
                              : pthread_cond_timedwait(&q->filled, &q->lock, &until))
           != ETIMEDOUT;
}

bool med_commit_purges(const med_commit *c)
{
    for (size_t i = 0; i < c->n_writes; i++) {
        if (c->writes[i].kind == MED_WRITE_PURGE)
            return true;
    }
    return false;
}

med_commit *med_queue_take(struct commit_queue *q, bool purge_alone)
{
    med_commit *first = q->first;
    med_commit *last = first;
    size_t writes = 0;
    size_t n = 0;
    for (med_commit *c = first; c != NULL && (n == 0 || writes + c->n_writes <= MED_GROUP_WRITES);
         c = c->next) {
        if (n > 0 && purge_alone && (med_commit_purges(c) || med_commit_purges(first)))
            break;
        writes += c->n_writes;
        n++;
        last = c;
    }
    if (last == NULL)
        return NULL;
    q->first = last->next;
    if (q->first == NULL)
        q->last = NULL;
    last->next = NULL;
    q->n -= n;
    return first;
}

void med_queue_run(struct commit_queue *q, struct job *job)
{
    job->again = false;
    job->run(job);
    pthread_mutex_lock(&q->lock);
    if (!job->again) {
        q->first_job = job->next;
        if (q->first_job == NULL)
            q->last_job = NULL;
        job->done = true;
        pthread_cond_broadcast(&q->job_over);
    }
    pthread_mutex_unlock(&q->lock);
}

/* ---- what became of them ---- */

void med_commit_settle(med_commit *c, enum med_commit_state state, const med_err *err)
{
    c->state = state;
    if (err != NULL)
        c->err = *err;
    if (state == MED_COMMIT_REFUSED || state == MED_COMMIT_UNKNOWN) {
        for (size_t i = 0; i < c->n_writes; i++)
            c->writes[i].outcome = MED_OUTCOME_NONE;
    }
}

void med_commits_settle(med_commit *first, const med_commit *end, enum med_commit_state state,
                        const med_err *err)
{
    for (med_commit *c = first; c != end; c = c->next) {
        c->failed_at = c->n_writes;
        med_commit_settle(c, state, err);
    }
}

size_t med_commits_done(const med_commit *first)
{
    size_t n = 0;
    for (const med_commit *c = first; c != NULL; c = c->next)
        n += c->state == MED_COMMIT_DONE;
    return n;
}

void med_commits_tell(med_commit *first)
{
    while (first != NULL) {
        med_commit *next = first->next;
        first->done(first);
        first = next;
    }
}
