/* values.c - System values, made or read from nodes. https://hl7.org/fhir/R4/fhirpath.html#types */
#include "model/fhirpath/values.h"

med_value med_fp_string(med_str text)
{
    return (med_value){
        .kind = MED_VALUE_STRING, .type = MED_TYPE_NONE, .text = text, .unit = MED_STR_EMPTY};
}

med_value med_fp_integer(int64_t n)
{
    return (med_value){.kind = MED_VALUE_INTEGER,
                       .type = MED_TYPE_NONE,
                       .text = MED_STR_EMPTY,
                       .unit = MED_STR_EMPTY,
                       .integer = n};
}

med_value med_fp_boolean(bool value)
{
    med_value v = med_fp_integer(value);
    v.kind = MED_VALUE_BOOLEAN;
    return v;
}

bool med_fp_decimal(med_fp_run *r, const med_decimal *d, med_value *out)
{
    char text[MED_DECIMAL_TEXT];
    size_t n = med_decimal_format(d, text);
    *out = med_fp_string(MED_STR_EMPTY);
    out->kind = MED_VALUE_DECIMAL;
    return med_arena_copy(r->a, (med_str){text, n}, &out->text) || MED_FAIL_MEMORY(r->err);
}

bool med_fp_date(med_fp_run *r, const struct med_fp_date *d, med_value *out)
{
    char text[MED_FP_DATE_TEXT];
    size_t n = med_fp_date_format(d, text);
    *out = med_fp_string(MED_STR_EMPTY);
    out->kind = d->kind;
    return med_arena_copy(r->a, (med_str){text, n}, &out->text) || MED_FAIL_MEMORY(r->err);
}

static med_type resource_type(const med_pack *p, const med_json *j, uint32_t node)
{
    if (med_json_kind_at(j, node) != MED_JSON_OBJECT)
        return MED_TYPE_NONE;
    uint32_t name = med_json_member(j, node, MED_STR("resourceType"));
    if (name == 0 || med_json_kind_at(j, name) != MED_JSON_STRING)
        return MED_TYPE_NONE;
    return med_pack_type(p, med_json_raw(j, name));
}

med_value med_fp_node(const med_pack *p, const med_json *j, uint32_t node, uint32_t extension,
                      med_type type)
{
    if (type == MED_TYPE_NONE || med_type_kind_of(p, type) == MED_TYPE_RESOURCE) {
        med_type concrete = node == 0 && extension != 0 ? MED_TYPE_NONE : resource_type(p, j, node);
        if (concrete != MED_TYPE_NONE)
            type = concrete;
    }
    return (med_value){.kind = MED_VALUE_NODE,
                       .type = type,
                       .node = node,
                       .extension = extension,
                       .json = j,
                       .text = MED_STR_EMPTY,
                       .unit = MED_STR_EMPTY};
}

bool med_value_of_resource(const med_pack *p, const med_json *j, uint32_t node, med_value *out,
                           med_err *err)
{
    if (med_json_kind_at(j, node) != MED_JSON_OBJECT)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE, "a resource must be a JSON object");
    if (resource_type(p, j, node) == MED_TYPE_NONE)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE,
                        "the object has no resourceType that names a known type");
    *out = med_fp_node(p, j, node, 0, MED_TYPE_NONE);
    return true;
}

static bool has_scalar(const med_value *v)
{
    if (v->kind != MED_VALUE_NODE || v->json == NULL || med_fp_is_absent(v))
        return false;
    enum med_json_kind kind = med_json_kind_at(v->json, v->node);
    return kind != MED_JSON_OBJECT && kind != MED_JSON_ARRAY && kind != MED_JSON_NULL;
}

bool med_fp_fill_text(med_fp_run *r, med_value *v)
{
    if (!has_scalar(v) || v->text.len > 0)
        return true;
    if (med_json_kind_at(v->json, v->node) != MED_JSON_STRING) {
        v->text = med_json_raw(v->json, v->node);
        return true;
    }
    return med_json_string(r->a, v->json, v->node, &v->text) || MED_FAIL_MEMORY(r->err);
}

