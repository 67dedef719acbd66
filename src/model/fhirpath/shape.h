/* shape.h - what is known before the run about the items of a collection: their types.
 *
 * Used by the compiler to refuse unknown elements and to look properties up once. */
#ifndef MED_MODEL_FHIRPATH_SHAPE_H
#define MED_MODEL_FHIRPATH_SHAPE_H

#include "model/fhirpath/program.h"

struct med_fp_shape {
    const med_type *types; /* FHIR types, without duplicates */
    size_t n;
    unsigned system; /* bits 1 << enum med_value_kind */
    bool any;        /* nothing is known; the rest is empty */
    bool choice;     /* comes from a choice element */
};

static inline struct med_fp_shape med_fp_shape_any(void)
{
    return (struct med_fp_shape){.any = true};
}
static inline struct med_fp_shape med_fp_shape_system(enum med_value_kind kind)
{
    return (struct med_fp_shape){.system = 1U << kind};
}
/* Abstract resources ("Resource") may be anything. False past the arena's ceiling. */
bool med_fp_shape_type(med_arena *a, const med_pack *p, med_type t,
                       struct med_fp_shape *out) MED_MUST_CHECK;
bool med_fp_shape_union(med_arena *a, const struct med_fp_shape *x, const struct med_fp_shape *y,
                        struct med_fp_shape *out) MED_MUST_CHECK;
/* Follows the element `name`: fills the step's edges and the shape of what it finds. False with
 * the nearest name when no type of `from` has it. `at` is the position for messages. */
bool med_fp_shape_step(med_arena *a, const med_pack *p, const struct med_fp_shape *from,
                       med_str name, size_t at, struct med_fp_step *step, struct med_fp_shape *out,
                       med_err *err) MED_MUST_CHECK;
/* True when every item is known to be something else than a primitive or a system value. */
bool med_fp_shape_is_complex(const med_pack *p, const struct med_fp_shape *s);

#endif
