/* profile_match.c - is a value one of a slice? See profile_impl.h.
 * https://hl7.org/fhir/R4/profiling.html#discriminator
 *
 * The path of a discriminator is walked in the resource, which gives values, and in the
 * definition of the slice, which gives what these have to be. */
#include "model/reference.h"
#include "validate/profile_impl.h"

enum { SPOTS = 64, CHILD_SLICES = 16 };

/* A place in a definition: a node of a profile, or something inside of a pattern. */
struct spot {
    const med_profile *profile; /* NULL: only a type */
    const med_profile_node *node;
    const med_json *pattern; /* NULL: the node */
    uint32_t at;
    med_type type;
};

struct spots {
    struct spot at[SPOTS];
    size_t n;
};

static void add_spot(struct spots *s, struct spot one)
{
    if (s->n < SPOTS)
        s->at[s->n++] = one;
}

/* ---- the definition ---- */

static void add_pattern(struct spots *out, const med_json *j, uint32_t at)
{
    if (med_json_kind_at(j, at) != MED_JSON_ARRAY) {
        add_spot(out, (struct spot){.pattern = j, .at = at, .type = MED_TYPE_NONE});
        return;
    }
    for (uint32_t e = at + 1; e < j->nodes[at].next; e = j->nodes[e].next)
        add_spot(out, (struct spot){.pattern = j, .at = e, .type = MED_TYPE_NONE});
}

/* "value" is "valueCode" in JSON. */
static bool is_named(med_str key, med_str name)
{
    return med_str_eq(key, name)
           || (key.len > name.len && med_str_starts(key, name) && med_is_upper(key.ptr[name.len]));
}

static void into_pattern(struct spots *out, const med_json *j, uint32_t at, med_str name)
{
    if (med_json_kind_at(j, at) != MED_JSON_OBJECT)
        return;
    for (uint32_t k = at + 1; k < j->nodes[at].next; k = j->nodes[k + 1].next) {
        if (is_named(med_json_raw(j, k), name))
            add_pattern(out, j, k + 1);
    }
}

/* What a child says of itself, and its slices that must be there. */
static bool into_children(struct spots *out, const med_profile *p, const med_profile_node *n,
                          med_str name)
{
    bool found = false;
    uint32_t child = n->child == 0 && n->reference != 0 ? p->nodes[n->reference].child : n->child;
    for (uint32_t i = child; i != 0; i = p->nodes[i].next) {
        const med_profile_node *c = &p->nodes[i];
        if (!med_str_eq(c->name, name))
            continue;
        found = true;
        add_spot(out, (struct spot){.profile = p, .node = c, .type = MED_TYPE_NONE});
        for (uint32_t s = c->slices; s != 0; s = p->nodes[s].next_slice) {
            if (p->nodes[s].min > 0)
                add_spot(out,
                         (struct spot){.profile = p, .node = &p->nodes[s], .type = MED_TYPE_NONE});
        }
    }
    return found;
}

static void into_type_profiles(med_profile_run *r, struct spots *out, const med_profile_node *n,
                               med_str name)
{
    for (size_t i = 0; i < n->n_types; i++) {
        for (size_t k = 0; k < n->types[i].n_profiles && !med_profile_over(r); k++) {
            const med_profile *p = med_profile_known(r, n->types[i].profiles[k]);
            if (p != NULL && p->broken.len == 0)
                (void)into_children(out, p, p->nodes, name);
        }
    }
}

static void step_name(med_profile_run *r, struct spots *out, const struct spot *from, med_str name)
{
    if (from->pattern != NULL) {
        into_pattern(out, from->pattern, from->at, name);
        return;
    }
    if (from->node == NULL)
        return;
    if (from->node->fixed.json != NULL)
        into_pattern(out, from->node->fixed.json, 0, name);
    if (from->node->pattern.json != NULL)
        into_pattern(out, from->node->pattern.json, 0, name);
    if (!into_children(out, from->profile, from->node, name))
        into_type_profiles(r, out, from->node, name);
}

