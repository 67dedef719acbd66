/* fuzz_json_edit.c - edits and pointers on any document leave a document.
 *
 * Input: a line of edits, two bytes each (kind, node); a line with a JSON Pointer; the document. */
#include "base/json_edit.h"
#include "base/json_pointer.h"
#include "demand.h"

enum { LIMIT = 64 << 20, MOST_EDITS = 64, DEEP = MED_JSON_DEPTH - 4 };

#define NEW_VALUE " { \"new\" : [ 1 ] } "

/* The key of an edit is its own, so that no edit makes a duplicate of another's. */
static med_json_edit make_edit(med_arena *a, const med_json *j, uint8_t kind, uint8_t node,
                               size_t i)
{
    return (med_json_edit){
        .node = node % j->n,
        .kind = (enum med_json_edit_kind)(kind % (MED_JSON_INSERT_AFTER + 1)),
        .key = med_arena_printf(a, "\x01 unlikely \"key\" %zu", i),
        .text = MED_STR(NEW_VALUE),
    };
}

static int depth_of(const med_json *j)
{
    int depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < j->text.len; i++) {
        char c = j->text.ptr[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{'))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!in_string && (c == ']' || c == '}'))
            depth--;
    }
    return deepest;
}

static void check_edits(med_arena *a, const med_json *j, med_str line)
{
    med_json_edit edits[MOST_EDITS];
    size_t n = 0;
    for (; n < MOST_EDITS && n * 2 + 1 < line.len; n++)
        edits[n] = make_edit(a, j, (uint8_t)line.ptr[n * 2], (uint8_t)line.ptr[n * 2 + 1], n);
    med_buf out;
    med_buf_init(&out, LIMIT);
    med_json k;
    med_err err = {0};
    if (med_json_edit_apply(a, j, 0, edits, n, &out, &err)) {
        bool good = med_json_parse(a, med_buf_str(&out), &k, NULL, &err);
        DEMAND(good || strstr(err.text, "of that name already") != NULL); /* the input's own */
        DEMAND(n > 0 || med_json_equal(j, 0, &k, 0));
        for (size_t i = 0; i < out.len && n == 0; i++)
            DEMAND(out.ptr[i] != '\n');
    } else {
        DEMAND(err.issue == MED_ISSUE_PROCESSING && out.len == 0);
    }
    med_buf_free(&out);
}

static void check_pointer(med_arena *a, const med_json *j, med_str pointer)
{
    med_json_place place;
    med_err err = {0};
    if (!med_json_pointer_follow(a, j, 0, pointer, &place, &err)) {
        DEMAND(err.issue == MED_ISSUE_PROCESSING || err.issue == MED_ISSUE_INVALID);
        return;
    }
    DEMAND(place.is_root == (pointer.len == 0));
    DEMAND(place.parent < j->n && (!place.exists || place.value < j->n));
    if (place.is_root || !place.exists)
        return;
    const med_json_node *parent = &j->nodes[place.parent];
    DEMAND(place.value > place.parent && place.value < parent->next);
    DEMAND(place.in_object ? med_json_string_is(j, place.value - 1, place.key)
                           : place.index < parent->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_str rest = input_str(data, size);
    med_str line = med_str_cut(rest, '\n', &rest);
    med_str pointer = med_str_cut(rest, '\n', &rest);
    med_arena *a = med_arena_new(LIMIT);
    med_json j;
    med_err err;
    DEMAND(a != NULL);
    if (med_json_parse(a, rest, &j, NULL, &err) && depth_of(&j) < DEEP) {
        check_edits(a, &j, line);
        check_pointer(a, &j, pointer);
    }
    med_arena_free(a);
    return 0;
}
