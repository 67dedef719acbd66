/* note.c - small durable texts by name, each written by one at a time. */
#include "store/sqlite/sqlite_impl.h"

struct note_job {
    struct job job;
    const med_note_change *change;
    bool good;
    med_err *err;
};

static bool write_note(struct sqlite_store *s, const med_note_change *c, med_err *err)
{
    enum statement id = c->text.len == 0   ? STATEMENT_DROP_NOTE
                        : c->revision == 0 ? STATEMENT_ADD_NOTE
                                           : STATEMENT_SET_NOTE;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, id, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)c->revision);
    if (!med_statement_bind_str(stmt, 1, c->name)
        || (c->text.len > 0 && !med_statement_bind_str(stmt, 3, c->text)))
        return MED_FAIL_MEMORY(err);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (rc != SQLITE_DONE)
        return med_connection_fail(&s->writer, rc, "writing a note", err);
    return sqlite3_changes(s->writer.db) == 1
           || MED_FAIL(err, MED_ISSUE_CONFLICT, "somebody else has written this note");
}

/* On the commit thread: a transaction of its own. */
static void run_note(struct job *job)
{
    struct note_job *j = (struct note_job *)job;
    struct sqlite_store *s = job->store;
    int rc = s->failed ? SQLITE_IOERR : med_connection_begin_write(&s->writer);
    j->good = rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "writing a note", j->err);
    j->good = j->good && write_note(s, j->change, j->err);
    if (j->good) {
        rc = med_connection_run(&s->writer, STATEMENT_COMMIT);
        j->good = rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "writing a note", j->err);
    }
    if (j->good && med_str_eqz(j->change->name, MED_NOTE_EPOCH))
        s->epoch = j->change->revision + 1;
    if (!j->good)
        (void)med_connection_run(&s->writer, STATEMENT_ROLLBACK);
}

bool med_sqlite_note(med_store *store, const med_note_change *change, med_err *err)
{
    struct note_job job = {.job.run = run_note, .change = change, .err = err};
    return med_queue_run_job(&med_sqlite_of(store)->queue, &job.job, err) && job.good;
}

bool med_sqlite_load_epoch(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_EPOCH, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    s->epoch = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE
           || med_connection_fail(&s->writer, rc, "reading a note", err);
}

static bool take_note(med_arena *a, sqlite3_stmt *stmt, med_note *out)
{
    out->revision = (uint64_t)sqlite3_column_int64(stmt, 1);
    return med_arena_copy(a, med_statement_str(stmt, 0), &out->name)
           && med_arena_copy(a, med_statement_str(stmt, 2), &out->text);
}

static bool read_notes(struct sqlite_view *v, med_arena *a, med_note *out, size_t *n, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_NOTES, err);
    if (stmt == NULL)
        return false;
    bool good = true;
    int rc = SQLITE_DONE;
    while (good && *n < MED_NOTES && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        good = take_note(a, stmt, &out[(*n)++]) || MED_FAIL_MEMORY(err);
    (void)sqlite3_reset(stmt);
    if (!good)
        return false;
    return rc == SQLITE_DONE || rc == SQLITE_ROW || med_sqlite_read_failed(v, rc, err) == MED_FOUND;
}

bool med_sqlite_notes(med_view *view, med_arena *a, med_note **out, size_t *n, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    *n = 0;
    *out = MED_TAKE(a, MED_NOTES, med_note);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = read_notes(v, a, *out, n, err);
    med_sqlite_leave(v);
    return good;
}
