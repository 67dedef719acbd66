/* profile_value.c - one value against what its element says of it. See profile_impl.h.
 * https://hl7.org/fhir/R4/elementdefinition.html#interpretation */
#include "base/datetime.h"
#include "base/decimal.h"
#include "model/ucum.h"
#include "validate/profile_impl.h"

enum { SHOWN = 200 };

uint32_t med_profile_node_of(const med_profile_item *v)
{
    return v->node != MED_NO_NODE ? v->node : v->extension;
}

/* ---- fixed and pattern ---- */

/* Where a choice narrows nothing, text is text: Extension.url is a System.String, fixed as uri. */
static bool may_be(const med_pack *p, med_type type, med_type expected)
{
    return med_type_is_a(p, type, expected)
           || (med_type_primitive(p, type) != MED_PRIMITIVE_NONE
               && med_type_primitive(p, expected) != MED_PRIMITIVE_NONE);
}

bool med_profile_is(const med_profile_run *r, const med_profile_item *v,
                    const med_profile_value *fixed)
{
    return v->node != MED_NO_NODE && may_be(r->c->p, v->type, fixed->type)
           && med_json_equal(r->c->j, v->node, fixed->json, 0);
}

static bool has(const med_json *j, uint32_t node, const med_json *p, uint32_t pattern);

/* NOLINTBEGIN(misc-no-recursion): as deep as the pattern, at most MED_JSON_DEPTH */

/* Each element of the pattern's list is in the value's, in any order. */
static bool has_all(const med_json *j, uint32_t node, const med_json *p, uint32_t pattern)
{
    for (uint32_t e = pattern + 1; e < p->nodes[pattern].next; e = p->nodes[e].next) {
        bool found = false;
        for (uint32_t v = node + 1; v < j->nodes[node].next && !found; v = j->nodes[v].next)
            found = has(j, v, p, e);
        if (!found)
            return false;
    }
    return true;
}

static bool has_members(const med_json *j, uint32_t node, const med_json *p, uint32_t pattern)
{
    for (uint32_t k = pattern + 1; k < p->nodes[pattern].next; k = p->nodes[k + 1].next) {
        uint32_t value = med_json_member(j, node, med_json_raw(p, k));
        if (value == 0 || !has(j, value, p, k + 1))
            return false;
    }
    return true;
}

static bool has(const med_json *j, uint32_t node, const med_json *p, uint32_t pattern)
{
    enum med_json_kind kind = med_json_kind_at(p, pattern);
    if (med_json_kind_at(j, node) != kind)
        return false;
    if (kind == MED_JSON_OBJECT)
        return has_members(j, node, p, pattern);
    return kind == MED_JSON_ARRAY ? has_all(j, node, p, pattern)
                                  : med_json_equal(j, node, p, pattern);
}
/* NOLINTEND(misc-no-recursion) */

bool med_profile_has(const med_profile_run *r, const med_profile_item *v, const med_json *pattern,
                     uint32_t at)
{
    return v->node != MED_NO_NODE && has(r->c->j, v->node, pattern, at);
}

/* What is expected stands in the definition: it may be shown. */
static void say_expected(med_profile_run *r, const med_profile_item *v, const char *how,
                         const med_json *expected)
{
    med_str text = med_json_span(expected, 0);
    med_check_problem(r->c, med_profile_node_of(v), NULL, MED_ISSUE_VALUE, "expected %s %.*s%s",
                      how, MED_STR_ARG(med_str_sub(text, 0, SHOWN)), text.len > SHOWN ? "..." : "");
}

/* ---- least and greatest ---- */

/* -1, 0, 1; false when the two can not be compared. */
typedef bool compare_fn(const med_profile_run *r, const med_json *j, uint32_t node,
                        const med_json *limit, int *out);

static bool compare_numbers(med_str a, med_str b, int *out)
{
    med_decimal x, y;
    if (!med_decimal_parse(a, &x) || !med_decimal_parse(b, &y))
        return false;
    *out = med_decimal_compare(&x, &y);
    return true;
}

/* With precisions that differ they are apart only when they do not overlap. */
static int compare_spans(const med_interval *a, const med_interval *b)
{
    return a->high <= b->low ? -1 : a->low >= b->high ? 1 : 0;
}

