/* lists.c - see lists.h. */
#include "lists.h"

#include <pthread.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"

enum {
    TICK_MILLISECONDS = 200,
    LOOK_TICKS = 25,  /* between two looks whether the lists were thrown away */
    ASIDE_TICKS = 10, /* between two looks whether this process has to make them now */
    PAUSE = 100,      /* versions in a tick: more is a storm of writes */
    BEHIND = 4000,    /* versions; searches look at as many besides the lists */
    VIEW_SECONDS = 10,
    NICE = 10,
};

struct med_lists {
    const med_app *app;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    int64_t listed;       /* so many versions are in the lists */
    med_portion versions; /* that one step takes */
    unsigned aside;       /* ticks for which another process makes them */
};

/* False at the end. There is no waiting while there is more to do. */
static bool wait_tick(med_lists *l, bool more)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MILLISECONDS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&l->lock);
    if (!l->stopping && !more)
        (void)pthread_cond_timedwait(&l->wake, &l->lock, &until);
    bool go_on = !l->stopping;
    pthread_mutex_unlock(&l->lock);
    return go_on;
}

/* Versions so far. */
static int64_t newest(const med_lists *l)
{
    med_store_stats stats;
    med_store_count(l->app->store, &stats);
    return (int64_t)stats.versions;
}

static bool is_passing(const med_err *err)
{
    return err->issue == MED_ISSUE_CONFLICT || err->issue == MED_ISSUE_TIMEOUT
           || err->issue == MED_ISSUE_TRANSIENT || err->issue == MED_ISSUE_NO_STORE;
}

/* Of the processes on one store one makes the lists, and the others look now and then whether it
 * still does. */
static bool stands_aside(med_lists *l)
{
    med_err ignored = {0};
    bool mine = false;
    if (l->aside > 0) {
        l->aside--;
        return true;
    }
    if (!med_store_claim_lists(l->app->store, &mine, &ignored) || !mine)
        l->aside = ASIDE_TICKS;
    return l->aside > 0;
}

/* One step; what fails is tried again at the next tick. */
static bool step(med_lists *l, int64_t versions, bool *failing)
{
    med_err err = {0};
    bool done;
    int64_t deadline = med_monotonic(&med_clock_system) + (int64_t)VIEW_SECONDS * INT64_C(1000000);
    bool good = med_terms_step(&l->app->terms, l->app->store, med_app_list_slot(l->app), deadline,
                               &l->versions, &done, &err);
    if (good && done)
        l->listed = versions;
    if (!good && !is_passing(&err) && !*failing)
        MED_LOG(&l->app->log, MED_LOG_ERROR, "the full-text lists can not be brought up to date",
                MED_LOG_TEXT("why", med_str_from(err.text)));
    *failing = !good;
    return good && !done;
}

static void *run(void *lists)
{
    med_lists *l = lists;
    int64_t before = newest(l);
    bool failing = false, more = false;
    unsigned ticks = 0;
    med_thread_name("lists", -1);
    med_thread_step_back(NICE);
    while (wait_tick(l, more)) {
        if (stands_aside(l)) {
            more = false;
            continue;
        }
        int64_t now = newest(l);
        bool storm = now - before > PAUSE && now - l->listed < BEHIND;
        before = now;
        if (++ticks % LOOK_TICKS == 0)
            l->listed = -1;
        more = now != l->listed && !storm && step(l, now, &failing);
    }
    return NULL;
}

med_lists *med_lists_start(const med_app *app, med_err *err)
{
    med_lists *l = MED_NEW(1, med_lists);
    if (l == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    *l = (med_lists){.app = app, .listed = -1};
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_cond_init(&l->wake, NULL);
    if (!med_store_keeps_lists(app->store))
        return l;
    l->runs = pthread_create(&l->thread, NULL, run, l) == 0;
    if (l->runs)
        return l;
    med_lists_stop(l);
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no thread for the full-text lists");
    return NULL;
}

void med_lists_stop(med_lists *l)
{
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    if (l->runs)
        (void)pthread_join(l->thread, NULL);
    (void)pthread_cond_destroy(&l->wake);
    (void)pthread_mutex_destroy(&l->lock);
    med_free(l);
}
