/* document_identity.c - https://profiles.ihe.net/ITI/MHD/ITI-65.html */
#include "fhir/document_identity.h"

#include "fhir/change.h"
#include "fhir/document.h"
#include "fhir/resource_text.h"
#include "fhir/respond.h"

/* DocumentReferences may share a business identifier with the master identifier asked for. */
enum { MATCHES_MAX = 100 };

typedef struct identity {
    med_str member; /* "identifier" or "masterIdentifier" */
    med_str system, value;
} identity;

static bool text_of(med_arena *a, const med_json *j, uint32_t object, const char *name,
                    med_str *out)
{
    uint32_t node = med_json_member(j, object, med_str_from(name));
    *out = MED_STR_EMPTY;
    return node == 0 || med_json_kind_at(j, node) != MED_JSON_STRING
           || med_json_string(a, j, node, out);
}

/* Its value is empty when the resource at `root` is no document, or has no identifier. */
static bool identity_of(med_arena *a, med_str type, const med_json *j, uint32_t root, identity *out)
{
    *out = (identity){MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY};
    if (med_json_kind_at(j, root) != MED_JSON_OBJECT)
        return true;
    if (med_str_eqz(type, "DocumentReference"))
        out->member = MED_STR("masterIdentifier");
    else if (med_str_eqz(type, "Bundle") && med_document_is(j, root))
        out->member = MED_STR("identifier");
    else
        return true;
    uint32_t node = med_json_member(j, root, out->member);
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_OBJECT)
        return true;
    return text_of(a, j, node, "system", &out->system) && text_of(a, j, node, "value", &out->value);
}

/* `|`, `,`, `$` and `\` have a meaning in a search value. */
static void add_escaped(med_buf *b, med_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '|' || s.ptr[i] == ',' || s.ptr[i] == '$' || s.ptr[i] == '\\')
            med_buf_addc(b, '\\');
        med_buf_addc(b, s.ptr[i]);
    }
}

static bool token_of(med_arena *a, const identity *of, med_str *out)
{
    enum { ESCAPED = 2, BAR = 1 };
    med_buf b;
    med_buf_init(&b, (of->system.len + of->value.len) * ESCAPED + BAR);
    add_escaped(&b, of->system);
    med_buf_addc(&b, '|');
    add_escaped(&b, of->value);
    bool ok = !b.failed && med_arena_copy(a, med_buf_str(&b), out);
    med_buf_free(&b);
    return ok;
}

static bool matches_of(med_call *call, const identity *of, med_match **matches, size_t *n,
                       med_err *err)
{
    med_pair *pair = MED_TAKE(call->arena, 1, med_pair);
    if (pair == NULL)
        return MED_FAIL_MEMORY(err);
    pair->name = MED_STR("identifier");
    if (!token_of(call->arena, of, &pair->value))
        return MED_FAIL_MEMORY(err);
    const med_pairs query = {pair, 1};
    return med_change_condition(call, call->request.type, &query, MATCHES_MAX, matches, n, err);
}

static bool has_identity(med_call *call, const identity *of, const med_match *m, bool *has,
                         med_stored *s, med_err *err)
{
    med_json j;
    identity other;
    *has = false;
    enum med_found found = med_view_by_rid(call->view, call->arena, m->rid, s, err);
    if (found != MED_FOUND || s->change == MED_DELETED)
        return found != MED_FAILED;
    if (!med_json_parse(call->arena, s->text, &j, NULL, err))
        return false;
    if (!identity_of(call->arena, call->request.type_name, &j, 0, &other))
        return MED_FAIL_MEMORY(err);
    *has = med_str_eq(other.system, of->system) && med_str_eq(other.value, of->value);
    return true;
}

/* The stored document of that identity that is not `own`; NULL in *out when there is none. */
static bool find_other(med_call *call, med_str own, const med_match **out, med_stored *s,
                       med_err *err)
{
    const med_fhir_request *r = &call->request;
    identity of;
    med_match *matches;
    size_t n;
    bool has = false;
    *out = NULL;
    if (!identity_of(call->arena, r->type_name, r->json, r->root, &of))
        return MED_FAIL_MEMORY(err);
    if (of.value.len == 0)
        return true;
    if (!matches_of(call, &of, &matches, &n, err))
        return false;
    for (size_t i = 0; i < n && !has; i++) {
        if (med_str_eq(matches[i].id, own))
            continue;
        if (!has_identity(call, &of, &matches[i], &has, s, err))
            return false;
        *out = has ? &matches[i] : NULL;
    }
    return true;
}

static bool refuse(const med_call *call, med_str id, med_err *err)
{
    med_str type = call->request.type_name;
    bool bundle = med_str_eqz(type, "Bundle");
    (void)MED_FAIL(err, MED_ISSUE_DUPLICATE,
                   "%.*s/%.*s is another document with this identifier: a document that differs "
                   "has an identifier of its own, and names what it replaces (%s)",
                   MED_STR_ARG(type), MED_STR_ARG(id),
                   bundle ? "Composition.relatesTo" : "DocumentReference.relatesTo");
    (void)med_err_status(err, 409);
    return med_err_at(err, bundle ? MED_STR("Bundle.identifier")
                                  : MED_STR("DocumentReference.masterIdentifier"));
}

bool med_document_check_identity(med_call *call, med_str id, med_err *err)
{
    med_stored s;
    const med_match *other;
    return find_other(call, id, &other, &s, err) && (other == NULL || refuse(call, other->id, err));
}

bool med_document_find_known(med_call *call, bool *answered, med_err *err)
{
    med_stored s;
    med_str text;
    const med_match *other;
    med_fhir_request *r = &call->request;
    *answered = false;
    if (!find_other(call, MED_STR_EMPTY, &other, &s, err))
        return false;
    if (other == NULL)
        return true;
    if (!med_resource_store_text(call->arena, r->json, r->root, other->id, NULL, &text, err))
        return false;
    if (!med_str_eq(text, s.text))
        return refuse(call, other->id, err);
    *answered = true;
    r->id = other->id;
    return med_respond_existing(call, other, err);
}
