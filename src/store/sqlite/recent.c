/* recent.c - see recent.h. */
#include "store/sqlite/recent.h"

#include "base/mem.h"

struct recent_entry {
    struct recent_entry *next_in_slot;
    struct recent_entry *next, *before; /* the ring */
    uint64_t ident;
    med_stored stored; /* id and text point behind this struct */
    size_t bytes;
    bool asked; /* since the hand came by */
};

static struct recent_shard *shard_of(struct recent *r, uint64_t ident)
{
    return &r->shards[ident % MED_RECENT_SHARDS];
}

static struct recent_entry **slot_of(struct recent_shard *shard, uint64_t ident)
{
    return &shard->slots[ident / MED_RECENT_SHARDS % MED_RECENT_SLOTS];
}

bool med_recent_init(struct recent *r, size_t bytes)
{
    *r = (struct recent){.shard_bytes = bytes / MED_RECENT_SHARDS};
    if (bytes == 0)
        return true;
    r->shards = MED_NEW(MED_RECENT_SHARDS, struct recent_shard);
    for (size_t i = 0; r->shards != NULL && i < MED_RECENT_SHARDS; i++) {
        if (pthread_mutex_init(&r->shards[i].lock, NULL) != 0)
            return false;
    }
    return r->shards != NULL;
}

/* ---- one shard, with its lock held ---- */

static void leave_slot(struct recent_shard *shard, const struct recent_entry *e)
{
    struct recent_entry **at = slot_of(shard, e->ident);
    while (*at != e)
        at = &(*at)->next_in_slot;
    *at = e->next_in_slot;
}

static void leave_ring(struct recent_shard *shard, struct recent_entry *e)
{
    if (shard->hand == e)
        shard->hand = e->next == e ? NULL : e->next;
    e->before->next = e->next;
    e->next->before = e->before;
}

static void drop(struct recent_shard *shard, struct recent_entry *e)
{
    leave_slot(shard, e);
    leave_ring(shard, e);
    shard->bytes -= e->bytes;
    explicit_bzero(e, e->bytes);
    med_free(e);
}

/* Goes round until enough has gone; whoever was asked for gets one round more. */
static void make_room(struct recent_shard *shard, size_t bytes, size_t limit)
{
    while (shard->hand != NULL && shard->bytes + bytes > limit) {
        struct recent_entry *e = shard->hand;
        shard->hand = e->next;
        if (e->asked)
            e->asked = false;
        else
            drop(shard, e);
    }
}

static struct recent_entry *find(struct recent_shard *shard, uint64_t ident)
{
    struct recent_entry *e = *slot_of(shard, ident);
    while (e != NULL && e->ident != ident)
        e = e->next_in_slot;
    return e;
}

static void join(struct recent_shard *shard, struct recent_entry *e)
{
    struct recent_entry **slot = slot_of(shard, e->ident);
    e->next_in_slot = *slot;
    *slot = e;
    struct recent_entry *hand = shard->hand;
    e->next = hand == NULL ? e : hand;
    e->before = hand == NULL ? e : hand->before;
    e->next->before = e;
    e->before->next = e;
    if (hand == NULL)
        shard->hand = e;
    shard->bytes += e->bytes;
}

static struct recent_entry *make_entry(uint64_t ident, const med_stored *s)
{
    size_t bytes = sizeof(struct recent_entry) + s->id.len + s->text.len;
    struct recent_entry *e = med_alloc(1, bytes);
    if (e == NULL)
        return NULL;
    char *room = (char *)(e + 1);
    *e = (struct recent_entry){.ident = ident, .stored = *s, .bytes = bytes};
    memcpy(room, s->id.ptr, s->id.len);
    memcpy(room + s->id.len, s->text.ptr, s->text.len);
    e->stored.id.ptr = room;
    e->stored.text.ptr = room + s->id.len;
    return e;
}

/* ---- readers ---- */

uint64_t med_recent_epoch(const struct recent *r)
{
    return atomic_load(&r->epoch);
}

bool med_recent_find(struct recent *r, uint64_t ident, uint32_t type, med_str id, med_arena *a,
                     med_stored *out)
{
    if (r->shards == NULL)
        return false;
    struct recent_shard *shard = shard_of(r, ident);
    pthread_mutex_lock(&shard->lock);
    struct recent_entry *e = find(shard, ident);
    bool found = e != NULL && e->stored.type == type && med_str_eq(e->stored.id, id);
    if (found) {
        e->asked = true;
        *out = e->stored;
        found = med_arena_copy(a, e->stored.id, &out->id)
                && med_arena_copy(a, e->stored.text, &out->text);
    }
    pthread_mutex_unlock(&shard->lock);
    return found;
}

void med_recent_keep(struct recent *r, uint64_t ident, const med_stored *s, uint64_t epoch)
{
    if (r->shards == NULL || s->change == MED_DELETED || s->text.len > MED_RECENT_TEXT_MAX)
        return;
    struct recent_entry *e = make_entry(ident, s);
    if (e == NULL)
        return;
    struct recent_shard *shard = shard_of(r, ident);
    pthread_mutex_lock(&shard->lock);
    bool fresh = !shard->held && med_recent_epoch(r) == epoch && find(shard, ident) == NULL;
    if (fresh && e->bytes <= r->shard_bytes) {
        make_room(shard, e->bytes, r->shard_bytes);
        join(shard, e);
        e = NULL;
    }
    pthread_mutex_unlock(&shard->lock);
    med_free(e);
}

/* ---- the commit thread ---- */

void med_recent_hold(struct recent *r, uint64_t ident)
{
    if (r->shards == NULL)
        return;
    struct recent_shard *shard = shard_of(r, ident);
    pthread_mutex_lock(&shard->lock);
    struct recent_entry *e = find(shard, ident);
    if (e != NULL)
        drop(shard, e);
    shard->held = true;
    pthread_mutex_unlock(&shard->lock);
    r->held |= UINT64_C(1) << ident % MED_RECENT_SHARDS;
}

void med_recent_release(struct recent *r)
{
    if (r->held == 0)
        return;
    atomic_fetch_add(&r->epoch, 1);
    for (size_t i = 0; i < MED_RECENT_SHARDS; i++) {
        if ((r->held >> i & 1) == 0)
            continue;
        pthread_mutex_lock(&r->shards[i].lock);
        r->shards[i].held = false;
        pthread_mutex_unlock(&r->shards[i].lock);
    }
    r->held = 0;
}

void med_recent_free(struct recent *r)
{
    for (size_t i = 0; r->shards != NULL && i < MED_RECENT_SHARDS; i++) {
        while (r->shards[i].hand != NULL)
            drop(&r->shards[i], r->shards[i].hand);
        (void)pthread_mutex_destroy(&r->shards[i].lock);
    }
    med_free(r->shards);
    *r = (struct recent){0};
}
