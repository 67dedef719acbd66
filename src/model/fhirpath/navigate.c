/* navigate.c - steps through the tape. https://hl7.org/fhir/R4/json.html#primitive
 *
 * A FHIR primitive may be written twice: its value as "birthDate" and its id and extensions as
 * "_birthDate"; arrays of both go side by side. */
#include "model/fhirpath/values.h"

/* What one property is written as. */
struct pair {
    uint32_t value;     /* node, 0 if none */
    uint32_t extension; /* node of "_name", 0 if none */
    med_type type;
    bool found;
};

static bool push_node(med_fp_run *r, const med_json *j, uint32_t node, uint32_t extension,
                      med_type type)
{
    med_value v = med_fp_node(r->p, j, node, extension, type);
    return med_fp_push(r, &v);
}

/* A member's name; escapes in it are legal, though nobody writes them. */
static inline med_str key_of(const med_fp_run *r, const med_json *j, uint32_t k)
{
    med_str key = med_json_raw(j, k);
    if (__builtin_expect(j->nodes[k].escaped, 0) && !med_json_string(r->a, j, k, &key))
        return MED_STR_EMPTY;
    return key;
}

static bool is_null(const med_json *j, uint32_t node)
{
    return node == 0 || med_json_kind_at(j, node) == MED_JSON_NULL;
}

static bool push_array(med_fp_run *r, const med_json *j, const struct pair *pair)
{
    bool has_values = pair->value != 0 && med_json_kind_at(j, pair->value) == MED_JSON_ARRAY;
    bool has_extensions =
        pair->extension != 0 && med_json_kind_at(j, pair->extension) == MED_JSON_ARRAY;
    uint32_t value = pair->value + 1;
    uint32_t value_end = has_values ? j->nodes[pair->value].next : 0;
    uint32_t extension = pair->extension + 1;
    uint32_t extension_end = has_extensions ? j->nodes[pair->extension].next : 0;
    while ((has_values && value < value_end) || (has_extensions && extension < extension_end)) {
        uint32_t v = 0;
        uint32_t e = 0;
        if (has_values && value < value_end) {
            v = is_null(j, value) ? 0 : value;
            value = j->nodes[value].next;
        }
        if (has_extensions && extension < extension_end) {
            e = is_null(j, extension) ? 0 : extension;
            extension = j->nodes[extension].next;
        }
        if ((v != 0 || e != 0) && !push_node(r, j, v, e, pair->type))
            return false;
    }
    return true;
}

static bool push_pair(med_fp_run *r, const med_json *j, const struct pair *pair)
{
    uint32_t any = pair->value != 0 ? pair->value : pair->extension;
    if (any == 0)
        return true;
    if (med_json_kind_at(j, any) == MED_JSON_ARRAY)
        return push_array(r, j, pair);
    uint32_t value = is_null(j, pair->value) ? 0 : pair->value;
    uint32_t extension = is_null(j, pair->extension) ? 0 : pair->extension;
    return (value == 0 && extension == 0) || push_node(r, j, value, extension, pair->type);
}

/* Does the JSON key (of an object of type t) write the element `name`? */
static bool key_writes(const med_pack *p, med_type t, med_str key, med_str name, med_type *type)
{
    med_property property;
    med_element element;
    if (!med_str_starts(key, name) || (key.len > name.len && !med_is_upper(key.ptr[name.len])))
        return false;
    if (t == MED_TYPE_NONE) {
        *type = MED_TYPE_NONE;
        return key.len == name.len;
    }
    if (!med_type_property(p, t, key, &property))
        return false;
    med_type_element(p, t, property.element, &element);
    *type = property.type;
    return element.is_choice ? med_str_eq(element.name, name) : key.len == name.len;
}

static bool key_is_edge(const struct med_fp_step *step, med_type owner, med_str key, med_type *type)
{
    for (size_t i = 0; i < step->n_edges; i++) {
        if (step->edges[i].owner != owner || !med_str_eq(step->edges[i].key, key))
            continue;
        *type = step->edges[i].type;
        return true;
    }
    return false;
}

static bool knows_owner(const struct med_fp_step *step, med_type owner)
{
    for (size_t i = 0; i < step->n_edges; i++)
        if (step->edges[i].owner == owner)
            return true;
    return false;
}

/* Whatever writes an element begins with its name: the quick way past the other members. */
static inline bool begins(med_str key, med_str name)
{
    return key.len >= name.len && name.len > 0 && key.ptr[0] == name.ptr[0]
           && memcmp(key.ptr, name.ptr, name.len) == 0;
}

