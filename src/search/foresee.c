/* foresee.c - for a store that is a network away: what binding a query will look up, all of it in
 * one question. What is not foreseen is asked for when it is needed. */
#include "search/run.h"

typedef struct foreseen {
    med_lookup at[MED_LOOKUPS];
    size_t n;
} foreseen;

static void add(foreseen *f, enum med_lookup_kind kind, uint32_t param, uint64_t key)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].key == key && f->at[i].kind == kind && f->at[i].param == param)
            return;
    }
    if (f->n < MED_LOOKUPS)
        f->at[f->n++] = (med_lookup){.kind = kind, .param = param, .key = key};
}

static void add_types(foreseen *f, const med_query *q)
{
    bool several = q->type == MED_TYPE_NONE;
    const med_type *types = several ? q->types : &q->type;
    for (size_t i = 0; i < (several ? q->n_types : 1); i++)
        add(f, MED_LOOKUP_TYPE, 0, med_schema_type(q->schema, types[i]));
}

static void add_terms(foreseen *f, const med_clause *c, enum med_lookup_kind kind)
{
    for (size_t i = 0; i < c->n; i++) {
        size_t n = c->modifier == MED_MODIFIER_OF_TYPE ? 1 : c->terms[i].n_keys;
        for (size_t k = 0; k < n && f->n < MED_LOOKUPS; k++)
            add(f, kind, kind == MED_LOOKUP_TOKEN ? c->number : 0, c->terms[i].keys[k]);
    }
}

static void add_clause(foreseen *f, const med_clause *c)
{
    if (c->modifier == MED_MODIFIER_MISSING)
        return;
    if (c->modifier == MED_MODIFIER_IDENTIFIER || c->kind == MED_CLAUSE_TOKEN)
        add_terms(f, c, MED_LOOKUP_TOKEN);
    else if (c->kind == MED_CLAUSE_ID || c->kind == MED_CLAUSE_REFERENCE
             || c->kind == MED_CLAUSE_COMPARTMENT)
        add_terms(f, c, MED_LOOKUP_RID);
}

// NOLINTNEXTLINE(misc-no-recursion): the depth of a query is at most MED_CHAIN_DEPTH
static void add_query(foreseen *f, const med_query *q)
{
    add_types(f, q);
    for (size_t i = 0; i < q->n && f->n < MED_LOOKUPS; i++) {
        add_clause(f, &q->clauses[i]);
        for (size_t k = 0; k < q->clauses[i].n_subs && f->n < MED_LOOKUPS; k++)
            add_query(f, q->clauses[i].subs[k]);
    }
}

bool med_run_foresee(const med_run *r, med_err *err)
{
    if (!med_view_is_far(r->view))
        return true;
    foreseen f;
    f.n = 0;
    add_query(&f, r->q);
    return med_view_expect_lookups(r->view, f.at, f.n, err);
}
