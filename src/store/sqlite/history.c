/* history.c - versions in order of the commits that made them.
 *
 * `updated` never goes back from one commit to the next, so a bound in time is a bound in t and
 * is found by bisection over the feed. https://hl7.org/fhir/R4/http.html#history */
#include "store/sqlite/sqlite_impl.h"

struct found {
    med_stored *at;
    size_t n, cap;
};

static med_stored *room_for_one(med_arena *a, struct found *f)
{
    if (f->n == f->cap) {
        size_t cap = f->cap == 0 ? 16 : f->cap * 2;
        med_stored *bigger = MED_TAKE(a, cap, med_stored);
        if (bigger == NULL)
            return NULL;
        if (f->n > 0)
            memcpy(bigger, f->at, f->n * sizeof *bigger);
        f->at = bigger;
        f->cap = cap;
    }
    return &f->at[f->n];
}

static bool add_row(struct sqlite_view *v, med_arena *a, const med_history *q, sqlite3_stmt *stmt,
                    const struct stored_row *row, struct found *f, med_err *err)
{
    med_stored *to = room_for_one(a, f);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    if (med_sqlite_row_read(v, a, stmt, row, q->text, to, err) != MED_FOUND)
        return false;
    f->n++;
    return true;
}

static bool bad_row(struct sqlite_view *v, const struct stored_row *row, med_err *err)
{
    atomic_fetch_add(&v->store->damaged, 1);
    return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a stored version is damaged (internal id %llu)",
                    (unsigned long long)row->rid);
}

/* First t whose commit was at `moment` or later; last + 1 when there is none. */
static bool first_t_from(struct sqlite_view *v, int64_t moment, int64_t last, int64_t *out,
                         med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_FEED_MOMENT, err);
    int64_t low = 1;
    int64_t high = last + 1;
    int rc = SQLITE_ROW;
    while (stmt != NULL && low < high) {
        int64_t middle = low + (high - low) / 2;
        (void)sqlite3_bind_int64(stmt, 1, middle);
        rc = sqlite3_step(stmt);
        int64_t t = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : high;
        bool before = rc == SQLITE_ROW && sqlite3_column_int64(stmt, 1) < moment;
        (void)sqlite3_reset(stmt);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            (void)med_sqlite_read_failed(v, rc, err);
            return false;
        }
        if (before)
            low = t + 1;
        else
            high = middle;
    }
    *out = low;
    return stmt != NULL;
}

static bool last_t(struct sqlite_view *v, int64_t *out, med_err *err)
{
    if (v->writer) {
        *out = v->store->t;
        return true;
    }
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_STATE, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    if (rc == SQLITE_ROW)
        return true;
    (void)med_sqlite_read_failed(v, rc, err);
    return false;
}

struct bounds {
    int64_t first, last; /* of t, inclusive */
};

static bool find_bounds(struct sqlite_view *v, const med_history *q, struct bounds *out,
                        med_err *err)
{
    out->first = 1;
    if (!last_t(v, &out->last, err))
        return false;
    int64_t last = out->last;
    if (q->since != MED_TIME_MIN && !first_t_from(v, q->since, last, &out->first, err))
        return false;
    if (q->until == MED_TIME_MAX)
        return true;
    if (!first_t_from(v, q->until + 1, last, &out->last, err))
        return false;
    out->last--;
    return true;
}

/* The feed from its start, bound for `q`; NULL with *err. */
static sqlite3_stmt *open_feed(struct sqlite_view *v, const med_history *q, struct bounds b,
                               med_err *err)
{
    enum statement id = q->type != 0
                            ? (q->oldest_first ? STATEMENT_FEED_TYPE_UP : STATEMENT_FEED_TYPE_DOWN)
                            : (q->oldest_first ? STATEMENT_FEED_UP : STATEMENT_FEED_DOWN);
    sqlite3_stmt *stmt = med_connection_statement(v->connection, id, err);
    if (stmt == NULL)
        return NULL;
    int64_t t = q->oldest_first ? b.first : b.last;
    int64_t rid = q->oldest_first ? 0 : INT64_MAX;
    bool after = q->after_t != 0 && (q->oldest_first ? q->after_t >= t : q->after_t <= t);
    (void)sqlite3_bind_int64(stmt, 1, after ? q->after_t : t);
    (void)sqlite3_bind_int64(stmt, 2, after ? (int64_t)q->after_rid : rid);
    (void)sqlite3_bind_int64(stmt, 3, q->oldest_first ? b.last : b.first);
    if (q->type != 0)
        (void)sqlite3_bind_int64(stmt, 4, q->type);
    return stmt;
}

