/* The index rows of the definitions' examples are those of the values that the FHIRPath engine
 * takes out by each parameter's expression; and the rows the index keeps are those that queries
 * are decided on. What has no rows is listed with the reason. */
#include <dirent.h>

#include "kit.h"
#include "model/reference.h"
#include "search/extract.h"

enum { ROWS_MAX = 4000 };

struct seen {
    uint64_t kind, a, b, c;
};

struct lines {
    struct seen at[ROWS_MAX];
    size_t n;
};

struct comparison {
    struct kit *k;
    const med_fhirpath **programs;
    bool *met; /* parameters that gave a row */
    size_t resources, rows;
};

static bool resolve(void *arg, med_arena *a, med_str reference, med_value *out)
{
    const med_pack *p = med_pack_core();
    med_type t = med_reference_type(p, reference);
    med_json *j = t == MED_TYPE_NONE ? NULL : MED_TAKE(a, 1, med_json);
    med_err err = {0};
    (void)arg;
    return j != NULL
           && med_json_parse(
               a,
               med_arena_printf(a, "{\"resourceType\":\"%.*s\"}", MED_STR_ARG(med_type_name(p, t))),
               j, NULL, &err)
           && med_value_of_resource(p, j, 0, out, &err);
}

static void add(struct lines *l, uint64_t kind, uint64_t a, uint64_t b, uint64_t c)
{
    assert_in_range(l->n, 0, ROWS_MAX - 1);
    l->at[l->n++] = (struct seen){kind, a, b, c};
}

static uint64_t bits(double d)
{
    uint64_t n;
    memcpy(&n, &d, sizeof n);
    return n;
}

static int by_value(const void *x, const void *y)
{
    return memcmp(x, y, sizeof(struct seen));
}

static void sort_once(struct lines *l)
{
    size_t n = 0;
    qsort(l->at, l->n, sizeof l->at[0], by_value);
    for (size_t i = 0; i < l->n; i++) {
        if (n == 0 || by_value(&l->at[i], &l->at[n - 1]) != 0)
            l->at[n++] = l->at[i];
    }
    l->n = n;
}

static med_str cut(med_str s)
{
    size_t n = s.len < MED_STRING_KEY ? s.len : MED_STRING_KEY;
    while (n < s.len && n > 0 && ((unsigned char)s.ptr[n] & 0xC0) == 0x80)
        n--;
    return med_str_sub(s, 0, n);
}

/* The rows of one parameter, sorted, each once. Texts of tokens are for :text only. */
static void lines_of(struct kit *k, const med_rows *r, uint32_t number, enum med_param_type type,
                     struct lines *out)
{
    bool token = type == MED_PARAM_TOKEN;
    out->n = 0;
    for (size_t i = 0; i < r->n_tokens; i++) {
        if (r->tokens[i].param == number)
            add(out, 1, r->tokens[i].hash, 0, 0);
    }
    for (size_t i = 0; i < r->n_references; i++) {
        if (r->references[i].param == number && r->references[i].target != 0) /* names nothing */
            add(out, 2, r->references[i].target, 0, 0);
    }
    for (size_t i = 0; i < r->n_dates; i++) {
        if (r->dates[i].param == number)
            add(out, 3, (uint64_t)r->dates[i].span.low, (uint64_t)r->dates[i].span.high, 0);
    }
    for (size_t i = 0; i < r->n_strings; i++) {
        if (r->strings[i].param == number && !token)
            add(out, 4, med_store_hash(k->store, cut(r->strings[i].folded)), 0, 0);
    }
    for (size_t i = 0; i < r->n_quantities; i++) {
        const med_quantity_row *q = &r->quantities[i];
        if (q->param == number && type != MED_PARAM_DATE) /* a date's are by hub, see hub.h */
            add(out, 5, q->unit, bits(q->low), bits(q->high));
    }
    for (size_t i = 0; i < r->n_uris; i++) {
        if (r->uris[i].param == number)
            add(out, 6, med_store_hash(k->store, r->uris[i].uri), 0, 0);
    }
    sort_once(out);
}

