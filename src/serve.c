/* serve.c - the story of a request: receive, route, prepare, commit, finish, respond.
 *
 * A loop thread runs what is certainly short. Whatever says MED_STEP_AGAIN, has a large body or
 * must be prepared anew goes to the worker pool, so that a slow question never delays a quick
 * one. Nobody waits for the disk: the commit thread hands the call back to its loop.
 *
 * When the store is far (PostgreSQL) even the shortest question waits for somebody else. Loops then
 * ask nothing: reads by id and lone writes go to a pool of their own, so that no number of slow
 * searches, which have the other, can hold them up. */
#include "serve.h"

#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "fhir/content.h"
#include "fhir/perform.h"
#include "fhir/route.h"
#include "serve_async.h"
#include "serve_http.h"
#include "serve_metrics.h"
#include "serve_position.h"

enum {
    FAR_NICE = 5,               /* of workers that mostly wait: the database has its own priority */
    LOOP_BODY_BYTES = 64 << 10, /* a larger body is parsed on a worker */
    LOOP_VIEW_SECONDS = 2,
    FAR_VIEW_SECONDS = 10,
    WORKER_VIEW_SECONDS = 30,
    SECOND = 1000000,
};

struct med_server {
    med_serve_config config;
    med_http_server *http;
    med_worker_pool *pool;
    med_worker_pool *quick; /* NULL: the store is near, and loops do it */
    med_metrics *metrics;
    med_positions *positions;
    atomic_uint held; /* exchanges begun and not answered: in a worker, a loop or a commit */
};

/* One exchange from its request to its answer; lives in the exchange's arena. */
typedef struct exchange {
    med_server *server;
    med_http_exchange *http;
    med_call call;
    med_performance performance;
    bool steady; /* it is done again, because a replica failed: from the primary */
} exchange;

static void advance(exchange *x, enum med_next next);
static bool begin(exchange *x, med_str path, med_err *err);

static void respond(exchange *x)
{
    med_serve_write_response(&x->server->config, x->http, &x->call);
    med_positions_answer(x->server->positions, x->http->request, &x->call, &x->http->response);
    med_metrics_count(x->server->metrics, &x->call,
                      med_monotonic(x->server->config.http.clock) - x->http->received);
    med_serve_log(&x->server->config, x->http, &x->call);
    med_server *s = x->server;
    med_http_respond(x->http);
    (void)atomic_fetch_sub(&s->held, 1);
}

static void fail(exchange *x, const med_err *err)
{
    med_call_fail(&x->call, err);
    respond(x);
}

/* A read whose replica went away in the middle: nothing was answered yet. */
static void read_again(exchange *x)
{
    med_err err = {0};
    x->steady = true;
    med_call_init(&x->call, x->call.fhir, x->http->arena);
    med_performance_init(&x->performance, &x->call);
    if (begin(x, med_serve_fhir_path(&x->server->config, x->http->request->path), &err))
        advance(x, MED_NEXT_WORKER);
    else
        fail(x, &err);
}

/* Runs one step of the call with a view of this thread, then does what comes next. */
static void run_step(exchange *x, unsigned slot, unsigned seconds, bool committed)
{
    med_err err = {0};
    const med_fhir *f = x->call.fhir;
    int64_t deadline = med_monotonic(f->clock) + (int64_t)seconds * SECOND;
    x->call.slot = slot;
    x->call.view = med_store_view(f->store, slot, deadline, &err);
    if (x->call.view == NULL) {
        med_perform_abandon(&x->performance, committed, &err);
        respond(x);
        return;
    }
    if (!committed && !x->steady)
        med_positions_lag(x->server->positions, x->http->request, &x->call);
    enum med_next next =
        committed ? med_perform_committed(&x->performance) : med_perform_step(&x->performance);
    bool cut = x->call.view != NULL && med_view_was_cut(x->call.view);
    if (x->call.view != NULL)
        med_view_end(x->call.view);
    x->call.view = NULL;
    if (cut)
        read_again(x);
    else
        advance(x, next);
}

static void work(void *arg, unsigned worker)
{
    exchange *x = arg;
    x->call.on_worker = true;
    run_step(x, x->server->config.quick + worker, WORKER_VIEW_SECONDS, false);
}

static void work_quickly(void *arg, unsigned worker)
{
    exchange *x = arg;
    x->call.on_worker = false;
    run_step(x, worker, FAR_VIEW_SECONDS, false);
}

