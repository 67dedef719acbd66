/* serve_http.h - between an HTTP exchange and a FHIR call: paths, plain pages, headers, logs. */
#ifndef MED_SERVE_HTTP_H
#define MED_SERVE_HTTP_H

#include "serve.h"

/* The path below the FHIR base, without its leading '/'. */
med_str med_serve_fhir_path(const med_serve_config *c, med_str path);

/* Answers what is not FHIR: /health/live, /health/ready, /, CORS preflight, 404 elsewhere.
 * False when the path belongs to the FHIR base. */
bool med_serve_plain_page(const med_serve_config *c, med_http_exchange *x);

/* Makes the OperationOutcome of a request that was refused before anybody saw it (med_http_config:
 * render_error): a malformed head, a limit, a client too slow. Any loop's thread. */
void med_serve_refusal(void *app, med_arena *arena, int status, med_str text, med_response *out);

/* call->response -> x->response: status, ETag, Last-Modified, absolute Location, Content-Type,
 * Allow, Retry-After, CORS, X-Request-Id; body by _pretty and HEAD. */
void med_serve_write_response(const med_serve_config *c, med_http_exchange *x, med_call *call);

/* One line: request id, interaction and route template, status, duration. Never a value. */
void med_serve_log(const med_serve_config *c, const med_http_exchange *x, const med_call *call);

#endif
