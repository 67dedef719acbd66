/* document_register.c - see document_register.h. */
#include "fhir/document_register.h"

#include "base/base64.h"
#include "base/digest.h"
#include "fhir/document.h"
#include "fhir/searchset.h"
#include "model/reference.h"

enum { TEXT_BYTES = 256 << 10, TYPE_NAME = 64 };

/* ---- looking things up ---- */

bool med_registration_find(med_registration *g, const char *type, uint32_t node, med_str *id,
                           med_err *err)
{
    med_call *call = g->call;
    const med_fhir *f = call->fhir;
    const med_json *j = &g->j;
    med_search_options options = med_searchset_options(call);
    const med_query *q;
    med_match *matches;
    size_t n;
    uint32_t system = med_json_member(j, node, MED_STR("system"));
    uint32_t value = med_json_member(j, node, MED_STR("value"));
    *id = MED_STR_EMPTY;
    if (value == 0 || system == 0)
        return true;
    med_pair *pair = MED_TAKE(call->arena, 1, med_pair);
    if (pair == NULL)
        return MED_FAIL_MEMORY(err);
    /* raw text with escapes finds nothing, which is all that is lost */
    *pair =
        (med_pair){MED_STR("identifier"),
                   med_arena_printf(call->arena, "%.*s|%.*s", MED_STR_ARG(med_json_raw(j, system)),
                                    MED_STR_ARG(med_json_raw(j, value)))};
    const med_pairs query = {pair, 1};
    if (!med_query_parse_search(f->schema, call->arena, med_pack_type(f->pack, med_str_from(type)),
                                &query, true, &options, &q, err)
        || !med_search_match(f->schema, call->view, call->arena, q, 2, &matches, &n, err))
        return false;
    if (n == 1)
        *id = matches[0].id;
    return true;
}

/* The resource of the entry that a reference of the document means, or 0. */
static uint32_t entry_of(const med_registration *g, med_str reference)
{
    uint32_t entry = med_document_entry_at(&g->j, g->entries, reference, NULL);
    return entry == 0 ? 0 : med_json_member(&g->j, entry, MED_STR("resource"));
}

static bool is_stored(med_registration *g, med_str type, med_str id, bool *out)
{
    const med_fhir *f = g->call->fhir;
    med_stored s;
    uint32_t number = med_schema_type(f->schema, med_pack_type(f->pack, type));
    enum med_found found = med_view_latest(g->call->view, g->call->arena, number, id, &s, g->err);
    *out = found == MED_FOUND && s.change != MED_DELETED;
    return found != MED_FAILED;
}

/* "Patient/1" when this server has the one that is meant; else empty. */
static bool find_here(med_registration *g, med_str reference, uint32_t resource, med_str *out)
{
    const med_fhir *f = g->call->fhir;
    med_reference r;
    med_err ignored = {0};
    bool stored = false;
    med_str id = MED_STR_EMPTY;
    *out = MED_STR_EMPTY;
    if (med_reference_parse(f->pack, reference, f->base, &r, &ignored)
        && r.kind == MED_REFERENCE_LOCAL) {
        if (!is_stored(g, r.type, r.id, &stored))
            return false;
        *out = stored ? med_arena_printf(g->call->arena, "%.*s/%.*s", MED_STR_ARG(r.type),
                                         MED_STR_ARG(r.id))
                      : MED_STR_EMPTY;
    }
    uint32_t list =
        stored || resource == 0 ? 0 : med_json_member(&g->j, resource, MED_STR("identifier"));
    if (list == 0 || g->j.nodes[list].count == 0 || med_json_kind_at(&g->j, list) != MED_JSON_ARRAY)
        return true;
    med_str type = med_json_raw(&g->j, med_json_member(&g->j, resource, MED_STR("resourceType")));
    char name[TYPE_NAME];
    if (type.len >= sizeof name)
        return true;
    memcpy(name, type.ptr, type.len);
    name[type.len] = '\0';
    if (!med_registration_find(g, name, list + 1, &id, g->err))
        return false;
    if (id.len > 0)
        *out = med_arena_printf(g->call->arena, "%s/%.*s", name, MED_STR_ARG(id));
    return true;
}

/* ---- writing ---- */

static void copy_member(med_registration *g, const char *as, uint32_t object, const char *path)
{
    uint32_t node = med_json_path(&g->j, object, path);
    if (node == 0)
        return;
    med_json_key(&g->w, med_str_from(as));
    med_json_value(&g->w, &g->j, node);
}

