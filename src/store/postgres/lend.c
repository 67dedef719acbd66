/* lend.c - the rows that the rules of a commit (store/commit_rules.h) read and write: all of it
 * in the group's memory, written by flush.c. */
#include "store/postgres/postgres_impl.h"

/* A statement whose parameters are integers, among the others that wait to be answered. */
static bool send_ints(struct pg_store *s, enum statement id, const int64_t *values, int n,
                      med_err *err)
{
    struct pg_parameters p = {0};
    for (int i = 0; i < n; i++)
        med_pg_int(&p, values[i]);
    return med_pg_send(&s->writer, id, &p, err);
}

/* ---- reading ---- */

static bool find(void *store, uint64_t ident, med_rid *rid, med_err *err)
{
    (void)err;
    *rid = med_pg_find_ident(store, ident);
    return true;
}

static bool read_current(void *store, uint64_t ident, med_rid rid, struct step *step, med_err *err)
{
    const struct current *current = med_pg_current(store, ident);
    (void)rid;
    (void)err;
    if (current->has_row)
        med_rules_found(step, &current->row, current->rowset);
    return true;
}

/* All that the group names was looked up when it began. */
static bool is_live(void *store, uint64_t ident, bool *live, med_err *err)
{
    const struct pg_store *s = store;
    const struct ident *known = med_idents_find(&s->idents, ident);
    (void)err;
    *live = known != NULL && known->live;
    return true;
}

static bool is_referred(void *store, med_rid rid, const med_rid *written, size_t n, bool *out,
                        med_err *err)
{
    struct pg_store *s = store;
    struct pg_array but;
    struct pg_parameters p = {0};
    PGresult *r = NULL;
    med_pg_array_init(&but, PG_INT);
    for (size_t i = 0; i < n; i++)
        med_pg_array_int(&but, (int64_t)written[i]);
    med_pg_int(&p, (int64_t)rid);
    if (med_pg_add_array(&p, &but))
        r = med_pg_ask(&s->writer, STATEMENT_REFERRERS_BUT, &p, err);
    else
        (void)MED_FAIL_MEMORY(err);
    med_pg_array_free(&but);
    *out = r != NULL && PQntuples(r) > 0;
    PQclear(r);
    return r != NULL;
}

/* ---- versions ---- */

/* What was current becomes a superseded version: copied inside the database, or from here when it
 * was not written yet. */
static bool keep_old(struct pg_store *s, struct current *current, med_err *err)
{
    if (!current->has_row)
        return true;
    if (!current->dirty) {
        current->kept = true;
        return true;
    }
    struct pending_version *v = MED_TAKE(s->scratch, 1, struct pending_version);
    if (v == NULL)
        return MED_FAIL_MEMORY(err);
    *v = (struct pending_version){*current, s->versions};
    s->versions = v;
    return true;
}

static bool put(const struct writing *x, const struct stored_row *row, med_str packed,
                med_str rowset, med_err *err)
{
    struct pg_store *s = x->rules->store;
    struct current *current = med_pg_current(s, x->write->ident);
    med_str id = {(const char *)row->id, row->id_len};
    if (!keep_old(s, current, err))
        return false;
    if (!med_arena_copy(s->scratch, rowset, &rowset) || !med_arena_copy(s->scratch, id, &id))
        return MED_FAIL_MEMORY(err);
    current->row = *row;
    current->row.id = (const unsigned char *)id.ptr;
    current->rowset = rowset;
    current->packed = packed;
    current->has_row = true;
    current->dirty = true;
    s->packed_bytes += packed.len + rowset.len;
    return x->write->n_parts == 0 || row->change == MED_DELETED
           || med_pg_add_parts(s, row, x->write, err);
}

/* Of such a write nothing else of its row changes. */
static bool set_rowset(const struct writing *x, med_str rowset, med_err *err)
{
    struct pg_store *s = x->rules->store;
    struct current *current = med_pg_current(s, x->write->ident);
    struct pending_rowset *waiting = MED_TAKE(s->scratch, 1, struct pending_rowset);
    if (waiting == NULL || !med_arena_copy(s->scratch, rowset, &current->rowset))
        return MED_FAIL_MEMORY(err);
    *waiting = (struct pending_rowset){x->step->rid, current->rowset, s->rowsets};
    s->rowsets = waiting;
    return true;
}

static bool add_code(void *store, const med_code_row *code, med_err *err)
{
    struct pg_store *s = store;
    struct pending_code *waiting = MED_TAKE(s->scratch, 1, struct pending_code);
    if (waiting == NULL)
        return MED_FAIL_MEMORY(err);
    *waiting = (struct pending_code){code, s->codes};
    s->codes = waiting;
    return true;
}

static bool flush(void *store, med_err *err)
{
    return med_pg_flush(store, err);
}

/* ---- purging ---- */

static bool blank_codes(struct pg_store *s, const struct rowset *old, med_err *err)
{
    struct pg_array params, hashes;
    struct pg_parameters p = {0};
    med_pg_array_init(&params, PG_INT);
    med_pg_array_init(&hashes, PG_INT);
    for (size_t i = 0; i < old->n_tokens; i++) {
        med_pg_array_int(&params, old->tokens[i].param);
        med_pg_array_int(&hashes, (int64_t)old->tokens[i].hash);
    }
    bool good =
        (med_pg_add_array(&p, &params) && med_pg_add_array(&p, &hashes)) || MED_FAIL_MEMORY(err);
    good = good && med_pg_send(&s->writer, STATEMENT_BLANK_CODES, &p, err);
    med_pg_array_free(&params);
    med_pg_array_free(&hashes);
    return good;
}

