/* binary.c - https://hl7.org/fhir/R4/binary.html */
#include "fhir/binary.h"

#include "base/base64.h"
#include "fhir/content.h"
#include "model/reference.h"

enum { ENVELOPE_BYTES = 4096 };

static bool is_binary_path(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    return r->level != MED_LEVEL_SYSTEM && med_str_eqz(r->type_name, "Binary")
           && r->operation.len == 0 && !r->in_bundle;
}

bool med_binary_is_native_body(const med_call *call)
{
    return is_binary_path(call)
           && (call->request.method == MED_POST || call->request.method == MED_PUT)
           && !med_content_is_fhir(call->request.content_type);
}

static bool check_headers(const med_call *call, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_reference ref;
    if (med_str_find(r->content_type, '/', 0) == r->content_type.len) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "the bytes of a Binary need a Content-Type");
        return med_err_status(err, 415);
    }
    if (r->security_context.len == 0)
        return true;
    if (!med_reference_parse(call->fhir->pack, r->security_context, call->fhir->base, &ref, err))
        return med_err_status(err, 400);
    return true;
}

static void write_resource(const med_call *call, med_buf *out)
{
    const med_fhir_request *r = &call->request;
    med_json_writer w = med_json_writer_to(out);
    med_json_open(&w, '{');
    med_json_pair(&w, "resourceType", MED_STR("Binary"));
    if (r->level == MED_LEVEL_INSTANCE)
        med_json_pair(&w, "id", r->id);
    med_json_pair(&w, "contentType", r->content_type);
    if (r->security_context.len > 0) {
        med_json_key(&w, MED_STR("securityContext"));
        med_json_open(&w, '{');
        med_json_pair(&w, "reference", r->security_context);
        med_json_close(&w, '}');
    }
    if (r->body.len > 0) {
        med_json_key(&w, MED_STR("data"));
        med_json_raw_value(&w, MED_STR("\""));
        med_base64_encode(out, r->body);
        med_buf_addc(out, '"');
    }
    med_json_close(&w, '}');
}

bool med_binary_read(med_call *call, med_err *err)
{
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    med_buf buf;
    med_str text = MED_STR_EMPTY;
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!check_headers(call, err))
        return false;
    med_buf_init(&buf, call->request.body.len / 3 * 4 + ENVELOPE_BYTES);
    write_resource(call, &buf);
    bool ok = !buf.failed && med_arena_copy(call->arena, med_buf_str(&buf), &text);
    med_buf_free(&buf);
    if (!ok)
        return MED_FAIL_MEMORY(err);
    call->request.json = j;
    call->request.root = 0;
    return med_json_parse(call->arena, text, j, NULL, err);
}

bool med_binary_wants_native(const med_call *call)
{
    med_str rest = call->request.accept;
    if (!is_binary_path(call))
        return false;
    for (size_t i = 0; i < call->request.query.n; i++) {
        if (med_str_eqz(call->request.query.at[i].name, "_format"))
            return false;
    }
    while (rest.len > 0) {
        if (med_content_is_fhir(med_str_cut(rest, ',', &rest)))
            return false;
    }
    return true;
}

bool med_binary_reads_bytes(const med_call *call)
{
    return call->request.method == MED_GET && med_binary_wants_native(call);
}

/* The bytes as the store has them, beside the text; else out of it. */
static bool take_data(med_call *call, const med_stored *s, const med_json *j, med_str *out,
                      med_err *err)
{
    uint32_t node = med_json_member(j, 0, MED_STR("data"));
    med_str data = MED_STR_EMPTY;
    *out = MED_STR_EMPTY;
    if (node == 0)
        return true;
    for (size_t i = 0; i < s->n_apart; i++) {
        if (med_json_raw(j, node).ptr != s->text.ptr + s->apart[i].at)
            continue;
        *out = s->apart[i].bytes;
        return true;
    }
    if (!med_json_string(call->arena, j, node, &data))
        return MED_FAIL_MEMORY(err);
    return data.len == 0 || med_base64_decode(call->arena, data, out, err);
}

bool med_binary_respond(med_call *call, const med_stored *s, med_err *err)
{
    med_json j;
    med_fhir_response *r = &call->response;
    if (!med_json_parse(call->arena, s->text, &j, NULL, err))
        return false;
    uint32_t type = med_json_member(&j, 0, MED_STR("contentType"));
    r->content_type = MED_STR_EMPTY;
    if (type != 0 && !med_json_string(call->arena, &j, type, &r->content_type))
        return MED_FAIL_MEMORY(err);
    r->native = true;
    return take_data(call, s, &j, &r->body, err);
}
