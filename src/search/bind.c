/* bind.c - clauses meet the store: codes become hashes, references become rids, and each
 * clause gets an estimate of its rows by counters or by looking at the first few. */
#include "search/hub.h"
#include "search/pair.h"

#include <stdlib.h>

static bool keep(med_run *r, med_bound *b, const uint64_t *more, size_t n, med_err *err)
{
    uint64_t *keys = MED_TAKE(r->arena, b->n_keys + n, uint64_t);
    if (keys == NULL)
        return MED_FAIL_MEMORY(err);
    if (b->n_keys > 0)
        memcpy(keys, b->keys, b->n_keys * sizeof *keys);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < b->n_keys && keys[k] != more[i])
            k++;
        if (k == b->n_keys)
            keys[b->n_keys++] = more[i];
    }
    b->keys = keys;
    return true;
}

/* Only hashes that have rows are kept: of one that is left, the counter is the answer. */
static bool count_keys(med_run *r, med_bound *b, med_err *err)
{
    uint64_t *keys = MED_TAKE(r->arena, b->n_keys, uint64_t);
    size_t n = 0;
    if (keys == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < b->n_keys; i++) {
        uint64_t count;
        if (!med_view_count_token(r->view, b->clause->number, b->keys[i], &count, err))
            return false;
        if (count > 0)
            keys[n++] = b->keys[i];
        b->estimate += count;
    }
    b->keys = keys;
    b->n_keys = n;
    b->exact = n <= 1;
    return true;
}

/* A system alone, of identifiers: no dictionary knows it, only the resource does. */
static bool is_blind(const med_term *t, size_t n_found)
{
    return t->match == MED_SYSTEM_IS && t->code.len == 0 && t->n_keys + n_found == 0;
}

/* Each resource has a code once: those without it are the rest of the type. When nothing is left,
 * an empty list drives, and all of the type need not be looked at to find that out. */
static void bind_not(const med_run *r, med_bound *b)
{
    uint64_t rest = b->estimate < r->of_type ? r->of_type - b->estimate : 0;
    if (!b->exact || b->blind || r->q->type == MED_TYPE_NONE)
        return;
    b->known = true;
    b->estimate = rest;
    if (rest > 0)
        return;
    b->n_keys = 0;
    b->listed = b->can_drive = b->can_probe = true;
    b->needs_body = false;
}

static bool bind_token(med_run *r, med_bound *b, med_err *err)
{
    const med_clause *c = b->clause;
    bool blind = false;
    for (size_t i = 0; i < c->n; i++) {
        const med_term *t = &c->terms[i];
        uint64_t *found = NULL;
        size_t n = 0;
        /* the second key of :of-type is decided on the resource */
        if (!keep(r, b, t->keys, c->modifier == MED_MODIFIER_OF_TYPE ? 1 : t->n_keys, err))
            return false;
        if (t->needs_dictionary
            && (!med_view_codes(r->view, r->arena, c->number, t->system, t->code, &found, &n, err)
                || !keep(r, b, found, n, err)))
            return false;
        blind = blind || is_blind(t, n);
    }
    b->blind = blind;
    if (!count_keys(r, b, err))
        return false;
    b->can_drive = c->modifier != MED_MODIFIER_NOT && c->modifier != MED_MODIFIER_TEXT && !blind;
    b->can_probe = b->can_drive && c->modifier != MED_MODIFIER_OF_TYPE && !c->barred;
    b->exact = b->exact && !c->barred;
    b->needs_body = !b->can_probe;
    if (c->modifier == MED_MODIFIER_NOT)
        bind_not(r, b);
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* ident hashes -> rids; what was never mentioned can not match. */
static bool bind_idents(med_run *r, med_bound *b, med_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < b->clause->n; i++)
        n += b->clause->terms[i].n_keys;
    uint64_t *keys = MED_TAKE(r->arena, n, uint64_t), *hubs = MED_TAKE(r->arena, n, uint64_t);
    if (keys == NULL || hubs == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < b->clause->n; i++) {
        const med_term *t = &b->clause->terms[i];
        for (size_t k = 0; k < t->n_keys; k++) {
            if (!med_view_rid(r->view, t->keys[k], &keys[b->n_keys], err))
                return false;
            if (keys[b->n_keys] == 0)
                continue;
            if (t->hubs != NULL && t->hubs[k])
                hubs[b->n_hubs++] = t->keys[k];
            b->n_keys++;
        }
    }
    b->keys = keys;
    b->hubs = hubs;
    if (b->n_hubs < b->n_keys)
        b->n_hubs = 0;
    if (b->n_keys < 2)
        return true;
    qsort(keys, b->n_keys, sizeof *keys, compare_keys);
    n = 1;
    for (size_t i = 1; i < b->n_keys; i++) {
        if (keys[i] != keys[n - 1])
            keys[n++] = keys[i];
    }
    b->n_keys = n;
    return true;
}

