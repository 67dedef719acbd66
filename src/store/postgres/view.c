/* view.c - reader slots: one snapshot at a time, bounded in time by the server, too.
 *
 * The snapshot (REPEATABLE READ, read only) begins with the first question, in the same round
 * trip, and its end is sent without waiting for the answer. A connection that broke between two
 * snapshots is made anew without anybody noticing; within one, its reader is told. */
#include "store/postgres/postgres_impl.h"

bool med_pg_view_init(struct pg_view *v, struct pg_store *s, struct pg_connection *share,
                      med_err *err)
{
    *v = (struct pg_view){.base.store = &s->base, .store = s, .writer = share != NULL};
    v->home = v->connection = share != NULL ? share : &v->own;
    v->own.conninfo = s->conninfo;
    v->unpacker = med_unpacker_new();
    return v->unpacker != NULL || MED_FAIL_MEMORY(err);
}

void med_pg_view_free(struct pg_view *v)
{
    if (v->store == NULL)
        return;
    while (v->cursors != NULL)
        med_pg_cursor_close(&v->cursors->base);
    med_pg_ahead_free(v);
    med_pg_disconnect(&v->own);
    med_pg_disconnect(&v->away);
    med_unpacker_free(v->unpacker);
    *v = (struct pg_view){0};
}

static int64_t time_left(const struct pg_view *v)
{
    if (v->deadline == INT64_MAX)
        return INT64_MAX;
    return v->deadline - med_monotonic(v->store->clock);
}

static bool is_over(const struct pg_view *v, med_err *err)
{
    if (v->writer || time_left(v) > 0)
        return false;
    return !MED_FAIL(err, MED_ISSUE_TIMEOUT,
                     "reading took longer than it may: ask for less, or in pages");
}

/* The server's own bound, in whole powers of two so that it is rarely another than before: a view
 * checks its deadline before each question, too. */
static int64_t timeout_for(int64_t left)
{
    enum { LEAST = 250, MOST = 64000 };
    int64_t milliseconds = LEAST;
    while (milliseconds < MOST && milliseconds < left / 1000)
        milliseconds *= 2;
    return milliseconds;
}

/* ---- what was asked ---- */

static void note(struct pg_view *v, enum statement id, const PGresult *r, int64_t since)
{
    size_t i = 0;
    med_str what = med_str_from(med_pg_name(id));
    while (i < v->n_asked && i < MED_ASKED - 1 && !med_str_eq(v->asked[i].what, what))
        i++;
    if (i == v->n_asked)
        v->asked[v->n_asked++] = (med_asked){.what = i == MED_ASKED - 1 ? MED_STR("others") : what,
                                             .plan = MED_STR_EMPTY};
    v->asked[i].times++;
    v->asked[i].rows += r == NULL ? 0 : (uint64_t)PQntuples(r);
    v->asked[i].microseconds += med_monotonic(v->store->clock) - since;
}

/* Of those kinds that have none yet. */
static bool note_plans(struct pg_view *v, const struct pg_question *q, size_t n, med_err *err)
{
    bool good = true;
    for (size_t i = 0; good && v->explain != NULL && i < n; i++) {
        for (size_t k = 0; good && k < v->n_asked; k++) {
            med_asked *asked = &v->asked[k];
            if (med_str_eqz(asked->what, med_pg_name(q[i].id)) && asked->plan.len == 0)
                good = med_pg_plan_of(v, &q[i], &asked->plan, err);
        }
    }
    return good;
}

void med_pg_explain(med_view *view, med_arena *a)
{
    med_pg_of_view(view)->explain = a;
}

void med_pg_asked(med_view *view, const med_asked **out, size_t *n)
{
    const struct pg_view *v = med_pg_of_view(view);
    *out = v->asked;
    *n = v->n_asked;
}

/* ---- a snapshot and its first questions ---- */

/* *before: how many answers come before that of the question. */
static bool begin_snapshot(struct pg_view *v, int *before, med_err *err)
{
    struct pg_connection *c = v->connection;
    int64_t timeout = timeout_for(time_left(v));
    struct pg_parameters p = {0};
    med_pg_int(&p, timeout);
    *before = 1;
    v->timeout = timeout;
    if (!med_pg_send(c, STATEMENT_BEGIN_READ, NULL, err))
        return false;
    if (timeout == c->timeout)
        return true;
    ++*before;
    c->timeout = 0; /* until it has surely come through */
    return med_pg_send(c, STATEMENT_SET_TIMEOUT, &p, err);
}

/* What was sent before the questions is answered before them; the last of it tells the position
 * when that was asked for. */
