/* respond.c - https://hl7.org/fhir/R4/http.html#versions */
#include "fhir/respond.h"

#include "fhir/binary.h"
#include "fhir/content.h"
#include "fhir/outcome.h"
#include "fhir/resource_text.h"
#include "fhir/subset.h"

bool med_etag_format(med_arena *a, uint32_t version, med_str *out)
{
    *out = med_arena_printf(a, "W/\"%u\"", version);
    return out->len > 0;
}

uint32_t med_version_parse(med_str text)
{
    int64_t n;
    bool ours = text.len > 0 && med_is_digit(text.ptr[0]) && text.ptr[0] != '0'
                && med_str_to_int64(text, &n) && n <= UINT32_MAX;
    return ours ? (uint32_t)n : 0;
}

/* An entity tag that is well formed but not ours gets version 0, which nothing has. */
static bool parse_tag(med_str tag, uint32_t *version, med_err *err)
{
    tag = med_str_trim(tag);
    if (med_str_starts(tag, MED_STR("W/")))
        tag = med_str_skip(tag, 2);
    if (tag.len < 2 || tag.ptr[0] != '"' || tag.ptr[tag.len - 1] != '"')
        return MED_FAIL(err, MED_ISSUE_INVALID, "an entity tag looks like W/\"3\"");
    *version = med_version_parse(med_str_sub(tag, 1, tag.len - 1));
    return true;
}

bool med_etag_parse(med_str field, uint32_t *version, med_err *err)
{
    return parse_tag(field, version, err);
}

bool med_etag_list_has(med_str field, uint32_t version, bool *has, med_err *err)
{
    *has = med_str_eqz(med_str_trim(field), "*");
    while (field.len > 0 && !*has) {
        uint32_t one;
        if (!parse_tag(med_str_cut(field, ',', &field), &one, err))
            return false;
        *has = one == version && one != 0;
    }
    return true;
}

bool med_find_current(med_call *call, med_stored *out, med_err *err)
{
    const med_fhir_request *r = &call->request;
    uint32_t type = med_schema_type(call->fhir->schema, r->type);
    enum med_found found = med_binary_reads_bytes(call)
                               ? med_view_apart(call->view, call->arena, type, r->id, 0, out, err)
                               : med_view_latest(call->view, call->arena, type, r->id, out, err);
    switch (found) {
    case MED_FAILED:
        return false;
    case MED_ABSENT:
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no %.*s with this id",
                        MED_STR_ARG(r->type_name));
    case MED_FOUND:
        break;
    }
    if (out->change == MED_DELETED) {
        call->response.status = 410;
        return MED_FAIL(err, MED_ISSUE_DELETED, "this %.*s was deleted", MED_STR_ARG(r->type_name));
    }
    return true;
}

bool med_render_shaped(med_call *call, med_buf *out, const med_stored *s, const med_shape *shape,
                       med_err *err)
{
    const med_pack *p = call->fhir->pack;
    med_type type = med_schema_pack_type(call->fhir->schema, s->type);
    if (shape->summary == MED_SUMMARY_FALSE && shape->n_elements == 0) {
        med_resource_render(out, med_type_name(p, type), s->id, s->version, s->updated, s->text);
        return true;
    }
    med_buf whole;
    med_buf_init(&whole, MED_JSON_MAX_BYTES);
    med_resource_render(&whole, med_type_name(p, type), s->id, s->version, s->updated, s->text);
    bool ok = med_subset_write(call->arena, p, type, med_buf_str(&whole), shape, out, err);
    med_buf_free(&whole);
    return ok;
}

bool med_render_stored(med_call *call, med_buf *out, const med_stored *s, med_err *err)
{
    med_shape shape = {0};
    return med_content_shape(call, &shape, err) && med_render_shaped(call, out, s, &shape, err);
}

static bool fill_version(med_call *call, int status, uint32_t version, int64_t updated,
                         med_err *err)
{
    call->response.status = status;
    call->response.last_modified = updated;
    return med_etag_format(call->arena, version, &call->response.etag) ? true
                                                                       : MED_FAIL_MEMORY(err);
}

