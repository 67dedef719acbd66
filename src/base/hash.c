/* hash.c - SipHash-2-4. https://www.aumasson.jp/siphash/siphash.pdf */
#include "base/hash.h"

static uint64_t rotate(uint64_t x, int n)
{
    return (x << n) | (x >> (64 - n));
}

static uint64_t load_le64(const void *p)
{
    uint64_t x = 0;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static void store_le64(uint8_t *p, uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(p, &x, sizeof x);
}

/* At most seven bytes, the first lowest. */
static uint64_t load_tail(const char *p, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return x;
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

static inline uint64_t squeeze(uint64_t v[4])
{
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline void start(uint64_t v[4], med_hash_key key)
{
    v[0] = key.k0 ^ 0x736f6d6570736575U;
    v[1] = key.k1 ^ 0x646f72616e646f6dU;
    v[2] = key.k0 ^ 0x6c7967656e657261U;
    v[3] = key.k1 ^ 0x7465646279746573U;
}

static inline void absorb_all(uint64_t v[4], med_str s)
{
    size_t whole = s.len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        absorb(v, load_le64(s.ptr + i));
    absorb(v, load_tail(s.ptr + whole, s.len & 7) | (uint64_t)s.len << 56);
}

uint64_t med_siphash(med_hash_key key, med_str s)
{
    uint64_t v[4];
    start(v, key);
    absorb_all(v, s);
    v[2] ^= 0xff;
    return squeeze(v);
}

void med_siphash128(med_hash_key key, med_str s, uint8_t out[16])
{
    uint64_t v[4];
    start(v, key);
    v[1] ^= 0xee;
    absorb_all(v, s);
    v[2] ^= 0xee;
    store_le64(out, squeeze(v));
    v[1] ^= 0xdd;
    store_le64(out + 8, squeeze(v));
}

void med_hasher_begin(med_hasher *h, med_hash_key key)
{
    *h = (med_hasher){0};
    start(h->v, key);
}

void med_hasher_add(med_hasher *h, med_str s)
{
    size_t have = h->total & 7;
    h->total += s.len;
    if (have != 0) {
        size_t take = s.len < 8 - have ? s.len : 8 - have;
        h->tail |= load_tail(s.ptr, take) << (8 * have);
        if (have + take < 8)
            return;
        absorb(h->v, h->tail);
        s = med_str_skip(s, take);
    }
    size_t whole = s.len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        absorb(h->v, load_le64(s.ptr + i));
    h->tail = load_tail(s.ptr + whole, s.len & 7);
}

uint64_t med_hasher_end(med_hasher *h)
{
    absorb(h->v, h->tail | h->total << 56);
    h->v[2] ^= 0xff;
    return squeeze(h->v);
}
