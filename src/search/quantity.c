/* quantity.c - https://hl7.org/fhir/R4/search.html#quantity
 *
 * Rows: one under unit 0 (the bare number), and one under the canonical UCUM unit with the
 * value converted, so that 5 g/L finds 500 mg/dL; where the unit is not UCUM, under system|code
 * as it stands; and one under |name when the unit is called otherwise than its code.
 *
 * Numbers are compared as decimals. The index is ordered by doubles, which decide wherever they
 * tell these apart: a row says so where its decimal has the double of a shorter one. */
#include "base/decimal.h"
#include "model/ucum.h"
#include "search/extract.h"
#include "search/query.h"

static const med_str ucum_system = MED_LIT("http://unitsofmeasure.org");
static const med_str currency_system = MED_LIT("urn:iso:std:iso:4217");

static bool member_decimal(const med_extraction *x, uint32_t object, med_str key, med_decimal *out)
{
    uint32_t node = med_json_member(x->j, object, key);
    return node != 0 && med_json_kind_at(x->j, node) == MED_JSON_NUMBER
           && med_decimal_parse(med_json_raw(x->j, node), out);
}

static bool keep(const med_extraction *x, const med_decimal *d, const med_decimal **out)
{
    med_decimal *copy = x->whole && d != NULL ? MED_TAKE(x->arena, 1, med_decimal) : NULL;
    *out = copy;
    if (copy == NULL)
        return !x->whole || d == NULL;
    *copy = *d;
    return true;
}

/* NULL is an open end. */
static bool add(med_extraction *x, const med_extract_value *v, uint64_t unit,
                const med_decimal *low, const med_decimal *high)
{
    med_quantity_row row = {
        .param = v->number,
        .unit = unit,
        .low = low != NULL ? med_decimal_to_double(low) : -(double)INFINITY,
        .high = high != NULL ? med_decimal_to_double(high) : (double)INFINITY,
    };
    bool point = row.low == row.high && low != NULL && high != NULL;
    if (point && (med_decimal_is_hidden(low, row.low) || med_decimal_is_hidden(high, row.high)))
        row.high = MED_HIDDEN;
    return keep(x, low, &row.exact_low) && keep(x, high, &row.exact_high)
           && med_rows_add_quantity(x, row);
}

bool med_extract_plain_number(med_extraction *x, const med_extract_value *v, const med_decimal *d)
{
    return add(x, v, 0, d, d);
}

/* The units of one quantity: what it is indexed under. */
typedef struct units {
    uint64_t unit;     /* canonical, or system|code; 0: none */
    uint64_t named[2]; /* |name and |code, where `unit` does not find it by that; 0: none */
    med_unit ucum;
    bool convert; /* `unit` is that of `ucum` */
} units;

static bool read_units(const med_extraction *x, uint32_t node, units *out)
{
    med_str system, code, name;
    med_store *store = x->schema->store;
    *out = (units){0};
    if (!med_extract_member(x, node, MED_STR("system"), &system)
        || !med_extract_member(x, node, MED_STR("code"), &code)
        || !med_extract_member(x, node, MED_STR("unit"), &name))
        return false;
    if (code.len > 0) {
        out->convert = med_str_eq(system, ucum_system)
                       && med_unit_cache_parse(x->schema->units, med_store_hash(store, code),
                                               x->arena, code, &out->ucum);
        out->unit = out->convert ? med_store_hash2(store, ucum_system, '=', out->ucum.canonical)
                                 : med_store_hash2(store, system, '|', code);
    }
    /* the name, as far as it says something else; a code without that is found like a name */
    if (name.len > 0 && !med_str_eq(name, code))
        out->named[0] = med_store_hash2(store, MED_STR_EMPTY, '|', name);
    if (code.len > 0 && !out->convert && system.len > 0)
        out->named[1] = med_store_hash2(store, MED_STR_EMPTY, '|', code);
    return true;
}

