/* echo_server.c - http/ alone, for the black-box tests: every limit can be set, every answer
 * tells what the server understood. Not part of the product.
 *
 *   echo_server [listen=127.0.0.1:0] [loops=2] [LIMIT=N]... [proxy=ADDRESS]... [host=NAME]...
 *               [certificate=FILE key=FILE] [drain=SECONDS]
 *
 * Prints "listening ADDRESS" and ends on SIGTERM after a drain.
 *   /constant       2 KB, at once            /async      the same, from a worker
 *   /large?bytes=N  N bytes of text          /echo       the body as received and inflated
 *   /slow?ms=N      after N milliseconds     /counters   what the server counted
 *   anything else: method, target, body length and headers as JSON */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/worker_pool.h"
#include "http/server.h"

enum { WORDS = 16, LARGEST = 64 << 20 };

typedef struct test_server {
    med_http_server *http;
    med_worker_pool *pool;
    char constant[2048];
    char *large;                    /* LARGEST bytes of text */
    _Atomic unsigned long smuggled; /* requests that no client sent as such */
} test_server;

typedef struct job {
    test_server *server;
    med_http_exchange *x;
    int64_t milliseconds;
} job;

static void drop_buf(void *arg)
{
    med_buf_free(arg);
}

/* A buffer that ends with the exchange; the program is short of memory when it is NULL. */
static med_buf *new_buf(med_http_exchange *x)
{
    med_buf *b = MED_TAKE(x->arena, 1, med_buf);
    if (b == NULL)
        return NULL;
    med_buf_init(b, (size_t)256 << 20);
    return med_arena_defer(x->arena, drop_buf, b) ? b : NULL;
}

static void say(med_http_exchange *x, int status, const char *type, med_str body)
{
    x->response.status = status;
    x->response.body = body;
    (void)med_response_header(&x->response, "Content-Type", med_str_from(type));
    med_http_respond(x);
}

static int64_t query_number(const med_http_exchange *x, const char *name)
{
    med_pairs pairs;
    med_err err = {0};
    int64_t n = 0;
    if (!med_query_parse(x->arena, x->request->query, &pairs, &err))
        return 0;
    for (size_t i = 0; i < pairs.n; i++) {
        if (med_str_eqz(pairs.at[i].name, name) && !med_str_to_int64(pairs.at[i].value, &n))
            return 0;
    }
    return n;
}

static void answer_constant(test_server *s, med_http_exchange *x)
{
    say(x, 200, "application/fhir+json", (med_str){s->constant, sizeof s->constant});
}

static void answer_large(const test_server *s, med_http_exchange *x)
{
    size_t n = (size_t)query_number(x, "bytes");
    say(x, 200, "text/plain", (med_str){s->large, n < LARGEST ? n : LARGEST});
}
static void answer_echo(med_http_exchange *x)
{
    med_str body;
    med_err err = {0};
    if (med_http_body(x, &body, &err))
        say(x, 200, "application/octet-stream", body);
    else
        say(x, med_err_http_status(&err), "text/plain",
            med_arena_printf(x->arena, "%s\n", err.text));
}

/* Resident bytes, 0 if nobody knows: the second number of statm, in pages. */
static int64_t resident_bytes(void)
{
    char text[256];
    FILE *f = fopen("/proc/self/statm", "r");
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof text, f);
    if (f != NULL)
        (void)fclose(f);
    med_str rest;
    (void)med_str_cut((med_str){text, n}, ' ', &rest);
    int64_t pages = 0;
    if (!med_str_to_int64(med_str_cut(rest, ' ', &rest), &pages))
        return 0;
    return pages * sysconf(_SC_PAGESIZE);
}

