/* lend.c - the rows that the rules of a commit (store/commit_rules.h) read and write: versions go
 * to their tables at once; index rows, ids and counters wait for flush.c. */
#include "store/sqlite/sqlite_impl.h"

static bool run(struct sqlite_store *s, sqlite3_stmt *stmt, const char *doing, med_err *err)
{
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, doing, err);
}

/* A statement whose parameters are integers. */
static bool run_ints(struct sqlite_store *s, enum statement id, const int64_t *values, int n,
                     med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, id, err);
    if (stmt == NULL)
        return false;
    for (int i = 0; i < n; i++)
        (void)sqlite3_bind_int64(stmt, i + 1, values[i]);
    return run(s, stmt, "writing", err);
}

/* ---- reading ---- */

/* The memory of ids, then the table and what is deferred. */
static bool find(void *store, uint64_t ident, med_rid *rid, med_err *err)
{
    struct sqlite_store *s = store;
    const struct ident *known = med_idents_find(&s->idents, ident);
    *rid = known == NULL ? 0 : known->rid;
    if (known != NULL)
        return true;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_IDENT, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)ident);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *rid = (med_rid)sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return med_connection_fail(&s->writer, rc, "looking up an id", err);
    const struct overlay *over = med_sqlite_overlay(s->guard_view, err);
    if (over == NULL)
        return false;
    if (*rid == 0)
        *rid = med_overlay_ident(over, ident);
    if (*rid != 0 && med_idents_add(&s->idents, ident, *rid, false) == NULL)
        return MED_FAIL_MEMORY(err);
    return true;
}

static bool intern(void *store, uint64_t ident, uint64_t home, med_rid *rid, med_err *err)
{
    struct sqlite_store *s = store;
    (void)home;
    if (!find(s, ident, rid, err))
        return false;
    if (*rid != 0)
        return true;
    if (med_idents_add(&s->idents, ident, s->rid + 1, true) == NULL)
        return MED_FAIL_MEMORY(err);
    *rid = ++s->rid;
    return true;
}

static bool copy(struct sqlite_store *s, med_str from, med_str *to, med_err *err)
{
    return med_arena_copy(s->scratch, from, to) || MED_FAIL_MEMORY(err);
}

/* The row under the statement. */
static bool take_row(struct sqlite_store *s, sqlite3_stmt *stmt, med_rid rid, struct step *step,
                     med_err *err)
{
    struct stored_row row;
    med_str rowset = MED_STR_EMPTY;
    if (!med_sqlite_row(stmt, &row))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a stored version is damaged (internal id %llu)",
                        (unsigned long long)rid);
    med_str id = {(const char *)row.id, row.id_len};
    if (!copy(s, id, &id, err)
        || !copy(s, med_statement_str(stmt, row.body_column + 1), &rowset, err))
        return false;
    row.id = (const unsigned char *)id.ptr;
    med_rules_found(step, &row, rowset);
    return true;
}

static bool read_current(void *store, uint64_t ident, med_rid rid, struct step *step, med_err *err)
{
    struct sqlite_store *s = store;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_READ_RID, err);
    (void)ident;
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
    int rc = sqlite3_step(stmt);
    bool good =
        rc == SQLITE_ROW
            ? take_row(s, stmt, rid, step, err)
            : rc == SQLITE_DONE || med_connection_fail(&s->writer, rc, "reading a resource", err);
    (void)sqlite3_reset(stmt);
    return good;
}

static bool is_live(void *store, uint64_t ident, bool *live, med_err *err)
{
    struct sqlite_store *s = store;
    med_rid rid = 0;
    *live = false;
    if (!find(s, ident, &rid, err))
        return false;
    struct ident *known = rid == 0 ? NULL : med_idents_find(&s->idents, ident);
    if (known == NULL || known->live) {
        *live = known != NULL;
        return true;
    }
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_CHANGE, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
    int rc = sqlite3_step(stmt);
    *live = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0) != MED_DELETED;
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return med_connection_fail(&s->writer, rc, "looking up a reference", err);
    known->live = *live;
    return true;
}

/* One more referrer than are written is one that stays. */
static bool is_referred(void *store, med_rid rid, const med_rid *written, size_t n, bool *out,
                        med_err *err)
{
    struct sqlite_store *s = store;
    med_rid *referrers = NULL;
    size_t found = 0;
    *out = false;
    if (!med_sqlite_referrers(&s->guard_view->base, s->scratch, rid, n + 1, &referrers, &found,
                              err))
        return false;
    for (size_t i = 0; i < found && !*out; i++)
        *out = bsearch(&referrers[i], written, n, sizeof *written, med_rid_compare) == NULL;
    return true;
}

/* ---- versions ---- */

