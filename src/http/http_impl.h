/* http_impl.h - the structs of http/. Only http/ itself may include this.
 *
 * Who may touch what: a loop, its connections and their exchanges belong to the loop's thread;
 * an exchange that was handed to the handler is the handler's until med_http_respond. The
 * server is shared: what changes in it is atomic or behind its own lock. */
#ifndef MED_HTTP_IMPL_H
#define MED_HTTP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/hash.h"
#include "http/address.h"
#include "http/chunked.h"
#include "http/compress.h"
#include "http/parse_head.h"
#include "http/server.h"
#include "http/tls.h"

struct event;
struct event_base;

enum {
    MED_HTTP_SCRATCH = 64 << 10,  /* one read of a body */
    MED_HTTP_HEAD_READ = 8 << 10, /* with the limits of a head and what is swallowed: < 64 KiB */
    MED_HTTP_DIRECT_READ = 256 << 10,
    MED_HTTP_WRITE_TURN = 128 << 10, /* of one answer, before others have theirs */
    MED_HTTP_FREE_ARENAS = 64,       /* kept by each loop */
    MED_HTTP_TICK_MS = 250,          /* how often deadlines are looked at */
    MED_HTTP_LINGER_SECONDS = 2,
    MED_HTTP_ID_LEN = 16,
};

typedef struct med_loop med_loop;
typedef struct med_conn med_conn;

/* Lives in its own arena; begins with what the handler sees. */
typedef struct med_exchange {
    med_http_exchange seen;
    med_request request;
    med_conn *conn;
    med_buf body;     /* as received */
    med_str inflated; /* once asked for */
    bool has_body, is_inflated;
    med_arena *spare; /* of the answer's head when the exchange's arena is full, else NULL */
    uint64_t charged; /* bytes counted in server->bodies */
    struct med_exchange *next_answer;
} med_exchange;

enum med_conn_state {
    MED_CONN_HEAD,     /* idle, or a head is coming */
    MED_CONN_BODY,     /* a body is coming */
    MED_CONN_HANDLING, /* the exchange is the handler's */
    MED_CONN_WRITING,  /* the socket did not take all of the answer yet */
    MED_CONN_LINGER,   /* said all; lets the client read it before the close */
    MED_CONN_DEAD,     /* closed; freed by whoever holds it */
};

struct med_conn {
    med_conn *next, *previous; /* all connections of the loop */
    med_loop *loop;
    int fd;
    med_tls_session *tls; /* NULL on a plain connection */
    struct event *readable, *writable;
    bool read_on, write_on; /* events that are added */
    bool io_wants_write;    /* what the last MED_IO_AGAIN waits for */
    bool in_handler;        /* an answer given now is written when the handler returns */
    bool answered;
    bool held;          /* the handler has the exchange: the struct must stay */
    bool refused;       /* the request was not read to its end */
    bool write_blocked; /* the socket was full once during this answer */
    bool close_after;   /* behind the current answer */
    bool fresh;         /* no request was complete yet */
    bool counted;       /* in the table of addresses */
    enum med_conn_state state;
    med_address address;
    bool trusted; /* a listed proxy */
    char peer[MED_ADDRESS_TEXT];
    med_buf in; /* received, not understood yet; holds no memory when empty */
    med_head_scan scan;
    med_chunked chunked;
    bool is_chunked;
    uint64_t body_left;
    size_t linger_left;     /* bytes to swallow before the close */
    int64_t deadline;       /* monotonic microseconds; 0 = none */
    int64_t window_start;   /* of the rate of a body or of a slow reader */
    uint64_t window_bytes;  /* moved since then */
    med_exchange *exchange; /* NULL between requests */
    struct iovec out[2];    /* what is left to write */
};

typedef struct med_post {
    void (*run)(void *);
    void *arg;
} med_post;

