/* The worker pool: order, a full queue, stopping, and many producers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/worker_pool.h"

/* A gate that jobs wait at until the test opens it. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool open;
    unsigned inside;
} gate;

static void gate_init(gate *g)
{
    *g = (gate){0};
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->moved, NULL);
}

static void gate_job(void *arg, unsigned worker)
{
    (void)worker;
    gate *g = arg;
    pthread_mutex_lock(&g->lock);
    g->inside++;
    pthread_cond_broadcast(&g->moved);
    while (!g->open)
        pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void gate_wait_inside(gate *g, unsigned n)
{
    pthread_mutex_lock(&g->lock);
    while (g->inside < n)
        pthread_cond_wait(&g->moved, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void gate_open(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->moved);
    pthread_mutex_unlock(&g->lock);
}

enum { ORDERED = 100 };
typedef struct order {
    unsigned seen[ORDERED];
    unsigned n;
} order;
typedef struct order_job {
    order *order;
    unsigned number;
} order_job;

static void note_order(void *arg, unsigned worker)
{
    (void)worker;
    order_job *j = arg;
    j->order->seen[j->order->n++] = j->number;
}

static void jobs_run_first_in_first_out(void **state)
{
    (void)state;
    med_err err = {0};
    med_worker_pool *p = med_worker_pool_new(1, ORDERED + 1, &err);
    assert_non_null(p);
    gate g;
    gate_init(&g);
    assert_true(med_worker_pool_submit(p, gate_job, &g));
    order o = {0};
    order_job jobs[ORDERED];
    for (unsigned i = 0; i < ORDERED; i++) {
        jobs[i] = (order_job){&o, i};
        assert_true(med_worker_pool_submit(p, note_order, &jobs[i]));
    }
    gate_open(&g);
    med_worker_pool_free(p); /* runs what is queued */
    assert_int_equal(o.n, ORDERED);
    for (unsigned i = 0; i < ORDERED; i++)
        assert_int_equal(o.seen[i], i);
}

static void a_full_queue_refuses(void **state)
{
    (void)state;
    med_err err = {0};
    med_worker_pool *p = med_worker_pool_new(2, 3, &err);
    assert_non_null(p);
    assert_int_equal(med_worker_pool_size(p), 2);
    gate g;
    gate_init(&g);
    for (int i = 0; i < 2; i++)
        assert_true(med_worker_pool_submit(p, gate_job, &g));
    gate_wait_inside(&g, 2); /* both workers are busy; the queue is empty */
    for (int i = 0; i < 3; i++)
        assert_true(med_worker_pool_submit(p, gate_job, &g));
    assert_int_equal(med_worker_pool_waiting(p), 3);
    assert_false(med_worker_pool_submit(p, gate_job, &g));
    gate_open(&g);
    gate_wait_inside(&g, 5);
    assert_true(med_worker_pool_submit(p, gate_job, &g)); /* room again */
    med_worker_pool_free(p);
    assert_int_equal(g.inside, 6);
}

typedef struct producer {
    med_worker_pool *pool;
    _Atomic unsigned *ran;
    unsigned taken;
} producer;

static void count_run(void *arg, unsigned worker)
{
    assert_true(worker < 4);
    atomic_fetch_add((_Atomic unsigned *)arg, 1);
}

static void *produce(void *arg)
{
    producer *p = arg;
    for (int i = 0; i < 2000; i++)
        p->taken += med_worker_pool_submit(p->pool, count_run, p->ran);
    return NULL;
}

static void every_job_taken_runs_once(void **state)
{
    (void)state;
    med_err err = {0};
    med_worker_pool *pool = med_worker_pool_new(4, 64, &err);
    assert_non_null(pool);
    _Atomic unsigned ran = 0;
    producer producers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        producers[i] = (producer){pool, &ran, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    unsigned taken = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        taken += producers[i].taken;
    }
    med_worker_pool_free(pool);
    assert_int_equal(ran, taken);
    assert_true(taken >= 64);
}

static void nonsense_sizes_are_refused(void **state)
{
    (void)state;
    med_err err = {0};
    assert_null(med_worker_pool_new(0, 1, &err));
    assert_int_equal(err.issue, MED_ISSUE_VALUE);
    assert_null(med_worker_pool_new(1, 0, &err));
    med_worker_pool_free(NULL);
}

static void note_niceness(void *arg, unsigned worker)
{
    (void)worker;
    *(int *)arg = getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void workers_step_back(void **state)
{
    (void)state;
    med_err err = {0};
    int niceness = 0;
    int here = getpriority(PRIO_PROCESS, (id_t)gettid());
    med_worker_pool *p = med_worker_pool_new(1, 1, &err);
    assert_non_null(p);
    assert_true(med_worker_pool_submit(p, note_niceness, &niceness));
    med_worker_pool_free(p);
    assert_int_equal(niceness, here + MED_WORKER_NICE > 19 ? 19 : here + MED_WORKER_NICE);
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()), here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_first_in_first_out), cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(every_job_taken_runs_once),   cmocka_unit_test(nonsense_sizes_are_refused),
        cmocka_unit_test(workers_step_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
