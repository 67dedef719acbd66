/* terminal.h - the host of a command that was typed here: progress on standard error, the report
 * on standard output, Ctrl-C and SIGTERM to cancel. */
#ifndef MED_COMMAND_TERMINAL_H
#define MED_COMMAND_TERMINAL_H

#include <pthread.h>

#include "admin/host.h"
#include "progress.h"

typedef struct med_terminal {
    med_host host;
    /* What the command gives out and takes in; NULL: nothing. */
    int (*make)(void *arg, med_str name, med_err *err);
    bool (*next)(void *arg, med_arena *a, med_input *out, med_err *err);
    void *arg;
    pthread_mutex_t lock;
    med_progress_bar bar;
    char what[64], unit[64];
    int signals;
    bool cancelled;
} med_terminal;

/* Before any thread is started: from now on the first SIGINT or SIGTERM only cancels. The second
 * ends the process. */
bool med_terminal_init(med_terminal *t, med_err *err) MED_MUST_CHECK;
void med_terminal_free(med_terminal *t);

/* ---- a directory that a command makes, and takes back when it fails ---- */
typedef struct med_out_directory {
    const char *path;
    med_arena *arena;
    int fd;
    med_str made[600];
    size_t n;
} med_out_directory;

/* Never one that is there. */
bool med_out_directory_make(med_out_directory *d, med_arena *a, med_str path,
                            med_err *err) MED_MUST_CHECK;
/* A med_terminal.make: a new file in it. */
int med_out_directory_file(void *directory, med_str name, med_err *err);
/* Makes all its names durable, or removes it with what was made in it. */
bool med_out_directory_end(med_out_directory *d, bool keep, med_err *err) MED_MUST_CHECK;

#endif
