/* structure.c - https://hl7.org/fhir/R4/json.html
 *
 * One pass over the tape with an explicit stack: a frame is an object, whose members are
 * looked up in its type, or an array of objects. Primitives are checked where they stand.
 * Nothing is spent on messages until something is wrong. */
#include "validate/structure_check.h"

enum { NAME_BUFFER = 256 };

/* ---- frames ---- */

static med_check_frame *push(med_check *c, uint32_t node, med_type type)
{
    med_check_frame *f = &c->stack[c->depth++];
    *f = (med_check_frame){.node = node,
                           .at = node + 1,
                           .end = c->j->nodes[node].next,
                           .type = type,
                           .owner = MED_TYPE_NONE};
    if (c->depth > 1) {
        f->resource = f[-1].resource;
        f->root = f[-1].root;
        f->entry = f[-1].entry;
    }
    return f;
}

/* The concrete type of a resource object, by its resourceType. */
static med_type resource_type(med_check *c, uint32_t node)
{
    uint32_t at = med_json_member(c->j, node, MED_STR("resourceType"));
    med_str name;
    if (at == 0) {
        med_check_problem(c, node, "resourceType", MED_ISSUE_REQUIRED,
                          "resourceType is missing: it names the type of the resource");
        return MED_TYPE_NONE;
    }
    if (med_json_kind_at(c->j, at) != MED_JSON_STRING || !med_json_string(c->a, c->j, at, &name)) {
        med_check_problem(c, at, NULL, MED_ISSUE_STRUCTURE,
                          "resourceType is a string, like \"Patient\"");
        return MED_TYPE_NONE;
    }
    med_type t = med_pack_type(c->p, name);
    if (t != MED_TYPE_NONE && med_type_kind_of(c->p, t) == MED_TYPE_RESOURCE
        && !med_type_is_abstract(c->p, t))
        return t;
    med_str near = med_pack_nearest_resource(c->p, name);
    med_check_problem(c, at, NULL, MED_ISSUE_VALUE, "%.*s is no R4 resource type%s%.*s",
                      MED_STR_ARG(med_check_shown(name)), near.len > 0 ? "; nearest: " : "",
                      MED_STR_ARG(near));
    return MED_TYPE_NONE;
}

static void note_resource(med_check *c, const med_check_frame *f)
{
    const med_profile_use *use = c->options->profiles;
    med_check_noted noted = {
        .node = f->node, .resource = f->resource, .root = f->root, .entry = f->entry};
    if (f->node == c->root || use->claimed || (use->n_listed > 0 && f->resource == f->root))
        med_check_note(c, &noted);
}

/* Begins an object that stands at an element (or the root, owner MED_TYPE_NONE). */
static void enter_object(med_check *c, uint32_t node, med_type type, const med_check_frame *place)
{
    if (c->j->nodes[node].count == 0) {
        med_check_problem(c, node, NULL, MED_ISSUE_STRUCTURE,
                          "an object may not be empty: leave the element out");
        return;
    }
    bool is_resource = type == c->resource;
    if (is_resource)
        type = resource_type(c, node);
    if (type == MED_TYPE_NONE)
        return;
    uint32_t holder = c->depth > 0 ? c->stack[c->depth - 1].node : 0;
    med_check_frame *f = push(c, node, type);
    if (is_resource)
        f->resource = node;
    if (is_resource && !place->in_contained) {
        f->root = node;
        f->entry = holder;
    }
    if (is_resource && c->profiles != NULL)
        note_resource(c, f);
    f->owner = place->owner;
    f->owner_element = place->owner_element;
    f->in_contained = place->in_contained;
}

/* Begins an array of objects. */
static med_check_frame *enter_array(med_check *c, uint32_t node, med_type type,
                                    const med_check_frame *place)
{
    med_check_frame *f = push(c, node, type);
    f->owner = place->owner;
    f->owner_element = place->owner_element;
    f->in_contained = place->in_contained;
    f->is_array = true;
    return f;
}

/* ---- members ---- */

/* A key without its escapes; `buffer` is used only if it has some. */
static med_str key_name(const med_check *c, uint32_t key, char buffer[NAME_BUFFER])
{
    med_str name;
    if (!med_json_string_into(c->j, key, buffer, NAME_BUFFER, &name))
        return MED_STR("?"); /* longer than any name */
    return name;
}

