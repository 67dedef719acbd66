/* commit_plan.c - checks a commit before its first write: expectations, references, deletions. */
#include "store/commit_rules.h"

void med_rules_found(struct step *step, const struct stored_row *row, med_str rowset)
{
    step->has_row = true;
    step->live = row->change != MED_DELETED;
    step->row = *row;
    step->rowset = rowset;
    step->version = row->version;
    step->updated = row->updated;
}

/* ---- which steps of this commit meet on one resource ---- */

static bool make_map(struct plan *p, med_err *err)
{
    size_t n = p->commit->n_writes;
    for (p->map_cap = 8; p->map_cap < n * 2;)
        p->map_cap *= 2;
    p->map = MED_TAKE(p->rules->scratch, p->map_cap, uint32_t);
    p->steps = MED_TAKE(p->rules->scratch, n, struct step);
    if (p->map == NULL || p->steps == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++)
        p->steps[i].rowset = MED_STR_EMPTY;
    return true;
}

static uint32_t *map_place(const struct plan *p, uint64_t ident)
{
    size_t i = (size_t)ident & (p->map_cap - 1);
    while (p->map[i] != 0 && p->commit->writes[p->map[i] - 1].ident != ident)
        i = (i + 1) & (p->map_cap - 1);
    return &p->map[i];
}

/* The last step of this commit on that resource, or NULL. */
static const struct step *last_step(const struct plan *p, uint64_t ident)
{
    uint32_t at = *map_place(p, ident);
    return at == 0 ? NULL : &p->steps[at - 1];
}

/* ---- the state a step finds ---- */

static void find_after(struct step *step, const struct step *earlier)
{
    step->again = true;
    step->rid = earlier->rid;
    step->live = earlier->live_after;
    step->text_hash = earlier->text_hash;
    step->has_row = earlier->has_row;
    step->version = earlier->version;
    switch (earlier->outcome) {
    case MED_OUTCOME_CREATED:
    case MED_OUTCOME_UPDATED:
    case MED_OUTCOME_DELETED:
        step->version++;
        step->has_row = true;
        break;
    case MED_OUTCOME_NONE:
    case MED_OUTCOME_UNCHANGED:
    case MED_OUTCOME_WAS_ABSENT:
        break;
    }
}

static bool is_same_id(const struct stored_row *row, const med_write *w)
{
    struct packed_id id;
    return row->type == w->type && med_id_pack(w->id, &id) && id.uuid == row->id_is_uuid
           && id.len == row->id_len && memcmp(id.bytes, row->id, id.len) == 0;
}

static bool find_state(struct plan *p, size_t i, med_err *err)
{
    struct commit_rules *r = p->rules;
    const med_write *w = &p->commit->writes[i];
    struct step *step = &p->steps[i];
    uint32_t *place = map_place(p, w->ident);
    if (*place != 0) {
        const struct step *earlier = &p->steps[*place - 1];
        find_after(step, earlier);
        if (p->commit->writes[*place - 1].kind == MED_WRITE_PURGE
            && earlier->outcome == MED_OUTCOME_DELETED) {
            step->has_row = false;
            step->version = 0;
        }
    } else if (!r->ops->find(r->store, w->ident, &step->rid, err)
               || (step->rid != 0 && !r->ops->read(r->store, w->ident, step->rid, step, err))) {
        return false;
    }
    *place = (uint32_t)i + 1;
    if (step->has_row && !step->again && !is_same_id(&step->row, w))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                        "internal id %llu has another id than it is filed under: verify the store",
                        (unsigned long long)step->rid);
    return true;
}

/* ---- refusals ---- */

static bool expectation_holds(const struct step *step, const med_write *w, med_err *err)
{
    switch (w->expect) {
    case MED_EXPECT_ANY:
        return true;
    case MED_EXPECT_NEW:
        if (!step->live)
            return true;
        (void)MED_FAIL(err, MED_ISSUE_CONFLICT, "a resource with this id exists already");
        return med_err_status(err, 412);
    case MED_EXPECT_EXISTS:
        if (step->live)
            return true;
        return step->version > 0
                   ? MED_FAIL(err, MED_ISSUE_DELETED, "the resource was deleted")
                   : MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no resource with this id");
    case MED_EXPECT_VERSION:
        break;
    }
    if (step->version == w->expect_version && step->live)
        return true;
    if (!step->live)
        (void)MED_FAIL(err, MED_ISSUE_CONFLICT, "the resource is not there (last version %u)",
                       step->version);
    else if (w->expect_version == 0) /* a tag that no version here ever had */
        (void)MED_FAIL(err, MED_ISSUE_CONFLICT, "version %u is current, not what was expected",
                       step->version);
    else
        (void)MED_FAIL(err, MED_ISSUE_CONFLICT, "version %u is current, not %u", step->version,
                       w->expect_version);
    return med_err_status(err, 412);
}

