/* structure.c - https://hl7.org/fhir/R4/json.html
 *
 * One pass over the tape with an explicit stack: a frame is an object, whose members are
 * looked up in its type, or an array of objects. Primitives are checked where they stand.
 * Nothing is spent on messages until something is wrong. */
#include "validate/structure.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/reference.h"
#include "model/walk.h"
#include "model/xhtml.h"
#include "validate/primitive.h"

/* One frame a JSON level; the parser allows MED_JSON_DEPTH of them. */
enum { STACK = MED_JSON_DEPTH + 1, NAME_BUFFER = 256, NAME_SHOWN = 64, SEEN_WORDS = 2 };
_Static_assert(SEEN_WORDS * 64 >= MED_TYPE_ELEMENTS_MAX, "every element of a type has its bit");

struct frame {
    uint32_t node;
    uint32_t at, end; /* next key or element */
    med_type type;    /* of the object, or of the array's elements */
    med_type owner;   /* type and element where the object stands, for its reference targets */
    uint16_t owner_element;
    bool is_array;
    bool null_allowed; /* an array whose nulls stand for values that have no extensions */
    bool in_contained;
    uint64_t seen[SEEN_WORDS];
};

struct check {
    med_arena *a;
    const med_pack *p;
    const med_json *j;
    uint32_t root;
    const med_structure_options *options;
    med_problems *list;
    med_type resource, reference, extension;
    bool allow_conditional;
    bool out_of_memory;
    int depth;
    struct frame stack[STACK];
};

/* ---- saying what is wrong ---- */

static void add(struct check *c, enum med_issue issue, med_str expression, const char *text)
{
    med_problem problem = {.issue = issue, .expression = expression};
    if (!med_arena_copy(c->a, med_str_from(text), &problem.text)
        || !med_problem_add(c->a, c->list, &problem))
        c->out_of_memory = true;
}

enum { TEXT = 512 };

/* At node `node`, or at its member `member` that is not there. */
__attribute__((format(printf, 5, 6), cold)) static void problem(struct check *c, uint32_t node,
                                                                const char *member,
                                                                enum med_issue issue,
                                                                const char *fmt, ...)
{
    if (c->list->more || c->out_of_memory)
        return;
    char text[TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    med_str expression;
    if (!med_node_expression(c->a, c->p, c->j, c->root, node, &expression)) {
        c->out_of_memory = true;
        return;
    }
    if (member != NULL)
        expression = med_arena_printf(c->a, "%.*s.%s", MED_STR_ARG(expression), member);
    add(c, issue, expression, text);
}

static med_str type_name(const struct check *c, med_type t)
{
    return med_type_name(c->p, t);
}

/* A name out of the resource: only what could be one is shown. */
static med_str shown(med_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!med_is_alnum(name.ptr[i]) && name.ptr[i] != '_')
            return MED_STR("(not a name)");
    }
    return med_str_sub(name, 0, NAME_SHOWN);
}

static const char *kind_name(enum med_json_kind kind)
{
    static const char *const names[] = {
        [MED_JSON_NULL] = "null",        [MED_JSON_FALSE] = "a boolean",
        [MED_JSON_TRUE] = "a boolean",   [MED_JSON_NUMBER] = "a number",
        [MED_JSON_STRING] = "a string",  [MED_JSON_ARRAY] = "an array",
        [MED_JSON_OBJECT] = "an object",
    };
    return names[kind];
}

/* ---- values of primitives ---- */

static void check_code(struct check *c, med_type owner, uint16_t element, uint32_t node,
                       med_str code)
{
    med_codes codes = med_element_codes(c->p, owner, element);
    if (codes.n == 0 || med_codes_have(c->p, codes, code))
        return;
    med_element e;
    med_type_element(c->p, owner, element, &e);
    med_str near = med_codes_nearest(c->p, codes, code);
    problem(c, node, NULL, MED_ISSUE_CODE_INVALID, "not a code of %.*s%s%.*s",
            MED_STR_ARG(e.value_set), near.len > 0 ? "; nearest: " : "", MED_STR_ARG(near));
}

