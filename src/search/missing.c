/* missing.c - :missing=true where nearly all have a value.
 * https://hl7.org/fhir/R4/search.html#missing
 *
 * Who lacks a value stands in no index, and each candidate's own rows are dear to read. But who has
 * one has a row among those of the parameter, and a step over these costs a seventh: so once the
 * candidates have cost as much as that will, these rows are read as a whole, and whoever is named
 * there is ruled out. What is left is decided as before. */
#include "search/run.h"

enum {
    PAGE_BITS = 1 << 18,
    WORD_BITS = 64,
    PAGES = 1 << 14, /* a later rid is not noted, which only means that its rows are read */
    AT_LEAST = 64,
    SHARE = 8, /* candidates of all, whose rows cost what a step over each does */
};

struct med_rid_set {
    uint64_t *pages[PAGES];
};

static bool set_add(med_arena *a, med_rid_set *set, med_rid rid)
{
    if (rid / PAGE_BITS >= PAGES)
        return true;
    uint64_t **page = &set->pages[rid / PAGE_BITS];
    if (*page == NULL)
        *page = MED_TAKE(a, PAGE_BITS / WORD_BITS, uint64_t);
    if (*page == NULL)
        return false;
    (*page)[rid % PAGE_BITS / WORD_BITS] |= UINT64_C(1) << rid % WORD_BITS;
    return true;
}

static bool set_has(const med_rid_set *set, med_rid rid)
{
    const uint64_t *page = rid / PAGE_BITS < PAGES ? set->pages[rid / PAGE_BITS] : NULL;
    return page != NULL && (page[rid % PAGE_BITS / WORD_BITS] >> rid % WORD_BITS & 1) != 0;
}

static bool read_rows(med_run *r, med_rid_set *set, med_err *err)
{
    med_position at;
    enum med_found found = MED_FOUND;
    med_stream *s = med_stream_open(r, NULL, err);
    while (s != NULL && (found = med_stream_next(s, &at, err)) == MED_FOUND) {
        if (!set_add(r->arena, set, at.rid)) {
            (void)MED_FAIL_MEMORY(err);
            break;
        }
    }
    med_stream_close(s);
    return s != NULL && found == MED_ABSENT;
}

static bool gather(med_run *r, med_bound *b, med_err *err)
{
    const med_plan plan = r->plan;
    size_t wanted = r->wanted;
    med_rid_set *set = MED_TAKE(r->arena, 1, med_rid_set);
    if (set == NULL)
        return MED_FAIL_MEMORY(err);
    r->wanted = 0; /* all of them */
    med_run_use(r, med_plan_of_clause(r, (size_t)(b - r->bound)));
    bool ok = read_rows(r, set, err);
    med_run_use(r, plan);
    r->wanted = wanted;
    b->having = set;
    return ok;
}

bool med_missing_rules_out(med_run *r, med_bound *b, med_rid rid, bool *out, med_err *err)
{
    *out = false;
    if (b->clause->modifier != MED_MODIFIER_MISSING || !b->clause->missing || b->clause->n == 0)
        return true;
    bool worth = r->examined >= AT_LEAST && r->examined >= r->of_type / SHARE;
    if (b->having == NULL && worth && !gather(r, b, err))
        return false;
    *out = b->having != NULL && set_has(b->having, rid);
    return true;
}
