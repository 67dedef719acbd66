/* server.c - see server.h. https://man7.org/linux/man-pages/man7/unix.7.html */
#include "admin/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/session.h"
#include "base/mem.h"
#include "base/thread.h"

enum { BACKLOG = 16, REQUEST_ARENA = 512 << 20 };

enum state { FREE, RUNNING, ENDED };

typedef struct connection {
    med_admin *server;
    pthread_t thread;
    int socket;
    _Atomic int state; /* enum state; ENDED: its thread is to be joined */
} connection;

struct med_admin {
    med_admin_config config;
    int listener, wake;
    pthread_t thread;
    bool thread_runs;
    atomic_bool stopping;
    connection connections[MED_ADMIN_CONNECTIONS];
};

static const char socket_name[] = "admin.sock";

/* ---- the address ---- */

bool med_admin_address(med_str data, struct sockaddr_un *out, int *directory_fd, med_err *err)
{
    char path[MED_ADMIN_PATH];
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    *directory_fd = -1;
    if (data.len >= sizeof path)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "the path of the data directory is too long");
    int n = snprintf(path, sizeof path, "%.*s/%s", MED_STR_ARG(data), socket_name);
    if (n > 0 && (size_t)n < sizeof out->sun_path) {
        memcpy(out->sun_path, path, (size_t)n);
        return true;
    }
    (void)snprintf(path, sizeof path, "%.*s", MED_STR_ARG(data));
    *directory_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory_fd < 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "the data directory can not be opened: %s",
                        strerrordesc_np(errno));
    (void)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", *directory_fd,
                   socket_name);
    return true;
}

/* ---- a connection ---- */

static int run_request(med_admin *s, med_session *session, med_arena *a, med_err *err)
{
    med_message request;
    return med_session_request(session, a, &request, err)
               ? s->config.run(s->config.arg, a, &session->host, &request, err)
               : 1;
}

static void converse(connection *c)
{
    med_err err = {0};
    med_session session;
    med_arena *a = med_arena_new(REQUEST_ARENA);
    if (a != NULL && med_session_init(&session, c->socket, &c->server->stopping)) {
        int code = run_request(c->server, &session, a, &err);
        med_session_result(&session, code, med_str_from(err.text));
        med_session_free(&session);
    }
    med_arena_free(a);
}

static void *connection_thread(void *arg)
{
    connection *c = arg;
    med_thread_name("admin", -1);
    converse(c);
    (void)close(c->socket);
    atomic_store(&c->state, ENDED);
    return NULL;
}

static connection *free_connection(med_admin *s)
{
    for (size_t i = 0; i < MED_ADMIN_CONNECTIONS; i++) {
        connection *c = &s->connections[i];
        if (atomic_load(&c->state) == ENDED) {
            (void)pthread_join(c->thread, NULL);
            atomic_store(&c->state, FREE);
        }
        if (atomic_load(&c->state) == FREE)
            return c;
    }
    return NULL;
}

/* The same user, or root: whoever could read the files anyway. */
static bool may_ask(const med_admin *s, int socket)
{
    struct ucred who;
    socklen_t len = sizeof who;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0
        && (who.uid == 0 || who.uid == geteuid()))
        return true;
    MED_LOG(s->config.log, MED_LOG_WARN, "somebody else's user on the admin socket was refused",
            MED_LOG_INT("uid", (int64_t)who.uid));
    return false;
}

static void take(med_admin *s, int socket)
{
    connection *c = may_ask(s, socket) ? free_connection(s) : NULL;
    if (c != NULL) {
        c->server = s;
        c->socket = socket;
        atomic_store(&c->state, RUNNING);
        if (pthread_create(&c->thread, NULL, connection_thread, c) == 0)
            return;
        atomic_store(&c->state, FREE);
    }
    (void)close(socket);
}

static void *accept_thread(void *arg)
{
    med_admin *s = arg;
    struct pollfd polled[2] = {{.fd = s->listener, .events = POLLIN},
                               {.fd = s->wake, .events = POLLIN}};
    while (!atomic_load(&s->stopping)) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            break;
        if ((polled[0].revents & POLLIN) == 0)
            continue;
        int socket = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket >= 0)
            take(s, socket);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            (void)poll(&polled[1], 1, 1000); /* no descriptor left: not in a circle */
    }
    return NULL;
}

/* ---- life ---- */

/* We hold the directory's lock, so a socket that is there is of a dead server. */
static bool remove_stale(const struct sockaddr_un *address, med_err *err)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode))
        return MED_FAIL(err, MED_ISSUE_CONFLICT,
                        "admin.sock in the data directory is no socket; remove it");
    return unlink(address->sun_path) == 0
           || MED_FAIL(err, MED_ISSUE_EXCEPTION, "an old admin.sock can not be removed: %s",
                       strerrordesc_np(errno));
}

static bool bind_socket(med_admin *s, const struct sockaddr_un *address, med_err *err)
{
    s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    /* the mode comes before listen: nobody can connect in between */
    bool ok = s->listener >= 0
              && bind(s->listener, (const struct sockaddr *)address, sizeof *address) == 0
              && chmod(address->sun_path, 0600) == 0 && listen(s->listener, BACKLOG) == 0;
    return ok
           || MED_FAIL(err, MED_ISSUE_EXCEPTION, "admin.sock can not be made: %s",
                       strerrordesc_np(errno));
}

static bool listen_in(med_admin *s, med_err *err)
{
    struct sockaddr_un address;
    int directory = -1;
    bool ok = med_admin_address(s->config.data, &address, &directory, err)
              && remove_stale(&address, err) && bind_socket(s, &address, err);
    if (directory >= 0)
        (void)close(directory);
    return ok;
}

med_admin *med_admin_start(const med_admin_config *config, med_err *err)
{
    med_admin *s = MED_NEW(1, med_admin);
    if (s == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    s->config = *config;
    s->listener = -1;
    s->wake = eventfd(0, EFD_CLOEXEC);
    if (s->wake < 0)
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "no descriptor for the admin socket");
    else if (listen_in(s, err))
        s->thread_runs = pthread_create(&s->thread, NULL, accept_thread, s) == 0
                         || MED_FAIL(err, MED_ISSUE_TRANSIENT, "no thread for the admin socket");
    if (s->thread_runs)
        return s;
    med_admin_stop(s);
    return NULL;
}

static void remove_socket(const med_admin *s)
{
    struct sockaddr_un address;
    int directory = -1;
    med_err ignored = {0};
    if (med_admin_address(s->config.data, &address, &directory, &ignored))
        (void)unlink(address.sun_path);
    if (directory >= 0)
        (void)close(directory);
}

void med_admin_stop(med_admin *s)
{
    const uint64_t one = 1;
    if (s == NULL)
        return;
    atomic_store(&s->stopping, true);
    if (s->thread_runs && write(s->wake, &one, sizeof one) == (ssize_t)sizeof one)
        (void)pthread_join(s->thread, NULL);
    for (size_t i = 0; i < MED_ADMIN_CONNECTIONS; i++) {
        if (atomic_load(&s->connections[i].state) != FREE)
            (void)pthread_join(s->connections[i].thread, NULL);
    }
    if (s->listener >= 0) {
        (void)close(s->listener);
        remove_socket(s);
    }
    if (s->wake >= 0)
        (void)close(s->wake);
    med_free(s);
}