static void check_xhtml(struct check *c, uint32_t node, med_str text)
{
    char why[MED_XHTML_TEXT];
    if (!med_xhtml_check(text, why))
        problem(c, node, NULL, MED_ISSUE_VALUE, "the narrative is no legal XHTML: %s", why);
}

/* Text without escapes can not hold control characters: then only its length matters. */
static bool is_free_text(enum med_primitive primitive)
{
    return primitive == MED_PRIMITIVE_STRING || primitive == MED_PRIMITIVE_MARKDOWN;
}

static void check_format(struct check *c, med_type owner, const med_property *property,
                         uint32_t node)
{
    enum med_primitive primitive = (enum med_primitive)property->primitive;
    const med_json_node *n = &c->j->nodes[node];
    med_str text = med_json_raw(c->j, node);
    if (!n->escaped && is_free_text(primitive) && text.len <= MED_STRING_MAX)
        return;
    if (n->escaped && !med_json_string(c->a, c->j, node, &text)) {
        c->out_of_memory = true;
        return;
    }
    if (primitive == MED_PRIMITIVE_XHTML)
        check_xhtml(c, node, text);
    else if (!med_primitive_is_valid(primitive, text))
        problem(c, node, NULL,
                is_free_text(primitive) && text.len > MED_STRING_MAX ? MED_ISSUE_TOO_LONG
                                                                     : MED_ISSUE_VALUE,
                "expected %s", med_primitive_expected(primitive));
    else if (primitive == MED_PRIMITIVE_CODE && !c->options->skip_codes)
        check_code(c, owner, property->element, node, text);
}

static void check_primitive(struct check *c, med_type owner, const med_property *property,
                            uint32_t node)
{
    enum med_json_kind kind = med_json_kind_at(c->j, node);
    if (!med_primitive_kind_fits((enum med_primitive)property->primitive, kind))
        problem(c, node, NULL, MED_ISSUE_STRUCTURE, "expected %s, found %s",
                med_primitive_expected((enum med_primitive)property->primitive), kind_name(kind));
    else if (kind == MED_JSON_STRING && c->j->nodes[node].len == 0)
        problem(c, node, NULL, MED_ISSUE_STRUCTURE,
                "a string may not be empty: leave the element out");
    else
        check_format(c, owner, property, node);
}

/* ---- frames ---- */

static struct frame *push(struct check *c, uint32_t node, med_type type)
{
    struct frame *f = &c->stack[c->depth++];
    *f = (struct frame){.node = node,
                        .at = node + 1,
                        .end = c->j->nodes[node].next,
                        .type = type,
                        .owner = MED_TYPE_NONE};
    return f;
}

/* The concrete type of a resource object, by its resourceType. */
static med_type resource_type(struct check *c, uint32_t node)
{
    uint32_t at = med_json_member(c->j, node, MED_STR("resourceType"));
    med_str name;
    if (at == 0) {
        problem(c, node, "resourceType", MED_ISSUE_REQUIRED,
                "resourceType is missing: it names the type of the resource");
        return MED_TYPE_NONE;
    }
    if (med_json_kind_at(c->j, at) != MED_JSON_STRING || !med_json_string(c->a, c->j, at, &name)) {
        problem(c, at, NULL, MED_ISSUE_STRUCTURE, "resourceType is a string, like \"Patient\"");
        return MED_TYPE_NONE;
    }
    med_type t = med_pack_type(c->p, name);
    if (t != MED_TYPE_NONE && med_type_kind_of(c->p, t) == MED_TYPE_RESOURCE
        && !med_type_is_abstract(c->p, t))
        return t;
    med_str near = med_pack_nearest_resource(c->p, name);
    problem(c, at, NULL, MED_ISSUE_VALUE, "%.*s is no R4 resource type%s%.*s",
            MED_STR_ARG(shown(name)), near.len > 0 ? "; nearest: " : "", MED_STR_ARG(near));
    return MED_TYPE_NONE;
}

/* Begins an object that stands at an element (or the root, owner MED_TYPE_NONE). */
static void enter_object(struct check *c, uint32_t node, med_type type, const struct frame *place)
{
    if (c->j->nodes[node].count == 0) {
        problem(c, node, NULL, MED_ISSUE_STRUCTURE,
                "an object may not be empty: leave the element out");
        return;
    }
    if (type == c->resource)
        type = resource_type(c, node);
    if (type == MED_TYPE_NONE)
        return;
    struct frame *f = push(c, node, type);
    f->owner = place->owner;
    f->owner_element = place->owner_element;
    f->in_contained = place->in_contained;
}

