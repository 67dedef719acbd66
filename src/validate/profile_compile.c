/* profile_compile.c - a snapshot becomes a tree of nodes. See profile_impl.h.
 * https://hl7.org/fhir/R4/elementdefinition.html */
#include "validate/profile_impl.h"

enum { DEPTH = 64, NODES = 20000, INVARIANTS = 128 };

struct builder {
    med_arena *a;
    const med_pack *p;
    const med_json *j;
    med_profile *out;
    med_profile_node *nodes;
    med_type *value_type; /* of each node; MED_TYPE_NONE when it depends */
    uint32_t *last_child;
    uint32_t *last_slice;
    uint32_t at_depth[DEPTH]; /* the newest node there */
};

med_str med_profile_text(med_arena *a, const med_json *j, uint32_t object, const char *key)
{
    med_str text;
    uint32_t node = med_json_member(j, object, med_str_from(key));
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING
        || !med_json_string(a, j, node, &text) || !med_arena_copy(a, text, &text))
        return MED_STR_EMPTY;
    return text;
}

uint32_t med_profile_first(const med_json *j, uint32_t object, const char *key, uint32_t *end)
{
    uint32_t list = med_json_member(j, object, med_str_from(key));
    *end = 0;
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return 0;
    *end = j->nodes[list].next;
    return list + 1;
}

/* ---- the tree ---- */

static size_t depth_of(med_str path)
{
    size_t n = 0;
    for (size_t i = 0; i < path.len; i++)
        n += path.ptr[i] == '.';
    return n;
}

static med_str last_part(med_str path)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '.')
        at--;
    return med_str_skip(path, at);
}

static med_str without_x(med_str name)
{
    return med_str_ends(name, MED_STR("[x]")) ? med_str_sub(name, 0, name.len - 3) : name;
}

static uint32_t sibling_of(const struct builder *b, uint32_t parent, med_str path)
{
    for (uint32_t i = b->nodes[parent].child; i != 0; i = b->nodes[i].next) {
        if (med_str_eq(b->nodes[i].path, path))
            return i;
    }
    return 0;
}

static void add_child(struct builder *b, uint32_t parent, uint32_t i)
{
    if (b->nodes[parent].child == 0)
        b->nodes[parent].child = i;
    else
        b->nodes[b->last_child[parent]].next = i;
    b->last_child[parent] = i;
}

static void add_slice(struct builder *b, uint32_t of, uint32_t i)
{
    if (b->nodes[of].slices == 0)
        b->nodes[of].slices = i;
    else
        b->nodes[b->last_slice[of]].next_slice = i;
    b->last_slice[of] = i;
}

/* "a/b" is a slice of the slice "a". */
static uint32_t resliced(const struct builder *b, uint32_t element, med_str name)
{
    uint32_t found = element;
    for (size_t end = med_str_find(name, '/', 0); end < name.len;
         end = med_str_find(name, '/', end + 1)) {
        uint32_t i = b->nodes[found].slices;
        while (i != 0 && !med_str_eq(b->nodes[i].slice, med_str_sub(name, 0, end)))
            i = b->nodes[i].next_slice;
        if (i == 0)
            break;
        found = i;
    }
    return found;
}

static bool place(struct builder *b, uint32_t i)
{
    med_profile_node *n = &b->nodes[i];
    size_t depth = depth_of(n->path);
    if (depth >= DEPTH || (depth == 0) != (i == 0)) {
        b->out->broken = MED_STR("its snapshot has a path that does not begin with its type");
        return true;
    }
    b->at_depth[depth] = i;
    if (i == 0)
        return true;
    for (size_t deeper = depth + 1; deeper < DEPTH; deeper++)
        b->at_depth[deeper] = 0;
    uint32_t parent = b->at_depth[depth - 1];
    if (depth > 1 && parent == 0) {
        b->out->broken = med_arena_printf(b->a, "its snapshot has %.*s without what holds it",
                                          MED_STR_ARG(n->path));
        return b->out->broken.len > 0;
    }
    n->parent = parent;
    uint32_t element = n->slice.len > 0 ? sibling_of(b, parent, n->path) : 0;
    if (element != 0)
        add_slice(b, resliced(b, element, n->slice), i);
    else
        add_child(b, parent, i);
    return true;
}

/* ---- against the base type ---- */

static med_type sole_type(const med_profile_node *n)
{
    return n->n_types == 1 ? n->types[0].type : MED_TYPE_NONE;
}

