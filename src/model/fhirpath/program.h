/* program.h - what med_fhirpath_compile makes and med_fhirpath_run runs: code of a stack machine.
 *
 * Operands are collections; they lie one behind the other on one stack of values, each begun by
 * a mark. An instruction takes the operands on top and leaves one. A loop (where, select, ...)
 * runs the code of its body once for each item of the operand on top:
 *
 *     name.where(use = 'usual').given      STEP_THIS name
 *                                          LOOP where -> 6
 *                                          STEP_THIS use ; CONST 'usual' ; BINARY =
 *                                          NEXT -> 2
 *                                       6: STEP given ; END
 *
 * A program is immutable. Private to model/fhirpath/. */
#ifndef MED_MODEL_FHIRPATH_PROGRAM_H
#define MED_MODEL_FHIRPATH_PROGRAM_H

#include "model/fhirpath.h"

enum med_fp_op {
    MED_FP_END,
    MED_FP_THIS,
    MED_FP_INDEX,
    MED_FP_TOTAL,
    MED_FP_CONTEXT,
    MED_FP_RESOURCE,
    MED_FP_ROOT_RESOURCE,
    MED_FP_VARIABLE, /* a: constant with its name */
    MED_FP_SLOT,     /* a: slot of defineVariable */
    MED_FP_CONST,    /* a: constant */
    MED_FP_EMPTY,
    MED_FP_STEP,      /* a: step */
    MED_FP_STEP_THIS, /* the same from $this */
    MED_FP_ROOT,      /* a: type; keeps $this if it is one, the first word of Patient.name */
    MED_FP_INDEXER,
    MED_FP_CALL,   /* a: function, argc */
    MED_FP_BINARY, /* a: enum med_fp_binary */
    MED_FP_NEGATE,
    MED_FP_POSITIVE,
    MED_FP_IS,         /* a: type test */
    MED_FP_AS,         /* a: type test; kind 1: at most one item allowed */
    MED_FP_OF_TYPE,    /* a: type test */
    MED_FP_RESOLVE_IS, /* a: type test; `resolve() is T` without fetching where the text says it */
    MED_FP_SHORT_AND,  /* a: target; leaves false and jumps when the left side is false */
    MED_FP_SHORT_OR,
    MED_FP_SHORT_IMPLIES,
    MED_FP_IIF,  /* a: target of "not true"; takes the criterion away */
    MED_FP_JUMP, /* a: target */
    MED_FP_LOOP, /* a: first instruction behind the loop; kind: enum med_fp_loop */
    MED_FP_NEXT, /* a: first instruction of the body; of a sort: argc keys, kind bits descending */
    MED_FP_WITH, /* the operand on top (at most one item) becomes $this ... */
    MED_FP_END_WITH,  /* ... until here; the result replaces it */
    MED_FP_IF_TRACED, /* a: target when nobody listens to trace() */
    MED_FP_TRACE,     /* the two operands on top, name and values, end with the frame of WITH */
    MED_FP_DEFINE,    /* a: slot; kind 1: the value is an operand of its own */
};

enum med_fp_loop {
    MED_FP_WHERE,
    MED_FP_SELECT,
    MED_FP_ALL,
    MED_FP_ANY,  /* exists(criterion), where(criterion).exists() */
    MED_FP_NONE, /* where(criterion).empty() */
    MED_FP_REPEAT,
    MED_FP_REPEAT_ALL,
    MED_FP_AGGREGATE,
    MED_FP_SORT,
    MED_FP_SINGLE, /* a frame of WITH */
};

enum med_fp_binary {
    MED_FP_MULTIPLY,
    MED_FP_DIVIDE,
    MED_FP_DIV,
    MED_FP_MOD,
    MED_FP_ADD,
    MED_FP_SUBTRACT,
    MED_FP_CONCAT,
    MED_FP_UNION,
    MED_FP_LESS,
    MED_FP_LESS_OR_EQUAL,
    MED_FP_GREATER,
    MED_FP_GREATER_OR_EQUAL,
    MED_FP_EQUAL,
    MED_FP_NOT_EQUAL,
    MED_FP_EQUIVALENT,
    MED_FP_NOT_EQUIVALENT,
    MED_FP_IN,
    MED_FP_CONTAINS,
    MED_FP_AND,
    MED_FP_OR,
    MED_FP_XOR,
    MED_FP_IMPLIES,
};

struct med_fp_code {
    uint8_t op, kind;
    uint16_t argc;
    uint32_t a;
};

/* One JSON property that a step may find in an object of type `owner`. */
struct med_fp_edge {
    med_str key;
    med_type owner, type;
};

struct med_fp_step {
    med_str name;
    const struct med_fp_edge *edges;
    uint32_t n_edges; /* none: the type is not known before the run */
};

/* `is Patient`, `as System.String`: a FHIR type, a System kind, or both ("Quantity"). */
struct med_fp_type_test {
    med_type fhir;
    bool has_system;
    /* `answer is Boolean`, as invariant que-7 of R4 writes it for a FHIR boolean: true for the
     * FHIR primitive, too. Only the operator, only without "System.". */
    bool lenient;
    enum med_value_kind system;
};

struct med_fhirpath {
    med_str text;
    const struct med_fp_code *code;
    const uint32_t *at; /* offset in the text, for each instruction */
    size_t n;
    const med_value *constants;
    const struct med_fp_step *steps;
    const struct med_fp_type_test *tests;
    void *const *patterns; /* pcre2_code of a constant that is matched with, else NULL */
    uint32_t n_constants, n_slots, n_frames;
};

#endif
