/* referrers.c - who refers to a resource: the table's rows and the deferred ones. */
#include "store/sqlite/sqlite_impl.h"

struct found {
    med_rid *at;
    size_t n, cap, limit;
};

static bool add(struct found *f, med_arena *a, med_rid rid, med_err *err)
{
    for (size_t i = f->n; i-- > 0 && f->n - i <= 4;) { /* neighbours are often the same */
        if (f->at[i] == rid)
            return true;
    }
    if (f->n == f->cap) {
        size_t cap = f->cap == 0 ? 16 : f->cap * 2;
        med_rid *bigger = MED_TAKE(a, cap, med_rid);
        if (bigger == NULL)
            return MED_FAIL_MEMORY(err);
        if (f->n > 0)
            memcpy(bigger, f->at, f->n * sizeof *bigger);
        f->at = bigger;
        f->cap = cap;
    }
    f->at[f->n++] = rid;
    return true;
}

static void unite(struct found *f)
{
    size_t kept = 0;
    if (f->n > 1)
        qsort(f->at, f->n, sizeof *f->at, med_rid_compare);
    for (size_t i = 0; i < f->n; i++) {
        if (kept == 0 || f->at[i] != f->at[kept - 1])
            f->at[kept++] = f->at[i];
    }
    f->n = kept < f->limit ? kept : f->limit;
}

static const struct index_row *first_of(struct overlay_walk *walk, const struct overlay *over,
                                        enum table table, med_rid target)
{
    const struct index_row key = {
        .table = (uint8_t)table, .a = (int64_t)target, .b = INT64_MIN, .text = MED_STR_EMPTY};
    med_overlay_walk(walk, over, &key, false);
    return med_overlay_next(walk);
}

static bool add_deferred(struct found *f, med_arena *a, const struct overlay *over,
                         enum table table, med_rid target, med_err *err)
{
    struct overlay_walk walk;
    const struct index_row *row = first_of(&walk, over, table, target);
    for (; row != NULL && row->a == (int64_t)target; row = med_overlay_next(&walk)) {
        if (!row->cut && !add(f, a, row->rid, err))
            return false;
    }
    return true;
}

/* A row of the statement: param is -1 for the table target. */
static struct index_row row_of(sqlite3_stmt *stmt, med_rid target)
{
    int64_t param = sqlite3_column_int64(stmt, 1);
    return (struct index_row){.table = param < 0 ? TABLE_TARGET : TABLE_REFERENCE,
                              .a = (int64_t)target,
                              .b = param < 0 ? 0 : param,
                              .rid = (med_rid)sqlite3_column_int64(stmt, 0),
                              .text = MED_STR_EMPTY};
}

/* Distinct ones are counted only at the end, so a few more are read than are asked for. */
static bool add_rows(struct sqlite_view *v, struct found *f, med_arena *a,
                     const struct overlay *over, med_rid target, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_REFERRERS, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)target);
    bool good = true;
    int rc = SQLITE_ROW;
    while (good && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct index_row row = row_of(stmt, target);
        if (med_overlay_at(over, &row) == NULL)
            good = add(f, a, row.rid, err);
        if (f->n > f->limit) { /* perhaps enough */
            unite(f);
            if (f->n == f->limit)
                break;
        }
    }
    (void)sqlite3_reset(stmt);
    return good
           && (rc == SQLITE_ROW || rc == SQLITE_DONE
               || med_sqlite_read_failed(v, rc, err) == MED_FOUND);
}

bool med_sqlite_defers_target(struct sqlite_view *v, med_rid target, bool *out, med_err *err)
{
    struct overlay_walk walk;
    const struct overlay *over = med_sqlite_overlay(v, err);
    *out = false;
    for (unsigned i = 0; over != NULL && over->n > 0 && i < 2; i++) {
        const struct index_row *row =
            first_of(&walk, over, i == 0 ? TABLE_REFERENCE : TABLE_TARGET, target);
        *out = *out || (row != NULL && row->a == (int64_t)target);
    }
    return over != NULL;
}

bool med_sqlite_find_referrers(struct sqlite_view *v, med_arena *a, med_rid rid, size_t limit,
                               med_rid **out, size_t *n, med_err *err)
{
    struct found f = {.at = MED_TAKE(a, 16, med_rid), .cap = 16, .limit = limit};
    *n = 0;
    *out = f.at;
    if (f.at == NULL)
        return MED_FAIL_MEMORY(err);
    if (limit == 0)
        return true;
    const struct overlay *over = med_sqlite_overlay(v, err);
    bool good = over != NULL && add_deferred(&f, a, over, TABLE_REFERENCE, rid, err)
                && add_deferred(&f, a, over, TABLE_TARGET, rid, err)
                && add_rows(v, &f, a, over, rid, err);
    unite(&f);
    *out = f.at;
    *n = f.n;
    return good;
}

bool med_sqlite_referrers(med_view *view, med_arena *a, med_rid rid, size_t limit, med_rid **out,
                          size_t *n, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = med_sqlite_find_referrers(v, a, rid, limit, out, n, err);
    med_sqlite_leave(v);
    return good;
}
