/* pack.c - reading the compiled definitions: types, elements, properties. */
#include "model/pack.h"

#include "model/pack_format.h"

/* Tables always hold an empty slot (med_pack_open sees to it), so the probing loops end. */

med_str med_pack_version(const med_pack *p)
{
    return pack_string(p, p->version);
}

/* ---- types ---- */

med_type med_pack_type(const med_pack *p, med_str name)
{
    const uint16_t *slots = pack_slot_at(p, p->type_names.first);
    uint32_t at = med_name_hash(med_name_of(name)) & p->type_names.mask;
    while (slots[at] != PACK_EMPTY_SLOT
           && !med_str_eq(pack_string(p, pack_type_at(p, slots[at])->name), name))
        at = (at + 1) & p->type_names.mask;
    return slots[at]; /* PACK_EMPTY_SLOT is MED_TYPE_NONE */
}

size_t med_pack_type_count(const med_pack *p)
{
    return p->sections[PACK_TYPES].n;
}

med_str med_type_name(const med_pack *p, med_type t)
{
    return t == MED_TYPE_NONE ? MED_STR_EMPTY : pack_string(p, pack_type_at(p, t)->name);
}

enum med_type_kind med_type_kind_of(const med_pack *p, med_type t)
{
    return (enum med_type_kind)pack_type_at(p, t)->kind;
}

enum med_primitive med_type_primitive(const med_pack *p, med_type t)
{
    return (enum med_primitive)pack_type_at(p, t)->primitive;
}

bool med_type_is_abstract(const med_pack *p, med_type t)
{
    return (pack_type_at(p, t)->flags & PACK_TYPE_ABSTRACT) != 0;
}

med_type med_type_base(const med_pack *p, med_type t)
{
    return pack_type_at(p, t)->base;
}

bool med_type_is_a(const med_pack *p, med_type t, med_type ancestor)
{
    while (t != ancestor && t != MED_TYPE_NONE)
        t = pack_type_at(p, t)->base;
    return t == ancestor && t != MED_TYPE_NONE;
}

const med_type *med_pack_resources(const med_pack *p, size_t *n)
{
    *n = p->resources.n;
    return pack_type_list_at(p, p->resources.first);
}

/* How far a name may be from the wanted one and still be meant, as in med_str_nearest. */
static size_t nearness(med_str word)
{
    return (word.len + 1) / 3 + 1;
}

static bool nearer(med_str word, med_str candidate, size_t *distance)
{
    size_t d = med_str_eq_ignore_case(word, candidate) ? 0 : med_str_distance(word, candidate);
    if (d >= *distance)
        return false;
    *distance = d;
    return true;
}

med_str med_pack_nearest_resource(const med_pack *p, med_str name)
{
    size_t n = 0;
    const med_type *all = med_pack_resources(p, &n);
    size_t distance = nearness(name);
    med_str best = MED_STR_EMPTY;
    for (size_t i = 0; i < n; i++) {
        med_str candidate = med_type_name(p, all[i]);
        if (nearer(name, candidate, &distance))
            best = candidate;
    }
    return best;
}

/* ---- elements ---- */

static const struct pack_element *element_of(const med_pack *p, med_type t, size_t index)
{
    return pack_element_at(p, pack_type_at(p, t)->first_element + index);
}

size_t med_type_element_count(const med_pack *p, med_type t)
{
    return pack_type_at(p, t)->n_elements;
}

void med_type_element(const med_pack *p, med_type t, size_t index, med_element *out)
{
    const struct pack_element *e = element_of(p, t, index);
    *out = (med_element){
        .name = pack_string(p, e->name),
        .path = pack_string(p, e->path),
        .min = e->min,
        .max = e->max,
        .is_choice = (e->flags & PACK_ELEMENT_CHOICE) != 0,
        .is_modifier = (e->flags & PACK_ELEMENT_MODIFIER) != 0,
        .is_summary = (e->flags & PACK_ELEMENT_SUMMARY) != 0,
        .is_array = (e->flags & PACK_ELEMENT_ARRAY) != 0,
        .binding = e->binding,
        .value_set = pack_string(p, e->value_set),
        .index = (uint32_t)index,
    };
}

size_t med_type_find_element(const med_pack *p, med_type t, med_str name)
{
    size_t n = med_type_element_count(p, t);
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq(pack_string(p, element_of(p, t, i)->name), name))
            return i;
    }
    return SIZE_MAX;
}

const uint16_t *med_type_required(const med_pack *p, med_type t, size_t *n)
{
    const struct pack_type *type = pack_type_at(p, t);
    *n = type->required.n;
    return pack_required_at(p, type->required.first);
}

const med_type *med_element_targets(const med_pack *p, med_type t, size_t index, size_t *n)
{
    const struct pack_element *e = element_of(p, t, index);
    *n = e->targets.n;
    return pack_type_list_at(p, e->targets.first);
}

size_t med_element_properties(const med_pack *p, med_type t, size_t element, size_t *first)
{
    const struct pack_element *e = element_of(p, t, element);
    *first = e->first_property - pack_type_at(p, t)->properties.first;
    return e->n_properties;
}

/* ---- properties ---- */