static bool compare_times(med_str a, med_str b, int *out)
{
    int64_t x, y;
    if (!med_time_parse(a, &x) || !med_time_parse(b, &y))
        return false;
    *out = (x > y) - (x < y);
    return true;
}

static bool read_date(med_str text, med_datetime *out)
{
    return med_datetime_parse(text, MED_KIND_SEARCH, 0, out);
}

static med_str member(const med_json *j, uint32_t node, const char *key)
{
    uint32_t at = med_json_kind_at(j, node) == MED_JSON_OBJECT
                      ? med_json_member(j, node, med_str_from(key))
                      : 0;
    return at == 0 ? MED_STR_EMPTY : med_json_raw(j, at);
}

static bool compare_quantities(med_profile_run *r, const med_json *j, uint32_t node,
                               const med_json *limit, int *out)
{
    med_unit u, w;
    med_decimal x, y;
    med_err err = {0};
    med_str a = member(j, node, "value"), b = member(limit, 0, "value");
    med_str unit = member(j, node, "code"), other = member(limit, 0, "code");
    if (med_str_eq(unit, other)
        && med_str_eq(member(j, node, "system"), member(limit, 0, "system")))
        return compare_numbers(a, b, out);
    if (!med_str_eqz(member(j, node, "system"), "http://unitsofmeasure.org")
        || !med_ucum_parse(r->work, unit, &u, &err) || !med_ucum_parse(r->work, other, &w, &err)
        || !med_ucum_comparable(&u, &w) || !med_decimal_parse(a, &x) || !med_decimal_parse(b, &y)
        || !med_ucum_canonical(&u, &x, &x) || !med_ucum_canonical(&w, &y, &y))
        return false;
    *out = med_decimal_compare(&x, &y);
    return true;
}

/* A limit that is a duration is counted from now. https://ucum.org: a, mo, wk, d, h, min, s */
static bool shift_now(int64_t now, med_str value, med_str unit, int sign, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"wk", 604800}};
    const int64_t second = 1000000, day = 86400 * second;
    int64_t n;
    if (!med_str_to_int64(value, &n) || n < 0 || n > 100000)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (med_str_eqz(unit, units[i].unit)) {
            *out = now + sign * n * units[i].seconds * second;
            return true;
        }
    }
    if (!med_str_eqz(unit, "a") && !med_str_eqz(unit, "mo"))
        return false;
    int year, month, d;
    int64_t days = now / day;
    med_civil_from_days(days, &year, &month, &d);
    int64_t months = (int64_t)year * 12 + month - 1 + sign * n * (med_str_eqz(unit, "a") ? 12 : 1);
    if (months < 0)
        return false;
    *out = (med_days_from_civil((int)(months / 12), (int)(months % 12) + 1, 1) + d - 1) * day
           + now % day;
    return true;
}

static bool compare_dates(const med_profile_run *r, med_str text, const med_profile_value *limit,
                          bool is_least, int *out)
{
    med_datetime x, y;
    if (!read_date(text, &x))
        return false;
    if (med_json_kind_at(limit->json, 0) == MED_JSON_OBJECT) {
        if (!shift_now(r->c->options->now, member(limit->json, 0, "value"),
                       member(limit->json, 0, "code"), is_least ? -1 : 1, &y.span.low))
            return false;
        y.span.high = y.span.low + 1;
    } else if (!read_date(med_json_raw(limit->json, 0), &y)) {
        return false;
    }
    *out = compare_spans(&x.span, &y.span);
    return true;
}