static med_str display_of(const med_registration *g, uint32_t reference, uint32_t resource)
{
    uint32_t said = med_json_member(&g->j, reference, MED_STR("display"));
    if (said != 0)
        return med_json_span(&g->j, said);
    uint32_t name = resource == 0 ? 0 : med_json_member(&g->j, resource, MED_STR("name"));
    if (name == 0)
        return MED_STR_EMPTY;
    if (med_json_kind_at(&g->j, name) == MED_JSON_STRING)
        return med_json_span(&g->j, name);
    uint32_t first = med_json_kind_at(&g->j, name) == MED_JSON_ARRAY && g->j.nodes[name].count > 0
                         ? name + 1
                         : 0;
    uint32_t text = first == 0 ? 0 : med_json_member(&g->j, first, MED_STR("text"));
    if (text == 0 && first != 0)
        text = med_json_member(&g->j, first, MED_STR("family"));
    return text == 0 ? MED_STR_EMPTY : med_json_span(&g->j, text);
}

/* A Reference of the document as one of the register: what is here by its address, else who it is
 * by identifier and name. */
static void write_reference(med_registration *g, uint32_t reference)
{
    med_json_writer *w = &g->w;
    const med_json *j = &g->j;
    med_str here = MED_STR_EMPTY;
    uint32_t text = med_json_member(j, reference, MED_STR("reference"));
    uint32_t resource = text == 0 ? 0 : entry_of(g, med_json_raw(j, text));
    if (text != 0 && !find_here(g, med_json_raw(j, text), resource, &here))
        g->failed = true;
    med_str display = display_of(g, reference, resource);
    uint32_t identifier = med_json_member(j, reference, MED_STR("identifier"));
    if (identifier == 0 && resource != 0) {
        uint32_t list = med_json_member(j, resource, MED_STR("identifier"));
        identifier = list != 0 && j->nodes[list].count > 0 ? list + 1 : 0;
    }
    med_json_open(w, '{');
    med_json_pair(w, "reference", here);
    if (here.len == 0 && identifier != 0) {
        med_json_key(w, MED_STR("identifier"));
        med_json_value(w, j, identifier);
    }
    if (display.len > 0 || (here.len == 0 && identifier == 0)) {
        med_json_key(w, MED_STR("display"));
        med_json_raw_value(w, display.len > 0 ? display : MED_STR("\"not named\""));
    }
    med_json_close(w, '}');
}

static void write_references(med_registration *g, const char *as, const char *path, bool several)
{
    const med_json *j = &g->j;
    uint32_t node = med_json_path(j, g->composition, path);
    if (node == 0)
        return;
    med_json_key(&g->w, med_str_from(as));
    if (several)
        med_json_open(&g->w, '[');
    if (med_json_kind_at(j, node) != MED_JSON_ARRAY)
        write_reference(g, node);
    else
        for (uint32_t e = node + 1; e < j->nodes[node].next; e = j->nodes[e].next)
            write_reference(g, e);
    if (several)
        med_json_close(&g->w, ']');
}

