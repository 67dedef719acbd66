/* history.c - versions in order of the commits that made them.
 *
 * Commits are made one at a time (commit.c), so whoever sees a commit sees all before it: the
 * feed has no holes, whichever process wrote it. `updated` never goes back from one commit to the
 * next, so a bound in time is a bound in t and is found by bisection over the feed.
 * https://hl7.org/fhir/R4/http.html#history */
#include "store/postgres/postgres_impl.h"

enum { PAGE = 500 };

struct found {
    med_stored *at;
    size_t n, cap;
};

static bool make_room(med_arena *a, struct found *f, size_t more)
{
    if (f->n + more <= f->cap)
        return true;
    size_t cap = f->cap * 2 > f->n + more ? f->cap * 2 : f->n + more;
    med_stored *bigger = MED_TAKE(a, cap, med_stored);
    if (bigger == NULL)
        return false;
    if (f->n > 0)
        memcpy(bigger, f->at, f->n * sizeof *bigger);
    f->at = bigger;
    f->cap = cap;
    return true;
}

/* First t whose commit was at `moment` or later; last + 1 when there is none. */
static bool first_t_from(struct pg_view *v, int64_t moment, int64_t last, int64_t *out,
                         med_err *err)
{
    int64_t low = 1;
    int64_t high = last + 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        struct pg_parameters p = {0};
        med_pg_int(&p, middle);
        PGresult *r = med_pg_view_ask(v, STATEMENT_FEED_MOMENT, &p, err);
        if (r == NULL)
            return false;
        bool there = PQntuples(r) > 0;
        if (there && med_pg_int_at(r, 0, 1) < moment)
            low = med_pg_int_at(r, 0, 0) + 1;
        else
            high = middle;
        PQclear(r);
    }
    *out = low;
    return true;
}

struct bounds {
    int64_t first, last; /* of t, inclusive */
};

static bool find_bounds(struct pg_view *v, const med_history *q, struct bounds *out, med_err *err)
{
    bool has = false;
    out->first = 1;
    if (v->writer)
        out->last = v->store->t;
    else if (!med_pg_view_number(v, STATEMENT_STATE, NULL, 0, &has, &out->last, err))
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

/* A page of the feed behind (t, rid). */
static PGresult *feed_page(struct pg_view *v, const med_history *q, struct bounds b, int64_t t,
                           int64_t rid, size_t limit, med_err *err)
{
    enum statement id = q->type != 0
                            ? (q->oldest_first ? STATEMENT_FEED_TYPE_UP : STATEMENT_FEED_TYPE_DOWN)
                            : (q->oldest_first ? STATEMENT_FEED_UP : STATEMENT_FEED_DOWN);
    struct pg_parameters p = {0};
    med_pg_int(&p, t);
    med_pg_int(&p, rid);
    med_pg_int(&p, q->oldest_first ? b.last : b.first);
    med_pg_int(&p, (int64_t)limit);
    if (q->type != 0)
        med_pg_int(&p, q->type);
    return med_pg_view_ask(v, id, &p, err);
}

static PGresult *ask_versions(struct pg_view *v, const PGresult *feed, med_err *err)
{
    struct pg_array rids, versions;
    struct pg_parameters p = {0};
    PGresult *r = NULL;
    med_pg_array_init(&rids, PG_INT);
    med_pg_array_init(&versions, PG_INT);
    for (int i = 0; i < PQntuples(feed); i++) {
        med_pg_array_int(&rids, med_pg_int_at(feed, i, 1));
        med_pg_array_int(&versions, med_pg_int_at(feed, i, 2));
    }
    if (med_pg_add_array(&p, &rids) && med_pg_add_array(&p, &versions))
        r = med_pg_view_ask(v, STATEMENT_READ_VERSIONS, &p, err);
    else
        (void)MED_FAIL_MEMORY(err);
    med_pg_array_free(&rids);
    med_pg_array_free(&versions);
    return r;
}

/* The versions that a page of the feed names, in its order. */
static bool add_versions(struct pg_view *v, med_arena *a, const med_history *q,
                         const PGresult *feed, struct found *f, med_err *err)
{
    size_t n = (size_t)PQntuples(feed);
    if (!make_room(a, f, n))
        return MED_FAIL_MEMORY(err);
    PGresult *r = ask_versions(v, feed, err);
    if (r == NULL)
        return false;
    struct stored_row row = {0};
    bool good = (size_t)PQntuples(r) == n
                || MED_FAIL(err, MED_ISSUE_EXCEPTION,
                            "the feed names versions that are not there: verify the store");
    for (int i = 0; good && i < PQntuples(r); i++) {
        size_t at = (size_t)med_pg_int_at(r, i, COLUMN_ORDINAL) - 1;
        good = at < n && (med_pg_row(r, i, &row) || med_pg_damaged(v, &row, err) == MED_FOUND)
               && med_pg_row_read(v, a, r, i, &row, q->text, &f->at[f->n + at], err) == MED_FOUND;
    }
    PQclear(r);
    f->n += good ? n : 0;
    return good;
}

static bool by_feed(struct pg_view *v, med_arena *a, const med_history *q, struct found *f,
                    med_err *err)
{
    struct bounds b;
    if (!find_bounds(v, q, &b, err))
        return false;
    int64_t t = q->oldest_first ? b.first : b.last;
    bool after = q->after_t != 0 && (q->oldest_first ? q->after_t >= t : q->after_t <= t);
    int64_t rid = after ? (int64_t)q->after_rid : q->oldest_first ? 0 : INT64_MAX;
    t = after ? q->after_t : t;
    for (bool more = true; more && f->n < q->limit;) {
        size_t want = q->limit - f->n < PAGE ? q->limit - f->n : PAGE;
        PGresult *feed = feed_page(v, q, b, t, rid, want, err);
        if (feed == NULL)
            return false;
        int n = PQntuples(feed);
        more = (size_t)n == want;
        bool good = n == 0 || add_versions(v, a, q, feed, f, err);
        if (n > 0) {
            t = med_pg_int_at(feed, n - 1, 0);
            rid = med_pg_int_at(feed, n - 1, 1);
        }
        PQclear(feed);
        if (!good)
            return false;
    }
    return true;
}

/* Which version of the resource the keyset stands on. */
static bool after_version(struct pg_view *v, const med_history *q, int64_t *out, med_err *err)
{
    const int64_t keys[] = {q->after_t, (int64_t)q->rid};
    int64_t version = 0;
    bool has = false;
    *out = q->oldest_first ? 0 : INT32_MAX;
    if (q->after_t == 0)
        return true;
    if (!med_pg_view_number(v, STATEMENT_FEED_VERSION, keys, 2, &has, &version, err))
        return false;
    if (has)
        *out = version;
    return true;
}

static bool add_row(struct pg_view *v, med_arena *a, const med_history *q, const PGresult *r, int i,
                    const struct stored_row *row, struct found *f, med_err *err)
{
    if (!make_room(a, f, 1))
        return MED_FAIL_MEMORY(err);
    if (med_pg_row_read(v, a, r, i, row, q->text, &f->at[f->n], err) != MED_FOUND)
        return false;
    f->n++;
    return true;
}

static bool add_superseded(struct pg_view *v, med_arena *a, const med_history *q, int64_t version,
                           struct found *f, med_err *err)
{
    if (f->n >= q->limit)
        return true;
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)q->rid);
    med_pg_int(&p, version);
    med_pg_int(&p, (int64_t)(q->limit - f->n));
    med_pg_int(&p, q->since);
    med_pg_int(&p, q->until);
    PGresult *r = med_pg_view_ask(
        v, q->oldest_first ? STATEMENT_VERSIONS_OF_UP : STATEMENT_VERSIONS_OF, &p, err);
    bool good = r != NULL;
    for (int i = 0; good && i < PQntuples(r); i++) {
        struct stored_row row;
        if (!med_pg_row(r, i, &row))
            good = med_pg_damaged(v, &row, err) == MED_FOUND;
        else if (q->type == 0 || q->type == row.type)
            good = add_row(v, a, q, r, i, &row, f, err);
    }
    PQclear(r);
    return good;
}

