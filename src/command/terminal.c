/* terminal.c - see terminal.h. */
#include "command/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static med_terminal *of(med_host *h)
{
    return (med_terminal *)h; /* its first member */
}

static void begin(med_host *h, const char *what, const char *unit)
{
    med_terminal *t = of(h);
    pthread_mutex_lock(&t->lock);
    (void)snprintf(t->what, sizeof t->what, "%s", what);
    (void)snprintf(t->unit, sizeof t->unit, "%s", unit);
    med_progress_start(&t->bar, t->what, t->unit);
    pthread_mutex_unlock(&t->lock);
}

static void show(med_host *h, const med_host_figures *f)
{
    med_terminal *t = of(h);
    pthread_mutex_lock(&t->lock);
    med_progress_show(&t->bar, f->whole > 0 ? (double)f->part / (double)f->whole : -1, f->done,
                      f->errors);
    pthread_mutex_unlock(&t->lock);
}

static void end(med_host *h, uint64_t done, uint64_t errors)
{
    med_terminal *t = of(h);
    pthread_mutex_lock(&t->lock);
    med_progress_end(&t->bar, done, errors);
    pthread_mutex_unlock(&t->lock);
}

/* What a server says reaches a terminal: no escape sequences. */
static void say(med_host *h, med_str line)
{
    med_terminal *t = of(h);
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        (void)putchar(c < 0x20 || c == 0x7f ? '?' : c);
    }
    (void)putchar('\n');
    pthread_mutex_unlock(&t->lock);
}

static int make(med_host *h, med_str name, med_err *err)
{
    const med_terminal *t = of(h);
    if (t->make != NULL)
        return t->make(t->arg, name, err);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "this command makes no files");
    return -1;
}

static bool next(med_host *h, med_arena *a, med_input *out, med_err *err)
{
    const med_terminal *t = of(h);
    *out = (med_input){.name = MED_STR_EMPTY, .fd = -1};
    return t->next == NULL || t->next(t->arg, a, out, err);
}

static void take_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
}

static bool cancelled(med_host *h)
{
    med_terminal *t = of(h);
    struct signalfd_siginfo info;
    sigset_t set;
    pthread_mutex_lock(&t->lock);
    if (!t->cancelled && read(t->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        t->cancelled = true;
        take_signals(&set);
        (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* the next one ends us */
    }
    bool is = t->cancelled;
    pthread_mutex_unlock(&t->lock);
    return is;
}

bool med_terminal_init(med_terminal *t, med_err *err)
{
    sigset_t set;
    *t = (med_terminal){.host = {.begin = begin,
                                 .show = show,
                                 .end = end,
                                 .say = say,
                                 .make = make,
                                 .next = next,
                                 .cancelled = cancelled}};
    take_signals(&set);
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return t->signals >= 0
           || MED_FAIL(err, MED_ISSUE_TRANSIENT, "no descriptor: %s", strerrordesc_np(errno));
}

void med_terminal_free(med_terminal *t)
{
    if (t->signals >= 0)
        (void)close(t->signals);
    (void)pthread_mutex_destroy(&t->lock);
}

/* ---- a directory that a command makes ---- */

bool med_out_directory_make(med_out_directory *d, med_arena *a, med_str path, med_err *err)
{
    med_str kept;
    d->arena = a;
    d->n = 0;
    d->fd = -1;
    if (!med_arena_copy(a, path, &kept))
        return MED_FAIL_MEMORY(err);
    d->path = kept.ptr;
    if (mkdir(d->path, 0700) != 0)
        return MED_FAIL(err, MED_ISSUE_CONFLICT, "can not make %s: %s", d->path,
                        strerrordesc_np(errno));
    d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return d->fd >= 0
           || MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not open %s: %s", d->path,
                       strerrordesc_np(errno));
}

int med_out_directory_file(void *directory, med_str name, med_err *err)
{
    med_out_directory *d = directory;
    if (d->n == sizeof d->made / sizeof *d->made
        || !med_arena_copy(d->arena, name, &d->made[d->n])) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "too many files in %s", d->path);
        return -1;
    }
    int fd =
        openat(d->fd, d->made[d->n].ptr, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        d->n++;
    else
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not make %s/%s: %s", d->path,
                       d->made[d->n].ptr, strerrordesc_np(errno));
    return fd;
}

static bool sync_names(const med_out_directory *d)
{
    int parent = openat(d->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fsync(d->fd) == 0 && (parent < 0 || fsync(parent) == 0);
    if (parent >= 0)
        (void)close(parent);
    return ok;
}

static void take_back(const med_out_directory *d)
{
    for (size_t i = 0; i < d->n; i++)
        (void)unlinkat(d->fd, d->made[i].ptr, 0);
    (void)rmdir(d->path);
}

bool med_out_directory_end(med_out_directory *d, bool keep, med_err *err)
{
    bool ok = true;
    if (d->fd < 0)
        return true;
    if (!keep)
        take_back(d);
    else if (!sync_names(d))
        ok = MED_FAIL(err, MED_ISSUE_EXCEPTION, "%s could not be synced: %s", d->path,
                      strerrordesc_np(errno));
    (void)close(d->fd);
    return ok;
}
