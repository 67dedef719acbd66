/* deferred.c - see deferred.h: skip lists with one writer, and readers that need no lock. */
#include "store/sqlite/deferred.h"

#include "base/mem.h"

#define GENERATION_BYTES ((size_t)1 << 30)

static struct generation *make(uint64_t number, int64_t start)
{
    struct generation *g = MED_NEW(1, struct generation);
    if (g == NULL)
        return NULL;
    g->number = number;
    g->start = start;
    g->end = INT64_MAX;
    g->random = number * 0x9e3779b97f4a7c15U + 1;
    g->arena = med_arena_new(GENERATION_BYTES);
    if (g->arena != NULL)
        return g;
    med_free(g);
    return NULL;
}

static void end(struct generation *g)
{
    med_arena_free(g->arena);
    med_free(g);
}

bool med_deferred_init(struct deferred *d)
{
    struct generation *g = make(1, INT64_MIN);
    *d = (struct deferred){.kept = g, .active = g};
    atomic_store(&d->oldest, g);
    atomic_store(&d->oldest_number, 1);
    return g != NULL;
}

void med_deferred_free(struct deferred *d)
{
    while (d->kept != NULL) {
        struct generation *next = atomic_load(&d->kept->next);
        end(d->kept);
        d->kept = next;
    }
    d->active = NULL;
}

bool med_deferred_is_empty(const struct deferred *d)
{
    return d->active->n == 0 && atomic_load(&d->oldest) == d->active;
}

static struct deferred_row *load(const _Atomic(struct deferred_row *) *at)
{
    return atomic_load_explicit(at, memory_order_acquire);
}

static bool is_past(const struct deferred_row *row, const struct index_row *key, bool equal)
{
    if (row->row.a != key->a)
        return row->row.a > key->a;
    if (row->row.b != key->b)
        return row->row.b > key->b;
    int order = med_index_row_compare(&row->row, key);
    return order > 0 || (order == 0 && !equal);
}

/* The last row before the key, or with the key if `equal`; NULL when there is none. */
static struct deferred_row *descend(const struct deferred_list *list, const struct index_row *key,
                                    bool equal)
{
    struct deferred_row *at = NULL;
    for (unsigned level = MED_DEFERRED_HEIGHT; level-- > 0;) {
        for (;;) {
            struct deferred_row *next = load(at == NULL ? &list->first[level] : &at->next[level]);
            if (next == NULL || is_past(next, key, equal))
                break;
            at = next;
        }
    }
    return at;
}

/* The same for a row to be put in, with its place on each level in `finger`, which holds those
 * of a lesser or equal key, or nothing: only levels on which something lies between are gone
 * through. */
static void point(const struct deferred_list *list, const struct index_row *key,
                  struct deferred_row **finger)
{
    unsigned level = 0;
    for (; level + 1 < MED_DEFERRED_HEIGHT; level++) {
        const struct deferred_row *next =
            load(finger[level] == NULL ? &list->first[level] : &finger[level]->next[level]);
        if (next == NULL || is_past(next, key, true))
            break;
    }
    struct deferred_row *at = NULL;
    bool moved = false;
    for (level++; level-- > 0;) {
        if (!moved)
            at = finger[level];
        for (;;) {
            struct deferred_row *next = load(at == NULL ? &list->first[level] : &at->next[level]);
            if (next == NULL || is_past(next, key, true))
                break;
            at = next;
            moved = true;
        }
        finger[level] = at;
    }
}

static unsigned draw_height(struct generation *g)
{
    unsigned height = 1;
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    for (uint64_t bits = g->random; (bits & 3) == 0 && height < MED_DEFERRED_HEIGHT; bits >>= 2)
        height++;
    return height;
}

static struct deferred_row *copy(struct generation *g, const struct index_row *row, int64_t t,
                                 unsigned height)
{
    size_t links = height * sizeof(_Atomic(struct deferred_row *));
    struct deferred_row *to =
        med_arena_take(g->arena, 1, sizeof *to + links, _Alignof(max_align_t));
    if (to == NULL)
        return NULL;
    to->row = *row;
    to->row.text = MED_STR_EMPTY;
    if (row->text.len > 0 && !med_arena_copy(g->arena, row->text, &to->row.text))
        return NULL;
    atomic_store_explicit(&to->t, t, memory_order_relaxed);
    return to;
}

bool med_deferred_add(struct deferred *d, const struct index_row *row, int64_t t)
{
    struct generation *g = d->active;
    struct deferred_list *list = &g->lists[row->table];
    unsigned height = draw_height(g);
    struct deferred_row *new = copy(g, row, t, height);
    if (new == NULL)
        return false;
    if (d->last == NULL || med_index_row_compare(&d->last->row, row) > 0
        || d->last->row.table != row->table)
        memset(d->finger, 0, sizeof d->finger);
    point(list, row, d->finger);
    atomic_store_explicit(&new->before, d->finger[0], memory_order_relaxed);
    for (unsigned level = 0; level < height; level++) {
        struct deferred_row *at = d->finger[level];
        _Atomic(struct deferred_row *) *link = at == NULL ? &list->first[level] : &at->next[level];
        struct deferred_row *behind = atomic_load_explicit(link, memory_order_relaxed);
        atomic_store_explicit(&new->next[level], behind, memory_order_relaxed);
        atomic_store_explicit(link, new, memory_order_release);
        if (level == 0 && behind != NULL)
            atomic_store_explicit(&behind->before, new, memory_order_release);
        d->finger[level] = new;
    }
    d->last = new;
    new->in_group = d->group;
    d->group = new;
    d->group_rows++;
    g->n++;
    return true;
}

void med_deferred_keep_group(struct deferred *d)
{
    d->group = NULL;
    d->group_rows = 0;
}

void med_deferred_void_group(struct deferred *d)
{
    for (struct deferred_row *row = d->group; row != NULL; row = row->in_group)
        atomic_store_explicit(&row->t, MED_DEFERRED_VOID, memory_order_relaxed);
    med_deferred_keep_group(d);
}

bool med_deferred_begin_next(struct deferred *d, int64_t t)
{
    struct generation *g = make(d->active->number + 1, t);
    if (g == NULL)
        return false;
    atomic_store(&d->active->end, t);
    atomic_store_explicit(&d->active->next, g, memory_order_release);
    d->active = g;
    d->last = NULL;
    return true;
}

void med_deferred_retire(struct deferred *d, struct generation *g)
{
    atomic_store(&d->oldest, g);
    atomic_store(&d->oldest_number, g->number);
}

void med_deferred_sweep(struct deferred *d, uint64_t pinned)
{
    const struct generation *oldest = atomic_load(&d->oldest);
    while (d->kept != oldest && d->kept->number < pinned) {
        struct generation *next = atomic_load(&d->kept->next);
        end(d->kept);
        d->kept = next;
    }
}

/* ---- reading ---- */

struct deferred_row *med_deferred_behind(const struct generation *g, const struct index_row *key)
{
    const struct deferred_list *list = &g->lists[key->table];
    const struct deferred_row *at = descend(list, key, true);
    return load(at == NULL ? &list->first[0] : &at->next[0]);
}

struct deferred_row *med_deferred_before(const struct generation *g, const struct index_row *key)
{
    return descend(&g->lists[key->table], key, false);
}

struct deferred_row *med_deferred_at(const struct generation *g, const struct index_row *key)
{
    struct deferred_row *at = descend(&g->lists[key->table], key, true);
    return at != NULL && med_index_row_compare(&at->row, key) == 0 ? at : NULL;
}