static bool take_before(struct pg_connection *c, int before, bool position, med_err *err)
{
    for (int i = 0; i < before; i++) {
        PGresult *r = med_pg_result(c, err);
        if (r == NULL)
            return false;
        if (position && i == before - 1 && PQntuples(r) == 1)
            c->position = med_pg_int_at(r, 0, 0);
        PQclear(r);
    }
    return true;
}

static void forget_answers(struct pg_question *q, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        PQclear(q[i].result);
        q[i].result = NULL;
    }
}

static bool take_answers(struct pg_view *v, struct pg_question *q, size_t n, int64_t since,
                         med_err *err)
{
    struct pg_connection *c = v->connection;
    bool good = true;
    for (size_t i = 0; good && i < n; i++) {
        q[i].result = med_pg_result(c, err);
        note(v, q[i].id, q[i].result, since);
        since = med_monotonic(v->store->clock);
        good = q[i].result != NULL;
    }
    good = good && med_pg_drain(c, err);
    if (!good)
        forget_answers(q, n);
    return good;
}

static bool send_all(struct pg_connection *c, const struct pg_question *q, size_t n, med_err *err)
{
    bool sent = true;
    for (size_t i = 0; sent && i < n; i++)
        sent = med_pg_send(c, q[i].id, q[i].p, err);
    return sent && med_pg_sync(c, err);
}

static bool ask_anew(struct pg_view *v, bool snapshot, struct pg_question *q, size_t n,
                     med_err *err)
{
    struct pg_connection *c = v->connection;
    int64_t since = med_monotonic(v->store->clock);
    /* first the end of the last snapshot, of which the answer was not taken */
    if ((c->pg == NULL || !med_pg_drain(c, err)) && !med_pg_connect(c, err))
        return false;
    int before = 0;
    bool position = v->replica != NULL && c->position < v->least_t;
    bool sent = (!snapshot || begin_snapshot(v, &before, err))
                && (!position || med_pg_send(c, STATEMENT_POSITION, NULL, err))
                && send_all(c, q, n, err);
    if (!sent) {
        med_pg_disconnect(c);
        return false;
    }
    bool good =
        take_before(c, before + position, position, err) && take_answers(v, q, n, since, err);
    v->reading = snapshot && good;
    if (v->reading)
        c->timeout = v->timeout;
    if (!good && snapshot && c->pg != NULL) { /* a transaction that failed */
        med_err ignored = {0};
        (void)med_pg_run(c, STATEMENT_ROLLBACK, NULL, &ignored);
    }
    return good;
}

/* ---- a replica's part ---- */

static void end_snapshot(struct pg_view *v)
{
    if (v->reading && v->connection->pg != NULL) {
        med_err ignored = {0};
        if (!med_pg_send(v->connection, STATEMENT_COMMIT, NULL, &ignored)
            || !med_pg_sync(v->connection, &ignored) || PQflush(v->connection->pg) < 0)
            med_pg_disconnect(v->connection);
    }
    v->reading = false;
}

void med_pg_view_go_home(struct pg_view *v)
{
    if (v->replica == NULL)
        return;
    if (v->reading)
        med_pg_ahead_forget(v);
    end_snapshot(v);
    v->replica = NULL;
    v->connection = v->home;
}

/* The first questions. False with *home: the primary is to be asked instead; whatever is wrong with
 * a replica, only that a question takes too long is the question's own fault. */
static bool ask_replica(struct pg_view *v, bool snapshot, struct pg_question *q, size_t n,
                        bool *home, med_err *err)
{
    struct pg_connection *c = v->connection;
    struct pg_replica *replica = v->replica;
    bool good = ask_anew(v, snapshot, q, n, err);
    *home = false;
    if (good && c->position >= v->least_t) {
        atomic_fetch_add_explicit(&replica->reads, 1, memory_order_relaxed);
        return true;
    }
    if (!good && c->trouble == TROUBLE_TIMEOUT)
        return false;
    if (!good && c->trouble == TROUBLE_DAMAGED)
        atomic_fetch_add(&v->store->damaged, 1);
    if (good)
        atomic_fetch_add_explicit(&replica->of->behind, 1, memory_order_relaxed);
    else if (c->trouble != TROUBLE_AGAIN) /* its own thread says when it is well again */
        replica->used = false;
    forget_answers(q, n);
    *err = (med_err){0};
    med_pg_view_go_home(v);
    *home = true;
    return false;
}

/* Within a snapshot, which is over with it. */
static void note_failure(struct pg_view *v)
{
    struct pg_connection *c = v->connection;
    c->timeout = 0; /* a rollback takes it back */
    v->was_cut = v->was_cut || (v->replica != NULL && c->trouble != TROUBLE_TIMEOUT);
}

