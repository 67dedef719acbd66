/* functions_math.c - http://hl7.org/fhirpath/N1/#math
 * Roots, logarithms and powers with a fraction are worked out in double and rounded to 15
 * digits; everything else is exact. */
#include "model/fhirpath/functions.h"
#include "model/fhirpath/quantity.h"
#include "model/fhirpath/values.h"

#include <math.h>
#include <stdio.h>

enum { SCALE_MAX = 28, POWER_MAX = 1000, DIVIDE_DIGITS = 28 };

/* The input as a number. *go is false when the result is empty. */
static bool take_number(med_fp_run *r, size_t argc, bool *go, med_value *v, med_decimal *d)
{
    if (!med_fp_single(r, med_fp_operand(r, argc), go, v))
        return false;
    if (!*go)
        return true;
    if (v->kind != MED_VALUE_INTEGER && v->kind != MED_VALUE_DECIMAL)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "a number was expected");
    *go = med_fp_number(v, d);
    return true;
}

/* The input as a number or quantity, for what rounds. */
static bool take_amount(med_fp_run *r, size_t argc, bool *go, med_value *v, med_decimal *d)
{
    bool good = false;
    if (!med_fp_single(r, med_fp_operand(r, argc), go, v))
        return false;
    if (!*go)
        return true;
    *go = med_fp_number(v, d);
    if (v->kind == MED_VALUE_INTEGER || v->kind == MED_VALUE_DECIMAL)
        return true;
    if (!med_fp_quantity(r, v, &good, v))
        return false;
    if (!good)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "a number or quantity was expected");
    *go = med_decimal_parse(v->text, d);
    return true;
}

static bool result_decimal(med_fp_run *r, size_t argc, const med_decimal *d)
{
    med_value v;
    return med_fp_decimal(r, d, &v) && med_fp_result(r, argc, &v);
}

static bool result_double(med_fp_run *r, size_t argc, double x)
{
    char text[40];
    med_decimal d;
    if (!isfinite(x))
        return med_fp_result_empty(r, argc);
    int n = snprintf(text, sizeof text, "%.15g", x);
    if (!med_decimal_parse((med_str){text, (size_t)n}, &d))
        return med_fp_result_empty(r, argc);
    return result_decimal(r, argc, &d);
}

bool med_fp_call_abs(med_fp_run *r, size_t argc)
{
    bool found = false;
    bool good = false;
    med_value v;
    if (!med_fp_single(r, med_fp_operand(r, argc), &found, &v))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    if (v.kind == MED_VALUE_INTEGER)
        return v.integer == INT64_MIN
                   ? med_fp_result_empty(r, argc)
                   : med_fp_result_integer(r, argc, v.integer < 0 ? -v.integer : v.integer);
    if (v.kind != MED_VALUE_DECIMAL) {
        if (!med_fp_quantity(r, &v, &good, &v))
            return false;
        if (!good)
            return med_fp_fail(r, MED_ISSUE_PROCESSING, "a number or quantity was expected");
    }
    if (v.text.len > 0 && v.text.ptr[0] == '-')
        v.text = med_str_skip(v.text, 1);
    return med_fp_result(r, argc, &v);
}

/* A number, with the unit of `v` when that is a quantity. */
static bool result_amount(med_fp_run *r, size_t argc, const med_value *v, const med_decimal *d)
{
    med_value out;
    if (!med_fp_decimal(r, d, &out))
        return false;
    if (v->kind == MED_VALUE_QUANTITY) {
        out.kind = MED_VALUE_QUANTITY;
        out.unit = v->unit;
    }
    return med_fp_result(r, argc, &out);
}

/* Cuts to an integer: towards zero, or to the integer below or above. */
static bool to_whole(med_fp_run *r, size_t argc, int direction)
{
    bool go = false;
    med_value v;
    med_decimal d;
    if (!take_amount(r, argc, &go, &v, &d))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    if (v.kind == MED_VALUE_INTEGER)
        return med_fp_result_integer(r, argc, v.integer);
    med_u128 digits = d.digits;
    bool rest = false;
    for (int e = d.exponent; e < 0; e++) {
        rest = rest || digits % 10 != 0;
        digits /= 10;
    }
    for (int e = d.exponent; e > 0 && digits != 0 && digits < INT64_MAX; e--)
        digits *= 10;
    if (digits >= INT64_MAX)
        return med_fp_result_empty(r, argc);
    int64_t n = d.negative ? -(int64_t)digits : (int64_t)digits;
    if (rest && direction == (d.negative ? -1 : 1))
        n += direction;
    d = med_decimal_from_int(n);
    return v.kind == MED_VALUE_QUANTITY ? result_amount(r, argc, &v, &d)
                                        : med_fp_result_integer(r, argc, n);
}

bool med_fp_call_ceiling(med_fp_run *r, size_t argc)
{
    return to_whole(r, argc, 1);
}

bool med_fp_call_floor(med_fp_run *r, size_t argc)
{
    return to_whole(r, argc, -1);
}

bool med_fp_call_truncate(med_fp_run *r, size_t argc)
{
    return to_whole(r, argc, 0);
}

bool med_fp_call_round(med_fp_run *r, size_t argc)
{
    bool go = false;
    bool found = true;
    int64_t scale = 0;
    med_value v;
    med_decimal d;
    if (!take_amount(r, argc, &go, &v, &d)
        || (argc == 1 && !med_fp_single_integer(r, med_fp_operand(r, 0), &found, &scale)))
        return false;
    if (scale < 0)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "round() takes no negative precision");
    if (!go)
        return med_fp_result_empty(r, argc);
    if (-d.exponent > scale && (scale > SCALE_MAX || !med_fp_round(&d, (int)scale, &d)))
        return med_fp_result_empty(r, argc);
    return result_amount(r, argc, &v, &d);
}

