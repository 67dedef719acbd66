/* serve_async.h - Prefer: respond-async over HTTP: 202, its status, its result.
 * https://hl7.org/fhir/R4/async.html */
#ifndef MED_SERVE_ASYNC_H
#define MED_SERVE_ASYNC_H

#include "http/server.h"
#include "jobs.h"

/* Is it the address of a status? */
bool med_async_is_status(med_str path);
/* GET and DELETE of a status; on a worker with call->view open. Fills call->response. */
void med_async_status(med_jobs *j, med_http_exchange *x, med_call *call, med_str path);
/* Takes the call's question: 202 with the address of its status. On a worker, too. */
void med_async_begin(med_jobs *j, med_http_exchange *x, med_call *call, med_str path);

#endif