static void unknown_member(med_check *c, const med_check_frame *f, uint32_t key, med_str name)
{
    if (med_str_eqz(name, "resourceType") && med_type_kind_of(c->p, f->type) == MED_TYPE_RESOURCE)
        return; /* read when the frame was entered */
    if (med_str_eqz(name, "fhir_comments")) {
        med_check_problem(c, key, NULL, MED_ISSUE_STRUCTURE,
                          "fhir_comments was taken out of FHIR JSON; put the comment elsewhere");
        return;
    }
    size_t element = med_type_find_element(c->p, f->type, name);
    if (element != SIZE_MAX) {
        size_t first = 0;
        size_t n = med_element_properties(c->p, f->type, element, &first);
        med_property one;
        med_type_property_at(c->p, f->type, first, &one);
        med_check_problem(c, key, NULL, MED_ISSUE_STRUCTURE,
                          "'%.*s' needs its type in its name, like '%.*s' (%zu types are possible)",
                          MED_STR_ARG(name), MED_STR_ARG(one.name), n);
        return;
    }
    med_str near = med_type_nearest_property(c->p, f->type, name);
    med_check_problem(c, key, NULL, MED_ISSUE_STRUCTURE, "%.*s has no element '%.*s'%s%.*s",
                      MED_STR_ARG(med_type_name(c->p, f->type)), MED_STR_ARG(med_check_shown(name)),
                      near.len > 0 ? "; nearest: " : "", MED_STR_ARG(near));
}

/* An element that was seen before: a second type of a choice, unless it is the other half of
 * the pair name / _name. Looks back over the members, of which at most a few are of one
 * element, and unknown ones end the check after MED_STRUCTURE_PROBLEMS. */
static void check_choice(med_check *c, const med_check_frame *f, uint32_t key,
                         const med_property *property)
{
    char buffer[NAME_BUFFER];
    for (uint32_t k = f->node + 1; k < key; k = c->j->nodes[k + 1].next) {
        med_str name = key_name(c, k, buffer);
        if (name.len > 0 && name.ptr[0] == '_')
            name = med_str_skip(name, 1);
        med_property other;
        if (!med_type_property(c->p, f->type, name, &other) || other.element != property->element
            || other.name.ptr == property->name.ptr)
            continue;
        med_check_problem(c, key, NULL, MED_ISSUE_STRUCTURE,
                          "only one of '%.*s' and '%.*s' may be there", MED_STR_ARG(other.name),
                          MED_STR_ARG(property->name));
        return;
    }
}

static void check_count(med_check *c, med_type owner, const med_property *property, uint32_t node)
{
    uint32_t count = c->j->nodes[node].count;
    if (count == 0) {
        med_check_problem(c, node, NULL, MED_ISSUE_STRUCTURE,
                          "an array may not be empty: leave the element out");
        return;
    }
    med_element e;
    med_type_element(c->p, owner, property->element, &e);
    if (e.max != MED_MAX_UNBOUNDED && count > e.max)
        med_check_problem(c, node, NULL, MED_ISSUE_STRUCTURE, "%u values, at most %u allowed",
                          count, e.max);
}

static bool has_sibling(const med_check *c, const med_check_frame *f, const med_property *property)
{
    char name[NAME_BUFFER] MED_UNINITIALIZED;
    name[0] = '_';
    size_t len = property->name.len < NAME_BUFFER - 1 ? property->name.len : NAME_BUFFER - 1;
    memcpy(name + 1, property->name.ptr, len);
    return med_json_member(c->j, f->node, (med_str){name, len + 1}) != 0;
}

/* Values of an array of primitives. A null stands for a value that has only extensions: the
 * `_name` beside it, which is checked with it. */
static void check_primitives(med_check *c, const med_check_frame *f, uint32_t list,
                             const med_property *property)
{
    const med_json_node *nodes = c->j->nodes;
    bool knows_sibling = false;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        if (med_json_kind_at(c->j, e) != MED_JSON_NULL) {
            med_check_primitive(c, f->type, property, e);
            continue;
        }
        if (!knows_sibling && !has_sibling(c, f, property)) {
            med_check_problem(c, e, NULL, MED_ISSUE_STRUCTURE,
                              "null stands only where '_%.*s' has an element for it",
                              MED_STR_ARG(property->name));
            return;
        }
        knows_sibling = true;
    }
}

static void check_contained(med_check *c, const med_check_frame *f, uint32_t key)
{
    if (f->in_contained)
        med_check_problem(c, key + 1, NULL, MED_ISSUE_STRUCTURE,
                          "a contained resource may not contain resources itself");
}

