/* type_compiler.c - see type_compiler.h.
 *
 * The types come sorted by name (type_source.h), so that a name is a number; their rows are
 * written in that order. */
#include "model/compile/type_compiler.h"

#include <stdlib.h>

#include "model/compile/code_compiler.h"
#include "model/compile/type_source.h"

enum { BINDINGS_MAX = 8192 };

struct compiler {
    med_pack_writer *w;
    med_arena *a;
    const med_source *source;
    med_type_list types;
    med_str *value_sets; /* of bindings that are checked, sorted */
    uint32_t *value_set_rows;
    size_t n_value_sets;
    med_err *err;
};

/* ---- value sets of bindings ---- */

static med_str without_version(med_str canonical)
{
    return med_str_sub(canonical, 0, med_str_find(canonical, '|', 0));
}

static bool is_single_code(const struct compiler *c, const med_source_type *t,
                           const med_source_element *e)
{
    uint32_t end = 0;
    uint32_t type = med_source_first(t->j, e->node, "type", &end);
    return type < end && t->j->nodes[type].next == end
           && med_str_eqz(med_source_text(c->a, t->j, type, "code"), "code");
}

static med_str code_binding(const struct compiler *c, const med_source_type *t,
                            const med_source_element *e)
{
    if (!med_str_eqz(med_source_path(c->a, t->j, e->node, "binding.strength"), "required")
        || !is_single_code(c, t, e))
        return MED_STR_EMPTY;
    return without_version(med_source_path(c->a, t->j, e->node, "binding.valueSet"));
}

/* Of concepts: what is extensible is looked up, too. */
static med_str concept_binding(const struct compiler *c, const med_source_type *t,
                               const med_source_element *e)
{
    med_str strength = med_source_path(c->a, t->j, e->node, "binding.strength");
    if (!med_str_eqz(strength, "required") && !med_str_eqz(strength, "extensible"))
        return MED_STR_EMPTY;
    return without_version(med_source_path(c->a, t->j, e->node, "binding.valueSet"));
}

static med_str max_value_set(const struct compiler *c, const med_source_type *t,
                             const med_source_element *e)
{
    uint32_t binding = med_json_member(t->j, e->node, MED_STR("binding"));
    uint32_t end = 0;
    if (binding == 0)
        return MED_STR_EMPTY;
    for (uint32_t i = med_source_first(t->j, binding, "extension", &end); i < end;
         i = t->j->nodes[i].next) {
        if (med_str_ends(med_source_text(c->a, t->j, i, "url"), MED_STR("-maxValueSet")))
            return without_version(med_source_text(c->a, t->j, i, "valueCanonical"));
    }
    return MED_STR_EMPTY;
}

static int by_text(const void *a, const void *b)
{
    return med_str_compare(*(const med_str *)a, *(const med_str *)b);
}

static bool collect_value_sets(struct compiler *c)
{
    med_str *all = c->value_sets = MED_TAKE(c->a, BINDINGS_MAX, med_str);
    size_t n = 0;
    for (size_t i = 0; i < c->types.n; i++) {
        for (const med_source_element *e = c->types.at[i].first; e != NULL; e = e->next) {
            med_str url = concept_binding(c, &c->types.at[i], e);
            if (url.len > 0 && n < BINDINGS_MAX)
                all[n++] = url;
        }
    }
    qsort(all, n, sizeof *all, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !med_str_eq(all[i], all[i - 1]))
            all[c->n_value_sets++] = all[i];
    }
    c->value_set_rows = MED_TAKE(c->a, c->n_value_sets, uint32_t);
    return c->value_set_rows != NULL
           && med_codes_compile(c->w, &c->source->expansions, all, c->n_value_sets,
                                c->value_set_rows, c->err);
}

static uint32_t codes_of(const struct compiler *c, med_str url)
{
    const med_str *hit = bsearch(&url, c->value_sets, c->n_value_sets, sizeof url, by_text);
    return hit == NULL ? PACK_NONE : c->value_set_rows[hit - c->value_sets];
}

/* ---- invariants ---- */