static bool has_profile(const med_profile_node *n, med_str url)
{
    for (size_t i = 0; i < n->n_types; i++) {
        for (size_t k = 0; k < n->types[i].n_profiles; k++) {
            med_str one = n->types[i].profiles[k];
            if (med_str_eq(med_str_sub(one, 0, med_str_find(one, '|', 0)), url))
                return true;
        }
    }
    return false;
}

static void step_extension(struct spots *out, const struct spot *from, med_str url)
{
    if (from->node == NULL)
        return;
    const med_profile *p = from->profile;
    for (uint32_t i = from->node->child; i != 0; i = p->nodes[i].next) {
        if (!med_str_eqz(p->nodes[i].name, "extension"))
            continue;
        for (uint32_t s = p->nodes[i].slices; s != 0; s = p->nodes[s].next_slice) {
            if (has_profile(&p->nodes[s], url))
                add_spot(out,
                         (struct spot){.profile = p, .node = &p->nodes[s], .type = MED_TYPE_NONE});
        }
    }
}

static void step_resolve(med_profile_run *r, struct spots *out, const struct spot *from)
{
    med_str prefix = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    for (size_t i = 0; from->node != NULL && i < from->node->n_types; i++) {
        const med_profile_type *t = &from->node->types[i];
        for (size_t k = 0; k < t->n_targets && !med_profile_over(r); k++) {
            med_type base = med_str_starts(t->targets[k], prefix)
                                ? med_pack_type(r->c->p, med_str_skip(t->targets[k], prefix.len))
                                : MED_TYPE_NONE;
            if (base != MED_TYPE_NONE) {
                add_spot(out, (struct spot){.type = base});
                continue;
            }
            const med_profile *p = med_profile_known(r, t->targets[k]);
            if (p != NULL && p->broken.len == 0)
                add_spot(out, (struct spot){.profile = p, .node = p->nodes, .type = p->type});
        }
    }
}

static void step_of_type(struct spots *out, const struct spot *from, med_type type)
{
    if (from->pattern != NULL) {
        add_spot(out, *from);
        return;
    }
    if (from->node == NULL)
        return;
    bool sliced = false;
    for (uint32_t s = from->node->slices; s != 0; s = from->profile->nodes[s].next_slice) {
        const med_profile_node *slice = &from->profile->nodes[s];
        if (slice->n_types == 1 && slice->types[0].type == type) {
            add_spot(out, (struct spot){from->profile, slice, NULL, 0, MED_TYPE_NONE});
            sliced = true;
        }
    }
    if (!sliced)
        add_spot(out, *from);
}

static void follow(med_profile_run *r, struct spots *spots, const med_profile_step *step)
{
    struct spots from = *spots;
    spots->n = 0;
    for (size_t i = 0; i < from.n && !med_profile_over(r); i++) {
        switch (step->kind) {
        case MED_STEP_NAME:
            step_name(r, spots, &from.at[i], step->text);
            break;
        case MED_STEP_EXTENSION:
            step_extension(spots, &from.at[i], step->text);
            break;
        case MED_STEP_RESOLVE:
            step_resolve(r, spots, &from.at[i]);
            break;
        case MED_STEP_OF_TYPE:
            step_of_type(spots, &from.at[i], step->type);
            break;
        }
    }
}

/* ---- the resource ---- */

/* A reference that leads nowhere here still says the type of its target. */
static med_profile_item resolved(med_profile_run *r, const med_profile_item *v)
{
    med_profile_item out;
    if (med_profile_resolve(r, v, &out))
        return out;
    out = (med_profile_item){.node = MED_NO_NODE, .type = MED_TYPE_NONE, .place = v->place};
    const med_json *j = r->c->j;
    if (v->node == MED_NO_NODE || med_json_kind_at(j, v->node) != MED_JSON_OBJECT)
        return out;
    uint32_t node = med_json_member(j, v->node, MED_STR("reference"));
    if (node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING)
        out.type = med_reference_type(r->c->p, med_json_raw(j, node));
    node = med_json_member(j, v->node, MED_STR("type"));
    if (out.type == MED_TYPE_NONE && node != 0)
        out.type = med_pack_type(r->c->p, med_json_raw(j, node));
    return out;
}