/* The rows it had, for a crash before those are merged. */
static bool log_old(const struct writing *x, med_err *err)
{
    struct sqlite_store *s = x->rules->store;
    const struct step *step = x->step;
    if (s->direct || !step->live)
        return true;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_UNMERGED, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, x->t);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)step->rid);
    (void)sqlite3_bind_int64(stmt, 3, x->write->type);
    (void)sqlite3_bind_int64(stmt, 4, step->updated);
    (void)sqlite3_bind_int64(stmt, 5, step->row.key);
    if (!med_statement_bind_blob(stmt, 6, step->rowset))
        return MED_FAIL_MEMORY(err);
    bool good = run(s, stmt, "writing what was", err);
    (void)sqlite3_clear_bindings(stmt);
    return good;
}

/* What was current becomes a superseded version. */
static bool keep_old(const struct writing *x, med_err *err)
{
    struct sqlite_store *s = x->rules->store;
    const int64_t rid = (int64_t)x->step->rid;
    if (x->step->has_row) {
        med_recent_hold(&s->recent, x->write->ident);
        return run_ints(s, STATEMENT_KEEP_VERSION, &rid, 1, err) && log_old(x, err);
    }
    struct ident *ident = med_idents_find(&s->idents, x->write->ident);
    if (ident != NULL) /* a crash finds it again by the resource */
        ident->owned = true;
    return true;
}

static bool write_blob(struct sqlite_store *s, med_str packed, int64_t *id, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_BLOB, err);
    if (stmt == NULL)
        return false;
    if (!med_statement_bind_blob(stmt, 1, packed))
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource is too large for the store");
    bool good = run(s, stmt, "writing a large body", err);
    *id = sqlite3_last_insert_rowid(s->writer.db);
    (void)sqlite3_clear_bindings(stmt);
    return good;
}

static bool bind_row(sqlite3_stmt *stmt, const struct stored_row *row)
{
    return sqlite3_bind_int64(stmt, 1, (int64_t)row->rid) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 4, row->version) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 5, row->t) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 6, row->updated) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 7, row->change) == SQLITE_OK
           && (row->patient == 0 ? sqlite3_bind_null(stmt, 8)
                                 : sqlite3_bind_int64(stmt, 8, (int64_t)row->patient))
                  == SQLITE_OK
           && sqlite3_bind_int64(stmt, 9, row->key) == SQLITE_OK
           && sqlite3_bind_int64(stmt, 10, row->dictionary) == SQLITE_OK;
}

/* What no later version changes. */
static bool bind_id(sqlite3_stmt *stmt, const struct stored_row *row)
{
    return sqlite3_bind_int64(stmt, 2, row->type) == SQLITE_OK
           && (row->id_is_uuid
                   ? sqlite3_bind_blob(stmt, 3, row->id, (int)row->id_len, SQLITE_TRANSIENT)
                   : sqlite3_bind_text(stmt, 3, (const char *)row->id, (int)row->id_len,
                                       SQLITE_TRANSIENT))
                  == SQLITE_OK;
}

/* Bodies above MED_BLOB_FROM: `blob` is their number, else 0. */
static bool bind_body(sqlite3_stmt *stmt, int64_t blob, med_str packed)
{
    return packed.len == 0 ? sqlite3_bind_null(stmt, 12) == SQLITE_OK
           : blob != 0     ? sqlite3_bind_int64(stmt, 12, blob) == SQLITE_OK
                           : med_statement_bind_blob(stmt, 12, packed);
}

static bool put(const struct writing *x, const struct stored_row *row, med_str packed,
                med_str rowset, med_err *err)
{
    struct sqlite_store *s = x->rules->store;
    const med_str hash = {(const char *)&row->hash, sizeof row->hash};
    bool add = !x->step->has_row;
    int64_t blob = 0;
    if (!keep_old(x, err) || (packed.len > MED_BLOB_FROM && !write_blob(s, packed, &blob, err)))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(
        &s->writer, add ? STATEMENT_ADD_RESOURCE : STATEMENT_SET_RESOURCE, err);
    if (stmt == NULL)
        return false;
    bool bound = bind_row(stmt, row) && (!add || bind_id(stmt, row))
                 && med_statement_bind_blob(stmt, 11, hash) && bind_body(stmt, blob, packed)
                 && (rowset.len == 0 ? sqlite3_bind_null(stmt, 13) == SQLITE_OK
                                     : med_statement_bind_blob(stmt, 13, rowset));
    if (!bound)
        return MED_FAIL_MEMORY(err);
    return run(s, stmt, "writing a resource", err)
           && (x->write->n_parts == 0 || row->change == MED_DELETED
               || med_sqlite_add_parts(s, row, x->write, err));
}

static bool set_rowset(const struct writing *x, med_str rowset, med_err *err)
{
    struct sqlite_store *s = x->rules->store;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_SET_ROWSET, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)x->step->rid);
    if (!med_statement_bind_blob(stmt, 2, rowset))
        return MED_FAIL_MEMORY(err);
    return run(s, stmt, "writing index rows", err);
}

