/* listener.c - listening sockets: one a loop on TCP (SO_REUSEPORT), one shared on a unix path. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "http/http_impl.h"

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 32 };

typedef struct target {
    struct sockaddr_storage address;
    socklen_t len;
} target;

/* ---- where to listen ---- */

static bool read_unix(med_str path, target *out, med_err *err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (path.len == 0 || path.len >= sizeof un.sun_path)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "listen: the path of a unix socket has 1 to %zu bytes",
                        sizeof un.sun_path - 1);
    memcpy(un.sun_path, path.ptr, path.len);
    memcpy(&out->address, &un, sizeof un);
    out->len = sizeof un;
    return true;
}

static bool resolve(const char *host, const char *port, target *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0 || found == NULL)
        return false;
    const struct addrinfo *chosen =
        found; /* IPv4 of a name with both, so "localhost" is 127.0.0.1 */
    for (const struct addrinfo *i = found; i != NULL && chosen->ai_family != AF_INET;
         i = i->ai_next)
        chosen = i->ai_family == AF_INET ? i : chosen;
    memcpy(&out->address, chosen->ai_addr, chosen->ai_addrlen);
    out->len = chosen->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool read_target(med_str listen, target *out, med_err *err)
{
    *out = (target){0};
    if (med_str_starts(listen, MED_STR("unix:")))
        return read_unix(med_str_skip(listen, 5), out, err);
    size_t colon = listen.len;
    while (colon > 0 && listen.ptr[colon - 1] != ':')
        colon--;
    med_str host = med_str_sub(listen, 0, colon == 0 ? 0 : colon - 1);
    med_str port = med_str_skip(listen, colon);
    if (host.len > 1 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = med_str_sub(host, 1, host.len - 1);
    int64_t number = 0;
    char z[256], p[8];
    if (colon == 0 || host.len == 0 || host.len >= sizeof z || port.len >= sizeof p
        || !med_str_to_int64(port, &number) || number < 0 || number > 65535)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "listen must be HOST:PORT, [IPv6]:PORT or unix:PATH, not \"%.*s\"",
                        MED_STR_ARG(med_str_sub(listen, 0, 100)));
    memcpy(z, host.ptr, host.len);
    z[host.len] = '\0';
    (void)snprintf(p, sizeof p, "%d", (int)number);
    if (!resolve(z, p, out))
        return MED_FAIL(err, MED_ISSUE_VALUE, "listen: no address is known for \"%s\"", z);
    return true;
}

/* ---- sockets ---- */

