/* name_hash.h - how names find their rows in a pack. Private to model/.
 *
 * A name is known by its length and two words: its first and its last eight bytes (of a
 * shorter one both are the name itself, padded with zeros). Up to 16 bytes they say all, so
 * rows keep them and comparing takes two instructions. This happens at every key of every
 * resource. What a client sends is only ever looked up, never added, so nobody can fill a
 * table with collisions. */
#ifndef MED_MODEL_NAME_HASH_H
#define MED_MODEL_NAME_HASH_H

#include "base/str.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "names are padded behind their end");

struct med_name {
    uint64_t head, tail;
    uint32_t len;
};

static inline uint64_t med_name_load8(const char *s)
{
    uint64_t word = 0;
    memcpy(&word, s, sizeof word);
    return word;
}

static inline uint64_t med_name_load4(const char *s)
{
    uint32_t word = 0;
    memcpy(&word, s, sizeof word);
    return word;
}

static inline struct med_name med_name_of(med_str s)
{
    uint64_t word = 0;
    if (s.len >= 8)
        return (struct med_name){med_name_load8(s.ptr), med_name_load8(s.ptr + s.len - 8),
                                 (uint32_t)s.len};
    if (s.len >= 4) {
        word = med_name_load4(s.ptr) | med_name_load4(s.ptr + s.len - 4) << (8 * (s.len - 4));
    } else {
        for (size_t i = 0; i < s.len; i++)
            word |= (uint64_t)(unsigned char)s.ptr[i] << (8 * i);
    }
    return (struct med_name){word, word, (uint32_t)s.len};
}

/* The same without a branch on the length, which no processor can guess; eight bytes must be
 * readable from s.ptr on. */
static inline struct med_name med_name_of_padded(med_str s)
{
    bool is_long = s.len >= 8;
    uint64_t mask = is_long ? ~(uint64_t)0 : ((uint64_t)1 << (8 * (s.len & 7))) - 1;
    return (struct med_name){med_name_load8(s.ptr) & mask,
                             med_name_load8(s.ptr + (is_long ? s.len - 8 : 0)) & mask,
                             (uint32_t)s.len};
}

static inline uint32_t med_name_hash(struct med_name n)
{
    uint64_t mixed = (n.head ^ n.len) * 0x9E3779B97F4A7C15U + n.tail * 0xD6E8FEB86659FD93U;
    return (uint32_t)(mixed ^ mixed >> 32);
}

#endif