/* Which element of R4 the node is, and the type of its values. */
static void find_element(struct builder *b, uint32_t i)
{
    med_profile_node *n = &b->nodes[i];
    med_property property;
    n->owner = MED_TYPE_NONE;
    n->only = MED_TYPE_NONE;
    b->value_type[i] = sole_type(n);
    if (i == 0) {
        b->value_type[i] = b->out->type;
        return;
    }
    med_type owner = b->value_type[n->parent];
    size_t element =
        owner == MED_TYPE_NONE ? SIZE_MAX : med_type_find_element(b->p, owner, n->name);
    if (element == SIZE_MAX && owner != MED_TYPE_NONE
        && med_type_property(b->p, owner, n->name, &property)) {
        element = property.element; /* valueQuantity */
        n->only = property.type;
    }
    if (element == SIZE_MAX)
        return;
    n->owner = owner;
    n->element = (uint16_t)element;
    if (n->only != MED_TYPE_NONE) {
        med_element e;
        med_type_element(b->p, owner, element, &e);
        n->name = e.name;
        b->value_type[i] = n->only;
    } else if (med_type_property(b->p, owner, n->name, &property)
               && med_type_kind_of(b->p, property.type) != MED_TYPE_RESOURCE) {
        b->value_type[i] = property.type;
    }
}

static void compare_count(const struct builder *b, med_profile_node *n)
{
    med_element e;
    if (n->owner == MED_TYPE_NONE) {
        n->checks_count = n->min > 0 || n->max != MED_MANY;
        return;
    }
    med_type_element(b->p, n->owner, n->element, &e);
    uint32_t base_max = e.max == MED_MAX_UNBOUNDED ? MED_MANY : e.max;
    n->checks_count = n->min > e.min || n->max < base_max;
}

static void compare_types(const struct builder *b, med_profile_node *n)
{
    size_t first;
    n->checks_types = n->owner == MED_TYPE_NONE || n->only != MED_TYPE_NONE;
    if (!n->checks_types && n->n_types > 0) {
        med_property property;
        size_t possible = med_element_properties(b->p, n->owner, n->element, &first);
        med_type_property_at(b->p, n->owner, first, &property);
        bool is_resource = med_type_kind_of(b->p, property.type) == MED_TYPE_RESOURCE;
        n->checks_types =
            n->n_types < possible || (is_resource && !med_str_eqz(n->types[0].code, "Resource"));
    }
    for (size_t i = 0; i < n->n_types; i++) {
        n->checks_types = n->checks_types || n->types[i].n_profiles > 0;
        if (n->types[i].type == MED_TYPE_NONE)
            n->checks_types = false; /* a System type, or one of another version */
    }
    if (n->n_types == 0)
        n->checks_types = n->only != MED_TYPE_NONE;
}

static bool has_target(const struct builder *b, const med_type *all, size_t n, med_str target)
{
    med_str prefix = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    med_type type = med_str_starts(target, prefix)
                        ? med_pack_type(b->p, med_str_skip(target, prefix.len))
                        : MED_TYPE_NONE;
    for (size_t i = 0; i < n && type != MED_TYPE_NONE; i++) {
        if (all[i] == type)
            return true;
    }
    return n == 0 && type != MED_TYPE_NONE && med_str_eqz(med_type_name(b->p, type), "Resource");
}

static void compare_references(const struct builder *b, med_profile_node *n)
{
    size_t n_base = 0;
    const med_type *base =
        n->owner == MED_TYPE_NONE ? NULL : med_element_targets(b->p, n->owner, n->element, &n_base);
    for (size_t i = 0; i < n->n_types; i++) {
        const med_profile_type *t = &n->types[i];
        bool same = n->owner != MED_TYPE_NONE && t->n_targets == (n_base == 0 ? 1 : n_base);
        for (size_t k = 0; k < t->n_targets && same; k++)
            same = has_target(b, base, n_base, t->targets[k]);
        if ((t->n_targets > 0 && !same) || t->aggregation != 0
            || t->versioning != MED_VERSIONING_EITHER)
            n->checks_references = true;
    }
}

static med_str without_version(med_str canonical)
{
    return med_str_sub(canonical, 0, med_str_find(canonical, '|', 0));
}

static void compare_binding(const struct builder *b, med_profile_node *n)
{
    med_element e;
    bool same = false, same_most = n->max_value_set.len == 0;
    if (n->owner != MED_TYPE_NONE) {
        med_type_element(b->p, n->owner, n->element, &e);
        med_str most = med_element_max_value_set(b->p, n->owner, n->element);
        same = e.binding >= n->binding
               && med_str_eq(without_version(e.value_set), without_version(n->value_set));
        same_most =
            same_most || med_str_eq(without_version(most), without_version(n->max_value_set));
    }
    if (same_most)
        n->max_value_set = MED_STR_EMPTY;
    if (same || n->binding < MED_BINDING_EXTENSIBLE)
        n->value_set = MED_STR_EMPTY;
    n->checks_binding = n->value_set.len > 0 || n->max_value_set.len > 0;
}

