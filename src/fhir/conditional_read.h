/* conditional_read.h - If-None-Match and If-Modified-Since.
 * https://hl7.org/fhir/R4/http.html#cread */
#ifndef MED_FHIR_CONDITIONAL_READ_H
#define MED_FHIR_CONDITIONAL_READ_H

#include "fhir/call.h"

/* Sets *unchanged and fills a 304 when the client has this version already. */
bool med_conditional_read(med_call *call, const med_stored *s, bool *unchanged,
                          med_err *err) MED_MUST_CHECK;

#endif
