/* commit.c - the commit thread: everything that waits becomes one transaction.
 *
 * A group takes the lock of the one row of `state`, and holds it until it is committed: so at
 * any moment one process commits, guards and expectations see every earlier commit, and t grows
 * in the order in which commits can be seen. There is nothing that could deadlock.
 *
 * What fails before COMMIT was sent is tried again, or refused: nothing was written. When the
 * connection is lost behind it, the next one asks the table node, where each group leaves its
 * turn, what became of it; only if the database stays away is the outcome unknown. */

#include "base/thread.h"
#include "store/postgres/postgres_impl.h"

enum {
    PACKED_BYTES = 32 << 20, /* that wait in memory before they are sent */
    PROBE_EVERY = 250000,    /* microseconds, while the database takes no writes */
    TRIES = 8,               /* of a group that was in another's way */
    RECOVER_FOR = 10000000,  /* microseconds to find out what became of a COMMIT */
};

bool med_pg_commit(med_store *store, med_commit *first, med_err *err)
{
    struct pg_store *s = med_pg_of(store);
    pthread_mutex_lock(&s->queue.lock);
    bool refusing = s->refusing;
    if (refusing)
        *err = s->refusal;
    pthread_mutex_unlock(&s->queue.lock);
    return !refusing && med_queue_add(&s->queue, first, err);
}

/* ---- one commit ---- */

/* False with *err when the group must be rolled back: also when what refused it was the database,
 * whose transaction is over then. */
static bool run_commit(struct pg_store *s, med_commit *c, med_err *err)
{
    if ((s->packed_bytes > PACKED_BYTES && !med_pg_flush(s, err))
        || !med_rules_run(&s->rules, c, err))
        return false;
    if (c->state == MED_COMMIT_REFUSED
        && (s->writer.pg == NULL || PQtransactionStatus(s->writer.pg) != PQTRANS_INTRANS)) {
        *err = c->err;
        return false;
    }
    return true;
}

/* ---- one group ---- */

enum group { GROUP_DONE, GROUP_ROLLED_BACK, GROUP_UNKNOWN };

bool med_pg_writer(struct pg_store *s, med_err *err)
{
    if (s->writer.pg != NULL && PQstatus(s->writer.pg) == CONNECTION_OK)
        return true;
    s->caches_hold = false;
    return med_pg_connect(&s->writer, err);
}

static void forget_group(struct pg_store *s)
{
    med_pg_group_forget(s);
    med_pending_clear(&s->pending);
    s->versions = NULL;
    s->codes = NULL;
    s->rowsets = NULL;
    s->traces = NULL;
    s->outcomes = NULL;
    s->parts = NULL;
    s->purged = NULL;
    s->packed_bytes = 0;
}

/* Whoever is not in a transaction that is sound gets a new connection. */
static void roll_back(struct pg_store *s)
{
    med_err ignored = {0};
    enum trouble trouble = s->writer.trouble;
    forget_group(s);
    if (s->writer.pg != NULL && !med_pg_run(&s->writer, STATEMENT_ROLLBACK, NULL, &ignored))
        med_pg_disconnect(&s->writer);
    if (trouble == TROUBLE_READ_ONLY) /* another host may be the primary now */
        med_pg_disconnect(&s->writer);
    s->writer.trouble = trouble;
}

static bool send_end(struct pg_store *s, med_err *err)
{
    struct pg_parameters state = {0}, node = {0};
    med_pg_int(&state, s->t);
    med_pg_int(&state, s->number);
    med_pg_int(&state, s->updated);
    med_pg_int(&state, s->turn + 1);
    med_pg_int(&node, (int64_t)s->node);
    med_pg_int(&node, s->turn + 1);
    return med_pg_flush_send(s, err) && med_pg_drop_purged(s, err)
           && med_pg_send(&s->writer, STATEMENT_SET_STATE, &state, err)
           && med_pg_send(&s->writer, STATEMENT_SET_NODE, &node, err)
           && med_pg_send(&s->writer, STATEMENT_COMMIT, NULL, err);
}

/* Was the group of turn s->turn + 1 committed? The lock of `state` waits for a server process
 * that has not noticed yet that we are gone. False when the database does not say. */
