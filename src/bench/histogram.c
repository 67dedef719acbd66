/* histogram.c - see histogram.h. */
#include "bench/histogram.h"

#define LARGEST ((UINT64_C(1) << (MED_HISTOGRAM_OCTAVES + 7)) - 1)

/* Values below 128 have a bucket each; above, every doubling has 64. */
static size_t bucket_of(uint64_t value)
{
    unsigned shift = 0;
    if (value >= UINT64_C(2) * MED_HISTOGRAM_HALF)
        shift = 57U - (unsigned)__builtin_clzll(value);
    return (size_t)shift * MED_HISTOGRAM_HALF + (size_t)(value >> shift);
}

/* The greatest value of a bucket. */
static uint64_t bound_of(size_t bucket)
{
    if (bucket < 2 * (size_t)MED_HISTOGRAM_HALF)
        return bucket;
    size_t shift = bucket / MED_HISTOGRAM_HALF - 1;
    uint64_t low = bucket - shift * MED_HISTOGRAM_HALF;
    return ((low + 1) << shift) - 1;
}

void med_histogram_add(med_histogram *h, uint64_t nanoseconds)
{
    h->n++;
    if (nanoseconds > h->max)
        h->max = nanoseconds;
    h->at[bucket_of(nanoseconds < LARGEST ? nanoseconds : LARGEST)]++;
}

void med_histogram_merge(med_histogram *to, const med_histogram *from)
{
    to->n += from->n;
    if (from->max > to->max)
        to->max = from->max;
    for (size_t i = 0; i < sizeof to->at / sizeof *to->at; i++)
        to->at[i] += from->at[i];
}

uint64_t med_histogram_percentile(const med_histogram *h, double share)
{
    uint64_t below = 0, wanted = (uint64_t)(share * (double)h->n + 0.5);
    if (h->n == 0)
        return 0;
    for (size_t i = 0; i < sizeof h->at / sizeof *h->at; i++) {
        below += h->at[i];
        if (below > 0 && below >= wanted)
            return bound_of(i) < h->max ? bound_of(i) : h->max;
    }
    return h->max;
}