enum med_found med_sqlite_version_by_rid(struct sqlite_view *v, med_arena *a, med_rid rid,
                                         uint32_t version, bool text, med_stored *out, med_err *err)
{
    sqlite3_stmt *current = med_connection_statement(v->connection, STATEMENT_READ_RID, err);
    sqlite3_stmt *old = med_connection_statement(v->connection, STATEMENT_READ_VERSION, err);
    if (current == NULL || old == NULL)
        return MED_FAILED;
    struct stored_row row = {.rid = rid};
    (void)sqlite3_bind_int64(current, 1, (int64_t)rid);
    sqlite3_stmt *stmt = current;
    int rc = sqlite3_step(current);
    bool whole = rc == SQLITE_ROW && med_sqlite_row(current, &row);
    if (whole && row.version != version) {
        (void)sqlite3_bind_int64(old, 1, (int64_t)rid);
        (void)sqlite3_bind_int64(old, 2, version);
        stmt = old;
        rc = sqlite3_step(old);
        whole = rc == SQLITE_ROW && med_sqlite_row(old, &row);
    }
    enum med_found found = MED_ABSENT;
    if (whole)
        found = med_sqlite_row_read(v, a, stmt, &row, text, out, err);
    else if (rc == SQLITE_ROW)
        found = bad_row(v, &row, err) ? MED_FOUND : MED_FAILED;
    else if (rc != SQLITE_DONE)
        found = med_sqlite_read_failed(v, rc, err);
    (void)sqlite3_reset(current);
    (void)sqlite3_reset(old);
    return found;
}

static bool add_version(struct sqlite_view *v, med_arena *a, const med_history *q, med_rid rid,
                        uint32_t version, struct found *f, med_err *err)
{
    med_stored *to = room_for_one(a, f);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    struct stored_row missing = {.rid = rid, .version = version};
    switch (med_sqlite_version_by_rid(v, a, rid, version, q->text, to, err)) {
    case MED_FOUND:
        f->n++;
        return true;
    case MED_ABSENT: /* the feed has it, so it must be there */
        return bad_row(v, &missing, err);
    case MED_FAILED:
        break;
    }
    return false;
}

static bool by_feed(struct sqlite_view *v, med_arena *a, const med_history *q, struct found *f,
                    med_err *err)
{
    struct bounds b;
    if (!find_bounds(v, q, &b, err))
        return false;
    sqlite3_stmt *stmt = open_feed(v, q, b, err);
    if (stmt == NULL)
        return false;
    bool good = true;
    int rc = SQLITE_DONE;
    while (good && f->n < q->limit && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (sqlite3_column_int(stmt, 3) != MED_FEED_PURGED)
            good = add_version(v, a, q, (med_rid)sqlite3_column_int64(stmt, 1),
                               (uint32_t)sqlite3_column_int64(stmt, 2), f, err);
    }
    (void)sqlite3_reset(stmt);
    if (good && rc != SQLITE_ROW && rc != SQLITE_DONE) {
        (void)med_sqlite_read_failed(v, rc, err);
        return false;
    }
    return good;
}

/* Which version of the resource the keyset stands on. */
static bool after_version(struct sqlite_view *v, const med_history *q, int64_t *out, med_err *err)
{
    *out = q->oldest_first ? 0 : INT64_MAX;
    if (q->after_t == 0)
        return true;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_FEED_VERSION, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, q->after_t);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)q->rid);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return true;
    (void)med_sqlite_read_failed(v, rc, err);
    return false;
}

static bool wanted(const med_history *q, const struct stored_row *row)
{
    return row->updated >= q->since && row->updated <= q->until
           && (q->type == 0 || row->type == q->type);
}

