/* transaction.c - https://hl7.org/fhir/R4/http.html#trules */
#include "fhir/transaction.h"

#include "fhir/change.h"
#include "fhir/content.h"
#include "fhir/document_identity.h"
#include "fhir/entries.h"
#include "fhir/links.h"
#include "fhir/perform.h"
#include "fhir/respond.h"
#include "fhir/validate_body.h"
#include "fhir/write.h"

#define PROBE_ARENA ((size_t)256 << 20)

typedef struct transaction {
    med_call *bundle;
    med_entries entries;
    med_links *links;    /* fullUrl -> Type/id */
    med_links *resolved; /* conditional reference -> Type/id */
    med_links *new_ones; /* conditions that nothing matches yet: whoever has one creates */
    med_links *written;  /* Type/id of every write -> "deleted", or empty */
} transaction;

/* ---- targets: which resource each entry is about ---- */

static med_str target_of(const transaction *t, med_str type, med_str id)
{
    return med_arena_printf(t->bundle->arena, "%.*s/%.*s", MED_STR_ARG(type), MED_STR_ARG(id));
}

/* POST with ifNoneExist, PUT by query: the match if there is one; a new id otherwise. */
static bool resolve_condition(med_call *call, const med_pairs *query, med_err *err)
{
    med_match *matches;
    size_t n;
    bool create = call->request.method == MED_POST;
    if (!med_change_condition(call, call->request.type, query, 2, &matches, &n, err))
        return false;
    if (n > 1)
        return MED_FAIL(err, MED_ISSUE_MULTIPLE_MATCHES, "the condition matches several resources");
    call->request.resolved = true;
    if (n == 1) {
        call->request.id = matches[0].id;
        return !create || med_respond_existing(call, &matches[0], err);
    }
    uint32_t own =
        create ? 0 : med_json_member(call->request.json, call->request.root, MED_STR("id"));
    if (own != 0 && med_json_kind_at(call->request.json, own) == MED_JSON_STRING) {
        call->request.id = med_json_raw(call->request.json, own);
        return true;
    }
    return med_write_new_id(call, err);
}

/* What is created: a document that is stored already is that one. */
static bool find_created(med_call *call, med_err *err)
{
    med_fhir_request *r = &call->request;
    med_pairs query;
    bool known = false;
    if (r->if_none_exist.len > 0
        && (!med_query_parse(call->arena, r->if_none_exist, &query, err)
            || !resolve_condition(call, &query, err)))
        return false;
    if (call->response.status != 0)
        return true;
    if (!med_document_find_known(call, &known, err))
        return false;
    r->resolved = true;
    return known || med_write_new_id(call, err);
}

/* Two that create what their one condition does not find would make two of it. */
static bool is_first_with(transaction *t, const med_call *call, size_t conditions, med_err *err)
{
    const med_changeset *c = call->change;
    if (c->n_conditions == conditions || c->conditions[conditions].n_expected > 0)
        return true;
    med_str query = med_query_describe(c->conditions[conditions].query).self;
    med_str key = med_arena_printf(call->arena, "%.*s?%.*s", MED_STR_ARG(call->request.type_name),
                                   MED_STR_ARG(query));
    if (key.len == 0)
        return MED_FAIL_MEMORY(err);
    if (med_links_add(t->new_ones, key, MED_STR_EMPTY))
        return true;
    (void)MED_FAIL(err, MED_ISSUE_DUPLICATE,
                   "an entry before has the same condition, and nothing matches it yet: both would "
                   "create");
    return med_err_status(err, 400);
}

static bool find_target(med_call *call, med_err *err)
{
    med_fhir_request *r = &call->request;
    if (r->operation.len > 0)
        return true;
    if (r->method == MED_POST)
        return find_created(call, err);
    if (r->method == MED_PUT && r->level == MED_LEVEL_TYPE)
        return resolve_condition(call, &r->query, err);
    return true;
}

static bool add_link(transaction *t, const med_entry *e, med_err *err)
{
    const med_fhir_request *r = &e->call.request;
    bool names = (r->method == MED_POST || r->method == MED_PUT) && r->operation.len == 0;
    if (!names || e->full_url.len == 0)
        return true;
    med_str target = target_of(t, r->type_name, r->id);
    if (target.len == 0)
        return MED_FAIL_MEMORY(err);
    if (med_links_add(t->links, e->full_url, target))
        return true;
    return MED_FAIL(err, MED_ISSUE_DUPLICATE, "two entries have the same fullUrl");
}

/* ---- links ---- */