static bool set_option(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* A bound socket, or -1 with errno. */
static int bind_socket(const target *t, bool shared)
{
    int family = t->address.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool ok = family == AF_UNIX
              || (set_option(fd, SOL_SOCKET, SO_REUSEADDR)
                  && (!shared || set_option(fd, SOL_SOCKET, SO_REUSEPORT)));
    if (ok && bind(fd, (const struct sockaddr *)&t->address, t->len) == 0)
        return fd;
    int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

/* A socket file that nobody answers on was left by a process that died. */
static void remove_stale(const target *t)
{
    struct sockaddr_un un;
    memcpy(&un, &t->address, sizeof un);
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (stat(un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode)
        && connect(fd, (const struct sockaddr *)&t->address, t->len) != 0 && errno == ECONNREFUSED)
        (void)unlink(un.sun_path);
    (void)close(fd);
}

static bool fail_bind(const med_http_server *s, med_err *err)
{
    med_str where = s->config.listen;
    if (errno == EADDRINUSE)
        return MED_FAIL(err, MED_ISSUE_CONFLICT,
                        "address %.*s is in use: is another server running there?",
                        MED_STR_ARG(where));
    if (errno == EACCES)
        return MED_FAIL(err, MED_ISSUE_FORBIDDEN, "no permission to listen on %.*s",
                        MED_STR_ARG(where));
    return MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not listen on %.*s (errno %d)",
                    MED_STR_ARG(where), errno);
}

/* Writes the address really bound, and puts its port into *t for the other loops. */
static void note_address(med_http_server *s, int fd, target *t)
{
    (void)getsockname(fd, (struct sockaddr *)&t->address, &t->len);
    med_address a = med_address_of_socket((const struct sockaddr *)&t->address);
    char text[MED_ADDRESS_TEXT];
    med_address_format(&a, text);
    struct sockaddr_in6 v6; /* the port lies at the same place in both */
    memcpy(&v6, &t->address, sizeof v6);
    bool bracket = t->address.ss_family == AF_INET6;
    (void)snprintf(s->address, sizeof s->address, bracket ? "[%s]:%u" : "%s:%u", text,
                   (unsigned)ntohs(v6.sin6_port));
}

static bool open_unix(med_http_server *s, const target *t, med_err *err)
{
    remove_stale(t);
    int fd = bind_socket(t, false);
    if (fd < 0)
        return fail_bind(s, err);
    struct sockaddr_un un;
    memcpy(&un, &t->address, sizeof un);
    memcpy(s->unix_path, un.sun_path, sizeof s->unix_path);
    (void)snprintf(s->address, sizeof s->address, "unix:%s", s->unix_path);
    s->loops[0].listen_fd = fd;
    for (unsigned i = 1; i < s->n_loops; i++)
        s->loops[i].listen_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return true;
}

/* SO_REUSEPORT would let a second server share the port silently, so a socket without it asks
 * first whether the address is free. */
static bool open_tcp(med_http_server *s, target *t, med_err *err)
{
    int probe = bind_socket(t, false);
    if (probe < 0)
        return fail_bind(s, err);
    note_address(s, probe, t);
    (void)close(probe);
    for (unsigned i = 0; i < s->n_loops; i++) {
        s->loops[i].listen_fd = bind_socket(t, true);
        if (s->loops[i].listen_fd < 0)
            return fail_bind(s, err);
    }
    return true;
}

/* ---- accepting ---- */

static bool is_full(const med_http_server *s)
{
    return atomic_load_explicit(&s->open, memory_order_relaxed) >= s->config.limits.connections;
}

static void refuse_socket(med_loop *l, int fd)
{
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Connection: close\r\n"
                               "Retry-After: 5\r\n"
                               "Cache-Control: no-store\r\n"
                               "X-Content-Type-Options: nosniff\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: 39\r\n\r\n"
                               "too many connections from your address\n";
    med_count(&l->refused, 1);
    if (l->server->tls == NULL)
        (void)send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

static void take_socket(med_loop *l, int fd, const struct sockaddr_storage *from)
{
    med_http_server *s = l->server;
    med_address a = med_address_of_socket((const struct sockaddr *)from);
    bool exempt = a.local || med_address_listed(&a, s->proxies, s->n_proxies);
    uint32_t limit = s->config.limits.connections_per_address;
    if (!exempt && !med_address_table_enter(s->addresses, &a, limit)) {
        refuse_socket(l, fd);
        return;
    }
    if (!a.local)
        (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    med_count(&l->accepted, 1);
    med_conn_open(l, fd, &a, !exempt);
}

static void on_accept(int listen_fd, short what, void *arg)
{
    (void)what;
    med_loop *l = arg;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (is_full(l->server)) {
            med_listener_pause(l);
            return;
        }
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->starved = false;
            take_socket(l, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (!l->starved) /* said once, not at every try */
                MED_LOG(l->server->config.log, MED_LOG_WARN, "no descriptor for a new connection",
                        MED_LOG_INT("errno", errno));
            l->starved = true;
            med_listener_pause(l); /* the tick tries again */
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

void med_listener_pause(med_loop *l)
{
    if (!l->accepting)
        return;
    event_del(l->acceptor);
    l->accepting = false;
    med_loop_keep_ticking(l);
}

void med_listener_resume(med_loop *l)
{
    if (l->accepting || l->acceptor == NULL || is_full(l->server))
        return;
    l->accepting = event_add(l->acceptor, NULL) == 0;
}

void med_listener_close(med_loop *l)
{
    if (l->acceptor != NULL)
        event_free(l->acceptor);
    if (l->listen_fd >= 0)
        (void)close(l->listen_fd);
    l->acceptor = NULL;
    l->listen_fd = -1;
    l->accepting = true; /* nothing to resume */
}

bool med_listener_open(med_http_server *s, med_err *err)
{
    target t;
    if (!read_target(s->config.listen, &t, err))
        return false;
    bool bound = t.address.ss_family == AF_UNIX ? open_unix(s, &t, err) : open_tcp(s, &t, err);
    for (unsigned i = 0; bound && i < s->n_loops; i++) {
        med_loop *l = &s->loops[i];
        if (listen(l->listen_fd, BACKLOG) != 0)
            return fail_bind(s, err);
        l->acceptor = event_new(l->base, l->listen_fd, EV_READ | EV_PERSIST, on_accept, l);
        l->accepting = l->acceptor != NULL && event_add(l->acceptor, NULL) == 0;
        bound = l->accepting || MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not watch the socket");
    }
    return bound;
}