static bool compare(med_profile_run *r, const med_profile_item *v, const med_profile_value *limit,
                    bool is_least, int *out)
{
    med_str text = med_json_raw(r->c->j, v->node);
    switch (med_type_primitive(r->c->p, v->type)) {
    case MED_PRIMITIVE_INTEGER:
    case MED_PRIMITIVE_UNSIGNED_INT:
    case MED_PRIMITIVE_POSITIVE_INT:
    case MED_PRIMITIVE_DECIMAL:
        return compare_numbers(text, med_json_raw(limit->json, 0), out);
    case MED_PRIMITIVE_TIME:
        return compare_times(text, med_json_raw(limit->json, 0), out);
    case MED_PRIMITIVE_DATE:
    case MED_PRIMITIVE_DATETIME:
    case MED_PRIMITIVE_INSTANT:
        return compare_dates(r, text, limit, is_least, out);
    case MED_PRIMITIVE_NONE:
        return compare_quantities(r, r->c->j, v->node, limit->json, out);
    case MED_PRIMITIVE_BOOLEAN:
    case MED_PRIMITIVE_STRING:
    case MED_PRIMITIVE_MARKDOWN:
    case MED_PRIMITIVE_CODE:
    case MED_PRIMITIVE_ID:
    case MED_PRIMITIVE_URI:
    case MED_PRIMITIVE_URL:
    case MED_PRIMITIVE_CANONICAL:
    case MED_PRIMITIVE_OID:
    case MED_PRIMITIVE_UUID:
    case MED_PRIMITIVE_BASE64:
    case MED_PRIMITIVE_XHTML:
    case MED_PRIMITIVE_FHIRPATH_STRING:
        break;
    }
    return false;
}

static void check_limit(med_profile_run *r, const med_profile_item *v,
                        const med_profile_value *limit, bool is_least)
{
    int order = 0;
    if (limit->json == NULL || v->node == MED_NO_NODE)
        return;
    if (!compare(r, v, limit, is_least, &order))
        med_check_warning(r->c, v->node, NULL, MED_ISSUE_VALUE,
                          "it can not be compared with the %s that is allowed: %.*s",
                          is_least ? "least" : "greatest",
                          MED_STR_ARG(med_str_sub(med_json_span(limit->json, 0), 0, SHOWN)));
    else if (is_least ? order < 0 : order > 0)
        say_expected(r, v, is_least ? "at least" : "at most", limit->json);
}

/* ---- length ---- */

static void check_length(med_profile_run *r, const med_profile_node *n, const med_profile_item *v)
{
    med_str text;
    size_t count = 0;
    if (v->node == MED_NO_NODE || med_json_kind_at(r->c->j, v->node) != MED_JSON_STRING)
        return;
    if (!med_json_string(r->work, r->c->j, v->node, &text)) {
        r->c->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    if (count < n->min_length)
        med_check_problem(r->c, v->node, NULL, MED_ISSUE_VALUE,
                          "%zu characters, at least %u expected", count, n->min_length);
    if (n->max_length > 0 && count > n->max_length)
        med_check_problem(r->c, v->node, NULL, MED_ISSUE_TOO_LONG,
                          "%zu characters, at most %u allowed", count, n->max_length);
}

/* ---- binding ---- */

/* A binding of another primitive (a date) says nothing.
 * https://hl7.org/fhir/R4/terminologies.html#code */
static bool is_bindable(enum med_primitive primitive)
{
    return primitive == MED_PRIMITIVE_CODE || primitive == MED_PRIMITIVE_STRING
           || primitive == MED_PRIMITIVE_URI;
}

static void bind(med_profile_run *r, const med_profile_item *v, const med_bound *b)
{
    med_check *c = r->c;
    if (v->node == MED_NO_NODE)
        return;
    enum med_json_kind kind = med_json_kind_at(c->j, v->node);
    if (kind == MED_JSON_STRING) {
        med_str code;
        if (!is_bindable(med_type_primitive(c->p, v->type)))
            return;
        if (!med_json_string(c->a, c->j, v->node, &code))
            c->out_of_memory = true;
        else
            med_check_bound_code(c, b, v->node, code);
    } else if (kind == MED_JSON_OBJECT && v->type == c->concept) {
        med_check_bound_concept(c, b, v->node);
    } else if (kind == MED_JSON_OBJECT
               && (v->type == c->coding || med_type_is_a(c->p, v->type, c->quantity))) {
        med_bound own = *b;
        own.is_quantity = v->type != c->coding;
        med_check_bound_coding(c, &own, v->node);
    }
}

static void check_binding(med_profile_run *r, const med_profile_node *n, const med_profile_item *v)
{
    if (n->value_set.len > 0) {
        med_bound b = {.value_set = n->value_set,
                       .is_required = n->binding == MED_BINDING_REQUIRED};
        bind(r, v, &b);
    }
    if (n->max_value_set.len > 0) {
        med_bound b = {.value_set = n->max_value_set, .is_required = true};
        bind(r, v, &b);
    }
}

static bool coding_is_in(med_profile_run *r, uint32_t node, bool alone, med_str value_set)
{
    med_check *c = r->c;
    med_coded_answer answer;
    med_str code = alone ? med_json_raw(c->j, node) : member(c->j, node, "code");
    med_coded q = {.value_set = value_set,
                   .system = alone ? MED_STR_EMPTY : member(c->j, node, "system"),
                   .version = MED_STR_EMPTY,
                   .code = code,
                   .display = MED_STR_EMPTY};
    if (code.len == 0)
        return false;
    if (!c->options->codes->ask(c->options->codes->self, c->a, &q, &answer, c->err)) {
        c->failed = true;
        return false;
    }
    return answer.verdict == MED_CODED_IN;
}

bool med_profile_in_value_set(med_profile_run *r, const med_profile_item *v, med_str value_set)
{
    const med_json *j = r->c->j;
    if (r->c->options->codes == NULL || v->node == MED_NO_NODE)
        return false;
    enum med_json_kind kind = med_json_kind_at(j, v->node);
    if (kind == MED_JSON_STRING)
        return coding_is_in(r, v->node, true, value_set);
    if (kind != MED_JSON_OBJECT)
        return false;
    if (v->type != r->c->concept)
        return coding_is_in(r, v->node, false, value_set);
    uint32_t end;
    for (uint32_t e = med_profile_first(j, v->node, "coding", &end); e < end;
         e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT && coding_is_in(r, e, false, value_set))
            return true;
    }
    return false;
}

