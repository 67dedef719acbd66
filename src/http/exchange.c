/* exchange.c - one request and its answer: made when a head is complete, ended when the last
 * byte of the answer is with the kernel. */
#include "base/gzip.h"
#include "http/http_impl.h"
#include "http/proxy.h"

static void drop_body(void *arg)
{
    med_exchange *x = arg;
    med_buf_free(&x->body);
    atomic_fetch_sub_explicit(&x->conn->loop->server->bodies, x->charged, memory_order_relaxed);
}

med_exchange *med_exchange_new(med_conn *c)
{
    med_arena *a = med_loop_take_arena(c->loop);
    if (a == NULL)
        return NULL;
    med_exchange *x = MED_TAKE(a, 1, med_exchange);
    if (x == NULL) {
        med_loop_give_arena(c->loop, a);
        return NULL;
    }
    x->conn = c;
    x->seen.arena = a;
    x->seen.loop = c->loop->index;
    x->seen.response.body = MED_STR_EMPTY;
    x->request = (med_request){.path = MED_STR_EMPTY,
                               .query = MED_STR_EMPTY,
                               .host = MED_STR_EMPTY,
                               .peer = MED_STR_EMPTY,
                               .id = MED_STR_EMPTY};
    c->exchange = x;
    return x;
}

void med_exchange_end(med_conn *c)
{
    med_exchange *x = c->exchange;
    c->exchange = NULL;
    if (x == NULL)
        return;
    if (x->spare != NULL)
        med_loop_give_arena(c->loop, x->spare);
    med_loop_give_arena(c->loop, x->seen.arena);
}

static bool refuse(med_http_fault *fault, int status, const char *text)
{
    *fault = (med_http_fault){status, text};
    return false;
}

/* ---- the head ---- */

/* Ours when the client gave none: not guessable, and it tells nobody how many there were. */
static med_str new_id(med_loop *l, med_arena *a)
{
    uint64_t number[2] = {l->index, l->ids++};
    uint64_t hash = med_siphash(l->server->key, (med_str){(const char *)number, sizeof number});
    char *to = MED_TAKE(a, MED_HTTP_ID_LEN, char);
    if (to == NULL)
        return MED_STR("none");
    for (int i = 0; i < MED_HTTP_ID_LEN; i++, hash >>= 4)
        to[i] = "0123456789abcdef"[hash & 15];
    return (med_str){to, MED_HTTP_ID_LEN};
}

static bool is_sane_id(med_str id)
{
    bool sane = id.len > 0 && id.len <= 64;
    for (size_t i = 0; sane && i < id.len; i++)
        sane = med_is_alnum(id.ptr[i]) || memchr("-._:", id.ptr[i], 4) != NULL;
    return sane;
}

static bool is_our_host(const med_http_config *config, med_str host)
{
    med_str name = med_host_without_port(host);
    for (size_t i = 0; i < config->n_hosts; i++) {
        if (med_str_eq_ignore_case(name, config->hosts[i]))
            return true;
    }
    return config->n_hosts == 0;
}

static void fill_request(med_conn *c, const med_head *head)
{
    med_exchange *x = c->exchange;
    med_request *r = &x->request;
    *r = (med_request){.method = head->method,
                       .path = head->path,
                       .query = head->query,
                       .host = head->host,
                       .headers = head->headers,
                       .n_headers = head->n_headers,
                       .peer = med_str_from(c->peer),
                       .secure = c->tls != NULL,
                       .accepts_gzip = head->accepts_gzip};
    med_str id = med_request_header(r, "X-Request-Id");
    r->id = is_sane_id(id) ? id : new_id(c->loop, x->seen.arena);
    med_http_server *s = c->loop->server;
    if (c->trusted)
        med_proxy_apply(x->seen.arena, s->proxies, s->n_proxies, r);
    x->seen.request = r;
    x->seen.received = med_monotonic(s->config.clock);
}

bool med_exchange_read_head(med_conn *c, med_str bytes, med_head *head, med_http_fault *fault)
{
    med_exchange *x = c->exchange;
    const med_http_config *config = &c->loop->server->config;
    med_str copy;
    if (!med_arena_copy(x->seen.arena, bytes, &copy))
        return refuse(fault, 503, "no memory for this request");
    bool ok = med_head_parse(x->seen.arena, copy, &c->scan, head, fault);
    x->request.method = head->method;
    if (!ok)
        return false;
    fill_request(c, head);
    if (!is_our_host(config, head->host))
        return refuse(fault, 421, "this server does not answer for the host named in Host");
    if (head->length > config->limits.body)
        return refuse(fault, 413, "the body is longer than this server takes");
    return true;
}

/* ---- the body ---- */

