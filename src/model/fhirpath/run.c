/* run.c - the machine: one instruction after the other, no recursion; see program.h */
#include "model/fhirpath/run.h"
#include "model/fhirpath/functions.h"
#include "model/fhirpath/loops.h"
#include "model/fhirpath/values.h"

bool med_fp_fail(med_fp_run *r, enum med_issue issue, const char *what)
{
    if (med_arena_exhausted(r->a))
        return MED_FAIL_MEMORY(r->err);
    return MED_FAIL(r->err, issue, "FHIRPath, position %zu: %s", (size_t)r->program->at[r->pc] + 1,
                    what);
}

bool med_fp_spend(med_fp_run *r, size_t n)
{
    r->steps += n;
    if (r->steps <= r->max_steps)
        return true;
    return med_fp_fail(r, MED_ISSUE_TOO_COSTLY, "the expression takes too many steps");
}

bool med_fp_spend_text(med_fp_run *r, size_t bytes)
{
    enum { BYTES_A_STEP = 64 };
    return med_fp_spend(r, bytes / BYTES_A_STEP);
}

/* ---- the stack ---- */

bool med_fp_reserve(med_fp_run *r, size_t n)
{
    if (r->n + n <= r->room)
        return true;
    if (r->n + n > MED_FP_ITEMS_MAX)
        return med_fp_fail(r, MED_ISSUE_TOO_COSTLY, "the collections hold too many items");
    size_t room = r->room * 2;
    while (room < r->n + n)
        room *= 2;
    med_value *values = MED_TAKE(r->a, room, med_value);
    if (values == NULL)
        return MED_FAIL_MEMORY(r->err);
    memcpy(values, r->values, r->n * sizeof *values);
    r->values = values;
    r->room = room;
    return true;
}

bool med_fp_push(med_fp_run *r, const med_value *v)
{
    if (r->n == r->room) {
        med_value copy = *v; /* v may lie on the stack that moves */
        if (!med_fp_reserve(r, 1))
            return false;
        r->values[r->n++] = copy;
        return true;
    }
    r->values[r->n++] = *v;
    return true;
}

bool med_fp_begin(med_fp_run *r)
{
    if (r->n_marks == r->mark_room) {
        size_t *marks = MED_TAKE(r->a, r->mark_room * 2, size_t);
        if (marks == NULL)
            return MED_FAIL_MEMORY(r->err);
        memcpy(marks, r->marks, r->n_marks * sizeof *marks);
        r->marks = marks;
        r->mark_room *= 2;
    }
    r->marks[r->n_marks++] = r->n;
    return true;
}

void med_fp_slide(med_fp_run *r, size_t below)
{
    assert(r->n_marks > below);
    size_t from = r->marks[r->n_marks - 1];
    size_t to = r->marks[r->n_marks - 1 - below];
    memmove(r->values + to, r->values + from, (r->n - from) * sizeof *r->values);
    r->n -= from - to;
    r->n_marks -= below;
}

bool med_fp_result_empty(med_fp_run *r, size_t argc)
{
    r->n_marks -= argc;
    r->n = r->marks[r->n_marks - 1];
    return true;
}

bool med_fp_result(med_fp_run *r, size_t argc, const med_value *v)
{
    med_value copy = *v;
    return med_fp_result_empty(r, argc) && med_fp_push(r, &copy);
}

static bool result_number(med_fp_run *r, size_t argc, enum med_value_kind kind, int64_t value)
{
    if (!med_fp_result_empty(r, argc) || !med_fp_reserve(r, 1))
        return false;
    r->values[r->n++] = (med_value){.kind = kind,
                                    .type = MED_TYPE_NONE,
                                    .text = MED_STR_EMPTY,
                                    .unit = MED_STR_EMPTY,
                                    .integer = value};
    return true;
}

bool med_fp_result_bool(med_fp_run *r, size_t argc, bool value)
{
    return result_number(r, argc, MED_VALUE_BOOLEAN, value);
}

bool med_fp_result_integer(med_fp_run *r, size_t argc, int64_t value)
{
    return result_number(r, argc, MED_VALUE_INTEGER, value);
}

bool med_fp_result_string(med_fp_run *r, size_t argc, med_str value)
{
    med_value v = med_fp_string(value);
    return med_fp_result(r, argc, &v);
}

/* ---- single items ---- */