/* Rows of the plan's stream, up to MED_PROBE_ROWS. */
static bool count_some(med_run *r, uint64_t *n, med_err *err)
{
    med_position at;
    enum med_found found = MED_FOUND;
    med_stream *s = med_stream_open(r, NULL, err);
    *n = 0;
    while (s != NULL && *n < MED_PROBE_ROWS && (found = med_stream_next(s, &at, err)) == MED_FOUND)
        ++*n;
    med_stream_close(s);
    return s != NULL && found != MED_FAILED;
}

/* Rows of a clause's stream; beyond MED_PROBE_ROWS, `guess`. What holds of the clause holds
 * of all others about the same row (from and to of one date): the stream brings what all let pass.
 */
static bool look(med_run *r, size_t i, uint64_t guess, med_err *err)
{
    uint64_t n;
    med_run_use(r, med_plan_of_clause(r, i));
    if (!count_some(r, &n, err))
        return false;
    for (size_t k = 0; k < r->q->n; k++) {
        bool of_row = r->bound[k].decided && r->bound[k].clause->kind == r->bound[i].clause->kind;
        if (k != i && !of_row)
            continue;
        r->bound[k].estimate = n < MED_PROBE_ROWS ? n : guess + MED_PROBE_ROWS;
        r->bound[k].guessed = n == MED_PROBE_ROWS;
        r->bound[k].looked = true;
    }
    return true;
}

/* A hub and a date together: how many rows? */
static bool look_at_hub(med_run *r, bool *few, med_err *err)
{
    size_t date, reference;
    uint64_t n;
    *few = false;
    if (!med_hub_find(r, &date, &reference))
        return true;
    med_run_use(r, med_plan_of_hub(r, date, reference));
    if (!count_some(r, &n, err))
        return false;
    *few = n < MED_PROBE_ROWS;
    r->hub_counted = true;
    r->of_hub = *few ? n : r->of_type / 256 + MED_PROBE_ROWS;
    return true;
}

/* `ne` matches nearly everything, and punctuation alone folds to nothing: no range of the index
 * holds it. */
static bool has_no_range(const med_clause *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->terms[i].prefix == MED_PREFIX_NE
            || (c->kind == MED_CLAUSE_STRING && c->terms[i].folded.len == 0))
            return true;
    }
    return false;
}

