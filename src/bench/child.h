/* child.h - the processes that a measurement starts: this program with other arguments.
 *
 * Children end with the thread that started them (the kernel sees to it), are out of reach of the
 * terminal's Ctrl-C, and write into a log file. */
#ifndef MED_BENCH_CHILD_H
#define MED_BENCH_CHILD_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

enum { MED_CHILD_WORDS = 16 };

/* /proc/self/exe WORDS...; standard output and error go to the file `log`, appended. `words` ends
 * with NULL. -1 with *err when it can not be started. */
pid_t med_child_program(const char *const *words, const char *log, med_err *err);

typedef struct med_child_end {
    bool exited; /* by itself, with `code`; else by a signal */
    int code;
    double cpu; /* seconds, user and system, all its threads and its own children */
} med_child_end;

/* True when it has ended; waits for at most `milliseconds` (negative: as long as it takes). */
bool med_child_wait(pid_t pid, int milliseconds, med_child_end *out);
/* Signals and waits; after ten seconds with SIGKILL. 0 is fine. */
void med_child_stop(pid_t pid, int signal);

/* Resident bytes of a process; 0 when it can not be told. */
uint64_t med_child_resident(pid_t pid);
/* Bytes of all files directly in a folder (a store has no folders). */
uint64_t med_folder_bytes(const char *folder);
/* Removes a folder and all that is in it; links are not followed. */
void med_folder_remove(const char *folder);
/* A port of the loopback address that nobody has at this moment; 0 on failure. */
unsigned med_free_port(void);

#endif