/* `d` in the canonical unit, if there is one; else under system|code as it stands. */
static void convert(const med_extraction *x, units *u, const med_decimal *d, med_decimal *out)
{
    if (u->convert && med_ucum_canonical(&u->ucum, d, out))
        return;
    *out = *d;
    if (u->convert) /* no room for the digits: nothing compares with it */
        u->unit = med_store_hash2(x->schema->store, ucum_system, '#', u->ucum.canonical);
}

static bool add_named(med_extraction *x, const med_extract_value *v, const units *u,
                      const med_decimal *low, const med_decimal *high)
{
    return (u->named[0] == 0 || add(x, v, u->named[0], low, high))
           && (u->named[1] == 0 || add(x, v, u->named[1], low, high));
}

static bool extract_plain(med_extraction *x, const med_extract_value *v)
{
    med_decimal value, converted;
    units u;
    if (!member_decimal(x, v->at->node, MED_STR("value"), &value))
        return true;
    if (!read_units(x, v->at->node, &u) || !add(x, v, 0, &value, &value))
        return false;
    convert(x, &u, &value, &converted);
    return (u.unit == 0 || add(x, v, u.unit, &converted, &converted))
           && add_named(x, v, &u, &value, &value);
}

static bool extract_money(med_extraction *x, const med_extract_value *v)
{
    med_decimal value;
    med_str currency;
    if (!member_decimal(x, v->at->node, MED_STR("value"), &value))
        return true;
    if (!med_extract_member(x, v->at->node, MED_STR("currency"), &currency)
        || !add(x, v, 0, &value, &value))
        return false;
    med_store *store = x->schema->store;
    return currency.len == 0
           || (add(x, v, med_store_hash2(store, currency_system, '|', currency), &value, &value)
               && add(x, v, med_store_hash2(store, MED_STR_EMPTY, '|', currency), &value, &value));
}

/* A Range: from low to high, open where one is missing; units of either end. */
static bool extract_range(med_extraction *x, const med_extract_value *v)
{
    uint32_t ends[2] = {med_json_member(x->j, v->at->node, MED_STR("low")),
                        med_json_member(x->j, v->at->node, MED_STR("high"))};
    med_decimal plain[2], converted[2];
    bool has[2] = {false, false};
    units u = {0};
    for (size_t i = 0; i < 2; i++) {
        if (ends[i] == 0 || med_json_kind_at(x->j, ends[i]) != MED_JSON_OBJECT
            || !member_decimal(x, ends[i], MED_STR("value"), &plain[i]))
            continue;
        has[i] = true;
        if (!read_units(x, ends[i], &u))
            return false;
        convert(x, &u, &plain[i], &converted[i]);
    }
    if (!has[0] && !has[1])
        return true;
    const med_decimal *low = has[0] ? &plain[0] : NULL, *high = has[1] ? &plain[1] : NULL;
    return add(x, v, 0, low, high) && add_named(x, v, &u, low, high)
           && (u.unit == 0
               || add(x, v, u.unit, has[0] ? &converted[0] : NULL, has[1] ? &converted[1] : NULL));
}

