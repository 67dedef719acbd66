/* clock.h - time and randomness, passed in so that tests can fix them. Thread safe. */
#ifndef MED_BASE_CLOCK_H
#define MED_BASE_CLOCK_H

#include "base/str.h"

/* Microseconds since 1970-01-01T00:00:00Z; may step when the machine's clock is set. */
typedef struct med_clock {
    int64_t (*now)(void *self);       /* wall clock */
    int64_t (*monotonic)(void *self); /* for durations */
    void *self;
} med_clock;

typedef struct med_random {
    void (*fill)(void *self, void *bytes, size_t n); /* never fails: aborts without entropy */
    void *self;
} med_random;

extern const med_clock med_clock_system;
extern const med_random med_random_system; /* getrandom(2) */

static inline int64_t med_now(const med_clock *c)
{
    return c->now(c->self);
}
static inline int64_t med_monotonic(const med_clock *c)
{
    return c->monotonic(c->self);
}
static inline void med_random_fill(const med_random *r, void *bytes, size_t n)
{
    r->fill(r->self, bytes, n);
}

enum { MED_UUID_LEN = 36 };
/* A version 4 UUID in lower case, not NUL-terminated. */
void med_random_uuid(const med_random *r, char out[MED_UUID_LEN]);

#endif
