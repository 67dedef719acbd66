/* plan.c - how to bring candidates: by the rarest clause, by the patient's compartment, or in
 * the order that is asked for, whatever touches least. */
#include "search/hub.h"

/* Measured, in tenths of a microsecond: a step of a cursor; a probe; a candidate's index rows;
 * its text, read and parsed; one seek of a _has; a match read for the page. */
enum {
    COST_STEP = 5,
    COST_PROBE = 7,
    COST_ROWS = 35,
    COST_BODY = 120,
    COST_SEEK = 25,
    COST_MATCH = 65,
};
enum { OF_A_PATIENT = 200, OF_A_CODE = 20 };

static bool is_plain(const med_clause *c)
{
    return c->modifier == MED_MODIFIER_NONE || c->modifier == MED_MODIFIER_TYPE;
}

bool med_clause_names_patient(const med_query *q, const med_clause *c)
{
    if (c->kind == MED_CLAUSE_COMPARTMENT)
        return true;
    return c->kind == MED_CLAUSE_REFERENCE && c->compartment && is_plain(c) && c->n == 1
           && c->terms[0].names_patient && q->type != MED_TYPE_NONE;
}

bool med_bound_names_patient(const med_run *r, const med_bound *b)
{
    const med_clause *c = b->clause;
    if (c->kind != MED_CLAUSE_CHAIN)
        return med_clause_names_patient(r->q, c);
    return c->compartment && c->n_subs == 1 && c->subs[0]->type == r->q->schema->known.patient
           && b->n_keys == 1 && r->q->type != MED_TYPE_NONE;
}

/* ---- what a plan decides ---- */

/* A quantity has a row for each of its units. */
static bool one_unit(const med_clause *a, const med_clause *b)
{
    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; k < b->n; k++) {
            if (a->terms[i].n_measures != 1 || b->terms[k].n_measures != 1
                || a->terms[i].measures[0].unit != b->terms[k].measures[0].unit)
                return false;
        }
    }
    return true;
}

static bool is_same_row(const med_run *r, const med_clause *c, size_t driving)
{
    const med_clause *driver = r->bound[driving].clause;
    bool ordered = c->kind == MED_CLAUSE_DATE || c->kind == MED_CLAUSE_QUANTITY;
    return c == driver || (c->implied == driving + 1) /* of a pair's rows both parts hold */
           || (ordered && c->kind == driver->kind && c->single && c->number == driver->number
               && c->modifier == MED_MODIFIER_NONE
               && (c->kind == MED_CLAUSE_DATE || one_unit(c, driver)));
}

/* A string's row is cut, and :exact needs the unfolded text. */
static bool is_decided_by_row(const med_bound *b)
{
    const med_clause *c = b->clause;
    if (c->kind == MED_CLAUSE_COMPOSITE)
        return b->paired;
    if (c->kind == MED_CLAUSE_SPECIAL || c->barred)
        return false;
    for (size_t i = 0; c->kind == MED_CLAUSE_STRING && i < c->n; i++) {
        if (c->terms[i].folded.len > MED_STRING_KEY)
            return false;
    }
    return c->modifier != MED_MODIFIER_EXACT && c->modifier != MED_MODIFIER_EQUALS
           && c->modifier != MED_MODIFIER_OF_TYPE && c->modifier != MED_MODIFIER_CONTAINS
           && c->modifier != MED_MODIFIER_ENDS
           && (c->kind != MED_CLAUSE_URI || c->modifier != MED_MODIFIER_BELOW);
}

/* What is in a patient's compartment nearly always is that patient's, and what has a row of a hub
 * mostly refers to it by the parameter that is asked for. */
static bool is_planned(const med_run *r, const med_bound *b)
{
    bool patient = r->plan.how == MED_DRIVE_PATIENT || r->plan.how == MED_DRIVE_PATIENT_TOKEN;
    return (patient && b == &r->bound[r->plan.patient])
           || (r->plan.hub != 0 && b == &r->bound[r->plan.hub - 1]);
}

static bool reads_rows(const med_run *r)
{
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        if (b->needs_body && !b->decided && b->clause->kind != MED_CLAUSE_SPECIAL
            && (b->clause->kind != MED_CLAUSE_COMPOSITE || b->paired))
            return true;
    }
    return false;
}

/* What nearly all candidates pass need not be probed: the patient in its own compartment, and a
 * code that most have where the candidate's rows are read in any case. The text is read with them.
 */
static bool is_better_by_rows(const med_run *r, const med_bound *b)
{
    enum { OF = 3 };
    if (b->decided || !b->can_probe || b->listed || !is_plain(b->clause))
        return false;
    if (b->clause->kind == MED_CLAUSE_REFERENCE || b->clause->kind == MED_CLAUSE_CHAIN)
        return is_planned(r, b);
    return b->clause->kind == MED_CLAUSE_TOKEN && b->estimate >= r->of_type / OF && reads_rows(r);
}