bool med_fp_truth_of(med_fp_run *r, med_values operand, enum med_fp_truth *out)
{
    *out = MED_FP_UNKNOWN;
    if (operand.n == 0 || (operand.n == 1 && med_fp_is_absent(operand.at)))
        return true;
    if (operand.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "one truth value was expected, not several");
    const med_value *v = operand.at;
    if (v->kind == MED_VALUE_BOOLEAN) {
        *out = v->integer != 0 ? MED_FP_TRUE : MED_FP_FALSE;
        return true;
    }
    med_value system;
    if (!med_fp_system(r, v, &system))
        return false;
    /* a single item that is no boolean counts as true */
    bool is_false = system.kind == MED_VALUE_BOOLEAN && system.integer == 0;
    *out = is_false ? MED_FP_FALSE : MED_FP_TRUE;
    return true;
}

bool med_fp_single(med_fp_run *r, med_values operand, bool *found, med_value *out)
{
    *found = false;
    if (operand.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "one item was expected, not several");
    if (operand.n == 0 || med_fp_is_absent(operand.at))
        return true;
    *found = true;
    return med_fp_system(r, operand.at, out);
}

bool med_fp_single_string(med_fp_run *r, med_values operand, bool *found, med_str *out)
{
    med_value v;
    if (!med_fp_single(r, operand, found, &v))
        return false;
    if (!*found)
        return true;
    if (v.kind != MED_VALUE_STRING)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "a string was expected");
    *out = v.text;
    return true;
}

bool med_fp_single_integer(med_fp_run *r, med_values operand, bool *found, int64_t *out)
{
    med_value v;
    if (!med_fp_single(r, operand, found, &v))
        return false;
    if (!*found)
        return true;
    if (v.kind != MED_VALUE_INTEGER)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "an integer was expected");
    *out = v.integer;
    return true;
}

/* ---- instructions ---- */

static bool push_one(med_fp_run *r, const med_value *v)
{
    return med_fp_begin(r) && med_fp_push(r, v);
}

static bool push_this(med_fp_run *r)
{
    if (!med_fp_begin(r))
        return false;
    if (r->n_frames == 0)
        return med_fp_push(r, r->focus);
    const struct med_fp_frame *f = &r->frames[r->n_frames - 1];
    if (f->kind != MED_FP_SINGLE)
        return med_fp_push(r, &r->values[f->start + f->i]);
    for (size_t i = 0; i < f->count; i++)
        if (!med_fp_push(r, &r->values[f->start + i]))
            return false;
    return true;
}

static bool push_index(med_fp_run *r)
{
    for (size_t i = r->n_frames; i > 0; i--) {
        if (r->frames[i - 1].kind == MED_FP_SINGLE)
            continue;
        med_value v = med_fp_integer((int64_t)r->frames[i - 1].i);
        return push_one(r, &v);
    }
    return med_fp_begin(r);
}

static bool push_total(med_fp_run *r)
{
    if (!med_fp_begin(r))
        return false;
    for (size_t i = r->n_frames; i > 0; i--) {
        const struct med_fp_frame *f = &r->frames[i - 1];
        if (f->kind != MED_FP_AGGREGATE)
            continue;
        for (size_t k = f->total; k < f->total_end; k++)
            if (!med_fp_push(r, &r->values[k]))
                return false;
        return true;
    }
    return true;
}

static bool push_all(med_fp_run *r, med_values values)
{
    if (!med_fp_begin(r) || !med_fp_reserve(r, values.n))
        return false;
    if (values.n > 0)
        memcpy(r->values + r->n, values.at, values.n * sizeof *r->values);
    r->n += values.n;
    return true;
}

static bool push_variable(med_fp_run *r, med_str name)
{
    med_str names[32];
    size_t n = r->env == NULL ? 0 : r->env->n_variables;
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq(r->env->variables[i].name, name))
            return push_all(r, r->env->variables[i].value);
        if (i < 32)
            names[i] = r->env->variables[i].name;
    }
    med_str near = med_str_nearest(name, names, n < 32 ? n : 32);
    return MED_FAIL(
        r->err, MED_ISSUE_INVALID, "FHIRPath, position %zu: there is no variable %%%.*s%s%.*s%s",
        (size_t)r->program->at[r->pc] + 1, (int)(name.len < 64 ? name.len : 64), name.ptr,
        near.len > 0 ? "; did you mean %" : "", MED_STR_ARG(near), near.len > 0 ? "?" : "");
}

static bool step_this(med_fp_run *r, const struct med_fp_step *step)
{
    if (r->n_frames > 0) {
        const struct med_fp_frame *f = &r->frames[r->n_frames - 1];
        if (!med_fp_begin(r))
            return false;
        size_t from = f->kind == MED_FP_SINGLE ? 0 : f->i;
        size_t to = f->kind == MED_FP_SINGLE ? f->count : f->i + 1;
        for (size_t i = from; i < to; i++) {
            med_value item = r->values[f->start + i];
            if (!med_fp_step_from(r, step, &item))
                return false;
        }
        return true;
    }
    return med_fp_begin(r) && med_fp_step_from(r, step, r->focus);
}

