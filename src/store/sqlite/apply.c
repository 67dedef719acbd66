/* apply.c - carries out a commit that was planned: versions, feed, index rows, counters. */
#include "store/place.h"
#include "store/sqlite/plan.h"

/* What is being written for one step. */
struct writing {
    struct sqlite_store *s;
    med_commit *c;
    med_write *w;
    struct step *step;
    int64_t t;
};

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

/* ---- index rows ---- */

static int by_rid(const void *a, const void *b)
{
    med_rid x = *(const med_rid *)a;
    med_rid y = *(const med_rid *)b;
    return (x > y) - (x < y);
}

/* Targets that no reference row covers: both lists may be long, so one is sorted. */
static bool resolve_targets(struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->w->rows;
    med_rid *targets = MED_TAKE(x->s->scratch, rows->n_targets, med_rid);
    med_rid *covered = MED_TAKE(x->s->scratch, r->n_references, med_rid);
    if (targets == NULL || covered == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < r->n_references; i++)
        covered[i] = r->references[i].target;
    if (r->n_references > 1)
        qsort(covered, r->n_references, sizeof *covered, by_rid);
    for (size_t i = 0; i < rows->n_targets; i++) {
        med_rid rid = 0;
        if (!med_sqlite_intern_ident(x->s, rows->targets[i].ident, &rid, err))
            return false;
        if (r->n_references == 0
            || bsearch(&rid, covered, r->n_references, sizeof rid, by_rid) == NULL)
            targets[r->n_targets++] = rid;
    }
    r->targets = targets;
    return true;
}

static bool resolve_references(struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->w->rows;
    med_reference_row *to = MED_TAKE(x->s->scratch, rows->n_references, med_reference_row);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < rows->n_references; i++) {
        to[i].param = rows->references[i].param;
        if (!med_sqlite_intern_ident(x->s, rows->references[i].target, &to[i].target, err))
            return false;
    }
    r->references = to;
    r->n_references = rows->n_references;
    return true;
}

static bool resolve_patients(struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->w->rows;
    med_rid *to = MED_TAKE(x->s->scratch, rows->n_patients, med_rid);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < rows->n_patients; i++) {
        if (!med_sqlite_intern_ident(x->s, rows->patients[i], &to[i], err))
            return false;
    }
    r->patients = to;
    r->n_patients = rows->n_patients;
    return true;
}

static bool resolve(struct writing *x, struct rowset *r, med_err *err)
{
    const med_rows *rows = &x->w->rows;
    *r = (struct rowset){
        .when = rows->when == MED_TIME_MIN ? x->c->updated : rows->when,
        .tokens = rows->tokens,
        .n_tokens = rows->n_tokens,
        .dates = rows->dates,
        .n_dates = rows->n_dates,
        .strings = rows->strings,
        .n_strings = rows->n_strings,
        .quantities = rows->quantities,
        .n_quantities = rows->n_quantities,
        .uris = rows->uris,
        .n_uris = rows->n_uris,
    };
    return resolve_patients(x, r, err) && resolve_references(x, r, err)
           && resolve_targets(x, r, err);
}

static bool read_old(struct writing *x, struct rowset *r, med_err *err)
{
    const struct step *step = x->step;
    *r = (struct rowset){0};
    if (!step->live || step->rowset.len == 0)
        return true;
    const med_hash_key *key = med_keyring_check(&x->s->keys, step->row.key);
    if (key == NULL)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the key of a stored version is missing");
    return med_rowset_read(r, x->s->scratch, step->rowset, *key, err);
}

static bool push(struct writing *x, const struct index_row *row, bool cut, med_err *err)
{
    struct index_row pushed = *row;
    pushed.cut = cut;
    return med_pending_add(&x->s->pending, &pushed) || MED_FAIL_MEMORY(err);
}

/* Both lists are sorted: what is only in the old goes, what is only in the new comes. */
static bool push_difference(struct writing *x, const struct index_row *old, size_t n_old,
                            const struct index_row *new, size_t n_new, med_err *err)
{
    size_t i = 0;
    size_t k = 0;
    bool good = true;
    while (good && (i < n_old || k < n_new)) {
        int order = k == n_new ? -1 : i == n_old ? 1 : med_index_row_compare(&old[i], &new[k]);
        if (order < 0)
            good = push(x, &old[i], true, err);
        else if (order > 0)
            good = push(x, &new[k], false, err);
        i += order <= 0;
        k += order >= 0;
    }
    return good;
}

