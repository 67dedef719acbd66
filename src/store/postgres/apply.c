/* apply.c - carries out a commit that was planned: versions, feed, index rows, counters. */
#include "store/postgres/plan.h"

/* What is being written for one step. */
struct writing {
    struct pg_store *s;
    const struct plan *p;
    struct current *current;
    med_commit *c;
    med_write *w;
    struct step *step;
    int64_t t;
};

/* A statement whose parameters are integers, among the others that wait to be answered. */
static bool send_ints(struct pg_store *s, enum statement id, const int64_t *values, int n,
                      med_err *err)
{
    struct pg_parameters p = {0};
    for (int i = 0; i < n; i++)
        med_pg_int(&p, values[i]);
    return med_pg_send(&s->writer, id, &p, err);
}

/* ---- index rows ---- */

static int by_rid(const void *a, const void *b)
{
    med_rid x = *(const med_rid *)a;
    med_rid y = *(const med_rid *)b;
    return (x > y) - (x < y);
}

static bool intern(struct writing *x, uint64_t ident, med_rid *rid, med_err *err)
{
    return med_pg_intern_ident(x->s, ident, med_pg_plan_home(x->p, ident), rid, err);
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
        if (!intern(x, rows->targets[i].ident, &rid, err))
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
        if (!intern(x, rows->references[i].target, &to[i].target, err))
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
        if (!intern(x, rows->patients[i], &to[i], err))
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

/* `new` is NULL for a resource that goes. */
static bool write_index(struct writing *x, const struct rowset *new, med_err *err)
{
    struct rowset old;
    struct index_row *old_rows = NULL;
    struct index_row *new_rows = NULL;
    size_t n_old = 0;
    size_t n_new = 0;
    med_arena *a = x->s->scratch;
    return read_old(x, &old, err)
           && med_rowset_expand(&old, x->step->rid, x->w->type, a, &old_rows, &n_old, err)
           && (new == NULL
               || med_rowset_expand(new, x->step->rid, x->w->type, a, &new_rows, &n_new, err))
           && push_difference(x, old_rows, n_old, new_rows, n_new, err)
           && count_tokens(x, &old, -1, err) && (new == NULL || count_tokens(x, new, 1, err))
           && (!x->step->live || push_updated(x, x->step->updated, true, err))
           && (new == NULL || push_updated(x, x->c->updated, false, err));
}

static bool write_codes(struct writing *x, med_err *err)
{
    const med_rows *rows = &x->w->rows;
    for (size_t i = 0; i < rows->n_codes; i++) {
        const med_code_row *code = &rows->codes[i];
        struct tally *tally = med_tallies_get(&x->s->tallies, code->param, code->hash);
        uint8_t known = code->text.len > 0 ? CODE_WITH_TEXT : CODE_PLAIN;
        if (tally != NULL && tally->code >= known)
            continue;
        struct pending_code *waiting = MED_TAKE(x->s->scratch, 1, struct pending_code);
        if (tally == NULL || waiting == NULL)
            return MED_FAIL_MEMORY(err);
        tally->code = known;
        *waiting = (struct pending_code){code, x->s->codes};
        x->s->codes = waiting;
    }
    return true;
}

/* ---- versions ---- */

/* What was current becomes a superseded version: copied inside the database, or from here when it
 * was not written yet. */
static bool keep_old(struct writing *x, med_err *err)
{
    struct current *current = x->current;
    if (!current->has_row)
        return true;
    if (!current->dirty) {
        current->kept = true;
        return true;
    }
    struct pending_version *v = MED_TAKE(x->s->scratch, 1, struct pending_version);
    if (v == NULL)
        return MED_FAIL_MEMORY(err);
    *v = (struct pending_version){*current, x->s->versions};
    x->s->versions = v;
    return true;
}

/* Makes `row` the current version. */
static bool set_current(struct writing *x, struct stored_row *row, med_str rowset, med_err *err)
{
    struct current *current = x->current;
    struct packed_id id;
    if (!med_id_pack(x->w->id, &id))
        return MED_FAIL(err, MED_ISSUE_VALUE, "an id has 1 to %d characters", (int)MED_ID_BYTES);
    med_str kept = {(const char *)id.bytes, id.len};
    if (!med_arena_copy(x->s->scratch, kept, &kept)
        || !med_arena_copy(x->s->scratch, rowset, &rowset))
        return MED_FAIL_MEMORY(err);
    row->id = (const unsigned char *)kept.ptr;
    row->id_len = kept.len;
    row->id_is_uuid = id.uuid;
    bool gone = row->change == MED_DELETED;
    if (!gone)
        memcpy(row->text_hash, x->w->hash, MED_CHECK_BYTES);
    current->packed = gone ? MED_STR_EMPTY : x->w->packed;
    memcpy(current->hash, row->text_hash, MED_CHECK_BYTES);
    if (!med_row_check(&x->s->keys, row, current->packed, current->hash + MED_CHECK_BYTES))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the store's key is missing");
    current->row = *row;
    current->rowset = rowset;
    current->has_row = true;
    current->dirty = true;
    x->s->packed_bytes += current->packed.len + rowset.len;
    return true;
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
    if (!intern(x, x->w->ident, &x->step->rid, err) || !resolve(x, &rows, err))
        return false;
    enum med_change change = x->step->live ? MED_UPDATED : MED_CREATED;
    struct stored_row row = next_row(x, change, rows.n_patients > 0 ? rows.patients[0] : 0);
    med_buf bytes;
    med_buf_init(&bytes, SIZE_MAX / 2);
    const med_hash_key *key = med_keyring_check(&x->s->keys, row.key);
    med_rowset_write(&rows, *key, &bytes);
    bool good = !bytes.failed ? keep_old(x, err) && set_current(x, &row, med_buf_str(&bytes), err)
                              : MED_FAIL_MEMORY(err);
    med_buf_free(&bytes);
    return good && write_index(x, &rows, err) && write_codes(x, err)
           && write_feed(x, row.version, change, err) && count(x, x->step->live ? 0 : 1, 1, err);
}

static bool delete (struct writing *x, med_err *err)
{
    struct stored_row row = next_row(x, MED_DELETED, x->step->row.patient);
    return keep_old(x, err) && set_current(x, &row, MED_STR_EMPTY, err) && write_index(x, NULL, err)
           && write_feed(x, row.version, MED_DELETED, err) && count(x, -1, 1, err);
}

/* The text beside a code came from some resource, perhaps from this one: the next will bring
 * another. */
static bool blank_codes(struct writing *x, med_err *err)
{
    struct rowset old;
    struct pg_array params, hashes;
    struct pg_parameters p = {0};
    if (!read_old(x, &old, err))
        return false;
    med_pg_array_init(&params, PG_INT);
    med_pg_array_init(&hashes, PG_INT);
    for (size_t i = 0; i < old.n_tokens; i++) {
        struct tally *tally =
            med_tallies_get(&x->s->tallies, old.tokens[i].param, old.tokens[i].hash);
        if (tally != NULL)
            tally->code = CODE_UNKNOWN;
        med_pg_array_int(&params, old.tokens[i].param);
        med_pg_array_int(&hashes, (int64_t)old.tokens[i].hash);
    }
    bool good =
        (med_pg_add_array(&p, &params) && med_pg_add_array(&p, &hashes)) || MED_FAIL_MEMORY(err);
    good = good && med_pg_send(&x->s->writer, STATEMENT_BLANK_CODES, &p, err);
    med_pg_array_free(&params);
    med_pg_array_free(&hashes);
    return good;
}

static bool count_versions(struct writing *x, int64_t *n, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_int(&p, (int64_t)x->step->rid);
    med_pg_int(&p, INT64_MIN);
    med_pg_int(&p, INT64_MAX);
    PGresult *r = med_pg_ask(&x->s->writer, STATEMENT_VERSIONS_COUNT, &p, err);
    *n = r == NULL ? 0 : med_pg_int_at(r, 0, 0);
    PQclear(r);
    return r != NULL;
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

static bool send_drops(struct writing *x, int64_t versions, med_err *err)
{
    static const enum statement drops[] = {STATEMENT_PURGE_FEED, STATEMENT_DROP_VERSIONS,
                                           STATEMENT_DROP_RESOURCE, STATEMENT_DROP_OUTBOX,
                                           STATEMENT_DROP_DEADLINE};
    const int64_t rid = (int64_t)x->step->rid;
    const int64_t record[] = {x->t, rid, x->w->type, versions, x->c->updated};
    bool good = blank_codes(x, err);
    for (size_t i = 0; good && i < sizeof drops / sizeof drops[0]; i++)
        good = send_ints(x->s, drops[i], &rid, 1, err);
    return good && send_ints(x->s, STATEMENT_ADD_PURGED, record, 5, err)
           && med_pg_sync(&x->s->writer, err) && med_pg_drain(&x->s->writer, err);
}

static bool purge(struct writing *x, med_err *err)
{
    int64_t versions = 0;
    if (!med_pg_flush(x->s, err) /* the tables may wait for rows of this very commit */
        || !write_index(x, NULL, err) || !count_versions(x, &versions, err)
        || !send_drops(x, versions, err))
        return false;
    *x->current = (struct current){
        .ident = x->w->ident, .used = true, .rowset = MED_STR_EMPTY, .packed = MED_STR_EMPTY};
    return remember_purge(x, err) && write_feed(x, x->step->version, MED_FEED_PURGED, err)
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
    struct pg_store *s = p->store;
    struct writing x = {
        .s = s, .p = p, .c = p->commit, .w = &p->commit->writes[i], .step = &p->steps[i]};
    x.w->outcome = x.step->outcome;
    x.w->version = x.step->version;
    if (x.step->again && x.step->rid == 0)
        x.step->rid = med_pg_find_ident(s, x.w->ident);
    if (makes_version(x.step)) {
        x.current = med_pg_current(s, x.w->ident);
        if (x.step->again) /* what the earlier step left */
            med_pg_plan_read(x.current, x.step);
        if (s->t == s->t_before || x.step->again)
            s->t++;
        x.t = s->t;
        if (!run_step(&x, err))
            return false;
        x.w->version = x.w->kind == MED_WRITE_PURGE ? 0 : x.step->version + 1;
        struct ident *ident = med_idents_find(&s->idents, x.w->ident);
        if (ident != NULL)
            ident->live = x.step->live_after;
    }
    x.w->rid = x.step->rid;
    return true;
}

static bool keep_trace(struct pg_store *s, const med_commit *c, med_err *err)
{
    if (c->trace.len == 0)
        return true;
    struct pending_trace *trace = MED_TAKE(s->scratch, 1, struct pending_trace);
    if (trace == NULL)
        return MED_FAIL_MEMORY(err);
    *trace = (struct pending_trace){s->t, c->trace, s->traces};
    s->traces = trace;
    return true;
}

enum apply med_pg_apply(struct pg_store *s, med_commit *c, med_err *err)
{
    struct plan p;
    bool broken = false;
    if (!med_pg_plan_make(&p, s, c, &broken, err))
        return broken ? APPLY_BROKEN : APPLY_REFUSED;
    int64_t now = med_now(s->clock);
    c->updated = now > s->updated ? now : s->updated + 1;
    s->t_before = s->t;
    for (size_t i = 0; i < c->n_writes; i++) {
        if (!apply_step(&p, i, err))
            return APPLY_BROKEN;
    }
    c->t = s->t;
    if (s->t != s->t_before)
        s->updated = c->updated;
    else
        c->updated = s->updated;
    return keep_trace(s, c, err) && med_pg_idempotency_keep(s, c, err) ? APPLY_DONE : APPLY_BROKEN;
}