/* One value, or an array of them, of a complex type. */
static void enter_value(med_check *c, const med_check_frame *f, const med_property *property,
                        uint32_t value)
{
    enum med_json_kind kind = med_json_kind_at(c->j, value);
    bool contained = property->type == c->resource && property->is_array;
    med_check_frame place = {.owner = f->type,
                             .owner_element = property->element,
                             .in_contained = f->in_contained || contained};
    if (kind == MED_JSON_ARRAY) {
        (void)enter_array(c, value, property->type, &place);
    } else if (kind == MED_JSON_OBJECT && c->options->envelope && property->type == c->resource) {
        return;
    } else if (kind == MED_JSON_OBJECT) {
        enter_object(c, value, property->type, &place);
    } else {
        med_check_problem(
            c, value, NULL, MED_ISSUE_STRUCTURE, "expected an object (%.*s), found %s",
            MED_STR_ARG(med_type_name(c->p, property->type)), med_check_kind_name(kind));
    }
}

static void check_value(med_check *c, med_check_frame *f, uint32_t key,
                        const med_property *property)
{
    uint32_t value = key + 1;
    bool is_array = med_json_kind_at(c->j, value) == MED_JSON_ARRAY;
    if (is_array != property->is_array) {
        med_check_problem(c, value, NULL, MED_ISSUE_STRUCTURE,
                          is_array ? "'%.*s' has one value: no array here"
                                   : "'%.*s' is an array: write [ ]",
                          MED_STR_ARG(property->name));
        return;
    }
    if (is_array)
        check_count(c, f->type, property, value);
    if (property->type == c->resource && is_array)
        check_contained(c, f, key);
    if (property->primitive == MED_PRIMITIVE_NONE)
        enter_value(c, f, property, value);
    else if (is_array)
        check_primitives(c, f, value, property);
    else
        med_check_primitive(c, f->type, property, value);
}

/* ---- `_name`: id and extensions of a primitive ---- */

/* Both arrays have the same length, and no place is empty in both. */
static void check_pairs(med_check *c, uint32_t values, uint32_t siblings)
{
    const med_json_node *nodes = c->j->nodes;
    if (nodes[values].count != nodes[siblings].count) {
        med_check_problem(c, siblings, NULL, MED_ISSUE_STRUCTURE,
                          "%u elements beside %u values: fill up with null", nodes[siblings].count,
                          nodes[values].count);
        return;
    }
    uint32_t v = values + 1;
    for (uint32_t e = siblings + 1; e < nodes[siblings].next; e = nodes[e].next) {
        if (med_json_kind_at(c->j, e) == MED_JSON_NULL
            && med_json_kind_at(c->j, v) == MED_JSON_NULL)
            med_check_problem(c, v, NULL, MED_ISSUE_STRUCTURE,
                              "neither a value nor extensions here");
        v = nodes[v].next;
    }
}

/* The objects are frames like others, of the primitive's type: it has id and extension. */
static void enter_siblings(med_check *c, const med_check_frame *f, const med_property *property,
                           uint32_t value, bool has_values)
{
    med_check_frame place = {
        .owner = f->type, .owner_element = property->element, .in_contained = f->in_contained};
    if (!property->is_array)
        enter_object(c, value, property->type, &place);
    else
        enter_array(c, value, property->type, &place)->null_allowed = has_values;
}

static void check_sibling(med_check *c, med_check_frame *f, uint32_t key, med_str name)
{
    med_property property;
    uint32_t value = key + 1;
    if (!med_type_property(c->p, f->type, med_str_skip(name, 1), &property)) {
        unknown_member(c, f, key, name);
        return;
    }
    if (property.primitive == MED_PRIMITIVE_NONE || property.primitive == MED_PRIMITIVE_XHTML
        || property.primitive == MED_PRIMITIVE_FHIRPATH_STRING
        || med_str_eqz(property.name, "id")) {
        med_check_problem(c, key, NULL, MED_ISSUE_STRUCTURE, "'%.*s' can not have extensions",
                          MED_STR_ARG(property.name));
        return;
    }
    if (med_check_was_seen(f, property.element))
        check_choice(c, f, key, &property);
    med_check_set_seen(f, property.element);
    enum med_json_kind wanted = property.is_array ? MED_JSON_ARRAY : MED_JSON_OBJECT;
    if (med_json_kind_at(c->j, value) != wanted) {
        med_check_problem(
            c, value, NULL, MED_ISSUE_STRUCTURE, "expected %s with id and extensions, found %s",
            med_check_kind_name(wanted), med_check_kind_name(med_json_kind_at(c->j, value)));
        return;
    }
    if (c->j->nodes[value].count == 0) {
        med_check_problem(c, value, NULL, MED_ISSUE_STRUCTURE, "nothing is in it: leave it out");
        return;
    }
    uint32_t values = property.is_array ? med_json_member(c->j, f->node, property.name) : 0;
    if (values != 0 && med_json_kind_at(c->j, values) == MED_JSON_ARRAY)
        check_pairs(c, values, value);
    enter_siblings(c, f, &property, value, values != 0);
}