bool med_extract_quantity(med_extraction *x, const med_extract_value *v, med_err *err)
{
    const med_known_types *known = &x->schema->known;
    bool ok = true;
    if (med_json_kind_at(x->j, v->at->node) != MED_JSON_OBJECT)
        return med_extract_number(x, v, err);
    if (v->at->type == known->money)
        ok = extract_money(x, v);
    else if (v->at->type == known->range)
        ok = extract_range(x, v);
    else if (v->at->type != MED_TYPE_NONE
             && med_type_is_a(x->schema->pack, v->at->type, known->quantity))
        ok = extract_plain(x, v);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* ---- query values: number, number|system|code, number||code ---- */

static bool set_range(const med_decimal *d, const med_unit *unit, med_measure *m)
{
    med_decimal low, high;
    m->value = *d;
    if (!med_decimal_implicit_range(d, &m->low, &m->high))
        return false;
    if (unit == NULL)
        return true;
    low = m->low;
    high = m->high;
    return med_ucum_canonical(unit, d, &m->value) && med_ucum_canonical(unit, &low, &m->low)
           && med_ucum_canonical(unit, &high, &m->high);
}

/* ap: a tenth of the value to both sides, at least what its digits mean. */
static bool widen(med_measure *m)
{
    med_decimal tenth = m->value, low, high;
    tenth.exponent--;
    tenth.negative = false;
    if (!med_decimal_subtract(&m->value, &tenth, &low)
        || !med_decimal_add(&m->value, &tenth, &high))
        return false;
    if (med_decimal_compare(&low, &m->low) < 0)
        m->low = low;
    if (med_decimal_compare(&high, &m->high) > 0)
        m->high = high;
    return true;
}

static bool finish_measure(const med_term_source *s, const med_term *t, med_measure *m)
{
    if (t->prefix == MED_PREFIX_AP && !widen(m))
        return false;
    m->near_value = med_decimal_to_double(&m->value);
    m->near_low = med_decimal_to_double(&m->low);
    m->near_high = med_decimal_to_double(&m->high);
    m->distinct = s->schema->has_rows[MED_ROWS_MARKED]
                  && med_decimal_is_distinct(&m->value, m->near_value)
                  && med_decimal_is_distinct(&m->low, m->near_low)
                  && med_decimal_is_distinct(&m->high, m->near_high);
    return true;
}

/* UCUM is made canonical. Without a system, number||code is a UCUM code, the code of any
 * system, or the unit's name. */
static bool set_measures(const med_term_source *s, const med_decimal *d, med_term *t,
                         med_measure *m)
{
    med_unit unit;
    med_err ignored = {0};
    med_store *store = s->schema->store;
    bool ucum = t->code.len > 0 && (t->system.len == 0 || med_str_eq(t->system, ucum_system))
                && med_ucum_parse(s->arena, t->code, &unit, &ignored);
    if (ucum && set_range(d, &unit, m)) {
        m->unit = med_store_hash2(store, ucum_system, '=', unit.canonical);
        t->n_measures++;
    }
    if (t->n_measures > 0 && t->system.len > 0)
        return true;
    m += t->n_measures;
    m->unit = t->code.len > 0 ? med_store_hash2(store, t->system, '|', t->code) : 0;
    t->n_measures++;
    return set_range(d, NULL, m);
}

static bool take_measures(const med_term_source *s, const med_decimal *d, med_term *t, med_err *err)
{
    med_measure *m = MED_TAKE(s->arena, MED_TERM_MEASURES, med_measure);
    if (m == NULL)
        return MED_FAIL_MEMORY(err);
    bool good = set_measures(s, d, t, m);
    for (size_t i = 0; good && i < t->n_measures; i++)
        good = finish_measure(s, t, &m[i]);
    t->measures = m;
    return good ? true
                : MED_FAIL(err, MED_ISSUE_VALUE,
                           "the number has more digits than can be searched for");
}

bool med_term_quantity(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    t->prefix = med_prefix_cut(&value);
    bool quantity = s->param->type == MED_PARAM_QUANTITY;
    size_t bar = med_find_bare(value, '|', 0);
    size_t second = bar < value.len ? med_find_bare(value, '|', bar + 1) : value.len;
    med_decimal d;
    if (!med_decimal_parse(med_str_sub(value, 0, bar), &d))
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected a number%s",
                        quantity ? ", or number|system|code" : "");
    bool third = second < value.len && med_find_bare(value, '|', second + 1) < value.len;
    if (bar < value.len && (!quantity || second == value.len || third))
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected %s",
                        quantity ? "number|system|code" : "a number");
    if (!med_unescape(s->arena, med_str_sub(value, bar + 1, second), &t->system)
        || !med_unescape(s->arena, med_str_skip(value, second + 1), &t->code))
        return MED_FAIL_MEMORY(err);
    if (t->code.len == 0 && t->system.len > 0)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "a system of units says nothing without a code: number|system|code");
    return take_measures(s, &d, t, err);
}

/* ---- matching ---- */

/* An open end (NULL) is below or above every number. */
static int compare_low(const med_decimal *low, const med_decimal *with)
{
    return low == NULL ? -1 : med_decimal_compare(low, with);
}

