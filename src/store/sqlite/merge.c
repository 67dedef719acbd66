/* merge.c - deferred rows into their tables, in the order of their keys.
 *
 * A full generation is merged a piece at a time, inside the groups that fill the next one and
 * twice as fast as they do; when nothing waits all the rest is. So no group waits for a merge,
 * and a piece meets the pages of its stretch of keys once. How far it is lives only in memory:
 * rows that are merged twice are the same rows. */
#include "store/sqlite/sqlite_impl.h"

enum {
    LEAST_PIECE = 256, /* rows */
    IDLE_PIECE = 4000, /* some ten milliseconds that a new commit may have to wait */
};

/* The row that decides on the next key of this table; NULL at its end. */
static const struct deferred_row *next_key(const struct merge *m)
{
    const struct deferred_row *at = m->at == NULL ? med_deferred_first(m->of, (enum table)m->table)
                                                  : med_deferred_step(m->at, false);
    const struct deferred_row *last = NULL;
    while (at != NULL) {
        if (last != NULL && med_index_row_compare(&at->row, &last->row) != 0)
            return last;
        if (atomic_load_explicit(&at->t, memory_order_relaxed) != MED_DEFERRED_VOID)
            last = at;
        at = med_deferred_step(at, false);
    }
    return last;
}

/* The last row with the same key, also when it is void: from there the next key is found. */
static const struct deferred_row *last_of_key(const struct deferred_row *row)
{
    const struct deferred_row *next = NULL;
    while ((next = med_deferred_step(row, false)) != NULL
           && med_index_row_compare(&next->row, &row->row) == 0)
        row = next;
    return row;
}

/* Up to `most` rows of the generation at hand; *over when it has no more. */
static bool merge_piece(struct sqlite_store *s, size_t most, bool *over, med_err *err)
{
    struct merge *m = &s->merge;
    size_t n = 0;
    while (m->table < TABLE_COUNT && n < most) {
        const struct deferred_row *row = next_key(m);
        if (row == NULL) {
            m->table++;
            m->at = NULL;
            continue;
        }
        if (!med_pending_add(&s->pending, &row->row))
            return MED_FAIL_MEMORY(err);
        m->at = last_of_key(row);
        n++;
    }
    *over = m->table == TABLE_COUNT;
    return med_sqlite_write_pending(s, err);
}

static bool drop_log(struct sqlite_store *s, int64_t merged, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_DROP_UNMERGED, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, merged);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "merging the index", err);
}

/* With this group the generation at hand is wholly merged. */
static bool generation_is_over(struct sqlite_store *s, int64_t end, med_err *err)
{
    struct merge *m = &s->merge;
    m->merged = end;
    m->done = atomic_load(&m->of->next);
    m->of = NULL;
    return drop_log(s, end, err);
}

static void start_on(struct merge *m, struct generation *g)
{
    m->of = g;
    m->table = 0;
    m->at = NULL;
}

static bool merge_everything(struct sqlite_store *s, med_err *err)
{
    struct merge *m = &s->merge;
    struct deferred *d = &s->deferred;
    if (med_deferred_is_empty(d))
        return true;
    if (d->active->n > 0) {
        if (d->active->number - atomic_load(&d->oldest_number) >= MED_OVERLAY_DEPTH - 1)
            return MED_FAIL(err, MED_ISSUE_TRANSIENT, "the store must first write what waits");
        if (!med_deferred_begin_next(d, s->t))
            return MED_FAIL_MEMORY(err);
    }
    if (m->of == NULL)
        start_on(m, atomic_load(&d->oldest));
    while (m->of != NULL) {
        bool over = false;
        struct generation *next = atomic_load(&m->of->next);
        if (!merge_piece(s, SIZE_MAX, &over, err)
            || !generation_is_over(s, atomic_load(&m->of->end), err))
            return false;
        if (next != d->active)
            start_on(m, next);
    }
    return true;
}

bool med_sqlite_merge_begin(struct sqlite_store *s, bool direct, med_err *err)
{
    struct merge *m = &s->merge;
    m->before = (struct merge_place){m->of, m->table, m->at};
    m->merged = s->merged;
    m->done = NULL;
    m->idle = false;
    s->direct = direct || s->holds > 0 || s->deferred_limit == 0;
    return !s->direct || merge_everything(s, err);
}

