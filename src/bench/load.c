/* load.c - see load.h. One epoll loop a thread. */
#include "bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/mem.h"

enum { EVENTS = 256, READ_BYTES = 64 << 10, REPLY_BYTES = 256 << 20, LATE_SECONDS = 60 };
#define SECOND UINT64_C(1000000000)

typedef struct loop loop;

typedef struct connection {
    loop *loop;
    unsigned index;
    int fd;
    bool idle; /* may begin the next request */
    bool over;
    bool wants_out; /* registered for room to write */
    med_buf in, out;
    size_t written;
    med_reply_reader reader;
    uint64_t began;
} connection;

struct loop {
    const med_load_options *options;
    const med_load_work *work;
    connection *connections;
    unsigned n, open; /* open: not over */
    int epoll;
    uint64_t deadline, looked_for_late;
    med_load_result result;
};

uint64_t med_bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* Fields 14 and 15 of /proc/PID/stat, counted behind the name, which may hold anything. */
double med_bench_cpu(pid_t pid)
{
    char path[40], text[1024];
    int64_t ticks = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    (void)close(fd);
    med_str rest = {text, n > 0 ? (size_t)n : 0};
    size_t name_end = rest.len;
    while (name_end > 0 && rest.ptr[name_end - 1] != ')')
        name_end--;
    rest = med_str_trim(med_str_skip(rest, name_end));
    for (int field = 3; field <= 15 && rest.len > 0; field++) {
        int64_t value;
        med_str word = med_str_cut(rest, ' ', &rest);
        if (field >= 14 && med_str_to_int64(word, &value))
            ticks += value;
    }
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec)
           + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static bool is_time_up(const loop *l)
{
    const med_load_options *o = l->options;
    return (l->deadline > 0 && med_bench_now() >= l->deadline)
           || (o->stop != NULL && atomic_load_explicit(o->stop, memory_order_relaxed))
           || (o->stop_too != NULL && atomic_load_explicit(o->stop_too, memory_order_relaxed));
}

static void hang_up(connection *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    c->wants_out = false;
}

static void end(connection *c)
{
    hang_up(c);
    c->idle = false;
    c->over = true;
    c->loop->open--;
}

/* The request is lost; the connection begins anew with the next one. */
static void fail(connection *c, uint64_t *counter)
{
    ++*counter;
    hang_up(c);
    c->idle = true;
}

static void watch(connection *c, bool out, int operation)
{
    struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0U), .data.ptr = c};
    c->wants_out = out;
    (void)epoll_ctl(c->loop->epoll, operation, c->fd, &e);
}

static void flush(connection *c)
{
    if (c->written == 0)
        c->began = med_bench_now();
    while (c->written < c->out.len) {
        ssize_t n = send(c->fd, c->out.ptr + c->written, c->out.len - c->written, MSG_NOSIGNAL);
        if (n > 0) {
            c->written += (size_t)n;
        } else if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            if (!c->wants_out)
                watch(c, true, EPOLL_CTL_MOD);
            return;
        } else if (n < 0 && errno != EINTR) {
            return; /* an early answer may be there all the same: reading tells */
        }
    }
    if (c->wants_out)
        watch(c, false, EPOLL_CTL_MOD);
}

static void begin(connection *c)
{
    loop *l = c->loop;
    c->idle = false;
    med_buf_clear(&c->out);
    if (is_time_up(l) || !l->work->next(l->work->self, c->index, &c->out)) {
        end(c);
        return;
    }
    l->result.sent++;
    c->written = 0;
    c->began = med_bench_now();
    c->reader = (med_reply_reader){0};
    med_buf_clear(&c->in);
    if (c->fd >= 0) {
        flush(c);
        return;
    }
    c->fd = med_target_connect(l->options->target);
    if (c->fd < 0) {
        l->result.unreachable++;
        end(c);
        return;
    }
    watch(c, true, EPOLL_CTL_ADD);
}

static void finish(connection *c, const med_reply *reply)
{
    med_load_result *r = &c->loop->result;
    if (reply->status / 100 == 2) {
        r->good++;
        r->bytes += reply->bytes;
        med_histogram_add(&r->time, med_bench_now() - c->began);
    } else {
        r->refused[reply->status / 100]++;
        r->bad_status = r->bad_status == 0 ? reply->status : r->bad_status;
    }
    if (c->loop->work->done != NULL)
        c->loop->work->done(c->loop->work->self, c->index, reply);
    /* An answer before the end of the request: what is left of it would be read as the next. */
    if (reply->close || c->written < c->out.len)
        hang_up(c);
    c->idle = true;
}

static bool is_refused(const connection *c)
{
    int fault = 0;
    socklen_t n = sizeof fault;
    return c->written == 0 && getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &fault, &n) == 0
           && fault != 0;
}

static void receive(connection *c)
{
    med_reply reply;
    if (!med_buf_reserve(&c->in, READ_BYTES)) {
        fail(c, &c->loop->result.malformed);
        return;
    }
    ssize_t n = read(c->fd, c->in.ptr + c->in.len, READ_BYTES);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    c->in.len += n > 0 ? (size_t)n : 0;
    if (n <= 0 && c->in.len == 0) {
        fail(c, &c->loop->result.broken);
        return;
    }
    switch (med_reply_read(&c->reader, &c->in, n <= 0, &reply)) {
    case MED_REPLY_MORE:
        break;
    case MED_REPLY_DONE:
        finish(c, &reply);
        break;
    case MED_REPLY_BAD:
        fail(c, n <= 0 ? &c->loop->result.broken : &c->loop->result.malformed);
        break;
    }
}

