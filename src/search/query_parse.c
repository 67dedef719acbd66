/* query_parse.c - name=value pairs to a query. https://hl7.org/fhir/R4/search.html
 *
 * Whatever is not understood is refused with the nearest names (or, under handling=lenient,
 * ignored and named in the answer): never a result that looks like more than it is. */
#include "search/query_parse.h"
#include "model/element_names.h"
#include "search/run.h"

#include <stdarg.h>
#include <stdio.h>

static bool ignore(med_query_parser *p, med_str name, med_err *err)
{
    if (p->ignored == NULL)
        p->ignored = MED_TAKE(p->arena, MED_QUERY_PAIRS, med_str);
    if (p->ignored == NULL)
        return MED_FAIL_MEMORY(err);
    p->ignored[p->q->view.n_ignored++] = name;
    return true;
}

/* ---- result parameters ---- */

static bool read_count(med_query_parser *p, med_str value, med_err *err)
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

static bool read_total(med_query_parser *p, med_str value, med_err *err)
{
    static const med_str names[] = {MED_LIT("none"), MED_LIT("estimate"), MED_LIT("accurate")};
    unsigned at;
    if (!read_choice(value, names, 3, &at))
        return MED_FAIL(err, MED_ISSUE_VALUE, "_total must be none, estimate or accurate");
    p->q->view.total = (enum med_total)(MED_TOTAL_NONE + at);
    return true;
}

static bool read_summary(med_query_parser *p, med_str value, med_err *err)
{
    static const med_str names[] = {MED_LIT("false"), MED_LIT("true"), MED_LIT("text"),
                                    MED_LIT("data"), MED_LIT("count")};
    unsigned at;
    if (!read_choice(value, names, 5, &at))
        return MED_FAIL(err, MED_ISSUE_VALUE, "_summary must be true, text, data, count or false");
    p->q->view.summary = (enum med_summary)at;
    return true;
}

static bool sort_key(med_query_parser *p, med_str name, med_sort *out, med_err *err)
{
    med_clause c = {0};
    out->descending = name.len > 0 && name.ptr[0] == '-';
    if (out->descending)
        name = med_str_skip(name, 1);
    if (med_str_eqz(name, "_score")) { /* the best first */
        *out = (med_sort){.kind = MED_CLAUSE_SPECIAL,
                          .row = UINT32_MAX,
                          .descending = !out->descending,
                          .single = true};
        return true;
    }
    if (!med_clause_of(p, name, &c, NULL, err))
        return false;
    if (c.kind == MED_CLAUSE_COMPOSITE || c.kind == MED_CLAUSE_SPECIAL) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "'%.*s' has no order to sort by",
                       MED_STR_ARG(name));
        return med_err_status(err, 400);
    }
    *out = (med_sort){c.kind, c.number, {c.also[0], c.also[1]}, c.row, out->descending, c.single};
    med_query_want(p, c.row);
    return true;
}

/* "a,,b": between two commas, or beside one, there is nothing. */
static bool has_gap(med_str list)
{
    bool gap = true;
    for (size_t i = 0; i < list.len; i++) {
        if (list.ptr[i] == ',' && gap)
            return true;
        gap = list.ptr[i] == ',';
    }
    return gap;
}

static bool read_sort(med_query_parser *p, med_str value, med_err *err)
{
    if (has_gap(value))
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "expected names of search parameters joined by ',', with '-' before those "
                        "that go down");
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

/* "a,b"; out of memory: shorter, and the next step fails. */
static med_str joined(med_arena *a, const med_str *names, size_t n)
{
    med_str out = n > 0 ? names[0] : MED_STR_EMPTY;
    for (size_t i = 1; i < n; i++)
        out = med_arena_printf(a, "%.*s,%.*s", MED_STR_ARG(out), MED_STR_ARG(names[i]));
    return out;
}