static bool count_versions(struct pg_store *s, med_rid rid, int64_t *n, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)rid);
    med_pg_int(&p, INT64_MIN);
    med_pg_int(&p, INT64_MAX);
    PGresult *r = med_pg_ask(&s->writer, STATEMENT_VERSIONS_COUNT, &p, err);
    *n = r == NULL ? 0 : med_pg_int_at(r, 0, 0);
    PQclear(r);
    return r != NULL;
}

/* Whether its ident may go, too, is seen when the index rows are written. */
static bool remember_purge(struct pg_store *s, uint64_t ident, med_rid rid, med_err *err)
{
    struct purged *purged = MED_TAKE(s->scratch, 1, struct purged);
    if (purged == NULL)
        return MED_FAIL_MEMORY(err);
    *purged = (struct purged){ident, rid, s->purged};
    s->purged = purged;
    return true;
}

static bool purge(const struct writing *x, const struct rowset *old, int64_t *versions,
                  med_err *err)
{
    static const enum statement drops[] = {STATEMENT_PURGE_FEED,    STATEMENT_DROP_PARTS,
                                           STATEMENT_DROP_USES,     STATEMENT_DROP_VERSIONS,
                                           STATEMENT_DROP_RESOURCE, STATEMENT_DROP_OUTBOX,
                                           STATEMENT_DROP_DEADLINE};
    struct pg_store *s = x->rules->store;
    const int64_t rid = (int64_t)x->step->rid;
    bool good = med_pg_forget_terms(s, x->step->rid, err)
                && count_versions(s, x->step->rid, versions, err) && blank_codes(s, old, err);
    for (size_t i = 0; good && i < sizeof drops / sizeof drops[0]; i++)
        good = send_ints(s, drops[i], &rid, 1, err);
    const int64_t record[] = {x->t, rid, x->write->type, *versions, x->commit->updated};
    if (!good || !send_ints(s, STATEMENT_ADD_PURGED, record, 5, err)
        || !med_pg_sync(&s->writer, err) || !med_pg_drain(&s->writer, err))
        return false;
    *med_pg_current(s, x->write->ident) = (struct current){
        .ident = x->write->ident, .used = true, .rowset = MED_STR_EMPTY, .packed = MED_STR_EMPTY};
    return remember_purge(s, x->write->ident, x->step->rid, err);
}

/* ---- what is kept beside ---- */

static bool add_trace(void *store, int64_t t, med_str record, med_err *err)
{
    struct pg_store *s = store;
    struct pending_trace *trace = MED_TAKE(s->scratch, 1, struct pending_trace);
    if (trace == NULL)
        return MED_FAIL_MEMORY(err);
    *trace = (struct pending_trace){t, record, s->traces};
    s->traces = trace;
    return true;
}

static bool add_outcomes(void *store, const med_commit *c, med_str outcomes, med_err *err)
{
    struct pg_store *s = store;
    struct pending_outcome *o = MED_TAKE(s->scratch, 1, struct pending_outcome);
    if (o == NULL)
        return MED_FAIL_MEMORY(err);
    *o = (struct pending_outcome){c->idempotency, c->request_hash, med_now(s->clock), c->t,
                                  c->updated,     outcomes,        s->outcomes};
    s->outcomes = o;
    return true;
}

static enum replay find_outcomes(void *store, med_commit *c, med_err *err)
{
    struct pg_store *s = store;
    for (const struct pending_outcome *o = s->outcomes; o != NULL; o = o->next) {
        if (o->key == c->idempotency)
            return med_outcomes_replay(c, o->request, o->t, o->updated, o->outcomes, err);
    }
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)c->idempotency);
    PGresult *r = med_pg_ask(&s->writer, STATEMENT_IDEMPOTENCY, &p, err);
    if (r == NULL)
        return REPLAY_BROKEN;
    enum replay found = REPLAY_NEW;
    if (PQntuples(r) > 0)
        found = med_outcomes_replay(c, (uint64_t)med_pg_int_at(r, 0, 0), med_pg_int_at(r, 0, 1),
                                    med_pg_int_at(r, 0, 2), med_pg_bytes_at(r, 0, 3), err);
    PQclear(r);
    return found;
}

static void look(void *store)
{
    struct pg_store *s = store;
    med_pg_view_begin(s->guard_view, INT64_MAX);
}

static void look_away(void *store)
{
    struct pg_store *s = store;
    med_pg_view_close(s->guard_view);
}

static bool intern(void *store, uint64_t ident, uint64_t home, med_rid *rid, med_err *err)
{
    return med_pg_intern_ident(store, ident, home, rid, err);
}

static const struct commit_ops ops = {
    .find = find,
    .intern = intern,
    .read = read_current,
    .is_live = is_live,
    .is_referred = is_referred,
    .put = put,
    .set_rowset = set_rowset,
    .add_code = add_code,
    .flush = flush,
    .purge = purge,
    .add_trace = add_trace,
    .add_outcomes = add_outcomes,
    .find_outcomes = find_outcomes,
    .look = look,
    .look_away = look_away,
};

void med_pg_lend(struct pg_store *s)
{
    s->rules = (struct commit_rules){.ops = &ops,
                                     .store = s,
                                     .keys = &s->keys,
                                     .clock = s->clock,
                                     .view = &s->guard_view->base,
                                     .scratch = s->scratch,
                                     .idents = &s->idents,
                                     .tallies = &s->tallies,
                                     .pending = &s->pending,
                                     .t = &s->t,
                                     .updated = &s->updated,
                                     .epoch = &s->epoch};
}
