/* host.h - whoever asked for a command's work, seen from the work: a few functions.
 *
 * The same work runs on a stopped store, where the host is this process's terminal, and inside a
 * server, where the host is a client on the admin socket. The work names no path of its asker:
 * files come as descriptors, opened with the asker's rights. */
#ifndef MED_ADMIN_HOST_H
#define MED_ADMIN_HOST_H

#include "base/arena.h"
#include "base/err.h"

typedef struct med_host med_host;

typedef struct med_host_figures {
    uint64_t part, whole; /* whole 0: unknown */
    uint64_t done, errors;
} med_host_figures;

typedef struct med_input {
    med_str name; /* as the asker calls it */
    uint64_t size;
    int64_t modified; /* seconds */
    int fd;           /* the work's to close; -1: there are no more */
} med_input;

/* Any thread; hosts lock. */
struct med_host {
    /* Progress: what is done ("importing"), what is counted ("resources"); the words are copied.
     * `show` never blocks. */
    void (*begin)(med_host *h, const char *what, const char *unit);
    void (*show)(med_host *h, const med_host_figures *f);
    void (*end)(med_host *h, uint64_t done, uint64_t errors);
    /* One line of the report. */
    void (*say)(med_host *h, med_str line);
    /* A new file, open for reading and writing; the work's to close. -1 with *err. */
    int (*make)(med_host *h, med_str name, med_err *err);
    /* The next file to read. */
    bool (*next)(med_host *h, med_arena *a, med_input *out, med_err *err);
    /* Has the asker changed his mind, or gone? */
    bool (*cancelled)(med_host *h);
};

/* printf and say; lines of up to 1 KiB. */
void med_host_sayf(med_host *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
