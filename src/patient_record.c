/* patient_record.c - see patient_record.h. */
#include "patient_record.h"

enum { PAGE = 500, VIEW_SECONDS = 20, SECOND = 1000000, TRIES = 5, FIRST_ROOM = 256 };
#define PAGE_ARENA ((size_t)1 << 30)

typedef struct finding {
    med_record *r;
    med_str patient;
    uint64_t ident;
    uint32_t patient_type; /* in the store */
    med_arena *page, *one;
    uint64_t seen, total;
} finding;

static med_view *open_view(const med_record *r, med_err *err)
{
    int64_t deadline = med_monotonic(r->fhir->clock) + (int64_t)VIEW_SECONDS * SECOND;
    return med_store_view(r->fhir->store, r->slot, deadline, err);
}

/* ---- the items, sorted ---- */

static size_t place_of(const med_record *r, med_rid rid)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->items[middle].rid < rid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static med_record_item *item_of(const med_record *r, med_rid rid)
{
    size_t at = place_of(r, rid);
    return at < r->n && r->items[at].rid == rid ? &r->items[at] : NULL;
}

static med_record_item *add_item(med_record *r, const med_stored *s)
{
    size_t at = place_of(r, s->rid);
    med_record_item item = {.rid = s->rid, .type = s->type};
    med_record_item *items = MED_GROW(r->arena, r->items, r->n, &r->room, FIRST_ROOM);
    if (items == NULL)
        return NULL;
    r->items = items;
    if (!med_arena_copy(r->arena, s->id, &item.id))
        return NULL;
    memmove(&r->items[at + 1], &r->items[at], (r->n - at) * sizeof *r->items);
    r->items[at] = item;
    r->n++;
    return &r->items[at];
}

/* ---- whose is a version? ---- */

/* An id is plain ASCII, but JSON may write any character as an escape. */
static bool may_name(const finding *x, med_str text)
{
    return med_str_search(text, x->patient, 0) < text.len || med_str_find(text, '\\', 0) < text.len;
}

/* *own: in the patient's compartment; *alone: in no other's. */
static bool look_into(finding *x, const med_stored *s, bool *own, bool *alone, med_err *err)
{
    med_json j;
    med_rows rows;
    const med_fhir *f = x->r->fhir;
    med_arena_reset(x->one);
    *own = false;
    if (!med_json_parse(x->one, s->text, &j, NULL, err)
        || !med_extract(f->schema, x->one, &j, 0, med_schema_pack_type(f->schema, s->type), s->id,
                        f->base, &rows, err))
        return false;
    for (size_t i = 0; i < rows.n_patients; i++)
        *own = *own || rows.patients[i] == x->ident;
    *alone = *own && rows.n_patients == 1;
    return true;
}

/* Versions come in order, so what the last one with content says stays. */
static bool take_version(finding *x, const med_stored *s, med_err *err)
{
    bool own = false, alone = false;
    med_record_item *item = item_of(x->r, s->rid);
    bool is_patient = s->type == x->patient_type;
    if (is_patient) {
        own = med_str_eq(s->id, x->patient);
        alone = own;
    } else if (s->change != MED_DELETED && (item != NULL || may_name(x, s->text))) {
        if (!look_into(x, s, &own, &alone, err))
            return false;
    }
    if (item == NULL && own)
        item = add_item(x->r, s);
    if (item == NULL)
        return own ? MED_FAIL_MEMORY(err) : true;
    item->versions = s->version;
    if (s->change != MED_DELETED)
        item->shared = !alone;
    return true;
}

static bool take_page(finding *x, med_history *h, size_t *n, med_err *err)
{
    med_stored *at;
    med_view *v = open_view(x->r, err);
    bool ok = v != NULL && med_view_history(v, x->page, h, &at, n, err);
    if (v != NULL)
        med_view_end(v);
    for (size_t i = 0; ok && i < *n; i++) {
        ok = take_version(x, &at[i], err);
        h->after_t = at[i].t;
        h->after_rid = at[i].rid;
    }
    x->seen += ok ? *n : 0;
    return ok;
}