/* First what costs a seek or two. */
static bool bind_keys(med_run *r, med_bound *b, bool dry, med_err *err)
{
    const med_clause *c = b->clause;
    if (c->modifier == MED_MODIFIER_IDENTIFIER || c->kind == MED_CLAUSE_TOKEN)
        return bind_token(r, b, err);
    switch (c->kind) {
    case MED_CLAUSE_ID:
        b->can_drive = b->can_probe = true;
        if (!bind_idents(r, b, err))
            return false;
        b->estimate = b->n_keys;
        return true;
    case MED_CLAUSE_REFERENCE:
        b->can_drive = b->can_probe = true;
        return bind_idents(r, b, err) && (c->n_edges == 0 || med_bind_tree(r, b, err));
    case MED_CLAUSE_CHAIN:
        return med_bind_chain(r, b, dry, err);
    case MED_CLAUSE_HAS:
        return med_bind_has(r, b, dry, err);
    case MED_CLAUSE_STRING:
        if (c->modifier == MED_MODIFIER_CONTAINS || c->modifier == MED_MODIFIER_ENDS)
            return med_bind_lists(r, b, err);
        b->needs_body = true;
        b->can_drive = !has_no_range(c);
        return true;
    case MED_CLAUSE_DATE:
    case MED_CLAUSE_QUANTITY:
    case MED_CLAUSE_URI:
        b->needs_body = true;
        b->can_drive = !has_no_range(c);
        return true;
    case MED_CLAUSE_UPDATED:
        b->can_drive = !has_no_range(c); /* decided on the stored column */
        return true;
    case MED_CLAUSE_COMPOSITE:
        return med_bind_pairs(r, b, err);
    case MED_CLAUSE_ANY:
        return med_bind_any(r, b, dry, err);
    case MED_CLAUSE_SPECIAL:
        return med_bind_lists(r, b, err);
    case MED_CLAUSE_COMPARTMENT: /* the planner drives by it */
        b->can_probe = true;
        return bind_idents(r, b, err);
    case MED_CLAUSE_TOKEN:
        break;
    }
    return true;
}

/* Who has a value stands in the index; who lacks one does not. */
static void bind_missing(med_bound *b)
{
    b->needs_body = true;
    b->can_drive = b->clause->n > 0 && !b->clause->missing;
}

/* The newest of the type say how many lack it. */
static bool sample_missing(med_run *r, size_t i, med_err *err)
{
    enum { SAMPLE = 32 };
    med_bound *b = &r->bound[i];
    if (b->clause->row == UINT32_MAX || r->q->type == MED_TYPE_NONE)
        return true;
    med_position at;
    size_t n = 0, hits = 0;
    enum med_found found = MED_FOUND;
    med_run_use(r, (med_plan){.how = MED_DRIVE_TYPE});
    med_stream *s = med_stream_open(r, NULL, err);
    while (s != NULL && n < SAMPLE && (found = med_stream_next(s, &at, err)) == MED_FOUND) {
        med_stored stored;
        med_rows rows;
        found = med_view_rows(r->view, r->arena, at.rid, &stored, &rows, err);
        if (found == MED_FAILED)
            break;
        n++;
        hits += med_rows_have(&rows, b->clause->number, b->clause->also) != b->clause->missing;
    }
    med_stream_close(s);
    b->known = true;
    b->estimate = n == 0 ? 0 : r->of_type * hits / n;
    return s != NULL && found != MED_FAILED;
}

/* Where the newest have no value, or few of all have one, its rows say more. */
static bool look_for_missing(med_run *r, size_t i, med_err *err)
{
    med_bound *b = &r->bound[i];
    if (!sample_missing(r, i, err))
        return false;
    if (!b->can_drive)
        return true;
    uint64_t sampled = b->estimate;
    if (!look(r, i, 0, err))
        return false;
    if (b->guessed && sampled > 0) {
        b->estimate = sampled;
        b->guessed = false;
    }
    return true;
}

