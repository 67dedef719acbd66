/* The walk takes out of every example resource what the FHIRPath engine takes out of it: each
 * parameter's expression is evaluated by both, and the nodes and their types are compared. */
#include <dirent.h>

#include "model/fhirpath.h"
#include "model/reference.h"
#include "model/walk.h"
#include "shared.h"

enum { VALUES_MAX = 20000, PARAMS = 1400 };
#define MEMORY ((size_t)1 << 30)

struct hit {
    uint32_t param, node;
    med_type type;
};

struct comparison {
    const med_pack *p;
    med_arena *programs; /* compiled expressions, kept for all files */
    const med_fhirpath *by_param[PARAMS];
    med_type compiled_for[PARAMS];
    /* the present resource */
    med_arena *a;
    const med_json *j;
    struct hit *walked;
    size_t n_walked;
    size_t resources, values;
};

/* ---- references resolve to a resource of the type they name, and nothing else ---- */

static bool resolve(void *arg, med_arena *a, med_str reference, med_value *out)
{
    struct comparison *c = arg;
    med_type t = med_reference_type(c->p, reference);
    if (t == MED_TYPE_NONE)
        return false;
    med_json *j = MED_TAKE(a, 1, med_json);
    med_err err = {0};
    med_str text =
        med_arena_printf(a, "{\"resourceType\":\"%.*s\"}", MED_STR_ARG(med_type_name(c->p, t)));
    return j != NULL && med_json_parse(a, text, j, NULL, &err)
           && med_value_of_resource(c->p, j, 0, out, &err);
}

static bool add_hit(void *arg, const med_walk_value *v, med_err *err)
{
    struct comparison *c = arg;
    (void)err;
    assert_in_range(c->n_walked, 0, VALUES_MAX - 1);
    c->walked[c->n_walked++] = (struct hit){v->param, v->node, v->type};
    return true;
}

static const med_fhirpath *program_of(struct comparison *c, const med_param *param, med_type type)
{
    if (c->by_param[param->index] == NULL || c->compiled_for[param->index] != type) {
        med_err err = {0};
        if (!med_fhirpath_compile(c->programs, c->p, param->expression, MED_TYPE_NONE,
                                  &c->by_param[param->index], &err))
            fail_msg("%.*s: %s", MED_STR_ARG(param->url), err.text);
        c->compiled_for[param->index] = type;
    }
    return c->by_param[param->index];
}

static bool was_walked(const struct comparison *c, uint32_t param, uint32_t node, med_type type)
{
    for (size_t i = 0; i < c->n_walked; i++) {
        if (c->walked[i].param == param && c->walked[i].node == node && c->walked[i].type == type)
            return true;
    }
    return false;
}

/* FHIRPath's `|` drops what equals an earlier value; the walk need not. */
static bool has_value(const struct comparison *c, const med_values *values, const struct hit *h)
{
    for (size_t i = 0; i < values->n; i++) {
        const med_value *v = &values->at[i];
        if (v->kind == MED_VALUE_NODE && v->type == h->type
            && (v->node == h->node || med_json_equal(c->j, v->node, c->j, h->node)))
            return true;
    }
    return false;
}

/* The parts of one value of a composite, by the walk and by FHIRPath. */
static void compare_parts(struct comparison *c, const char *file, const med_param *param,
                          const med_value *whole, const med_value *resource)
{
    const med_fhirpath_env env = {.resolve = resolve, .arg = c};
    const med_walk_value place = {param->index, whole->node, 0, whole->type};
    for (size_t i = 0; i < param->n_components; i++) {
        med_str expression = med_param_component_expression(c->p, param->index, i);
        if (med_str_search(expression, MED_STR("DateTime"), 0) < expression.len)
            continue; /* Observation-code-value-date: only we know what it means */
        const med_fhirpath *program = NULL;
        med_values values;
        med_err err = {0};
        assert_true(med_fhirpath_compile(c->a, c->p, expression, MED_TYPE_NONE, &program, &err));
        assert_true(med_fhirpath_run(c->a, c->p, program, &env, whole, resource, &values, &err));
        size_t before = c->n_walked;
        assert_true(med_walk_component(c->p, c->j, 0, resource->type, &place, i, add_hit, c, &err));
        if (c->n_walked - before != values.n)
            fail_msg("%s: %.*s: part %zu: %zu values walked, %zu by FHIRPath", file,
                     MED_STR_ARG(param->code), i, c->n_walked - before, values.n);
        for (size_t k = 0; k < values.n; k++)
            assert_int_equal(c->walked[before + k].node, values.at[k].node);
        c->values += values.n;
        c->n_walked = before;
    }
}

