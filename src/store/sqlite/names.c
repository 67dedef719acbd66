/* names.c - the table of names: numbers of resource types and search parameters. */
#include "store/sqlite/sqlite_impl.h"

bool med_sqlite_load_names(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_NAMES, err);
    if (stmt == NULL)
        return false;
    bool good = true;
    int rc = SQLITE_ROW;
    while (good && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        enum med_name_kind kind = sqlite3_column_int(stmt, 0) == 0 ? MED_NAME_TYPE : MED_NAME_PARAM;
        good = med_names_take(&s->names, kind, sqlite3_column_int64(stmt, 2),
                              med_statement_str(stmt, 1), err);
    }
    (void)sqlite3_reset(stmt);
    return good && (rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "reading names", err));
}

/* One that is there already stays as it is. */
static bool add_name(struct sqlite_store *s, enum med_name_kind kind, med_str name, int64_t *number,
                     med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_NAME, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, kind);
    if (!med_statement_bind_str(stmt, 2, name))
        return MED_FAIL_MEMORY(err);
    (void)sqlite3_bind_int64(stmt, 3, *number);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_DONE)
        return med_connection_fail(&s->writer, rc, "naming", err);
    *number += sqlite3_changes(s->writer.db);
    return true;
}

/* On the commit thread, so that two callers never give one number twice. */
static void add_names(struct job *job)
{
    struct names_job *j = (struct names_job *)job;
    struct sqlite_store *s = job->store;
    int rc = s->failed ? SQLITE_IOERR : med_connection_begin_write(&s->writer);
    j->good = (rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "naming", j->err))
              && med_sqlite_load_names(s, j->err);
    int64_t number = (int64_t)s->names.of[j->kind].n + 1;
    for (size_t i = 0; j->good && i < j->n; i++)
        j->good = add_name(s, j->kind, j->list[i], &number, j->err);
    if (j->good) {
        rc = med_connection_run(&s->writer, STATEMENT_COMMIT);
        j->good = rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "naming", j->err);
    }
    if (!j->good)
        (void)med_connection_run(&s->writer, STATEMENT_ROLLBACK);
    j->good = j->good && med_sqlite_load_names(s, j->err);
}

bool med_sqlite_intern(med_store *store, enum med_name_kind kind, const med_str *names, size_t n,
                       uint32_t *numbers, med_err *err)
{
    struct sqlite_store *s = med_sqlite_of(store);
    return med_names_intern(&s->names, &s->queue, add_names, kind, names, n, numbers, err);
}