/* Same bytes under the same key give the same hash; after a change of key the text decides. */
static bool is_same_text(struct commit_rules *r, const struct step *step, const med_write *w,
                         bool *same, med_err *err)
{
    *same = false;
    if (step->again) {
        *same = step->text_hash != NULL && memcmp(step->text_hash, w->hash, MED_CHECK_BYTES) == 0;
        return true;
    }
    if (step->row.key == med_keyring_current(r->keys)) {
        *same = memcmp(step->row.hash.text, w->hash, MED_CHECK_BYTES) == 0;
        return true;
    }
    med_stored old;
    if (med_view_by_rid(r->view, r->scratch, step->rid, &old, err) != MED_FOUND)
        return false;
    *same = med_str_eq(old.text, w->text);
    return true;
}

static bool settle(struct commit_rules *r, struct step *step, const med_write *w, med_err *err)
{
    bool same = false;
    switch (w->kind) {
    case MED_WRITE_PUT:
        if (w->index_only) {
            bool current = step->live && !step->again && step->version == w->expect_version;
            step->outcome = current ? MED_OUTCOME_UNCHANGED : MED_OUTCOME_NONE;
            step->live_after = step->live;
            return true;
        }
        if (step->live && !w->always_new_version && !is_same_text(r, step, w, &same, err))
            return false;
        step->outcome = same         ? MED_OUTCOME_UNCHANGED
                        : step->live ? MED_OUTCOME_UPDATED
                                     : MED_OUTCOME_CREATED;
        step->text_hash = w->hash;
        step->live_after = true;
        return true;
    case MED_WRITE_DELETE:
        step->outcome = step->live ? MED_OUTCOME_DELETED : MED_OUTCOME_WAS_ABSENT;
        break;
    case MED_WRITE_PURGE:
        step->outcome = step->has_row ? MED_OUTCOME_DELETED : MED_OUTCOME_WAS_ABSENT;
        break;
    }
    step->text_hash = NULL;
    step->live_after = false;
    return true;
}

uint64_t med_rules_home(const struct plan *p, uint64_t ident)
{
    uint32_t at = *map_place(p, ident);
    if (at == 0 || p->commit->writes[at - 1].rows.n_patients == 0)
        return ident;
    return p->commit->writes[at - 1].rows.patients[0];
}

static bool targets_exist(struct plan *p, size_t i, bool *broken, med_err *err)
{
    struct commit_rules *r = p->rules;
    const med_write *w = &p->commit->writes[i];
    for (size_t k = 0; k < w->rows.n_targets; k++) {
        const med_target_row *target = &w->rows.targets[k];
        const struct step *step = last_step(p, target->ident);
        bool live = step != NULL && step->live_after;
        if (step == NULL && !r->ops->is_live(r->store, target->ident, &live, err)) {
            *broken = true;
            return false;
        }
        if (live)
            continue;
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "the reference names a resource that does not exist; create it first, or in "
                       "the same transaction");
        (void)med_err_status(err, 422);
        return med_err_at(err, target->expression);
    }
    return true;
}

/* The resources this commit writes, sorted: made when first asked for. */
static bool list_written(struct plan *p, med_err *err)
{
    size_t n = p->commit->n_writes;
    if (p->written != NULL)
        return true;
    p->written = MED_TAKE(p->rules->scratch, n, med_rid);
    if (p->written == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++)
        p->written[i] = p->steps[i].rid;
    if (n > 1)
        qsort(p->written, n, sizeof *p->written, med_rid_compare);
    return true;
}

/* Writers of this commit that still refer to it were found out by targets_exist. */
static bool nobody_refers(struct plan *p, size_t i, bool *broken, med_err *err)
{
    struct commit_rules *r = p->rules;
    bool stays = false;
    *broken = !list_written(p, err)
              || !r->ops->is_referred(r->store, p->steps[i].rid, p->written, p->commit->n_writes,
                                      &stays, err);
    if (*broken)
        return false;
    return !stays
           || MED_FAIL(err, MED_ISSUE_CONFLICT,
                       "other resources refer to this one: change or delete them first, or use "
                       "_cascade=delete");
}

static bool references_hold(struct plan *p, size_t i, bool *broken, med_err *err)
{
    const struct step *step = &p->steps[i];
    const med_write *w = &p->commit->writes[i];
    const struct step *last = last_step(p, w->ident);
    if (last != step || step->outcome == MED_OUTCOME_WAS_ABSENT)
        return true;
    return w->kind == MED_WRITE_PUT ? targets_exist(p, i, broken, err)
                                    : nobody_refers(p, i, broken, err);
}

bool med_rules_plan(struct plan *p, struct commit_rules *r, med_commit *c, bool *broken,
                    med_err *err)
{
    *p = (struct plan){.rules = r, .commit = c};
    *broken = true;
    if (!make_map(p, err))
        return false;
    for (size_t i = 0; i < c->n_writes; i++) {
        c->failed_at = i;
        if (!find_state(p, i, err))
            return false;
        *broken = false;
        if (!expectation_holds(&p->steps[i], &c->writes[i], err))
            return false;
        *broken = true;
        if (!settle(r, &p->steps[i], &c->writes[i], err))
            return false;
    }
    *broken = false;
    for (size_t i = 0; c->check_references && i < c->n_writes; i++) {
        c->failed_at = i;
        if (!references_hold(p, i, broken, err))
            return false;
    }
    c->failed_at = c->n_writes;
    return true;
}
