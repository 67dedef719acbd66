/* ident.c - see ident.h. Open addressing: the hash is keyed, its low bits serve as they are. */
#include "store/ident.h"

#include "base/mem.h"

enum { FIRST_CAPACITY = 1 << 10 };

bool med_idents_init(struct idents *m)
{
    *m = (struct idents){.cap = FIRST_CAPACITY};
    m->at = MED_NEW(m->cap, struct ident);
    return m->at != NULL;
}

void med_idents_free(struct idents *m)
{
    med_free(m->at);
    med_free(m->pending);
    *m = (struct idents){0};
}

static size_t place(const struct idents *m, uint64_t hash)
{
    size_t i = (size_t)hash & (m->cap - 1);
    while (m->at[i].rid != 0 && m->at[i].hash != hash)
        i = (i + 1) & (m->cap - 1);
    return i;
}

struct ident *med_idents_find(const struct idents *m, uint64_t hash)
{
    size_t i = place(m, hash);
    return m->at[i].rid == 0 ? NULL : &m->at[i];
}

static bool grow(struct idents *m)
{
    struct idents bigger = *m;
    bigger.cap = m->cap * 2;
    bigger.at = MED_NEW(bigger.cap, struct ident);
    if (bigger.at == NULL)
        return false;
    for (size_t i = 0; i < m->cap; i++) {
        if (m->at[i].rid != 0)
            bigger.at[place(&bigger, m->at[i].hash)] = m->at[i];
    }
    med_free(m->at);
    *m = bigger;
    return true;
}

static bool remember_pending(struct idents *m, const struct ident *ident)
{
    if (m->n_pending == m->pending_cap) {
        size_t cap = m->pending_cap == 0 ? 256 : m->pending_cap * 2;
        struct ident *bigger = med_realloc(m->pending, cap, sizeof *bigger);
        if (bigger == NULL)
            return false;
        m->pending = bigger;
        m->pending_cap = cap;
    }
    m->pending[m->n_pending++] = *ident;
    return true;
}

struct ident *med_idents_add(struct idents *m, uint64_t hash, med_rid rid, bool pending)
{
    if (m->n * 2 >= m->cap && !grow(m))
        return NULL;
    struct ident added = {.hash = hash, .rid = rid, .pending = pending};
    if (pending && !remember_pending(m, &added))
        return NULL;
    size_t i = place(m, hash);
    m->at[i] = added;
    m->n++;
    return &m->at[i];
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct ident *)a)->hash;
    uint64_t y = ((const struct ident *)b)->hash;
    return (x > y) - (x < y);
}

const struct ident *med_idents_take_pending(struct idents *m, size_t *n)
{
    *n = m->n_pending;
    if (*n > 1)
        qsort(m->pending, *n, sizeof *m->pending, by_hash);
    for (size_t i = 0; i < *n; i++) {
        struct ident *at = med_idents_find(m, m->pending[i].hash);
        if (at != NULL)
            at->pending = false;
    }
    m->n_pending = 0;
    return m->pending;
}

void med_idents_clear(struct idents *m)
{
    memset(m->at, 0, m->cap * sizeof *m->at);
    m->n = 0;
    m->n_pending = 0;
}
