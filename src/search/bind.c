/* bind.c - clauses meet the store: codes become hashes, references become rids, and each
 * clause gets an estimate of its rows by counters or by looking at the first few. */
#include "search/run.h"

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

static bool bind_token(med_run *r, med_bound *b, med_err *err)
{
    const med_clause *c = b->clause;
    for (size_t i = 0; i < c->n; i++) {
        const med_term *t = &c->terms[i];
        uint64_t *found;
        size_t n;
        if (!keep(r, b, t->keys, t->n_keys, err))
            return false;
        if (!t->needs_dictionary)
            continue;
        if (!med_view_codes(r->view, r->arena, c->number, t->system, t->code, &found, &n, err)
            || !keep(r, b, found, n, err))
            return false;
    }
    for (size_t i = 0; i < b->n_keys; i++) {
        uint64_t count;
        if (!med_view_count_token(r->view, c->number, b->keys[i], &count, err))
            return false;
        b->estimate += count;
    }
    b->can_drive = b->can_probe = c->modifier != MED_MODIFIER_NOT;
    b->needs_body = !b->can_probe;
    return true;
}

/* ident hashes -> rids; what was never mentioned can not match. */
static bool bind_idents(med_run *r, med_bound *b, med_err *err)
{
    for (size_t i = 0; i < b->clause->n; i++) {
        for (size_t k = 0; k < b->clause->terms[i].n_keys; k++) {
            med_rid rid;
            if (!med_view_rid(r->view, b->clause->terms[i].keys[k], &rid, err))
                return false;
            if (rid != 0 && !keep(r, b, &rid, 1, err))
                return false;
        }
    }
    return true;
}

/* Rows of a stream up to MED_PROBE_ROWS; beyond, `guess`. */
static bool look(med_run *r, size_t i, uint64_t guess, med_err *err)
{
    med_stream *s = med_stream_open(r, i, NULL, err);
    if (s == NULL)
        return false;
    med_position at;
    enum med_found found = MED_FOUND;
    uint64_t n = 0;
    while (n < MED_PROBE_ROWS && (found = med_stream_next(s, &at, err)) == MED_FOUND)
        n++;
    med_stream_close(s);
    r->bound[i].estimate = n < MED_PROBE_ROWS ? n : guess;
    return found != MED_FAILED;
}

static bool bind_clause(med_run *r, size_t i, uint64_t of_type, med_err *err)
{
    med_bound *b = &r->bound[i];
    const med_clause *c = b->clause;
    if (c->modifier == MED_MODIFIER_MISSING) {
        b->needs_body = true;
        return true;
    }
    if (c->modifier == MED_MODIFIER_IDENTIFIER || c->kind == MED_CLAUSE_TOKEN)
        return bind_token(r, b, err);
    switch (c->kind) {
    case MED_CLAUSE_ID:
        b->can_drive = true;
        b->needs_body = false;
        return bind_idents(r, b, err) && look(r, i, of_type, err);
    case MED_CLAUSE_REFERENCE:
        b->can_drive = b->can_probe = true;
        return bind_idents(r, b, err) && look(r, i, of_type / 64 + MED_PROBE_ROWS, err);
    case MED_CLAUSE_STRING:
        b->needs_body = true;
        b->can_drive = c->modifier != MED_MODIFIER_CONTAINS;
        return !b->can_drive || look(r, i, of_type / 16 + MED_PROBE_ROWS, err);
    case MED_CLAUSE_DATE:
    case MED_CLAUSE_QUANTITY:
        b->needs_body = true;
        b->can_drive = true;
        return look(r, i, of_type / 2 + MED_PROBE_ROWS, err);
    case MED_CLAUSE_URI:
        b->needs_body = true;
        b->can_drive = true;
        return look(r, i, of_type / 4 + MED_PROBE_ROWS, err);
    case MED_CLAUSE_UPDATED:
        b->needs_body = false; /* decided on the stored column */
        b->can_drive = true;
        return look(r, i, of_type / 2 + MED_PROBE_ROWS, err);
    case MED_CLAUSE_TOKEN:
        break;
    }
    return true;
}

/* `ne` matches nearly everything: no range of the index holds it. */
static void refuse_ne(med_bound *b)
{
    for (size_t i = 0; i < b->clause->n; i++) {
        if (b->clause->terms[i].prefix == MED_PREFIX_NE)
            b->can_drive = false;
    }
}

static void choose(med_run *r, uint64_t of_type)
{
    uint64_t best = of_type;
    r->driver = SIZE_MAX;
    for (size_t i = 0; i < r->q->n; i++) {
        const med_bound *b = &r->bound[i];
        if (b->can_drive && (r->driver == SIZE_MAX || b->estimate < best)
            && (b->estimate <= of_type || b->estimate < MED_PROBE_ROWS)) {
            best = b->estimate;
            r->driver = i;
        }
    }
}

bool med_run_bind(med_run *r, med_err *err)
{
    uint64_t of_type = 0;
    uint32_t type = r->q->type == MED_TYPE_NONE ? 0 : med_schema_type(r->q->schema, r->q->type);
    if (!med_view_count_type(r->view, type, &of_type, err))
        return false;
    for (size_t i = 0; i < r->q->n; i++) {
        r->bound[i] = (med_bound){.clause = &r->q->clauses[i], .keys = NULL};
        refuse_ne(&r->bound[i]);
        if (!bind_clause(r, i, of_type, err))
            return false;
        refuse_ne(&r->bound[i]);
    }
    choose(r, of_type);
    return true;
}
