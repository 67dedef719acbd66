/* rng.c - xoshiro256** and what is drawn with it. */
#include "demo/rng.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

med_demo_rng med_demo_rng_from(uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    uint64_t mixed = splitmix(&state) ^ (stream * 0xd1342543de82ef95u);
    med_demo_rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix(&mixed);
    return r;
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t med_demo_rng_next(med_demo_rng *r)
{
    uint64_t result = rotate(r->s[1] * 5, 7) * 9;
    uint64_t t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotate(r->s[3], 45);
    return result;
}

uint32_t med_demo_rng_below(med_demo_rng *r, uint32_t n)
{
    return (uint32_t)(((med_demo_rng_next(r) >> 32) * n) >> 32);
}

int med_demo_rng_range(med_demo_rng *r, int low, int high)
{
    return high <= low ? low : low + (int)med_demo_rng_below(r, (uint32_t)(high - low) + 1);
}

bool med_demo_rng_chance(med_demo_rng *r, unsigned permille)
{
    return med_demo_rng_below(r, 1000) < permille;
}

double med_demo_rng_normal(med_demo_rng *r)
{
    double sum = 0; /* twelve uniforms have variance 1 */
    for (int i = 0; i < 12; i++)
        sum += (double)(med_demo_rng_next(r) >> 11) * 0x1p-53;
    sum -= 6;
    return sum < -3 ? -3 : sum > 3 ? 3 : sum;
}

size_t med_demo_rng_weighted(med_demo_rng *r, const uint16_t *weights, size_t n)
{
    uint32_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += weights[i];
    if (total == 0)
        return 0;
    uint32_t at = med_demo_rng_below(r, total);
    size_t i = 0;
    while (at >= weights[i])
        at -= weights[i++];
    return i;
}

double med_demo_noise(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t state = seed ^ (a * 0xa0761d6478bd642fu) ^ (b * 0xe7037ed1a0b428dbu);
    (void)splitmix(&state);
    return (double)(splitmix(&state) >> 11) * 0x1p-52 - 1;
}
