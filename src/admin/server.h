/* server.h - the admin socket of a running server: DATA/admin.sock, for its own user and root.
 *
 * A thread accepts; each connection has a thread that reads one RUN, gives it to `run`, and says
 * its RESULT. Whoever connects must be this process's user or root (SO_PEERCRED). At most
 * MED_ADMIN_CONNECTIONS at a time, each with MED_ADMIN_HELLO_SECONDS for its request. */
#ifndef MED_ADMIN_SERVER_H
#define MED_ADMIN_SERVER_H

#include "admin/host.h"
#include "admin/message.h"
#include "base/log.h"

enum {
    MED_ADMIN_CONNECTIONS = 8,
    MED_ADMIN_HELLO_SECONDS = 10,
    MED_ADMIN_ANSWER_SECONDS = 60, /* for a packet to be taken, or a descriptor to come */
    MED_ADMIN_PATH = 4096,
};

typedef struct med_admin_config {
    med_str data; /* the data directory, whose lock this process holds */
    const med_log *log;
    /* On the connection's thread; several at a time. Returns the exit code of RESULT; *err goes
     * into its text. `a` is the request's. */
    int (*run)(void *arg, med_arena *a, med_host *host, const med_message *request, med_err *err);
    void *arg;
} med_admin_config;

typedef struct med_admin med_admin;

/* Removes a socket that a dead server left. NULL with *err when there can be none. */
med_admin *med_admin_start(const med_admin_config *config, med_err *err) MED_MUST_CHECK;
/* Cancels what runs, waits for it, removes the socket. NULL is fine. */
void med_admin_stop(med_admin *s);

/* Fills `out` with an address for DIRECTORY/admin.sock, also where the path is longer than a
 * socket's may be: then by way of *directory_fd, to be closed by the caller (else -1). */
struct sockaddr_un;
bool med_admin_address(med_str data, struct sockaddr_un *out, int *directory_fd,
                       med_err *err) MED_MUST_CHECK;

#endif
