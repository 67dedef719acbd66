/* serve_position.h - which reads may be of a moment ago, and what they must show all the same.
 * docs/decisions/0018
 *
 * A client sees its own writes. At the process it wrote through that needs nothing of it: when each
 * last wrote is kept here, by its credentials or else its address. Elsewhere it sends back the
 * header Medulla-Position of the answer to its write. Thread safe. */
#ifndef MED_SERVE_POSITION_H
#define MED_SERVE_POSITION_H

#include "fhir/call.h"
#include "http/message.h"

#define MED_POSITION_HEADER "Medulla-Position"

typedef struct med_positions med_positions;
/* NULL with *err only without memory. */
med_positions *med_positions_new(const med_store *store, med_err *err) MED_MUST_CHECK;
void med_positions_free(med_positions *p); /* NULL is fine */

/* Lets call->view be of a moment ago, if what is asked may be. */
void med_positions_lag(med_positions *p, const med_request *r, med_call *call);
/* An answer is on its way: keeps when its client wrote, and adds the header. */
void med_positions_answer(med_positions *p, const med_request *r, const med_call *call,
                          med_response *out);

#endif
