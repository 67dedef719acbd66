/* bench_fhirpath.c - what typical expressions cost: compiling, and running on one resource.
 *
 * Prints nanoseconds an evaluation, for expressions of invariants and searches over a patient of
 * ordinary size, and the time all invariants of that patient's own type take together. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "model/fhirpath.h"

enum { RUN_NS = 200000000 };

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"example\",\"identifier\":[{\"use\":\"usual\","
    "\"system\":"
    "\"urn:oid:1.2.36.146.595.217.0.1\",\"value\":\"12345\",\"period\":{\"start\":\"2001-05-06\"},"
    "\"assigner\":{\"display\":\"Acme Healthcare\"}}],\"active\":true,\"name\":[{\"use\":"
    "\"official\",\"family\":\"Chalmers\",\"given\":[\"Peter\",\"James\"]},{\"use\":\"usual\","
    "\"given\":[\"Jim\"]},{\"use\":\"maiden\",\"family\":\"Windsor\",\"given\":[\"Peter\","
    "\"James\"],\"period\":{\"end\":\"2002\"}}],\"telecom\":[{\"use\":\"home\"},{\"system\":"
    "\"phone\",\"value\":\"(03) 5555 6473\",\"use\":\"work\",\"rank\":1},{\"system\":\"phone\","
    "\"value\":\"(03) 3410 5613\",\"use\":\"mobile\",\"rank\":2}],\"gender\":\"male\","
    "\"birthDate\":\"1974-12-25\",\"deceasedBoolean\":false,\"address\":[{\"use\":\"home\","
    "\"type\":\"both\",\"line\":[\"534 Erewhon St\"],\"city\":\"PleasantVille\",\"district\":"
    "\"Rainbow\",\"state\":\"Vic\",\"postalCode\":\"3999\",\"period\":{\"start\":\"1974-12-25\"}}],"
    "\"contact\":[{\"relationship\":[{\"coding\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/v2-0131\",\"code\":\"N\"}]}],\"name\":{\"family\":"
    "\"du Marche\",\"given\":[\"Benedicte\"]},\"telecom\":[{\"system\":\"phone\",\"value\":"
    "\"+33 (237) 998327\"}],\"gender\":\"female\"}],\"managingOrganization\":{\"reference\":"
    "\"Organization/1\"}}";

static const char *const expressions[] = {
    "active",
    "Patient.name.given",
    "name.where(use = 'official').given.first()",
    "hasValue() or (children().count() > id.count())",
    "name.exists() or telecom.exists() or address.exists() or organization.exists()",
    "contained.contained.empty()",
    "contained.where((('#'+id in (%resource.descendants().reference | "
    "%resource.descendants().as(canonical) | %resource.descendants().as(uri) | "
    "%resource.descendants().as(url))) or descendants().where(reference = '#').exists() or "
    "descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()",
    "identifier.period.all(start.hasValue().not() or end.hasValue().not() or (start <= end))",
    "telecom.all(value.empty() or system.exists())",
    "Patient.telecom.where(system='phone')",
    "Patient.deceased.exists() and Patient.deceased != false",
    "managingOrganization.where(resolve() is Organization)",
    "id.matches('^[A-Za-z0-9\\\\-\\\\.]{1,64}$')",
    "descendants().count()",
    "birthDate < today() - 18 years",
};

struct bench {
    const med_pack *p;
    med_arena *a, *programs;
    med_value resource;
};

/* Nanoseconds of this thread's processor time: a busy machine does not show. */
static int64_t processor_time(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what, const med_err *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err->text);
}

static double time_compile(struct bench *b, med_str text)
{
    int64_t from = processor_time();
    int64_t took = 0;
    size_t n = 0;
    med_err err;
    for (; took < RUN_NS / 4; took = processor_time() - from, n++) {
        const med_fhirpath *program = NULL;
        med_arena_reset(b->a);
        (void)!med_fhirpath_compile(b->a, b->p, text, MED_TYPE_NONE, &program, &err);
    }
    return (double)took / (double)n;
}

static double time_run(struct bench *b, const med_fhirpath *program, size_t *items)
{
    const med_fhirpath_env env = {.now = med_now(&med_clock_system)};
    int64_t from = processor_time();
    int64_t took = 0;
    size_t n = 0;
    while (took < RUN_NS) {
        for (int i = 0; i < 64; i++, n++) {
            med_values out = {0};
            med_err err = {0};
            med_arena_reset(b->a);
            if (!med_fhirpath_run(b->a, b->p, program, &env, &b->resource, &b->resource, &out,
                                  &err)) {
                fail("run", &err);
                return 0;
            }
            *items = out.n;
        }
        took = processor_time() - from;
    }
    return (double)took / (double)n;
}

int main(void)
{
    med_json j;
    med_err err = {0};
    struct bench b = {
        .p = med_pack_core(), .a = med_arena_new(64 << 20), .programs = med_arena_new(64 << 20)};
    if (!med_json_parse(b.programs, med_str_from(patient), &j, NULL, &err)
        || !med_value_of_resource(b.p, &j, 0, &b.resource, &err)) {
        fail("patient", &err);
        return 1;
    }
    (void)printf("%10s %10s %6s  expression\n", "compile ns", "run ns", "items");
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        const med_fhirpath *program = NULL;
        size_t items = 0;
        med_str text = med_str_from(expressions[i]);
        if (!med_fhirpath_compile(b.programs, b.p, text, MED_TYPE_NONE, &program, &err)) {
            fail(expressions[i], &err);
            continue;
        }
        double compile = time_compile(&b, text);
        double run = time_run(&b, program, &items);
        (void)printf("%10.0f %10.0f %6zu  %.70s\n", compile, run, items, expressions[i]);
    }
    med_arena_free(b.a);
    med_arena_free(b.programs);
    return 0;
}