static bool find_out(struct pg_store *s, bool *committed)
{
    med_err err = {0};
    struct pg_parameters p = {0};
    int64_t until = med_monotonic(s->clock) + RECOVER_FOR;
    med_pg_int(&p, (int64_t)s->node);
    while (med_monotonic(s->clock) < until) {
        bool good = med_pg_connect(&s->writer, &err)
                    && med_pg_run(&s->writer, STATEMENT_BEGIN_WRITE, NULL, &err)
                    && med_pg_run(&s->writer, STATEMENT_LOCK_STATE, NULL, &err);
        PGresult *r = good ? med_pg_ask(&s->writer, STATEMENT_NODE, &p, &err) : NULL;
        if (r != NULL) {
            *committed = PQntuples(r) > 0 && med_pg_int_at(r, 0, 0) == s->turn + 1;
            PQclear(r);
            return med_pg_run(&s->writer, STATEMENT_ROLLBACK, NULL, &err);
        }
        struct timespec pause = {.tv_nsec = 200000000};
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static enum group lost_at_commit(struct pg_store *s, med_err *err)
{
    bool committed = false;
    atomic_fetch_add(&s->sync_failures, 1);
    bool told = find_out(s, &committed);
    med_pg_log(s, MED_LOG_WARN, "the connection to the database was lost while committing",
               !told       ? "it does not come back: the outcome is unknown"
               : committed ? "it was committed, as the next connection says"
                           : "it was not committed: it is tried again");
    if (told && committed) {
        forget_group(s);
        return GROUP_DONE;
    }
    bool known = s->writer.pg != NULL;
    forget_group(s);
    s->writer.trouble = known ? TROUBLE_AGAIN : TROUBLE_LOST;
    if (known)
        return GROUP_ROLLED_BACK;
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT,
                   "the connection to the database was lost while committing, and it stays away");
    return GROUP_UNKNOWN;
}

static enum group end_group(struct pg_store *s, bool good, med_err *err)
{
    good = good && send_end(s, err);
    s->committing = good;
    if (good && med_pg_sync(&s->writer, err) && med_pg_drain(&s->writer, err)) {
        s->turn++;
        return GROUP_DONE;
    }
    if (s->committing && s->writer.trouble == TROUBLE_LOST)
        return lost_at_commit(s, err);
    roll_back(s);
    return GROUP_ROLLED_BACK;
}

/* Runs commits up to `end` in one transaction. */
static enum group run_group(struct pg_store *s, med_commit *first, const med_commit *end,
                            med_err *err)
{
    s->committing = false;
    s->writer.trouble = TROUBLE_NONE;
    bool good = med_pg_writer(s, err) && med_pg_group_begin(s, first, end, err);
    for (med_commit *c = first; good && c != end; c = c->next)
        good = run_commit(s, c, err);
    enum group result = end_group(s, good, err);
    if (result == GROUP_DONE) {
        s->caches_hold = first == NULL || !med_commit_purges(first);
        s->last_t = s->t;
        s->position = s->t;
    }
    med_arena_reset(s->scratch);
    s->current = NULL;
    s->current_cap = 0;
    return result;
}

/* The same again while others were in the way, or the connection went before COMMIT. */
static enum group run_group_again(struct pg_store *s, med_commit *first, const med_commit *end,
                                  med_err *err)
{
    enum group result = GROUP_ROLLED_BACK;
    for (int try = 0; try < TRIES; try++) {
        *err = (med_err){0};
        result = run_group(s, first, end, err);
        bool lost = s->writer.trouble == TROUBLE_LOST && try < 2;
        if (result != GROUP_ROLLED_BACK || (!lost && s->writer.trouble != TROUBLE_AGAIN))
            break;
        atomic_fetch_add(&s->retries, 1);
    }
    if (result == GROUP_ROLLED_BACK && s->writer.trouble == TROUBLE_TIMEOUT) {
        *err = (med_err){0};
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT,
                       "the database took too long over a write, or somebody cancelled it (%s): "
                       "nothing was stored, try again",
                       s->writer.state);
    }
    return result;
}

/* The database takes no writes now: say so at once until a probe gets through. */
static void begin_refusing(struct pg_store *s, const med_err *err)
{
    pthread_mutex_lock(&s->queue.lock);
    bool was = s->refusing;
    s->refusing = true;
    s->refusal = *err;
    pthread_mutex_unlock(&s->queue.lock);
    s->writes_refused = (int)s->writer.trouble;
    s->next_probe = med_monotonic(s->clock) + PROBE_EVERY;
    if (!was)
        med_pg_log(s, MED_LOG_ERROR, "the database takes no writes: they are refused until it does",
                   err->text);
}