static void committed_quickly(void *arg, unsigned worker)
{
    exchange *x = arg;
    x->call.on_worker = false;
    run_step(x, worker, FAR_VIEW_SECONDS, true);
}

static void committed_on_loop(void *arg)
{
    exchange *x = arg;
    x->call.on_worker = false;
    run_step(x, x->http->loop, LOOP_VIEW_SECONDS, true);
}

static void committed_on_worker(void *arg, unsigned worker)
{
    exchange *x = arg;
    x->call.on_worker = true;
    run_step(x, x->server->config.quick + worker, WORKER_VIEW_SECONDS, true);
}

/* The answer to a large Bundle is large, too, and XML is dear. What is stored must be answered:
 * when no worker is to be had the loop does it. */
static void commit_done(med_commit *c)
{
    exchange *x = c->arg;
    bool dear =
        x->http->request->body_bytes > LOOP_BODY_BYTES || x->call.request.answer == MED_FORMAT_XML;
    if (dear && med_worker_pool_submit(x->server->pool, committed_on_worker, x))
        return;
    /* The queue has a place for every connection. */
    if (x->server->quick != NULL
        && med_worker_pool_resubmit(x->server->quick, committed_quickly, x))
        return;
    med_http_resume(x->http, committed_on_loop, x);
}

static void send_to(exchange *x, med_worker_pool *pool, med_job job)
{
    med_err err = {0};
    if (med_worker_pool_submit(pool, job, x))
        return;
    (void)MED_FAIL(&err, MED_ISSUE_TRANSIENT, "the server is busy; try again shortly");
    med_perform_abandon(&x->performance, false, &err);
    respond(x);
}

static void send_to_worker(exchange *x)
{
    send_to(x, x->server->pool, work);
}

static void send_to_commit(exchange *x)
{
    med_err err = {0};
    med_commit *c = &x->performance.commit;
    c->done = commit_done;
    c->arg = x;
    if (!med_store_commit(x->call.fhir->store, c, &err))
        fail(x, &err);
}

static void advance(exchange *x, enum med_next next)
{
    switch (next) {
    case MED_NEXT_RESPOND:
        respond(x);
        return;
    case MED_NEXT_COMMIT:
        send_to_commit(x);
        return;
    case MED_NEXT_WORKER:
        send_to_worker(x);
        return;
    }
}

/* Route and headers: all that can be refused before the body is looked at. */
static bool begin(exchange *x, med_str path, med_err *err)
{
    const med_request *r = x->http->request;
    return med_content_headers(&x->call, r, err)
           && med_route(&x->call, r->method, path, r->query, err)
           && med_content_negotiate(&x->call, err)
           && med_http_body(x->http, &x->call.request.body, err);
}

/* A question that is answered later, or the status of one. */
static void work_async(void *arg, unsigned worker)
{
    exchange *x = arg;
    med_err err = {0};
    med_server *s = x->server;
    const med_fhir *f = x->call.fhir;
    med_str path = med_serve_fhir_path(&s->config, x->http->request->path);
    unsigned slot = s->config.quick + worker;
    x->call.view = med_store_view(
        f->store, slot, med_monotonic(f->clock) + WORKER_VIEW_SECONDS * (int64_t)SECOND, &err);
    bool status = med_async_is_status(path);
    if (x->call.view == NULL || (status && !med_content_headers(&x->call, x->http->request, &err)))
        med_call_fail(&x->call, &err);
    else if (status)
        med_async_status(s->config.jobs, x->http, &x->call, path);
    else
        med_async_begin(s->config.jobs, x->http, &x->call, path);
    med_view_end(x->call.view);
    x->call.view = NULL;
    respond(x);
}

static void send_async(exchange *x)
{
    med_err err = {0};
    if (med_worker_pool_submit(x->server->pool, work_async, x))
        return;
    (void)MED_FAIL(&err, MED_ISSUE_TRANSIENT, "the server is busy; try again shortly");
    fail(x, &err);
}

static void begin_large(void *arg, unsigned worker)
{
    exchange *x = arg;
    med_err err = {0};
    x->call.on_worker = true;
    if (!begin(x, med_serve_fhir_path(&x->server->config, x->http->request->path), &err))
        fail(x, &err);
    else
        run_step(x, x->server->config.quick + worker, WORKER_VIEW_SECONDS, false);
}

