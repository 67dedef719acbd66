/* evaluate.c - runs FHIRPath for the suites: one JSON request a line in, one answer a line out.
 *
 *     {"expression": "name.given", "resource": {...}, "context": "name[0]", "typed": true,
 *      "variables": {"a": [1, 2]}}
 *     {"ok": true, "values": [{"type": "FHIR.string", "value": "Peter"}]}
 *     {"ok": false, "stage": "compile", "text": "..."}
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/fhirpath.h"

enum { LINE_MAX_BYTES = 16 << 20, ARENA = 256 << 20, VARIABLES = 16 };

struct request {
    med_str expression, context;
    med_value resource;
    bool typed;
    med_fhirpath_variable variables[VARIABLES];
    size_t n_variables;
};

static const char *const names[] = {
    "Any",         "System.Boolean",  "System.Integer", "System.Decimal",  "System.String",
    "System.Date", "System.DateTime", "System.Time",    "System.Quantity", "System.Type",
};

static med_value node_value(const med_pack *p, const med_json *j, uint32_t node)
{
    med_value v;
    med_err err;
    if (med_value_of_resource(p, j, node, &v, &err))
        return v;
    return (med_value){.kind = MED_VALUE_NODE,
                       .type = MED_TYPE_NONE,
                       .node = node,
                       .json = j,
                       .text = MED_STR_EMPTY,
                       .unit = MED_STR_EMPTY};
}

static med_values values_of(med_arena *a, const med_pack *p, const med_json *j, uint32_t node)
{
    bool array = med_json_kind_at(j, node) == MED_JSON_ARRAY;
    size_t n = array ? j->nodes[node].count : 1;
    med_value *at = MED_TAKE(a, n + 1, med_value);
    size_t count = 0;
    for (uint32_t e = array ? node + 1 : node; count < n; e = j->nodes[e].next)
        at[count++] = node_value(p, j, e);
    if (!array && med_json_kind_at(j, node) == MED_JSON_NULL)
        count = 0;
    return (med_values){at, count};
}

static med_str text_at(med_arena *a, const med_json *j, const char *key)
{
    med_str out = MED_STR_EMPTY;
    uint32_t node = med_json_member(j, 0, med_str_from(key));
    if (node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING
        && !med_json_string(a, j, node, &out))
        abort();
    return out;
}

static void read_request(med_arena *a, const med_pack *p, const med_json *j, struct request *out)
{
    out->expression = text_at(a, j, "expression");
    out->context = text_at(a, j, "context");
    uint32_t typed = med_json_member(j, 0, MED_STR("typed"));
    out->typed = typed != 0 && med_json_kind_at(j, typed) == MED_JSON_TRUE;
    uint32_t resource = med_json_member(j, 0, MED_STR("resource"));
    out->resource = node_value(p, j, resource);
    uint32_t variables = med_json_member(j, 0, MED_STR("variables"));
    if (variables == 0)
        return;
    for (uint32_t k = variables + 1; k < j->nodes[variables].next && out->n_variables < VARIABLES;
         k = j->nodes[k + 1].next) {
        med_fhirpath_variable *v = &out->variables[out->n_variables++];
        if (!med_json_string(a, j, k, &v->name))
            abort();
        v->value = values_of(a, p, j, k + 1);
    }
}

static bool evaluate(med_arena *a, const med_pack *p, const struct request *in, med_str expression,
                     const med_value *focus, med_values *out, const char **stage, med_err *err)
{
    const med_fhirpath *program = NULL;
    med_fhirpath_env env = {.now = med_now(&med_clock_system),
                            .variables = in->variables,
                            .n_variables = in->n_variables};
    *stage = "compile";
    if (!med_fhirpath_compile(a, p, expression, in->typed ? focus->type : MED_TYPE_NONE, &program,
                              err))
        return false;
    *stage = "run";
    return med_fhirpath_run(a, p, program, &env, focus, &in->resource, out, err);
}

static void write_value(const med_pack *p, med_buf *out, const med_value *v)
{
    bool typed = v->kind == MED_VALUE_NODE && v->type != MED_TYPE_NONE;
    med_buf_addz(out, "{\"type\":\"");
    if (typed)
        med_buf_addz(out, "FHIR.");
    med_buf_add(out, typed ? med_type_name(p, v->type) : med_str_from(names[v->kind]));
    if (v->kind == MED_VALUE_DECIMAL || v->kind == MED_VALUE_QUANTITY)
        med_buf_printf(out, "\",\"number\":\"%.*s", MED_STR_ARG(v->text)); /* 1.50 stays so */
    med_buf_addz(out, "\",\"value\":");
    med_values_print(out, (med_values){v, 1});
    out->len--; /* the end of the line */
    med_buf_addc(out, '}');
}

static void answer(med_arena *a, const med_pack *p, med_str line, med_buf *out)
{
    med_json j;
    med_err err = {0};
    struct request in = {.expression = MED_STR_EMPTY};
    if (!med_json_parse(a, line, &j, NULL, &err)) {
        med_buf_printf(out, "{\"ok\":false,\"stage\":\"request\",\"text\":\"%s\"}\n", err.text);
        return;
    }
    read_request(a, p, &j, &in);
    const char *stage = "compile";
    med_values values = {0};
    med_value focus = in.resource;
    bool good =
        in.context.len == 0 || evaluate(a, p, &in, in.context, &focus, &values, &stage, &err);
    if (good && values.n == 1)
        focus = values.at[0];
    good = good && evaluate(a, p, &in, in.expression, &focus, &values, &stage, &err);
    med_json_writer w = med_json_writer_to(out);
    if (!good) {
        med_json_open(&w, '{');
        med_json_key(&w, MED_STR("ok"));
        med_json_bool(&w, false);
        med_json_pair(&w, "stage", med_str_from(stage));
        med_json_pair(&w, "issue", med_str_from(med_issue_code(err.issue)));
        med_json_pair(&w, "text", med_str_from(err.text));
        med_json_close(&w, '}');
    } else {
        med_buf_addz(out, "{\"ok\":true,\"values\":[");
        for (size_t i = 0; i < values.n; i++) {
            if (i > 0)
                med_buf_addc(out, ',');
            write_value(p, out, &values.at[i]);
        }
        med_buf_addz(out, "]}");
    }
    med_buf_addc(out, '\n');
}

int main(void)
{
    const med_pack *p = med_pack_core();
    med_arena *a = med_arena_new(ARENA);
    med_buf out;
    char *line = NULL;
    size_t room = 0;
    med_buf_init(&out, LINE_MAX_BYTES);
    for (;;) {
        ssize_t n = getline(&line, &room, stdin);
        if (n <= 0)
            break;
        med_arena_reset(a);
        med_buf_clear(&out);
        answer(a, p, (med_str){line, (size_t)n - (line[n - 1] == '\n')}, &out);
        if (fwrite(out.ptr, 1, out.len, stdout) != out.len)
            return 1;
    }
    med_buf_free(&out);
    med_arena_free(a);
    return fflush(stdout) == 0 ? 0 : 1;
}
