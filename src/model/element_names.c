/* element_names.c - see element_names.h. */
#include "model/element_names.h"

enum { NAME_SHOWN = 60 };

/* Without "Patient." where the type is one; "DomainResource." and "Resource." go, too. */
static med_str without_type(const med_pack *p, med_type t, med_str name)
{
    med_str rest, first = med_str_cut(name, '.', &rest);
    med_type named = med_pack_type(p, first);
    return rest.len > 0 && named != MED_TYPE_NONE && med_type_is_a(p, t, named) ? rest : name;
}

static med_str without_choice(med_str name)
{
    if (med_str_ends(name, MED_STR("[x]")))
        name.len -= sizeof "[x]" - 1;
    return name;
}

bool med_element_name_is(const med_pack *p, med_type t, med_str name, med_str element,
                         med_str property)
{
    med_str rest, first = without_choice(med_str_cut(without_type(p, t, name), '.', &rest));
    return med_str_eq(first, element) || med_str_eq(first, property);
}

/* The type below a choice that is not said which: the first that has `next`. */
static med_type one_of(const med_pack *p, med_type t, size_t element, med_str next)
{
    med_property property, below;
    size_t first, n = med_element_properties(p, t, element, &first);
    for (size_t i = 0; i < n; i++) {
        med_type_property_at(p, t, first + i, &property);
        if (med_type_property(p, property.type, next, &below))
            return property.type;
    }
    return MED_TYPE_NONE;
}

/* One step of a path: `name` of *t, with `next` behind it (or nothing). Leaves *t at the type
 * below, MED_TYPE_NONE where there is none that could be known. */
static bool step(const med_pack *p, med_type *t, med_str name, med_str next)
{
    med_element e;
    med_property property;
    if (med_type_property(p, *t, name, &property)) {
        *t = property.type;
        return true;
    }
    size_t element = med_type_find_element(p, *t, without_choice(name));
    if (element == SIZE_MAX)
        return false;
    med_type_element(p, *t, element, &e);
    if (!e.is_choice)
        return false;
    *t = next.len == 0 ? MED_TYPE_NONE : one_of(p, *t, element, next);
    return next.len == 0 || *t != MED_TYPE_NONE;
}

/* Goes down `path` as far as it leads; *t is the type at its end, or where `*part` is no element.
 */
static bool follow(const med_pack *p, med_type *t, med_str path, med_str *part)
{
    med_str next, rest = path;
    while (rest.len > 0) {
        *part = med_str_cut(rest, '.', &rest);
        if (!step(p, t, *part, med_str_cut(rest, '.', &next)))
            return false;
        if (*t == MED_TYPE_NONE || med_type_is_abstract(p, *t)) /* any resource: who knows */
            return true;
    }
    return path.len > 0 && path.ptr[path.len - 1] != '.';
}

bool med_element_name_known(const med_pack *p, med_type t, med_str name)
{
    med_str part = MED_STR_EMPTY, path = without_type(p, t, name);
    return med_str_eqz(path, "resourceType") /* as JSON has it; it is always there */
           || follow(p, &t, path, &part);
}

med_str med_element_name_nearest(const med_pack *p, med_type t, med_str name)
{
    med_str part = MED_STR_EMPTY;
    return follow(p, &t, without_type(p, t, name), &part) || t == MED_TYPE_NONE
               ? MED_STR_EMPTY
               : med_type_nearest_property(p, t, without_choice(part));
}

/* The nearest over all types: the one with the fewest slips. */
static med_str nearest_of_any(const med_pack *p, const med_type *types, size_t n, med_str name)
{
    size_t best = SIZE_MAX;
    med_str nearest = MED_STR_EMPTY;
    for (size_t i = 0; i < n; i++) {
        med_str near = med_element_name_nearest(p, types[i], name);
        size_t slips = near.len == 0 ? SIZE_MAX : med_str_distance(name, near);
        if (slips < best) {
            best = slips;
            nearest = near;
        }
    }
    return nearest;
}

static bool refuse(const med_pack *p, const med_type *types, size_t n, med_str name, med_err *err)
{
    med_str nearest = nearest_of_any(p, types, n, name);
    (void)MED_FAIL(err, MED_ISSUE_VALUE, "'%.*s' is no element of %.*s%s%.*s",
                   MED_STR_ARG(med_str_sub(name, 0, NAME_SHOWN)),
                   MED_STR_ARG(n == 1 ? med_type_name(p, types[0])
                                      : MED_STR("any resource that is asked for")),
                   nearest.len > 0 ? "; nearest: " : "", MED_STR_ARG(nearest));
    return med_err_status(err, 400);
}

static bool known_to_any(const med_pack *p, const med_type *types, size_t n, med_str name)
{
    for (size_t i = 0; i < n; i++) {
        if (med_element_name_known(p, types[i], name))
            return true;
    }
    return false;
}

bool med_element_names_read(const med_pack *p, med_arena *a, const med_type *types, size_t n_types,
                            med_str list, bool strict, med_element_names *out, med_err *err)
{
    size_t n = 1;
    for (size_t i = 0; i < list.len; i++)
        n += list.ptr[i] == ',';
    if (n > MED_ELEMENT_NAMES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "at most %d elements can be named",
                        MED_ELEMENT_NAMES);
    med_str *at = MED_TAKE(a, 2 * n, med_str);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    *out = (med_element_names){.at = at, .unknown = at + n};
    while (list.len > 0) {
        med_str one = med_str_trim(med_str_cut(list, ',', &list));
        if (one.len == 0)
            continue;
        if (known_to_any(p, types, n_types, one))
            at[out->n++] = one;
        else if (strict)
            return refuse(p, types, n_types, one, err);
        else
            at[n + out->n_unknown++] = one;
    }
    return true;
}
