/* fuzz_fhirpath.c - any text as an expression, compiled for Patient and for no type, and run. */
#include <stdlib.h>

#include "model/fhirpath.h"

static const char resource[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"name\":[{\"family\":\"A\","
    "\"given\":[\"B\",null],\"_given\":[null,{\"id\":\"x\"}]},{\"use\":\"usual\"}],"
    "\"birthDate\":\"1974-12\",\"multipleBirthInteger\":2,\"contained\":[{\"resourceType\":"
    "\"Observation\",\"id\":\"o\",\"valueQuantity\":{\"value\":1.50,\"code\":\"mg\","
    "\"system\":\"http://unitsofmeasure.org\"}}],\"link\":[{\"other\":{\"reference\":\"#o\"}}]}";

static void evaluate(med_arena *a, const med_pack *p, const med_value *v, med_str text,
                     med_type context)
{
    const med_fhirpath *program = NULL;
    med_values out = {0};
    med_err err = {0};
    bool truth = false;
    const med_fhirpath_env env = {.now = 1795342830123000, .max_steps = 20000};
    if (!med_fhirpath_compile(a, p, text, context, &program, &err)
        || !med_fhirpath_run(a, p, program, &env, v, v, &out, &err)) {
        if (err.issue == MED_ISSUE_NONE)
            abort(); /* a failure without a reason */
        return;
    }
    med_buf printed;
    med_buf_init(&printed, 1 << 20);
    med_values_print(&printed, out);
    med_buf_free(&printed);
    if (!med_values_truth(out, &truth, &err) && err.issue == MED_ISSUE_NONE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    med_json j;
    med_value v;
    med_err err;
    const med_pack *p = med_pack_core();
    med_arena *a = med_arena_new(8 << 20);
    med_str text = {size == 0 ? "" : (const char *)data, size};
    if (!med_json_parse(a, med_str_from(resource), &j, NULL, &err)
        || !med_value_of_resource(p, &j, 0, &v, &err))
        abort();
    evaluate(a, p, &v, text, v.type);
    evaluate(a, p, &v, text, MED_TYPE_NONE);
    med_arena_free(a);
    return 0;
}
