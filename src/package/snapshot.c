/* snapshot.c - see snapshot.h. Each element of the differential is led to its place in the tree of
 * the base, which grows on the way: children of types, slices. */
#include "package/snapshot.h"

#include "package/snapshot_impl.h"

#define BASE "http://hl7.org/fhir/StructureDefinition/Base"

/* A part of an element's place: "component:systolic". */
typedef struct part {
    med_str name, slice;
} part;

typedef struct place {
    part at[MED_SNAPSHOT_PATH_DEPTH];
    size_t n;
} place;

static bool split(med_str path, place *out)
{
    out->n = 0;
    while (path.len > 0) {
        if (out->n == MED_SNAPSHOT_PATH_DEPTH)
            return false;
        med_str name = med_str_cut(path, '.', &path);
        out->at[out->n++] = (part){name, MED_STR_EMPTY};
    }
    return out->n > 0;
}

/* The slices that the element's id names, if the id is that of its path. */
static bool take_id(med_str id, place *p)
{
    place ids;
    if (!split(id, &ids) || ids.n != p->n)
        return false;
    for (size_t i = 0; i < ids.n; i++) {
        med_str slice, name = med_str_cut(ids.at[i].name, ':', &slice);
        if (!med_str_eq(name, p->at[i].name))
            return false;
        ids.at[i] = (part){name, slice};
    }
    memcpy(p->at, ids.at, ids.n * sizeof *ids.at);
    return true;
}

/* Else an element belongs to the slice that was named last above it. */
static void take_order(const place *last, place *p)
{
    for (size_t i = 0; i + 1 < p->n && i < last->n; i++) {
        if (!med_str_eq(last->at[i].name, p->at[i].name))
            return;
        p->at[i].slice = last->at[i].slice;
    }
}

static bool read_place(snap *s, const med_json *j, uint32_t e, const place *last, place *out,
                       med_err *err)
{
    med_str path = med_package_text(s->a, j, e, "path");
    med_str slice = med_package_text(s->a, j, e, "sliceName");
    if (!split(path, out)) {
        (void)MED_FAIL(err, MED_ISSUE_INVALID,
                       "an element of the differential has no path, or one deeper than %d",
                       MED_SNAPSHOT_PATH_DEPTH);
        return med_err_at(err, path);
    }
    if (!take_id(med_package_text(s->a, j, e, "id"), out))
        take_order(last, out);
    if (slice.len > 0)
        out->at[out->n - 1].slice = slice;
    return true;
}

/* ---- slices ---- */

/* "valueQuantity" below value[x]: the type, else empty. */
static med_str choice_type(const snap_node *choice, med_str name)
{
    med_str stem = choice->name;
    if (!med_str_ends(stem, MED_STR("[x]")))
        return MED_STR_EMPTY;
    stem = med_str_sub(stem, 0, stem.len - 3);
    return med_str_starts(name, stem) && name.len > stem.len && med_is_upper(name.ptr[stem.len])
               ? med_str_skip(name, stem.len)
               : MED_STR_EMPTY;
}

static snap_node *choice_of(const snap_node *parent, med_str name)
{
    for (snap_node *k = parent->first; k != NULL; k = k->next) {
        if (choice_type(k, name).len > 0)
            return k;
    }
    return NULL;
}

/* A slice of a choice that is named after a type has only that type. */
static bool narrow_type(snap *s, snap_node *slice, med_str type, med_err *err)
{
    med_str code;
    snap_value value;
    for (size_t i = 0; snap_type(s, slice, i, &code, &value); i++) {
        if (!med_str_eq_ignore_case(code, type))
            continue;
        med_str span = med_json_span(value.j, value.node);
        med_str list = med_arena_printf(s->a, "[%.*s]", MED_STR_ARG(span));
        med_json *j = MED_TAKE(s->a, 1, med_json);
        return list.len > 0 && j != NULL && med_json_parse(s->a, list, j, NULL, err)
               && snap_set(s, slice, MED_STR("type"), (snap_value){j, 0, MED_STR_EMPTY}, err);
    }
    return true;
}

static bool is_extension(const snap_node *n)
{
    return med_str_eqz(n->name, "extension") || med_str_eqz(n->name, "modifierExtension");
}

static bool give_slicing(snap *s, snap_node *of, med_err *err)
{
    bool is_choice = med_str_ends(of->name, MED_STR("[x]"));
    if (snap_find(of, "slicing") != NULL)
        return true;
    if (is_extension(of))
        return snap_set_raw(s, of, "slicing",
                            "{\"discriminator\":[{\"type\":\"value\",\"path\":\"url\"}],"
                            "\"ordered\":false,\"rules\":\"open\"}",
                            err);
    return !is_choice
           || snap_set_raw(s, of, "slicing",
                           "{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],"
                           "\"ordered\":false,\"rules\":\"open\"}",
                           err);
}

