/* loops.c - see loops.h. A loop's input stays on the stack while it runs; what is kept or found
 * gathers in its place or right behind it. */
#include "model/fhirpath/loops.h"
#include "model/fhirpath/set.h"
#include "model/fhirpath/values.h"

static void leave(med_fp_run *r, const struct med_fp_code *loop)
{
    r->n_frames--;
    r->pc = loop->a - (size_t)1;
}

static void shift(med_fp_run *r, size_t to, size_t from)
{
    memmove(r->values + to, r->values + from, (r->n - from) * sizeof *r->values);
    r->n -= from - to;
}

/* The loop ends with this boolean as its result. */
static bool answer(med_fp_run *r, const struct med_fp_frame *f, const struct med_fp_code *loop,
                   bool value)
{
    med_value v = med_fp_boolean(value);
    r->n_marks = f->marks;
    r->n = f->start;
    leave(r, loop);
    return med_fp_push(r, &v);
}

/* The keys of item i lie behind the input, `keys` to an item. */
static enum med_fp_order compare_keys(med_fp_run *r, const struct med_fp_frame *f,
                                      const struct med_fp_code *next, size_t i, size_t k,
                                      bool *good)
{
    const med_value *keys = r->values + f->start + f->count;
    for (unsigned key = 0; key < next->argc; key++) {
        const med_value *x = &keys[i * next->argc + key];
        const med_value *y = &keys[k * next->argc + key];
        bool x_empty = x->kind == MED_VALUE_NODE && x->json == NULL;
        bool y_empty = y->kind == MED_VALUE_NODE && y->json == NULL;
        enum med_fp_order order = MED_FP_SAME;
        if (x_empty != y_empty) /* empty comes first, whatever the direction */
            return x_empty ? MED_FP_BEFORE : MED_FP_AFTER;
        if (!x_empty)
            order = med_fp_compare(r, x, y, good);
        if (order == MED_FP_SAME || order == MED_FP_UNORDERED)
            continue;
        bool down = (next->kind >> key & 1) != 0;
        return down == (order == MED_FP_BEFORE) ? MED_FP_AFTER : MED_FP_BEFORE;
    }
    return MED_FP_SAME;
}

/* Merges two sorted runs of indices. */
static bool merge(med_fp_run *r, const struct med_fp_frame *f, const struct med_fp_code *next,
                  const uint32_t *from, uint32_t *to, size_t low, size_t middle, size_t high)
{
    size_t a = low;
    size_t b = middle;
    for (size_t i = low; i < high; i++) {
        bool good = true;
        bool left = a < middle;
        if (left && b < high)
            left = compare_keys(r, f, next, from[a], from[b], &good) != MED_FP_AFTER;
        if (!good)
            return med_fp_fail(r, MED_ISSUE_PROCESSING, "sort(): these keys have no order");
        to[i] = left ? from[a++] : from[b++];
    }
    return med_fp_spend(r, high - low);
}

