/* missing.c - targets of references that are no current resources.
 *
 * One seek for each distinct target, by the order of the tables' keys. */
#include "store/sqlite/sqlite_impl.h"

enum { LOOKED_AT = 20000, FOUND_MAX = 1000 }; /* of one call: a view lives for seconds */

/* One among the deferred rows, if it comes before what the tables have. */
static bool next_deferred(struct sqlite_view *v, med_rid after, med_rid *out, med_err *err)
{
    const struct overlay *over = med_sqlite_overlay(v, err);
    if (over == NULL)
        return false;
    for (unsigned i = 0; over->n > 0 && i < 2; i++) {
        struct overlay_walk walk;
        const struct index_row key = {.table = i == 0 ? TABLE_REFERENCE : TABLE_TARGET,
                                      .a = (int64_t)after,
                                      .b = INT64_MAX,
                                      .rid = INT64_MAX,
                                      .text = MED_STR_EMPTY};
        med_overlay_walk(&walk, over, &key, false);
        const struct index_row *row = med_overlay_next(&walk);
        while (row != NULL && row->cut)
            row = med_overlay_next(&walk);
        if (row != NULL && (*out == 0 || (med_rid)row->a < *out))
            *out = (med_rid)row->a;
    }
    return true;
}

/* The next target behind `after`; 0 when there is none. */
static bool next_target(struct sqlite_view *v, med_rid after, med_rid *out, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_NEXT_TARGET, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)after);
    int rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW ? (med_rid)sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return (rc == SQLITE_ROW || med_sqlite_read_failed(v, rc, err) == MED_FOUND)
           && next_deferred(v, after, out, err);
}

/* A target of the table whose rows are all cut since is none. */
static bool is_target(struct sqlite_view *v, med_arena *a, med_rid rid, bool *is, med_err *err)
{
    med_rid *referrers = NULL;
    size_t n = 1;
    bool deferred = false;
    bool good = med_sqlite_defers_target(v, rid, &deferred, err)
                && (!deferred || med_sqlite_find_referrers(v, a, rid, 1, &referrers, &n, err));
    *is = n > 0;
    return good;
}

static bool is_current(struct sqlite_view *v, med_rid rid, bool *current, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_CHANGE, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
    int rc = sqlite3_step(stmt);
    *current = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0) != MED_DELETED;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || med_sqlite_read_failed(v, rc, err) == MED_FOUND;
}

static bool find(struct sqlite_view *v, med_arena *a, med_rid *after, med_rid *out, size_t *n,
                 bool *done, med_err *err)
{
    for (int i = 0; i < LOOKED_AT && *n < FOUND_MAX; i++) {
        med_rid target = 0;
        bool current = false;
        bool is = true;
        if (!next_target(v, *after, &target, err))
            return false;
        *done = target == 0;
        if (*done)
            return true;
        if (!is_current(v, target, &current, err)
            || (!current && !is_target(v, a, target, &is, err)))
            return false;
        if (!current && is)
            out[(*n)++] = target;
        *after = target;
    }
    return true;
}

bool med_sqlite_missing(med_view *view, med_arena *a, med_rid *after, med_rid **out, size_t *n,
                        bool *done, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    *n = 0;
    *done = false;
    *out = MED_TAKE(a, FOUND_MAX, med_rid);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = find(v, a, after, *out, n, done, err);
    med_sqlite_leave(v);
    return good;
}