static bool new_slice(snap *s, snap_node *of, med_str name, snap_node **out, med_err *err)
{
    snap_node *from = of;
    med_str top = med_str_sub(name, 0, med_str_find(name, '/', 0));
    if (top.len < name.len && snap_slice(of, top) != NULL)
        from = snap_slice(of, top);
    if (!give_slicing(s, of, err) || !snap_copy(s, from, out, err))
        return false;
    (*out)->slice = name;
    snap_drop(*out, "slicing");
    snap_add_slice(of, *out);
    med_str type = choice_type(of, name);
    return (from != of || snap_set_raw(s, *out, "min", "0", err))
           && (type.len == 0 || narrow_type(s, *out, type, err));
}

/* ---- the way to an element ---- */

static bool no_child(snap *s, const snap_node *parent, const part *p, med_err *err)
{
    med_str names[64];
    size_t n = 0;
    for (const snap_node *k = parent->first; k != NULL && n < 64; k = k->next)
        names[n++] = k->name;
    med_str nearest = med_str_nearest(p->name, names, n);
    return snap_fail(s, parent, err, "it has no element %.*s%s%.*s",
                     MED_STR_ARG(med_str_sub(p->name, 0, 80)), nearest.len > 0 ? "; nearest: " : "",
                     MED_STR_ARG(nearest));
}

/* A name for an element that is no list is that: its own name, not a slice of it. */
static bool is_only_named(const snap_node *n, const part *p)
{
    return p->slice.len > 0 && n->first_slice == NULL && snap_max(n) <= 1
           && snap_find(n, "slicing") == NULL && choice_type(n, p->slice).len == 0;
}

/* The slice of `*at`, made when this is its own element. */
static bool to_slice(snap *s, snap_node **at, med_str name, bool is_last, bool *is_new,
                     med_err *err)
{
    snap_node *found = snap_slice(*at, name);
    if (found == NULL && !is_last && choice_type(*at, name).len == 0)
        return snap_fail(s, *at, err, "it has no slice %.*s", MED_STR_ARG(name));
    *is_new = found == NULL;
    if (found == NULL && !new_slice(s, *at, name, &found, err))
        return false;
    *at = found;
    return true;
}

static bool to_child(snap *s, snap_node *at, const part *p, bool is_last, snap_node **out,
                     med_err *err)
{
    *out = snap_child(at, p->name);
    if (*out != NULL || !s->is_specialization || !is_last)
        return true;
    *out = snap_new(s, p->name, MED_STR_EMPTY, err);
    if (*out == NULL)
        return false;
    snap_add_child(at, *out);
    return true;
}

/* "valueQuantity" is value[x] where that can be nothing else; else it leaves value[x] no other
 * types than those named so. */
static med_str to_choice(snap *s, snap_node *choice, const part *p)
{
    med_str code, type = choice_type(choice, p->name);
    snap_value value;
    bool one = snap_type(s, choice, 0, &code, &value) && !snap_type(s, choice, 1, &code, &value);
    if (one && choice->first_slice == NULL && med_str_eq_ignore_case(code, type))
        return MED_STR_EMPTY;
    if (choice->first_slice == NULL)
        choice->narrowed = true;
    return p->slice.len > 0 ? p->slice : p->name;
}

static bool step(snap *s, snap_node **at, const part *p, bool is_last, bool *is_new, med_err *err)
{
    med_str slice = p->slice;
    snap_node *child;
    *is_new = false;
    if (!snap_expand(s, *at, err) || !to_child(s, *at, p, is_last, &child, err))
        return false;
    if (child == NULL) {
        child = choice_of(*at, p->name);
        if (child == NULL)
            return no_child(s, *at, p, err);
        slice = to_choice(s, child, p);
    } else if (is_only_named(child, p)) {
        child->slice = slice;
        slice = MED_STR_EMPTY;
    }
    *at = child;
    return slice.len == 0 || med_str_eq(child->slice, slice)
           || to_slice(s, at, slice, is_last, is_new, err);
}

static bool apply(snap *s, const med_json *j, uint32_t e, const place *p, med_err *err)
{
    snap_node *at = s->root;
    bool is_new = false;
    if (!med_str_eq(p->at[0].name, at->name)) {
        (void)MED_FAIL(err, MED_ISSUE_INVALID,
                       "a path of the differential begins with the type: %.*s",
                       MED_STR_ARG(at->name));
        return med_err_at(err, p->at[0].name);
    }
    for (size_t i = 1; i < p->n; i++) {
        if (!step(s, &at, &p->at[i], i + 1 == p->n, &is_new, err))
            return false;
    }
    return snap_merge(s, at, j, e, is_new, err);
}

static bool apply_all(snap *s, const med_json *j, uint32_t differential, med_err *err)
{
    place last = {.n = 0}, next;
    uint32_t end;
    for (uint32_t e = med_package_first(j, differential, "element", &end); e < end;
         e = j->nodes[e].next) {
        if (!read_place(s, j, e, &last, &next, err) || !apply(s, j, e, &next, err))
            return false;
        last = next;
    }
    return true;
}

