/* clock.c - the system's clocks and its entropy. */
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t); /* can not fail for these two clocks and a good pointer */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t system_now(void *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic(void *self)
{
    (void)self;
    return read_clock(CLOCK_MONOTONIC);
}

static void system_fill(void *self, void *bytes, size_t n)
{
    (void)self;
    for (size_t at = 0; at < n;) {
        ssize_t got = getrandom((char *)bytes + at, n - at, 0);
        if (got > 0)
            at += (size_t)got;
        else if (got == 0 || errno != EINTR)
            abort(); /* guessable ids and keys are worse than no service */
    }
}

const med_clock med_clock_system = {system_now, system_monotonic, NULL};
const med_random med_random_system = {system_fill, NULL};

void med_random_uuid(const med_random *r, char out[MED_UUID_LEN])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t b[16];
    med_random_fill(r, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40); /* version 4, RFC 9562 5.4 */
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80); /* variant 10 */
    for (size_t i = 0, at = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex[b[i] >> 4];
        out[at++] = hex[b[i] & 15];
    }
}
