/* entries.c - https://hl7.org/fhir/R4/bundle.html#bundle-types */
#include "fhir/entries.h"

#include <stdio.h>

#include "base/datetime.h"
#include "fhir/bundle.h"
#include "fhir/interactions.h"
#include "fhir/route.h"
#include "http/message.h"

static med_str member(const med_call *bundle, uint32_t object, const char *key)
{
    const med_json *j = bundle->request.json;
    uint32_t node = object == 0 ? 0 : med_json_member(j, object, med_str_from(key));
    med_str text;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING
        || !med_json_string(bundle->arena, j, node, &text))
        return MED_STR_EMPTY;
    return text;
}

static bool read_method(med_str name, enum med_method *out, med_err *err)
{
    static const enum med_method methods[] = {MED_GET, MED_HEAD,  MED_POST,
                                              MED_PUT, MED_PATCH, MED_DELETE};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (med_str_eqz(name, med_method_name(methods[i]))) {
            *out = methods[i];
            return true;
        }
    }
    return MED_FAIL(err, MED_ISSUE_VALUE,
                    "request.method must be GET, HEAD, POST, PUT, PATCH or DELETE");
}

/* The path and query of request.url, which may begin with this server's base, but no other. */
static bool split_url(const med_call *bundle, med_str url, med_str *path, med_str *query,
                      med_err *err)
{
    med_str base = bundle->fhir->base;
    if (med_str_starts(url, base) && url.len > base.len && url.ptr[base.len] == '/')
        url = med_str_skip(url, base.len + 1);
    else if (url.len > 0 && url.ptr[0] == '/')
        url = med_str_skip(url, 1);
    *path = med_str_cut(url, '?', query);
    if (med_str_search(*path, MED_STR("://"), 0) == path->len)
        return true;
    return MED_FAIL(err, MED_ISSUE_INVALID,
                    "request.url names another server: write what follows the base, Type/id");
}

static void read_conditions(const med_call *bundle, uint32_t request, med_fhir_request *r)
{
    r->if_match = member(bundle, request, "ifMatch");
    r->if_none_match = member(bundle, request, "ifNoneMatch");
    r->if_none_exist = member(bundle, request, "ifNoneExist");
    r->if_modified_since = member(bundle, request, "ifModifiedSince");
    if (r->if_none_exist.len > 0 && r->if_none_exist.ptr[0] == '?')
        r->if_none_exist = med_str_skip(r->if_none_exist, 1);
    r->prefer = bundle->request.prefer;
    r->strict = bundle->request.strict;
    r->in_bundle = true;
}

static bool needs_resource(enum med_method method, const med_fhir_request *r)
{
    return (method == MED_PUT || method == MED_PATCH
            || (method == MED_POST && r->operation.len == 0));
}

/* Each batch and transaction has views and commits of its own. */
static bool refuse_nested(med_err *err)
{
    (void)MED_FAIL(
        err, MED_ISSUE_NOT_SUPPORTED,
        "a batch or transaction can not be an entry of another one: send its entries, or "
        "store the Bundle by POST to Bundle");
    return med_err_status(err, 400);
}

static bool read_request(const med_call *bundle, med_entry *e, uint32_t request, med_err *err)
{
    enum med_method method = MED_GET;
    med_str path, query, url = member(bundle, request, "url");
    med_fhir_request *r = &e->call.request;
    if (request == 0)
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "an entry of a %s needs a request",
                        "batch or transaction");
    if (!read_method(member(bundle, request, "method"), &method, err))
        return false;
    if (!split_url(bundle, url, &path, &query, err)
        || !med_route(&e->call, method, path, query, err))
        return false;
    if (e->call.interaction == &med_interaction_bundle)
        return refuse_nested(err);
    read_conditions(bundle, request, r);
    if (e->resource == 0 && needs_resource(method, r))
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "this entry needs a resource");
    if (e->resource != 0) {
        r->json = bundle->request.json;
        r->root = e->resource;
    }
    return true;
}

