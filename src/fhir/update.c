/* update.c - https://hl7.org/fhir/R4/http.html#update https://hl7.org/fhir/R4/http.html#cond-update
 */
#include "fhir/change.h"
#include "fhir/meta.h"
#include "fhir/resource_text.h"
#include "fhir/respond.h"
#include "fhir/write.h"

/* The id in the body; with `may_lack` (conditional update) it may be left out. */
static bool check_id(const med_call *call, bool may_lack, med_err *err)
{
    const med_fhir_request *r = &call->request;
    uint32_t node = med_json_member(r->json, r->root, MED_STR("id"));
    if (node == 0 && may_lack)
        return true;
    if (node == 0)
        (void)MED_FAIL(err, MED_ISSUE_INVALID, "the body has no id; it must be the one in the URL");
    else if (med_json_kind_at(r->json, node) == MED_JSON_STRING
             && med_json_string_is(r->json, node, r->id))
        return true;
    else
        (void)MED_FAIL(err, MED_ISSUE_INVALID, "the body's id is not the one in the URL");
    return med_err_at(err, med_arena_printf(call->arena, "%.*s.id", MED_STR_ARG(r->type_name)));
}

/* Current version, absent and deleted ones included. */
static bool look(med_call *call, med_stored *out, bool *exists, med_err *err)
{
    uint32_t type = med_schema_type(call->fhir->schema, call->request.type);
    enum med_found found =
        med_view_latest(call->view, call->arena, type, call->request.id, out, err);
    *exists = found == MED_FOUND && out->change != MED_DELETED;
    return found != MED_FAILED;
}

static bool put(med_call *call, const med_stored *current, bool exists, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_str kept, *meta = NULL;
    med_str labels =
        exists ? med_resource_stored_meta(r->type_name, r->id, current->text) : MED_STR_EMPTY;
    bool merge = med_meta_has_labels(labels);
    if (merge) {
        uint32_t sent = med_json_member(r->json, r->root, MED_STR("meta"));
        if (!med_meta_keep_labels(call->arena, r->json, sent, labels, &kept, err))
            return false;
        meta = &kept;
    }
    med_write *w;
    if (!med_change_put(call, r->id, meta, &w, err) || !med_write_expect(call, w, err))
        return false;
    if (merge && w->expect == MED_EXPECT_ANY) {
        w->expect = MED_EXPECT_VERSION;
        w->expect_version = current->version;
        call->change->rests_on_versions = true;
    }
    return true;
}

static bool update(med_call *call, med_err *err)
{
    med_stored current;
    bool exists;
    if (!look(call, &current, &exists, err))
        return false;
    if (!exists && !call->fhir->update_as_create) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "there is nothing to update and this server gives ids itself");
        return med_err_status(err, 405);
    }
    return put(call, &current, exists, err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    return med_write_check_type(call, err) && check_id(call, false, err) && update(call, err)
               ? MED_STEP_OK
               : MED_STEP_FAILED;
}

/* PUT Type?query: none -> create (with the body's id if it has one), one -> update it. */
static bool find_target(med_call *call, med_err *err)
{
    med_fhir_request *r = &call->request;
    med_match *matches;
    size_t n;
    if (r->resolved)
        return check_id(call, true, err);
    r->id = MED_STR_EMPTY; /* of an earlier try */
    if (!med_change_condition(call, r->type, &r->query, 2, &matches, &n, err))
        return false;
    if (n > 1)
        return MED_FAIL(err, MED_ISSUE_MULTIPLE_MATCHES,
                        "the condition matches several resources; nothing was updated");
    uint32_t node = med_json_member(r->json, r->root, MED_STR("id"));
    if (n == 1) {
        r->id = matches[0].id;
        return check_id(call, true, err);
    }
    if (node != 0 && med_json_kind_at(r->json, node) == MED_JSON_STRING
        && med_id_is_valid(med_json_raw(r->json, node))) {
        r->id = med_json_raw(r->json, node);
        return true;
    }
    return med_write_new_id(call, err);
}

static enum med_step prepare_conditional(med_call *call, med_err *err)
{
    return med_write_check_type(call, err) && find_target(call, err) && update(call, err)
               ? MED_STEP_OK
               : MED_STEP_FAILED;
}

const med_interaction med_interaction_update = {
    .name = "update",
    .method = MED_PUT,
    .level = MED_LEVEL_INSTANCE,
    .operation = "",
    .parameters = "",
    .writes = true,
    .prepare = prepare,
    .finish = med_write_finish,
};

const med_interaction med_interaction_conditional_update = {
    .name = "update",
    .method = MED_PUT,
    .level = MED_LEVEL_TYPE,
    .operation = "",
    .writes = true,
    .conditional = true,
    .prepare = prepare_conditional,
    .finish = med_write_finish,
};
