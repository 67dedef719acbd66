/* searchset.c - see searchset.h. */
#include "fhir/searchset.h"

#include "fhir/bundle.h"
#include "fhir/term_store.h"

/* The page token travels as this parameter, made by med_search_run. */
static const med_str page_parameter = MED_LIT("_page");

static bool is_page(const med_pair *p)
{
    return med_str_eq(p->name, page_parameter);
}

/* ---- parameters ---- */

/* parameter: {"name": ..., "value...": primitive} as name=value. */
static bool take_parameter(const med_call *call, uint32_t node, med_pairs *form, med_pair *to,
                           med_err *err)
{
    const med_json *j = call->request.json;
    *to = (med_pair){MED_STR_EMPTY, MED_STR_EMPTY};
    for (uint32_t k = node + 1; k < j->nodes[node].next; k = j->nodes[k + 1].next) {
        uint32_t i = k + 1;
        med_str key = med_json_raw(j, k);
        enum med_json_kind kind = med_json_kind_at(j, i);
        bool text = kind == MED_JSON_STRING;
        med_str *out = med_str_eqz(key, "name") ? &to->name : &to->value;
        if (kind == MED_JSON_OBJECT || kind == MED_JSON_ARRAY)
            return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                            "parameters of this operation have primitive values");
        if (text ? !med_json_string(call->arena, j, i, out) : false)
            return MED_FAIL_MEMORY(err);
        if (!text)
            *out = med_json_raw(j, i);
    }
    form->n++;
    return true;
}

static bool take_resource(const med_call *call, med_pairs *form, med_err *err)
{
    const med_json *j = call->request.json;
    uint32_t list = med_json_kind_at(j, call->request.root) == MED_JSON_OBJECT
                        ? med_json_member(j, call->request.root, MED_STR("parameter"))
                        : 0;
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return true;
    med_pair *at = MED_TAKE(call->arena, MED_QUERY_PAIRS, med_pair);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    form->at = at;
    for (uint32_t i = list + 1; i < j->nodes[list].next; i = j->nodes[i].next) {
        if (form->n == MED_QUERY_PAIRS)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "more than %d parameters", MED_QUERY_PAIRS);
        if (med_json_kind_at(j, i) == MED_JSON_OBJECT
            && !take_parameter(call, i, form, &at[form->n], err))
            return false;
    }
    return true;
}

bool med_searchset_parameters(med_call *call, med_pairs *out, med_str *page, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_pairs form = {0};
    if (r->json != NULL && !take_resource(call, &form, err))
        return false;
    if (r->json == NULL && r->method == MED_POST
        && !med_query_parse(call->arena, r->body, &form, err))
        return false;
    med_pair *at = MED_TAKE(call->arena, r->query.n + form.n, med_pair);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    *out = (med_pairs){at, 0};
    for (size_t i = 0; i < r->query.n + form.n; i++) {
        const med_pair *p = i < r->query.n ? &r->query.at[i] : &form.at[i - r->query.n];
        if (is_page(p))
            *page = p->value;
        else
            at[out->n++] = *p;
    }
    return true;
}

med_str med_searchset_encode(med_arena *a, const med_pairs *pairs)
{
    med_str out = MED_STR_EMPTY, name, value;
    for (size_t i = 0; i < pairs->n; i++) {
        if (!med_percent_encode(a, pairs->at[i].name, &name)
            || !med_percent_encode(a, pairs->at[i].value, &value))
            return MED_STR_EMPTY;
        out = med_arena_printf(a, "%.*s%s%.*s=%.*s", MED_STR_ARG(out), i > 0 ? "&" : "",
                               MED_STR_ARG(name), MED_STR_ARG(value));
    }
    return out;
}

med_search_options med_searchset_options(med_call *call)
{
    const med_fhir *f = call->fhir;
    return (med_search_options){
        .codes = med_term_codes_of(call),
        .strict = call->request.strict,
        .base = f->base,
        .zone_minutes = f->zone_minutes,
        .now = med_now(f->clock),
        .default_count = f->default_count,
        .max_count = f->max_count,
    };
}

/* ---- the Bundle ---- */

static void write_issue(med_bundle *b, const char *severity, const char *code, med_str text)
{
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "severity", med_str_from(severity));
    med_json_pair(&b->writer, "code", med_str_from(code));
    med_json_pair(&b->writer, "diagnostics", text);
    med_json_close(&b->writer, '}');
}

static void write_issues(med_bundle *b, const med_query_view *view, const med_search_result *r)
{
    for (size_t i = 0; i < view->n_ignored; i++)
        write_issue(b, "warning", "not-supported",
                    med_arena_printf(b->call->arena, "parameter '%.*s' was ignored",
                                     MED_STR_ARG(view->ignored[i])));
    if (r->early)
        write_issue(b, "information", "incomplete",
                    MED_STR("this page took long and ended before it was full: follow the next "
                            "link for what else there is"));
    if (r->includes_cut)
        write_issue(b, "warning", "incomplete",
                    MED_STR("one match alone includes more resources than a page may hold; the "
                            "rest are not here: search for them by themselves"));
    for (size_t i = 0; i < r->n_plan; i++)
        write_issue(b, "information", "informational", r->plan[i]);
}

/* What was ignored under handling=lenient or left out, and the plan that was asked for, are in
 * an entry of their own. */
