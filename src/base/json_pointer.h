/* json_pointer.h - where a JSON Pointer leads. https://www.rfc-editor.org/rfc/rfc6901
 *
 * Answers also where something that is not there yet would stand, as JSON Patch's add needs.
 * Pure; thread safe. Cost: the nodes along the path with their siblings. */
#ifndef MED_BASE_JSON_POINTER_H
#define MED_BASE_JSON_POINTER_H

#include "base/json.h"

typedef struct med_json_place {
    bool exists;
    bool is_root;    /* the pointer is "": `value` is `from`, there is no parent */
    bool in_object;  /* what the parent is, object or array */
    uint32_t value;  /* the value's node, when it exists; else 0 */
    uint32_t parent; /* node of the object or array it stands in, or would */
    uint32_t index;  /* in an array: its position; the array's count for "-" and one past it */
    med_str key;     /* in an object: the last token, escapes undone; in `a` or in `pointer` */
} med_json_place;

/* Follows `pointer` from node `from` of j. All but its last token must lead somewhere; the last
 * may name a member that is missing, "-", or the index one past the last element: then
 * `exists` is false. On failure err->issue is MED_ISSUE_INVALID (not a pointer, or not an array
 * index), MED_ISSUE_PROCESSING (leads nowhere; the nearest name is told) or
 * MED_ISSUE_TOO_COSTLY (the arena's ceiling). */
bool med_json_pointer_follow(med_arena *a, const med_json *j, uint32_t from, med_str pointer,
                             med_json_place *out, med_err *err) MED_MUST_CHECK;

#endif
