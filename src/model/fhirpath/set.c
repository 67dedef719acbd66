/* set.c - see set.h */
#include "model/fhirpath/set.h"
#include "base/hash.h"
#include "model/fhirpath/values.h"

enum { SMALL = 16 };

static uint64_t hash_text(med_str s)
{
    /* a constant key will do: the tables are small and the budget of steps ends an attack */
    static const med_hash_key key = {0x6d6564756c6c6121U, 0x66686972706174U};
    return med_siphash(key, s);
}

/* Equal trees have equal hashes: only strings without escapes count, in any order. */
static uint64_t hash_tree(const med_value *v)
{
    uint32_t from = med_fp_is_absent(v) ? v->extension : v->node;
    uint64_t sum = 0;
    for (uint32_t i = from; i < v->json->nodes[from].next; i++)
        if (med_json_kind_at(v->json, i) == MED_JSON_STRING && !v->json->nodes[i].escaped)
            sum += hash_text(med_json_raw(v->json, i));
    return sum;
}

static bool hash_of(med_fp_run *r, const med_value *v, uint64_t *out)
{
    med_value s;
    med_decimal d;
    *out = 0;
    if (!med_fp_system(r, v, &s))
        return false;
    if (s.kind == MED_VALUE_STRING) {
        *out = hash_text(s.text);
    } else if (med_fp_number(&s, &d)) {
        while (d.digits != 0 && d.digits % 10 == 0)
            d.digits /= 10; /* 1.0 and 1.00 and 10: the exponent does not matter here */
        *out = (uint64_t)d.digits;
    } else if (s.kind == MED_VALUE_NODE && s.json != NULL
               && (s.type == MED_TYPE_NONE
                   || !med_type_is_a(r->p, s.type, med_pack_type(r->p, MED_STR("Quantity"))))) {
        *out = hash_tree(&s);
    }
    return true;
}

bool med_fp_set_begin(med_fp_run *r, size_t first, size_t room, struct med_fp_set *out)
{
    *out = (struct med_fp_set){.first = first, .room = room < SMALL ? SMALL : room};
    if (room <= SMALL)
        return true;
    out->buckets = 64;
    while (out->buckets < room)
        out->buckets *= 2;
    out->heads = MED_TAKE(r->a, out->buckets, uint32_t);
    out->next = MED_TAKE(r->a, room, uint32_t);
    return (out->heads != NULL && out->next != NULL) || MED_FAIL_MEMORY(r->err);
}

static bool link_item(med_fp_run *r, struct med_fp_set *set, size_t index)
{
    uint64_t hash = 0;
    med_value v = r->values[set->first + index];
    if (set->heads == NULL)
        return true;
    if (!hash_of(r, &v, &hash))
        return false;
    uint32_t *head = &set->heads[hash % set->buckets];
    set->next[index] = *head;
    *head = (uint32_t)index + 1;
    return true;
}

static bool grow(med_fp_run *r, struct med_fp_set *set)
{
    size_t n = set->n;
    if (!med_fp_set_begin(r, set->first, set->room * 2, set))
        return false;
    for (; set->n < n; set->n++)
        if (!link_item(r, set, set->n))
            return false;
    return true;
}

bool med_fp_set_has(med_fp_run *r, const struct med_fp_set *set, const med_value *v, bool *found)
{
    uint64_t hash = 0;
    *found = false;
    if (set->heads == NULL) {
        for (size_t i = 0; i < set->n && !*found; i++)
            *found = med_fp_equal(r, &r->values[set->first + i], v) == MED_FP_TRUE;
        return med_fp_spend(r, set->n);
    }
    if (!hash_of(r, v, &hash))
        return false;
    for (uint32_t i = set->heads[hash % set->buckets]; i != 0 && !*found; i = set->next[i - 1]) {
        *found = med_fp_equal(r, &r->values[set->first + i - 1], v) == MED_FP_TRUE;
        if (!med_fp_spend(r, 1))
            return false;
    }
    return true;
}

bool med_fp_set_add(med_fp_run *r, struct med_fp_set *set, const med_value *v, bool *added)
{
    bool found = false;
    med_value copy = *v;
    if (!med_fp_set_has(r, set, &copy, &found))
        return false;
    *added = !found;
    if (found)
        return true;
    if (set->n == set->room && !grow(r, set))
        return false;
    r->values[set->first + set->n] = copy;
    return link_item(r, set, set->n++);
}
