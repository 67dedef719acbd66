/* expand.c - see expand.h. https://hl7.org/fhir/R4/valueset-operation-expand.html
 *
 * The parts of the value set are walked in order. What several parts have counts once, where it
 * came first. One part that is all of a system or a filter of it, the common case of large
 * systems, is answered on bits: its total is a count of bits, its page is found by words. */
#include "terminology/expand.h"

#include <stdlib.h>

#include "base/unicode.h"
#include "terminology/code_system_json.h"

typedef struct walk {
    const med_term_context *x;
    const med_value_set *vs;
    const med_expand *e;
    med_str folded; /* the filter */
    bool dedupe;
    uint64_t *seen; /* hashes of system and code, open addressing, 0 = free */
    size_t n_seen, room_seen;
    med_code_hit *hits;
    size_t n_hits, room_hits;
    size_t total;
    bool is_open;
    const uint64_t *matching; /* concepts of the part's system that the text fits */
    med_err *err;
} walk;

/* ---- each code once ---- */

static uint64_t hash_of(const med_code_hit *h, bool merge)
{
    uint64_t v = 0xcbf29ce484222325U;
    for (size_t i = 0; i < h->system.len; i++)
        v = (v ^ (unsigned char)h->system.ptr[i]) * 0x100000001b3U;
    v = (v ^ 0xFF) * 0x100000001b3U;
    med_str version = h->sys != NULL && !merge ? h->sys->version : MED_STR_EMPTY;
    for (size_t i = 0; i < version.len; i++)
        v = (v ^ (unsigned char)version.ptr[i]) * 0x100000001b3U;
    v = (v ^ 0xFE) * 0x100000001b3U;
    for (size_t i = 0; i < h->code.len; i++)
        v = (v ^ (unsigned char)h->code.ptr[i]) * 0x100000001b3U;
    v ^= v >> 29;
    return v | 1;
}

static bool grow_seen(walk *w)
{
    size_t room = w->room_seen == 0 ? 1024 : 4 * w->room_seen;
    uint64_t *next = MED_TAKE(w->x->arena, room, uint64_t);
    if (next == NULL)
        return false;
    for (size_t i = 0; i < w->room_seen; i++) {
        size_t at = w->seen[i] & (room - 1);
        while (w->seen[i] != 0 && next[at] != 0)
            at = (at + 1) & (room - 1);
        if (w->seen[i] != 0)
            next[at] = w->seen[i];
    }
    w->seen = next;
    w->room_seen = room;
    return true;
}

/* True for the first time; *ok false without memory. */
static bool is_first(walk *w, const med_code_hit *h, bool *ok)
{
    if (!w->dedupe)
        return true;
    if (2 * w->n_seen >= w->room_seen && !grow_seen(w)) {
        *ok = false;
        return false;
    }
    uint64_t v = hash_of(h, w->vs->versions_match);
    size_t at = v & (w->room_seen - 1);
    for (; w->seen[at] != 0; at = (at + 1) & (w->room_seen - 1)) {
        if (w->seen[at] == v)
            return false;
    }
    w->seen[at] = v;
    w->n_seen++;
    return true;
}

/* ---- taking a code ---- */

static bool text_fits(walk *w, const med_code_hit *h)
{
    med_str folded;
    if (w->folded.len == 0
        || (w->matching != NULL && h->concept != MED_CONCEPT_NONE
            && med_bit(w->matching, h->concept)))
        return true;
    if (w->matching != NULL && h->concept != MED_CONCEPT_NONE
        && (h->listed == NULL || h->listed->display.len == 0))
        return false;
    return med_fold(w->x->arena, med_code_hit_display(h), &folded)
           && med_words_begin(w->folded, folded);
}

static bool keep_hit(walk *w, const med_code_hit *h)
{
    med_code_hit *more = MED_GROW(w->x->arena, w->hits, w->n_hits, &w->room_hits, 64);
    if (more == NULL)
        return MED_FAIL_MEMORY(w->err);
    w->hits = more;
    w->hits[w->n_hits++] = *h;
    return true;
}

