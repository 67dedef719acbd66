/* snapshot_tree.c - elements as a tree: loading, copying, finding (snapshot_impl.h). */
#include <stdarg.h>
#include <stdio.h>

#include "package/snapshot_impl.h"

bool snap_fail(snap *s, const snap_node *n, med_err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)MED_FAIL(err, MED_ISSUE_INVALID, "%s", text);
    return med_err_at(err, snap_id(s->a, n));
}

snap_node *snap_new(snap *s, med_str name, med_str slice, med_err *err)
{
    snap_node *n = s->n < MED_SNAPSHOT_ELEMENTS ? MED_TAKE(s->a, 1, snap_node) : NULL;
    if (n == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the snapshot has more than %d elements",
                       MED_SNAPSHOT_ELEMENTS);
        return NULL;
    }
    s->n++;
    n->name = name;
    n->slice = slice;
    return n;
}

void snap_add_child(snap_node *parent, snap_node *child)
{
    child->parent = parent;
    child->next = NULL;
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

/* "a/b" is a slice of the slice "a". */
static bool is_resliced(med_str slice, med_str of)
{
    return slice.len > of.len && med_str_starts(slice, of) && slice.ptr[of.len] == '/';
}

void snap_add_slice(snap_node *of, snap_node *slice)
{
    snap_node *after = NULL;
    for (snap_node *k = of->first_slice; k != NULL; k = k->next) {
        med_str top = med_str_sub(slice->slice, 0, med_str_find(slice->slice, '/', 0));
        if (med_str_eq(k->slice, top) || is_resliced(k->slice, top))
            after = k;
    }
    if (med_str_find(slice->slice, '/', 0) == slice->slice.len || after == NULL)
        after = of->last_slice;
    slice->parent = of->parent;
    slice->next = after == NULL ? NULL : after->next;
    if (after == NULL)
        of->first_slice = slice;
    else
        after->next = slice;
    if (after == of->last_slice)
        of->last_slice = slice;
}

snap_node *snap_child(const snap_node *n, med_str name)
{
    for (snap_node *k = n->first; k != NULL; k = k->next) {
        if (med_str_eq(k->name, name))
            return k;
    }
    return NULL;
}

snap_node *snap_slice(const snap_node *n, med_str slice)
{
    for (snap_node *k = n->first_slice; k != NULL; k = k->next) {
        if (med_str_eq(k->slice, slice))
            return k;
    }
    return NULL;
}

/* ---- copies ---- */

static bool copy_fields(snap *s, const snap_node *from, snap_node *to, med_err *err)
{
    to->fields = MED_TAKE(s->a, from->n_fields, snap_field);
    if (to->fields == NULL)
        return MED_FAIL_MEMORY(err);
    to->n_fields = to->room = from->n_fields;
    for (size_t i = 0; i < from->n_fields; i++) {
        const snap_field *f = &from->fields[i];
        snap_value *at = MED_TAKE(s->a, f->n, snap_value);
        if (at == NULL)
            return MED_FAIL_MEMORY(err);
        if (f->n > 0)
            memcpy(at, f->at, f->n * sizeof *at);
        to->fields[i] = (snap_field){f->key, at, f->n, f->n, f->is_list};
    }
    return true;
}

/* The node alone. */
static snap_node *copy_one(snap *s, const snap_node *from, med_err *err)
{
    snap_node *n = snap_new(s, from->name, from->slice, err);
    return n != NULL && copy_fields(s, from, n, err) ? n : NULL;
}

/* The subtree below `from`. */
/* NOLINTNEXTLINE(misc-no-recursion): MED_SNAPSHOT_PATH_DEPTH bounds how deep a tree can be */
bool snap_copy_children(snap *s, const snap_node *from, snap_node *to, med_err *err)
{
    for (const snap_node *k = from->first; k != NULL; k = k->next) {
        snap_node *child = copy_one(s, k, err);
        if (child == NULL)
            return false;
        snap_add_child(to, child);
        if (!snap_copy_children(s, k, child, err))
            return false;
        for (const snap_node *slice = k->first_slice; slice != NULL; slice = slice->next) {
            snap_node *copy = copy_one(s, slice, err);
            if (copy == NULL)
                return false;
            snap_add_slice(child, copy);
            if (!snap_copy_children(s, slice, copy, err))
                return false;
        }
    }
    return true;
}

bool snap_copy(snap *s, const snap_node *from, snap_node **out, med_err *err)
{
    *out = copy_one(s, from, err);
    return *out != NULL && snap_copy_children(s, from, *out, err);
}

/* ---- loading ---- */

static size_t depth_of(med_str path)
{
    size_t n = 0;
    for (size_t i = 0; i < path.len; i++)
        n += path.ptr[i] == '.' ? 1 : 0;
    return n;
}

static med_str last_part(med_str path)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '.')
        at--;
    return med_str_skip(path, at);
}

