/* commit.c - the commit thread: everything that waits becomes one transaction and one sync.
 *
 * An error while committing leaves it unknown whether the group is on disk: all of it is told
 * so, and the store takes no more writes until the process has started again. A full disk is
 * another matter: nothing was committed, and writing goes on by itself when there is room. */
#include <sys/statvfs.h>

#include "base/thread.h"
#include "store/sqlite/sqlite_impl.h"

enum {
    DEFERRED_WRITES = 4000, /* a larger group writes its index rows at once */
    PROBE_EVERY = 250000,   /* microseconds, while the disk is full */
    PROBE_FREE = 4 << 20,   /* bytes that must be free before writing is tried again */
};

bool med_sqlite_commit(med_store *store, med_commit *first, med_err *err)
{
    struct sqlite_store *s = med_sqlite_of(store);
    if (s->failed)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT,
                        "the store stopped writing after an I/O error; the server must restart");
    if (s->full)
        return MED_FAIL(err, MED_ISSUE_NO_STORE, "the disk is full; reading goes on");
    return med_queue_add(&s->queue, first, err);
}

/* ---- one group ---- */

bool med_sqlite_write_state(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_SET_STATE, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, s->t);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)s->rid);
    (void)sqlite3_bind_int64(stmt, 3, s->updated);
    (void)sqlite3_bind_int64(stmt, 4, s->merge.merged);
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "writing", err);
}

enum group { GROUP_DONE, GROUP_ROLLED_BACK, GROUP_FULL, GROUP_UNKNOWN };

static bool is_full(const med_err *err)
{
    return err->issue == MED_ISSUE_NO_STORE;
}

static void roll_back(struct sqlite_store *s)
{
    (void)med_connection_run(&s->writer, STATEMENT_ROLLBACK);
    med_idents_clear(&s->idents);
    med_tallies_clear(&s->tallies);
    med_pending_clear(&s->pending);
    s->purged = NULL;
}

static enum group end_group(struct sqlite_store *s, bool good, med_err *err)
{
    if (!good) {
        roll_back(s);
        return is_full(err) ? GROUP_FULL : GROUP_ROLLED_BACK;
    }
    int rc = med_connection_run(&s->writer, STATEMENT_COMMIT);
    if (rc == SQLITE_OK)
        return GROUP_DONE;
    (void)med_connection_fail(&s->writer, rc, "committing", err);
    if (is_full(err)) { /* the frame that commits was not written: it is certain */
        roll_back(s);
        return GROUP_FULL;
    }
    atomic_fetch_add(&s->sync_failures, 1);
    return GROUP_UNKNOWN;
}

/* Rows of an import come in large sorted batches anyhow; what is purged must leave nothing. */
static bool goes_direct(const med_commit *first, const med_commit *end)
{
    size_t writes = 0;
    for (const med_commit *c = first; c != end; c = c->next) {
        writes += c->n_writes;
        if (c->bulk || writes > DEFERRED_WRITES)
            return true;
        for (size_t i = 0; i < c->n_writes; i++) {
            if (c->writes[i].kind == MED_WRITE_PURGE || c->writes[i].index_only)
                return true; /* index_only: no version says what to make again */
        }
    }
    return false;
}

