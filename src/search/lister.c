/* lister.c - makes the store's full-text lists, some versions of the change feed at a time.
 *
 * A version that is still the current one adds its terms; the one before it loses those it had. A
 * step reads in a view of its own and writes only if nothing was purged since: what is purged
 * while a step is at work never comes back by it. */
#include "search/search.h"

#include <stdlib.h>

enum { VERSIONS = 2000 };
#define BATCH_BYTES ((size_t)1 << 30)

typedef struct lister {
    const med_terms *terms;
    med_view *view;
    med_arena *batch, *one;
    med_posting *at;
    size_t n, room;
    size_t versions; /* read in one step */
    med_err *err;
} lister;

static bool make_room(lister *l, size_t more)
{
    if (l->n + more <= l->room)
        return true;
    size_t room = 2 * (l->n + more);
    med_posting *bigger = MED_TAKE(l->batch, room, med_posting);
    if (bigger == NULL)
        return false;
    if (l->n > 0)
        memcpy(bigger, l->at, l->n * sizeof *bigger);
    l->at = bigger;
    l->room = room;
    return true;
}

static bool add(lister *l, const med_stored *s, bool gone)
{
    med_posting *some;
    size_t n;
    if (!med_terms_of_text((void *)(uintptr_t)l->terms, l->one, s->type, s->text, &some, &n,
                           l->err))
        return false;
    if (!make_room(l, n))
        return MED_FAIL_MEMORY(l->err);
    for (size_t i = 0; i < n; i++) {
        med_posting *p = &l->at[l->n++];
        *p = some[i];
        p->rid = s->rid;
        p->gone = gone;
        if (!med_arena_copy(l->batch, some[i].term, &p->term))
            return MED_FAIL_MEMORY(l->err);
    }
    return true;
}

static bool take(lister *l, const med_stored *entry)
{
    med_stored s;
    med_arena_reset(l->one);
    enum med_found found = med_view_by_rid(l->view, l->one, entry->rid, &s, l->err);
    if (found == MED_FAILED)
        return false;
    if (found == MED_ABSENT) /* purged since */
        return true;
    if (s.version == entry->version && s.change != MED_DELETED && !add(l, &s, false))
        return false;
    if (entry->version == 1)
        return true;
    found =
        med_view_version(l->view, l->one, entry->type, entry->id, entry->version - 1, &s, l->err);
    if (found == MED_FAILED)
        return false;
    return found == MED_ABSENT || s.change == MED_DELETED || add(l, &s, true);
}

/* The next of the feed, up to the end of a commit: *to. */
static bool read_feed(lister *l, int64_t after, med_stored **at, size_t *n, int64_t *to, bool *done)
{
    med_history q = {.since = MED_TIME_MIN,
                     .until = MED_TIME_MAX,
                     .after_t = after,
                     .after_rid = INT64_MAX,
                     .oldest_first = true};
    for (q.limit = l->versions;; q.limit *= 2) {
        if (!med_view_history(l->view, l->batch, &q, at, n, l->err))
            return false;
        *done = *n < q.limit;
        *to = *n > 0 ? (*at)[*n - 1].t : after;
        if (*done || (*at)[0].t < *to)
            break;
    }
    while (!*done && *n > 0 && (*at)[*n - 1].t == *to)
        --*n;
    if (!*done)
        *to = (*at)[*n - 1].t;
    return true;
}

/* In the view: the postings of the next versions. *from and *to are what med_store_post wants. */
static bool read_batch(lister *l, med_posted *from, med_posted *to, bool *done)
{
    med_stored *at;
    size_t n;
    uint32_t form = med_terms_form(l->terms);
    if (!med_view_posted(l->view, from, l->err))
        return false;
    *to = (med_posted){from->form == form ? from->t : 0, form, from->purges};
    if (!read_feed(l, to->t, &at, &n, &to->t, done))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!take(l, &at[i]))
            return false;
    }
    return true;
}

static bool run(lister *l, med_store *s, unsigned slot, int64_t deadline, bool *done)
{
    med_posted from, to;
    l->view = med_store_view(s, slot, deadline, l->err);
    if (l->view == NULL)
        return false;
    bool good = read_batch(l, &from, &to, done);
    med_view_end(l->view);
    if (!good || (from.t == to.t && from.form == to.form))
        return good;
    return med_store_post(s, l->at, l->n, from, to, l->err);
}

bool med_terms_step(const med_terms *t, med_store *s, unsigned slot, int64_t deadline,
                    med_portion *versions, bool *done, med_err *err)
{
    if (versions->n == 0)
        *versions = (med_portion){VERSIONS, VERSIONS};
    lister l = {.terms = t,
                .batch = med_arena_new(BATCH_BYTES),
                .one = med_arena_new(BATCH_BYTES),
                .versions = versions->n,
                .err = err};
    *done = false;
    bool good =
        l.batch != NULL && l.one != NULL ? run(&l, s, slot, deadline, done) : MED_FAIL_MEMORY(err);
    if (good)
        med_portion_grow(versions);
    else if (med_portion_shrink(versions, err) && err->issue == MED_ISSUE_TOO_COSTLY)
        (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "too long texts at a time");
    med_arena_free(l.batch);
    med_arena_free(l.one);
    return good;
}