static void read_entry(const med_call *bundle, med_entry *e, uint32_t node)
{
    const med_json *j = bundle->request.json;
    uint32_t request = med_json_member(j, node, MED_STR("request"));
    med_call_init(&e->call, bundle->fhir, bundle->arena);
    e->call.on_worker = true;
    e->call.enforce = bundle->enforce;
    e->call.refusable = bundle->refusable;
    e->node = node;
    e->full_url = member(bundle, node, "fullUrl");
    e->resource = med_json_member(j, node, MED_STR("resource"));
    if (e->resource != 0 && med_json_kind_at(j, e->resource) != MED_JSON_OBJECT)
        e->resource = 0;
    (void)read_request(bundle, e, request, &e->err);
}

bool med_entries_read(med_call *bundle, med_entries *out, med_err *err)
{
    const med_json *j = bundle->request.json;
    uint32_t list = med_json_member(j, bundle->request.root, MED_STR("entry"));
    *out = (med_entries){0};
    if (list == 0)
        return true;
    if (med_json_kind_at(j, list) != MED_JSON_ARRAY) {
        (void)MED_FAIL(err, MED_ISSUE_STRUCTURE, "'entry' is an array: write [ ]");
        return med_err_at(err, MED_STR("Bundle.entry"));
    }
    if (j->nodes[list].count > bundle->fhir->bundle_entries)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "the Bundle has %u entries, at most %zu are taken",
                        j->nodes[list].count, bundle->fhir->bundle_entries);
    out->at = MED_TAKE(bundle->arena, j->nodes[list].count, med_entry);
    if (out->at == NULL)
        return MED_FAIL_MEMORY(err);
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT) {
            (void)MED_FAIL(err, MED_ISSUE_STRUCTURE, "an entry is an object");
            med_entry_locate(out, out->n, err);
            return false;
        }
        read_entry(bundle, &out->at[out->n], e);
        out->at[out->n].call.request.source = bundle->request.source;
        out->at[out->n].call.request.source_entry = (uint32_t)out->n;
        out->n++;
    }
    return true;
}

void med_entry_locate(const med_entries *entries, size_t i, med_err *err)
{
    char inner[sizeof err->expr];
    (void)entries;
    memcpy(inner, err->expr, sizeof inner);
    int n = snprintf(err->expr, sizeof err->expr, "Bundle.entry[%zu]%s%s", i,
                     inner[0] != '\0' ? ".resource/" : "", inner);
    if (n < 0 || (size_t)n >= sizeof err->expr)
        err->expr[sizeof err->expr - 1] = '\0';
}

static void respond_one(med_bundle *b, const med_entry *e)
{
    const med_fhir_response *r = &e->call.response;
    const med_fhir *f = b->call->fhir;
    med_json_writer *w = &b->writer;
    med_bundle_entry_plain(b);
    if (r->body.len > 0 && !r->is_outcome) {
        med_json_key(w, MED_STR("resource"));
        med_json_raw_value(w, r->body);
    }
    med_json_key(w, MED_STR("response"));
    med_json_open(w, '{');
    med_json_pair(
        w, "status",
        med_arena_printf(b->call->arena, "%d %s", r->status, med_http_status_text(r->status)));
    if (r->location.len > 0)
        med_json_pair(w, "location",
                      med_arena_printf(b->call->arena, "%.*s/%.*s", MED_STR_ARG(f->base),
                                       MED_STR_ARG(r->location)));
    med_json_pair(w, "etag", r->etag);
    if (r->last_modified != 0) {
        char instant[MED_INSTANT_LEN];
        med_instant_format(r->last_modified, instant);
        med_json_pair(w, "lastModified", (med_str){instant, sizeof instant});
    }
    if (r->body.len > 0 && r->is_outcome) {
        med_json_key(w, MED_STR("outcome"));
        med_json_raw_value(w, r->body);
    }
    med_json_close(w, '}');
    med_bundle_entry_close(b);
}

bool med_entries_respond(med_call *bundle, const med_entries *entries, const char *type,
                         med_err *err)
{
    med_bundle b;
    med_bundle_open(&b, bundle, type);
    for (size_t i = 0; i < entries->n; i++)
        respond_one(&b, &entries->at[i]);
    return med_bundle_close(&b, err);
}