static void answer_counters(test_server *s, med_http_exchange *x)
{
    med_http_counters c;
    med_http_count(s->http, &c);
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    med_str text =
        med_arena_printf(x->arena,
                         "{\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"requests\":%" PRIu64
                         ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"timeouts\":%" PRIu64
                         ",\"malformed\":%" PRIu64 ",\"smuggled\":%lu,\"open\":%u,\"rss\":%" PRId64
                         ",\"cpu_us\":%ld}",
                         c.accepted, c.refused, c.requests, c.bytes_in, c.bytes_out, c.timeouts,
                         c.malformed, (unsigned long)s->smuggled, c.open, resident_bytes(),
                         (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L
                             + used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    say(x, 200, "application/json", text);
}

static void answer_mirror(med_http_exchange *x)
{
    const med_request *r = x->request;
    med_buf *b = new_buf(x);
    if (b == NULL)
        return;
    med_json_writer w = med_json_writer_to(b);
    med_json_open(&w, '{');
    med_json_pair(&w, "method", med_str_from(med_method_name(r->method)));
    med_json_pair(&w, "path", r->path);
    med_json_pair(&w, "query", r->query);
    med_json_pair(&w, "host", r->host);
    med_json_pair(&w, "peer", r->peer);
    med_json_pair(&w, "id", r->id);
    med_json_key(&w, MED_STR("secure"));
    med_json_bool(&w, r->secure);
    med_json_key(&w, MED_STR("body_bytes"));
    med_json_int(&w, (int64_t)r->body_bytes);
    med_json_key(&w, MED_STR("headers"));
    med_json_open(&w, '[');
    for (size_t i = 0; i < r->n_headers; i++)
        med_json_str(&w, r->headers[i].name);
    med_json_close(&w, ']');
    med_json_close(&w, '}');
    say(x, 200, "application/json", med_buf_str(b));
}

static void run_job(void *arg, unsigned worker)
{
    (void)worker;
    job *j = arg;
    if (j->milliseconds > 0)
        (void)usleep((useconds_t)(j->milliseconds * 1000));
    answer_constant(j->server, j->x);
}

static void answer_later(test_server *s, med_http_exchange *x)
{
    job *j = MED_TAKE(x->arena, 1, job);
    if (j == NULL)
        return;
    *j = (job){s, x, query_number(x, "ms")};
    if (!med_worker_pool_submit(s->pool, run_job, j))
        say(x, 503, "text/plain", MED_STR("the queue is full\n"));
}

static void handle(void *app, med_http_exchange *x)
{
    test_server *s = app;
    med_str path = x->request->path;
    if (med_str_search(path, MED_STR("smuggled"), 0) < path.len)
        s->smuggled++;
    if (med_str_eqz(path, "/constant"))
        answer_constant(s, x);
    else if (med_str_eqz(path, "/async") || med_str_eqz(path, "/slow"))
        answer_later(s, x);
    else if (med_str_eqz(path, "/large"))
        answer_large(s, x);
    else if (med_str_eqz(path, "/echo"))
        answer_echo(x);
    else if (med_str_eqz(path, "/counters"))
        answer_counters(s, x);
    else if (med_str_eqz(path, "/none"))
        say(x, 204, "text/plain", MED_STR("never sent"));
    else if (med_str_eqz(path, "/forgot"))
        med_http_respond(x);
    else
        answer_mirror(x);
}

static bool set_limit(med_http_limits *l, med_str name, int64_t n)
{
#define SET(field, type)                                                                           \
    if (med_str_eqz(name, #field)) {                                                               \
        l->field = (type)n;                                                                        \
        return true;                                                                               \
    }
    SET(request_line, size_t)
    SET(head, size_t)
    SET(headers, size_t)
    SET(body, size_t)
    SET(inflate_ratio, uint32_t)
    SET(head_seconds, uint32_t)
    SET(body_bytes_per_second, uint32_t)
    SET(body_window_seconds, uint32_t)
    SET(write_seconds, uint32_t)
    SET(idle_seconds, uint32_t)
    SET(connections, uint32_t)
    SET(connections_per_address, uint32_t)
    SET(bodies_in_flight, uint64_t)
    SET(arena, size_t)
#undef SET
    return false;
}

typedef struct options {
    med_http_config config;
    med_str proxies[WORDS], hosts[WORDS];
    int64_t drain;
} options;

static bool read_option(options *o, med_str word)
{
    med_str value, name = med_str_cut(word, '=', &value);
    int64_t n = 0;
    if (med_str_eqz(name, "listen"))
        o->config.listen = value;
    else if (med_str_eqz(name, "proxy") && o->config.n_proxies < WORDS)
        o->proxies[o->config.n_proxies++] = value;
    else if (med_str_eqz(name, "host") && o->config.n_hosts < WORDS)
        o->hosts[o->config.n_hosts++] = value;
    else if (med_str_eqz(name, "certificate"))
        o->config.certificate_file = value;
    else if (med_str_eqz(name, "key"))
        o->config.key_file = value;
    else if (!med_str_to_int64(value, &n))
        return false;
    else if (med_str_eqz(name, "loops"))
        o->config.loops = (unsigned)n;
    else if (med_str_eqz(name, "drain"))
        o->drain = n;
    else
        return set_limit(&o->config.limits, name, n);
    return true;
}

static sigset_t block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return set;
}

int main(int argc, char **argv)
{
    sigset_t end_signals = block_signals();
    test_server s = {0};
    memset(s.constant, 'x', sizeof s.constant);
    s.large = MED_NEW(LARGEST, char);
    for (size_t i = 0; s.large != NULL && i < LARGEST; i += 64) /* LARGEST is a multiple */
        memcpy(s.large + i, "all work and no play makes a dull byte; and again and again and\n",
               64);
    const med_log log = {.fd = 2, .level = MED_LOG_WARN, .clock = &med_clock_system};
    options o = {.config = {.listen = MED_STR("127.0.0.1:0"),
                            .loops = 2,
                            .limits = med_http_default_limits,
                            .certificate_file = MED_STR_EMPTY,
                            .key_file = MED_STR_EMPTY,
                            .clock = &med_clock_system,
                            .random = &med_random_system,
                            .log = &log},
                 .drain = 5};
    o.config.proxies = o.proxies;
    o.config.hosts = o.hosts;
    for (int i = 1; i < argc; i++) {
        if (!read_option(&o, med_str_from(argv[i]))) {
            (void)fprintf(stderr, "echo_server: what is \"%s\"?\n", argv[i]);
            return 2;
        }
    }
    med_err err = {0};
    s.pool = med_worker_pool_new(4, 4096, &err);
    s.http = s.pool == NULL || s.large == NULL ? NULL : med_http_start(&o.config, handle, &s, &err);
    if (s.http == NULL) {
        (void)fprintf(stderr, "echo_server: %s\n", err.text);
        med_worker_pool_free(s.pool);
        return 1;
    }
    (void)printf("listening %.*s\n", MED_STR_ARG(med_http_address(s.http)));
    (void)fflush(stdout);
    int got;
    (void)sigwait(&end_signals, &got);
    med_http_drain(s.http, (unsigned)o.drain);
    med_worker_pool_free(s.pool);
    med_http_free(s.http);
    med_free(s.large);
    return 0;
}
