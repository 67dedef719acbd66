/* place.c - see place.h. */
#include "store/place.h"

#include "store/version_row.h"

int64_t med_place_next(const med_commit *c, int64_t newest)
{
    return c->at_t > newest ? c->at_t : newest + 1;
}

int64_t med_place_moment(const med_commit *c, const med_clock *clock, int64_t newest)
{
    if (c->at_t != 0)
        return c->at_updated > newest ? c->at_updated : newest;
    int64_t now = med_now(clock);
    return now > newest ? now : newest + 1;
}

bool med_place_is_free(const med_commit *c, int64_t newest, med_err *err)
{
    return c->at_t == 0 || c->at_t > newest
           || MED_FAIL(err, MED_ISSUE_CONFLICT,
                       "the store is further than the place this commit had elsewhere");
}

bool med_place_take(struct pending *pending, const med_commit *c, int64_t *t, med_err *err)
{
    const struct index_row row = {.table = TABLE_FEED,
                                  .a = c->at_t,
                                  .c = (int64_t)((uint64_t)MED_FEED_PURGED << 32),
                                  .d = c->updated,
                                  .text = MED_STR_EMPTY};
    if (c->n_writes > 0 || c->at_t == 0)
        return true;
    *t = c->at_t;
    return med_pending_add(pending, &row) || MED_FAIL_MEMORY(err);
}
