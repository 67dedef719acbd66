/* respond.h - filling call->response with a version of a resource, or the outcome of a write.
 * https://hl7.org/fhir/R4/http.html#versions */
#ifndef MED_FHIR_RESPOND_H
#define MED_FHIR_RESPOND_H

#include "fhir/content.h"

/* Status, ETag, Last-Modified and the resource, shaped by _summary and _elements. */
bool med_respond_stored(med_call *call, int status, const med_stored *s,
                        med_err *err) MED_MUST_CHECK;

/* The answer to a write that the commit has done: status by outcome (201, 200), Location, ETag,
 * and the body Prefer asks for (default: the resource). */
bool med_respond_write(med_call *call, const med_write *w, med_err *err) MED_MUST_CHECK;

/* An already existing match of a conditional create: 200 with that resource. */
bool med_respond_existing(med_call *call, const med_match *match, med_err *err) MED_MUST_CHECK;

/* Appends a resource as a client sees it (version and time in meta, _summary, _elements). */
bool med_render_stored(med_call *call, med_buf *out, const med_stored *s,
                       med_err *err) MED_MUST_CHECK;
/* The same in a shape that was read before. */
bool med_render_shaped(med_call *call, med_buf *out, const med_stored *s, const med_shape *shape,
                       med_err *err) MED_MUST_CHECK;

/* W/"3" and back: accepts W/"3" and "3", and in a list; false when it is none of these. */
bool med_etag_format(med_arena *a, uint32_t version, med_str *out) MED_MUST_CHECK;
bool med_etag_parse(med_str field, uint32_t *version, med_err *err) MED_MUST_CHECK;
/* Does a list of entity tags (or *) hold this version? False with *err set on bad syntax. */
bool med_etag_list_has(med_str field, uint32_t version, bool *has, med_err *err) MED_MUST_CHECK;
/* "3" of a URL: a version id; 0 when it is no version this server can have given. */
uint32_t med_version_parse(med_str text);

/* The store's copy of call->request.type/id. MED_ISSUE_NOT_FOUND or MED_ISSUE_DELETED when
 * there is none to see. */
bool med_find_current(med_call *call, med_stored *out, med_err *err) MED_MUST_CHECK;

#endif
