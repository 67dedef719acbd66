/* serve_http.c - see serve_http.h. */
#include "serve_http.h"

#include "base/datetime.h"
#include "fhir/content.h"
#include "fhir/outcome.h"
#include "fhir/perform.h"

static const med_str fhir_json = MED_LIT("application/fhir+json;charset=utf-8");
static const med_str fhir_xml = MED_LIT("application/fhir+xml;charset=utf-8");

med_str med_serve_fhir_path(const med_serve_config *c, med_str path)
{
    med_str rest = med_str_skip(path, c->base_path.len);
    return rest.len > 0 && rest.ptr[0] == '/' ? med_str_skip(rest, 1) : rest;
}

static bool is_fhir_path(const med_serve_config *c, med_str path)
{
    if (!med_str_starts(path, c->base_path))
        return false;
    return path.len == c->base_path.len || path.ptr[c->base_path.len] == '/';
}

/* ---- CORS: closed unless origins are configured ---- */

static bool origin_allowed(const med_serve_config *c, med_str origin)
{
    for (size_t i = 0; i < c->n_cors_origins; i++) {
        if (med_str_eqz(c->cors_origins[i], "*") || med_str_eq(c->cors_origins[i], origin))
            return true;
    }
    return false;
}

static void add_cors(const med_serve_config *c, med_http_exchange *x)
{
    med_str origin = med_request_header(x->request, "Origin");
    if (c->n_cors_origins == 0)
        return;
    (void)med_response_header(&x->response, "Vary", MED_STR("Origin"));
    if (origin.len == 0 || !origin_allowed(c, origin))
        return;
    (void)med_response_header(&x->response, "Access-Control-Allow-Origin", origin);
    (void)med_response_header(&x->response, "Access-Control-Expose-Headers",
                              MED_STR("Content-Location, ETag, Last-Modified, Location, "
                                      "Medulla-Position, X-Request-Id, Retry-After"));
}

