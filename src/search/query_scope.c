/* query_scope.c - what is searched: one type, several (_type), or a compartment.
 * https://hl7.org/fhir/R4/search.html#all https://hl7.org/fhir/R4/compartmentdefinition.html
 *
 * A search over several types asks every type its own query, whose clauses are read for that
 * type; the query itself has one clause, that one of them holds. */
#include "search/query_parse.h"

static bool refuse(med_err *err, const char *text)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "%s", text);
    return med_err_status(err, 400);
}

static const med_search_scope *scope_of(const med_query_parser *p)
{
    return p->options->scope;
}

static bool is_member_type(const med_query_parser *p, enum med_compartment c, med_type type)
{
    size_t n;
    (void)med_type_compartment_params(p->q->schema->pack, c, type, &n);
    return n > 0 || type == scope_of(p)->compartment;
}

/* ---- which types ---- */

static bool add_type(const med_query_parser *p, med_str name, med_type *types, size_t *n,
                     med_err *err)
{
    const med_pack *pack = p->q->schema->pack;
    med_type type = med_pack_type(pack, name);
    if (type == MED_TYPE_NONE || med_schema_type(p->q->schema, type) == 0) {
        med_str nearest = med_pack_nearest_resource(pack, name);
        (void)MED_FAIL(err, MED_ISSUE_VALUE, "_type: '%.*s' is no resource type%s%.*s",
                       MED_STR_ARG(med_str_sub(name, 0, 40)), nearest.len > 0 ? "; nearest: " : "",
                       MED_STR_ARG(nearest));
        return med_err_status(err, 400);
    }
    for (size_t i = 0; i < *n; i++) {
        if (types[i] == type)
            return true;
    }
    types[(*n)++] = type;
    return true;
}

/* Those that every _type names; all if there is none. */
static bool read_types(med_query_parser *p, const med_pairs *pairs, med_err *err)
{
    size_t all, n = 0;
    const med_type *resources = med_pack_resources(p->q->schema->pack, &all);
    med_type *types = MED_TAKE(p->arena, all, med_type);
    if (types == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < pairs->n; i++) {
        med_str rest = pairs->at[i].value;
        if (!med_str_eqz(pairs->at[i].name, "_type"))
            continue;
        if (p->has_types)
            return refuse(err, "_type may be given once; join the types by ','");
        p->has_types = true;
        do {
            if (!add_type(p, med_str_trim(med_str_cut(rest, ',', &rest)), types, &n, err))
                return false;
        } while (rest.len > 0);
    }
    if (!p->has_types)
        memcpy(types, resources, all * sizeof *types);
    p->q->types = types;
    p->q->n_types = p->has_types ? n : all;
    return true;
}

static bool keep_members(med_query_parser *p, enum med_compartment c, med_err *err)
{
    size_t n = 0;
    med_type *types = MED_TAKE(p->arena, p->q->n_types + 1, med_type);
    if (types == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < p->q->n_types; i++) {
        if (is_member_type(p, c, p->q->types[i]))
            types[n++] = p->q->types[i];
    }
    p->q->types = types;
    p->q->n_types = n;
    return n > 0 ? true
                 : refuse(err, "no resource of that type is ever in such a compartment; see the "
                               "CompartmentDefinition");
}

/* ---- members of a compartment ---- */

/* The index knows what is in a Patient's. */
static bool add_patient(med_query_parser *p, med_err *err)
{
    med_clause *c = &p->q->clauses[p->q->n++];
    med_term *t = MED_TAKE(p->arena, 1, med_term);
    uint64_t *key = MED_TAKE(p->arena, 1, uint64_t);
    if (t == NULL || key == NULL)
        return MED_FAIL_MEMORY(err);
    *key = med_store_ident(p->q->schema->store, MED_STR("Patient"), scope_of(p)->id);
    *t = (med_term){.text = MED_STR_EMPTY,
                    .system = MED_STR_EMPTY,
                    .code = MED_STR_EMPTY,
                    .folded = MED_STR_EMPTY,
                    .keys = key,
                    .n_keys = 1,
                    .names_patient = true};
    *c = (med_clause){
        .kind = MED_CLAUSE_COMPARTMENT, .row = UINT32_MAX, .single = true, .terms = t, .n = 1};
    return true;
}