/* One resource by its id, read or written, or a create without a condition: a few round trips. */
static bool is_quick(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    if (r->operation.len > 0)
        return r->level == MED_LEVEL_SYSTEM && r->method == MED_GET && r->query.n == 0;
    return r->level == MED_LEVEL_INSTANCE || r->level == MED_LEVEL_VERSION
           || (r->level == MED_LEVEL_TYPE && r->method == MED_POST && r->if_none_exist.len == 0);
}

static void receive_fhir(med_server *s, med_http_exchange *http)
{
    med_err err = {0};
    exchange *x = MED_TAKE(http->arena, 1, exchange);
    if (x == NULL) {
        http->response.status = 503;
        med_http_respond(http);
        return;
    }
    x->server = s;
    x->http = http;
    const med_fhir *f = s->config.fhir;
    if (s->config.editions != NULL)
        f = med_editions_hold(s->config.editions, http->arena);
    if (f == NULL) {
        http->response.status = 503;
        med_http_respond(http);
        return;
    }
    (void)atomic_fetch_add(&s->held, 1);
    med_call_init(&x->call, f, http->arena);
    med_performance_init(&x->performance, &x->call);
    if (s->config.jobs != NULL
        && med_async_is_status(med_serve_fhir_path(&s->config, http->request->path))) {
        send_async(x);
        return;
    }
    if (http->request->body_bytes > LOOP_BODY_BYTES) {
        if (!med_worker_pool_submit(s->pool, begin_large, x)) {
            (void)MED_FAIL(&err, MED_ISSUE_TRANSIENT, "the server is busy; try again shortly");
            fail(x, &err);
        }
    } else if (!begin(x, med_serve_fhir_path(&s->config, http->request->path), &err)) {
        fail(x, &err);
    } else if (s->config.jobs != NULL && med_jobs_takes(&x->call)) {
        send_async(x);
    } else if (x->call.request.answer == MED_FORMAT_XML) {
        send_to_worker(x); /* making it costs several times what finding the answer does */
    } else if (s->quick != NULL) {
        send_to(x, is_quick(&x->call) ? s->quick : s->pool,
                is_quick(&x->call) ? work_quickly : work);
    } else {
        run_step(x, http->loop, LOOP_VIEW_SECONDS, false);
    }
}

static void receive(void *app, med_http_exchange *http)
{
    med_server *s = app;
    if (med_serve_plain_page(&s->config, http))
        med_http_respond(http);
    else
        receive_fhir(s, http);
}

static bool open_pools(med_server *s, med_err *err)
{
    const med_serve_config *c = &s->config;
    if (!med_store_is_far(c->fhir->store)) {
        s->config.quick = c->http.loops;
        s->pool = med_worker_pool_new(c->workers, c->worker_queue, err);
        return s->pool != NULL;
    }
    med_worker_options o = {.name = "worker",
                            .workers = c->workers,
                            .queue_limit = c->worker_queue,
                            .room = c->worker_queue,
                            .nice = FAR_NICE};
    s->pool = med_worker_pool_open(&o, err);
    o = (med_worker_options){.name = "quick",
                             .workers = c->quick,
                             .queue_limit = c->worker_queue,
                             .room = c->worker_queue + c->http.limits.connections};
    s->quick = s->pool == NULL ? NULL : med_worker_pool_open(&o, err);
    return s->quick != NULL;
}

med_server *med_serve_start(const med_serve_config *config, med_err *err)
{
    med_server *s = med_alloc(1, sizeof *s);
    if (s == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory for the server");
        return NULL;
    }
    *s = (med_server){.config = *config};
    s->config.http.render_error = med_serve_refusal;
    s->metrics = med_metrics_new();
    s->positions = med_positions_new(config->fhir->store, err);
    if (open_pools(s, err) && s->metrics != NULL && s->positions != NULL
        && med_store_follow(config->fhir->store, err))
        s->http = med_http_start(&s->config.http, receive, s, err);
    if (s->http != NULL)
        return s;
    med_serve_stop(s, 0);
    return NULL;
}

med_str med_serve_address(const med_server *s)
{
    return med_http_address(s->http);
}

/* A commit that is under way when patience ends still comes back with its exchange. */
static void await_held(const med_server *s)
{
    const struct timespec pause = {0, 2000000};
    while (atomic_load(&s->held) > 0)
        (void)nanosleep(&pause, NULL);
}