static void same(const struct lines *a, const struct lines *b, const char *file,
                 const med_param *param, const char *what)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++)
        equal = by_value(&a->at[i], &b->at[i]) == 0;
    if (!equal)
        fail_msg("%s: %.*s: %zu rows, %zu %s", file, MED_STR_ARG(param->code), a->n, b->n, what);
}

static const med_fhirpath *program_of(struct comparison *c, const med_param *param)
{
    med_err err = {0};
    if (c->programs[param->index] == NULL
        && !med_fhirpath_compile(c->k->forever, med_pack_core(), param->expression, MED_TYPE_NONE,
                                 &c->programs[param->index], &err))
        fail_msg("%.*s: %s", MED_STR_ARG(param->url), err.text);
    return c->programs[param->index];
}

/* What the engine's values make. */
static med_rows by_engine(struct comparison *c, const med_param *param, const med_json *j,
                          const med_value *resource, uint32_t number)
{
    med_err err = {0};
    med_values values;
    const med_fhirpath_env env = {.resolve = resolve};
    med_extraction x = {.schema = c->k->schema,
                        .arena = c->k->arena,
                        .j = j,
                        .type = resource->type,
                        .base = MED_STR("http://here/fhir")};
    if (!med_fhirpath_run(c->k->arena, med_pack_core(), program_of(c, param), &env, resource,
                          resource, &values, &err))
        fail_msg("%.*s: %s", MED_STR_ARG(param->code), err.text);
    for (size_t i = 0; i < values.n; i++) {
        const med_value *v = &values.at[i];
        med_walk_value at = {param->index, v->node, v->extension, v->type};
        const med_extract_value of = {&at, number, MED_ROW_GLOBAL};
        med_str text = v->integer != 0 ? MED_STR("true") : MED_STR("false");
        if (v->kind == MED_VALUE_BOOLEAN)
            assert_true(med_extract_token_text(&x, &of, text));
        else if (v->kind == MED_VALUE_NODE && v->node != 0)
            assert_true(med_extract_one(&x, param->type, number, &at, &err));
    }
    return x.rows;
}

static void compare_param(struct comparison *c, const char *file, const med_param *param,
                          const med_json *j, const med_value *resource, const med_rows *kept,
                          const med_rows *whole)
{
    static struct lines index, asked, engine;
    const med_param_info *info = med_schema_info(c->k->schema, resource->type, param->index);
    bool token = param->type == MED_PARAM_TOKEN;
    if (!info->stored || param->expression.len == 0)
        return;
    med_rows made = by_engine(c, param, j, resource, info->number);
    lines_of(c->k, kept, info->number, param->type, &index);
    lines_of(c->k, whole, info->number, param->type, &asked);
    lines_of(c->k, &made, info->number, param->type, &engine);
    same(&index, &engine, file, param, "by the FHIRPath engine");
    if (!token) /* queries see more of tokens: what :of-type asks for */
        same(&index, &asked, file, param, "to decide queries on");
    c->met[param->index] = c->met[param->index] || index.n > 0;
    c->rows += index.n;
}

static bool read_json(struct kit *k, const char *path, med_json *j)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    med_err err = {0};
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(f);
    rewind(f);
    char *text = MED_TAKE(k->arena, size + 1, char);
    assert_int_equal(fread(text, 1, size, f), size);
    (void)fclose(f);
    return med_json_parse(k->arena, (med_str){text, size}, j, NULL, &err);
}

