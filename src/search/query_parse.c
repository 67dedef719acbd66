/* query_parse.c - name=value pairs to a query. https://hl7.org/fhir/R4/search.html
 *
 * Whatever is not understood is refused with the nearest names (or, under handling=lenient,
 * ignored and named in the answer): never a result that looks like more than it is. */
#include "search/query.h"

typedef struct parser {
    med_arena *arena;
    const med_search_options *options;
    med_query *q;
    bool conditional;
    med_buf self;
    size_t room_ignored;
    med_str *ignored;
} parser;

/* ---- names ---- */

static const med_str result_names[] = {
    MED_LIT("_count"),   MED_LIT("_sort"),     MED_LIT("_total"),
    MED_LIT("_summary"), MED_LIT("_elements"), MED_LIT("_format"),
    MED_LIT("_pretty"),  MED_LIT("_id"),       MED_LIT("_lastUpdated"),
};

/* The codes one may search this type by, for a refusal: the nearest, or all. */
static bool unknown_parameter(parser *p, med_str name, med_err *err)
{
    const med_pack *pack = p->q->schema->pack;
    size_t n = 0, extra = sizeof result_names / sizeof *result_names;
    const uint32_t *rows =
        p->q->type == MED_TYPE_NONE ? NULL : med_type_params(pack, p->q->type, &n);
    med_str *names = MED_TAKE(p->arena, n + extra, med_str);
    if (names == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < n; i++) {
        med_param param;
        med_pack_param(pack, rows[i], &param);
        names[i] = param.code;
    }
    memcpy(names + n, result_names, sizeof result_names);
    med_str nearest = med_str_nearest(name, names, n + extra);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "unknown search parameter '%.*s'%s%.*s",
                   MED_STR_ARG(med_str_sub(name, 0, 64)), nearest.len > 0 ? "; nearest: " : "",
                   MED_STR_ARG(nearest));
    return med_err_status(err, 400);
}

static bool ignore(parser *p, med_str name, med_err *err)
{
    if (p->ignored == NULL)
        p->ignored = MED_TAKE(p->arena, MED_QUERY_PAIRS, med_str);
    if (p->ignored == NULL)
        return MED_FAIL_MEMORY(err);
    p->ignored[p->q->view.n_ignored++] = name;
    return true;
}

/* ---- clauses ---- */

static bool read_modifier(const parser *p, med_str modifier, med_clause *c, med_err *err)
{
    static const struct {
        med_str name;
        enum med_modifier modifier;
        unsigned kinds; /* bits of enum med_clause_kind that may have it */
    } known[] = {
        {MED_LIT("exact"), MED_MODIFIER_EXACT, 1u << MED_CLAUSE_STRING},
        {MED_LIT("contains"), MED_MODIFIER_CONTAINS, 1u << MED_CLAUSE_STRING},
        {MED_LIT("not"), MED_MODIFIER_NOT, 1u << MED_CLAUSE_TOKEN},
        {MED_LIT("identifier"), MED_MODIFIER_IDENTIFIER, 1u << MED_CLAUSE_REFERENCE},
        {MED_LIT("missing"), MED_MODIFIER_MISSING, 0xFF},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!med_str_eq(modifier, known[i].name))
            continue;
        if (known[i].kinds >> c->kind & 1) {
            c->modifier = known[i].modifier;
            return true;
        }
    }
    med_type type = c->kind == MED_CLAUSE_REFERENCE ? med_pack_type(p->q->schema->pack, modifier)
                                                    : MED_TYPE_NONE;
    if (type != MED_TYPE_NONE) {
        c->modifier = MED_MODIFIER_TYPE;
        c->terms_type = type;
        return true;
    }
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "modifier ':%.*s' is not possible with this parameter",
                   MED_STR_ARG(med_str_sub(modifier, 0, 40)));
    return med_err_status(err, 400);
}

static bool clause_kind(enum med_param_type type, enum med_clause_kind *out)
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
    *key = med_store_ident(s->schema->store, med_type_name(s->schema->pack, s->type), value);
    t->text = value;
    t->keys = key;
    t->n_keys = 1;
    return true;
}

static bool read_term(const med_term_source *s, med_str value, med_term *t, med_err *err)
{
    if (s->clause->modifier == MED_MODIFIER_IDENTIFIER)
        return med_term_token(s, value, t, err);
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
    }
    return false;
}

static bool read_missing(med_clause *c, med_str value, med_err *err)
{
    c->missing = med_str_eqz(value, "true");
    return c->missing || med_str_eqz(value, "false")
               ? true
               : MED_FAIL(err, MED_ISSUE_VALUE, ":missing must be true or false");
}