bool med_sqlite_merge_on(struct sqlite_store *s, med_err *err)
{
    struct merge *m = &s->merge;
    if (s->direct) {
        m->merged = s->t;
        return true;
    }
    bool over = false;
    size_t piece = s->deferred.group_rows * 2 + LEAST_PIECE;
    return m->of == NULL
           || (merge_piece(s, piece, &over, err)
               && (!over || generation_is_over(s, atomic_load(&m->of->end), err)));
}

/* Frees what nobody looks at any more. */
static void sweep(struct sqlite_store *s)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < s->n_slots; i++) {
        uint64_t pinned = atomic_load(&s->slots[i].pinned);
        if (pinned != 0 && pinned < least)
            least = pinned;
    }
    med_deferred_sweep(&s->deferred, least);
}

/* What is full is merged next; only the active generation waits. */
static void choose_next(struct sqlite_store *s)
{
    struct deferred *d = &s->deferred;
    struct generation *oldest = atomic_load(&d->oldest);
    bool full = d->active->n >= s->deferred_limit && s->deferred_limit > 0;
    if (s->merge.of != NULL)
        return;
    /* without memory for another one it grows */
    if (oldest != d->active || (full && med_deferred_begin_next(d, s->t)))
        start_on(&s->merge, oldest);
}

void med_sqlite_merge_end(struct sqlite_store *s, bool committed)
{
    struct merge *m = &s->merge;
    struct deferred *d = &s->deferred;
    if (committed) {
        med_deferred_keep_group(d);
        s->merged = m->merged;
        if (m->done != NULL)
            med_deferred_retire(d, m->done);
    } else {
        med_deferred_void_group(d);
        m->merged = s->merged;
        m->of = m->before.of;
        m->table = m->before.table;
        m->at = m->before.at;
    }
    m->done = NULL;
    s->direct = false;
    choose_next(s);
    sweep(s);
}

bool med_sqlite_merge_wanted(const struct sqlite_store *s)
{
    return !s->failed && !s->full && !med_deferred_is_empty(&s->deferred);
}

static bool merge_alone(struct sqlite_store *s, bool whole, med_err *err)
{
    struct merge *m = &s->merge;
    struct deferred *d = &s->deferred;
    bool over = false;
    if (!med_sqlite_merge_begin(s, whole, err))
        return false;
    if (whole)
        return true;
    if (m->of == NULL) {
        struct generation *full = d->active;
        if (!med_deferred_begin_next(d, s->t))
            return MED_FAIL_MEMORY(err);
        start_on(m, full);
    }
    return merge_piece(s, IDLE_PIECE, &over, err)
           && (!over || generation_is_over(s, atomic_load(&m->of->end), err));
}

bool med_sqlite_merge_alone(struct sqlite_store *s, bool whole, med_err *err)
{
    int rc = med_connection_begin_write(&s->writer);
    bool good = (rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "merging the index", err))
                && merge_alone(s, whole, err)
                && (s->merge.merged == s->merged || med_sqlite_write_state(s, err));
    if (good) {
        rc = med_connection_run(&s->writer, STATEMENT_COMMIT);
        good = rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "merging the index", err);
        if (!good && err->issue != MED_ISSUE_NO_STORE) {
            med_sqlite_stop_writing(s, err);
            return false;
        }
    }
    if (!good) {
        (void)med_connection_run(&s->writer, STATEMENT_ROLLBACK);
        med_pending_clear(&s->pending);
    }
    med_sqlite_merge_end(s, good);
    return good;
}

/* ---- holds ---- */

struct hold_job {
    struct job job;
    bool good;
    med_err *err;
};

static void hold(struct job *job)
{
    struct hold_job *h = (struct hold_job *)job;
    struct sqlite_store *s = job->store;
    h->good = med_deferred_is_empty(&s->deferred)
              || (med_sqlite_merge_wanted(s) && med_sqlite_merge_alone(s, true, h->err));
    h->good = h->good && (!med_sqlite_fold_wanted(s) || med_sqlite_fold(s, true, h->err));
    s->holds += h->good;
}

static void release(struct job *job)
{
    struct sqlite_store *s = job->store;
    s->holds--;
}

bool med_sqlite_hold_deferring(struct sqlite_store *s, med_err *err)
{
    struct hold_job h = {.job.run = hold, .err = err};
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "the store is stopping or takes no writes");
    return med_queue_run_job(&s->queue, &h.job, err) && h.good;
}

void med_sqlite_release_deferring(struct sqlite_store *s)
{
    struct job job = {.run = release};
    med_err ignored = {0};
    (void)med_queue_run_job(&s->queue, &job, &ignored);
}
