/* validate.c - https://hl7.org/fhir/R4/resource-operation-validate.html
 *
 * The answer is an OperationOutcome with status 200, whatever it says: 4xx is for a question
 * that can not be understood. More is looked at than on a write: warnings are told, and a
 * reference to a type that does not belong there is an error. */
#include <stdarg.h>
#include <stdio.h>

#include "base/url.h"
#include "fhir/interactions.h"
#include "fhir/outcome.h"
#include "fhir/respond.h"
#include "fhir/validate_body.h"
#include "fhir/validate_definition.h"

enum { PROFILES_MAX = 16, REFERRERS = 1 };

enum mode { MODE_NONE, MODE_CREATE, MODE_UPDATE, MODE_DELETE, MODE_PROFILE };

/* What was asked: from the query, or from Parameters around the resource. */
typedef struct question {
    enum mode mode;
    med_str profiles[PROFILES_MAX];
    size_t n_profiles;
    bool has_resource;
} question;

/* ---- reading the question ---- */

static bool read_mode(med_str text, enum mode *out, med_err *err)
{
    static const char *const names[] = {"", "create", "update", "delete", "profile"};
    for (size_t i = 1; i < sizeof names / sizeof *names; i++) {
        if (med_str_eqz(text, names[i])) {
            *out = (enum mode)i;
            return true;
        }
    }
    (void)MED_FAIL(err, MED_ISSUE_VALUE, "mode is create, update, delete or profile");
    return med_err_status(err, 400);
}

static bool add_profile(question *q, med_str url, med_err *err)
{
    if (q->n_profiles == PROFILES_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "at most %d profiles at once", PROFILES_MAX);
    q->profiles[q->n_profiles++] = url;
    return true;
}

static bool read_query(const med_call *call, question *q, med_err *err)
{
    const med_pairs *query = &call->request.query;
    for (size_t i = 0; i < query->n; i++) {
        const med_pair *p = &query->at[i];
        if (med_str_eqz(p->name, "mode")) {
            if (!read_mode(p->value, &q->mode, err))
                return false;
        } else if (med_str_eqz(p->name, "profile")) {
            if (!add_profile(q, p->value, err))
                return false;
        } else if (!med_str_eqz(p->name, "_format") && !med_str_eqz(p->name, "_pretty")) {
            (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                           "$validate has the parameters mode and profile");
            return med_err_status(err, 400);
        }
    }
    return true;
}

static med_str text_at(med_call *call, uint32_t object, const char *key)
{
    const med_json *j = call->request.json;
    med_str text = MED_STR_EMPTY;
    uint32_t node = med_json_member(j, object, med_str_from(key));
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING
        || !med_json_string(call->arena, j, node, &text))
        return MED_STR_EMPTY;
    return text;
}

static bool read_parameter(med_call *call, uint32_t node, question *q, med_err *err)
{
    med_str name = text_at(call, node, "name");
    uint32_t resource = med_json_member(call->request.json, node, MED_STR("resource"));
    if (med_str_eqz(name, "resource") && resource != 0
        && med_json_kind_at(call->request.json, resource) == MED_JSON_OBJECT) {
        call->request.root = resource;
        q->has_resource = true;
        return true;
    }
    if (med_str_eqz(name, "mode"))
        return read_mode(text_at(call, node, "valueCode"), &q->mode, err);
    if (!med_str_eqz(name, "profile")) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "$validate takes the parameters resource, mode and profile");
        return med_err_status(err, 400);
    }
    med_str url = text_at(call, node, "valueUri");
    return add_profile(q, url.len > 0 ? url : text_at(call, node, "valueCanonical"), err);
}

static bool is_named(const med_call *call, uint32_t node, const char *name)
{
    const med_json *j = call->request.json;
    uint32_t at = med_json_member(j, node, MED_STR("name"));
    return at != 0 && med_json_kind_at(j, at) == MED_JSON_STRING
           && med_json_string_is(j, at, med_str_from(name));
}

/* Parameters may be the question, or what is asked about: they are the question when the type in
 * the URL is another one, or when they have a part that only a question has. */
static bool is_question(const med_call *call, uint32_t list)
{
    const med_json *j = call->request.json;
    if (!med_str_eqz(call->request.type_name, "Parameters"))
        return true;
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (is_named(call, e, "resource") && med_json_member(j, e, MED_STR("resource")) != 0)
            return true;
    }
    return false;
}

static bool read_body(med_call *call, question *q, med_err *err)
{
    const med_json *j = call->request.json;
    if (j == NULL)
        return true;
    if (med_json_kind_at(j, 0) != MED_JSON_OBJECT
        || !med_str_eqz(text_at(call, 0, "resourceType"), "Parameters")) {
        q->has_resource = true;
        return true;
    }
    uint32_t list = med_json_member(j, 0, MED_STR("parameter"));
    if (list != 0 && med_json_kind_at(j, list) != MED_JSON_ARRAY)
        list = 0;
    if (!is_question(call, list)) {
        q->has_resource = true;
        return true;
    }
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) == MED_JSON_OBJECT && !read_parameter(call, e, q, err))
            return false;
    }
    return true;
}

