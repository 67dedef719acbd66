/* capabilities.c - https://hl7.org/fhir/R4/http.html#capabilities
 *
 * Written from what is wired: the table of interactions, the search parameters whose
 * extraction compiled, the settings. Nothing here is a list of its own, so it can not promise
 * what the server does not do. */
#include "base/datetime.h"
#include "fhir/conditional_read.h"
#include "fhir/content.h"
#include "fhir/interactions.h"
#include "fhir/respond.h"
#include "fhir/subset.h"
#include "fhir/term_capabilities.h"
#include "package/packages.h"

static void coded(med_json_writer *w, const char *code)
{
    med_json_open(w, '{');
    med_json_pair(w, "code", med_str_from(code));
    med_json_close(w, '}');
}

static bool is_named(const med_interaction *i, const char *const *names, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (strcmp(i->name, names[k]) == 0)
            return true;
    }
    return false;
}

/* Interactions of a level that the specification has a code for, each once. */
static void write_interactions(med_json_writer *w, const char *const *names, size_t n)
{
    med_json_key(w, MED_STR("interaction"));
    med_json_open(w, '[');
    for (size_t i = 0; i < med_interaction_count; i++) {
        const med_interaction *at = med_interactions[i];
        bool repeated = false;
        for (size_t k = 0; k < i; k++)
            repeated = repeated || strcmp(med_interactions[k]->name, at->name) == 0;
        if (!repeated && is_named(at, names, n))
            coded(w, at->name);
    }
    med_json_close(w, ']');
}

static const char *param_type_code(enum med_param_type type)
{
    static const char *const codes[] = {"number",    "date",     "string", "token",  "reference",
                                        "composite", "quantity", "uri",    "special"};
    return codes[type];
}

/* A type of parameter that queries can use (query_parse.c refuses the others). */
static bool is_searchable(const med_param *p)
{
    return p->compiled || med_str_eqz(p->code, "_text") || med_str_eqz(p->code, "_content")
           || med_str_eqz(p->code, "near");
}

static void write_params(med_json_writer *w, const med_search_schema *schema, med_type type)
{
    const med_pack *pack = med_schema_pack(schema);
    size_t n;
    const uint32_t *rows = med_type_params(pack, type, &n);
    med_json_key(w, MED_STR("searchParam"));
    med_json_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        med_param p;
        med_pack_param(pack, rows[i], &p);
        if (!is_searchable(&p) || !med_schema_is_ready(schema, rows[i]))
            continue;
        med_json_open(w, '{');
        med_json_pair(w, "name", p.code);
        med_json_pair(w, "definition", p.url);
        med_json_pair(w, "type", med_str_from(param_type_code(p.type)));
        med_json_close(w, '}');
    }
    med_json_close(w, ']');
}

/* Any reference can be followed both ways; `*` says so for all types, and is the shorter list. */
static void write_includes(med_json_writer *w, const med_search_schema *schema, med_type type)
{
    const med_pack *pack = med_schema_pack(schema);
    size_t n;
    char name[160];
    const uint32_t *rows = med_type_params(pack, type, &n);
    med_json_key(w, MED_STR("searchInclude"));
    med_json_open(w, '[');
    med_json_str(w, MED_STR("*"));
    for (size_t i = 0; i < n; i++) {
        med_param p;
        med_pack_param(pack, rows[i], &p);
        if (p.type != MED_PARAM_REFERENCE || !is_searchable(&p)
            || !med_schema_is_ready(schema, rows[i]))
            continue;
        int len = snprintf(name, sizeof name, "%.*s:%.*s", MED_STR_ARG(med_type_name(pack, type)),
                           MED_STR_ARG(p.code));
        if (len > 0 && (size_t)len < sizeof name)
            med_json_str(w, (med_str){name, (size_t)len});
    }
    med_json_close(w, ']');
    med_json_key(w, MED_STR("searchRevInclude"));
    med_json_open(w, '[');
    med_json_str(w, MED_STR("*"));
    med_json_close(w, ']');
}

/* What is no parameter of a type, but can be asked of all. */
static void write_common_params(med_json_writer *w)
{
    static const struct {
        const char *name, *type, *documentation;
    } params[] = {
        {"_filter", "special", "an expression over the other parameters"},
        {"_has", "special", "_has:Type:reference:parameter"},
        {"_list", "string", "what the List of that id names"},
        {"_type", "token", "the types of a search of several"},
    };
    med_json_key(w, MED_STR("searchParam"));
    med_json_open(w, '[');
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        med_json_open(w, '{');
        med_json_pair(w, "name", med_str_from(params[i].name));
        med_json_pair(w, "type", med_str_from(params[i].type));
        med_json_pair(w, "documentation", med_str_from(params[i].documentation));
        med_json_close(w, '}');
    }
    med_json_close(w, ']');
}

static bool has_conditional(enum med_method method)
{
    for (size_t i = 0; i < med_interaction_count; i++) {
        if (med_interactions[i]->conditional && med_interactions[i]->method == method)
            return true;
    }
    return false;
}