static bool add_superseded(struct sqlite_view *v, med_arena *a, const med_history *q,
                           int64_t version, struct found *f, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(
        v->connection, q->oldest_first ? STATEMENT_VERSIONS_OF_UP : STATEMENT_VERSIONS_OF, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)q->rid);
    (void)sqlite3_bind_int64(stmt, 2, version);
    bool good = true;
    int rc = SQLITE_DONE;
    while (good && f->n < q->limit && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct stored_row row;
        if (!med_sqlite_row(stmt, &row))
            good = bad_row(v, &row, err);
        else if (wanted(q, &row))
            good = add_row(v, a, q, stmt, &row, f, err);
    }
    (void)sqlite3_reset(stmt);
    if (good && rc != SQLITE_ROW && rc != SQLITE_DONE) {
        (void)med_sqlite_read_failed(v, rc, err);
        return false;
    }
    return good;
}

/* All versions of one resource: the current one is the newest. */
static bool by_rid(struct sqlite_view *v, med_arena *a, const med_history *q, struct found *f,
                   med_err *err)
{
    int64_t after = 0;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, STATEMENT_READ_RID, err);
    if (stmt == NULL || !after_version(v, q, &after, err))
        return false;
    if (q->oldest_first && !add_superseded(v, a, q, after, f, err))
        return false;
    struct stored_row row = {.rid = q->rid};
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)q->rid);
    int rc = sqlite3_step(stmt);
    bool good = true;
    if (rc == SQLITE_ROW && !med_sqlite_row(stmt, &row))
        good = bad_row(v, &row, err);
    else if (rc == SQLITE_ROW && f->n < q->limit && wanted(q, &row)
             && (q->oldest_first ? row.version > after : row.version < after))
        good = add_row(v, a, q, stmt, &row, f, err);
    else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        good = med_sqlite_read_failed(v, rc, err) == MED_FOUND;
    (void)sqlite3_reset(stmt);
    return good && (q->oldest_first || add_superseded(v, a, q, after, f, err));
}

bool med_sqlite_history(med_view *view, med_arena *a, const med_history *q, med_stored **out,
                        size_t *n, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    struct found f = {0};
    if (room_for_one(a, &f) == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = q->rid != 0 ? by_rid(v, a, q, &f, err) : by_feed(v, a, q, &f, err);
    med_sqlite_leave(v);
    *out = f.at;
    *n = f.n;
    return good;
}

static bool count_rows(struct sqlite_view *v, const med_history *q, int64_t *out, med_err *err)
{
    struct bounds b = {0};
    bool whole = q->since == MED_TIME_MIN && q->until == MED_TIME_MAX;
    if (q->rid == 0 && !whole && !find_bounds(v, q, &b, err))
        return false;
    enum statement id = q->rid != 0             ? STATEMENT_VERSIONS_COUNT
                        : whole && q->type != 0 ? STATEMENT_COUNTER
                        : whole                 ? STATEMENT_COUNTER_SUM
                        : q->type != 0          ? STATEMENT_FEED_TYPE_COUNT
                                                : STATEMENT_FEED_COUNT;
    sqlite3_stmt *stmt = med_connection_statement(v->connection, id, err);
    if (stmt == NULL)
        return false;
    if (q->rid != 0) {
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)q->rid);
        (void)sqlite3_bind_int64(stmt, 2, q->since);
        (void)sqlite3_bind_int64(stmt, 3, q->until);
    } else {
        (void)sqlite3_bind_int64(stmt, 1, whole ? MED_TALLY_VERSIONS : b.first);
        if (!whole || q->type != 0)
            (void)sqlite3_bind_int64(stmt, 2, whole ? q->type : b.last);
        if (!whole && q->type != 0)
            (void)sqlite3_bind_int64(stmt, 3, q->type);
    }
    int rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        return true;
    (void)med_sqlite_read_failed(v, rc, err);
    return false;
}

bool med_sqlite_history_count(med_view *view, const med_history *q, uint64_t *out, med_err *err)
{
    struct sqlite_view *v = med_sqlite_of_view(view);
    int64_t n = 0;
    if (!med_sqlite_enter(v, err))
        return false;
    bool good = count_rows(v, q, &n, err);
    med_sqlite_leave(v);
    *out = n > 0 ? (uint64_t)n : 0;
    return good;
}