/* Where the element stands: by path and order; `open` are the elements it may stand below. */
static bool place(snap *s, snap_node *n, size_t depth, snap_node **open, med_err *err)
{
    if (depth == 0 || depth >= MED_SNAPSHOT_PATH_DEPTH || open[depth - 1] == NULL)
        return MED_FAIL(err, MED_ISSUE_INVALID, "the base has a snapshot that is out of order");
    if (n->slice.len == 0) {
        snap_add_child(open[depth - 1], n);
    } else {
        snap_node *of = snap_child(open[depth - 1], n->name);
        uint32_t max = snap_max(n);
        if (of == NULL && max <= 1 && !med_str_ends(n->name, MED_STR("[x]"))) {
            snap_add_child(open[depth - 1], n); /* a name, no slice */
            open[depth] = n;
            return true;
        }
        if (of == NULL) { /* old tools leave the sliced element out */
            of = snap_new(s, n->name, MED_STR_EMPTY, err);
            if (of == NULL || !copy_fields(s, n, of, err))
                return false;
            snap_add_child(open[depth - 1], of);
        }
        snap_add_slice(of, n);
    }
    open[depth] = n;
    if (depth + 1 < MED_SNAPSHOT_PATH_DEPTH)
        open[depth + 1] = NULL;
    return true;
}

bool snap_load(snap *s, const med_json *j, uint32_t root, snap_node **out, med_err *err)
{
    snap_node *open[MED_SNAPSHOT_PATH_DEPTH] = {NULL};
    uint32_t end, snapshot = med_package_member(j, root, "snapshot", MED_JSON_OBJECT);
    *out = NULL;
    for (uint32_t e = snapshot == 0 ? (end = 0) : med_package_first(j, snapshot, "element", &end);
         e < end; e = j->nodes[e].next) {
        med_str path = med_package_text(s->a, j, e, "path");
        snap_node *n = snap_new(s, last_part(path), med_package_text(s->a, j, e, "sliceName"), err);
        if (n == NULL || !snap_take(s, n, j, e, err))
            return false;
        if (*out == NULL)
            *out = open[0] = n;
        else if (!place(s, n, depth_of(path), open, err))
            return false;
    }
    return *out != NULL ? true : MED_FAIL(err, MED_ISSUE_INVALID, "the base has no snapshot");
}

/* ---- names ---- */

static med_str joined(med_arena *a, const snap_node *n, bool slices)
{
    const snap_node *chain[2 * MED_SNAPSHOT_PATH_DEPTH] = {NULL}; /* a type unfolded in another */
    size_t depth = 0;
    char text[1024];
    size_t len = 0;
    for (; n != NULL && depth < sizeof chain / sizeof *chain; n = n->parent)
        chain[depth++] = n;
    while (depth-- > 0 && len < sizeof text) {
        const snap_node *k = chain[depth];
        bool sliced = slices && k->slice.len > 0;
        int more = snprintf(text + len, sizeof text - len, "%s%.*s%s%.*s", len > 0 ? "." : "",
                            MED_STR_ARG(k->name), sliced ? ":" : "", sliced ? (int)k->slice.len : 0,
                            k->slice.ptr);
        len += more > 0 ? (size_t)more : 0;
    }
    return med_arena_printf(a, "%.*s", (int)(len < sizeof text ? len : sizeof text - 1), text);
}

med_str snap_id(med_arena *a, const snap_node *n)
{
    return joined(a, n, true);
}

med_str snap_path(med_arena *a, const snap_node *n)
{
    return joined(a, n, false);
}
