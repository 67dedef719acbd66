/* commit_apply.c - carries out a commit that was planned: versions, feed, index rows, counters. */
#include "store/commit_rules.h"

static struct stored_row next_row(const struct writing *x, enum med_change change, med_rid patient)
{
    return (struct stored_row){.rid = x->step->rid,
                               .type = x->write->type,
                               .version = x->step->version + 1,
                               .t = x->t,
                               .updated = x->commit->updated,
                               .change = change,
                               .patient = patient,
                               .key = med_keyring_current(x->rules->keys),
                               .dictionary = change == MED_DELETED ? 0 : x->write->dictionary};
}

static bool intern(const struct writing *x, med_err *err)
{
    return x->rules->ops->intern(x->rules->store, x->write->ident,
                                 med_rules_home(x->plan, x->write->ident), &x->step->rid, err);
}

/* Completes the row and makes it current. */
static bool write_version(const struct writing *x, struct stored_row *row, med_str rowset,
                          med_err *err)
{
    bool gone = row->change == MED_DELETED;
    med_str packed = gone ? MED_STR_EMPTY : x->write->packed;
    struct packed_id id;
    if (!med_id_pack(x->write->id, &id))
        return MED_FAIL(err, MED_ISSUE_VALUE, "an id has 1 to %d characters", (int)MED_ID_BYTES);
    row->id = id.bytes;
    row->id_len = id.len;
    row->id_is_uuid = id.uuid;
    if (!gone)
        memcpy(row->hash.text, x->write->hash, MED_CHECK_BYTES);
    bool good = med_row_check(x->rules->keys, row, packed, row->hash.check)
                    ? x->rules->ops->put(x, row, packed, rowset, err)
                    : MED_FAIL(err, MED_ISSUE_EXCEPTION, "the store's key is missing");
    row->id = NULL; /* its bytes end here */
    row->id_len = 0;
    return good;
}

static bool put(const struct writing *x, med_err *err)
{
    struct rowset rows;
    if (!intern(x, err) || !med_rules_resolve(x, &rows, err))
        return false;
    enum med_change change = x->step->live ? MED_UPDATED : MED_CREATED;
    struct stored_row row = next_row(x, change, rows.n_patients > 0 ? rows.patients[0] : 0);
    med_buf bytes;
    med_buf_init(&bytes, SIZE_MAX / 2);
    const med_hash_key *key = med_keyring_check(x->rules->keys, row.key);
    med_rowset_write(&rows, *key, &bytes);
    bool good =
        !bytes.failed ? write_version(x, &row, med_buf_str(&bytes), err) : MED_FAIL_MEMORY(err);
    med_buf_free(&bytes);
    return good && med_rules_write_index(x, &rows, err) && med_rules_write_codes(x, err)
           && med_rules_write_feed(x, row.version, change, err)
           && med_rules_count(x, x->step->live ? 0 : 1, 1, err);
}

/* Other index rows for the version that is there. */
static bool index_anew(const struct writing *x, med_err *err)
{
    struct rowset rows;
    med_buf bytes;
    const med_hash_key *key = med_keyring_check(x->rules->keys, x->step->row.key);
    if (key == NULL)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the key of a stored version is missing");
    if (!med_rules_resolve(x, &rows, err))
        return false;
    if (x->write->rows.when == MED_TIME_MIN)
        rows.when = x->step->updated;
    med_buf_init(&bytes, SIZE_MAX / 2);
    med_rowset_write(&rows, *key, &bytes);
    bool good = !bytes.failed ? x->rules->ops->set_rowset(x, med_buf_str(&bytes), err)
                              : MED_FAIL_MEMORY(err);
    med_buf_free(&bytes);
    return good && med_rules_write_rows(x, &rows, err) && med_rules_write_codes(x, err);
}

static bool delete (const struct writing *x, med_err *err)
{
    struct stored_row row = next_row(x, MED_DELETED, x->step->row.patient);
    return write_version(x, &row, MED_STR_EMPTY, err) && med_rules_write_index(x, NULL, err)
           && med_rules_write_feed(x, row.version, MED_DELETED, err)
           && med_rules_count(x, -1, 1, err);
}

/* The text beside a code came from some resource, perhaps from this one: the next will bring
 * another. */