void med_run_use(med_run *r, med_plan plan)
{
    bool by_clause = plan.how == MED_DRIVE_CLAUSE;
    bool by_patient = plan.how == MED_DRIVE_PATIENT || plan.how == MED_DRIVE_PATIENT_TOKEN;
    r->plan = plan;
    for (size_t i = 0; i < r->q->n; i++) {
        med_bound *b = &r->bound[i];
        b->decided =
            (by_clause && is_same_row(r, b->clause, plan.clause) && is_decided_by_row(b))
            || (plan.how == MED_DRIVE_PATIENT_TOKEN && i == plan.clause)
            || (by_patient && i == plan.patient && b->clause->kind == MED_CLAUSE_COMPARTMENT);
    }
    for (size_t i = 0; i < r->q->n; i++)
        r->bound[i].by_rows = is_better_by_rows(r, &r->bound[i]);
}

med_plan med_plan_of_clause(const med_run *r, size_t i)
{
    enum { MERGED_KEYS = 8 };
    const med_bound *b = &r->bound[i];
    bool target = (b->clause->kind == MED_CLAUSE_CHAIN || b->clause->kind == MED_CLAUSE_REFERENCE)
                  && b->clause->modifier != MED_MODIFIER_IDENTIFIER;
    return (med_plan){.how = MED_DRIVE_CLAUSE,
                      .clause = (uint8_t)i,
                      .by_key = target && b->clause->single && b->n_keys > MERGED_KEYS,
                      .rows = b->estimate};
}

med_plan med_plan_of_hub(const med_run *r, size_t date, size_t reference)
{
    return (med_plan){.how = MED_DRIVE_CLAUSE,
                      .clause = (uint8_t)date,
                      .hub = (uint8_t)(reference + 1),
                      .rows = r->of_hub};
}

/* ---- costs ---- */

/* Only the text says whether the exact text holds. (A composite holds nearly always where its parts
 * do, and they are decided first.) */
static uint64_t text_cost(const med_run *r, const med_bound *b)
{
    enum { RARELY = 8 };
    const med_clause *c = b->clause;
    if (c->modifier == MED_MODIFIER_MISSING) { /* where there is no row (row_verdict.c) */
        bool asked = c->kind == MED_CLAUSE_REFERENCE || c->kind == MED_CLAUSE_TOKEN;
        uint64_t lacking = c->missing ? b->estimate : r->of_type - b->estimate;
        return asked && r->of_type > 0 ? COST_BODY * lacking / r->of_type : 0;
    }
    if (c->kind == MED_CLAUSE_COMPOSITE)
        return b->paired ? 0 : COST_BODY / RARELY;
    if (c->kind == MED_CLAUSE_SPECIAL) /* texts are folded */
        return UINT64_C(5) * COST_BODY;
    return c->modifier == MED_MODIFIER_EXACT || c->modifier == MED_MODIFIER_TEXT
                   || c->modifier == MED_MODIFIER_OF_TYPE
               ? COST_BODY
               : 0;
}

/* What probes let pass, of a thousand. */
static uint64_t passing(const med_run *r)
{
    enum { ALL = 1000 };
    uint64_t least = r->of_type;
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        if (!b->decided && b->can_probe && b->estimate < least && !is_planned(r, b))
            least = b->estimate;
    }
    return r->of_type == 0 ? ALL : least * ALL / r->of_type;
}

/* Of one candidate, in tenths of a microsecond: probes first, then its rows, then its text. */
static uint64_t candidate_cost(const med_run *r)
{
    uint64_t cost = COST_STEP, text = 0;
    bool rows = !r->as_set && med_stream_repeats(r);
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        if (b->decided)
            continue;
        rows = rows || b->needs_body;
        text += b->needs_body ? text_cost(r, b) : 0;
        cost += b->can_probe ? COST_PROBE : 0;
        cost += b->sub != NULL || b->n_any > 0 ? COST_SEEK : 0;
        cost += b->clause->contained != MED_CONTAINED_NONE ? COST_BODY : 0;
    }
    return cost + (text + (rows ? COST_ROWS : 0)) * passing(r) / 1000;
}

/* Nobody knows how many candidates such a clause lets pass. */
static bool is_unknown(const med_run *r, const med_bound *b)
{
    const med_clause *c = b->clause;
    if (b->decided || b->known || c->kind == MED_CLAUSE_COMPOSITE || is_planned(r, b))
        return false;
    if (c->modifier == MED_MODIFIER_NOT)
        return b->estimate > r->of_type / 2;
    return b->guessed || b->n_any > 0 || (b->needs_body && !b->can_drive);
}