static med_property property_from(const med_pack *p, const struct pack_property *row)
{
    return (med_property){
        .name = pack_string(p, row->name.text),
        .type = row->type,
        .element = row->element,
        .is_array = row->is_array != 0,
        .primitive = (uint8_t)row->primitive,
    };
}

bool med_type_property(const med_pack *p, med_type t, med_str name, med_property *out)
{
    const struct pack_type *type = pack_type_at(p, t);
    const struct pack_property *rows = pack_property_at(p, type->properties.first);
    const uint16_t *slots = pack_slot_at(p, type->property_names.first);
    uint32_t mask = type->property_names.mask;
    struct med_name wanted = med_name_of(name);
    for (uint32_t at = med_name_hash(wanted) & mask; slots[at] != PACK_EMPTY_SLOT;
         at = (at + 1) & mask) {
        const struct pack_property *row = &rows[slots[at]];
        if (pack_name_is(p, &row->name, wanted, name.ptr)) {
            *out = property_from(p, row);
            return true;
        }
    }
    return false;
}

size_t med_type_property_count(const med_pack *p, med_type t)
{
    return pack_type_at(p, t)->properties.n;
}

void med_type_property_at(const med_pack *p, med_type t, size_t index, med_property *out)
{
    *out = property_from(p, pack_property_at(p, pack_type_at(p, t)->properties.first + index));
}

med_str med_type_nearest_property(const med_pack *p, med_type t, med_str name)
{
    size_t distance = nearness(name);
    med_str best = MED_STR_EMPTY;
    size_t n = med_type_property_count(p, t);
    for (size_t i = 0; i < n; i++) {
        med_property property;
        med_type_property_at(p, t, i, &property);
        if (nearer(name, property.name, &distance))
            best = property.name;
    }
    return best;
}

/* ---- invariants ---- */

size_t med_element_invariants(const med_pack *p, med_type t, size_t element, size_t from,
                              med_invariant *out, size_t room)
{
    struct pack_range range = element == SIZE_MAX ? pack_type_at(p, t)->invariants
                                                  : element_of(p, t, element)->invariants;
    for (size_t i = from; i < range.n && i - from < room; i++) {
        const struct pack_invariant *row = pack_invariant_at(p, range.first + i);
        out[i - from] = (med_invariant){
            .key = pack_string(p, row->key),
            .is_warning = row->is_warning != 0,
            .human = pack_string(p, row->human),
            .expression = pack_string(p, row->expression),
            .path = pack_string(p, row->path),
        };
    }
    return range.n;
}

/* ---- codes ---- */

static med_codes codes_of_row(const med_pack *p, uint32_t row)
{
    if (row == PACK_NONE)
        return (med_codes){0, 0};
    struct pack_range range = pack_value_set_at(p, row)->codes;
    return (med_codes){range.first, range.n};
}

med_codes med_pack_codes(const med_pack *p, med_str value_set)
{
    size_t low = 0;
    size_t high = p->sections[PACK_VALUE_SETS].n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = med_str_compare(pack_string(p, pack_value_set_at(p, middle)->url), value_set);
        if (order == 0)
            return codes_of_row(p, (uint32_t)middle);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (med_codes){0, 0};
}

med_codes med_element_codes(const med_pack *p, med_type t, size_t element)
{
    return codes_of_row(p, element_of(p, t, element)->codes);
}

med_codes med_element_bound(const med_pack *p, med_type t, size_t element)
{
    return codes_of_row(p, element_of(p, t, element)->bound);
}

med_str med_element_max_value_set(const med_pack *p, med_type t, size_t element)
{
    return pack_string(p, element_of(p, t, element)->max_value_set);
}

med_str med_codes_at(const med_pack *p, med_codes c, size_t index)
{
    return pack_string(p, pack_code_at(p, c.first + index)->code);
}

med_str med_codes_system(const med_pack *p, med_codes c, size_t index)
{
    return pack_string(p, pack_code_at(p, c.first + index)->system);
}

/* The first row that is not before (code, system). */
static size_t lower_bound(const med_pack *p, med_codes c, med_str code, med_str system)
{
    size_t low = 0;
    size_t high = c.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = med_str_compare(med_codes_at(p, c, middle), code);
        if (order == 0)
            order = med_str_compare(med_codes_system(p, c, middle), system);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool med_codes_have_in(const med_pack *p, med_codes c, med_str system, med_str code)
{
    size_t at = lower_bound(p, c, code, system);
    return at < c.n && med_str_eq(med_codes_at(p, c, at), code)
           && med_str_eq(med_codes_system(p, c, at), system);
}

bool med_codes_have(const med_pack *p, med_codes c, med_str code)
{
    size_t at = lower_bound(p, c, code, MED_STR_EMPTY);
    return at < c.n && med_str_eq(med_codes_at(p, c, at), code);
}

med_str med_codes_nearest(const med_pack *p, med_codes c, med_str code)
{
    size_t distance = nearness(code);
    med_str best = MED_STR_EMPTY;
    for (size_t i = 0; i < c.n; i++) {
        med_str candidate = med_codes_at(p, c, i);
        if (nearer(code, candidate, &distance))
            best = candidate;
    }
    return best;
}
