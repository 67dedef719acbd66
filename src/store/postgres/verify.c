/* verify.c - reads everything again: the feed, every version, the index, the counters.
 *
 * It runs beside traffic, in short snapshots, so what is compared is compared within one. Pages
 * of the disk are PostgreSQL's to check (initdb --data-checksums, pg_amcheck). */
#include "store/postgres/verify.h"
#include "store/part.h"
#include "store/postgres/postgres_impl.h"

enum {
    PAGE_TIME = 50000000, /* microseconds one snapshot may take at first */
    TRIES = 6,            /* at one page, each with twice the time of the one before */
    PAGE_ROWS = 500,
    PAGE_MEMORY = 512 << 20,
    PARTS_PAGE = 50,
};

void med_pg_fault(struct verifying *x, const char *kind, med_str where, const char *what)
{
    x->to->faults++;
    if (x->to->fault != NULL)
        x->to->fault(x->to->arg, kind, where, what);
}

bool med_pg_fault_or_fail(struct verifying *x, const char *kind, med_str where, const med_err *err)
{
    if (err->issue != MED_ISSUE_EXCEPTION) {
        *x->err = *err;
        return false;
    }
    med_pg_fault(x, kind, where, err->text);
    return true;
}

static bool show_progress(struct verifying *x)
{
    return x->to->progress == NULL
           || x->to->progress(x->to->arg, x->to->versions, x->s->versions_known)
           || MED_FAIL(x->err, MED_ISSUE_INCOMPLETE, "verifying was stopped");
}

bool med_pg_verify_pages(struct verifying *x, verify_page page, void *at)
{
    int64_t time = PAGE_TIME;
    int tries = 0;
    for (bool more = true; more;) {
        if (!show_progress(x))
            return false;
        med_arena_reset(x->a);
        *x->err = (med_err){0};
        med_pg_view_begin(x->v, med_monotonic(x->s->clock) + time);
        more = false;
        bool good = page(x, at, &more);
        med_pg_view_close(x->v);
        if (good) {
            tries = 0;
            med_portion_grow(&x->rows);
            continue;
        }
        bool is_late = x->err->issue == MED_ISSUE_TIMEOUT;
        if (!med_portion_shrink(&x->rows, x->err) && (!is_late || ++tries == TRIES))
            return false;
        time = is_late ? 2 * time : time;
        more = true;
    }
    return true;
}

struct feed_at {
    int64_t t, rid;
};

static med_str where_of(struct verifying *x, int64_t rid, int64_t version)
{
    return med_arena_printf(x->a, "internal id %lld, version %lld", (long long)rid,
                            (long long)version);
}

static PGresult *ask_named(struct verifying *x, const PGresult *feed)
{
    struct pg_array rids, versions;
    struct pg_parameters p = {0};
    PGresult *r = NULL;
    med_pg_array_init(&rids, PG_INT);
    med_pg_array_init(&versions, PG_INT);
    for (int i = 0; i < PQntuples(feed); i++) {
        bool purged = med_pg_int_at(feed, i, 3) == MED_FEED_PURGED;
        med_pg_array_int(&rids, med_pg_int_at(feed, i, 1));
        med_pg_array_int(&versions, purged ? 0 : med_pg_int_at(feed, i, 2));
    }
    if (med_pg_add_array(&p, &rids) && med_pg_add_array(&p, &versions))
        r = med_pg_view_ask(x->v, STATEMENT_READ_VERSIONS, &p, x->err);
    else
        (void)MED_FAIL_MEMORY(x->err);
    med_pg_array_free(&rids);
    med_pg_array_free(&versions);
    return r;
}

static bool check_version(struct verifying *x, const PGresult *r, int i, const PGresult *feed,
                          int at)
{
    struct stored_row row = {0};
    med_stored stored;
    med_err err = {0};
    med_str where = where_of(x, med_pg_int_at(feed, at, 1), med_pg_int_at(feed, at, 2));
    if (!med_pg_row(r, i, &row)) {
        med_pg_fault(x, "version", where, "the row is damaged");
        return true;
    }
    if (row.t != med_pg_int_at(feed, at, 0))
        med_pg_fault(x, "feed", where, "the feed has this version at another commit");
    return med_pg_row_read(x->v, x->a, r, i, &row, true, &stored, &err) == MED_FOUND
           || med_pg_fault_or_fail(x, "version", where, &err);
}

static bool check_named(struct verifying *x, const PGresult *feed)
{
    int n = PQntuples(feed);
    PGresult *r = ask_named(x, feed);
    bool *seen = MED_TAKE(x->a, (size_t)n, bool);
    bool good = r != NULL && seen != NULL;
    for (int i = 0; good && i < PQntuples(r); i++) {
        int at = (int)med_pg_int_at(r, i, COLUMN_ORDINAL) - 1;
        seen[at] = true;
        good = check_version(x, r, i, feed, at);
    }
    for (int i = 0; good && i < n; i++) {
        bool purged = med_pg_int_at(feed, i, 3) == MED_FEED_PURGED;
        x->to->versions += purged ? 0 : 1;
        if (!purged && !seen[i])
            med_pg_fault(x, "feed",
                         where_of(x, med_pg_int_at(feed, i, 1), med_pg_int_at(feed, i, 2)),
                         "the feed names a version that is not there");
    }
    PQclear(r);
    return good;
}

