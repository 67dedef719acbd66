/* presence.h - what an invariant says, as far as it only asks which elements are there.
 *
 * `dataAbsentReason.empty() or value.empty()` needs no FHIRPath: an object's elements that are
 * there are bits. An expression is turned into a few operations over these bits; what else
 * stands in it is "open". Most invariants of most resources are decided so; those that stay open
 * go to the FHIRPath engine. Never decides what the engine would decide otherwise (a test
 * compares the two on all examples of the specification).
 *
 * A program is immutable and lives in the arena; to run it costs no memory. */
#ifndef MED_VALIDATE_PRESENCE_H
#define MED_VALIDATE_PRESENCE_H

#include "base/arena.h"
#include "model/pack.h"

enum med_presence { MED_PRESENCE_FALSE, MED_PRESENCE_TRUE, MED_PRESENCE_EMPTY, MED_PRESENCE_OPEN };

enum { MED_PRESENCE_OPS = 64 };

typedef struct med_presence_program {
    const struct med_presence_op *ops; /* postfix */
    size_t n;
} med_presence_program;

/* The expression with `type` as its context. An expression that is beyond this is one open
 * operand. False past the arena's ceiling. */
bool med_presence_compile(med_arena *a, const med_pack *p, med_type type, med_str expression,
                          med_presence_program *out) MED_MUST_CHECK;

/* `seen`: a bit for each element of the type. */
enum med_presence med_presence_run(const med_presence_program *program, const uint64_t *seen);

#endif