/* Runs commits up to `end` in one transaction. */
static enum group run_group(struct sqlite_store *s, med_commit *first, const med_commit *end,
                            med_err *err)
{
    int64_t t = s->t;
    int64_t updated = s->updated;
    med_rid rid = s->rid;
    s->group_resources = 0;
    s->group_versions = 0;
    if (s->idents.n > MED_IDENTS_MAX)
        med_idents_clear(&s->idents);
    if (s->tallies.n > MED_TALLIES_MAX)
        med_tallies_clear(&s->tallies);
    int rc = med_connection_begin_write(&s->writer);
    bool good = rc == SQLITE_OK || med_connection_fail(&s->writer, rc, "beginning to write", err);
    good = good && med_sqlite_merge_begin(s, goes_direct(first, end), err);
    for (med_commit *c = first; good && c != end; c = c->next)
        good = med_rules_run(&s->rules, c, err);
    good = good && med_sqlite_flush(s, err) && med_sqlite_merge_on(s, err);
    bool changed = s->t != t || s->rid != rid || s->merge.merged != s->merged;
    good = good && (!changed || med_sqlite_write_state(s, err));
    enum group result = end_group(s, good, err);
    if (result != GROUP_DONE) {
        s->t = t;
        s->updated = updated;
        s->rid = rid;
    }
    if (result != GROUP_UNKNOWN)
        med_sqlite_merge_end(s, result == GROUP_DONE);
    if (result != GROUP_UNKNOWN)
        med_recent_release(&s->recent);
    med_arena_reset(s->scratch);
    return result;
}

void med_sqlite_stop_writing(struct sqlite_store *s, const med_err *err)
{
    s->failed = true;
    med_sqlite_log(s, MED_LOG_ERROR,
                   "a commit failed at the disk and its outcome is unknown: no more writes until "
                   "this process has started again",
                   (int64_t)err->issue);
}

static void disk_is_full(struct sqlite_store *s)
{
    if (!s->full)
        med_sqlite_log(s, MED_LOG_ERROR, "the disk is full: writes are refused until there is room",
                       0);
    s->full = true;
    s->next_probe = med_monotonic(s->clock) + PROBE_EVERY;
}

/* What a group came to, told to its commits. */
static void settle_group(struct sqlite_store *s, enum group result, med_commit *first,
                         const med_commit *end, const med_err *err)
{
    switch (result) {
    case GROUP_DONE:
        atomic_fetch_add(&s->groups, 1);
        s->last_t = s->t;
        s->resources += (uint64_t)s->group_resources;
        s->versions += (uint64_t)s->group_versions;
        return;
    case GROUP_ROLLED_BACK:
        med_commits_settle(first, end, MED_COMMIT_REFUSED, err);
        return;
    case GROUP_FULL:
        disk_is_full(s);
        med_commits_settle(first, end, MED_COMMIT_REFUSED, err);
        return;
    case GROUP_UNKNOWN:
        break;
    }
    med_sqlite_stop_writing(s, err);
    med_commits_settle(first, end, MED_COMMIT_UNKNOWN, err);
}

/* One damaged page must not refuse everybody: after a rollback each commit goes alone. */
static void run_one_by_one(struct sqlite_store *s, med_commit *first, const med_commit *end)
{
    for (med_commit *c = first; c != end; c = c->next) {
        med_err err = {0};
        const med_commit *next = c->next;
        if (s->failed || s->full) {
            (void)MED_FAIL(&err, s->full ? MED_ISSUE_NO_STORE : MED_ISSUE_TRANSIENT,
                           s->full ? "the disk is full; reading goes on"
                                   : "the store stopped writing after an I/O error");
            med_commits_settle(c, next, MED_COMMIT_REFUSED, &err);
            continue;
        }
        settle_group(s, run_group(s, c, next, &err), c, next, &err);
    }
}

static void watch_clock(struct sqlite_store *s)
{
    int64_t behind = med_rules_clock_behind(&s->rules);
    if (behind > 0)
        med_sqlite_log(s, MED_LOG_WARN,
                       "the clock is behind the newest version: lastUpdated goes on from there "
                       "(microseconds behind)",
                       behind);
}