static bool feed_page(struct verifying *x, void *arg, bool *more)
{
    struct feed_at *at = arg;
    struct pg_parameters p = {0};
    med_pg_int(&p, at->t);
    med_pg_int(&p, at->rid);
    med_pg_int(&p, (int64_t)x->rows.n);
    PGresult *feed = med_pg_view_ask(x->v, STATEMENT_FEED_PAGE, &p, x->err);
    if (feed == NULL)
        return false;
    int n = PQntuples(feed);
    bool good = n == 0 || check_named(x, feed);
    *more = n > 0;
    if (n > 0)
        *at = (struct feed_at){med_pg_int_at(feed, n - 1, 0), med_pg_int_at(feed, n - 1, 1)};
    PQclear(feed);
    return good;
}

static bool check_number(struct verifying *x, enum statement id, const char *kind,
                         const char *where, const char *what)
{
    int64_t n = 0;
    bool has = false;
    if (!med_pg_view_number(x->v, id, NULL, 0, &has, &n, x->err))
        return false;
    if (n != 0)
        med_pg_fault(x, kind, med_str_from(where), what);
    return true;
}

static bool check_ends(struct verifying *x, void *arg, bool *more)
{
    const struct feed_at *at = arg;
    int64_t last = 0;
    bool has = false;
    *more = false;
    if (!med_pg_view_number(x->v, STATEMENT_STATE, NULL, 0, &has, &last, x->err))
        return false;
    if (!has || last < at->t)
        med_pg_fault(x, "feed", MED_STR("state"), "the feed goes on behind the last commit");
    return check_number(x, STATEMENT_NOT_IN_FEED, "feed", "feed",
                        "there are versions that the feed does not name");
}

/* ---- long values: each is what its hash says, and is held by a version ---- */

static bool check_part(struct verifying *x, const PGresult *r, int64_t id)
{
    const char *why;
    med_str packed = med_pg_bytes_at(r, 0, 2);
    if (!med_part_judge(&x->s->packer, x->v->unpacker, x->a, med_pg_bytes_at(r, 0, 1), packed,
                        med_pg_int_at(r, 0, 3) != 0, &why))
        return MED_FAIL_MEMORY(x->err);
    if (why != NULL)
        med_pg_fault(x, "part", med_arena_printf(x->a, "long value %lld", (long long)id), why);
    x->to->parts++;
    x->to->part_bytes += packed.len;
    return true;
}

static bool parts_page(struct verifying *x, void *arg, bool *more)
{
    int64_t *at = arg;
    bool good = true;
    *more = true;
    for (int i = 0; good && *more && i < PARTS_PAGE; i++) {
        struct pg_parameters p = {0};
        med_pg_int(&p, *at);
        PGresult *r = med_pg_view_ask(x->v, STATEMENT_ALL_PARTS, &p, x->err);
        *more = r != NULL && PQntuples(r) > 0;
        if (*more)
            *at = med_pg_int_at(r, 0, 0);
        good = r != NULL && (!*more || check_part(x, r, *at));
        PQclear(r);
        med_arena_reset(x->a);
    }
    return good;
}

static bool check_uses(struct verifying *x, void *arg, bool *more)
{
    (void)arg;
    *more = false;
    return check_number(x, STATEMENT_USES_OF_NOBODY, "part", "part_use",
                        "versions are noted as holding a long value, and are not there");
}

static void release(struct verifying *x)
{
    if (x->a != NULL)
        med_arena_free(x->a);
    med_list_check_free(x->lists);
}

bool med_pg_verify(med_store *store, med_verify *v, med_err *err)
{
    struct pg_store *s = med_pg_of(store);
    struct verifying x = {.s = s,
                          .v = &s->slots[s->n_slots - 1],
                          .to = v,
                          .a = med_arena_new(PAGE_MEMORY),
                          .rows = {PAGE_ROWS, PAGE_ROWS},
                          .lists = med_list_check_new(v),
                          .err = err};
    if (x.a == NULL || x.lists == NULL) {
        release(&x);
        return MED_FAIL_MEMORY(err);
    }
    v->versions = 0;
    v->faults = v->list_faults = 0;
    v->parts = v->part_bytes = 0;
    struct feed_at at = {0, INT64_MAX};
    int64_t part = 0;
    pthread_mutex_lock(&s->own_slot_lock);
    x.v->deep = true;
    bool good = med_pg_verify_pages(&x, feed_page, &at) && med_pg_verify_pages(&x, check_ends, &at)
                && med_pg_verify_all_rows(&x) && med_pg_verify_pages(&x, parts_page, &part)
                && med_pg_verify_pages(&x, check_uses, NULL);
    x.v->deep = false;
    pthread_mutex_unlock(&s->own_slot_lock);
    release(&x);
    return good;
}