static bool charge(med_exchange *x, size_t n)
{
    med_http_server *s = x->conn->loop->server;
    uint64_t before = atomic_fetch_add_explicit(&s->bodies, n, memory_order_relaxed);
    x->charged += n;
    return before + n <= s->config.limits.bodies_in_flight;
}

bool med_exchange_charge(med_exchange *x, size_t n, med_http_fault *fault)
{
    if (!charge(x, n))
        return refuse(fault, 503, "too many bodies are being received; try again soon");
    return true;
}

bool med_exchange_has_room(const med_exchange *x, uint64_t n, med_http_fault *fault)
{
    size_t limit = x->conn->loop->server->config.limits.body;
    size_t used = x->has_body ? x->body.len : 0;
    if (used > limit || n > limit - used)
        return refuse(fault, 413, "the body is longer than this server takes");
    return true;
}

bool med_exchange_reserve_body(med_exchange *x, size_t n, med_http_fault *fault)
{
    med_conn *c = x->conn;
    if (!x->has_body) {
        size_t limit = c->is_chunked ? c->loop->server->config.limits.body : (size_t)c->body_left;
        med_buf_init(&x->body, limit);
        if (!med_arena_defer(x->seen.arena, drop_body, x))
            return refuse(fault, 503, "no memory for this request");
        x->has_body = true;
    }
    if (!med_exchange_has_room(x, n, fault))
        return false;
    if (!med_buf_reserve(&x->body, n))
        return refuse(fault, 503, "no memory for this body");
    return true;
}

bool med_exchange_add_body(med_exchange *x, med_str bytes, med_http_fault *fault)
{
    if (!med_exchange_reserve_body(x, bytes.len, fault)
        || !med_exchange_charge(x, bytes.len, fault))
        return false;
    med_buf_add(&x->body, bytes);
    return true;
}

static void drop_buf(void *arg)
{
    med_buf_free(arg);
}

static bool gunzip(med_exchange *x, med_str received, med_err *err)
{
    const med_http_limits *limits = &x->conn->loop->server->config.limits;
    const med_gunzip_limits bounds = {limits->body, limits->inflate_ratio};
    med_buf *b = MED_TAKE(x->seen.arena, 1, med_buf);
    if (b == NULL)
        return MED_FAIL_MEMORY(err);
    med_buf_init(b, limits->body);
    if (!med_arena_defer(x->seen.arena, drop_buf, b))
        return MED_FAIL_MEMORY(err);
    if (!med_gunzip_all(received, &bounds, b, err))
        return false;
    if (!charge(x, b->len))
        return MED_FAIL(err, MED_ISSUE_TRANSIENT,
                        "too many bodies are being received; try again soon");
    x->inflated = med_buf_str(b);
    return true;
}

/* Content-Encoding gzip or none; anything else the client must undo itself. */
static bool inflate_body(med_exchange *x, med_str received, med_err *err)
{
    med_str coding = med_request_header(&x->request, "Content-Encoding");
    x->inflated = received;
    if (received.len == 0 || coding.len == 0 || med_str_eq_ignore_case(coding, MED_STR("identity")))
        return true;
    if (med_str_eq_ignore_case(coding, MED_STR("gzip"))
        || med_str_eq_ignore_case(coding, MED_STR("x-gzip")))
        return gunzip(x, received, err);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "the only Content-Encoding read here is: gzip");
    return med_err_status(err, 415);
}

bool med_http_body(med_http_exchange *x, med_str *out, med_err *err)
{
    med_exchange *whole = (med_exchange *)x;
    if (!whole->is_inflated) {
        med_str received = whole->has_body ? med_buf_str(&whole->body) : MED_STR_EMPTY;
        if (!inflate_body(whole, received, err))
            return false;
        whole->is_inflated = true;
    }
    *out = whole->inflated;
    return true;
}

/* ---- answers of our own ---- */

void med_exchange_refuse(med_exchange *x, const med_http_fault *fault)
{
    const med_http_server *s = x->conn->loop->server;
    med_response *r = &x->seen.response;
    *r = (med_response){.status = fault->status, .body = MED_STR_EMPTY};
    med_str text = med_str_from(fault->text);
    if (s->config.render_error != NULL) {
        s->config.render_error(s->app, x->seen.arena, fault->status, text, r);
        r->status = fault->status;
    } else {
        (void)med_response_header(r, "Content-Type", MED_STR("text/plain; charset=utf-8"));
        r->body = med_arena_printf(x->seen.arena, "%s\n", fault->text);
    }
    if (fault->status == 503)
        (void)med_response_set_header(r, "Retry-After", MED_STR("1"));
    if (fault->status == 405)
        (void)med_response_set_header(r, "Allow",
                                      MED_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    r->close = true;
}