static bool read_feed(finding *x, med_err *err)
{
    med_record *r = x->r;
    med_history h = {.since = MED_TIME_MIN,
                     .until = MED_TIME_MAX,
                     .limit = PAGE,
                     .oldest_first = true,
                     .text = true};
    int tries = 0;
    for (size_t n = PAGE; n == PAGE;) {
        med_arena_reset(x->page);
        if (r->go_on != NULL && !r->go_on(r->arg, x->seen, x->total))
            return MED_FAIL(err, MED_ISSUE_INCOMPLETE, "cancelled");
        n = 0;
        if (take_page(x, &h, &n, err)) {
            tries = 0;
        } else if (err->issue == MED_ISSUE_TIMEOUT && ++tries < TRIES) {
            n = PAGE; /* the WAL had to go on: the same page again */
            *err = (med_err){0};
        } else {
            return false;
        }
    }
    return true;
}

bool med_record_find(med_record *r, med_str patient, med_err *err)
{
    med_store_stats stats;
    med_store_count(r->fhir->store, &stats);
    finding x = {.r = r,
                 .patient = patient,
                 .ident = med_store_ident(r->fhir->store, MED_STR("Patient"), patient),
                 .patient_type = med_schema_type(r->fhir->schema,
                                                 med_pack_type(r->fhir->pack, MED_STR("Patient"))),
                 .page = med_arena_new(PAGE_ARENA),
                 .one = med_arena_new(PAGE_ARENA),
                 .total = stats.versions};
    r->items = NULL;
    r->n = 0;
    r->room = 0;
    bool ok = x.page != NULL && x.one != NULL ? read_feed(&x, err) : MED_FAIL_MEMORY(err);
    med_arena_free(x.page);
    med_arena_free(x.one);
    return ok;
}

/* ---- what refers into it ---- */

typedef struct outside {
    const med_record *r;
    med_view *view;
    med_arena *a;
    med_record_referrer *at;
    size_t n, limit;
} outside;

static bool is_listed(const outside *x, uint32_t type, med_str id)
{
    for (size_t i = 0; i < x->n; i++) {
        if (x->at[i].type == type && med_str_eq(x->at[i].id, id))
            return true;
    }
    return false;
}

static bool list_one(outside *x, med_rid rid, med_err *err)
{
    med_stored s;
    enum med_found found = med_view_by_rid(x->view, x->a, rid, &s, err);
    if (found != MED_FOUND || is_listed(x, s.type, s.id))
        return found != MED_FAILED;
    med_record_referrer *to = &x->at[x->n++];
    to->type = s.type;
    return med_arena_copy(x->r->arena, s.id, &to->id) ? true : MED_FAIL_MEMORY(err);
}

static bool list_referrers(outside *x, med_rid target, med_err *err)
{
    med_rid *referrers;
    size_t n;
    med_arena_reset(x->a);
    if (!med_view_referrers(x->view, x->a, target, x->r->n + x->limit, &referrers, &n, err))
        return false;
    for (size_t i = 0; i < n && x->n < x->limit; i++) {
        if (item_of(x->r, referrers[i]) == NULL && !list_one(x, referrers[i], err))
            return false;
    }
    return true;
}

bool med_record_referrers(const med_record *r, size_t limit, med_record_referrer **out, size_t *n,
                          med_err *err)
{
    outside x = {.r = r,
                 .a = med_arena_new(PAGE_ARENA),
                 .at = MED_TAKE(r->arena, limit, med_record_referrer),
                 .limit = limit};
    if (x.a == NULL || x.at == NULL) {
        med_arena_free(x.a);
        return MED_FAIL_MEMORY(err);
    }
    bool ok = true;
    for (size_t i = 0; ok && i < r->n && x.n < limit; i++) {
        x.view = open_view(r, err);
        ok = x.view != NULL && list_referrers(&x, r->items[i].rid, err);
        if (x.view != NULL)
            med_view_end(x.view);
    }
    med_arena_free(x.a);
    *out = x.at;
    *n = x.n;
    return ok;
}
