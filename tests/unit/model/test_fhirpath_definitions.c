/* test_fhirpath_definitions.c - every invariant and search expression of R4 compiles, and the
 * invariants hold on the official examples. */
#include "model/fhirpath.h"
#include "shared.h"

#include <dirent.h>

enum { INVARIANTS = 64, EXAMPLE_MAX = 8 << 20 };

/* The specification's own mistakes: invariants that name an element which does not exist. */
static const char *const broken[] = {
    "cid-0", /* ChargeItemDefinition has no name in R4 */
};

/* Official examples that break an invariant of the specification themselves: "file key". */
static const char *const violations[] = {
    /* logical models that are not abstract and have no base */
    "StructureDefinition-Definition.json sdf-4",
    "StructureDefinition-Event.json sdf-4",
    "StructureDefinition-FiveWs.json sdf-4",
    "StructureDefinition-Request.json sdf-4",
    /* narratives without a visible character; htmlChecks() stands for txt-1 and txt-2 */
    "ActivityDefinition-blood-tubes-supply.json txt-1",
    "ActivityDefinition-blood-tubes-supply.json txt-2",
    "ActivityDefinition-heart-valve-replacement.json txt-1",
    "ActivityDefinition-heart-valve-replacement.json txt-2",
    "EventDefinition-example.json txt-1",
    "EventDefinition-example.json txt-2",
    "Questionnaire-zika-virus-exposure-assessment.json txt-1",
    "Questionnaire-zika-virus-exposure-assessment.json txt-2",
};

static bool listed(const char *const *list, size_t n, med_str text)
{
    for (size_t i = 0; i < n; i++)
        if (med_str_eqz(text, list[i]))
            return true;
    return false;
}

/* The type in which an invariant of element `e` of type `t` stands. */
static med_type context_of(const med_pack *p, med_type t, size_t e)
{
    med_element element;
    med_property property;
    if (e == SIZE_MAX)
        return t;
    med_type_element(p, t, e, &element);
    if (element.is_choice || !med_type_property(p, t, element.name, &property))
        return MED_TYPE_NONE;
    return property.type;
}

static void test_invariants_compile(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    med_arena *a = med_arena_new(256 << 20);
    size_t all = 0;
    for (size_t t = 0; t < med_pack_type_count(p); t++) {
        size_t elements = med_type_element_count(p, (med_type)t);
        for (size_t k = 0; k <= elements; k++) {
            size_t e = k == elements ? SIZE_MAX : k;
            med_invariant found[INVARIANTS];
            size_t n = med_element_invariants(p, (med_type)t, e, 0, found, INVARIANTS);
            assert_true(n <= INVARIANTS);
            for (size_t i = 0; i < n; i++) {
                const med_fhirpath *program = NULL;
                med_err err = {0};
                all++;
                bool ok = med_fhirpath_compile(a, p, found[i].expression,
                                               context_of(p, (med_type)t, e), &program, &err);
                if (ok == listed(broken, sizeof broken / sizeof *broken, found[i].key))
                    fail_msg("%.*s: %.*s: %s", MED_STR_ARG(found[i].key),
                             MED_STR_ARG(found[i].expression), err.text);
            }
        }
    }
    print_message("invariants compiled: %zu\n", all);
    assert_true(all > 1400);
    med_arena_free(a);
}

static void test_searches_compile(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    med_arena *a = med_arena_new(256 << 20);
    size_t all = 0;
    for (uint32_t i = 0; i < med_pack_param_count(p); i++) {
        const med_fhirpath *program = NULL;
        med_param param;
        med_err err = {0};
        med_pack_param(p, i, &param);
        if (param.expression.len == 0)
            continue;
        all++;
        if (!med_fhirpath_compile(a, p, param.expression, MED_TYPE_NONE, &program, &err))
            fail_msg("%.*s: %s", MED_STR_ARG(param.url), err.text);
        for (size_t c = 0; c < param.n_components; c++)
            if (!med_fhirpath_compile(a, p, med_param_component_expression(p, i, c), MED_TYPE_NONE,
                                      &program, &err))
                fail_msg("%.*s, component %zu: %s", MED_STR_ARG(param.url), c, err.text);
    }
    print_message("search expressions compiled: %zu\n", all);
    assert_true(all > 1300);
    med_arena_free(a);
}

/* ---- the examples ---- */

struct check {
    const med_pack *p;
    med_arena *a;                     /* of one example */
    med_arena *programs;              /* of all */
    const med_fhirpath **cache[2048]; /* by type, element * INVARIANTS + invariant */
    const char *file;
    const med_value *resource, *root;
    size_t evaluated, failed, examples;
};

static const med_fhirpath *program_of(struct check *c, med_type t, size_t e, size_t i,
                                      const med_invariant *invariant)
{
    size_t slots = (med_type_element_count(c->p, t) + 1) * INVARIANTS;
    size_t slot = (e == SIZE_MAX ? 0 : e + 1) * INVARIANTS + i;
    if (c->cache[t] == NULL)
        c->cache[t] = MED_TAKE(c->programs, slots, const med_fhirpath *);
    if (c->cache[t][slot] == NULL) {
        med_err err = {0};
        med_type context = context_of(c->p, t, e);
        if (!med_fhirpath_compile(c->programs, c->p, invariant->expression, context,
                                  &c->cache[t][slot], &err)
            && !med_fhirpath_compile(c->programs, c->p, invariant->expression, MED_TYPE_NONE,
                                     &c->cache[t][slot], &err))
            fail_msg("%s", err.text);
    }
    return c->cache[t][slot];
}