/* ---- constraints ---- */

static bool has_key(const med_pack *p, med_type type, size_t element, med_str key)
{
    med_invariant all[INVARIANTS];
    size_t n = med_element_invariants(p, type, element, 0, all, INVARIANTS);
    for (size_t i = 0; i < n && i < INVARIANTS; i++) {
        if (med_str_eq(all[i].key, key))
            return true;
    }
    return false;
}

/* Is it one of R4 itself, that the base check knows? */
static bool is_base_rule(const struct builder *b, uint32_t i, med_str key)
{
    const med_profile_node *n = &b->nodes[i];
    return med_str_eqz(key, "ele-1") || med_str_eqz(key, "ext-1")
           || (n->owner != MED_TYPE_NONE && has_key(b->p, n->owner, n->element, key))
           || (b->value_type[i] != MED_TYPE_NONE && has_key(b->p, b->value_type[i], SIZE_MAX, key));
}

static bool read_rules(struct builder *b, uint32_t i, uint32_t at)
{
    med_profile_node *n = &b->nodes[i];
    uint32_t end;
    uint32_t first = med_profile_first(b->j, at, "constraint", &end);
    size_t count = first == 0 ? 0 : b->j->nodes[first - 1].count;
    med_profile_rule *rules = MED_TAKE(b->a, count, med_profile_rule);
    if (rules == NULL)
        return false;
    for (uint32_t e = first; e < end; e = b->j->nodes[e].next) {
        if (med_json_kind_at(b->j, e) != MED_JSON_OBJECT)
            continue;
        med_str key = med_profile_text(b->a, b->j, e, "key");
        med_str expression = med_profile_text(b->a, b->j, e, "expression");
        if (expression.len == 0 || is_base_rule(b, i, key))
            continue;
        med_profile_rule *rule = &rules[n->n_rules++];
        rule->key = key;
        rule->human = med_profile_text(b->a, b->j, e, "human");
        rule->is_warning = med_str_eqz(med_profile_text(b->a, b->j, e, "severity"), "warning");
        if (!med_profile_rule_read(b->a, b->p, b->value_type[i], expression, rule))
            return false;
    }
    n->rules = rules;
    return true;
}

/* ---- contentReference, and what has work ---- */

/* "#Questionnaire.item", or with the address of the definition in front. */
static bool link_reference(struct builder *b, uint32_t i, uint32_t at)
{
    med_str text = med_profile_text(b->a, b->j, at, "contentReference");
    size_t hash = med_str_find(text, '#', 0);
    med_str path = med_str_skip(text, hash + 1);
    for (uint32_t k = 0; path.len > 0 && k < i; k++) {
        if (med_str_eq(b->nodes[k].path, path) && b->nodes[k].slice.len == 0)
            b->nodes[i].reference = k;
    }
    return !med_arena_exhausted(b->a);
}

static bool has_own_work(const med_profile_node *n)
{
    return n->checks_types || n->checks_references || n->checks_binding || n->n_rules > 0
           || n->fixed.json != NULL || n->pattern.json != NULL || n->least.json != NULL
           || n->greatest.json != NULL || n->max_length != 0 || n->min_length != 0
           || n->n_languages > 0 || n->sliced || n->slices != 0;
}

/* Backwards: what is inside of a node stands behind it. A reference leads to something before
 * it, so a second round sees all. */
static void mark_work(struct builder *b)
{
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = (uint32_t)b->out->n; i-- > 0;) {
            med_profile_node *n = &b->nodes[i];
            n->works =
                n->works || has_own_work(n) || (n->reference != 0 && b->nodes[n->reference].works);
            if (i > 0 && (n->works || n->checks_count) && n->slice.len == 0)
                b->nodes[n->parent].works = true;
            else if (i > 0 && n->works)
                b->nodes[n->parent].works = true;
        }
    }
}

/* ---- slicing ---- */

