/* run.h - the machine that runs a program, and what functions need of it.
 *
 * Private to model/fhirpath/. One run belongs to one thread. */
#ifndef MED_MODEL_FHIRPATH_RUN_H
#define MED_MODEL_FHIRPATH_RUN_H

#include <assert.h>

#include "model/fhirpath/program.h"

enum {
    MED_FP_SMALL = 24, /* values and marks kept without an allocation */
    MED_FP_SMALL_FRAMES = 4,
    MED_FP_ITEMS_MAX = 1 << 20, /* on the stack at once */
    MED_FP_STEPS = 1000000,
};

struct med_fp_frame {
    enum med_fp_loop kind;
    size_t start;             /* first item of the input on the stack */
    size_t count;             /* items of the input */
    size_t i;                 /* the item that is $this */
    size_t out;               /* where: items kept so far */
    size_t marks;             /* marks below the body's operands */
    size_t total, total_end;  /* aggregate: range of $total */
    struct med_fp_set *found; /* repeat: what has been found */
};

typedef struct med_fp_run {
    med_arena *a;
    const med_pack *p;
    const struct med_fhirpath *program;
    const med_fhirpath_env *env;
    const med_value *focus, *resource, *root;
    med_value *values;
    size_t n, room;
    size_t *marks;
    size_t n_marks, mark_room;
    struct med_fp_frame *frames;
    size_t n_frames;
    med_values *slots;
    uint64_t steps, max_steps;
    size_t pc;
    void *match_data, *match_context; /* regex.c */
    med_err *err;
} med_fp_run;

/* Fails with the position of the running instruction. */
bool med_fp_fail(med_fp_run *r, enum med_issue issue, const char *what);
/* Uses up n steps of the budget. */
bool med_fp_spend(med_fp_run *r, size_t n);
/* The same for text that is made: a few doublings are hundreds of megabytes. */
bool med_fp_spend_text(med_fp_run *r, size_t bytes);

/* ---- the stack ---- */
/* Makes room for n more values; pointers into the stack die. */
bool med_fp_reserve(med_fp_run *r, size_t n);
bool med_fp_push(med_fp_run *r, const med_value *v); /* onto the topmost operand */
bool med_fp_begin(med_fp_run *r);                    /* a new, empty operand */
/* The operand `back` below the top (0 = the top). Dies with the next push. */
static inline med_values med_fp_operand(const med_fp_run *r, size_t back)
{
    assert(r->n_marks > back); /* the compiler sees to it */
    size_t mark = r->n_marks - 1 - back;
    size_t end = back == 0 ? r->n : r->marks[mark + 1];
    return (med_values){r->values + r->marks[mark], end - r->marks[mark]};
}
/* Takes the top operands away. */
static inline void med_fp_drop(med_fp_run *r, size_t operands)
{
    r->n_marks -= operands;
    r->n = r->marks[r->n_marks];
}
/* The top operand takes the place of itself and `below` operands under it. */
void med_fp_slide(med_fp_run *r, size_t below);

/* ---- results of a function with `argc` arguments: they replace the input and the arguments ----
 */
bool med_fp_result(med_fp_run *r, size_t argc, const med_value *v);
bool med_fp_result_empty(med_fp_run *r, size_t argc);
bool med_fp_result_bool(med_fp_run *r, size_t argc, bool value);
bool med_fp_result_integer(med_fp_run *r, size_t argc, int64_t value);
bool med_fp_result_string(med_fp_run *r, size_t argc, med_str value);

/* ---- single items, by the rules of singleton evaluation ---- */
enum med_fp_truth { MED_FP_FALSE, MED_FP_TRUE, MED_FP_UNKNOWN };
/* UNKNOWN for an empty operand; an error for several items. */
bool med_fp_truth_of(med_fp_run *r, med_values operand, enum med_fp_truth *out);
/* *found is false for an empty operand (or one without a value); an error for several items. The
 * item comes as a System value (fhirpath/values.h). */
bool med_fp_single(med_fp_run *r, med_values operand, bool *found, med_value *out);
/* Errors also when the item is no string (or integer, ...). */
bool med_fp_single_string(med_fp_run *r, med_values operand, bool *found, med_str *out);
bool med_fp_single_integer(med_fp_run *r, med_values operand, bool *found, int64_t *out);

#endif
