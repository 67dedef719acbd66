/* body.c - see body.h. https://facebook.github.io/zstd/zstd_manual.html */
#include "store/body.h"

#include "base/mem.h"

enum { PACK_LEVEL = 3, ROOM_KEPT = 1 << 20 };

bool med_packer_init(struct packer *p, const med_dictionary *dictionaries, size_t n, med_err *err)
{
    *p = (struct packer){0};
    if (pthread_mutex_init(&p->lock, NULL) != 0)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no lock for the packer");
    p->dictionaries = MED_NEW(n, struct dictionary);
    if (p->dictionaries == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++) {
        if (dictionaries[i].id == 0)
            return MED_FAIL(err, MED_ISSUE_INVALID, "a zstd dictionary may not have the id 0");
        p->dictionaries[i].of = dictionaries[i];
    }
    p->n_dictionaries = n;
    return true;
}

void med_packer_free(struct packer *p)
{
    for (size_t i = 0; i < p->n_dictionaries; i++) {
        ZSTD_freeCDict(p->dictionaries[i].pack);
        ZSTD_freeDDict(p->dictionaries[i].unpack);
    }
    med_free(p->dictionaries);
    while (p->idle != NULL) {
        struct idle_context *entry = p->idle;
        p->idle = entry->next;
        ZSTD_freeCCtx(entry->context);
        med_free(entry->to);
        med_free(entry);
    }
    (void)pthread_mutex_destroy(&p->lock);
}

/* A type's own dictionary before that of all others, a newer one before an older. */
static bool is_better(const struct dictionary *d, const struct dictionary *best, med_str type)
{
    bool own = med_str_eq(d->of.type, type);
    if (!own && d->of.type.len > 0)
        return false;
    if (best == NULL)
        return true;
    bool best_is_own = best->of.type.len > 0;
    return own != best_is_own ? own : d->of.id > best->of.id;
}

void med_packer_name_type(struct packer *p, med_str type, uint32_t number)
{
    struct dictionary *best = NULL;
    for (size_t i = 0; i < p->n_dictionaries; i++) {
        if (is_better(&p->dictionaries[i], best, type))
            best = &p->dictionaries[i];
    }
    if (best != NULL && number < MED_TYPES_MAX)
        p->by_type[number] = best;
}

/* Takes an idle context, or makes one. Contexts are never more than the threads that pack. */
static struct idle_context *borrow(struct packer *p)
{
    pthread_mutex_lock(&p->lock);
    struct idle_context *entry = p->idle;
    if (entry != NULL)
        p->idle = entry->next;
    pthread_mutex_unlock(&p->lock);
    if (entry != NULL)
        return entry;
    entry = MED_NEW(1, struct idle_context);
    if (entry == NULL)
        return NULL;
    entry->context = ZSTD_createCCtx();
    if (entry->context != NULL
        && !ZSTD_isError(
            ZSTD_CCtx_setParameter(entry->context, ZSTD_c_compressionLevel, PACK_LEVEL))
        && !ZSTD_isError(ZSTD_CCtx_setParameter(entry->context, ZSTD_c_checksumFlag, 0))
        && !ZSTD_isError(ZSTD_CCtx_setParameter(entry->context, ZSTD_c_dictIDFlag, 0)))
        return entry;
    ZSTD_freeCCtx(entry->context);
    med_free(entry);
    return NULL;
}

static void give_back(struct packer *p, struct idle_context *entry)
{
    pthread_mutex_lock(&p->lock);
    entry->next = p->idle;
    p->idle = entry;
    pthread_mutex_unlock(&p->lock);
}

static ZSTD_CDict *pack_dictionary(struct packer *p, struct dictionary *d)
{
    if (d->pack == NULL) {
        pthread_mutex_lock(&p->lock);
        if (d->pack == NULL)
            d->pack = ZSTD_createCDict(d->of.bytes.ptr, d->of.bytes.len, PACK_LEVEL);
        pthread_mutex_unlock(&p->lock);
    }
    return d->pack;
}

