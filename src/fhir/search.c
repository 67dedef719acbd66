/* search.c - https://hl7.org/fhir/R4/http.html#search */
#include "fhir/bundle.h"
#include "fhir/content.h"

/* Above this estimate a search leaves the event loop. */
enum { LOOP_MICROSECONDS = 1000 };

/* The page token travels as this parameter, made by med_search_run. */
static const med_str page_parameter = MED_LIT("_page");

static bool is_page(const med_pair *p)
{
    return med_str_eq(p->name, page_parameter);
}

/* All parameters of URL and form body, without the page token, which goes to *page. */
static bool take_parameters(med_call *call, med_pairs *out, med_str *page, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_pairs form = {0};
    if (r->method == MED_POST && !med_query_parse(call->arena, r->body, &form, err))
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

static bool check_form(const med_call *call, med_err *err)
{
    med_str rest;
    med_str type = med_str_trim(med_str_cut(call->request.content_type, ';', &rest));
    if (call->request.method != MED_POST || call->request.body.len == 0
        || med_str_eq_ignore_case(type, MED_STR("application/x-www-form-urlencoded")))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "a _search body must be application/x-www-form-urlencoded");
    return med_err_status(err, 415);
}

static bool parse(med_call *call, const med_pairs *pairs, const med_query **q, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_search_options options = {
        .strict = call->request.strict,
        .base = f->base,
        .zone_minutes = f->zone_minutes,
        .now = med_now(f->clock),
        .default_count = f->default_count,
        .max_count = f->max_count,
    };
    return med_query_parse_search(f->schema, call->arena, call->request.type, pairs, false,
                                  &options, q, err);
}

static med_str path_of(med_call *call, const med_query_view *view, med_str page)
{
    med_str type = call->request.type_name;
    return med_arena_printf(call->arena, "%.*s%s%.*s%s%.*s", MED_STR_ARG(type),
                            view->self.len + page.len > 0 ? "?" : "", MED_STR_ARG(view->self),
                            page.len == 0        ? ""
                            : view->self.len > 0 ? "&_page="
                                                 : "_page=",
                            MED_STR_ARG(page));
}

static bool write_ignored(med_bundle *b, const med_query_view *view)
{
    for (size_t i = 0; i < view->n_ignored; i++) {
        med_json_open(&b->writer, '{');
        med_json_pair(&b->writer, "severity", MED_STR("warning"));
        med_json_pair(&b->writer, "code", MED_STR("not-supported"));
        med_json_pair(&b->writer, "diagnostics",
                      med_arena_printf(b->call->arena, "parameter '%.*s' was ignored",
                                       MED_STR_ARG(view->ignored[i])));
        med_json_close(&b->writer, '}');
    }
    return true;
}

/* What was ignored under handling=lenient is said in an entry of its own. */
static void add_ignored(med_bundle *b, const med_query_view *view)
{
    if (view->n_ignored == 0)
        return;
    med_bundle_entry_plain(b);
    med_json_key(&b->writer, MED_STR("resource"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "resourceType", MED_STR("OperationOutcome"));
    med_json_key(&b->writer, MED_STR("issue"));
    med_json_open(&b->writer, '[');
    write_ignored(b, view);
    med_json_close(&b->writer, ']');
    med_json_close(&b->writer, '}');
    med_json_key(&b->writer, MED_STR("search"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "mode", MED_STR("outcome"));
    med_json_close(&b->writer, '}');
    med_bundle_entry_close(b);
}

static bool add_entry(med_bundle *b, const med_search_entry *e, med_err *err)
{
    med_bundle_entry(b, e->resource.type, e->resource.id);
    if (!med_bundle_resource(b, &e->resource, err))
        return false;
    med_json_key(&b->writer, MED_STR("search"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "mode",
                  e->mode == MED_ENTRY_MATCH ? MED_STR("match") : MED_STR("include"));
    med_json_close(&b->writer, '}');
    med_bundle_entry_close(b);
    return true;
}

static bool answer(med_call *call, const med_query_view *view, med_str page,
                   const med_search_result *result, med_err *err)
{
    med_bundle b;
    med_bundle_open(&b, call, "searchset");
    if (result->has_total)
        med_bundle_total(&b, result->total);
    med_bundle_link(&b, "self", path_of(call, view, page));
    if (result->next.len > 0)
        med_bundle_link(&b, "next", path_of(call, view, result->next));
    add_ignored(&b, view);
    for (size_t i = 0; i < result->n; i++) {
        if (!add_entry(&b, &result->entries[i], err)) {
            med_bundle_free(&b);
            return false;
        }
    }
    return med_bundle_close(&b, err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_pairs pairs;
    med_str page = MED_STR_EMPTY;
    const med_query *q;
    if (!check_form(call, err) || !take_parameters(call, &pairs, &page, err)
        || !parse(call, &pairs, &q, err))
        return MED_STEP_FAILED;
    if (!call->on_worker && med_query_cost(f->schema, call->view, q) > LOOP_MICROSECONDS)
        return MED_STEP_AGAIN;
    med_search_result result = {0};
    med_query_view view = med_query_describe(q);
    if (!med_search_run(f->schema, call->view, call->arena, q, page, &result, err)
        || !answer(call, &view, page, &result, err))
        return MED_STEP_FAILED;
    return MED_STEP_OK;
}

const med_interaction med_interaction_search_type = {
    .name = "search-type",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "",
    .prepare = prepare,
};

const med_interaction med_interaction_search_type_post = {
    .name = "search-type",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "_search",
    .prepare = prepare,
};