static void add_outcome(med_bundle *b, const med_query_view *view, const med_search_result *result)
{
    if (view->n_ignored + result->n_plan == 0 && !result->includes_cut && !result->early)
        return;
    med_bundle_entry_plain(b);
    med_json_key(&b->writer, MED_STR("resource"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "resourceType", MED_STR("OperationOutcome"));
    med_json_key(&b->writer, MED_STR("issue"));
    med_json_open(&b->writer, '[');
    write_issues(b, view, result);
    med_json_close(&b->writer, ']');
    med_json_close(&b->writer, '}');
    med_json_key(&b->writer, MED_STR("search"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "mode", MED_STR("outcome"));
    med_json_close(&b->writer, '}');
    med_bundle_entry_close(b);
}

/* Three digits say enough, and never 0 or 1. */
static bool write_score(med_bundle *b, double score)
{
    enum { ROOM = 16 };
    char text[ROOM];
    score = score < 0.001 ? 0.001 : score > 0.999 ? 0.999 : score;
    int n = snprintf(text, sizeof text, "%.3f", score);
    med_json_key(&b->writer, MED_STR("score"));
    med_json_raw_value(&b->writer, (med_str){text, (size_t)n});
    return n > 0;
}

/* Only what is inside of a resource, by the address of that. */
static bool add_contained(med_bundle *b, const med_search_entry *e, med_err *err)
{
    const med_fhir *f = b->call->fhir;
    med_str type = med_type_name(f->pack, med_schema_pack_type(f->schema, e->resource.type));
    med_str url = med_arena_printf(b->call->arena, "%.*s/%.*s/%.*s#%.*s", MED_STR_ARG(f->base),
                                   MED_STR_ARG(type), MED_STR_ARG(e->resource.id),
                                   MED_STR_ARG(e->contained->id));
    if (url.len == 0)
        return MED_FAIL_MEMORY(err);
    med_bundle_entry_plain(b);
    med_json_pair(&b->writer, "fullUrl", url);
    med_json_key(&b->writer, MED_STR("resource"));
    med_json_raw_value(&b->writer, e->contained->text);
    return true;
}

static bool add_entry(med_bundle *b, const med_search_entry *e, const med_shape *shape,
                      med_err *err)
{
    if (e->contained == NULL)
        med_bundle_entry(b, e->resource.type, e->resource.id);
    if (e->contained != NULL ? !add_contained(b, e, err)
                             : !med_bundle_resource(b, &e->resource, shape, err))
        return false;
    med_json_key(&b->writer, MED_STR("search"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "mode",
                  e->mode == MED_ENTRY_MATCH ? MED_STR("match") : MED_STR("include"));
    if (e->score > 0 && !write_score(b, e->score))
        return MED_FAIL_MEMORY(err);
    med_json_close(&b->writer, '}');
    med_bundle_entry_close(b);
    return true;
}

static med_str url_of(med_call *call, med_str path, med_str self, med_str page)
{
    return med_arena_printf(call->arena, "%.*s%s%.*s%s%.*s", MED_STR_ARG(path),
                            self.len + page.len > 0 ? "?" : "", MED_STR_ARG(self),
                            page.len == 0  ? ""
                            : self.len > 0 ? "&_page="
                                           : "_page=",
                            MED_STR_ARG(page));
}

/* ---- the pages around this one ---- */

enum { PAGES_BACK = 6 }; /* places of earlier pages that a link carries */
static const med_str first_page = MED_LIT("0");

/* What no link of ours has is all of it the place, and refused as such. */
med_str med_searchset_place(med_str page)
{
    for (size_t i = 0; i < page.len; i++) {
        char c = page.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '_' && (c != '~' || i == 0))
            return page;
    }
    return med_str_sub(page, 0, med_str_find(page, '~', 0));
}

/* The next page's place, then this one's, then as many of those before as a link carries. */
static med_str page_behind(med_call *call, med_str page, med_str next)
{
    size_t end = 0;
    for (int i = 0; i < PAGES_BACK && end < page.len; i++)
        end = med_str_find(page, '~', end + (i > 0));
    med_str back = page.len == 0 ? first_page : med_str_sub(page, 0, end);
    return med_arena_printf(call->arena, "%.*s~%.*s", MED_STR_ARG(next), MED_STR_ARG(back));
}

static void write_links(med_bundle *b, med_str path, med_str self, med_str page, med_str next)
{
    med_str before = med_str_skip(page, med_searchset_place(page).len);
    if (page.len + next.len == 0)
        return;
    med_bundle_link(b, "first", url_of(b->call, path, self, MED_STR_EMPTY));
    if (before.len > 0) {
        before = med_str_skip(before, 1);
        bool first = med_str_eq(before, first_page);
        med_bundle_link(b, "previous", url_of(b->call, path, self, first ? MED_STR_EMPTY : before));
    }
    if (next.len > 0)
        med_bundle_link(b, "next", url_of(b->call, path, self, page_behind(b->call, page, next)));
    else
        med_bundle_link(b, "last", url_of(b->call, path, self, page));
}

bool med_searchset_write(med_call *call, med_str path, med_str self, med_str page,
                         const med_query_view *view, const med_search_result *result, med_err *err)
{
    med_bundle b;
    med_shape match = {
        .summary = view->summary, .elements = view->elements, .n_elements = view->n_elements};
    med_shape include = {.summary = view->summary}; /* R4: _elements is not about these */
    med_bundle_open(&b, call, "searchset");
    if (result->has_total)
        med_bundle_total(&b, result->total);
    med_bundle_link(&b, "self", url_of(call, path, self, page));
    write_links(&b, path, self, page, result->next);
    add_outcome(&b, view, result);
    for (size_t i = 0; i < result->n; i++) {
        const med_search_entry *e = &result->entries[i];
        if (!add_entry(&b, e, e->mode == MED_ENTRY_MATCH ? &match : &include, err)) {
            med_bundle_free(&b);
            return false;
        }
    }
    return med_bundle_close(&b, err);
}
