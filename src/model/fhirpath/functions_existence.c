/* functions_existence.c - http://hl7.org/fhirpath/N1/#existence, #subsetting and #combining */
#include "model/fhirpath/functions.h"
#include "model/fhirpath/set.h"
#include "model/fhirpath/values.h"

bool med_fp_call_empty(med_fp_run *r, size_t argc)
{
    return med_fp_result_bool(r, argc, med_fp_operand(r, 0).n == 0);
}

bool med_fp_call_exists(med_fp_run *r, size_t argc)
{
    return med_fp_result_bool(r, argc, med_fp_operand(r, 0).n > 0);
}

bool med_fp_call_count(med_fp_run *r, size_t argc)
{
    return med_fp_result_integer(r, argc, (int64_t)med_fp_operand(r, 0).n);
}

bool med_fp_call_not(med_fp_run *r, size_t argc)
{
    enum med_fp_truth truth = MED_FP_UNKNOWN;
    if (!med_fp_truth_of(r, med_fp_operand(r, 0), &truth))
        return false;
    return truth == MED_FP_UNKNOWN ? med_fp_result_empty(r, argc)
                                   : med_fp_result_bool(r, argc, truth == MED_FP_FALSE);
}

/* Looks for an item that is `wanted`; the answer is `if_found` when there is one. */
static bool search(med_fp_run *r, size_t argc, bool wanted, bool if_found)
{
    med_values items = med_fp_operand(r, 0);
    bool found = false;
    for (size_t i = 0; i < items.n; i++) {
        med_value v;
        if (!med_fp_system(r, &items.at[i], &v))
            return false;
        if (v.kind != MED_VALUE_BOOLEAN)
            return med_fp_fail(r, MED_ISSUE_PROCESSING, "a collection of booleans was expected");
        found = found || (v.integer != 0) == wanted;
    }
    return med_fp_result_bool(r, argc, found == if_found);
}

bool med_fp_call_all_true(med_fp_run *r, size_t argc)
{
    return search(r, argc, false, false);
}

bool med_fp_call_any_true(med_fp_run *r, size_t argc)
{
    return search(r, argc, true, true);
}

bool med_fp_call_all_false(med_fp_run *r, size_t argc)
{
    return search(r, argc, true, false);
}

bool med_fp_call_any_false(med_fp_run *r, size_t argc)
{
    return search(r, argc, false, true);
}

/* Makes a set of the operand `back` below the top, in a place of its own above all operands.
 * The caller takes it away with the operands. */
static bool set_of(med_fp_run *r, size_t back, struct med_fp_set *set)
{
    med_values items = med_fp_operand(r, back);
    size_t from = (size_t)(items.at - r->values);
    size_t first = r->n;
    if (!med_fp_reserve(r, items.n) || !med_fp_set_begin(r, first, items.n, set))
        return false;
    for (size_t i = 0; i < items.n; i++) {
        med_value v = r->values[from + i];
        bool added = false;
        if (!med_fp_set_add(r, set, &v, &added))
            return false;
        r->n = first + set->n;
    }
    return true;
}

/* Is each item of one operand in the other? */
static bool inside(med_fp_run *r, size_t argc, size_t part, size_t whole)
{
    struct med_fp_set set;
    size_t top = r->n;
    size_t part_mark = r->n_marks - 1 - part;
    if (!set_of(r, whole, &set))
        return false;
    size_t end = part == 0 ? top : r->marks[part_mark + 1];
    bool all = true;
    for (size_t i = r->marks[part_mark]; i < end && all; i++) {
        med_value v = r->values[i];
        if (!med_fp_set_has(r, &set, &v, &all))
            return false;
    }
    return med_fp_result_bool(r, argc, all);
}

bool med_fp_call_subset_of(med_fp_run *r, size_t argc)
{
    return inside(r, argc, 1, 0);
}

bool med_fp_call_superset_of(med_fp_run *r, size_t argc)
{
    return inside(r, argc, 0, 1);
}

