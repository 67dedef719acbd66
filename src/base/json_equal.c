/* json_equal.c - are two trees equal as JSON values?
 *
 * First both are walked side by side in document order: enough where members stand in the same
 * order, which is nearly always. At the first difference the slow way begins anew: for each
 * node of the one tree, in document order, the node of the other that it must equal is written
 * down before it is reached. So there is no stack and no recursion, and each node is looked at
 * once. Members of large objects are found by a keyed hash table. */
#include "base/json_keys.h"
#include "base/json_text.h"
#include "base/mem.h"

struct pairing {
    const med_json *a, *b;
    uint32_t i;        /* where the tree in a begins */
    uint32_t *partner; /* partner[x - i]: the node of b that node x of a must equal */
    struct med_json_keys keys;
};

static bool same_text(const med_json *a, uint32_t i, const med_json *b, uint32_t k)
{
    return med_json_text_eq(med_json_raw(a, i), a->nodes[i].escaped, med_json_raw(b, k),
                            b->nodes[k].escaped);
}

/* Two nodes without what is inside them. */
static bool same_node(const med_json *a, uint32_t i, const med_json *b, uint32_t k)
{
    enum med_json_kind kind = med_json_kind_at(a, i);
    if (kind != med_json_kind_at(b, k))
        return false;
    switch (kind) {
    case MED_JSON_NUMBER:
    case MED_JSON_STRING:
        return same_text(a, i, b, k);
    case MED_JSON_ARRAY:
    case MED_JSON_OBJECT:
        return a->nodes[i].count == b->nodes[k].count;
    case MED_JSON_NULL:
    case MED_JSON_FALSE:
    case MED_JSON_TRUE:
        return true;
    }
    return false;
}

/* Kinds and counts in document order determine the tree, so this needs no more. */
static bool same_in_order(const med_json *a, uint32_t i, const med_json *b, uint32_t k)
{
    uint32_t n = a->nodes[i].next - i;
    if (n != b->nodes[k].next - k)
        return false;
    for (uint32_t x = 0; x < n; x++)
        if (!same_node(a, i + x, b, k + x))
            return false;
    return true;
}

static void pair_elements(struct pairing *s, uint32_t x, uint32_t y)
{
    for (uint32_t e = x + 1, f = y + 1; e < s->a->nodes[x].next;
         e = s->a->nodes[e].next, f = s->b->nodes[f].next)
        s->partner[e - s->i] = f;
}

static bool fill_keys(struct pairing *s, uint32_t y)
{
    const med_json *b = s->b;
    size_t size = med_json_keys_size(b->nodes[y].count);
    if (size > s->keys.cap) {
        med_free(s->keys.slots);
        s->keys.slots = MED_NEW(size, uint64_t);
        s->keys.cap = s->keys.slots == NULL ? 0 : size;
    }
    if (s->keys.slots == NULL)
        return false;
    med_json_keys_begin(&s->keys, b->nodes[y].count);
    for (uint32_t k = y + 1; k < b->nodes[y].next; k = b->nodes[k + 1].next)
        if (med_json_keys_find(&s->keys, b, b, k, true) != 0)
            return false; /* can not be: parsed objects have no duplicates */
    return true;
}

/* The key node of object y that equals key node x, or 0. */
static uint32_t find_key(struct pairing *s, uint32_t x, uint32_t y, bool hashed)
{
    if (hashed)
        return med_json_keys_find(&s->keys, s->b, s->a, x, false);
    for (uint32_t k = y + 1; k < s->b->nodes[y].next; k = s->b->nodes[k + 1].next)
        if (same_text(s->a, x, s->b, k))
            return k;
    return 0;
}

/* Both objects have the same number of members, and none twice: so if each of x is in y, that
 * is all. */
static bool pair_members(struct pairing *s, uint32_t x, uint32_t y)
{
    bool hashed = s->b->nodes[y].count > MED_JSON_SMALL_OBJECT;
    if (hashed && !fill_keys(s, y))
        return false;
    for (uint32_t k = x + 1; k < s->a->nodes[x].next; k = s->a->nodes[k + 1].next) {
        uint32_t found = find_key(s, k, y, hashed);
        if (found == 0)
            return false;
        s->partner[k - s->i] = found;
        s->partner[k + 1 - s->i] = found + 1;
    }
    return true;
}

static bool same_paired(struct pairing *s, uint32_t k)
{
    s->partner[0] = k;
    for (uint32_t x = s->i; x < s->a->nodes[s->i].next; x++) {
        uint32_t y = s->partner[x - s->i];
        if (!same_node(s->a, x, s->b, y))
            return false;
        enum med_json_kind kind = med_json_kind_at(s->a, x);
        if (kind == MED_JSON_ARRAY)
            pair_elements(s, x, y);
        else if (kind == MED_JSON_OBJECT && !pair_members(s, x, y))
            return false;
    }
    return true;
}

bool med_json_equal(const med_json *a, uint32_t i, const med_json *b, uint32_t k)
{
    if (same_in_order(a, i, b, k))
        return true;
    uint32_t n = a->nodes[i].next - i;
    if (n != b->nodes[k].next - k)
        return false; /* as many nodes, whatever their order */
    uint32_t small[256];
    struct pairing s = {.a = a, .b = b, .i = i};
    bool is_small = n <= sizeof small / sizeof *small;
    s.partner = is_small ? small : MED_NEW(n, uint32_t);
    bool equal = s.partner != NULL && same_paired(&s, k);
    if (!is_small)
        med_free(s.partner);
    med_free(s.keys.slots);
    return equal;
}
