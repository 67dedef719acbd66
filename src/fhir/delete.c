/* delete.c - https://hl7.org/fhir/R4/http.html#delete
 * https://hl7.org/fhir/R4/http.html#2.36.0.1.11.1
 *
 * What is referenced can not be deleted (409), unless ?_cascade=delete takes the referrers
 * along. A conditional delete of several matches happens in one commit, if the server allows
 * it at all. */
#include "fhir/change.h"
#include "fhir/document.h"
#include "fhir/outcome.h"
#include "fhir/respond.h"
#include "fhir/write.h"

static bool wants_cascade(const med_call *call, bool *cascade, med_err *err)
{
    const med_pairs *q = &call->request.query;
    *cascade = false;
    for (size_t i = 0; i < q->n; i++) {
        if (!med_str_eqz(q->at[i].name, "_cascade"))
            continue;
        *cascade = med_str_eqz(q->at[i].value, "delete");
        if (!*cascade && !med_str_eqz(q->at[i].value, "none"))
            return MED_FAIL(err, MED_ISSUE_INVALID, "_cascade may be 'delete' or 'none'");
    }
    return true;
}

static med_write *add_delete(med_call *call, uint32_t type, med_str id, med_err *err)
{
    if (!med_document_check_delete(call, type, id, err))
        return NULL;
    med_write *w = med_change_add(call);
    if (w == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    w->kind = MED_WRITE_DELETE;
    w->type = type;
    w->id = id;
    if (!med_store_prepare(call->fhir->store, call->arena, w, err))
        return NULL;
    return w;
}

static bool already_in_change(const med_changeset *c, const med_stored *s)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->writes[i].type == s->type && med_str_eq(c->writes[i].id, s->id))
            return true;
    }
    return false;
}

static bool add_referrer(med_call *call, med_rid rid, med_err *err)
{
    med_stored s;
    enum med_found found = med_view_by_rid(call->view, call->arena, rid, &s, err);
    if (found == MED_FAILED)
        return false;
    if (found == MED_ABSENT || s.change == MED_DELETED || already_in_change(call->change, &s))
        return true;
    if (call->change->n >= call->fhir->cascade_limit) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                       "the cascade would delete more than %zu resources",
                       call->fhir->cascade_limit);
        return med_err_status(err, 409);
    }
    return add_delete(call, s.type, s.id, err) != NULL;
}

/* Appends whatever refers to a write of this change, and what refers to that, and so on. */
static bool add_referrers(med_call *call, med_err *err)
{
    call->change->rests_on_versions = true;
    for (size_t i = call->write; i < call->change->n; i++) {
        med_rid rid, *referrers;
        size_t n;
        if (!med_view_rid(call->view, call->change->writes[i].ident, &rid, err))
            return false;
        if (rid == 0)
            continue;
        if (!med_view_referrers(call->view, call->arena, rid, call->fhir->cascade_limit + 1,
                                &referrers, &n, err))
            return false;
        for (size_t k = 0; k < n; k++) {
            if (!add_referrer(call, referrers[k], err))
                return false;
        }
    }
    return true;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    const med_fhir_request *r = &call->request;
    bool cascade;
    if (!wants_cascade(call, &cascade, err))
        return MED_STEP_FAILED;
    if (cascade && !call->on_worker)
        return MED_STEP_AGAIN;
    med_write *w = add_delete(call, med_schema_type(call->fhir->schema, r->type), r->id, err);
    if (w == NULL || !med_write_expect(call, w, err) || (cascade && !add_referrers(call, err)))
        return MED_STEP_FAILED;
    return MED_STEP_OK;
}

/* The query without _cascade, which is no search parameter. */
static bool condition_pairs(med_call *call, med_pairs *out, med_err *err)
{
    const med_pairs *q = &call->request.query;
    med_pair *at = MED_TAKE(call->arena, q->n, med_pair);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    *out = (med_pairs){at, 0};
    for (size_t i = 0; i < q->n; i++) {
        if (!med_str_eqz(q->at[i].name, "_cascade"))
            at[out->n++] = q->at[i];
    }
    return true;
}

static bool find_matches(med_call *call, med_match **matches, size_t *n, med_err *err)
{
    med_pairs query;
    size_t limit = call->fhir->multiple_delete ? call->fhir->cascade_limit + 1 : 2;
    if (!condition_pairs(call, &query, err)
        || !med_change_condition(call, call->request.type, &query, limit, matches, n, err))
        return false;
    if (*n > 1 && !call->fhir->multiple_delete)
        return MED_FAIL(
            err, MED_ISSUE_MULTIPLE_MATCHES,
            "the condition matches several resources; this server deletes one at a time");
    if (*n > call->fhir->cascade_limit) {
        (void)MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the condition matches more than %zu resources",
                       call->fhir->cascade_limit);
        return med_err_status(err, 412);
    }
    return true;
}

static enum med_step prepare_conditional(med_call *call, med_err *err)
{
    bool cascade;
    med_match *matches;
    size_t n;
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    if (!wants_cascade(call, &cascade, err) || !find_matches(call, &matches, &n, err))
        return MED_STEP_FAILED;
    for (size_t i = 0; i < n; i++) {
        if (add_delete(call, matches[i].type, matches[i].id, err) == NULL)
            return MED_STEP_FAILED;
    }
    if (n > 0 && cascade && !add_referrers(call, err))
        return MED_STEP_FAILED;
    return MED_STEP_OK;
}

static bool count_outcome(med_call *call, size_t deleted, med_err *err)
{
    med_buf body;
    med_buf_init(&body, 4096);
    med_outcome_write_note(&body, "information", MED_ISSUE_INFORMATIONAL,
                           med_arena_printf(call->arena, "%zu resources deleted", deleted));
    bool ok = !body.failed && med_arena_copy(call->arena, med_buf_str(&body), &call->response.body);
    med_buf_free(&body);
    call->response.is_outcome = true;
    return ok ? true : MED_FAIL_MEMORY(err);
}

static enum med_step finish(med_call *call, med_err *err)
{
    const med_changeset *c = call->change;
    size_t deleted = 0;
    for (size_t i = 0; i < call->n_writes; i++)
        deleted += c->writes[call->write + i].outcome == MED_OUTCOME_DELETED;
    bool one = call->n_writes == 1 && c->writes[call->write].version > 0;
    if (one && !med_etag_format(call->arena, c->writes[call->write].version, &call->response.etag))
        return MED_FAIL_MEMORY(err) ? MED_STEP_OK : MED_STEP_FAILED;
    call->response.status = 204;
    if (call->request.prefer != MED_RETURN_OUTCOME && call->n_writes <= 1)
        return MED_STEP_OK;
    call->response.status = 200;
    return count_outcome(call, deleted, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_delete = {
    .name = "delete",
    .method = MED_DELETE,
    .level = MED_LEVEL_INSTANCE,
    .operation = "",
    .parameters = "_cascade",
    .writes = true,
    .prepare = prepare,
    .finish = finish,
};

const med_interaction med_interaction_conditional_delete = {
    .name = "delete",
    .method = MED_DELETE,
    .level = MED_LEVEL_TYPE,
    .operation = "",
    .writes = true,
    .conditional = true,
    .prepare = prepare_conditional,
    .finish = finish,
};