/* ---- what follows from the slices ---- */

/* The types of the slices are all that a narrowed choice can be. */
static bool narrow_choice(snap *s, snap_node *choice, med_err *err)
{
    med_str list = MED_STR("[");
    med_json *j = MED_TAKE(s->a, 1, med_json);
    for (const snap_node *k = choice->first_slice; k != NULL; k = k->next) {
        med_str code;
        snap_value type;
        for (size_t i = 0; snap_type(s, k, i, &code, &type); i++)
            list = med_arena_printf(s->a, "%.*s%s%.*s", MED_STR_ARG(list), list.len > 1 ? "," : "",
                                    MED_STR_ARG(med_json_span(type.j, type.node)));
    }
    list = med_arena_printf(s->a, "%.*s]", MED_STR_ARG(list));
    if (j == NULL || list.len < 2)
        return MED_FAIL_MEMORY(err);
    return med_json_parse(s->a, list, j, NULL, err)
           && snap_set(s, choice, MED_STR("type"), (snap_value){j, 0, MED_STR_EMPTY}, err);
}

/* So many must be there as its slices ask for. */
static bool raise_min(snap *s, snap_node *n, med_err *err)
{
    uint64_t sum = 0;
    for (const snap_node *k = n->first_slice; k != NULL; k = k->next)
        sum += med_str_find(k->slice, '/', 0) == k->slice.len ? snap_min(k) : 0;
    if (sum <= snap_min(n))
        return true;
    med_str text = med_arena_printf(s->a, "%llu", (unsigned long long)sum);
    return text.len == 0 ? MED_FAIL_MEMORY(err) : snap_set_raw(s, n, "min", text.ptr, err);
}

/* Depth: MED_SNAPSHOT_PATH_DEPTH. */
static bool finish(snap *s, snap_node *n, med_err *err) /* NOLINT(misc-no-recursion) */
{
    if (n->narrowed && !narrow_choice(s, n, err))
        return false;
    if (n->first_slice != NULL && !n->spoken && (n->narrowed || is_extension(n))
        && !raise_min(s, n, err))
        return false;
    for (snap_node *k = n->first; k != NULL; k = k->next) {
        if (!finish(s, k, err))
            return false;
    }
    for (snap_node *k = n->first_slice; k != NULL; k = k->next) {
        if (!finish(s, k, err))
            return false;
    }
    return true;
}

/* A logical model is called what its differential calls it. */
static void rename_root(snap *s, const med_json *j, uint32_t differential)
{
    uint32_t end, e = med_package_first(j, differential, "element", &end);
    med_str path = e < end ? med_package_text(s->a, j, e, "path") : MED_STR_EMPTY;
    if (s->is_specialization && path.len > 0)
        s->root->name = med_str_sub(path, 0, med_str_find(path, '.', 0));
}

static bool fill(snap *s, const med_json *j, uint32_t root, med_str *out, med_err *err)
{
    uint32_t differential = med_package_member(j, root, "differential", MED_JSON_OBJECT);
    if (!snap_load(s, s->base, 0, &s->root, err))
        return false;
    rename_root(s, j, differential);
    return apply_all(s, j, differential, err) && finish(s, s->root, err)
           && snap_write(s, j, root, out, err);
}

/* Logical models of today start from Base, which R4 does not have. */
static bool make_model(snap *s, const med_json *j, uint32_t root, med_str *out, med_err *err)
{
    med_json *base = MED_TAKE(s->a, 1, med_json);
    if (base == NULL)
        return MED_FAIL_MEMORY(err);
    s->base = base;
    return med_json_parse(s->a,
                          MED_STR("{\"snapshot\":{\"element\":[{\"path\":\"Base\",\"min\":0,"
                                  "\"max\":\"*\",\"base\":{\"path\":\"Base\",\"min\":0,"
                                  "\"max\":\"*\"}}]}}"),
                          base, NULL, err)
           && fill(s, j, root, out, err);
}

bool med_snapshot_make(med_arena *a, const med_json *j, uint32_t root,
                       const med_definition_source *source, med_str *out, med_err *err)
{
    snap s = {.a = a, .source = source};
    const med_definition *base;
    uint32_t differential = med_package_member(j, root, "differential", MED_JSON_OBJECT);
    med_str canonical = med_package_text(a, j, root, "baseDefinition");
    s.is_specialization = med_str_eqz(med_package_text(a, j, root, "derivation"), "specialization");
    if (canonical.len == 0)
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "it has no baseDefinition");
    if (differential == 0)
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "it has no differential");
    if (!med_definition_find(source, a, canonical, &base, err))
        return false;
    if (base == NULL && s.is_specialization && med_str_eqz(canonical, BASE))
        return make_model(&s, j, root, out, err);
    if (base == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "its base %.*s is not known here",
                        MED_STR_ARG(med_str_sub(canonical, 0, 180)));
    s.base = &base->json;
    return fill(&s, j, root, out, err);
}
