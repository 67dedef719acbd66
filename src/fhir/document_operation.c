/* document_operation.c - Composition/$document: the document that a Composition is the head of.
 * https://hl7.org/fhir/R4/composition-operation-document.html
 *
 * GET gives it; POST can also store it (persist=true), and then it is sealed. The same Composition
 * gives the same entries in the same order. */
#include "fhir/change.h"
#include "fhir/document.h"
#include "fhir/interactions.h"
#include "fhir/searchset.h"

static bool read_persist(med_call *call, bool *out, med_err *err)
{
    med_pairs given;
    med_str page;
    *out = false;
    if (!med_searchset_parameters(call, &given, &page, err))
        return false;
    for (size_t i = 0; i < given.n; i++) {
        const med_pair *p = &given.at[i];
        if (med_str_eqz(p->name, "_format") || med_str_eqz(p->name, "_pretty"))
            continue;
        if (med_str_eqz(p->name, "persist")
            && (med_str_eqz(p->value, "true") || med_str_eqz(p->value, "false"))) {
            *out = med_str_eqz(p->value, "true");
            continue;
        }
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "$document has no parameter '%.*s' of that value; it has persist (true or "
                       "false)",
                       MED_STR_ARG(med_str_sub(p->name, 0, 40)));
        return med_err_status(err, 400);
    }
    if (!*out || call->request.method == MED_POST)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "GET changes nothing: a document is stored by POST with persist=true");
    return med_err_status(err, 400);
}

static bool build(med_call *call, med_str id, med_str *out, med_err *err)
{
    med_document d;
    const med_document_entry *composition = NULL;
    if (!med_document_init(&d, call, err)
        || !med_document_add(&d, call->request.type, call->request.id, &composition, err))
        return false;
    if (composition == NULL)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no Composition with this id");
    return med_document_follow(&d, err) && med_document_write(&d, id, MED_STR_EMPTY, out, err);
}

/* The Bundle as a write of its own. */
static bool store(med_call *call, med_str id, med_err *err)
{
    med_write *w;
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_json_parse(call->arena, call->response.body, j, NULL, err))
        return false;
    med_call inner = *call;
    inner.request.type = med_pack_type(call->fhir->pack, MED_STR("Bundle"));
    inner.request.type_name = MED_STR("Bundle");
    inner.request.json = j;
    inner.request.root = 0;
    inner.request.checked = false;
    bool ok = med_change_put(&inner, id, NULL, &w, err);
    call->write = inner.write;
    call->n_writes = inner.n_writes;
    call->problems = inner.problems;
    if (!ok)
        return false;
    w->expect = MED_EXPECT_NEW;
    call->response.location =
        med_arena_printf(call->arena, "Bundle/%.*s/_history/1", MED_STR_ARG(id));
    return call->response.location.len > 0 ? true : MED_FAIL_MEMORY(err);
}

static bool make(med_call *call, med_err *err)
{
    bool persist = false;
    char uuid[MED_UUID_LEN];
    med_str id;
    med_random_uuid(call->fhir->random, uuid);
    if (!read_persist(call, &persist, err))
        return false;
    if (!med_arena_copy(call->arena, (med_str){uuid, sizeof uuid}, &id))
        return MED_FAIL_MEMORY(err);
    call->response.status = 200;
    return build(call, id, &call->response.body, err) && (!persist || store(call, id, err));
}

static enum med_step prepare(med_call *call, med_err *err)
{
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    return make(call, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

/* The answer was made while preparing; what was stored is at its Content-Location. */
static enum med_step finish(med_call *call, med_err *err)
{
    (void)call;
    (void)err;
    return MED_STEP_OK;
}

const med_interaction med_interaction_document = {
    .name = "document",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$document",
    .types = "Composition",
    .prepare = prepare,
};

const med_interaction med_interaction_document_post = {
    .name = "document",
    .method = MED_POST,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$document",
    .types = "Composition",
    .writes = true,
    .prepare = prepare,
    .finish = finish,
};