static bool add_code(void *store, const med_code_row *code, med_err *err)
{
    struct sqlite_store *s = store;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_CODE, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, code->param);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)code->hash);
    if (!med_statement_bind_str(stmt, 3, code->system)
        || !med_statement_bind_str(stmt, 4, code->code)
        || !med_statement_bind_str(stmt, 5, code->text))
        return MED_FAIL_MEMORY(err);
    return run(s, stmt, "writing a code", err);
}

static bool flush(void *store, med_err *err)
{
    return med_sqlite_flush(store, err);
}

/* ---- purging ---- */

static bool blank_codes(struct sqlite_store *s, const struct rowset *old, med_err *err)
{
    for (size_t i = 0; i < old->n_tokens; i++) {
        const int64_t key[] = {old->tokens[i].param, (int64_t)old->tokens[i].hash};
        if ((old->tokens[i].places & MED_ROW_COUNTED) != 0
            && !run_ints(s, STATEMENT_BLANK_CODE, key, 2, err))
            return false;
    }
    return true;
}

static bool count_versions(struct sqlite_store *s, med_rid rid, int64_t *n, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_VERSIONS_COUNT, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)rid);
    (void)sqlite3_bind_int64(stmt, 2, INT64_MIN);
    (void)sqlite3_bind_int64(stmt, 3, INT64_MAX);
    int rc = sqlite3_step(stmt);
    *n = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || med_connection_fail(&s->writer, rc, "counting versions", err);
}

/* Whether its ident may go, too, is seen when the index rows are written. */
static bool remember_purge(struct sqlite_store *s, uint64_t ident, med_rid rid, med_err *err)
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
    static const enum statement drops[] = {STATEMENT_PURGE_FEED,    STATEMENT_DROP_BLOBS,
                                           STATEMENT_DROP_VERSIONS, STATEMENT_DROP_RESOURCE,
                                           STATEMENT_DROP_OUTBOX,   STATEMENT_DROP_DEADLINE};
    struct sqlite_store *s = x->rules->store;
    const int64_t rid = (int64_t)x->step->rid;
    med_recent_hold(&s->recent, x->write->ident);
    bool good = blank_codes(s, old, err) && med_sqlite_forget_terms(s, x->step->rid, err)
                && med_sqlite_drop_parts(s, x->step->rid, err)
                && count_versions(s, x->step->rid, versions, err);
    for (size_t i = 0; good && i < sizeof drops / sizeof drops[0]; i++)
        good = run_ints(s, drops[i], &rid, 1, err);
    const int64_t record[] = {x->t, rid, x->write->type, *versions, x->commit->updated};
    return good && remember_purge(s, x->write->ident, x->step->rid, err)
           && run_ints(s, STATEMENT_ADD_PURGED, record, 5, err);
}

/* ---- what is kept beside ---- */

static bool add_trace(void *store, int64_t t, med_str record, med_err *err)
{
    struct sqlite_store *s = store;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_TRACE, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, t);
    if (!med_statement_bind_blob(stmt, 2, record))
        return MED_FAIL_MEMORY(err);
    return run(s, stmt, "writing the trace", err);
}

static bool add_outcomes(void *store, const med_commit *c, med_str outcomes, med_err *err)
{
    struct sqlite_store *s = store;
    const int64_t now = med_now(s->clock);
    const int64_t old = now - MED_OUTCOMES_KEPT;
    const int64_t key[] = {(int64_t)c->idempotency, (int64_t)c->request_hash, now, c->t,
                           c->updated};
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_IDEMPOTENCY, err);
    if (stmt == NULL)
        return false;
    for (int i = 0; i < 5; i++)
        (void)sqlite3_bind_int64(stmt, i + 1, key[i]);
    if (!med_statement_bind_blob(stmt, 6, outcomes))
        return MED_FAIL_MEMORY(err);
    return run(s, stmt, "keeping an idempotency key", err)
           && run_ints(s, STATEMENT_EXPIRE_IDEMPOTENCY, &old, 1, err);
}

static enum replay find_outcomes(void *store, med_commit *c, med_err *err)
{
    struct sqlite_store *s = store;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_IDEMPOTENCY, err);
    if (stmt == NULL)
        return REPLAY_BROKEN;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)c->idempotency);
    int rc = sqlite3_step(stmt);
    enum replay found = rc == SQLITE_DONE ? REPLAY_NEW : REPLAY_BROKEN;
    if (rc == SQLITE_ROW)
        found = med_outcomes_replay(c, (uint64_t)sqlite3_column_int64(stmt, 0),
                                    sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2),
                                    med_statement_str(stmt, 3), err);
    else if (rc != SQLITE_DONE)
        (void)med_connection_fail(&s->writer, rc, "looking up an idempotency key", err);
    (void)sqlite3_reset(stmt);
    return found;
}

static void look(void *store)
{
    struct sqlite_store *s = store;
    med_sqlite_view_begin(s->guard_view, INT64_MAX);
}

static void look_away(void *store)
{
    struct sqlite_store *s = store;
    med_sqlite_view_close(s->guard_view);
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

void med_sqlite_lend(struct sqlite_store *s)
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
