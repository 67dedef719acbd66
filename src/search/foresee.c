/* foresee.c - for a store that is a network away: what binding a query will look up, and the scan
 * that its shape leads to, all of it in one question. What is not foreseen is asked for when it is
 * needed. */
#include "search/run.h"

typedef struct foreseen {
    med_lookup at[MED_LOOKUPS];
    size_t n;
    med_code_lookup codes[MED_CODE_LOOKUPS];
    size_t n_codes;
    /* these counters choose the plan, and nothing else */
    bool types_about, tokens_about;
} foreseen;

static void add(foreseen *f, enum med_lookup_kind kind, uint32_t param, uint64_t key)
{
    bool about = kind == MED_LOOKUP_TYPE ? f->types_about : f->tokens_about;
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].key == key && f->at[i].kind == kind && f->at[i].param == param)
            return;
    }
    if (f->n < MED_LOOKUPS)
        f->at[f->n++] = (med_lookup){.kind = kind, .param = param, .key = key, .about = about};
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
        if (kind == MED_LOOKUP_TOKEN && c->terms[i].needs_dictionary
            && f->n_codes < MED_CODE_LOOKUPS)
            f->codes[f->n_codes++] =
                (med_code_lookup){c->number, c->terms[i].system, c->terms[i].code};
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

/* Of alternatives, and of what has not, counters say how many are left over. */
// NOLINTNEXTLINE(misc-no-recursion): the depth of a query is at most MED_CHAIN_DEPTH
static bool counts_rest(const med_query *q)
{
    bool rest = false;
    for (size_t i = 0; i < q->n && !rest; i++) {
        const med_clause *c = &q->clauses[i];
        rest = c->modifier == MED_MODIFIER_NOT || c->kind == MED_CLAUSE_ANY;
        for (size_t k = 0; k < c->n_subs && !rest; k++)
            rest = counts_rest(c->subs[k]);
    }
    return rest;
}

/* ---- the first scan ---- */

static bool names_code(const med_clause *c)
{
    return c->kind == MED_CLAUSE_TOKEN && c->modifier == MED_MODIFIER_NONE && c->n == 1
           && c->terms[0].n_keys == 1 && !c->terms[0].needs_dictionary;
}

static const med_clause *patient_of(const med_query *q)
{
    for (size_t i = 0; i < q->n; i++) {
        if (med_clause_names_patient(q, &q->clauses[i]) && q->clauses[i].terms[0].n_keys == 1)
            return &q->clauses[i];
    }
    return NULL;
}

/* The patient's rows of a code, or all of the type. Of several codes only their numbers say which
 * is rarer. */
static bool scan_patient(const med_query *q, const med_clause *patient, med_foreseen *out,
                         med_scan *scan)
{
    const med_clause *code = NULL;
    for (size_t i = 0; i < q->n; i++) {
        const med_clause *c = &q->clauses[i];
        if (!c->patient_token || c->kind != MED_CLAUSE_TOKEN || c->modifier != MED_MODIFIER_NONE)
            continue;
        if (code != NULL || !names_code(c))
            return false;
        code = c;
    }
    *scan = med_stream_scan(code == NULL ? MED_INDEX_PATIENT : MED_INDEX_PATIENT_TOKEN,
                            code == NULL ? 0 : code->number);
    scan->key = patient->terms[0].keys[0];
    scan->type = code == NULL ? med_schema_type(q->schema, q->type) : 0;
    scan->key2 = code == NULL ? 0 : code->terms[0].keys[0];
    out->of_ident = true;
    return true;
}

/* Of a chain the inner query's; it is run to its end. */
static const med_clause *token_of(const med_query *q, size_t *wanted)
{
    for (size_t i = 0; i < q->n; i++) {
        const med_clause *c = &q->clauses[i];
        if (c->kind != MED_CLAUSE_CHAIN)
            continue;
        *wanted = 0;
        bool plain = c->n_subs == 1 && c->subs[0]->n == 1 && names_code(&c->subs[0]->clauses[0]);
        return plain ? &c->subs[0]->clauses[0] : NULL;
    }
    return q->n == 1 && q->n_sort == 0 && names_code(&q->clauses[0]) ? &q->clauses[0] : NULL;
}

static bool guess_scan(const med_run *r, med_foreseen *out, med_scan *scan)
{
    const med_query *q = r->q;
    bool in_order = q->n_sort == 0 || med_run_sorts_by_when(r);
    const med_clause *patient = patient_of(q), *token = NULL;
    size_t wanted = r->first;
    if (wanted == 0)
        return false;
    if (patient != NULL && (!in_order || !scan_patient(q, patient, out, scan)))
        return false;
    if (patient == NULL) {
        token = token_of(q, &wanted);
        if (token == NULL)
            return false;
        *scan = med_stream_scan(MED_INDEX_TOKEN, token->number);
        scan->key = token->terms[0].keys[0];
    }
    scan->descending = token != NULL || q->n_sort == 0 || q->sort[0].descending;
    scan->wanted = wanted;
    return true;
}

bool med_run_foresee(const med_run *r, med_err *err)
{
    if (!med_view_is_far(r->view))
        return true;
    foreseen f;
    med_scan scan;
    bool rest = counts_rest(r->q);
    f.n = f.n_codes = 0;
    f.types_about = !rest && (r->q->n > 0 || r->as_set);  /* they are the totals of all, */
    f.tokens_about = !rest && (r->q->n > 1 || r->as_set); /* and of one code */
    add_query(&f, r->q);
    med_foreseen out = {.lookups = f.at, .n = f.n, .codes = f.codes, .n_codes = f.n_codes};
    if (guess_scan(r, &out, &scan))
        out.scan = &scan;
    return med_view_foresee(r->view, &out, err);
}