/* Values in their order are of few kinds at a time: all the platelets before the first weight. */
static bool comes_in_kinds(const med_run *r)
{
    const med_bound *b = &r->bound[r->plan.clause];
    return r->plan.how == MED_DRIVE_CLAUSE && b->clause->kind == MED_CLAUSE_QUANTITY && b->guessed
           && r->q->n > 1;
}

/* Candidates that are looked at until a page is full: the rarer the other clauses, the more. */
static uint64_t for_a_page(const med_run *r, uint64_t rows)
{
    enum { CAUTION = 32 };
    uint64_t wanted = (uint64_t)r->q->view.count + 1, all = r->of_type, rarest = all;
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        bool known = b->known || b->can_drive || b->sub != NULL;
        if (!b->decided && known && !b->guessed && b->estimate < rarest && !is_planned(r, b))
            rarest = b->estimate;
        /* what is rare is as likely asked for as any */
        if ((b->unlisted || b->clause->contained != MED_CONTAINED_NONE) && !b->decided)
            return rows;
        if (is_unknown(r, b))
            wanted *= CAUTION;
    }
    if (comes_in_kinds(r))
        wanted *= CAUTION;
    /* a clause lets rarest / all of the candidates pass */
    if (rarest == 0 || wanted >= rows || wanted > UINT64_MAX / (all + 1))
        return rows;
    uint64_t n = rarest < all ? wanted * all / rarest : wanted;
    return n < rows ? n : rows;
}

/* Tenths of a microsecond that the matches of a page cost, whatever brings them. */
static uint64_t page_cost(const med_run *r, uint64_t rows)
{
    uint64_t count = r->as_set || r->q->view.summary == MED_SUMMARY_COUNT ? 0 : r->q->view.count;
    return COST_MATCH * (count < rows ? count : rows);
}

bool med_run_knows_total(const med_run *r, uint64_t *total)
{
    const med_query *q = r->q;
    const med_bound *b = &r->bound[0];
    if (q->n == 0) {
        *total = r->of_type;
        return true;
    }
    if (q->n != 1 || b->clause->kind != MED_CLAUSE_TOKEN || !b->exact
        || (!b->can_probe && b->clause->modifier != MED_MODIFIER_NOT)
        || (b->clause->modifier == MED_MODIFIER_NOT && !b->known))
        return false;
    *total = b->estimate;
    return true;
}

static bool wants_all(const med_run *r, bool sorted, const med_plan *plan)
{
    uint64_t total;
    bool counts = r->q->view.total == MED_TOTAL_ACCURATE || r->q->view.summary == MED_SUMMARY_COUNT;
    return r->as_set || (sorted && !plan->ordered) || (counts && !med_run_knows_total(r, &total));
}

static void offer(med_run *r, med_plan plan, bool sorted, med_plan *best)
{
    med_run_use(r, plan);
    uint64_t n = wants_all(r, sorted, &plan) ? plan.rows : for_a_page(r, plan.rows);
    uint64_t each = candidate_cost(r);
    if (sorted && !plan.ordered)
        each += COST_ROWS;
    plan.expected = n;
    plan.cost = (n * each + page_cost(r, n)) / 10;
    if (plan.cost < best->cost)
        *best = plan;
}

/* A date that is asked for brings the order by that date, too: what lacks it is no match. */
static void offer_clause(med_run *r, med_plan plan, bool sorted, med_plan *best)
{
    const med_clause *c = r->bound[plan.clause].clause;
    const med_sort *s = &r->q->sort[0];
    bool by_it = sorted && r->q->n_sort == 1 && s->kind == MED_CLAUSE_DATE && s->single
                 && c->kind == MED_CLAUSE_DATE && c->number == s->number;
    plan.ordered = !sorted || by_it;
    plan.ascending = by_it && !s->descending;
    offer(r, plan, sorted, best);
}

static void offer_clauses(med_run *r, bool sorted, med_plan *best)
{
    size_t date, reference;
    if (r->hub_counted && med_hub_find(r, &date, &reference))
        offer_clause(r, med_plan_of_hub(r, date, reference), sorted, best);
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        if (b->can_drive)
            offer_clause(r, med_plan_of_clause(r, i), sorted, best);
    }
}

bool med_run_sorts_by_when(const med_run *r)
{
    const med_sort *s = &r->q->sort[0];
    return r->q->n_sort == 1 && s->kind == MED_CLAUSE_DATE && s->single
           && r->q->type != MED_TYPE_NONE && r->q->schema->date_params[r->q->type] == s->row;
}

