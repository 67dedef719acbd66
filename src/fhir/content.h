/* content.h - media types, the body, and preferences of a request.
 * https://hl7.org/fhir/R4/http.html#mime-type https://hl7.org/fhir/R4/http.html#general */
#ifndef MED_FHIR_CONTENT_H
#define MED_FHIR_CONTENT_H

#include "fhir/call.h"

/* Reads preferences and conditions from HTTP headers into call->request (Prefer, If-Match,
 * If-None-Match, If-Modified-Since, If-None-Exist, Idempotency-Key, Accept, Content-Type...).
 * Malformed ones are errors (400), also under handling=lenient. */
bool med_content_headers(med_call *call, const med_request *http, med_err *err) MED_MUST_CHECK;

/* Chooses call->request.answer among what Accept and _format allow: 406 if there is none, also
 * for a fhirVersion other than 4.0. */
bool med_content_negotiate(med_call *call, med_err *err) MED_MUST_CHECK;

/* Is this media type (parameters allowed) one that resources come in, JSON or XML? */
bool med_content_is_fhir(med_str field);

/* For interactions with a resource body: Content-Type (415), then parses request.body to
 * request.json (400 with line and column). Does nothing when there is a tape already or the
 * interaction takes no body. */
bool med_content_read(med_call *call, med_err *err) MED_MUST_CHECK;

/* Makes XML of the JSON in call->response.body. 406 for what XML can not say. */
bool med_content_answer(med_call *call, med_err *err) MED_MUST_CHECK;

/* _pretty, _summary, _elements of the query. */
typedef struct med_shape {
    bool pretty;
    enum med_summary summary;
    const med_str *elements;
    size_t n_elements;
} med_shape;
bool med_content_shape(med_call *call, med_shape *out, med_err *err) MED_MUST_CHECK;

/* Before anything is done: is the shape that is asked for one, and does the interaction know the
 * other parameters (unless handling=lenient)? */
bool med_content_query(med_call *call, med_err *err) MED_MUST_CHECK;

/* Keyed hash of method, path, query and body: tells a replay from another request. */
uint64_t med_content_hash(const med_call *call);

#endif