static bool fill_body(med_call *call, const med_stored *s, med_err *err)
{
    med_buf body;
    med_buf_init(&body, MED_JSON_MAX_BYTES);
    bool ok = med_render_stored(call, &body, s, err);
    if (ok
        && (body.failed || !med_arena_copy(call->arena, med_buf_str(&body), &call->response.body)))
        ok = MED_FAIL_MEMORY(err);
    med_buf_free(&body);
    return ok;
}

bool med_respond_stored(med_call *call, int status, const med_stored *s, med_err *err)
{
    if (!fill_version(call, status, s->version, s->updated, err))
        return false;
    return med_binary_wants_native(call) ? med_binary_respond(call, s, err)
                                         : fill_body(call, s, err);
}

static const char *what_happened(enum med_outcome outcome)
{
    switch (outcome) {
    case MED_OUTCOME_CREATED:
        return "created";
    case MED_OUTCOME_UPDATED:
        return "updated";
    case MED_OUTCOME_UNCHANGED:
        return "unchanged: the content is the same, no new version was made";
    case MED_OUTCOME_DELETED:
        return "deleted";
    case MED_OUTCOME_WAS_ABSENT:
        return "there was nothing to delete";
    case MED_OUTCOME_NONE:
        break;
    }
    return "done";
}

static bool fill_outcome(med_call *call, const med_write *w, med_err *err)
{
    med_buf body;
    med_buf_init(&body, (size_t)1 << 20);
    med_outcome_write_done(&body, med_str_from(what_happened(w->outcome)), &call->problems);
    bool ok = !body.failed && med_arena_copy(call->arena, med_buf_str(&body), &call->response.body);
    med_buf_free(&body);
    call->response.is_outcome = true;
    return ok ? true : MED_FAIL_MEMORY(err);
}

/* The version a write left, as read would show it; from the write itself where it holds it. */
static bool stored_of_write(med_call *call, const med_write *w, med_stored *out, med_err *err)
{
    if (w->text.len > 0 && w->outcome != MED_OUTCOME_UNCHANGED && w->outcome != MED_OUTCOME_NONE
        && call->updated != 0) {
        *out = (med_stored){.rid = w->rid,
                            .type = w->type,
                            .id = w->id,
                            .version = w->version,
                            .updated = call->updated,
                            .change = MED_UPDATED,
                            .text = w->text};
        return true;
    }
    switch (med_view_version(call->view, call->arena, w->type, w->id, w->version, out, err)) {
    case MED_FOUND:
        return true;
    case MED_ABSENT:
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the version just written is not there");
    case MED_FAILED:
        break;
    }
    return false;
}

bool med_respond_write(med_call *call, const med_write *w, med_err *err)
{
    med_stored s;
    if (!stored_of_write(call, w, &s, err))
        return false;
    int status = w->outcome == MED_OUTCOME_CREATED ? 201 : 200;
    if (!fill_version(call, status, s.version, s.updated, err))
        return false;
    med_str type =
        med_type_name(call->fhir->pack, med_schema_pack_type(call->fhir->schema, w->type));
    call->response.location = med_arena_printf(call->arena, "%.*s/%.*s/_history/%u",
                                               MED_STR_ARG(type), MED_STR_ARG(w->id), s.version);
    switch (call->request.prefer) {
    case MED_RETURN_MINIMAL:
        return true;
    case MED_RETURN_OUTCOME:
        return fill_outcome(call, w, err);
    case MED_RETURN_DEFAULT:
        if (call->request.in_bundle)
            return true;
        break;
    case MED_RETURN_REPRESENTATION:
        break;
    }
    return fill_body(call, &s, err);
}

bool med_respond_existing(med_call *call, const med_match *match, med_err *err)
{
    med_stored s;
    switch (med_view_by_rid(call->view, call->arena, match->rid, &s, err)) {
    case MED_FAILED:
        return false;
    case MED_ABSENT:
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a matching resource can not be read");
    case MED_FOUND:
        break;
    }
    med_write w = {.type = s.type,
                   .id = s.id,
                   .text = MED_STR_EMPTY,
                   .packed = MED_STR_EMPTY,
                   .version = s.version,
                   .rid = s.rid,
                   .outcome = MED_OUTCOME_UNCHANGED};
    return med_respond_write(call, &w, err);
}
