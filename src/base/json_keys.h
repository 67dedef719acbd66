/* json_keys.h - finds members by key in objects too large to compare pairwise.
 *
 * A hash table of key nodes, keyed with fresh randomness, so that nobody can send keys that
 * collide. One table serves all objects of a document, one after the other. Inside
 * base/json_*.c only; one thread at a time. */
#ifndef MED_BASE_JSON_KEYS_H
#define MED_BASE_JSON_KEYS_H

#include "base/hash.h"
#include "base/json.h"

enum { MED_JSON_SMALL_OBJECT = 16 }; /* up to here pairwise comparison is quicker */

struct med_json_keys {
    uint64_t *slots; /* upper half of the key's hash | index of the key node; 0 = empty */
    size_t cap;      /* slots that there is room for; a power of two, or 0 */
    size_t mask;     /* slots in use for the present object, minus one */
    med_hash_key key;
    bool seeded;
};

/* How many slots an object of `count` members needs: the caller provides them. */
size_t med_json_keys_size(uint32_t count);
/* Begins an object of `count` members; `slots` has room for med_json_keys_size(count). */
void med_json_keys_begin(struct med_json_keys *t, uint32_t count);
/* Index of the key node equal to key node `k` of `of`, or 0. `j` is whose keys are in the
 * table. With `add` the key is put there if it was not (then `of` is `j`). */
uint32_t med_json_keys_find(struct med_json_keys *t, const med_json *j, const med_json *of,
                            uint32_t k, bool add);

#endif
