/* search.c - https://hl7.org/fhir/R4/http.html#search */
#include "fhir/content.h"
#include "fhir/searchset.h"

/* Above this estimate a search leaves the event loop; and after that time, when the estimate was
 * wrong. In the background pages are short, as long reads are in the way of the store's log. */
enum { LOOP_MICROSECONDS = 1000, LOOP_PATIENCE = 20000, BACKGROUND_PATIENCE = 2000000 };

#define ADVICE                                                                                     \
    "add a patient, a code, an identifier or a shorter time (explain=true shows what drives it), " \
    "or ask with Prefer: respond-async"

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
    med_search_scope scope = {r->type, r->id, MED_STR_EMPTY, MED_STR_EMPTY};
    bool compartment = r->level == MED_LEVEL_COMPARTMENT;
    med_search_options options = med_searchset_options(call);
    options.scope = compartment ? &scope : NULL;
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

/* What an operator or a client can do about the price, beside asking for less. */
static const char *why_costly(const med_fhir *f, const med_search *search)
{
    switch (med_search_lacks(search)) {
    case MED_LACKS_LISTS:
        return med_store_keeps_lists(f->store)
                   ? ", as the lists of words are still being made: ask again later, or"
                   : "";
    case MED_LACKS_LISTS_OF_ADDED:
        return ", as no lists of parts of words are made of a parameter that was added here";
    case MED_LACKS_NOTHING:
        break;
    }
    return "";
}

/* What the plan says it takes, asked once: a worker only runs what was found bearable. */
static bool check_price(med_call *call, const med_search *search, uint64_t cost, bool *long_one,
                        med_err *err)
{
    const med_fhir *f = call->fhir;
    *long_one = false;
    if (call->state != NULL)
        return true;
    call->state = call;
    *long_one = cost > LOOP_MICROSECONDS;
    if (f->search_cost == 0 || cost <= f->search_cost || call->request.background)
        return true;
    (void)MED_FAIL(
        err, MED_ISSUE_TOO_COSTLY,
        "this search would take about %lu ms, and may take %lu (fhir.search_cost)%s: " ADVICE,
        (unsigned long)(cost / 1000), (unsigned long)(f->search_cost / 1000),
        why_costly(f, search));
    return med_err_status(err, 403);
}

/* An answer that needs all matches (a total, an order) can not be given in parts. */
static bool run(const med_call *call, med_search *search, med_search_result *out, med_err *err)
{
    int64_t patience = call->request.background ? BACKGROUND_PATIENCE
                       : call->on_worker        ? (int64_t)call->fhir->page_time
                                                : LOOP_PATIENCE;
    if (patience > 0)
        med_search_bound(search, med_monotonic(&med_clock_system) + patience);
    if (med_search_end(call->fhir->schema, search, out, err))
        return true;
    if (err->issue == MED_ISSUE_TIMEOUT)
        (void)MED_FAIL(err, MED_ISSUE_TIMEOUT, "this search took longer than it may: " ADVICE);
    return false;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    med_pairs pairs;
    med_str page = MED_STR_EMPTY;
    const med_query *q;
    if (!check_form(call, err) || !med_searchset_parameters(call, &pairs, &page, err)
        || !parse(call, &pairs, &q, err))
        return MED_STEP_FAILED;
    bool long_one;
    uint64_t cost;
    med_search *search =
        med_search_begin(call->view, call->arena, q, med_searchset_place(page), &cost, err);
    if (search == NULL || !check_price(call, search, cost, &long_one, err))
        return MED_STEP_FAILED;
    if (!call->on_worker && long_one)
        return MED_STEP_AGAIN;
    med_search_result result = {0};
    med_query_view view = med_query_describe(q);
    if (!run(call, search, &result, err))
        return MED_STEP_FAILED;
    if (!call->on_worker && result.early)
        return MED_STEP_AGAIN;
    result.early = result.early && !call->request.background; /* no pages are seen of it */
    call->request.query = pairs;                              /* _pretty may stand in the form */
    if (!med_searchset_write(call, place_of(call), view.self, page, &view, &result, err))
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

/* Some clients ask so, though R4 has only POST there. */
const med_interaction med_interaction_search_type_get = {
    .name = "search-type",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "_search",
    .prepare = prepare,
};

const med_interaction med_interaction_search_system_get = {
    .name = "search-system",
    .method = MED_GET,
    .level = MED_LEVEL_SYSTEM,
    .operation = "_search",
    .prepare = prepare,
};
