/* query_clause.c - one search parameter of a query: simple, chained, _has, composite.
 * https://hl7.org/fhir/R4/search.html */
#include <math.h>

#include "search/query_parse.h"

/* ---- values ---- */

bool med_clause_kind_of(enum med_param_type type, enum med_clause_kind *out)
{
    switch (type) {
    case MED_PARAM_TOKEN:
        *out = MED_CLAUSE_TOKEN;
        return true;
    case MED_PARAM_STRING:
        *out = MED_CLAUSE_STRING;
        return true;
    case MED_PARAM_REFERENCE:
        *out = MED_CLAUSE_REFERENCE;
        return true;
    case MED_PARAM_DATE:
        *out = MED_CLAUSE_DATE;
        return true;
    case MED_PARAM_NUMBER:
    case MED_PARAM_QUANTITY:
        *out = MED_CLAUSE_QUANTITY;
        return true;
    case MED_PARAM_URI:
        *out = MED_CLAUSE_URI;
        return true;
    case MED_PARAM_COMPOSITE:
        *out = MED_CLAUSE_COMPOSITE;
        return true;
    case MED_PARAM_SPECIAL:
        break;
    }
    return false;
}

static bool term_id(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    uint64_t *key = MED_TAKE(s->arena, 1, uint64_t);
    if (key == NULL)
        return MED_FAIL_MEMORY(err);
    if (s->type == MED_TYPE_NONE)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "_id needs a resource type");
    if (value.len == 0)
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected the id of a resource");
    *key = med_store_ident(s->schema->store, med_type_name(s->schema->pack, s->type), value);
    t->text = value;
    t->keys = key;
    t->n_keys = 1;
    return true;
}

bool med_term_read(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    t->text = t->system = t->code = t->folded = MED_STR_EMPTY;
    if (s->clause->modifier == MED_MODIFIER_IDENTIFIER)
        return med_term_token(s, value, t, err);
    if (s->clause->modifier == MED_MODIFIER_TEXT)
        return med_term_string(s, value, t, err);
    switch (s->clause->kind) {
    case MED_CLAUSE_TOKEN:
        return med_term_token(s, value, t, err);
    case MED_CLAUSE_STRING:
        return med_term_string(s, value, t, err);
    case MED_CLAUSE_REFERENCE:
        return med_term_reference(s, value, t, err);
    case MED_CLAUSE_DATE:
    case MED_CLAUSE_UPDATED:
        return med_term_date(s, value, t, err);
    case MED_CLAUSE_QUANTITY:
        return med_term_quantity(s, value, t, err);
    case MED_CLAUSE_URI:
        return med_term_uri(s, value, t, err);
    case MED_CLAUSE_ID:
        return term_id(s, value, t, err);
    case MED_CLAUSE_SPECIAL:
        return med_term_special(s, value, t, err);
    case MED_CLAUSE_CHAIN:
    case MED_CLAUSE_HAS:
    case MED_CLAUSE_COMPOSITE:
    case MED_CLAUSE_ANY:
    case MED_CLAUSE_COMPARTMENT:
        break; /* they have parts, not terms */
    }
    return false;
}

/* Any value at all: what has one has it among the rows of these kinds, in one range. */
static void set_any_value(med_clause *c)
{
    static const med_measure measure = {.near_value = -(double)INFINITY,
                                        .near_low = -(double)INFINITY,
                                        .near_high = (double)INFINITY};
    static const med_term term = {.prefix = MED_PREFIX_EQ,
                                  .text = MED_LIT(""),
                                  .folded = MED_LIT(""),
                                  .span = {MED_TIME_MIN, MED_TIME_MAX},
                                  .measures = &measure,
                                  .n_measures = 1};
    if (c->kind == MED_CLAUSE_DATE || c->kind == MED_CLAUSE_QUANTITY
        || c->kind == MED_CLAUSE_STRING) {
        c->terms = &term;
        c->n = 1;
    }
}

static bool read_missing(med_clause *c, med_str value, med_err *err)
{
    c->missing = med_str_eqz(value, "true");
    if (!c->missing && !med_str_eqz(value, "false"))
        return MED_FAIL(err, MED_ISSUE_VALUE, ":missing must be true or false");
    set_any_value(c);
    return true;
}

