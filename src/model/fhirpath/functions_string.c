/* functions_string.c - http://hl7.org/fhirpath/N1/#string-manipulation
 * Positions and lengths count Unicode characters. */
#include "model/fhirpath/functions.h"
#include "model/fhirpath/values.h"

#include <utf8proc.h>

#include "base/utf8.h"

/* The input and up to two string arguments. *go is false when one is empty: so is the result. */
static bool take_strings(med_fp_run *r, size_t argc, bool *go, med_str out[3])
{
    *go = true;
    for (size_t i = 0; i <= argc; i++) {
        bool found = false;
        if (!med_fp_single_string(r, med_fp_operand(r, argc - i), &found, &out[i]))
            return false;
        *go = *go && found;
    }
    return true;
}

static size_t characters(med_str s)
{
    return med_utf8_count(s);
}

/* Byte offset of the character at `index`, s.len when there is none. */
static size_t offset_of(med_str s, size_t index)
{
    size_t at = 0;
    for (; index > 0 && at < s.len; index--) {
        uint32_t code = 0;
        size_t n = med_utf8_decode(s, at, &code);
        at += n == 0 ? 1 : n;
    }
    return at;
}

/* med_str_search gives the length when nothing was found, which an empty needle at the end
 * does not tell apart. */
static bool finds(med_str s, med_str needle, size_t from, size_t *at)
{
    *at = from;
    if (needle.len == 0)
        return true;
    *at = med_str_search(s, needle, from);
    return *at + needle.len <= s.len;
}

bool med_fp_call_index_of(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    size_t at = 0;
    if (!take_strings(r, argc, &go, s))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    bool found = finds(s[0], s[1], 0, &at);
    return med_fp_result_integer(r, argc,
                                 found ? (int64_t)characters(med_str_sub(s[0], 0, at)) : -1);
}

bool med_fp_call_last_index_of(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    for (size_t at = s[0].len + 1; at-- > 0;)
        if (med_str_starts(med_str_skip(s[0], at), s[1]))
            return med_fp_result_integer(r, argc, (int64_t)characters(med_str_sub(s[0], 0, at)));
    return med_fp_result_integer(r, argc, -1);
}

bool med_fp_call_substring(med_fp_run *r, size_t argc)
{
    med_str s = MED_STR_EMPTY;
    int64_t from = 0;
    int64_t count = INT64_MAX;
    bool has_text = false;
    bool has_from = false;
    bool has_count = false;
    if (!med_fp_single_string(r, med_fp_operand(r, argc), &has_text, &s)
        || !med_fp_single_integer(r, med_fp_operand(r, argc - 1), &has_from, &from)
        || (argc == 2 && !med_fp_single_integer(r, med_fp_operand(r, 0), &has_count, &count)))
        return false;
    if (!has_text || !has_from || from < 0 || (uint64_t)from >= characters(s))
        return med_fp_result_empty(r, argc);
    med_str rest = med_str_skip(s, offset_of(s, (size_t)from));
    if (count < 0)
        count = 0;
    if (count != INT64_MAX)
        rest = med_str_sub(rest, 0, offset_of(rest, (size_t)count));
    return med_fp_result_string(r, argc, rest);
}

bool med_fp_call_starts_with(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s))
        return false;
    return go ? med_fp_result_bool(r, argc, med_str_starts(s[0], s[1]))
              : med_fp_result_empty(r, argc);
}

bool med_fp_call_ends_with(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s))
        return false;
    return go ? med_fp_result_bool(r, argc, med_str_ends(s[0], s[1]))
              : med_fp_result_empty(r, argc);
}

bool med_fp_call_contains(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    size_t at = 0;
    if (!take_strings(r, argc, &go, s))
        return false;
    return go ? med_fp_result_bool(r, argc, finds(s[0], s[1], 0, &at))
              : med_fp_result_empty(r, argc);
}

static bool change_case(med_fp_run *r, size_t argc, utf8proc_int32_t (*change)(utf8proc_int32_t))
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    char *to = MED_TAKE(r->a, s[0].len * 4 + 1, char);
    if (to == NULL)
        return MED_FAIL_MEMORY(r->err);
    size_t n = 0;
    for (size_t at = 0; at < s[0].len;) {
        uint32_t code = 0;
        size_t used = med_utf8_decode(s[0], at, &code);
        if (used == 0)
            break;
        at += used;
        n += med_utf8_encode((uint32_t)change((utf8proc_int32_t)code), to + n);
    }
    return med_fp_result_string(r, argc, (med_str){to, n});
}

bool med_fp_call_upper(med_fp_run *r, size_t argc)
{
    return change_case(r, argc, utf8proc_toupper);
}