struct med_loop {
    med_http_server *server;
    unsigned index;
    pthread_t thread;
    bool started;
    struct event_base *base;
    struct event *wake, *tick, *acceptor;
    int wake_fd, listen_fd;
    bool accepting, ticking;
    bool starved;         /* the last accept found no descriptor */
    pthread_mutex_t lock; /* of posts, n_posts, cap_posts, answers */
    med_post *posts, *running;
    size_t n_posts, cap_posts, cap_running;
    med_exchange *answers, *last_answer; /* answered by other threads, oldest first */
    med_conn *conns;
    int64_t now; /* monotonic, of the last tick or event: for deadlines only */
    med_arena *arenas[MED_HTTP_FREE_ARENAS];
    size_t n_arenas;
    int64_t date_second;
    char date[32];
    uint64_t ids;
    char *scratch;
    _Atomic uint64_t accepted, refused, requests, bytes_in, bytes_out, timeouts, malformed;
};

struct med_http_server {
    med_http_config config;
    med_http_handler handler;
    void *app;
    med_loop *loops;
    unsigned n_loops;
    char address[128];
    char unix_path[108]; /* to unlink at the end, or "" */
    med_hash_key key;
    med_tls *tls;
    med_address_range *proxies;
    size_t n_proxies;
    med_address_table *addresses;
    med_deflaters *deflaters;
    _Atomic uint32_t open;
    _Atomic uint64_t bodies;
    _Atomic bool draining;
    pthread_mutex_t drain_lock;
    pthread_cond_t drained;
};

/* ---- loop.c ---- */
bool med_loop_init(med_loop *l, med_http_server *s, unsigned index, med_err *err);
bool med_loop_start(med_loop *l, med_err *err);
void med_loop_stop(med_loop *l); /* joins the thread, runs what was posted */
void med_loop_free(med_loop *l);
bool med_loop_is_current(const med_loop *l);
void med_loop_run_on(med_loop *l, void (*fn)(void *), void *arg);
void med_loop_answer(med_loop *l, med_exchange *x);
void med_loop_keep_ticking(med_loop *l);
med_arena *med_loop_take_arena(med_loop *l);
void med_loop_give_arena(med_loop *l, med_arena *a);
med_str med_loop_date(med_loop *l);

static inline void med_count(_Atomic uint64_t *counter, uint64_t n)
{
    /* only the loop's thread writes, so no read-modify-write is needed */
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

/* ---- listener.c ---- */
/* Opens the sockets of all loops and fills s->address. */
bool med_listener_open(med_http_server *s, med_err *err);
void med_listener_pause(med_loop *l);
void med_listener_resume(med_loop *l);
void med_listener_close(med_loop *l);

/* ---- connection.c ---- */
/* Takes the socket over, also on failure. */
void med_conn_open(med_loop *l, int fd, const med_address *address, bool counted);
void med_conn_tick(med_conn *c);
void med_conn_answer(med_conn *c); /* writes the exchange's response */
/* Closes the socket and frees, unless a handler holds the exchange: then its answer frees. */
void med_conn_close(med_conn *c);
void med_conn_abandon(med_conn *c); /* frees in any case: the server ends */
bool med_conn_is_idle(const med_conn *c);

/* ---- exchange.c ---- */
med_exchange *med_exchange_new(med_conn *c);
void med_exchange_end(med_conn *c);
/* Takes body bytes; false past a limit, with *fault. */
bool med_exchange_add_body(med_exchange *x, med_str bytes, med_http_fault *fault);
bool med_exchange_has_room(const med_exchange *x, uint64_t n, med_http_fault *fault);
bool med_exchange_reserve_body(med_exchange *x, size_t n, med_http_fault *fault);
bool med_exchange_charge(med_exchange *x, size_t n, med_http_fault *fault);
bool med_exchange_read_head(med_conn *c, med_str bytes, med_head *head, med_http_fault *fault);
void med_exchange_refuse(med_exchange *x, const med_http_fault *fault);

/* ---- answer.c ---- */
/* Writes status line and headers into the arena and fills c->out. */
bool med_answer_prepare(med_conn *c);

/* ---- io.c ---- */
enum { MED_IO_AGAIN = -1, MED_IO_FAILED = -2, MED_IO_PARTS = 2 };
/* Bytes moved, 0 at the end of the stream, MED_IO_AGAIN (see io_wants_write), MED_IO_FAILED. */
ssize_t med_io_read(med_conn *c, void *to, size_t n);
ssize_t med_io_write(med_conn *c, const struct iovec *from, size_t n);

#endif
