/* list_check.c - see list_check.h. */
#include "store/list_check.h"

#include "base/hash.h"
#include "base/mem.h"
#include "store/posting_block.h"
#include "store/store_impl.h"

enum {
    WINDOW = 2000000,
    FOREIGN = 64,         /* of which is told */
    ONE_MEMORY = 1 << 30, /* of one resource's terms, or one block */
    SETTLED = 200,        /* resources looked at again in one view */
};

/* What is taken in, less what the lists say of it. */
struct listed {
    med_rid rid;
    uint64_t sum;
    uint32_t version;
    int32_t n;
};

struct med_list_check {
    const med_verify *to;
    med_arena *arena;
    struct listed *at;
    size_t n, room, settled;
    med_posted began;
    bool is_on;
    med_rid after, upto; /* the window is of the rids above `after` */
    /* of rids that no resource has */
    med_rid foreign[FOREIGN];
    size_t n_foreign;
    /* the last one read: a list that is written meanwhile may show it again in another block */
    uint64_t list;
    med_rid last;
    char term[MED_TERM_BYTES];
    size_t term_len;
};

med_list_check *med_list_check_new(const med_verify *v)
{
    med_list_check *c = MED_NEW(1, med_list_check);
    if (c == NULL)
        return NULL;
    c->to = v;
    c->room = v->window > 0 ? v->window : WINDOW;
    c->arena = med_arena_new(ONE_MEMORY);
    c->at = MED_NEW(c->room, struct listed);
    if (c->arena != NULL && c->at != NULL)
        return c;
    med_list_check_free(c);
    return NULL;
}

void med_list_check_free(med_list_check *c)
{
    if (c == NULL)
        return;
    if (c->arena != NULL)
        med_arena_free(c->arena);
    med_free(c->at);
    med_free(c);
}

static bool is_same_form(const med_list_check *c, const med_posted *p)
{
    return p->form != 0 && p->form == c->to->terms_form;
}

bool med_list_check_begin(med_list_check *c, med_view *v, med_err *err)
{
    if (!med_view_posted(v, &c->began, err))
        return false;
    c->is_on = c->to->terms != NULL && is_same_form(c, &c->began);
    c->after = c->upto;
    c->n = c->settled = c->n_foreign = 0;
    c->last = 0;
    c->term_len = 0;
    return true;
}

bool med_list_check_is_on(const med_list_check *c)
{
    return c->is_on;
}

/* ---- sums ---- */

static uint64_t hash_of(uint64_t list, med_str term)
{
    return med_siphash((med_hash_key){list, 0}, term);
}

