/* fhirpath_values.c - https://github.com/brianpos/fhirpath-lab/blob/master/server-api.md */
#include "fhir/fhirpath_values.h"

static const char json_value[] = "http://fhir.forms-lab.com/StructureDefinition/json-value";

static med_type parameter_type(const med_pack *p)
{
    med_property property;
    med_type parameters = med_pack_type(p, MED_STR("Parameters"));
    return parameters != MED_TYPE_NONE
                   && med_type_property(p, parameters, MED_STR("parameter"), &property)
               ? property.type
               : MED_TYPE_NONE;
}

/* ---- writing ---- */

static void write_json_extension(med_json_writer *w, med_values one)
{
    med_buf text;
    med_buf_init(&text, w->out->limit);
    med_values_print(&text, one);
    med_json_key(w, MED_STR("extension"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_pair(w, "url", med_str_from(json_value));
    med_json_pair(w, "valueString", med_str_sub(med_buf_str(&text), 0, text.len - (text.len > 0)));
    med_json_close(w, '}');
    med_json_close(w, ']');
    w->out->failed = w->out->failed || text.failed;
    med_buf_free(&text);
}

/* "valueHumanName" if a part may hold that type; empty otherwise. */
static med_str value_key(med_arena *a, const med_pack *p, med_str type)
{
    med_property property;
    if (type.len == 0 || !med_is_lower(type.ptr[0]))
        type = med_arena_printf(a, "value%.*s", MED_STR_ARG(type));
    else
        type = med_arena_printf(a, "value%c%.*s", type.ptr[0] - 'a' + 'A',
                                MED_STR_ARG(med_str_skip(type, 1)));
    return type.len > 0 && med_type_property(p, parameter_type(p), type, &property) ? type
                                                                                    : MED_STR_EMPTY;
}

static void write_node(med_json_writer *w, med_arena *a, const med_pack *p, const med_value *v)
{
    med_str type = v->type == MED_TYPE_NONE ? MED_STR("any") : med_type_name(p, v->type);
    if (v->type != MED_TYPE_NONE && med_type_primitive(p, v->type) == MED_PRIMITIVE_FHIRPATH_STRING)
        type = MED_STR("string");
    if (v->type != MED_TYPE_NONE && med_type_kind_of(p, v->type) == MED_TYPE_RESOURCE) {
        med_json_pair(w, "name", type);
        med_json_key(w, MED_STR("resource"));
        med_json_value(w, v->json, v->node);
        return;
    }
    med_str key =
        v->type == MED_TYPE_NONE || v->json == NULL ? MED_STR_EMPTY : value_key(a, p, type);
    if (key.len == 0) {
        write_json_extension(w, (med_values){v, 1});
        med_json_pair(w, "name", type);
        return;
    }
    med_json_pair(w, "name", type);
    if (v->node != 0 || v->extension == 0) {
        med_json_key(w, key);
        med_json_value(w, v->json, v->node);
    }
    if (v->extension != 0) {
        med_json_key(w, med_arena_printf(a, "_%.*s", MED_STR_ARG(key)));
        med_json_value(w, v->json, v->extension);
    }
}

static bool is_calendar_unit(med_str unit)
{
    static const char *const units[] = {"year", "month",  "week",   "day",
                                        "hour", "minute", "second", "millisecond"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (med_str_eqz(med_str_sub(unit, 0, strlen(units[i])), units[i]))
            return true;
    return false;
}

static void write_quantity(med_json_writer *w, const med_value *v)
{
    bool calendar = is_calendar_unit(v->unit);
    med_json_key(w, MED_STR("valueQuantity"));
    med_json_open(w, '{');
    med_json_key(w, MED_STR("value"));
    med_json_raw_value(w, v->text);
    med_json_pair(w, "unit", v->unit);
    if (!calendar) {
        med_json_pair(w, "system", MED_STR("http://unitsofmeasure.org"));
        med_json_pair(w, "code", v->unit);
    }
    med_json_close(w, '}');
}

/* A dateTime of FHIR has minutes, seconds and a zone, or no time at all. */
static bool is_fhir_date(const med_value *v)
{
    size_t time = med_str_find(v->text, 'T', 0);
    if (v->kind == MED_VALUE_TIME)
        return v->text.len >= sizeof "00:00:00" - 1;
    if (v->kind == MED_VALUE_DATE || time == v->text.len)
        return true;
    med_str rest = med_str_skip(v->text, time + 1);
    return rest.len > sizeof "00:00:00" - 1 && rest.ptr[2] == ':' && rest.ptr[5] == ':'
           && (rest.ptr[rest.len - 1] == 'Z' || rest.ptr[rest.len - 3] == ':')
           && (med_str_find(rest, '+', 0) < rest.len || med_str_find(rest, '-', 0) < rest.len
               || rest.ptr[rest.len - 1] == 'Z');
}

static void write_date(med_json_writer *w, const med_value *v)
{
    static const char *const names[] = {
        [MED_VALUE_DATE] = "date", [MED_VALUE_DATETIME] = "dateTime", [MED_VALUE_TIME] = "time"};
    static const char *const keys[] = {[MED_VALUE_DATE] = "valueDate",
                                       [MED_VALUE_DATETIME] = "valueDateTime",
                                       [MED_VALUE_TIME] = "valueTime"};
    bool plain = is_fhir_date(v);
    if (!plain)
        write_json_extension(w, (med_values){v, 1});
    med_json_pair(w, "name", med_str_from(names[v->kind]));
    if (plain)
        med_json_pair(w, keys[v->kind], v->text);
}

static void write_integer(med_json_writer *w, int64_t n)
{
    bool fits = n >= INT32_MIN && n <= INT32_MAX; /* an integer of FHIR has 32 bits */
    med_json_pair(w, "name", fits ? MED_STR("integer") : MED_STR("decimal"));
    med_json_key(w, fits ? MED_STR("valueInteger") : MED_STR("valueDecimal"));
    med_json_int(w, n);
}

static void write_part(med_json_writer *w, med_arena *a, const med_pack *p, const med_value *v)
{
    switch (v->kind) {
    case MED_VALUE_NODE:
        write_node(w, a, p, v);
        return;
    case MED_VALUE_BOOLEAN:
        med_json_pair(w, "name", MED_STR("boolean"));
        med_json_key(w, MED_STR("valueBoolean"));
        med_json_bool(w, v->integer != 0);
        return;
    case MED_VALUE_INTEGER:
        write_integer(w, v->integer);
        return;
    case MED_VALUE_DECIMAL:
        med_json_pair(w, "name", MED_STR("decimal"));
        med_json_key(w, MED_STR("valueDecimal"));
        med_json_raw_value(w, v->text);
        return;
    case MED_VALUE_STRING:
        /* FHIR has no empty strings */
        med_json_pair(w, "name", v->text.len > 0 ? MED_STR("string") : MED_STR("empty-string"));
        med_json_pair(w, "valueString", v->text);
        return;
    case MED_VALUE_DATE:
    case MED_VALUE_DATETIME:
    case MED_VALUE_TIME:
        write_date(w, v);
        return;
    case MED_VALUE_QUANTITY:
        med_json_pair(w, "name", MED_STR("Quantity"));
        write_quantity(w, v);
        return;
    case MED_VALUE_TYPE:
        med_json_pair(w, "name", MED_STR("TypeInfo"));
        med_json_pair(w, "valueString",
                      med_arena_printf(a, "%.*s.%.*s", MED_STR_ARG(v->unit), MED_STR_ARG(v->text)));
        return;
    }
}

void med_fhirpath_write_parts(med_json_writer *w, med_arena *a, const med_pack *p, med_values v)
{
    for (size_t i = 0; i < v.n; i++) {
        med_json_open(w, '{');
        write_part(w, a, p, &v.at[i]);
        med_json_close(w, '}');
    }
}

/* ---- reading ---- */

static uint32_t partner(med_arena *a, const med_json *j, uint32_t part, med_str key)
{
    med_str name = med_arena_printf(a, "_%.*s", MED_STR_ARG(key));
    return name.len == 0 ? 0 : med_json_member(j, part, name);
}

bool med_fhirpath_part_value(med_arena *a, const med_pack *p, const med_json *j, uint32_t part,
                             med_values *out, med_err *err)
{
    med_value *v = MED_TAKE(a, 1, med_value);
    med_type type = parameter_type(p);
    *out = (med_values){v, 0};
    if (v == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t k = part + 1; k < j->nodes[part].next; k = j->nodes[k + 1].next) {
        med_property property;
        med_str key = med_json_raw(j, k);
        bool resource = med_str_eqz(key, "resource");
        if (!resource && !med_str_starts(key, MED_STR("value")))
            continue;
        if (resource && !med_value_of_resource(p, j, k + 1, v, err))
            return false;
        if (!resource && !med_type_property(p, type, key, &property))
            return MED_FAIL(err, MED_ISSUE_STRUCTURE, "a parameter has no such value[x]");
        if (!resource)
            *v = (med_value){.kind = MED_VALUE_NODE,
                             .type = property.type,
                             .node = k + 1,
                             .extension = property.primitive == MED_PRIMITIVE_NONE
                                              ? 0
                                              : partner(a, j, part, key),
                             .json = j,
                             .text = MED_STR_EMPTY,
                             .unit = MED_STR_EMPTY};
        out->n = 1;
        return true;
    }
    return true;
}
