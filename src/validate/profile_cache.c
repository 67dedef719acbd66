/* profile_cache.c - compiled profiles for all threads. See profile.h.
 *
 * A set holds what was compiled of one epoch of the definitions, and lives until the last check
 * that holds it ends. The newest set is the one that new checks get; one whose source stands at
 * another epoch gets a set of its own, so that nobody sees a definition that is older or newer
 * than his view of the store. */
#include <pthread.h>

#include "base/hash.h"
#include "base/mem.h"
#include "validate/profile_impl.h"

enum { BUCKETS = 1024 };
#define DEFINITION_BYTES ((size_t)256 << 20)

struct entry {
    med_str canonical;
    const med_profile *profile; /* NULL: nobody knows it */
    struct entry *next;
};

struct med_profile_set {
    med_profiles *of;
    med_arena *a; /* it lives there itself */
    uint64_t epoch;
    size_t holders;         /* under of->lock; the cache is one */
    pthread_mutex_t making; /* one compiles at a time; `a` is his. Taken before `lock` */
    pthread_mutex_t lock;   /* never held for long */
    size_t used;            /* of the arena */
    struct entry *buckets[BUCKETS];
};

struct med_profiles {
    const med_pack *p;
    pthread_mutex_t lock;
    med_profile_set *current;
};

bool med_profiles_new(const med_pack *p, med_profiles **out, med_err *err)
{
    med_profiles *c = MED_NEW(1, med_profiles);
    if (c == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
        med_free(c);
        return MED_FAIL_MEMORY(err);
    }
    c->p = p;
    *out = c;
    return true;
}

static void set_free(med_profile_set *s)
{
    (void)pthread_mutex_destroy(&s->making);
    (void)pthread_mutex_destroy(&s->lock);
    med_arena_free(s->a);
}

void med_profiles_free(med_profiles *c)
{
    if (c == NULL)
        return;
    if (c->current != NULL)
        set_free(c->current);
    (void)pthread_mutex_destroy(&c->lock);
    med_free(c);
}

static med_profile_set *set_new(med_profiles *c, uint64_t epoch)
{
    med_arena *a = med_arena_new(MED_PROFILE_CACHE_BYTES);
    med_profile_set *s = a == NULL ? NULL : MED_TAKE(a, 1, med_profile_set);
    if (s == NULL || pthread_mutex_init(&s->making, NULL) != 0
        || pthread_mutex_init(&s->lock, NULL) != 0) {
        med_arena_free(a);
        return NULL;
    }
    s->a = a;
    s->of = c;
    s->epoch = epoch;
    s->holders = 1;
    return s;
}

static void let_go(void *arg)
{
    med_profile_set *s = arg;
    med_profiles *c = s->of;
    (void)pthread_mutex_lock(&c->lock);
    bool over = --s->holders == 0;
    (void)pthread_mutex_unlock(&c->lock);
    if (over)
        set_free(s);
}

static bool is_full(med_profile_set *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool full = s->used > MED_PROFILE_CACHE_BYTES / 2;
    (void)pthread_mutex_unlock(&s->lock);
    return full;
}

/* Under the lock. The set of that epoch, with one holder more. */
static med_profile_set *take(med_profiles *c, uint64_t epoch, med_profile_set **over)
{
    med_profile_set *s = c->current;
    if (s != NULL && s->epoch == epoch && !is_full(s)) {
        s->holders++;
        return s;
    }
    s = set_new(c, epoch);
    if (s == NULL || (c->current != NULL && c->current->epoch > epoch))
        return s; /* of the past: for this check alone */
    if (c->current != NULL && --c->current->holders == 0)
        *over = c->current;
    c->current = s;
    s->holders++;
    return s;
}

med_profile_set *med_profile_set_hold(const med_profile_use *use, med_arena *a, med_err *err)
{
    med_profiles *c = use->cache;
    med_profile_set *over = NULL;
    const med_definition_source *from = use->source;
    uint64_t epoch = from == NULL || from->epoch == NULL ? 0 : from->epoch(from->self);
    (void)pthread_mutex_lock(&c->lock);
    med_profile_set *s = take(c, epoch, &over);
    (void)pthread_mutex_unlock(&c->lock);
    if (over != NULL)
        set_free(over);
    if (s != NULL && med_arena_defer(a, let_go, s))
        return s;
    (void)MED_FAIL_MEMORY(err);
    return NULL;
}

/* ---- finding ---- */

static bool broken(med_profile_set *s, med_str canonical, const char *why, med_profile **out)
{
    med_profile *p = *out = MED_TAKE(s->a, 1, med_profile);
    if (p == NULL || !med_arena_copy(s->a, canonical, &p->canonical))
        return false;
    p->url = p->canonical;
    p->type = MED_TYPE_NONE;
    p->broken = med_arena_printf(s->a, "%s", why);
    return p->broken.len > 0;
}

/* The definition is needed only while it is compiled. */
static bool make(med_profile_set *s, const med_definition_source *source, med_str canonical,
                 med_profile **out, med_err *err)
{
    const med_definition *d = NULL;
    med_err why = {0};
    med_arena *a = med_arena_new(DEFINITION_BYTES);
    *out = NULL;
    if (a == NULL)
        return MED_FAIL_MEMORY(err);
    bool ok = true;
    if (!med_definition_find(source, a, canonical, &d, &why)) {
        ok = why.issue != MED_ISSUE_EXCEPTION && !med_arena_exhausted(a);
        if (!ok)
            *err = why;
        else if (!broken(s, canonical, why.text, out))
            ok = MED_FAIL_MEMORY(err);
    } else if (d != NULL && !med_profile_compile(s->a, s->of->p, d, out)) {
        ok = MED_FAIL_MEMORY(err);
    }
    med_arena_free(a);
    return ok;
}

static struct entry **bucket_of(med_profile_set *s, med_str canonical)
{
    static const med_hash_key key = {0};
    return &s->buckets[med_siphash(key, canonical) % BUCKETS];
}

static bool look_up(med_profile_set *s, med_str canonical, const med_profile **out)
{
    (void)pthread_mutex_lock(&s->lock);
    const struct entry *e = *bucket_of(s, canonical);
    while (e != NULL && !med_str_eq(e->canonical, canonical))
        e = e->next;
    *out = e == NULL ? NULL : e->profile;
    (void)pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

static bool add(med_profile_set *s, const med_definition_source *source, med_str canonical,
                const med_profile **out, med_err *err)
{
    med_profile *profile;
    if (!make(s, source, canonical, &profile, err))
        return false;
    struct entry *e = MED_TAKE(s->a, 1, struct entry);
    if (e == NULL || !med_arena_copy(s->a, canonical, &e->canonical))
        return MED_FAIL_MEMORY(err);
    *out = e->profile = profile;
    (void)pthread_mutex_lock(&s->lock);
    struct entry **bucket = bucket_of(s, canonical);
    e->next = *bucket;
    *bucket = e;
    s->used = med_arena_used(s->a);
    (void)pthread_mutex_unlock(&s->lock);
    return true;
}

bool med_profile_set_find(med_profile_set *s, const med_profile_use *use, med_str canonical,
                          const med_profile **out, med_err *err)
{
    if (look_up(s, canonical, out))
        return true;
    if (use->unmade != NULL) {
        *use->unmade = true;
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "a profile is not compiled yet");
    }
    (void)pthread_mutex_lock(&s->making);
    bool ok = look_up(s, canonical, out) || add(s, use->source, canonical, out, err);
    (void)pthread_mutex_unlock(&s->making);
    return ok;
}
