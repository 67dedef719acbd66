/* serve_metrics.h - counters of requests, thread safe without locks. */
#ifndef MED_SERVE_METRICS_H
#define MED_SERVE_METRICS_H

#include "fhir/call.h"

typedef struct med_metrics med_metrics;
med_metrics *med_metrics_new(void);
void med_metrics_free(med_metrics *m);
/* Counts one answered call by interaction and status class, with its duration. */
void med_metrics_count(med_metrics *m, const med_call *call, int64_t microseconds);
/* Prometheus text exposition, version 0.0.4. */
void med_metrics_write(const med_metrics *m, med_buf *out);

#endif
