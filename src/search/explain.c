/* explain.c - explain=true: how a search was run, in words. Names of parameters only, never a
 * value. */
#include "search/run.h"
#include "store/asked.h"

static med_str name_of(const med_run *r, const med_clause *c)
{
    med_param param;
    switch (c->kind) {
    case MED_CLAUSE_ID:
        return MED_STR("_id");
    case MED_CLAUSE_UPDATED:
        return MED_STR("_lastUpdated");
    case MED_CLAUSE_HAS:
        return MED_STR("_has");
    case MED_CLAUSE_ANY:
        return c->contained != MED_CONTAINED_NONE ? MED_STR("contained resources")
                                                  : MED_STR("alternatives");
    case MED_CLAUSE_COMPARTMENT:
        return MED_STR("the compartment");
    case MED_CLAUSE_SPECIAL:
        return med_special_name(c->special);
    case MED_CLAUSE_TOKEN:
    case MED_CLAUSE_STRING:
    case MED_CLAUSE_REFERENCE:
    case MED_CLAUSE_DATE:
    case MED_CLAUSE_QUANTITY:
    case MED_CLAUSE_URI:
    case MED_CLAUSE_CHAIN:
    case MED_CLAUSE_COMPOSITE:
        break;
    }
    if (c->row == UINT32_MAX)
        return MED_STR("text");
    med_pack_param(r->q->schema->pack, c->row, &param);
    return param.code;
}

static med_str driver_of(const med_run *r, med_arena *a)
{
    const med_plan *p = &r->plan;
    switch (p->how) {
    case MED_DRIVE_TYPE:
        return MED_STR("all resources of the type, by last update");
    case MED_DRIVE_CLAUSE:
        return p->hub == 0 ? med_arena_printf(a, "index rows of '%.*s'",
                                              MED_STR_ARG(name_of(r, r->bound[p->clause].clause)))
                           : med_arena_printf(a, "what refers to the '%.*s', by '%.*s'",
                                              MED_STR_ARG(name_of(r, r->bound[p->hub - 1].clause)),
                                              MED_STR_ARG(name_of(r, r->bound[p->clause].clause)));
    case MED_DRIVE_PATIENT:
        return MED_STR("the patient's compartment, by time");
    case MED_DRIVE_PATIENT_TOKEN:
        return med_arena_printf(a, "the patient's rows of '%.*s', by time",
                                MED_STR_ARG(name_of(r, r->bound[p->clause].clause)));
    case MED_DRIVE_DATE:
        return MED_STR("all rows of the date that is sorted by");
    }
    return MED_STR_EMPTY;
}

static const char *decision_of(const med_bound *b)
{
    return b->decided          ? "decided by the driver"
           : b->listed         ? "candidates by list, decided on the resource"
           : b->having != NULL ? "who has a value is ruled out, all its rows being read at once"
           : b->by_rows        ? "decided on the index rows beside the resource"
           : b->can_probe      ? "probed in the index"
           : b->needs_body     ? "decided on the resource"
           : b->sub != NULL    ? "asked for each candidate"
           : b->n_any > 0      ? "asked for each candidate"
                               : "decided on the stored columns";
}

/* A store that is a network away: what it was asked, and for how long was waited. */
static size_t add_asked(const med_run *r, const med_asked *asked, size_t n, med_str *lines)
{
    uint64_t rows = 0;
    uint32_t times = 0;
    int64_t waited = 0;
    size_t at = 1;
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        rows += asked[i].rows;
        times += asked[i].times;
        waited += asked[i].microseconds;
        lines[at++] = med_arena_printf(
            r->arena, "PostgreSQL, %.*s: asked %u times, %lu rows, %ld microseconds",
            MED_STR_ARG(asked[i].what), asked[i].times, (unsigned long)asked[i].rows,
            (long)asked[i].microseconds);
        if (asked[i].plan.len > 0)
            lines[at++] = med_arena_printf(r->arena, "PostgreSQL, %.*s, how: %.*s",
                                           MED_STR_ARG(asked[i].what), MED_STR_ARG(asked[i].plan));
    }
    lines[0] =
        med_arena_printf(r->arena, "PostgreSQL: asked %u times, %lu rows, waited %ld microseconds",
                         times, (unsigned long)rows, (long)waited);
    return at;
}

bool med_run_explain(const med_run *r, med_search_result *out, med_err *err)
{
    med_arena *a = r->arena;
    const med_asked *asked;
    size_t n_asked;
    med_view_asked(r->view, &asked, &n_asked);
    med_str *lines = MED_TAKE(a, r->q->n + 3 + 2 * n_asked, med_str);
    if (lines == NULL)
        return MED_FAIL_MEMORY(err);
    size_t n = 0;
    lines[n++] = med_arena_printf(
        a, "driver: %.*s; %s; about %lu candidates, %lu microseconds estimated",
        MED_STR_ARG(driver_of(r, a)),
        r->plan.ordered || r->q->n_sort == 0 ? "in the order of the answer" : "sorted afterwards",
        (unsigned long)r->plan.rows, (unsigned long)(r->before + r->plan.cost));
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        lines[n++] = med_arena_printf(
            a, "'%.*s': about %lu of %lu resources; %s", MED_STR_ARG(name_of(r, b->clause)),
            (unsigned long)b->estimate, (unsigned long)r->of_type, decision_of(b));
    }
    lines[n++] = med_arena_printf(
        a, "looked at %lu candidates, %zu on this page; took %ld microseconds",
        (unsigned long)r->examined, out->n, (long)(med_monotonic(&med_clock_system) - r->began));
    n += add_asked(r, asked, n_asked, lines + n);
    out->plan = lines;
    out->n_plan = n;
    return true;
}
