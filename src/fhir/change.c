/* change.c - https://hl7.org/fhir/R4/http.html#cond-update */
#include "fhir/change.h"

#include "fhir/document.h"
#include "fhir/resource_text.h"
#include "fhir/search_parameter.h"
#include "fhir/validate_body.h"

enum { FIRST_ROOM = 4, GUARD_ARENA = 8 << 20 };

med_write *med_change_add(med_call *call)
{
    med_changeset *c = call->change;
    med_write *more = MED_GROW(call->arena, c->writes, c->n, &c->room, FIRST_ROOM);
    if (more == NULL)
        return NULL;
    c->writes = more;
    if (call->write == SIZE_MAX)
        call->write = c->n;
    call->n_writes++;
    c->writes[c->n] =
        (med_write){.id = MED_STR_EMPTY, .text = MED_STR_EMPTY, .packed = MED_STR_EMPTY};
    return &c->writes[c->n++]; /* a slot may have been used by an earlier try */
}

static med_search_options search_options(const med_call *call)
{
    return (med_search_options){
        .strict = true,
        .base = call->fhir->base,
        .zone_minutes = call->fhir->zone_minutes,
        .now = med_now(call->fhir->clock),
        .default_count = call->fhir->default_count,
        .max_count = call->fhir->max_count,
    };
}

static bool remember(med_call *call, struct med_condition condition)
{
    med_changeset *c = call->change;
    struct med_condition *more =
        MED_GROW(call->arena, c->conditions, c->n_conditions, &c->room_conditions, FIRST_ROOM);
    if (more == NULL)
        return false;
    c->conditions = more;
    c->conditions[c->n_conditions++] = condition;
    return true;
}

bool med_change_condition(med_call *call, med_type type, const med_pairs *query, size_t limit,
                          med_match **matches, size_t *n, med_err *err)
{
    const med_search_schema *s = call->fhir->schema;
    med_search_options options = search_options(call);
    const med_query *q;
    if (!med_query_parse_search(s, call->arena, type, query, true, &options, &q, err))
        return false;
    if (med_query_is_empty(q)) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                       "a conditional interaction needs a search condition");
        return med_err_status(err, 412);
    }
    if (!med_search_match(s, call->view, call->arena, q, limit, matches, n, err))
        return false;
    struct med_condition condition = {q, *matches, *n, limit};
    return remember(call, condition) ? true : MED_FAIL_MEMORY(err);
}

/* The rows of what is stored: with another meta that is not what was sent. */
static bool extract_rows(med_call *call, bool new_meta, med_write *w, med_err *err)
{
    const med_fhir *f = call->fhir;
    const med_fhir_request *r = &call->request;
    med_json stored;
    if (!new_meta)
        return med_extract(f->schema, call->arena, r->json, r->root, r->type, w->id, f->base,
                           &w->rows, err);
    return med_json_parse(call->arena, w->text, &stored, NULL, err)
           && med_extract(f->schema, call->arena, &stored, 0, r->type, w->id, f->base, &w->rows,
                          err);
}

bool med_change_put(med_call *call, med_str id, const med_str *meta, med_write **out, med_err *err)
{
    const med_fhir *f = call->fhir;
    const med_fhir_request *r = &call->request;
    if (!r->checked && !med_validate_body(call, "the resource is", err))
        return false;
    if (med_str_eqz(r->type_name, "SearchParameter") && !med_search_parameter_check(call, id, err))
        return false;
    med_write *w = med_change_add(call);
    if (w == NULL)
        return MED_FAIL_MEMORY(err);
    w->kind = MED_WRITE_PUT;
    w->type = med_schema_type(f->schema, r->type);
    w->id = id;
    *out = w;
    return med_resource_store_text(call->arena, r->json, r->root, id, meta, &w->text, err)
           && med_document_check_write(call, w, err) && extract_rows(call, meta != NULL, w, err)
           && med_store_prepare(f->store, call->arena, w, err);
}

bool med_change_put_text(med_call *call, const med_stored *s, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_json j;
    med_write *w = med_change_add(call);
    if (w == NULL)
        return MED_FAIL_MEMORY(err);
    w->kind = MED_WRITE_PUT;
    w->type = s->type;
    w->id = s->id;
    w->text = s->text;
    w->expect = MED_EXPECT_VERSION;
    w->expect_version = s->version;
    call->change->rests_on_versions = true;
    return med_json_parse(call->arena, s->text, &j, NULL, err)
           && med_extract(f->schema, call->arena, &j, 0, med_schema_pack_type(f->schema, s->type),
                          s->id, f->base, &w->rows, err)
           && med_store_prepare(f->store, call->arena, w, err);
}

static bool still_holds(const struct med_condition *c, const med_match *now, size_t n)
{
    if (n != c->n_expected)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (now[i].rid != c->expected[i].rid)
            return false;
    }
    return true;
}

bool med_change_guard(void *arg, med_view *view, med_err *err)
{
    const med_change_guard_arg *g = arg;
    if (g->change->n_conditions == 0)
        return true;
    med_arena *a = med_arena_new(GUARD_ARENA);
    if (a == NULL)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no memory to check the conditions");
    bool ok = true;
    for (size_t i = 0; ok && i < g->change->n_conditions; i++) {
        const struct med_condition *c = &g->change->conditions[i];
        med_match *now;
        size_t n;
        ok = med_search_match(g->fhir->schema, view, a, c->query, c->limit, &now, &n, err);
        if (ok && !still_holds(c, now, n)) {
            g->change->must_retry = true;
            ok = MED_FAIL(err, MED_ISSUE_CONFLICT, "a condition changed while the request ran");
        }
    }
    med_arena_free(a);
    return ok;
}

bool med_change_lock_keys(med_arena *a, const med_fhir *fhir, const med_changeset *change,
                          const uint64_t **keys, size_t *n, med_err *err)
{
    uint64_t *all = MED_TAKE(a, change->n_conditions, uint64_t);
    if (all == NULL)
        return MED_FAIL_MEMORY(err);
    for (size_t i = 0; i < change->n_conditions; i++)
        all[i] = med_store_hash(fhir->store, med_query_describe(change->conditions[i].query).self);
    *keys = all;
    *n = change->n_conditions;
    return true;
}

void med_change_reset(med_changeset *change)
{
    change->n = 0;
    change->n_conditions = 0;
    change->must_retry = false;
    change->rests_on_versions = false;
}
