/* import_journal.h - DATA/import.done: how far each file of an import is in the store.
 *
 * A line "SIZE TIME PATH" is a finished file, "at END LINE SIZE TIME PATH" one that is settled
 * up to offset END (of what it holds unpacked), behind line LINE. It is written behind the store,
 * never ahead of it: what it lacks after a kill is loaded again, and ids made of the place make no
 * doubles of it. */
#ifndef MED_COMMAND_IMPORT_JOURNAL_H
#define MED_COMMAND_IMPORT_JOURNAL_H

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct med_journal_file {
    med_str name;       /* the path */
    med_str identity;   /* "SIZE TIME PATH"; empty: not to be noted (a pipe) */
    uint64_t end, line; /* settled up to here */
    uint64_t last;      /* offset of the end of its last text, once it was read */
    bool read, done;
} med_journal_file;

typedef struct med_journal {
    FILE *file;
    med_arena *arena;
    med_str *lines; /* of earlier runs */
    size_t n, room;
    int64_t written; /* monotonic microseconds */
} med_journal;

/* With `restart` what earlier runs noted is forgotten. */
bool med_journal_open(med_journal *j, med_arena *a, med_str data, bool restart,
                      med_err *err) MED_MUST_CHECK;
void med_journal_close(med_journal *j);

/* Names the file and finds how far it was settled before. False past the arena's ceiling. */
bool med_journal_find(const med_journal *j, med_arena *a, med_str name, uint64_t size,
                      int64_t modified, med_journal_file *out) MED_MUST_CHECK;
/* Notes how far the file is: at most once a second, unless it is finished or `now`. */
void med_journal_note(med_journal *j, med_journal_file *f, bool now);

#endif