void med_serve_stop(med_server *s, unsigned seconds)
{
    if (s->http != NULL)
        med_http_drain(s->http, seconds);
    await_held(s);
    med_worker_pool_free(s->pool);
    med_worker_pool_free(s->quick);
    if (s->http != NULL)
        med_http_free(s->http);
    med_metrics_free(s->metrics);
    med_positions_free(s->positions);
    med_free(s);
}

void med_serve_measure(const med_server *s, med_serve_load *out)
{
    med_http_counters http;
    med_http_count(s->http, &http);
    *out = (med_serve_load){.workers_waiting = med_worker_pool_waiting(s->pool),
                            .connections = http.open};
}

static void write_replicas(med_store *store, med_buf *out)
{
    med_replicas all;
    med_store_replicas(store, &all);
    if (all.n == 0)
        return;
    med_buf_addz(out, "# TYPE medulla_replica_used gauge\n");
    for (size_t i = 0; i < all.n; i++)
        med_buf_printf(out, "medulla_replica_used{replica=\"%zu\"} %d\n", i + 1, all.at[i].used);
    med_buf_addz(out, "# HELP medulla_replica_behind_seconds At most; -1: not known.\n"
                      "# TYPE medulla_replica_behind_seconds gauge\n");
    for (size_t i = 0; i < all.n; i++)
        med_buf_printf(out, "medulla_replica_behind_seconds{replica=\"%zu\"} %.3f\n", i + 1,
                       all.at[i].behind < 0 ? -1 : (double)all.at[i].behind / 1e6);
    med_buf_addz(out, "# TYPE medulla_replica_reads_total counter\n");
    for (size_t i = 0; i < all.n; i++)
        med_buf_printf(out, "medulla_replica_reads_total{replica=\"%zu\"} %lu\n", i + 1,
                       (unsigned long)all.at[i].reads);
    med_buf_printf(out,
                   "# HELP medulla_replica_passed_total Reads that went to the primary instead.\n"
                   "# TYPE medulla_replica_passed_total counter\n"
                   "medulla_replica_passed_total{why=\"behind\"} %lu\n"
                   "medulla_replica_passed_total{why=\"away\"} %lu\n",
                   (unsigned long)all.behind, (unsigned long)all.away);
}

void med_serve_metrics(med_server *s, med_buf *out)
{
    med_http_counters http;
    med_store_stats store;
    med_http_count(s->http, &http);
    med_store_count(s->config.fhir->store, &store);
    med_metrics_write(s->metrics, out);
    med_buf_printf(out, "# TYPE medulla_connections_open gauge\nmedulla_connections_open %u\n",
                   http.open);
    med_buf_printf(
        out, "# TYPE medulla_http_malformed_total counter\nmedulla_http_malformed_total %lu\n",
        (unsigned long)http.malformed);
    med_buf_printf(out, "# TYPE medulla_worker_queue gauge\nmedulla_worker_queue %zu\n",
                   med_worker_pool_waiting(s->pool));
    if (s->quick != NULL)
        med_buf_printf(out, "# TYPE medulla_quick_queue gauge\nmedulla_quick_queue %zu\n",
                       med_worker_pool_waiting(s->quick));
    med_buf_printf(out, "# TYPE medulla_commit_queue gauge\nmedulla_commit_queue %lu\n",
                   (unsigned long)store.queue);
    med_buf_printf(out, "# TYPE medulla_store_writable gauge\nmedulla_store_writable %d\n",
                   store.writable && !store.failed);
    med_buf_printf(out, "# TYPE medulla_resources gauge\nmedulla_resources %lu\n",
                   (unsigned long)store.resources);
    med_buf_printf(out, "# TYPE medulla_commits_total counter\nmedulla_commits_total %lu\n",
                   (unsigned long)store.commits);
    med_buf_printf(out,
                   "# TYPE medulla_commit_groups_total counter\nmedulla_commit_groups_total %lu\n",
                   (unsigned long)store.groups);
    med_buf_printf(out, "# TYPE medulla_wal_bytes gauge\nmedulla_wal_bytes %lu\n",
                   (unsigned long)store.bytes_wal);
    med_buf_printf(out, "# TYPE medulla_damaged_total counter\nmedulla_damaged_total %lu\n",
                   (unsigned long)store.damaged);
    write_replicas(s->config.fhir->store, out);
}
