/* param_path.c - see param_path.h. */
#include "search/param_path.h"

/* "(Observation.value as Quantity)", "Condition.onset.as(Period)" -> the path, and the type. */
static med_str plain_path(med_str part, med_str *cast)
{
    part = med_str_trim(part);
    if (med_str_starts(part, MED_STR("(")) && med_str_ends(part, MED_STR(")")))
        part = med_str_trim(med_str_sub(part, 1, part.len - 1));
    size_t word = med_str_search(part, MED_STR(" as "), 0);
    size_t call = med_str_search(part, MED_STR(".as("), 0);
    *cast = med_str_trim(med_str_skip(part, word + 4));
    if (call < part.len)
        *cast = med_str_sub(part, call + 4, part.len - 1);
    return med_str_sub(part, 0, word < call ? word : call);
}

static void resolve(const med_pack *pack, med_type t, med_str cast, med_param_end *end)
{
    med_str path = end->path;
    end->single = true;
    while (path.len > 0) {
        med_element e;
        med_property property;
        med_str name = med_str_cut(path, '.', &path);
        end->owner = t;
        end->element = t == MED_TYPE_NONE ? SIZE_MAX : med_type_find_element(pack, t, name);
        if (end->element == SIZE_MAX)
            return;
        med_type_element(pack, t, end->element, &e);
        end->single = end->single && !e.is_array && e.max <= 1;
        t = !e.is_choice && med_type_property(pack, t, name, &property) ? property.type
                                                                        : MED_TYPE_NONE;
    }
    end->type = cast.len > 0 ? med_pack_type(pack, cast) : t;
    end->resolved = true;
}

bool med_param_end_next(const med_pack *p, med_type type, med_str *expression, med_param_end *out)
{
    med_str name = med_type_name(p, type);
    while (expression->len > 0) {
        med_str cast, part = plain_path(med_str_cut(*expression, '|', expression), &cast);
        if (!med_str_starts(part, name) || part.len <= name.len || part.ptr[name.len] != '.')
            continue;
        *out = (med_param_end){.path = med_str_skip(part, name.len + 1), .type = MED_TYPE_NONE};
        resolve(p, type, cast, out);
        return true;
    }
    return false;
}

/* All parts that are about the type are one path, and no element of it repeats. */
bool med_param_is_single(const med_pack *p, med_type type, med_str expression)
{
    med_param_end end;
    med_str path = MED_STR_EMPTY;
    while (med_param_end_next(p, type, &expression, &end)) {
        if (!end.resolved || !end.single || (path.len > 0 && !med_str_eq(path, end.path)))
            return false;
        path = end.path;
    }
    return path.len > 0;
}

/* The next part that is about the type, as it is written. */
static bool next_part(med_str name, med_str *expression, med_str *part)
{
    while (expression->len > 0) {
        *part = med_str_trim(med_str_cut(*expression, '|', expression));
        med_str bare = med_str_starts(*part, MED_STR("(")) ? med_str_skip(*part, 1) : *part;
        if (med_str_starts(bare, name) && (bare.len == name.len || bare.ptr[name.len] == '.'))
            return true;
    }
    return false;
}

static bool has_part(med_str name, med_str expression, med_str wanted)
{
    med_str part;
    while (next_part(name, &expression, &part)) {
        if (med_str_eq(part, wanted))
            return true;
    }
    return false;
}

/* Is each part of `inner` in one of the two? */
static bool is_within(med_str name, med_str inner, med_str a, med_str b)
{
    med_str part;
    while (next_part(name, &inner, &part)) {
        if (!has_part(name, a, part) && !has_part(name, b, part))
            return false;
    }
    return true;
}

bool med_param_is_union(const med_pack *p, med_type type, med_str all, med_str a, med_str b)
{
    med_str name = med_type_name(p, type), part, rest = a;
    return next_part(name, &rest, &part) && is_within(name, a, all, all)
           && is_within(name, b, all, all) && is_within(name, all, a, b)
           && !is_within(name, all, a, a) && !is_within(name, all, b, b);
}

static bool choice_has(const med_pack *p, const med_param_end *end, med_type wanted)
{
    size_t first, n = med_element_properties(p, end->owner, end->element, &first);
    for (size_t i = first; i < first + n; i++) {
        med_property property;
        med_type_property_at(p, end->owner, i, &property);
        if (property.type == wanted)
            return true;
    }
    return false;
}

bool med_param_has_range(const med_pack *p, med_type type, med_str expression)
{
    med_param_end end;
    bool any = false;
    med_type range = med_pack_type(p, MED_STR("Range"));
    while (med_param_end_next(p, type, &expression, &end)) {
        any = true;
        if (!end.resolved || end.type == range
            || (end.type == MED_TYPE_NONE && choice_has(p, &end, range)))
            return true;
    }
    return !any;
}