static bool concerns_all(enum trouble trouble)
{
    return trouble == TROUBLE_LOST || trouble == TROUBLE_FULL || trouble == TROUBLE_READ_ONLY
           || trouble == TROUBLE_RIGHTS;
}

/* What a group came to, told to its commits. */
static void settle_group(struct pg_store *s, enum group result, med_commit *first,
                         const med_commit *end, const med_err *err)
{
    if (result == GROUP_DONE) {
        atomic_fetch_add(&s->groups, 1);
        return;
    }
    if (concerns_all(s->writer.trouble))
        begin_refusing(s, err);
    med_commits_settle(first, end,
                       result == GROUP_UNKNOWN ? MED_COMMIT_UNKNOWN : MED_COMMIT_REFUSED, err);
}

/* What one commit broke on must not refuse everybody: after a rollback each goes alone. */
static void run_one_by_one(struct pg_store *s, med_commit *first, const med_commit *end)
{
    for (med_commit *c = first; c != end; c = c->next) {
        med_err err = {0};
        const med_commit *next = c->next;
        if (s->refusing)
            med_commits_settle(c, next, MED_COMMIT_REFUSED, &s->refusal);
        else
            settle_group(s, run_group_again(s, c, next, &err), c, next, &err);
    }
}

static void watch_clock(struct pg_store *s)
{
    char number[24];
    int64_t behind = med_rules_clock_behind(&s->rules);
    (void)snprintf(number, sizeof number, "%lld us", (long long)behind);
    if (behind > 0)
        med_pg_log(s, MED_LOG_WARN,
                   "the clock is behind the newest version: lastUpdated goes on from there",
                   number);
}

static void run_list(struct pg_store *s, med_commit *first)
{
    med_err err = {0};
    if (s->refusing) {
        run_one_by_one(s, first, NULL);
    } else {
        enum group result = run_group_again(s, first, NULL, &err);
        if (result == GROUP_ROLLED_BACK && first->next != NULL && !concerns_all(s->writer.trouble))
            run_one_by_one(s, first, NULL);
        else
            settle_group(s, result, first, NULL, &err);
    }
    watch_clock(s);
    atomic_fetch_add(&s->commits, med_commits_done(first));
    med_commits_tell(first);
    while (!s->refusing && med_pg_fold_due(s) && med_pg_fold(s, &err))
        continue;
}

/* ---- the thread ---- */

/* While refusing: an empty group. */
static void probe(struct pg_store *s)
{
    med_err err = {0};
    s->next_probe = med_monotonic(s->clock) + PROBE_EVERY;
    if (run_group(s, NULL, NULL, &err) != GROUP_DONE)
        return;
    pthread_mutex_lock(&s->queue.lock);
    s->refusing = false;
    pthread_mutex_unlock(&s->queue.lock);
    s->writes_refused = TROUBLE_NONE;
    med_pg_log(s, MED_LOG_INFO, "the database takes writes again", "");
}

/* False after a while in which nothing came. */
static bool wait_for_work(struct pg_store *s)
{
    while (s->queue.first == NULL && s->queue.first_job == NULL && !s->queue.stopping) {
        bool more = s->refusing || med_pg_fold_wanted(s);
        if (!med_queue_wait(&s->queue, more ? PROBE_EVERY : 0))
            return false;
    }
    return true;
}

/* Nothing waits: values that are there twice go, until something does. */
static void fold_idly(struct pg_store *s)
{
    med_err err = {0};
    while (!s->refusing && med_pg_fold_wanted(s) && med_queue_count(&s->queue) == 0) {
        if (!med_pg_fold(s, &err))
            return;
    }
}

void *med_pg_commit_thread(void *store)
{
    struct pg_store *s = store;
    med_thread_name("commit", -1);
    med_thread_take_short_turns();
    pthread_mutex_lock(&s->queue.lock);
    for (;;) {
        bool idle = !wait_for_work(s);
        med_commit *first = med_queue_take(&s->queue, true);
        struct job *job = s->queue.first_job;
        if (first == NULL && job == NULL && s->queue.stopping)
            break;
        pthread_mutex_unlock(&s->queue.lock);
        if (s->refusing && med_monotonic(s->clock) >= s->next_probe)
            probe(s);
        if (first != NULL)
            run_list(s, first);
        if (job != NULL)
            med_queue_run(&s->queue, job);
        if (idle)
            fold_idly(s);
        pthread_mutex_lock(&s->queue.lock);
    }
    pthread_mutex_unlock(&s->queue.lock);
    return NULL;
}
