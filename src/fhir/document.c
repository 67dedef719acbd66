/* document.c - what a stored document must hold, and that it stays as it is.
 * https://hl7.org/fhir/R4/documents.html#bundle */
#include "fhir/document.h"

#include "fhir/document_identity.h"
#include "model/walk.h"

enum { COMPARISONS_MAX = 20000000 };

/* ---- is it one? ---- */

bool med_document_is(const med_json *j, uint32_t root)
{
    uint32_t type = med_json_kind_at(j, root) == MED_JSON_OBJECT
                        ? med_json_member(j, root, MED_STR("type"))
                        : 0;
    return type != 0 && med_json_kind_at(j, type) == MED_JSON_STRING
           && med_json_string_is(j, type, MED_STR("document"));
}

static bool is_bundle(const med_call *call, uint32_t type)
{
    const med_fhir *f = call->fhir;
    return type == med_schema_type(f->schema, med_pack_type(f->pack, MED_STR("Bundle")));
}

/* What is stored there now; *sealed is false when there is nothing, or no document. */
static bool look(med_call *call, uint32_t type, med_str id, med_stored *s, bool *sealed,
                 med_err *err)
{
    med_json j;
    *sealed = false;
    *s = (med_stored){.id = MED_STR_EMPTY, .text = MED_STR_EMPTY};
    enum med_found found = med_view_latest(call->view, call->arena, type, id, s, err);
    if (found != MED_FOUND || s->change == MED_DELETED)
        return found != MED_FAILED;
    if (!med_json_parse(call->arena, s->text, &j, NULL, err))
        return false;
    *sealed = med_document_is(&j, 0);
    return true;
}

static bool refuse(med_err *err, const char *what)
{
    (void)MED_FAIL(err, MED_ISSUE_CONFLICT,
                   "a stored document is sealed and can not be %s; send a new one that replaces "
                   "it (Composition.relatesTo), or mark its DocumentReference entered-in-error",
                   what);
    return med_err_status(err, 409);
}

bool med_document_check_delete(med_call *call, uint32_t type, med_str id, med_err *err)
{
    med_stored s;
    bool sealed = false;
    if (!is_bundle(call, type))
        return true;
    return look(call, type, id, &s, &sealed, err) && (!sealed || refuse(err, "deleted"));
}

/* ---- its content ---- */

typedef struct check {
    med_call *call;
    const med_json *j;
    uint32_t entries; /* the array */
    size_t compared;
} check;

static bool wrong(med_err *err, const char *where, const char *what)
{
    (void)MED_FAIL(err, MED_ISSUE_INVARIANT, "%s", what);
    (void)med_err_status(err, 422);
    return med_err_at(err, med_str_from(where));
}

static bool has_text(const med_json *j, uint32_t object, const char *path)
{
    uint32_t node = med_json_path(j, object, path);
    return node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING && j->nodes[node].len > 0;
}

static bool is_resource(const med_json *j, uint32_t entry, const char *type)
{
    uint32_t node = med_json_kind_at(j, entry) == MED_JSON_OBJECT
                        ? med_json_path(j, entry, "resource.resourceType")
                        : 0;
    return node != 0 && med_str_eqz(med_json_raw(j, node), type);
}

uint32_t med_document_entry_at(const med_json *j, uint32_t entries, med_str reference,
                               size_t *compared)
{
    bool whole = med_str_find(reference, ':', 0) < reference.len;
    reference = med_str_sub(reference, 0, med_str_search(reference, MED_STR("/_history/"), 0));
    for (uint32_t e = entries + 1; e < j->nodes[entries].next; e = j->nodes[e].next) {
        uint32_t node = med_json_member(j, e, MED_STR("fullUrl"));
        if (compared != NULL)
            ++*compared;
        if (node == 0)
            continue;
        med_str url = med_json_raw(j, node);
        size_t more = url.len < reference.len ? 0 : url.len - reference.len;
        if (med_str_ends(url, reference) && (more == 0 || (!whole && url.ptr[more - 1] == '/')))
            return e;
    }
    return 0;
}

static bool check_reference(void *arg, const med_reference_walk *at, uint32_t reference,
                            uint32_t property, med_err *err)
{
    check *c = arg;
    (void)reference;
    if (med_document_entry_at(c->j, c->entries, med_json_raw(c->j, property), &c->compared) != 0)
        return true;
    if (c->compared > COMPARISONS_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the document refers to too much");
    med_str where;
    (void)MED_FAIL(err, MED_ISSUE_INVARIANT,
                   "what the Composition of a document refers to must be an entry of it");
    (void)med_err_status(err, 422);
    if (!med_reference_walk_expression(at, c->call->arena, &where))
        return false;
    where = med_arena_printf(c->call->arena, "Bundle.entry[0].resource%.*s",
                             MED_STR_ARG(med_str_skip(where, sizeof "Composition" - 1)));
    return med_err_at(err, where);
}

static bool check_entries(check *c, med_err *err)
{
    const med_json *j = c->j;
    for (uint32_t e = c->entries + 1; e < j->nodes[c->entries].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT
            || med_json_member(j, e, MED_STR("resource")) == 0)
            return wrong(err, "Bundle.entry", "each entry of a document has a resource");
        if (!has_text(j, e, "fullUrl"))
            return wrong(err, "Bundle.entry", "each entry of a document has a fullUrl");
    }
    return true;
}

/* bdl-9, bdl-10, bdl-11, and that the Composition finds what it names. */
static bool check_content(med_call *call, med_err *err)
{
    const med_fhir_request *r = &call->request;
    const med_pack *p = call->fhir->pack;
    check c = {.call = call, .j = r->json};
    const med_json *j = r->json;
    if (!has_text(j, r->root, "identifier.system") || !has_text(j, r->root, "identifier.value"))
        return wrong(err, "Bundle.identifier",
                     "a document has an identifier with a system and a value");
    if (!has_text(j, r->root, "timestamp"))
        return wrong(err, "Bundle.timestamp", "a document says when it was put together");
    c.entries = med_json_member(j, r->root, MED_STR("entry"));
    if (c.entries == 0 || j->nodes[c.entries].count == 0
        || !is_resource(j, c.entries + 1, "Composition"))
        return wrong(err, "Bundle.entry[0]", "the first entry of a document is its Composition");
    return check_entries(&c, err)
           && med_walk_references(p, j, med_json_member(j, c.entries + 1, MED_STR("resource")),
                                  med_pack_type(p, MED_STR("Composition")), check_reference, &c,
                                  err);
}

bool med_document_check_write(med_call *call, med_write *w, med_err *err)
{
    med_stored s;
    bool sealed = false;
    const med_fhir_request *r = &call->request;
    if (r->method != MED_POST && !med_document_check_identity(call, w->id, err))
        return false;
    if (!is_bundle(call, w->type))
        return true;
    if (!look(call, w->type, w->id, &s, &sealed, err))
        return false;
    if (sealed)
        return med_str_eq(s.text, w->text) || refuse(err, "changed");
    if (med_document_is(r->json, r->root) && !check_content(call, err))
        return false;
    /* of two at once under one id the later must not replace what the earlier has sealed */
    bool exists = s.version != 0 && s.change != MED_DELETED;
    w->expect = exists ? MED_EXPECT_VERSION : MED_EXPECT_NEW;
    w->expect_version = s.version;
    call->change->rests_on_versions = true;
    return true;
}