/* Splits at bare commas; each part is one term. */
static bool read_terms(med_query_parser *p, const med_param *param, med_clause *c, med_str value,
                       med_err *err)
{
    size_t n = 1, from = 0;
    for (size_t i = med_find_bare(value, ',', 0); i < value.len;
         i = med_find_bare(value, ',', i + 1))
        n++;
    if (n > MED_TERMS)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "%zu values for one parameter, at most %d", n,
                        MED_TERMS);
    med_term *terms = MED_TAKE(p->arena, n, med_term);
    if (terms == NULL)
        return MED_FAIL_MEMORY(err);
    med_term_source s = {p->q->schema, p->arena, p->options, p->q->type, param, c};
    for (size_t i = 0; i < n; i++) {
        size_t to = med_find_bare(value, ',', from);
        if (!med_term_read(&s, med_str_sub(value, from, to), &terms[i], err))
            return n > 1 ? med_query_err_in(err, "value %zu", i + 1) : false;
        from = to + 1;
    }
    c->terms = terms;
    c->n = n;
    return true;
}

/* ---- a name ---- */

void med_query_want(med_query_parser *p, uint32_t row)
{
    if (row != UINT32_MAX)
        p->q->wanted[row / 64] |= UINT64_C(1) << (row % 64);
}

static bool fill_clause(const med_query_parser *p, const med_param *param, med_clause *c,
                        med_err *err)
{
    const med_search_schema *s = p->q->schema;
    const med_param_info *info = med_schema_info(s, p->q->type, param->index);
    if (med_special_of(param->code, &c->special)) {
        c->kind = MED_CLAUSE_SPECIAL;
        c->row = UINT32_MAX;
        c->single = true;
        return true;
    }
    if (!med_clause_kind_of(param->type, &c->kind)
        || (param->expression.len == 0 && param->type != MED_PARAM_COMPOSITE)) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "searching by '%.*s' is not supported",
                       MED_STR_ARG(param->code));
        return med_err_status(err, 400);
    }
    c->row = info->answered;
    c->only_patients = c->row != param->index;
    info = med_schema_info(s, p->q->type, c->row);
    c->number = info->number;
    c->single = info->single;
    c->ranges = info->ranges;
    c->pairs = info->pairs;
    c->also[0] = info->also[0];
    c->also[1] = info->also[1];
    c->compartment = info->compartment;
    c->patient_token = (info->places & MED_ROW_PATIENT) != 0;
    return true;
}

/* _id and _lastUpdated are the store's own columns. */
static bool special_kind(med_str name, med_clause *c)
{
    c->row = UINT32_MAX;
    c->single = true;
    if (med_str_eqz(name, "_id"))
        c->kind = MED_CLAUSE_ID;
    else if (med_str_eqz(name, "_lastUpdated"))
        c->kind = MED_CLAUSE_UPDATED;
    else
        return false;
    return true;
}

bool med_clause_of(med_query_parser *p, med_str name, med_clause *c, med_param *param, med_err *err)
{
    med_param ignored = {0};
    param = param != NULL ? param : &ignored;
    *param = (med_param){.type = MED_PARAM_TOKEN, .code = name};
    *c = (med_clause){0};
    if (special_kind(name, c))
        return true;
    *c = (med_clause){0};
    if (p->q->type == MED_TYPE_NONE
        || !med_pack_find_param(p->q->schema->pack, p->q->type, name, param))
        return med_query_unknown(p, name, err);
    return med_schema_check_ready(p->q->schema, param, err) && fill_clause(p, param, c, err);
}

/* ---- chains ---- */

static bool refuse(med_err *err, const char *text)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "%s", text);
    return med_err_status(err, 400);
}

static bool too_deep(const med_query_parser *p, med_err *err)
{
    return p->depth < MED_CHAIN_DEPTH ? false
                                      : !MED_FAIL(err, MED_ISSUE_TOO_COSTLY,
                                                  "a chain of more than %d steps", MED_CHAIN_DEPTH);
}

static bool never_refers(const med_query_parser *p, const med_param *param, med_type to,
                         med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "'%.*s' never refers to a %.*s",
                   MED_STR_ARG(param->code), MED_STR_ARG(med_type_name(p->q->schema->pack, to)));
    return med_err_status(err, 400);
}

