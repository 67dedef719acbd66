/* transaction.h - all or nothing. https://hl7.org/fhir/R4/http.html#transaction
 *
 * Order: DELETE, POST, PUT and PATCH in one commit; then GET, which sees the writes. */
#ifndef MED_FHIR_TRANSACTION_H
#define MED_FHIR_TRANSACTION_H

#include "fhir/call.h"

enum med_step med_transaction_prepare(med_call *bundle, med_err *err);
enum med_step med_transaction_finish(med_call *bundle, med_err *err);

#endif
