/* profile_conform.c - would a value keep a profile? Decided in silence, once. See profile_impl.h.
 *
 * What is asked while it is being decided (a Patient that refers to a Practitioner that refers to
 * the Patient) counts as kept: only what is wrong with some value makes it fail. */
#include "validate/profile_impl.h"

enum { FIRST_ROOM = 64 }; /* a power of two */

struct med_profile_memo {
    const med_profile_node *node; /* NULL: a free place */
    uint32_t value, extension;
    bool kept;
    bool told; /* its problems are in the list */
};

static size_t slot(const struct med_profile_memo *memo, size_t room, const med_profile_node *node,
                   const med_profile_item *v)
{
    uint64_t hash = (uint64_t)(uintptr_t)node ^ ((uint64_t)v->node << 32 | v->extension);
    size_t i = (size_t)((hash * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (room - 1);
    while (
        memo[i].node != NULL
        && !(memo[i].node == node && memo[i].value == v->node && memo[i].extension == v->extension))
        i = (i + 1) & (room - 1);
    return i;
}

static bool grow(med_profile_run *r)
{
    size_t room = r->room_memo == 0 ? FIRST_ROOM : 2 * r->room_memo;
    struct med_profile_memo *memo = MED_TAKE(r->work, room, struct med_profile_memo);
    if (memo == NULL) {
        r->c->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < r->room_memo; i++) {
        const struct med_profile_memo *m = &r->memo[i];
        med_profile_item v = {.node = m->value, .extension = m->extension};
        if (m->node != NULL)
            memo[slot(memo, room, m->node, &v)] = *m;
    }
    r->memo = memo;
    r->room_memo = room;
    return true;
}

/* What is remembered, a new one if need be; NULL without memory. Good until the next call. */
static struct med_profile_memo *recall(med_profile_run *r, const med_profile_node *node,
                                       const med_profile_item *v, bool *is_new)
{
    if (2 * (r->n_memo + 1) > r->room_memo && !grow(r))
        return NULL;
    struct med_profile_memo *m = &r->memo[slot(r->memo, r->room_memo, node, v)];
    *is_new = m->node == NULL;
    if (*is_new) {
        *m = (struct med_profile_memo){node, v->node, v->extension, true, false};
        r->n_memo++;
    }
    return m;
}

bool med_profile_conforms(med_profile_run *r, const med_profile *profile,
                          const med_profile_node *node, const med_profile_item *v)
{
    bool is_new;
    if (profile->broken.len > 0
        || (node == profile->nodes && !med_type_is_a(r->c->p, v->type, profile->type)))
        return false;
    if (!node->works || r->depth == MED_PROFILE_DEPTH)
        return true;
    struct med_profile_memo *known = recall(r, node, v, &is_new);
    if (known == NULL || !is_new)
        return known == NULL || known->kept;
    med_profile_job job = {.profile = profile, .node = node, .item = *v};
    size_t floor = r->n;
    bool was_silent = r->c->silent, had_found = r->c->found;
    if (!med_profile_push(r, &job))
        return true;
    r->depth++;
    r->c->silent = true;
    r->c->found = false;
    med_profile_work(r, floor);
    bool kept = !r->c->found;
    r->c->silent = was_silent;
    r->c->found = had_found;
    r->depth--;
    known = recall(r, node, v, &is_new);
    if (known != NULL)
        known->kept = kept;
    return kept;
}

void med_profile_once(med_profile_run *r, const med_profile *profile, const med_profile_item *item)
{
    bool is_new;
    struct med_profile_memo *m = recall(r, profile->nodes, item, &is_new);
    if (m == NULL || m->told || r->c->silent)
        return;
    m->told = true;
    med_profile_apply(r, profile, item);
}

/* A resource keeps a profile only if it is one of its type in the first place. */
static bool is_legal(med_check *c, uint32_t node)
{
    med_type type;
    med_problems list = {0};
    med_structure_options options = *c->options;
    options.profiles = NULL;
    options.quiet = true;
    options.strict = false;
    options.find = NULL;
    if (!med_structure_check_with(c->run->work, c->p, c->j, node, &options, &type, &list, c->err))
        c->failed = true;
    return list.n == 0;
}

bool med_check_conforms_to(void *arg, const med_value *value, med_str profile, bool *out)
{
    med_check *c = arg;
    med_profile_run *r = c->run;
    if (value->kind != MED_VALUE_NODE || value->json != c->j)
        return false;
    const med_profile *p = med_profile_known(r, profile);
    if (p == NULL)
        return false;
    med_profile_item item = {
        .node = value->node, .extension = value->extension, .type = value->type};
    if (med_type_kind_of(c->p, value->type) == MED_TYPE_RESOURCE
        && !med_profile_enter(r, &item, false, 0))
        return false;
    if (item.place == NULL)
        return false;
    *out = med_profile_conforms(r, p, p->nodes, &item)
           && (item.node != item.place->resource || is_legal(c, item.node));
    return true;
}
