/* address.h - who is at the other end: socket addresses, proxies, connections per address.
 *
 * IPv4 is kept as IPv4-mapped IPv6, so that a client is one address whichever way it came. */
#ifndef MED_HTTP_ADDRESS_H
#define MED_HTTP_ADDRESS_H

#include "base/clock.h"
#include "base/err.h"

struct sockaddr;

enum { MED_ADDRESS_TEXT = 46 };

typedef struct med_address {
    uint8_t ip[16];
    bool local; /* a unix socket; ip is zero */
} med_address;

med_address med_address_of_socket(const struct sockaddr *sa);
/* "192.0.2.7", "2001:db8::1", "[2001:db8::1]"; no port. */
bool med_address_parse(med_str text, med_address *out) MED_MUST_CHECK;
void med_address_format(const med_address *a, char out[MED_ADDRESS_TEXT]); /* NUL-terminated */

/* ---- listed proxies ---- */
typedef struct med_address_range {
    med_address base;
    unsigned bits; /* of 128 */
} med_address_range;

/* An address, ADDRESS/BITS, or "unix". */
bool med_address_range_parse(med_str text, med_address_range *out, med_err *err) MED_MUST_CHECK;
bool med_address_listed(const med_address *a, const med_address_range *ranges, size_t n);

/* ---- connections per address ----
 * Thread safe. One IPv4 address, or one IPv6 /64, counts as one. */
typedef struct med_address_table med_address_table;

/* Room for `capacity` different addresses. */
med_address_table *med_address_table_new(size_t capacity, const med_random *random);
void med_address_table_free(med_address_table *t);
/* Counts one connection more; false when the address has `limit` already (or no room). */
bool med_address_table_enter(med_address_table *t, const med_address *a, uint32_t limit);
void med_address_table_leave(med_address_table *t, const med_address *a);

#endif
