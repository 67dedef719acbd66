/* history.c - https://hl7.org/fhir/R4/http.html#history
 *
 * Instance, type and system level. _since, _at and _count; pages by keyset (commit number and
 * internal id), so a page neither repeats nor skips a version while others write. */
#include "base/datetime.h"
#include "fhir/bundle.h"

typedef struct wish {
    med_history q;
    med_str since, at, count; /* as given, for the links */
    med_str page;             /* a link's place, sealed */
    uint32_t page_size;
} wish;

static bool bad(med_err *err, const char *name, const char *expected)
{
    return MED_FAIL(err, MED_ISSUE_INVALID, "%s must be %s", name, expected);
}

static bool read_since(const med_call *call, wish *w, med_err *err)
{
    med_datetime d;
    if (!med_datetime_parse(w->since, MED_KIND_SEARCH, call->fhir->zone_minutes, &d))
        return bad(err, "_since", "an instant such as 2026-01-31T10:00:00Z");
    w->q.since = d.span.low;
    return true;
}

/* _at=2026: versions that were current at some moment of that time. Those made in it are given
 * here; the one that stood when it began is added by find_standing. */
static bool read_at(const med_call *call, wish *w, med_err *err)
{
    med_datetime d;
    if (!med_datetime_parse(w->at, MED_KIND_SEARCH, call->fhir->zone_minutes, &d))
        return bad(err, "_at", "a date or an instant");
    w->q.since = d.span.low;
    w->q.until = d.span.high - 1;
    return true;
}

static bool read_count(const med_call *call, wish *w, med_err *err)
{
    int64_t n;
    if (!med_str_to_int64(w->count, &n) || n < 0)
        return bad(err, "_count", "a whole number, 0 or more");
    w->page_size = n > call->fhir->max_count ? call->fhir->max_count : (uint32_t)n;
    return true;
}

static bool is_shape(med_str name)
{
    return med_str_eqz(name, "_format") || med_str_eqz(name, "_pretty")
           || med_str_eqz(name, "_summary") || med_str_eqz(name, "_elements");
}

static bool read_parameter(const med_call *call, const med_pair *p, wish *w, med_err *err)
{
    if (is_shape(p->name))
        return true;
    if (med_str_eqz(p->name, "_since")) {
        w->since = p->value;
        return read_since(call, w, err);
    }
    if (med_str_eqz(p->name, "_at")) {
        w->at = p->value;
        return read_at(call, w, err);
    }
    if (med_str_eqz(p->name, "_count")) {
        w->count = p->value;
        return read_count(call, w, err);
    }
    if (med_str_eqz(p->name, "_page")) {
        w->page = p->value;
        return true;
    }
    if (!call->request.strict)
        return true;
    return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                    "unknown parameter of a history; known: _since, _at, _count, _format, _pretty, "
                    "_summary, _elements");
}

static bool read_wish(const med_call *call, wish *w, med_err *err)
{
    *w = (wish){
        .since = MED_STR_EMPTY, .at = MED_STR_EMPTY, .count = MED_STR_EMPTY, .page = MED_STR_EMPTY};
    w->page_size = call->fhir->default_count;
    w->q = (med_history){.since = MED_TIME_MIN, .until = MED_TIME_MAX, .text = true};
    for (size_t i = 0; i < call->request.query.n; i++) {
        if (!read_parameter(call, &call->request.query.at[i], w, err))
            return false;
    }
    if (w->since.len > 0 && w->at.len > 0)
        return MED_FAIL(err, MED_ISSUE_INVALID, "_since and _at can not be used together");
    return true;
}

/* Narrows to the type, or to one resource (404 if it never was). */
static bool narrow(med_call *call, wish *w, med_err *err)
{
    const med_fhir_request *r = &call->request;
    const med_fhir *f = call->fhir;
    if (r->level == MED_LEVEL_SYSTEM)
        return true;
    w->q.type = med_schema_type(f->schema, r->type);
    if (r->level == MED_LEVEL_TYPE)
        return true;
    med_stored s;
    enum med_found found = med_view_read(call->view, call->arena, w->q.type, r->id, &s, err);
    w->q.rid = s.rid;
    if (found == MED_ABSENT)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there never was a %.*s with this id",
                        MED_STR_ARG(r->type_name));
    return found == MED_FOUND;
}

static const char *method_of(enum med_change change)
{
    switch (change) {
    case MED_CREATED:
        return "POST";
    case MED_UPDATED:
        return "PUT";
    case MED_DELETED:
        return "DELETE";
    }
    return "PUT";
}

