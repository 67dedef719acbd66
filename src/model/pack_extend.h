/* pack_extend.h - a pack with search parameters that were added at run time.
 *
 * The new pack is a copy with more rows: every number of the old one (types, elements, parameters)
 * means the same in it, and the added parameters have the numbers from med_pack_param_count(base)
 * on, in the order given. They are evaluated by FHIRPath (med_walk_rest). Thread safe. */
#ifndef MED_MODEL_PACK_EXTEND_H
#define MED_MODEL_PACK_EXTEND_H

#include "base/arena.h"
#include "model/pack.h"

typedef struct med_pack_param_extra {
    med_str code, url, expression;
    enum med_param_type type; /* neither composite nor special */
    const med_type *bases;    /* resource types that have no parameter of that code yet */
    size_t n_bases;
    const med_type *targets; /* of a reference; none = any */
    size_t n_targets;
} med_pack_param_extra;

/* The pack lives in `a` (some 2 MB for the R4 core). */
bool med_pack_extend(med_arena *a, const med_pack *base, const med_pack_param_extra *extra,
                     size_t n, const med_pack **out, med_err *err) MED_MUST_CHECK;

#endif