/* Then, while nothing selective is known, a look at the rows. */
static bool bind_look(med_run *r, size_t i, med_err *err)
{
    const med_clause *c = r->bound[i].clause;
    if (c->modifier == MED_MODIFIER_MISSING)
        return look_for_missing(r, i, err);
    if (!r->bound[i].can_drive || r->bound[i].listed || r->bound[i].looked)
        return true;
    switch (c->kind) {
    case MED_CLAUSE_REFERENCE:
        if (c->modifier == MED_MODIFIER_IDENTIFIER)
            return true;
        return look(r, i, r->of_type / 256, err);
    case MED_CLAUSE_STRING:
        return look(r, i, r->of_type / 32, err);
    case MED_CLAUSE_DATE:
    case MED_CLAUSE_QUANTITY:
    case MED_CLAUSE_UPDATED:
        return look(r, i, r->of_type / 4, err);
    case MED_CLAUSE_URI:
        return look(r, i, r->of_type / 8, err);
    case MED_CLAUSE_COMPOSITE:
        return look(r, i, r->bound[i].of_codes / 4, err);
    case MED_CLAUSE_TOKEN:
    case MED_CLAUSE_ID:
    case MED_CLAUSE_CHAIN:
    case MED_CLAUSE_HAS:
    case MED_CLAUSE_ANY:
    case MED_CLAUSE_COMPARTMENT:
    case MED_CLAUSE_SPECIAL:
        break;
    }
    return true;
}

static bool is_selective(const med_run *r)
{
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        bool counted = b->listed || b->clause->kind == MED_CLAUSE_TOKEN
                       || b->clause->kind == MED_CLAUSE_ID || b->clause->kind == MED_CLAUSE_CHAIN
                       || b->clause->kind == MED_CLAUSE_HAS || b->clause->kind == MED_CLAUSE_ANY;
        if (med_bound_names_patient(r, b)
            || (counted && b->can_drive && b->estimate <= MED_PROBE_ROWS))
            return true;
    }
    return false;
}

static bool count_type(med_run *r, med_err *err)
{
    const med_query *q = r->q;
    bool several = q->type == MED_TYPE_NONE;
    const med_type *types = several ? q->types : &q->type;
    for (size_t i = 0; i < (several ? q->n_types : 1); i++) {
        uint64_t n;
        if (!med_view_count_type(r->view, med_schema_type(q->schema, types[i]), &n, err))
            return false;
        r->of_type += n;
    }
    return true;
}

/* Nothing was looked up for these: something else selects. */
static void guess_rest(med_run *r)
{
    for (size_t i = 0; i < r->q->n; i++) {
        med_bound *b = &r->bound[i];
        if (b->looked || b->known || b->estimate != 0)
            continue;
        if (b->clause->kind == MED_CLAUSE_REFERENCE && b->n_keys > 0)
            b->estimate = r->of_type / 256 + MED_PROBE_ROWS;
        else if (!b->can_probe && !b->listed)
            b->estimate = r->of_type;
        else
            continue;
        b->guessed = true;
    }
}

/* A look costs as many steps as it finds rows, and names are shared by ever more: so they are
 * looked at last, and not at all once some other rows are few. */
static bool look_at_all(med_run *r, bool *few, med_err *err)
{
    enum { FEW = 8 };
    for (int strings = 0; strings < 2; strings++) {
        for (size_t i = 0; i < r->q->n && !*few; i++) {
            const med_bound *b = &r->bound[i];
            if ((b->clause->kind == MED_CLAUSE_STRING) != (strings == 1))
                continue;
            if (!bind_look(r, i, err))
                return false;
            *few = b->looked && !b->guessed && b->estimate <= FEW;
        }
    }
    return true;
}

bool med_run_bind(med_run *r, bool dry, med_err *err)
{
    r->hub_counted = false;
    if (!med_run_foresee(r, err) || !count_type(r, err))
        return false;
    for (size_t i = 0; i < r->q->n; i++) {
        med_bound *b = &r->bound[i];
        *b = (med_bound){.clause = &r->q->clauses[i], .keys = NULL, .estimate = 0};
        if (b->clause->modifier == MED_MODIFIER_MISSING)
            bind_missing(b);
        else if (!bind_keys(r, b, dry, err))
            return false;
    }
    bool few = is_selective(r);
    if (!few && !look_at_hub(r, &few, err))
        return false;
    if (!few && !look_at_all(r, &few, err))
        return false;
    if (few)
        guess_rest(r);
    return true;
}
