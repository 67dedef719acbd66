/* quantity.c - https://hl7.org/fhir/R4/search.html#quantity
 *
 * Rows: one under unit 0 (the bare number), and one under the canonical UCUM unit with the
 * value converted, so that 5 g/L finds 500 mg/dL; where the unit is not UCUM, under system|code
 * as it stands. */
#include <math.h>

#include "base/decimal.h"
#include "model/ucum.h"
#include "search/extract.h"

static const med_str ucum_system = MED_LIT("http://unitsofmeasure.org");

static bool member_decimal(const med_extraction *x, uint32_t object, med_str key, med_decimal *out)
{
    uint32_t node = med_json_member(x->j, object, key);
    return node != 0 && med_json_kind_at(x->j, node) == MED_JSON_NUMBER
        && med_decimal_parse(med_json_raw(x->j, node), out);
}

static bool add(med_extraction *x, const med_extract_value *v, uint64_t unit, double low, double high)
{
    return med_rows_add_quantity(x, (med_quantity_row){v->number, unit, low, high});
}

/* The hash of a quantity's unit, and its value in that unit. Unit 0 when it has none. */
static bool unit_of(const med_extraction *x, uint32_t node, uint64_t *unit, const med_decimal *value,
                    double *converted)
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
    uint64_t unit = med_store_hash2(x->schema->store, MED_STR("urn:iso:std:iso:4217"), '|', currency);
    return add(x, v, 0, plain, plain) && (currency.len == 0 || add(x, v, unit, plain, plain));
}

/* A Range: from low to high, open where one is missing; units of either end. */
static bool extract_range(med_extraction *x, const med_extract_value *v)
{
    uint32_t ends[2] = {med_json_member(x->j, v->at->node, MED_STR("low")),
                        med_json_member(x->j, v->at->node, MED_STR("high"))};
    double plain[2] = {-INFINITY, INFINITY}, converted[2] = {-INFINITY, INFINITY};
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
    else if (v->at->type != MED_TYPE_NONE && med_type_is_a(x->schema->pack, v->at->type, known->quantity))
        ok = extract_plain(x, v);
    return ok ? true : MED_FAIL_MEMORY(err);
}
