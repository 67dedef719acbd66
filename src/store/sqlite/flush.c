/* flush.c - writes what a group has collected, each table in the order of its keys.
 *
 * Sorted rows meet the same page one after another: 0.5 us a row in batches of 10,000 where
 * unsorted ones take 3. */
#include "store/sqlite/sqlite_impl.h"
#include "store/sqlite/table.h"

static bool run(struct sqlite_store *s, sqlite3_stmt *stmt, med_err *err)
{
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "writing the index", err);
}

static bool flush_table(struct sqlite_store *s, enum table table, med_err *err)
{
    struct pending_rows *rows = &s->pending.tables[table];
    med_pending_sort(rows);
    const struct table_shape *shape = med_table_shape(table);
    for (size_t i = 0; i < rows->n; i++) {
        const struct index_row *row = &rows->at[i];
        sqlite3_stmt *stmt =
            med_connection_statement(&s->writer, row->cut ? shape->cut : shape->add, err);
        if (stmt == NULL)
            return false;
        med_table_bind(stmt, shape, row);
        if (!run(s, stmt, err))
            return false;
    }
    return true;
}

static bool flush_idents(struct sqlite_store *s, med_err *err)
{
    size_t n = 0;
    const struct ident *idents = med_idents_take_pending(&s->idents, &n);
    for (size_t i = 0; i < n; i++) {
        sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_IDENT, err);
        if (stmt == NULL)
            return false;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)idents[i].hash);
        (void)sqlite3_bind_int64(stmt, 2, (int64_t)idents[i].rid);
        if (!run(s, stmt, err))
            return false;
    }
    return true;
}

static bool run_key(struct sqlite_store *s, enum statement id, const struct tally *tally,
                    bool with_delta, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, id, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, tally->param);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)tally->hash);
    if (with_delta)
        (void)sqlite3_bind_int64(stmt, 3, tally->delta);
    return run(s, stmt, err);
}

/* A code that no row has any longer leaves the dictionary, too. */
static bool drop_if_zero(struct sqlite_store *s, const struct tally *tally, med_err *err)
{
    if (!run_key(s, STATEMENT_DROP_COUNTER, tally, false, err))
        return false;
    if (sqlite3_changes(s->writer.db) == 0 || tally->param <= 0)
        return true;
    struct tally *known = med_tallies_get(&s->tallies, tally->param, tally->hash);
    if (known != NULL)
        known->code = CODE_UNKNOWN;
    return run_key(s, STATEMENT_DROP_CODE, tally, false, err);
}

static bool flush_counters(struct sqlite_store *s, med_err *err)
{
    size_t n = 0;
    const struct tally *changed = med_tallies_take(&s->tallies, &n);
    for (size_t i = 0; i < n; i++) {
        if (changed[i].param == MED_TALLY_TYPE)
            s->group_resources += changed[i].delta;
        else if (changed[i].param == MED_TALLY_VERSIONS)
            s->group_versions += changed[i].delta;
        if (!run_key(s, STATEMENT_ADD_COUNTER, &changed[i], true, err)
            || (changed[i].delta < 0 && !drop_if_zero(s, &changed[i], err)))
            return false;
    }
    return true;
}

static bool is_named(struct sqlite_store *s, med_rid rid, bool *out, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_IS_NAMED, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    *out = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE
           || med_connection_fail(&s->writer, rc, "looking for references", err);
}

/* The last trace of a purged resource's id, unless others still name it. */
static bool drop_purged_idents(struct sqlite_store *s, med_err *err)
{
    for (const struct purged *p = s->purged; p != NULL; p = p->next) {
        bool named = false;
        if (!is_named(s, p->rid, &named, err))
            return false;
        sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_DROP_IDENT, err);
        if (stmt == NULL)
            return false;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)p->ident);
        (void)sqlite3_bind_int64(stmt, 2, (int64_t)p->rid);
        if (!named && !run(s, stmt, err))
            return false;
    }
    if (s->purged != NULL)
        med_idents_clear(&s->idents);
    return true;
}

static bool flush_rows(struct sqlite_store *s, med_err *err)
{
    if (!flush_idents(s, err))
        return false;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (!flush_table(s, (enum table)table, err))
            return false;
    }
    med_pending_clear(&s->pending);
    return flush_counters(s, err);
}

bool med_sqlite_flush(struct sqlite_store *s, med_err *err)
{
    if (!flush_rows(s, err) || !drop_purged_idents(s, err))
        return false;
    s->wal_cut_due = s->wal_cut_due || s->purged != NULL;
    s->purged = NULL;
    return true;
}
