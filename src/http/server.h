/* server.h - the HTTP/1.1 server: sockets, TLS, limits; the only place that knows libevent.
 *
 * One event loop a thread, each with its own listening socket (SO_REUSEPORT). The handler is
 * called on a loop thread when a request is complete (head and body); it may answer at once
 * or keep the exchange and answer later from any thread, once. Between call and answer the
 * exchange, its request and its arena belong to the handler; the connection reads nothing
 * more (pipelined requests wait in order). If the client goes away meanwhile the answer is
 * dropped quietly.
 *
 * Strict by RFC 9112: conflicting or doubled Content-Length, Content-Length with
 * Transfer-Encoding, any transfer coding but a single final "chunked", bare LF, obs-fold,
 * white space before the colon, bad characters in names or values, a missing or doubled Host,
 * an absolute target of another host: 400 and close. Everything bounded by med_http_limits. */
#ifndef MED_HTTP_SERVER_H
#define MED_HTTP_SERVER_H

#include "base/clock.h"
#include "base/log.h"
#include "http/message.h"

typedef struct med_http_limits {
    size_t request_line;            /* bytes; beyond: 414 */
    size_t head;                    /* bytes of all headers; beyond: 431 */
    size_t headers;                 /* number; beyond: 431 */
    size_t body;                    /* bytes as received and as inflated; beyond: 413 */
    uint32_t inflate_ratio;         /* output / input of a gzip body beyond 64 KiB; beyond: 413 */
    uint32_t head_seconds;          /* from the first byte to the end of the head; then 408 */
    uint32_t body_bytes_per_second; /* least rate over `body_window_seconds`; then 408 */
    uint32_t body_window_seconds;
    uint32_t write_seconds;           /* a reader slower than the same rate so long is cut off */
    uint32_t idle_seconds;            /* keep-alive */
    uint32_t connections;             /* in all; beyond: accepting pauses */
    uint32_t connections_per_address; /* beyond: 503 and close */
    uint64_t bodies_in_flight;        /* bytes of all bodies being received; beyond: 503 */
    size_t arena;                     /* ceiling of an exchange's arena */
} med_http_limits;

extern const med_http_limits med_http_default_limits;

typedef struct med_http_config {
    med_str listen; /* HOST:PORT, [v6]:PORT or unix:PATH; port 0 picks one */
    unsigned loops; /* event loops; 0 = one a core */
    med_http_limits limits;
    med_str certificate_file; /* PEM chain; both or neither */
    med_str key_file;
    const med_str *proxies; /* peers whose X-Forwarded-For/-Proto are believed */
    size_t n_proxies;
    const med_str *hosts; /* allowed Host values (without port); none = any */
    size_t n_hosts;
    const med_clock *clock;
    const med_random *random;
    const med_log *log;
    /* Makes the body and headers of an answer that the handler never sees (a malformed head,
     * a limit): fill *out from `arena`; the status is set already. NULL: plain text. Any loop's
     * thread. */
    void (*render_error)(void *app, med_arena *arena, int status, med_str text, med_response *out);
} med_http_config;

typedef struct med_http_server med_http_server;

typedef struct med_http_exchange {
    const med_request *request;
    med_arena *arena;      /* ends with the answer */
    med_response response; /* fill, then med_http_respond */
    unsigned loop;         /* index of the loop that owns the connection */
    int64_t received;      /* monotonic microseconds: head complete */
} med_http_exchange;

/* Runs on the loop thread of x->loop. */
typedef void (*med_http_handler)(void *app, med_http_exchange *x);

/* Binds and starts the loop threads. What `config` points to must outlive the server. NULL with
 * *err on failure (address in use names it). */
med_http_server *med_http_start(const med_http_config *config, med_http_handler handler, void *app,
                                med_err *err);
/* The address really bound, e.g. "127.0.0.1:43111". */
med_str med_http_address(const med_http_server *s);
unsigned med_http_loops(const med_http_server *s);

/* The request body, contiguous and inflated (Content-Encoding: gzip), in the arena. May be
 * called from any thread that owns the exchange; costs a copy, so for a large body call it on
 * a worker. Called twice it gives the same slice. */
bool med_http_body(med_http_exchange *x, med_str *out, med_err *err) MED_MUST_CHECK;

/* Sends x->response and ends the exchange: x, its request and its arena are gone. Any thread. */
void med_http_respond(med_http_exchange *x);

/* Runs fn(arg) soon on the loop's thread; any thread; never blocks; wakes the loop at most once
 * for any number of posts. */
void med_http_post(med_http_server *s, unsigned loop, void (*fn)(void *), void *arg);
/* The same on the loop of an exchange that is not answered yet. Requests arrive before
 * med_http_start has returned, so a handler's other threads use this one. */
void med_http_resume(med_http_exchange *x, void (*fn)(void *), void *arg);

/* Stops accepting, lets requests in flight finish for at most `seconds`, then closes. */
void med_http_drain(med_http_server *s, unsigned seconds);
/* Stops the loops. No handler may hold an exchange any more: drain, then end the workers, then
 * free. */
void med_http_free(med_http_server *s);

typedef struct med_http_counters {
    uint64_t accepted, refused, requests, bytes_in, bytes_out, timeouts, malformed;
    uint32_t open;
} med_http_counters;
void med_http_count(const med_http_server *s, med_http_counters *out);

#endif