static bool read_slicing(struct builder *b, uint32_t i, uint32_t at)
{
    med_profile_node *n = &b->nodes[i];
    uint32_t end;
    uint32_t slicing = med_json_member(b->j, at, MED_STR("slicing"));
    if (slicing == 0 || med_json_kind_at(b->j, slicing) != MED_JSON_OBJECT)
        return true;
    med_str rules = med_profile_text(b->a, b->j, slicing, "rules");
    uint32_t ordered = med_json_member(b->j, slicing, MED_STR("ordered"));
    uint32_t first = med_profile_first(b->j, slicing, "discriminator", &end);
    size_t count = first == 0 ? 0 : b->j->nodes[first - 1].count;
    med_discriminator *by = MED_TAKE(b->a, count, med_discriminator);
    if (by == NULL)
        return false;
    n->slicing = med_str_eqz(rules, "closed")      ? MED_SLICING_CLOSED
                 : med_str_eqz(rules, "openAtEnd") ? MED_SLICING_OPEN_AT_END
                                                   : MED_SLICING_OPEN;
    n->ordered = ordered != 0 && med_json_kind_at(b->j, ordered) == MED_JSON_TRUE;
    for (uint32_t e = first; e < end; e = b->j->nodes[e].next) {
        if (med_json_kind_at(b->j, e) == MED_JSON_OBJECT
            && !med_discriminator_read(b->a, b->p, med_profile_text(b->a, b->j, e, "type"),
                                       med_profile_text(b->a, b->j, e, "path"), &by[n->n_by++]))
            return false;
    }
    n->by = by;
    n->sliced = n->slicing != MED_SLICING_OPEN;
    return true;
}

/* Slices without a word about how they are told apart: of a choice by type, of extensions by
 * their url. */
static bool default_slicing(struct builder *b, uint32_t i)
{
    med_profile_node *n = &b->nodes[i];
    bool is_extension =
        med_str_eqz(n->name, "extension") || med_str_eqz(n->name, "modifierExtension");
    bool is_choice = med_str_ends(n->path, MED_STR("[x]"));
    if (n->slices == 0 || n->n_by > 0 || (!is_extension && !is_choice))
        return true;
    med_discriminator *by = MED_TAKE(b->a, 1, med_discriminator);
    n->by = by;
    n->n_by = 1;
    return by != NULL
           && med_discriminator_read(b->a, b->p, is_choice ? MED_STR("type") : MED_STR("value"),
                                     is_choice ? MED_STR("$this") : MED_STR("url"), by);
}

/* ---- one element, all elements ---- */

static uint32_t count_of(const struct builder *b, uint32_t at, const char *key, uint32_t otherwise)
{
    int64_t n;
    uint32_t node = med_json_member(b->j, at, med_str_from(key));
    if (node == 0)
        return otherwise;
    return med_str_to_int64(med_json_raw(b->j, node), &n) && n >= 0 && n < MED_MANY ? (uint32_t)n
                                                                                    : MED_MANY;
}

static bool read_element(struct builder *b, uint32_t i, uint32_t at)
{
    med_profile_node *n = &b->nodes[i];
    n->path = med_profile_text(b->a, b->j, at, "path");
    n->name = without_x(last_part(n->path));
    n->slice = med_profile_text(b->a, b->j, at, "sliceName");
    uint32_t modifier = med_json_member(b->j, at, MED_STR("isModifier"));
    if (i == 0)
        b->out->is_modifier = modifier != 0 && med_json_kind_at(b->j, modifier) == MED_JSON_TRUE;
    n->min = count_of(b, at, "min", 0);
    n->max = count_of(b, at, "max", MED_MANY);
    if (!place(b, i) || !med_profile_element_read(b->a, b->p, b->j, at, n))
        return false;
    if (b->out->broken.len > 0)
        return true;
    find_element(b, i);
    if (i > 0) {
        compare_count(b, n);
        compare_types(b, n);
    }
    compare_references(b, n);
    compare_binding(b, n);
    return read_rules(b, i, at) && read_slicing(b, i, at) && link_reference(b, i, at);
}

