/* loader_bundle.c - see loader_bundle.h. */
#include "loader_bundle.h"

#include "fhir/document.h"
#include "fhir/interactions.h"
#include "fhir/perform.h"

/* ---- a request of its own ---- */

/* With the text at hand, as over HTTP. */
static void begin_request(const med_call *call, const med_interaction *interaction,
                          enum med_method method, enum med_level level, med_call *out)
{
    med_call_init(out, call->fhir, call->arena);
    out->on_worker = true;
    out->enforce = call->enforce;
    out->refusable = call->refusable;
    out->interaction = interaction;
    out->request = call->request;
    out->request.method = method;
    out->request.level = level;
    out->request.prefer = MED_RETURN_MINIMAL;
}

static bool is_store_s_fault(med_store *store, int status)
{
    med_store_stats stats;
    med_store_count(store, &stats);
    return status == 503 || status == 507 || (status == 500 && stats.failed);
}

/* MED_LOADER_RAN whatever the answer is, unless it is the store's fault. */
static enum med_loader_ran run_request(const med_loader_bundle *b, med_call *call,
                                       med_call *request, med_performance *done, med_err *err)
{
    med_perform_with(done, request, call->slot);
    call->problems = request->problems;
    if (!is_store_s_fault(b->store, request->response.status))
        return MED_LOADER_RAN;
    (void)MED_FAIL(err, MED_ISSUE_TRANSIENT, "the store takes no writes (status %d)",
                   request->response.status);
    return MED_LOADER_STOPPED;
}

/* ---- documents ---- */

bool med_loader_is_document(const med_call *call)
{
    return med_document_is(call->request.json, call->request.root);
}

static bool refuse_document(const med_call *put, med_err *err)
{
    med_json answer;
    uint32_t why = med_json_parse(put->arena, put->response.body, &answer, NULL, err)
                       ? med_json_member(&answer, 0, MED_STR("issue"))
                       : 0;
    why = why == 0 ? 0 : med_json_member(&answer, why + 1, MED_STR("diagnostics"));
    return MED_FAIL(
        err, MED_ISSUE_PROCESSING, "the document was refused: %.*s",
        MED_STR_ARG(why == 0 ? MED_STR("no reason was given") : med_json_raw(&answer, why)));
}

enum med_loader_ran med_loader_keep_document(const med_loader_bundle *b, med_call *call,
                                             med_err *err)
{
    med_call put;
    med_performance done;
    bool has_id = call->request.id.len > 0;
    begin_request(call, has_id ? &med_interaction_update : &med_interaction_create,
                  has_id ? MED_PUT : MED_POST, has_id ? MED_LEVEL_INSTANCE : MED_LEVEL_TYPE, &put);
    enum med_loader_ran ran = run_request(b, call, &put, &done, err);
    if (ran != MED_LOADER_RAN)
        return ran;
    if (put.response.status >= 300)
        return refuse_document(&put, err) ? MED_LOADER_RAN : MED_LOADER_REFUSED;
    med_tally_writes(b->tally, &done.change);
    if (done.change.n > 0)
        return MED_LOADER_RAN;
    pthread_mutex_lock(&b->tally->lock); /* it was known */
    med_tally_type(b->tally, med_schema_type(call->fhir->schema, call->request.type))->unchanged++;
    b->tally->counts.resources++;
    pthread_mutex_unlock(&b->tally->lock);
    return MED_LOADER_RAN;
}

/* ---- requests: what became of the entries ---- */

/* The type of an entry's target: of its resource, else of its request's address. */
static uint32_t entry_type(const med_call *call, uint32_t entry)
{
    med_str rest, name = MED_STR_EMPTY;
    const med_json *j = call->request.json;
    uint32_t resource = med_json_path(j, entry, "resource.resourceType");
    uint32_t url = med_json_path(j, entry, "request.url");
    if (resource != 0)
        name = med_json_raw(j, resource);
    else if (url != 0)
        name = med_str_cut(med_str_cut(med_json_raw(j, url), '?', &rest), '/', &rest);
    med_type t = med_pack_type(call->fhir->pack, name);
    return t == MED_TYPE_NONE ? 0 : med_schema_type(call->fhir->schema, t);
}

static bool is_method(const med_json *j, uint32_t entry, const char *method)
{
    uint32_t node = med_json_path(j, entry, "request.method");
    return node != 0 && med_json_string_is(j, node, med_str_from(method));
}