static bool resolve_reference(void *arg, med_str text, med_str *target, med_err *err)
{
    transaction *t = arg;
    med_call *bundle = t->bundle;
    const med_str *known = med_links_find(t->resolved, text);
    med_pairs query;
    med_match *matches;
    size_t n;
    med_str raw, name = med_str_cut(text, '?', &raw);
    if (known != NULL) {
        *target = *known;
        return true;
    }
    med_type type = med_pack_type(bundle->fhir->pack, name);
    if (type == MED_TYPE_NONE || med_type_kind_of(bundle->fhir->pack, type) != MED_TYPE_RESOURCE)
        return MED_FAIL(err, MED_ISSUE_VALUE,
                        "a conditional reference begins with a resource type");
    if (!med_query_parse(bundle->arena, raw, &query, err)
        || !med_change_condition(bundle, type, &query, 2, &matches, &n, err))
        return false;
    if (n != 1) {
        (void)MED_FAIL(err, n == 0 ? MED_ISSUE_NOT_FOUND : MED_ISSUE_MULTIPLE_MATCHES,
                       "a conditional reference to a %.*s matches %s resource", MED_STR_ARG(name),
                       n == 0 ? "no" : "more than one");
        return med_err_status(err, 412);
    }
    *target = target_of(t, name, matches[0].id);
    return med_links_add(t->resolved, text, *target) ? true : MED_FAIL_MEMORY(err);
}

static bool rewrite(transaction *t, med_entry *e, med_err *err)
{
    med_fhir_request *r = &e->call.request;
    med_str text;
    bool changed;
    if (e->resource == 0)
        return true;
    if (!med_links_rewrite(t->bundle->arena, t->bundle->fhir->pack, t->links, r->json, r->root,
                           e->full_url, resolve_reference, t, &text, &changed, err))
        return false;
    if (!changed)
        return true;
    med_json *j = MED_TAKE(t->bundle->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    r->json = j;
    r->root = 0;
    return med_json_parse(t->bundle->arena, text, j, NULL, err);
}

/* What a patch says of other entries is known when it has been applied. */
static bool link_patched(void *arg, med_str text, med_str *out, med_err *err)
{
    med_json j;
    bool changed;
    transaction *t = arg;
    const med_call *b = t->bundle;
    *out = text;
    return med_json_parse(b->arena, text, &j, NULL, err)
           && med_links_rewrite(b->arena, b->fhir->pack, t->links, &j, 0, MED_STR_EMPTY,
                                resolve_reference, t, out, &changed, err);
}

/* ---- phases ---- */

static int phase_of(enum med_method method)
{
    switch (method) {
    case MED_DELETE:
        return 0;
    case MED_POST:
        return 1;
    case MED_PUT:
    case MED_PATCH:
        return 2;
    case MED_GET:
    case MED_HEAD:
    case MED_OPTIONS:
        break;
    }
    return 3;
}
enum { WRITE_PHASES = 3 };

/* Runs `step` on every entry; the first failure is the transaction's, with its place. */
static bool for_entries(transaction *t, bool (*step)(transaction *t, med_entry *e, med_err *err),
                        med_err *err)
{
    for (size_t i = 0; i < t->entries.n; i++) {
        if (step(t, &t->entries.at[i], err))
            continue;
        med_entry_locate(&t->entries, i, err);
        return false;
    }
    return true;
}

static bool begin_entry(transaction *t, med_entry *e, med_err *err)
{
    e->call.change = t->bundle->change;
    e->call.view = t->bundle->view;
    e->call.slot = t->bundle->slot;
    e->call.request.checked = true;
    e->call.link = link_patched;
    e->call.link_arg = t;
    if (e->err.issue != MED_ISSUE_NONE) {
        *err = e->err;
        return false;
    }
    size_t conditions = e->call.change->n_conditions;
    return med_content_query(&e->call, err) && find_target(&e->call, err)
           && is_first_with(t, &e->call, conditions, err) && add_link(t, e, err);
}

static bool prepare_entry(med_entry *e, med_err *err)
{
    if (e->call.response.status != 0)
        return true; /* ifNoneExist found it */
    enum med_step step = e->call.interaction->prepare(&e->call, err);
    if (step == MED_STEP_AGAIN)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                        "this interaction can not be part of a transaction");
    return step == MED_STEP_OK;
}

static bool prepare_writes(transaction *t, med_err *err)
{
    for (int phase = 0; phase < WRITE_PHASES; phase++) {
        for (size_t i = 0; i < t->entries.n; i++) {
            med_entry *e = &t->entries.at[i];
            if (phase_of(e->call.request.method) != phase || !e->call.interaction->writes)
                continue;
            if (prepare_entry(e, err))
                continue;
            t->bundle->problems = e->call.problems;
            med_entry_locate(&t->entries, i, err);
            return false;
        }
    }
    return true;
}

