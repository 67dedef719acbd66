/* vread.c - https://hl7.org/fhir/R4/http.html#vread */
#include "fhir/binary.h"
#include "fhir/conditional_read.h"
#include "fhir/respond.h"

static bool find_version(med_call *call, med_stored *out, med_err *err)
{
    const med_fhir_request *r = &call->request;
    uint32_t type = med_schema_type(call->fhir->schema, r->type);
    uint32_t version = med_version_parse(r->version);
    enum med_found found =
        version == 0 ? MED_ABSENT
        : med_binary_reads_bytes(call)
            ? med_view_apart(call->view, call->arena, type, r->id, version, out, err)
            : med_view_version(call->view, call->arena, type, r->id, version, out, err);
    if (found == MED_ABSENT)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no such version of this %.*s",
                        MED_STR_ARG(r->type_name));
    if (found == MED_FOUND && out->change == MED_DELETED)
        return MED_FAIL(err, MED_ISSUE_DELETED, "this version is the deletion of the %.*s",
                        MED_STR_ARG(r->type_name));
    return found == MED_FOUND;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    med_stored s;
    bool unchanged;
    if (!find_version(call, &s, err) || !med_conditional_read(call, &s, &unchanged, err))
        return MED_STEP_FAILED;
    if (unchanged)
        return MED_STEP_OK;
    return med_respond_stored(call, 200, &s, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_vread = {
    .name = "vread",
    .method = MED_GET,
    .level = MED_LEVEL_VERSION,
    .operation = "",
    .parameters = "",
    .prepare = prepare,
};
