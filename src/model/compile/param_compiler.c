/* param_compiler.c - see param_compiler.h. */
#include "model/compile/param_compiler.h"

#include <stdlib.h>

#include "model/compile/path_compiler.h"
#include "model/compile/trie.h"

enum { PARAMS_MAX = 8192, LISTED_MAX = 2048, BASES_MAX = 256, COMPONENTS_MAX = 16 };
#define SEARCH_PARAMETER_URL "http://hl7.org/fhir/SearchParameter/"

enum outcome { WALKED, FHIRPATH, NONE };

struct param {
    uint32_t node; /* in source->params */
    med_str id, url, code, expression;
    enum med_param_type type;
    med_type bases[BASES_MAX];
    size_t n_bases;
    const char *why_not; /* NULL: it can be extracted */
};

/* A line of the list. */
struct listed {
    enum outcome outcome;
    med_str id, type;
    bool used;
};

struct compiler {
    med_pack_writer *w;
    med_arena *a;
    const med_pack *p;
    const med_source *source;
    struct param *params; /* sorted by url: their numbers */
    size_t n_params;
    struct listed *listed;
    size_t n_listed;
    med_param_report *report;
    med_err *err;
};

/* ---- the list of what is not compiled ---- */

static bool read_line(struct compiler *c, med_str line)
{
    line = med_str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return true;
    med_str rest = line;
    med_str outcome = med_str_cut(rest, ' ', &rest);
    struct listed row = {.id = med_str_cut(med_str_trim(rest), ' ', &rest)};
    row.type = med_str_cut(med_str_trim(rest), ' ', &rest);
    if (med_str_eqz(outcome, "none"))
        row.outcome = NONE;
    else if (med_str_eqz(outcome, "fhirpath"))
        row.outcome = FHIRPATH;
    else
        return MED_FAIL(c->err, MED_ISSUE_INVALID, "the list has a line that begins with '%.*s'",
                        MED_STR_ARG(outcome));
    if (med_str_trim(rest).len == 0 || c->n_listed == LISTED_MAX)
        return MED_FAIL(c->err, MED_ISSUE_INVALID, "%.*s is listed without a reason",
                        MED_STR_ARG(row.id));
    c->listed[c->n_listed++] = row;
    return true;
}

static bool read_list(struct compiler *c, med_str list)
{
    c->listed = MED_TAKE(c->a, LISTED_MAX, struct listed);
    if (c->listed == NULL)
        return MED_FAIL_MEMORY(c->err);
    while (list.len > 0) {
        if (!read_line(c, med_str_cut(list, '\n', &list)))
            return false;
    }
    return true;
}

/* Counts a pair, and reports it when the list does not expect what became of it. */
static void report_pair(struct compiler *c, const struct param *param, med_type type,
                        enum outcome outcome, const char *why)
{
    med_str name = med_type_name(c->p, type);
    c->report->n_pairs++;
    c->report->n_walked += outcome == WALKED;
    c->report->n_fhirpath += outcome == FHIRPATH;
    c->report->n_none += outcome == NONE;
    if (outcome == WALKED)
        return;
    for (size_t i = 0; i < c->n_listed; i++) {
        struct listed *l = &c->listed[i];
        if (l->outcome == outcome && med_str_eq(l->id, param->id)
            && (med_str_eqz(l->type, "*") || med_str_eq(l->type, name))) {
            l->used = true;
            return;
        }
    }
    c->report->n_faults++;
    med_buf_printf(&c->report->text, "%s %.*s %.*s %s\n", outcome == NONE ? "none" : "fhirpath",
                   MED_STR_ARG(param->id), MED_STR_ARG(name), why);
}

static void report_stale(struct compiler *c)
{
    for (size_t i = 0; i < c->n_listed; i++) {
        if (c->listed[i].used)
            continue;
        c->report->n_faults++;
        med_buf_printf(&c->report->text, "%.*s %.*s is listed but not met\n",
                       MED_STR_ARG(c->listed[i].id), MED_STR_ARG(c->listed[i].type));
    }
}

/* ---- reading the definitions ---- */

