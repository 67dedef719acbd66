/* tally.c - see tally.h. */
#include "store/tally.h"

#include "base/mem.h"

enum { FIRST_CAPACITY = 1 << 10 };

bool med_tallies_init(struct tallies *t)
{
    *t = (struct tallies){.cap = FIRST_CAPACITY};
    t->at = MED_NEW(t->cap, struct tally);
    return t->at != NULL;
}

void med_tallies_free(struct tallies *t)
{
    med_free(t->at);
    med_free(t->dirty);
    *t = (struct tallies){0};
}

/* Hashes of codes are keyed; types are small numbers, so they are spread first. */
static size_t place(const struct tallies *t, int64_t param, uint64_t hash)
{
    uint64_t mixed = (hash ^ (uint64_t)param * 0x9e3779b97f4a7c15U) * 0xd6e8feb86659fd93U;
    size_t i = (size_t)(mixed >> 32) & (t->cap - 1);
    while (t->at[i].used && (t->at[i].hash != hash || t->at[i].param != param))
        i = (i + 1) & (t->cap - 1);
    return i;
}

static bool grow(struct tallies *t)
{
    struct tallies bigger = *t;
    bigger.cap = t->cap * 2;
    bigger.at = MED_NEW(bigger.cap, struct tally);
    if (bigger.at == NULL)
        return false;
    for (size_t i = 0; i < t->cap; i++) {
        if (t->at[i].used)
            bigger.at[place(&bigger, t->at[i].param, t->at[i].hash)] = t->at[i];
    }
    med_free(t->at);
    *t = bigger;
    return true;
}

struct tally *med_tallies_get(struct tallies *t, int64_t param, uint64_t hash)
{
    size_t i = place(t, param, hash);
    if (t->at[i].used)
        return &t->at[i];
    if (t->n * 2 >= t->cap) {
        if (!grow(t))
            return NULL;
        i = place(t, param, hash);
    }
    t->at[i] = (struct tally){.param = param, .hash = hash, .used = true};
    t->n++;
    return &t->at[i];
}

int64_t med_tallies_delta(const struct tallies *t, int64_t param, uint64_t hash)
{
    size_t i = place(t, param, hash);
    return t->at[i].used ? t->at[i].delta : 0;
}

static bool make_room_for_dirty(struct tallies *t)
{
    if (t->n_dirty < t->dirty_cap)
        return true;
    size_t cap = t->dirty_cap == 0 ? 256 : t->dirty_cap * 2;
    struct tally *bigger = med_realloc(t->dirty, cap, sizeof *bigger);
    if (bigger == NULL)
        return false;
    t->dirty = bigger;
    t->dirty_cap = cap;
    return true;
}

bool med_tallies_add(struct tallies *t, int64_t param, uint64_t hash, int64_t delta)
{
    struct tally *at = med_tallies_get(t, param, hash);
    if (at == NULL || (!at->dirty && !make_room_for_dirty(t)))
        return false;
    at->delta += delta;
    if (!at->dirty) {
        at->dirty = true;
        t->dirty[t->n_dirty++] = *at;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct tally *x = a;
    const struct tally *y = b;
    if (x->param != y->param)
        return x->param < y->param ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

const struct tally *med_tallies_take(struct tallies *t, size_t *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n_dirty; i++) {
        struct tally *at = &t->at[place(t, t->dirty[i].param, t->dirty[i].hash)];
        if (at->delta != 0)
            t->dirty[kept++] = *at;
        at->delta = 0;
        at->dirty = false;
    }
    t->n_dirty = 0;
    if (kept > 1)
        qsort(t->dirty, kept, sizeof *t->dirty, by_key);
    *n = kept;
    return t->dirty;
}

void med_tallies_clear(struct tallies *t)
{
    memset(t->at, 0, t->cap * sizeof *t->at);
    t->n = 0;
    t->n_dirty = 0;
}
