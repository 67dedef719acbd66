/* note.c - small durable texts by name, each written by one at a time. */
#include "store/postgres/postgres_impl.h"

struct note_job {
    struct job job;
    const med_note_change *change;
    bool good;
    med_err *err;
};

/* One statement, which is its own transaction; it gives a row when it found what it expected. */
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

/* On the commit thread, whose connection it needs. */
static void run_note(struct job *job)
{
    struct note_job *j = (struct note_job *)job;
    j->good = med_pg_writer(job->store, j->err) && write_note(job->store, j->change, j->err);
}

bool med_pg_note(med_store *store, const med_note_change *change, med_err *err)
{
    struct note_job job = {.job.run = run_note, .change = change, .err = err};
    if (!med_pg_run_job(med_pg_of(store), &job.job))
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "the store is stopping");
    return job.good;
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
