/* serve_async.c - https://hl7.org/fhir/R4/async.html */
#include "serve_async.h"

#include "base/datetime.h"
#include "fhir/outcome.h"
#include "fhir/perform.h"

#define STATUS "_async/"

bool med_async_is_status(med_str path)
{
    return med_str_starts(path, MED_STR(STATUS));
}

static void accepted(med_http_exchange *x, med_call *call, const char *said)
{
    med_buf note;
    med_buf_init(&note, 4096);
    med_outcome_write_note(&note, "information", MED_ISSUE_INFORMATIONAL, med_str_from(said));
    if (note.failed || !med_arena_copy(call->arena, med_buf_str(&note), &call->response.body))
        call->response.body = MED_STR_EMPTY;
    med_buf_free(&note);
    call->response.status = 202;
    call->response.is_outcome = true;
    (void)x;
}

void med_async_begin(med_jobs *j, med_http_exchange *x, med_call *call, med_str path)
{
    med_str id;
    med_err err = {0};
    if (!med_jobs_begin(j, call, path, x->request->query, &id, &err)) {
        med_call_fail(call, &err);
        return;
    }
    accepted(x, call, "accepted: ask the address in Content-Location how far it is");
    call->response.location = med_arena_printf(call->arena, STATUS "%.*s", MED_STR_ARG(id));
}

static void answer_done(med_http_exchange *x, med_call *call, const med_job_view *view)
{
    char date[MED_HTTP_DATE_LEN];
    med_str kept;
    med_http_date_format(view->expires, date);
    if (med_arena_copy(x->arena, (med_str){date, sizeof date}, &kept))
        (void)med_response_header(&x->response, "Expires", kept);
    call->response.status = view->status;
    call->response.body = view->body;
    call->response.is_outcome = view->status != 200;
}

static bool look(med_jobs *j, med_http_exchange *x, med_call *call, med_str id, med_err *err)
{
    med_job_view view;
    if (!med_jobs_look(j, call, id, &view, err))
        return false;
    if (view.done) {
        answer_done(x, call, &view);
        return true;
    }
    accepted(x, call, "under way");
    (void)med_response_header(&x->response, "X-Progress", view.progress);
    (void)med_response_header(&x->response, "Retry-After", MED_STR("1"));
    return true;
}

void med_async_status(med_jobs *j, med_http_exchange *x, med_call *call, med_str path)
{
    med_err err = {0};
    bool ok = false;
    med_str id = med_str_skip(path, sizeof STATUS - 1);
    switch (x->request->method) {
    case MED_GET:
    case MED_HEAD:
        ok = look(j, x, call, id, &err);
        break;
    case MED_DELETE:
        ok = med_jobs_drop(j, call, id, &err);
        if (ok)
            accepted(x, call, "cancelled and forgotten");
        break;
    case MED_POST:
    case MED_PUT:
    case MED_PATCH:
    case MED_OPTIONS:
        ok = MED_FAIL(&err, MED_ISSUE_NOT_SUPPORTED,
                      "this method is not possible here; possible: GET, HEAD, DELETE")
             || med_err_status(&err, 405);
        call->response.allow = MED_STR("GET, HEAD, DELETE");
        break;
    }
    if (!ok) {
        med_str allow = call->response.allow;
        med_call_fail(call, &err);
        call->response.allow = allow;
    }
}