static void report(struct check *c, const med_value *v, const med_invariant *invariant,
                   const med_err *err)
{
    med_str name = med_arena_printf(c->a, "%s %.*s", c->file, MED_STR_ARG(invariant->key));
    med_str place = MED_STR_EMPTY;
    if (listed(violations, sizeof violations / sizeof *violations, name))
        return;
    c->failed++;
    if (med_value_expression(c->a, c->p, v, &place))
        print_message("%.*s at %.*s: %.*s %s\n", MED_STR_ARG(name), MED_STR_ARG(place),
                      MED_STR_ARG(invariant->expression), err->text);
}

static void check_invariants(struct check *c, med_type t, size_t e, const med_value *v)
{
    med_invariant found[INVARIANTS];
    size_t n = med_element_invariants(c->p, t, e, 0, found, INVARIANTS);
    for (size_t i = 0; i < n; i++) {
        med_values values = {0};
        med_err err = {0};
        bool truth = false;
        const med_fhirpath_env env = {.now = 1795342830123000, .root = c->root};
        c->evaluated++;
        if (found[i].is_warning)
            continue;
        if (!med_fhirpath_run(c->a, c->p, program_of(c, t, e, i, &found[i]), &env, v, c->resource,
                              &values, &err)
            || !med_values_truth(values, &truth, &err) || !truth)
            report(c, v, &found[i], &err);
    }
}

static void check_object(struct check *c, const med_value *v);

/* One item of an element. */
static void check_item(struct check *c, med_type owner, const med_property *property,
                       const med_json *j, uint32_t node)
{
    med_value v = {.kind = MED_VALUE_NODE,
                   .type = property->type,
                   .node = node,
                   .json = j,
                   .text = MED_STR_EMPTY,
                   .unit = MED_STR_EMPTY};
    med_err err;
    const med_value *resource = c->resource;
    const med_value *root = c->root;
    if (med_json_kind_at(j, node) == MED_JSON_NULL)
        return;
    if (med_type_kind_of(c->p, property->type) == MED_TYPE_RESOURCE) {
        assert_true(med_value_of_resource(c->p, j, node, &v, &err));
        c->resource = &v;
        if (!med_str_eqz(property->name, "contained"))
            c->root = &v;
    }
    check_invariants(c, owner, property->element, &v);
    if (med_json_kind_at(j, node) == MED_JSON_OBJECT)
        check_object(c, &v);
    c->resource = resource;
    c->root = root;
}

static void check_object(struct check *c, const med_value *v)
{
    const med_json *j = v->json;
    check_invariants(c, v->type, SIZE_MAX, v);
    for (uint32_t k = v->node + 1; k < j->nodes[v->node].next; k = j->nodes[k + 1].next) {
        med_property property;
        if (!med_type_property(c->p, v->type, med_json_raw(j, k), &property))
            continue;
        if (med_json_kind_at(j, k + 1) != MED_JSON_ARRAY) {
            check_item(c, v->type, &property, j, k + 1);
            continue;
        }
        for (uint32_t e = k + 2; e < j->nodes[k + 1].next; e = j->nodes[e].next)
            check_item(c, v->type, &property, j, e);
    }
}

static void check_example(struct check *c, const char *folder)
{
    med_json j;
    med_err err = {0};
    med_value v;
    med_arena_reset(c->a);
    med_str text = read_file(c->a, med_arena_printf(c->a, "%s/%s", folder, c->file).ptr);
    if (text.len == 0 || text.len > EXAMPLE_MAX || !med_json_parse(c->a, text, &j, NULL, &err)
        || !med_value_of_resource(c->p, &j, 0, &v, &err))
        return;
    c->examples++;
    c->resource = &v;
    c->root = &v;
    check_object(c, &v);
}

static void test_examples(void **state)
{
    (void)state;
    static struct check c;
    const char *folder = MED_DEFINITIONS "/hl7.fhir.r4.examples";
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        print_message("skipped: no definitions package\n");
        skip();
        return;
    }
    c = (struct check){.p = med_pack_core(),
                       .a = med_arena_new((size_t)1 << 30),
                       .programs = med_arena_new(256 << 20)};
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (!med_str_ends(med_str_from(entry->d_name), MED_STR(".json")))
            continue;
        c.file = entry->d_name;
        check_example(&c, folder);
    }
    (void)closedir(dir);
    print_message("examples: %zu, invariants evaluated: %zu, violated: %zu\n", c.examples,
                  c.evaluated, c.failed);
    assert_int_equal(c.failed, 0);
    med_arena_free(c.a);
    med_arena_free(c.programs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants_compile),
        cmocka_unit_test(test_searches_compile),
        cmocka_unit_test(test_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
