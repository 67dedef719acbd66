/* call.c - https://hl7.org/fhir/R4/http.html */
#include "fhir/call.h"

void med_fhir_response_init(med_fhir_response *r)
{
    *r = (med_fhir_response){.etag = MED_STR_EMPTY,
                             .location = MED_STR_EMPTY,
                             .body = MED_STR_EMPTY,
                             .content_type = MED_STR_EMPTY,
                             .allow = MED_STR_EMPTY};
}

static const med_fhir_request no_request = {.type = MED_TYPE_NONE,
                                            .type_name = MED_LIT(""),
                                            .id = MED_LIT(""),
                                            .version = MED_LIT(""),
                                            .operation = MED_LIT(""),
                                            .if_match = MED_LIT(""),
                                            .if_none_match = MED_LIT(""),
                                            .if_none_exist = MED_LIT(""),
                                            .if_modified_since = MED_LIT(""),
                                            .content_type = MED_LIT(""),
                                            .accept = MED_LIT(""),
                                            .accept_language = MED_LIT(""),
                                            .security_context = MED_LIT(""),
                                            .idempotency_key = MED_LIT(""),
                                            .source = MED_LIT(""),
                                            .body = MED_LIT("")};

void med_call_init(med_call *call, const med_fhir *fhir, med_arena *arena)
{
    *call = (med_call){.fhir = fhir,
                       .arena = arena,
                       .request = no_request,
                       .write = SIZE_MAX,
                       .enforce = fhir->enforce};
    med_fhir_response_init(&call->response);
}