/* ---- languages of a narrative ---- */

static bool is_among(const med_str *all, size_t n, med_str language)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq_ignore_case(all[i], language))
            return true;
    }
    return false;
}

static void check_languages(med_profile_run *r, const med_profile_node *n,
                            const med_profile_item *v)
{
    enum { SECTIONS = 64 };
    const med_json *j = r->c->j;
    med_str text, found[SECTIONS];
    uint32_t div = v->node == MED_NO_NODE || med_json_kind_at(j, v->node) != MED_JSON_OBJECT
                       ? 0
                       : med_json_member(j, v->node, MED_STR("div"));
    if (div == 0 || med_json_kind_at(j, div) != MED_JSON_STRING)
        return;
    if (!med_json_string(r->work, j, div, &text)) {
        r->c->out_of_memory = true;
        return;
    }
    size_t n_found = med_narrative_languages(text, found, SECTIONS);
    for (size_t i = 0; i < n->n_languages; i++) {
        med_str wanted = n->languages[i];
        bool yes = med_str_eqz(wanted, "_yes"), no = med_str_eqz(wanted, "_no");
        if (med_str_eqz(wanted, "_resource"))
            wanted = member(j, v->place->resource, "language");
        if (yes ? n_found > 0 : no ? n_found == 0 : is_among(found, n_found, wanted))
            continue;
        med_check_problem(r->c, v->node, NULL, MED_ISSUE_STRUCTURE,
                          yes  ? "the narrative has no sections by language, <div lang=...>"
                          : no ? "the narrative may not have sections by language"
                               : "the narrative has no section in the language that is asked for");
    }
}

void med_profile_check_value(med_profile_run *r, const med_profile_node *n,
                             const med_profile_item *v)
{
    if (n->fixed.json != NULL && !med_profile_is(r, v, &n->fixed))
        say_expected(r, v, "exactly", n->fixed.json);
    if (n->pattern.json != NULL
        && (!may_be(r->c->p, v->type, n->pattern.type)
            || !med_profile_has(r, v, n->pattern.json, 0)))
        say_expected(r, v, "a value with", n->pattern.json);
    check_limit(r, v, &n->least, true);
    check_limit(r, v, &n->greatest, false);
    if (n->max_length > 0 || n->min_length > 0)
        check_length(r, n, v);
    if (n->n_languages > 0)
        check_languages(r, n, v);
    if (n->checks_binding)
        check_binding(r, n, v);
}