/* The order of the items, or NULL with the error set. */
static const uint32_t *sort_indices(med_fp_run *r, const struct med_fp_frame *f,
                                    const struct med_fp_code *next)
{
    uint32_t *from = MED_TAKE(r->a, f->count, uint32_t);
    uint32_t *to = MED_TAKE(r->a, f->count, uint32_t);
    if (from == NULL || to == NULL) {
        (void)MED_FAIL_MEMORY(r->err);
        return NULL;
    }
    for (size_t i = 0; i < f->count; i++)
        from[i] = (uint32_t)i;
    for (size_t width = 1; width < f->count; width *= 2) {
        for (size_t low = 0; low < f->count; low += 2 * width) {
            size_t middle = low + width < f->count ? low + width : f->count;
            size_t high = low + 2 * width < f->count ? low + 2 * width : f->count;
            if (!merge(r, f, next, from, to, low, middle, high))
                return NULL;
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static bool finish_sort(med_fp_run *r, const struct med_fp_frame *f, const struct med_fp_code *next)
{
    med_value *sorted = MED_TAKE(r->a, f->count, med_value);
    if (sorted == NULL)
        return MED_FAIL_MEMORY(r->err);
    const uint32_t *order = sort_indices(r, f, next);
    if (order == NULL)
        return false;
    for (size_t i = 0; i < f->count; i++)
        sorted[i] = r->values[f->start + order[i]];
    memcpy(r->values + f->start, sorted, f->count * sizeof *sorted);
    r->n = f->start + f->count;
    return true;
}

/* All items are done. */
static bool finish(med_fp_run *r, const struct med_fp_frame *f, const struct med_fp_code *loop,
                   const struct med_fp_code *next)
{
    switch (f->kind) {
    case MED_FP_WHERE:
        r->n = f->start + f->out;
        break;
    case MED_FP_SELECT:
    case MED_FP_REPEAT:
    case MED_FP_REPEAT_ALL:
        shift(r, f->start, f->start + f->count);
        break;
    case MED_FP_ALL:
    case MED_FP_NONE:
        return answer(r, f, loop, true);
    case MED_FP_ANY:
        return answer(r, f, loop, false);
    case MED_FP_AGGREGATE:
        med_fp_slide(r, 1); /* the total replaces the input */
        break;
    case MED_FP_SORT:
        if (next != NULL && !finish_sort(r, f, next))
            return false;
        break;
    case MED_FP_SINGLE:
        break;
    }
    leave(r, loop);
    return true;
}

bool med_fp_loop_begin(med_fp_run *r, const struct med_fp_code *code)
{
    bool aggregates = code->kind == MED_FP_AGGREGATE;
    med_values input = med_fp_operand(r, aggregates ? 1 : 0);
    struct med_fp_frame *f = &r->frames[r->n_frames++];
    *f = (struct med_fp_frame){
        .kind = (enum med_fp_loop)code->kind,
        .start = (size_t)(input.at - r->values),
        .count = input.n,
        .marks = r->n_marks,
    };
    if (aggregates) {
        f->total = r->marks[r->n_marks - 1];
        f->total_end = r->n;
    }
    if (f->kind == MED_FP_REPEAT) {
        f->found = MED_TAKE(r->a, 1, struct med_fp_set);
        if (f->found == NULL)
            return MED_FAIL_MEMORY(r->err);
        if (!med_fp_set_begin(r, f->start + f->count, 0, f->found))
            return false;
    }
    return input.n > 0 || finish(r, f, code, NULL);
}

/* Keeps of the newly found items those that are not among the earlier ones. */
static bool keep_new(med_fp_run *r, const struct med_fp_frame *f, size_t from)
{
    size_t end = r->n;
    for (size_t i = from; i < end; i++) {
        bool added = false;
        med_value item = r->values[i];
        if (!med_fp_set_add(r, f->found, &item, &added))
            return false;
    }
    r->n = f->found->first + f->found->n;
    return true;
}

/* Turns the operands of the body of sort() into one value a key. */
static bool gather_keys(med_fp_run *r, const struct med_fp_frame *f, unsigned keys)
{
    med_value found[8];
    for (unsigned i = 0; i < keys; i++) {
        bool has = false;
        if (!med_fp_single(r, med_fp_operand(r, keys - 1 - i), &has, &found[i]))
            return false;
        if (!has)
            found[i] = (med_value){.kind = MED_VALUE_NODE, .json = NULL};
    }
    r->n = r->marks[f->marks];
    r->n_marks = f->marks;
    for (unsigned i = 0; i < keys; i++)
        if (!med_fp_push(r, &found[i]))
            return false;
    return true;
}

/* The body's result becomes $total. */
static void take_total(med_fp_run *r, struct med_fp_frame *f)
{
    size_t from = r->marks[f->marks];
    r->n_marks = f->marks;
    shift(r, f->total, from);
    f->total_end = r->n;
}

/* Uses the body's result. *done: the loop is over already. */
static bool use_result(med_fp_run *r, struct med_fp_frame *f, const struct med_fp_code *loop,
                       const struct med_fp_code *next, bool *done)
{
    enum med_fp_truth truth = MED_FP_UNKNOWN;
    size_t from = r->marks[f->marks];
    bool decides = f->kind == MED_FP_WHERE || f->kind == MED_FP_ALL || f->kind == MED_FP_ANY
                   || f->kind == MED_FP_NONE;
    if (decides) {
        if (!med_fp_truth_of(r, med_fp_operand(r, 0), &truth))
            return false;
        r->n = from;
        r->n_marks = f->marks;
        *done = f->kind == MED_FP_ALL ? truth != MED_FP_TRUE
                                      : f->kind != MED_FP_WHERE && truth == MED_FP_TRUE;
        if (*done)
            return answer(r, f, loop, f->kind == MED_FP_ANY);
        if (truth == MED_FP_TRUE && f->kind == MED_FP_WHERE)
            r->values[f->start + f->out++] = r->values[f->start + f->i];
        return true;
    }
    if (f->kind == MED_FP_SORT)
        return gather_keys(r, f, next->argc);
    if (f->kind == MED_FP_AGGREGATE) {
        take_total(r, f);
        return true;
    }
    r->n_marks = f->marks;
    return f->kind != MED_FP_REPEAT || keep_new(r, f, from);
}

bool med_fp_loop_next(med_fp_run *r, const struct med_fp_code *code)
{
    struct med_fp_frame *f = &r->frames[r->n_frames - 1];
    const struct med_fp_code *loop = &r->program->code[code->a - 1];
    bool done = false;
    if (!use_result(r, f, loop, code, &done))
        return false;
    if (done)
        return true;
    f->i++;
    bool queue = f->kind == MED_FP_REPEAT || f->kind == MED_FP_REPEAT_ALL;
    size_t end = queue ? r->n - f->start : f->count;
    if (f->i >= end)
        return finish(r, f, loop, code);
    r->pc = code->a - (size_t)1;
    return true;
}

bool med_fp_with_begin(med_fp_run *r, bool several)
{
    med_values input = med_fp_operand(r, 0);
    if (input.n > 1 && !several)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "iif() takes at most one item as its input");
    r->frames[r->n_frames++] = (struct med_fp_frame){
        .kind = MED_FP_SINGLE,
        .start = (size_t)(input.at - r->values),
        .count = input.n,
        .marks = r->n_marks,
    };
    return true;
}