/* What is left out under handling=lenient is named: "_elements=famly". */
static bool read_elements(med_query_parser *p, med_str value, med_err *err)
{
    med_element_names names;
    if (has_gap(value))
        return MED_FAIL(err, MED_ISSUE_VALUE, "expected names of elements joined by ','");
    if (!med_element_names_read(p->q->schema->pack, p->arena, p->q->types, p->q->n_types, value,
                                p->options->strict, &names, err))
        return false;
    p->q->view.elements = names.at;
    p->q->view.n_elements = names.n;
    med_str unknown = joined(p->arena, names.unknown, names.n_unknown);
    return names.n_unknown == 0
           || ignore(p, med_arena_printf(p->arena, "_elements=%.*s", MED_STR_ARG(unknown)), err);
}

static bool read_explain(med_query_parser *p, med_str value, med_err *err)
{
    p->q->explain = med_str_eqz(value, "true");
    return p->q->explain || med_str_eqz(value, "false")
               ? true
               : MED_FAIL(err, MED_ISSUE_VALUE, "explain must be true or false");
}

static bool read_contained(med_query_parser *p, med_str value, med_err *err)
{
    static const med_str names[] = {MED_LIT("false"), MED_LIT("true"), MED_LIT("both")};
    unsigned at;
    if (!read_choice(value, names, 3, &at))
        return MED_FAIL(err, MED_ISSUE_VALUE, "_contained must be false, true or both");
    p->contained = (enum med_contained_of)at;
    return true;
}

static bool read_contained_type(med_query_parser *p, med_str value, med_err *err)
{
    p->contained_alone = med_str_eqz(value, "contained");
    return p->contained_alone || med_str_eqz(value, "container")
               ? true
               : MED_FAIL(err, MED_ISSUE_VALUE, "_containedType must be container or contained");
}

static bool read_named_query(med_query_parser *p, med_str value, med_err *err)
{
    (void)p;
    (void)value;
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "this server has no named queries");
    return med_err_status(err, 400);
}

static enum med_found read_includes(med_query_parser *p, const med_pair *pair, med_err *err)
{
    med_str modifier, name = med_str_cut(pair->name, ':', &modifier);
    bool reverse = med_str_eqz(name, "_revinclude");
    if (!reverse && !med_str_eqz(name, "_include"))
        return MED_ABSENT;
    return med_query_read_include(p, modifier, pair->value, reverse, err) ? MED_FOUND : MED_FAILED;
}

