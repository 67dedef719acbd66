/* json_pointer.c - RFC 6901. https://www.rfc-editor.org/rfc/rfc6901 */
#include "base/json_pointer.h"

#include "base/utf8.h"

enum { NAME_SHOWN = 64, NEAREST_AMONG = 64 };

/* A token as an error shows it: cut, so that the rest of the message fits. */
static med_str shown(med_str token)
{
    return med_utf8_cut(token, NAME_SHOWN);
}

/* Undoes ~0 and ~1: first cut at the slashes, then this, never the other way round. */
static bool unescape(med_arena *a, med_str token, med_str *out, med_err *err)
{
    *out = token;
    if (med_str_find(token, '~', 0) == token.len)
        return true;
    char *to = MED_TAKE(a, token.len, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(err);
    size_t n = 0;
    for (size_t i = 0; i < token.len; i++) {
        char c = token.ptr[i];
        if (c == '~') {
            char code = ++i < token.len ? token.ptr[i] : 0;
            if (code != '0' && code != '1')
                return MED_FAIL(err, MED_ISSUE_INVALID,
                                "a JSON Pointer writes '~' as ~0 and '/' as ~1; a lone '~' is "
                                "neither");
            c = code == '0' ? '~' : '/';
        }
        to[n++] = c;
    }
    *out = (med_str){to, n};
    return true;
}

/* An array index: digits without leading zeros, or "-" for what stands behind the last. */
static bool read_index(med_str token, uint32_t count, uint32_t *out, med_err *err)
{
    if (med_str_eqz(token, "-")) {
        *out = count;
        return true;
    }
    bool good = token.len > 0 && (token.len == 1 || token.ptr[0] != '0');
    uint64_t index = 0;
    for (size_t i = 0; i < token.len && good; i++) {
        good = med_is_digit(token.ptr[i]);
        if (good && index <= UINT32_MAX)
            index = index * 10 + (uint64_t)(token.ptr[i] - '0');
    }
    if (!good)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "'%.*s' is no array index: expected 0, 1, 2 ... without leading zeros, or "
                        "'-'",
                        MED_STR_ARG(shown(token)));
    if (index > count)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "index %.*s is past the end of %u elements",
                        MED_STR_ARG(shown(token)), count);
    *out = (uint32_t)index;
    return true;
}

static uint32_t element(const med_json *j, uint32_t array, uint32_t index)
{
    uint32_t e = array + 1;
    while (index-- > 0)
        e = j->nodes[e].next;
    return e;
}

static bool find_in_array(const med_json *j, med_str token, med_json_place *out, med_err *err)
{
    uint32_t count = j->nodes[out->parent].count;
    if (!read_index(token, count, &out->index, err))
        return false;
    out->exists = out->index < count;
    if (out->exists)
        out->value = element(j, out->parent, out->index);
    return true;
}

/* One step from the value of *out (which exists) along a token. */
static bool step(med_arena *a, const med_json *j, med_str token, med_json_place *out, med_err *err)
{
    uint32_t parent = out->value;
    *out = (med_json_place){.parent = parent, .key = MED_STR_EMPTY};
    enum med_json_kind kind = med_json_kind_at(j, parent);
    if (kind == MED_JSON_ARRAY)
        return find_in_array(j, token, out, err);
    if (kind != MED_JSON_OBJECT)
        return MED_FAIL(err, MED_ISSUE_PROCESSING,
                        "'%.*s' looks into a plain value; expected an object or array",
                        MED_STR_ARG(shown(token)));
    out->in_object = true;
    if (!unescape(a, token, &out->key, err))
        return false;
    out->value = med_json_member(j, parent, out->key);
    out->exists = out->value != 0;
    return true;
}

/* The path goes on behind something that is not there. */
static bool fail_missing(med_arena *a, const med_json *j, const med_json_place *place, med_err *err)
{
    if (!place->in_object)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the array has only %u elements",
                        j->nodes[place->parent].count);
    uint32_t end = j->nodes[place->parent].next, n = 0;
    med_str *names = MED_TAKE(a, NEAREST_AMONG, med_str);
    if (names == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t k = place->parent + 1; k < end && n < NEAREST_AMONG; k = j->nodes[k + 1].next)
        names[n++] = med_json_raw(j, k);
    med_str nearest = med_str_nearest(place->key, names, n);
    return MED_FAIL(err, MED_ISSUE_PROCESSING, "there is no member '%.*s'%s%.*s%s",
                    MED_STR_ARG(shown(place->key)), nearest.len > 0 ? "; the nearest is '" : "",
                    MED_STR_ARG(shown(nearest)), nearest.len > 0 ? "'" : "");
}

bool med_json_pointer_follow(med_arena *a, const med_json *j, uint32_t from, med_str pointer,
                             med_json_place *out, med_err *err)
{
    *out = (med_json_place){.exists = true, .is_root = true, .value = from, .key = MED_STR_EMPTY};
    if (pointer.len > 0 && pointer.ptr[0] != '/')
        return MED_FAIL(err, MED_ISSUE_INVALID, "a JSON Pointer is empty or begins with '/'");
    while (pointer.len > 0) {
        if (!out->exists)
            return fail_missing(a, j, out, err);
        size_t end = med_str_find(pointer, '/', 1);
        if (!step(a, j, med_str_sub(pointer, 1, end), out, err))
            return false;
        pointer = med_str_skip(pointer, end);
    }
    return true;
}
