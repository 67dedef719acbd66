/* perform.c - see perform.h. */
#include "fhir/perform.h"

#include "fhir/content.h"
#include "fhir/document_reference.h"
#include "fhir/outcome.h"

enum { NOTE_BYTES = 4 << 10 };
#define WITHOUT_MEMORY                                                                             \
    "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"warning\","                 \
    "\"code\":\"incomplete\",\"diagnostics\":\"stored; for the answer there was not enough "       \
    "memory\"}]}"

void med_performance_init(med_performance *p, med_call *call)
{
    *p = (med_performance){.call = call};
    call->change = &p->change;
    p->guard = (med_change_guard_arg){call->fhir, &p->change};
}

void med_call_fail(med_call *call, const med_err *err)
{
    med_fhir_response *r = &call->response;
    r->status = med_outcome_status(err, &call->problems);
    r->body = med_outcome_text(call->arena, err, &call->problems);
    r->content_type = MED_STR_EMPTY;
    r->is_outcome = true;
    r->failed = err->issue;
    r->etag = MED_STR_EMPTY;
    r->location = MED_STR_EMPTY;
    r->last_modified = 0;
}

/* 201 when all it did was to create one resource. */
static int stored_status(const med_call *call)
{
    const med_changeset *c = call->change;
    bool created = c != NULL && call->n_writes == 1 && call->write < c->n
                   && c->writes[call->write].outcome == MED_OUTCOME_CREATED;
    return created ? 201 : 200;
}

void med_call_stored(med_call *call, const med_err *err)
{
    med_buf buf;
    med_fhir_response *r = &call->response;
    r->status = stored_status(call);
    r->body = MED_STR(WITHOUT_MEMORY);
    r->content_type = MED_STR_EMPTY;
    r->native = false;
    r->is_outcome = true;
    med_buf_init(&buf, NOTE_BYTES);
    med_buf_printf(&buf, "stored, but the answer could not be made: %s", err->text);
    med_buf note;
    med_buf_init(&note, NOTE_BYTES);
    med_outcome_write_note(&note, "warning", MED_ISSUE_INCOMPLETE, med_buf_str(&buf));
    if (!buf.failed && !note.failed && !med_arena_copy(call->arena, med_buf_str(&note), &r->body))
        r->body = MED_STR(WITHOUT_MEMORY);
    med_buf_free(&note);
    med_buf_free(&buf);
}

static enum med_next fail(med_performance *p, const med_err *err)
{
    med_call_fail(p->call, err);
    return MED_NEXT_RESPOND;
}

static bool fill_commit(med_performance *p, med_err *err)
{
    med_call *call = p->call;
    med_commit *c = &p->commit;
    *c = (med_commit){.trace = MED_STR_EMPTY};
    c->writes = p->change.writes;
    c->n_writes = p->change.n;
    c->guard = p->change.n_conditions > 0 ? med_change_guard : NULL;
    c->guard_arg = &p->guard;
    c->check_references = call->fhir->check_references;
    c->epoch = call->fhir->epoch;
    p->guard.fhir = call->fhir;
    if (call->request.idempotency_key.len > 0 && !call->request.in_bundle) {
        c->idempotency = med_store_hash(call->fhir->store, call->request.idempotency_key);
        c->request_hash = med_content_hash(call);
    }
    return med_change_lock_keys(call->arena, call->fhir, &p->change, &c->lock_keys, &c->n_lock_keys,
                                err);
}

static enum med_next finish(med_performance *p)
{
    med_err err = {0};
    switch (p->call->interaction->finish(p->call, &err)) {
    case MED_STEP_OK:
        return MED_NEXT_RESPOND;
    case MED_STEP_AGAIN:
        return MED_NEXT_WORKER;
    case MED_STEP_FAILED:
        break;
    }
    if (!p->finishing)
        return fail(p, &err);
    med_call_stored(p->call, &err);
    return MED_NEXT_RESPOND;
}

/* Overtaken by another set of search parameters. */
static bool renew(med_performance *p, med_err *err)
{
    const med_fhir *f = p->call->fhir;
    if (f->newest == NULL)
        return true;
    f = f->newest(f->newest_arg, p->call->arena, err);
    if (f != NULL)
        p->call->fhir = f;
    return f != NULL;
}

/* What follows from the writes, then the commit. */
static enum med_next complete(med_performance *p)
{
    med_err err = {0};
    switch (med_document_reference_complete(p->call, &err)) {
    case MED_STEP_FAILED:
        return fail(p, &err);
    case MED_STEP_AGAIN:
        return MED_NEXT_WORKER;
    case MED_STEP_OK:
        break;
    }
    return fill_commit(p, &err) ? MED_NEXT_COMMIT : fail(p, &err);
}

static enum med_next prepare(med_performance *p)
{
    med_call *call = p->call;
    med_err err = {0};
    if (p->commit.stale && !renew(p, &err))
        return fail(p, &err);
    med_change_reset(&p->change);
    call->write = SIZE_MAX;
    call->n_writes = 0;
    call->problems = (med_problems){0};
    med_fhir_response_init(&call->response);
    if (!med_content_query(call, &err) || !med_content_read(call, &err))
        return fail(p, &err);
    call->wants_worker = false;
    switch (call->interaction->prepare(call, &err)) {
    case MED_STEP_FAILED:
        return call->wants_worker ? MED_NEXT_WORKER : fail(p, &err);
    case MED_STEP_AGAIN:
        return MED_NEXT_WORKER;
    case MED_STEP_OK:
        break;
    }
    if (p->change.n == 0)
        return call->response.status != 0 ? MED_NEXT_RESPOND : finish(p);
    return complete(p);
}

