/* extract.c - the index rows of a resource. https://hl7.org/fhir/R4/search.html
 *
 * One walk gives all values of all parameters; each goes to the file of its parameter type.
 * Along the way: the patients whose compartment the resource is in, its clinically relevant
 * time, and every local reference. */
#include "search/extract.h"

#include "model/reference.h"
#include "search/hub.h"
#include "search/pair.h"

bool med_extract_member(const med_extraction *x, uint32_t object, med_str key, med_str *out)
{
    *out = MED_STR_EMPTY;
    uint32_t node = med_json_member(x->j, object, key);
    if (node == 0 || med_json_kind_at(x->j, node) != MED_JSON_STRING)
        return true;
    return med_json_string(x->arena, x->j, node, out);
}

static bool extract_by_type(med_extraction *x, enum med_param_type type, const med_extract_value *v,
                            med_err *err)
{
    switch (type) {
    case MED_PARAM_TOKEN:
        return med_extract_token(x, v, err);
    case MED_PARAM_STRING:
        return med_extract_string(x, v, err);
    case MED_PARAM_REFERENCE:
        return med_extract_reference(x, v, err);
    case MED_PARAM_DATE:
        return med_extract_date(x, v, err);
    case MED_PARAM_NUMBER:
        return med_extract_number(x, v, err);
    case MED_PARAM_QUANTITY:
        return med_extract_quantity(x, v, err);
    case MED_PARAM_URI:
        return med_extract_uri(x, v, err);
    case MED_PARAM_COMPOSITE: /* verified on the resource, not stored */
    case MED_PARAM_SPECIAL:
        break;
    }
    return true;
}

/* The ident hash of the Patient a reference node names; 0 if it names none. */
static uint64_t patient_of(med_extraction *x, uint32_t node)
{
    med_str text;
    if (med_json_kind_at(x->j, node) != MED_JSON_OBJECT
        || !med_extract_member(x, node, MED_STR("reference"), &text) || text.len == 0)
        return 0;
    const med_resolved *ref = med_extract_resolve(x, text);
    bool is = ref->valid && ref->kind == MED_REFERENCE_LOCAL && med_str_eqz(ref->type, "Patient");
    return is ? ref->ident : 0;
}

static bool note_patient(med_extraction *x, const med_walk_value *v)
{
    uint64_t ident = patient_of(x, v->node);
    return ident == 0 || med_rows_add_patient(x, ident);
}

/* Where a period has no start it began before all others. */
static void note_time(med_extraction *x, const med_walk_value *v)
{
    med_interval span;
    if (x->schema->date_params[x->type] != v->param || !med_extract_interval(x, v, &span))
        return;
    int64_t when = span.low != MED_TIME_MIN ? span.low : MED_TIME_MIN + 1;
    if (when > x->rows.when)
        x->rows.when = when;
}

static bool is_wanted(const med_extraction *x, uint32_t row)
{
    return x->wanted == NULL || ((x->wanted[row / 64] >> (row % 64)) & 1) != 0;
}

static bool take_value(void *arg, const med_walk_value *at, med_err *err)
{
    med_extraction *x = arg;
    const med_param_info *info = med_schema_info(x->schema, x->type, at->param);
    if (!x->whole)
        note_time(x, at);
    else if (!is_wanted(x, at->param))
        return true;
    bool patients = x->whole ? info->type == MED_PARAM_REFERENCE : info->compartment;
    if (patients && !note_patient(x, at))
        return MED_FAIL_MEMORY(err);
    bool united =
        info->also[0] != 0; /* its rows are those of others, but a query is decided on it */
    if (info->pairs && !united && !x->whole)
        return med_extract_pairs(x, at, err);
    if (!info->stored && !(united && x->whole))
        return true;
    med_extract_value v = {at, info->number, info->places};
    return extract_by_type(x, (enum med_param_type)info->type, &v, err);
}

bool med_extract_one(med_extraction *x, enum med_param_type type, uint32_t number,
                     const med_walk_value *value, med_err *err)
{
    med_extract_value v = {value, number, MED_ROW_GLOBAL};
    return extract_by_type(x, type, &v, err);
}

/* ---- parameters that are no path ---- */

static bool take_result(med_extraction *x, uint32_t row, const med_value *value, med_err *err)
{
    const med_param_info *info = med_schema_info(x->schema, x->type, row);
    med_walk_value at = {row, value->node, value->extension, value->type};
    med_extract_value v = {&at, info->number, info->places};
    med_str text = value->text;
    if (value->kind == MED_VALUE_NODE)
        return value->node == 0 || extract_by_type(x, (enum med_param_type)info->type, &v, err);
    if (value->kind == MED_VALUE_BOOLEAN)
        text = value->integer != 0 ? MED_STR("true") : MED_STR("false");
    if (info->type != MED_PARAM_TOKEN || text.len == 0)
        return true;
    return med_extract_token_text(x, &v, text) ? true : MED_FAIL_MEMORY(err);
}