static void run_list(struct sqlite_store *s, med_commit *first)
{
    med_err err = {0};
    if (s->failed || s->full) {
        run_one_by_one(s, first, NULL);
    } else {
        enum group result = run_group(s, first, NULL, &err);
        if (result == GROUP_ROLLED_BACK && first->next != NULL)
            run_one_by_one(s, first, NULL);
        else
            settle_group(s, result, first, NULL, &err);
    }
    watch_clock(s);
    atomic_fetch_add(&s->commits, med_commits_done(first));
    bool bulk = false;
    for (const med_commit *c = first; c != NULL; c = c->next)
        bulk = bulk || c->bulk;
    if (s->wal_cut_due && !s->failed) /* what was purged is gone when its commit is done */
        med_sqlite_checkpoint_if_due(s, bulk);
    med_commits_tell(first);
    if (!s->failed)
        med_sqlite_checkpoint_if_due(s, bulk);
    while (med_sqlite_fold_due(s) && med_sqlite_fold(s, false, &err))
        med_sqlite_checkpoint_if_due(s, bulk);
}

/* ---- the thread ---- */

static bool has_room(const struct sqlite_store *s)
{
    struct statvfs info;
    return statvfs(s->path, &info) != 0 || (uint64_t)info.f_bavail * info.f_frsize >= PROBE_FREE;
}

/* While the disk is full: tries to write the state again. */
static void probe(struct sqlite_store *s)
{
    med_err err = {0};
    s->next_probe = med_monotonic(s->clock) + PROBE_EVERY;
    if (!has_room(s) || med_connection_begin_write(&s->writer) != SQLITE_OK)
        return;
    switch (end_group(s, med_sqlite_write_state(s, &err), &err)) {
    case GROUP_DONE:
        s->full = false;
        med_sqlite_log(s, MED_LOG_INFO, "there is room on the disk again: writing goes on", 0);
        return;
    case GROUP_UNKNOWN:
        med_sqlite_stop_writing(s, &err);
        return;
    case GROUP_FULL:
    case GROUP_ROLLED_BACK:
        return;
    }
}

static void wait_for_work(struct sqlite_store *s)
{
    while (s->queue.first == NULL && s->queue.first_job == NULL && !s->queue.stopping) {
        if (s->merge.idle)
            return;
        if (!s->full && !s->wal_cut_due && !med_sqlite_merge_wanted(s)
            && !med_sqlite_fold_wanted(s)) {
            (void)med_queue_wait(&s->queue, 0);
        } else if (!med_queue_wait(&s->queue, PROBE_EVERY)) {
            s->merge.idle = true;
            return;
        }
    }
}

/* Nothing waits: deferred rows go to their tables, and values that are there twice go, a piece at
 * a time. */
static void merge_idly(struct sqlite_store *s)
{
    med_err err = {0};
    bool merged = med_sqlite_merge_wanted(s) && med_sqlite_merge_alone(s, false, &err);
    bool folded =
        med_sqlite_fold_wanted(s) && med_sqlite_wal_has_room(s) && med_sqlite_fold(s, false, &err);
    s->merge.idle = (merged && med_sqlite_merge_wanted(s)) || (folded && med_sqlite_fold_wanted(s));
    if (merged)
        med_sqlite_checkpoint_if_due(s, false);
}

void *med_sqlite_commit_thread(void *store)
{
    struct sqlite_store *s = store;
    med_thread_name("commit", -1);
    med_thread_take_short_turns();
    pthread_mutex_lock(&s->queue.lock);
    for (;;) {
        wait_for_work(s);
        med_commit *first = med_queue_take(&s->queue, false);
        struct job *job = s->queue.first_job;
        if (first == NULL && job == NULL && s->queue.stopping)
            break;
        pthread_mutex_unlock(&s->queue.lock);
        if (s->full && !s->failed && med_monotonic(s->clock) >= s->next_probe)
            probe(s);
        if (first == NULL && s->wal_cut_due && !s->failed)
            med_sqlite_checkpoint_if_due(s, false);
        if (first != NULL) {
            run_list(s, first);
            s->merge.idle =
                false; /* who comes one after the other must not wait for it each time */
        } else if (job == NULL && s->merge.idle) {
            merge_idly(s);
        }
        if (job != NULL)
            med_queue_run(&s->queue, job);
        pthread_mutex_lock(&s->queue.lock);
    }
    pthread_mutex_unlock(&s->queue.lock);
    return NULL;
}
