/* fhirpath_operation.c - $fhirpath: an expression over a resource that is sent, or stored.
 * https://github.com/brianpos/fhirpath-lab/blob/master/server-api.md
 *
 *     POST [base]/$fhirpath                Parameters: expression, resource, context, variables
 *     GET  [base]/Patient/1/$fhirpath?expression=name.given
 *
 * With `context` the expression runs once for each of its values, which is %context then. Runs on
 * a worker, under the budget of steps that every expression has. */
#include "fhir/fhirpath_conforms.h"
#include "fhir/fhirpath_terms.h"
#include "fhir/fhirpath_values.h"
#include "fhir/interactions.h"
#include "fhir/respond.h"
#include "model/reference.h"

/* R4 has none; this is what says what the operation takes and gives. */
#define DEFINITION "https://github.com/brianpos/fhirpath-lab/blob/master/server-api.md"

enum {
    VARIABLES = 32,
    CONTEXTS = 1000,
    TRACES = 1000,
    CONFORMS = 1000, /* each is the check of a resource, not a step */
    EXPRESSION_MAX = 64 << 10,
    ANSWER_BYTES = 32 << 20,
};

struct traced {
    med_str name;
    med_values values;
};

typedef struct question {
    med_call *call;
    med_str expression, context;
    med_value resource;
    bool has_resource;
    med_fhirpath_variable variables[VARIABLES];
    size_t n_variables;
    struct traced traces[TRACES];
    size_t n_traces;
    bool too_many_traces;
    unsigned n_conforms;
    med_err conforms_err; /* why conformsTo() could not say */
} question;

/* ---- reading ---- */

static bool unknown(const med_call *call, med_str name, med_err *err)
{
    static const med_str names[] = {MED_LIT("expression"), MED_LIT("context"), MED_LIT("resource"),
                                    MED_LIT("variables")};
    med_str near = med_str_nearest(name, names, sizeof names / sizeof *names);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "$fhirpath has no parameter '%.*s'%s%.*s%s; it has expression, context%s",
                   MED_STR_ARG(med_str_sub(name, 0, 40)), near.len > 0 ? "; did you mean '" : "",
                   MED_STR_ARG(near), near.len > 0 ? "'?" : "",
                   call->request.level == MED_LEVEL_SYSTEM ? ", resource and variables"
                                                           : " and variables");
    return med_err_status(err, 400);
}

static bool take_query(question *q, med_err *err)
{
    static const char *const ours[] = {"_format", "_pretty"};
    const med_pairs *pairs = &q->call->request.query;
    for (size_t i = 0; i < pairs->n; i++) {
        const med_pair *p = &pairs->at[i];
        if (med_str_eqz(p->name, "expression"))
            q->expression = p->value;
        else if (med_str_eqz(p->name, "context"))
            q->context = p->value;
        else if (!med_str_eqz(p->name, ours[0]) && !med_str_eqz(p->name, ours[1]))
            return unknown(q->call, p->name, err);
    }
    return true;
}

static bool text_of(const question *q, uint32_t part, med_str *out, med_err *err)
{
    const med_json *j = q->call->request.json;
    uint32_t node = med_json_member(j, part, MED_STR("valueString"));
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING)
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "expression and context are given as valueString");
    return med_json_string(q->call->arena, j, node, out) ? true : MED_FAIL_MEMORY(err);
}

static bool name_of(const question *q, uint32_t part, med_str *out, med_err *err)
{
    const med_json *j = q->call->request.json;
    uint32_t node = med_json_kind_at(j, part) == MED_JSON_OBJECT
                        ? med_json_member(j, part, MED_STR("name"))
                        : 0;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING)
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "a parameter without a name");
    return med_json_string(q->call->arena, j, node, out) ? true : MED_FAIL_MEMORY(err);
}