static bool add_current(struct pg_view *v, med_arena *a, const med_history *q, int64_t after,
                        struct found *f, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)q->rid);
    PGresult *r = med_pg_view_ask(v, STATEMENT_READ_RID, &p, err);
    if (r == NULL)
        return false;
    struct stored_row row = {.rid = q->rid};
    bool good = true;
    if (PQntuples(r) > 0 && !med_pg_row(r, 0, &row))
        good = med_pg_damaged(v, &row, err) == MED_FOUND;
    else if (PQntuples(r) > 0 && f->n < q->limit && row.updated >= q->since
             && row.updated <= q->until && (q->type == 0 || row.type == q->type)
             && (q->oldest_first ? row.version > after : row.version < after))
        good = add_row(v, a, q, r, 0, &row, f, err);
    PQclear(r);
    return good;
}

/* All versions of one resource: the current one is the newest. */
static bool by_rid(struct pg_view *v, med_arena *a, const med_history *q, struct found *f,
                   med_err *err)
{
    int64_t after = 0;
    if (!after_version(v, q, &after, err))
        return false;
    if (q->oldest_first)
        return add_superseded(v, a, q, after, f, err) && add_current(v, a, q, after, f, err);
    return add_current(v, a, q, after, f, err) && add_superseded(v, a, q, after, f, err);
}

bool med_pg_history(med_view *view, med_arena *a, const med_history *q, med_stored **out, size_t *n,
                    med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct found f = {0};
    if (!make_room(a, &f, 16))
        return MED_FAIL_MEMORY(err);
    bool good = q->rid != 0 ? by_rid(v, a, q, &f, err) : by_feed(v, a, q, &f, err);
    *out = f.at;
    *n = f.n;
    return good;
}

bool med_pg_history_count(med_view *view, const med_history *q, uint64_t *out, med_err *err)
{
    struct pg_view *v = med_pg_of_view(view);
    struct bounds b = {0};
    bool whole = q->since == MED_TIME_MIN && q->until == MED_TIME_MAX;
    if (q->rid == 0 && !whole && !find_bounds(v, q, &b, err))
        return false;
    enum statement id = q->rid != 0             ? STATEMENT_VERSIONS_COUNT
                        : whole && q->type != 0 ? STATEMENT_COUNTER
                        : whole                 ? STATEMENT_COUNTER_SUM
                        : q->type != 0          ? STATEMENT_FEED_TYPE_COUNT
                                                : STATEMENT_FEED_COUNT;
    const int64_t of_rid[] = {(int64_t)q->rid, q->since, q->until};
    const int64_t of_feed[] = {whole ? MED_TALLY_VERSIONS : b.first, whole ? q->type : b.last,
                               q->type};
    int keys = q->rid != 0 ? 3 : (whole ? 1 : 2) + (q->type != 0 ? 1 : 0);
    int64_t n = 0;
    bool has = false;
    bool good = med_pg_view_number(v, id, q->rid != 0 ? of_rid : of_feed, keys, &has, &n, err);
    *out = n > 0 ? (uint64_t)n : 0;
    return good;
}
