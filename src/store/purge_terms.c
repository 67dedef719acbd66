/* purge_terms.c - see purge_terms.h. */
#include "store/purge_terms.h"

#include <stdlib.h>

#include "store/posting_block.h"
#include "store/store_impl.h"

struct terms {
    med_arena *arena;
    med_posting *at;
    size_t n, room;
};

static bool make_room(struct terms *t, size_t more)
{
    if (t->n + more <= t->room)
        return true;
    size_t room = 2 * (t->n + more);
    med_posting *bigger = MED_TAKE(t->arena, room, med_posting);
    if (bigger == NULL)
        return false;
    if (t->n > 0)
        memcpy(bigger, t->at, t->n * sizeof *bigger);
    t->at = bigger;
    t->room = room;
    return true;
}

static bool add_version(const med_terms_known *known, const med_stored *version, struct terms *to,
                        med_err *err)
{
    med_posting *some;
    size_t n;
    if (version->change == MED_DELETED)
        return true;
    if (!known->terms(known->arg, to->arena, version->type, version->text, &some, &n, err))
        return false;
    if (!make_room(to, n))
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++) {
        med_posting *p = &to->at[to->n++];
        *p = some[i];
        p->rid = version->rid;
        p->gone = true;
    }
    return true;
}

bool med_purge_terms(med_view *v, med_arena *a, med_rid rid, med_posting **out, size_t *n,
                     med_err *err)
{
    const med_history all = {.rid = rid,
                             .since = MED_TIME_MIN,
                             .until = MED_TIME_MAX,
                             .text = true,
                             .limit = UINT32_MAX};
    struct terms terms = {.arena = a};
    med_stored *versions;
    size_t n_versions;
    if (!med_view_history(v, a, &all, &versions, &n_versions, err))
        return false;
    for (size_t i = 0; i < n_versions; i++) {
        if (!add_version(v->store->terms, &versions[i], &terms, err))
            return false;
    }
    if (terms.n > 0)
        qsort(terms.at, terms.n, sizeof *terms.at, med_posting_compare);
    *out = terms.at;
    *n = terms.n;
    return true;
}
