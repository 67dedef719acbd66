/* manage.c - see manage.h. https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include "manage.h"

#include "base/json.h"
#include "base/mem.h"

enum {
    ANSWER_BYTES = 1 << 20,
    ARENA_BYTES = 4 << 20,
    CONNECTIONS = 64,
    STOP_SECONDS = 1,
    SECOND = 1000000,
};

struct med_manage {
    med_manage_config config;
    med_http_config http_config;
    med_http_server *http;
    int64_t started; /* monotonic microseconds */
};

static void answer(med_http_exchange *x, int status, const char *type, med_str body)
{
    x->response.status = status;
    x->response.body = body;
    (void)med_response_header(&x->response, "Content-Type", med_str_from(type));
}

/* Moves what was written into the exchange, which outlives the buffer. */
static void answer_buf(med_http_exchange *x, int status, const char *type, med_buf *out)
{
    med_str body;
    if (!out->failed && med_arena_copy(x->arena, med_buf_str(out), &body))
        answer(x, status, type, body);
    else
        answer(x, 503, "text/plain; charset=utf-8", MED_STR("no memory for the answer\n"));
    med_buf_free(out);
}

static void answer_metrics(const med_manage *m, med_http_exchange *x)
{
    med_buf out;
    med_buf_init(&out, ANSWER_BYTES);
    med_serve_metrics(m->config.server, &out);
    answer_buf(x, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}

/* ---- health ---- */

static const char *state_of(const med_store_stats *s)
{
    if (s->failed)
        return "failed"; /* an I/O error at a commit; the process ends and must start again */
    return s->writable ? "ok" : "read-only";
}

static void write_count(med_json_writer *w, const char *key, uint64_t n)
{
    med_json_key(w, med_str_from(key));
    med_json_int(w, (int64_t)n);
}

static void write_flag(med_json_writer *w, const char *key, bool value)
{
    med_json_key(w, med_str_from(key));
    med_json_bool(w, value);
}

static void write_store(med_json_writer *w, const med_store_stats *s)
{
    med_json_key(w, MED_STR("store"));
    med_json_open(w, '{');
    write_flag(w, "writable", s->writable);
    write_flag(w, "failed", s->failed);
    write_count(w, "resources", s->resources);
    write_count(w, "versions", s->versions);
    write_count(w, "lastChange", (uint64_t)s->last_t);
    write_count(w, "commits", s->commits);
    write_count(w, "commitGroups", s->groups);
    write_count(w, "syncFailures", s->sync_failures);
    write_count(w, "damaged", s->damaged);
    write_count(w, "databaseBytes", s->bytes_database);
    write_count(w, "walBytes", s->bytes_wal);
    med_json_close(w, '}');
}

static void write_replicas(med_json_writer *w, const med_replicas *all)
{
    med_json_key(w, MED_STR("replicas"));
    med_json_open(w, '[');
    for (size_t i = 0; i < all->n; i++) {
        const med_replica *r = &all->at[i];
        med_json_open(w, '{');
        med_json_pair(w, "name", med_str_from(r->name));
        write_flag(w, "used", r->used);
        if (r->behind >= 0)
            write_count(w, "behindMilliseconds", (uint64_t)r->behind / 1000);
        write_count(w, "reads", r->reads);
        if (r->why[0] != '\0')
            med_json_pair(w, "why", med_str_from(r->why));
        med_json_close(w, '}');
    }
    med_json_close(w, ']');
    write_count(w, "readsPastReplicas", all->behind + all->away);
}

static void write_health(const med_manage *m, const med_store_stats *store, med_buf *out)
{
    med_serve_load load;
    med_replicas replicas;
    med_serve_measure(m->config.server, &load);
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_pair(&w, "status", med_str_from(state_of(store)));
    med_json_pair(&w, "version", MED_STR(MED_VERSION));
    write_count(&w, "uptimeSeconds",
                (uint64_t)((med_monotonic(m->config.clock) - m->started) / SECOND));
    write_store(&w, store);
    med_store_replicas(m->config.store, &replicas);
    if (replicas.n > 0)
        write_replicas(&w, &replicas);
    med_json_key(&w, MED_STR("queues"));
    med_json_open(&w, '{');
    write_count(&w, "commits", store->queue);
    write_count(&w, "workers", load.workers_waiting);
    med_json_close(&w, '}');
    write_count(&w, "connections", load.connections);
    med_json_close(&w, '}');
    med_buf_addc(out, '\n');
}

static void answer_health(const med_manage *m, med_http_exchange *x)
{
    med_store_stats store;
    med_buf out;
    med_store_count(m->config.store, &store);
    med_buf_init(&out, ANSWER_BYTES);
    write_health(m, &store, &out);
    answer_buf(x, store.failed || !store.writable ? 503 : 200, "application/json", &out);
}

/* ---- the server ---- */

static void receive(void *app, med_http_exchange *x)
{
    const med_manage *m = app;
    enum med_method method = x->request->method;
    bool metrics = med_str_eqz(x->request->path, "/metrics");
    if (!metrics && !med_str_eqz(x->request->path, "/health")) {
        answer(x, 404, "text/plain; charset=utf-8", MED_STR("here are /metrics and /health\n"));
    } else if (method != MED_GET && method != MED_HEAD) {
        answer(x, 405, "text/plain; charset=utf-8", MED_STR("only GET and HEAD\n"));
        (void)med_response_header(&x->response, "Allow", MED_STR("GET, HEAD"));
    } else if (metrics) {
        answer_metrics(m, x);
    } else {
        answer_health(m, x);
    }
    med_http_respond(x);
}

static med_http_limits small_limits(void)
{
    med_http_limits l = med_http_default_limits;
    l.connections = CONNECTIONS;
    l.connections_per_address = CONNECTIONS;
    l.arena = ARENA_BYTES;
    l.body = l.head;
    l.bodies_in_flight = CONNECTIONS * l.head;
    return l;
}

med_manage *med_manage_start(const med_manage_config *config, med_err *err)
{
    med_manage *m = MED_NEW(1, med_manage);
    if (m == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    m->config = *config;
    m->started = med_monotonic(config->clock);
    m->http_config = (med_http_config){.listen = config->listen,
                                       .loops = 1,
                                       .limits = small_limits(),
                                       .hosts = config->hosts,
                                       .n_hosts = config->n_hosts,
                                       .clock = config->clock,
                                       .random = config->random,
                                       .log = config->log};
    m->http = med_http_start(&m->http_config, receive, m, err);
    if (m->http != NULL)
        return m;
    med_free(m);
    return NULL;
}

med_str med_manage_address(const med_manage *m)
{
    return med_http_address(m->http);
}

void med_manage_stop(med_manage *m)
{
    if (m == NULL)
        return;
    med_http_drain(m->http, STOP_SECONDS);
    med_http_free(m->http);
    med_free(m);
}
