/* fhirpath_patch.c - https://hl7.org/fhir/R4/fhirpatch.html
 *
 * Each operation's path is evaluated on the document as the operations before it left it. */
#include "fhir/fhirpath_patch.h"

#include "base/json_edit.h"
#include "fhir/json_patch.h"
#include "model/fhirpath.h"

typedef struct operation {
    med_str type, path, name;
    uint32_t value; /* node in the patch: value[x] of the part, or its parts; 0 if none */
    bool value_is_parts;
    int64_t index, source, destination; /* -1 if not given */
} operation;

typedef struct patching {
    med_arena *arena;
    const med_pack *pack;
    const med_json *patch;
    med_json doc;
} patching;

/* ---- reading the Parameters ---- */

/* The node of the part's value[x]; 0 if it has none. */
static uint32_t value_node(const med_json *j, uint32_t part)
{
    for (uint32_t k = part + 1; k < j->nodes[part].next; k = j->nodes[k + 1].next) {
        if (med_str_starts(med_json_raw(j, k), MED_STR("value")))
            return k + 1;
    }
    return 0;
}

static bool take_part(const patching *p, uint32_t part, operation *o, med_err *err)
{
    const med_json *j = p->patch;
    uint32_t name = med_json_member(j, part, MED_STR("name")), value = value_node(j, part);
    med_str what = name == 0 ? MED_STR_EMPTY : med_json_raw(j, name);
    const struct {
        const char *name;
        med_str *to;
    } texts[] = {{"type", &o->type}, {"path", &o->path}, {"name", &o->name}};
    const struct {
        const char *name;
        int64_t *to;
    } numbers[] = {{"index", &o->index}, {"source", &o->source}, {"destination", &o->destination}};
    if (med_str_eqz(what, "value")) {
        uint32_t parts = med_json_member(j, part, MED_STR("part"));
        o->value_is_parts = value == 0;
        o->value = value != 0 ? value : parts;
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        if (med_str_eqz(what, texts[i].name) && value != 0)
            return med_json_string(p->arena, j, value, texts[i].to) ? true : MED_FAIL_MEMORY(err);
        if (med_str_eqz(what, numbers[i].name) && value != 0)
            return med_str_to_int64(med_json_raw(j, value), numbers[i].to)
                       ? true
                       : MED_FAIL(err, MED_ISSUE_INVALID, "%s must be an integer", numbers[i].name);
    }
    return MED_FAIL(
        err, MED_ISSUE_INVALID,
        "a part of an operation is type, path, name, value, index, source or destination");
}

static bool take_operation(const patching *p, uint32_t parameter, operation *o, med_err *err)
{
    const med_json *j = p->patch;
    uint32_t name = med_json_member(j, parameter, MED_STR("name"));
    uint32_t parts = med_json_member(j, parameter, MED_STR("part"));
    *o = (operation){MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY, 0, false, -1, -1, -1};
    if (name == 0 || !med_str_eqz(med_json_raw(j, name), "operation") || parts == 0
        || med_json_kind_at(j, parts) != MED_JSON_ARRAY)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "each parameter must be named 'operation' and have parts");
    for (uint32_t e = parts + 1; e < j->nodes[parts].next; e = j->nodes[e].next) {
        if (!take_part(p, e, o, err))
            return false;
    }
    return o->path.len > 0 && o->type.len > 0
               ? true
               : MED_FAIL(err, MED_ISSUE_INVALID, "an operation needs type and path");
}

/* ---- values ---- */

/* JSON of a value given as parts (a BackboneElement): each part is a member; parts of one name
 * are one array. Depth is that of the patch's tape. */
static bool write_parts(const patching *p, uint32_t parts, med_type type, med_buf *out, int depth,
                        med_err *err);

/* NOLINTBEGIN(misc-no-recursion): depth <= MED_JSON_DEPTH, checked in write_part_value */
static bool write_part_value(const patching *p, uint32_t part, med_type type, med_buf *out,
                             int depth, med_err *err)
{
    uint32_t value = value_node(p->patch, part);
    uint32_t inner = med_json_member(p->patch, part, MED_STR("part"));
    if (value != 0) {
        med_json_write_min(out, p->patch, value);
        return true;
    }
    if (inner == 0 || depth > MED_JSON_DEPTH)
        return MED_FAIL(err, MED_ISSUE_INVALID, "a part of a value needs a value or parts");
    return write_parts(p, inner, type, out, depth + 1, err);
}