static enum med_value_kind kind_of_string(enum med_primitive primitive)
{
    if (primitive == MED_PRIMITIVE_DATE)
        return MED_VALUE_DATE;
    if (primitive == MED_PRIMITIVE_DATETIME || primitive == MED_PRIMITIVE_INSTANT)
        return MED_VALUE_DATETIME;
    return primitive == MED_PRIMITIVE_TIME ? MED_VALUE_TIME : MED_VALUE_STRING;
}

static void number_of(const med_value *v, enum med_primitive primitive, med_value *out)
{
    med_str text = med_json_raw(v->json, v->node);
    *out = med_fp_string(text);
    out->kind = MED_VALUE_DECIMAL;
    if (primitive != MED_PRIMITIVE_DECIMAL && med_str_to_int64(text, &out->integer))
        out->kind = MED_VALUE_INTEGER;
}

bool med_fp_system(med_fp_run *r, const med_value *v, med_value *out)
{
    *out = *v;
    if (!has_scalar(v))
        return true;
    enum med_primitive primitive =
        v->type == MED_TYPE_NONE ? MED_PRIMITIVE_NONE : med_type_primitive(r->p, v->type);
    switch (med_json_kind_at(v->json, v->node)) {
    case MED_JSON_TRUE:
    case MED_JSON_FALSE:
        *out = med_fp_boolean(med_json_kind_at(v->json, v->node) == MED_JSON_TRUE);
        return true;
    case MED_JSON_NUMBER:
        number_of(v, primitive, out);
        return true;
    case MED_JSON_STRING:
        if (!med_fp_fill_text(r, out))
            return false;
        out->kind = kind_of_string(primitive);
        out->type = MED_TYPE_NONE;
        return true;
    case MED_JSON_NULL:
    case MED_JSON_ARRAY:
    case MED_JSON_OBJECT:
        break;
    }
    return true;
}

bool med_fp_number(const med_value *v, med_decimal *out)
{
    if (v->kind == MED_VALUE_INTEGER) {
        *out = med_decimal_from_int(v->integer);
        return true;
    }
    return v->kind == MED_VALUE_DECIMAL && med_decimal_parse(v->text, out);
}

uint32_t med_fp_member(const med_value *v, const char *name)
{
    if (v->kind != MED_VALUE_NODE || v->json == NULL)
        return 0;
    uint32_t object = v->extension != 0 ? v->extension : v->node;
    if (med_json_kind_at(v->json, object) != MED_JSON_OBJECT)
        return 0;
    return med_json_member(v->json, object, med_str_from(name));
}

bool med_fp_is_quantity_node(const med_fp_run *r, const med_value *v)
{
    return v->kind == MED_VALUE_NODE && v->type != MED_TYPE_NONE && !has_scalar(v)
           && med_type_is_a(r->p, v->type, med_pack_type(r->p, MED_STR("Quantity")));
}

static bool text_of_member(med_fp_run *r, const med_value *v, const char *name, med_str *out)
{
    uint32_t node = med_fp_member(v, name);
    *out = MED_STR_EMPTY;
    if (node == 0 || med_json_kind_at(v->json, node) != MED_JSON_STRING)
        return true;
    return med_json_string(r->a, v->json, node, out) || MED_FAIL_MEMORY(r->err);
}