static bool read_elements(struct builder *b)
{
    uint32_t end, i = 0;
    uint32_t snapshot = med_json_member(b->j, 0, MED_STR("snapshot"));
    uint32_t first = snapshot == 0 || med_json_kind_at(b->j, snapshot) != MED_JSON_OBJECT
                         ? 0
                         : med_profile_first(b->j, snapshot, "element", &end);
    size_t n = first == 0 ? 0 : b->j->nodes[first - 1].count;
    if (n == 0 || n > NODES) {
        b->out->broken = MED_STR("it has no snapshot, or too large a one");
        return true;
    }
    b->nodes = MED_TAKE(b->a, n, med_profile_node);
    b->value_type = MED_TAKE(b->a, n, med_type);
    b->last_child = MED_TAKE(b->a, n, uint32_t);
    b->last_slice = MED_TAKE(b->a, n, uint32_t);
    if (b->nodes == NULL || b->value_type == NULL || b->last_child == NULL || b->last_slice == NULL)
        return false;
    for (uint32_t e = first; e < end && b->out->broken.len == 0; e = b->j->nodes[e].next, i++) {
        if (med_json_kind_at(b->j, e) != MED_JSON_OBJECT || !read_element(b, i, e))
            return med_json_kind_at(b->j, e) != MED_JSON_OBJECT;
    }
    for (uint32_t k = 0; k < i; k++) {
        if (!default_slicing(b, k))
            return false;
    }
    b->out->nodes = b->nodes;
    b->out->n = i;
    if (b->out->broken.len == 0)
        mark_work(b);
    return true;
}

/* ---- the whole ---- */

static bool read_contexts(struct builder *b)
{
    uint32_t end;
    uint32_t first = med_profile_first(b->j, 0, "context", &end);
    size_t count = first == 0 ? 0 : b->j->nodes[first - 1].count;
    med_profile_context *all = MED_TAKE(b->a, count, med_profile_context);
    med_err err = {0};
    if (all == NULL)
        return false;
    b->out->contexts = all;
    for (uint32_t e = first; e < end; e = b->j->nodes[e].next) {
        if (med_json_kind_at(b->j, e) != MED_JSON_OBJECT)
            continue;
        med_profile_context *x = &all[b->out->n_contexts++];
        x->kind = med_profile_text(b->a, b->j, e, "type");
        x->expression = med_profile_text(b->a, b->j, e, "expression");
        if (med_str_eqz(x->kind, "fhirpath")
            && !med_fhirpath_compile(b->a, b->p, x->expression, MED_TYPE_NONE, &x->program, &err))
            x->program = NULL;
    }
    return !med_arena_exhausted(b->a);
}

static bool read_context_rules(struct builder *b)
{
    uint32_t end;
    uint32_t first = med_profile_first(b->j, 0, "contextInvariant", &end);
    size_t count = first == 0 ? 0 : b->j->nodes[first - 1].count;
    med_profile_rule *all = MED_TAKE(b->a, count, med_profile_rule);
    med_str text;
    if (all == NULL)
        return false;
    b->out->context_rules = all;
    for (uint32_t e = first; e < end; e = b->j->nodes[e].next) {
        med_profile_rule *rule = &all[b->out->n_context_rules];
        if (med_json_kind_at(b->j, e) != MED_JSON_STRING)
            continue;
        if (!med_json_string(b->a, b->j, e, &text) || !med_arena_copy(b->a, text, &text))
            return false;
        rule->key = MED_STR("contextInvariant");
        rule->human = text;
        b->out->n_context_rules++;
        if (!med_profile_rule_read(b->a, b->p, MED_TYPE_NONE, text, rule))
            return false;
    }
    return true;
}

static bool read_head(struct builder *b, const med_definition *d)
{
    med_profile *out = b->out;
    med_str kind = med_profile_text(b->a, b->j, 0, "kind");
    med_str type = med_profile_text(b->a, b->j, 0, "type");
    uint32_t abstract = med_json_member(b->j, 0, MED_STR("abstract"));
    if (!med_arena_copy(b->a, d->url, &out->url))
        return false;
    out->canonical = d->version.len == 0 ? out->url
                                         : med_arena_printf(b->a, "%.*s|%.*s", MED_STR_ARG(d->url),
                                                            MED_STR_ARG(d->version));
    out->is_abstract = abstract != 0 && med_json_kind_at(b->j, abstract) == MED_JSON_TRUE;
    out->is_logical = med_str_eqz(kind, "logical");
    out->type = med_pack_type(b->p, type);
    out->broken = MED_STR_EMPTY;
    if (out->type == MED_TYPE_NONE)
        out->broken = out->is_logical ? MED_STR("it is a logical model, no profile of an R4 type")
                                      : MED_STR("its type is none of R4");
    return out->canonical.len > 0;
}

bool med_profile_compile(med_arena *a, const med_pack *p, const med_definition *d,
                         med_profile **out)
{
    struct builder b = {.a = a, .p = p, .j = &d->json};
    b.out = *out = MED_TAKE(a, 1, med_profile);
    if (b.out == NULL || !read_head(&b, d))
        return false;
    if (b.out->broken.len > 0)
        return true;
    return read_elements(&b) && read_contexts(&b) && read_context_rules(&b)
           && !med_arena_exhausted(a);
}