static bool too_many(walk *w)
{
    return MED_FAIL(w->err, MED_ISSUE_TOO_COSTLY,
                    "the value set has more than %zu codes; ask for a page (offset, count) or "
                    "narrow it with a filter",
                    w->e->limit);
}

static bool is_without(const walk *w, const med_code_hit *h)
{
    for (size_t i = 0; i < w->e->n_without; i++) {
        med_str url, version;
        med_canonical_split(w->e->without[i], &url, &version);
        if (med_str_eq(h->system, url)
            && (version.len == 0 || (h->sys != NULL && med_str_eq(h->sys->version, version))))
            return true;
    }
    return false;
}

static bool take(walk *w, const med_code_hit *h)
{
    bool ok = true;
    if (!text_fits(w, h) || is_without(w, h) || med_value_set_excludes(w->vs, w->x->arena, h))
        return true;
    unsigned flags = med_code_hit_flags(h);
    if ((w->vs->active_only || w->e->active_only) && (flags & MED_CONCEPT_INACTIVE) != 0)
        return true;
    if (w->e->selectable_only && (flags & MED_CONCEPT_ABSTRACT) != 0)
        return true;
    if (!is_first(w, h, &ok))
        return ok ? true : MED_FAIL_MEMORY(w->err);
    size_t at = w->total++;
    if (w->e->count == SIZE_MAX && w->total > w->e->limit)
        return too_many(w);
    if (at < w->e->offset || w->n_hits >= w->e->count)
        return true;
    return w->n_hits == w->e->limit ? too_many(w) : keep_hit(w, h);
}

/* ---- parts ---- */

static bool in_sets(walk *w, const med_part *p, const med_code_hit *h, size_t from)
{
    for (size_t i = from; i < p->n_sets; i++) {
        med_code_hit inner;
        if (!med_value_set_has(p->sets[i], w->x->arena, h->system, MED_STR_EMPTY, h->code, &inner))
            return false;
    }
    return true;
}

static bool find_matching(walk *w, const med_part *p)
{
    w->matching = NULL;
    if (w->folded.len == 0 || p->sys == NULL || p->sys->image == NULL)
        return true;
    uint64_t *bits = MED_TAKE(w->x->arena, med_image_words(p->sys->image) + 1, uint64_t);
    if (bits == NULL)
        return MED_FAIL_MEMORY(w->err);
    w->matching = bits;
    return med_image_search(p->sys->image, w->x->arena, w->e->filter, w->e->language, bits, w->err);
}

static bool walk_listed(walk *w, const med_part *p, const med_value_set *of)
{
    for (size_t i = 0; i < p->n_listed; i++) {
        const med_listed *l = &p->listed[i];
        med_code_hit h = {p, p->sys, l->concept, l, of, p->system, l->code, MED_STR_EMPTY};
        /* A code that a complete system does not have is no code: it is left out. */
        if (l->concept == MED_CONCEPT_NONE && p->sys != NULL && p->sys->image != NULL
            && med_image_content(p->sys->image) == MED_CONTENT_COMPLETE)
            continue;
        if (in_sets(w, p, &h, 0) && !take(w, &h))
            return false;
    }
    return true;
}

static bool walk_image(walk *w, const med_part *p, const med_value_set *of)
{
    const med_image *m = p->sys->image;
    for (size_t i = 0; i < med_image_words(m); i++) {
        size_t left = med_image_count(m) - i * 64;
        uint64_t word = left >= 64 ? UINT64_MAX : ((uint64_t)1 << left) - 1;
        word &= p->kind == MED_PART_BITS ? p->bits[i] : UINT64_MAX;
        word &= w->matching != NULL ? w->matching[i] : UINT64_MAX;
        for (; word != 0; word &= word - 1) {
            med_concept c = (med_concept)(i * 64 + (size_t)__builtin_ctzll(word));
            med_code_hit h = {
                p, p->sys, c, NULL, of, p->system, med_concept_code(m, c), MED_STR_EMPTY};
            if (in_sets(w, p, &h, 0) && !take(w, &h))
                return false;
        }
    }
    return true;
}