static bool has_url(const med_profile_run *r, const med_profile_item *v, med_str url)
{
    const med_json *j = r->c->j;
    uint32_t node = v->node == MED_NO_NODE || med_json_kind_at(j, v->node) != MED_JSON_OBJECT
                        ? 0
                        : med_json_member(j, v->node, MED_STR("url"));
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING
           && med_json_string_is(j, node, url);
}

static bool named_values(med_profile_run *r, const med_profile_item *v, med_str name,
                         med_profile_items *out)
{
    med_profile_member members[MED_PROFILE_MEMBERS] MED_UNINITIALIZED;
    size_t n = med_profile_members(r, v, members);
    if (!med_profile_values(r, v, members, n, name, MED_TYPE_NONE, out))
        return false;
    for (size_t i = 0; i < out->n; i++) {
        med_profile_item *one = (med_profile_item *)(uintptr_t)&out->at[i]; /* just made */
        if (one->type == r->c->resource)
            (void)med_profile_enter(r, one, med_str_eqz(name, "contained"),
                                    med_str_eqz(name, "contained") ? 0 : v->node);
    }
    return true;
}

/* Room doubles: a power of two is full. */
static bool append(med_profile_run *r, med_profile_items *to, const med_profile_item *one)
{
    if ((to->n & (to->n - 1)) == 0) {
        med_profile_item *at = MED_TAKE(r->work, to->n == 0 ? 1 : 2 * to->n, med_profile_item);
        if (at == NULL) {
            r->c->out_of_memory = true;
            return false;
        }
        if (to->n > 0)
            memcpy(at, to->at, to->n * sizeof *at);
        to->at = at;
    }
    ((med_profile_item *)(uintptr_t)to->at)[to->n++] = *one;
    return med_profile_spend(r, 1);
}

static bool go(med_profile_run *r, const med_profile_step *step, const med_profile_item *v,
               med_profile_items *out)
{
    med_profile_items found = {v, 1};
    med_profile_item one;
    if (step->kind == MED_STEP_NAME && !named_values(r, v, step->text, &found))
        return false;
    if (step->kind == MED_STEP_EXTENSION && !named_values(r, v, MED_STR("extension"), &found))
        return false;
    for (size_t i = 0; i < found.n; i++) {
        one = found.at[i];
        if (step->kind == MED_STEP_RESOLVE)
            one = resolved(r, v);
        bool fits = step->kind != MED_STEP_EXTENSION || has_url(r, &one, step->text);
        fits =
            fits && (step->kind != MED_STEP_OF_TYPE || med_type_is_a(r->c->p, v->type, step->type));
        if (fits && !append(r, out, &one))
            return false;
    }
    return true;
}

static bool values_at(med_profile_run *r, const med_discriminator *d, const med_profile_item *v,
                      med_profile_items *out)
{
    *out = (med_profile_items){v, 1};
    for (size_t s = 0; s < d->n; s++) {
        med_profile_items next = {0};
        for (size_t i = 0; i < out->n; i++) {
            if (!go(r, &d->steps[s], &out->at[i], &next))
                return false;
        }
        *out = next;
    }
    return true;
}

/* ---- what is asked ---- */

enum answer { NO, YES, NOT_SAID };