static bool param_type_of(med_str code, enum med_param_type *out)
{
    static const char *const all[] = {
        [MED_PARAM_NUMBER] = "number",       [MED_PARAM_DATE] = "date",
        [MED_PARAM_STRING] = "string",       [MED_PARAM_TOKEN] = "token",
        [MED_PARAM_REFERENCE] = "reference", [MED_PARAM_COMPOSITE] = "composite",
        [MED_PARAM_QUANTITY] = "quantity",   [MED_PARAM_URI] = "uri",
        [MED_PARAM_SPECIAL] = "special",
    };
    for (int i = 0; i <= MED_PARAM_SPECIAL; i++) {
        if (med_str_eqz(code, all[i])) {
            *out = (enum med_param_type)i;
            return true;
        }
    }
    return false;
}

static bool read_bases(struct compiler *c, struct param *param)
{
    const med_json *j = &c->source->params;
    uint32_t end = 0;
    for (uint32_t i = med_source_first(j, param->node, "base", &end); i < end;
         i = j->nodes[i].next) {
        med_type base = med_pack_type(c->p, med_json_raw(j, i));
        if (base == MED_TYPE_NONE || param->n_bases == BASES_MAX)
            return MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "%.*s has a base that is no resource",
                            MED_STR_ARG(param->id));
        param->bases[param->n_bases++] = base;
    }
    return true;
}

static bool read_param(struct compiler *c, uint32_t node)
{
    const med_json *j = &c->source->params;
    if (c->n_params == PARAMS_MAX)
        return MED_FAIL(c->err, MED_ISSUE_TOO_COSTLY, "more than %d parameters", PARAMS_MAX);
    struct param *param = &c->params[c->n_params++];
    *param = (struct param){
        .node = node,
        .id = med_source_text(c->a, j, node, "id"),
        .url = med_source_text(c->a, j, node, "url"),
        .code = med_source_text(c->a, j, node, "code"),
        .expression = med_source_text(c->a, j, node, "expression"),
    };
    if (!param_type_of(med_source_text(c->a, j, node, "type"), &param->type))
        return MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "%.*s has an unknown type",
                        MED_STR_ARG(param->id));
    if (param->type == MED_PARAM_SPECIAL)
        param->why_not = "its type is special: what it means is not said by an expression";
    else if (param->expression.len == 0)
        param->why_not = "its definition has no expression";
    return read_bases(c, param);
}

static int by_url(const void *a, const void *b)
{
    return med_str_compare(((const struct param *)a)->url, ((const struct param *)b)->url);
}

static bool read_params(struct compiler *c)
{
    c->params = MED_TAKE(c->a, PARAMS_MAX, struct param);
    if (c->params == NULL)
        return MED_FAIL_MEMORY(c->err);
    uint32_t entry = 0;
    for (uint32_t r; (r = med_source_next(&c->source->params, &entry)) != 0;) {
        if (!read_param(c, r))
            return false;
    }
    qsort(c->params, c->n_params, sizeof *c->params, by_url);
    c->report->n_params = c->n_params;
    return true;
}

static const struct param *param_by_url(const struct compiler *c, med_str url)
{
    struct param *key = MED_TAKE(c->a, 1, struct param);
    if (key == NULL)
        return NULL;
    key->url = url;
    return bsearch(key, c->params, c->n_params, sizeof *key, by_url);
}

/* ---- rows ---- */

static struct pack_range add_targets(struct compiler *c, const struct param *param)
{
    const med_json *j = &c->source->params;
    struct pack_range range = {med_pack_writer_count(c->w, PACK_TYPE_LIST), 0};
    uint32_t end = 0;
    for (uint32_t i = med_source_first(j, param->node, "target", &end); i < end;
         i = j->nodes[i].next) {
        med_type target = med_pack_type(c->p, med_json_raw(j, i));
        if (target == MED_TYPE_NONE)
            continue;
        (void)MED_PACK_ADD(c->w, PACK_TYPE_LIST, &target);
        range.n++;
    }
    return range;
}