static bool count_tokens(struct writing *x, const struct rowset *r, int64_t delta, med_err *err)
{
    for (size_t i = 0; i < r->n_tokens; i++) {
        if ((r->tokens[i].places & MED_ROW_COUNTED) != 0
            && !med_tallies_add(&x->s->tallies, r->tokens[i].param, r->tokens[i].hash, delta))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

static bool push_updated(struct writing *x, int64_t moment, bool cut, med_err *err)
{
    struct index_row row = {.table = TABLE_UPDATED,
                            .a = x->w->type,
                            .b = moment,
                            .rid = x->step->rid,
                            .text = MED_STR_EMPTY};
    return push(x, &row, cut, err);
}

/* The rows it had, for a crash before those are merged. */
static bool log_old(struct writing *x, med_err *err)
{
    const struct step *step = x->step;
    if (x->s->direct || !step->live)
        return true;
    sqlite3_stmt *stmt = med_connection_statement(&x->s->writer, STATEMENT_ADD_UNMERGED, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, x->t);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)step->rid);
    (void)sqlite3_bind_int64(stmt, 3, x->w->type);
    (void)sqlite3_bind_int64(stmt, 4, step->updated);
    (void)sqlite3_bind_int64(stmt, 5, step->row.key);
    if (!med_statement_bind_blob(stmt, 6, step->rowset))
        return MED_FAIL_MEMORY(err);
    bool good = run(x->s, stmt, "writing what was", err);
    (void)sqlite3_clear_bindings(stmt);
    return good;
}

/* What differs between the rows that are there and the new ones, which are NULL for a resource that
 * goes. */
static bool write_rows(struct writing *x, const struct rowset *new, med_err *err)
{
    struct rowset old;
    struct index_row *old_rows = NULL;
    struct index_row *new_rows = NULL;
    size_t n_old = 0;
    size_t n_new = 0;
    med_arena *a = x->s->scratch;
    return log_old(x, err) && read_old(x, &old, err)
           && med_rowset_expand(&old, x->step->rid, x->w->type, a, &old_rows, &n_old, err)
           && (new == NULL
               || med_rowset_expand(new, x->step->rid, x->w->type, a, &new_rows, &n_new, err))
           && push_difference(x, old_rows, n_old, new_rows, n_new, err)
           && count_tokens(x, &old, -1, err) && (new == NULL || count_tokens(x, new, 1, err));
}

static bool write_index(struct writing *x, const struct rowset *new, med_err *err)
{
    return write_rows(x, new, err)
           && (!x->step->live || push_updated(x, x->step->updated, true, err))
           && (new == NULL || push_updated(x, x->c->updated, false, err));
}

static bool write_codes(struct writing *x, med_err *err)
{
    const med_rows *rows = &x->w->rows;
    for (size_t i = 0; i < rows->n_codes; i++) {
        const med_code_row *code = &rows->codes[i];
        struct tally *tally = med_tallies_get(&x->s->tallies, code->param, code->hash);
        if (tally == NULL)
            return MED_FAIL_MEMORY(err);
        uint8_t known = code->text.len > 0 ? CODE_WITH_TEXT : CODE_PLAIN;
        if (tally->code >= known)
            continue;
        tally->code = known;
        sqlite3_stmt *stmt = med_connection_statement(&x->s->writer, STATEMENT_ADD_CODE, err);
        if (stmt == NULL)
            return false;
        (void)sqlite3_bind_int64(stmt, 1, code->param);
        (void)sqlite3_bind_int64(stmt, 2, (int64_t)code->hash);
        if (!med_statement_bind_str(stmt, 3, code->system)
            || !med_statement_bind_str(stmt, 4, code->code)
            || !med_statement_bind_str(stmt, 5, code->text))
            return MED_FAIL_MEMORY(err);
        if (!run(x->s, stmt, "writing a code", err))
            return false;
    }
    return true;
}

/* ---- versions ---- */

static bool write_blob(struct writing *x, int64_t *id, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&x->s->writer, STATEMENT_ADD_BLOB, err);
    if (stmt == NULL)
        return false;
    if (!med_statement_bind_blob(stmt, 1, x->w->packed))
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource is too large for the store");
    bool good = run(x->s, stmt, "writing a large body", err);
    *id = sqlite3_last_insert_rowid(x->s->writer.db);
    (void)sqlite3_clear_bindings(stmt);
    return good;
}