static bool take_variables(question *q, uint32_t parameter, med_err *err)
{
    med_call *call = q->call;
    const med_json *j = call->request.json;
    uint32_t list = med_json_member(j, parameter, MED_STR("part"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return true;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        med_fhirpath_variable *v = &q->variables[q->n_variables];
        if (q->n_variables == VARIABLES)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d variables", VARIABLES);
        if (!name_of(q, e, &v->name, err)
            || !med_fhirpath_part_value(call->arena, call->fhir->pack, j, e, &v->value, err))
            return false;
        q->n_variables++;
    }
    return true;
}

static bool take_resource(question *q, uint32_t parameter, med_err *err)
{
    med_values v;
    const med_call *call = q->call;
    if (!med_fhirpath_part_value(call->arena, call->fhir->pack, call->request.json, parameter, &v,
                                 err))
        return false;
    q->has_resource = v.n == 1;
    if (v.n == 1)
        q->resource = v.at[0];
    return true;
}

static bool take_parameter(question *q, uint32_t node, med_err *err)
{
    med_str name;
    if (!name_of(q, node, &name, err))
        return false;
    if (med_str_eqz(name, "expression"))
        return text_of(q, node, &q->expression, err);
    if (med_str_eqz(name, "context"))
        return text_of(q, node, &q->context, err);
    if (med_str_eqz(name, "variables"))
        return take_variables(q, node, err);
    if (med_str_eqz(name, "resource") && q->call->request.level == MED_LEVEL_SYSTEM)
        return take_resource(q, node, err);
    return unknown(q->call, name, err);
}

static bool take_body(question *q, med_err *err)
{
    const med_fhir_request *r = &q->call->request;
    const med_json *j = r->json;
    med_value body;
    if (j == NULL)
        return true;
    if (!med_value_of_resource(q->call->fhir->pack, j, r->root, &body, err))
        return false;
    if (!med_str_eqz(med_type_name(q->call->fhir->pack, body.type), "Parameters"))
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "$fhirpath takes Parameters: expression (valueString), resource, and "
                        "context and variables if wanted");
    uint32_t list = med_json_member(j, r->root, MED_STR("parameter"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return true;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next)
        if (!take_parameter(q, e, err))
            return false;
    return true;
}

/* The stored resource, as a client reads it. */
static bool read_stored(question *q, med_err *err)
{
    med_call *call = q->call;
    med_stored s;
    med_buf buf;
    med_str text = MED_STR_EMPTY;
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_find_current(call, &s, err))
        return false;
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    bool ok = med_render_stored(call, &buf, &s, err);
    if (ok && (buf.failed || !med_arena_copy(call->arena, med_buf_str(&buf), &text)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    q->has_resource = true;
    return ok && med_json_parse(call->arena, text, j, NULL, err)
           && med_value_of_resource(call->fhir->pack, j, 0, &q->resource, err);
}

/* Without a resource the expression stands alone: 1 + 1. */
static bool no_resource(question *q, med_err *err)
{
    med_json *j = MED_TAKE(q->call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    q->resource = (med_value){.kind = MED_VALUE_NODE,
                              .type = MED_TYPE_NONE,
                              .json = j,
                              .text = MED_STR_EMPTY,
                              .unit = MED_STR_EMPTY};
    return med_json_parse(q->call->arena, MED_STR("{}"), j, NULL, err);
}

static bool read_question(question *q, med_err *err)
{
    if (!take_query(q, err) || !take_body(q, err))
        return false;
    if (q->call->request.level == MED_LEVEL_INSTANCE ? !read_stored(q, err)
                                                     : !q->has_resource && !no_resource(q, err))
        return false;
    if (med_str_trim(q->expression).len == 0) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED, "$fhirpath needs an expression");
        return med_err_status(err, 400);
    }
    if (q->expression.len > EXPRESSION_MAX || q->context.len > EXPRESSION_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "an expression has at most %d bytes",
                        EXPRESSION_MAX);
    return true;
}

/* ---- running ---- */

/* References of the stored resources' own kind are followed in the store. */
static bool resolve(void *arg, med_arena *a, med_str text, med_value *out)
{
    const question *q = arg;
    const med_fhir *f = q->call->fhir;
    med_reference ref;
    med_stored s;
    med_err err = {0};
    med_json *j = MED_TAKE(a, 1, med_json);
    if (j == NULL || !med_reference_parse(f->pack, text, f->base, &ref, &err)
        || ref.kind != MED_REFERENCE_LOCAL)
        return false;
    uint32_t type = med_schema_type(f->schema, med_pack_type(f->pack, ref.type));
    uint32_t version = med_version_parse(ref.version);
    enum med_found found = ref.version.len > 0
                               ? med_view_version(q->call->view, a, type, ref.id, version, &s, &err)
                               : med_view_read(q->call->view, a, type, ref.id, &s, &err);
    return found == MED_FOUND && s.change != MED_DELETED && med_json_parse(a, s.text, j, NULL, &err)
           && med_value_of_resource(f->pack, j, 0, out, &err);
}

static bool member_of(void *arg, const med_value *value, med_str value_set, bool *out)
{
    const question *q = arg;
    return med_fhirpath_member_of(q->call, value, value_set, out);
}

static bool subsumes(void *arg, const med_value *a, const med_value *b, bool *out)
{
    const question *q = arg;
    return med_fhirpath_subsumes(q->call, a, b, out);
}

static bool conforms_to(void *arg, const med_value *value, med_str profile, bool *out)
{
    question *q = arg;
    if (q->n_conforms++ == CONFORMS)
        return MED_FAIL(&q->conforms_err, MED_ISSUE_TOO_COSTLY,
                        "conformsTo() was asked more than %d times", CONFORMS);
    return med_fhirpath_conforms(q->call, value, profile, out, &q->conforms_err);
}

static bool trace(void *arg, med_str name, med_values values)
{
    question *q = arg;
    q->too_many_traces = q->n_traces == TRACES;
    if (!q->too_many_traces)
        q->traces[q->n_traces++] = (struct traced){name, values};
    return !q->too_many_traces;
}

static bool run(question *q, med_str expression, const med_value *focus, med_values *out,
                med_err *err)
{
    const med_fhir *f = q->call->fhir;
    const med_fhirpath *program;
    const med_fhirpath_env env = {.now = med_now(f->clock),
                                  .variables = q->variables,
                                  .n_variables = q->n_variables,
                                  .resolve = resolve,
                                  .member_of = member_of,
                                  .subsumes = subsumes,
                                  .trace = trace,
                                  .conforms_to = conforms_to,
                                  .arg = q};
    bool ok =
        med_fhirpath_compile(q->call->arena, f->pack, expression, focus->type, &program, err)
        && med_fhirpath_run(q->call->arena, f->pack, program, &env, focus, &q->resource, out, err);
    if (!ok && q->too_many_traces)
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d values of trace()", TRACES);
    if (!ok && q->conforms_err.text[0] != '\0')
        *err = q->conforms_err;
    return ok ? true : med_err_status(err, med_err_http_status(err) >= 500 ? 0 : 422);
}

/* ---- answering ---- */

static void write_text(med_json_writer *w, const char *name, med_str value)
{
    if (value.len == 0)
        return;
    med_json_open(w, '{');
    med_json_pair(w, "name", med_str_from(name));
    med_json_pair(w, "valueString", value);
    med_json_close(w, '}');
}

static void write_asked(const question *q, med_json_writer *w)
{
    const med_call *call = q->call;
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("parameters"));
    med_json_key(w, MED_STR("part"));
    med_json_open(w, '[');
    write_text(w, "evaluator", MED_STR("Medulla " MED_VERSION " (R4)"));
    write_text(w, "context", q->context);
    write_text(w, "expression", q->expression);
    if (q->has_resource && q->resource.type != MED_TYPE_NONE
        && med_type_kind_of(call->fhir->pack, q->resource.type) == MED_TYPE_RESOURCE) {
        med_json_open(w, '{');
        med_json_pair(w, "name", MED_STR("resource"));
        med_json_key(w, MED_STR("resource"));
        med_json_value(w, q->resource.json, q->resource.node);
        med_json_close(w, '}');
    }
    med_json_close(w, ']');
    med_json_close(w, '}');
}

