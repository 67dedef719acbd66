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

enum { ALONE = 3 }; /* up to so many rows in a run are cheaper one by one */

static bool add_run(struct sqlite_store *s, enum table table, size_t start, size_t end,
                    med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, med_table_shape(table)->add_all, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, table);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)start);
    (void)sqlite3_bind_int64(stmt, 3, (int64_t)end);
    return run(s, stmt, err);
}

static bool change_one(struct sqlite_store *s, const struct index_row *row, med_err *err)
{
    const struct table_shape *shape = med_table_shape((enum table)row->table);
    sqlite3_stmt *stmt =
        med_connection_statement(&s->writer, row->cut ? shape->cut : shape->add, err);
    if (stmt == NULL)
        return false;
    med_table_bind(stmt, shape, row);
    return run(s, stmt, err);
}

/* What comes and what goes is in one order of keys: runs of coming rows go in together. */
static bool flush_table(struct sqlite_store *s, enum table table, med_err *err)
{
    struct pending_rows *rows = &s->pending.tables[table];
    if (!med_pending_sort(rows))
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < rows->n;) {
        size_t end = i;
        while (end < rows->n && !rows->at[end].cut)
            end++;
        if (end - i > ALONE || (end > i && table >= TABLE_INDEXES)) {
            if (!add_run(s, table, i, end, err))
                return false;
            i = end;
        } else if (!change_one(s, &rows->at[i++], err)) {
            return false;
        }
    }
    return true;
}

static bool flush_idents(struct sqlite_store *s, med_err *err)
{
    size_t n = 0;
    const struct ident *idents = med_idents_take_pending(&s->idents, &n);
    for (size_t i = 0; i < n; i++) {
        struct index_row row = {.table = TABLE_IDENT,
                                .a = (int64_t)idents[i].hash,
                                .rid = idents[i].rid,
                                .text = MED_STR_EMPTY};
        const struct ident *known = med_idents_find(&s->idents, idents[i].hash);
        bool defer = !s->direct && known != NULL && known->owned;
        if (defer ? !med_deferred_add(&s->deferred, &row, s->t)
                  : !med_pending_add(&s->pending, &row))
            return MED_FAIL_MEMORY(err);
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

/* They are in the order of their keys, so neighbours are found in the processor's cache. */
static bool defer_table(struct sqlite_store *s, enum table table, med_err *err)
{
    struct pending_rows *rows = &s->pending.tables[table];
    if (!med_pending_sort(rows))
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < rows->n; i++) {
        if (!med_deferred_add(&s->deferred, &rows->at[i], s->t))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

bool med_sqlite_write_pending(struct sqlite_store *s, med_err *err)
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (!flush_table(s, (enum table)table, err))
            return false;
    }
    med_pending_clear(&s->pending);
    return true;
}

static bool flush_rows(struct sqlite_store *s, med_err *err)
{
    if (!flush_idents(s, err))
        return false;
    for (unsigned table = 0; !s->direct && table < TABLE_INDEXES; table++) {
        if (!defer_table(s, (enum table)table, err))
            return false;
        s->pending.tables[table].n = 0;
    }
    return med_sqlite_write_pending(s, err) && flush_counters(s, err);
}

bool med_sqlite_flush(struct sqlite_store *s, med_err *err)
{
    if (!flush_rows(s, err) || !drop_purged_idents(s, err))
        return false;
    s->wal_cut_due = s->wal_cut_due || s->purged != NULL;
    s->purged = NULL;
    return true;
}