/* Splits at bare commas; each part is one term. */
static bool read_terms(parser *p, const med_param *param, med_clause *c, med_str value,
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
        if (!read_term(&s, med_str_sub(value, from, to), &terms[i], err))
            return false;
        from = to + 1;
    }
    c->terms = terms;
    c->n = n;
    return true;
}

static bool fill_clause(parser *p, const med_param *param, med_clause *c, med_err *err)
{
    const med_search_schema *s = p->q->schema;
    c->row = med_schema_stored_row(s, p->q->type, param->index);
    c->only_patients = c->row != param->index;
    c->number = med_schema_param(s, p->q->type, c->row);
    if (clause_kind(param->type, &c->kind))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "searching by '%.*s' is not supported",
                   MED_STR_ARG(param->code));
    return med_err_status(err, 400);
}

/* _id and _lastUpdated are the store's own columns. */
static bool special_kind(med_str name, med_clause *c)
{
    c->row = UINT32_MAX;
    if (med_str_eqz(name, "_id"))
        c->kind = MED_CLAUSE_ID;
    else if (med_str_eqz(name, "_lastUpdated"))
        c->kind = MED_CLAUSE_UPDATED;
    else
        return false;
    return true;
}

static bool refuse_path(med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "chained parameters and _has are not supported");
    return med_err_status(err, 400);
}

static bool read_clause(parser *p, med_str full, med_str value, med_err *err)
{
    med_str modifier, name = med_str_cut(full, ':', &modifier);
    med_param param = {.type = MED_PARAM_TOKEN, .code = name};
    med_clause *c = &p->q->clauses[p->q->n];
    *c = (med_clause){0};
    if (p->q->n == MED_CLAUSES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d search parameters", MED_CLAUSES);
    if (med_str_find(name, '.', 0) < name.len || med_str_eqz(name, "_has")
        || med_str_find(modifier, '.', 0) < modifier.len)
        return refuse_path(err);
    if (!special_kind(name, c)) {
        if (p->q->type == MED_TYPE_NONE
            || !med_pack_find_param(p->q->schema->pack, p->q->type, name, &param))
            return unknown_parameter(p, name, err);
        if (!fill_clause(p, &param, c, err))
            return false;
    }
    if (modifier.len > 0 && !read_modifier(p, modifier, c, err))
        return false;
    p->q->n++;
    if (c->modifier == MED_MODIFIER_MISSING)
        return read_missing(c, value, err);
    return read_terms(p, &param, c, value, err);
}

/* ---- result parameters ---- */

static bool read_count(parser *p, med_str value, med_err *err)
{
    int64_t n;
    if (!med_str_to_int64(value, &n) || n < 0)
        return MED_FAIL(err, MED_ISSUE_VALUE, "_count must be a whole number, 0 or more");
    p->q->view.count = n > p->options->max_count ? p->options->max_count : (uint32_t)n;
    return true;
}

static bool read_choice(med_str value, const med_str *names, size_t n, unsigned *out)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq(value, names[i])) {
            *out = (unsigned)i;
            return true;
        }
    }
    return false;
}

static bool read_total(parser *p, med_str value, med_err *err)
{
    static const med_str names[] = {MED_LIT("none"), MED_LIT("estimate"), MED_LIT("accurate")};
    unsigned at;
    if (!read_choice(value, names, 3, &at))
        return MED_FAIL(err, MED_ISSUE_VALUE, "_total must be none, estimate or accurate");
    p->q->view.total = (enum med_total)(MED_TOTAL_NONE + at);
    return true;
}

static bool read_summary(parser *p, med_str value, med_err *err)
{
    static const med_str names[] = {MED_LIT("false"), MED_LIT("true"), MED_LIT("text"),
                                    MED_LIT("data"), MED_LIT("count")};
    unsigned at;
    if (!read_choice(value, names, 5, &at))
        return MED_FAIL(err, MED_ISSUE_VALUE, "_summary must be true, text, data, count or false");
    p->q->view.summary = (enum med_summary)at;
    return true;
}

static bool sort_key(parser *p, med_str name, med_sort *out, med_err *err)
{
    med_param param;
    med_clause c = {0};
    out->descending = name.len > 0 && name.ptr[0] == '-';
    if (out->descending)
        name = med_str_skip(name, 1);
    if (!special_kind(name, &c)) {
        if (p->q->type == MED_TYPE_NONE
            || !med_pack_find_param(p->q->schema->pack, p->q->type, name, &param))
            return unknown_parameter(p, name, err);
        if (!fill_clause(p, &param, &c, err))
            return false;
    }
    out->kind = c.kind;
    out->number = c.number;
    out->row = c.row;
    return true;
}

