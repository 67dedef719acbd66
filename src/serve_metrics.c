/* serve_metrics.c - https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include "serve_metrics.h"

#include <stdatomic.h>

#include "base/mem.h"

enum { INTERACTIONS = 64, CLASSES = 6, BUCKETS = 12 };

/* Upper bounds in microseconds; the last bucket is everything above. */
static const int64_t bucket_bound[BUCKETS - 1] = {100,   250,   500,    1000,   2500,   5000,
                                                  10000, 25000, 100000, 500000, 2500000};

struct med_metrics {
    atomic_uint_fast64_t answers[INTERACTIONS][CLASSES];
    atomic_uint_fast64_t bucket[BUCKETS];
    atomic_uint_fast64_t microseconds;
};

med_metrics *med_metrics_new(void)
{
    return med_alloc(1, sizeof(med_metrics));
}

void med_metrics_free(med_metrics *m)
{
    med_free(m);
}

/* Row of the interaction; the last row is "no interaction": not routed. */
static size_t row_of(const med_interaction *wanted)
{
    for (size_t i = 0; i < med_interaction_count && i < INTERACTIONS - 1; i++) {
        if (med_interactions[i] == wanted)
            return i;
    }
    return INTERACTIONS - 1;
}

void med_metrics_count(med_metrics *m, const med_call *call, int64_t microseconds)
{
    size_t bucket = 0;
    size_t class = (size_t)call->response.status / 100;
    while (bucket < BUCKETS - 1 && microseconds > bucket_bound[bucket])
        bucket++;
    atomic_fetch_add_explicit(&m->answers[row_of(call->interaction)][class < CLASSES ? class : 0],
                              1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->bucket[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->microseconds, (uint64_t)microseconds, memory_order_relaxed);
}

static void write_answers(const med_metrics *m, med_buf *out)
{
    med_buf_addz(out, "# HELP medulla_requests_total Answered FHIR requests.\n"
                      "# TYPE medulla_requests_total counter\n");
    for (size_t i = 0; i < INTERACTIONS; i++) {
        bool none = i == INTERACTIONS - 1;
        if (!none && i >= med_interaction_count)
            continue;
        for (size_t c = 1; c < CLASSES; c++) {
            uint64_t n = atomic_load_explicit(&m->answers[i][c], memory_order_relaxed);
            if (n > 0)
                med_buf_printf(out,
                               "medulla_requests_total{interaction=\"%s\",level=\"%d\",status=\"%"
                               "zuxx\"} %lu\n",
                               none ? "none" : med_interactions[i]->name,
                               none ? 0 : (int)med_interactions[i]->level, c, (unsigned long)n);
        }
    }
}

static void write_durations(const med_metrics *m, med_buf *out)
{
    uint64_t sum = 0;
    med_buf_addz(out, "# HELP medulla_request_seconds Time from a complete head to the answer.\n"
                      "# TYPE medulla_request_seconds histogram\n");
    for (size_t i = 0; i < BUCKETS; i++) {
        sum += atomic_load_explicit(&m->bucket[i], memory_order_relaxed);
        if (i < BUCKETS - 1)
            med_buf_printf(out, "medulla_request_seconds_bucket{le=\"%g\"} %lu\n",
                           (double)bucket_bound[i] / 1e6, (unsigned long)sum);
        else
            med_buf_printf(out, "medulla_request_seconds_bucket{le=\"+Inf\"} %lu\n",
                           (unsigned long)sum);
    }
    med_buf_printf(out, "medulla_request_seconds_sum %.6f\nmedulla_request_seconds_count %lu\n",
                   (double)atomic_load_explicit(&m->microseconds, memory_order_relaxed) / 1e6,
                   (unsigned long)sum);
}

void med_metrics_write(const med_metrics *m, med_buf *out)
{
    write_answers(m, out);
    write_durations(m, out);
}
