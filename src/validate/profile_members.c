/* profile_members.c - what an object has, by element. See profile_impl.h. */
#include "validate/profile_impl.h"

enum { NAME = 128 };

static void add_member(const med_json *j, const med_property *property, uint32_t value,
                       bool is_sibling, med_profile_member *out, size_t *n)
{
    size_t i = 0;
    while (i < *n && !(out[i].element == property->element && out[i].type == property->type))
        i++;
    if (i == MED_PROFILE_MEMBERS)
        return; /* far beyond any type: the structure check has refused it */
    if (i == *n) {
        out[i] = (med_profile_member){.element = property->element, .type = property->type};
        ++*n;
    }
    if (is_sibling)
        out[i].sibling = value;
    else
        out[i].value = value;
    out[i].is_array = out[i].is_array || med_json_kind_at(j, value) == MED_JSON_ARRAY;
}

size_t med_profile_members(med_profile_run *r, const med_profile_item *object,
                           med_profile_member out[MED_PROFILE_MEMBERS])
{
    const med_json *j = r->c->j;
    size_t n = 0;
    /* of a primitive: its id and extensions */
    uint32_t at = object->extension != 0 ? object->extension : object->node;
    if (at == MED_NO_NODE || object->type == MED_TYPE_NONE
        || med_json_kind_at(j, at) != MED_JSON_OBJECT)
        return 0;
    for (uint32_t k = at + 1; k < j->nodes[at].next; k = j->nodes[k + 1].next) {
        char buffer[NAME] MED_UNINITIALIZED;
        med_str name;
        med_property property;
        if (!med_json_string_into(j, k, buffer, sizeof buffer, &name))
            continue;
        bool is_sibling = name.len > 1 && name.ptr[0] == '_';
        if (med_type_property(r->c->p, object->type, is_sibling ? med_str_skip(name, 1) : name,
                              &property))
            add_member(j, &property, k + 1, is_sibling, out, &n);
    }
    return n;
}

static uint32_t count_of(const med_json *j, const med_profile_member *m)
{
    uint32_t n = 0;
    if (!m->is_array)
        return 1;
    if (m->value != 0 && med_json_kind_at(j, m->value) == MED_JSON_ARRAY)
        n = j->nodes[m->value].count;
    if (m->sibling != 0 && med_json_kind_at(j, m->sibling) == MED_JSON_ARRAY
        && j->nodes[m->sibling].count > n)
        n = j->nodes[m->sibling].count;
    return n;
}

/* The next element of a list, or MED_NO_NODE behind its last. */
static uint32_t next_of(const med_json *j, uint32_t list, uint32_t *at)
{
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY || *at >= j->nodes[list].next)
        return MED_NO_NODE;
    uint32_t found = *at;
    *at = j->nodes[found].next;
    return found;
}

static bool is_null(const med_json *j, uint32_t node)
{
    return node == MED_NO_NODE || med_json_kind_at(j, node) == MED_JSON_NULL;
}

static size_t add_list(const med_json *j, const med_profile_member *m,
                       const med_profile_item *object, med_profile_item *to)
{
    size_t n = 0;
    uint32_t value = m->value + 1, sibling = m->sibling + 1;
    for (uint32_t i = count_of(j, m); i > 0; i--) {
        uint32_t v = next_of(j, m->value, &value);
        uint32_t e = next_of(j, m->sibling, &sibling);
        if (is_null(j, v) && is_null(j, e))
            continue;
        to[n++] = (med_profile_item){.node = is_null(j, v) ? MED_NO_NODE : v,
                                     .extension = is_null(j, e) ? 0 : e,
                                     .type = m->type,
                                     .place = object->place};
    }
    return n;
}

bool med_profile_values(med_profile_run *r, const med_profile_item *object,
                        const med_profile_member *members, size_t n, med_str name, med_type only,
                        med_profile_items *out)
{
    const med_json *j = r->c->j;
    size_t total = 0, found = 0;
    size_t element = med_type_find_element(r->c->p, object->type, name);
    *out = (med_profile_items){0};
    for (size_t i = 0; i < n; i++)
        total += members[i].element == element ? count_of(j, &members[i]) : 0;
    if (total == 0 || element == SIZE_MAX)
        return true;
    med_profile_item *at = MED_TAKE(r->work, total, med_profile_item);
    if (at == NULL) {
        r->c->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const med_profile_member *m = &members[i];
        if (m->element != element || (only != MED_TYPE_NONE && m->type != only))
            continue;
        if (m->is_array)
            found += add_list(j, m, object, at + found);
        else
            at[found++] = (med_profile_item){.node = m->value == 0 ? MED_NO_NODE : m->value,
                                             .extension = m->sibling,
                                             .type = m->type,
                                             .place = object->place};
    }
    *out = (med_profile_items){at, found};
    return med_profile_spend(r, found);
}