static bool in_double(med_fp_run *r, size_t argc, double (*f)(double))
{
    bool go = false;
    med_value v;
    med_decimal d;
    if (!take_number(r, argc, &go, &v, &d))
        return false;
    return go ? result_double(r, argc, f(med_decimal_to_double(&d))) : med_fp_result_empty(r, argc);
}

bool med_fp_call_exp(med_fp_run *r, size_t argc)
{
    return in_double(r, argc, exp);
}

bool med_fp_call_ln(med_fp_run *r, size_t argc)
{
    return in_double(r, argc, log);
}

bool med_fp_call_sqrt(med_fp_run *r, size_t argc)
{
    return in_double(r, argc, sqrt);
}

/* The input and the one argument as numbers. */
static bool take_two(med_fp_run *r, bool *go, med_value v[2], med_decimal d[2])
{
    bool go_too = false;
    if (!take_number(r, 1, go, &v[0], &d[0]) || !take_number(r, 0, &go_too, &v[1], &d[1]))
        return false;
    *go = *go && go_too;
    return true;
}

bool med_fp_call_log(med_fp_run *r, size_t argc)
{
    bool go = false;
    med_value v[2];
    med_decimal d[2];
    if (!take_two(r, &go, v, d))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    return result_double(r, argc,
                         log(med_decimal_to_double(&d[0])) / log(med_decimal_to_double(&d[1])));
}

bool med_fp_call_power(med_fp_run *r, size_t argc)
{
    bool go = false;
    med_value v[2];
    med_decimal d[2];
    if (!take_two(r, &go, v, d))
        return false;
    if (!go)
        return med_fp_result_empty(r, argc);
    bool whole = v[1].kind == MED_VALUE_INTEGER && v[1].integer >= 0 && v[1].integer <= POWER_MAX;
    med_decimal product = med_decimal_from_int(1);
    for (int64_t i = 0; whole && i < v[1].integer; i++)
        whole = med_decimal_multiply(&product, &d[0], &product);
    if (!whole)
        return result_double(r, argc,
                             pow(med_decimal_to_double(&d[0]), med_decimal_to_double(&d[1])));
    if (v[0].kind == MED_VALUE_INTEGER && product.exponent == 0 && product.digits < INT64_MAX)
        return med_fp_result_integer(
            r, argc, product.negative ? -(int64_t)product.digits : (int64_t)product.digits);
    return result_decimal(r, argc, &product);
}

/* ---- over collections ---- */

/* total = total OP item, by the operator itself */
static bool fold(med_fp_run *r, enum med_fp_binary op, med_value *total, const med_value *item)
{
    med_value v = *item;
    if (!med_fp_begin(r) || !med_fp_push(r, total) || !med_fp_begin(r) || !med_fp_push(r, &v)
        || !med_fp_binary(r, op))
        return false;
    med_values out = med_fp_operand(r, 0);
    bool good = out.n == 1;
    if (good)
        *total = *out.at;
    med_fp_drop(r, 1);
    return good || med_fp_fail(r, MED_ISSUE_PROCESSING, "these items can not be added or compared");
}

static bool any_absent(med_values items)
{
    for (size_t i = 0; i < items.n; i++)
        if (med_fp_is_absent(&items.at[i]))
            return true;
    return false;
}

static bool sum_of(med_fp_run *r, bool *found, med_value *total)
{
    size_t first = r->marks[r->n_marks - 1];
    size_t n = r->n - first;
    *found = n > 0 && !any_absent(med_fp_operand(r, 0));
    if (!*found)
        return true;
    if (n > 0)
        *total = r->values[first];
    for (size_t i = 1; i < n; i++)
        if (!fold(r, MED_FP_ADD, total, &r->values[first + i]))
            return false;
    return true;
}

bool med_fp_call_sum(med_fp_run *r, size_t argc)
{
    bool found = false;
    med_value total;
    if (!sum_of(r, &found, &total))
        return false;
    return found ? med_fp_result(r, argc, &total) : med_fp_result_empty(r, argc);
}

bool med_fp_call_avg(med_fp_run *r, size_t argc)
{
    bool found = false;
    med_value total;
    med_value count = med_fp_integer((int64_t)med_fp_operand(r, 0).n);
    if (!sum_of(r, &found, &total))
        return false;
    if (!found)
        return med_fp_result_empty(r, argc);
    return fold(r, MED_FP_DIVIDE, &total, &count) && med_fp_result(r, argc, &total);
}

static bool extreme(med_fp_run *r, size_t argc, enum med_fp_order wanted)
{
    med_values items = med_fp_operand(r, 0);
    if (items.n == 0)
        return true;
    if (any_absent(items))
        return med_fp_result_empty(r, argc);
    const med_value *best = items.at;
    for (size_t i = 1; i < items.n; i++) {
        bool good = true;
        enum med_fp_order order = med_fp_compare(r, &items.at[i], best, &good);
        if (!good)
            return med_fp_fail(r, MED_ISSUE_PROCESSING, "these items have no order");
        if (order == wanted)
            best = &items.at[i];
    }
    return med_fp_result(r, argc, best);
}

bool med_fp_call_min(med_fp_run *r, size_t argc)
{
    return extreme(r, argc, MED_FP_BEFORE);
}

bool med_fp_call_max(med_fp_run *r, size_t argc)
{
    return extreme(r, argc, MED_FP_AFTER);
}
