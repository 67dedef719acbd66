/* client.c - see client.h. */
#include "admin/client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/channel.h"
#include "admin/server.h"

enum { PACKETS_ARENA = 8 << 20, LOOK_EVERY = 200, ANSWER = MED_ADMIN_ANSWER_SECONDS * 1000 };

typedef struct asking {
    int socket;
    med_host *host;
    med_arena *packets; /* emptied for each packet */
    bool told;          /* that we cancelled */
} asking;

static bool answer(asking *x, const med_message *m, int fd, med_err *err)
{
    bool ok = med_channel_send(x->socket, m, fd, MED_SEND_WAIT, ANSWER, err);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool answer_failed(asking *x, const med_err *why, med_err *err)
{
    return answer(x, &(med_message){.kind = MED_MESSAGE_FAILED, .text = med_str_from(why->text)},
                  -1, err);
}

static bool give_input(asking *x, med_err *err)
{
    med_err why = {0};
    med_input in = {.name = MED_STR_EMPTY, .fd = -1};
    if (!x->host->next(x->host, x->packets, &in, &why))
        return answer_failed(x, &why, err);
    med_message m = {.kind = MED_MESSAGE_NO_INPUT};
    if (in.fd >= 0)
        m = (med_message){.kind = MED_MESSAGE_INPUT,
                          .name = in.name,
                          .size = (int64_t)in.size,
                          .modified = in.modified};
    return answer(x, &m, in.fd, err);
}

/* Whatever the server is, it names a plain file. */
static bool is_plain_name(med_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!med_is_alnum(c) && c != '-' && c != '_' && (c != '.' || i == 0))
            return false;
    }
    return name.len > 0 && name.len < 128;
}

static bool give_file(asking *x, med_str name, med_err *err)
{
    med_err why = {0};
    int fd = -1;
    if (is_plain_name(name))
        fd = x->host->make(x->host, name, &why);
    else
        (void)MED_FAIL(&why, MED_ISSUE_SECURITY, "the server asked for a file of an odd name");
    return fd < 0 ? answer_failed(x, &why, err)
                  : answer(x, &(med_message){.kind = MED_MESSAGE_FILE}, fd, err);
}

enum turn { TURN_GO_ON, TURN_DONE, TURN_FAILED };

static enum turn take(asking *x, const med_message *m, int *code, med_err *err)
{
    med_host *h = x->host;
    const med_host_figures f = {(uint64_t)m->part, (uint64_t)m->whole, (uint64_t)m->done,
                                (uint64_t)m->errors};
    char what[64], unit[64];
    switch (m->kind) {
    case MED_MESSAGE_BEGIN: /* the host wants words that end in NUL */
        (void)snprintf(what, sizeof what, "%.*s", MED_STR_ARG(m->text));
        (void)snprintf(unit, sizeof unit, "%.*s", MED_STR_ARG(m->unit));
        h->begin(h, what, unit);
        return TURN_GO_ON;
    case MED_MESSAGE_PROGRESS:
        h->show(h, &f);
        return TURN_GO_ON;
    case MED_MESSAGE_END:
        h->end(h, f.done, f.errors);
        return TURN_GO_ON;
    case MED_MESSAGE_SAY:
        h->say(h, m->text);
        return TURN_GO_ON;
    case MED_MESSAGE_NEXT:
        return give_input(x, err) ? TURN_GO_ON : TURN_FAILED;
    case MED_MESSAGE_MAKE:
        return give_file(x, m->name, err) ? TURN_GO_ON : TURN_FAILED;
    case MED_MESSAGE_RESULT:
        *code = m->code > 255 ? 1 : (int)m->code;
        (void)MED_FAIL(err, MED_ISSUE_PROCESSING, "%.*s",
                       MED_STR_ARG(med_str_sub(m->text, 0, 250)));
        return TURN_DONE;
    case MED_MESSAGE_RUN:
    case MED_MESSAGE_INPUT:
    case MED_MESSAGE_NO_INPUT:
    case MED_MESSAGE_FILE:
    case MED_MESSAGE_FAILED:
    case MED_MESSAGE_CANCEL:
    case MED_MESSAGE_KINDS:
        break;
    }
    (void)MED_FAIL(err, MED_ISSUE_STRUCTURE, "the server said what only a client says");
    return TURN_FAILED;
}

static bool tell_if_cancelled(asking *x, med_err *err)
{
    if (x->told || !x->host->cancelled(x->host))
        return true;
    x->told = true;
    return answer(x, &(med_message){.kind = MED_MESSAGE_CANCEL}, -1, err);
}

static enum turn turn(asking *x, int *code, med_err *err)
{
    med_message m;
    int fd = -1;
    med_arena_reset(x->packets);
    if (!tell_if_cancelled(x, err))
        return TURN_FAILED;
    switch (med_channel_receive(x->socket, x->packets, LOOK_EVERY, &m, &fd, err)) {
    case MED_RECEIVED:
        if (fd >= 0)
            (void)close(fd);
        return take(x, &m, code, err);
    case MED_RECEIVE_LATE:
        return TURN_GO_ON;
    case MED_RECEIVE_GONE:
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "the server went away before it was done");
        return TURN_FAILED;
    case MED_RECEIVE_BAD:
        break;
    }
    return TURN_FAILED;
}

enum med_asked med_admin_converse(int socket, const med_message *request, med_host *host, int *code,
                                  med_err *err)
{
    asking x = {.socket = socket, .host = host, .packets = med_arena_new(PACKETS_ARENA)};
    enum turn at = TURN_FAILED;
    *code = 1;
    if (x.packets == NULL)
        (void)MED_FAIL_MEMORY(err);
    else if (answer(&x, request, -1, err))
        at = TURN_GO_ON;
    while (at == TURN_GO_ON)
        at = turn(&x, code, err);
    med_arena_free(x.packets);
    return at == TURN_DONE ? MED_ASKED_DONE : MED_ASKED_FAILED;
}

enum med_asked med_admin_ask(med_str data, const med_message *request, med_host *host, int *code,
                             med_err *err)
{
    struct sockaddr_un address;
    int directory = -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && med_admin_address(data, &address, &directory, err)
              && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    int why = errno;
    enum med_asked asked = MED_ASKED_NOBODY;
    if (ok) {
        asked = med_admin_converse(fd, request, host, code, err);
    } else if (why == EACCES || why == EPERM) {
        (void)MED_FAIL(err, MED_ISSUE_FORBIDDEN,
                       "admin.sock of the data directory may not be "
                       "used by this user: be the server's user, or root");
        asked = MED_ASKED_FAILED;
    }
    if (fd >= 0)
        (void)close(fd);
    if (directory >= 0)
        (void)close(directory);
    return asked;
}