static bool has_invariant(struct compiler *c, struct pack_range range, struct pack_str key)
{
    for (uint32_t i = 0; i < range.n; i++) {
        const struct pack_invariant *r =
            med_pack_writer_row(c->w, PACK_INVARIANTS, range.first + i);
        if (r->key.at == key.at)
            return true;
    }
    return false;
}

/* Those of an ElementDefinition, except `known` ones. */
static struct pack_range add_invariants(struct compiler *c, const med_json *j, uint32_t node,
                                        med_str path, struct pack_range known)
{
    struct pack_range range = {med_pack_writer_count(c->w, PACK_INVARIANTS), 0};
    uint32_t end = 0;
    for (uint32_t i = med_source_first(j, node, "constraint", &end); i < end;
         i = j->nodes[i].next) {
        struct pack_invariant row = {
            .key = med_pack_writer_string(c->w, med_source_text(c->a, j, i, "key")),
            .human = med_pack_writer_string(c->w, med_source_text(c->a, j, i, "human")),
            .expression = med_pack_writer_string(c->w, med_source_text(c->a, j, i, "expression")),
            .path = med_pack_writer_string(c->w, path),
            .is_warning = !med_str_eqz(med_source_text(c->a, j, i, "severity"), "error"),
        };
        if (has_invariant(c, known, row.key))
            continue;
        (void)MED_PACK_ADD(c->w, PACK_INVARIANTS, &row);
        range.n++;
    }
    return range;
}

/* ---- primitives ---- */

static enum med_primitive primitive_of(med_str name)
{
    static const struct {
        const char *name;
        enum med_primitive primitive;
    } all[] = {
        {"boolean", MED_PRIMITIVE_BOOLEAN},
        {"integer", MED_PRIMITIVE_INTEGER},
        {"unsignedInt", MED_PRIMITIVE_UNSIGNED_INT},
        {"positiveInt", MED_PRIMITIVE_POSITIVE_INT},
        {"decimal", MED_PRIMITIVE_DECIMAL},
        {"string", MED_PRIMITIVE_STRING},
        {"markdown", MED_PRIMITIVE_MARKDOWN},
        {"code", MED_PRIMITIVE_CODE},
        {"id", MED_PRIMITIVE_ID},
        {"uri", MED_PRIMITIVE_URI},
        {"url", MED_PRIMITIVE_URL},
        {"canonical", MED_PRIMITIVE_CANONICAL},
        {"oid", MED_PRIMITIVE_OID},
        {"uuid", MED_PRIMITIVE_UUID},
        {"base64Binary", MED_PRIMITIVE_BASE64},
        {"date", MED_PRIMITIVE_DATE},
        {"dateTime", MED_PRIMITIVE_DATETIME},
        {"instant", MED_PRIMITIVE_INSTANT},
        {"time", MED_PRIMITIVE_TIME},
        {"xhtml", MED_PRIMITIVE_XHTML},
        {"System.String", MED_PRIMITIVE_FHIRPATH_STRING},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (med_str_eqz(name, all[i].name))
            return all[i].primitive;
    }
    return MED_PRIMITIVE_NONE;
}

/* ---- elements and properties ---- */

static uint16_t cardinality(med_str max)
{
    int64_t n = 0;
    if (med_str_eqz(max, "*") || !med_str_to_int64(max, &n) || n < 0 || n >= MED_MAX_UNBOUNDED)
        return MED_MAX_UNBOUNDED;
    return (uint16_t)n;
}

static uint16_t minimum(const med_source_type *t, const med_source_element *e)
{
    uint32_t node = med_json_member(t->j, e->node, MED_STR("min"));
    int64_t n = 0;
    return node != 0 && med_str_to_int64(med_json_raw(t->j, node), &n) ? (uint16_t)n : 0;
}

static uint8_t strength(med_str code)
{
    static const char *const all[] = {"", "example", "preferred", "extensible", "required"};
    for (uint8_t i = 1; i < 5; i++) {
        if (med_str_eqz(code, all[i]))
            return i;
    }
    return 0;
}

