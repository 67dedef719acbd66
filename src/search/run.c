/* run.c - running a query: bind, stream, verify, page. https://hl7.org/fhir/R4/search.html */
#include "search/run.h"
#include "search/page.h"

enum { SCRATCH_BYTES = 64 << 20, PROBE_MICROSECONDS = 2 };

static bool start(med_run *r, const med_query *q, med_view *v, med_arena *a, med_err *err)
{
    *r = (med_run){.q = q, .view = v, .arena = a, .driver = SIZE_MAX};
    return med_run_bind(r, err);
}

/* ---- matches only: conditional interactions and guards ---- */

static bool collect(med_run *r, med_arena *scratch, med_stream *s, size_t limit, med_match *at,
                    size_t *n, med_err *err)
{
    med_position place;
    enum med_found found = MED_FOUND;
    while (*n < limit && (found = med_stream_next(s, &place, err)) == MED_FOUND) {
        med_stored stored;
        bool matches;
        if (!med_run_check(r, scratch, &place, false, &stored, &matches, err))
            return false;
        if (matches) {
            at[*n] = (med_match){stored.rid, stored.type, MED_STR_EMPTY, stored.version};
            if (!med_arena_copy(r->arena, stored.id, &at[(*n)++].id))
                return MED_FAIL_MEMORY(err);
        }
        med_arena_reset(scratch);
    }
    return found != MED_FAILED;
}

bool med_search_match(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                      size_t limit, med_match **out, size_t *n, med_err *err)
{
    (void)s;
    med_run *r = MED_TAKE(a, 1, med_run);
    med_match *at = MED_TAKE(a, limit, med_match);
    med_arena *scratch = med_arena_new(SCRATCH_BYTES);
    bool ok = r != NULL && at != NULL && scratch != NULL;
    if (!ok)
        (void)MED_FAIL_MEMORY(err);
    ok = ok && start(r, q, v, a, err);
    med_stream *stream = ok ? med_stream_open(r, r->driver, NULL, err) : NULL;
    *n = 0;
    *out = at;
    ok = stream != NULL && collect(r, scratch, stream, limit, at, n, err);
    med_stream_close(stream);
    med_arena_free(scratch);
    return ok;
}

/* ---- pages ---- */

typedef struct pager {
    med_run *r;
    med_arena *scratch;
    med_search_entry *entries;
    size_t n, room;
    med_position last; /* of the last entry */
    bool more;
} pager;

static bool add_entry(pager *p, const med_stored *s, med_err *err)
{
    med_search_entry *e = &p->entries[p->n];
    *e = (med_search_entry){*s, MED_ENTRY_MATCH};
    if (!med_arena_copy(p->r->arena, s->id, &e->resource.id)
        || !med_arena_copy(p->r->arena, s->text, &e->resource.text))
        return MED_FAIL_MEMORY(err);
    p->n++;
    return true;
}

/* Fills the page in stream order; one match more than it holds sets `more`. */
static bool fill(pager *p, med_stream *s, med_err *err)
{
    med_position place;
    enum med_found found;
    while ((found = med_stream_next(s, &place, err)) == MED_FOUND) {
        med_stored stored;
        bool matches;
        if (!med_run_check(p->r, p->scratch, &place, true, &stored, &matches, err))
            return false;
        if (matches && p->n == p->room) {
            p->more = true;
            return true;
        }
        if (matches) {
            p->last = place;
            if (!add_entry(p, &stored, err))
                return false;
        }
        med_arena_reset(p->scratch);
    }
    return found == MED_ABSENT;
}

/* ---- totals ---- */

static bool cheap_total(med_run *r, bool *known, uint64_t *total, med_err *err)
{
    const med_query *q = r->q;
    *known = true;
    if (q->n == 0 && q->type != MED_TYPE_NONE)
        return med_view_count_type(r->view, med_schema_type(q->schema, q->type), total, err);
    bool counter = q->n == 1 && r->bound[0].clause->kind == MED_CLAUSE_TOKEN
                   && r->bound[0].can_probe && r->bound[0].n_keys <= 1;
    *known = counter;
    *total = counter ? r->bound[0].estimate : 0;
    return true;
}