static bool bind_row(sqlite3_stmt *stmt, const struct stored_row *row, med_str id)
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
           && sqlite3_bind_int64(stmt, 10, row->dictionary) == SQLITE_OK
           && (id.len == 0
               || (sqlite3_bind_int64(stmt, 2, row->type) == SQLITE_OK
                   && med_sqlite_bind_id(stmt, 3, id)));
}

/* Puts the new current row in place; the old one, if any, has been copied to `version`. */
static bool write_row(struct writing *x, const struct stored_row *given, med_str rowset,
                      med_err *err)
{
    struct stored_row filled = *given; /* it points to the id below */
    struct stored_row *row = &filled;
    bool add = !x->step->has_row;
    struct packed_id id;
    if (!med_id_pack(x->w->id, &id))
        return MED_FAIL(err, MED_ISSUE_VALUE, "an id has 1 to %d characters", (int)MED_ID_BYTES);
    row->id = id.bytes;
    row->id_len = id.len;
    row->id_is_uuid = id.uuid;
    bool gone = row->change == MED_DELETED;
    if (!gone)
        memcpy(row->text_hash, x->w->hash, MED_CHECK_BYTES);
    uint8_t hash[2 * MED_CHECK_BYTES];
    memcpy(hash, row->text_hash, MED_CHECK_BYTES);
    med_str packed = gone ? MED_STR_EMPTY : x->w->packed;
    if (!med_row_check(&x->s->keys, row, packed, hash + MED_CHECK_BYTES))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the store's key is missing");

    int64_t blob = 0;
    bool is_blob = packed.len > MED_BLOB_FROM;
    if (is_blob && !write_blob(x, &blob, err))
        return false;
    sqlite3_stmt *stmt = med_connection_statement(
        &x->s->writer, add ? STATEMENT_ADD_RESOURCE : STATEMENT_SET_RESOURCE, err);
    if (stmt == NULL)
        return false;
    int rc = row->change == MED_DELETED ? sqlite3_bind_null(stmt, 12)
             : is_blob                  ? sqlite3_bind_int64(stmt, 12, blob)
                                        : SQLITE_OK;
    bool bound = rc == SQLITE_OK && bind_row(stmt, row, add ? x->w->id : MED_STR_EMPTY)
                 && med_statement_bind_blob(stmt, 11, (med_str){(const char *)hash, sizeof hash})
                 && (row->change == MED_DELETED || is_blob
                     || med_statement_bind_blob(stmt, 12, x->w->packed))
                 && (rowset.len == 0 ? sqlite3_bind_null(stmt, 13) == SQLITE_OK
                                     : med_statement_bind_blob(stmt, 13, rowset));
    if (!bound)
        return MED_FAIL_MEMORY(err);
    return run(x->s, stmt, "writing a resource", err);
}

static bool keep_old(struct writing *x, med_err *err)
{
    const int64_t rid = (int64_t)x->step->rid;
    return !x->step->has_row || run_ints(x->s, STATEMENT_KEEP_VERSION, &rid, 1, err);
}

static bool write_feed(struct writing *x, uint32_t version, unsigned change, med_err *err)
{
    struct index_row row = {.table = TABLE_FEED,
                            .a = x->t,
                            .b = x->w->type,
                            .c = (int64_t)((uint64_t)change << 32 | version),
                            .d = x->c->updated,
                            .rid = x->step->rid,
                            .text = MED_STR_EMPTY};
    return push(x, &row, false, err);
}

static bool count(struct writing *x, int64_t live_delta, int64_t versions, med_err *err)
{
    return (med_tallies_add(&x->s->tallies, MED_TALLY_TYPE, x->w->type, live_delta)
            && med_tallies_add(&x->s->tallies, MED_TALLY_VERSIONS, x->w->type, versions))
           || MED_FAIL_MEMORY(err);
}

static struct stored_row next_row(const struct writing *x, enum med_change change, med_rid patient)
{
    return (struct stored_row){.rid = x->step->rid,
                               .type = x->w->type,
                               .version = x->step->version + 1,
                               .t = x->t,
                               .updated = x->c->updated,
                               .change = change,
                               .patient = patient,
                               .key = med_keyring_current(&x->s->keys),
                               .dictionary = change == MED_DELETED ? 0 : x->w->dictionary};
}

