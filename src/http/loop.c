/* loop.c - one event loop on its own thread: posts, the tick of deadlines, spare arenas. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "base/thread.h"
#include "http/http_impl.h"

/* ---- posts ---- */

static void wake_up(med_loop *l)
{
    uint64_t one = 1;
    ssize_t n;
    do {
        n = write(l->wake_fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR); /* EAGAIN: it is awake enough */
}

/* A post can not be refused: its caller has no way to go on without it. */
static void grow_posts(med_loop *l)
{
    size_t cap = l->cap_posts == 0 ? 64 : 2 * l->cap_posts;
    med_post *bigger = med_realloc(l->posts, cap, sizeof *bigger);
    if (bigger == NULL)
        abort();
    l->posts = bigger;
    l->cap_posts = cap;
}

void med_loop_run_on(med_loop *l, void (*fn)(void *), void *arg)
{
    pthread_mutex_lock(&l->lock);
    bool first = l->n_posts == 0 && l->answers == NULL;
    if (l->n_posts == l->cap_posts)
        grow_posts(l);
    l->posts[l->n_posts++] = (med_post){fn, arg};
    pthread_mutex_unlock(&l->lock);
    if (first)
        wake_up(l);
}

void med_loop_answer(med_loop *l, med_exchange *x)
{
    x->next_answer = NULL;
    pthread_mutex_lock(&l->lock);
    bool first = l->n_posts == 0 && l->answers == NULL;
    if (l->answers == NULL)
        l->answers = x;
    else
        l->last_answer->next_answer = x;
    l->last_answer = x;
    pthread_mutex_unlock(&l->lock);
    if (first)
        wake_up(l);
}

/* Runs what was posted until now; what is posted meanwhile wakes the loop again. */
static void run_posts(med_loop *l)
{
    pthread_mutex_lock(&l->lock);
    med_post *posts = l->posts;
    size_t n = l->n_posts, cap = l->cap_posts;
    l->posts = l->running;
    l->cap_posts = l->cap_running;
    l->n_posts = 0;
    l->running = posts;
    l->cap_running = cap;
    med_exchange *x = l->answers;
    l->answers = l->last_answer = NULL;
    pthread_mutex_unlock(&l->lock);
    while (x != NULL) {
        med_exchange *next = x->next_answer;
        med_conn_answer(x->conn);
        x = next;
    }
    for (size_t i = 0; i < n; i++)
        posts[i].run(posts[i].arg);
}

static void on_wake(int fd, short what, void *arg)
{
    (void)what;
    uint64_t n;
    if (read(fd, &n, sizeof n) > 0)
        run_posts(arg);
}

/* ---- the tick ---- */

static void on_tick(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    med_loop *l = arg;
    l->now = med_monotonic(l->server->config.clock);
    for (med_conn *c = l->conns, *next = NULL; c != NULL; c = next) {
        next = c->next;
        med_conn_tick(c);
    }
    med_listener_resume(l);
    l->ticking = false;
    if (l->conns != NULL || !l->accepting)
        med_loop_keep_ticking(l);
}

/* An idle server sleeps: the tick runs only while there is something to look at. */
void med_loop_keep_ticking(med_loop *l)
{
    if (l->ticking)
        return;
    const struct timeval period = {.tv_usec = MED_HTTP_TICK_MS * 1000L};
    l->ticking = evtimer_add(l->tick, &period) == 0;
}

/* ---- arenas, date ---- */

med_arena *med_loop_take_arena(med_loop *l)
{
    size_t limit = l->server->config.limits.arena;
    if (l->n_arenas == 0)
        return med_arena_new(limit);
    med_arena *a = l->arenas[--l->n_arenas];
    med_arena_set_limit(a, limit);
    return a;
}

void med_loop_give_arena(med_loop *l, med_arena *a)
{
    if (l->n_arenas == MED_HTTP_FREE_ARENAS) {
        med_arena_free(a);
        return;
    }
    med_arena_reset(a);
    l->arenas[l->n_arenas++] = a;
}

med_str med_loop_date(med_loop *l)
{
    int64_t now = med_now(l->server->config.clock);
    if (now / 1000000 != l->date_second) {
        l->date_second = now / 1000000;
        med_http_date_format(now, l->date);
    }
    return (med_str){l->date, MED_HTTP_DATE_LEN};
}

/* ---- life ---- */

/* No signals, no change lists: a connection is added to epoll once. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

bool med_loop_init(med_loop *l, med_http_server *s, unsigned index, med_err *err)
{
    *l = (med_loop){.server = s, .index = index, .wake_fd = -1, .listen_fd = -1};
    l->date_second = INT64_MIN;
    pthread_mutex_init(&l->lock, NULL);
    l->scratch = MED_NEW(MED_HTTP_SCRATCH, char);
    l->base = new_base();
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->scratch != NULL && l->base != NULL && l->wake_fd >= 0) {
        l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
        l->tick = evtimer_new(l->base, on_tick, l);
    }
    if (l->wake == NULL || l->tick == NULL || event_add(l->wake, NULL) != 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not make event loop %u", index);
    l->now = med_monotonic(s->config.clock);
    return true;
}

static void *loop_main(void *arg)
{
    med_loop *l = arg;
    pthread_mutex_lock(&l->lock); /* until l->thread is set */
    pthread_mutex_unlock(&l->lock);
    med_thread_name("loop", (int)l->index);
    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* Signals belong to the main thread. SIGPIPE stays blocked for the writes of OpenSSL. */
bool med_loop_start(med_loop *l, med_err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&l->lock);
    l->started = pthread_create(&l->thread, NULL, loop_main, l) == 0;
    pthread_mutex_unlock(&l->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!l->started)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not start event loop %u", l->index);
    return true;
}

bool med_loop_is_current(const med_loop *l)
{
    return l->started && pthread_equal(pthread_self(), l->thread) != 0;
}

static void break_loop(void *arg)
{
    med_loop *l = arg;
    event_base_loopbreak(l->base);
}

void med_loop_stop(med_loop *l)
{
    if (l->started) {
        med_loop_run_on(l, break_loop, l);
        pthread_join(l->thread, NULL);
        l->started = false;
    }
    if (l->base != NULL)
        run_posts(l); /* answers that came too late for the loop give their memory back */
}

void med_loop_free(med_loop *l)
{
    while (l->conns != NULL)
        med_conn_abandon(l->conns);
    med_listener_close(l);
    while (l->n_arenas > 0)
        med_arena_free(l->arenas[--l->n_arenas]);
    if (l->wake != NULL)
        event_free(l->wake);
    if (l->tick != NULL)
        event_free(l->tick);
    if (l->base != NULL)
        event_base_free(l->base);
    if (l->wake_fd >= 0)
        (void)close(l->wake_fd);
    med_free(l->posts);
    med_free(l->running);
    med_free(l->scratch);
    pthread_mutex_destroy(&l->lock);
}
