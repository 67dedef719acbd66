/* serve_position.c - see serve_position.h. */
#include "serve_position.h"

#include <stdatomic.h>

#include "base/mem.h"

/* Two clients that share a place only read a little more from the primary. */
enum { PLACES = 4096, POSITION = 8 };

struct med_positions {
    const med_store *store;
    _Atomic int64_t wrote[PLACES]; /* monotonic: when a write of such a client was answered */
};

static const med_str bound = MED_LIT(MED_POSITION_HEADER);

med_positions *med_positions_new(const med_store *store, med_err *err)
{
    med_positions *p = MED_NEW(1, med_positions);
    if (p == NULL)
        (void)MED_FAIL_MEMORY(err);
    else
        p->store = store;
    return p;
}

void med_positions_free(med_positions *p)
{
    med_free(p);
}

static _Atomic int64_t *place_of(med_positions *p, const med_request *r)
{
    med_str who = med_request_header(r, "Authorization");
    return &p->wrote[med_store_hash(p->store, who.len > 0 ? who : r->peer) % PLACES];
}

/* ---- what is read ---- */

static bool says_no_cache(med_str directives)
{
    while (directives.len > 0) {
        if (med_str_eqz(med_str_trim(med_str_cut(directives, ',', &directives)), "no-cache"))
            return true;
    }
    return false;
}

/* Who names a version, or refuses what was kept for it, asks for what is true now. */
static bool wants_newest(const med_request *r, const med_call *call)
{
    const med_fhir_request *q = &call->request;
    med_str cache = med_request_header(r, "Cache-Control");
    return q->if_none_match.len > 0 || q->if_modified_since.len > 0 || says_no_cache(cache);
}

/* INT64_MAX, which no replica has reached, for what is no position of this store. */
static int64_t position_of(const med_positions *p, med_arena *a, const med_request *r)
{
    med_err ignored = {0};
    med_str plain, text = med_request_header(r, MED_POSITION_HEADER);
    int64_t t = 0;
    if (text.len == 0)
        return 0;
    if (!med_store_unseal(p->store, a, text, bound, &plain, &ignored) || plain.len != POSITION)
        return INT64_MAX;
    memcpy(&t, plain.ptr, sizeof t);
    return t;
}

void med_positions_lag(med_positions *p, const med_request *r, med_call *call)
{
    if (!med_store_lags(p->store) || call->interaction == NULL || call->interaction->writes
        || wants_newest(r, call))
        return;
    int64_t wrote = atomic_load_explicit(place_of(p, r), memory_order_relaxed);
    int64_t since = wrote > call->fhir->since ? wrote : call->fhir->since;
    med_view_may_lag(call->view, position_of(p, call->arena, r), since);
}

/* ---- what was written ---- */

/* Refused writes count, too: what refused them may be read next. */
static void note(med_positions *p, const med_request *r, const med_call *call)
{
    _Atomic int64_t *place = place_of(p, r);
    int64_t now = med_monotonic(call->fhir->clock);
    int64_t was = atomic_load_explicit(place, memory_order_relaxed);
    while (was < now
           && !atomic_compare_exchange_weak_explicit(place, &was, now, memory_order_relaxed,
                                                     memory_order_relaxed)) {
    }
}

void med_positions_answer(med_positions *p, const med_request *r, const med_call *call,
                          med_response *out)
{
    med_err ignored = {0};
    med_str sealed;
    if (!med_store_lags(p->store) || call->interaction == NULL || !call->interaction->writes)
        return;
    note(p, r, call);
    int64_t t = med_store_position(p->store);
    med_str plain = {(const char *)&t, sizeof t};
    if (call->response.status < 300
        && med_store_seal(p->store, call->arena, plain, bound, &sealed, &ignored))
        (void)med_response_header(out, MED_POSITION_HEADER, sealed);
}
