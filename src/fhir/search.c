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
    const med_fhir_request *r = &call->request;
    med_search_scope *scope = MED_TAKE(call->arena, 1, med_search_scope);
    if (scope == NULL)
        return MED_FAIL_MEMORY(err);
    *scope = (med_search_scope){r->type, r->id};
    bool compartment = r->level == MED_LEVEL_COMPARTMENT;
    med_search_options options = {
        .scope = compartment ? scope : NULL,
        .strict = call->request.strict,
        .base = f->base,
        .zone_minutes = f->zone_minutes,
        .now = med_now(f->clock),
        .default_count = f->default_count,
        .max_count = f->max_count,
    };
    return med_query_parse_search(f->schema, call->arena, compartment ? r->member : r->type, pairs,
                                  false, &options, q, err);
}

/* Patient, Patient/1/Observation, or nothing for the whole server. */
static med_str place_of(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    if (r->level != MED_LEVEL_COMPARTMENT)
        return r->type == MED_TYPE_NONE ? MED_STR_EMPTY : r->type_name;
    med_str member =
        r->member == MED_TYPE_NONE ? MED_STR("*") : med_type_name(call->fhir->pack, r->member);
    return med_arena_printf(call->arena, "%.*s/%.*s/%.*s", MED_STR_ARG(r->type_name),
                            MED_STR_ARG(r->id), MED_STR_ARG(member));
}

static med_str path_of(med_call *call, const med_query_view *view, med_str page)
{
    return med_arena_printf(call->arena, "%.*s%s%.*s%s%.*s", MED_STR_ARG(place_of(call)),
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

static void write_cut(med_bundle *b)
{
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "severity", MED_STR("warning"));
    med_json_pair(&b->writer, "code", MED_STR("incomplete"));
    med_json_pair(&b->writer, "diagnostics",
                  MED_STR("one match alone includes more resources than a page may hold; the rest "
                          "are not here: search for them by themselves"));
    med_json_close(&b->writer, '}');
}

/* What was ignored under handling=lenient, or left out, is said in an entry of its own. */
static void add_outcome(med_bundle *b, const med_query_view *view, const med_search_result *result)
{
    if (view->n_ignored == 0 && !result->includes_cut)
        return;
    med_bundle_entry_plain(b);
    med_json_key(&b->writer, MED_STR("resource"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "resourceType", MED_STR("OperationOutcome"));
    med_json_key(&b->writer, MED_STR("issue"));
    med_json_open(&b->writer, '[');
    write_ignored(b, view);
    if (result->includes_cut)
        write_cut(b);
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
    add_outcome(&b, view, result);
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

const med_interaction med_interaction_search_system = {
    .name = "search-system",
    .method = MED_GET,
    .level = MED_LEVEL_SYSTEM,
    .operation = "",
    .prepare = prepare,
};

const med_interaction med_interaction_search_system_post = {
    .name = "search-system",
    .method = MED_POST,
    .level = MED_LEVEL_SYSTEM,
    .operation = "_search",
    .prepare = prepare,
};

const med_interaction med_interaction_search_compartment = {
    .name = "search-compartment",
    .method = MED_GET,
    .level = MED_LEVEL_COMPARTMENT,
    .operation = "",
    .prepare = prepare,
};

const med_interaction med_interaction_search_compartment_post = {
    .name = "search-compartment",
    .method = MED_POST,
    .level = MED_LEVEL_COMPARTMENT,
    .operation = "_search",
    .prepare = prepare,
};