static enum answer one_is(med_profile_run *r, const struct spot *s, const med_profile_items *values)
{
    bool has_binding =
        s->node != NULL && s->node->binding == MED_BINDING_REQUIRED && s->node->value_set.len > 0;
    bool says =
        s->pattern != NULL
        || (s->node != NULL
            && (s->node->fixed.json != NULL || s->node->pattern.json != NULL || has_binding));
    for (size_t i = 0; says && i < values->n && !med_profile_over(r); i++) {
        const med_profile_item *v = &values->at[i];
        if (s->pattern != NULL) {
            if (med_profile_has(r, v, s->pattern, s->at))
                return YES;
            continue;
        }
        const med_profile_node *n = s->node;
        if ((n->fixed.json == NULL || med_profile_is(r, v, &n->fixed))
            && (n->pattern.json == NULL || med_profile_has(r, v, n->pattern.json, 0))
            && (n->fixed.json != NULL || n->pattern.json != NULL
                || med_profile_in_value_set(r, v, n->value_set)))
            return YES;
    }
    return says ? NO : NOT_SAID;
}

/* All that the definition says; where it says nothing itself, what stands inside of it. */
static enum answer by_value(med_profile_run *r, const struct spots *spots,
                            const med_profile_items *values)
{
    enum answer all = NOT_SAID;
    for (size_t i = 0; i < spots->n; i++) {
        enum answer one = one_is(r, &spots->at[i], values);
        if (one == NO)
            return NO;
        all = one == YES ? YES : all;
    }
    for (size_t i = 0; i < spots->n && all == NOT_SAID; i++) {
        const struct spot *s = &spots->at[i];
        if (s->node == NULL || !s->node->works)
            continue;
        for (size_t k = 0; k < values->n; k++) {
            if (values->at[k].node != MED_NO_NODE
                && med_profile_conforms(r, s->profile, s->node, &values->at[k]))
                return YES;
        }
        all = NO;
    }
    return all;
}

static enum answer by_exists(const struct spots *spots, const med_profile_items *values)
{
    for (size_t i = 0; i < spots->n; i++) {
        const med_profile_node *n = spots->at[i].node;
        if (n != NULL && n->max == 0)
            return values->n == 0 ? YES : NO;
        if (n != NULL && n->min > 0)
            return values->n > 0 ? YES : NO;
    }
    return NOT_SAID;
}

static bool is_of(const med_profile_run *r, const struct spot *s, med_type type)
{
    if (s->type != MED_TYPE_NONE)
        return med_type_is_a(r->c->p, type, s->type);
    if (s->node->only != MED_TYPE_NONE)
        return type == s->node->only;
    for (size_t i = 0; i < s->node->n_types; i++) {
        if (s->node->types[i].type != MED_TYPE_NONE
            && med_type_is_a(r->c->p, type, s->node->types[i].type))
            return true;
    }
    return false;
}

static enum answer by_type(const med_profile_run *r, const struct spots *spots,
                           const med_profile_items *values)
{
    for (size_t i = 0; i < spots->n; i++) {
        for (size_t k = 0; k < values->n; k++) {
            if (values->at[k].type != MED_TYPE_NONE
                && (spots->at[i].node != NULL || spots->at[i].type != MED_TYPE_NONE)
                && is_of(r, &spots->at[i], values->at[k].type))
                return YES;
        }
    }
    return spots->n > 0 ? NO : NOT_SAID;
}

static bool keeps_one(med_profile_run *r, const struct spot *s, const med_profile_item *v,
                      bool *said)
{
    if (s->node == NULL || s->node == s->profile->nodes) { /* of resolve() */
        *said = true;
        return s->node == NULL ? med_type_is_a(r->c->p, v->type, s->type)
                               : med_profile_conforms(r, s->profile, s->node, v);
    }
    for (size_t i = 0; i < s->node->n_types; i++) {
        const med_profile_type *t = &s->node->types[i];
        for (size_t k = 0; k < t->n_profiles && !med_profile_over(r); k++) {
            const med_profile *p = med_profile_known(r, t->profiles[k]);
            *said = true;
            if (p != NULL && med_profile_conforms(r, p, p->nodes, v))
                return true;
        }
        if (t->n_profiles == 0 && t->type != MED_TYPE_NONE && s->node->checks_types) {
            *said = true;
            if (med_type_is_a(r->c->p, v->type, t->type))
                return true;
        }
    }
    return false;
}

