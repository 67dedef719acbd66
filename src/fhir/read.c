/* read.c - https://hl7.org/fhir/R4/http.html#read */
#include "fhir/conditional_read.h"
#include "fhir/respond.h"

static enum med_step prepare(med_call *call, med_err *err)
{
    med_stored s;
    if (!med_find_current(call, &s, err))
        return MED_STEP_FAILED;
    bool unchanged;
    if (!med_conditional_read(call, &s, &unchanged, err))
        return MED_STEP_FAILED;
    if (unchanged)
        return MED_STEP_OK;
    return med_respond_stored(call, 200, &s, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_read = {
    .name = "read",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "",
    .parameters = "",
    .prepare = prepare,
};
