/* run.c - running a query: bind, plan, stream, verify, page. https://hl7.org/fhir/R4/search.html */
#include "search/run.h"
#include "search/hub.h"
#include "search/page.h"
#include "store/asked.h"

static bool bind(med_run *r, bool dry, med_err *err)
{
    r->of_type = r->before = 0;
    if (!med_run_bind(r, dry, err))
        return false;
    med_run_choose(r, true);
    return true;
}

/* `first`: hits that will be wanted first, when that is known. */
static med_run *start(const med_query *q, med_view *v, med_arena *a, bool dry, size_t first,
                      med_err *err)
{
    med_run *r = MED_TAKE(a, 1, med_run);
    if (r == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    r->q = q;
    r->view = v;
    r->arena = a;
    r->first = first;
    r->page = MED_STR_EMPTY;
    bool good = bind(r, dry, err);
    r->first = 0; /* it is here */
    return good ? r : NULL;
}

/* ---- matches only: conditional interactions and guards ---- */

static bool collect(med_run *r, med_stream *s, size_t limit, med_match *at, size_t *n, med_err *err)
{
    med_position place;
    enum med_found found = MED_FOUND;
    while (*n < limit && (found = med_stream_next(s, &place, err)) == MED_FOUND) {
        med_stored stored;
        bool matches;
        if (!med_run_check(r, &place, true, &stored, &matches, err))
            return false;
        if (matches) {
            at[*n] = (med_match){stored.rid, stored.type, MED_STR_EMPTY, stored.version};
            if (!med_arena_copy(r->arena, stored.id, &at[(*n)++].id))
                return MED_FAIL_MEMORY(err);
        }
        med_arena_reset(r->scratch);
    }
    return found != MED_FAILED;
}

bool med_search_match(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                      size_t limit, med_match **out, size_t *n, med_err *err)
{
    *n = 0;
    *out = MED_TAKE(a, limit, med_match);
    if (*out == NULL)
        return MED_FAIL_MEMORY(err);
    med_run *r = start(q, v, a, false, limit + 1, err);
    if (r == NULL)
        return false;
    r->scratch = med_scratch_take(s);
    r->wanted = limit + 1;
    med_stream *stream = r->scratch == NULL ? NULL : med_stream_open(r, NULL, err);
    bool ok = stream != NULL && collect(r, stream, limit, *out, n, err);
    if (r->scratch == NULL)
        (void)MED_FAIL_MEMORY(err);
    med_stream_close(stream);
    med_scratch_give(s, r->scratch);
    return ok;
}

/* ---- pages ---- */

typedef struct pager {
    med_run *r;
    med_search_entry *entries;
    med_position *places; /* of the entries, where includes may shorten the page */
    size_t n, room;
    med_position last; /* of the last entry */
    bool more;
    bool early;      /* it ends here because of the time */
    uint64_t review; /* candidates after which the plan is thought over; 0: never */
    bool changed;    /* it is another one now: begin anew */
    bool counted;    /* `total` is the number of all matches */
    size_t total;
} pager;

static bool add_entry(pager *p, const med_stored *s, const med_position *place, med_err *err)
{
    med_search_entry *e = &p->entries[p->n];
    *e = (med_search_entry){.resource = *s, .mode = MED_ENTRY_MATCH};
    p->last = *place;
    bool kept = p->r->kept
                || (med_arena_copy(p->r->arena, s->id, &e->resource.id)
                    && med_arena_copy(p->r->arena, s->text, &e->resource.text));
    if (!kept || !med_arena_copy(p->r->arena, place->text, &p->last.text))
        return MED_FAIL_MEMORY(err);
    p->places[p->n++] = p->last;
    return true;
}

/* One match more than a page holds: whether there is a next one. */
static size_t wanted_of(const med_query *q)
{
    return q->view.summary == MED_SUMMARY_COUNT || q->view.count == 0 ? 0 : q->view.count + 1;
}

/* A page that began with another plan can not change it. */
static bool review(pager *p, med_err *err)
{
    if (p->review == 0 || p->r->examined < p->review)
        return true;
    p->review *= 4;
    return med_run_reconsider(p->r, p->r->q->n_sort > 0, &p->changed, err);
}

/* Is it time to end the page? Only behind some candidates, so that each page gets on. */
static bool is_late(const med_run *r)
{
    enum { BETWEEN_LOOKS = 64 };
    return r->until != 0 && r->examined % BETWEEN_LOOKS == 0
           && med_monotonic(&med_clock_system) > r->until;
}

static bool end_early(pager *p, const med_position *place, med_err *err)
{
    p->early = p->more = true;
    p->last = *place;
    return med_arena_copy(p->r->arena, place->text, &p->last.text) ? true : MED_FAIL_MEMORY(err);
}

/* Fills the page in stream order; one match more than it holds sets `more`. */
static bool fill(pager *p, med_stream *s, med_err *err)
{
    med_position place;
    enum med_found found = MED_ABSENT;
    while (!p->changed && (found = med_stream_next(s, &place, err)) == MED_FOUND) {
        med_stored stored;
        bool matches, full = p->n == p->room;
        if (!med_run_check(p->r, &place, !full, &stored, &matches, err))
            return false;
        if (matches && full) {
            p->more = true;
            return true;
        }
        if (matches && !add_entry(p, &stored, &place, err))
            return false;
        if (is_late(p->r))
            return end_early(p, &place, err);
        med_arena_reset(p->r->scratch);
        if (!review(p, err))
            return false;
    }
    return p->changed || found == MED_ABSENT;
}

static bool run_stream(med_run *r, pager *p, const med_position *after, med_err *err)
{
    if (p->room == 0)
        return true;
    r->wanted = wanted_of(r->q);
    med_stream *s = med_stream_open(r, after, err);
    bool ok = s != NULL && fill(p, s, err);
    r->wanted = 0;
    med_stream_close(s);
    return ok;
}

/* ---- totals ---- */

/* A resource that has several rows is counted once. */
static bool count_set(med_run *r, uint64_t *total, med_err *err)
{
    med_rid_list list = {.arena = r->arena};
    if (!med_run_rids(r, &list, err))
        return false;
    *total = list.n;
    return true;
}

static bool count_all(med_run *r, uint64_t *total, med_err *err)
{
    enum { SHARE = 8 }; /* of what all candidates cost, for knowing better */
    r->as_set = true;
    if (!med_run_look_deeper(r, r->plan.rows / SHARE, err))
        return false;
    med_run_choose(r, false);
    r->plan.ordered = false; /* no phases */
    if (med_stream_repeats(r))
        return count_set(r, total, err);
    med_stream *s = med_stream_open(r, NULL, err);
    med_position place;
    enum med_found found = MED_FAILED;
    *total = 0;
    while (s != NULL && (found = med_stream_next(s, &place, err)) == MED_FOUND) {
        med_stored stored;
        bool matches;
        if (!med_run_check(r, &place, false, &stored, &matches, err)) {
            found = MED_FAILED;
            break;
        }
        *total += matches;
        med_arena_reset(r->scratch);
    }
    med_stream_close(s);
    return found == MED_ABSENT;
}

/* Runs last: it may take another plan. */
static bool find_total(med_run *r, const pager *p, bool first_page, med_search_result *out,
                       med_err *err)
{
    enum med_total wish =
        r->q->view.summary == MED_SUMMARY_COUNT ? MED_TOTAL_ACCURATE : r->q->view.total;
    if (wish == MED_TOTAL_NONE)
        return true;
    out->has_total = true;
    out->total = p->counted ? p->total : p->n;
    bool known = p->counted || (first_page && !p->more && p->room > 0);
    if (known || med_run_knows_total(r, &out->total))
        return true;
    if (wish == MED_TOTAL_ACCURATE)
        return count_all(r, &out->total, err);
    out->has_total = wish == MED_TOTAL_ESTIMATE;
    out->total_is_estimate = true;
    out->total = r->plan.rows;
    return true;
}

/* ---- all of it ---- */

/* A page goes on with the plan it began with; a _has, and a chain to one patient, may have outgrown
 * that. */
static bool take_plan(med_run *r, med_plan plan, med_err *err)
{
    bool patient = plan.how == MED_DRIVE_PATIENT || plan.how == MED_DRIVE_PATIENT_TOKEN;
    bool chain = patient && r->bound[plan.patient].clause->kind == MED_CLAUSE_CHAIN;
    bool drives = plan.hub == 0 ? r->bound[plan.clause].can_drive
                                : med_hub_can_drive(r, plan.clause, plan.hub - 1);
    if ((plan.how == MED_DRIVE_CLAUSE && !drives) || (chain && r->bound[plan.patient].n_keys > 1))
        return MED_FAIL(err, MED_ISSUE_CONFLICT,
                        "the data has changed too much for this page link; search again");
    med_run_use(r, plan);
    return true;
}

/* Where entry i is: the last one's place is known, a sorted page counts up to it. */
static med_position place_at(const pager *p, bool sorted, size_t i)
{
    med_position at = p->places[i];
    if (sorted)
        at = (med_position){.value = p->last.value - (int64_t)(p->n - 1 - i),
                            .text = MED_STR_EMPTY,
                            .rid = p->entries[i].resource.rid};
    return at;
}

static uint64_t first_review(const med_run *r)
{
    enum { AT_LEAST = 200, TIMES = 2 };
    uint64_t wanted = TIMES * ((uint64_t)r->q->view.count + 1);
    return wanted > AT_LEAST ? wanted : AT_LEAST;
}

/* By the plan, or by a better one when it takes much longer than a page should. */
static bool fill_page(pager *p, const med_page *page, bool *sorts, med_err *err)
{
    med_run *r = p->r;
    do {
        if (p->changed) {
            p->changed = false;
            p->review = 0;
            p->n = 0;
        }
        *sorts = r->q->n_sort > 0 && !r->plan.ordered && p->room > 0;
        p->counted = *sorts;
        bool ok = *sorts ? med_run_sorted(r, page, p->room, p->entries, &p->n, &p->last, &p->total,
                                          &p->more, err)
                         : run_stream(r, p, page != NULL ? &page->place : NULL, err);
        if (!ok)
            return false;
    } while (p->changed);
    return true;
}

static bool run_page(med_run *r, const med_page *page, med_search_result *out, med_err *err)
{
    pager p = {.r = r};
    if (page != NULL && !take_plan(r, page->plan, err))
        return false;
    p.room = r->q->view.summary == MED_SUMMARY_COUNT ? 0 : r->q->view.count;
    p.entries = MED_TAKE(r->arena, p.room, med_search_entry);
    p.places = MED_TAKE(r->arena, p.room, med_position);
    if (p.entries == NULL || p.places == NULL)
        return MED_FAIL_MEMORY(err);
    p.review = page == NULL ? first_review(r) : 0;
    bool sorts = false;
    if (!fill_page(&p, page, &sorts, err))
        return false;
    if (!med_run_score_page(r, p.entries, p.n, err))
        return false;
    out->entries = p.entries;
    out->n = p.n;
    size_t n = p.n;
    if (r->q->n_includes > 0 && n > 0 && !med_run_include(r, p.entries, &n, out, err))
        return false;
    bool shorter = n < p.n;
    med_page next = {r->plan, shorter ? place_at(&p, sorts, n - 1) : p.last};
    out->early = p.early;
    if ((p.more || shorter) && (p.n > 0 || p.early) && !med_page_write(r, &next, &out->next, err))
        return false;
    if (r->q->explain && !med_run_explain(r, out, err))
        return false;
    return find_total(r, &p, page == NULL, out, err) && med_run_take_contained(r, out, err);
}

/* ---- begun for its price, ended with its answer ---- */

static uint64_t cost_of(const med_run *r)
{
    enum { MICROSECONDS_A_MATCH = 10, OF_A_COUNTER = 10 };
    uint64_t total;
    if (r->q->view.summary == MED_SUMMARY_COUNT && med_run_knows_total(r, &total))
        return OF_A_COUNTER;
    uint64_t cost = r->before + r->plan.cost;
    for (size_t i = 0; i < r->q->n_includes; i++)
        cost += (uint64_t)MICROSECONDS_A_MATCH * r->q->view.count;
    return cost;
}

/* Of these only the price was found, not yet the keys. */
static bool has_inner(const med_query *q)
{
    for (size_t i = 0; i < q->n; i++) {
        enum med_clause_kind kind = q->clauses[i].kind;
        if (kind == MED_CLAUSE_CHAIN || kind == MED_CLAUSE_HAS || kind == MED_CLAUSE_ANY)
            return true;
    }
    return false;
}

med_run *med_search_begin(med_view *v, med_arena *a, const med_query *q, med_str page,
                          uint64_t *cost, med_err *err)
{
    int64_t began = q->explain ? med_monotonic(&med_clock_system) : 0;
    if (q->explain)
        med_view_explain(v, a);
    med_run *r = start(q, v, a, true, page.len > 0 ? 0 : wanted_of(q), err);
    if (r != NULL) {
        r->began = began;
        r->page = page;
        *cost = cost_of(r);
    }
    return r;
}

enum med_search_lacks med_search_lacks(const med_run *begun)
{
    enum med_search_lacks lacks = MED_LACKS_NOTHING;
    for (size_t i = 0; i < begun->q->n; i++) {
        if (begun->bound[i].listless)
            return MED_LACKS_LISTS_OF_ADDED;
        if (begun->bound[i].unlisted)
            lacks = MED_LACKS_LISTS;
    }
    return lacks;
}

void med_search_bound(med_run *begun, int64_t until)
{
    begun->until = until;
}

bool med_search_end(const med_search_schema *s, med_run *r, med_search_result *out, med_err *err)
{
    const med_str page = r->page;
    med_page at = {.place = {.text = MED_STR_EMPTY}};
    *out = (med_search_result){.next = MED_STR_EMPTY};
    if ((page.len > 0 && !med_page_read(r->q, r->arena, page, &at, err))
        || (has_inner(r->q) && !bind(r, false, err)))
        return false;
    r->scratch = med_scratch_take(s);
    bool ok = r->scratch != NULL ? run_page(r, page.len > 0 ? &at : NULL, out, err)
                                 : MED_FAIL_MEMORY(err);
    med_scratch_give(s, r->scratch);
    return ok;
}

bool med_search_run(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                    med_str page, med_search_result *out, med_err *err)
{
    uint64_t ignored;
    med_run *r = med_search_begin(v, a, q, page, &ignored, err);
    return r != NULL && med_search_end(s, r, out, err);
}

/* ---- prices and plans ---- */

uint64_t med_query_cost(const med_search_schema *s, med_view *v, const med_query *q)
{
    med_err ignored = {0};
    med_arena *a = med_scratch_take(s);
    const med_run *r = a == NULL ? NULL : start(q, v, a, true, 0, &ignored);
    uint64_t cost = r == NULL ? MED_COST_UNKNOWN : cost_of(r);
    med_scratch_give(s, a);
    return cost;
}

static med_str name_of_clause(const med_query *q, const med_clause *c)
{
    med_param p;
    if (c->row == UINT32_MAX)
        return c->kind == MED_CLAUSE_ID        ? MED_STR("_id")
               : c->kind == MED_CLAUSE_UPDATED ? MED_STR("_lastUpdated")
               : c->kind == MED_CLAUSE_HAS     ? MED_STR("_has")
               : c->kind == MED_CLAUSE_SPECIAL ? med_special_name(c->special)
                                               : MED_STR("list");
    med_pack_param(q->schema->pack, c->row, &p);
    return p.code;
}

static med_str name_of_driver(const med_run *r, med_arena *a)
{
    med_str clause = name_of_clause(r->q, &r->q->clauses[r->plan.clause]);
    switch (r->plan.how) {
    case MED_DRIVE_TYPE:
        return MED_STR("type");
    case MED_DRIVE_DATE:
        return MED_STR("order");
    case MED_DRIVE_PATIENT:
        return MED_STR("patient");
    case MED_DRIVE_PATIENT_TOKEN:
        return med_arena_printf(a, "patient+%.*s", MED_STR_ARG(clause));
    case MED_DRIVE_CLAUSE:
        break;
    }
    if (r->plan.hub != 0)
        return med_arena_printf(a, "%.*s+%.*s",
                                MED_STR_ARG(name_of_clause(r->q, &r->q->clauses[r->plan.hub - 1])),
                                MED_STR_ARG(clause));
    return clause;
}

bool med_query_plan(const med_search_schema *s, med_view *v, med_arena *a, const med_query *q,
                    med_search_plan *out, med_err *err)
{
    (void)s;
    const med_run *r = start(q, v, a, true, 0, err);
    if (r == NULL)
        return false;
    *out = (med_search_plan){.driver = name_of_driver(r, a),
                             .ordered = r->plan.ordered,
                             .rows = r->plan.rows,
                             .cost = cost_of(r)};
    return true;
}
