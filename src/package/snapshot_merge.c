/* snapshot_merge.c - one element of a differential laid over what it narrows
 * (snapshot_impl.h). */
#include "package/snapshot_impl.h"

static uint32_t number(const med_json *j, uint32_t element, const char *key, uint32_t absent)
{
    int64_t n;
    uint32_t at = med_json_member(j, element, med_str_from(key));
    return at != 0 && med_str_to_int64(med_json_raw(j, at), &n) && n >= 0 && n < UINT32_MAX
               ? (uint32_t)n
               : absent;
}

/* A new slice may be absent where the sliced element is required. */
static bool check_cardinality(snap *s, const snap_node *n, const med_json *j, uint32_t element,
                              bool is_new_slice, med_err *err)
{
    bool has_max = med_package_member(j, element, "max", MED_JSON_STRING) != 0;
    uint32_t min = snap_min(n), max = snap_max(n);
    uint32_t new_min = number(j, element, "min", min);
    uint32_t new_max = has_max ? number(j, element, "max", UINT32_MAX) : max;
    if (s->is_specialization)
        return true;
    if (new_min < min && !is_new_slice)
        return snap_fail(s, n, err, "min is %u, and its base says %u: a profile can not loosen it",
                         new_min, min);
    if (new_max > max && max != UINT32_MAX)
        return snap_fail(s, n, err, "max is wider than the %u of its base", max);
    if (new_min > new_max)
        return snap_fail(s, n, err, "min is %u and max %u", new_min, new_max);
    return true;
}

static bool is_allowed(snap *s, const snap_node *n, med_str code)
{
    med_str have;
    snap_value type;
    bool any = false;
    for (size_t i = 0; snap_type(s, n, i, &have, &type); i++) {
        any = true;
        if (snap_is_a(s, code, have) || med_str_starts(have, MED_STR("http://hl7.org/fhirpath/")))
            return true;
    }
    return !any; /* the root, and content references */
}

static bool check_types(snap *s, const snap_node *n, const med_json *j, uint32_t element,
                        med_err *err)
{
    uint32_t end;
    med_str have = MED_STR_EMPTY;
    snap_value type;
    if (s->is_specialization || n->parent == NULL)
        return true;
    for (uint32_t e = med_package_first(j, element, "type", &end); e < end; e = j->nodes[e].next) {
        med_str code = med_package_text(s->a, j, e, "code");
        if (is_allowed(s, n, code))
            continue;
        (void)snap_type(s, n, 0, &have, &type);
        return snap_fail(s, n, err, "the type %.*s is not one that its base allows (%.*s%s)",
                         MED_STR_ARG(med_str_sub(code, 0, 60)),
                         MED_STR_ARG(med_str_sub(have, 0, 60)),
                         snap_type(s, n, 1, &have, &type) ? ", ..." : "");
    }
    return true;
}

static int strength_of(med_arena *a, const med_json *j, uint32_t binding)
{
    static const char *const names[] = {"example", "preferred", "extensible", "required"};
    med_str text = med_package_text(a, j, binding, "strength");
    for (int i = 0; i < 4; i++) {
        if (med_str_eqz(text, names[i]))
            return i;
    }
    return -1;
}

static bool check_binding(snap *s, const snap_node *n, const med_json *j, uint32_t element,
                          med_err *err)
{
    uint32_t binding = med_package_member(j, element, "binding", MED_JSON_OBJECT);
    const snap_field *f = snap_find(n, "binding");
    if (binding == 0 || f == NULL || f->n == 0 || f->at[0].j == NULL || s->is_specialization)
        return true;
    bool was_required = strength_of(s->a, f->at[0].j, f->at[0].node) == 3;
    if (was_required && strength_of(s->a, j, binding) < 3)
        return snap_fail(s, n, err, "the binding of its base is required and can not be loosened");
    return true;
}

static bool lay_field(snap *s, snap_node *n, const snap_field *f, med_err *err)
{
    static const char *const kept[] = {"min",     "max",       "base",        "type",
                                       "slicing", "isSummary", "mustSupport", "mapping",
                                       "alias",   "condition", "constraint"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (med_str_eqz(f->key, kept[i]))
            return true;
    }
    return f->n == 0 || snap_set(s, n, f->key, f->at[0], err);
}

/* An element that names one profile for its type is first what that profile says of itself; the
 * profile's constraints stay with the profile. */
static bool lay_profile(snap *s, snap_node *n, const med_json *j, uint32_t element, med_err *err)
{
    uint32_t end, e = med_package_first(j, element, "type", &end);
    const med_definition *d = NULL;
    snap_node *root;
    med_err ignored = {0};
    if (e >= end || j->nodes[e].next != end)
        return true;
    snap_value type = {j, e, MED_STR_EMPTY};
    med_str profile = snap_type_profile(s, &type);
    if (profile.len == 0 || !snap_definition(s, profile, &d, &ignored) || d == NULL)
        return true;
    if (!snap_load(s, &d->json, 0, &root, err))
        return false;
    for (size_t i = 0; i < root->n_fields; i++) {
        if (!lay_field(s, n, &root->fields[i], err))
            return false;
    }
    return true;
}

static bool is_skipped(med_str key)
{
    return med_str_eqz(key, "id") || med_str_eqz(key, "path") || med_str_eqz(key, "sliceName")
           || med_str_eqz(key, "base") || med_str_eqz(key, "contentReference");
}

bool snap_merge(snap *s, snap_node *n, const med_json *j, uint32_t element, bool is_new_slice,
                med_err *err)
{
    n->spoken = true;
    if (!check_cardinality(s, n, j, element, is_new_slice, err)
        || !check_types(s, n, j, element, err) || !check_binding(s, n, j, element, err)
        || !lay_profile(s, n, j, element, err))
        return false;
    for (uint32_t k = element + 1; k < j->nodes[element].next; k = j->nodes[k + 1].next) {
        med_str key = med_json_raw(j, k);
        bool skip =
            is_skipped(key) && !(s->is_specialization && med_str_eqz(key, "contentReference"));
        if (!skip && !snap_set(s, n, key, (snap_value){j, k + 1, MED_STR_EMPTY}, err))
            return false;
    }
    return true;
}