static med_str part_name(const med_json *j, uint32_t part)
{
    uint32_t name = med_json_member(j, part, MED_STR("name"));
    return name == 0 ? MED_STR_EMPTY : med_json_raw(j, name);
}

/* Is there a part of this name before `part`? Then it was written with the first. */
static bool seen_before(const med_json *j, uint32_t parts, uint32_t part)
{
    for (uint32_t e = parts + 1; e < part; e = j->nodes[e].next) {
        if (med_str_eq(part_name(j, e), part_name(j, part)))
            return true;
    }
    return false;
}

static bool write_named(const patching *p, uint32_t parts, uint32_t first,
                        const med_property *property, med_buf *out, int depth, med_err *err)
{
    const med_json *j = p->patch;
    med_str name = part_name(j, first);
    size_t n = 0;
    med_buf_addc(out, '"');
    med_buf_add(out, property->name);
    med_buf_addz(out, property->is_array ? "\":[" : "\":");
    for (uint32_t e = first; e < j->nodes[parts].next; e = j->nodes[e].next) {
        if (!med_str_eq(part_name(j, e), name))
            continue;
        if (n++ > 0 && !property->is_array)
            return MED_FAIL(err, MED_ISSUE_INVALID, "'%.*s' can not repeat", MED_STR_ARG(name));
        if (n > 1)
            med_buf_addc(out, ',');
        if (!write_part_value(p, e, property->type, out, depth, err))
            return false;
    }
    if (property->is_array)
        med_buf_addc(out, ']');
    return true;
}

/* A choice element is named without its type ("value"): the JSON name comes from value[x]. */
static bool find_property(const patching *p, med_type type, uint32_t part, med_property *out)
{
    med_str name = part_name(p->patch, part);
    if (med_type_property(p->pack, type, name, out))
        return true;
    uint32_t value = value_node(p->patch, part);
    if (value == 0)
        return false;
    med_str key = med_json_raw(p->patch, value - 1); /* "valueString" */
    med_str whole = med_arena_printf(p->arena, "%.*s%.*s", MED_STR_ARG(name),
                                     MED_STR_ARG(med_str_skip(key, sizeof "value" - 1)));
    return med_type_property(p->pack, type, whole, out);
}

static bool write_parts(const patching *p, uint32_t parts, med_type type, med_buf *out, int depth,
                        med_err *err)
{
    const med_json *j = p->patch;
    bool first = true;
    med_buf_addc(out, '{');
    for (uint32_t e = parts + 1; e < j->nodes[parts].next; e = j->nodes[e].next) {
        med_property property;
        if (seen_before(j, parts, e))
            continue;
        if (type == MED_TYPE_NONE || !find_property(p, type, e, &property))
            return MED_FAIL(err, MED_ISSUE_INVALID, "the element has no '%.*s'",
                            MED_STR_ARG(part_name(j, e)));
        if (!first)
            med_buf_addc(out, ',');
        first = false;
        if (!write_named(p, parts, e, &property, out, depth, err))
            return false;
    }
    med_buf_addc(out, '}');
    return true;
}
/* NOLINTEND(misc-no-recursion) */

