/* filter.c - _filter: its tests become clauses, "or" and "not" alternatives of queries.
 * https://hl7.org/fhir/R4/search_filter.html
 *
 * A test is true of a parameter's values as a set, so "ne" needs a value to be there. Of a
 * string "eq" compares the whole, folded, as values are never case sensitive here. */
#include "search/filter_parse.h"
#include "search/query_parse.h"

static const med_query *query_of(const med_query_parser *p, med_type type, const med_filter *f,
                                 med_err *err);
static const med_query *of_part(const med_query_parser *p, med_type type,
                                const med_filter_part *part, med_err *err);

static bool at_part(const med_filter_part *part, med_err *err)
{
    (void)med_query_err_in(err, "at character %zu of the filter", part->at + 1);
    return false;
}

static bool not_possible(const med_filter_part *part, const char *why, med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "'%.*s' %s",
                   MED_STR_ARG(med_filter_op_names[part->op]), why);
    return med_err_status(err, 400);
}

/* ---- what kind of parameter a path ends with ---- */

/* The first type, of those the path has led to, that has the parameter. */
static bool find_in(const med_pack *pack, const med_type *types, size_t n, med_str name,
                    med_param *out)
{
    for (size_t i = 0; i < n; i++) {
        if (med_pack_find_param(pack, types[i], name, out))
            return true;
    }
    return false;
}

static bool leaf_kind(const med_query_parser *p, med_type type, med_str path,
                      enum med_clause_kind *out)
{
    const med_pack *pack = p->q->schema->pack;
    const med_type *types = &type;
    size_t n = 1;
    med_type one;
    while (med_str_starts(path, MED_STR("_has:"))) {
        med_str has = med_str_skip(path, sizeof "_has:" - 1), rest;
        one = med_pack_type(pack, med_str_cut(has, ':', &rest));
        (void)med_str_cut(rest, ':', &path);
        types = &one;
    }
    for (;;) {
        med_param param;
        med_str only, name = med_str_cut(med_str_cut(path, '.', &path), ':', &only);
        if (path.len == 0 && (med_str_eqz(name, "_id") || med_str_eqz(name, "_lastUpdated"))) {
            *out = med_str_eqz(name, "_id") ? MED_CLAUSE_ID : MED_CLAUSE_UPDATED;
            return true;
        }
        if (n == 0 || types[0] == MED_TYPE_NONE || !find_in(pack, types, n, name, &param))
            return false;
        if (path.len == 0)
            return med_clause_kind_of(param.type, out);
        types = param.targets;
        n = param.n_targets;
        if (only.len > 0) {
            one = med_pack_type(pack, only);
            types = &one;
            n = 1;
        } else if (n == 0) {
            types = med_pack_resources(pack, &n);
        }
    }
}

/* ---- a test ---- */

/* A value is one value, whatever is in it. */
static bool escape(med_arena *a, med_str value, med_str *out)
{
    char *to = MED_TAKE(a, 2 * value.len + 1, char);
    size_t n = 0;
    if (to == NULL)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == ',')
            to[n++] = '\\';
        to[n++] = value.ptr[i];
    }
    *out = (med_str){to, n};
    return true;
}

/* path:modifier = prefix value */
static const med_query *ask(const med_query_parser *p, med_type type, const med_filter_part *part,
                            const char *modifier, const char *prefix, med_err *err)
{
    med_str value;
    if (!escape(p->arena, part->value, &value)) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    med_str name = med_arena_printf(p->arena, "%.*s%s", MED_STR_ARG(part->path), modifier);
    value = med_arena_printf(p->arena, "%s%.*s", prefix, MED_STR_ARG(value));
    const med_query *q = med_query_sub(p, type, name, value, err);
    if (q == NULL)
        (void)at_part(part, err);
    return q;
}

static const med_query *present(const med_query_parser *p, med_type type,
                                const med_filter_part *part, bool missing, med_err *err)
{
    med_filter_part how = *part;
    how.value = missing ? MED_STR("true") : MED_STR("false");
    return ask(p, type, &how, ":missing", "", err);
}

