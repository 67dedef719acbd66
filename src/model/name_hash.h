/* name_hash.h - the hash by which names find their rows in a pack. Private to model/.
 *
 * Names are short and come from the definitions, so only the ends and the length are mixed:
 * a few instructions for what happens at every key of every resource. What a client sends
 * is only ever looked up, never added, so nobody can fill a table with collisions. */
#ifndef MED_MODEL_NAME_HASH_H
#define MED_MODEL_NAME_HASH_H

#include "base/str.h"

static inline uint64_t med_name_load8(const char *s)
{
    uint64_t word = 0;
    memcpy(&word, s, sizeof word);
    return word;
}

static inline uint32_t med_name_load4(const char *s)
{
    uint32_t word = 0;
    memcpy(&word, s, sizeof word);
    return word;
}

static inline uint32_t med_name_hash(med_str s)
{
    uint64_t head = 0;
    uint64_t tail = 0;
    if (s.len >= 8) {
        head = med_name_load8(s.ptr);
        tail = med_name_load8(s.ptr + s.len - 8);
    } else if (s.len >= 4) {
        head = med_name_load4(s.ptr);
        tail = med_name_load4(s.ptr + s.len - 4);
    } else if (s.len > 0) {
        head = (uint64_t)(unsigned char)s.ptr[0] << 16
               | (uint64_t)(unsigned char)s.ptr[s.len / 2] << 8 | (unsigned char)s.ptr[s.len - 1];
    }
    uint64_t mixed = (head ^ s.len) * 0x9E3779B97F4A7C15U + tail * 0xD6E8FEB86659FD93U;
    return (uint32_t)(mixed ^ mixed >> 32);
}

/* Equality of short names without a call: memcmp costs more than the comparison. */
static inline bool med_name_equal(const char *a, const char *b, size_t len)
{
    if (len >= 8) {
        for (size_t i = 0; i + 8 <= len; i += 8) {
            if (med_name_load8(a + i) != med_name_load8(b + i))
                return false;
        }
        return med_name_load8(a + len - 8) == med_name_load8(b + len - 8);
    }
    if (len >= 4)
        return med_name_load4(a) == med_name_load4(b)
               && med_name_load4(a + len - 4) == med_name_load4(b + len - 4);
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i])
            return false;
    }
    return true;
}

#endif