static bool step_top(med_fp_run *r, const struct med_fp_step *step)
{
    size_t start = r->marks[r->n_marks - 1];
    size_t end = r->n;
    for (size_t i = start; i < end; i++) {
        med_value item = r->values[i];
        if (!med_fp_spend(r, 1) || !med_fp_step_from(r, step, &item))
            return false;
    }
    memmove(r->values + start, r->values + end, (r->n - end) * sizeof *r->values);
    r->n -= end - start;
    return true;
}

static bool root_of(med_fp_run *r, med_type type)
{
    if (!push_this(r))
        return false;
    assert(r->n_marks > 0);
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): marks below n_marks are filled */
    size_t start = r->marks[r->n_marks - 1];
    size_t kept = start;
    for (size_t i = start; i < r->n; i++) {
        const med_value *v = &r->values[i];
        if (v->kind == MED_VALUE_NODE && v->type != MED_TYPE_NONE
            && med_type_is_a(r->p, v->type, type))
            r->values[kept++] = *v;
    }
    r->n = kept;
    return true;
}

static bool index_into(med_fp_run *r)
{
    bool found = false;
    int64_t at = 0;
    if (!med_fp_single_integer(r, med_fp_operand(r, 0), &found, &at))
        return false;
    med_values items = med_fp_operand(r, 1);
    if (!found || at < 0 || (uint64_t)at >= items.n)
        return med_fp_result_empty(r, 1);
    return med_fp_result(r, 1, &items.at[at]);
}

static bool test_is(med_fp_run *r, const struct med_fp_type_test *test)
{
    med_values items = med_fp_operand(r, 0);
    if (items.n == 0)
        return true;
    if (items.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "'is' takes one item, not several");
    bool is = med_fp_is_of(r, items.at, test);
    if (!is && test->lenient) {
        med_value v;
        if (!med_fp_system(r, items.at, &v))
            return false;
        is = v.kind == test->system;
    }
    return med_fp_result_bool(r, 0, is);
}

/* `as` and ofType take primitives of exactly that type (a code is no string here), and of the
 * other types their descendants too. */
static bool may_become(const med_fp_run *r, const med_value *v, const struct med_fp_type_test *test)
{
    if (!med_fp_is_of(r, v, test))
        return false;
    return v->kind != MED_VALUE_NODE || v->type == MED_TYPE_NONE || v->type == test->fhir
           || med_type_primitive(r->p, v->type) == MED_PRIMITIVE_NONE;
}

static bool filter_types(med_fp_run *r, const struct med_fp_type_test *test, bool strict)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): marks below n_marks are filled */
    size_t start = r->marks[r->n_marks - 1];
    size_t kept = start;
    if (strict && r->n - start > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING,
                           "'as' takes one item, not several; ofType() filters");
    for (size_t i = start; i < r->n; i++)
        if (may_become(r, &r->values[i], test))
            r->values[kept++] = r->values[i]; /* NOLINT(clang-analyzer-core.uninitialized.Assign) */
    r->n = kept;
    return true;
}

static bool indeed(med_fp_run *r, enum med_fp_truth wanted, bool *jump)
{
    enum med_fp_truth truth = MED_FP_UNKNOWN;
    if (!med_fp_truth_of(r, med_fp_operand(r, 0), &truth))
        return false;
    *jump = truth == wanted;
    return true;
}

/* The left side of `and` (false), `or` (true), `implies` (false gives true) decides alone. */
static bool short_cut(med_fp_run *r, const struct med_fp_code *code)
{
    bool jump = false;
    bool result = code->op != MED_FP_SHORT_AND;
    if (!indeed(r, code->op == MED_FP_SHORT_OR ? MED_FP_TRUE : MED_FP_FALSE, &jump))
        return false;
    if (!jump)
        return true;
    r->pc = code->a - 1;
    return med_fp_result_bool(r, 0, result);
}

static bool choose(med_fp_run *r, const struct med_fp_code *code)
{
    med_values criterion = med_fp_operand(r, 0);
    bool found = false;
    med_value v = {0};
    if (!med_fp_single(r, criterion, &found, &v))
        return false;
    if (found && v.kind != MED_VALUE_BOOLEAN)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "iif() takes a boolean as its criterion");
    med_fp_drop(r, 1);
    if (!found || v.integer == 0)
        r->pc = code->a - 1;
    return true;
}

