/* chain.c - questions about other resources: chained references and _has.
 * https://hl7.org/fhir/R4/search.html#chaining
 *
 * The inner query is run once and becomes a set of internal ids, when that set is small enough;
 * what refers to them is then found (or probed) by the reference's own index. A _has whose inner
 * query finds much is decided candidate by candidate instead. */
#include "search/run.h"

#include <stdlib.h>

enum { CHAIN_TARGETS = 1000000, MICROSECONDS_A_TARGET = 4, DRY_COST = 400 };

bool med_rid_list_add(med_rid_list *l, uint64_t rid, med_err *err)
{
    if (l->n == CHAIN_TARGETS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                        "more than %d resources would have to be listed; narrow the search",
                        CHAIN_TARGETS);
    uint64_t *more = MED_GROW(l->arena, l->at, l->n, &l->room, 64);
    if (more == NULL)
        return MED_FAIL_MEMORY(err);
    l->at = more;
    l->at[l->n++] = rid;
    return true;
}

static int compare_rids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void med_rid_list_finish(med_rid_list *l)
{
    size_t n = 0;
    if (l->n > 1)
        qsort(l->at, l->n, sizeof *l->at, compare_rids);
    for (size_t i = 0; i < l->n; i++) {
        if (n == 0 || l->at[i] != l->at[n - 1])
            l->at[n++] = l->at[i];
    }
    l->n = n;
}

static void finish(med_rid_list *l, med_bound *b)
{
    med_rid_list_finish(l);
    b->keys = l->at;
    b->n_keys = l->n;
}

