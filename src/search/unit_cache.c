/* unit_cache.c - see unit_cache.h. */
#include "search/unit_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

enum { UNIT_CACHE_SLOTS = 1024, PLACES = 8, CODE_BYTES = 64, CACHE_BYTES = 1 << 20 };

struct entry {
    med_str code;
    med_unit unit;
};

struct med_unit_cache {
    pthread_mutex_t lock; /* of adding */
    med_arena *arena;     /* of the entries */
    _Atomic(const struct entry *) slots[UNIT_CACHE_SLOTS];
};

static void end(void *arg)
{
    med_unit_cache *c = arg;
    med_arena_free(c->arena);
    (void)pthread_mutex_destroy(&c->lock);
}

med_unit_cache *med_unit_cache_new(med_arena *a)
{
    med_unit_cache *c = MED_TAKE(a, 1, med_unit_cache);
    if (c == NULL || pthread_mutex_init(&c->lock, NULL) != 0)
        return NULL;
    c->arena = med_arena_new(CACHE_BYTES);
    return med_arena_defer(a, end, c) && c->arena != NULL ? c : NULL;
}

/* The slot of that code, or the first free one of its places; NULL when there is neither. */
static _Atomic(const struct entry *) *find(med_unit_cache *c, uint64_t hash, med_str code)
{
    for (uint64_t i = 0; i < PLACES; i++) {
        _Atomic(const struct entry *) *slot = &c->slots[(hash + i) % UNIT_CACHE_SLOTS];
        const struct entry *e = atomic_load_explicit(slot, memory_order_acquire);
        if (e == NULL || med_str_eq(e->code, code))
            return slot;
    }
    return NULL;
}

static void add(med_unit_cache *c, uint64_t hash, med_str code, const med_unit *unit)
{
    (void)pthread_mutex_lock(&c->lock);
    _Atomic(const struct entry *) *slot = find(c, hash, code);
    struct entry *e = slot == NULL || *slot != NULL ? NULL : MED_TAKE(c->arena, 1, struct entry);
    if (e != NULL && med_arena_copy(c->arena, code, &e->code)) {
        e->unit = *unit;
        if (med_arena_copy(c->arena, unit->canonical, &e->unit.canonical))
            atomic_store_explicit(slot, e, memory_order_release);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

bool med_unit_cache_parse(med_unit_cache *c, uint64_t hash, med_arena *a, med_str code,
                          med_unit *out)
{
    med_err ignored = {0};
    assert(c != NULL);
    _Atomic(const struct entry *) *slot = find(c, hash, code);
    const struct entry *e = slot == NULL ? NULL : atomic_load_explicit(slot, memory_order_acquire);
    if (e != NULL && med_str_eq(e->code, code)) { /* another thread may have taken a free slot */
        *out = e->unit;
        return true;
    }
    if (!med_ucum_parse(a, code, out, &ignored))
        return false;
    if (code.len <= CODE_BYTES)
        add(c, hash, code, out);
    return true;
}
