/* quantity.c - https://hl7.org/fhir/R4/search.html#quantity
 *
 * Rows: one under unit 0 (the bare number), and one under the canonical UCUM unit with the
 * value converted, so that 5 g/L finds 500 mg/dL; where the unit is not UCUM, under system|code
 * as it stands. */
#include <math.h>

#include "base/decimal.h"
#include "model/ucum.h"
#include "search/extract.h"
#include "search/query.h"

static const med_str ucum_system = MED_LIT("http://unitsofmeasure.org");

static bool member_decimal(const med_extraction *x, uint32_t object, med_str key, med_decimal *out)
{
    uint32_t node = med_json_member(x->j, object, key);
    return node != 0 && med_json_kind_at(x->j, node) == MED_JSON_NUMBER
           && med_decimal_parse(med_json_raw(x->j, node), out);
}

static bool add(med_extraction *x, const med_extract_value *v, uint64_t unit, double low,
                double high)
{
    return med_rows_add_quantity(x, (med_quantity_row){v->number, unit, low, high});
}

/* The hash of a quantity's unit, and its value in that unit. Unit 0 when it has none. */
static bool unit_of(const med_extraction *x, uint32_t node, uint64_t *unit,
                    const med_decimal *value, double *converted)
{
    med_str system, code;
    med_unit parsed;
    med_decimal canonical;
    med_err ignored = {0};
    med_store *store = x->schema->store;
    if (!med_extract_member(x, node, MED_STR("system"), &system)
        || !med_extract_member(x, node, MED_STR("code"), &code))
        return false;
    *unit = 0;
    *converted = med_decimal_to_double(value);
    if (code.len == 0)
        return true;
    *unit = med_store_hash2(store, system, '|', code);
    if (med_str_eq(system, ucum_system) && med_ucum_parse(x->arena, code, &parsed, &ignored)
        && med_ucum_canonical(&parsed, value, &canonical)) {
        *unit = med_store_hash2(store, ucum_system, '=', parsed.canonical);
        *converted = med_decimal_to_double(&canonical);
    }
    return true;
}

static bool extract_plain(med_extraction *x, const med_extract_value *v)
{
    med_decimal value;
    uint64_t unit;
    double plain, converted;
    if (!member_decimal(x, v->at->node, MED_STR("value"), &value))
        return true;
    plain = med_decimal_to_double(&value);
    return unit_of(x, v->at->node, &unit, &value, &converted) && add(x, v, 0, plain, plain)
           && (unit == 0 || add(x, v, unit, converted, converted));
}

static bool extract_money(med_extraction *x, const med_extract_value *v)
{
    med_decimal value;
    med_str currency;
    if (!member_decimal(x, v->at->node, MED_STR("value"), &value))
        return true;
    double plain = med_decimal_to_double(&value);
    if (!med_extract_member(x, v->at->node, MED_STR("currency"), &currency))
        return false;
    uint64_t unit =
        med_store_hash2(x->schema->store, MED_STR("urn:iso:std:iso:4217"), '|', currency);
    return add(x, v, 0, plain, plain) && (currency.len == 0 || add(x, v, unit, plain, plain));
}

