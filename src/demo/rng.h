/* rng.h - the demo's own random numbers: xoshiro256** seeded by splitmix64.
 * https://prng.di.unimi.it/
 *
 * Every household, provider and person draws from a stream of its own, so one of them does not
 * change when another draws more or less. Not for secrets. One owner at a time. */
#ifndef MED_DEMO_RNG_H
#define MED_DEMO_RNG_H

#include "base/str.h"

typedef struct med_demo_rng {
    uint64_t s[4];
} med_demo_rng;

med_demo_rng med_demo_rng_from(uint64_t seed, uint64_t stream);
uint64_t med_demo_rng_next(med_demo_rng *r);
/* 0 <= result < n; n must not be 0. */
uint32_t med_demo_rng_below(med_demo_rng *r, uint32_t n);
/* low <= result <= high */
int med_demo_rng_range(med_demo_rng *r, int low, int high);
bool med_demo_rng_chance(med_demo_rng *r, unsigned permille);
/* Mean 0, standard deviation 1, never beyond +-3. */
double med_demo_rng_normal(med_demo_rng *r);
/* An index below n, drawn in proportion to the weights; 0 when all weights are 0. */
size_t med_demo_rng_weighted(med_demo_rng *r, const uint16_t *weights, size_t n);

/* Noise in [-1, 1] that is a pure function of its arguments. */
double med_demo_noise(uint64_t seed, uint64_t a, uint64_t b);

#endif
