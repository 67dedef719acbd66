/* json_edit.h - a document with some of its values changed, as minified JSON.
 *
 * A list of edits is applied in one pass over the tape; what no edit touches is copied as it
 * is, numbers and escapes included. For JSON Patch, FHIRPath Patch and the rewriting of
 * references. Thread safe. */
#ifndef MED_BASE_JSON_EDIT_H
#define MED_BASE_JSON_EDIT_H

#include "base/json.h"

enum med_json_edit_kind {
    MED_JSON_INSERT_BEFORE, /* in front of `node`, as its sibling */
    MED_JSON_REPLACE,       /* the value `node`; a member keeps its key */
    MED_JSON_REMOVE,        /* the element `node`, or the member whose value it is */
    MED_JSON_INSERT_FIRST,  /* into the container `node` */
    MED_JSON_INSERT_LAST,
    MED_JSON_INSERT_AFTER, /* behind `node`, as its sibling */
};

typedef struct med_json_edit {
    uint32_t node; /* a member is named by the node of its value */
    enum med_json_edit_kind kind;
    med_str key;  /* what is inserted into an object: its key, not escaped, not empty */
    med_str text; /* the new value: JSON, trusted to be well-formed */
} med_json_edit;

/* Appends the value `root` of j with the n edits (in any order) applied. Inserts at one place
 * stand in the order of the list; they may stand beside a value that is removed or replaced.
 * Nothing may be changed inside a value that is removed or replaced, nor anything changed
 * twice. Whether a key is there already is the caller's to know.
 *
 * On failure `out` is as it was before: MED_ISSUE_PROCESSING (the edits overlap or make no
 * sense), MED_ISSUE_TOO_COSTLY (the ceiling of `a`, used for sorting, or of `out`). */
bool med_json_edit_apply(med_arena *a, const med_json *j, uint32_t root, const med_json_edit *edits,
                         size_t n, med_buf *out, med_err *err) MED_MUST_CHECK;

#endif
