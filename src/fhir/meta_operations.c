/* meta_operations.c - $meta, $meta-add, $meta-delete.
 * https://hl7.org/fhir/R4/resource-operation-meta.html */
#include "fhir/change.h"
#include "fhir/interactions.h"
#include "fhir/meta.h"
#include "fhir/resource_text.h"
#include "fhir/respond.h"
#include "fhir/validate_body.h"
#include "fhir/write.h"

enum { BODY_BYTES = 1 << 20 };

/* {"resourceType":"Parameters","parameter":[{"name":"return","valueMeta":{...}}]} */
static bool answer(med_call *call, med_str members, med_err *err)
{
    med_str body =
        med_arena_printf(call->arena,
                         "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"return\""
                         "%s%.*s%s}]}",
                         members.len > 0 ? ",\"valueMeta\":{" : "", MED_STR_ARG(members),
                         members.len > 0 ? "}" : "");
    call->response.status = 200;
    call->response.body = body;
    return body.len > 0 ? true : MED_FAIL_MEMORY(err);
}

/* ---- $meta ---- */

static bool find_version(med_call *call, med_stored *out, med_err *err)
{
    const med_fhir_request *r = &call->request;
    if (r->level == MED_LEVEL_INSTANCE)
        return med_find_current(call, out, err);
    uint32_t version = med_version_parse(r->version);
    enum med_found found = version == 0
                               ? MED_ABSENT
                               : med_view_version(call->view, call->arena,
                                                  med_schema_type(call->fhir->schema, r->type),
                                                  r->id, version, out, err);
    if (found == MED_ABSENT || (found == MED_FOUND && out->change == MED_DELETED))
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no such version of this %.*s",
                        MED_STR_ARG(r->type_name));
    return found == MED_FOUND;
}