static bool has_profiles(const med_profile_node *n)
{
    for (size_t i = 0; i < n->n_types; i++) {
        if (n->types[i].n_profiles > 0)
            return true;
    }
    return false;
}

static enum answer by_profile(med_profile_run *r, const struct spots *spots,
                              const med_profile_items *values)
{
    bool said = false;
    for (size_t i = 0; i < spots->n; i++) {
        for (size_t k = 0; k < values->n && !med_profile_over(r); k++) {
            if (spots->at[i].pattern == NULL && values->at[k].node != MED_NO_NODE
                && keeps_one(r, &spots->at[i], &values->at[k], &said))
                return YES;
        }
    }
    if (values->n == 0) {
        for (size_t i = 0; i < spots->n; i++)
            said = said || (spots->at[i].node != NULL && has_profiles(spots->at[i].node));
    }
    return said ? NO : NOT_SAID;
}

static enum answer ask(med_profile_run *r, const med_discriminator *d, const struct spots *spots,
                       const med_profile_items *values)
{
    switch (d->kind) {
    case MED_BY_VALUE:
        return by_value(r, spots, values);
    case MED_BY_EXISTS:
        return by_exists(spots, values);
    case MED_BY_TYPE:
        return by_type(r, spots, values);
    case MED_BY_PROFILE:
        return by_profile(r, spots, values);
    }
    return NOT_SAID;
}

/* ---- the question ---- */

/* An extension's url is the canonical of its definition: no need to look into that. */
static bool is_url_of(const med_profile_run *r, const med_discriminator *d,
                      const med_profile_node *slice, const med_profile_item *v, bool *fits)
{
    bool by_url = d->kind == MED_BY_VALUE && d->n == 1 && d->steps[0].kind == MED_STEP_NAME
                  && med_str_eqz(d->steps[0].text, "url") && v->type == r->c->extension;
    *fits = false;
    if (!by_url || slice->n_types == 0 || slice->types[0].n_profiles == 0)
        return false;
    for (size_t i = 0; i < slice->types[0].n_profiles && !*fits; i++) {
        med_str url = slice->types[0].profiles[i];
        *fits = has_url(r, v, med_str_sub(url, 0, med_str_find(url, '|', 0)));
    }
    return true;
}

static enum answer tells(med_profile_run *r, const med_profile_job *group,
                         const med_discriminator *d, const med_profile_node *slice,
                         const med_profile_item *v)
{
    struct spots spots MED_UNINITIALIZED;
    med_profile_items values;
    bool fits;
    if (is_url_of(r, d, slice, v, &fits))
        return fits ? YES : NO;
    spots.n = 0;
    add_spot(&spots,
             (struct spot){.profile = group->profile, .node = slice, .type = MED_TYPE_NONE});
    for (size_t i = 0; i < d->n; i++)
        follow(r, &spots, &d->steps[i]);
    return d->usable && values_at(r, d, v, &values) ? ask(r, d, &spots, &values) : NOT_SAID;
}

/* A discriminator at which the slice says nothing leaves it to the others. */
bool med_profile_matches(med_profile_run *r, const med_profile_job *group,
                         const med_profile_node *slice, const med_profile_item *v)
{
    const med_profile_node *n = group->node;
    bool said = false;
    if (n->n_by == 0) /* told apart by what they are */
        return med_profile_conforms(r, group->profile, slice, v);
    for (size_t i = 0; i < n->n_by; i++) {
        enum answer one = tells(r, group, &n->by[i], slice, v);
        if (one == NO || med_profile_over(r))
            return false;
        said = said || one == YES;
    }
    if (!said)
        med_check_warning(r->c, med_profile_node_of(v), NULL, MED_ISSUE_PROCESSING,
                          "whether this is the slice %.*s:%.*s can not be told: the profile says "
                          "nothing at its discriminator '%.*s'",
                          MED_STR_ARG(slice->path), MED_STR_ARG(slice->slice),
                          MED_STR_ARG(n->by[0].path));
    return said;
}