/* What a reference says of itself is believed, as it is on the walk (model/walk.h). */
static bool believe(void *arg, med_arena *a, med_str reference, med_value *out)
{
    med_json j;
    med_err ignored = {0};
    med_extraction *x = arg;
    const med_resolved *ref = med_extract_resolve(x, reference);
    if (!ref->valid || ref->type.len == 0)
        return false;
    med_str text = med_arena_printf(a, "{\"resourceType\":\"%.*s\"}", MED_STR_ARG(ref->type));
    med_json *kept = MED_TAKE(a, 1, med_json);
    if (kept == NULL || !med_json_parse(a, text, &j, NULL, &ignored))
        return false;
    *kept = j;
    return med_value_of_resource(x->schema->pack, kept, 0, out, &ignored);
}

static bool run_program(med_extraction *x, uint32_t row, med_err *err)
{
    med_value resource;
    med_values values;
    med_fhirpath_env env = {0};
    const med_pack *pack = x->schema->pack;
    if (row >= x->schema->first_added) {
        env.resolve = believe;
        env.arg = x;
    }
    if (!med_value_of_resource(pack, x->j, x->root, &resource, err)
        || !med_fhirpath_run(x->arena, pack, x->schema->programs[row], &env, &resource, &resource,
                             &values, err))
        return false;
    for (size_t i = 0; i < values.n; i++) {
        if (!take_result(x, row, &values.at[i], err))
            return false;
    }
    return true;
}

static bool extract_rest(med_extraction *x, med_err *err)
{
    size_t n;
    const uint32_t *rows = med_walk_rest(x->schema->pack, x->type, &n);
    for (size_t i = 0; i < n; i++) {
        if (x->schema->programs[rows[i]] != NULL && is_wanted(x, rows[i])
            && !run_program(x, rows[i], err))
            return false;
    }
    return true;
}

/* ---- references ---- */

static bool take_target(void *arg, const med_reference_walk *at, uint32_t reference,
                        uint32_t property, med_err *err)
{
    med_extraction *x = arg;
    const med_search_schema *s = x->schema;
    med_str text;
    if (!med_json_string(x->arena, x->j, property, &text))
        return MED_FAIL_MEMORY(err);
    const med_resolved *ref = med_extract_resolve(x, text);
    if (!ref->valid || ref->kind != MED_REFERENCE_LOCAL)
        return true;
    med_target_row row = {
        .type = med_schema_type(s, med_pack_type(s->pack, ref->type)),
        .id = ref->id,
        .ident = ref->ident,
    };
    (void)reference;
    if (!med_reference_walk_expression(at, x->arena, &row.expression)
        || !med_rows_add_target(x, row))
        return MED_FAIL_MEMORY(err);
    return true;
}

/* A document is whole in itself: what stands in it are copies, which name each other. */
static bool is_document(const med_extraction *x)
{
    uint32_t type = med_str_eqz(med_type_name(x->schema->pack, x->type), "Bundle")
                        ? med_json_member(x->j, x->root, MED_STR("type"))
                        : 0;
    return type != 0 && med_json_kind_at(x->j, type) == MED_JSON_STRING
           && med_json_string_is(x->j, type, MED_STR("document"));
}

/* What must exist for this resource to be stored. */
static bool extract_targets(med_extraction *x, med_err *err)
{
    return is_document(x)
           || med_walk_references(x->schema->pack, x->j, x->root, x->type, take_target, x, err);
}

static bool extract_values(med_extraction *x, med_err *err)
{
    x->rows.when = MED_TIME_MIN;
    return med_walk(x->schema->pack, x->j, x->root, x->type, take_value, x, err)
           && extract_rest(x, err);
}

bool med_extract(const med_search_schema *s, med_arena *a, const med_json *j, uint32_t root,
                 med_type type, med_str id, med_str base, med_rows *out, med_err *err)
{
    med_extraction x = {.schema = s, .arena = a, .j = j, .root = root, .type = type, .base = base};
    if (type == s->known.patient
        && !med_rows_add_patient(&x, med_store_ident(s->store, MED_STR("Patient"), id)))
        return MED_FAIL_MEMORY(err);
    if (!extract_values(&x, err) || !extract_targets(&x, err))
        return false;
    if (!med_extract_hubs(&x))
        return MED_FAIL_MEMORY(err);
    *out = x.rows;
    return true;
}

bool med_extract_whole(const med_search_schema *s, med_arena *a, const med_json *j, uint32_t root,
                       med_type type, med_str base, const uint64_t *wanted, bool raw, med_rows *out,
                       med_err *err)
{
    med_extraction x = {.schema = s,
                        .arena = a,
                        .j = j,
                        .root = root,
                        .type = type,
                        .base = base,
                        .wanted = wanted,
                        .whole = true,
                        .raw = raw};
    if (!extract_values(&x, err))
        return false;
    *out = x.rows;
    return true;
}

/* ---- med_verify.extract ---- */

bool med_search_extract_for_verify(void *arg, med_arena *a, uint32_t type, med_str id, med_str text,
                                   med_rows *out, med_err *err)
{
    const med_search_verify *v = arg;
    med_json j;
    med_type t = med_schema_pack_type(v->schema, type);
    if (t == MED_TYPE_NONE)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a resource of a type the definitions lack");
    return med_json_parse(a, text, &j, NULL, err)
           && med_extract(v->schema, a, &j, 0, t, id, v->base, out, err);
}