/* Begins an array of objects. */
static struct frame *enter_array(struct check *c, uint32_t node, med_type type,
                                 const struct frame *place)
{
    struct frame *f = push(c, node, type);
    f->owner = place->owner;
    f->owner_element = place->owner_element;
    f->in_contained = place->in_contained;
    f->is_array = true;
    return f;
}

/* ---- members ---- */

static bool was_seen(const struct frame *f, uint16_t element)
{
    return (f->seen[element / 64] >> (element % 64) & 1) != 0;
}

static void set_seen(struct frame *f, uint16_t element)
{
    f->seen[element / 64] |= (uint64_t)1 << (element % 64);
}

/* A key without its escapes; `buffer` is used only if it has some. */
static med_str key_name(const struct check *c, uint32_t key, char buffer[NAME_BUFFER])
{
    med_str name;
    if (!med_json_string_into(c->j, key, buffer, NAME_BUFFER, &name))
        return MED_STR("?"); /* longer than any name */
    return name;
}

static void unknown_member(struct check *c, const struct frame *f, uint32_t key, med_str name)
{
    if (med_str_eqz(name, "resourceType") && med_type_kind_of(c->p, f->type) == MED_TYPE_RESOURCE)
        return; /* read when the frame was entered */
    if (med_str_eqz(name, "fhir_comments")) {
        problem(c, key, NULL, MED_ISSUE_STRUCTURE,
                "fhir_comments was taken out of FHIR JSON; put the comment elsewhere");
        return;
    }
    size_t element = med_type_find_element(c->p, f->type, name);
    if (element != SIZE_MAX) {
        size_t first = 0;
        size_t n = med_element_properties(c->p, f->type, element, &first);
        med_property one;
        med_type_property_at(c->p, f->type, first, &one);
        problem(c, key, NULL, MED_ISSUE_STRUCTURE,
                "'%.*s' needs its type in its name, like '%.*s' (%zu types are possible)",
                MED_STR_ARG(name), MED_STR_ARG(one.name), n);
        return;
    }
    med_str near = med_type_nearest_property(c->p, f->type, name);
    problem(c, key, NULL, MED_ISSUE_STRUCTURE, "%.*s has no element '%.*s'%s%.*s",
            MED_STR_ARG(type_name(c, f->type)), MED_STR_ARG(shown(name)),
            near.len > 0 ? "; nearest: " : "", MED_STR_ARG(near));
}

/* An element that was seen before: a second type of a choice, unless it is the other half of
 * the pair name / _name. Looks back over the members, of which at most a few are of one
 * element, and unknown ones end the check after MED_STRUCTURE_PROBLEMS. */
static void check_choice(struct check *c, const struct frame *f, uint32_t key,
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
        problem(c, key, NULL, MED_ISSUE_STRUCTURE, "only one of '%.*s' and '%.*s' may be there",
                MED_STR_ARG(other.name), MED_STR_ARG(property->name));
        return;
    }
}

static void check_count(struct check *c, med_type owner, const med_property *property,
                        uint32_t node)
{
    uint32_t count = c->j->nodes[node].count;
    if (count == 0) {
        problem(c, node, NULL, MED_ISSUE_STRUCTURE,
                "an array may not be empty: leave the element out");
        return;
    }
    med_element e;
    med_type_element(c->p, owner, property->element, &e);
    if (e.max != MED_MAX_UNBOUNDED && count > e.max)
        problem(c, node, NULL, MED_ISSUE_STRUCTURE, "%u values, at most %u allowed", count, e.max);
}

static bool has_sibling(const struct check *c, const struct frame *f, const med_property *property)
{
    char name[NAME_BUFFER] MED_UNINITIALIZED;
    name[0] = '_';
    size_t len = property->name.len < NAME_BUFFER - 1 ? property->name.len : NAME_BUFFER - 1;
    memcpy(name + 1, property->name.ptr, len);
    return med_json_member(c->j, f->node, (med_str){name, len + 1}) != 0;
}

