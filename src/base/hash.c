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

/* At most eight bytes, the first lowest. */
static uint64_t load_tail(const char *p, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return x;
}

/* Four words, passed by value: as an array behind a pointer they would live in memory. */
struct state {
    uint64_t a, b, c, d;
};

static inline struct state sip_round(struct state v)
{
    v.a += v.b;
    v.b = rotate(v.b, 13) ^ v.a;
    v.a = rotate(v.a, 32);
    v.c += v.d;
    v.d = rotate(v.d, 16) ^ v.c;
    v.a += v.d;
    v.d = rotate(v.d, 21) ^ v.a;
    v.c += v.b;
    v.b = rotate(v.b, 17) ^ v.c;
    v.c = rotate(v.c, 32);
    return v;
}

static inline struct state absorb(struct state v, uint64_t word)
{
    v.d ^= word;
    v = sip_round(sip_round(v));
    v.a ^= word;
    return v;
}

static inline struct state finish(struct state v)
{
    return sip_round(sip_round(sip_round(sip_round(v))));
}

static inline uint64_t result(struct state v)
{
    return v.a ^ v.b ^ v.c ^ v.d;
}

/* `wide` is 0xee for 128 bits, else 0. */
static inline struct state start(med_hash_key key, uint64_t wide)
{
    return (struct state){
        key.k0 ^ 0x736f6d6570736575U,
        key.k1 ^ 0x646f72616e646f6dU ^ wide,
        key.k0 ^ 0x6c7967656e657261U,
        key.k1 ^ 0x7465646279746573U,
    };
}

static inline struct state absorb_whole_words(struct state v, med_str s)
{
    size_t whole = s.len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        v = absorb(v, load_le64(s.ptr + i));
    return v;
}

/* The bytes behind the last whole word, lowest first. */
static inline uint64_t tail_of(med_str s)
{
    return load_tail(s.ptr + (s.len & ~(size_t)7), s.len & 7);
}

uint64_t med_siphash(med_hash_key key, med_str s)
{
    struct state v = absorb_whole_words(start(key, 0), s);
    v = absorb(v, tail_of(s) | (uint64_t)s.len << 56);
    v.c ^= 0xff;
    return result(finish(v));
}

void med_siphash128(med_hash_key key, med_str s, uint8_t out[16])
{
    struct state v = absorb_whole_words(start(key, 0xee), s);
    v = absorb(v, tail_of(s) | (uint64_t)s.len << 56);
    v.c ^= 0xee;
    v = finish(v);
    store_le64(out, result(v));
    v.b ^= 0xdd;
    store_le64(out + 8, result(finish(v)));
}

static struct state state_of(const med_hasher *h)
{
    return (struct state){h->v[0], h->v[1], h->v[2], h->v[3]};
}

static void keep_state(med_hasher *h, struct state v)
{
    h->v[0] = v.a;
    h->v[1] = v.b;
    h->v[2] = v.c;
    h->v[3] = v.d;
}

void med_hasher_begin(med_hasher *h, med_hash_key key)
{
    *h = (med_hasher){0};
    keep_state(h, start(key, 0));
}

void med_hasher_add(med_hasher *h, med_str s)
{
    struct state v = state_of(h);
    size_t have = h->total & 7;
    h->total += s.len;
    if (have != 0) {
        size_t take = s.len < 8 - have ? s.len : 8 - have;
        h->tail |= load_tail(s.ptr, take) << (8 * have);
        if (have + take < 8)
            return;
        v = absorb(v, h->tail);
        s = med_str_skip(s, take);
    }
    keep_state(h, absorb_whole_words(v, s));
    h->tail = tail_of(s);
}

uint64_t med_hasher_end(med_hasher *h)
{
    struct state v = absorb(state_of(h), h->tail | h->total << 56);
    v.c ^= 0xff;
    return result(finish(v));
}