static int compare_high(const med_decimal *high, const med_decimal *with)
{
    return high == NULL ? 1 : med_decimal_compare(high, with);
}

/* eq counts the digits given: 100 is [99.5, 100.5); the other prefixes compare with the number
 * itself. A plain value has low == high. */
static bool measure_matches(enum med_prefix prefix, const med_measure *m,
                            const med_quantity_row *row)
{
    const med_decimal *low = row->exact_low, *high = row->exact_high;
    bool inside = compare_low(low, &m->low) >= 0 && compare_high(high, &m->high) < 0;
    switch (prefix) {
    case MED_PREFIX_EQ:
        return inside;
    case MED_PREFIX_NE:
        return !inside;
    case MED_PREFIX_GT:
        return compare_high(high, &m->value) > 0;
    case MED_PREFIX_LT:
        return compare_low(low, &m->value) < 0;
    case MED_PREFIX_GE:
        return compare_high(high, &m->value) >= 0;
    case MED_PREFIX_LE:
        return compare_low(low, &m->value) <= 0;
    case MED_PREFIX_SA:
        return compare_low(low, &m->value) > 0;
    case MED_PREFIX_EB:
        return compare_high(high, &m->value) < 0;
    case MED_PREFIX_AP:
        return compare_low(low, &m->high) <= 0 && compare_high(high, &m->low) >= 0;
    }
    return false;
}

bool med_term_matches_quantity(const med_term *t, const med_quantity_row *row)
{
    for (size_t i = 0; i < t->n_measures; i++) {
        if (t->measures[i].unit == row->unit && measure_matches(t->prefix, &t->measures[i], row))
            return true;
    }
    return false;
}

/* A row with an end that a double hides, or of which it is not known: all that it may match. */
static bool range_may_match(enum med_prefix prefix, const double ends[2], double low, double high,
                            bool sure)
{
    bool inside = low >= ends[0] && high <= ends[1];
    switch (prefix) {
    case MED_PREFIX_EQ:
        return inside;
    case MED_PREFIX_NE:
        return !inside || !sure;
    case MED_PREFIX_GT:
    case MED_PREFIX_GE:
        return high >= ends[0];
    case MED_PREFIX_LT:
    case MED_PREFIX_LE:
        return low <= ends[0];
    case MED_PREFIX_SA:
        return low >= ends[0];
    case MED_PREFIX_EB:
        return high <= ends[0];
    case MED_PREFIX_AP:
        return low <= ends[1] && high >= ends[0];
    }
    return false;
}

/* A plain value, whose double is as good as itself: as measure_matches. */
static bool point_matches(enum med_prefix prefix, const double ends[2], double value)
{
    bool inside = value >= ends[0] && value < ends[1];
    switch (prefix) {
    case MED_PREFIX_EQ:
        return inside;
    case MED_PREFIX_NE:
        return !inside;
    case MED_PREFIX_GT:
    case MED_PREFIX_SA:
        return value > ends[0];
    case MED_PREFIX_LT:
    case MED_PREFIX_EB:
        return value < ends[0];
    case MED_PREFIX_GE:
        return value >= ends[0];
    case MED_PREFIX_LE:
        return value <= ends[0];
    case MED_PREFIX_AP:
        return value >= ends[0] && value <= ends[1];
    }
    return false;
}

bool med_measure_may_match(enum med_prefix prefix, const med_measure *m, double low, double high,
                           bool *sure)
{
    double ends[2] = {m->near_value, m->near_value};
    if (prefix == MED_PREFIX_EQ || prefix == MED_PREFIX_NE || prefix == MED_PREFIX_AP) {
        ends[0] = m->near_low;
        ends[1] = m->near_high;
    }
    *sure = true;
    if (low == high && m->distinct)
        return point_matches(prefix, ends, low);
    if (high == MED_HIDDEN)
        high = low;
    *sure = low != ends[0] && low != ends[1] && high != ends[0] && high != ends[1];
    return range_may_match(prefix, ends, low, high, *sure);
}