/* A FHIR quantity keeps its type: its unit 'a' may then stand for a calendar year, too. */
static bool quantity_of_node(med_fp_run *r, const med_value *v, bool any_unit, bool *good,
                             med_value *out)
{
    med_str code;
    med_str system;
    med_str unit;
    uint32_t value = med_fp_member(v, "value");
    if (value == 0 || med_json_kind_at(v->json, value) != MED_JSON_NUMBER)
        return true;
    if (!text_of_member(r, v, "code", &code) || !text_of_member(r, v, "system", &system)
        || !text_of_member(r, v, "unit", &unit))
        return false;
    *out = med_fp_string(med_json_raw(v->json, value));
    out->kind = MED_VALUE_QUANTITY;
    out->type = v->type;
    bool ucum = med_str_eqz(system, "http://unitsofmeasure.org") && code.len > 0;
    *good = ucum || any_unit || (code.len == 0 && unit.len == 0);
    if (ucum)
        out->unit = code;
    else if (code.len > 0)
        out->unit = med_arena_printf(r->a, "%.*s|%.*s", MED_STR_ARG(system), MED_STR_ARG(code));
    else
        out->unit = unit.len > 0 ? unit : MED_STR("1");
    return out->unit.len > 0 || MED_FAIL_MEMORY(r->err);
}

bool med_fp_any_quantity(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    const med_value from = *v; /* out may be the same */
    *good = v->kind == MED_VALUE_QUANTITY;
    *out = from;
    if (!med_fp_is_quantity_node(r, &from) || med_fp_member(&from, "comparator") != 0)
        return true;
    return quantity_of_node(r, &from, true, good, out);
}

bool med_fp_quantity(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    const med_value from = *v;
    *good = v->kind == MED_VALUE_QUANTITY;
    *out = from;
    if (!med_fp_is_quantity_node(r, &from))
        return true;
    if (med_fp_member(&from, "comparator") != 0)
        return med_fp_fail(r, MED_ISSUE_PROCESSING, "a quantity with a comparator is no number");
    return quantity_of_node(r, &from, false, good, out);
}

static bool is_calendar(med_str unit)
{
    static const char *const units[] = {"year", "month",  "week",   "day",
                                        "hour", "minute", "second", "millisecond"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        med_str word = med_str_from(units[i]);
        if (med_str_eq(unit, word)
            || (unit.len == word.len + 1 && med_str_starts(unit, word)
                && med_str_ends(unit, MED_STR("s"))))
            return true;
    }
    return false;
}

bool med_fp_text(med_fp_run *r, const med_value *v, bool *good, med_str *out)
{
    *good = true;
    switch (v->kind) {
    case MED_VALUE_BOOLEAN:
        *out = v->integer != 0 ? MED_STR("true") : MED_STR("false");
        return true;
    case MED_VALUE_INTEGER:
        *out = med_arena_printf(r->a, "%lld", (long long)v->integer);
        return out->len > 0 || MED_FAIL_MEMORY(r->err);
    case MED_VALUE_DECIMAL:
    case MED_VALUE_STRING:
    case MED_VALUE_DATE:
    case MED_VALUE_DATETIME:
    case MED_VALUE_TIME:
        *out = v->text;
        return true;
    case MED_VALUE_QUANTITY:
        *out = med_arena_printf(r->a, is_calendar(v->unit) ? "%.*s %.*s" : "%.*s '%.*s'",
                                MED_STR_ARG(v->text), MED_STR_ARG(v->unit));
        return out->len > 0 || MED_FAIL_MEMORY(r->err);
    case MED_VALUE_TYPE:
        *out = med_arena_printf(r->a, "%.*s.%.*s", MED_STR_ARG(v->unit), MED_STR_ARG(v->text));
        return out->len > 0 || MED_FAIL_MEMORY(r->err);
    case MED_VALUE_NODE:
        break;
    }
    *good = false;
    return true;
}

bool med_fp_number_or_quantity(med_fp_run *r, const med_value *v, bool *good, med_value *out)
{
    if (v->kind != MED_VALUE_INTEGER && v->kind != MED_VALUE_DECIMAL)
        return med_fp_quantity(r, v, good, out);
    const med_value from = *v; /* out may be the same */
    *out = from;
    out->kind = MED_VALUE_QUANTITY;
    out->unit = MED_STR("1");
    return med_fp_text(r, &from, good, &out->text);
}