static void offer_patients(med_run *r, bool sorted, med_plan *best)
{
    for (size_t i = 0; i < r->q->n; i++) {
        if (!med_bound_names_patient(r, &r->bound[i]) || r->bound[i].n_keys != 1)
            continue;
        med_plan plan = {.how = MED_DRIVE_PATIENT,
                         .patient = (uint8_t)i,
                         .ordered = !sorted || med_run_sorts_by_when(r),
                         .ascending = sorted && !r->q->sort[0].descending,
                         .rows = OF_A_PATIENT < r->of_type ? OF_A_PATIENT : r->of_type};
        offer(r, plan, sorted, best);
        for (size_t k = 0; k < r->q->n; k++) {
            const med_bound *b = &r->bound[k];
            if (!b->clause->patient_token || !b->can_probe || !is_plain(b->clause)
                || b->clause->kind != MED_CLAUSE_TOKEN)
                continue;
            plan.how = MED_DRIVE_PATIENT_TOKEN;
            plan.clause = (uint8_t)k;
            plan.rows = OF_A_CODE < b->estimate ? OF_A_CODE : b->estimate;
            offer(r, plan, sorted, best);
        }
    }
}

static void offer_order(med_run *r, bool sorted, med_plan *best)
{
    const med_sort *s = &r->q->sort[0];
    bool updated = sorted && r->q->n_sort == 1 && s->kind == MED_CLAUSE_UPDATED;
    bool date = sorted && r->q->n_sort == 1 && s->kind == MED_CLAUSE_DATE && s->single;
    med_plan plan = {.how = MED_DRIVE_TYPE,
                     .ordered = !sorted || updated,
                     .ascending = updated && !s->descending,
                     .rows = r->of_type};
    offer(r, plan, sorted, best);
    if (!date)
        return;
    plan = (med_plan){
        .how = MED_DRIVE_DATE, .ordered = true, .ascending = !s->descending, .rows = r->of_type};
    offer(r, plan, sorted, best);
}

void med_run_choose(med_run *r, bool sorted)
{
    med_plan best = {.how = MED_DRIVE_TYPE, .ordered = !sorted, .cost = UINT64_MAX};
    sorted = sorted && r->q->n_sort > 0;
    best.ordered = !sorted;
    offer_clauses(r, sorted, &best);
    offer_patients(r, sorted, &best);
    offer_order(r, sorted, &best);
    med_run_use(r, best);
}

/* ---- second thoughts ---- */

/* Rows of a clause, counted up to a limit; then its estimate is no guess any more. */
static bool count_rows(med_run *r, size_t i, uint64_t limit, med_err *err)
{
    med_position at;
    uint64_t n = 0;
    enum med_found found = MED_FOUND;
    med_run_use(r, med_plan_of_clause(r, i));
    med_stream *s = med_stream_open(r, NULL, err);
    if (s == NULL)
        return false;
    while (n < limit && (found = med_stream_next(s, &at, err)) == MED_FOUND)
        n++;
    med_stream_close(s);
    for (size_t k = 0; k < r->q->n; k++) {
        med_bound *b = &r->bound[k];
        if (k != i && (!b->decided || b->clause->kind != r->bound[i].clause->kind))
            continue;
        b->guessed = found == MED_FOUND;
        if (n > b->estimate || found == MED_ABSENT)
            b->estimate = n;
    }
    return found != MED_FAILED;
}

bool med_run_look_deeper(med_run *r, uint64_t limit, med_err *err)
{
    const med_plan plan = r->plan;
    bool good = true;
    for (size_t i = 0; good && i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        bool driver = plan.how == MED_DRIVE_CLAUSE && plan.clause == i;
        if (b->guessed && b->can_drive && !driver)
            good = count_rows(r, i, limit, err);
    }
    med_run_use(r, plan);
    return good;
}

bool med_run_reconsider(med_run *r, bool sorted, bool *better, med_err *err)
{
    const med_plan old = r->plan;
    uint64_t spent = r->examined * candidate_cost(r) / 10;
    *better = false;
    if (!med_run_look_deeper(r, 2 * r->examined, err))
        return false;
    med_plan best = {.cost = UINT64_MAX};
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        bool driver = old.how == MED_DRIVE_CLAUSE && old.clause == i;
        if (driver || !b->can_drive || b->guessed)
            continue;
        med_plan plan = med_plan_of_clause(r, i);
        plan.ordered = !sorted;
        med_run_use(r, plan);
        plan.cost = (plan.rows * (candidate_cost(r) + (sorted ? COST_ROWS : 0))) / 10;
        if (plan.cost < best.cost)
            best = plan;
    }
    *better = best.cost < spent;
    med_run_use(r, *better ? best : old);
    return true;
}