// NOLINTNEXTLINE(misc-no-recursion): see sub_query
const med_query *med_query_sub(const med_query_parser *p, med_type type, med_str name,
                               med_str value, med_err *err)
{
    med_query *q = med_query_new(p->q->schema, p->arena, type, p->q->base);
    med_query_parser sub = {.arena = p->arena,
                            .options = p->options,
                            .q = q,
                            .depth = p->depth,
                            .in_filter = p->in_filter};
    if (q == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    return med_query_read_clause(&sub, name, value, err) ? q : NULL;
}

/* The query name=value on another type; NULL with *err. Recursion ends at MED_CHAIN_DEPTH. */
// NOLINTNEXTLINE(misc-no-recursion)
static const med_query *sub_query(const med_query_parser *p, med_type type, med_str name,
                                  med_str value, med_err *err)
{
    med_query *q = med_query_new(p->q->schema, p->arena, type, p->q->base);
    med_query_parser sub = {.arena = p->arena,
                            .options = p->options,
                            .q = q,
                            .depth = p->depth + 1,
                            .in_filter = p->in_filter};
    if (q == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    return med_query_read_clause(&sub, name, value, err) ? q : NULL;
}

/* A fault of one type that the others can not make up for: a value, or rows not there yet. */
static bool is_final(const med_err *err)
{
    return err->issue == MED_ISSUE_VALUE || err->issue == MED_ISSUE_TRANSIENT;
}

/* The types a chain may go on with: those of the reference that know the next parameter. */
// NOLINTNEXTLINE(misc-no-recursion)
static bool chain_subs(med_query_parser *p, const med_param *param, med_type only, med_clause *c,
                       med_str rest, med_str value, med_err *err)
{
    size_t n = only != MED_TYPE_NONE ? 1 : param->n_targets;
    const med_type *types = only != MED_TYPE_NONE ? &only : param->targets;
    if (n == 0)
        types = med_pack_resources(p->q->schema->pack, &n);
    const med_query **subs = MED_TAKE(p->arena, n, const med_query *);
    if (subs == NULL)
        return MED_FAIL_MEMORY(err);
    if (only != MED_TYPE_NONE && !med_param_may_target(param, only))
        return never_refers(p, param, only, err);
    med_err first = {0};
    for (size_t i = 0; i < n; i++) {
        med_err one = {0};
        const med_query *q = sub_query(p, types[i], rest, value, &one);
        if (q != NULL)
            subs[c->n_subs++] = q;
        else if (first.issue == MED_ISSUE_NONE || is_final(&one))
            first = one;
    }
    c->subs = subs;
    c->kind = MED_CLAUSE_CHAIN;
    if (c->n_subs == 0 || is_final(&first))
        *err = first;
    return c->n_subs > 0 && !is_final(&first);
}

/* "subject:Patient.name:exact" -> head "subject:Patient", rest "name:exact". */
// NOLINTNEXTLINE(misc-no-recursion)
static bool read_chain(med_query_parser *p, med_str full, size_t dot, med_str value, med_err *err)
{
    med_param param;
    med_clause *c = &p->q->clauses[p->q->n];
    med_str type_name, name = med_str_cut(med_str_sub(full, 0, dot), ':', &type_name);
    med_type only = MED_TYPE_NONE;
    if (too_deep(p, err) || !med_clause_of(p, name, c, &param, err))
        return false;
    if (c->kind != MED_CLAUSE_REFERENCE)
        return refuse(err, "only a reference can be chained");
    if (type_name.len > 0) {
        only = med_pack_type(p->q->schema->pack, type_name);
        if (only == MED_TYPE_NONE || med_schema_type(p->q->schema, only) == 0)
            return refuse(err, "a chain names a type that is no resource");
    } else if (c->only_patients) {
        only = p->q->schema->known.patient;
    }
    if (!chain_subs(p, &param, only, c, med_str_skip(full, dot + 1), value, err))
        return false;
    med_query_want(p, c->row);
    p->q->n++;
    return true;
}

/* _has:Observation:patient:code */
// NOLINTNEXTLINE(misc-no-recursion)
static bool read_has(med_query_parser *p, med_str full, med_str value, bool of_any, med_err *err)
{
    med_str rest, type_name, name, colon;
    (void)med_str_cut(full, ':', &rest);
    type_name = med_str_cut(rest, ':', &rest);
    name = med_str_cut(rest, ':', &colon);
    const med_search_schema *s = p->q->schema;
    med_param param;
    med_type type = med_pack_type(s->pack, type_name);
    med_clause *c = &p->q->clauses[p->q->n];
    if (colon.len == 0 || type == MED_TYPE_NONE || med_schema_type(s, type) == 0)
        return refuse(err, "expected _has:Type:reference:parameter");
    if (p->q->type == MED_TYPE_NONE)
        return refuse(err, "_has needs a resource type");
    if (too_deep(p, err))
        return false;
    med_query_parser other = *p;
    const med_query **subs = MED_TAKE(p->arena, 1, const med_query *);
    other.q = med_query_new(s, p->arena, type, p->q->base);
    if (subs == NULL || other.q == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_clause_of(&other, name, c, &param, err))
        return false;
    if (c->kind != MED_CLAUSE_REFERENCE)
        return refuse(err, "_has needs a reference of the other type");
    if (!of_any && !med_param_may_target(&param, p->q->type))
        return never_refers(p, &param, p->q->type, err);
    subs[0] = sub_query(p, type, colon, value, err);
    if (subs[0] == NULL)
        return false;
    subs[0]->wanted[c->row / 64] |= UINT64_C(1) << (c->row % 64);
    c->kind = MED_CLAUSE_HAS;
    c->terms_type = c->row;
    c->row = UINT32_MAX;
    c->subs = subs;
    c->n_subs = 1;
    p->q->n++;
    return true;
}

/* What a List names: resources that a List has as its items. */
// NOLINTNEXTLINE(misc-no-recursion)
static bool read_list(med_query_parser *p, med_str value, med_err *err)
{
    if (value.len == 0)
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected the id of a List");
    if (value.ptr[0] == '$')
        return refuse(err, "this server has no functional lists; name the id of a List");
    return read_has(p, MED_STR("_has:List:item:_id"), value, true, err);
}

/* ---- composites ---- */

/* One part of a composite, as a clause of its own. */
static bool part_clause(med_query_parser *p, uint32_t row, med_clause *c, med_param *param,
                        med_err *err)
{
    med_pack_param(p->q->schema->pack, row, param);
    return fill_clause(p, param, c, err);
}

static bool composite_part(med_query_parser *p, uint32_t row, med_str value, med_clause *c,
                           med_err *err)
{
    med_param param;
    med_term *t = MED_TAKE(p->arena, 1, med_term);
    if (t == NULL)
        return MED_FAIL_MEMORY(err);
    *c = (med_clause){0};
    if (!part_clause(p, row, c, &param, err))
        return false;
    med_term_source s = {p->q->schema, p->arena, p->options, p->q->type, &param, c};
    c->terms = t;
    c->n = 1;
    return med_term_read(&s, value, t, err);
}

/* "a$b" into n parts. */
static bool composite_parts(med_query_parser *p, const med_param *param, med_str value,
                            med_clause *parts, med_err *err)
{
    size_t from = 0;
    for (size_t i = 0; i < param->n_components; i++) {
        size_t to = med_find_bare(value, '$', from);
        if ((to == value.len) != (i + 1 == param->n_components))
            return MED_FAIL(err, MED_ISSUE_VALUE, "expected %zu values joined by '$'",
                            param->n_components);
        if (!composite_part(p, param->components[i], med_str_sub(value, from, to), &parts[i], err))
            return false;
        from = to + 1;
    }
    return true;
}

/* Each part alone, with the values of all alternatives: a wider question that the index can
 * answer. A part whose parameter the type does not have by itself is left out. */
static bool add_implied(med_query_parser *p, const med_clause *composite, med_err *err)
{
    for (size_t i = 0; i < composite->n_parts; i++) {
        med_clause *c = &p->q->clauses[p->q->n];
        med_term *terms = MED_TAKE(p->arena, composite->n, med_term);
        if (terms == NULL)
            return MED_FAIL_MEMORY(err);
        if (p->q->n == MED_CLAUSES || composite->parts[i].number == 0)
            continue;
        *c = composite->parts[i];
        for (size_t k = 0; k < composite->n; k++) {
            const med_clause *part = &composite->parts[k * composite->n_parts + i];
            terms[k] = part->terms[0];
            c->barred = c->barred || part->barred;
        }
        c->terms = terms;
        c->n = composite->n;
        c->implied = (uint8_t)(composite - p->q->clauses + 1);
        med_query_want(p, c->row);
        p->q->n++;
    }
    return true;
}

static bool read_composite(med_query_parser *p, const med_param *param, med_clause *c,
                           med_str value, med_err *err)
{
    size_t n = 1, from = 0;
    for (size_t i = med_find_bare(value, ',', 0); i < value.len;
         i = med_find_bare(value, ',', i + 1))
        n++;
    med_clause *parts = n > MED_TERMS || param->n_components == 0
                            ? NULL
                            : MED_TAKE(p->arena, n * param->n_components, med_clause);
    if (parts == NULL)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "too many values for one parameter");
    for (size_t i = 0; i < n; i++) {
        size_t to = med_find_bare(value, ',', from);
        if (!composite_parts(p, param, med_str_sub(value, from, to),
                             &parts[i * param->n_components], err))
            return false;
        from = to + 1;
    }
    c->parts = parts;
    c->n = n;
    c->n_parts = param->n_components;
    c->row = param->index;
    p->q->n++;
    return add_implied(p, c, err);
}

/* ---- :in, :not-in, :below, :above of a token: all the codes that are meant ---- */

static bool is_codes_modifier(const med_query_parser *p, const med_clause *c, med_str modifier,
                              enum med_search_codes_how *how)
{
    static const struct {
        const char *name;
        enum med_search_codes_how how;
    } rows[] = {{"in", MED_CODES_IN},
                {"not-in", MED_CODES_IN},
                {"below", MED_CODES_BELOW},
                {"above", MED_CODES_ABOVE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *how = rows[i].how;
        if (c->kind == MED_CLAUSE_TOKEN && p->options->codes != NULL
            && med_str_eqz(modifier, rows[i].name))
            return true;
    }
    return false;
}

static bool list_codes(med_query_parser *p, enum med_search_codes_how how, med_str value,
                       const med_str **out, size_t *n, med_err *err)
{
    const med_search_codes *codes = p->options->codes;
    size_t bar = med_find_bare(value, '|', 0);
    med_str system, code;
    if (!med_unescape(p->arena, how == MED_CODES_IN ? value : med_str_sub(value, 0, bar), &system)
        || !med_unescape(p->arena, med_str_skip(value, bar + 1), &code))
        return MED_FAIL_MEMORY(err);
    if (how == MED_CODES_IN)
        code = MED_STR_EMPTY;
    else if (bar >= value.len || system.len == 0 || code.len == 0)
        return MED_FAIL(err, MED_ISSUE_VALUE, "write system|code: only so it has a hierarchy");
    return codes->list(codes->self, p->arena, how, system, code, MED_TERMS, out, n, err);
}

static bool read_codes(med_query_parser *p, const med_param *param, med_clause *c,
                       enum med_search_codes_how how, med_str value, med_err *err)
{
    const med_str *codes = NULL;
    size_t n = 0;
    if (!list_codes(p, how, value, &codes, &n, err))
        return false;
    med_term *terms = MED_TAKE(p->arena, n + 1, med_term);
    if (terms == NULL)
        return MED_FAIL_MEMORY(err);
    med_term_source s = {p->q->schema, p->arena, p->options, p->q->type, param, c};
    for (size_t i = 0; i < n; i++) {
        if (!med_term_read(&s, codes[i], &terms[i], err))
            return false;
    }
    /* An empty set: no resource has this code. */
    if (n == 0 && !med_term_read(&s, MED_STR("urn:medulla:no-code|-"), &terms[n++], err))
        return false;
    c->terms = terms;
    c->n = n;
    return true;
}

/* ---- all clauses ---- */

static bool read_simple(med_query_parser *p, med_str full, med_str value, med_err *err)
{
    med_str modifier, name = med_str_cut(full, ':', &modifier);
    med_param param;
    med_clause *c = &p->q->clauses[p->q->n];
    enum med_search_codes_how how;
    if (!med_clause_of(p, name, c, &param, err))
        return false;
    if (is_codes_modifier(p, c, modifier, &how)) {
        c->modifier = med_str_eqz(modifier, "not-in") ? MED_MODIFIER_NOT : MED_MODIFIER_NONE;
        med_query_want(p, c->row);
        p->q->n++;
        return read_codes(p, &param, c, how, value, err);
    }
    if (modifier.len > 0 && !med_query_read_modifier(p, &param, modifier, c, err))
        return false;
    if (c->kind == MED_CLAUSE_COMPOSITE)
        return read_composite(p, &param, c, value, err);
    med_query_want(p, c->row);
    p->q->n++;
    if (c->modifier == MED_MODIFIER_MISSING)
        return read_missing(c, value, err);
    return read_terms(p, &param, c, value, err)
           && (c->kind != MED_CLAUSE_URI || c->modifier != MED_MODIFIER_ABOVE
               || med_query_widen_uri(p, c, err));
}

// NOLINTNEXTLINE(misc-no-recursion)
bool med_query_read_clause(med_query_parser *p, med_str full, med_str value, med_err *err)
{
    if (p->q->n == MED_CLAUSES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d search parameters", MED_CLAUSES);
    p->q->clauses[p->q->n] = (med_clause){0};
    size_t dot = med_str_find(full, '.', 0);
    if (med_str_starts(full, MED_STR("_has:")))
        return read_has(p, full, value, false, err);
    if (med_str_eqz(full, "_list"))
        return read_list(p, value, err);
    if (med_str_eqz(full, "_filter") && !p->in_filter)
        return med_query_read_filter(p, value, err);
    if (dot < full.len)
        return read_chain(p, full, dot, value, err);
    return read_simple(p, full, value, err);
}
