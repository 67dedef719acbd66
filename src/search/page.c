/* page.c - see page.h. */
#include "search/page.h"

/* The text follows. A place with a longer text (of a uri) can not be named. */
typedef struct wire {
    uint64_t rid;
    int64_t value;
    double real;
    uint8_t how, clause, patient, flags, phase, hub, spare[2];
} wire;

enum { TEXT_MAX = 2048, FLAG_ORDERED = 1, FLAG_ASCENDING = 2, FLAG_BY_KEY = 4 };

/* What a token is good for. */
static med_str bound_to(const med_query *q)
{
    return (med_str){(const char *)&q->fingerprint, sizeof q->fingerprint};
}

bool med_page_write(const med_run *r, const med_page *page, med_str *out, med_err *err)
{
    char bytes[sizeof(wire) + TEXT_MAX];
    med_str text = page->place.text;
    if (text.len > TEXT_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the search can not go on behind so long a URI");
    const wire w = {.rid = page->place.rid,
                    .value = page->place.value,
                    .real = page->place.real,
                    .how = (uint8_t)page->plan.how,
                    .clause = page->plan.clause,
                    .patient = page->plan.patient,
                    .hub = page->plan.hub,
                    .flags = (uint8_t)((page->plan.ordered ? FLAG_ORDERED : 0)
                                       | (page->plan.ascending ? FLAG_ASCENDING : 0)
                                       | (page->plan.by_key ? FLAG_BY_KEY : 0)),
                    .phase = page->place.phase};
    memcpy(bytes, &w, sizeof w);
    memcpy(bytes + sizeof w, text.ptr, text.len);
    return med_store_seal(r->q->schema->store, r->arena, (med_str){bytes, sizeof w + text.len},
                          bound_to(r->q), out, err);
}

bool med_page_read(const med_query *q, med_arena *a, med_str token, med_page *out, med_err *err)
{
    med_str bytes;
    wire w;
    if (!med_store_unseal(q->schema->store, a, token, bound_to(q), &bytes, err))
        return false;
    if (bytes.len < sizeof w) /* sealed by us, but not here */
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a page link of another kind");
    memcpy(&w, bytes.ptr, sizeof w);
    *out = (med_page){
        .plan = {.how = (enum med_drive)w.how,
                 .clause = w.clause,
                 .patient = w.patient,
                 .hub = w.hub,
                 .ordered = (w.flags & FLAG_ORDERED) != 0,
                 .ascending = (w.flags & FLAG_ASCENDING) != 0,
                 .by_key = (w.flags & FLAG_BY_KEY) != 0},
        .place = {.value = w.value,
                  .real = w.real,
                  .text = med_str_skip(bytes, sizeof w),
                  .rid = w.rid,
                  .phase = w.phase},
    };
    return true;
}