static bool make_distinct(med_fp_run *r, size_t *removed)
{
    size_t first = r->marks[r->n_marks - 1];
    size_t end = r->n;
    struct med_fp_set set;
    if (!med_fp_set_begin(r, first, end - first, &set))
        return false;
    for (size_t i = first; i < end; i++) {
        med_value v = r->values[i];
        bool added = false;
        if (!med_fp_set_add(r, &set, &v, &added))
            return false;
    }
    *removed = end - first - set.n;
    r->n = first + set.n;
    return true;
}

bool med_fp_call_distinct(med_fp_run *r, size_t argc)
{
    size_t removed = 0;
    (void)argc;
    return make_distinct(r, &removed);
}

bool med_fp_call_is_distinct(med_fp_run *r, size_t argc)
{
    size_t removed = 0;
    return make_distinct(r, &removed) && med_fp_result_bool(r, argc, removed == 0);
}

bool med_fp_call_single(med_fp_run *r, size_t argc)
{
    (void)argc;
    return med_fp_operand(r, 0).n <= 1
           || med_fp_fail(r, MED_ISSUE_PROCESSING, "single() found several items");
}

/* Keeps `count` items of the operand on top, from `from` on. */
static bool keep(med_fp_run *r, size_t from, size_t count)
{
    size_t first = r->marks[r->n_marks - 1];
    size_t n = r->n - first;
    from = from < n ? from : n;
    count = count < n - from ? count : n - from;
    memmove(r->values + first, r->values + first + from, count * sizeof *r->values);
    r->n = first + count;
    return true;
}

bool med_fp_call_first(med_fp_run *r, size_t argc)
{
    (void)argc;
    return keep(r, 0, 1);
}

bool med_fp_call_last(med_fp_run *r, size_t argc)
{
    size_t n = med_fp_operand(r, 0).n;
    (void)argc;
    return keep(r, n == 0 ? 0 : n - 1, 1);
}

bool med_fp_call_tail(med_fp_run *r, size_t argc)
{
    (void)argc;
    return keep(r, 1, SIZE_MAX);
}

bool med_fp_call_skip(med_fp_run *r, size_t argc)
{
    bool found = false;
    int64_t n = 0;
    if (!med_fp_single_integer(r, med_fp_operand(r, 0), &found, &n))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    med_fp_drop(r, 1);
    return keep(r, n > 0 ? (size_t)n : 0, SIZE_MAX);
}

bool med_fp_call_take(med_fp_run *r, size_t argc)
{
    bool found = false;
    int64_t n = 0;
    if (!med_fp_single_integer(r, med_fp_operand(r, 0), &found, &n))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    med_fp_drop(r, 1);
    return keep(r, 0, n > 0 ? (size_t)n : 0);
}

/* Keeps those items of the input that are (or are not) in the argument. */
static bool filter(med_fp_run *r, bool wanted)
{
    struct med_fp_set set;
    size_t first = r->marks[r->n_marks - 2];
    size_t end = r->marks[r->n_marks - 1];
    size_t kept = first;
    if (!set_of(r, 0, &set))
        return false;
    for (size_t i = first; i < end; i++) {
        med_value v = r->values[i];
        bool found = false;
        if (!med_fp_set_has(r, &set, &v, &found))
            return false;
        if (found == wanted)
            r->values[kept++] = v;
    }
    r->n_marks--;
    r->n = kept;
    return true;
}

bool med_fp_call_intersect(med_fp_run *r, size_t argc)
{
    return filter(r, true) && med_fp_call_distinct(r, argc);
}

bool med_fp_call_exclude(med_fp_run *r, size_t argc)
{
    (void)argc;
    return filter(r, false);
}

bool med_fp_call_union(med_fp_run *r, size_t argc)
{
    (void)argc;
    return med_fp_binary(r, MED_FP_UNION);
}

/* combine(other[, preserveOrder]): both lie one behind the other already */
bool med_fp_call_combine(med_fp_run *r, size_t argc)
{
    if (argc == 2)
        med_fp_drop(r, 1);
    r->n_marks--;
    return true;
}
