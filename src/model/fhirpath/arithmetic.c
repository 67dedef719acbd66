/* arithmetic.c - http://hl7.org/fhirpath/N1/#operations: + - * / div mod & and what compares */
#include "model/fhirpath/quantity.h"
#include "model/fhirpath/set.h"
#include "model/fhirpath/values.h"

enum { DIVIDE_DIGITS = 28 };

static bool is_number(const med_value *v)
{
    return v->kind == MED_VALUE_INTEGER || v->kind == MED_VALUE_DECIMAL;
}

static bool result_decimal(med_fp_run *r, const med_decimal *d)
{
    med_value v;
    return med_fp_decimal(r, d, &v) && med_fp_result(r, 1, &v);
}

static bool integers(med_fp_run *r, enum med_fp_binary op, int64_t a, int64_t b, bool *done)
{
    int64_t n = 0;
    bool overflow = false;
    *done = true;
    if (op == MED_FP_ADD)
        overflow = __builtin_add_overflow(a, b, &n);
    else if (op == MED_FP_SUBTRACT)
        overflow = __builtin_sub_overflow(a, b, &n);
    else if (op == MED_FP_MULTIPLY)
        overflow = __builtin_mul_overflow(a, b, &n);
    else if (op == MED_FP_DIVIDE)
        *done = false;
    else if (b == 0 || (a == INT64_MIN && b == -1))
        overflow = true;
    else
        n = op == MED_FP_DIV ? a / b : a % b;
    if (!*done)
        return true;
    return overflow ? med_fp_result_empty(r, 1) : med_fp_result_integer(r, 1, n);
}

/* a = q * b + rest, q cut towards zero; false when the digits do not fit. */
static bool divide_whole(const med_decimal *a, const med_decimal *b, med_decimal *q,
                         med_decimal *rest)
{
    med_u128 x = a->digits;
    med_u128 y = b->digits;
    int ex = a->exponent;
    int ey = b->exponent;
    for (; ex > ey; ex--)
        if (__builtin_mul_overflow(x, 10, &x))
            return false;
    for (; ey > ex; ey--)
        if (__builtin_mul_overflow(y, 10, &y))
            return false;
    med_decimal scale = {.digits = 1, .exponent = ex, .precision = 1, .scale = -ex};
    med_decimal left = {.digits = x % y, .precision = 1};
    *q = (med_decimal){.digits = x / y, .precision = 1, .negative = a->negative != b->negative};
    bool fits = q->digits < (med_u128)INT64_MAX;
    if (!med_decimal_multiply(&left, &scale, rest))
        return false;
    rest->negative = a->negative && rest->digits != 0;
    return fits;
}

static bool decimals(med_fp_run *r, enum med_fp_binary op, const med_decimal *a,
                     const med_decimal *b)
{
    med_decimal out;
    med_decimal rest;
    bool good = false;
    if (op == MED_FP_ADD)
        good = med_decimal_add(a, b, &out);
    else if (op == MED_FP_SUBTRACT)
        good = med_decimal_subtract(a, b, &out);
    else if (op == MED_FP_MULTIPLY)
        good = med_decimal_multiply(a, b, &out);
    else if (op == MED_FP_DIVIDE)
        good = med_decimal_divide(a, b, DIVIDE_DIGITS, &out);
    else if (!med_decimal_is_zero(b))
        good = divide_whole(a, b, &out, &rest);
    if (!good)
        return med_fp_result_empty(r, 1);
    if (op == MED_FP_DIV)
        return med_fp_result_integer(r, 1,
                                     out.negative ? -(int64_t)out.digits : (int64_t)out.digits);
    return result_decimal(r, op == MED_FP_MOD ? &rest : &out);
}

static bool numbers(med_fp_run *r, enum med_fp_binary op, const med_value *a, const med_value *b)
{
    med_decimal x;
    med_decimal y;
    bool done = false;
    if (a->kind == MED_VALUE_INTEGER && b->kind == MED_VALUE_INTEGER)
        if (!integers(r, op, a->integer, b->integer, &done) || done)
            return done;
    if (!med_fp_number(a, &x) || !med_fp_number(b, &y))
        return med_fp_result_empty(r, 1);
    return decimals(r, op, &x, &y);
}

static bool fail_types(med_fp_run *r)
{
    return med_fp_fail(r, MED_ISSUE_PROCESSING,
                       "the operator does not work on values of these types");
}

static bool dates(med_fp_run *r, enum med_fp_binary op, const med_value *date,
                  const med_value *quantity)
{
    struct med_fp_date d;
    med_decimal amount;
    med_value out;
    bool known = false;
    if ((op != MED_FP_ADD && op != MED_FP_SUBTRACT) || quantity->kind != MED_VALUE_QUANTITY)
        return fail_types(r);
    if (!med_fp_date_parse(date->kind, date->text, &d)
        || !med_decimal_parse(quantity->text, &amount))
        return med_fp_result_empty(r, 1);
    if (op == MED_FP_SUBTRACT)
        amount.negative = !amount.negative;
    bool good = med_fp_date_add(&d, &amount, med_fp_calendar_unit(quantity), &known);
    if (!known)
        return med_fp_fail(r, MED_ISSUE_PROCESSING,
                           "a date moves by years, months, weeks, days, hours, minutes, seconds "
                           "or milliseconds, a time by hours and less");
    if (!good)
        return med_fp_result_empty(r, 1);
    return med_fp_date(r, &d, &out) && med_fp_result(r, 1, &out);
}