static void check_member(med_check *c, med_check_frame *f)
{
    uint32_t key = f->at;
    f->at = c->j->nodes[key + 1].next;
    char buffer[NAME_BUFFER] MED_UNINITIALIZED;
    med_str name = key_name(c, key, buffer);
    if (name.len > 1 && name.ptr[0] == '_') {
        check_sibling(c, f, key, name);
        return;
    }
    med_property property;
    if (!med_type_property(c->p, f->type, name, &property)) {
        unknown_member(c, f, key, name);
        return;
    }
    if (med_check_was_seen(f, property.element))
        check_choice(c, f, key, &property);
    med_check_set_seen(f, property.element);
    check_value(c, f, key, &property);
}

/* The next element of an array of objects. */
static void check_element(med_check *c, med_check_frame *f)
{
    uint32_t e = f->at;
    f->at = c->j->nodes[e].next;
    enum med_json_kind kind = med_json_kind_at(c->j, e);
    if (kind == MED_JSON_OBJECT)
        enter_object(c, e, f->type, f);
    else if (kind != MED_JSON_NULL || !f->null_allowed)
        med_check_problem(c, e, NULL, MED_ISSUE_STRUCTURE, "expected an object (%.*s), found %s",
                          MED_STR_ARG(med_type_name(c->p, f->type)), med_check_kind_name(kind));
}

static void run(med_check *c)
{
    while (c->depth > 0 && !c->list->more && !c->out_of_memory && !c->failed) {
        med_check_frame *f = &c->stack[c->depth - 1];
        if (f->at < f->end) {
            if (f->is_array)
                check_element(c, f);
            else
                check_member(c, f);
            continue;
        }
        if (!f->is_array)
            med_check_end(c, f);
        c->depth--;
    }
}

bool med_structure_check_with(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                              const med_structure_options *options, med_type *type,
                              med_problems *list, med_err *err)
{
    static const med_structure_options none = {.base = MED_LIT("")};
    med_check c MED_UNINITIALIZED; /* the stack is filled as it grows */
    c.a = a;
    c.p = p;
    c.j = j;
    c.root = root;
    c.options = options == NULL ? &none : options;
    c.list = list;
    c.resource = med_pack_type(p, MED_STR("Resource"));
    c.reference = med_pack_type(p, MED_STR("Reference"));
    c.extension = med_pack_type(p, MED_STR("Extension"));
    c.concept = med_pack_type(p, MED_STR("CodeableConcept"));
    c.coding = med_pack_type(p, MED_STR("Coding"));
    c.quantity = med_pack_type(p, MED_STR("Quantity"));
    c.bundle = med_pack_type(p, MED_STR("Bundle"));
    c.attachment = med_pack_type(p, MED_STR("Attachment"));
    c.response = med_pack_type(p, MED_STR("QuestionnaireResponse"));
    c.index = NULL;
    c.scratch = NULL;
    c.out_of_memory = c.failed = false;
    c.err = err;
    c.run = NULL;
    c.noted = NULL;
    c.n_noted = c.room_noted = 0;
    c.silent = c.found = c.in_expression = false;
    c.profiles = NULL;
    if (c.options->profiles != NULL && c.options->profiles->cache != NULL
        && c.options->rules != NULL
        && (c.profiles = med_profile_set_hold(c.options->profiles, a, err)) == NULL)
        return false;
    c.depth = 0;
    *type = MED_TYPE_NONE;
    if (med_json_kind_at(j, root) != MED_JSON_OBJECT) {
        med_check_problem(&c, root, NULL, MED_ISSUE_STRUCTURE,
                          "a resource is a JSON object, found %s",
                          med_check_kind_name(med_json_kind_at(j, root)));
    } else {
        med_check_frame place = {.owner = MED_TYPE_NONE};
        enter_object(&c, root, c.resource, &place);
        if (c.depth > 0)
            *type = c.stack[0].type;
        c.allow_conditional =
            c.options->allow_conditional || med_str_eqz(med_type_name(p, *type), "Bundle");
        run(&c);
        if (c.n_noted > 0)
            med_check_profiles(&c);
    }
    med_arena_free(c.scratch);
    return c.out_of_memory ? MED_FAIL_MEMORY(err) : !c.failed;
}

bool med_structure_check(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                         med_type *type, med_problems *list, med_err *err)
{
    return med_structure_check_with(a, p, j, root, NULL, type, list, err);
}
