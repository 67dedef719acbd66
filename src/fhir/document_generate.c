/* document_generate.c - DocumentReference/$generate: the entry of the register for a document.
 * https://hl7.org/fhir/R4/documentreference-operation-generate.html
 *
 * `url` is a document Bundle or a Binary of this server. A document that is registered already
 * gives the reference of then. GET shows what would be registered, POST with persist=true stores
 * it. */
#include "fhir/change.h"
#include "fhir/document_identity.h"
#include "fhir/document_register.h"
#include "fhir/interactions.h"
#include "fhir/respond.h"
#include "fhir/searchset.h"
#include "fhir/write.h"

/* ---- what is asked ---- */

static bool refuse(int status, const char *what, med_err *err)
{
    (void)MED_FAIL(err, status == 404 ? MED_ISSUE_NOT_FOUND : MED_ISSUE_NOT_SUPPORTED, "%s", what);
    return med_err_status(err, status);
}

static bool read_parameter(med_registration *g, const med_pair *p, med_err *err)
{
    if (med_str_eqz(p->name, "_format") || med_str_eqz(p->name, "_pretty"))
        return true;
    if (med_str_eqz(p->name, "url")) {
        g->url = p->value;
        return true;
    }
    if (med_str_eqz(p->name, "persist")
        && (med_str_eqz(p->value, "true") || med_str_eqz(p->value, "false"))) {
        g->persist = med_str_eqz(p->value, "true");
        return true;
    }
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "$generate has no parameter '%.*s' of that value; it has url and persist (true "
                   "or false)",
                   MED_STR_ARG(med_str_sub(p->name, 0, 40)));
    return med_err_status(err, 400);
}

static bool read_question(med_registration *g, med_err *err)
{
    med_pairs given;
    med_str page;
    if (!med_searchset_parameters(g->call, &given, &page, err))
        return false;
    for (size_t i = 0; i < given.n; i++)
        if (!read_parameter(g, &given.at[i], err))
            return false;
    if (g->url.len == 0)
        return refuse(400, "$generate needs a url: of a document Bundle, or of a Binary", err);
    return !g->persist || g->call->request.method == MED_POST
           || refuse(400, "GET changes nothing: a reference is stored by POST with persist=true",
                     err);
}

static bool find_source(med_registration *g, med_err *err)
{
    med_call *call = g->call;
    const med_fhir *f = call->fhir;
    med_reference r;
    if (!med_reference_parse(f->pack, g->url, f->base, &r, err))
        return med_err_status(err, 400);
    bool known = r.kind == MED_REFERENCE_LOCAL
                 && (med_str_eqz(r.type, "Bundle") || med_str_eqz(r.type, "Binary"));
    if (!known)
        return refuse(400,
                      "url is a document Bundle or a Binary of this server (Composition/[id]/"
                      "$document makes a document of a Composition)",
                      err);
    uint32_t type = med_schema_type(f->schema, med_pack_type(f->pack, r.type));
    g->id = r.id;
    g->url = med_arena_printf(call->arena, "%.*s/%.*s", MED_STR_ARG(r.type), MED_STR_ARG(r.id));
    enum med_found found = med_view_latest(call->view, call->arena, type, r.id, &g->source, err);
    if (found == MED_FAILED)
        return false;
    if (found == MED_ABSENT || g->source.change == MED_DELETED)
        return refuse(404, "there is no document at that url", err);
    return med_json_parse(call->arena, g->source.text, &g->j, NULL, err);
}

static bool find_composition(med_registration *g, med_err *err)
{
    const med_json *j = &g->j;
    uint32_t type = med_json_member(j, 0, MED_STR("type"));
    if (type == 0 || !med_json_string_is(j, type, MED_STR("document")))
        return refuse(400, "that Bundle is no document", err);
    g->entries = med_json_member(j, 0, MED_STR("entry"));
    g->composition = med_json_member(j, g->entries + 1, MED_STR("resource"));
    return true;
}

/* ---- the answer ---- */

/* The reference that is registered for this document already; empty id when there is none. */
static bool find_registered(med_registration *g, med_stored *s, bool *found, med_err *err)
{
    med_str id;
    *found = false;
    uint32_t identifier =
        g->composition == 0 ? 0 : med_json_member(&g->j, 0, MED_STR("identifier"));
    if (identifier == 0)
        return true;
    if (!med_registration_find(g, "DocumentReference", identifier, &id, err))
        return false;
    if (id.len == 0)
        return true;
    const med_fhir *f = g->call->fhir;
    uint32_t type =
        med_schema_type(f->schema, med_pack_type(f->pack, MED_STR("DocumentReference")));
    enum med_found there = med_view_latest(g->call->view, g->call->arena, type, id, s, err);
    *found = there == MED_FOUND && s->change != MED_DELETED;
    return there != MED_FAILED;
}

static bool put(med_registration *g, med_str text, med_err *err)
{
    med_call *call = g->call;
    med_write *w;
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_json_parse(call->arena, text, j, NULL, err))
        return false;
    const med_fhir_request sent = call->request;
    call->request.json = j;
    call->request.root = 0;
    call->request.checked = false;
    call->request.id = med_json_raw(j, med_json_member(j, 0, MED_STR("id")));
    bool known = false;
    bool ok = med_document_find_known(call, &known, err)
              && (known || med_change_put(call, call->request.id, NULL, &w, err));
    call->request = sent;
    if (ok && !known)
        w->expect = MED_EXPECT_NEW;
    return ok;
}

static bool make(med_registration *g, med_err *err)
{
    med_call *call = g->call;
    med_stored s;
    bool registered = false;
    if (!read_question(g, err) || !find_source(g, err))
        return false;
    bool bundle = med_str_starts(g->url, MED_STR("Bundle/"));
    if ((bundle && !find_composition(g, err)) || !find_registered(g, &s, &registered, err))
        return false;
    if (registered)
        return med_respond_stored(call, 200, &s, err);
    call->response.status = g->persist ? 0 : 200;
    med_str text;
    if (!med_registration_write(g, &text, err))
        return false;
    if (g->persist)
        return put(g, text, err);
    call->response.body = text;
    return true;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    med_registration g = {.call = call, .url = MED_STR_EMPTY, .id = MED_STR_EMPTY};
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    return make(&g, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

#define DEFINITION "http://hl7.org/fhir/OperationDefinition/DocumentReference-generate"

const med_interaction med_interaction_generate = {
    .name = "generate",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "$generate",
    .definition = DEFINITION,
    .types = "DocumentReference",
    .prepare = prepare,
};

const med_interaction med_interaction_generate_post = {
    .name = "generate",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "$generate",
    .definition = DEFINITION,
    .types = "DocumentReference",
    .writes = true,
    .prepare = prepare,
    .finish = med_write_finish,
};
