/* reference.c - https://hl7.org/fhir/R4/search.html#reference
 *
 * Rows: the ident hash of what is named: "Type/id" when it is ours, else the URL; a canonical
 * has two, with and without its version. Reference.identifier has token rows. What names nothing
 * outside of the resource has none; that there is a reference is known from the resource then. */
#include "model/reference.h"

#include "search/extract.h"
#include "search/query.h"

static bool add(med_extraction *x, const med_extract_value *v, uint64_t target)
{
    return med_rows_add_reference(x, (med_reference_row){v->number, target});
}

static bool add_canonical(med_extraction *x, const med_extract_value *v, med_str text)
{
    med_store *store = x->schema->store;
    med_str version, url = med_str_cut(text, '|', &version);
    return add(x, v, med_store_hash(store, text))
           && (url.len == text.len || add(x, v, med_store_hash(store, url)));
}

const med_resolved *med_extract_resolve(med_extraction *x, med_str text)
{
    med_reference ref;
    med_err ignored = {0};
    med_resolved *r = &x->resolved[((uintptr_t)text.ptr >> 5) % MED_RESOLVED];
    if (r->at == text.ptr && r->len == text.len)
        return r;
    *r = (med_resolved){.at = text.ptr, .len = text.len};
    r->valid = med_reference_parse(x->schema->pack, text, x->base, &ref, &ignored);
    if (!r->valid)
        return r;
    r->kind = (uint8_t)ref.kind;
    r->type = ref.type;
    r->id = ref.id;
    if (ref.kind == MED_REFERENCE_LOCAL) {
        r->ident = med_store_ident(x->schema->store, ref.type, ref.id);
        r->hub = med_schema_is_hub(x->schema, med_pack_type(x->schema->pack, ref.type));
    }
    return r;
}

static bool add_text(med_extraction *x, const med_extract_value *v, med_str text)
{
    const med_resolved *ref = med_extract_resolve(x, text);
    if (!ref->valid)
        return true;
    switch ((enum med_reference_kind)ref->kind) {
    case MED_REFERENCE_LOCAL:
        return add(x, v, ref->ident) && (!ref->hub || med_rows_add_hub(x, ref->ident));
    case MED_REFERENCE_ABSOLUTE:
    case MED_REFERENCE_URN:
    case MED_REFERENCE_OTHER:
        return add_canonical(x, v, text);
    case MED_REFERENCE_FRAGMENT:
    case MED_REFERENCE_CONDITIONAL:
        break;
    }
    return true;
}

/* Reference.identifier: what :identifier asks for. */
static bool add_identifier(med_extraction *x, const med_extract_value *v)
{
    uint32_t node = med_json_member(x->j, v->at->node, MED_STR("identifier"));
    if (node == 0 || med_json_kind_at(x->j, node) != MED_JSON_OBJECT)
        return true;
    med_str system, value;
    med_store *store = x->schema->store;
    if (!med_extract_member(x, node, MED_STR("system"), &system)
        || !med_extract_member(x, node, MED_STR("value"), &value))
        return false;
    if (value.len == 0)
        return true;
    uint64_t full = med_store_hash2(store, system, '|', value);
    uint64_t bare = med_store_hash(store, value);
    return med_rows_add_token(x, (med_token_row){v->number, MED_ROW_GLOBAL, full})
           && med_rows_add_token(x, (med_token_row){v->number, MED_ROW_GLOBAL, bare});
}

bool med_extract_reference(med_extraction *x, const med_extract_value *v, med_err *err)
{
    enum med_json_kind kind = med_json_kind_at(x->j, v->at->node);
    med_str text = MED_STR_EMPTY;
    bool ok = true;
    if (kind == MED_JSON_STRING)
        ok = med_json_string(x->arena, x->j, v->at->node, &text);
    else if (kind == MED_JSON_OBJECT)
        ok =
            med_extract_member(x, v->at->node, MED_STR("reference"), &text) && add_identifier(x, v);
    size_t n = x->rows.n_references;
    if (ok && text.len > 0)
        ok = add_text(x, v, text);
    if (ok && x->whole && x->rows.n_references == n) /* what is contained, or only has a name */
        ok = add(x, v, 0);
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* ---- query values: id, Type/id, absolute URL, canonical ---- */

/* A bare id stands for every type the parameter may point to. */
static bool expand_id(const med_term_source *s, med_str id, med_type only, med_term *t,
                      med_err *err)
{
    size_t n = only != MED_TYPE_NONE ? 1 : s->param->n_targets;
    const med_type *types = only != MED_TYPE_NONE ? &only : s->param->targets;
    if (n == 0)
        types = med_pack_resources(s->schema->pack, &n);
    uint64_t *keys = MED_TAKE(s->arena, n, uint64_t);
    bool *hubs = MED_TAKE(s->arena, n, bool);
    if (keys == NULL || hubs == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++) {
        keys[i] = med_store_ident(s->schema->store, med_type_name(s->schema->pack, types[i]), id);
        hubs[i] = med_schema_is_hub(s->schema, types[i]);
    }
    t->keys = keys;
    t->hubs = hubs;
    t->n_keys = n;
    t->names_patient = n == 1 && types[0] == s->schema->known.patient;
    return true;
}

static bool one_key(const med_term_source *s, uint64_t key, bool hub, med_term *t, med_err *err)
{
    uint64_t *keys = MED_TAKE(s->arena, 1, uint64_t);
    bool *hubs = MED_TAKE(s->arena, 1, bool);
    if (keys == NULL || hubs == NULL)
        return MED_FAIL_MEMORY(err);
    *keys = key;
    *hubs = hub;
    t->keys = keys;
    t->hubs = hubs;
    t->n_keys = 1;
    return true;
}

bool med_term_reference(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    med_reference ref;
    med_str text;
    med_type only = s->clause->only_patients ? s->schema->known.patient : MED_TYPE_NONE;
    med_store *store = s->schema->store;
    if (s->clause->modifier == MED_MODIFIER_TYPE)
        only = (med_type)s->clause->terms_type;
    if (!med_unescape(s->arena, value, &text))
        return MED_FAIL_MEMORY(err);
    t->text = text;
    if (med_id_is_valid(text))
        return expand_id(s, text, only, t, err);
    if (!med_reference_parse(s->schema->pack, text, s->options->base, &ref, err))
        return false;
    if (ref.kind == MED_REFERENCE_LOCAL && only != MED_TYPE_NONE
        && only != med_pack_type(s->schema->pack, ref.type))
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected a reference to a %.*s",
                        MED_STR_ARG(med_type_name(s->schema->pack, only)));
    t->names_patient = ref.kind == MED_REFERENCE_LOCAL && med_str_eqz(ref.type, "Patient");
    if (ref.kind == MED_REFERENCE_LOCAL)
        return one_key(s, med_store_ident(store, ref.type, ref.id),
                       med_schema_is_hub(s->schema, med_pack_type(s->schema->pack, ref.type)), t,
                       err);
    return one_key(s, med_store_hash(store, text), false, t, err);
}
