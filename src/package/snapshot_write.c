/* snapshot_write.c - the tree as JSON (snapshot_impl.h). */
#include <stdlib.h>

#include "package/snapshot_impl.h"

#define OUT_BYTES ((size_t)64 << 20)

/* The order of ElementDefinition; of a choice the stem. id, path and sliceName are written apart.
 */
static const char *const order[] = {"extension",
                                    "modifierExtension",
                                    "representation",
                                    "sliceIsConstrainingType",
                                    "label",
                                    "code",
                                    "slicing",
                                    "short",
                                    "definition",
                                    "comment",
                                    "requirements",
                                    "alias",
                                    "min",
                                    "max",
                                    "base",
                                    "contentReference",
                                    "type",
                                    "defaultValue",
                                    "meaningWhenMissing",
                                    "orderMeaning",
                                    "fixed",
                                    "pattern",
                                    "example",
                                    "minValue",
                                    "maxValue",
                                    "maxLength",
                                    "condition",
                                    "constraint",
                                    "mustSupport",
                                    "isModifierReason",
                                    "isModifier",
                                    "isSummary",
                                    "binding",
                                    "mapping"};

static size_t rank(med_str key)
{
    size_t best = sizeof order / sizeof *order, length = 0;
    if (key.len > 0 && key.ptr[0] == '_')
        key = med_str_skip(key, 1);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        med_str o = med_str_from(order[i]);
        if (med_str_starts(key, o) && o.len > length) {
            best = i;
            length = o.len;
        }
    }
    return best;
}

static int by_rank(const void *left, const void *right)
{
    const snap_field *x = left, *y = right;
    size_t a = rank(x->key), b = rank(y->key);
    return a != b ? (a < b ? -1 : 1) : -med_str_compare(x->key, y->key); /* "_x" behind "x" */
}

static void write_value(med_json_writer *w, const snap_value *v)
{
    if (v->raw.len > 0)
        med_json_raw_value(w, v->raw);
    else
        med_json_value(w, v->j, v->node);
}

static void write_field(med_json_writer *w, const snap_field *f)
{
    if (f->n == 0)
        return;
    med_json_key(w, f->key);
    if (!f->is_list) {
        write_value(w, &f->at[0]);
        return;
    }
    med_json_open(w, '[');
    for (size_t i = 0; i < f->n; i++)
        write_value(w, &f->at[i]);
    med_json_close(w, ']');
}

static void write_base(med_json_writer *w, med_str path, const snap_node *n)
{
    const snap_field *min = snap_find(n, "min"), *max = snap_find(n, "max");
    if (min == NULL || max == NULL)
        return;
    med_json_key(w, MED_STR("base"));
    med_json_open(w, '{');
    med_json_pair(w, "path", path);
    med_json_key(w, MED_STR("min"));
    write_value(w, &min->at[0]);
    med_json_key(w, MED_STR("max"));
    write_value(w, &max->at[0]);
    med_json_close(w, '}');
}

static bool write_node(snap *s, med_json_writer *w, snap_node *n, med_err *err)
{
    med_str id = snap_id(s->a, n), path = snap_path(s->a, n);
    if (id.len == 0 || path.len == 0)
        return MED_FAIL_MEMORY(err);
    if (n->n_fields > 0)
        qsort(n->fields, n->n_fields, sizeof *n->fields, by_rank);
    med_json_open(w, '{');
    med_json_pair(w, "id", id);
    med_json_pair(w, "path", path);
    med_json_pair(w, "sliceName", n->slice);
    for (size_t i = 0; i < n->n_fields; i++)
        write_field(w, &n->fields[i]);
    if (snap_find(n, "base") == NULL)
        write_base(w, path, n);
    med_json_close(w, '}');
    return true;
}

/* An element, what is below it, and its slices. */
/* NOLINTNEXTLINE(misc-no-recursion): MED_SNAPSHOT_PATH_DEPTH bounds how deep a tree can be */
static bool write_tree(snap *s, med_json_writer *w, snap_node *n, med_err *err)
{
    if (!write_node(s, w, n, err))
        return false;
    for (snap_node *k = n->first; k != NULL; k = k->next) {
        if (!write_tree(s, w, k, err))
            return false;
    }
    for (snap_node *k = n->first_slice; k != NULL; k = k->next) {
        if (!write_tree(s, w, k, err))
            return false;
    }
    return true;
}

static bool write_snapshot(snap *s, med_json_writer *w, med_err *err)
{
    med_json_key(w, MED_STR("snapshot"));
    med_json_open(w, '{');
    med_json_key(w, MED_STR("element"));
    med_json_open(w, '[');
    bool ok = write_tree(s, w, s->root, err);
    med_json_close(w, ']');
    med_json_close(w, '}');
    return ok;
}

bool snap_write(snap *s, const med_json *j, uint32_t root, med_str *out, med_err *err)
{
    med_buf text;
    med_buf_init(&text, OUT_BYTES);
    med_json_writer w = med_json_writer_to(&text);
    bool ok = true;
    med_json_open(&w, '{');
    for (uint32_t k = root + 1; ok && k < j->nodes[root].next; k = j->nodes[k + 1].next) {
        if (med_json_string_is(j, k, MED_STR("snapshot")))
            continue;
        if (med_json_string_is(j, k, MED_STR("differential")))
            ok = write_snapshot(s, &w, err);
        med_json_raw_key(&w, med_json_span(j, k));
        med_json_value(&w, j, k + 1);
    }
    med_json_close(&w, '}');
    if (ok && text.failed)
        ok = MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the snapshot is larger than %zu MB",
                      OUT_BYTES >> 20);
    if (ok && !med_arena_copy(s->a, med_buf_str(&text), out))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&text);
    return ok;
}
