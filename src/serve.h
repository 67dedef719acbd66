/* serve.h - the running server: HTTP in front, the store behind, the story of a request between.
 *
 * Owns the HTTP server, the worker pools and the exchanges in flight. Readers of the store are
 * numbered: one for each loop (for each quick worker, when the store is far: then loops never
 * read), then one for each worker. */
#ifndef MED_SERVE_H
#define MED_SERVE_H

#include "base/worker_pool.h"
#include "edition.h"
#include "http/server.h"

typedef struct med_serve_config {
    med_http_config http; /* `loops` must be set */
    const med_fhir *fhir;
    med_editions *editions; /* what a request is served with; NULL: `fhir` */
    struct med_jobs *jobs;  /* of Prefer: respond-async; NULL: it is not heeded */
    unsigned workers;
    unsigned quick; /* workers for quick questions, when the store is far; else as many as loops */
    size_t worker_queue;
    unsigned retry_after_seconds;
    const med_str *cors_origins; /* allowed origins; none = CORS closed; "*" = any */
    size_t n_cors_origins;
    med_str base_path; /* "/fhir" */
} med_serve_config;

typedef struct med_server med_server;

med_server *med_serve_start(const med_serve_config *config, med_err *err) MED_MUST_CHECK;
med_str med_serve_address(const med_server *s);
/* Stops accepting, waits for what is in flight (at most `seconds`), frees. */
void med_serve_stop(med_server *s, unsigned seconds);

typedef struct med_serve_load {
    size_t workers_waiting; /* requests waiting for a worker */
    uint32_t connections;   /* open */
} med_serve_load;
/* Any thread. */
void med_serve_measure(const med_server *s, med_serve_load *out);

/* Prometheus text: requests by route and status class, latency histogram, queue lengths. */
void med_serve_metrics(med_server *s, med_buf *out);

#endif