/* MED_ABSENT when `name` is no result parameter. */
static enum med_found read_result(med_query_parser *p, const med_pair *pair, med_err *err)
{
    static const struct {
        med_str name;
        bool (*read)(med_query_parser *p, med_str value, med_err *err);
    } known[] = {
        {MED_LIT("_count"), read_count},
        {MED_LIT("_total"), read_total},
        {MED_LIT("_summary"), read_summary},
        {MED_LIT("_sort"), read_sort},
        {MED_LIT("_elements"), read_elements},
        {MED_LIT("_contained"), read_contained},
        {MED_LIT("explain"), read_explain},
        {MED_LIT("_query"), read_named_query},
        {MED_LIT("_containedType"), read_contained_type},
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
    return read_includes(p, pair, err);
}

/* ---- all of it ---- */

static bool keep_self(med_query_parser *p, const med_pair *pair, med_err *err)
{
    med_str name, value;
    if (!med_percent_encode(p->arena, pair->name, &name)
        || !med_percent_encode(p->arena, pair->value, &value))
        return MED_FAIL_MEMORY(err);
    if (med_str_eqz(name, "_count")) /* as used: a larger one was cut back */
        value = med_arena_printf(p->arena, "%u", p->q->view.count);
    if (p->self.len > 0)
        med_buf_addc(&p->self, '&');
    med_buf_add(&p->self, name);
    med_buf_addc(&p->self, '=');
    med_buf_add(&p->self, value);
    return true;
}

bool med_query_err_in(med_err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list args;
    memcpy(text, err->text, sizeof text);
    va_start(args, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    int room = (int)sizeof err->text - n - (int)sizeof ": ";
    if (n >= 0 && room > 0) /* what has no room is cut */
        (void)snprintf(err->text + n, sizeof err->text - (size_t)n, ": %.*s", room, text);
    return false;
}

/* A page that was asked too large is said as large as it is, and of _elements what there is. */
static bool keep_used(med_query_parser *p, const med_pair *pair, med_err *err)
{
    med_pair used = *pair;
    if (med_str_eqz(pair->name, "_elements")) {
        if (p->q->view.n_elements == 0)
            return true;
        used.value = joined(p->arena, p->q->view.elements, p->q->view.n_elements);
    }
    if (med_str_eqz(pair->name, "_count"))
        used.value = med_arena_printf(p->arena, "%u", p->q->view.count);
    return keep_self(p, &used, err);
}

/* "family:", "subject:.name" */
static bool lacks_modifier(med_str name)
{
    for (size_t i = med_str_find(name, ':', 0); i < name.len; i = med_str_find(name, ':', i + 1)) {
        if (i + 1 == name.len || name.ptr[i + 1] == '.' || name.ptr[i + 1] == ':')
            return true;
    }
    return false;
}

static enum med_found read_named(med_query_parser *p, const med_pair *pair, med_err *err)
{
    if (!lacks_modifier(pair->name))
        return read_result(p, pair, err);
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "expected a modifier or a type behind the ':'");
    (void)med_err_status(err, 400);
    return MED_FAILED;
}

struct so_far {
    size_t n, n_sort, n_includes;
};

/* Takes back what was read of a parameter that is left out. */
static bool leave_out(med_query_parser *p, const med_pair *pair, const struct so_far *before,
                      med_err *err)
{
    p->q->n = before->n;
    p->q->n_sort = before->n_sort;
    p->q->n_includes = before->n_includes;
    *err = (med_err){0};
    return ignore(p, pair->name, err);
}

static bool read_pair(med_query_parser *p, const med_pair *pair, med_err *err)
{
    bool lenient = !p->options->strict;
    if (med_str_eqz(pair->name, "_format") || med_str_eqz(pair->name, "_pretty"))
        return p->conditional || keep_self(p, pair, err);
    if (med_str_eqz(pair->name, "_type") && p->has_types)
        return keep_self(p, pair, err);
    const struct so_far before = {p->q->n, p->q->n_sort, p->q->n_includes};
    if (lenient && !p->conditional && pair->value.len == 0) /* a form's field that was left open */
        return leave_out(p, pair, &before, err);
    enum med_found result = read_named(p, pair, err);
    bool ok =
        result == MED_FOUND
        || (result == MED_ABSENT && med_query_read_everywhere(p, pair->name, pair->value, err));
    if (ok)
        return keep_used(p, pair, err);
    if (err->issue == MED_ISSUE_VALUE)
        (void)med_err_status(err, 400);
    return lenient && err->issue == MED_ISSUE_NOT_SUPPORTED && leave_out(p, pair, &before, err);
}

/* Of the query and of what it is asked of. */
static uint64_t fingerprint_of(const med_query_parser *p, med_type type)
{
    const med_search_scope *scope = p->options->scope;
    const med_store *store = p->q->schema->store;
    uint64_t parts[] = {med_store_hash(store, med_buf_str(&p->self)), type,
                        scope == NULL ? MED_TYPE_NONE : scope->compartment,
                        scope == NULL ? 0 : med_store_hash(store, scope->id),
                        p->options->caller.len == 0 ? 0
                                                    : med_store_hash(store, p->options->caller)};
    return med_store_hash(store, (med_str){(const char *)parts, sizeof parts});
}

/* A score is that of words. */
static bool check_score(const med_query *q, med_err *err)
{
    for (size_t i = 0; i < q->n_sort; i++) {
        if (q->sort[i].kind == MED_CLAUSE_SPECIAL && !med_query_has_score(q)) {
            (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                           "_sort=_score orders what _text or _content finds; neither is asked");
            return med_err_status(err, 400);
        }
    }
    return true;
}

/* What shapes the answer has one value: of two that differ none is obeyed. */
static bool is_said_once(const med_pairs *pairs, size_t at, med_err *err)
{
    static const med_str single[] = {
        MED_LIT("_count"),    MED_LIT("_total"),     MED_LIT("_summary"),       MED_LIT("_sort"),
        MED_LIT("_elements"), MED_LIT("_contained"), MED_LIT("_containedType"), MED_LIT("explain")};
    bool is = false;
    for (size_t i = 0; !is && i < sizeof single / sizeof *single; i++)
        is = med_str_eq(pairs->at[at].name, single[i]);
    for (size_t i = 0; is && i < at; i++) {
        if (!med_str_eq(pairs->at[i].name, pairs->at[at].name))
            continue;
        (void)MED_FAIL(err, MED_ISSUE_VALUE, "it was given before, as parameter %zu", i + 1);
        return med_err_status(err, 400);
    }
    return true;
}

/* R4: "_include and _revinclude cannot be mixed with _summary=text" */
static bool check_text(const med_query *q, med_err *err)
{
    if (q->n_includes == 0 || q->view.summary != MED_SUMMARY_TEXT)
        return true;
    (void)MED_FAIL(err, MED_ISSUE_VALUE,
                   "_include and _revinclude can not be asked together with _summary=text");
    return med_err_status(err, 400);
}

static bool read_pairs(med_query_parser *p, const med_pairs *pairs, med_err *err)
{
    enum { NAME_SHOWN = 40 };
    med_type type = p->q->type;
    if (!med_query_read_scope(p, pairs, err))
        return false;
    for (size_t i = 0; i < pairs->n; i++) {
        if (!is_said_once(pairs, i, err) || !read_pair(p, &pairs->at[i], err))
            return med_query_err_in(err, "parameter %zu, '%.*s'", i + 1,
                                    MED_STR_ARG(med_str_sub(pairs->at[i].name, 0, NAME_SHOWN)));
    }
    if (!med_query_close_scope(p, err) || !check_score(p->q, err) || !check_text(p->q, err)
        || !med_query_close_contained(p, err))
        return false;
    p->q->view.ignored = p->ignored;
    p->q->fingerprint = fingerprint_of(p, type);
    return med_arena_copy(p->arena, med_buf_str(&p->self), &p->q->view.self) ? true
                                                                             : MED_FAIL_MEMORY(err);
}

med_query *med_query_new(const med_search_schema *s, med_arena *a, med_type type, med_str base)
{
    med_query *q = MED_TAKE(a, 1, med_query);
    if (q == NULL)
        return NULL;
    q->schema = s;
    q->type = type;
    q->base = base;
    q->view = (med_query_view){.type = type, .self = MED_STR_EMPTY};
    q->wanted = MED_TAKE(a, (s->n_params + 63) / 64, uint64_t);
    return q->wanted == NULL ? NULL : q;
}

bool med_query_parse_search(const med_search_schema *s, med_arena *a, med_type type,
                            const med_pairs *pairs, bool conditional,
                            const med_search_options *options, const med_query **out, med_err *err)
{
    enum { SELF_BYTES = 1 << 20 };
    med_query *q = med_query_new(s, a, type, options->base);
    if (q == NULL)
        return MED_FAIL_MEMORY(err);
    q->view.count = options->default_count;
    q->include_limit = options->include_limit;
    med_query_parser p = {.arena = a, .options = options, .q = q, .conditional = conditional};
    med_buf_init(&p.self, SELF_BYTES);
    bool ok = read_pairs(&p, pairs, err);
    med_buf_free(&p.self);
    *out = p.q;
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
