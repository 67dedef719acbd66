/* session.c - see session.h. */
#include "admin/session.h"

#include <unistd.h>

#include "admin/channel.h"
#include "admin/server.h"

enum { SECOND = 1000, PACKETS_ARENA = 8 << 20, SLICE = 200 };

static med_session *of(med_host *h)
{
    return (med_session *)h; /* its first member */
}

static void hang_up(med_session *s)
{
    atomic_store(&s->gone, true);
    atomic_store(&s->over, true);
}

/* With the lock held, as all that reads or sends. */
static void send_message(med_session *s, const med_message *m, enum med_send how)
{
    med_err ignored = {0};
    if (!atomic_load(&s->gone)
        && !med_channel_send(s->socket, m, -1, how, MED_ADMIN_ANSWER_SECONDS * SECOND, &ignored))
        hang_up(s);
}

static void say_message(med_session *s, const med_message *m, enum med_send how)
{
    pthread_mutex_lock(&s->lock);
    send_message(s, m, how);
    pthread_mutex_unlock(&s->lock);
}

static void begin(med_host *h, const char *what, const char *unit)
{
    say_message(of(h),
                &(med_message){.kind = MED_MESSAGE_BEGIN,
                               .text = med_str_from(what),
                               .unit = med_str_from(unit)},
                MED_SEND_WAIT);
}

static void show(med_host *h, const med_host_figures *f)
{
    say_message(of(h),
                &(med_message){.kind = MED_MESSAGE_PROGRESS,
                               .part = (int64_t)f->part,
                               .whole = (int64_t)f->whole,
                               .done = (int64_t)f->done,
                               .errors = (int64_t)f->errors},
                MED_SEND_OR_DROP);
}

static void end(med_host *h, uint64_t done, uint64_t errors)
{
    say_message(
        of(h),
        &(med_message){.kind = MED_MESSAGE_END, .done = (int64_t)done, .errors = (int64_t)errors},
        MED_SEND_WAIT);
}

static void say(med_host *h, med_str line)
{
    say_message(of(h), &(med_message){.kind = MED_MESSAGE_SAY, .text = line}, MED_SEND_WAIT);
}

/* ---- hearing: with the lock held ---- */

/* What comes unasked may only be CANCEL or the end. */
static void hear_unasked(med_session *s)
{
    med_message m;
    med_err ignored = {0};
    int fd = -1;
    med_arena_reset(s->packets);
    enum med_receive got = med_channel_receive(s->socket, s->packets, 0, &m, &fd, &ignored);
    if (got == MED_RECEIVED && m.kind == MED_MESSAGE_CANCEL)
        atomic_store(&s->over, true);
    else if (got != MED_RECEIVE_LATE)
        hang_up(s);
    if (fd >= 0)
        (void)close(fd);
}

static bool cancelled(med_host *h)
{
    med_session *s = of(h);
    if (atomic_load(s->stopping))
        atomic_store(&s->over, true);
    if (!atomic_load(&s->over) && pthread_mutex_trylock(&s->lock) == 0) {
        hear_unasked(s);
        pthread_mutex_unlock(&s->lock);
    }
    return atomic_load(&s->over);
}

static enum med_receive hear(med_session *s, med_message *out, int *fd, med_err *err)
{
    enum med_receive got = MED_RECEIVE_LATE;
    for (int waited = 0; got == MED_RECEIVE_LATE && waited < MED_ADMIN_ANSWER_SECONDS * SECOND
                         && !atomic_load(s->stopping);
         waited += SLICE) {
        med_arena_reset(s->packets);
        got = med_channel_receive(s->socket, s->packets, SLICE, out, fd, err);
    }
    return got;
}

/* The answer to NEXT or MAKE. */
static bool ask(med_session *s, const med_message *question, med_message *out, int *fd,
                med_err *err)
{
    *fd = -1;
    send_message(s, question, MED_SEND_WAIT);
    if (atomic_load(&s->over))
        return MED_FAIL(err, MED_ISSUE_INCOMPLETE, "cancelled");
    enum med_receive got = hear(s, out, fd, err);
    if (got == MED_RECEIVED && out->kind == MED_MESSAGE_FAILED)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "%.*s",
                        MED_STR_ARG(med_str_sub(out->text, 0, 200)));
    if (got == MED_RECEIVED && out->kind != MED_MESSAGE_CANCEL)
        return true;
    if (got == MED_RECEIVED)
        atomic_store(&s->over, true);
    else
        hang_up(s);
    return got == MED_RECEIVE_BAD ? false : MED_FAIL(err, MED_ISSUE_INCOMPLETE, "cancelled");
}