static void write_flag(med_json_writer *w, const char *name, bool value)
{
    med_json_key(w, med_str_from(name));
    med_json_bool(w, value);
}

/* $operations, by the definitions of R4: Resource-meta, Patient-everything and so on. `type` is
 * empty for those that every type has. */
static void write_operations(med_json_writer *w, med_str type)
{
    bool any = false;
    for (size_t i = 0; i < med_interaction_count; i++) {
        const med_interaction *at = med_interactions[i];
        const char *operation = at->operation;
        bool here = operation[0] == '$' && (at->types == NULL) == (type.len == 0)
                    && med_interaction_is_of(at, type);
        for (size_t k = 0; k < i && here; k++)
            here = strcmp(med_interactions[k]->operation, operation) != 0;
        if (!here)
            continue;
        if (!any) {
            med_json_key(w, MED_STR("operation"));
            med_json_open(w, '[');
        }
        any = true;
        char url[160];
        int n = snprintf(url, sizeof url, "http://hl7.org/fhir/OperationDefinition/%.*s-%s",
                         MED_STR_ARG(type.len > 0 ? type : MED_STR("Resource")), operation + 1);
        med_json_open(w, '{');
        med_json_pair(w, "name", med_str_from(operation + 1));
        med_json_pair(w, "definition",
                      at->definition != NULL ? med_str_from(at->definition)
                                             : (med_str){url, n > 0 ? (size_t)n : 0});
        med_json_close(w, '}');
    }
    if (any)
        med_json_close(w, ']');
}

static void write_resource(med_json_writer *w, const med_fhir *f, med_type type)
{
    static const char *const names[] = {"read",         "vread",  "update",
                                        "patch",        "delete", "history-instance",
                                        "history-type", "create", "search-type"};
    med_str name = med_type_name(f->pack, type);
    med_json_open(w, '{');
    med_json_pair(w, "type", name);
    med_json_key(w, MED_STR("profile"));
    char url[128];
    size_t n = sizeof "http://hl7.org/fhir/StructureDefinition/" - 1;
    memcpy(url, "http://hl7.org/fhir/StructureDefinition/", n);
    memcpy(url + n, name.ptr, name.len < sizeof url - n ? name.len : 0);
    med_json_str(w, (med_str){url, n + name.len});
    write_interactions(w, names, sizeof names / sizeof *names);
    med_json_pair(w, "versioning", MED_STR("versioned-update"));
    write_flag(w, "readHistory", true);
    write_flag(w, "updateCreate", f->update_as_create);
    write_flag(w, "conditionalCreate", true);
    med_json_pair(w, "conditionalRead", MED_STR("full-support"));
    write_flag(w, "conditionalUpdate", has_conditional(MED_PUT));
    if (has_conditional(MED_DELETE))
        med_json_pair(w, "conditionalDelete",
                      f->multiple_delete ? MED_STR("multiple") : MED_STR("single"));
    med_json_key(w, MED_STR("referencePolicy"));
    med_json_open(w, '[');
    med_json_str(w, MED_STR("literal"));
    med_json_str(w, MED_STR("local"));
    if (f->check_references)
        med_json_str(w, MED_STR("enforced"));
    med_json_close(w, ']');
    write_includes(w, f->schema, type);
    write_params(w, f->schema, type);
    write_operations(w, name);
    med_json_close(w, '}');
}

static void write_security(med_json_writer *w, const med_fhir *f)
{
    med_json_key(w, MED_STR("security"));
    med_json_open(w, '{');
    med_json_pair(w, "description",
                  f->auth_off
                      ? MED_STR("No sign-in: this server runs with --auth off and serves only "
                                "the machine it is on.")
                      : MED_STR("Sign-in is required."));
    med_json_close(w, '}');
}