static void handle(connection *c, uint32_t events)
{
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && is_refused(c)) {
        c->loop->result.unreachable++;
        end(c);
        return;
    }
    if ((events & EPOLLOUT) != 0)
        flush(c);
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        receive(c);
}

static void drop_late(loop *l)
{
    uint64_t now = med_bench_now();
    if (now - l->looked_for_late < SECOND)
        return;
    l->looked_for_late = now;
    for (unsigned i = 0; i < l->n; i++) {
        connection *c = &l->connections[i];
        if (!c->over && now - c->began > LATE_SECONDS * SECOND) {
            fail(c, &l->result.late);
            begin(c);
        }
    }
}

static void *run_loop(void *arg)
{
    loop *l = arg;
    struct epoll_event events[EVENTS];
    uint64_t started = med_bench_now();
    if (l->options->seconds > 0)
        l->deadline = started + (uint64_t)(l->options->seconds * (double)SECOND);
    l->looked_for_late = started;
    for (unsigned i = 0; i < l->n; i++)
        begin(&l->connections[i]);
    while (l->open > 0) {
        int n = epoll_wait(l->epoll, events, EVENTS, 1000);
        for (int i = 0; i < n; i++) {
            connection *c = events[i].data.ptr;
            handle(c, events[i].events);
            if (c->idle)
                begin(c);
        }
        drop_late(l);
    }
    l->result.seconds = (double)(med_bench_now() - started) / (double)SECOND;
    return NULL;
}

static bool open_loop(loop *l, unsigned first, unsigned n)
{
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        return false;
    l->n = l->open = n;
    for (unsigned i = 0; i < n; i++) {
        connection *c = &l->connections[i];
        *c = (connection){.loop = l, .index = first + i, .fd = -1};
        med_buf_init(&c->in, REPLY_BYTES);
        med_buf_init(&c->out, REPLY_BYTES);
    }
    return true;
}

static void close_loop(loop *l)
{
    for (unsigned i = 0; i < l->n; i++) {
        hang_up(&l->connections[i]);
        med_buf_free(&l->connections[i].in);
        med_buf_free(&l->connections[i].out);
    }
    if (l->epoll >= 0)
        (void)close(l->epoll);
}

static void merge(med_load_result *to, const med_load_result *from)
{
    to->sent += from->sent;
    to->good += from->good;
    for (size_t i = 0; i < sizeof to->refused / sizeof *to->refused; i++)
        to->refused[i] += from->refused[i];
    to->unreachable += from->unreachable;
    to->broken += from->broken;
    to->malformed += from->malformed;
    to->late += from->late;
    to->bytes += from->bytes;
    if (to->bad_status == 0)
        to->bad_status = from->bad_status;
    if (from->seconds > to->seconds)
        to->seconds = from->seconds;
    med_histogram_merge(&to->time, &from->time);
}

/* The last loop runs on this thread. */
static bool run_all(loop *loops, unsigned n)
{
    pthread_t threads[MED_LOAD_THREADS];
    unsigned started = 0;
    while (started + 1 < n
           && pthread_create(&threads[started], NULL, run_loop, &loops[started]) == 0)
        started++;
    bool ok = started + 1 == n;
    if (ok)
        (void)run_loop(&loops[n - 1]);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    return ok;
}

static unsigned count_threads(const med_load_options *o)
{
    unsigned n = o->threads > 0 ? o->threads : o->connections > 1 ? 2 : 1;
    if (n > MED_LOAD_THREADS)
        n = MED_LOAD_THREADS;
    return n < o->connections ? n : o->connections;
}

/* Shares the connections out; false without memory or descriptors. */
static bool open_loops(const med_load_options *options, const med_load_work *work, loop *loops,
                       unsigned n, connection *connections)
{
    unsigned first = 0;
    for (unsigned i = 0; i < n; i++)
        loops[i].epoll = -1;
    for (unsigned i = 0; i < n; i++) {
        unsigned share = (options->connections - first) / (n - i);
        loops[i].options = options;
        loops[i].work = work;
        loops[i].connections = connections + first;
        if (!open_loop(&loops[i], first, share))
            return false;
        first += share;
    }
    return n > 0;
}

bool med_load_run(const med_load_options *options, const med_load_work *work, med_load_result *out,
                  med_err *err)
{
    unsigned n = count_threads(options);
    loop *loops = MED_NEW(n, loop);
    connection *connections = MED_NEW(options->connections, connection);
    *out = (med_load_result){0};
    if (loops == NULL || connections == NULL) {
        med_free(loops);
        med_free(connections);
        return MED_FAIL_MEMORY(err);
    }
    double cpu = med_bench_cpu(options->server), own = own_cpu();
    bool ok = open_loops(options, work, loops, n, connections) && run_all(loops, n);
    out->server_cpu = med_bench_cpu(options->server) - cpu;
    out->own_cpu = own_cpu() - own;
    for (unsigned i = 0; i < n; i++) {
        merge(out, &loops[i].result);
        close_loop(&loops[i]);
    }
    med_free(connections);
    med_free(loops);
    return ok ? true : MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory or threads for the load");
}

uint64_t med_load_errors(const med_load_result *r)
{
    return r->sent - r->good;
}

double med_load_rate(const med_load_result *r)
{
    return r->seconds > 0 ? (double)r->good / r->seconds : 0;
}
