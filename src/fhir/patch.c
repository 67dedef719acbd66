/* patch.c - https://hl7.org/fhir/R4/http.html#patch
 *
 * The current version is read, patched and put back expecting that same version, so that
 * nothing that happens between is lost: without If-Match the call is prepared anew. */
#include "base/base64.h"
#include "fhir/change.h"
#include "fhir/fhirpath_patch.h"
#include "fhir/interactions.h"
#include "fhir/json_patch.h"
#include "fhir/resource_text.h"
#include "fhir/respond.h"
#include "fhir/write.h"

static bool names_json_patch(med_str content_type)
{
    med_str rest, type = med_str_trim(med_str_cut(content_type, ';', &rest));
    return med_str_eq_ignore_case(type, MED_STR("application/json-patch+json"));
}

/* In a Bundle a JSON Patch comes as a Binary. */
static bool is_binary(const med_call *call)
{
    const med_fhir_request *r = &call->request;
    uint32_t name = med_json_kind_at(r->json, r->root) == MED_JSON_OBJECT
                        ? med_json_member(r->json, r->root, MED_STR("resourceType"))
                        : 0;
    return name != 0 && med_str_eqz(med_json_raw(r->json, name), "Binary");
}

static bool patch_of_binary(med_call *call, med_json *out, med_err *err)
{
    const med_fhir_request *r = &call->request;
    uint32_t data = med_json_member(r->json, r->root, MED_STR("data"));
    uint32_t type = med_json_member(r->json, r->root, MED_STR("contentType"));
    med_str base64, text;
    if (type == 0 || !names_json_patch(med_json_raw(r->json, type))) {
        (void)MED_FAIL(
            err, MED_ISSUE_NOT_SUPPORTED,
            "a patch in a Bundle is a Binary of contentType application/json-patch+json, "
            "or Parameters");
        return med_err_status(err, 415);
    }
    if (data == 0 || med_json_kind_at(r->json, data) != MED_JSON_STRING)
        return MED_FAIL(err, MED_ISSUE_REQUIRED, "a JSON Patch in a Bundle is a Binary with data");
    if (!med_json_string(call->arena, r->json, data, &base64))
        return MED_FAIL_MEMORY(err);
    return med_base64_decode(call->arena, base64, &text, err)
           && med_json_parse(call->arena, text, out, NULL, err);
}

/* As a read shows it: whoever patches knows meta.versionId, and a meta that only we have given. */
static bool as_read(const med_call *call, const med_stored *s, med_str *out, med_err *err)
{
    med_buf buf;
    med_buf_init(&buf, MED_JSON_MAX_BYTES);
    med_resource_render(&buf, call->request.type_name, s->id, s->version, s->updated, s->text);
    bool ok = !buf.failed && med_arena_copy(call->arena, med_buf_str(&buf), out);
    med_buf_free(&buf);
    return ok ? true : MED_FAIL_MEMORY(err);
}

static bool apply(med_call *call, const med_stored *current, med_str *out, med_err *err)
{
    const med_fhir_request *r = &call->request;
    med_json inner;
    med_str text;
    if (!as_read(call, current, &text, err))
        return false;
    if (!r->in_bundle && names_json_patch(r->content_type))
        return med_json_patch_apply(call->arena, r->json, r->root, text, out, err);
    if (r->in_bundle && is_binary(call))
        return patch_of_binary(call, &inner, err)
               && med_json_patch_apply(call->arena, &inner, 0, text, out, err);
    return med_fhirpath_patch_apply(call->arena, call->fhir->pack, r->json, r->root, text, out,
                                    err);
}

/* What a patch may not do: change what the resource is. */
static bool check_identity(const med_call *call, const med_json *j, med_err *err)
{
    uint32_t type = med_json_kind_at(j, 0) == MED_JSON_OBJECT
                        ? med_json_member(j, 0, MED_STR("resourceType"))
                        : 0;
    uint32_t id = type == 0 ? 0 : med_json_member(j, 0, MED_STR("id"));
    if (type == 0 || !med_str_eq(med_json_raw(j, type), call->request.type_name))
        return MED_FAIL(err, MED_ISSUE_BUSINESS_RULE, "a patch can not change resourceType");
    if (id == 0 || !med_str_eq(med_json_raw(j, id), call->request.id))
        return MED_FAIL(err, MED_ISSUE_BUSINESS_RULE, "a patch can not change the id");
    return true;
}

static bool put_patched(med_call *call, const med_stored *current, med_str text, med_err *err)
{
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    med_write *w;
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_json_parse(call->arena, text, j, NULL, err) || !check_identity(call, j, err))
        return false;
    const med_fhir_request sent = call->request;
    call->request.json = j;
    call->request.root = 0;
    call->request.checked = false;
    bool ok = med_change_put(call, sent.id, NULL, &w, err);
    call->request = sent; /* a second try patches anew */
    if (!ok || !med_write_expect(call, w, err))
        return false;
    if (w->expect == MED_EXPECT_ANY) {
        w->expect = MED_EXPECT_VERSION;
        w->expect_version = current->version;
        call->change->rests_on_versions = true;
    }
    return true;
}

static bool patch(med_call *call, med_err *err)
{
    med_stored current;
    med_str text;
    if (!med_find_current(call, &current, err))
        return false;
    med_write wish = {.id = MED_STR_EMPTY, .text = MED_STR_EMPTY, .packed = MED_STR_EMPTY};
    if (!med_write_expect(call, &wish, err))
        return false;
    if (wish.expect == MED_EXPECT_VERSION && wish.expect_version != current.version) {
        (void)MED_FAIL(err, MED_ISSUE_CONFLICT,
                       "If-Match names another version than the current one, %u", current.version);
        return med_err_status(err, 412);
    }
    return apply(call, &current, &text, err)
           && (call->link == NULL || call->link(call->link_arg, text, &text, err))
           && put_patched(call, &current, text, err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    return patch(call, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

static enum med_step prepare_conditional(med_call *call, med_err *err)
{
    med_match *matches;
    size_t n;
    if (!med_change_condition(call, call->request.type, &call->request.query, 2, &matches, &n, err))
        return MED_STEP_FAILED;
    if (n == 0)
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND, "the condition matches nothing to patch");
    if (n > 1)
        (void)MED_FAIL(err, MED_ISSUE_MULTIPLE_MATCHES, "the condition matches several resources");
    if (n != 1)
        return MED_STEP_FAILED;
    call->request.id = matches[0].id;
    return prepare(call, err);
}

const med_interaction med_interaction_patch = {
    .name = "patch",
    .method = MED_PATCH,
    .level = MED_LEVEL_INSTANCE,
    .operation = "",
    .parameters = "",
    .writes = true,
    .prepare = prepare,
    .finish = med_write_finish,
};

const med_interaction med_interaction_conditional_patch = {
    .name = "patch",
    .method = MED_PATCH,
    .level = MED_LEVEL_TYPE,
    .operation = "",
    .writes = true,
    .conditional = true,
    .prepare = prepare_conditional,
    .finish = med_write_finish,
};
