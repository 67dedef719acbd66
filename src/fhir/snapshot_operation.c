/* snapshot_operation.c - https://hl7.org/fhir/R4/structuredefinition-operation-snapshot.html
 *
 * The StructureDefinition that is sent, named by url, or stored under the id in the URL, with a
 * snapshot made of its base and differential. Nothing is stored. */
#include "fhir/definitions.h"
#include "fhir/interactions.h"
#include "fhir/respond.h"
#include "package/snapshot.h"
#include "package/text.h"

typedef struct question {
    med_str url;
    const med_json *j; /* what was sent; NULL: nothing */
    uint32_t root;
} question;

static bool refuse(med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "$snapshot takes the parameters definition and url");
    return med_err_status(err, 400);
}

static bool read_query(const med_call *call, question *q, med_err *err)
{
    for (size_t i = 0; i < call->request.query.n; i++) {
        const med_pair *p = &call->request.query.at[i];
        if (med_str_eqz(p->name, "url"))
            q->url = p->value;
        else if (!med_str_eqz(p->name, "_format") && !med_str_eqz(p->name, "_pretty"))
            return refuse(err);
    }
    return true;
}

static bool read_parameter(med_call *call, uint32_t node, question *q, med_err *err)
{
    static const char *const values[] = {"valueString", "valueUri", "valueCanonical"};
    const med_json *j = call->request.json;
    med_str name = med_package_text(call->arena, j, node, "name");
    if (med_str_eqz(name, "definition")) {
        q->root = med_package_member(j, node, "resource", MED_JSON_OBJECT);
        q->j = q->root != 0 ? j : NULL;
        return true;
    }
    if (!med_str_eqz(name, "url"))
        return refuse(err);
    for (size_t i = 0; i < 3 && q->url.len == 0; i++)
        q->url = med_package_text(call->arena, j, node, values[i]);
    return true;
}

/* Parameters, or the definition itself. */
static bool read_body(med_call *call, question *q, med_err *err)
{
    const med_json *j = call->request.json;
    uint32_t end;
    if (j == NULL)
        return true;
    if (!med_str_eqz(med_package_text(call->arena, j, 0, "resourceType"), "Parameters")) {
        q->j = j;
        return true;
    }
    for (uint32_t e = med_package_first(j, 0, "parameter", &end); e < end; e = j->nodes[e].next) {
        if (!read_parameter(call, e, q, err))
            return false;
    }
    return true;
}

static bool read_stored(med_call *call, question *q, med_err *err)
{
    med_stored stored;
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    q->j = j;
    return med_find_current(call, &stored, err)
           && med_json_parse(call->arena, stored.text, j, NULL, err);
}

static bool make(med_call *call, const question *q, med_err *err)
{
    med_definition_source source;
    med_str type = med_package_text(call->arena, q->j, q->root, "resourceType");
    call->response.status = 200;
    if (!med_str_eqz(type, "StructureDefinition")) {
        (void)MED_FAIL(err, MED_ISSUE_INVALID, "the definition is no StructureDefinition");
        return med_err_status(err, 400);
    }
    if (med_json_member(q->j, q->root, MED_STR("differential")) == 0
        && med_json_member(q->j, q->root, MED_STR("snapshot")) != 0) {
        call->response.body = med_json_span(q->j, q->root);
        return true;
    }
    if (!med_definition_source_of(call, &source, err))
        return false;
    if (med_snapshot_make(call->arena, q->j, q->root, &source, &call->response.body, err))
        return true;
    return err->issue == MED_ISSUE_TOO_COSTLY || err->status != 0 ? false
                                                                  : med_err_status(err, 422);
}

static bool find(med_call *call, const question *q, med_err *err)
{
    med_definition_source source;
    const med_definition *d;
    if (!med_definition_source_of(call, &source, err)
        || !med_definition_find(&source, call->arena, q->url, &d, err))
        return false;
    if (d == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                        "no StructureDefinition of that url is stored or installed here");
    call->response.status = 200;
    call->response.body = med_json_span(&d->json, 0);
    return true;
}

static bool answer(med_call *call, med_err *err)
{
    question q = {.url = MED_STR_EMPTY};
    if (!read_query(call, &q, err) || !read_body(call, &q, err))
        return false;
    if (call->request.level == MED_LEVEL_INSTANCE && !read_stored(call, &q, err))
        return false;
    if (q.j != NULL)
        return make(call, &q, err);
    if (q.url.len > 0)
        return find(call, &q, err);
    (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                   "$snapshot needs a definition, or the url of one that is known here");
    return med_err_status(err, 400);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    return answer(call, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_snapshot = {
    .name = "snapshot",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "$snapshot",
    .types = "StructureDefinition",
    .prepare = prepare,
};

const med_interaction med_interaction_snapshot_post = {
    .name = "snapshot",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "$snapshot",
    .types = "StructureDefinition",
    .prepare = prepare,
};

const med_interaction med_interaction_snapshot_instance = {
    .name = "snapshot",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$snapshot",
    .types = "StructureDefinition",
    .prepare = prepare,
};

const med_interaction med_interaction_snapshot_instance_post = {
    .name = "snapshot",
    .method = MED_POST,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$snapshot",
    .types = "StructureDefinition",
    .prepare = prepare,
};