static void write_request(med_bundle *b, const med_stored *s, med_str type)
{
    med_json_key(&b->writer, MED_STR("request"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "method", med_str_from(method_of(s->change)));
    bool post = s->change == MED_CREATED;
    med_json_pair(&b->writer, "url",
                  post ? type
                       : med_arena_printf(b->call->arena, "%.*s/%.*s", MED_STR_ARG(type),
                                          MED_STR_ARG(s->id)));
    med_json_close(&b->writer, '}');
}

static void write_response(med_bundle *b, const med_stored *s)
{
    char instant[MED_INSTANT_LEN];
    med_instant_format(s->updated, instant);
    med_json_key(&b->writer, MED_STR("response"));
    med_json_open(&b->writer, '{');
    med_json_pair(&b->writer, "status",
                  s->change == MED_CREATED   ? MED_STR("201")
                  : s->change == MED_DELETED ? MED_STR("204")
                                             : MED_STR("200"));
    med_json_pair(&b->writer, "etag", med_arena_printf(b->call->arena, "W/\"%u\"", s->version));
    med_json_pair(&b->writer, "lastModified", (med_str){instant, sizeof instant});
    med_json_close(&b->writer, '}');
}

static bool write_entry(med_bundle *b, const med_stored *s, const med_shape *shape, med_err *err)
{
    const med_fhir *f = b->call->fhir;
    med_str type = med_type_name(f->pack, med_schema_pack_type(f->schema, s->type));
    med_bundle_entry(b, s->type, s->id);
    if (s->change != MED_DELETED && !med_bundle_resource(b, s, shape, err))
        return false;
    write_request(b, s, type);
    write_response(b, s);
    med_bundle_entry_close(b);
    return true;
}

static med_str path_of(const med_call *call, const wish *w, med_str page)
{
    const med_fhir_request *r = &call->request;
    med_arena *a = call->arena;
    med_str where = r->level == MED_LEVEL_SYSTEM ? MED_STR("_history")
                    : r->level == MED_LEVEL_TYPE
                        ? med_arena_printf(a, "%.*s/_history", MED_STR_ARG(r->type_name))
                        : med_arena_printf(a, "%.*s/%.*s/_history", MED_STR_ARG(r->type_name),
                                           MED_STR_ARG(r->id));
    med_str since, at;
    if (!med_percent_encode(a, w->since, &since) || !med_percent_encode(a, w->at, &at))
        return where;
    return med_arena_printf(a, "%.*s?_count=%u%s%.*s%s%.*s%s%.*s", MED_STR_ARG(where), w->page_size,
                            since.len > 0 ? "&_since=" : "", MED_STR_ARG(since),
                            at.len > 0 ? "&_at=" : "", MED_STR_ARG(at),
                            page.len > 0 ? "&_page=" : "", MED_STR_ARG(page));
}

/* Where a page goes on: behind this version. The link is good for the same history only. */
typedef struct place {
    int64_t t;
    uint64_t rid;
} place;

static bool seal_place(const med_call *call, const wish *w, const med_stored *last, med_str *out,
                       med_err *err)
{
    const place p = {last->t, last->rid};
    return med_store_seal(med_view_store(call->view), call->arena,
                          (med_str){(const char *)&p, sizeof p}, path_of(call, w, MED_STR_EMPTY),
                          out, err);
}

static bool take_place(const med_call *call, wish *w, med_err *err)
{
    place p;
    med_str bytes;
    if (w->page.len == 0)
        return true;
    if (!med_store_unseal(med_view_store(call->view), call->arena, w->page,
                          path_of(call, w, MED_STR_EMPTY), &bytes, err))
        return false;
    if (bytes.len != sizeof p)
        return bad(err, "_page", "a link of this history");
    memcpy(&p, bytes.ptr, sizeof p);
    w->q.after_t = p.t;
    w->q.after_rid = p.rid;
    return true;
}

static bool write_page(med_call *call, const wish *w, const med_stored *at, size_t n,
                       uint64_t total, med_err *err)
{
    med_bundle b;
    med_shape shape = {0};
    size_t shown = n > w->page_size ? w->page_size : n;
    med_str next = MED_STR_EMPTY;
    if (!med_content_shape(call, &shape, err)
        || (n > shown && shown > 0 && !seal_place(call, w, &at[shown - 1], &next, err)))
        return false;
    med_bundle_open(&b, call, "history");
    med_bundle_total(&b, total);
    med_bundle_link(&b, "self", path_of(call, w, MED_STR_EMPTY));
    if (next.len > 0)
        med_bundle_link(&b, "next", path_of(call, w, next));
    for (size_t i = 0; i < shown; i++) {
        if (!write_entry(&b, &at[i], &shape, err)) {
            med_bundle_free(&b);
            return false;
        }
    }
    return med_bundle_close(&b, err);
}

/* With _at, the version that was current when the time began counts, too: of one resource. */
static bool find_standing(med_call *call, const wish *w, med_stored **at, size_t *n, med_err *err)
{
    if (w->at.len == 0 || w->q.rid == 0 || *n > w->page_size)
        return true;
    med_history before = w->q;
    before.since = MED_TIME_MIN;
    before.until = w->q.since - 1;
    before.limit = 1;
    med_stored *one;
    size_t found;
    if (!med_view_history(call->view, call->arena, &before, &one, &found, err))
        return false;
    if (found == 0 || one->change == MED_DELETED)
        return true;
    med_stored *all = MED_TAKE(call->arena, *n + 1, med_stored);
    if (all == NULL)
        return MED_FAIL_MEMORY(err);
    if (*n > 0)
        memcpy(all, *at, *n * sizeof *all);
    all[(*n)++] = *one;
    *at = all;
    return true;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    wish w;
    med_stored *at;
    size_t n;
    uint64_t total;
    if (call->request.level != MED_LEVEL_INSTANCE && !call->on_worker)
        return MED_STEP_AGAIN;
    if (!read_wish(call, &w, err) || !take_place(call, &w, err) || !narrow(call, &w, err))
        return MED_STEP_FAILED;
    w.q.limit = (size_t)w.page_size + 1;
    if (!med_view_history(call->view, call->arena, &w.q, &at, &n, err)
        || !med_view_history_count(call->view, &w.q, &total, err))
        return MED_STEP_FAILED;
    size_t made = n;
    if (!find_standing(call, &w, &at, &n, err))
        return MED_STEP_FAILED;
    return write_page(call, &w, at, n, total + (n - made), err) ? MED_STEP_OK : MED_STEP_FAILED;
}

const med_interaction med_interaction_history_instance = {
    .name = "history-instance",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "_history",
    .prepare = prepare,
};

const med_interaction med_interaction_history_type = {
    .name = "history-type",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "_history",
    .prepare = prepare,
};

const med_interaction med_interaction_history_system = {
    .name = "history-system",
    .method = MED_GET,
    .level = MED_LEVEL_SYSTEM,
    .operation = "_history",
    .prepare = prepare,
};
