/* route.h - from a request to its interaction. https://hl7.org/fhir/R4/http.html#summary
 *
 * The table med_interactions is searched for method, level and operation, so what is not wired
 * can not be reached, and /metadata says the same. */
#ifndef MED_FHIR_ROUTE_H
#define MED_FHIR_ROUTE_H

#include "fhir/call.h"

/* Fills call->request (method, level, type, id, version, operation, query) and
 * call->interaction from a path below the base ("Patient/1/_history/2") and a raw query. The
 * path may be percent-encoded. Fails: unknown type 404 with the nearest names, bad id 400,
 * unknown operation 404, wrong method 405 with call->response.allow filled. */
bool med_route(med_call *call, enum med_method method, med_str path, med_str query,
               med_err *err) MED_MUST_CHECK;

/* The names that are near an unknown resource type, for messages: "Patient, Patch". */
bool med_route_nearest_types(med_arena *a, const med_pack *p, med_str name, med_str *out);

#endif
