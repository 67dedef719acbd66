/* json_tape.c - reading a parsed tape: spans, strings, members. */
#include "base/json_text.h"

med_str med_json_span(const med_json *j, uint32_t i)
{
    med_str raw = med_json_raw(j, i);
    if (med_json_kind_at(j, i) != MED_JSON_STRING)
        return raw;
    return (med_str){raw.ptr - 1, raw.len + 2};
}

bool med_json_string(med_arena *a, const med_json *j, uint32_t i, med_str *out)
{
    med_str raw = med_json_raw(j, i);
    if (!j->nodes[i].escaped) {
        *out = raw;
        return true;
    }
    char *to = MED_TAKE(a, raw.len, char); /* no escape is shorter than what it means */
    if (to == NULL)
        return false;
    *out = (med_str){to, med_json_text_copy(raw, to)};
    return true;
}

bool med_json_string_into(const med_json *j, uint32_t i, char *to, size_t room, med_str *out)
{
    med_str raw = med_json_raw(j, i);
    *out = raw;
    if (!j->nodes[i].escaped)
        return true;
    if (raw.len > room)
        return false;
    *out = (med_str){to, med_json_text_copy(raw, to)};
    return true;
}

bool med_json_string_is(const med_json *j, uint32_t i, med_str s)
{
    return med_json_text_eq(med_json_raw(j, i), j->nodes[i].escaped, s, false);
}

uint32_t med_json_member(const med_json *j, uint32_t i, med_str key)
{
    if (med_json_kind_at(j, i) != MED_JSON_OBJECT)
        return 0;
    uint32_t end = j->nodes[i].next;
    for (uint32_t k = i + 1; k < end; k = j->nodes[k + 1].next) {
        const med_json_node *node = &j->nodes[k];
        if (node->escaped ? med_json_string_is(j, k, key) : med_str_eq(med_json_raw(j, k), key))
            return k + 1;
    }
    return 0;
}

uint32_t med_json_path(const med_json *j, uint32_t i, const char *dotted)
{
    med_str rest = med_str_from(dotted);
    do {
        med_str key = med_str_cut(rest, '.', &rest);
        i = med_json_member(j, i, key);
    } while (i != 0 && rest.len > 0);
    return i;
}
