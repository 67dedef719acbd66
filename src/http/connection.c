/* connection.c - a connection's life: head, body, handler, answer, and again.
 *
 * One request at a time: what a client sends ahead waits in the socket or in c->in until the
 * answer before it is with the kernel, so answers keep their order and a client that does not
 * read is given nothing more to hold. Callbacks end with release(), the only place where a
 * connection is freed while its own code may still be running. */
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/mem.h"
#include "http/http_impl.h"

enum { SECOND = 1000000 };

static const med_http_limits *limits_of(const med_conn *c)
{
    return &c->loop->server->config.limits;
}

static int64_t after(const med_conn *c, uint32_t seconds)
{
    return seconds == 0 ? 0 : c->loop->now + (int64_t)seconds * SECOND;
}

static bool is_reading(const med_conn *c)
{
    return c->state == MED_CONN_HEAD || c->state == MED_CONN_BODY;
}

bool med_conn_is_idle(const med_conn *c)
{
    return c->state == MED_CONN_HEAD && c->in.len == 0;
}

/* ---- events ---- */

static void want_read(med_conn *c, bool wanted)
{
    if (c->read_on == wanted)
        return;
    if ((wanted ? event_add(c->readable, NULL) : event_del(c->readable)) == 0)
        c->read_on = wanted;
}

static void want_write(med_conn *c, bool wanted)
{
    if (c->write_on == wanted)
        return;
    if ((wanted ? event_add(c->writable, NULL) : event_del(c->writable)) == 0)
        c->write_on = wanted;
}

/* ---- the end ---- */

static void tell_drain(med_http_server *s)
{
    if (atomic_fetch_sub(&s->open, 1) != 1 || !atomic_load(&s->draining))
        return;
    pthread_mutex_lock(&s->drain_lock);
    pthread_cond_broadcast(&s->drained);
    pthread_mutex_unlock(&s->drain_lock);
}

/* The socket goes; the struct stays while a handler holds the exchange. */
static void die(med_conn *c)
{
    if (c->state == MED_CONN_DEAD)
        return;
    want_read(c, false);
    want_write(c, false);
    if (c->readable != NULL)
        event_free(c->readable);
    if (c->writable != NULL)
        event_free(c->writable);
    c->readable = c->writable = NULL;
    med_tls_session_free(c->tls);
    c->tls = NULL;
    (void)close(c->fd);
    if (c->counted)
        med_address_table_leave(c->loop->server->addresses, &c->address);
    c->state = MED_CONN_DEAD;
}

static void release(med_conn *c)
{
    if (c->state != MED_CONN_DEAD || c->held)
        return;
    med_loop *l = c->loop;
    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        l->conns = c->next;
    med_exchange_end(c);
    med_buf_free(&c->in);
    med_free(c);
    tell_drain(l->server);
    med_listener_resume(l);
}

void med_conn_close(med_conn *c)
{
    die(c);
    release(c);
}

void med_conn_abandon(med_conn *c)
{
    c->held = false;
    med_conn_close(c);
}

/* Closing with bytes unread makes the kernel send a reset, which can take the answer with it:
 * so say that we are done, swallow a bounded rest, and close when the client does. */
static void linger(med_conn *c, size_t swallow)
{
    med_tls_session_free(c->tls); /* what comes now is not worth decrypting */
    c->tls = NULL;
    if (shutdown(c->fd, SHUT_WR) != 0) {
        die(c);
        return;
    }
    c->state = MED_CONN_LINGER;
    c->linger_left = swallow;
    c->deadline = after(c, MED_HTTP_LINGER_SECONDS);
    want_write(c, false);
    want_read(c, swallow > 0);
}

static void swallow(med_conn *c)
{
    size_t n = c->linger_left < MED_HTTP_SCRATCH ? c->linger_left : MED_HTTP_SCRATCH;
    ssize_t got = med_io_read(c, c->loop->scratch, n);
    if (got == MED_IO_AGAIN)
        return;
    if (got <= 0) {
        die(c);
        return;
    }
    c->linger_left -= (size_t)got;
    want_read(c, c->linger_left > 0);
}