static bool define(med_fp_run *r, const struct med_fp_code *code)
{
    med_values value = med_fp_operand(r, 0);
    med_value *copy = MED_TAKE(r->a, value.n, med_value);
    if (copy == NULL)
        return MED_FAIL_MEMORY(r->err);
    if (value.n > 0)
        memcpy(copy, value.at, value.n * sizeof *copy);
    assert(r->slots != NULL);
    r->slots[code->a] = (med_values){copy, value.n};
    if (code->kind == 1) {
        med_fp_drop(r, 1);
        r->n_frames--;
    }
    return true;
}

/* The values shown are copied: they may be kept until the run has ended. */
static bool trace(med_fp_run *r)
{
    bool named = false;
    med_str name = MED_STR_EMPTY;
    med_values shown = med_fp_operand(r, 0);
    if (!med_fp_single_string(r, med_fp_operand(r, 1), &named, &name))
        return false;
    if (!named)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "trace() takes a name");
    med_value *copy = MED_TAKE(r->a, shown.n, med_value);
    if (copy == NULL)
        return MED_FAIL_MEMORY(r->err);
    for (size_t i = 0; i < shown.n; i++) {
        copy[i] = shown.at[i];
        if (!med_fp_fill_text(r, &copy[i]))
            return false;
    }
    if (!r->env->trace(r->env->arg, name, (med_values){copy, shown.n}))
        return MED_FAIL_MEMORY(r->err);
    med_fp_drop(r, 2);
    r->n_frames--;
    return med_fp_spend(r, shown.n);
}

static bool run_path(med_fp_run *r, const struct med_fp_code *code)
{
    const struct med_fhirpath *program = r->program;
    switch ((enum med_fp_op)code->op) {
    case MED_FP_THIS:
        return push_this(r);
    case MED_FP_INDEX:
        return push_index(r);
    case MED_FP_TOTAL:
        return push_total(r);
    case MED_FP_CONTEXT:
        return push_one(r, r->focus);
    case MED_FP_RESOURCE:
        return push_one(r, r->resource);
    case MED_FP_ROOT_RESOURCE:
        return push_one(r, r->root);
    case MED_FP_VARIABLE:
        return push_variable(r, program->constants[code->a].text);
    case MED_FP_SLOT:
        return push_all(r, r->slots[code->a]);
    case MED_FP_CONST:
        return push_one(r, &program->constants[code->a]);
    case MED_FP_EMPTY:
        return med_fp_begin(r);
    case MED_FP_STEP:
        return step_top(r, &program->steps[code->a]);
    case MED_FP_STEP_THIS:
        return step_this(r, &program->steps[code->a]);
    case MED_FP_ROOT:
        return root_of(r, (med_type)code->a);
    case MED_FP_INDEXER:
        return index_into(r);
    case MED_FP_IS:
        return test_is(r, &program->tests[code->a]);
    case MED_FP_AS:
    case MED_FP_OF_TYPE:
        return filter_types(r, &program->tests[code->a], code->kind == 1);
    case MED_FP_RESOLVE_IS:
        return med_fp_resolve_is(r, &program->tests[code->a]);
    case MED_FP_CALL:
        return med_fp_functions[code->a].call(r, code->argc);
    case MED_FP_BINARY:
        return med_fp_binary(r, (enum med_fp_binary)code->a);
    case MED_FP_NEGATE:
    case MED_FP_POSITIVE:
        return med_fp_negate(r, code->op == MED_FP_NEGATE);
    case MED_FP_END:
    case MED_FP_SHORT_AND:
    case MED_FP_SHORT_OR:
    case MED_FP_SHORT_IMPLIES:
    case MED_FP_IIF:
    case MED_FP_JUMP:
    case MED_FP_LOOP:
    case MED_FP_NEXT:
    case MED_FP_WITH:
    case MED_FP_END_WITH:
    case MED_FP_IF_TRACED:
    case MED_FP_TRACE:
    case MED_FP_DEFINE:
        break;
    }
    return false;
}

