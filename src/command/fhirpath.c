/* fhirpath.c - `medulla fhirpath EXPRESSION FILE`: evaluates on a resource in JSON. */
#include <stdio.h>

#include "command/command.h"
#include "model/fhirpath.h"
#include "source.h"

enum { READ_BYTES = 64 << 10 };

static bool read_all(med_arena *a, med_str path, med_str *out, med_err *err)
{
    char bytes[READ_BYTES];
    size_t n = 0;
    med_buf buf;
    med_source *s = med_source_open(path, err);
    if (s == NULL)
        return false;
    med_buf_init(&buf, (size_t)64 << 20);
    bool ok;
    do {
        ok = med_source_read(s, bytes, sizeof bytes, &n, err);
        med_buf_add(&buf, (med_str){bytes, n});
    } while (ok && n > 0 && !buf.failed);
    if (ok && (buf.failed || !med_arena_copy(a, med_buf_str(&buf), out)))
        ok = MED_FAIL(err, MED_ISSUE_TOO_LONG, "the file is larger than 64 MiB");
    med_buf_free(&buf);
    med_source_close(s);
    return ok;
}

/* One value a line: JSON of an element, else its text. */
static void print_value(const med_value *v)
{
    med_buf out;
    med_buf_init(&out, MED_JSON_MAX_BYTES);
    if (v->kind == MED_VALUE_NODE && v->json != NULL && (v->node != 0 || v->extension == 0))
        med_json_write_min(&out, v->json, v->node);
    else if (v->kind == MED_VALUE_BOOLEAN)
        med_buf_addz(&out, v->integer != 0 ? "true" : "false");
    else if (v->kind == MED_VALUE_INTEGER)
        med_buf_printf(&out, "%ld", (long)v->integer);
    else
        med_buf_add(&out, v->text);
    if (v->kind == MED_VALUE_QUANTITY)
        med_buf_printf(&out, " '%.*s'", MED_STR_ARG(v->unit));
    printf("%.*s\n", (int)out.len, out.ptr);
    med_buf_free(&out);
}

static bool evaluate(const med_arguments *args, med_values *out, med_err *err)
{
    const med_pack *p = med_pack_core();
    const med_fhirpath *program;
    med_fhirpath_env env = {.now = med_now(&med_clock_system)};
    med_str text;
    med_json *j = MED_TAKE(args->arena, 1, med_json);
    med_value root;
    return j != NULL && read_all(args->arena, args->words[1], &text, err)
           && med_json_parse(args->arena, text, j, NULL, err)
           && med_value_of_resource(p, j, 0, &root, err)
           && med_fhirpath_compile(args->arena, p, args->words[0], root.type, &program, err)
           && med_fhirpath_run(args->arena, p, program, &env, &root, &root, out, err);
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
    med_values values;
    if (args->n != 2)
        return med_command_fail(MED_EXIT_USAGE,
                                "fhirpath needs an expression and a file ('-' is standard input)");
    if (!evaluate(args, &values, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    for (size_t i = 0; i < values.n; i++)
        print_value(&values.at[i]);
    return MED_EXIT_OK;
}

const med_command med_command_fhirpath = {
    .name = "fhirpath",
    .usage = "EXPRESSION FILE",
    .summary = "evaluate a FHIRPath expression on a resource in JSON",
    .examples = "  medulla fhirpath 'Patient.name.given.first()' patient.json\n",
    .run = run,
};
