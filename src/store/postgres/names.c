/* names.c - the table of names: numbers of resource types and search parameters. */
#include "store/postgres/postgres_impl.h"

bool med_pg_load_names(struct pg_store *s, struct pg_connection *c, med_err *err)
{
    PGresult *r = med_pg_ask(c, STATEMENT_NAMES, NULL, err);
    bool good = r != NULL;
    for (int i = 0; good && i < PQntuples(r); i++) {
        enum med_name_kind kind = med_pg_int_at(r, i, 0) == 0 ? MED_NAME_TYPE : MED_NAME_PARAM;
        good =
            med_names_take(&s->names, kind, med_pg_int_at(r, i, 2), med_pg_bytes_at(r, i, 1), err);
    }
    PQclear(r);
    return good;
}

static bool send_names(struct pg_store *s, const struct names_job *j)
{
    struct pg_array names;
    struct pg_parameters p = {0};
    med_pg_array_init(&names, PG_BYTES);
    for (size_t i = 0; i < j->n; i++)
        med_pg_array_bytes(&names, j->list[i]);
    med_pg_int(&p, j->kind);
    bool good = (med_pg_add_array(&p, &names) || MED_FAIL_MEMORY(j->err))
                && med_pg_send(&s->writer, STATEMENT_BEGIN_WRITE, NULL, j->err)
                && med_pg_send(&s->writer, STATEMENT_LOCK_STATE, NULL, j->err)
                && med_pg_send(&s->writer, STATEMENT_ADD_NAMES, &p, j->err)
                && med_pg_send(&s->writer, STATEMENT_COMMIT, NULL, j->err)
                && med_pg_sync(&s->writer, j->err) && med_pg_drain(&s->writer, j->err);
    med_pg_array_free(&names);
    return good;
}

/* On the commit thread, and under the lock of all commits, so that two callers in two processes
 * never give one number twice. What another gave by now needs no lock, which may be held for long.
 */
static void add_names(struct job *job)
{
    struct names_job *j = (struct names_job *)job;
    struct pg_store *s = job->store;
    j->good = med_pg_writer(s, j->err) && med_pg_load_names(s, &s->writer, j->err);
    if (!j->good || med_names_find(&s->names, j->kind, j->list, j->n, j->numbers) == j->n)
        return;
    j->good = send_names(s, j);
    if (!j->good && s->writer.pg != NULL)
        med_pg_disconnect(&s->writer);
    j->good = j->good && med_pg_load_names(s, &s->writer, j->err);
}

bool med_pg_intern(med_store *store, enum med_name_kind kind, const med_str *names, size_t n,
                   uint32_t *numbers, med_err *err)
{
    struct pg_store *s = med_pg_of(store);
    return med_names_intern(&s->names, &s->queue, add_names, kind, names, n, numbers, err);
}