static bool applies_to(const struct compiler *c, const struct param *param, med_type resource)
{
    for (size_t i = 0; i < param->n_bases; i++) {
        if (med_type_is_a(c->p, resource, param->bases[i]))
            return true;
    }
    return false;
}

/* Types of what a composite's own expression gives, over all its bases. */
static bool composite_types(struct compiler *c, const struct param *param, med_type *types,
                            size_t *n)
{
    *n = 0;
    for (size_t b = 0; b < param->n_bases; b++) {
        med_paths paths;
        if (!med_path_compile(c->a, c->p, param->expression, param->bases[b], &paths, c->err))
            return false;
        for (size_t i = 0; i < paths.n; i++) {
            size_t k = 0;
            while (k < *n && types[k] != paths.at[i].type)
                k++;
            if (k == *n && *n < BASES_MAX)
                types[(*n)++] = paths.at[i].type;
        }
    }
    return true;
}

static bool add_root(struct compiler *c, med_str expression, med_type type, uint32_t param,
                     struct pack_root *out)
{
    med_paths paths;
    med_trie trie;
    if (!med_path_compile(c->a, c->p, expression, type, &paths, c->err)
        || !med_trie_init(&trie, c->a, c->err))
        return false;
    for (size_t i = 0; i < paths.n; i++) {
        if (!med_trie_add(&trie, &paths.at[i], param, c->err))
            return false;
    }
    out->type = type;
    return med_trie_write(&trie, c->w, &out->branch, c->err);
}

/* One root a type: of the composite's elements, or of the resource when the component's
 * expression begins there. */