/* Values of an array of primitives. A null stands for a value that has only extensions: the
 * `_name` beside it, which is checked with it. */
static void check_primitives(struct check *c, const struct frame *f, uint32_t list,
                             const med_property *property)
{
    const med_json_node *nodes = c->j->nodes;
    bool knows_sibling = false;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        if (med_json_kind_at(c->j, e) != MED_JSON_NULL) {
            check_primitive(c, f->type, property, e);
            continue;
        }
        if (!knows_sibling && !has_sibling(c, f, property)) {
            problem(c, e, NULL, MED_ISSUE_STRUCTURE,
                    "null stands only where '_%.*s' has an element for it",
                    MED_STR_ARG(property->name));
            return;
        }
        knows_sibling = true;
    }
}

static void check_contained(struct check *c, const struct frame *f, uint32_t key)
{
    if (f->in_contained)
        problem(c, key + 1, NULL, MED_ISSUE_STRUCTURE,
                "a contained resource may not contain resources itself");
}

/* One value, or an array of them, of a complex type. */
static void enter_value(struct check *c, const struct frame *f, const med_property *property,
                        uint32_t value)
{
    enum med_json_kind kind = med_json_kind_at(c->j, value);
    bool contained = property->type == c->resource && property->is_array;
    struct frame place = {.owner = f->type,
                          .owner_element = property->element,
                          .in_contained = f->in_contained || contained};
    if (kind == MED_JSON_ARRAY) {
        (void)enter_array(c, value, property->type, &place);
    } else if (kind == MED_JSON_OBJECT) {
        enter_object(c, value, property->type, &place);
    } else {
        problem(c, value, NULL, MED_ISSUE_STRUCTURE, "expected an object (%.*s), found %s",
                MED_STR_ARG(type_name(c, property->type)), kind_name(kind));
    }
}

static void check_value(struct check *c, struct frame *f, uint32_t key,
                        const med_property *property)
{
    uint32_t value = key + 1;
    bool is_array = med_json_kind_at(c->j, value) == MED_JSON_ARRAY;
    if (is_array != property->is_array) {
        problem(c, value, NULL, MED_ISSUE_STRUCTURE,
                is_array ? "'%.*s' has one value: no array here" : "'%.*s' is an array: write [ ]",
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
        check_primitive(c, f->type, property, value);
}

/* ---- `_name`: id and extensions of a primitive ---- */

/* Both arrays have the same length, and no place is empty in both. */
static void check_pairs(struct check *c, uint32_t values, uint32_t siblings)
{
    const med_json_node *nodes = c->j->nodes;
    if (nodes[values].count != nodes[siblings].count) {
        problem(c, siblings, NULL, MED_ISSUE_STRUCTURE,
                "%u elements beside %u values: fill up with null", nodes[siblings].count,
                nodes[values].count);
        return;
    }
    uint32_t v = values + 1;
    for (uint32_t e = siblings + 1; e < nodes[siblings].next; e = nodes[e].next) {
        if (med_json_kind_at(c->j, e) == MED_JSON_NULL
            && med_json_kind_at(c->j, v) == MED_JSON_NULL)
            problem(c, v, NULL, MED_ISSUE_STRUCTURE, "neither a value nor extensions here");
        v = nodes[v].next;
    }
}

/* The objects are frames like others, of the primitive's type: it has id and extension. */
static void enter_siblings(struct check *c, const struct frame *f, const med_property *property,
                           uint32_t value, bool has_values)
{
    struct frame place = {
        .owner = f->type, .owner_element = property->element, .in_contained = f->in_contained};
    if (!property->is_array)
        enter_object(c, value, property->type, &place);
    else
        enter_array(c, value, property->type, &place)->null_allowed = has_values;
}

static void check_sibling(struct check *c, struct frame *f, uint32_t key, med_str name)
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
        problem(c, key, NULL, MED_ISSUE_STRUCTURE, "'%.*s' can not have extensions",
                MED_STR_ARG(property.name));
        return;
    }
    if (was_seen(f, property.element))
        check_choice(c, f, key, &property);
    set_seen(f, property.element);
    enum med_json_kind wanted = property.is_array ? MED_JSON_ARRAY : MED_JSON_OBJECT;
    if (med_json_kind_at(c->j, value) != wanted) {
        problem(c, value, NULL, MED_ISSUE_STRUCTURE, "expected %s with id and extensions, found %s",
                kind_name(wanted), kind_name(med_json_kind_at(c->j, value)));
        return;
    }
    if (c->j->nodes[value].count == 0) {
        problem(c, value, NULL, MED_ISSUE_STRUCTURE, "nothing is in it: leave it out");
        return;
    }
    uint32_t values = property.is_array ? med_json_member(c->j, f->node, property.name) : 0;
    if (values != 0 && med_json_kind_at(c->j, values) == MED_JSON_ARRAY)
        check_pairs(c, values, value);
    enter_siblings(c, f, &property, value, values != 0);
}