static bool run_one(med_fp_run *r, const struct med_fp_code *code)
{
    switch ((enum med_fp_op)code->op) {
    case MED_FP_SHORT_AND:
    case MED_FP_SHORT_OR:
    case MED_FP_SHORT_IMPLIES:
        return short_cut(r, code);
    case MED_FP_IIF:
        return choose(r, code);
    case MED_FP_JUMP:
        r->pc = code->a - (size_t)1;
        return true;
    case MED_FP_LOOP:
        return med_fp_loop_begin(r, code);
    case MED_FP_NEXT:
        return med_fp_loop_next(r, code);
    case MED_FP_WITH:
        return med_fp_with_begin(r, code->kind == 1);
    case MED_FP_END_WITH:
        med_fp_slide(r, 1);
        r->n_frames--;
        return true;
    case MED_FP_IF_TRACED:
        if (r->env == NULL || r->env->trace == NULL)
            r->pc = code->a - (size_t)1;
        return true;
    case MED_FP_TRACE:
        return trace(r);
    case MED_FP_DEFINE:
        return define(r, code);
    case MED_FP_END:
    case MED_FP_THIS:
    case MED_FP_INDEX:
    case MED_FP_TOTAL:
    case MED_FP_CONTEXT:
    case MED_FP_RESOURCE:
    case MED_FP_ROOT_RESOURCE:
    case MED_FP_VARIABLE:
    case MED_FP_SLOT:
    case MED_FP_CONST:
    case MED_FP_EMPTY:
    case MED_FP_STEP:
    case MED_FP_STEP_THIS:
    case MED_FP_ROOT:
    case MED_FP_INDEXER:
    case MED_FP_CALL:
    case MED_FP_BINARY:
    case MED_FP_NEGATE:
    case MED_FP_POSITIVE:
    case MED_FP_IS:
    case MED_FP_AS:
    case MED_FP_OF_TYPE:
    case MED_FP_RESOLVE_IS:
        break;
    }
    return run_path(r, code);
}

/* The result, copied off the machine's stack; primitives with their text. */
static bool copy_result(med_fp_run *r, med_values *out)
{
    med_values top = med_fp_operand(r, 0);
    med_value *copy = MED_TAKE(r->a, top.n, med_value);
    if (copy == NULL)
        return MED_FAIL_MEMORY(r->err);
    for (size_t i = 0; i < top.n; i++) {
        copy[i] = top.at[i];
        if (!med_fp_fill_text(r, &copy[i]))
            return false;
    }
    *out = (med_values){copy, top.n};
    /* a comparison that ran out of memory may have looked like "unknown" */
    return !med_arena_exhausted(r->a) || MED_FAIL_MEMORY(r->err);
}

bool med_fhirpath_run(med_arena *a, const med_pack *p, const med_fhirpath *program,
                      const med_fhirpath_env *env, const med_value *focus,
                      const med_value *resource, med_values *out, med_err *err)
{
    /* most runs are short: filling these first would cost more than the run itself */
    __attribute__((uninitialized)) med_value values[MED_FP_SMALL];
    __attribute__((uninitialized)) size_t marks[MED_FP_SMALL];
    __attribute__((uninitialized)) struct med_fp_frame frames[MED_FP_SMALL_FRAMES];
    med_fp_run r = {
        .a = a,
        .p = p,
        .program = program,
        .env = env,
        .focus = focus,
        .resource = resource,
        .root = env != NULL && env->root != NULL ? env->root : resource,
        .values = values,
        .room = MED_FP_SMALL,
        .marks = marks,
        .mark_room = MED_FP_SMALL,
        .frames = frames,
        .max_steps = env != NULL && env->max_steps != 0 ? env->max_steps : MED_FP_STEPS,
        .err = err,
    };
    if (program->n_frames > MED_FP_SMALL_FRAMES)
        r.frames = MED_TAKE(a, program->n_frames, struct med_fp_frame);
    if (program->n_slots > 0)
        r.slots = MED_TAKE(a, program->n_slots, med_values);
    if (r.frames == NULL || (r.slots == NULL && program->n_slots > 0))
        return MED_FAIL_MEMORY(err);
    for (; program->code[r.pc].op != MED_FP_END; r.pc++)
        if (!med_fp_spend(&r, 1) || !run_one(&r, &program->code[r.pc]))
            return false;
    return copy_result(&r, out);
}

bool med_values_truth(med_values v, bool *out, med_err *err)
{
    if (v.n > 1)
        return MED_FAIL(err, MED_ISSUE_PROCESSING,
                        "an invariant gave %zu values, one boolean was expected", v.n);
    *out = true;
    if (v.n == 0)
        return true;
    if (v.at->kind == MED_VALUE_BOOLEAN)
        *out = v.at->integer != 0;
    else if (v.at->kind == MED_VALUE_NODE)
        *out = v.at->json == NULL || v.at->node == 0
               || med_json_kind_at(v.at->json, v.at->node) != MED_JSON_FALSE;
    return true;
}
