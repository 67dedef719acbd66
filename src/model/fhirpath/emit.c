/* emit.c - growing tables of a program under compilation */
#include "model/fhirpath/compiler.h"

#include <assert.h>

enum { FIRST_ROOM = 16 };

static bool grow(med_fp_compiler *c, void **table, size_t *room, size_t n, size_t size)
{
    void *larger = med_arena_grow(c->a, *table, n, room, FIRST_ROOM, size);
    if (larger == NULL)
        return MED_FAIL_MEMORY(c->err);
    *table = larger;
    return true;
}

bool med_fp_emit(med_fp_compiler *c, enum med_fp_op op, uint32_t a, size_t at)
{
    void *code = c->code;
    void *positions = c->at;
    if (!grow(c, &code, &c->room, c->n, sizeof *c->code)
        || !grow(c, &positions, &c->at_room, c->n, sizeof *c->at))
        return false;
    assert(code != NULL && positions != NULL);
    c->code = code;
    c->at = positions;
    c->code[c->n] = (struct med_fp_code){.op = (uint8_t)op, .a = a};
    c->at[c->n++] = (uint32_t)at;
    return true;
}

void med_fp_patch(med_fp_compiler *c, size_t index)
{
    c->code[index].a = (uint32_t)c->n;
    c->label = c->n;
    c->label_from = index;
}

struct med_fp_code *med_fp_last(med_fp_compiler *c)
{
    return c->n == 0 || c->label == c->n ? NULL : &c->code[c->n - 1];
}

bool med_fp_emit_constant(med_fp_compiler *c, const med_value *v, size_t at)
{
    void *table = c->constants;
    void *patterns = c->patterns;
    if (!grow(c, &table, &c->constant_room, c->n_constants, sizeof *c->constants)
        || !grow(c, &patterns, &c->pattern_room, c->n_constants, sizeof *c->patterns))
        return false;
    c->constants = table;
    c->patterns = patterns;
    c->constants[c->n_constants] = *v;
    return med_fp_emit(c, MED_FP_CONST, (uint32_t)c->n_constants++, at);
}

bool med_fp_emit_string(med_fp_compiler *c, med_str text, size_t at)
{
    med_value v = {
        .kind = MED_VALUE_STRING, .type = MED_TYPE_NONE, .text = text, .unit = MED_STR_EMPTY};
    return med_fp_emit_constant(c, &v, at);
}

bool med_fp_emit_step(med_fp_compiler *c, med_str name, size_t at, struct med_fp_shape *shape)
{
    void *table = c->steps;
    if (!grow(c, &table, &c->step_room, c->n_steps, sizeof *c->steps))
        return false;
    c->steps = table;
    struct med_fp_shape to;
    if (!med_fp_shape_step(c->a, c->p, shape, name, at, &c->steps[c->n_steps], &to, c->err))
        return false;
    *shape = to;
    /* `$this.x` is one instruction */
    struct med_fp_code *last = med_fp_last(c);
    if (last != NULL && last->op == MED_FP_THIS) {
        *last = (struct med_fp_code){.op = MED_FP_STEP_THIS, .a = (uint32_t)c->n_steps++};
        c->at[c->n - 1] = (uint32_t)at;
        return true;
    }
    return med_fp_emit(c, MED_FP_STEP, (uint32_t)c->n_steps++, at);
}

bool med_fp_emit_test(med_fp_compiler *c, enum med_fp_op op, const struct med_fp_type_test *test,
                      size_t at)
{
    void *table = c->tests;
    if (!grow(c, &table, &c->test_room, c->n_tests, sizeof *c->tests))
        return false;
    c->tests = table;
    c->tests[c->n_tests] = *test;
    return med_fp_emit(c, op, (uint32_t)c->n_tests++, at);
}

bool med_fp_open_frame(med_fp_compiler *c, size_t at)
{
    if (c->frames == MED_FHIRPATH_DEPTH)
        return med_lexer_fail(&c->lexer, at, "functions are nested too deeply");
    c->frames++;
    if (c->frames > c->n_frames)
        c->n_frames = c->frames;
    return true;
}

void med_fp_close_frame(med_fp_compiler *c)
{
    c->frames--;
}
