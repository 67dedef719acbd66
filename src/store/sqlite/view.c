/* view.c - reader slots: one snapshot at a time, bounded, and ended when the WAL must go on.
 *
 * The snapshot begins at the first read. The slot's lock is held during each call only, so the
 * commit thread can end the snapshot of a view whose owner is busy elsewhere. */
#include "base/mem.h"
#include "store/sqlite/sqlite_impl.h"

enum { PROGRESS_STEPS = 1000 }; /* some 20 us between looks at the clock */

static int64_t monotonic(const struct sqlite_view *v)
{
    return med_monotonic(v->store->clock);
}

/* Called by SQLite in the middle of a statement; not 0 stops it. */
static int stop_if_over(void *view)
{
    struct sqlite_view *v = view;
    return atomic_load_explicit(&v->cut, memory_order_relaxed)
           || monotonic(v) > atomic_load_explicit(&v->deadline, memory_order_relaxed);
}

bool med_sqlite_view_init(struct sqlite_view *v, struct sqlite_store *s, struct connection *share,
                          med_err *err)
{
    *v = (struct sqlite_view){.base.store = &s->base, .store = s, .writer = share != NULL};
    v->connection = share != NULL ? share : &v->own;
    if (pthread_mutex_init(&v->lock, NULL) != 0)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no lock for a reader");
    v->unpacker = med_unpacker_new();
    if (v->unpacker == NULL)
        return MED_FAIL_MEMORY(err);
    if (share != NULL)
        return true;
    if (!med_connection_open(&v->own, s->file, s->vfs, CONNECTION_READER, s->cache_reader, err))
        return false;
    sqlite3_progress_handler(v->own.db, PROGRESS_STEPS, stop_if_over, v);
    return true;
}

static void free_cursors(struct sqlite_cursor *c)
{
    while (c != NULL) {
        struct sqlite_cursor *next = c->next;
        (void)sqlite3_finalize(c->stmt);
        med_sqlite_cursor_end(c);
        med_free(c->text);
        med_free(c);
        c = next;
    }
}

void med_sqlite_free_idle(struct sqlite_view *v)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        free_cursors(v->idle[i]);
        v->idle[i] = NULL;
    }
    v->n_idle = 0;
}

void med_sqlite_view_free(struct sqlite_view *v)
{
    if (v->store == NULL)
        return;
    free_cursors(v->cursors);
    med_sqlite_free_idle(v);
    med_connection_close(&v->own);
    med_unpacker_free(v->unpacker);
    (void)pthread_mutex_destroy(&v->lock);
    *v = (struct sqlite_view){0};
}

static void unpin(struct sqlite_view *v)
{
    v->overlay_known = false;
    atomic_store(&v->pinned, 0);
}

/* Before the snapshot, so that what is deferred then can not end while it lasts. */
static void pin(struct sqlite_view *v)
{
    struct deferred *d = &v->store->deferred;
    uint64_t oldest = 0;
    do {
        oldest = atomic_load(&d->oldest_number);
        atomic_store(&v->pinned, oldest);
        v->generations = atomic_load(&d->oldest);
    } while (atomic_load(&d->oldest_number) != oldest);
}

/* With the lock held. The commit thread's own view is inside the group's transaction. */
static void end_snapshot(struct sqlite_view *v)
{
    if (!v->reading || v->writer)
        return;
    for (struct sqlite_cursor *c = v->cursors; c != NULL; c = c->next)
        (void)sqlite3_reset(c->stmt);
    med_sqlite_leave_rows(v);
    if (med_connection_run(v->connection, STATEMENT_COMMIT) != SQLITE_OK)
        (void)med_connection_run(v->connection, STATEMENT_ROLLBACK);
    v->reading = false;
    unpin(v);
}

static enum med_found took_too_long(med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_TIMEOUT,
                   "reading took longer than it may: ask for less, or in pages");
    return MED_FAILED;
}

bool med_sqlite_enter(struct sqlite_view *v, med_err *err)
{
    pthread_mutex_lock(&v->lock);
    if (!v->writer && stop_if_over(v)) {
        (void)took_too_long(err);
    } else {
        int rc = SQLITE_OK;
        if (!v->reading && !v->writer) {
            v->epoch = med_recent_epoch(&v->store->recent);
            pin(v);
            rc = med_connection_run(v->connection, STATEMENT_BEGIN);
        }
        if (rc == SQLITE_OK) {
            v->reading = true;
            return true;
        }
        (void)med_connection_fail(v->connection, rc, "beginning to read", err);
        unpin(v);
    }
    pthread_mutex_unlock(&v->lock);
    return false;
}

void med_sqlite_leave(struct sqlite_view *v)
{
    pthread_mutex_unlock(&v->lock);
}

enum med_found med_sqlite_read_failed(struct sqlite_view *v, int rc, med_err *err)
{
    if ((rc & 0xff) == SQLITE_INTERRUPT)
        return took_too_long(err);
    (void)med_connection_fail(v->connection, rc, "reading", err);
    if ((rc & 0xff) == SQLITE_CORRUPT || rc == SQLITE_IOERR_DATA)
        atomic_fetch_add(&v->store->damaged, 1);
    return MED_FAILED;
}

void med_sqlite_view_cut(struct sqlite_view *v)
{
    atomic_store(&v->cut, true);
    if (v == &v->store->slots[v->store->n_slots - 1])
        sqlite3_interrupt(v->own.db);    /* verify's look at all pages asks for nothing else */
    pthread_mutex_lock(&v->lock);        /* a running statement stops at its next look */
    if (v->open && atomic_load(&v->cut)) /* else it ended by itself meanwhile */
        end_snapshot(v);
    else
        atomic_store(&v->cut, false);
    pthread_mutex_unlock(&v->lock);
}

void med_sqlite_view_begin(struct sqlite_view *v, int64_t deadline)
{
    pthread_mutex_lock(&v->lock);
    atomic_store(&v->cut, false);
    atomic_store(&v->deadline, deadline);
    v->open = true;
    v->began = monotonic(v);
    pthread_mutex_unlock(&v->lock);
}

void med_sqlite_view_close(struct sqlite_view *v)
{
    while (v->cursors != NULL)
        med_sqlite_cursor_close(&v->cursors->base);
    pthread_mutex_lock(&v->lock);
    end_snapshot(v);
    v->open = false;
    pthread_mutex_unlock(&v->lock);
}

med_view *med_sqlite_view(med_store *store, unsigned slot, int64_t deadline, med_err *err)
{
    struct sqlite_store *s = med_sqlite_of(store);
    if (slot + 1 >= s->n_slots || s->slots[slot].open) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "reader slot %u %s", slot,
                       slot + 1 >= s->n_slots ? "does not exist" : "has a view already");
        return NULL;
    }
    med_sqlite_view_begin(&s->slots[slot], deadline);
    return &s->slots[slot].base;
}

void med_sqlite_view_end(med_view *view)
{
    med_sqlite_view_close(med_sqlite_of_view(view));
}