/* The type of an element's value for one of its type codes. */
static uint16_t value_type(const struct compiler *c, const med_source_type *t,
                           const med_source_element *e, med_str code)
{
    uint16_t backbone = med_type_list_find(&c->types, e->path);
    if (backbone != MED_TYPE_NONE)
        return backbone;
    if (med_str_starts(code, MED_STR("http://hl7.org/fhirpath/"))) {
        /* R4 says System.String of Resource.id, too; its text says id. */
        bool is_resource_id = t->kind == MED_TYPE_RESOURCE && med_str_eqz(e->name, "id");
        return med_type_list_find(&c->types,
                                  is_resource_id ? MED_STR("id") : MED_STR("System.String"));
    }
    return med_type_list_find(&c->types, code);
}

static med_str choice_name(struct compiler *c, const med_source_element *e, med_str code)
{
    med_str name = med_arena_printf(c->a, "%.*s%.*s", MED_STR_ARG(e->name), MED_STR_ARG(code));
    char *first = MED_TAKE(c->a, name.len + 1, char);
    if (first == NULL || code.len == 0)
        return name;
    memcpy(first, name.ptr, name.len);
    if (med_is_lower(first[e->name.len]))
        first[e->name.len] = (char)(first[e->name.len] - 'a' + 'A');
    return (med_str){first, name.len};
}

static bool add_property(struct compiler *c, const med_source_type *t, const med_source_element *e,
                         size_t element, med_str code, bool is_array)
{
    med_str name = e->is_choice ? choice_name(c, e, code) : e->name;
    struct pack_property row = {
        .name = med_pack_writer_name(c->w, name),
        .type = value_type(c, t, e, code),
        .element = (uint16_t)element,
        .is_array = is_array,
    };
    if (row.type == MED_TYPE_NONE || name.len > PACK_NAME)
        return MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "%.*s is of unknown type %.*s",
                        MED_STR_ARG(e->path), MED_STR_ARG(code));
    const struct pack_type *type = med_pack_writer_row(c->w, PACK_TYPES, row.type);
    row.primitive = type->primitive;
    (void)MED_PACK_ADD(c->w, PACK_PROPERTIES, &row);
    return true;
}

static bool add_properties(struct compiler *c, const med_source_type *t,
                           const med_source_element *e, size_t element, bool is_array)
{
    med_str content = med_source_text(c->a, t->j, e->node, "contentReference");
    if (content.len > 0) {
        uint16_t type = med_type_list_find(&c->types, med_str_skip(content, 1));
        struct pack_property row = {
            .name = med_pack_writer_name(c->w, e->name),
            .type = type,
            .element = (uint16_t)element,
            .is_array = is_array,
        };
        (void)MED_PACK_ADD(c->w, PACK_PROPERTIES, &row);
        return type != MED_TYPE_NONE
               || MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "%.*s refers to nothing",
                           MED_STR_ARG(e->path));
    }
    uint32_t end = 0;
    for (uint32_t i = med_source_first(t->j, e->node, "type", &end); i < end;
         i = t->j->nodes[i].next) {
        if (!add_property(c, t, e, element, med_source_text(c->a, t->j, i, "code"), is_array))
            return false;
    }
    return true;
}

/* Resource types that the references of an element may name. None when any is unknown. */
static struct pack_range add_targets(struct compiler *c, const med_source_type *t,
                                     const med_source_element *e)
{
    struct pack_range range = {med_pack_writer_count(c->w, PACK_TYPE_LIST), 0};
    uint32_t end = 0;
    for (uint32_t i = med_source_first(t->j, e->node, "type", &end); i < end;
         i = t->j->nodes[i].next) {
        uint32_t last = 0;
        for (uint32_t k = med_source_first(t->j, i, "targetProfile", &last); k < last;
             k = t->j->nodes[k].next) {
            med_type target =
                med_type_list_find(&c->types, med_structure_name(med_json_raw(t->j, k)));
            if (target == MED_TYPE_NONE)
                return (struct pack_range){range.first, 0};
            (void)MED_PACK_ADD(c->w, PACK_TYPE_LIST, &target);
            range.n++;
        }
    }
    return range;
}

