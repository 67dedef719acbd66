/* verify.c - reads everything again: pages of the file, the feed, every version.
 *
 * It runs beside traffic, in short snapshots, so what is compared is compared within one. */
#include "store/sqlite/verify.h"

enum {
    PAGE_TIME = 1000000,   /* microseconds after which a page ends */
    ROW_TIME = 20000000,   /* microseconds a page may take at first: it ends between rows only */
    TRIES = 6,             /* at one row, each with twice the time of the one before */
    PAGE_BYTES = 64 << 20, /* of memory, after which a page ends */
    MEMORY = 1 << 30,
    FEED_PAGE = 500,
};

void med_verify_fault(struct verifying *x, const char *kind, med_str where, const char *what)
{
    x->to->faults++;
    if (x->to->fault != NULL)
        x->to->fault(x->to->arg, kind, where, what);
}

bool med_verify_failed(struct verifying *x, const char *kind, med_str where, const med_err *err)
{
    if (err->issue != MED_ISSUE_EXCEPTION) {
        *x->err = *err;
        return false;
    }
    med_verify_fault(x, kind, where, err->text);
    return true;
}

/* Tells how far it is; false when it was asked to stop. */
static bool show_progress(struct verifying *x)
{
    return x->to->progress == NULL || x->to->progress(x->to->arg, x->to->versions, x->s->versions)
           || MED_FAIL(x->err, MED_ISSUE_INCOMPLETE, "cancelled");
}

bool med_verify_is_enough(const struct verifying *x)
{
    return x->rows > 0
           && (med_arena_used(x->a) > PAGE_BYTES
               || med_monotonic(x->s->clock) - x->v->began > PAGE_TIME);
}

bool med_verify_step(struct verifying *x, sqlite3_stmt *stmt, int *rc)
{
    *rc = med_verify_is_enough(x) ? SQLITE_DONE : sqlite3_step(stmt);
    x->rows += *rc == SQLITE_ROW;
    return *rc == SQLITE_ROW;
}

bool med_verify_pages(struct verifying *x, verify_page page, void *at)
{
    int64_t time = ROW_TIME;
    int tries = 0;
    for (bool more = true; more;) {
        med_arena_reset(x->a);
        *x->err = (med_err){0};
        x->rows = 0;
        med_sqlite_view_begin(x->v, med_monotonic(x->s->clock) + time);
        bool good = page(x, at, &more);
        med_sqlite_view_close(x->v);
        if (good || x->rows > 1) /* the row that failed was not the first: the page got on */
            tries = 0;
        if (!good) {
            if (x->err->issue != MED_ISSUE_TIMEOUT || ++tries == TRIES)
                return false;
            more = true;
            time *= 2;
        }
        if (!show_progress(x))
            return false;
    }
    return true;
}

/* ---- the feed, and all versions along it ---- */

struct feed_at {
    int64_t t;
    med_rid rid;
};

struct feed_row {
    int64_t t;
    med_rid rid;
    uint32_t version;
    bool purged;
};

static bool read_feed(struct verifying *x, const struct feed_at *at, struct feed_row *rows,
                      size_t *n)
{
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_FEED_UP, x->err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, at->t);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)at->rid);
    (void)sqlite3_bind_int64(stmt, 3, INT64_MAX);
    int rc = SQLITE_ROW;
    for (*n = 0; *n < FEED_PAGE && (rc = sqlite3_step(stmt)) == SQLITE_ROW; (*n)++)
        rows[*n] =
            (struct feed_row){sqlite3_column_int64(stmt, 0), (med_rid)sqlite3_column_int64(stmt, 1),
                              (uint32_t)sqlite3_column_int64(stmt, 2),
                              sqlite3_column_int(stmt, 3) == MED_FEED_PURGED};
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE
           || med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND;
}

static med_str where_of(struct verifying *x, med_rid rid, uint32_t version)
{
    return med_arena_printf(x->a, "internal id %llu, version %u", (unsigned long long)rid, version);
}

static bool check_version(struct verifying *x, const struct feed_row *row)
{
    med_stored stored;
    med_err err = {0};
    x->to->versions++;
    switch (med_sqlite_version_by_rid(x->v, x->a, row->rid, row->version, true, &stored, &err)) {
    case MED_FOUND:
        if (stored.t != row->t)
            med_verify_fault(x, "feed", where_of(x, row->rid, row->version),
                             "the feed has this version at another commit");
        return true;
    case MED_ABSENT:
        med_verify_fault(x, "feed", where_of(x, row->rid, row->version),
                         "the feed names a version that is not there");
        return true;
    case MED_FAILED:
        break;
    }
    return med_verify_failed(x, "version", where_of(x, row->rid, row->version), &err);
}