static bool put(struct writing *x, med_err *err)
{
    struct rowset rows;
    if (!med_sqlite_intern_ident(x->s, x->w->ident, &x->step->rid, err) || !resolve(x, &rows, err))
        return false;
    struct ident *ident = med_idents_find(&x->s->idents, x->w->ident);
    if (ident != NULL) /* a crash finds it again by the resource */
        ident->owned = true;
    enum med_change change = x->step->live ? MED_UPDATED : MED_CREATED;
    struct stored_row row = next_row(x, change, rows.n_patients > 0 ? rows.patients[0] : 0);
    med_buf bytes;
    med_buf_init(&bytes, SIZE_MAX / 2);
    const med_hash_key *key = med_keyring_check(&x->s->keys, row.key);
    med_rowset_write(&rows, *key, &bytes);
    bool good = !bytes.failed ? keep_old(x, err) && write_row(x, &row, med_buf_str(&bytes), err)
                              : MED_FAIL_MEMORY(err);
    med_buf_free(&bytes);
    return good && write_index(x, &rows, err) && write_codes(x, err)
           && write_feed(x, row.version, change, err) && count(x, x->step->live ? 0 : 1, 1, err);
}

static bool set_rowset(struct writing *x, med_str rowset, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&x->s->writer, STATEMENT_SET_ROWSET, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)x->step->rid);
    if (!med_statement_bind_blob(stmt, 2, rowset))
        return MED_FAIL_MEMORY(err);
    return run(x->s, stmt, "writing index rows", err);
}

/* Other index rows for the version that is there. */
static bool index_anew(struct writing *x, med_err *err)
{
    struct rowset rows;
    med_buf bytes;
    const med_hash_key *key = med_keyring_check(&x->s->keys, x->step->row.key);
    if (key == NULL)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the key of a stored version is missing");
    if (!resolve(x, &rows, err))
        return false;
    if (x->w->rows.when == MED_TIME_MIN)
        rows.when = x->step->updated;
    med_buf_init(&bytes, SIZE_MAX / 2);
    med_rowset_write(&rows, *key, &bytes);
    bool good = !bytes.failed ? set_rowset(x, med_buf_str(&bytes), err) : MED_FAIL_MEMORY(err);
    med_buf_free(&bytes);
    return good && write_rows(x, &rows, err) && write_codes(x, err);
}

static bool delete (struct writing *x, med_err *err)
{
    struct stored_row row = next_row(x, MED_DELETED, x->step->row.patient);
    return keep_old(x, err) && write_row(x, &row, MED_STR_EMPTY, err) && write_index(x, NULL, err)
           && write_feed(x, row.version, MED_DELETED, err) && count(x, -1, 1, err);
}

/* The text beside a code came from some resource, perhaps from this one: the next will bring
 * another. */
static bool blank_codes(struct writing *x, med_err *err)
{
    struct rowset old;
    if (!read_old(x, &old, err))
        return false;
    for (size_t i = 0; i < old.n_tokens; i++) {
        const int64_t key[] = {old.tokens[i].param, (int64_t)old.tokens[i].hash};
        struct tally *tally = med_tallies_get(&x->s->tallies, key[0], (uint64_t)key[1]);
        if (tally == NULL)
            return MED_FAIL_MEMORY(err);
        if ((old.tokens[i].places & MED_ROW_COUNTED) != 0
            && !run_ints(x->s, STATEMENT_BLANK_CODE, key, 2, err))
            return false;
        tally->code = CODE_UNKNOWN;
    }
    return true;
}

static bool count_versions(struct writing *x, int64_t *n, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&x->s->writer, STATEMENT_VERSIONS_COUNT, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)x->step->rid);
    (void)sqlite3_bind_int64(stmt, 2, INT64_MIN);
    (void)sqlite3_bind_int64(stmt, 3, INT64_MAX);
    int rc = sqlite3_step(stmt);
    *n = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || med_connection_fail(&x->s->writer, rc, "counting versions", err);
}

/* Whether its ident may go, too, is seen when the index rows are written. */
static bool remember_purge(struct writing *x, med_err *err)
{
    struct purged *purged = MED_TAKE(x->s->scratch, 1, struct purged);
    if (purged == NULL)
        return MED_FAIL_MEMORY(err);
    *purged = (struct purged){x->w->ident, x->step->rid, x->s->purged};
    x->s->purged = purged;
    return true;
}

