/* term_tree.c - see term_tree.h. */
#include "fhir/term_tree.h"

enum { NEAR = 256 }; /* concepts looked at on the way up; beyond it a code stands at the top */

/* What a value set lists stands as it is listed. */
static const med_image *tree_of(const med_code_hit *h)
{
    bool has = h->sys != NULL && h->listed == NULL && h->concept != MED_CONCEPT_NONE;
    return has ? h->sys->image : NULL;
}

typedef struct places {
    const med_image *image;
    uint32_t *hit_of; /* a concept's hit + 1 */
} places;

enum { IMAGES = 16 };

static uint32_t *hits_of(places *p, size_t *n, med_arena *a, const med_image *m)
{
    for (size_t i = 0; i < *n; i++) {
        if (p[i].image == m)
            return p[i].hit_of;
    }
    if (*n == IMAGES)
        return NULL;
    uint32_t *fresh = MED_TAKE(a, med_image_count(m), uint32_t);
    if (fresh != NULL)
        p[(*n)++] = (places){m, fresh};
    return fresh;
}

/* Upwards, level by level, until somebody is in the expansion. */
static uint32_t nearest_above(const med_image *m, med_concept c, const uint32_t *hit_of)
{
    med_concept queue[NEAR];
    size_t first = 0, last = 0;
    queue[last++] = c;
    while (first < last) {
        size_t n;
        const med_concept *up = med_concept_parents(m, queue[first++], &n);
        for (size_t i = 0; i < n; i++) {
            if (hit_of[up[i]] != 0 && !med_concept_is_a(m, up[i], c)) /* no circles */
                return hit_of[up[i]] - 1;
            if (last < NEAR)
                queue[last++] = up[i];
        }
    }
    return MED_TREE_NONE;
}

bool med_term_tree_make(med_arena *a, const med_expansion *all, med_term_tree *out)
{
    places p[IMAGES];
    size_t n = 0;
    uint32_t *child = MED_TAKE(a, all->n, uint32_t), *sibling = MED_TAKE(a, all->n, uint32_t);
    if (child == NULL || sibling == NULL)
        return false;
    *out = (med_term_tree){child, sibling, MED_TREE_NONE};
    for (size_t i = 0; i < all->n; i++) {
        const med_code_hit *h = &all->at[i];
        const med_image *m = tree_of(h);
        child[i] = MED_TREE_NONE;
        uint32_t *hit_of = m != NULL ? hits_of(p, &n, a, m) : NULL;
        if (hit_of != NULL)
            hit_of[h->concept] = (uint32_t)i + 1;
    }
    for (size_t i = all->n; i-- > 0;) { /* backwards: each goes in front of those behind it */
        const med_code_hit *h = &all->at[i];
        const med_image *m = tree_of(h);
        uint32_t *hit_of = m != NULL ? hits_of(p, &n, a, m) : NULL;
        uint32_t above = hit_of == NULL ? MED_TREE_NONE : nearest_above(m, h->concept, hit_of);
        uint32_t *list = above == MED_TREE_NONE ? &out->top : &child[above];
        sibling[i] = *list;
        *list = (uint32_t)i;
    }
    return true;
}