static void answer_preflight(const med_serve_config *c, med_http_exchange *x)
{
    x->response.status = 204;
    add_cors(c, x);
    (void)med_response_header(&x->response, "Access-Control-Allow-Methods",
                              MED_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    (void)med_response_header(&x->response, "Access-Control-Allow-Headers",
                              MED_STR("Accept, Authorization, Cache-Control, Content-Type, "
                                      "If-Match, "
                                      "If-Modified-Since, If-None-Exist, If-None-Match, "
                                      "Idempotency-Key, Medulla-Position, Prefer, "
                                      "X-Request-Id"));
    (void)med_response_header(&x->response, "Access-Control-Max-Age", MED_STR("600"));
}

/* ---- pages that are not FHIR ---- */

static void answer_text(med_http_exchange *x, int status, med_str text)
{
    x->response.status = status;
    x->response.body = text;
    (void)med_response_header(&x->response, "Content-Type", MED_STR("text/plain; charset=utf-8"));
}

static void answer_ready(const med_serve_config *c, med_http_exchange *x)
{
    med_store_stats stats;
    med_store_glance(c->fhir->store, &stats);
    if (stats.failed)
        answer_text(x, 503,
                    MED_STR("store stopped after an I/O error; the process must restart\n"));
    else if (!stats.writable)
        answer_text(x, 503, MED_STR("read only: no space left for writes\n"));
    else
        answer_text(x, 200, MED_STR("ready\n"));
}

static void answer_not_found(const med_serve_config *c, med_http_exchange *x)
{
    med_err err = {0};
    (void)MED_FAIL(&err, MED_ISSUE_NOT_FOUND, "nothing is here; the FHIR base is %.*s",
                   MED_STR_ARG(c->base_path));
    x->response.status = 404;
    x->response.body = med_outcome_text(x->arena, &err, NULL);
    (void)med_response_header(&x->response, "Content-Type", fhir_json);
}

/* ---- what no handler saw ---- */

static enum med_issue issue_of_refusal(int status)
{
    switch (status) {
    case 405:
    case 417:
    case 501:
    case 505:
        return MED_ISSUE_NOT_SUPPORTED;
    case 408:
        return MED_ISSUE_TIMEOUT;
    case 413:
    case 414:
    case 431:
        return MED_ISSUE_TOO_LONG;
    case 503:
        return MED_ISSUE_TRANSIENT;
    default:
        return MED_ISSUE_INVALID;
    }
}

void med_serve_refusal(void *app, med_arena *arena, int status, med_str text, med_response *out)
{
    med_err err = {0};
    (void)app;
    (void)MED_FAIL(&err, issue_of_refusal(status), "%.*s", MED_STR_ARG(text));
    out->body = med_outcome_text(arena, &err, NULL);
    (void)med_response_header(out, "Content-Type", fhir_json);
}

bool med_serve_plain_page(const med_serve_config *c, med_http_exchange *x)
{
    med_str path = x->request->path;
    if (x->request->method == MED_OPTIONS && c->n_cors_origins > 0)
        answer_preflight(c, x);
    else if (is_fhir_path(c, path))
        return false;
    else if (med_str_eqz(path, "/health/live"))
        answer_text(x, 200, MED_STR("alive\n"));
    else if (med_str_eqz(path, "/health/ready"))
        answer_ready(c, x);
    else
        answer_not_found(c, x);
    return true;
}

/* ---- FHIR answers ---- */

static void pretty_body(med_call *call)
{
    med_json j;
    med_err err = {0};
    med_buf out;
    if (!med_json_parse(call->arena, call->response.body, &j, NULL, &err))
        return;
    med_buf_init(&out, MED_JSON_MAX_BYTES);
    med_json_write_pretty(&out, &j, 0);
    med_str text;
    if (!out.failed && med_arena_copy(call->arena, med_buf_str(&out), &text))
        call->response.body = text;
    med_buf_free(&out);
}

static void add_validators(med_http_exchange *x, const med_call *call)
{
    const med_fhir_response *r = &call->response;
    if (r->etag.len > 0)
        (void)med_response_header(&x->response, "ETag", r->etag);
    if (r->last_modified != 0) {
        char date[MED_HTTP_DATE_LEN];
        med_str kept;
        med_http_date_format(r->last_modified, date);
        if (med_arena_copy(x->arena, (med_str){date, sizeof date}, &kept))
            (void)med_response_header(&x->response, "Last-Modified", kept);
    }
}

static void add_location(const med_serve_config *c, med_http_exchange *x, const med_call *call)
{
    const med_fhir_response *r = &call->response;
    (void)c;
    if (r->location.len == 0)
        return;
    med_str url = med_arena_printf(x->arena, "%.*s/%.*s", MED_STR_ARG(call->fhir->base),
                                   MED_STR_ARG(r->location));
    if (r->status == 201)
        (void)med_response_header(&x->response, "Location", url);
    (void)med_response_header(&x->response, "Content-Location", url);
}

/* XML for who asked for it, also when the request failed before that was looked at. False: the
 * body stays JSON. */
static bool answer_in_xml(med_call *call)
{
    med_err err = {0};
    bool known = call->request.answer != MED_FORMAT_NONE || med_content_negotiate(call, &err);
    if (!known || call->request.answer != MED_FORMAT_XML)
        return false;
    err = (med_err){0};
    if (med_content_answer(call, &err))
        return true;
    if (call->interaction != NULL && call->interaction->writes && call->response.status < 300)
        med_call_stored(call, &err);
    else
        med_call_fail(call, &err);
    return false;
}

void med_serve_write_response(const med_serve_config *c, med_http_exchange *x, med_call *call)
{
    med_fhir_response *r = &call->response;
    med_shape shape = {0};
    med_err ignored = {0};
    bool json = r->content_type.len == 0;
    bool xml = json && r->body.len > 0 && answer_in_xml(call);
    if (json && !xml && r->body.len > 0 && med_content_shape(call, &shape, &ignored)
        && shape.pretty)
        pretty_body(call);
    x->response.status = r->status;
    x->response.body = r->body;
    if (r->body.len > 0)
        (void)med_response_header(&x->response, "Content-Type",
                                  xml    ? fhir_xml
                                  : json ? fhir_json
                                         : r->content_type);
    (void)med_response_header(&x->response, "Vary", MED_STR("Accept"));
    if (r->native) {
        (void)med_response_header(&x->response, "Content-Disposition", MED_STR("attachment"));
        (void)med_response_header(&x->response, "Content-Security-Policy",
                                  MED_STR("sandbox; default-src 'none'"));
    }
    add_validators(x, call);
    add_location(c, x, call);
    if (r->allow.len > 0)
        (void)med_response_header(&x->response, "Allow", r->allow);
    if (r->status == 503 || r->status == 429)
        (void)med_response_header(&x->response, "Retry-After",
                                  med_arena_printf(x->arena, "%u", c->retry_after_seconds));
    (void)med_response_header(&x->response, "X-Request-Id", x->request->id);
    add_cors(c, x);
}

/* ---- log ---- */

static const char *route_template(const med_call *call)
{
    switch (call->request.level) {
    case MED_LEVEL_SYSTEM:
        return "/";
    case MED_LEVEL_TYPE:
        return "/{type}";
    case MED_LEVEL_INSTANCE:
        return "/{type}/{id}";
    case MED_LEVEL_VERSION:
        return "/{type}/{id}/_history/{version}";
    case MED_LEVEL_COMPARTMENT:
        return "/{type}/{id}/{member}";
    }
    return "/";
}

void med_serve_log(const med_serve_config *c, const med_http_exchange *x, const med_call *call)
{
    const med_interaction *i = call->interaction;
    int64_t took = med_monotonic(c->http.clock) - x->received;
    enum med_log_level level = call->response.status >= 500 ? MED_LOG_WARN : MED_LOG_INFO;
    if (c->http.log == NULL || level > c->http.log->level)
        return;
    MED_LOG(c->http.log, level, "request", MED_LOG_TEXT("id", x->request->id),
            MED_LOG_TEXT("method", med_str_from(med_method_name(x->request->method))),
            MED_LOG_TEXT("route", med_str_from(route_template(call))),
            MED_LOG_TEXT("type", i != NULL ? call->request.type_name : MED_STR_EMPTY),
            MED_LOG_TEXT("interaction", med_str_from(i != NULL ? i->name : "none")),
            MED_LOG_INT("status", call->response.status), MED_LOG_INT("microseconds", took));
}
