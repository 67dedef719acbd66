/* import_journal.c - see import_journal.h. */
#include "command/import_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"

enum { SECOND = 1000000 };

static bool keep_line(med_journal *j, med_str line)
{
    med_str *more = MED_GROW(j->arena, j->lines, j->n, &j->room, 256);
    if (more == NULL)
        return false;
    j->lines = more;
    return med_arena_copy(j->arena, line, &j->lines[j->n++]);
}

/* A last line without its end was being written when the process was killed: it says nothing. */
static void read_lines(med_journal *j)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&line, &room, j->file)) > 0) {
        if (line[len - 1] != '\n' || !keep_line(j, (med_str){line, (size_t)len - 1}))
            break;
    }
    free(line); /* getline made it */
}

/* Ends half a line of a killed run, so that the next is whole. */
static void end_last_line(FILE *f)
{
    char last = '\n';
    if (fseek(f, -1, SEEK_END) == 0)
        last = (char)fgetc(f);
    (void)fseek(f, 0, SEEK_END);
    if (last != '\n')
        (void)fputc('\n', f);
}

/* Two imports would load the same files twice. With SQLite the owner of the store lets no second
 * one in; with PostgreSQL each is a process of its own. */
static bool lock(int fd, med_err *err)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0
           || MED_FAIL(err, MED_ISSUE_CONFLICT,
                       errno == EWOULDBLOCK
                           ? "another import is at work on this data directory; wait for its end"
                           : "the journal of imports can not be locked");
}

bool med_journal_open(med_journal *j, med_arena *a, med_str data, bool restart, med_err *err)
{
    *j = (med_journal){.arena = a};
    med_str path = med_arena_printf(a, "%.*s/import.done", MED_STR_ARG(data));
    int fd = open(path.ptr, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    j->file = fd < 0 ? NULL : fdopen(fd, "a+");
    if (j->file == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not write %.*s: %s", MED_STR_ARG(path),
                       strerrordesc_np(errno));
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    bool good = lock(fd, err)
                && (!restart || ftruncate(fd, 0) == 0
                    || MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not empty %.*s: %s",
                                MED_STR_ARG(path), strerrordesc_np(errno)));
    if (!good) {
        med_journal_close(j);
        return false;
    }
    rewind(j->file);
    read_lines(j);
    end_last_line(j->file);
    return true;
}

void med_journal_close(med_journal *j)
{
    if (j->file != NULL)
        (void)fclose(j->file);
    j->file = NULL;
}

/* "at END LINE IDENTITY" */
static void read_place(med_str line, med_journal_file *out)
{
    med_str rest;
    int64_t end = 0, number = 0;
    if (!med_str_starts(line, MED_STR("at ")))
        return;
    med_str first = med_str_cut(med_str_skip(line, 3), ' ', &rest);
    med_str second = med_str_cut(rest, ' ', &rest);
    if (med_str_eq(rest, out->identity) && med_str_to_int64(first, &end)
        && med_str_to_int64(second, &number) && end >= 0 && number >= 0) {
        out->end = (uint64_t)end;
        out->line = (uint64_t)number;
    }
}

bool med_journal_find(const med_journal *j, med_arena *a, med_str name, uint64_t size,
                      int64_t modified, med_journal_file *out)
{
    *out = (med_journal_file){.identity = MED_STR_EMPTY};
    if (!med_arena_copy(a, name, &out->name))
        return false;
    if (size == 0 || med_str_find(name, '\n', 0) < name.len)
        return true;
    out->identity =
        med_arena_printf(a, "%lu %ld %.*s", (unsigned long)size, (long)modified, MED_STR_ARG(name));
    for (size_t i = 0; i < j->n; i++) {
        out->done = out->done || med_str_eq(j->lines[i], out->identity);
        read_place(j->lines[i], out);
    }
    return out->identity.len > 0;
}

void med_journal_note(med_journal *j, med_journal_file *f, bool now)
{
    int64_t at = med_monotonic(&med_clock_system);
    if (f->identity.len == 0 || f->done)
        return;
    f->done = f->read && f->end >= f->last;
    if (!f->done && (f->end == 0 || (!now && at - j->written < SECOND)))
        return;
    if (f->done)
        (void)fprintf(j->file, "%.*s\n", MED_STR_ARG(f->identity));
    else
        (void)fprintf(j->file, "at %lu %lu %.*s\n", (unsigned long)f->end, (unsigned long)f->line,
                      MED_STR_ARG(f->identity));
    (void)fflush(j->file);
    j->written = at;
}