/* Those that name documents which are registered here. */
static void write_relations(med_registration *g)
{
    const med_json *j = &g->j;
    bool any = false;
    uint32_t list = med_json_member(j, g->composition, MED_STR("relatesTo"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str id = MED_STR_EMPTY;
        uint32_t code = med_json_member(j, e, MED_STR("code"));
        uint32_t target = med_json_member(j, e, MED_STR("targetIdentifier"));
        if (code == 0 || target == 0)
            continue;
        if (!med_registration_find(g, "DocumentReference", target, &id, g->err))
            g->failed = true;
        if (id.len == 0)
            continue;
        if (!any) {
            med_json_key(&g->w, MED_STR("relatesTo"));
            med_json_open(&g->w, '[');
        }
        any = true;
        med_json_open(&g->w, '{');
        med_json_key(&g->w, MED_STR("code"));
        med_json_value(&g->w, j, code);
        med_json_key(&g->w, MED_STR("target"));
        med_json_open(&g->w, '{');
        med_json_pair(&g->w, "reference",
                      med_arena_printf(g->call->arena, "DocumentReference/%.*s", MED_STR_ARG(id)));
        med_json_close(&g->w, '}');
        med_json_close(&g->w, '}');
    }
    if (any)
        med_json_close(&g->w, ']');
}

static void write_confidentiality(med_registration *g)
{
    uint32_t code = med_json_member(&g->j, g->composition, MED_STR("confidentiality"));
    if (code == 0)
        return;
    med_json_key(&g->w, MED_STR("securityLabel"));
    med_json_raw_value(
        &g->w, MED_STR("[{\"coding\":[{\"system\":"
                       "\"http://terminology.hl7.org/CodeSystem/v3-Confidentiality\",\"code\":"));
    med_buf_add(g->w.out, med_json_span(&g->j, code));
    med_buf_add(g->w.out, MED_STR("}]}]"));
}

static void write_content(med_registration *g)
{
    med_json_writer *w = &g->w;
    med_json_key(w, MED_STR("content"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_key(w, MED_STR("attachment"));
    med_json_open(w, '{');
    med_json_pair(w, "contentType", MED_STR("application/fhir+json"));
    copy_member(g, "language", g->composition, "language");
    med_json_pair(w, "url", g->url);
    copy_member(g, "title", g->composition, "title");
    copy_member(g, "creation", g->composition, "date");
    med_json_close(w, '}');
    uint32_t profiles = med_json_path(&g->j, 0, "meta.profile");
    if (profiles != 0 && g->j.nodes[profiles].count > 0) {
        med_json_key(w, MED_STR("format"));
        med_json_open(w, '{');
        med_json_pair(w, "system", MED_STR("urn:ietf:rfc:3986"));
        med_json_key(w, MED_STR("code"));
        med_json_value(w, &g->j, profiles + 1);
        med_json_close(w, '}');
    }
    med_json_close(w, '}');
    med_json_close(w, ']');
}

static void write_context(med_registration *g)
{
    const med_json *j = &g->j;
    uint32_t encounter = med_json_member(j, g->composition, MED_STR("encounter"));
    uint32_t events = med_json_member(j, g->composition, MED_STR("event"));
    uint32_t event = events != 0 && j->nodes[events].count > 0 ? events + 1 : 0;
    if (encounter == 0 && event == 0)
        return;
    med_json_key(&g->w, MED_STR("context"));
    med_json_open(&g->w, '{');
    write_references(g, "encounter", "encounter", true);
    if (event != 0) {
        copy_member(g, "event", event, "code");
        copy_member(g, "period", event, "period");
    }
    med_json_close(&g->w, '}');
}

static void write_head(med_registration *g)
{
    char now[MED_INSTANT_LEN];
    char uuid[MED_UUID_LEN];
    med_random_uuid(g->call->fhir->random, uuid);
    med_instant_format(med_now(g->call->fhir->clock), now);
    med_json_pair(&g->w, "resourceType", MED_STR("DocumentReference"));
    med_json_pair(&g->w, "id", med_arena_printf(g->call->arena, "%.*s", MED_UUID_LEN, uuid));
    if (g->composition != 0)
        copy_member(g, "masterIdentifier", 0, "identifier");
    med_json_pair(&g->w, "status", MED_STR("current"));
    if (g->composition != 0) {
        copy_member(g, "docStatus", g->composition, "status");
        copy_member(g, "type", g->composition, "type");
        copy_member(g, "category", g->composition, "category");
        write_references(g, "subject", "subject", false);
    }
    med_json_pair(&g->w, "date", (med_str){now, sizeof now});
}

static void write_of_bundle(med_registration *g)
{
    write_head(g);
    write_references(g, "author", "author", true);
    write_references(g, "custodian", "custodian", false);
    write_relations(g);
    copy_member(g, "description", g->composition, "title");
    write_confidentiality(g);
    write_content(g);
    write_context(g);
}

static bool write_of_binary(med_registration *g, med_err *err)
{
    med_json_writer *w = &g->w;
    med_str data = MED_STR_EMPTY, bytes = MED_STR_EMPTY;
    uint8_t digest[MED_SHA1_BYTES];
    uint32_t node = med_json_member(&g->j, 0, MED_STR("data"));
    if (node != 0 && !med_json_string(g->call->arena, &g->j, node, &data))
        return MED_FAIL_MEMORY(err);
    if ((data.len > 0 && !med_base64_decode(g->call->arena, data, &bytes, err))
        || (!med_sha1(bytes, digest) && !MED_FAIL_MEMORY(err)))
        return false;
    write_head(g);
    med_json_key(w, MED_STR("content"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_key(w, MED_STR("attachment"));
    med_json_open(w, '{');
    copy_member(g, "contentType", 0, "contentType");
    med_json_pair(w, "url", g->url);
    med_json_key(w, MED_STR("size"));
    med_json_int(w, (int64_t)bytes.len);
    med_json_key(w, MED_STR("hash"));
    med_json_raw_value(w, MED_STR("\""));
    med_base64_encode(w->out, (med_str){(const char *)digest, sizeof digest});
    med_buf_addc(w->out, '"');
    med_json_close(w, '}');
    med_json_close(w, '}');
    med_json_close(w, ']');
    return true;
}

bool med_registration_write(med_registration *g, med_str *out, med_err *err)
{
    med_buf buf;
    med_buf_init(&buf, TEXT_BYTES);
    g->w = med_json_writer_to(&buf);
    g->err = err;
    med_json_open(&g->w, '{');
    bool ok = true;
    if (g->composition != 0)
        write_of_bundle(g);
    else
        ok = write_of_binary(g, err);
    med_json_close(&g->w, '}');
    ok = ok && !g->failed;
    if (ok && (buf.failed || !med_arena_copy(g->call->arena, med_buf_str(&buf), out)))
        ok = MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the reference would be too large");
    med_buf_free(&buf);
    return ok;
}