/* Of the others: one of the references that the definition names, or the resource itself. */
static bool add_references(med_query_parser *p, enum med_compartment which, med_err *err)
{
    size_t n;
    const med_pack *pack = p->q->schema->pack;
    const med_search_scope *scope = scope_of(p);
    const uint32_t *rows = med_type_compartment_params(pack, which, p->q->type, &n);
    const med_query **subs = MED_TAKE(p->arena, n + 1, const med_query *);
    med_str target = med_arena_printf(p->arena, "%.*s/%.*s",
                                      MED_STR_ARG(med_type_name(pack, scope->compartment)),
                                      MED_STR_ARG(scope->id));
    if (subs == NULL || target.len == 0)
        return MED_FAIL_MEMORY(err);
    med_clause *c = &p->q->clauses[p->q->n++];
    *c = (med_clause){.kind = MED_CLAUSE_ANY, .row = UINT32_MAX, .single = true, .subs = subs};
    for (size_t i = 0; i < n; i++) {
        med_param param;
        med_pack_param(pack, rows[i], &param);
        subs[c->n_subs] = med_query_sub(p, p->q->type, param.code, target, err);
        if (subs[c->n_subs++] == NULL)
            return false;
    }
    if (p->q->type == scope->compartment)
        subs[c->n_subs++] = med_query_sub(p, p->q->type, MED_STR("_id"), scope->id, err);
    return c->n_subs > 0 && subs[c->n_subs - 1] != NULL;
}

/* ---- every type its own query ---- */

static bool start_each(med_query_parser *p, med_err *err)
{
    const med_query *q = p->q;
    p->each = MED_TAKE(p->arena, q->n_types, med_query_parser);
    if (p->each == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < q->n_types; i++) {
        p->each[i] =
            (med_query_parser){.arena = p->arena,
                               .options = p->options,
                               .q = med_query_new(q->schema, p->arena, q->types[i], q->base)};
        if (p->each[i].q == NULL)
            return MED_FAIL_MEMORY(err);
    }
    p->n_each = q->n_types;
    return true;
}

static bool add_compartment(med_query_parser *p, enum med_compartment which, med_err *err)
{
    if (which == MED_COMPARTMENT_PATIENT)
        return add_patient(p, err);
    if (p->n_each == 0)
        return add_references(p, which, err);
    for (size_t i = 0; i < p->n_each; i++) {
        if (!add_references(&p->each[i], which, err))
            return false;
    }
    return true;
}

/* ---- care in a time ---- */

/* What has no date of its own belongs to every time. */
static bool add_time(med_query_parser *p, med_err *err)
{
    const med_search_scope *scope = scope_of(p);
    const med_search_schema *s = p->q->schema;
    med_param date;
    if (s->date_params[p->q->type] == UINT32_MAX)
        return true;
    med_pack_param(s->pack, s->date_params[p->q->type], &date);
    med_str code = date.code;
    med_str after = scope->from.len == 0
                        ? MED_STR_EMPTY
                        : med_arena_printf(p->arena, "%.*s ge %.*s", MED_STR_ARG(code),
                                           MED_STR_ARG(scope->from));
    med_str before =
        scope->to.len == 0
            ? MED_STR_EMPTY
            : med_arena_printf(p->arena, "%.*s le %.*s", MED_STR_ARG(code), MED_STR_ARG(scope->to));
    med_str filter = med_arena_printf(p->arena, "(%.*s%s%.*s) or %.*s pr false", MED_STR_ARG(after),
                                      after.len > 0 && before.len > 0 ? " and " : "",
                                      MED_STR_ARG(before), MED_STR_ARG(code));
    return med_query_read_filter(p, filter, err);
}