// NOLINTNEXTLINE(misc-no-recursion): the depth of a query is at most MED_CHAIN_DEPTH
med_run *med_run_sub(const med_run *r, const med_query *q, bool dry, med_err *err)
{
    med_run *sub = MED_TAKE(r->arena, 1, med_run);
    if (sub == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    *sub = (med_run){.q = q, .view = r->view, .arena = r->arena, .as_set = true};
    if (!med_run_bind(sub, dry, err))
        return NULL;
    med_run_choose(sub, false);
    return sub;
}

/* Calls `take` for each match; with its text if `body`. */
typedef bool (*take_match)(med_run *sub, const med_stored *s, med_rid rid, const med_clause *c,
                           med_rid_list *to, med_err *err);

static bool each_match(med_run *sub, bool body, take_match take, const med_clause *c,
                       med_rid_list *to, med_err *err)
{
    med_position at;
    enum med_found found = MED_FAILED;
    med_stream *stream = med_stream_open(sub, NULL, err);
    while (stream != NULL && (found = med_stream_next(stream, &at, err)) == MED_FOUND) {
        med_stored stored;
        bool matches;
        if (!med_run_check(sub, &at, body, &stored, &matches, err)
            || (matches && !take(sub, &stored, at.rid, c, to, err))) {
            found = MED_FAILED;
            break;
        }
        med_arena_reset(sub->scratch);
    }
    med_stream_close(stream);
    return found == MED_ABSENT;
}

static bool run_sub(med_run *sub, bool body, take_match take, const med_clause *c, med_rid_list *to,
                    med_err *err)
{
    sub->scratch = med_scratch_take(sub->q->schema);
    bool ok = sub->scratch != NULL ? each_match(sub, body, take, c, to, err) : MED_FAIL_MEMORY(err);
    med_scratch_give(sub->q->schema, sub->scratch);
    sub->scratch = NULL;
    return ok;
}

/* ---- chains ---- */

static bool take_rid(med_run *sub, const med_stored *s, med_rid rid, const med_clause *c,
                     med_rid_list *to, med_err *err)
{
    (void)sub;
    (void)s;
    (void)c;
    return med_rid_list_add(to, rid, err);
}

bool med_run_rids(med_run *r, med_rid_list *out, med_err *err)
{
    if (!each_match(r, false, take_rid, NULL, out, err))
        return false;
    med_rid_list_finish(out);
    return true;
}

// NOLINTNEXTLINE(misc-no-recursion): see med_run_sub
bool med_bind_chain(med_run *r, med_bound *b, bool dry, med_err *err)
{
    enum { ROWS_A_TARGET = 50, PROBED_KEYS = 8 };
    med_rid_list list = {.arena = r->arena};
    const med_clause *c = b->clause;
    for (size_t i = 0; i < c->n_subs; i++) {
        med_run *sub = med_run_sub(r, c->subs[i], dry, err);
        if (sub == NULL)
            return false;
        r->before += sub->before + sub->plan.cost;
        if (dry)
            b->estimate += sub->plan.rows * ROWS_A_TARGET + DRY_COST;
        else if (!run_sub(sub, false, take_rid, c, &list, err))
            return false;
    }
    b->can_drive = true;
    finish(&list, b);
    if (!dry)
        b->estimate = b->n_keys * ROWS_A_TARGET;
    b->can_probe = b->n_keys <= PROBED_KEYS && !dry;
    b->needs_body = !b->can_probe;
    return true;
}

bool med_chain_matches(med_run *r, const med_bound *b, const med_rows *rows, bool *yes,
                       med_err *err)
{
    *yes = false;
    for (size_t i = 0; i < rows->n_references && !*yes; i++) {
        med_rid rid;
        if (rows->references[i].param != b->clause->number)
            continue;
        if (!med_view_rid(r->view, rows->references[i].target, &rid, err))
            return false;
        *yes = rid != 0 && med_sorted_has(b->keys, b->n_keys, rid);
    }
    return true;
}

/* ---- _has ---- */

/* What a match of the inner query refers to: its index rows know. */
static bool take_targets(med_run *sub, const med_stored *s, med_rid rid, const med_clause *c,
                         med_rid_list *to, med_err *err)
{
    med_stored columns;
    med_rows rows;
    (void)s;
    if (med_view_rows(sub->view, sub->scratch, rid, &columns, &rows, err) == MED_FAILED)
        return false;
    for (size_t i = 0; i < rows.n_references; i++) {
        if (rows.references[i].param == c->number
            && !med_rid_list_add(to, rows.references[i].target, err))
            return false;
    }
    return true;
}

/* A list costs each inner match once; asking candidate by candidate costs a seek for each until
 * the page is full, the more the rarer the inner matches are. */
static bool has_is_list(const med_run *r, uint64_t rows)
{
    enum { FEW = 64, SEEKS = 13, OF_ALL = 2, AT_MOST = 100000 };
    const med_query_view *view = &r->q->view;
    bool all =
        view->count == 0 || view->total == MED_TOTAL_ACCURATE || view->summary == MED_SUMMARY_COUNT;
    return rows <= FEW
           || (rows <= AT_MOST
               && (rows * rows < SEEKS * r->of_type || (all && rows * OF_ALL < r->of_type)));
}

// NOLINTNEXTLINE(misc-no-recursion): see med_run_sub
bool med_bind_has(med_run *r, med_bound *b, bool dry, med_err *err)
{
    med_rid_list list = {.arena = r->arena};
    med_run *sub = med_run_sub(r, b->clause->subs[0], dry, err);
    if (sub == NULL)
        return false;
    b->estimate = sub->plan.rows;
    r->before += sub->before;
    if (!has_is_list(r, sub->plan.rows)) {
        med_run_use(sub, (med_plan){.how = MED_DRIVE_TYPE});
        b->sub = sub;
        return true;
    }
    r->before += sub->plan.cost + sub->plan.rows * MICROSECONDS_A_TARGET;
    b->can_drive = b->can_probe = true;
    if (dry)
        return true;
    if (!run_sub(sub, false, take_targets, b->clause, &list, err))
        return false;
    finish(&list, b);
    b->estimate = b->n_keys;
    return true;
}

/* Inner query of one code, about the candidate itself as a patient: one seek. */
static bool is_one_seek(const med_run *r, const med_bound *b)
{
    const med_run *sub = b->sub;
    const med_clause *inner = &sub->q->clauses[0];
    return sub->q->n == 1 && inner->kind == MED_CLAUSE_TOKEN && inner->patient_token
           && inner->modifier == MED_MODIFIER_NONE && sub->bound[0].can_probe
           && b->clause->compartment && r->q->type == r->q->schema->known.patient;
}

static bool first_match(med_run *sub, med_scan *scan, const med_bound *b, med_rid rid, bool seek,
                        bool *yes, med_err *err)
{
    med_hit hit;
    enum med_found found = MED_FOUND;
    med_cursor *cursor = med_view_scan(sub->view, scan, err);
    bool ok = cursor != NULL;
    while (ok && !*yes && (found = med_cursor_next(cursor, &hit, err)) == MED_FOUND) {
        med_stored stored;
        med_position at = {.text = MED_STR_EMPTY, .rid = hit.rid};
        ok = seek ? med_view_probe(sub->view, MED_INDEX_REFERENCE, b->clause->number, rid, hit.rid,
                                   yes, err)
                  : med_run_check(sub, &at, false, &stored, yes, err);
        if (!seek)
            med_arena_reset(sub->scratch);
    }
    med_cursor_close(cursor);
    return ok && found != MED_FAILED;
}

static med_scan down_scan(enum med_index index, uint32_t param, uint64_t key)
{
    return (med_scan){.index = index,
                      .param = param,
                      .key = key,
                      .low_int = MED_TIME_MIN,
                      .high_int = MED_TIME_MAX,
                      .low_text = MED_STR_EMPTY,
                      .high_text = MED_STR_EMPTY,
                      .descending = true,
                      .after_text = MED_STR_EMPTY};
}

// NOLINTNEXTLINE(misc-no-recursion): see med_run_sub
bool med_has_matches(med_run *r, const med_bound *b, med_rid rid, bool *yes, med_err *err)
{
    med_run *sub = b->sub;
    *yes = false;
    if (is_one_seek(r, b)) {
        for (size_t i = 0; i < sub->bound[0].n_keys && !*yes; i++) {
            med_scan scan = down_scan(MED_INDEX_PATIENT_TOKEN, sub->bound[0].clause->number, rid);
            scan.key2 = sub->bound[0].keys[i];
            scan.wanted = 1;
            if (!first_match(sub, &scan, b, rid, true, yes, err))
                return false;
        }
        return true;
    }
    med_scan scan = down_scan(MED_INDEX_REFERENCE, b->clause->number, rid);
    sub->scratch = med_scratch_take(sub->q->schema);
    bool ok = sub->scratch != NULL ? first_match(sub, &scan, b, rid, false, yes, err)
                                   : MED_FAIL_MEMORY(err);
    med_scratch_give(sub->q->schema, sub->scratch);
    sub->scratch = NULL;
    return ok;
}
