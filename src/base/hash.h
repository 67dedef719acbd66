/* hash.h - SipHash-2-4, keyed. https://www.aumasson.jp/siphash/siphash.pdf
 *
 * Used wherever a stranger chooses what is hashed: hash tables, index keys, and the check
 * value of each stored version. Pure functions; thread safe. */
#ifndef MED_BASE_HASH_H
#define MED_BASE_HASH_H

#include "base/str.h"

typedef struct med_hash_key {
    uint64_t k0, k1;
} med_hash_key;

uint64_t med_siphash(med_hash_key key, med_str s);
/* 128-bit variant, for the check value of a stored version. */
void med_siphash128(med_hash_key key, med_str s, uint8_t out[16]);

/* In pieces: begin, add any number of times, end. */
typedef struct med_hasher {
    uint64_t v[4];
    uint64_t tail;
    uint64_t total;
} med_hasher;
void med_hasher_begin(med_hasher *h, med_hash_key key);
void med_hasher_add(med_hasher *h, med_str s);
uint64_t med_hasher_end(med_hasher *h);

#endif