static void write_rest(med_json_writer *w, const med_fhir *f)
{
    static const char *const system_names[] = {"transaction", "batch", "search-system",
                                               "history-system"};
    size_t n;
    const med_type *types = med_pack_resources(f->pack, &n);
    med_json_key(w, MED_STR("rest"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_pair(w, "mode", MED_STR("server"));
    write_security(w, f);
    med_json_key(w, MED_STR("resource"));
    med_json_open(w, '[');
    for (size_t i = 0; i < n; i++)
        write_resource(w, f, types[i]);
    med_json_close(w, ']');
    write_interactions(w, system_names, sizeof system_names / sizeof *system_names);
    write_common_params(w);
    write_operations(w, MED_STR_EMPTY);
    med_json_close(w, '}');
    med_json_close(w, ']');
}

static void write_formats(med_json_writer *w)
{
    med_json_key(w, MED_STR("format"));
    med_json_open(w, '[');
    med_json_str(w, MED_STR("application/fhir+json"));
    med_json_str(w, MED_STR("application/fhir+xml"));
    med_json_str(w, MED_STR("json"));
    med_json_str(w, MED_STR("xml"));
    med_json_close(w, ']');
    med_json_key(w, MED_STR("patchFormat"));
    med_json_open(w, '[');
    med_json_str(w, MED_STR("application/json-patch+json"));
    med_json_str(w, MED_STR("application/fhir+json"));
    med_json_close(w, ']');
}

static void write_statement(med_buf *out, const med_fhir *f)
{
    med_json_writer writer = med_json_writer_to(out), *w = &writer;
    med_json_open(w, '{');
    med_json_pair(w, "resourceType", MED_STR("CapabilityStatement"));
    med_capabilities_write_head(w, f);
    med_json_pair(w, "fhirVersion", MED_STR("4.0.1"));
    write_formats(w);
    write_rest(w, f);
    med_json_close(w, '}');
}

bool med_capabilities_text(med_arena *a, const med_fhir *f, med_str *out, med_err *err)
{
    enum { STATEMENT_BYTES = 16 << 20 };
    med_buf buf;
    med_buf_init(&buf, STATEMENT_BYTES);
    write_statement(&buf, f);
    bool kept = !buf.failed && med_arena_copy(a, med_buf_str(&buf), out);
    med_buf_free(&buf);
    return kept ? true : MED_FAIL_MEMORY(err);
}

/* *terminology: what is known of codes is wanted, a resource of its own. */
static bool read_mode(const med_call *call, bool *terminology, med_err *err)
{
    *terminology = false;
    for (size_t i = 0; i < call->request.query.n; i++) {
        const med_pair *p = &call->request.query.at[i];
        if (!med_str_eqz(p->name, "mode") || med_str_eqz(p->value, "full")
            || med_str_eqz(p->value, "normative"))
            continue;
        *terminology = med_str_eqz(p->value, "terminology");
        if (!*terminology)
            return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                            "mode may be full, normative or terminology");
    }
    return true;
}

static void write_guides(med_arena *a, med_packages *packages, med_buf *out)
{
    med_package_info info;
    bool any = false;
    for (size_t i = 0; med_packages_at(packages, a, i, &info); i++) {
        if (info.guide.len == 0)
            continue;
        med_buf_addz(out, any ? ",\"" : ",\"implementationGuide\":[\"");
        med_json_escape(out, info.guide);
        med_buf_addc(out, '"');
        any = true;
    }
    if (any)
        med_buf_addc(out, ']');
}

/* The guides that are installed at this moment stand in front of what the server does. */
static bool with_guides(med_call *call, med_str *text, med_err *err)
{
    med_buf out;
    size_t at = med_str_search(*text, MED_STR(",\"rest\":["), 0);
    med_buf_init(&out, MED_JSON_MAX_BYTES);
    med_buf_add(&out, med_str_sub(*text, 0, at));
    write_guides(call->arena, call->fhir->packages, &out);
    bool ok = true;
    if (out.len > at) {
        med_buf_add(&out, med_str_skip(*text, at));
        ok = !out.failed && med_arena_copy(call->arena, med_buf_str(&out), text);
    }
    med_buf_free(&out);
    return ok ? true : MED_FAIL_MEMORY(err);
}

static bool shaped(med_call *call, const char *name, med_str *text, med_err *err)
{
    med_shape shape = {0};
    med_type type = med_pack_type(call->fhir->pack, med_str_from(name));
    if (!med_content_shape(call, &shape, err))
        return false;
    if (shape.summary == MED_SUMMARY_FALSE && shape.n_elements == 0)
        return true;
    med_buf buf;
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    bool ok = med_subset_write(call->arena, call->fhir->pack, type, *text, &shape, &buf, err);
    if (ok && (buf.failed || !med_arena_copy(call->arena, med_buf_str(&buf), text)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&buf);
    return ok;
}

/* The tag names the statement's content, not a version of a resource. */
static bool tag_matches(med_str field, med_str tag)
{
    while (field.len > 0) {
        med_str one = med_str_trim(med_str_cut(field, ',', &field));
        if (med_str_eqz(one, "*") || med_str_eq(one, tag))
            return true;
    }
    return false;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    med_str text = call->fhir->capabilities;
    med_fhir_response *r = &call->response;
    bool terminology;
    if (!read_mode(call, &terminology, err))
        return MED_STEP_FAILED;
    if (terminology && !call->on_worker)
        return MED_STEP_AGAIN;
    if (!(terminology ? med_term_capabilities_text(call, &text, err)
                      : with_guides(call, &text, err)))
        return MED_STEP_FAILED;
    if (!shaped(call, terminology ? "TerminologyCapabilities" : "CapabilityStatement", &text, err))
        return MED_STEP_FAILED;
    r->etag = med_arena_printf(call->arena, "W/\"%016lx\"",
                               (unsigned long)med_store_hash(call->fhir->store, text));
    r->status = tag_matches(call->request.if_none_match, r->etag) ? 304 : 200;
    r->body = r->status == 200 ? text : MED_STR_EMPTY;
    return MED_STEP_OK;
}

const med_interaction med_interaction_capabilities = {
    .name = "capabilities",
    .method = MED_GET,
    .level = MED_LEVEL_SYSTEM,
    .operation = "metadata",
    .parameters = "mode",
    .prepare = prepare,
};