static bool quantities(med_fp_run *r, enum med_fp_binary op, const med_value *a, const med_value *b)
{
    med_value x;
    med_value y;
    med_value out;
    bool good = false;
    bool good_too = false;
    if (!med_fp_number_or_quantity(r, a, &good, &x)
        || !med_fp_number_or_quantity(r, b, &good_too, &y))
        return false;
    if (!good || !good_too || op == MED_FP_DIV || op == MED_FP_MOD)
        return fail_types(r);
    if (op == MED_FP_ADD || op == MED_FP_SUBTRACT
            ? !med_fp_quantity_add(r, &x, &y, op == MED_FP_SUBTRACT, &good, &out)
            : !med_fp_quantity_multiply(r, &x, &y, op == MED_FP_DIVIDE, &good, &out))
        return false;
    return good ? med_fp_result(r, 1, &out) : med_fp_result_empty(r, 1);
}

static bool join_strings(med_fp_run *r, med_str a, med_str b)
{
    if (!med_fp_spend_text(r, a.len + b.len))
        return false;
    char *text = MED_TAKE(r->a, a.len + b.len + 1, char);
    if (text == NULL)
        return MED_FAIL_MEMORY(r->err);
    memcpy(text, a.ptr, a.len);
    memcpy(text + a.len, b.ptr, b.len);
    return med_fp_result_string(r, 1, (med_str){text, a.len + b.len});
}

static bool is_date(enum med_value_kind kind)
{
    return kind == MED_VALUE_DATE || kind == MED_VALUE_DATETIME || kind == MED_VALUE_TIME;
}

static bool calculate(med_fp_run *r, enum med_fp_binary op)
{
    med_value a;
    med_value b;
    bool has_a = false;
    bool has_b = false;
    if (!med_fp_single(r, med_fp_operand(r, 1), &has_a, &a)
        || !med_fp_single(r, med_fp_operand(r, 0), &has_b, &b))
        return false;
    if (!has_a || !has_b)
        return med_fp_result_empty(r, 1);
    if (is_number(&a) && is_number(&b))
        return numbers(r, op, &a, &b);
    if (op == MED_FP_ADD && a.kind == MED_VALUE_STRING && b.kind == MED_VALUE_STRING)
        return join_strings(r, a.text, b.text);
    bool turned = op == MED_FP_ADD && is_date(b.kind) && !is_date(a.kind);
    if (is_date(a.kind) || turned) {
        med_value quantity;
        bool good = false;
        return med_fp_quantity(r, turned ? &a : &b, &good, &quantity)
               && dates(r, op, turned ? &b : &a, &quantity);
    }
    return quantities(r, op, &a, &b);
}

/* Like + for strings, but what is empty counts as ''. */
static bool concatenate(med_fp_run *r)
{
    med_str a = MED_STR_EMPTY;
    med_str b = MED_STR_EMPTY;
    bool found = false;
    return med_fp_single_string(r, med_fp_operand(r, 1), &found, &a)
           && med_fp_single_string(r, med_fp_operand(r, 0), &found, &b) && join_strings(r, a, b);
}

static bool unite(med_fp_run *r)
{
    size_t first = r->marks[r->n_marks - 2];
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
    r->n_marks--;
    r->n = first + set.n;
    return true;
}

static bool result_truth(med_fp_run *r, enum med_fp_truth truth)
{
    return truth == MED_FP_UNKNOWN ? med_fp_result_empty(r, 1)
                                   : med_fp_result_bool(r, 1, truth == MED_FP_TRUE);
}

static bool equality(med_fp_run *r, bool negate)
{
    enum med_fp_truth truth = med_fp_equal_all(r, med_fp_operand(r, 1), med_fp_operand(r, 0));
    if (negate && truth != MED_FP_UNKNOWN)
        truth = truth == MED_FP_TRUE ? MED_FP_FALSE : MED_FP_TRUE;
    return result_truth(r, truth);
}

static bool equivalence(med_fp_run *r, bool negate)
{
    bool same = med_fp_equivalent_all(r, med_fp_operand(r, 1), med_fp_operand(r, 0));
    return med_fp_result_bool(r, 1, same != negate);
}

static bool order(med_fp_run *r, enum med_fp_binary op)
{
    med_values a = med_fp_operand(r, 1);
    med_values b = med_fp_operand(r, 0);
    bool good = true;
    if (a.n > 1 || b.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "single items can be compared, not several");
    if (a.n == 0 || b.n == 0 || med_fp_is_absent(a.at) || med_fp_is_absent(b.at))
        return med_fp_result_empty(r, 1);
    enum med_fp_order is = med_fp_compare(r, a.at, b.at, &good);
    if (!good)
        return fail_types(r);
    if (is == MED_FP_UNORDERED)
        return med_fp_result_empty(r, 1);
    bool same = is == MED_FP_SAME;
    bool less = is == MED_FP_BEFORE;
    if (op == MED_FP_LESS)
        return med_fp_result_bool(r, 1, less);
    if (op == MED_FP_LESS_OR_EQUAL)
        return med_fp_result_bool(r, 1, less || same);
    return med_fp_result_bool(r, 1, op == MED_FP_GREATER ? !less && !same : !less);
}

