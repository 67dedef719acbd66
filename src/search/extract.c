/* extract.c - the index rows of a resource. https://hl7.org/fhir/R4/search.html
 *
 * One walk gives all values of all parameters; each goes to the file of its parameter type.
 * Along the way: the patients whose compartment the resource is in, its clinically relevant
 * time, and every local reference. */
#include "search/extract.h"

#include "model/reference.h"

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
static uint64_t patient_of(const med_extraction *x, uint32_t node)
{
    med_str text;
    med_reference ref;
    med_err ignored = {0};
    const med_search_schema *s = x->schema;
    if (med_json_kind_at(x->j, node) != MED_JSON_OBJECT
        || !med_extract_member(x, node, MED_STR("reference"), &text) || text.len == 0
        || !med_reference_parse(s->pack, text, x->base, &ref, &ignored)
        || ref.kind != MED_REFERENCE_LOCAL || !med_str_eqz(ref.type, "Patient"))
        return 0;
    return med_store_ident(s->store, ref.type, ref.id);
}

static bool note_compartment(med_extraction *x, const med_walk_value *v)
{
    const med_search_schema *s = x->schema;
    if (!med_schema_bit(s->patient_params, s->words, x->type, v->param))
        return true;
    uint64_t ident = patient_of(x, v->node);
    return ident == 0 || med_rows_add_patient(x, ident);
}

static void note_time(med_extraction *x, const med_walk_value *v)
{
    med_interval span;
    if (x->schema->date_params[x->type] != v->param || !med_extract_interval(x, v, &span))
        return;
    int64_t when = span.low != MED_TIME_MIN ? span.low : span.high;
    if (when != MED_TIME_MAX && when > x->rows.when)
        x->rows.when = when;
}

static bool take_value(void *arg, const med_walk_value *at, med_err *err)
{
    med_extraction *x = arg;
    const med_search_schema *s = x->schema;
    if (!note_compartment(x, at))
        return MED_FAIL_MEMORY(err);
    note_time(x, at);
    if (med_schema_bit(s->aliased, s->words, x->type, at->param))
        return true;
    med_param p;
    med_pack_param(s->pack, at->param, &p);
    med_extract_value v = {at, med_schema_param(s, x->type, at->param), 0};
    if (p.type == MED_PARAM_TOKEN)
        v.places = med_schema_token_places(s, x->type, at->param);
    return extract_by_type(x, p.type, &v, err);
}

static bool take_target(void *arg, uint32_t reference, uint32_t property, med_err *err)
{
    med_extraction *x = arg;
    const med_search_schema *s = x->schema;
    med_str text;
    med_reference ref;
    med_err ignored = {0};
    if (!med_json_string(x->arena, x->j, property, &text))
        return MED_FAIL_MEMORY(err);
    if (!med_reference_parse(s->pack, text, x->base, &ref, &ignored)
        || ref.kind != MED_REFERENCE_LOCAL)
        return true;
    med_target_row row = {
        .type = med_schema_type(s, med_pack_type(s->pack, ref.type)),
        .id = ref.id,
        .ident = med_store_ident(s->store, ref.type, ref.id),
    };
    if (!med_node_expression(x->arena, s->pack, x->j, x->root, reference, &row.expression)
        || !med_rows_add_target(x, row))
        return MED_FAIL_MEMORY(err);
    return true;
}

static bool extract(med_extraction *x, med_str id, med_rows *out, med_err *err)
{
    const med_search_schema *s = x->schema;
    x->rows.when = MED_TIME_MIN;
    if (x->type == s->known.patient
        && !med_rows_add_patient(x, med_store_ident(s->store, med_type_name(s->pack, x->type), id)))
        return MED_FAIL_MEMORY(err);
    if (!med_walk(s->pack, x->j, x->root, x->type, take_value, x, err)
        || !med_walk_references(s->pack, x->j, x->root, x->type, take_target, x, err))
        return false;
    *out = x->rows;
    return true;
}

bool med_extract(const med_search_schema *s, med_arena *a, const med_json *j, uint32_t root,
                 med_type type, med_str id, med_str base, med_rows *out, med_err *err)
{
    med_extraction x = {.schema = s, .arena = a, .j = j, .root = root, .type = type, .base = base};
    return extract(&x, id, out, err);
}

bool med_extract_whole(const med_search_schema *s, med_arena *a, const med_json *j, uint32_t root,
                       med_type type, med_str id, med_str base, bool raw, med_rows *out,
                       med_err *err)
{
    med_extraction x = {.schema = s,
                        .arena = a,
                        .j = j,
                        .root = root,
                        .type = type,
                        .base = base,
                        .whole = true,
                        .raw = raw};
    return extract(&x, id, out, err);
}
