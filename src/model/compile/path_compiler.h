/* path_compiler.h - a FHIRPath search expression -> paths through JSON properties.
 * https://hl7.org/fhir/R4/search.html  http://hl7.org/fhirpath/N1/
 *
 * Understood: names, `|`, parentheses, `x as T`, `.as(T)`, `.ofType(T)`, `[n]`, `.first()`,
 * `.where(resolve() is T)`, `.where(key = 'value')`, `.extension('url')`, $this. Choices fan
 * out into their properties. Everything else is no path and stays with the FHIRPath engine.
 * Results live in the arena. */
#ifndef MED_MODEL_COMPILE_PATH_COMPILER_H
#define MED_MODEL_COMPILE_PATH_COMPILER_H

#include "base/arena.h"
#include "model/pack.h"

enum med_step_kind {
    MED_STEP_PROPERTY,    /* name */
    MED_STEP_INDEX,       /* [index] of the property before */
    MED_STEP_RESOLVES_TO, /* type */
    MED_STEP_RESOURCE_IS, /* type */
    MED_STEP_EQUALS,      /* name = value */
};

typedef struct med_step {
    const struct med_step *before; /* NULL: the first */
    enum med_step_kind kind;
    med_type type; /* PROPERTY: of its value */
    uint32_t index;
    med_str name, value;
} med_step;

typedef struct med_path {
    const med_step *last; /* NULL: the base itself */
    med_type type;        /* of what the path ends at */
    bool is_single;       /* gives one value at most */
} med_path;

typedef struct med_paths {
    med_path *at;
    size_t n, room;
} med_paths;

/* Paths of `expression` from a value of type `base`. Parts of a union that begin with another
 * type's name give nothing. An end at Extension becomes its value[x]. Failures:
 * MED_ISSUE_NOT_SUPPORTED: no path; MED_ISSUE_NOT_FOUND: names what the types do not have;
 * MED_ISSUE_INVALID: no FHIRPath. */
bool med_path_compile(med_arena *a, const med_pack *p, med_str expression, med_type base,
                      med_paths *out, med_err *err) MED_MUST_CHECK;

#endif
