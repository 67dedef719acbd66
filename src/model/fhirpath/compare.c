/* compare.c - http://hl7.org/fhirpath/N1/#equality and #comparison */
#include "model/fhirpath/quantity.h"
#include "model/fhirpath/values.h"

#include <utf8proc.h>

#include "base/utf8.h"

static bool is_date(enum med_value_kind kind)
{
    return kind == MED_VALUE_DATE || kind == MED_VALUE_DATETIME || kind == MED_VALUE_TIME;
}

static bool is_number(enum med_value_kind kind)
{
    return kind == MED_VALUE_INTEGER || kind == MED_VALUE_DECIMAL;
}

/* ---- strings as ~ sees them: without case, all white space alike ---- */

struct folded {
    med_str text;
    size_t at;
};

static bool is_unicode_space(uint32_t code)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL
           || category == UTF8PROC_CATEGORY_ZP || (code >= '\t' && code <= '\r') || code == 0x85;
}

/* The next character, lower case, white space as a blank; 0 at the end. */
static uint32_t next_folded(struct folded *f)
{
    if (f->at >= f->text.len)
        return 0;
    uint32_t code = 0;
    size_t n = med_utf8_decode(f->text, f->at, &code);
    f->at += n == 0 ? 1 : n;
    return is_unicode_space(code) ? ' ' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
}

static bool strings_equivalent(med_str a, med_str b)
{
    struct folded x = {a, 0};
    struct folded y = {b, 0};
    for (;;) {
        uint32_t c = next_folded(&x);
        if (c != next_folded(&y))
            return false;
        if (c == 0)
            return true;
    }
}

/* ---- trees ---- */

static bool deep_equal(med_fp_run *r, const med_json *a, uint32_t i, const med_json *b, uint32_t k,
                       bool loose);

static bool scalars_equal(med_fp_run *r, const med_json *a, uint32_t i, const med_json *b,
                          uint32_t k, bool loose)
{
    med_str x = med_json_raw(a, i);
    med_str y = med_json_raw(b, k);
    if (med_str_eq(x, y) && a->nodes[i].escaped == b->nodes[k].escaped)
        return true;
    if (med_json_kind_at(a, i) == MED_JSON_NUMBER) {
        med_decimal p;
        med_decimal q;
        return med_decimal_parse(x, &p) && med_decimal_parse(y, &q)
               && (loose ? med_fp_decimals_equivalent(&p, &q) : med_decimal_compare(&p, &q) == 0);
    }
    if (med_json_kind_at(a, i) != MED_JSON_STRING || !med_json_string(r->a, a, i, &x)
        || !med_json_string(r->a, b, k, &y))
        return false;
    return loose ? strings_equivalent(x, y) : med_str_eq(x, y);
}

/* NOLINTBEGIN(misc-no-recursion): a tape is at most MED_JSON_DEPTH deep */
/* Every element of one has a partner of its own in the other. */
static bool bags_equal(med_fp_run *r, const med_json *a, uint32_t i, const med_json *b, uint32_t k)
{
    bool *used = MED_TAKE(r->a, b->nodes[k].count, bool);
    if (used == NULL)
        return false;
    for (uint32_t x = i + 1; x < a->nodes[i].next; x = a->nodes[x].next) {
        size_t at = 0;
        bool found = false;
        for (uint32_t y = k + 1; y < b->nodes[k].next && !found; y = b->nodes[y].next, at++)
            if (!used[at] && deep_equal(r, a, x, b, y, true))
                found = used[at] = true;
        if (!found)
            return false;
    }
    return true;
}

static bool arrays_equal(med_fp_run *r, const med_json *a, uint32_t i, const med_json *b,
                         uint32_t k, bool loose)
{
    if (a->nodes[i].count != b->nodes[k].count)
        return false;
    if (loose)
        return bags_equal(r, a, i, b, k);
    uint32_t y = k + 1;
    for (uint32_t x = i + 1; x < a->nodes[i].next; x = a->nodes[x].next, y = b->nodes[y].next)
        if (!deep_equal(r, a, x, b, y, false))
            return false;
    return true;
}

static bool objects_equal(med_fp_run *r, const med_json *a, uint32_t i, const med_json *b,
                          uint32_t k, bool loose)
{
    if (a->nodes[i].count != b->nodes[k].count)
        return false;
    for (uint32_t x = i + 1; x < a->nodes[i].next; x = a->nodes[x + 1].next) {
        uint32_t y = med_json_member(b, k, med_json_raw(a, x));
        if (y == 0 || !deep_equal(r, a, x + 1, b, y, loose))
            return false;
    }
    return true;
}