static struct pair find_pair(const med_fp_run *r, const struct med_fp_step *step, const med_json *j,
                             uint32_t object, med_type owner)
{
    struct pair pair = {0};
    bool known = knows_owner(step, owner);
    uint32_t end = j->nodes[object].next;
    for (uint32_t k = object + 1; k < end; k = j->nodes[k + 1].next) {
        med_str key = key_of(r, j, k);
        med_type type = MED_TYPE_NONE;
        bool underscore = key.len > 0 && key.ptr[0] == '_';
        if (underscore)
            key = med_str_skip(key, 1);
        if (!begins(key, step->name))
            continue;
        bool hit = known ? key_is_edge(step, owner, key, &type)
                         : key_writes(r->p, owner, key, step->name, &type);
        if (!hit)
            continue;
        pair.found = true;
        pair.type = type;
        if (underscore)
            pair.extension = k + 1;
        else
            pair.value = k + 1;
        /* only primitives are written in two places */
        if (!underscore && type != MED_TYPE_NONE
            && med_type_primitive(r->p, type) == MED_PRIMITIVE_NONE)
            break;
    }
    return pair;
}

/* Of a type: "FHIR.DomainResource"; of System types and of what has no other base, System.Any. */
static med_str base_of(med_fp_run *r, const med_value *v)
{
    med_type t = med_str_eqz(v->unit, "FHIR") ? med_pack_type(r->p, v->text) : MED_TYPE_NONE;
    med_type base = t == MED_TYPE_NONE ? MED_TYPE_NONE : med_type_base(r->p, t);
    if (base == MED_TYPE_NONE)
        return MED_STR("System.Any");
    return med_arena_printf(r->a, "FHIR.%.*s", MED_STR_ARG(med_type_name(r->p, base)));
}

static bool step_system(med_fp_run *r, med_str name, const med_value *v)
{
    med_value out = med_fp_string(MED_STR_EMPTY);
    if (v->kind == MED_VALUE_TYPE && med_str_eqz(name, "name")) {
        out.text = v->text;
    } else if (v->kind == MED_VALUE_TYPE && med_str_eqz(name, "namespace")) {
        out.text = v->unit;
    } else if (v->kind == MED_VALUE_TYPE && med_str_eqz(name, "baseType")) {
        out.text = base_of(r, v);
    } else if (v->kind == MED_VALUE_QUANTITY && med_str_eqz(name, "value")) {
        out.text = v->text;
        out.kind = MED_VALUE_DECIMAL;
    } else if (v->kind == MED_VALUE_QUANTITY
               && (med_str_eqz(name, "unit") || med_str_eqz(name, "code"))) {
        out.text = v->unit;
    } else {
        return true;
    }
    return med_fp_push(r, &out);
}

/* id, extension and value of a primitive. */
static bool step_primitive(med_fp_run *r, const struct med_fp_step *step, const med_value *from)
{
    if (med_str_eqz(step->name, "value") && !med_fp_is_absent(from)) {
        med_value v;
        return med_fp_system(r, from, &v) && med_fp_push(r, &v);
    }
    if (from->extension == 0 || med_json_kind_at(from->json, from->extension) != MED_JSON_OBJECT)
        return true;
    med_type element = med_pack_type(r->p, MED_STR("Element"));
    const struct med_fp_step plain = {.name = step->name};
    struct pair pair = find_pair(r, &plain, from->json, from->extension, element);
    return push_pair(r, from->json, &pair);
}

/* "Observation" at the start of a path also keeps an object whose resourceType says so although
 * the definitions do not know it. */
static bool names_itself(const med_json *j, const med_value *v, med_str name)
{
    uint32_t node = v->type == MED_TYPE_NONE && name.len > 0 && med_is_upper(name.ptr[0])
                        ? med_json_member(j, v->node, MED_STR("resourceType"))
                        : 0;
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING
           && med_json_string_is(j, node, name);
}

/* `resourceType` is no element, but widely used as one. */
static bool push_resource_type(med_fp_run *r, const med_value *v)
{
    med_value name = med_fp_string(med_type_name(r->p, v->type));
    return med_type_kind_of(r->p, v->type) != MED_TYPE_RESOURCE || med_fp_push(r, &name);
}

bool med_fp_step_from(med_fp_run *r, const struct med_fp_step *step, const med_value *from)
{
    if (from->kind != MED_VALUE_NODE)
        return step_system(r, step->name, from);
    if (from->json == NULL)
        return true;
    const med_json *j = from->json;
    if (med_fp_is_absent(from) || med_json_kind_at(j, from->node) != MED_JSON_OBJECT)
        return step_primitive(r, step, from);
    struct pair pair = find_pair(r, step, j, from->node, from->type);
    if (pair.found)
        return push_pair(r, j, &pair);
    if (from->type != MED_TYPE_NONE)
        return !med_str_eqz(step->name, "resourceType") || push_resource_type(r, from);
    return !names_itself(j, from, step->name) || med_fp_push(r, from);
}

