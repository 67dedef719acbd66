/* compiler.h - the state of one compilation, shared by parser.c, calls.c and emit.c.
 *
 * One pass: an operator-precedence parser emits code as it reads. Recursion (parentheses,
 * arguments, signs) is counted and ends at MED_FHIRPATH_DEPTH. */
#ifndef MED_MODEL_FHIRPATH_COMPILER_H
#define MED_MODEL_FHIRPATH_COMPILER_H

#include "model/fhirpath/lexer.h"
#include "model/fhirpath/shape.h"

enum { MED_FP_NAMES = 32 };

struct med_fp_name {
    med_str name;
    uint32_t slot;
};

typedef struct med_fp_compiler {
    med_arena *a;
    const med_pack *p;
    med_lexer lexer;
    med_token token; /* the one ahead */
    struct med_fp_code *code;
    uint32_t *at;
    med_value *constants;
    void **patterns;
    struct med_fp_step *steps;
    struct med_fp_type_test *tests;
    size_t n, room, at_room;
    size_t n_constants, constant_room, pattern_room;
    size_t n_steps, step_room;
    size_t n_tests, test_room;
    size_t label, label_from; /* the last place jumped to, and the instruction that jumps there */
    struct med_fp_shape this;
    struct med_fp_name names[MED_FP_NAMES]; /* what defineVariable made, innermost last */
    size_t n_names;
    uint32_t n_slots;
    uint32_t frames, n_frames; /* open now; at most */
    med_err *err;
} med_fp_compiler;

/* ---- emit.c ---- */
bool med_fp_emit(med_fp_compiler *c, enum med_fp_op op, uint32_t a, size_t at);
/* The jump at `index` goes to the next instruction. */
void med_fp_patch(med_fp_compiler *c, size_t index);
bool med_fp_emit_constant(med_fp_compiler *c, const med_value *v, size_t at);
bool med_fp_emit_string(med_fp_compiler *c, med_str text, size_t at);
/* Follows `name` from the operand on top (of shape *shape, which becomes the new one). */
bool med_fp_emit_step(med_fp_compiler *c, med_str name, size_t at, struct med_fp_shape *shape);
bool med_fp_emit_test(med_fp_compiler *c, enum med_fp_op op, const struct med_fp_type_test *test,
                      size_t at);
/* The last instruction, if it may still be changed: NULL when something jumps behind it. */
struct med_fp_code *med_fp_last(med_fp_compiler *c);
bool med_fp_open_frame(med_fp_compiler *c, size_t at);
void med_fp_close_frame(med_fp_compiler *c);
/* Compiles the regular expression of a constant now (regex.c). */
bool med_fp_emit_pattern(med_fp_compiler *c, uint32_t constant, size_t at);

/* ---- parser.c ---- */
bool med_fp_advance(med_fp_compiler *c);
bool med_fp_is_symbol(const med_fp_compiler *c, const char *symbol);
bool med_fp_expect(med_fp_compiler *c, const char *symbol);
bool med_fp_fail_here(med_fp_compiler *c, const char *what);
/* Reads an expression, emits its code, and tells the shape of its result. */
bool med_fp_parse_expression(med_fp_compiler *c, int depth, struct med_fp_shape *out);
bool med_fp_parse_type(med_fp_compiler *c, struct med_fp_type_test *out);
/* is, as, ofType with the operand on top. */
bool med_fp_emit_type_test(med_fp_compiler *c, enum med_fp_op op, size_t at,
                           const struct med_fp_type_test *test, struct med_fp_shape *shape);

/* ---- calls.c ---- */
/* The name has been read and '(' is ahead. `shape` is the input's (on the stack), then the
 * result's; without an input ($this is meant) has_input is false. */
bool med_fp_parse_call(med_fp_compiler *c, const med_token *name, bool has_input, int depth,
                       struct med_fp_shape *shape);

#endif
