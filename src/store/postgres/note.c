/* note.c - small durable texts by name, each written by one at a time. */
#include "store/postgres/postgres_impl.h"

struct note_job {
    struct job job;
    const med_note_change *change;
    bool good;
    med_err *err;
};

/* It gives a row when it found what it expected. */
static bool write_note(struct pg_store *s, const med_note_change *c, med_err *err)
{
    struct pg_parameters p = {0};
    enum statement id = c->text.len == 0   ? STATEMENT_DROP_NOTE
                        : c->revision == 0 ? STATEMENT_ADD_NOTE
                                           : STATEMENT_SET_NOTE;
    med_pg_bytes(&p, c->name);
    med_pg_int(&p, (int64_t)c->revision);
    if (c->text.len > 0)
        med_pg_bytes(&p, c->text);
    PGresult *r = med_pg_ask(&s->writer, id, &p, err);
    if (r == NULL)
        return false;
    bool found = PQntuples(r) == 1;
    PQclear(r);
    return found || MED_FAIL(err, MED_ISSUE_CONFLICT, "somebody else has written this note");
}

/* On the commit thread, and under the lock of all commits: what is committed behind it, on any
 * node, has seen it. */
static void run_note(struct job *job)
{
    struct note_job *j = (struct note_job *)job;
    struct pg_store *s = job->store;
    med_err ignored = {0};
    j->good = med_pg_writer(s, j->err)
              && med_pg_run(&s->writer, STATEMENT_BEGIN_WRITE, NULL, j->err)
              && med_pg_run(&s->writer, STATEMENT_LOCK_STATE, NULL, j->err)
              && write_note(s, j->change, j->err)
              && med_pg_run(&s->writer, STATEMENT_COMMIT, NULL, j->err);
    if (!j->good && s->writer.pg != NULL
        && !med_pg_run(&s->writer, STATEMENT_ROLLBACK, NULL, &ignored))
        med_pg_disconnect(&s->writer);
}

bool med_pg_note(med_store *store, const med_note_change *change, med_err *err)
{
    struct note_job job = {.job.run = run_note, .change = change, .err = err};
    return med_queue_run_job(&med_pg_of(store)->queue, &job.job, err) && job.good;
}

bool med_pg_notes(med_view *view, med_arena *a, med_note **out, size_t *n, med_err *err)
{
    *n = 0;
    *out = MED_TAKE(a, MED_NOTES, med_note);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    PGresult *r = med_pg_view_ask(med_pg_of_view(view), STATEMENT_NOTES, NULL, err);
    bool good = r != NULL;
    for (int i = 0; good && i < PQntuples(r) && *n < MED_NOTES; i++) {
        med_note *to = &(*out)[(*n)++];
        to->revision = (uint64_t)med_pg_int_at(r, i, 1);
        good = (med_arena_copy(a, med_pg_bytes_at(r, i, 0), &to->name)
                && med_arena_copy(a, med_pg_bytes_at(r, i, 2), &to->text))
               || MED_FAIL_MEMORY(err);
    }
    PQclear(r);
    return good;
}