static void check_member(struct check *c, struct frame *f)
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
    if (was_seen(f, property.element))
        check_choice(c, f, key, &property);
    set_seen(f, property.element);
    check_value(c, f, key, &property);
}

/* ---- what is known when an object ends ---- */

static void check_required(struct check *c, const struct frame *f)
{
    size_t n = 0;
    const uint16_t *required = med_type_required(c->p, f->type, &n);
    for (size_t i = 0; i < n; i++) {
        if (was_seen(f, required[i]))
            continue;
        med_element e;
        med_type_element(c->p, f->type, required[i], &e);
        char name[NAME_SHOWN + 1];
        (void)snprintf(name, sizeof name, "%.*s", MED_STR_ARG(e.name));
        problem(c, f->node, name, MED_ISSUE_REQUIRED, "%.*s%s is required", MED_STR_ARG(e.path),
                e.is_choice && !med_str_ends(e.path, MED_STR("[x]")) ? "[x]" : "");
    }
}

/* ext-1: a value, or extensions inside, not both and not neither. */
static void check_extension(struct check *c, const struct frame *f)
{
    size_t value = med_type_find_element(c->p, f->type, MED_STR("value"));
    size_t inside = med_type_find_element(c->p, f->type, MED_STR("extension"));
    if (was_seen(f, (uint16_t)value) == was_seen(f, (uint16_t)inside))
        problem(c, f->node, NULL, MED_ISSUE_INVARIANT,
                "an extension has either a value[x] or extensions inside (ext-1)");
}

static bool is_target(const struct check *c, med_type type, const med_type *targets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (med_type_is_a(c->p, type, targets[i]))
            return true;
    }
    return n == 0;
}

static void check_target(struct check *c, const struct frame *f, uint32_t node, med_type type)
{
    size_t n = 0;
    const med_type *targets = med_element_targets(c->p, f->owner, f->owner_element, &n);
    if (is_target(c, type, targets, n))
        return;
    char names[TEXT / 2];
    size_t len = 0;
    for (size_t i = 0; i < n && len + 1 < sizeof names; i++) {
        int more = snprintf(names + len, sizeof names - len, "%s%.*s", i == 0 ? "" : ", ",
                            MED_STR_ARG(type_name(c, targets[i])));
        len += more < 0 ? 0 : (size_t)more;
    }
    /* A warning: the specification's own examples point at other types here and there, and what
     * it is stays readable. Profiles are where this becomes an error. */
    size_t before = c->list->n;
    problem(c, node, NULL, MED_ISSUE_VALUE, "a reference to %.*s can not stand here; expected %s",
            MED_STR_ARG(type_name(c, type)), names);
    if (c->list->n > before)
        c->list->at[before].is_warning = true;
}

/* Type of the reference at node `text`, or MED_TYPE_NONE when it does not tell or is wrong. */
static med_type check_reference_text(struct check *c, uint32_t node)
{
    med_str text;
    if (med_json_kind_at(c->j, node) != MED_JSON_STRING || c->j->nodes[node].len == 0)
        return MED_TYPE_NONE; /* said already */
    if (!med_json_string(c->a, c->j, node, &text)) {
        c->out_of_memory = true;
        return MED_TYPE_NONE;
    }
    med_reference r;
    med_err err = {0};
    if (!med_reference_parse(c->p, text, c->options->base, &r, &err)) {
        problem(c, node, NULL, MED_ISSUE_VALUE, "%s", err.text);
        return MED_TYPE_NONE;
    }
    if (r.kind == MED_REFERENCE_CONDITIONAL && !c->allow_conditional)
        problem(c, node, NULL, MED_ISSUE_VALUE,
                "Type?query is a reference only inside a transaction");
    return r.type.len == 0 ? MED_TYPE_NONE : med_pack_type(c->p, r.type);
}