static bool count_all(med_run *r, med_arena *scratch, uint64_t *total, med_err *err)
{
    med_stream *s = med_stream_open(r, r->driver, NULL, err);
    med_position place;
    enum med_found found = MED_FAILED;
    *total = 0;
    while (s != NULL && (found = med_stream_next(s, &place, err)) == MED_FOUND) {
        med_stored stored;
        bool matches;
        if (!med_run_check(r, scratch, &place, false, &stored, &matches, err)) {
            found = MED_FAILED;
            break;
        }
        *total += matches;
        med_arena_reset(scratch);
    }
    med_stream_close(s);
    return found == MED_ABSENT;
}

static bool find_total(med_run *r, med_arena *scratch, const pager *p, bool first_page,
                       med_search_result *out, med_err *err)
{
    enum med_total wish =
        r->q->view.summary == MED_SUMMARY_COUNT ? MED_TOTAL_ACCURATE : r->q->view.total;
    if (wish == MED_TOTAL_NONE)
        return true;
    out->has_total = true;
    out->total = p->n;
    if (first_page && !p->more && p->room > 0)
        return true;
    bool known;
    if (!cheap_total(r, &known, &out->total, err))
        return false;
    if (known)
        return true;
    if (wish == MED_TOTAL_ACCURATE)
        return count_all(r, scratch, &out->total, err);
    out->has_total = wish == MED_TOTAL_ESTIMATE;
    out->total_is_estimate = true;
    out->total = r->driver == SIZE_MAX ? 0 : r->bound[r->driver].estimate;
    return true;
}

/* ---- all of it ---- */

static bool run_stream(med_run *r, pager *p, const med_position *after, med_err *err)
{
    med_stream *s = med_stream_open(r, r->driver, after, err);
    bool ok = s != NULL && (p->room == 0 || fill(p, s, err));
    med_stream_close(s);
    return ok;
}

static bool run_page(med_run *r, med_arena *scratch, med_str token, med_search_result *out,
                     med_err *err)
{
    med_page page = {0};
    if (token.len > 0 && !med_page_read(r->q, r->arena, token, &page, err))
        return false;
    if (token.len > 0)
        r->driver = page.driver;
    pager p = {.r = r, .scratch = scratch};
    p.room = r->q->view.summary == MED_SUMMARY_COUNT ? 0 : r->q->view.count;
    p.entries = MED_TAKE(r->arena, p.room, med_search_entry);
    if (p.entries == NULL)
        return MED_FAIL_MEMORY(err);
    bool ok = r->q->n_sort > 0 ? med_run_sorted(r, scratch, token.len > 0 ? &page : NULL, p.room,
                                                p.entries, &p.n, &p.last, &p.more, err)
                               : run_stream(r, &p, token.len > 0 ? &page.place : NULL, err);
    if (!ok || !find_total(r, scratch, &p, token.len == 0, out, err))
        return false;
    out->entries = p.entries;
    out->n = p.n;
    page = (med_page){r->driver, p.last};
    return !p.more || p.n == 0 || med_page_write(r, &page, &out->next, err);
}

bool med_search_run(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                    med_str page, med_search_result *out, med_err *err)
{
    (void)s;
    *out = (med_search_result){.next = MED_STR_EMPTY};
    med_run *r = MED_TAKE(a, 1, med_run);
    med_arena *scratch = med_arena_new(SCRATCH_BYTES);
    bool ok = r != NULL && scratch != NULL;
    if (!ok)
        (void)MED_FAIL_MEMORY(err);
    ok = ok && start(r, q, v, a, err) && run_page(r, scratch, page, out, err);
    med_arena_free(scratch);
    return ok;
}

uint64_t med_query_cost(const med_search_schema *s, med_view *v, const med_query *q)
{
    med_err ignored = {0};
    med_arena *a = med_arena_new(SCRATCH_BYTES);
    med_run *r = a == NULL ? NULL : MED_TAKE(a, 1, med_run);
    uint64_t rows = UINT32_MAX;
    (void)s;
    if (r != NULL && start(r, q, v, a, &ignored))
        rows = r->driver == SIZE_MAX ? q->view.count : r->bound[r->driver].estimate;
    bool short_stream =
        r != NULL && q->n <= 1 && q->n_sort == 0 && q->view.total != MED_TOTAL_ACCURATE;
    if (short_stream && rows > q->view.count)
        rows = q->view.count;
    med_arena_free(a);
    return rows * PROBE_MICROSECONDS;
}