/* The id in "BASE/Type/ID/_history/2". */
static med_str id_in_location(med_str location)
{
    size_t end = med_str_search(location, MED_STR("/_history/"), 0);
    size_t from = end;
    while (from > 0 && location.ptr[from - 1] != '/')
        from--;
    return med_str_sub(location, from, end);
}

/* A 200 for a PUT does not tell whether anything was changed; the commit knows. */
static bool was_unchanged(const med_changeset *writes, uint32_t type, med_str id)
{
    for (size_t i = 0; i < writes->n; i++) {
        const med_write *w = &writes->writes[i];
        if (w->outcome == MED_OUTCOME_UNCHANGED && w->type == type && med_str_eq(w->id, id))
            return true;
    }
    return false;
}

typedef struct entry_count {
    const med_loader_bundle *b;
    const med_call *call;
    const med_changeset *writes;
    const med_json *answer;
} entry_count;

static uint64_t *counter_of(const entry_count *c, med_loader_type *t, uint32_t type, uint32_t entry,
                            uint32_t answered, med_str status)
{
    const med_json *j = c->call->request.json;
    uint32_t location = med_json_path(c->answer, answered, "response.location");
    if (med_str_starts(status, MED_STR("201")))
        return &t->created;
    if (is_method(j, entry, "DELETE"))
        return &t->deleted;
    if (is_method(j, entry, "POST"))
        return &t->unchanged; /* If-None-Exist found it, or an earlier import made it */
    if (location != 0
        && was_unchanged(c->writes, type, id_in_location(med_json_raw(c->answer, location))))
        return &t->unchanged;
    return &t->updated;
}

static void count_entry(const entry_count *c, uint32_t entry, uint32_t answered)
{
    const med_json *j = c->call->request.json;
    med_loader_tally *tally = c->b->tally;
    uint32_t type = entry_type(c->call, entry);
    uint32_t node = med_json_path(c->answer, answered, "response.status");
    med_str status = node == 0 ? MED_STR_EMPTY : med_json_raw(c->answer, node);
    if (status.len > 0 && status.ptr[0] >= '4') { /* of a batch */
        med_tally_reject(tally, c->b->source, c->b->line,
                         med_arena_printf(c->call->arena, "the entry was refused with status %.*s",
                                          MED_STR_ARG(status)),
                         type, med_json_span(j, entry));
        return;
    }
    if (is_method(j, entry, "GET") || is_method(j, entry, "HEAD"))
        return;
    pthread_mutex_lock(&tally->lock);
    ++*counter_of(c, med_tally_type(tally, type), type, entry, answered, status);
    tally->counts.resources++;
    pthread_mutex_unlock(&tally->lock);
}

/* Answers stand in the order of the entries. */
static bool count_entries(const med_loader_bundle *b, const med_call *call,
                          const med_performance *done, med_err *err)
{
    med_json answer;
    const med_json *j = call->request.json;
    entry_count c = {.b = b, .call = call, .writes = &done->change, .answer = &answer};
    if (!med_json_parse(call->arena, done->call->response.body, &answer, NULL, err))
        return false;
    uint32_t asked = med_json_member(j, call->request.root, MED_STR("entry"));
    uint32_t given = med_json_member(&answer, 0, MED_STR("entry"));
    if (asked == 0 || given == 0)
        return true;
    uint32_t g = given + 1;
    for (uint32_t e = asked + 1; e < j->nodes[asked].next && g < answer.nodes[given].next;
         e = j->nodes[e].next, g = answer.nodes[g].next)
        count_entry(&c, e, g);
    return true;
}

bool med_loader_is_request(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    uint32_t type = med_json_member(r->json, r->root, MED_STR("type"));
    med_str text = type == 0 ? MED_STR_EMPTY : med_json_raw(r->json, type);
    return med_str_eqz(text, "transaction") || med_str_eqz(text, "batch");
}

enum med_loader_ran med_loader_run(const med_loader_bundle *b, med_call *call, med_err *err)
{
    med_call post;
    med_performance done;
    begin_request(call, &med_interaction_bundle, MED_POST, MED_LEVEL_SYSTEM, &post);
    post.request.type = MED_TYPE_NONE;
    enum med_loader_ran ran = run_request(b, call, &post, &done, err);
    if (ran != MED_LOADER_RAN)
        return ran;
    if (post.response.status != 200)
        (void)MED_FAIL(err, MED_ISSUE_PROCESSING, "the Bundle was refused with status %d",
                       post.response.status);
    return post.response.status == 200 && count_entries(b, call, &done, err) ? MED_LOADER_RAN
                                                                             : MED_LOADER_REFUSED;
}
