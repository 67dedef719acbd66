/* any.c - alternatives on the resource itself: several types, a compartment with several
 * references, `or` and `not` of _filter. https://hl7.org/fhir/R4/search.html
 *
 * Few matches become a list that drives; many are decided candidate by candidate. */
#include "search/run.h"

enum { ANY_LIST = 10000 };

/* A run for each query that can match at all; an empty type has no say. */
// NOLINTNEXTLINE(misc-no-recursion): the depth of a query is at most MED_CHAIN_DEPTH
static bool start_runs(med_run *r, med_bound *b, bool dry, uint64_t *rows, med_err *err)
{
    const med_clause *c = b->clause;
    b->any = MED_TAKE(r->arena, c->n_subs + 1, med_run *);
    if (b->any == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < c->n_subs; i++) {
        uint64_t n = 1;
        const med_query *q = c->subs[i];
        if (q->type != MED_TYPE_NONE
            && !med_view_count_type(r->view, med_schema_type(q->schema, q->type), &n, err))
            return false;
        bool contained = i == 0 && c->contained != MED_CONTAINED_NONE;
        if (n == 0 && !contained)
            continue;
        med_run *sub = med_run_sub(r, q, dry, err);
        if (sub == NULL)
            return false;
        b->any[b->n_any++] = sub;
        if (contained) /* no index has them */
            continue;
        *rows += sub->plan.rows;
        r->before += sub->before + sub->plan.cost;
    }
    return true;
}

static bool append(med_rid_list *to, const med_rid_list *from, med_err *err)
{
    uint64_t *all = MED_TAKE(to->arena, to->n + from->n, uint64_t);
    if (all == NULL)
        return MED_FAIL_MEMORY(err);
    if (to->n > 0)
        memcpy(all, to->at, to->n * sizeof *all);
    if (from->n > 0)
        memcpy(all + to->n, from->at, from->n * sizeof *all);
    to->at = all;
    to->n = to->room = to->n + from->n;
    return true;
}

/* All that match one of the runs. */
static bool list_matches(med_run *r, med_bound *b, med_rid_list *list, med_err *err)
{
    for (size_t i = 0; i < b->n_any; i++) {
        med_rid_list one = {.arena = r->arena};
        med_run *sub = b->any[i];
        sub->scratch = med_scratch_take(sub->q->schema);
        bool ok = sub->scratch != NULL ? med_run_rids(sub, &one, err) : MED_FAIL_MEMORY(err);
        med_scratch_give(sub->q->schema, sub->scratch);
        sub->scratch = NULL;
        if (!ok || !append(list, &one, err))
            return false;
    }
    med_rid_list_finish(list);
    return true;
}

// NOLINTNEXTLINE(misc-no-recursion): see start_runs
bool med_bind_any(med_run *r, med_bound *b, bool dry, med_err *err)
{
    uint64_t rows = 0;
    if (!start_runs(r, b, dry, &rows, err))
        return false;
    b->no_any = b->clause->modifier == MED_MODIFIER_NOT;
    b->estimate = rows;
    if (b->no_any || rows > ANY_LIST || b->clause->contained != MED_CONTAINED_NONE) {
        for (size_t i = 0; i < b->n_any; i++)
            med_run_use(b->any[i], (med_plan){.how = MED_DRIVE_TYPE});
        return true;
    }
    med_rid_list list = {.arena = r->arena};
    if (!dry && !list_matches(r, b, &list, err))
        return false;
    b->keys = list.at;
    b->n_keys = list.n;
    if (!dry)
        b->estimate = list.n;
    b->can_drive = b->can_probe = true;
    b->any = NULL;
    b->n_any = 0;
    return true;
}

static bool run_matches(med_run *sub, const med_stored *stored, bool *yes, med_err *err)
{
    med_position at = {.text = MED_STR_EMPTY, .rid = stored->rid};
    med_stored ignored;
    *yes = false;
    if (sub->q->type != MED_TYPE_NONE
        && med_schema_type(sub->q->schema, sub->q->type) != stored->type)
        return true;
    return med_run_check(sub, &at, false, &ignored, yes, err);
}

// NOLINTNEXTLINE(misc-no-recursion): see start_runs
bool med_any_itself(const med_bound *b, const med_stored *stored, med_arena *scratch, bool *yes,
                    med_err *err)
{
    *yes = false;
    for (size_t i = b->clause->contained != MED_CONTAINED_NONE; i < b->n_any && !*yes; i++) {
        b->any[i]->scratch = scratch;
        if (!run_matches(b->any[i], stored, yes, err))
            return false;
    }
    return true;
}

// NOLINTNEXTLINE(misc-no-recursion): see start_runs
bool med_any_matches(med_run *r, const med_bound *b, med_rid rid, bool *yes, med_err *err)
{
    med_stored stored;
    bool any = false;
    enum med_found found = med_view_by_rid(r->view, r->scratch, rid, &stored, err);
    if (found == MED_FAILED)
        return false;
    *yes = false;
    if (found == MED_ABSENT || stored.change == MED_DELETED)
        return true;
    if (b->clause->contained != MED_CONTAINED_NONE) {
        b->any[0]->scratch = r->scratch;
        if (!med_contained_matches(b->any[0], &stored, &any, err))
            return false;
    }
    if (!any && !med_any_itself(b, &stored, r->scratch, &any, err))
        return false;
    *yes = any != b->no_any;
    return true;
}