/* ---- writing ---- */

static void advance(med_conn *c, size_t n)
{
    for (int i = 0; i < 2; i++) {
        size_t here = n < c->out[i].iov_len ? n : c->out[i].iov_len;
        c->out[i].iov_base = (char *)c->out[i].iov_base + here;
        c->out[i].iov_len -= here;
        n -= here;
    }
}

/* Ready for the next request, or for the end. */
static void finish(med_conn *c)
{
    med_exchange_end(c);
    want_write(c, false);
    if (c->refused) {
        linger(c, c->linger_left);
        return;
    }
    if (c->close_after) {
        bool sent_ahead = c->in.len > 0 || !c->read_on;
        if (sent_ahead)
            linger(c, MED_HTTP_SCRATCH);
        else
            die(c);
        return;
    }
    c->state = MED_CONN_HEAD;
    c->deadline = after(c, limits_of(c)->idle_seconds);
    want_read(c, true);
}

/* From here on the client is slow, not we. */
static void begin_window(med_conn *c)
{
    if (c->write_blocked)
        return;
    c->write_blocked = true;
    c->window_start = c->loop->now;
    c->window_bytes = 0;
}

/* Writes what the socket takes, but not more in a turn than others may wait for. */
static void flush(med_conn *c)
{
    size_t turn = 0;
    while (c->out[0].iov_len + c->out[1].iov_len > 0) {
        if (turn >= MED_HTTP_WRITE_TURN) {
            begin_window(c); /* the socket may be full by now */
            want_write(c, true);
            return;
        }
        ssize_t n = med_io_write(c, c->out, 2);
        if (n == MED_IO_AGAIN) {
            begin_window(c);
            want_write(c, c->io_wants_write);
            want_read(c, !c->io_wants_write);
            return;
        }
        if (n <= 0) {
            die(c);
            return;
        }
        turn += (size_t)n;
        c->window_bytes += (uint64_t)n;
        advance(c, (size_t)n);
    }
    finish(c);
}

/* Writes the exchange's response. */
static void answer(med_conn *c)
{
    med_exchange *x = c->exchange;
    c->held = false;
    c->close_after |= x->seen.response.close || atomic_load(&c->loop->server->draining);
    if (c->state == MED_CONN_DEAD || !med_answer_prepare(c)) {
        die(c);
        return;
    }
    c->state = MED_CONN_WRITING;
    c->write_blocked = false;
    c->deadline = 0;
    flush(c);
}

/* Answers for the handler, which does not see this request, and ends the connection. */
static void refuse(med_conn *c, const med_http_fault *fault)
{
    med_count(fault->status == 408 ? &c->loop->timeouts : &c->loop->malformed, 1);
    if (c->exchange == NULL && med_exchange_new(c) == NULL) {
        die(c);
        return;
    }
    /* a client in the middle of a long body gets some time to notice */
    c->linger_left = c->state == MED_CONN_BODY ? (size_t)1 << 20 : (size_t)4 << 10;
    c->close_after = c->refused = true;
    med_exchange_refuse(c->exchange, fault);
    answer(c);
}

/* ---- reading ---- */

static void dispatch(med_conn *c)
{
    med_http_server *s = c->loop->server;
    med_exchange *x = c->exchange;
    x->request.body_bytes = x->has_body ? x->body.len : 0;
    med_count(&c->loop->requests, 1);
    c->state = MED_CONN_HANDLING;
    c->deadline = 0;
    c->answered = false;
    c->held = true;
    c->in_handler = true;
    s->handler(s->app, &x->seen);
    c->in_handler = false;
    if (c->answered)
        answer(c);
}

