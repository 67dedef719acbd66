/* commit_run.c - one commit of a group: is it a repetition, does it still hold, what became of
 * it. */
#include "store/commit_rules.h"

enum { ALARM_EVERY = 60000000, CLOCK_BEHIND = 1000000 }; /* microseconds */

/* Guards and the search for referrers look at the tables. */
static bool looks_at_tables(const med_commit *c)
{
    for (size_t i = 0; c->check_references && i < c->n_writes; i++) {
        if (c->writes[i].kind != MED_WRITE_PUT)
            return true;
    }
    return c->guard != NULL;
}

static bool guard_allows(struct commit_rules *r, med_commit *c, med_err *err)
{
    if (c->guard == NULL)
        return true;
    r->ops->look(r->store);
    bool allowed = c->guard(c->guard_arg, r->view, err);
    r->ops->look_away(r->store);
    return allowed;
}

/* What makes rows has changed since they were made. */
static bool is_fresh(const struct commit_rules *r, med_commit *c, med_err *err)
{
    c->stale = c->epoch != 0 && c->epoch <= *r->epoch;
    return !c->stale
           || MED_FAIL(err, MED_ISSUE_CONFLICT,
                       "the search parameters changed while the request ran");
}

static enum apply run(struct commit_rules *r, med_commit *c, enum med_commit_state *state,
                      med_err *err)
{
    enum replay found = c->idempotency == 0 ? REPLAY_NEW : r->ops->find_outcomes(r->store, c, err);
    switch (found) {
    case REPLAY_NEW:
        break;
    case REPLAY_FOUND:
        *state = MED_COMMIT_REPLAYED;
        return APPLY_DONE;
    case REPLAY_REFUSED:
        return APPLY_REFUSED;
    case REPLAY_BROKEN:
        return APPLY_BROKEN;
    }
    if (!is_fresh(r, c, err))
        return APPLY_REFUSED;
    if (looks_at_tables(c) && !r->ops->flush(r->store, err))
        return APPLY_BROKEN;
    return guard_allows(r, c, err) ? med_rules_apply(r, c, err) : APPLY_REFUSED;
}

bool med_rules_run(struct commit_rules *r, med_commit *c, med_err *err)
{
    med_err why = {0};
    enum med_commit_state state = MED_COMMIT_DONE;
    switch (run(r, c, &state, &why)) {
    case APPLY_DONE:
        med_commit_settle(c, state, NULL);
        return true;
    case APPLY_REFUSED:
        med_commit_settle(c, MED_COMMIT_REFUSED, &why);
        return true;
    case APPLY_BROKEN:
        break;
    }
    *err = why;
    return false;
}

int64_t med_rules_clock_behind(struct commit_rules *r)
{
    int64_t behind = *r->updated - med_now(r->clock);
    int64_t now = med_monotonic(r->clock);
    if (behind < CLOCK_BEHIND || now < r->next_alarm)
        return 0;
    r->next_alarm = now + ALARM_EVERY;
    return behind;
}