static bool deep_equal(med_fp_run *r, const med_json *a, uint32_t i, const med_json *b, uint32_t k,
                       bool loose)
{
    enum med_json_kind kind = med_json_kind_at(a, i);
    r->steps++;
    if (kind != med_json_kind_at(b, k))
        return false;
    if (kind == MED_JSON_OBJECT)
        return objects_equal(r, a, i, b, k, loose);
    if (kind == MED_JSON_ARRAY)
        return arrays_equal(r, a, i, b, k, loose);
    return scalars_equal(r, a, i, b, k, loose);
}

/* NOLINTEND(misc-no-recursion) */

static bool nodes_equal(med_fp_run *r, const med_value *a, const med_value *b, bool loose)
{
    if (a->json == NULL || b->json == NULL)
        return a->json == b->json && a->type == b->type;
    uint32_t x = med_fp_is_absent(a) ? a->extension : a->node;
    uint32_t y = med_fp_is_absent(b) ? b->extension : b->node;
    if (med_fp_is_absent(a) != med_fp_is_absent(b))
        return false;
    return (a->json == b->json && x == y) || deep_equal(r, a->json, x, b->json, y, loose);
}

/* ---- pairs ---- */

/* A quantity of what may be one: a FHIR quantity, or a number, which has the unit 1. */
static bool to_quantity(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    if (!is_number(v->kind))
        return med_fp_any_quantity(r, v, good, out);
    *out = *v;
    out->kind = MED_VALUE_QUANTITY;
    out->unit = MED_STR("1");
    return med_fp_text(r, v, good, &out->text);
}

/* Both as System values; quantities when either is one. */
static bool prepare(med_fp_run *r, const med_value *a, const med_value *b, med_value *x,
                    med_value *y)
{
    bool good = false;
    bool good_too = false;
    med_value p;
    med_value q;
    if (!med_fp_system(r, a, x) || !med_fp_system(r, b, y))
        return false;
    bool wanted = x->kind == MED_VALUE_QUANTITY || y->kind == MED_VALUE_QUANTITY
                  || (med_fp_is_quantity_node(r, x) && med_fp_is_quantity_node(r, y));
    if (!wanted)
        return true;
    if (!to_quantity(r, x, &good, &p) || !to_quantity(r, y, &good_too, &q))
        return false;
    if (good && good_too) {
        *x = p;
        *y = q;
    }
    return true;
}

static enum med_fp_truth truth(bool value)
{
    return value ? MED_FP_TRUE : MED_FP_FALSE;
}

static enum med_fp_truth dates_equal(const med_value *x, const med_value *y)
{
    struct med_fp_date p;
    struct med_fp_date q;
    if ((x->kind == MED_VALUE_TIME) != (y->kind == MED_VALUE_TIME))
        return MED_FP_FALSE;
    if (!med_fp_date_parse(x->kind, x->text, &p) || !med_fp_date_parse(y->kind, y->text, &q))
        return truth(med_str_eq(x->text, y->text));
    enum med_fp_order order = med_fp_date_compare(&p, &q);
    return order == MED_FP_UNORDERED ? MED_FP_UNKNOWN : truth(order == MED_FP_SAME);
}

static enum med_fp_truth quantities_equal(med_fp_run *r, const med_value *x, const med_value *y)
{
    bool comparable = false;
    int order = 0;
    if (!med_fp_quantity_compare(r, x, y, false, &comparable, &order) || !comparable)
        return MED_FP_UNKNOWN;
    return truth(order == 0);
}

enum med_fp_truth med_fp_equal(med_fp_run *r, const med_value *a, const med_value *b)
{
    med_value x;
    med_value y;
    if (!prepare(r, a, b, &x, &y))
        return MED_FP_UNKNOWN;
    if (is_number(x.kind) && is_number(y.kind)) {
        med_decimal p;
        med_decimal q;
        if (x.kind == MED_VALUE_INTEGER && y.kind == MED_VALUE_INTEGER)
            return truth(x.integer == y.integer);
        return med_fp_number(&x, &p) && med_fp_number(&y, &q)
                   ? truth(med_decimal_compare(&p, &q) == 0)
                   : truth(med_str_eq(x.text, y.text));
    }
    if (is_date(x.kind) && is_date(y.kind))
        return dates_equal(&x, &y);
    if (x.kind != y.kind)
        return MED_FP_FALSE;
    if (x.kind == MED_VALUE_BOOLEAN)
        return truth(x.integer == y.integer);
    if (x.kind == MED_VALUE_QUANTITY)
        return quantities_equal(r, &x, &y);
    if (x.kind == MED_VALUE_NODE)
        return truth(nodes_equal(r, &x, &y, false));
    return truth(med_str_eq(x.text, y.text) && med_str_eq(x.unit, y.unit));
}