/* Invariants that every value of the element's type obeys anyway. */
static struct pack_range invariants_of_value(struct compiler *c, uint32_t property)
{
    const struct pack_property *p = med_pack_writer_row(c->w, PACK_PROPERTIES, property);
    const struct pack_type *t = med_pack_writer_row(c->w, PACK_TYPES, p->type);
    return t->invariants;
}

static bool write_element(struct compiler *c, const med_source_type *t, const med_source_element *e,
                          size_t index)
{
    const med_json *j = t->j;
    med_str base_max = med_source_path(c->a, j, e->node, "base.max");
    med_str max = med_source_text(c->a, j, e->node, "max");
    bool is_array = cardinality(base_max.len > 0 ? base_max : max) != 1;
    struct pack_element row = {
        .name = med_pack_writer_string(c->w, e->name),
        .path = med_pack_writer_string(c->w, e->path),
        .value_set = med_pack_writer_string(
            c->w, without_version(med_source_path(c->a, j, e->node, "binding.valueSet"))),
        .min = minimum(t, e),
        .max = cardinality(max),
        .flags = (uint8_t)((e->is_choice ? PACK_ELEMENT_CHOICE : 0)
                           | (med_source_true(j, e->node, "isModifier") ? PACK_ELEMENT_MODIFIER : 0)
                           | (med_source_true(j, e->node, "isSummary") ? PACK_ELEMENT_SUMMARY : 0)
                           | (is_array ? PACK_ELEMENT_ARRAY : 0)),
        .binding = strength(med_source_path(c->a, j, e->node, "binding.strength")),
        .first_property = med_pack_writer_count(c->w, PACK_PROPERTIES),
        .codes = PACK_NONE,
        .bound = PACK_NONE,
        .max_value_set = med_pack_writer_string(c->w, max_value_set(c, t, e)),
    };
    if (!add_properties(c, t, e, index, is_array))
        return false;
    row.n_properties =
        (uint16_t)(med_pack_writer_count(c->w, PACK_PROPERTIES) - row.first_property);
    row.targets = add_targets(c, t, e);
    med_str codes = code_binding(c, t, e);
    if (codes.len > 0)
        row.codes = codes_of(c, codes);
    codes = concept_binding(c, t, e);
    if (codes.len > 0)
        row.bound = codes_of(c, codes);
    (void)MED_PACK_ADD(c->w, PACK_ELEMENT_ROWS, &row);
    return true;
}

static bool is_required(struct compiler *c, uint32_t element)
{
    const struct pack_element *e = med_pack_writer_row(c->w, PACK_ELEMENT_ROWS, element);
    return e->min > 0;
}

static struct pack_range add_required(struct compiler *c, uint32_t first, size_t n)
{
    struct pack_range range = {med_pack_writer_count(c->w, PACK_REQUIRED), 0};
    for (uint32_t i = 0; i < n; i++) {
        uint16_t element = (uint16_t)i;
        if (!is_required(c, first + i))
            continue;
        (void)MED_PACK_ADD(c->w, PACK_REQUIRED, &element);
        range.n++;
    }
    return range;
}

static struct pack_table property_table(struct compiler *c, struct pack_range properties)
{
    med_str *names = MED_TAKE(c->a, properties.n, med_str);
    if (names == NULL) {
        c->w->failed = true;
        return (struct pack_table){0, 0};
    }
    for (uint32_t i = 0; i < properties.n; i++) {
        const struct pack_property *p =
            med_pack_writer_row(c->w, PACK_PROPERTIES, properties.first + i);
        names[i] = med_pack_writer_text(c->w, p->name.text);
    }
    return med_pack_writer_table(c->w, names, properties.n);
}