static bool value_text(const patching *p, const operation *o, med_type type, med_str *out,
                       med_err *err)
{
    med_buf buf;
    bool ok = true;
    if (o->value == 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "the operation needs a value");
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    if (o->value_is_parts)
        ok = write_parts(p, o->value, type, &buf, 0, err);
    else
        med_json_write_min(&buf, p->patch, o->value);
    if (ok && (buf.failed || !med_arena_copy(p->arena, med_buf_str(&buf), out)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    return ok;
}

/* ---- places ---- */

static bool evaluate(patching *p, med_str path, med_values *out, med_err *err)
{
    const med_fhirpath *program;
    med_value resource;
    med_fhirpath_env env = {0};
    return med_value_of_resource(p->pack, &p->doc, 0, &resource, err)
           && med_fhirpath_compile(p->arena, p->pack, path, resource.type, &program, err)
           && med_fhirpath_run(p->arena, p->pack, program, &env, &resource, &resource, out, err);
}

/* The one element a path leads to. */
static bool find_one(patching *p, med_str path, med_value *out, bool *found, med_err *err)
{
    med_values v;
    if (!evaluate(p, path, &v, err))
        return false;
    *found = v.n > 0;
    if (v.n > 1)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the path leads to %zu elements, not to one",
                        v.n);
    if (v.n == 0)
        return true;
    bool only_extension = v.at[0].node == 0 && v.at[0].extension != 0;
    if (v.at[0].kind != MED_VALUE_NODE || only_extension)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the path leads to no element of the resource");
    *out = v.at[0];
    return true;
}

static bool must_find(patching *p, med_str path, med_value *out, med_err *err)
{
    bool found = false;
    if (!find_one(p, path, out, &found, err))
        return false;
    return found ? true : MED_FAIL(err, MED_ISSUE_PROCESSING, "the path leads to nothing");
}

static bool apply_edits(patching *p, const med_json_edit *edits, size_t n, med_err *err)
{
    med_buf buf;
    med_str text = MED_STR_EMPTY;
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    bool ok = med_json_edit_apply(p->arena, &p->doc, 0, edits, n, &buf, err);
    if (ok && (buf.failed || !med_arena_copy(p->arena, med_buf_str(&buf), &text)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    return ok && med_json_parse(p->arena, text, &p->doc, NULL, err);
}

/* ---- operations ---- */

/* The property "name" of the element, by the value's type where it is a choice. */
static bool property_of(const patching *p, const operation *o, med_type type, med_property *out,
                        med_err *err)
{
    if (med_type_property(p->pack, type, o->name, out))
        return true;
    if (o->value != 0 && !o->value_is_parts) {
        med_str key = med_json_raw(p->patch, o->value - 1);
        med_str whole = med_arena_printf(p->arena, "%.*s%.*s", MED_STR_ARG(o->name),
                                         MED_STR_ARG(med_str_skip(key, sizeof "value" - 1)));
        if (med_type_property(p->pack, type, whole, out))
            return true;
    }
    return MED_FAIL(err, MED_ISSUE_PROCESSING, "%.*s has no element '%.*s'",
                    MED_STR_ARG(med_type_name(p->pack, type)), MED_STR_ARG(o->name));
}

static bool do_add(patching *p, const operation *o, med_err *err)
{
    med_value at;
    med_property property;
    med_str value;
    if (!must_find(p, o->path, &at, err) || !property_of(p, o, at.type, &property, err)
        || !value_text(p, o, property.type, &value, err))
        return false;
    uint32_t there = med_json_member(&p->doc, at.node, property.name);
    if (there != 0 && !property.is_array)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "'%.*s' is there already and can not repeat",
                        MED_STR_ARG(property.name));
    med_json_edit e = {there, MED_JSON_INSERT_LAST, MED_STR_EMPTY, value};
    if (there == 0) {
        e = (med_json_edit){at.node, MED_JSON_INSERT_LAST, property.name, value};
        if (property.is_array)
            e.text = med_arena_printf(p->arena, "[%.*s]", MED_STR_ARG(value));
    }
    return apply_edits(p, &e, 1, err);
}

/* The array a path names: its first element's container. */
static bool find_list(patching *p, med_str path, uint32_t *list, med_values *items, med_err *err)
{
    if (!evaluate(p, path, items, err))
        return false;
    if (items->n == 0 || items->at[0].kind != MED_VALUE_NODE || items->at[0].node == 0)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the path leads to no list");
    uint32_t first = items->at[0].node;
    *list = first - 1;
    if (first == 0 || med_json_kind_at(&p->doc, *list) != MED_JSON_ARRAY
        || p->doc.nodes[*list].count != items->n)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the path does not name one whole list");
    return true;
}

static bool do_insert(patching *p, const operation *o, med_err *err)
{
    uint32_t list;
    med_values items;
    med_str value;
    if (!find_list(p, o->path, &list, &items, err)
        || !value_text(p, o, items.at[0].type, &value, err))
        return false;
    if (o->index < 0 || (size_t)o->index > items.n)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "index must lie between 0 and %zu", items.n);
    med_json_edit e = {list, MED_JSON_INSERT_LAST, MED_STR_EMPTY, value};
    if ((size_t)o->index < items.n)
        e = (med_json_edit){items.at[o->index].node, MED_JSON_INSERT_BEFORE, MED_STR_EMPTY, value};
    return apply_edits(p, &e, 1, err);
}

/* The node whose removal leaves nothing empty behind: the array of a last element, too. */
static uint32_t removable(const med_json *j, uint32_t node)
{
    bool lone = node > 0 && med_json_kind_at(j, node - 1) == MED_JSON_ARRAY
                && j->nodes[node - 1].count == 1 && j->nodes[node - 1].next == j->nodes[node].next;
    return lone ? node - 1 : node;
}

static bool do_delete(patching *p, const operation *o, med_err *err)
{
    med_value at;
    bool found = false;
    if (!find_one(p, o->path, &at, &found, err))
        return false;
    if (!found)
        return true; /* R4: deleting what is not there is no error */
    if (at.node == 0)
        return MED_FAIL(err, MED_ISSUE_PROCESSING, "the resource itself can not be removed");
    med_json_edit edits[2] = {
        {removable(&p->doc, at.node), MED_JSON_REMOVE, MED_STR_EMPTY, MED_STR_EMPTY},
        {at.extension, MED_JSON_REMOVE, MED_STR_EMPTY, MED_STR_EMPTY}};
    return apply_edits(p, edits, at.extension != 0 ? 2 : 1, err);
}

static bool do_replace(patching *p, const operation *o, med_err *err)
{
    med_value at;
    med_str value;
    if (!must_find(p, o->path, &at, err) || !value_text(p, o, at.type, &value, err))
        return false;
    med_json_edit e = {at.node, MED_JSON_REPLACE, MED_STR_EMPTY, value};
    return apply_edits(p, &e, 1, err);
}

static bool do_move(patching *p, const operation *o, med_err *err)
{
    uint32_t list;
    med_values items;
    if (!find_list(p, o->path, &list, &items, err))
        return false;
    int64_t n = (int64_t)items.n;
    if (o->source < 0 || o->source >= n || o->destination < 0 || o->destination >= n)
        return MED_FAIL(err, MED_ISSUE_PROCESSING,
                        "source and destination must lie between 0 and %zu", items.n - 1);
    if (o->source == o->destination)
        return true;
    uint32_t from = items.at[o->source].node, to = items.at[o->destination].node;
    med_str text;
    if (!med_arena_copy(p->arena, med_json_span(&p->doc, from), &text))
        return MED_FAIL_MEMORY(err);
    med_json_edit edits[2] = {
        {from, MED_JSON_REMOVE, MED_STR_EMPTY, MED_STR_EMPTY},
        {to, o->source < o->destination ? MED_JSON_INSERT_AFTER : MED_JSON_INSERT_BEFORE,
         MED_STR_EMPTY, text}};
    return apply_edits(p, edits, 2, err);
}

static bool apply_one(patching *p, const operation *o, med_err *err)
{
    static const struct {
        const char *type;
        bool (*run)(patching *p, const operation *o, med_err *err);
    } known[] = {{"add", do_add},
                 {"insert", do_insert},
                 {"delete", do_delete},
                 {"replace", do_replace},
                 {"move", do_move}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (med_str_eqz(o->type, known[i].type))
            return known[i].run(p, o, err);
    }
    return MED_FAIL(err, MED_ISSUE_INVALID, "type must be add, insert, delete, replace or move");
}

static bool apply_all(patching *p, uint32_t list, med_err *err)
{
    size_t n = 0;
    for (uint32_t e = list + 1; e < p->patch->nodes[list].next; e = p->patch->nodes[e].next, n++) {
        operation o;
        med_err why = {0};
        if (take_operation(p, e, &o, &why) && apply_one(p, &o, &why))
            continue;
        *err = why;
        return MED_FAIL(err, why.issue, "operation %zu: %.200s", n, why.text);
    }
    return true;
}

bool med_fhirpath_patch_apply(med_arena *a, const med_pack *p, const med_json *patch, uint32_t root,
                              med_str text, med_str *out, med_err *err)
{
    patching q = {.arena = a, .pack = p, .patch = patch};
    uint32_t list = med_json_kind_at(patch, root) == MED_JSON_OBJECT
                        ? med_json_member(patch, root, MED_STR("parameter"))
                        : 0;
    if (list == 0 || med_json_kind_at(patch, list) != MED_JSON_ARRAY)
        return MED_FAIL(
            err, MED_ISSUE_INVALID,
            "a FHIRPath Patch is a Parameters resource with parameters named 'operation'");
    if (patch->nodes[list].count > MED_PATCH_OPERATIONS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d operations", MED_PATCH_OPERATIONS);
    if (!med_json_parse(a, text, &q.doc, NULL, err) || !apply_all(&q, list, err))
        return false;
    *out = q.doc.text;
    return true;
}