static bool feed_page(struct verifying *x, void *arg, bool *more)
{
    struct feed_at *at = arg;
    struct feed_row rows[FEED_PAGE];
    size_t n = 0, i = 0;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    bool good = read_feed(x, at, rows, &n);
    for (; good && i < n && !med_verify_is_enough(x); i++) {
        if (rows[i].t > at->t + 1)
            med_verify_fault(x, "feed", med_arena_printf(x->a, "commit %lld", (long long)at->t + 1),
                             "the feed has a hole: a commit is missing");
        good = rows[i].purged || check_version(x, &rows[i]);
        if (good)
            *at = (struct feed_at){rows[i].t, rows[i].rid};
        x->rows++;
    }
    med_sqlite_leave(x->v);
    *more = n == FEED_PAGE || i < n;
    return good;
}

static bool check_end_of_feed(struct verifying *x, void *arg, bool *more)
{
    const struct feed_at *at = arg;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_STATE, x->err);
    int rc = stmt == NULL ? SQLITE_ERROR : sqlite3_step(stmt);
    if (rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) < at->t)
        med_verify_fault(x, "feed", MED_STR("state"), "the feed goes on behind the last commit");
    (void)sqlite3_reset(stmt);
    med_sqlite_leave(x->v);
    *more = false;
    return rc == SQLITE_ROW;
}

/* ---- pages of the file ---- */

static bool is_damage(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || rc == SQLITE_IOERR_DATA;
}

static bool quick_check(struct verifying *x, void *arg, bool *more)
{
    (void)arg;
    *more = false;
    if (!med_sqlite_enter(x->v, x->err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(x->v->connection, STATEMENT_QUICK_CHECK, x->err);
    int rc = stmt == NULL ? SQLITE_ERROR : sqlite3_step(stmt);
    bool sound = rc == SQLITE_ROW && med_str_eqz(med_statement_str(stmt, 0), "ok");
    if (rc == SQLITE_ROW && !sound && atomic_load(&x->v->cut))
        rc = SQLITE_INTERRUPT; /* what is half looked at is not sound either */
    (void)sqlite3_reset(stmt);
    if ((rc == SQLITE_ROW && !sound) || is_damage(rc))
        med_verify_fault(x, "file", MED_STR("medulla.db"),
                         "pages are damaged: restore from a backup");
    bool good = rc == SQLITE_ROW || is_damage(rc)
                || (stmt != NULL && med_sqlite_read_failed(x->v, rc, x->err) == MED_FOUND);
    med_sqlite_leave(x->v);
    return good;
}

/* It is one look at all pages, so on a large store it ends never beside many writes. The rest does
 * not wait for that: each page is also judged by its own sum when it is read. */
static bool check_structure(struct verifying *x)
{
    if (med_verify_pages(x, quick_check, NULL))
        return true;
    if (x->err->issue != MED_ISSUE_TIMEOUT)
        return false;
    *x->err = (med_err){0};
    x->to->structure_unchecked = true;
    return true;
}

static void release(struct verifying *x)
{
    if (x->a != NULL)
        med_arena_free(x->a);
    med_list_check_free(x->lists);
}

bool med_sqlite_verify(med_store *store, med_verify *v, med_err *err)
{
    struct sqlite_store *s = med_sqlite_of(store);
    struct verifying x = {.s = s,
                          .v = &s->slots[s->n_slots - 1],
                          .to = v,
                          .a = med_arena_new(MEMORY),
                          .lists = med_list_check_new(v),
                          .err = err};
    if (x.a == NULL || x.lists == NULL) {
        release(&x);
        return MED_FAIL_MEMORY(err);
    }
    v->versions = 0;
    v->faults = v->list_faults = 0;
    v->parts = v->part_bytes = 0;
    v->structure_unchecked = false;
    if (!med_sqlite_hold_deferring(s, err)) { /* it compares tables */
        release(&x);
        return false;
    }
    struct feed_at at = {0, INT64_MAX};
    pthread_mutex_lock(&s->own_slot_lock);
    x.v->deep = true;
    bool good = check_structure(&x) && med_verify_pages(&x, feed_page, &at)
                && med_verify_pages(&x, check_end_of_feed, &at) && med_verify_index(&x)
                && med_verify_parts(&x);
    pthread_mutex_unlock(&s->own_slot_lock);
    med_sqlite_release_deferring(s);
    release(&x);
    return good;
}