/* item in collection; `item` and `collection` are places below the top. */
static bool membership(med_fp_run *r, size_t item, size_t collection)
{
    med_values one = med_fp_operand(r, item);
    med_values all = med_fp_operand(r, collection);
    if (one.n > 1)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "one item can be a member, not several");
    if (one.n == 0)
        return med_fp_result_empty(r, 1);
    for (size_t i = 0; i < all.n; i++) {
        if (!med_fp_spend(r, 1))
            return false;
        if (med_fp_equal(r, &all.at[i], one.at) == MED_FP_TRUE)
            return med_fp_result_bool(r, 1, true);
    }
    return med_fp_result_bool(r, 1, false);
}

static enum med_fp_truth logic_of(enum med_fp_binary op, enum med_fp_truth a, enum med_fp_truth b)
{
    if (op == MED_FP_AND) {
        if (a == MED_FP_FALSE || b == MED_FP_FALSE)
            return MED_FP_FALSE;
        return a == MED_FP_TRUE && b == MED_FP_TRUE ? MED_FP_TRUE : MED_FP_UNKNOWN;
    }
    if (op == MED_FP_XOR) {
        if (a == MED_FP_UNKNOWN || b == MED_FP_UNKNOWN)
            return MED_FP_UNKNOWN;
        return a != b ? MED_FP_TRUE : MED_FP_FALSE;
    }
    if (op == MED_FP_IMPLIES && a != MED_FP_UNKNOWN)
        a = a == MED_FP_TRUE ? MED_FP_FALSE : MED_FP_TRUE;
    if (a == MED_FP_TRUE || b == MED_FP_TRUE)
        return MED_FP_TRUE;
    return a == MED_FP_FALSE && b == MED_FP_FALSE ? MED_FP_FALSE : MED_FP_UNKNOWN;
}

static bool logic(med_fp_run *r, enum med_fp_binary op)
{
    enum med_fp_truth a = MED_FP_UNKNOWN;
    enum med_fp_truth b = MED_FP_UNKNOWN;
    return med_fp_truth_of(r, med_fp_operand(r, 1), &a)
           && med_fp_truth_of(r, med_fp_operand(r, 0), &b) && result_truth(r, logic_of(op, a, b));
}

bool med_fp_binary(med_fp_run *r, enum med_fp_binary op)
{
    switch (op) {
    case MED_FP_MULTIPLY:
    case MED_FP_DIVIDE:
    case MED_FP_DIV:
    case MED_FP_MOD:
    case MED_FP_ADD:
    case MED_FP_SUBTRACT:
        return calculate(r, op);
    case MED_FP_CONCAT:
        return concatenate(r);
    case MED_FP_UNION:
        return unite(r);
    case MED_FP_LESS:
    case MED_FP_LESS_OR_EQUAL:
    case MED_FP_GREATER:
    case MED_FP_GREATER_OR_EQUAL:
        return order(r, op);
    case MED_FP_EQUAL:
    case MED_FP_NOT_EQUAL:
        return equality(r, op == MED_FP_NOT_EQUAL);
    case MED_FP_EQUIVALENT:
    case MED_FP_NOT_EQUIVALENT:
        return equivalence(r, op == MED_FP_NOT_EQUIVALENT);
    case MED_FP_IN:
        return membership(r, 1, 0);
    case MED_FP_CONTAINS:
        return membership(r, 0, 1);
    case MED_FP_AND:
    case MED_FP_OR:
    case MED_FP_XOR:
    case MED_FP_IMPLIES:
        return logic(r, op);
    }
    return false;
}

bool med_fp_negate(med_fp_run *r, bool minus)
{
    bool found = false;
    med_value v;
    if (!med_fp_single(r, med_fp_operand(r, 0), &found, &v))
        return false;
    if (!found)
        return med_fp_result_empty(r, 0);
    if (v.kind == MED_VALUE_INTEGER) {
        if (v.integer == INT64_MIN)
            return med_fp_result_empty(r, 0);
        return med_fp_result_integer(r, 0, minus ? -v.integer : v.integer);
    }
    bool good = v.kind == MED_VALUE_DECIMAL;
    if (!good && !med_fp_quantity(r, &v, &good, &v))
        return false;
    if (!good)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "a sign stands before numbers and quantities");
    if (!minus)
        return med_fp_result(r, 0, &v);
    bool negative = v.text.len > 0 && v.text.ptr[0] == '-';
    v.text =
        negative ? med_str_skip(v.text, 1) : med_arena_printf(r->a, "-%.*s", MED_STR_ARG(v.text));
    return v.text.len > 0 ? med_fp_result(r, 0, &v) : MED_FAIL_MEMORY(r->err);
}