static bool add_component(struct compiler *c, const struct param *composite, uint32_t node,
                          struct pack_component *out)
{
    const med_json *j = &c->source->params;
    const struct param *part = param_by_url(c, med_source_text(c->a, j, node, "definition"));
    med_str expression = med_source_text(c->a, j, node, "expression");
    bool from_resource = med_str_starts(expression, MED_STR("%resource."));
    med_str path = med_str_skip(expression, from_resource ? strlen("%resource.") : 0);
    med_type types[BASES_MAX];
    struct pack_root roots[BASES_MAX];
    size_t n = composite->n_bases;
    memcpy(types, composite->bases, n * sizeof types[0]);
    if (part == NULL)
        return MED_FAIL(c->err, MED_ISSUE_NOT_FOUND, "a component names no known parameter");
    if (!from_resource && !composite_types(c, composite, types, &n))
        return false;
    out->param = (uint32_t)(part - c->params);
    out->expression = med_pack_writer_string(c->w, expression);
    for (size_t i = 0; i < n; i++) {
        roots[i].from_resource = from_resource;
        if (!add_root(c, path, types[i], out->param, &roots[i]))
            return false;
    }
    out->roots = (struct pack_range){med_pack_writer_count(c->w, PACK_ROOTS), (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        (void)MED_PACK_ADD(c->w, PACK_ROOTS, &roots[i]);
    return true;
}

/* The components of a composite. Without them it can not be searched. */
static bool add_components(struct compiler *c, struct param *param, struct pack_param *row)
{
    const med_json *j = &c->source->params;
    struct pack_component components[COMPONENTS_MAX];
    size_t n = 0;
    uint32_t end = 0;
    for (uint32_t i = med_source_first(j, param->node, "component", &end); i < end;
         i = j->nodes[i].next) {
        if (n == COMPONENTS_MAX)
            return MED_FAIL(c->err, MED_ISSUE_TOO_COSTLY, "too many components");
        if (!add_component(c, param, i, &components[n++]))
            return false;
    }
    row->components =
        (struct pack_range){med_pack_writer_count(c->w, PACK_COMPONENTS), (uint32_t)n};
    row->component_params =
        (struct pack_range){med_pack_writer_count(c->w, PACK_PARAM_LIST), (uint32_t)n};
    for (size_t i = 0; i < n; i++) {
        (void)MED_PACK_ADD(c->w, PACK_COMPONENTS, &components[i]);
        (void)MED_PACK_ADD(c->w, PACK_PARAM_LIST, &components[i].param);
    }
    return n > 0 || MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "a composite without components");
}

/* A composite whose parts do not compile is not compiled either: the list has to name it. */
static void add_param(struct compiler *c, struct param *param)
{
    struct pack_param row = {
        .code = med_pack_writer_string(c->w, param->code),
        .url = med_pack_writer_string(c->w, param->url),
        .expression = med_pack_writer_string(c->w, param->expression),
        .targets = add_targets(c, param),
        .type = param->type,
    };
    if (param->type == MED_PARAM_COMPOSITE && !add_components(c, param, &row))
        param->why_not = med_arena_printf(c->a, "component: %s", c->err->text).ptr;
    row.compiled = param->why_not == NULL;
    if (param->why_not != NULL)
        row.why_not = med_pack_writer_string(c->w, med_str_from(param->why_not));
    (void)MED_PACK_ADD(c->w, PACK_PARAMS, &row);
}

/* ---- one resource type ---- */

static enum outcome compile_pair(struct compiler *c, const struct param *param, med_type type,
                                 med_trie *trie)
{
    if (param->why_not != NULL) {
        report_pair(c, param, type, NONE, param->why_not);
        return NONE;
    }
    med_paths paths = {0};
    med_err err = {0};
    bool ok = med_path_compile(c->a, c->p, param->expression, type, &paths, &err);
    for (size_t i = 0; ok && i < paths.n; i++)
        ok = med_trie_add(trie, &paths.at[i], (uint32_t)(param - c->params), &err);
    if (ok && paths.n == 0)
        ok = MED_FAIL(&err, MED_ISSUE_NOT_FOUND, "its expression says nothing of this type");
    enum outcome outcome = ok ? WALKED : err.issue == MED_ISSUE_NOT_SUPPORTED ? FHIRPATH : NONE;
    report_pair(c, param, type, outcome, err.text);
    return outcome;
}

struct by_code {
    med_str code;
    uint32_t param;
};

static int by_code(const void *a, const void *b)
{
    return med_str_compare(((const struct by_code *)a)->code, ((const struct by_code *)b)->code);
}

/* Numbers of the parameters of a resource type, sorted by code. */
static bool params_of(struct compiler *c, med_type type, struct by_code *list, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < c->n_params; i++) {
        if (applies_to(c, &c->params[i], type))
            list[(*n)++] = (struct by_code){c->params[i].code, (uint32_t)i};
    }
    qsort(list, *n, sizeof *list, by_code);
    for (size_t i = 1; i < *n; i++) {
        if (med_str_eq(list[i].code, list[i - 1].code))
            return MED_FAIL(c->err, MED_ISSUE_DUPLICATE, "%.*s has two parameters '%.*s'",
                            MED_STR_ARG(med_type_name(c->p, type)), MED_STR_ARG(list[i].code));
    }
    return true;
}