/* ---- children ---- */

/* The other half of a pair: "_x" for "x" and "x" for "_x". */
static uint32_t partner(const med_fp_run *r, const med_json *j, uint32_t object, med_str name,
                        bool underscore)
{
    uint32_t end = j->nodes[object].next;
    for (uint32_t k = object + 1; k < end; k = j->nodes[k + 1].next) {
        med_str key = key_of(r, j, k);
        bool has = key.len > 0 && key.ptr[0] == '_';
        if (has == underscore && med_str_eq(has ? med_str_skip(key, 1) : key, name))
            return k + 1;
    }
    return 0;
}

static bool has_underscores(const med_json *j, uint32_t object)
{
    uint32_t end = j->nodes[object].next;
    for (uint32_t k = object + 1; k < end; k = j->nodes[k + 1].next)
        if (j->nodes[k].escaped || (j->nodes[k].len > 0 && med_json_raw(j, k).ptr[0] == '_'))
            return true;
    return false;
}

static bool push_members(med_fp_run *r, const med_json *j, uint32_t object, med_type owner)
{
    uint32_t end = j->nodes[object].next;
    bool pairs = has_underscores(j, object);
    for (uint32_t k = object + 1; k < end; k = j->nodes[k + 1].next) {
        med_str key = key_of(r, j, k);
        bool underscore = key.len > 0 && key.ptr[0] == '_';
        med_str name = underscore ? med_str_skip(key, 1) : key;
        if (med_str_eqz(key, "resourceType") && owner != MED_TYPE_NONE)
            continue;
        if (underscore && partner(r, j, object, name, false) != 0)
            continue; /* goes with its value */
        struct pair pair = {.type = MED_TYPE_NONE};
        med_property property;
        if (owner != MED_TYPE_NONE && med_type_property(r->p, owner, name, &property))
            pair.type = property.type;
        pair.value = underscore ? 0 : k + 1;
        pair.extension = k + 1;
        if (!underscore) {
            bool primitive = pair.type == MED_TYPE_NONE
                             || med_type_primitive(r->p, pair.type) != MED_PRIMITIVE_NONE;
            pair.extension = primitive && pairs ? partner(r, j, object, name, true) : 0;
        }
        if (!med_fp_spend(r, 1) || !push_pair(r, j, &pair))
            return false;
    }
    return true;
}

bool med_fp_push_children(med_fp_run *r, const med_value *from)
{
    if (from->kind != MED_VALUE_NODE || from->json == NULL)
        return true;
    const med_json *j = from->json;
    if (!med_fp_is_absent(from) && med_json_kind_at(j, from->node) == MED_JSON_OBJECT)
        return push_members(r, j, from->node, from->type);
    if (from->extension == 0 || med_json_kind_at(j, from->extension) != MED_JSON_OBJECT)
        return true;
    return push_members(r, j, from->extension, med_pack_type(r->p, MED_STR("Element")));
}

bool med_fp_is_of(const med_fp_run *r, const med_value *v, const struct med_fp_type_test *test)
{
    if (v->kind != MED_VALUE_NODE)
        return test->has_system && v->kind == test->system;
    /* Element.id and Extension.url are System strings in R4 */
    if (v->type != MED_TYPE_NONE && test->has_system && test->system == MED_VALUE_STRING
        && med_type_primitive(r->p, v->type) == MED_PRIMITIVE_FHIRPATH_STRING)
        return true;
    if (v->type != MED_TYPE_NONE)
        return test->fhir != MED_TYPE_NONE && med_type_is_a(r->p, v->type, test->fhir);
    if (!test->has_system || v->json == NULL || med_fp_is_absent(v))
        return false;
    /* a JSON value of no known type */
    med_str text = med_json_raw(v->json, v->node);
    int64_t integer = 0;
    switch (med_json_kind_at(v->json, v->node)) {
    case MED_JSON_TRUE:
    case MED_JSON_FALSE:
        return test->system == MED_VALUE_BOOLEAN;
    case MED_JSON_STRING:
        return test->system == MED_VALUE_STRING;
    case MED_JSON_NUMBER:
        return test->system
               == (med_str_to_int64(text, &integer) ? MED_VALUE_INTEGER : MED_VALUE_DECIMAL);
    case MED_JSON_NULL:
    case MED_JSON_ARRAY:
    case MED_JSON_OBJECT:
        break;
    }
    return false;
}