static void write_result(const question *q, med_json_writer *w, med_str context, med_values values)
{
    const med_call *call = q->call;
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("result"));
    med_json_pair(w, "valueString", context);
    if (values.n + q->n_traces > 0) {
        med_json_key(w, MED_STR("part"));
        med_json_open(w, '[');
        med_fhirpath_write_parts(w, call->arena, call->fhir->pack, values);
        for (size_t i = 0; i < q->n_traces; i++) {
            med_json_open(w, '{');
            med_json_pair(w, "name", MED_STR("trace"));
            med_json_pair(w, "valueString", q->traces[i].name);
            if (q->traces[i].values.n > 0) {
                med_json_key(w, MED_STR("part"));
                med_json_open(w, '[');
                med_fhirpath_write_parts(w, call->arena, call->fhir->pack, q->traces[i].values);
                med_json_close(w, ']');
            }
            med_json_close(w, '}');
        }
        med_json_close(w, ']');
    }
    med_json_close(w, '}');
}

static bool write_results(question *q, med_json_writer *w, med_err *err)
{
    med_values focus = {&q->resource, 1};
    if (q->context.len > 0 && !run(q, q->context, &q->resource, &focus, err))
        return false;
    if (focus.n > CONTEXTS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the context has more than %d values", CONTEXTS);
    for (size_t i = 0; i < focus.n; i++) {
        med_values values;
        med_str where = MED_STR_EMPTY;
        q->n_traces = 0;
        if (!run(q, q->expression, &focus.at[i], &values, err))
            return false;
        if (q->context.len > 0)
            where = med_arena_printf(q->call->arena, "%.*s[%zu]", MED_STR_ARG(q->context), i);
        write_result(q, w, where, values);
        if (w->out->failed)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the answer would be too large");
    }
    return true;
}

static bool answer(question *q, med_err *err)
{
    med_call *call = q->call;
    med_buf buf;
    med_buf_init(&buf, ANSWER_BYTES);
    med_json_writer w = med_json_writer_to(&buf);
    med_json_open(&w, '{');
    med_json_pair(&w, "resourceType", MED_STR("Parameters"));
    med_json_pair(&w, "id", MED_STR("fhirpath"));
    med_json_key(&w, MED_STR("parameter"));
    med_json_open(&w, '[');
    write_asked(q, &w);
    bool ok = write_results(q, &w, err);
    med_json_close(&w, ']');
    med_json_close(&w, '}');
    if (ok && (buf.failed || !med_arena_copy(call->arena, med_buf_str(&buf), &call->response.body)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    call->response.status = 200;
    return ok;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    question *q = MED_TAKE(call->arena, 1, question);
    if (q == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_STEP_FAILED;
    }
    q->call = call;
    q->expression = q->context = MED_STR_EMPTY;
    return read_question(q, err) && answer(q, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_fhirpath = {
    .name = "fhirpath",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$fhirpath",
    .definition = DEFINITION,
    .prepare = prepare,
};

const med_interaction med_interaction_fhirpath_post = {
    .name = "fhirpath",
    .method = MED_POST,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$fhirpath",
    .definition = DEFINITION,
    .prepare = prepare,
};

const med_interaction med_interaction_fhirpath_system = {
    .name = "fhirpath",
    .method = MED_GET,
    .level = MED_LEVEL_SYSTEM,
    .operation = "$fhirpath",
    .definition = DEFINITION,
    .prepare = prepare,
};

const med_interaction med_interaction_fhirpath_system_post = {
    .name = "fhirpath",
    .method = MED_POST,
    .level = MED_LEVEL_SYSTEM,
    .operation = "$fhirpath",
    .definition = DEFINITION,
    .prepare = prepare,
};
