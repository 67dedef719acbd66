/* histogram.h - durations, counted in buckets that are at most 1/64 wide of what they hold
 * (as in HdrHistogram): percentiles without keeping every value.
 *
 * A plain value of some 19 KB; one thread at a time. Anything above two hours counts as that. */
#ifndef MED_BENCH_HISTOGRAM_H
#define MED_BENCH_HISTOGRAM_H

#include "base/str.h"

enum { MED_HISTOGRAM_HALF = 64, MED_HISTOGRAM_OCTAVES = 36 };

typedef struct med_histogram {
    uint64_t n, max; /* max in nanoseconds, exact */
    uint64_t at[(MED_HISTOGRAM_OCTAVES + 2) * MED_HISTOGRAM_HALF];
} med_histogram;

void med_histogram_add(med_histogram *h, uint64_t nanoseconds);
void med_histogram_merge(med_histogram *to, const med_histogram *from);
/* The least bucket bound below which `share` of all values lie (0.5: the median), at most the
 * greatest value; 0 when there are none. Nanoseconds. */
uint64_t med_histogram_percentile(const med_histogram *h, double share);

#endif
