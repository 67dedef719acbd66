/* element_names.h - names of elements as _elements lists them: of an element at the top ("name"),
 * with its type ("Patient.name"), of a choice ("value", "value[x]", "valueQuantity"), or a path
 * below ("contact.name.family"), which stands for what it begins with.
 * https://hl7.org/fhir/R4/search.html#elements
 *
 * Nothing is kept: slices point into the list that was given, or the pack. Any thread. */
#ifndef MED_MODEL_ELEMENT_NAMES_H
#define MED_MODEL_ELEMENT_NAMES_H

#include "base/arena.h"
#include "base/err.h"
#include "model/pack.h"

enum { MED_ELEMENT_NAMES = 256 }; /* in a list, at most */

typedef struct med_element_names {
    const med_str *at;
    size_t n;
    const med_str *unknown; /* names that none of the types has, where they may be left out */
    size_t n_unknown;
} med_element_names;

/* Takes a comma-separated list apart. A name that none of the types has is an error
 * (MED_ISSUE_VALUE, 400, with the nearest) when `strict`, else left out. MED_ISSUE_TOO_COSTLY for
 * more names than a list may have. */
bool med_element_names_read(const med_pack *p, med_arena *a, const med_type *types, size_t n_types,
                            med_str list, bool strict, med_element_names *out,
                            med_err *err) MED_MUST_CHECK;

/* Does `name` stand for this element of the type, seen as this JSON property? */
bool med_element_name_is(const med_pack *p, med_type t, med_str name, med_str element,
                         med_str property);

/* Has the type such an element? If not: one that may be meant by the part that it does not have,
 * or "". */
bool med_element_name_known(const med_pack *p, med_type t, med_str name);
med_str med_element_name_nearest(const med_pack *p, med_type t, med_str name);

#endif