static bool ask_on(struct pg_view *v, struct pg_question *q, size_t n, med_err *err)
{
    struct pg_connection *c = v->connection;
    int64_t since = med_monotonic(v->store->clock);
    bool sent = send_all(c, q, n, err);
    if (!sent)
        med_pg_disconnect(c);
    if (sent && take_answers(v, q, n, since, err))
        return true;
    note_failure(v);
    return false;
}

/* ---- asking ---- */

/* The server ends what takes too long. One that stands still ends nothing: some time later no
 * answer is waited for any longer, and the connection is given up. */
static void bound(struct pg_view *v)
{
    enum { GRACE = 2000000 };
    bool endless = v->deadline > INT64_MAX - GRACE;
    v->home->until = endless ? 0 : v->deadline + GRACE;
    v->away.until = v->home->until;
}

static bool ask(struct pg_view *v, bool snapshot, struct pg_question *q, size_t n, med_err *err)
{
    if (is_over(v, err))
        return false;
    if (!v->writer)
        bound(v);
    if (v->writer || v->reading)
        return ask_on(v, q, n, err);
    if (v->replica != NULL) {
        bool home = false;
        bool good = ask_replica(v, snapshot, q, n, &home, err);
        if (!home)
            return good;
    }
    struct pg_connection *c = v->connection;
    bool was_there = c->pg != NULL;
    bool good = ask_anew(v, snapshot, q, n, err);
    if (!good && was_there && c->trouble == TROUBLE_LOST)
        good = ask_anew(v, snapshot, q, n, err);
    if (!good && c->trouble == TROUBLE_READ_ONLY)
        med_pg_disconnect(c);
    return good;
}

bool med_pg_view_ask_all(struct pg_view *v, struct pg_question *q, size_t n, med_err *err)
{
    if (ask(v, true, q, n, err)) {
        if (note_plans(v, q, n, err))
            return true;
        note_failure(v);
        forget_answers(q, n);
    }
    if (v->connection->trouble == TROUBLE_DAMAGED)
        atomic_fetch_add(&v->store->damaged, 1);
    return false;
}

PGresult *med_pg_view_ask(struct pg_view *v, enum statement id, const struct pg_parameters *p,
                          med_err *err)
{
    struct pg_question q = {.id = id, .p = p};
    return med_pg_view_ask_all(v, &q, 1, err) ? q.result : NULL;
}

PGresult *med_pg_view_ask_latest(struct pg_view *v, enum statement id,
                                 const struct pg_parameters *p, med_err *err)
{
    struct pg_question q = {.id = id, .p = p};
    return ask(v, false, &q, 1, err) ? q.result : NULL;
}

bool med_pg_view_number(struct pg_view *v, enum statement id, const int64_t *keys, int n, bool *has,
                        int64_t *out, med_err *err)
{
    struct pg_parameters p = {0};
    const struct ahead_number *known = med_pg_ahead_number(v, id, keys, n);
    if (known != NULL) {
        *has = known->has;
        *out = known->value;
        return true;
    }
    for (int i = 0; i < n; i++)
        med_pg_int(&p, keys[i]);
    PGresult *r = med_pg_view_ask(v, id, &p, err);
    if (r == NULL)
        return false;
    *has = PQntuples(r) > 0;
    *out = *has ? med_pg_int_at(r, 0, 0) : 0;
    PQclear(r);
    (void)med_pg_ahead_keep_number(v, id, keys, n, *has, *out);
    return true;
}

void med_pg_view_begin(struct pg_view *v, int64_t deadline)
{
    v->deadline = deadline;
    v->open = true;
    v->was_cut = false;
    v->n_asked = 0;
    v->explain = NULL;
}

void med_pg_view_close(struct pg_view *v)
{
    while (v->cursors != NULL)
        med_pg_cursor_close(&v->cursors->base);
    med_pg_ahead_forget(v);
    end_snapshot(v);
    v->replica = NULL;
    v->connection = v->home;
    v->open = false;
}

med_view *med_pg_view(med_store *store, unsigned slot, int64_t deadline, med_err *err)
{
    struct pg_store *s = med_pg_of(store);
    if (slot + 1 >= s->n_slots || s->slots[slot].open) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "reader slot %u %s", slot,
                       slot + 1 >= s->n_slots ? "does not exist" : "has a view already");
        return NULL;
    }
    med_pg_view_begin(&s->slots[slot], deadline);
    return &s->slots[slot].base;
}

void med_pg_view_end(med_view *view)
{
    med_pg_view_close(med_pg_of_view(view));
}