/* A type without its elements, so that invariants_of_value finds the invariants of all. */
static void begin_type(struct compiler *c, const med_source_type *t)
{
    struct pack_range none = {0, 0};
    struct pack_type row = {
        .name = med_pack_writer_string(c->w, t->name),
        .base = med_type_list_find(&c->types, t->base),
        .kind = (uint8_t)t->kind,
        .primitive =
            (uint8_t)(t->kind == MED_TYPE_PRIMITIVE ? primitive_of(t->name) : MED_PRIMITIVE_NONE),
        .flags = t->is_abstract ? PACK_TYPE_ABSTRACT : 0,
        .n_elements = (uint16_t)t->n,
        .root = PACK_NONE,
    };
    if (t->definition != 0)
        row.invariants = add_invariants(c, t->j, t->definition, t->name, none);
    (void)MED_PACK_ADD(c->w, PACK_TYPES, &row);
}

static bool end_type(struct compiler *c, const med_source_type *t, uint32_t number)
{
    uint32_t first = med_pack_writer_count(c->w, PACK_ELEMENT_ROWS);
    struct pack_range properties = {med_pack_writer_count(c->w, PACK_PROPERTIES), 0};
    if (t->n > PACK_ELEMENTS)
        return MED_FAIL(c->err, MED_ISSUE_TOO_COSTLY, "%.*s has more than %d elements",
                        MED_STR_ARG(t->name), PACK_ELEMENTS);
    size_t index = 0;
    for (const med_source_element *e = t->first; e != NULL; e = e->next) {
        if (!write_element(c, t, e, index++))
            return false;
    }
    properties.n = med_pack_writer_count(c->w, PACK_PROPERTIES) - properties.first;
    struct pack_range required = add_required(c, first, t->n);
    struct pack_table table = property_table(c, properties);
    struct pack_type *row = med_pack_writer_row(c->w, PACK_TYPES, number);
    row->first_element = first;
    row->properties = properties;
    row->required = required;
    row->property_names = table;
    return true;
}

/* Invariants of elements come last: they leave out what the value's type has. */
static void add_element_invariants(struct compiler *c, const med_source_type *t, uint32_t number)
{
    const struct pack_type *type = med_pack_writer_row(c->w, PACK_TYPES, number);
    uint32_t at = type->first_element;
    for (const med_source_element *e = t->first; e != NULL; e = e->next, at++) {
        struct pack_element *row = med_pack_writer_row(c->w, PACK_ELEMENT_ROWS, at);
        struct pack_range known = invariants_of_value(c, row->first_property);
        row->invariants = add_invariants(c, t->j, e->node, e->path, known);
    }
}

/* ---- the whole ---- */

static bool write_types(struct compiler *c)
{
    for (size_t i = 0; i < c->types.n; i++)
        begin_type(c, &c->types.at[i]);
    for (uint32_t i = 0; i < c->types.n; i++) {
        if (!end_type(c, &c->types.at[i], i))
            return false;
    }
    for (uint32_t i = 0; i < c->types.n; i++)
        add_element_invariants(c, &c->types.at[i], i);
    return true;
}

static bool write_header(struct compiler *c)
{
    struct med_pack *h = &c->w->header;
    med_str *names = MED_TAKE(c->a, c->types.n, med_str);
    if (names == NULL)
        return MED_FAIL_MEMORY(c->err);
    h->resources.first = med_pack_writer_count(c->w, PACK_TYPE_LIST);
    for (size_t i = 0; i < c->types.n; i++) {
        const med_source_type *t = &c->types.at[i];
        names[i] = t->name;
        if (t->kind == MED_TYPE_RESOURCE && !t->is_abstract) {
            med_type number = (med_type)i;
            (void)MED_PACK_ADD(c->w, PACK_TYPE_LIST, &number);
            h->resources.n++;
        }
    }
    h->type_names = med_pack_writer_table(c->w, names, c->types.n);
    h->resource_type = med_type_list_find(&c->types, MED_STR("Resource"));
    h->reference_type = med_type_list_find(&c->types, MED_STR("Reference"));
    h->extension_type = med_type_list_find(&c->types, MED_STR("Extension"));
    return true;
}

bool med_types_compile(med_pack_writer *w, const med_source *source, med_err *err)
{
    struct compiler c = {.w = w, .a = w->arena, .source = source, .err = err};
    return med_type_list_collect(c.a, source, &c.types, err) && collect_value_sets(&c)
           && write_types(&c) && write_header(&c);
}