/* A posting's own, so that no two of them outweigh each other. */
static uint64_t mix(uint64_t of_term, med_rid rid)
{
    uint64_t x = of_term + rid * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

bool med_list_check_take(med_list_check *c, const med_stored *s, bool *full, med_err *err)
{
    med_posting *some = NULL;
    size_t n = 0;
    struct listed one = {.rid = s->rid, .version = s->version};
    *full = false;
    if (!c->is_on)
        return true;
    med_arena_reset(c->arena);
    if (s->change != MED_DELETED
        && !c->to->terms(c->to->terms_arg, c->arena, s->type, s->text, &some, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        one.sum += mix(hash_of(some[i].list, some[i].term), s->rid);
    one.n = (int32_t)n;
    c->at[c->n++] = one;
    c->upto = s->rid;
    *full = c->n == c->room;
    return true;
}

void med_list_check_last(med_list_check *c)
{
    c->upto = UINT64_MAX;
}

static struct listed *find(med_list_check *c, med_rid rid)
{
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->at[middle].rid < rid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n && c->at[low].rid == rid ? &c->at[low] : NULL;
}

static void note_foreign(med_list_check *c, med_rid rid)
{
    for (size_t i = 0; i < c->n_foreign; i++) {
        if (c->foreign[i] == rid)
            return;
    }
    if (c->n_foreign < FOREIGN)
        c->foreign[c->n_foreign++] = rid;
}

static void subtract(med_list_check *c, uint64_t of_term, med_rid rid)
{
    if (rid <= c->after || rid > c->upto)
        return;
    struct listed *one = find(c, rid);
    if (one == NULL) {
        note_foreign(c, rid);
        return;
    }
    one->sum -= mix(of_term, rid);
    one->n--;
}

static void keep_place(med_list_check *c, uint64_t list, med_str term, med_rid last)
{
    c->list = list;
    c->last = last;
    c->term_len = term.len;
    memcpy(c->term, term.ptr, term.len);
}

bool med_list_check_block(med_list_check *c, uint64_t list, med_str term, med_rid first,
                          med_str bytes, med_err *err)
{
    med_arena_reset(c->arena);
    med_rids rids = {.arena = c->arena};
    if (term.len > MED_TERM_BYTES)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a list of the full-text index is damaged");
    if (!med_block_read(first, bytes, &rids, err))
        return false;
    bool same = list == c->list && med_str_eq(term, (med_str){c->term, c->term_len});
    med_rid last = same ? c->last : 0;
    uint64_t of_term = hash_of(list, term);
    for (size_t i = 0; i < rids.n; i++) {
        if (rids.at[i] > last)
            subtract(c, of_term, rids.at[i]);
    }
    if (rids.at[rids.n - 1] > last)
        last = rids.at[rids.n - 1];
    keep_place(c, list, term, last);
    return true;
}

/* ---- who is wrong ---- */

static const char *wrong(const struct listed *one)
{
    return one->n > 0   ? "the full-text lists lack a term that it has"
           : one->n < 0 ? "the full-text lists have a term that it has not"
                        : "the full-text lists have other terms than it has";
}

/* A damaged resource is a fault of its own, told when it was read: *damaged. */
static enum med_found read_again(med_list_check *c, med_view *v, med_rid rid, med_stored *s,
                                 bool *damaged, med_err *err)
{
    med_arena_reset(c->arena);
    enum med_found found = med_view_by_rid(v, c->arena, rid, s, err);
    *damaged = found == MED_FAILED && err->issue == MED_ISSUE_EXCEPTION;
    if (*damaged)
        *err = (med_err){0};
    return found;
}

/* It counts only if nobody was to change its postings meanwhile. */
static bool look_again(med_list_check *c, const struct listed *one, med_view *v,
                       med_list_fault tell, void *arg, med_err *err)
{
    med_stored s;
    bool damaged;
    enum med_found found = read_again(c, v, one->rid, &s, &damaged, err);
    if (found == MED_FOUND && s.version == one->version && s.t <= c->began.t)
        tell(arg, &s, one->rid, wrong(one));
    return found != MED_FAILED || damaged;
}

static bool settle_foreign(med_list_check *c, med_view *v, med_list_fault tell, void *arg,
                           med_err *err)
{
    for (size_t i = 0; i < c->n_foreign; i++) {
        med_stored s;
        bool damaged;
        enum med_found found = read_again(c, v, c->foreign[i], &s, &damaged, err);
        if (found == MED_FAILED && !damaged)
            return false;
        if (found == MED_ABSENT)
            tell(arg, NULL, c->foreign[i], "the full-text lists name it, and it is not there");
    }
    return true;
}

bool med_list_check_settle(med_list_check *c, med_view *v, med_list_fault tell, void *arg,
                           bool *more, med_err *err)
{
    med_posted now;
    *more = false;
    if (!med_view_posted(v, &now, err))
        return false;
    if (now.form != c->began.form || now.t < c->began.t) /* thrown away meanwhile */
        return true;
    size_t looked = 0;
    for (; c->settled < c->n && looked < SETTLED; c->settled++) {
        const struct listed *one = &c->at[c->settled];
        if (one->sum == 0 && one->n == 0)
            continue;
        looked++;
        if (!look_again(c, one, v, tell, arg, err))
            return false;
    }
    *more = c->settled < c->n;
    /* what was purged meanwhile was there when its postings were read */
    return *more || now.purges != c->began.purges || settle_foreign(c, v, tell, arg, err);
}

/* ---- for those who read the blocks ---- */

void med_list_at_begin(med_list_at *at)
{
    *at = (med_list_at){.list = INT64_MIN, .first = INT64_MIN, .term = MED_STR_EMPTY};
}

bool med_list_at_keep(med_list_at *at, int64_t list, med_str term, int64_t first, med_err *err)
{
    if (term.len > sizeof at->room)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a list of the full-text index is damaged");
    at->list = list;
    at->first = first;
    memcpy(at->room, term.ptr, term.len);
    at->term = (med_str){at->room, term.len};
    return true;
}

med_str med_list_fault_place(med_arena *a, struct names *names, const med_stored *s, med_rid rid)
{
    return s == NULL ? med_arena_printf(a, "internal id %llu", (unsigned long long)rid)
                     : med_arena_printf(a, "%.*s/%.*s", MED_STR_ARG(med_names_type(names, s->type)),
                                        MED_STR_ARG(s->id));
}