/* A Range: from low to high, open where one is missing; units of either end. */
static bool extract_range(med_extraction *x, const med_extract_value *v)
{
    uint32_t ends[2] = {med_json_member(x->j, v->at->node, MED_STR("low")),
                        med_json_member(x->j, v->at->node, MED_STR("high"))};
    double plain[2] = {-(double)INFINITY, (double)INFINITY},
           converted[2] = {-(double)INFINITY, (double)INFINITY};
    uint64_t unit = 0;
    bool any = false;
    for (size_t i = 0; i < 2; i++) {
        med_decimal value;
        if (ends[i] == 0 || med_json_kind_at(x->j, ends[i]) != MED_JSON_OBJECT
            || !member_decimal(x, ends[i], MED_STR("value"), &value))
            continue;
        plain[i] = med_decimal_to_double(&value);
        if (!unit_of(x, ends[i], &unit, &value, &converted[i]))
            return false;
        any = true;
    }
    return !any
           || (add(x, v, 0, plain[0], plain[1])
               && (unit == 0 || add(x, v, unit, converted[0], converted[1])));
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

static bool set_bounds(const med_decimal *d, const med_unit *unit, med_term *t)
{
    med_decimal low, high, value = *d, converted[3];
    if (!med_decimal_implicit_range(d, &low, &high))
        return false;
    if (unit != NULL) {
        if (!med_ucum_canonical(unit, &value, &converted[0])
            || !med_ucum_canonical(unit, &low, &converted[1])
            || !med_ucum_canonical(unit, &high, &converted[2]))
            return false;
        value = converted[0];
        low = converted[1];
        high = converted[2];
    }
    t->value = med_decimal_to_double(&value);
    t->low = med_decimal_to_double(&low);
    t->high = med_decimal_to_double(&high);
    return true;
}

static void widen(med_term *t)
{
    double tenth = fabs(t->value) / 10;
    t->low = fmin(t->low, t->value - tenth);
    t->high = fmax(t->high, t->value + tenth);
}

/* The unit of a query value: UCUM is made canonical; a unit without system is taken for UCUM
 * where it is that. */
static bool take_unit(const med_term_source *s, const med_decimal *d, med_term *t, med_err *err)
{
    med_unit unit;
    med_err ignored = {0};
    med_store *store = s->schema->store;
    bool ucum = t->system.len == 0 || med_str_eq(t->system, ucum_system);
    if (ucum && med_ucum_parse(s->arena, t->code, &unit, &ignored) && set_bounds(d, &unit, t)) {
        t->unit = med_store_hash2(store, ucum_system, '=', unit.canonical);
        return true;
    }
    t->unit = med_store_hash2(store, t->system, '|', t->code);
    return set_bounds(d, NULL, t) ? true
                                  : MED_FAIL(err, MED_ISSUE_VALUE,
                                             "the number has more digits than can be searched for");
}

bool med_term_quantity(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    t->prefix = med_prefix_cut(&value);
    size_t bar = med_find_bare(value, '|', 0);
    size_t second = bar < value.len ? med_find_bare(value, '|', bar + 1) : value.len;
    med_decimal d;
    if (!med_decimal_parse(med_str_sub(value, 0, bar), &d))
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected a number%s",
                        s->param->type == MED_PARAM_QUANTITY ? ", or number|system|code" : "");
    if (bar < value.len && (s->param->type != MED_PARAM_QUANTITY || second == value.len))
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected %s",
                        s->param->type == MED_PARAM_QUANTITY ? "number|system|code" : "a number");
    if (!med_unescape(s->arena, med_str_sub(value, bar + 1, second), &t->system)
        || !med_unescape(s->arena, med_str_skip(value, second + 1), &t->code))
        return MED_FAIL_MEMORY(err);
    bool ok = t->code.len > 0 ? take_unit(s, &d, t, err) : set_bounds(&d, NULL, t);
    if (!ok && err->issue == MED_ISSUE_NONE)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "the number has more digits than can be searched for");
    if (ok && t->prefix == MED_PREFIX_AP)
        widen(t);
    return ok;
}

/* A plain value has low == high. eq counts the digits given: 100 is [99.5, 100.5); the other
 * prefixes compare with the number itself. */
bool med_term_matches_quantity(const med_term *t, double low, double high)
{
    bool inside = low >= t->low && high <= t->high && (high < t->high || t->low >= t->high);
    switch (t->prefix) {
    case MED_PREFIX_EQ:
        return inside;
    case MED_PREFIX_NE:
        return !inside;
    case MED_PREFIX_GT:
        return high > t->value;
    case MED_PREFIX_LT:
        return low < t->value;
    case MED_PREFIX_GE:
        return high >= t->value;
    case MED_PREFIX_LE:
        return low <= t->value;
    case MED_PREFIX_SA:
        return low > t->value;
    case MED_PREFIX_EB:
        return high < t->value;
    case MED_PREFIX_AP:
        return low <= t->high && high >= t->low;
    }
    return false;
}