bool med_fp_equivalent(med_fp_run *r, const med_value *a, const med_value *b)
{
    med_value x;
    med_value y;
    if (!prepare(r, a, b, &x, &y))
        return false;
    if (is_number(x.kind) && is_number(y.kind)) {
        med_decimal p;
        med_decimal q;
        return med_fp_number(&x, &p) && med_fp_number(&y, &q) && med_fp_decimals_equivalent(&p, &q);
    }
    if (is_date(x.kind) && is_date(y.kind))
        return dates_equal(&x, &y) == MED_FP_TRUE;
    if (x.kind != y.kind)
        return false;
    if (x.kind == MED_VALUE_STRING)
        return strings_equivalent(x.text, y.text);
    if (x.kind == MED_VALUE_NODE)
        return nodes_equal(r, &x, &y, true);
    bool same = false;
    if (x.kind == MED_VALUE_QUANTITY)
        return med_fp_quantity_equivalent(r, &x, &y, &same) && same;
    return med_fp_equal(r, &x, &y) == MED_FP_TRUE;
}

/* ---- collections ---- */

enum med_fp_truth med_fp_equal_all(med_fp_run *r, med_values a, med_values b)
{
    if (a.n == 0 || b.n == 0)
        return MED_FP_UNKNOWN;
    if (a.n != b.n)
        return MED_FP_FALSE;
    enum med_fp_truth all = MED_FP_TRUE;
    for (size_t i = 0; i < a.n; i++) {
        enum med_fp_truth one = med_fp_equal(r, &a.at[i], &b.at[i]);
        if (one == MED_FP_FALSE)
            return MED_FP_FALSE;
        if (one == MED_FP_UNKNOWN)
            all = MED_FP_UNKNOWN;
    }
    return all;
}

bool med_fp_equivalent_all(med_fp_run *r, med_values a, med_values b)
{
    if (a.n != b.n)
        return false;
    if (a.n == 1)
        return med_fp_equivalent(r, a.at, b.at);
    bool *used = MED_TAKE(r->a, b.n, bool);
    if (used == NULL)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        bool found = false;
        for (size_t k = 0; k < b.n && !found; k++) {
            r->steps++;
            if (!used[k] && med_fp_equivalent(r, &a.at[i], &b.at[k]))
                found = used[k] = true;
        }
        if (!found)
            return false;
    }
    return true;
}

enum med_fp_order med_fp_compare(med_fp_run *r, const med_value *a, const med_value *b, bool *good)
{
    med_value x;
    med_value y;
    int order = 0;
    *good = prepare(r, a, b, &x, &y);
    if (!*good)
        return MED_FP_UNORDERED;
    if (is_number(x.kind) && is_number(y.kind)) {
        med_decimal p;
        med_decimal q;
        if (!med_fp_number(&x, &p) || !med_fp_number(&y, &q))
            return MED_FP_UNORDERED;
        order = med_decimal_compare(&p, &q);
    } else if (is_date(x.kind) && is_date(y.kind)) {
        struct med_fp_date p;
        struct med_fp_date q;
        *good = (x.kind == MED_VALUE_TIME) == (y.kind == MED_VALUE_TIME);
        if (!*good || !med_fp_date_parse(x.kind, x.text, &p)
            || !med_fp_date_parse(y.kind, y.text, &q))
            return MED_FP_UNORDERED;
        return med_fp_date_compare(&p, &q);
    } else if (x.kind == MED_VALUE_STRING && y.kind == MED_VALUE_STRING) {
        order = med_str_compare(x.text, y.text);
    } else if (x.kind == MED_VALUE_QUANTITY && y.kind == MED_VALUE_QUANTITY) {
        bool comparable = false;
        if (!med_fp_quantity_compare(r, &x, &y, false, &comparable, &order) || !comparable)
            return MED_FP_UNORDERED;
    } else {
        /* a FHIR quantity without a value or with a comparator: nobody can tell */
        *good = med_fp_is_quantity_node(r, &x) || med_fp_is_quantity_node(r, &y);
        return MED_FP_UNORDERED;
    }
    return order < 0 ? MED_FP_BEFORE : order > 0 ? MED_FP_AFTER : MED_FP_SAME;
}