/* No resource may be the target of two writes. */
static bool refuse_duplicates(transaction *t, med_err *err)
{
    const med_changeset *c = t->bundle->change;
    const med_fhir *f = t->bundle->fhir;
    t->written = med_links_new(t->bundle->arena, c->n);
    if (t->written == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < c->n; i++) {
        const med_write *w = &c->writes[i];
        med_str type = med_type_name(f->pack, med_schema_pack_type(f->schema, w->type));
        med_str target = target_of(t, type, w->id);
        if (target.len == 0)
            return MED_FAIL_MEMORY(err);
        if (!med_links_add(t->written, target,
                           w->kind == MED_WRITE_DELETE ? MED_STR("deleted") : MED_STR_EMPTY)) {
            (void)MED_FAIL(err, MED_ISSUE_DUPLICATE,
                           "two entries of the transaction write the same %.*s", MED_STR_ARG(type));
            return med_err_status(err, 400);
        }
    }
    return true;
}

/* A read that fails fails all, as R4 has it, and must do so before anything is written: so it is
 * tried on what there is. What this transaction writes is there when it is read. */
static bool try_read(transaction *t, const med_entry *e, med_err *err)
{
    const med_fhir_request *r = &e->call.request;
    const med_str *written =
        r->id.len == 0 ? NULL : med_links_find(t->written, target_of(t, r->type_name, r->id));
    if (written != NULL)
        return written->len == 0
               || MED_FAIL(err, MED_ISSUE_DELETED, "this %.*s is deleted by another entry",
                           MED_STR_ARG(r->type_name));
    med_call probe = e->call;
    probe.arena = med_arena_new(PROBE_ARENA);
    if (probe.arena == NULL)
        return MED_FAIL_MEMORY(err);
    enum med_step step = probe.interaction->prepare(&probe, err);
    if (step == MED_STEP_AGAIN)
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "this interaction can not be part of a transaction");
    if (step != MED_STEP_OK) /* what it says of a place lies in the arena that ends */
        (void)med_err_at(err, MED_STR_EMPTY);
    med_arena_free(probe.arena);
    return step == MED_STEP_OK;
}

static bool try_reads(transaction *t, med_entry *e, med_err *err)
{
    return e->call.interaction->writes || try_read(t, e, err);
}

static bool prepare(transaction *t, med_err *err)
{
    med_call *bundle = t->bundle;
    if (!med_validate_body(bundle, "the Bundle is", err)
        || !med_entries_read(bundle, &t->entries, err))
        return false;
    t->links = med_links_new(bundle->arena, t->entries.n);
    t->resolved = med_links_new(bundle->arena, t->entries.n * 8);
    t->new_ones = med_links_new(bundle->arena, t->entries.n);
    if (t->links == NULL || t->resolved == NULL || t->new_ones == NULL)
        return MED_FAIL_MEMORY(err);
    return for_entries(t, begin_entry, err) && for_entries(t, rewrite, err)
           && prepare_writes(t, err) && refuse_duplicates(t, err) && for_entries(t, try_reads, err);
}

enum med_step med_transaction_prepare(med_call *bundle, med_err *err)
{
    transaction *t = MED_TAKE(bundle->arena, 1, transaction);
    if (t == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_STEP_FAILED;
    }
    t->bundle = bundle;
    bundle->state = t;
    return prepare(t, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

/* ---- after the commit ---- */

static void finish_entry(transaction *t, med_entry *e)
{
    med_err err = {0};
    med_call *call = &e->call;
    call->view = t->bundle->view;
    call->updated = t->bundle->updated;
    enum med_step step = MED_STEP_OK;
    if (!call->interaction->writes)
        step = call->interaction->prepare(call, &err);
    else if (call->response.status == 0)
        step = call->interaction->finish(call, &err);
    if (step == MED_STEP_OK)
        return;
    if (step == MED_STEP_AGAIN)
        (void)MED_FAIL(&err, MED_ISSUE_NOT_SUPPORTED,
                       "this interaction can not be part of a transaction");
    if (call->interaction->writes)
        med_call_stored(call, &err);
    else
        med_call_fail(call, &err);
}

enum med_step med_transaction_finish(med_call *bundle, med_err *err)
{
    transaction *t = bundle->state;
    for (size_t i = 0; i < t->entries.n; i++)
        finish_entry(t, &t->entries.at[i]);
    return med_entries_respond(bundle, &t->entries, "transaction-response", err) ? MED_STEP_OK
                                                                                 : MED_STEP_FAILED;
}
