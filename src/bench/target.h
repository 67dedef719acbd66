/* target.h - the server that is measured, and one request to it.
 *
 * A target is a plain value; what it points to lives in the arena it was parsed into. */
#ifndef MED_BENCH_TARGET_H
#define MED_BENCH_TARGET_H

#include <sys/socket.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

typedef struct med_target {
    struct sockaddr_storage address;
    socklen_t address_len;
    med_str host;  /* as the Host header says it */
    med_str base;  /* path of the FHIR base, without a slash behind: "/fhir" */
    med_str token; /* bearer token, or empty */
} med_target;

/* Reads http://HOST[:PORT]/BASE and looks the host up. Other schemes are MED_ISSUE_NOT_SUPPORTED.
 */
bool med_target_parse(med_arena *a, med_str url, med_str token, med_target *out,
                      med_err *err) MED_MUST_CHECK;

/* Appends a whole request. `path` is below the base ("Patient/1", "" is the base itself) unless
 * it begins with '/'. `headers` are whole lines, each with its CR LF. A body is FHIR JSON. */
void med_target_request(const med_target *t, const char *method, med_str path, med_str headers,
                        med_str body, med_buf *out);

/* The path and query of a link of the server ("http://host/fhir?page=2" -> "/fhir?page=2"). */
med_str med_target_path(med_str url);

/* A new non-blocking connection under way, or -1. */
int med_target_connect(const med_target *t);

#endif
