/* system_bundle.c - POST [base] of a batch or transaction.
 * https://hl7.org/fhir/R4/http.html#transaction */
#include "fhir/batch.h"
#include "fhir/interactions.h"
#include "fhir/transaction.h"

static bool bundle_type(const med_call *call, bool *transaction, med_err *err)
{
    const med_fhir_request *r = &call->request;
    uint32_t name = med_json_kind_at(r->json, r->root) == MED_JSON_OBJECT
                        ? med_json_member(r->json, r->root, MED_STR("resourceType"))
                        : 0;
    uint32_t type = name == 0 ? 0 : med_json_member(r->json, r->root, MED_STR("type"));
    if (name == 0 || !med_str_eqz(med_json_raw(r->json, name), "Bundle"))
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "the base takes a Bundle of type batch or transaction");
    med_str text = type == 0 ? MED_STR_EMPTY : med_json_raw(r->json, type);
    *transaction = med_str_eqz(text, "transaction");
    if (*transaction || med_str_eqz(text, "batch"))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_VALUE, "Bundle.type must be batch or transaction here");
    (void)med_err_status(err, 422);
    return med_err_at(err, MED_STR("Bundle.type"));
}

static enum med_step prepare(med_call *call, med_err *err)
{
    bool transaction = false;
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    if (!bundle_type(call, &transaction, err))
        return MED_STEP_FAILED;
    return transaction ? med_transaction_prepare(call, err) : med_batch_run(call, err);
}

const med_interaction med_interaction_bundle = {
    .name = "transaction",
    .method = MED_POST,
    .level = MED_LEVEL_SYSTEM,
    .operation = "",
    .parameters = "",
    .writes = true,
    .prepare = prepare,
    .finish = med_transaction_finish,
};
