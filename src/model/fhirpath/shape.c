/* shape.c - see shape.h */
#include "model/fhirpath/shape.h"

enum { NAMES = 256 };

bool med_fp_shape_type(med_arena *a, const med_pack *p, med_type t, struct med_fp_shape *out)
{
    *out = med_fp_shape_any();
    if (t == MED_TYPE_NONE
        || (med_type_kind_of(p, t) == MED_TYPE_RESOURCE && med_type_is_abstract(p, t)))
        return true;
    med_type *types = MED_TAKE(a, 1, med_type);
    if (types == NULL)
        return false;
    types[0] = t;
    *out = (struct med_fp_shape){.types = types, .n = 1};
    return true;
}

static bool has_type(const med_type *types, size_t n, med_type t)
{
    for (size_t i = 0; i < n; i++)
        if (types[i] == t)
            return true;
    return false;
}

bool med_fp_shape_union(med_arena *a, const struct med_fp_shape *x, const struct med_fp_shape *y,
                        struct med_fp_shape *out)
{
    if (x->any || y->any) {
        *out = med_fp_shape_any();
        return true;
    }
    med_type *types = MED_TAKE(a, x->n + y->n, med_type);
    if (types == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        types[n++] = x->types[i];
    for (size_t i = 0; i < y->n; i++)
        if (!has_type(types, n, y->types[i]))
            types[n++] = y->types[i];
    *out = (struct med_fp_shape){.types = types,
                                 .n = n,
                                 .system = x->system | y->system,
                                 .choice = x->choice || y->choice || n > 1};
    return true;
}

/* Is this JSON property (of type t) what the element `name` is written as? */
static bool writes_element(const med_pack *p, med_type t, const med_property *property,
                           med_str name)
{
    med_element element;
    med_type_element(p, t, property->element, &element);
    return med_str_eq(element.name, name)
           && (element.is_choice || med_str_eq(property->name, name));
}

/* Edges of one type; counts only when `edges` is NULL. */
static size_t find_edges(const med_pack *p, med_type t, med_str name, struct med_fp_edge *edges)
{
    med_property property;
    if (med_type_property(p, t, name, &property) && writes_element(p, t, &property, name)) {
        if (edges != NULL)
            edges[0] = (struct med_fp_edge){property.name, t, property.type};
        return 1;
    }
    size_t found = 0;
    size_t n = med_type_property_count(p, t);
    for (size_t i = 0; i < n; i++) {
        med_type_property_at(p, t, i, &property);
        if (!med_str_starts(property.name, name) || !writes_element(p, t, &property, name))
            continue;
        if (edges != NULL)
            edges[found] = (struct med_fp_edge){property.name, t, property.type};
        found++;
    }
    return found;
}

/* The name of the choice element that `name` is one JSON spelling of, or the empty slice. */
static med_str choice_of(const med_pack *p, const struct med_fp_shape *from, med_str name)
{
    for (size_t i = 0; i < from->n; i++) {
        med_property property;
        med_element element;
        if (!med_type_property(p, from->types[i], name, &property))
            continue;
        med_type_element(p, from->types[i], property.element, &element);
        if (element.is_choice)
            return element.name;
    }
    return MED_STR_EMPTY;
}

static bool fail_unknown(const med_pack *p, const struct med_fp_shape *from, med_str name,
                         size_t at, med_err *err)
{
    med_str owner = from->n > 0 ? med_type_name(p, from->types[0]) : MED_STR("a System value");
    med_str choice = choice_of(p, from, name);
    if (choice.len > 0)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "FHIRPath, position %zu: write '%.*s' for the choice element '%.*s' of "
                        "%.*s; ofType() tells the types apart",
                        at + 1, MED_STR_ARG(choice), MED_STR_ARG(name), MED_STR_ARG(owner));
    med_str names[NAMES];
    size_t n = 0;
    for (size_t i = 0; i < from->n; i++) {
        size_t elements = med_type_element_count(p, from->types[i]);
        for (size_t k = 0; k < elements && n < NAMES; k++) {
            med_element element;
            med_type_element(p, from->types[i], k, &element);
            names[n++] = element.name;
        }
    }
    med_str near = med_str_nearest(name, names, n);
    return MED_FAIL(
        err, MED_ISSUE_INVALID, "FHIRPath, position %zu: %.*s has no element '%.*s'%s%.*s%s",
        at + 1, MED_STR_ARG(owner), (int)(name.len < 64 ? name.len : 64), name.ptr,
        near.len > 0 ? "; did you mean '" : "", MED_STR_ARG(near), near.len > 0 ? "'?" : "");
}

/* Members of System types: type().name, (4 'mg').unit */
static unsigned system_step(unsigned system, med_str name)
{
    unsigned found = 0;
    if ((system & 1U << MED_VALUE_TYPE) != 0
        && (med_str_eqz(name, "name") || med_str_eqz(name, "namespace")
            || med_str_eqz(name, "baseType")))
        found |= 1U << MED_VALUE_STRING;
    if ((system & 1U << MED_VALUE_QUANTITY) != 0 && med_str_eqz(name, "value"))
        found |= 1U << MED_VALUE_DECIMAL;
    if ((system & 1U << MED_VALUE_QUANTITY) != 0
        && (med_str_eqz(name, "unit") || med_str_eqz(name, "code")))
        found |= 1U << MED_VALUE_STRING;
    return found;
}

static bool step_of_edges(med_arena *a, const med_pack *p, const struct med_fp_step *step,
                          struct med_fp_shape *out)
{
    for (size_t i = 0; i < step->n_edges; i++) {
        struct med_fp_shape one;
        if (!med_fp_shape_type(a, p, step->edges[i].type, &one)
            || !med_fp_shape_union(a, out, &one, out))
            return false;
    }
    return true;
}

bool med_fp_shape_step(med_arena *a, const med_pack *p, const struct med_fp_shape *from,
                       med_str name, size_t at, struct med_fp_step *step, struct med_fp_shape *out,
                       med_err *err)
{
    *step = (struct med_fp_step){.name = name};
    *out = med_fp_shape_any();
    if (from->any)
        return true;
    size_t n = 0;
    for (size_t i = 0; i < from->n; i++)
        n += find_edges(p, from->types[i], name, NULL);
    *out = (struct med_fp_shape){.system = system_step(from->system, name)};
    for (size_t i = 0; i < from->n && med_str_eqz(name, "resourceType"); i++)
        if (med_type_kind_of(p, from->types[i]) == MED_TYPE_RESOURCE)
            out->system |= 1U << MED_VALUE_STRING;
    if (n == 0)
        return out->system != 0 || (from->n == 0 && from->system == 0)
               || fail_unknown(p, from, name, at, err);
    struct med_fp_edge *edges = MED_TAKE(a, n, struct med_fp_edge);
    if (edges == NULL)
        return MED_FAIL_MEMORY(err);
    step->edges = edges;
    for (size_t i = 0; i < from->n; i++)
        step->n_edges += (uint32_t)find_edges(p, from->types[i], name, edges + step->n_edges);
    return step_of_edges(a, p, step, out) || MED_FAIL_MEMORY(err);
}

bool med_fp_shape_is_complex(const med_pack *p, const struct med_fp_shape *s)
{
    if (s->any || s->system != 0 || s->n == 0)
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (med_type_primitive(p, s->types[i]) != MED_PRIMITIVE_NONE)
            return false;
    return true;
}
