/* limits.c - the default limits, and how many connections each address has.
 *
 * The table is a keyed hash of chains through one array with a place for every connection the
 * server may have, so it never grows and a stranger can not make its chains long. */
#include <pthread.h>

#include "base/hash.h"
#include "base/mem.h"
#include "http/address.h"
#include "http/server.h"

const med_http_limits med_http_default_limits = {
    .request_line = 8 << 10, /* as much as the usual proxies hand on */
    .head = 32 << 10,
    .headers = 100,
    .body = (size_t)64 << 20,
    .inflate_ratio = 200,
    .head_seconds = 10,
    .body_bytes_per_second = 1024,
    .body_window_seconds = 30,
    .write_seconds = 30,
    .idle_seconds = 75,
    .connections = 10000,
    .connections_per_address = 1000,
    .bodies_in_flight = (uint64_t)512 << 20,
    .arena = (size_t)512 << 20,
};

typedef struct table_entry {
    uint8_t key[16];
    uint32_t count;
    uint32_t next; /* index + 1 of the next in the chain, or of the next free one */
} table_entry;

struct med_address_table {
    pthread_mutex_t lock;
    med_hash_key key;
    uint32_t *heads; /* index + 1, or 0 */
    size_t mask;
    table_entry *entries;
    uint32_t free;
};

med_address_table *med_address_table_new(size_t capacity, const med_random *random)
{
    size_t slots = 64;
    while (slots < capacity)
        slots *= 2;
    med_address_table *t = MED_NEW(1, med_address_table);
    uint32_t *heads = MED_NEW(slots, uint32_t);
    table_entry *entries = MED_NEW(capacity, table_entry);
    if (t == NULL || heads == NULL || entries == NULL || capacity >= UINT32_MAX) {
        med_free(t);
        med_free(heads);
        med_free(entries);
        return NULL;
    }
    *t = (med_address_table){.heads = heads, .mask = slots - 1, .entries = entries};
    pthread_mutex_init(&t->lock, NULL);
    med_random_fill(random, &t->key, sizeof t->key);
    for (size_t i = capacity; i > 0; i--) {
        entries[i - 1].next = t->free;
        t->free = (uint32_t)i;
    }
    return t;
}

void med_address_table_free(med_address_table *t)
{
    if (t == NULL)
        return;
    pthread_mutex_destroy(&t->lock);
    med_free(t->heads);
    med_free(t->entries);
    med_free(t);
}

/* What counts as one: an IPv4 address (mapped), or the first 64 bits of an IPv6 one. */
static void make_key(const med_address *a, uint8_t key[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(key, a->ip, 16);
    if (memcmp(a->ip, mapped, sizeof mapped) != 0)
        memset(key + 8, 0, 8);
}

/* The link that leads to the entry of `key`, or the 0 at the chain's end. */
static uint32_t *find(med_address_table *t, const uint8_t key[16])
{
    size_t slot = med_siphash(t->key, (med_str){(const char *)key, 16}) & t->mask;
    uint32_t *link = &t->heads[slot];
    while (*link != 0 && memcmp(t->entries[*link - 1].key, key, 16) != 0)
        link = &t->entries[*link - 1].next;
    return link;
}

static bool enter(med_address_table *t, const uint8_t key[16], uint32_t limit)
{
    uint32_t *link = find(t, key);
    if (*link == 0) {
        if (t->free == 0)
            return false;
        uint32_t fresh = t->free;
        table_entry *e = &t->entries[fresh - 1];
        t->free = e->next;
        memcpy(e->key, key, 16);
        e->count = 0;
        e->next = 0;
        *link = fresh;
    }
    table_entry *e = &t->entries[*link - 1];
    if (e->count >= limit)
        return false;
    e->count++;
    return true;
}

bool med_address_table_enter(med_address_table *t, const med_address *a, uint32_t limit)
{
    uint8_t key[16];
    make_key(a, key);
    if (limit == 0)
        return false;
    pthread_mutex_lock(&t->lock);
    bool ok = enter(t, key, limit);
    pthread_mutex_unlock(&t->lock);
    return ok;
}

void med_address_table_leave(med_address_table *t, const med_address *a)
{
    uint8_t key[16];
    make_key(a, key);
    pthread_mutex_lock(&t->lock);
    uint32_t *link = find(t, key);
    uint32_t index = *link;
    if (index != 0 && --t->entries[index - 1].count == 0) {
        *link = t->entries[index - 1].next;
        t->entries[index - 1].next = t->free;
        t->free = index;
    }
    pthread_mutex_unlock(&t->lock);
}
