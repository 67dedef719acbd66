/* batch.h - each entry by itself. https://hl7.org/fhir/R4/http.html#transaction */
#ifndef MED_FHIR_BATCH_H
#define MED_FHIR_BATCH_H

#include "fhir/call.h"

/* Runs all entries and fills the response; blocks, so only on a worker. The writes are prepared
 * together and committed side by side, so that they share the syncs of commit groups. */
enum med_step med_batch_run(med_call *bundle, med_err *err);

#endif
