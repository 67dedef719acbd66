/* background.c - see background.h. */
#include "background.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"
#include "reindex.h"

enum {
    MODEST = 10, /* niceness: what it does is short, and may hold others up when it is not done */
    REST_MOST = 100000,
    TICK_SECONDS = 1,
    LEASE_SECONDS = 10,
    SECOND = 1000000,
    ARENA = 96 << 20,
    QUEUE_LONG = 32
};

struct med_background {
    med_editions *editions;
    const med_fhir *base;
    unsigned slot;
    bool alone; /* nobody else has the store: what runs is nobody's any more */
    char node[MED_UUID_LEN];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    int64_t next_look; /* monotonic */
};

/* ---- waiting ---- */

/* True when it is to stop. */
static bool pause_for(med_background *b, int64_t microseconds)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += microseconds / SECOND;
    until.tv_nsec += microseconds % SECOND * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&b->lock);
    while (!b->stopping && pthread_cond_timedwait(&b->wake, &b->lock, &until) != ETIMEDOUT) {
    }
    bool stopping = b->stopping;
    pthread_mutex_unlock(&b->lock);
    return stopping;
}

static void complain(const med_background *b, const char *what, const med_err *err)
{
    MED_LOG(b->base->log, MED_LOG_WARN, what, MED_LOG_TEXT("why", med_str_from(err->text)));
}

/* Whatever it was, it is tried again a second later. */
static void look(med_background *b)
{
    med_err err = {0};
    b->next_look = med_monotonic(b->base->clock) + TICK_SECONDS * (int64_t)SECOND;
    if (!med_editions_refresh(b->editions, true, &err))
        complain(b, "search parameters can not be looked at", &err);
}

/* ---- one task ---- */

static bool save(med_background *b, med_task_note *t, med_err *err)
{
    t->changed = med_now(b->base->clock);
    t->lease_until =
        t->state == MED_TASK_RUNNING ? t->changed + LEASE_SECONDS * (int64_t)SECOND : 0;
    return med_task_note_write(b->base->store, t, err);
}

static bool begin(med_background *b, med_task_note *t, med_err *err)
{
    bool resumed = t->state == MED_TASK_RUNNING;
    t->state = MED_TASK_RUNNING;
    t->owner = (med_str){b->node, sizeof b->node};
    if (!save(b, t, err)) /* another node was quicker */
        return false;
    MED_LOG(b->base->log, MED_LOG_INFO, resumed ? "task goes on" : "task begins",
            MED_LOG_TEXT("task", t->name), MED_LOG_TEXT("kind", t->kind));
    return true;
}

static void end(med_background *b, med_task_note *t)
{
    med_err err = {0};
    if (!save(b, t, &err)) {
        complain(b, "the end of a task could not be noted", &err);
        return;
    }
    MED_LOG(b->base->log, MED_LOG_INFO, "task ends", MED_LOG_TEXT("task", t->name),
            MED_LOG_TEXT("state", med_str_from(med_task_state_names[t->state])),
            MED_LOG_INT("done", t->done));
    look(b);
}

/* As long as the batch took (a tenth of a second at most), and longer while commits queue up:
 * requests come first. */
static bool yield(med_background *b, int64_t took)
{
    med_store_stats stats;
    med_store_glance(b->base->store, &stats);
    int64_t rest = took < REST_MOST ? took : REST_MOST;
    return pause_for(b, rest + 1000 + (stats.queue > QUEUE_LONG ? 50000 : 0));
}

static void run_task(med_background *b, med_task_note *t)
{
    med_err err = {0};
    bool stopping = false, ok = true;
    const med_clock *clock = b->base->clock;
    int64_t next_save = med_monotonic(clock) + SECOND;
    if (!begin(b, t, &err))
        return;
    med_reindex r = {.editions = b->editions, .base = b->base, .slot = b->slot, .task = t};
    while (!stopping && ok && t->state == MED_TASK_RUNNING) {
        int64_t began = med_monotonic(clock);
        err = (med_err){0};
        ok = med_reindex_batch(&r, &err);
        int64_t now = med_monotonic(clock);
        if (ok && t->state == MED_TASK_RUNNING && now >= next_save) {
            ok = save(b, t, &err);
            next_save = now + SECOND;
        }
        if (now >= b->next_look)
            look(b);
        stopping = t->state == MED_TASK_RUNNING && yield(b, now - began);
    }
    if (!ok && err.issue == MED_ISSUE_CONFLICT)
        return; /* cancelled, or the parameter has changed: the note is somebody else's */
    if (!ok
        && (err.issue == MED_ISSUE_TRANSIENT || err.issue == MED_ISSUE_NO_STORE
            || err.issue == MED_ISSUE_TIMEOUT)) {
        complain(b, "a task waits", &err);
        (void)pause_for(b, SECOND);
        return; /* ours by the lease: taken up again at the next look */
    }
    if (!ok) {
        t->state = MED_TASK_FAILED;
        t->text = med_str_from(err.text);
    }
    if (stopping) { /* another node, or the next start, may go on at once */
        t->state = MED_TASK_WAITING;
        if (!save(b, t, &err))
            complain(b, "a task could not be given back", &err);
    } else {
        end(b, t);
    }
}

/* ---- choosing ---- */

static bool is_free(const med_background *b, const med_task_note *t)
{
    if (t->state == MED_TASK_WAITING)
        return true;
    return t->state == MED_TASK_RUNNING
           && (b->alone || t->lease_until < med_now(b->base->clock)
               || med_str_eq(t->owner, (med_str){b->node, sizeof b->node}));
}

static bool work(med_background *b)
{
    size_t n = 0;
    med_err err = {0};
    med_task_note *tasks = NULL;
    med_arena *a = med_arena_new(ARENA);
    bool ok = a != NULL && med_editions_tasks(b->editions, a, &tasks, &n, &err);
    bool worked = false;
    for (size_t i = 0; ok && i < n; i++) { /* so that all of them are seen to wait */
        med_err other = {0};
        if (tasks[i].unwritten && med_task_note_write(b->base->store, &tasks[i], &other))
            tasks[i].unwritten = false;
    }
    for (size_t i = 0; ok && !worked && i < n; i++) {
        if (tasks[i].unwritten || !is_free(b, &tasks[i]))
            continue;
        run_task(b, &tasks[i]);
        worked = true;
    }
    if (!ok)
        complain(b, "tasks can not be looked at", &err);
    med_arena_free(a);
    return worked;
}

static void *main_loop(void *arg)
{
    med_background *b = arg;
    med_thread_name("tasks", -1);
    med_thread_step_back(MODEST);
    do {
        look(b);
        while (work(b) && !pause_for(b, 0)) {
        }
    } while (!pause_for(b, TICK_SECONDS * (int64_t)SECOND));
    return NULL;
}

/* ---- life ---- */

med_background *med_background_start(med_editions *editions, const med_fhir *base, unsigned slot,
                                     bool alone, med_err *err)
{
    sigset_t all, before;
    med_background *b = MED_NEW(1, med_background);
    if (b == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    b->editions = editions;
    b->base = base;
    b->slot = slot;
    b->alone = alone;
    med_random_uuid(base->random, b->node);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->wake, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&b->thread, NULL, main_loop, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        return b;
    (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "no thread for background work");
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    med_free(b);
    return NULL;
}

void med_background_stop(med_background *b)
{
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->lock);
    b->stopping = true;
    pthread_cond_broadcast(&b->wake);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    med_free(b);
}