bool med_fp_call_lower(med_fp_run *r, size_t argc)
{
    return change_case(r, argc, utf8proc_tolower);
}

/* Text that grows in the arena: first measured, then written. */
struct text {
    char *to; /* NULL while measuring */
    size_t n;
};

/* Room for what was measured. */
static bool make_room(med_fp_run *r, struct text *t)
{
    if (!med_fp_spend_text(r, t->n))
        return false;
    t->to = MED_TAKE(r->a, t->n + 1, char);
    t->n = 0;
    return t->to != NULL ? true : MED_FAIL_MEMORY(r->err);
}

static void put(struct text *t, med_str s)
{
    if (t->to != NULL)
        memcpy(t->to + t->n, s.ptr, s.len);
    t->n += s.len;
}

/* 'abc'.replace('', 'x') is 'xaxbxcx' */
static void replace_nothing(struct text *t, med_str s, med_str by)
{
    put(t, by);
    for (size_t at = 0; at < s.len;) {
        size_t next = at + offset_of(med_str_skip(s, at), 1);
        put(t, med_str_sub(s, at, next));
        put(t, by);
        at = next;
    }
}

static void replace_all(struct text *t, const med_str s[3])
{
    size_t from = 0;
    size_t at = 0;
    if (s[1].len == 0) {
        replace_nothing(t, s[0], s[2]);
        return;
    }
    while (finds(s[0], s[1], from, &at)) {
        put(t, med_str_sub(s[0], from, at));
        put(t, s[2]);
        from = at + s[1].len;
    }
    put(t, med_str_skip(s[0], from));
}

bool med_fp_call_replace(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    struct text t = {0};
    if (!take_strings(r, argc, &go, s))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    replace_all(&t, s);
    if (!make_room(r, &t))
        return false;
    replace_all(&t, s);
    return med_fp_result_string(r, argc, (med_str){t.to, t.n});
}

bool med_fp_call_length(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s))
        return false;
    return go ? med_fp_result_integer(r, argc, (int64_t)characters(s[0]))
              : med_fp_result_empty(r, argc);
}

bool med_fp_call_to_chars(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s) || !med_fp_result_empty(r, argc))
        return false;
    for (size_t at = 0; go && at < s[0].len;) {
        size_t next = at + offset_of(med_str_skip(s[0], at), 1);
        med_value v = med_fp_string(med_str_sub(s[0], at, next));
        if (!med_fp_push(r, &v))
            return false;
        at = next;
    }
    return true;
}

bool med_fp_call_trim(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s))
        return false;
    return go ? med_fp_result_string(r, argc, med_str_trim(s[0])) : med_fp_result_empty(r, argc);
}

bool med_fp_call_split(med_fp_run *r, size_t argc)
{
    med_str s[3];
    bool go = false;
    if (!take_strings(r, argc, &go, s) || !med_fp_result_empty(r, argc))
        return false;
    if (!go)
        return true;
    size_t from = 0;
    size_t at = 0;
    while (s[1].len > 0 && finds(s[0], s[1], from, &at)) {
        med_value v = med_fp_string(med_str_sub(s[0], from, at));
        if (!med_fp_push(r, &v))
            return false;
        from = at + s[1].len;
    }
    med_value last = med_fp_string(med_str_skip(s[0], from));
    return med_fp_push(r, &last);
}

static bool join_items(med_fp_run *r, med_values items, med_str separator, struct text *t)
{
    size_t written = 0;
    t->n = 0;
    for (size_t i = 0; i < items.n; i++) {
        med_value v;
        if (med_fp_is_absent(&items.at[i]))
            continue;
        if (!med_fp_system(r, &items.at[i], &v))
            return false;
        if (v.kind != MED_VALUE_STRING)
            return med_fp_fail(r, MED_ISSUE_PROCESSING, "join() takes strings");
        if (written++ > 0)
            put(t, separator);
        put(t, v.text);
    }
    return true;
}

bool med_fp_call_join(med_fp_run *r, size_t argc)
{
    med_values items = med_fp_operand(r, argc);
    med_str separator = MED_STR_EMPTY;
    bool found = false;
    struct text t = {0};
    if (argc == 1 && !med_fp_single_string(r, med_fp_operand(r, 0), &found, &separator))
        return false;
    if (items.n == 0)
        return med_fp_result_empty(r, argc);
    if (!join_items(r, items, separator, &t) || !make_room(r, &t))
        return false;
    return join_items(r, items, separator, &t)
           && med_fp_result_string(r, argc, (med_str){t.to, t.n});
}