static bool is_date_text(med_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= '0' && c <= '9') && c != '-' && c != ':' && c != 'T' && c != 'Z' && c != '.'
            && c != '+')
            return false;
    }
    return true;
}

static bool add_times(med_query_parser *p, med_err *err)
{
    if (scope_of(p)->from.len + scope_of(p)->to.len == 0)
        return true;
    if (!is_date_text(scope_of(p)->from) || !is_date_text(scope_of(p)->to)) {
        (void)MED_FAIL(err, MED_ISSUE_VALUE, "start and end must be dates, as 2026-01-31");
        return med_err_status(err, 400);
    }
    if (p->n_each == 0)
        return add_time(p, err);
    for (size_t i = 0; i < p->n_each; i++) {
        if (!add_time(&p->each[i], err))
            return false;
    }
    return true;
}

bool med_query_read_scope(med_query_parser *p, const med_pairs *pairs, med_err *err)
{
    med_query *q = p->q;
    const med_search_scope *scope = scope_of(p);
    enum med_compartment which = MED_COMPARTMENT_PATIENT;
    if (q->type != MED_TYPE_NONE)
        q->types = &q->type, q->n_types = 1;
    else if (!read_types(p, pairs, err))
        return false;
    if (scope != NULL && !med_compartment_of_type(q->schema->pack, scope->compartment, &which))
        return refuse(err, "compartments are those of Patient, Encounter, Practitioner, "
                           "RelatedPerson and Device");
    if (scope != NULL && !keep_members(p, which, err))
        return false;
    if (q->n_types == 1)
        q->type = q->types[0];
    else if (!start_each(p, err))
        return false;
    return scope == NULL || (add_compartment(p, which, err) && add_times(p, err));
}

/* R4 counts _text among what all resources have; a Binary, a Bundle has no narrative to find. */
static bool can_not_have(const med_query_parser *p, med_str name)
{
    med_param param;
    const med_pack *pack = p->q->schema->pack;
    return med_str_eqz(name, "_text") && p->q->type != MED_TYPE_NONE && p->q->n < MED_CLAUSES
           && !med_pack_find_param(pack, p->q->type, name, &param);
}

static bool read_for(med_query_parser *p, med_str name, med_str value, med_err *err)
{
    if (!can_not_have(p, name))
        return med_query_read_clause(p, name, value, err);
    p->q->clauses[p->q->n++] = (med_clause){.kind = MED_CLAUSE_ID, .row = UINT32_MAX}; /* none */
    return true;
}

bool med_query_read_everywhere(med_query_parser *p, med_str name, med_str value, med_err *err)
{
    for (size_t i = 0; i < p->n_each; i++) {
        p->each[i].n_before = p->each[i].q->n;
        if (read_for(&p->each[i], name, value, err))
            continue;
        for (size_t k = 0; k <= i; k++) /* to be ignored, perhaps */
            p->each[k].q->n = p->each[k].n_before;
        return false;
    }
    return p->n_each > 0 || med_query_read_clause(p, name, value, err);
}

bool med_query_close_scope(med_query_parser *p, med_err *err)
{
    med_query *q = p->q;
    bool narrowed = q->n > 0 && p->has_types; /* the compartment's index holds other types */
    for (size_t i = 0; i < p->n_each; i++)
        narrowed = narrowed || p->each[i].q->n > 0;
    if (!narrowed || p->n_each == 0)
        return true;
    const med_query **subs = MED_TAKE(p->arena, p->n_each, const med_query *);
    if (subs == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < p->n_each; i++)
        subs[i] = p->each[i].q;
    q->clauses[q->n++] = (med_clause){.kind = MED_CLAUSE_ANY,
                                      .row = UINT32_MAX,
                                      .single = true,
                                      .subs = subs,
                                      .n_subs = p->n_each};
    return true;
}