/* Reference.type: the name of a resource type, and the one that the reference has. */
static void check_reference_type(struct check *c, uint32_t node, med_type type)
{
    if (node == 0 || med_json_kind_at(c->j, node) != MED_JSON_STRING || type == MED_TYPE_NONE)
        return;
    med_str said = med_json_raw(c->j, node);
    if (med_str_find(said, ':', 0) == said.len
        && !med_json_string_is(c->j, node, type_name(c, type)))
        problem(c, node, NULL, MED_ISSUE_VALUE, "the reference itself names %.*s",
                MED_STR_ARG(type_name(c, type)));
}

static void check_reference(struct check *c, const struct frame *f)
{
    uint32_t text = med_json_member(c->j, f->node, MED_STR("reference"));
    med_type type = text == 0 ? MED_TYPE_NONE : check_reference_text(c, text);
    check_reference_type(c, med_json_member(c->j, f->node, MED_STR("type")), type);
    if (type != MED_TYPE_NONE && f->owner != MED_TYPE_NONE)
        check_target(c, f, text, type);
}

static void leave_object(struct check *c, const struct frame *f)
{
    check_required(c, f);
    if (f->type == c->reference)
        check_reference(c, f);
    else if (f->type == c->extension)
        check_extension(c, f);
}

/* The next element of an array of objects. */
static void check_element(struct check *c, struct frame *f)
{
    uint32_t e = f->at;
    f->at = c->j->nodes[e].next;
    enum med_json_kind kind = med_json_kind_at(c->j, e);
    if (kind == MED_JSON_OBJECT)
        enter_object(c, e, f->type, f);
    else if (kind != MED_JSON_NULL || !f->null_allowed)
        problem(c, e, NULL, MED_ISSUE_STRUCTURE, "expected an object (%.*s), found %s",
                MED_STR_ARG(type_name(c, f->type)), kind_name(kind));
}

static void run(struct check *c)
{
    while (c->depth > 0 && !c->list->more && !c->out_of_memory) {
        struct frame *f = &c->stack[c->depth - 1];
        if (f->at < f->end) {
            if (f->is_array)
                check_element(c, f);
            else
                check_member(c, f);
            continue;
        }
        if (!f->is_array)
            leave_object(c, f);
        c->depth--;
    }
}

bool med_structure_check_with(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                              const med_structure_options *options, med_type *type,
                              med_problems *list, med_err *err)
{
    static const med_structure_options none = {.base = MED_LIT("")};
    struct check c MED_UNINITIALIZED; /* the stack is filled as it grows */
    c.a = a;
    c.p = p;
    c.j = j;
    c.root = root;
    c.options = options == NULL ? &none : options;
    c.list = list;
    c.resource = med_pack_type(p, MED_STR("Resource"));
    c.reference = med_pack_type(p, MED_STR("Reference"));
    c.extension = med_pack_type(p, MED_STR("Extension"));
    c.out_of_memory = false;
    c.depth = 0;
    *type = MED_TYPE_NONE;
    if (med_json_kind_at(j, root) != MED_JSON_OBJECT) {
        problem(&c, root, NULL, MED_ISSUE_STRUCTURE, "a resource is a JSON object, found %s",
                kind_name(med_json_kind_at(j, root)));
    } else {
        struct frame place = {.owner = MED_TYPE_NONE};
        enter_object(&c, root, c.resource, &place);
        if (c.depth > 0)
            *type = c.stack[0].type;
        c.allow_conditional =
            c.options->allow_conditional || med_str_eqz(med_type_name(p, *type), "Bundle");
        run(&c);
    }
    return c.out_of_memory ? MED_FAIL_MEMORY(err) : true;
}

bool med_structure_check(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                         med_type *type, med_problems *list, med_err *err)
{
    return med_structure_check_with(a, p, j, root, NULL, type, list, err);
}