static bool unexpected(med_session *s, int fd, med_err *err)
{
    hang_up(s);
    if (fd >= 0)
        (void)close(fd);
    return MED_FAIL(err, MED_ISSUE_STRUCTURE, "the client answered something else than was asked");
}

static bool take_file(med_session *s, med_str name, int *fd, med_err *err)
{
    med_message answer = {.kind = MED_MESSAGE_KINDS};
    if (!ask(s, &(med_message){.kind = MED_MESSAGE_MAKE, .name = name}, &answer, fd, err))
        return false;
    return answer.kind == MED_MESSAGE_FILE ? true : unexpected(s, *fd, err);
}

static int make(med_host *h, med_str name, med_err *err)
{
    med_session *s = of(h);
    int fd = -1;
    pthread_mutex_lock(&s->lock);
    bool ok = take_file(s, name, &fd, err);
    pthread_mutex_unlock(&s->lock);
    return ok ? fd : -1;
}

static bool take_input(med_session *s, med_arena *a, med_input *out, med_err *err)
{
    med_message answer = {.kind = MED_MESSAGE_KINDS};
    int fd;
    if (!ask(s, &(med_message){.kind = MED_MESSAGE_NEXT}, &answer, &fd, err))
        return false;
    if (answer.kind == MED_MESSAGE_NO_INPUT)
        return true;
    if (answer.kind != MED_MESSAGE_INPUT)
        return unexpected(s, fd, err);
    *out = (med_input){.size = (uint64_t)answer.size, .modified = answer.modified, .fd = fd};
    if (med_arena_copy(a, answer.name, &out->name))
        return true;
    (void)close(fd);
    return MED_FAIL_MEMORY(err);
}

static bool next(med_host *h, med_arena *a, med_input *out, med_err *err)
{
    med_session *s = of(h);
    *out = (med_input){.name = MED_STR_EMPTY, .fd = -1};
    pthread_mutex_lock(&s->lock);
    bool ok = take_input(s, a, out, err);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

/* ---- the session ---- */

bool med_session_init(med_session *s, int socket, const atomic_bool *stopping)
{
    *s = (med_session){.host = {.begin = begin,
                                .show = show,
                                .end = end,
                                .say = say,
                                .make = make,
                                .next = next,
                                .cancelled = cancelled},
                       .socket = socket,
                       .stopping = stopping,
                       .packets = med_arena_new(PACKETS_ARENA)};
    if (s->packets != NULL && pthread_mutex_init(&s->lock, NULL) == 0)
        return true;
    med_arena_free(s->packets);
    return false;
}

void med_session_free(med_session *s)
{
    (void)pthread_mutex_destroy(&s->lock);
    med_arena_free(s->packets);
}

bool med_session_request(med_session *s, med_arena *a, med_message *out, med_err *err)
{
    int fd = -1;
    enum med_receive got = MED_RECEIVE_LATE;
    for (int waited = 0; got == MED_RECEIVE_LATE && waited < MED_ADMIN_HELLO_SECONDS * SECOND
                         && !atomic_load(s->stopping);
         waited += SLICE)
        got = med_channel_receive(s->socket, a, SLICE, out, &fd, err);
    if (got == MED_RECEIVED && fd < 0 && out->kind == MED_MESSAGE_RUN)
        return true;
    if (fd >= 0)
        (void)close(fd);
    return got == MED_RECEIVE_BAD
               ? false
               : MED_FAIL(err, MED_ISSUE_STRUCTURE, "the first message must be of kind run");
}

void med_session_result(med_session *s, int code, med_str text)
{
    med_err ignored = {0};
    pthread_mutex_lock(&s->lock);
    /* even to one who has cancelled: he waits for it */
    (void)!med_channel_send(s->socket,
                            &(med_message){.kind = MED_MESSAGE_RESULT, .code = code, .text = text},
                            -1, MED_SEND_WAIT, SECOND, &ignored);
    pthread_mutex_unlock(&s->lock);
}