static bool forget_codes(const struct writing *x, const struct rowset *old, med_err *err)
{
    for (size_t i = 0; i < old->n_tokens; i++) {
        struct tally *tally =
            med_tallies_get(x->rules->tallies, old->tokens[i].param, old->tokens[i].hash);
        if (tally == NULL)
            return MED_FAIL_MEMORY(err);
        tally->code = CODE_UNKNOWN;
    }
    return true;
}

static bool purge(const struct writing *x, med_err *err)
{
    int64_t versions = 0;
    struct rowset old;
    const struct commit_ops *ops = x->rules->ops;
    return ops->flush(x->rules->store, err) /* the tables may wait for rows of this very commit */
           && med_rules_old_rows(x, &old, err) && forget_codes(x, &old, err)
           && med_rules_write_index(x, NULL, err) && ops->purge(x, &old, &versions, err)
           && med_rules_write_feed(x, x->step->version, MED_FEED_PURGED, err)
           && med_rules_count(x, x->step->live ? -1 : 0, -versions, err);
}

/* ---- a commit ---- */

static bool makes_version(const struct step *step)
{
    return step->outcome == MED_OUTCOME_CREATED || step->outcome == MED_OUTCOME_UPDATED
           || step->outcome == MED_OUTCOME_DELETED;
}

static bool run_step(const struct writing *x, med_err *err)
{
    switch (x->write->kind) {
    case MED_WRITE_PUT:
        return put(x, err);
    case MED_WRITE_DELETE:
        return delete (x, err);
    case MED_WRITE_PURGE:
        break;
    }
    return purge(x, err);
}

/* What an earlier step of this commit left. */
static bool find_again(const struct writing *x, med_err *err)
{
    const struct commit_rules *r = x->rules;
    x->step->has_row = x->step->live = false;
    return x->step->rid == 0 || r->ops->read(r->store, x->write->ident, x->step->rid, x->step, err);
}

/* Each version of one resource has its own t, also within a commit. */
static bool apply_step(struct plan *p, size_t i, int64_t before, med_err *err)
{
    struct commit_rules *r = p->rules;
    struct writing x = {.rules = r,
                        .plan = p,
                        .commit = p->commit,
                        .write = &p->commit->writes[i],
                        .step = &p->steps[i]};
    x.write->outcome = x.step->outcome;
    x.write->version = x.step->version;
    if (x.step->again && x.step->rid == 0
        && !r->ops->find(r->store, x.write->ident, &x.step->rid, err))
        return false;
    if (makes_version(x.step)) {
        if (x.step->again && !find_again(&x, err))
            return false;
        if (*r->t == before || x.step->again)
            *r->t = med_place_next(p->commit, *r->t);
        x.t = *r->t;
        if (!run_step(&x, err))
            return false;
        x.write->version = x.write->kind == MED_WRITE_PURGE ? 0 : x.step->version + 1;
        struct ident *ident = med_idents_find(r->idents, x.write->ident);
        if (ident != NULL)
            ident->live = x.step->live_after;
    }
    x.write->rid = x.step->rid;
    return !x.write->index_only || x.step->outcome != MED_OUTCOME_UNCHANGED || index_anew(&x, err);
}

static bool keep(struct commit_rules *r, const med_commit *c, med_err *err)
{
    med_str outcomes = MED_STR_EMPTY;
    return (c->trace.len == 0 || r->ops->add_trace(r->store, *r->t, c->trace, err))
           && (c->idempotency == 0
               || (med_outcomes_pack(r->scratch, c, &outcomes, err)
                   && r->ops->add_outcomes(r->store, c, outcomes, err)));
}

enum apply med_rules_apply(struct commit_rules *r, med_commit *c, med_err *err)
{
    struct plan p;
    bool broken = false;
    if (!med_place_is_free(c, *r->t, err) || !med_rules_plan(&p, r, c, &broken, err))
        return broken ? APPLY_BROKEN : APPLY_REFUSED;
    int64_t before = *r->t;
    c->updated = med_place_moment(c, r->clock, *r->updated);
    for (size_t i = 0; i < c->n_writes; i++) {
        if (!apply_step(&p, i, before, err))
            return APPLY_BROKEN;
    }
    if (!med_place_take(r->pending, c, r->t, err))
        return APPLY_BROKEN;
    c->t = *r->t;
    if (*r->t != before)
        *r->updated = c->updated;
    else
        c->updated = *r->updated;
    return keep(r, c, err) ? APPLY_DONE : APPLY_BROKEN;
}
