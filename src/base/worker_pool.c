/* worker_pool.c - one ring of jobs, one mutex, and threads that sleep on a condition. */
#include "base/worker_pool.h"

#include <pthread.h>
#include <signal.h>

#include "base/mem.h"
#include "base/thread.h"

typedef struct pool_job {
    med_job run;
    void *arg;
} pool_job;

typedef struct pool_thread {
    med_worker_pool *pool;
    pthread_t id;
    unsigned index;
} pool_thread;

struct med_worker_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pool_job *ring; /* `room` places; the oldest job is at `first` */
    size_t limit, room, first, waiting;
    const char *name;
    int nice;
    unsigned idle; /* threads that sleep, or were woken and have not taken a job yet */
    pool_thread *threads;
    unsigned n_threads; /* that really run */
    bool stopping;
};

/* Waits for a job; false when the pool stops and nothing is left. */
static bool pool_take(med_worker_pool *p, pool_job *out)
{
    pthread_mutex_lock(&p->lock);
    p->idle++;
    while (p->waiting == 0 && !p->stopping)
        pthread_cond_wait(&p->work, &p->lock);
    p->idle--;
    bool found = p->waiting > 0;
    if (found) {
        *out = p->ring[p->first];
        p->first = (p->first + 1) % p->room;
        p->waiting--;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* Stepping back, a thread that answers quick questions gets its core at once when it wakes, and
 * workers share what is left. */
static void *pool_main(void *arg)
{
    pool_thread *self = arg;
    pool_job job;
    med_thread_name(self->pool->name, (int)self->index);
    med_thread_step_back(self->pool->nice);
    while (pool_take(self->pool, &job))
        job.run(job.arg, self->index);
    return NULL;
}

/* Signals belong to the main thread: workers start with all of them blocked. */
static bool pool_start(med_worker_pool *p, unsigned workers, med_err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (p->n_threads < workers && failed == 0) {
        pool_thread *t = &p->threads[p->n_threads];
        *t = (pool_thread){.pool = p, .index = p->n_threads};
        failed = pthread_create(&t->id, NULL, pool_main, t);
        p->n_threads += failed == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "only %u of %u worker threads could start",
                        p->n_threads, workers);
    return true;
}

med_worker_pool *med_worker_pool_new(unsigned workers, size_t queue_limit, med_err *err)
{
    return med_worker_pool_open(&(med_worker_options){.name = "worker",
                                                      .workers = workers,
                                                      .queue_limit = queue_limit,
                                                      .room = queue_limit,
                                                      .nice = MED_WORKER_NICE},
                                err);
}

med_worker_pool *med_worker_pool_open(const med_worker_options *o, med_err *err)
{
    if (o->workers == 0 || o->queue_limit == 0 || o->room < o->queue_limit) {
        (void)MED_FAIL(err, MED_ISSUE_VALUE, "a worker pool needs a worker and a queue");
        return NULL;
    }
    med_worker_pool *p = MED_NEW(1, med_worker_pool);
    if (p != NULL) {
        p->limit = o->queue_limit;
        p->room = o->room + o->workers;
        p->name = o->name != NULL ? o->name : "worker";
        p->nice = o->nice;
        p->ring = MED_NEW(p->room, pool_job);
        p->threads = MED_NEW(o->workers, pool_thread);
    }
    if (p == NULL || p->ring == NULL || p->threads == NULL) {
        if (p != NULL) {
            med_free(p->ring);
            med_free(p->threads);
        }
        med_free(p);
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    if (!pool_start(p, o->workers, err)) {
        med_worker_pool_free(p);
        return NULL;
    }
    return p;
}

static bool pool_put(med_worker_pool *p, size_t limit, med_job job, void *arg)
{
    pthread_mutex_lock(&p->lock);
    bool taken = !p->stopping && p->waiting < limit + p->idle;
    if (taken) {
        p->ring[(p->first + p->waiting) % p->room] = (pool_job){job, arg};
        p->waiting++;
        pthread_cond_signal(&p->work); /* with the lock: once it is let go, p may be ended */
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

bool med_worker_pool_submit(med_worker_pool *p, med_job job, void *arg)
{
    return pool_put(p, p->limit, job, arg);
}

bool med_worker_pool_resubmit(med_worker_pool *p, med_job job, void *arg)
{
    return pool_put(p, p->room - p->n_threads, job, arg);
}

size_t med_worker_pool_waiting(const med_worker_pool *p)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&p->lock;
    pthread_mutex_lock(lock);
    size_t n = p->waiting;
    pthread_mutex_unlock(lock);
    return n;
}

unsigned med_worker_pool_size(const med_worker_pool *p)
{
    return p->n_threads;
}

void med_worker_pool_free(med_worker_pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_mutex_unlock(&p->lock);
    pthread_cond_broadcast(&p->work);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i].id, NULL);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    med_free(p->ring);
    med_free(p->threads);
    med_free(p);
}