static bool purge(struct writing *x, med_err *err)
{
    static const enum statement drops[] = {STATEMENT_PURGE_FEED,    STATEMENT_DROP_BLOBS,
                                           STATEMENT_DROP_VERSIONS, STATEMENT_DROP_RESOURCE,
                                           STATEMENT_DROP_OUTBOX,   STATEMENT_DROP_DEADLINE};
    int64_t versions = 0;
    const int64_t rid = (int64_t)x->step->rid;
    if (!med_sqlite_flush(x->s, err) /* the feed may wait for rows of this very commit */
        || !blank_codes(x, err) || !med_sqlite_forget_terms(x->s, x->step->rid, err)
        || !write_index(x, NULL, err) || !count_versions(x, &versions, err))
        return false;
    for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++) {
        if (!run_ints(x->s, drops[i], &rid, 1, err))
            return false;
    }
    const int64_t record[] = {x->t, rid, x->w->type, versions, x->c->updated};
    return remember_purge(x, err) && run_ints(x->s, STATEMENT_ADD_PURGED, record, 5, err)
           && write_feed(x, x->step->version, MED_FEED_PURGED, err)
           && count(x, x->step->live ? -1 : 0, -versions, err);
}

/* ---- a commit ---- */

static bool makes_version(const struct step *step)
{
    return step->outcome == MED_OUTCOME_CREATED || step->outcome == MED_OUTCOME_UPDATED
           || step->outcome == MED_OUTCOME_DELETED;
}

static bool run_step(struct writing *x, med_err *err)
{
    switch (x->w->kind) {
    case MED_WRITE_PUT:
        return put(x, err);
    case MED_WRITE_DELETE:
        return delete (x, err);
    case MED_WRITE_PURGE:
        break;
    }
    return purge(x, err);
}

/* Each version of one resource has its own t, also within a commit. */
static bool apply_step(struct plan *p, size_t i, med_err *err)
{
    struct sqlite_store *s = p->store;
    struct writing x = {s, p->commit, &p->commit->writes[i], &p->steps[i], 0};
    x.w->outcome = x.step->outcome;
    x.w->version = x.step->version;
    if (x.step->again && x.step->rid == 0
        && !med_sqlite_find_ident(s, x.w->ident, &x.step->rid, err))
        return false;
    if (makes_version(x.step)) {
        if (x.step->again) { /* what the earlier step left */
            x.step->has_row = false;
            if (!med_plan_read_row(s, x.step->rid, x.step, err))
                return false;
        }
        if (s->t == s->t_before || x.step->again)
            s->t = med_place_next(p->commit, s->t);
        x.t = s->t;
        if (x.step->has_row)
            med_recent_hold(&s->recent, x.w->ident);
        if (!run_step(&x, err))
            return false;
        x.w->version = x.w->kind == MED_WRITE_PURGE ? 0 : x.step->version + 1;
        struct ident *ident = med_idents_find(&s->idents, x.w->ident);
        if (ident != NULL)
            ident->live = x.step->live_after;
    }
    x.w->rid = x.step->rid;
    return !x.w->index_only || x.step->outcome != MED_OUTCOME_UNCHANGED || index_anew(&x, err);
}

static bool write_trace(struct sqlite_store *s, const med_commit *c, med_err *err)
{
    if (c->trace.len == 0)
        return true;
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_ADD_TRACE, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, s->t);
    if (!med_statement_bind_blob(stmt, 2, c->trace))
        return MED_FAIL_MEMORY(err);
    return run(s, stmt, "writing the trace", err);
}

enum apply med_sqlite_apply(struct sqlite_store *s, med_commit *c, med_err *err)
{
    struct plan p;
    bool broken = false;
    if (!med_place_is_free(c, s->t, err) || !med_plan_make(&p, s, c, &broken, err))
        return broken ? APPLY_BROKEN : APPLY_REFUSED;
    c->updated = med_place_moment(c, s->clock, s->updated);
    s->t_before = s->t;
    for (size_t i = 0; i < c->n_writes; i++) {
        if (!apply_step(&p, i, err))
            return APPLY_BROKEN;
    }
    if (!med_place_take(&s->pending, c, &s->t, err))
        return APPLY_BROKEN;
    c->t = s->t;
    if (s->t != s->t_before)
        s->updated = c->updated;
    else
        c->updated = s->updated;
    return write_trace(s, c, err) && med_idempotency_write(s, c, err) ? APPLY_DONE : APPLY_BROKEN;
}
