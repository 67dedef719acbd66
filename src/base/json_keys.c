/* json_keys.c - see json_keys.h. */
#include "base/json_keys.h"

#include "base/clock.h"
#include "base/json_text.h"

/* Tests count the slots looked at, to see that the work stays linear. */
#ifndef MED_JSON_COUNT_STEP
#define MED_JSON_COUNT_STEP() ((void)0)
#endif

size_t med_json_keys_size(uint32_t count)
{
    size_t size = 64;
    while (size < (size_t)count * 2)
        size *= 2;
    return size;
}

void med_json_keys_begin(struct med_json_keys *t, uint32_t count)
{
    if (!t->seeded) {
        med_random_fill(&med_random_system, &t->key, sizeof t->key);
        t->seeded = true;
    }
    t->mask = med_json_keys_size(count) - 1;
    memset(t->slots, 0, (t->mask + 1) * sizeof *t->slots);
}

uint32_t med_json_keys_find(struct med_json_keys *t, const med_json *j, const med_json *of,
                            uint32_t k, bool add)
{
    med_str name = med_json_raw(of, k);
    bool escaped = of->nodes[k].escaped;
    uint64_t hash = med_json_text_hash(t->key, name, escaped);
    uint64_t tag = hash & 0xffffffff00000000u;
    for (size_t s = hash & t->mask;; s = (s + 1) & t->mask) {
        MED_JSON_COUNT_STEP();
        uint32_t found = (uint32_t)t->slots[s];
        if (found == 0) { /* at most half of the slots are taken, so this is reached */
            if (add)
                t->slots[s] = tag | k;
            return 0;
        }
        if ((t->slots[s] ^ tag) >> 32 == 0
            && med_json_text_eq(med_json_raw(j, found), j->nodes[found].escaped, name, escaped))
            return found;
    }
}