static bool read_sort(parser *p, med_str value, med_err *err)
{
    while (value.len > 0) {
        if (p->q->n_sort == MED_SORT_KEYS)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "at most %d sort keys", MED_SORT_KEYS);
        if (!sort_key(p, med_str_trim(med_str_cut(value, ',', &value)), &p->q->sort[p->q->n_sort],
                      err))
            return false;
        p->q->n_sort++;
    }
    return true;
}

static bool read_elements(parser *p, med_str value, med_err *err)
{
    size_t n = 1;
    for (size_t i = 0; i < value.len; i++)
        n += value.ptr[i] == ',';
    med_str *at = MED_TAKE(p->arena, n, med_str);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    p->q->view.elements = at;
    while (value.len > 0) {
        med_str one = med_str_trim(med_str_cut(value, ',', &value));
        if (one.len > 0)
            at[p->q->view.n_elements++] = one;
    }
    return true;
}

/* MED_ABSENT when `name` is no result parameter. */
static enum med_found read_result(parser *p, const med_pair *pair, med_err *err)
{
    static const struct {
        med_str name;
        bool (*read)(parser *p, med_str value, med_err *err);
    } known[] = {
        {MED_LIT("_count"), read_count},       {MED_LIT("_total"), read_total},
        {MED_LIT("_summary"), read_summary},   {MED_LIT("_sort"), read_sort},
        {MED_LIT("_elements"), read_elements},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!med_str_eq(pair->name, known[i].name))
            continue;
        if (p->conditional) {
            (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "%.*s has no meaning in a condition",
                           MED_STR_ARG(pair->name));
            (void)med_err_status(err, 400);
            return MED_FAILED;
        }
        return known[i].read(p, pair->value, err) ? MED_FOUND : MED_FAILED;
    }
    return MED_ABSENT;
}

/* ---- all of it ---- */

static bool keep_self(parser *p, const med_pair *pair, med_err *err)
{
    med_str name, value;
    if (!med_percent_encode(p->arena, pair->name, &name)
        || !med_percent_encode(p->arena, pair->value, &value))
        return MED_FAIL_MEMORY(err);
    if (p->self.len > 0)
        med_buf_addc(&p->self, '&');
    med_buf_add(&p->self, name);
    med_buf_addc(&p->self, '=');
    med_buf_add(&p->self, value);
    return true;
}

static bool read_pair(parser *p, const med_pair *pair, med_err *err)
{
    if (med_str_eqz(pair->name, "_format") || med_str_eqz(pair->name, "_pretty"))
        return p->conditional || keep_self(p, pair, err);
    enum med_found result = read_result(p, pair, err);
    bool ok = result == MED_FOUND
              || (result == MED_ABSENT && read_clause(p, pair->name, pair->value, err));
    if (ok)
        return keep_self(p, pair, err);
    if (err->issue == MED_ISSUE_VALUE)
        (void)med_err_status(err, 400);
    if (!p->options->strict && err->issue == MED_ISSUE_NOT_SUPPORTED) {
        *err = (med_err){0};
        return ignore(p, pair->name, err);
    }
    return false;
}

static bool read_pairs(parser *p, const med_pairs *pairs, med_err *err)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (!read_pair(p, &pairs->at[i], err))
            return false;
    }
    p->q->view.ignored = p->ignored;
    p->q->fingerprint = med_store_hash(p->q->schema->store, med_buf_str(&p->self));
    return med_arena_copy(p->arena, med_buf_str(&p->self), &p->q->view.self) ? true
                                                                             : MED_FAIL_MEMORY(err);
}

bool med_query_parse_search(const med_search_schema *s, med_arena *a, med_type type,
                            const med_pairs *pairs, bool conditional,
                            const med_search_options *options, const med_query **out, med_err *err)
{
    enum { SELF_BYTES = 1 << 20 };
    med_query *q = MED_TAKE(a, 1, med_query);
    if (q == NULL)
        return MED_FAIL_MEMORY(err);
    q->schema = s;
    q->type = type;
    q->base = options->base;
    q->view =
        (med_query_view){.type = type, .count = options->default_count, .self = MED_STR_EMPTY};
    parser p = {.arena = a, .options = options, .q = q, .conditional = conditional};
    med_buf_init(&p.self, SELF_BYTES);
    bool ok = read_pairs(&p, pairs, err);
    med_buf_free(&p.self);
    *out = q;
    return ok;
}

med_query_view med_query_describe(const med_query *q)
{
    return q->view;
}

bool med_query_is_empty(const med_query *q)
{
    return q->n == 0;
}
