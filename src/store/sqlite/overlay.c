/* overlay.c - see overlay.h. */
#include "store/sqlite/overlay.h"

static bool is_seen(const struct overlay *o, const struct deferred_row *row)
{
    int64_t t = atomic_load_explicit(&row->t, memory_order_relaxed);
    return t > o->merged && t <= o->t;
}

/* Passes rows until a key has one that is seen; of equal keys the last one put in decides. */
static void advance(struct overlay_walk *w, unsigned side)
{
    const struct deferred_row *at = w->at[side];
    const struct deferred_row *hit = NULL;
    while (at != NULL && hit == NULL) {
        const struct deferred_row *key = at;
        do {
            if (is_seen(w->over, at) && (hit == NULL || !w->down))
                hit = at;
            at = med_deferred_step(at, w->down);
        } while (at != NULL && med_index_row_compare(&at->row, &key->row) == 0);
    }
    w->at[side] = at;
    w->hit[side] = hit;
}

void med_overlay_walk(struct overlay_walk *w, const struct overlay *o, const struct index_row *key,
                      bool down)
{
    *w = (struct overlay_walk){.over = o, .down = down};
    for (unsigned i = 0; i < o->n; i++) {
        w->at[i] = down ? med_deferred_before(o->of[i], key) : med_deferred_behind(o->of[i], key);
        advance(w, i);
    }
}

const struct index_row *med_overlay_next(struct overlay_walk *w)
{
    const struct index_row *found = NULL;
    bool take[MED_OVERLAY_DEPTH] = {false};
    for (unsigned i = 0; i < w->over->n; i++) {
        if (w->hit[i] == NULL)
            continue;
        int order = found == NULL ? -1 : med_index_row_compare(&w->hit[i]->row, found);
        if (found != NULL && w->down)
            order = -order;
        if (order > 0)
            continue;
        if (order < 0)
            memset(take, 0, sizeof take);
        take[i] = true; /* with equal keys the younger generation decides */
        found = &w->hit[i]->row;
    }
    for (unsigned i = 0; i < w->over->n; i++) {
        if (take[i])
            advance(w, i);
    }
    return found;
}

const struct index_row *med_overlay_at(const struct overlay *o, const struct index_row *key)
{
    for (unsigned i = o->n; i-- > 0;) {
        const struct deferred_row *at = med_deferred_at(o->of[i], key);
        for (; at != NULL && med_index_row_compare(&at->row, key) == 0;
             at = med_deferred_step(at, true)) {
            if (is_seen(o, at))
                return &at->row;
        }
    }
    return NULL;
}

med_rid med_overlay_ident(const struct overlay *o, uint64_t hash)
{
    const struct index_row from = {.table = TABLE_IDENT, .a = (int64_t)hash, .text = MED_STR_EMPTY};
    struct overlay_walk walk;
    if (o->n == 0)
        return 0;
    med_overlay_walk(&walk, o, &from, false);
    const struct index_row *row = med_overlay_next(&walk);
    return row != NULL && row->a == from.a ? row->rid : 0;
}
