/* server.c - start, drain, end; and the two calls other threads make. */
#include "http/server.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/http_impl.h"

/* ---- start ---- */

static unsigned count_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

/* Sockets must not use up the descriptors that the store needs. */
static void fit_connections(med_http_server *s)
{
    enum { FOR_OTHERS = 128 };
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < (rlim_t)2 * FOR_OTHERS)
        return;
    uint64_t most = files.rlim_cur - FOR_OTHERS;
    if (s->config.limits.connections <= most)
        return;
    s->config.limits.connections = (uint32_t)most;
    MED_LOG(s->config.log, MED_LOG_WARN, "fewer connections than configured: raise LimitNOFILE",
            MED_LOG_INT("connections", (int64_t)most));
}

static bool read_proxies(med_http_server *s, med_err *err)
{
    s->proxies = MED_NEW(s->config.n_proxies, med_address_range);
    if (s->proxies == NULL)
        return MED_FAIL_MEMORY(err);
    for (; s->n_proxies < s->config.n_proxies; s->n_proxies++) {
        if (!med_address_range_parse(s->config.proxies[s->n_proxies], &s->proxies[s->n_proxies],
                                     err))
            return false;
    }
    return true;
}

static bool read_tls(med_http_server *s, med_err *err)
{
    const med_http_config *c = &s->config;
    if (c->certificate_file.len == 0 && c->key_file.len == 0)
        return true;
    if (c->certificate_file.len == 0 || c->key_file.len == 0)
        return MED_FAIL(err, MED_ISSUE_VALUE, "TLS needs both a certificate file and a key file");
    s->tls = med_tls_new(c->certificate_file, c->key_file, err);
    return s->tls != NULL;
}

static bool make_loops(med_http_server *s, med_err *err)
{
    unsigned wanted = s->config.loops == 0 ? count_cores() : s->config.loops;
    s->loops = MED_NEW(wanted, med_loop);
    if (s->loops == NULL)
        return MED_FAIL_MEMORY(err);
    for (bool ok = true; ok && s->n_loops < wanted;) {
        ok = med_loop_init(&s->loops[s->n_loops], s, s->n_loops, err);
        s->n_loops++;
        if (!ok)
            return false;
    }
    return true;
}

static bool prepare(med_http_server *s, med_err *err)
{
    fit_connections(s);
    med_random_fill(s->config.random, &s->key, sizeof s->key);
    s->addresses = med_address_table_new(s->config.limits.connections, s->config.random);
    s->deflaters = med_deflaters_new();
    if (s->addresses == NULL || s->deflaters == NULL)
        return MED_FAIL_MEMORY(err);
    if (!read_proxies(s, err) || !read_tls(s, err) || !make_loops(s, err))
        return false;
    if (!med_listener_open(s, err))
        return false;
    for (unsigned i = 0; i < s->n_loops; i++) {
        if (!med_loop_start(&s->loops[i], err))
            return false;
    }
    return true;
}

/* For waiting by a clock that nobody sets. */
static void init_drain(med_http_server *s)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->drain_lock, NULL);
    pthread_cond_init(&s->drained, &attr);
    pthread_condattr_destroy(&attr);
}

med_http_server *med_http_start(const med_http_config *config, med_http_handler handler, void *app,
                                med_err *err)
{
    med_http_server *s = MED_NEW(1, med_http_server);
    if (s == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    s->config = *config;
    s->handler = handler;
    s->app = app;
    init_drain(s);
    if (prepare(s, err))
        return s;
    med_http_free(s);
    return NULL;
}

med_str med_http_address(const med_http_server *s)
{
    return med_str_from(s->address);
}

unsigned med_http_loops(const med_http_server *s)
{
    return s->n_loops;
}

/* ---- from other threads ---- */

void med_http_post(med_http_server *s, unsigned loop, void (*fn)(void *), void *arg)
{
    med_loop_run_on(&s->loops[loop], fn, arg);
}

void med_http_resume(med_http_exchange *x, void (*fn)(void *), void *arg)
{
    med_exchange *whole = (med_exchange *)x;
    med_loop_run_on(whole->conn->loop, fn, arg);
}

void med_http_respond(med_http_exchange *x)
{
    med_exchange *whole = (med_exchange *)x;
    med_loop *l = whole->conn->loop;
    /* here, because on a worker it costs nobody else anything */
    med_response_compress(l->server->deflaters, x->arena, x->request->accepts_gzip, &x->response);
    if (med_loop_is_current(l))
        med_conn_answer(whole->conn);
    else
        med_loop_answer(l, whole);
}

/* ---- the end ---- */

static void drain_loop(void *arg)
{
    med_loop *l = arg;
    med_listener_close(l);
    for (med_conn *c = l->conns, *next = NULL; c != NULL; c = next) {
        next = c->next;
        if (med_conn_is_idle(c))
            med_conn_close(c);
    }
}

static void close_all(void *arg)
{
    med_loop *l = arg;
    for (med_conn *c = l->conns, *next = NULL; c != NULL; c = next) {
        next = c->next;
        med_conn_close(c);
    }
}

void med_http_drain(med_http_server *s, unsigned seconds)
{
    atomic_store(&s->draining, true);
    for (unsigned i = 0; i < s->n_loops; i++)
        med_loop_run_on(&s->loops[i], drain_loop, &s->loops[i]);
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&s->drain_lock);
    int late = 0;
    while (atomic_load(&s->open) > 0 && late == 0)
        late = pthread_cond_timedwait(&s->drained, &s->drain_lock, &until);
    pthread_mutex_unlock(&s->drain_lock);
    for (unsigned i = 0; i < s->n_loops; i++)
        med_loop_run_on(&s->loops[i], close_all, &s->loops[i]);
}

void med_http_free(med_http_server *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < s->n_loops; i++)
        med_loop_stop(&s->loops[i]);
    for (unsigned i = 0; i < s->n_loops; i++)
        med_loop_free(&s->loops[i]);
    if (s->unix_path[0] != '\0')
        (void)unlink(s->unix_path);
    med_free(s->loops);
    med_free(s->proxies);
    med_tls_free(s->tls);
    med_address_table_free(s->addresses);
    med_deflaters_free(s->deflaters);
    pthread_cond_destroy(&s->drained);
    pthread_mutex_destroy(&s->drain_lock);
    med_free(s);
}

void med_http_count(const med_http_server *s, med_http_counters *out)
{
    *out = (med_http_counters){.open = atomic_load_explicit(&s->open, memory_order_relaxed)};
    for (unsigned i = 0; i < s->n_loops; i++) {
        const med_loop *l = &s->loops[i];
#define SUM(field) out->field += atomic_load_explicit(&l->field, memory_order_relaxed)
        SUM(accepted);
        SUM(refused);
        SUM(requests);
        SUM(bytes_in);
        SUM(bytes_out);
        SUM(timeouts);
        SUM(malformed);
#undef SUM
    }
}
