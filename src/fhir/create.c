/* create.c - https://hl7.org/fhir/R4/http.html#create https://hl7.org/fhir/R4/http.html#ccreate */
#include "fhir/change.h"
#include "fhir/document_identity.h"
#include "fhir/respond.h"
#include "fhir/write.h"

/* An If-None-Exist that matches decides the call: one match is the answer, several are 412. */
static bool find_existing(med_call *call, bool *answered, med_err *err)
{
    med_pairs query;
    med_match *matches;
    size_t n;
    if (!med_query_parse(call->arena, call->request.if_none_exist, &query, err)
        || !med_change_condition(call, call->request.type, &query, 2, &matches, &n, err))
        return false;
    *answered = n == 1;
    if (n > 1)
        return MED_FAIL(err, MED_ISSUE_MULTIPLE_MATCHES,
                        "If-None-Exist matches several resources; nothing was created");
    return n == 0 || med_respond_existing(call, &matches[0], err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    bool answered = false;
    med_write *w;
    if (!med_write_check_type(call, err))
        return MED_STEP_FAILED;
    if (call->request.if_none_exist.len > 0 && !call->request.resolved
        && !find_existing(call, &answered, err))
        return MED_STEP_FAILED;
    if (!answered && !call->request.resolved && !med_document_find_known(call, &answered, err))
        return MED_STEP_FAILED;
    if (answered)
        return MED_STEP_OK;
    if (!med_write_new_id(call, err) || !med_change_put(call, call->request.id, NULL, &w, err))
        return MED_STEP_FAILED;
    /* an import that was cut off finds what it has made: no change, and no conflict */
    w->expect = call->request.source.len > 0 ? MED_EXPECT_ANY : MED_EXPECT_NEW;
    return MED_STEP_OK;
}

const med_interaction med_interaction_create = {
    .name = "create",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "",
    .parameters = "",
    .writes = true,
    .prepare = prepare,
    .finish = med_write_finish,
};