/* ---- answering ---- */

__attribute__((format(printf, 4, 5))) static bool add(med_call *call, enum med_issue issue,
                                                      bool is_warning, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    med_problem problem = {
        .issue = issue, .is_warning = is_warning, .expression = call->request.type_name};
    return med_arena_copy(call->arena, med_str_from(text), &problem.text)
           && med_problem_add(call->arena, &call->problems, &problem);
}

/* What it refers to is there? A placeholder of a Bundle and what is elsewhere are not looked for.
 */
static bool check_references(med_call *call, med_err *err)
{
    const med_fhir *f = call->fhir;
    const med_fhir_request *r = &call->request;
    med_rows rows = {0};
    if (!f->check_references || med_str_eqz(r->type_name, "Bundle"))
        return true;
    if (!med_extract(f->schema, call->arena, r->json, r->root, r->type, r->id, f->base, &rows, err))
        return false;
    for (size_t i = 0; i < rows.n_targets; i++) {
        const med_target_row *t = &rows.targets[i];
        med_stored found;
        enum med_found what = med_view_latest(call->view, call->arena, t->type, t->id, &found, err);
        if (what == MED_FAILED)
            return false;
        if (what == MED_FOUND && found.change != MED_DELETED)
            continue;
        med_problem problem = {
            .issue = MED_ISSUE_NOT_FOUND,
            .expression = t->expression,
            .text = MED_STR("nothing is stored under this reference; a write would be refused"),
        };
        if (!med_problem_add(call->arena, &call->problems, &problem))
            return MED_FAIL_MEMORY(err);
    }
    return true;
}

/* ---- the Questionnaire of a response, the Measure of a report ---- */

static bool parse_stored(med_call *call, const med_stored *stored, const med_json **out)
{
    med_err err = {0};
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL || stored->change == MED_DELETED
        || !med_json_parse(call->arena, stored->text, j, NULL, &err))
        return false;
    *out = j;
    return true;
}

/* The newest stored one of that url. */
static bool find_by_url(med_call *call, med_type type, med_str url, med_str version,
                        const med_json **out)
{
    const med_fhir *f = call->fhir;
    med_search_options options = {.strict = true,
                                  .base = f->base,
                                  .now = med_now(f->clock),
                                  .default_count = f->default_count,
                                  .max_count = f->max_count};
    med_pair pairs[] = {{MED_STR("url"), url}, {MED_STR("version"), version}};
    med_pairs query = {pairs, version.len > 0 ? 2 : 1};
    med_match *matches;
    med_stored stored;
    size_t n = 0;
    const med_query *q;
    med_err err = {0};
    return med_query_parse_search(f->schema, call->arena, type, &query, true, &options, &q, &err)
           && med_search_match(f->schema, call->view, call->arena, q, 1, &matches, &n, &err)
           && n > 0
           && med_view_by_rid(call->view, call->arena, matches[0].rid, &stored, &err) == MED_FOUND
           && parse_stored(call, &stored, out);
}

static bool find_definition(void *arg, const char *type_name, med_str canonical, const med_json **j,
                            uint32_t *root)
{
    static const char special[] = ",\\$"; /* what a search value would have to escape */
    med_call *call = arg;
    med_str version;
    med_str url = med_str_cut(canonical, '|', &version);
    med_str id, start = med_str_cut(url, '/', &id);
    med_stored stored;
    med_err err = {0};
    *root = 0;
    for (size_t i = 0; i < canonical.len; i++) {
        if (memchr(special, canonical.ptr[i], sizeof special - 1) != NULL)
            return false;
    }
    med_type type = med_pack_type(call->fhir->pack, med_str_from(type_name));
    if (!med_str_eqz(start, type_name))
        return find_by_url(call, type, url, version, j);
    return med_view_latest(call->view, call->arena, med_schema_type(call->fhir->schema, type), id,
                           &stored, &err)
               == MED_FOUND
           && parse_stored(call, &stored, j);
}

/* mode=delete: what is referenced can not go. */
static bool check_delete(med_call *call, const med_stored *stored, med_err *err)
{
    med_rid *referrers;
    size_t n = 0;
    if (!call->fhir->check_references)
        return true;
    if (!med_view_referrers(call->view, call->arena, stored->rid, REFERRERS, &referrers, &n, err))
        return false;
    return n == 0
           || add(call, MED_ISSUE_CONFLICT, false,
                  "other resources refer to it: it can be deleted only with _cascade=delete")
           || MED_FAIL_MEMORY(err);
}

