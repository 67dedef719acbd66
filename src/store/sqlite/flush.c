/* flush.c - writes what a group has collected, each table in the order of its keys.
 *
 * Sorted rows meet the same page one after another: 0.5 us a row in batches of 10,000 where
 * unsorted ones take 3. */
#include "store/sqlite/sqlite_impl.h"

static bool run(struct sqlite_store *s, sqlite3_stmt *stmt, med_err *err)
{
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "writing the index", err);
}

/* The columns of a table's statements, in order: letters of struct index_row, r = rid, s = text,
 * C and D as doubles. */
static const struct {
    enum statement add, cut;
    const char *columns;
} tables[TABLE_COUNT] = {
    [TABLE_TOKEN] = {STATEMENT_ADD_TOKEN, STATEMENT_CUT_TOKEN, "abr"},
    [TABLE_REFERENCE] = {STATEMENT_ADD_REFERENCE, STATEMENT_CUT_REFERENCE, "abr"},
    [TABLE_DATE] = {STATEMENT_ADD_DATE, STATEMENT_CUT_DATE, "abcrd"},
    [TABLE_STRING] = {STATEMENT_ADD_STRING, STATEMENT_CUT_STRING, "asr"},
    [TABLE_QUANTITY] = {STATEMENT_ADD_QUANTITY, STATEMENT_CUT_QUANTITY, "abCrD"},
    [TABLE_URI] = {STATEMENT_ADD_URI, STATEMENT_CUT_URI, "asr"},
    [TABLE_UPDATED] = {STATEMENT_ADD_UPDATED, STATEMENT_CUT_UPDATED, "abr"},
    [TABLE_PATIENT] = {STATEMENT_ADD_PATIENT, STATEMENT_CUT_PATIENT, "abcr"},
    [TABLE_PTOK] = {STATEMENT_ADD_PTOK, STATEMENT_CUT_PTOK, "abcdr"},
    [TABLE_TARGET] = {STATEMENT_ADD_TARGET, STATEMENT_CUT_TARGET, "ar"},
};

static int bind_column(sqlite3_stmt *stmt, int at, char column, const struct index_row *row)
{
    switch (column) {
    case 'a':
        return sqlite3_bind_int64(stmt, at, row->a);
    case 'b':
        return sqlite3_bind_int64(stmt, at, row->b);
    case 'c':
        return sqlite3_bind_int64(stmt, at, row->c);
    case 'd':
        return sqlite3_bind_int64(stmt, at, row->d);
    case 'C':
        return sqlite3_bind_double(stmt, at, med_double_from_key(row->c));
    case 'D':
        return sqlite3_bind_double(stmt, at, med_double_from_key(row->d));
    case 's':
        return sqlite3_bind_text64(stmt, at, row->text.ptr, row->text.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    default:
        return sqlite3_bind_int64(stmt, at, (int64_t)row->rid);
    }
}

static bool flush_table(struct sqlite_store *s, enum table table, med_err *err)
{
    struct pending_rows *rows = &s->pending.tables[table];
    med_pending_sort(rows);
    const char *columns = tables[table].columns;
    for (size_t i = 0; i < rows->n; i++) {
        const struct index_row *row = &rows->at[i];
        sqlite3_stmt *stmt = med_connection_statement(
            &s->writer, row->cut ? tables[table].cut : tables[table].add, err);
        if (stmt == NULL)
            return false;
        for (int k = 0; columns[k] != '\0'; k++)
            (void)bind_column(stmt, k + 1, columns[k], row);
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

static bool is_referred_to(struct sqlite_store *s, med_rid rid, bool *out, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_REFERRERS, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
    (void)sqlite3_bind_int64(stmt, 2, 1);
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
        bool referred = false;
        if (!is_referred_to(s, p->rid, &referred, err))
            return false;
        sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_DROP_IDENT, err);
        if (stmt == NULL)
            return false;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)p->ident);
        (void)sqlite3_bind_int64(stmt, 2, (int64_t)p->rid);
        if (!referred && !run(s, stmt, err))
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
