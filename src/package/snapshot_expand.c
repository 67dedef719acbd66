/* snapshot_expand.c - what lies below an element: the elements of its type (snapshot_impl.h). */
#include "package/snapshot_impl.h"

#define DEFINITIONS "http://hl7.org/fhir/StructureDefinition/"

enum { TYPE_CHAIN = 16 };

bool snap_type(snap *s, const snap_node *n, size_t i, med_str *code, snap_value *type)
{
    const snap_field *f = snap_find(n, "type");
    if (f == NULL || f->n == 0 || f->at[0].j == NULL
        || med_json_kind_at(f->at[0].j, f->at[0].node) != MED_JSON_ARRAY)
        return false;
    const med_json *j = f->at[0].j;
    for (uint32_t e = f->at[0].node + 1; e < j->nodes[f->at[0].node].next; e = j->nodes[e].next) {
        if (i-- > 0)
            continue;
        *type = (snap_value){j, e, MED_STR_EMPTY};
        *code = med_package_text(s->a, j, e, "code");
        return true;
    }
    return false;
}

med_str snap_type_profile(snap *s, const snap_value *type)
{
    uint32_t end;
    med_str profile;
    uint32_t e = med_package_first(type->j, type->node, "profile", &end);
    if (e >= end || type->j->nodes[e].next != end || med_json_kind_at(type->j, e) != MED_JSON_STRING
        || !med_json_string(s->a, type->j, e, &profile))
        return MED_STR_EMPTY;
    return profile;
}

bool snap_definition(snap *s, med_str canonical, const med_definition **out, med_err *err)
{
    return med_definition_find(s->source, s->a, canonical, out, err);
}

static bool of_type(snap *s, med_str code, const med_definition **out, med_err *err)
{
    bool is_url = med_str_search(code, MED_STR(":"), 0) < code.len;
    med_str url = is_url ? code : med_arena_printf(s->a, DEFINITIONS "%.*s", MED_STR_ARG(code));
    return snap_definition(s, url, out, err);
}

bool snap_is_a(snap *s, med_str code, med_str ancestor)
{
    const med_definition *d;
    med_err ignored = {0};
    for (int i = 0; i < TYPE_CHAIN; i++) {
        if (med_str_eq(code, ancestor))
            return true;
        if (!of_type(s, code, &d, &ignored) || d == NULL)
            return false;
        code = med_package_text(s->a, &d->json, 0, "baseDefinition");
        code = med_str_starts(code, MED_STR(DEFINITIONS))
                   ? med_str_skip(code, sizeof DEFINITIONS - 1)
                   : code;
    }
    return false;
}

/* The type that all of an element's types are: their own when it is one, else Element. */
static bool common_type(snap *s, const snap_node *n, med_str *code, med_str *profile)
{
    snap_value type;
    med_str other;
    *profile = MED_STR_EMPTY;
    if (!snap_type(s, n, 0, code, &type))
        return false;
    *profile = snap_type_profile(s, &type);
    for (size_t i = 1; snap_type(s, n, i, &other, &type); i++) {
        *profile = MED_STR_EMPTY;
        if (!med_str_eq(other, *code))
            *code = MED_STR("Element");
    }
    return true;
}

/* Children as in the definition that this one starts from: "#Observation.referenceRange". */
static bool expand_reference(snap *s, snap_node *n, const snap_value *reference, med_err *err)
{
    med_str text;
    snap_node *at;
    if (!med_json_string(s->a, reference->j, reference->node, &text)
        || !snap_load(s, s->base, 0, &at, err))
        return false;
    med_str path = med_str_skip(text, med_str_find(text, '#', 0) + 1);
    (void)med_str_cut(path, '.', &path); /* the type */
    while (at != NULL && path.len > 0) {
        med_str part = med_str_cut(path, '.', &path);
        at = snap_child(at, part);
    }
    if (at == NULL)
        return snap_fail(s, n, err, "its contentReference names an element that is not there");
    return snap_copy_children(s, at, n, err);
}

bool snap_expand(snap *s, snap_node *n, med_err *err)
{
    const snap_field *reference = snap_find(n, "contentReference");
    med_str code, profile;
    const med_definition *d = NULL;
    snap_node *type;
    med_err ignored = {0};
    if (n->first != NULL)
        return true;
    if (reference != NULL && reference->n > 0 && reference->at[0].j != NULL)
        return expand_reference(s, n, &reference->at[0], err);
    if (!common_type(s, n, &code, &profile))
        return true;
    /* A profile that is not to be had (or is just being made) is no fault of this one. */
    if (profile.len > 0 && !snap_definition(s, profile, &d, &ignored))
        d = NULL;
    if (d == NULL && !of_type(s, code, &d, err))
        return false;
    if (d == NULL)
        return true;
    return snap_load(s, &d->json, 0, &type, err) && snap_copy_children(s, type, n, err);
}
