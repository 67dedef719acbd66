/* fhirpath.c - `medulla fhirpath EXPRESSION FILE...`: evaluates on resources in JSON or XML. */
#include <stdio.h>

#include "command/command.h"
#include "model/fhirpath.h"
#include "model/xml.h"
#include "source.h"

enum { READ_BYTES = 64 << 10, FILE_BYTES_MAX = 64 << 20, VARIABLES = 32 };

typedef struct evaluation {
    const med_arguments *args;
    med_arena *a; /* of one file */
    const med_pack *p;
    med_fhirpath_variable variables[VARIABLES];
    size_t n_variables;
    med_str context;
    bool trace;
    med_str
        failed; /* the expression that failed, to show where; empty: the file could not be read */
} evaluation;

static bool read_all(med_arena *a, med_str path, med_str *out, med_err *err)
{
    char bytes[READ_BYTES];
    size_t n = 0;
    med_buf buf;
    med_source *s = med_source_open(path, err);
    if (s == NULL)
        return false;
    med_buf_init(&buf, FILE_BYTES_MAX);
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

/* What XML says as JSON; JSON stays as it is. */
static bool as_json(const evaluation *job, med_str text, med_str *out, med_err *err)
{
    med_buf buf;
    *out = text;
    if (!med_str_starts(med_str_trim(text), MED_STR("<")))
        return true;
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    bool ok = med_xml_read(job->p, job->a, text, &buf, err);
    if (ok && (buf.failed || !med_arena_copy(job->a, med_buf_str(&buf), out)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    return ok;
}

/* One value a line: JSON of an element, else its text. */
static void print_value(FILE *to, const med_value *v)
{
    med_buf out;
    med_buf_init(&out, MED_JSON_MAX_BYTES);
    if (v->kind == MED_VALUE_NODE && v->json != NULL && (v->node != 0 || v->extension == 0))
        med_json_write_min(&out, v->json, v->node);
    else if (v->kind == MED_VALUE_BOOLEAN)
        med_buf_addz(&out, v->integer != 0 ? "true" : "false");
    else if (v->kind == MED_VALUE_INTEGER)
        med_buf_printf(&out, "%ld", (long)v->integer);
    else if (v->kind == MED_VALUE_TYPE)
        med_buf_printf(&out, "%.*s.%.*s", MED_STR_ARG(v->unit), MED_STR_ARG(v->text));
    else
        med_buf_add(&out, v->text);
    if (v->kind == MED_VALUE_QUANTITY)
        med_buf_printf(&out, " '%.*s'", MED_STR_ARG(v->unit));
    (void)fprintf(to, "%.*s\n", (int)out.len, out.ptr);
    med_buf_free(&out);
}

static bool trace(void *arg, med_str name, med_values values)
{
    (void)arg;
    (void)fprintf(stderr, "trace %.*s: %zu\n", MED_STR_ARG(name), values.n);
    for (size_t i = 0; i < values.n; i++)
        print_value(stderr, &values.at[i]);
    return true;
}

static bool evaluate(evaluation *job, med_str expression, const med_value *root,
                     const med_value *focus, med_values *out, med_err *err)
{
    const med_fhirpath *program;
    const med_fhirpath_env env = {.now = med_now(&med_clock_system),
                                  .variables = job->variables,
                                  .n_variables = job->n_variables,
                                  .trace = job->trace ? trace : NULL};
    job->failed = expression;
    if (!med_fhirpath_compile(job->a, job->p, expression, focus->type, &program, err)
        || !med_fhirpath_run(job->a, job->p, program, &env, focus, root, out, err))
        return false;
    job->failed = MED_STR_EMPTY;
    return true;
}

static bool run_file(evaluation *job, med_str path, med_err *err)
{
    med_str text;
    med_value root;
    med_values out;
    med_values focus = {&root, 1};
    med_json *j = MED_TAKE(job->a, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!read_all(job->a, path, &text, err) || !as_json(job, text, &text, err)
        || !med_json_parse(job->a, text, j, NULL, err)
        || !med_value_of_resource(job->p, j, 0, &root, err)
        || (job->context.len > 0 && !evaluate(job, job->context, &root, &root, &focus, err)))
        return false;
    for (size_t i = 0; i < focus.n; i++) {
        if (!evaluate(job, job->args->words[0], &root, &focus.at[i], &out, err))
            return false;
        if (job->context.len > 0)
            printf("%.*s[%zu]:\n", MED_STR_ARG(job->context), i);
        for (size_t k = 0; k < out.n; k++)
            print_value(stdout, &out.at[k]);
    }
    return true;
}

/* The expression on a line of its own, and a mark below the position that the error names. */
static void show_place(med_str expression, const med_err *err)
{
    static const char before[] = "FHIRPath, position ";
    size_t at = 0;
    const char *text = strstr(err->text, before);
    if (text == NULL || med_str_find(expression, '\n', 0) < expression.len)
        return;
    for (text += sizeof before - 1; med_is_digit(*text) && at < expression.len; text++)
        at = at * 10 + (size_t)(*text - '0');
    (void)fprintf(stderr, "  %.*s\n  ", MED_STR_ARG(expression));
    for (size_t i = 0; i + 1 < at; i++) /* one column a character, not a byte */
        if (((unsigned char)expression.ptr[i] & 0xC0) != 0x80)
            (void)fputc(' ', stderr);
    (void)fputs("^\n", stderr);
}

/* --variable NAME=TEXT: a string, %NAME in the expression. */
static bool take_options(evaluation *job)
{
    const med_arguments *args = job->args;
    for (size_t i = 0; i < args->n_options; i++) {
        med_str value = args->options[i].value;
        med_str text;
        if (strcmp(args->options[i].option->name, "context") == 0)
            job->context = value;
        if (strcmp(args->options[i].option->name, "trace") == 0)
            job->trace = true;
        if (strcmp(args->options[i].option->name, "variable") != 0)
            continue;
        med_str name = med_str_cut(value, '=', &text);
        med_value *v = MED_TAKE(args->arena, 1, med_value);
        if (v == NULL || name.len == 0 || name.len == value.len || job->n_variables == VARIABLES)
            return false;
        *v = (med_value){
            .kind = MED_VALUE_STRING, .type = MED_TYPE_NONE, .text = text, .unit = MED_STR_EMPTY};
        job->variables[job->n_variables++] = (med_fhirpath_variable){name, {v, 1}};
    }
    return true;
}

static enum med_exit run(const med_arguments *args)
{
    enum { FILE_ARENA = 1 << 30 };
    enum med_exit code = MED_EXIT_OK;
    evaluation job = {.args = args, .p = med_pack_core(), .context = MED_STR_EMPTY};
    if (args->n < 2)
        return med_command_fail(MED_EXIT_USAGE,
                                "fhirpath needs an expression and a file ('-' is standard input)");
    if (!take_options(&job))
        return med_command_fail(MED_EXIT_USAGE,
                                "--variable is given as NAME=TEXT, at most %d times", VARIABLES);
    job.a = med_arena_new(FILE_ARENA);
    if (job.a == NULL)
        return med_command_fail(MED_EXIT_FAILED, "no memory");
    for (size_t i = 1; i < args->n; i++) {
        med_err err = {0};
        bool several = args->n > 2;
        job.failed = MED_STR_EMPTY;
        if (several)
            printf("== %.*s\n", MED_STR_ARG(args->words[i]));
        (void)fflush(stdout);
        if (run_file(&job, args->words[i], &err)) {
            med_arena_reset(job.a);
            continue;
        }
        code = med_command_fail(MED_EXIT_FAILED, "%.*s%s%s", several ? (int)args->words[i].len : 0,
                                args->words[i].ptr, several ? ": " : "", err.text);
        show_place(job.failed, &err);
        med_arena_reset(job.a);
    }
    med_arena_free(job.a);
    return code;
}

static const med_option options[] = {
    {"context", "EXPRESSION", NULL, "evaluate for each value of this expression, as %context"},
    {"variable", "NAME=TEXT", NULL, "a string, %NAME in the expression; may be given again"},
    {"trace", NULL, NULL, "show on standard error what trace() is given"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_fhirpath = {
    .name = "fhirpath",
    .usage = "[--context EXPRESSION] [--variable NAME=TEXT] [--trace] EXPRESSION FILE...",
    .summary = "evaluate a FHIRPath expression on resources in JSON or XML",
    .examples = "  medulla fhirpath 'Patient.name.given.first()' patient.json\n"
                "  medulla fhirpath --context Patient.contact 'name.family' patient.xml\n"
                "  medulla fhirpath \"telecom.where(system = %kind).value\" \\\n"
                "    --variable kind=phone patient.json\n",
    .options = options,
    .run = run,
};
