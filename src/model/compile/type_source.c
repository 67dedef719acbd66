/* type_source.c - see type_source.h. */
#include "model/compile/type_source.h"

#include <stdlib.h>

enum { TYPES_MAX = 4096 };

struct collector {
    med_arena *a;
    med_type_list *types;
    med_err *err;
};

static med_str parent_path(med_str path)
{
    size_t dot = 0;
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '.')
            dot = i;
    }
    return med_str_sub(path, 0, dot);
}

static med_source_type *add_type(struct collector *c, med_str name)
{
    if (c->types->n == TYPES_MAX)
        return NULL;
    med_source_type *t = &c->types->at[c->types->n++];
    *t = (med_source_type){.name = name, .base = MED_STR_EMPTY};
    return t;
}

/* The type called `path` among those of this StructureDefinition. */
static med_source_type *type_in(struct collector *c, size_t from, med_str path)
{
    for (size_t i = from; i < c->types->n; i++) {
        if (med_str_eq(c->types->at[i].name, path))
            return &c->types->at[i];
    }
    return NULL;
}

/* An element that turns out to have children: the last of the elements called `path`. */
static med_source_type *add_backbone(struct collector *c, size_t from, med_str path)
{
    const med_source_type *parent = type_in(c, from, parent_path(path));
    const med_source_element *definition = NULL;
    for (const med_source_element *e = parent == NULL ? NULL : parent->first; e != NULL;
         e = e->next) {
        if (med_str_eq(e->path, path))
            definition = e;
    }
    med_source_type *t = definition == NULL ? NULL : add_type(c, path);
    if (t == NULL)
        return NULL;
    t->j = parent->j;
    t->definition = definition->node;
    t->kind = MED_TYPE_BACKBONE;
    uint32_t end = 0;
    uint32_t type = med_source_first(t->j, definition->node, "type", &end);
    t->base = type < end ? med_source_text(c->a, t->j, type, "code") : MED_STR("Element");
    return t;
}

static bool add_element(struct collector *c, size_t from, uint32_t node, med_str path)
{
    med_str parent = parent_path(path);
    med_source_type *t = type_in(c, from, parent);
    if (t == NULL)
        t = add_backbone(c, from, parent);
    med_source_element *e = MED_TAKE(c->a, 1, med_source_element);
    if (t == NULL || e == NULL)
        return MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "%.*s has no parent", MED_STR_ARG(path));
    med_str name = med_str_skip(path, parent.len + 1);
    bool is_choice = med_str_ends(name, MED_STR("[x]"));
    *e = (med_source_element){
        .node = node,
        .path = path,
        .name = is_choice ? med_str_sub(name, 0, name.len - 3) : name,
        .is_choice = is_choice,
    };
    /* The value of a primitive is the JSON value itself, no property. */
    if (t->kind == MED_TYPE_PRIMITIVE && med_str_eqz(name, "value"))
        return true;
    if (t->first == NULL)
        t->first = e;
    else
        t->last->next = e;
    t->last = e;
    t->n++;
    return true;
}

static bool kind_of(med_str kind, enum med_type_kind *out)
{
    if (med_str_eqz(kind, "primitive-type"))
        *out = MED_TYPE_PRIMITIVE;
    else if (med_str_eqz(kind, "complex-type"))
        *out = MED_TYPE_COMPLEX;
    else if (med_str_eqz(kind, "resource"))
        *out = MED_TYPE_RESOURCE;
    else
        return false;
    return true;
}

med_str med_structure_name(med_str url)
{
    med_str base = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    return med_str_starts(url, base) ? med_str_skip(url, base.len) : MED_STR_EMPTY;
}

static bool collect_definition(struct collector *c, const med_json *j, uint32_t sd)
{
    enum med_type_kind kind = MED_TYPE_COMPLEX;
    if (!med_str_eqz(med_source_text(c->a, j, sd, "resourceType"), "StructureDefinition")
        || !kind_of(med_source_text(c->a, j, sd, "kind"), &kind)
        || med_str_eqz(med_source_text(c->a, j, sd, "derivation"), "constraint"))
        return true;
    size_t from = c->types->n;
    med_source_type *t = add_type(c, med_source_text(c->a, j, sd, "type"));
    if (t == NULL)
        return MED_FAIL(c->err, MED_ISSUE_TOO_COSTLY, "more than %d types", TYPES_MAX);
    t->j = j;
    t->kind = kind;
    t->base = med_structure_name(med_source_text(c->a, j, sd, "baseDefinition"));
    t->is_abstract = med_source_true(j, sd, "abstract");
    uint32_t snapshot = med_json_member(j, sd, MED_STR("snapshot"));
    uint32_t end = 0;
    uint32_t e = snapshot == 0 ? 1 : med_source_first(j, snapshot, "element", &end);
    if (e >= end)
        return MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "%.*s has no snapshot", MED_STR_ARG(t->name));
    t->definition = e;
    for (e = j->nodes[e].next; e < end; e = j->nodes[e].next) {
        if (!add_element(c, from, e, med_source_text(c->a, j, e, "path")))
            return false;
    }
    return true;
}

static bool collect(struct collector *c, const med_json *bundle)
{
    uint32_t entry = 0;
    for (uint32_t r; (r = med_source_next(bundle, &entry)) != 0;) {
        if (!collect_definition(c, bundle, r))
            return false;
    }
    return true;
}

/* What FHIRPath calls System.String: ids of elements, Extension.url. It has no definition. */
static bool add_system_string(struct collector *c)
{
    med_source_type *t = add_type(c, MED_STR("System.String"));
    if (t == NULL)
        return MED_FAIL(c->err, MED_ISSUE_TOO_COSTLY, "more than %d types", TYPES_MAX);
    t->kind = MED_TYPE_PRIMITIVE;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return med_str_compare(((const med_source_type *)a)->name, ((const med_source_type *)b)->name);
}

uint16_t med_type_list_find(const med_type_list *list, med_str name)
{
    med_source_type key = {.name = name};
    const med_source_type *t = bsearch(&key, list->at, list->n, sizeof key, by_name);
    return t == NULL ? MED_TYPE_NONE : (uint16_t)(t - list->at);
}

bool med_type_list_collect(med_arena *a, const med_source *source, med_type_list *out, med_err *err)
{
    *out = (med_type_list){MED_TAKE(a, TYPES_MAX, med_source_type), 0};
    if (out->at == NULL)
        return MED_FAIL_MEMORY(err);
    struct collector c = {a, out, err};
    if (!collect(&c, &source->types) || !collect(&c, &source->resources) || !add_system_string(&c))
        return false;
    qsort(out->at, out->n, sizeof *out->at, by_name);
    return true;
}