/* Adds what the other query asks for. */
static bool join(med_query *q, const med_query *other, med_err *err)
{
    if (other == NULL)
        return false;
    if (q->n + other->n > MED_CLAUSES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d search parameters", MED_CLAUSES);
    memcpy(&q->clauses[q->n], other->clauses, other->n * sizeof *q->clauses);
    q->n += other->n;
    for (size_t i = 0; i < (q->schema->n_params + 63) / 64; i++)
        q->wanted[i] |= other->wanted[i];
    return true;
}

/* The query that one of the queries holds, or none. */
static med_query *any_of(const med_query_parser *p, med_type type, const med_query *const *subs,
                         size_t n, bool none, med_err *err)
{
    med_query *q = med_query_new(p->q->schema, p->arena, type, p->q->base);
    const med_query **list = MED_TAKE(p->arena, n, const med_query *);
    if (q == NULL || list == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    memcpy(list, subs, n * sizeof *list);
    q->clauses[q->n++] = (med_clause){.kind = MED_CLAUSE_ANY,
                                      .row = UINT32_MAX,
                                      .modifier = none ? MED_MODIFIER_NOT : MED_MODIFIER_NONE,
                                      .single = true,
                                      .subs = list,
                                      .n_subs = n};
    return q;
}

/* There is a value, and none is like these. */
static const med_query *none_of(const med_query_parser *p, med_type type,
                                const med_filter_part *part, const med_query *const *subs, size_t n,
                                med_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (subs[i] == NULL)
            return NULL;
    }
    med_query *q = any_of(p, type, subs, n, true, err);
    return q != NULL && join(q, present(p, type, part, false, err), err) ? q : NULL;
}

static const med_query *equal(const med_query_parser *p, med_type type, const med_filter_part *part,
                              enum med_clause_kind kind, med_err *err)
{
    return ask(p, type, part, kind == MED_CLAUSE_STRING ? ":equals" : "", "", err);
}

static bool is_ordered(enum med_clause_kind kind)
{
    return kind == MED_CLAUSE_DATE || kind == MED_CLAUSE_UPDATED || kind == MED_CLAUSE_QUANTITY;
}

static const med_query *refused(const med_filter_part *part, const char *why, med_err *err)
{
    (void)not_possible(part, why, err);
    (void)at_part(part, err);
    return NULL;
}

static const med_query *of_order(const med_query_parser *p, med_type type,
                                 const med_filter_part *part, enum med_clause_kind kind,
                                 med_err *err)
{
    if (!is_ordered(kind))
        return refused(part, "needs a date, a number or a quantity", err);
    if (part->op != MED_FILTER_PO)
        return ask(p, type, part, "", med_filter_op_names[part->op].ptr, err);
    if (kind == MED_CLAUSE_QUANTITY)
        return refused(part, "needs a date", err);
    const med_query *subs[] = {ask(p, type, part, "", "sa", err),
                               ask(p, type, part, "", "eb", err)};
    return none_of(p, type, part, subs, 2, err);
}

static const med_query *of_text(const med_query_parser *p, med_type type,
                                const med_filter_part *part, enum med_clause_kind kind,
                                med_err *err)
{
    if (kind != MED_CLAUSE_STRING)
        return refused(part, "needs a string", err);
    return ask(p, type, part,
               part->op == MED_FILTER_CO   ? ":contains"
               : part->op == MED_FILTER_EW ? ":ends"
                                           : "",
               "", err);
}

/* ss: the value subsumes a code that is there, so that code is below it; sb: the other way. */
static const med_query *of_codes(const med_query_parser *p, med_type type,
                                 const med_filter_part *part, enum med_clause_kind kind,
                                 med_err *err)
{
    if (kind != MED_CLAUSE_TOKEN)
        return refused(part, "needs a code", err);
    return ask(p, type, part,
               part->op == MED_FILTER_SS   ? ":below"
               : part->op == MED_FILTER_SB ? ":above"
                                           : ":in",
               "", err);
}

static const med_query *of_kind(const med_query_parser *p, med_type type,
                                const med_filter_part *part, enum med_clause_kind kind,
                                med_err *err)
{
    const med_query *is;
    switch (part->op) {
    case MED_FILTER_EQ:
        return equal(p, type, part, kind, err);
    case MED_FILTER_NE:
        is = equal(p, type, part, kind, err);
        return none_of(p, type, part, &is, 1, err);
    case MED_FILTER_CO:
    case MED_FILTER_SW:
    case MED_FILTER_EW:
        return of_text(p, type, part, kind, err);
    case MED_FILTER_GT:
    case MED_FILTER_LT:
    case MED_FILTER_GE:
    case MED_FILTER_LE:
    case MED_FILTER_SA:
    case MED_FILTER_EB:
    case MED_FILTER_AP:
    case MED_FILTER_PO:
        return of_order(p, type, part, kind, err);
    case MED_FILTER_PR:
        if (!med_str_eqz(part->value, "true") && !med_str_eqz(part->value, "false"))
            return refused(part, "needs true or false", err);
        return present(p, type, part, med_str_eqz(part->value, "false"), err);
    case MED_FILTER_RE:
        if (kind != MED_CLAUSE_REFERENCE)
            return refused(part, "needs a reference", err);
        return ask(p, type, part, "", "", err);
    case MED_FILTER_SS:
    case MED_FILTER_SB:
    case MED_FILTER_IN:
        return of_codes(p, type, part, kind, err);
    }
    return NULL;
}

static const med_query *of_test(const med_query_parser *p, med_type type,
                                const med_filter_part *part, med_err *err)
{
    enum med_clause_kind kind = MED_CLAUSE_TOKEN;
    /* a name that is unknown is refused by the one who reads the clause */
    if (!leaf_kind(p, type, part->path, &kind))
        return ask(p, type, part, "", "", err);
    return of_kind(p, type, part, kind, err);
}

/* What a target of that type must match: the filter in brackets, and what stands behind it. */
// NOLINTNEXTLINE(misc-no-recursion): ends at MED_FILTER_DEPTH
static const med_query *of_target(const med_query_parser *p, med_type type,
                                  const med_filter_part *part, med_err *err)
{
    const med_query *q = query_of(p, type, part->group, err);
    const med_query *rest = q == NULL ? NULL : of_part(p, type, part->rest, err);
    const med_query *subs[] = {q};
    if (rest == NULL)
        return NULL;
    med_query *both = any_of(p, type, subs, 1, false, err);
    return both != NULL && join(both, rest, err) ? both : NULL;
}

/* path[filter].rest, as a chain to those types of the reference for which both have a meaning. */
// NOLINTNEXTLINE(misc-no-recursion): see of_target
static bool read_targets(const med_query_parser *p, const med_param *param,
                         const med_filter_part *part, med_clause *c, med_err *err)
{
    size_t n = c->only_patients ? 1 : param->n_targets;
    const med_type *types = c->only_patients ? &p->q->schema->known.patient : param->targets;
    if (n == 0)
        types = med_pack_resources(p->q->schema->pack, &n);
    const med_query **subs = MED_TAKE(p->arena, n, const med_query *);
    med_err first = {0};
    if (subs == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++) {
        med_err one = {0};
        subs[c->n_subs] = of_target(p, types[i], part, &one);
        if (subs[c->n_subs] != NULL)
            c->n_subs++;
        else if (first.issue == MED_ISSUE_NONE || one.issue != MED_ISSUE_NOT_SUPPORTED)
            first = one;
    }
    bool bad =
        c->n_subs == 0 || (first.issue != MED_ISSUE_NONE && first.issue != MED_ISSUE_NOT_SUPPORTED);
    if (bad)
        *err = first;
    c->kind = MED_CLAUSE_CHAIN;
    c->subs = subs;
    return !bad;
}

// NOLINTNEXTLINE(misc-no-recursion): see of_target
static const med_query *of_bracket(const med_query_parser *p, med_type type,
                                   const med_filter_part *part, med_err *err)
{
    med_param param;
    med_query_parser of = *p;
    of.q = med_query_new(p->q->schema, p->arena, type, p->q->base);
    if (of.q == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    med_clause *c = &of.q->clauses[0];
    if (!med_clause_of(&of, part->path, c, &param, err)) {
        (void)at_part(part, err);
        return NULL;
    }
    if (c->kind != MED_CLAUSE_REFERENCE)
        return refused(part, "...: only a reference may have a filter in brackets", err);
    if (!read_targets(p, &param, part, c, err))
        return NULL;
    med_query_want(&of, c->row);
    of.q->n = 1;
    return of.q;
}

// NOLINTNEXTLINE(misc-no-recursion): see of_bracket
static const med_query *of_part(const med_query_parser *p, med_type type,
                                const med_filter_part *part, med_err *err)
{
    if (part->kind == MED_FILTER_TEST)
        return part->group != NULL ? of_bracket(p, type, part, err) : of_test(p, type, part, err);
    const med_query *q = query_of(p, type, part->group, err);
    return q == NULL || part->kind == MED_FILTER_GROUP ? q : any_of(p, type, &q, 1, true, err);
}

/* a or b or c is one list of alternatives. */
static med_query *either(const med_query_parser *p, med_type type, const med_query *left,
                         const med_query *right, med_err *err)
{
    const med_query *subs[MED_FILTER_TESTS + 1] = {left};
    const med_clause *c = &left->clauses[0];
    size_t n = 1;
    bool list = left->n == 1 && c->kind == MED_CLAUSE_ANY && c->modifier == MED_MODIFIER_NONE
                && c->n_subs < MED_FILTER_TESTS;
    if (list) {
        n = c->n_subs;
        memcpy(subs, c->subs, n * sizeof *subs);
    }
    subs[n++] = right;
    return any_of(p, type, subs, n, false, err);
}

/* From left to right. */
// NOLINTNEXTLINE(misc-no-recursion): see of_bracket
static const med_query *query_of(const med_query_parser *p, med_type type, const med_filter *f,
                                 med_err *err)
{
    med_query *q = med_query_new(p->q->schema, p->arena, type, p->q->base);
    if (q == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    for (size_t i = 0; i < f->n; i++) {
        const med_query *part = of_part(p, type, &f->parts[i], err);
        if (part == NULL)
            return NULL;
        if (f->parts[i].is_or) {
            q = either(p, type, q, part, err);
            if (q == NULL)
                return NULL;
        } else if (!join(q, part, err)) {
            return NULL;
        }
    }
    return q;
}

bool med_query_read_filter(med_query_parser *p, med_str text, med_err *err)
{
    const med_filter *f;
    med_query_parser of = *p;
    of.in_filter = true;
    if (!med_filter_parse(p->arena, text, &f, err))
        return false;
    return join(p->q, query_of(&of, p->q->type, f, err), err);
}