/* The id of an update is that of the URL; a create gets a new one, whatever is sent. */
static bool check_id(med_call *call, enum mode mode, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_str id = text_at(call, r->root, "id");
    bool instance = r->level == MED_LEVEL_INSTANCE;
    bool ok = true;
    if (instance && id.len > 0 && !med_str_eq(id, r->id))
        ok = add(call, MED_ISSUE_INVARIANT, false, "the id in the resource is not that in the URL");
    else if (instance && id.len == 0)
        ok = add(call, MED_ISSUE_REQUIRED, mode != MODE_UPDATE,
                 "an update needs the id of the URL in the resource, too");
    else if (mode == MODE_UPDATE && id.len == 0)
        ok = add(call, MED_ISSUE_REQUIRED, false, "an update needs an id");
    return ok ? true : MED_FAIL_MEMORY(err);
}

static bool check_type(med_call *call, med_type type, med_err *err)
{
    if (type == MED_TYPE_NONE || type == call->request.type)
        return true;
    med_str name = med_type_name(call->fhir->pack, type);
    return add(call, MED_ISSUE_INVALID, false, "this is a %.*s; the URL says %.*s",
               MED_STR_ARG(name), MED_STR_ARG(call->request.type_name))
           || MED_FAIL_MEMORY(err);
}

static bool check_resource(med_call *call, const question *q, bool is_stored, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_type type;
    med_profile_use use;
    med_structure_options options = med_validate_options(call, MED_ENFORCE_BASE);
    if (!med_validate_use(call, &use, err))
        return false;
    use.canonicals = q->profiles;
    use.n = q->n_profiles;
    use.claimed = q->mode != MODE_PROFILE;
    options.profiles = &use;
    options.quiet = false;
    options.strict = true;
    options.find = find_definition;
    if (!med_structure_check_with(call->arena, call->fhir->pack, r->json, r->root, &options, &type,
                                  &call->problems, err)
        || !check_type(call, type, err))
        return false;
    if (call->fhir->profiles != NULL
        && !med_validate_definition(call->arena, r->json, r->root, use.source, &call->problems,
                                    err))
        return false;
    if (!is_stored && !check_id(call, q->mode, err))
        return false;
    bool writes = q->mode == MODE_CREATE || q->mode == MODE_UPDATE;
    return !writes || med_validate_failed(&call->problems) || check_references(call, err);
}

/* At the instance, and nothing was sent: what is stored. */
static bool use_stored(med_call *call, med_stored *stored, med_err *err)
{
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    call->request.json = j;
    call->request.root = 0;
    return med_find_current(call, stored, err)
           && med_json_parse(call->arena, stored->text, j, NULL, err);
}

static bool answer(med_call *call, med_err *err)
{
    med_buf out;
    med_str text;
    if (call->problems.n > 0) {
        text = med_outcome_text(call->arena, NULL, &call->problems);
    } else {
        med_buf_init(&out, (size_t)1 << 12);
        med_outcome_write_note(&out, "information", MED_ISSUE_INFORMATIONAL,
                               MED_STR("no problem was found"));
        bool kept = med_arena_copy(call->arena, med_buf_str(&out), &text);
        med_buf_free(&out);
        if (!kept)
            return MED_FAIL_MEMORY(err);
    }
    call->problems = (med_problems){0}; /* they are the answer */
    call->response.status = 200;
    call->response.body = text;
    return true;
}

static bool check(med_call *call, question *q, med_err *err)
{
    med_stored stored;
    if (!read_query(call, q, err) || !read_body(call, q, err))
        return false;
    bool instance = call->request.level == MED_LEVEL_INSTANCE;
    if (q->mode == MODE_DELETE && instance)
        return use_stored(call, &stored, err) && check_delete(call, &stored, err);
    if (!q->has_resource && !instance) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                       "$validate needs a resource: as the body, or as the part 'resource' of "
                       "Parameters");
        return med_err_status(err, 400);
    }
    if (q->mode == MODE_PROFILE && q->n_profiles == 0) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED, "mode=profile needs the parameter profile");
        return med_err_status(err, 400);
    }
    if (!q->has_resource && !use_stored(call, &stored, err))
        return false;
    return check_resource(call, q, !q->has_resource, err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    question q = {.mode = MODE_NONE};
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    return check(call, &q, err) && answer(call, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_validate_type = {
    .name = "$validate",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "$validate",
    .prepare = prepare,
};

const med_interaction med_interaction_validate_instance = {
    .name = "$validate",
    .method = MED_POST,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$validate",
    .prepare = prepare,
};

const med_interaction med_interaction_validate_stored = {
    .name = "$validate",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$validate",
    .prepare = prepare,
};