static enum med_step prepare_instance(med_call *call, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_stored s;
    char instant[MED_INSTANT_LEN];
    if (!find_version(call, &s, err))
        return MED_STEP_FAILED;
    med_str rest = med_resource_stored_meta(r->type_name, r->id, s.text);
    med_instant_format(s.updated, instant);
    med_str all = med_arena_printf(
        call->arena, "\"versionId\":\"%u\",\"lastUpdated\":\"%.*s\"%s%.*s", s.version,
        MED_INSTANT_LEN, instant, rest.len > 0 ? "," : "", MED_STR_ARG(rest));
    return answer(call, all, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

/* At type and system level: all profiles, tags and labels in use. */
typedef struct in_use {
    med_call *call;
    med_str members;
} in_use;

static bool collect(in_use *u, uint32_t type, med_err *err)
{
    enum { PAGE = 500 };
    med_history h = {
        .since = MED_TIME_MIN, .until = MED_TIME_MAX, .limit = PAGE, .type = type, .text = true};
    med_arena *scratch = med_arena_new((size_t)256 << 20);
    bool ok = scratch != NULL;
    size_t n = PAGE;
    while (ok && n == PAGE) {
        med_stored *at;
        ok = med_view_history(u->call->view, scratch, &h, &at, &n, err);
        for (size_t i = 0; ok && i < n; i++) {
            med_str name = med_type_name(u->call->fhir->pack,
                                         med_schema_pack_type(u->call->fhir->schema, at[i].type));
            med_str meta = med_resource_stored_meta(name, at[i].id, at[i].text);
            med_json j;
            med_str text = med_arena_printf(scratch, "{%.*s}", MED_STR_ARG(meta));
            if (meta.len > 0 && at[i].change != MED_DELETED)
                ok = med_json_parse(scratch, text, &j, NULL, err)
                     && med_meta_add(u->call->arena, u->members, &j, 0, &u->members, err);
        }
        if (ok && n > 0) {
            h.after_t = at[n - 1].t;
            h.after_rid = at[n - 1].rid;
        }
        med_arena_reset(scratch);
    }
    med_arena_free(scratch);
    return ok;
}

static enum med_step prepare_all(med_call *call, med_err *err)
{
    in_use u = {call, MED_STR_EMPTY};
    uint32_t type = call->request.level == MED_LEVEL_TYPE
                        ? med_schema_type(call->fhir->schema, call->request.type)
                        : 0;
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    return collect(&u, type, err) && answer(call, u.members, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

/* ---- $meta-add, $meta-delete ---- */

/* The node of parameter[name=meta].valueMeta. */
static bool find_given(const med_call *call, uint32_t *out, med_err *err)
{
    const med_json *j = call->request.json;
    uint32_t list = j == NULL ? 0 : med_json_member(j, call->request.root, MED_STR("parameter"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t name = med_json_member(j, e, MED_STR("name"));
        *out = med_json_member(j, e, MED_STR("valueMeta"));
        if (name != 0 && *out != 0 && med_str_eqz(med_json_raw(j, name), "meta")
            && med_json_kind_at(j, *out) == MED_JSON_OBJECT)
            return true;
    }
    return MED_FAIL(err, MED_ISSUE_REQUIRED,
                    "expected a Parameters resource with parameter 'meta' and a valueMeta");
}

typedef bool (*merge)(med_arena *a, med_str stored, const med_json *j, uint32_t given, med_str *out,
                      med_err *err);

static bool change_meta(med_call *call, merge with, med_err *err)
{
    med_fhir_request *r = &call->request;
    med_stored s;
    uint32_t given = 0;
    med_str meta;
    /* the given meta is checked as part of the Parameters resource it stands in */
    if (!find_given(call, &given, err) || !med_validate_body(call, "the Parameters are", err)
        || !med_find_current(call, &s, err)
        || !with(call->arena, med_resource_stored_meta(r->type_name, r->id, s.text), r->json, given,
                 &meta, err))
        return false;
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_json_parse(call->arena, s.text, j, NULL, err))
        return false;
    med_write *w;
    med_call inner = *call;
    inner.enforce =
        MED_ENFORCE_STRUCTURE; /* only the meta is new: what is stored was taken as it is */
    inner.request.json = j;
    inner.request.root = 0;
    bool ok = med_change_put(&inner, r->id, &meta, &w, err);
    call->write = inner.write;
    call->n_writes = inner.n_writes;
    call->problems = inner.problems;
    call->state = MED_TAKE(call->arena, 1, med_str);
    if (!ok || call->state == NULL)
        return ok ? MED_FAIL_MEMORY(err) : false;
    *(med_str *)call->state = meta;
    w->expect = MED_EXPECT_VERSION;
    w->expect_version = s.version;
    call->change->rests_on_versions = true;
    return true;
}

static enum med_step prepare_add(med_call *call, med_err *err)
{
    return change_meta(call, med_meta_add, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

static enum med_step prepare_delete(med_call *call, med_err *err)
{
    return change_meta(call, med_meta_remove, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

static enum med_step finish(med_call *call, med_err *err)
{
    return answer(call, *(const med_str *)call->state, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_meta_instance = {.name = "$meta",
                                                       .method = MED_GET,
                                                       .level = MED_LEVEL_INSTANCE,
                                                       .operation = "$meta",
                                                       .parameters = "",
                                                       .prepare = prepare_instance};
const med_interaction med_interaction_meta_version = {.name = "$meta",
                                                      .method = MED_GET,
                                                      .level = MED_LEVEL_VERSION,
                                                      .operation = "$meta",
                                                      .parameters = "",
                                                      .prepare = prepare_instance};
const med_interaction med_interaction_meta_type = {.name = "$meta",
                                                   .method = MED_GET,
                                                   .level = MED_LEVEL_TYPE,
                                                   .operation = "$meta",
                                                   .parameters = "",
                                                   .prepare = prepare_all};
const med_interaction med_interaction_meta_system = {.name = "$meta",
                                                     .method = MED_GET,
                                                     .level = MED_LEVEL_SYSTEM,
                                                     .operation = "$meta",
                                                     .parameters = "",
                                                     .prepare = prepare_all};
const med_interaction med_interaction_meta_add = {.name = "$meta-add",
                                                  .method = MED_POST,
                                                  .level = MED_LEVEL_INSTANCE,
                                                  .operation = "$meta-add",
                                                  .writes = true,
                                                  .prepare = prepare_add,
                                                  .finish = finish};
const med_interaction med_interaction_meta_delete = {.name = "$meta-delete",
                                                     .method = MED_POST,
                                                     .level = MED_LEVEL_INSTANCE,
                                                     .operation = "$meta-delete",
                                                     .writes = true,
                                                     .prepare = prepare_delete,
                                                     .finish = finish};
