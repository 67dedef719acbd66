/* validate_body.h - is what came legal, as far as this server enforces it?
 * https://hl7.org/fhir/R4/validation.html */
#ifndef MED_FHIR_VALIDATE_BODY_H
#define MED_FHIR_VALIDATE_BODY_H

#include "fhir/call.h"

/* Checks the resource of the request as deep as `call->enforce` says; all problems go to
 * call->problems. False when there is an error among them: *err says that `what` ("the resource")
 * is not legal. With call->refusable, counts what a full check would refuse beyond that. */
bool med_validate_body(med_call *call, const char *what, med_err *err) MED_MUST_CHECK;

/* The structure of the request's Bundle itself, without the resources in its entries: problems go
 * to *list. False only when that can not be told. */
bool med_validate_envelope(med_call *call, med_problems *list, med_err *err) MED_MUST_CHECK;

/* Options of a check in this call: with rules, or structure only. */
med_structure_options med_validate_options(med_call *call, enum med_enforce enforce);
/* What a check of profiles needs: the cache, and the definitions as this call sees them. */
bool med_validate_use(med_call *call, med_profile_use *out, med_err *err) MED_MUST_CHECK;
/* Is there an error in the list? */
bool med_validate_failed(const med_problems *list);

#endif