static bool endless(walk *w)
{
    return MED_FAIL(w->err, MED_ISSUE_TOO_COSTLY,
                    "a system that is a grammar (units, languages, media types) has no end "
                    "and can not be expanded");
}

/* Of a grammar: what R4 lists as common. */
static bool walk_common(walk *w, const med_part *p)
{
    static const char *const sets[] = {[MED_RULE_UCUM] = "http://hl7.org/fhir/ValueSet/ucum-common",
                                       [MED_RULE_LANGUAGE] =
                                           "http://hl7.org/fhir/ValueSet/languages"};
    size_t rule = p->sys->rule;
    const med_value_set *common = NULL;
    if (!w->e->common_will_do || rule >= sizeof sets / sizeof *sets || sets[rule] == NULL)
        return endless(w);
    if (!med_term_value_set(w->x, med_str_from(sets[rule]), MED_STR_EMPTY, &common, w->err))
        return false;
    if (common == NULL || common->n_includes == 0)
        return endless(w);
    w->is_open = true;
    w->matching = NULL;
    const med_part *from = &common->includes[0];
    for (size_t i = 0; i < from->n_listed; i++) {
        const med_listed *l = &from->listed[i];
        med_code_hit h = {p,      p->sys,    MED_CONCEPT_NONE, l,
                          common, p->system, l->code,          MED_STR_EMPTY};
        if (in_sets(w, p, &h, 0) && !take(w, &h))
            return false;
    }
    return true;
}