static ZSTD_DDict *unpack_dictionary(struct packer *p, uint32_t id)
{
    for (size_t i = 0; i < p->n_dictionaries; i++) {
        struct dictionary *d = &p->dictionaries[i];
        if (d->of.id != id)
            continue;
        if (d->unpack == NULL) {
            pthread_mutex_lock(&p->lock);
            if (d->unpack == NULL)
                d->unpack = ZSTD_createDDict(d->of.bytes.ptr, d->of.bytes.len);
            pthread_mutex_unlock(&p->lock);
        }
        return d->unpack;
    }
    return NULL;
}

/* The entry holds it and is freed with the packer; the analyzer loses it there. */
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
static bool make_room(struct idle_context *entry, size_t room)
{
    if (room <= entry->room)
        return true;
    char *to = MED_NEW(room, char);
    if (to == NULL)
        return false; /* the old one is still good */
    char *old = entry->to;
    entry->to = to;
    entry->room = room;
    med_free(old);
    return true;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

static bool pack(struct idle_context *entry, ZSTD_CDict *dict, med_arena *a, med_str text,
                 med_str *packed, med_err *err)
{
    if (!make_room(entry, ZSTD_compressBound(text.len)))
        return MED_FAIL_MEMORY(err);
    (void)ZSTD_CCtx_reset(entry->context, ZSTD_reset_session_only);
    size_t n = ZSTD_CCtx_refCDict(entry->context, dict);
    if (!ZSTD_isError(n))
        n = ZSTD_compress2(entry->context, entry->to, entry->room, text.ptr, text.len);
    if (ZSTD_isError(n))
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "packing failed: %s", ZSTD_getErrorName(n));
    return med_arena_copy(a, (med_str){entry->to, n}, packed) || MED_FAIL_MEMORY(err);
}

bool med_packer_pack(struct packer *p, med_arena *a, uint32_t type, med_str text, med_str *packed,
                     uint32_t *dictionary, med_err *err)
{
    struct dictionary *d = type < MED_TYPES_MAX ? p->by_type[type] : NULL;
    ZSTD_CDict *dict = d == NULL ? NULL : pack_dictionary(p, d);
    if (text.len > MED_BODY_LIMIT)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a resource may have at most %d bytes",
                        (int)MED_BODY_LIMIT);
    struct idle_context *entry = d != NULL && dict == NULL ? NULL : borrow(p);
    if (entry == NULL)
        return MED_FAIL_MEMORY(err);
    bool good = pack(entry, dict, a, text, packed, err);
    if (entry->room > ROOM_KEPT) {
        med_free(entry->to);
        entry->to = NULL;
        entry->room = 0;
    }
    give_back(p, entry);
    *dictionary = d == NULL ? 0 : d->of.id;
    return good;
}

struct unpacker *med_unpacker_new(void)
{
    struct unpacker *u = MED_NEW(1, struct unpacker);
    if (u == NULL)
        return NULL;
    u->context = ZSTD_createDCtx();
    if (u->context != NULL)
        return u;
    med_free(u);
    return NULL;
}

void med_unpacker_free(struct unpacker *u)
{
    if (u == NULL)
        return;
    ZSTD_freeDCtx(u->context);
    med_free(u);
}

enum unpacked med_packer_unpack(struct packer *p, struct unpacker *u, med_arena *a, med_str packed,
                                uint32_t dictionary, med_str *text)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (size > MED_BODY_LIMIT) /* also when it is none, or not told */
        return UNPACK_DAMAGED;
    const ZSTD_DDict *dict = dictionary == 0 ? NULL : unpack_dictionary(p, dictionary);
    if (dictionary != 0 && dict == NULL)
        return UNPACK_DAMAGED;
    char *to = med_arena_room(a, (size_t)size + 1);
    if (to == NULL)
        return UNPACK_MEMORY;
    size_t n =
        ZSTD_decompress_usingDDict(u->context, to, (size_t)size, packed.ptr, packed.len, dict);
    if (ZSTD_isError(n) || n != size)
        return UNPACK_DAMAGED;
    to[n] = '\0';
    *text = (med_str){to, n};
    return UNPACK_DONE;
}
