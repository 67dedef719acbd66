/* snapshot_field.c - what is said of an element (snapshot_impl.h). */
#include "package/snapshot_impl.h"

bool snap_is_list(med_str key)
{
    static const char *const lists[] = {"constraint", "condition", "mapping", "alias"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (med_str_eqz(key, lists[i]))
            return true;
    }
    return false;
}

snap_field *snap_find(const snap_node *n, const char *key)
{
    for (size_t i = 0; i < n->n_fields; i++) {
        if (med_str_eqz(n->fields[i].key, key))
            return &n->fields[i];
    }
    return NULL;
}

void snap_drop(snap_node *n, const char *key)
{
    snap_field *f = snap_find(n, key);
    if (f == NULL)
        return;
    size_t at = (size_t)(f - n->fields);
    memmove(f, f + 1, (n->n_fields - at - 1) * sizeof *f);
    n->n_fields--;
}

static snap_field *add_field(snap *s, snap_node *n, med_str key, med_err *err)
{
    snap_field *fields = MED_GROW(s->a, n->fields, n->n_fields, &n->room, 16);
    if (fields == NULL)
        return (void)MED_FAIL_MEMORY(err), NULL;
    n->fields = fields;
    snap_field *f = &n->fields[n->n_fields++];
    *f = (snap_field){.key = key, .is_list = snap_is_list(key)};
    return f;
}

bool snap_append(snap *s, snap_field *f, snap_value value, med_err *err)
{
    snap_value *at = MED_GROW(s->a, f->at, f->n, &f->room, 2);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    f->at = at;
    f->at[f->n++] = value;
    return true;
}

/* Do two items of a gathered list say the same? Constraints are one by their key. */
static bool is_same(snap *s, med_str list, const snap_value *x, const snap_value *y)
{
    if (med_str_eqz(list, "constraint"))
        return med_str_eq(med_package_text(s->a, x->j, x->node, "key"),
                          med_package_text(s->a, y->j, y->node, "key"));
    return med_json_equal(x->j, x->node, y->j, y->node);
}

static bool gather_one(snap *s, snap_field *f, snap_value item, med_err *err)
{
    for (size_t i = 0; i < f->n; i++) {
        if (is_same(s, f->key, &f->at[i], &item)) {
            f->at[i] = item;
            return true;
        }
    }
    return snap_append(s, f, item, err);
}

static bool gather(snap *s, snap_field *f, snap_value value, med_err *err)
{
    for (uint32_t e = value.node + 1; e < value.j->nodes[value.node].next;
         e = value.j->nodes[e].next) {
        if (!gather_one(s, f, (snap_value){value.j, e, MED_STR_EMPTY}, err))
            return false;
    }
    return true;
}

/* Of a choice ("fixedCode") there is one value at most. */
static void drop_choice(snap_node *n, med_str key)
{
    static const char *const stems[] = {"fixed", "pattern", "minValue", "maxValue", "defaultValue"};
    for (size_t k = 0; k < sizeof stems / sizeof *stems; k++) {
        med_str stem = med_str_from(stems[k]);
        if (!med_str_starts(key, stem))
            continue;
        for (size_t i = n->n_fields; i-- > 0;) {
            med_str have = n->fields[i].key;
            if (have.ptr[0] == '_')
                have = med_str_skip(have, 1);
            if (med_str_starts(have, stem) && !med_str_eq(n->fields[i].key, key)) {
                memmove(&n->fields[i], &n->fields[i + 1],
                        (n->n_fields - i - 1) * sizeof *n->fields);
                n->n_fields--;
            }
        }
    }
}

bool snap_set(snap *s, snap_node *n, med_str key, snap_value value, med_err *err)
{
    snap_field *f = NULL;
    drop_choice(n, key);
    for (size_t i = 0; i < n->n_fields && f == NULL; i++) {
        if (med_str_eq(n->fields[i].key, key))
            f = &n->fields[i];
    }
    if (f == NULL)
        f = add_field(s, n, key, err);
    if (f == NULL)
        return false;
    if (f->is_list && value.raw.len == 0 && med_json_kind_at(value.j, value.node) == MED_JSON_ARRAY)
        return gather(s, f, value, err);
    f->n = 0;
    return snap_append(s, f, value, err);
}

bool snap_set_raw(snap *s, snap_node *n, const char *key, const char *json, med_err *err)
{
    return snap_set(s, n, med_str_from(key), (snap_value){NULL, 0, med_str_from(json)}, err);
}

static bool is_name(med_str key)
{
    return med_str_eqz(key, "id") || med_str_eqz(key, "path") || med_str_eqz(key, "sliceName");
}

bool snap_take(snap *s, snap_node *n, const med_json *j, uint32_t element, med_err *err)
{
    if (med_json_kind_at(j, element) != MED_JSON_OBJECT)
        return MED_FAIL(err, MED_ISSUE_STRUCTURE, "an element of a definition is an object");
    for (uint32_t k = element + 1; k < j->nodes[element].next; k = j->nodes[k + 1].next) {
        med_str key = med_json_raw(j, k);
        if (!is_name(key) && !snap_set(s, n, key, (snap_value){j, k + 1, MED_STR_EMPTY}, err))
            return false;
    }
    return true;
}

static med_str raw_of(const snap_node *n, const char *key)
{
    const snap_field *f = snap_find(n, key);
    if (f == NULL || f->n == 0)
        return MED_STR_EMPTY;
    return f->at[0].raw.len > 0 ? f->at[0].raw : med_json_raw(f->at[0].j, f->at[0].node);
}

static uint32_t count_of(med_str text, uint32_t absent)
{
    int64_t n;
    return med_str_to_int64(text, &n) && n >= 0 && n < UINT32_MAX ? (uint32_t)n : absent;
}

uint32_t snap_min(const snap_node *n)
{
    return count_of(raw_of(n, "min"), 0);
}

uint32_t snap_max(const snap_node *n)
{
    return count_of(raw_of(n, "max"), UINT32_MAX);
}