/* A part of value sets alone: what is in the first one and in all the others. */
/* NOLINTNEXTLINE(misc-no-recursion): value sets nest MED_CONTEXT_DEPTH deep, no more */
static bool walk_sets(walk *w, const med_part *p)
{
    med_expand all = *w->e;
    med_expansion inner;
    all.offset = 0;
    all.count = SIZE_MAX;
    all.limit = (size_t)1 << 20;
    if (p->n_sets == 0)
        return true;
    if (!med_term_expand(w->x, p->sets[0], &all, &inner, w->err))
        return false;
    w->is_open = w->is_open || inner.is_open;
    for (size_t i = 0; i < inner.n; i++) {
        w->matching = NULL;
        med_str folded = w->folded;
        w->folded = MED_STR_EMPTY; /* the text was looked at within */
        bool ok = !in_sets(w, p, &inner.at[i], 1) || take(w, &inner.at[i]);
        w->folded = folded;
        if (!ok)
            return false;
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): see walk_sets */
static bool walk_part(walk *w, const med_part *p, const med_value_set *of)
{
    switch (p->kind) {
    case MED_PART_LIST:
        return find_matching(w, p) && walk_listed(w, p, of);
    case MED_PART_ALL:
    case MED_PART_BITS:
        if (p->sys->image == NULL)
            return walk_common(w, p);
        return find_matching(w, p) && walk_image(w, p, of);
    case MED_PART_SETS:
        return walk_sets(w, p);
    case MED_PART_UNKNOWN:
        break;
    }
    return MED_FAIL(w->err, MED_ISSUE_NOT_FOUND,
                    "the value set draws on a code system or value set that is not known here");
}

/* ---- one part, on bits ---- */

static bool is_simple(const walk *w)
{
    const med_value_set *vs = w->vs;
    const med_part *p = vs->n_includes == 1 ? &vs->includes[0] : NULL;
    return p != NULL && vs->n_excludes == 0 && p->n_sets == 0 && !vs->active_only
           && !w->e->active_only && !w->e->selectable_only && w->e->n_without == 0
           && (p->kind == MED_PART_ALL || p->kind == MED_PART_BITS) && p->sys->image != NULL;
}

static bool expand_bits(walk *w)
{
    const med_part *p = &w->vs->includes[0];
    const med_image *m = p->sys->image;
    if (!find_matching(w, p))
        return false;
    for (size_t i = 0; i < med_image_words(m); i++) {
        size_t left = med_image_count(m) - i * 64;
        uint64_t word = left >= 64 ? UINT64_MAX : ((uint64_t)1 << left) - 1;
        word &= p->kind == MED_PART_BITS ? p->bits[i] : UINT64_MAX;
        word &= w->matching != NULL ? w->matching[i] : UINT64_MAX;
        size_t n = (size_t)__builtin_popcountll(word), before = w->total;
        w->total += n;
        if (n == 0 || w->total <= w->e->offset || w->n_hits >= w->e->count)
            continue;
        if (w->e->count == SIZE_MAX && w->total > w->e->limit)
            return too_many(w);
        for (size_t k = before; word != 0 && w->n_hits < w->e->count; k++, word &= word - 1) {
            med_concept c = (med_concept)(i * 64 + (size_t)__builtin_ctzll(word));
            med_code_hit h = {
                p, p->sys, c, NULL, w->vs, p->system, med_concept_code(m, c), MED_STR_EMPTY};
            if (k < w->e->offset)
                continue;
            if (w->n_hits == w->e->limit)
                return too_many(w);
            if (!keep_hit(w, &h))
                return false;
        }
    }
    return true;
}

static int by_version(const void *a, const void *b)
{
    const med_part *p = *(const med_part *const *)a, *q = *(const med_part *const *)b;
    bool have = p->sys != NULL && q->sys != NULL;
    int d = have ? med_version_compare(q->sys->version, p->sys->version) : 0;
    return d != 0 ? d : p < q ? -1 : 1;
}

/* In the order of the value set; where versions are merged the latest of them comes first. */
/* NOLINTNEXTLINE(misc-no-recursion): see walk_sets */
static bool walk_parts(walk *w)
{
    const med_value_set *vs = w->vs;
    const med_part **order = MED_TAKE(w->x->arena, vs->n_includes, const med_part *);
    if (order == NULL)
        return MED_FAIL_MEMORY(w->err);
    for (size_t i = 0; i < vs->n_includes; i++)
        order[i] = &vs->includes[i];
    if (vs->many_versions && vs->versions_match)
        qsort(order, vs->n_includes, sizeof *order, by_version);
    for (size_t i = 0; i < vs->n_includes; i++) {
        if (!walk_part(w, order[i], vs))
            return false;
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): see walk_sets */
bool med_term_expand(const med_term_context *x, const med_value_set *vs, const med_expand *e,
                     med_expansion *out, med_err *err)
{
    walk w = {.x = x, .vs = vs, .e = e, .err = err, .folded = MED_STR_EMPTY};
    bool ok = e->filter.len == 0 || med_fold(x->arena, e->filter, &w.folded);
    if (!ok)
        return MED_FAIL_MEMORY(err);
    w.dedupe = true;
    if (is_simple(&w)) {
        ok = expand_bits(&w);
    } else {
        ok = walk_parts(&w);
    }
    *out = (med_expansion){w.hits, w.n_hits, w.total, w.is_open};
    return ok;
}

/* ---- for searches ---- */

bool med_term_members(const med_term_scope *s, med_arena *a, med_str value_set, size_t limit,
                      med_code_set *out, med_err *err)
{
    med_term_context x = med_term_context_of(s, a);
    const med_value_set *vs;
    med_str url, version;
    med_expand e = {
        .filter = MED_STR_EMPTY, .language = MED_STR_EMPTY, .count = SIZE_MAX, .limit = limit};
    med_expansion all;
    *out = (med_code_set){.missing = MED_STR_EMPTY};
    med_canonical_split(value_set, &url, &version);
    if (!med_term_value_set(&x, url, version, &vs, err))
        return false;
    out->missing = vs == NULL ? value_set : vs->missing.len > 0 ? vs->missing : vs->missing_system;
    out->unknown = vs == NULL || out->missing.len > 0;
    if (out->unknown)
        return true;
    if (!med_term_expand(&x, vs, &e, &all, err))
        return false;
    struct med_code_key *at = MED_TAKE(a, all.n, struct med_code_key);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < all.n; i++)
        at[i] = (struct med_code_key){all.at[i].system, all.at[i].code};
    out->at = at;
    out->n = all.n;
    return true;
}