static struct pack_range add_list(struct compiler *c, const uint32_t *list, size_t n)
{
    struct pack_range range = {med_pack_writer_count(c->w, PACK_PARAM_LIST), (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        (void)MED_PACK_ADD(c->w, PACK_PARAM_LIST, &list[i]);
    return range;
}

static bool compile_type(struct compiler *c, med_type type, struct by_code *list)
{
    size_t n = 0;
    uint32_t *all = MED_TAKE(c->a, PARAMS_MAX, uint32_t);
    uint32_t *rest = MED_TAKE(c->a, PARAMS_MAX, uint32_t);
    size_t n_rest = 0;
    med_trie trie;
    if (all == NULL || rest == NULL)
        return MED_FAIL_MEMORY(c->err);
    if (!params_of(c, type, list, &n) || !med_trie_init(&trie, c->a, c->err))
        return false;
    for (size_t i = 0; i < n; i++) {
        all[i] = list[i].param;
        if (compile_pair(c, &c->params[all[i]], type, &trie) == FHIRPATH)
            rest[n_rest++] = all[i];
    }
    struct pack_range params_range = add_list(c, all, n);
    struct pack_range rest_range = add_list(c, rest, n_rest);
    uint32_t root = PACK_NONE;
    if (!med_trie_is_empty(&trie) && !med_trie_write(&trie, c->w, &root, c->err))
        return false;
    struct pack_type *row = med_pack_writer_row(c->w, PACK_TYPES, type);
    row->params = params_range;
    row->rest = rest_range;
    row->root = root;
    return true;
}

/* ---- compartments ---- */

static uint32_t find_compartment(const struct compiler *c, med_str code)
{
    const med_json *j = &c->source->resources;
    uint32_t entry = 0;
    for (uint32_t r; (r = med_source_next(j, &entry)) != 0;) {
        if (med_str_eqz(med_source_text(c->a, j, r, "resourceType"), "CompartmentDefinition")
            && med_str_eq(med_source_text(c->a, j, r, "code"), code))
            return r;
    }
    return 0;
}

static bool param_by_code(const struct compiler *c, med_type type, med_str code, uint32_t *out)
{
    for (size_t i = 0; i < c->n_params; i++) {
        if (med_str_eq(c->params[i].code, code) && applies_to(c, &c->params[i], type)) {
            *out = (uint32_t)i;
            return true;
        }
    }
    return false;
}

static bool add_compartment_of(struct compiler *c, size_t which, uint32_t resource)
{
    const med_json *j = &c->source->resources;
    med_type type = med_pack_type(c->p, med_source_text(c->a, j, resource, "code"));
    if (type == MED_TYPE_NONE)
        return MED_FAIL(c->err, MED_ISSUE_STRUCTURE, "the compartment names an unknown type");
    struct pack_range range = {med_pack_writer_count(c->w, PACK_PARAM_LIST), 0};
    uint32_t end = 0;
    for (uint32_t i = med_source_first(j, resource, "param", &end); i < end; i = j->nodes[i].next) {
        uint32_t param = 0;
        if (med_str_eqz(med_json_raw(j, i), "{def}")) /* the compartment's own resource */
            continue;
        if (!param_by_code(c, type, med_json_raw(j, i), &param))
            return MED_FAIL(c->err, MED_ISSUE_STRUCTURE,
                            "the compartment names an unknown parameter of %.*s",
                            MED_STR_ARG(med_type_name(c->p, type)));
        (void)MED_PACK_ADD(c->w, PACK_PARAM_LIST, &param);
        range.n++;
    }
    struct pack_type *row = med_pack_writer_row(c->w, PACK_TYPES, type);
    row->compartments[which] = range;
    return true;
}

static bool add_compartment(struct compiler *c, size_t which)
{
    const med_json *j = &c->source->resources;
    uint32_t definition = find_compartment(c, med_compartment_names[which]);
    uint32_t end = 0;
    if (definition == 0)
        return MED_FAIL(c->err, MED_ISSUE_NOT_FOUND, "no CompartmentDefinition for %.*s",
                        MED_STR_ARG(med_compartment_names[which]));
    for (uint32_t i = med_source_first(j, definition, "resource", &end); i < end;
         i = j->nodes[i].next) {
        if (!add_compartment_of(c, which, i))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

bool med_params_compile(med_pack_writer *w, const med_pack *types, const med_source *source,
                        med_str list, med_param_report *report, med_err *err)
{
    struct compiler c = {
        .w = w, .a = w->arena, .p = types, .source = source, .report = report, .err = err};
    struct by_code *scratch = MED_TAKE(w->arena, PARAMS_MAX, struct by_code);
    if (scratch == NULL)
        return MED_FAIL_MEMORY(err);
    if (!read_list(&c, list) || !read_params(&c))
        return false;
    for (size_t i = 0; i < c.n_params; i++)
        add_param(&c, &c.params[i]);
    size_t n = 0;
    const med_type *resources = med_pack_resources(types, &n);
    for (size_t i = 0; i < n; i++) {
        if (!compile_type(&c, resources[i], scratch))
            return false;
    }
    report_stale(&c);
    for (size_t i = 0; i < MED_COMPARTMENTS; i++) {
        if (!add_compartment(&c, i))
            return false;
    }
    return true;
}