static void compare_param(struct comparison *c, const char *file, const med_param *param,
                          const med_value *resource)
{
    const med_fhirpath_env env = {.resolve = resolve, .arg = c};
    med_values values;
    med_err err = {0};
    const med_fhirpath *program = program_of(c, param, resource->type);
    if (!med_fhirpath_run(c->a, c->p, program, &env, resource, resource, &values, &err))
        fail_msg("%s: %.*s: %s", file, MED_STR_ARG(param->code), err.text);
    for (size_t i = 0; i < values.n; i++) {
        const med_value *v = &values.at[i];
        if (v->kind == MED_VALUE_NODE && v->node == 0 && v->type != resource->type)
            continue; /* a primitive with extensions alone */
        if (v->kind != MED_VALUE_NODE || !was_walked(c, param->index, v->node, v->type))
            fail_msg("%s: %.*s: the walk lacks node %u (%.*s)", file, MED_STR_ARG(param->code),
                     v->node, MED_STR_ARG(med_type_name(c->p, v->type)));
    }
    for (size_t i = 0; i < c->n_walked; i++) {
        if (c->walked[i].param == param->index && !has_value(c, &values, &c->walked[i]))
            fail_msg("%s: %.*s: FHIRPath lacks node %u", file, MED_STR_ARG(param->code),
                     c->walked[i].node);
    }
    for (size_t i = 0; i < values.n && param->type == MED_PARAM_COMPOSITE; i++)
        compare_parts(c, file, param, &values.at[i], resource);
    c->values += values.n;
}

static bool is_rest(const struct comparison *c, med_type type, uint32_t param)
{
    size_t n = 0;
    const uint32_t *rest = med_walk_rest(c->p, type, &n);
    for (size_t i = 0; i < n; i++) {
        if (rest[i] == param)
            return true;
    }
    return false;
}

static void compare_resource(struct comparison *c, const char *file)
{
    med_value resource;
    med_err err = {0};
    if (!med_value_of_resource(c->p, c->j, 0, &resource, &err))
        return; /* package.json */
    c->n_walked = 0;
    assert_true(med_walk(c->p, c->j, 0, resource.type, add_hit, c, &err));
    size_t n = 0;
    const uint32_t *params = med_type_params(c->p, resource.type, &n);
    for (size_t i = 0; i < n; i++) {
        med_param param;
        med_pack_param(c->p, params[i], &param);
        if (param.compiled && !is_rest(c, resource.type, param.index))
            compare_param(c, file, &param, &resource);
    }
    c->resources++;
}

static void compare_file(struct comparison *c, const char *path, const char *file)
{
    c->a = med_arena_new(MEMORY);
    c->walked = MED_TAKE(c->a, VALUES_MAX, struct hit);
    med_json j;
    med_err err = {0};
    if (!med_json_parse(c->a, read_file(c->a, path), &j, NULL, &err))
        fail_msg("%s: %s", file, err.text);
    c->j = &j;
    compare_resource(c, file);
    med_arena_free(c->a);
}

/* Definitions are many and alike: of these only the first of each letter. */
static bool is_wanted(const char *file)
{
    static const char *const many[] = {"SearchParameter-",     "ValueSet-",   "CodeSystem-",
                                       "StructureDefinition-", "ConceptMap-", "Bundle-"};
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        size_t len = strlen(many[i]);
        if (strncmp(file, many[i], len) == 0)
            return strchr("aeiouAEIO0123456789", file[len]) != NULL
                   && strcmp(file, "Bundle-extensions.json") != 0;
    }
    /* The decimals' example has components that differ in 1.0 and 1.00 alone: `|` drops them. */
    return strcmp(file, "ImplementationGuide-fhir.json") != 0 && strcmp(file, "ig-r4.json") != 0
           && strcmp(file, "Observation-decimal.json") != 0;
}

static void test_examples(void **state)
{
    (void)state;
    static struct comparison c; /* cmocka runs one test at a time */
    const char *folder = getenv("MEDULLA_DEFINITIONS");
    assert_non_null(folder);
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/hl7.fhir.r4.examples", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    c.p = med_pack_core();
    c.programs = med_arena_new(MEMORY);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (!med_str_ends(med_str_from(e->d_name), MED_STR(".json")) || !is_wanted(e->d_name))
            continue;
        (void)snprintf(path, sizeof path, "%s/hl7.fhir.r4.examples/%s", folder, e->d_name);
        compare_file(&c, path, e->d_name);
    }
    assert_int_equal(closedir(dir), 0);
    print_message("%zu resources, %zu values, the same by both\n", c.resources, c.values);
    assert_true(c.resources > 780);
    assert_true(c.values > 10000);
    med_arena_free(c.programs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
