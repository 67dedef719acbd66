/* write.h - what all writing interactions share. https://hl7.org/fhir/R4/http.html#concurrency */
#ifndef MED_FHIR_WRITE_H
#define MED_FHIR_WRITE_H

#include "fhir/call.h"

/* The body must be of the type in the URL. */
bool med_write_check_type(const med_call *call, med_err *err) MED_MUST_CHECK;

/* If-Match and If-None-Match of the request become the write's expectation. */
bool med_write_expect(const med_call *call, med_write *w, med_err *err) MED_MUST_CHECK;

/* Gives call->request.id a new random id unless it has one (chosen by the transaction, or by
 * an earlier try of the same call). */
bool med_write_new_id(med_call *call, med_err *err) MED_MUST_CHECK;

/* `finish` of the interactions that write one resource. */
enum med_step med_write_finish(med_call *call, med_err *err);

#endif