/* A condition, or a version that prepare rested on without the client's asking, has changed. */
static bool overtaken(const med_performance *p)
{
    return p->change.must_retry || p->commit.stale
           || (p->change.rests_on_versions && p->commit.err.issue == MED_ISSUE_CONFLICT);
}

/* Search parameters may have come or gone: who asks next is to find them known. */
static bool changes_parameters(const med_performance *p)
{
    const med_fhir *f = p->call->fhir;
    uint32_t type = 0;
    if (f->newest != NULL)
        type = med_schema_type(f->schema, med_pack_type(f->pack, MED_STR("SearchParameter")));
    for (size_t i = 0; type != 0 && i < p->change.n; i++) {
        if (p->change.writes[i].type == type)
            return true;
    }
    return false;
}

enum med_next med_perform_step(med_performance *p)
{
    med_err err = {0};
    if (p->finishing && changes_parameters(p)
        && p->call->fhir->newest(p->call->fhir->newest_arg, p->call->arena, &err) == NULL)
        MED_LOG(p->call->fhir->log, MED_LOG_WARN, "search parameters are looked at later",
                MED_LOG_TEXT("why", med_str_from(err.text)));
    return p->finishing ? finish(p) : prepare(p);
}

/* The key was used before: the answer is about the resources of then, found by their internal
 * ids, not about those just prepared. */
static bool recall(med_performance *p, med_err *err)
{
    for (size_t i = 0; i < p->change.n; i++) {
        med_write *w = &p->change.writes[i];
        med_stored s;
        enum med_found found = MED_ABSENT;
        if (w->rid != 0)
            found = med_view_by_rid(p->call->view, p->call->arena, w->rid, &s, err);
        if (found == MED_FAILED)
            return false;
        if (found == MED_FOUND)
            w->id = s.id;
        w->text = MED_STR_EMPTY; /* finish reads the version it names */
    }
    return true;
}

/* 500, never 503: a client that only waits and sends it again could store it twice. */
static void tell_unknown(const med_err *why, med_err *err)
{
    (void)MED_FAIL(
        err, MED_ISSUE_EXCEPTION,
        "it is unknown whether this was stored: ask, or send it again with If-None-Exist "
        "or the same Idempotency-Key (%.120s)",
        why->text);
}

enum med_next med_perform_committed(med_performance *p)
{
    med_commit *c = &p->commit;
    med_err err = {0};
    p->call->updated = c->updated;
    switch (c->state) {
    case MED_COMMIT_REPLAYED:
        p->finishing = true;
        if (recall(p, &c->err))
            return finish(p);
        med_call_stored(p->call, &c->err);
        return MED_NEXT_RESPOND;
    case MED_COMMIT_DONE:
        p->finishing = true;
        return changes_parameters(p) ? MED_NEXT_WORKER : finish(p);
    case MED_COMMIT_REFUSED:
        if (overtaken(p) && ++p->tries < MED_PREPARE_TRIES)
            return MED_NEXT_WORKER;
        break;
    case MED_COMMIT_UNKNOWN:
        tell_unknown(&c->err, &err);
        return fail(p, &err);
    }
    return fail(p, &c->err);
}

/* A view for one half of the call, blocking driver. */
static bool open_view(med_call *call, unsigned slot, med_err *err)
{
    enum { VIEW_SECONDS = 30, BACKGROUND_SECONDS = 600 };
    int64_t seconds = call->request.background ? BACKGROUND_SECONDS : VIEW_SECONDS;
    int64_t deadline = med_monotonic(call->fhir->clock) + seconds * INT64_C(1000000);
    call->slot = slot;
    call->view = med_store_view(call->fhir->store, slot, deadline, err);
    return call->view != NULL;
}

static void close_view(med_call *call)
{
    if (call->view != NULL)
        med_view_end(call->view);
    call->view = NULL;
}

void med_perform_abandon(med_performance *p, bool committed, const med_err *err)
{
    const med_commit *c = &p->commit;
    bool stored = c->state == MED_COMMIT_DONE || c->state == MED_COMMIT_REPLAYED;
    if (p->finishing || (committed && stored))
        med_call_stored(p->call, err);
    else
        med_call_fail(p->call, committed ? &c->err : err);
}

void med_perform_with(med_performance *p, med_call *call, unsigned slot)
{
    med_err err = {0};
    med_performance_init(p, call);
    call->on_worker = true;
    enum med_next next = MED_NEXT_WORKER;
    while (next != MED_NEXT_RESPOND) {
        bool committing = next == MED_NEXT_COMMIT;
        if (committing && !med_store_commit_wait(call->fhir->store, &p->commit, &err))
            next = fail(p, &err);
        else if (open_view(call, slot, &err))
            next = committing ? med_perform_committed(p) : med_perform_step(p);
        else {
            med_perform_abandon(p, committing, &err);
            next = MED_NEXT_RESPOND;
        }
        close_view(call);
    }
    call->change = NULL;
}

void med_perform(med_call *call, unsigned slot)
{
    med_performance p;
    med_perform_with(&p, call, slot);
}