/* OPTIONS * asks about the server as a whole, not about a resource. */
static void answer_asterisk(med_conn *c)
{
    med_response *r = &c->exchange->seen.response;
    r->status = 204;
    (void)med_response_header(r, "Allow", MED_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    answer(c);
}

/* RFC 9110 section 10.1.1. Nothing else is under way, so the few bytes fit. */
static bool say_continue(med_conn *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec out = {(void *)(uintptr_t)text, sizeof text - 1};
    return med_io_write(c, &out, 1) == (ssize_t)out.iov_len;
}

static void begin_body(med_conn *c, const med_head *head, bool more_is_here)
{
    c->state = MED_CONN_BODY;
    c->deadline = 0;
    c->window_start = c->loop->now;
    c->window_bytes = 0;
    if (head->expects_continue && !more_is_here && !say_continue(c))
        die(c);
}

/* A head is complete at the front of `bytes`. */
static void begin(med_conn *c, med_str bytes)
{
    med_http_fault fault;
    med_head head;
    if (med_exchange_new(c) == NULL) {
        die(c);
        return;
    }
    size_t head_bytes = c->scan.at;
    bool ok = med_exchange_read_head(c, med_str_sub(bytes, 0, head_bytes), &head, &fault);
    c->scan = (med_head_scan){0};
    c->fresh = false;
    c->close_after = !ok || !head.keep_alive;
    c->is_chunked = ok && head.chunked;
    c->chunked = (med_chunked){0};
    c->body_left = ok ? head.length : 0;
    if (!ok)
        refuse(c, &fault);
    else if (c->is_chunked || c->body_left > 0)
        begin_body(c, &head, bytes.len > head_bytes);
    else if (head.asterisk)
        answer_asterisk(c);
    else
        dispatch(c);
}

static void end_body(med_conn *c)
{
    c->is_chunked = false;
    dispatch(c);
}

/* Both give the bytes they used. */
static size_t take_sized(med_conn *c, med_str bytes)
{
    med_http_fault fault;
    med_str part =
        med_str_sub(bytes, 0, c->body_left < bytes.len ? (size_t)c->body_left : bytes.len);
    if (!med_exchange_add_body(c->exchange, part, &fault)) {
        refuse(c, &fault);
        return bytes.len;
    }
    c->body_left -= part.len;
    if (c->body_left == 0)
        end_body(c);
    return part.len;
}

static size_t take_chunked(med_conn *c, med_str bytes)
{
    static const med_http_fault bad = {400, "the chunked body is malformed"};
    med_http_fault fault;
    size_t used = 0;
    while (used < bytes.len) {
        med_str data;
        used += med_chunked_feed(&c->chunked, med_str_skip(bytes, used), &data);
        bool ok = data.len == 0 || med_exchange_add_body(c->exchange, data, &fault);
        if (ok && c->chunked.state == MED_CHUNK_DATA) /* a chunk too long is refused unread */
            ok = med_exchange_has_room(c->exchange, c->chunked.left, &fault);
        if (!ok || c->chunked.state == MED_CHUNK_BAD) {
            refuse(c, ok ? &bad : &fault);
            return bytes.len;
        }
        if (c->chunked.state == MED_CHUNK_END) {
            end_body(c);
            return used;
        }
    }
    return used;
}

/* Understands what can be understood of a head; gives the bytes used. */
static size_t take_head(med_conn *c, med_str bytes)
{
    med_http_fault fault;
    bool starts = c->scan.at == 0;
    switch (med_head_scan_on(&c->scan, bytes, limits_of(c), &fault)) {
    case MED_HEAD_MORE:
        if (starts && !c->fresh) /* of a fresh connection it runs since the accept */
            c->deadline = after(c, limits_of(c)->head_seconds);
        return 0;
    case MED_HEAD_REFUSED:
        refuse(c, &fault);
        return bytes.len;
    case MED_HEAD_COMPLETE:
        break;
    }
    size_t used = c->scan.at;
    begin(c, bytes);
    return used;
}

/* Goes through `bytes` until the connection waits for something; gives the bytes used. */
static size_t consume(med_conn *c, med_str bytes)
{
    size_t used = 0;
    while (is_reading(c) && used < bytes.len) {
        med_str rest = med_str_skip(bytes, used);
        if (c->state == MED_CONN_BODY) {
            c->window_bytes += rest.len;
            used += c->is_chunked ? take_chunked(c, rest) : take_sized(c, rest);
            continue;
        }
        size_t n = take_head(c, rest);
        if (n == 0)
            break;
        used += n;
    }
    return used;
}

static void consume_kept(med_conn *c)
{
    size_t used = consume(c, med_buf_str(&c->in));
    c->in.len -= used;
    memmove(c->in.ptr, c->in.ptr + used, c->in.len);
    if (c->in.len == 0)
        med_buf_free(&c->in); /* an idle connection holds no buffer */
}

static void feed(med_conn *c, med_str bytes)
{
    if (c->in.len == 0)
        bytes = med_str_skip(bytes, consume(c, bytes));
    if (bytes.len == 0 || c->state == MED_CONN_DEAD || c->state == MED_CONN_LINGER)
        return;
    bool kept_some = c->in.len > 0;
    med_buf_add(&c->in, bytes);
    if (c->in.failed)
        die(c);
    else if (kept_some)
        consume_kept(c);
}

/* A long body of known length is read to where it stays. */
static ssize_t read_direct(med_conn *c)
{
    med_exchange *x = c->exchange;
    med_http_fault fault;
    size_t n = c->body_left < MED_HTTP_DIRECT_READ ? (size_t)c->body_left : MED_HTTP_DIRECT_READ;
    if (!med_exchange_reserve_body(x, n, &fault)) {
        refuse(c, &fault);
        return MED_IO_AGAIN;
    }
    ssize_t got = med_io_read(c, x->body.ptr + x->body.len, n);
    if (got <= 0)
        return got;
    x->body.len += (size_t)got;
    c->window_bytes += (uint64_t)got;
    c->body_left -= (uint64_t)got;
    if (!med_exchange_charge(x, (size_t)got, &fault))
        refuse(c, &fault);
    else if (c->body_left == 0)
        end_body(c);
    return got;
}

static void read_once(med_conn *c)
{
    ssize_t got = 0;
    if (c->state == MED_CONN_BODY && !c->is_chunked && c->in.len == 0) {
        got = read_direct(c);
    } else {
        size_t n = c->state == MED_CONN_BODY ? MED_HTTP_SCRATCH : MED_HTTP_HEAD_READ;
        got = med_io_read(c, c->loop->scratch, n);
        if (got > 0)
            feed(c, (med_str){c->loop->scratch, (size_t)got});
    }
    if (got == MED_IO_AGAIN && is_reading(c))
        want_write(c, c->io_wants_write);
    else if (got == 0 || got == MED_IO_FAILED)
        die(c);
}

/* TLS may hold decrypted bytes that no event will announce. */
static void read_some(med_conn *c)
{
    do {
        read_once(c);
    } while (c->tls != NULL && is_reading(c) && med_tls_has_pending(c->tls));
}

/* Behind an answer that did not go out at once: what the client sent ahead comes first. */
static void go_on(med_conn *c)
{
    if (c->state == MED_CONN_HEAD && c->in.len > 0)
        consume_kept(c);
    if (is_reading(c) && c->tls != NULL && med_tls_has_pending(c->tls))
        read_some(c);
}

/* ---- callbacks ---- */

static void on_event(med_conn *c)
{
    switch (c->state) {
    case MED_CONN_HEAD:
    case MED_CONN_BODY:
        read_some(c);
        break;
    case MED_CONN_WRITING:
        flush(c);
        go_on(c);
        break;
    case MED_CONN_LINGER:
        swallow(c);
        break;
    case MED_CONN_HANDLING:
    case MED_CONN_DEAD:
        break;
    }
    release(c);
}

static void on_readable(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    med_conn *c = arg;
    /* bytes ahead of their turn, or the client is gone: either is seen after the answer */
    if (c->state == MED_CONN_HANDLING || (c->state == MED_CONN_WRITING && c->write_on))
        want_read(c, false);
    else
        on_event(c);
}

static void on_writable(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    med_conn *c = arg;
    if (c->state != MED_CONN_WRITING)
        want_write(c, false);
    on_event(c);
}

void med_conn_answer(med_conn *c)
{
    if (c->in_handler) {
        c->answered = true;
        return;
    }
    answer(c);
    go_on(c);
    release(c);
}

/* ---- the tick ---- */

static void time_out(med_conn *c, int status, const char *text)
{
    refuse(c, &(med_http_fault){status, text});
}

/* True when a window of `seconds` is over; *slow when it moved too little. */
static bool window_over(med_conn *c, uint32_t seconds, bool *slow)
{
    int64_t length = c->loop->now - c->window_start;
    if (seconds == 0 || length < (int64_t)seconds * SECOND)
        return false;
    uint64_t least = (uint64_t)limits_of(c)->body_bytes_per_second * seconds;
    *slow = c->window_bytes < (least == 0 ? 1 : least);
    c->window_start = c->loop->now;
    c->window_bytes = 0;
    return true;
}

void med_conn_tick(med_conn *c)
{
    const med_http_limits *limits = limits_of(c);
    bool late = c->deadline != 0 && c->loop->now >= c->deadline;
    bool slow = false;
    switch (c->state) {
    case MED_CONN_HEAD:
        if (late && c->in.len > 0) {
            time_out(c, 408, "the head of the request took too long");
        } else if (late) {
            if (c->fresh)
                med_count(&c->loop->timeouts, 1);
            die(c);
        }
        break;
    case MED_CONN_BODY:
        if (window_over(c, limits->body_window_seconds, &slow) && slow)
            time_out(c, 408, "the body of the request came too slowly");
        break;
    case MED_CONN_WRITING:
        if (c->write_blocked && window_over(c, limits->write_seconds, &slow) && slow) {
            med_count(&c->loop->timeouts, 1);
            die(c);
        }
        break;
    case MED_CONN_LINGER:
        if (late)
            die(c);
        break;
    case MED_CONN_HANDLING:
    case MED_CONN_DEAD:
        break;
    }
    release(c);
}

/* ---- the beginning ---- */

static bool prepare(med_conn *c)
{
    med_loop *l = c->loop;
    if (l->server->tls != NULL) {
        c->tls = med_tls_session_new(l->server->tls, c->fd);
        if (c->tls == NULL)
            return false;
    }
    c->readable = event_new(l->base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(l->base, c->fd, EV_WRITE | EV_PERSIST, on_writable, c);
    if (c->readable == NULL || c->writable == NULL)
        return false;
    want_read(c, true);
    return c->read_on;
}

void med_conn_open(med_loop *l, int fd, const med_address *address, bool counted)
{
    med_http_server *s = l->server;
    med_conn *c = MED_NEW(1, med_conn);
    if (c == NULL) {
        (void)close(fd);
        if (counted)
            med_address_table_leave(s->addresses, address);
        return;
    }
    c->loop = l;
    c->fd = fd;
    c->address = *address;
    c->counted = counted;
    c->trusted = med_address_listed(address, s->proxies, s->n_proxies);
    c->fresh = true;
    med_address_format(address, c->peer);
    const med_http_limits *limits = &s->config.limits;
    med_buf_init(&c->in, limits->request_line + limits->head + 2 * (size_t)MED_HTTP_SCRATCH);
    c->next = l->conns;
    if (c->next != NULL)
        c->next->previous = c;
    l->conns = c;
    atomic_fetch_add(&s->open, 1);
    if (!l->ticking)
        l->now = med_monotonic(s->config.clock);
    med_loop_keep_ticking(l);
    c->deadline = after(c, limits->head_seconds);
    if (!prepare(c))
        med_conn_close(c);
}