static void compare_file(struct comparison *c, const char *path, const char *file)
{
    struct kit *k = c->k;
    med_json j;
    med_err err = {0};
    med_rows kept, whole;
    med_value resource;
    const med_pack *p = med_pack_core();
    const med_str base = MED_STR("http://here/fhir");
    med_arena_reset(k->arena);
    if (!read_json(k, path, &j) || !med_value_of_resource(p, &j, 0, &resource, &err))
        return; /* package.json */
    if (!med_extract(k->schema, k->arena, &j, 0, resource.type, MED_STR("x"), base, &kept, &err)
        || !med_extract_whole(k->schema, k->arena, &j, 0, resource.type, base, NULL, false, &whole,
                              &err))
        fail_msg("%s: %s", file, err.text);
    size_t n;
    const uint32_t *params = med_type_params(p, resource.type, &n);
    for (size_t i = 0; i < n; i++) {
        med_param param;
        med_pack_param(p, params[i], &param);
        compare_param(c, file, &param, &j, &resource, &kept, &whole);
    }
    c->resources++;
}

/* Definitions are many and alike: of these only some. */
static bool is_wanted(const char *file)
{
    static const char *const many[] = {"SearchParameter-",     "ValueSet-",   "CodeSystem-",
                                       "StructureDefinition-", "ConceptMap-", "Bundle-"};
    for (size_t i = 0; i < COUNT(many); i++) {
        size_t len = strlen(many[i]);
        if (strncmp(file, many[i], len) == 0)
            return strchr("aAIO", file[len]) != NULL;
    }
    return strcmp(file, "ImplementationGuide-fhir.json") != 0 && strcmp(file, "ig-r4.json") != 0;
}

static void rows_are_those_of_the_expressions(void **state)
{
    struct kit *k = *state;
    const char *folder = getenv("MEDULLA_DEFINITIONS");
    assert_non_null(folder);
    size_t n = med_pack_param_count(med_pack_core());
    struct comparison c = {.k = k,
                           .programs = MED_TAKE(k->forever, n, const med_fhirpath *),
                           .met = MED_TAKE(k->forever, n, bool)};
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/hl7.fhir.r4.examples", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (!med_str_ends(med_str_from(e->d_name), MED_STR(".json")) || !is_wanted(e->d_name))
            continue;
        (void)snprintf(path, sizeof path, "%s/hl7.fhir.r4.examples/%s", folder, e->d_name);
        compare_file(&c, path, e->d_name);
    }
    assert_int_equal(closedir(dir), 0);
    size_t met = 0;
    for (size_t i = 0; i < n; i++)
        met += c.met[i];
    print_message("%zu resources, %zu rows, %zu parameters of %zu\n", c.resources, c.rows, met, n);
    assert_true(c.resources > 500);
    assert_true(met > 800);
}

/* No parameter is left out in silence. */
static void what_is_not_extracted_has_a_reason(void **state)
{
    struct kit *k = *state;
    const med_pack *p = med_pack_core();
    size_t types, without = 0;
    const med_type *resources = med_pack_resources(p, &types);
    for (size_t t = 0; t < types; t++) {
        size_t n;
        const uint32_t *params = med_type_params(p, resources[t], &n);
        for (size_t i = 0; i < n; i++) {
            med_param param;
            med_pack_param(p, params[i], &param);
            const med_param_info *info = med_schema_info(k->schema, resources[t], param.index);
            bool own = med_str_eqz(param.code, "_id") || med_str_eqz(param.code, "_lastUpdated");
            bool alias = info->answered != param.index;
            bool united = info->also[0] != 0; /* of others' rows */
            if (info->stored || own || alias || united || param.type == MED_PARAM_COMPOSITE)
                continue;
            if (param.why_not.len == 0)
                fail_msg("%.*s of %.*s has no rows and no reason", MED_STR_ARG(param.code),
                         MED_STR_ARG(med_type_name(p, resources[t])));
            without++;
        }
    }
    print_message("%zu parameters without rows\n", without);
}

int main(void)
{
#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        IN_STORE(rows_are_those_of_the_expressions),
        IN_STORE(what_is_not_extracted_has_a_reason),
    };
    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
