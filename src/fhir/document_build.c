/* document_build.c - https://hl7.org/fhir/R4/composition-operation-document.html */
#include "fhir/document.h"
#include "fhir/resource_text.h"
#include "model/reference.h"
#include "model/walk.h"

#define DOCUMENT_BYTES ((size_t)64 << 20)

bool med_document_init(med_document *d, med_call *call, med_err *err)
{
    *d = (med_document){.call = call};
    d->at = MED_TAKE(call->arena, MED_DOCUMENT_ENTRIES, med_document_entry);
    return d->at != NULL ? true : MED_FAIL_MEMORY(err);
}

static bool append(med_document *d, med_document_entry entry, const med_document_entry **out,
                   med_err *err)
{
    med_json *j = MED_TAKE(d->call->arena, 1, med_json);
    if (j == NULL || entry.full_url.len == 0)
        return MED_FAIL_MEMORY(err);
    if (d->n == MED_DOCUMENT_ENTRIES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the document would have more than %d entries",
                        MED_DOCUMENT_ENTRIES);
    if (!med_json_parse(d->call->arena, entry.text, j, NULL, err))
        return false;
    entry.json = j;
    d->at[d->n] = entry;
    *out = &d->at[d->n++];
    return true;
}

bool med_document_add_text(med_document *d, med_type type, med_str text, med_str *url, med_err *err)
{
    char uuid[MED_UUID_LEN];
    const med_document_entry *e;
    med_random_uuid(d->call->fhir->random, uuid);
    *url = med_arena_printf(d->call->arena, "urn:uuid:%.*s", MED_UUID_LEN, uuid);
    return append(
        d, (med_document_entry){.type = type, .id = MED_STR_EMPTY, .full_url = *url, .text = text},
        &e, err);
}

static const med_document_entry *find(const med_document *d, med_type type, med_str id)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->at[i].type == type && med_str_eq(d->at[i].id, id))
            return &d->at[i];
    return NULL;
}

bool med_document_add_stored(med_document *d, const med_stored *s, const med_document_entry **out,
                             med_err *err)
{
    const med_fhir *f = d->call->fhir;
    med_document_entry e = {.type = med_schema_pack_type(f->schema, s->type), .id = s->id};
    med_str name = med_type_name(f->pack, e.type);
    med_buf buf;
    *out = find(d, e.type, s->id);
    if (*out != NULL)
        return true;
    med_buf_init(&buf, DOCUMENT_BYTES);
    med_resource_render(&buf, name, s->id, s->version, s->updated, s->text);
    bool ok = !buf.failed && med_arena_copy(d->call->arena, med_buf_str(&buf), &e.text);
    med_buf_free(&buf);
    e.full_url = med_arena_printf(d->call->arena, "%.*s/%.*s/%.*s", MED_STR_ARG(f->base),
                                  MED_STR_ARG(name), MED_STR_ARG(s->id));
    return ok ? append(d, e, out, err) : MED_FAIL_MEMORY(err);
}

bool med_document_add(med_document *d, med_type type, med_str id, const med_document_entry **out,
                      med_err *err)
{
    med_stored s;
    const med_fhir *f = d->call->fhir;
    *out = find(d, type, id);
    if (*out != NULL || type == MED_TYPE_NONE)
        return true;
    enum med_found found =
        med_view_read(d->call->view, d->call->arena, med_schema_type(f->schema, type), id, &s, err);
    if (found != MED_FOUND || s.change == MED_DELETED)
        return found != MED_FAILED;
    return med_document_add_stored(d, &s, out, err);
}

typedef struct follow {
    med_document *d;
    const med_json *json; /* whose references they are */
    bool first;           /* the Composition's */
    bool names;           /* only what names an entry: a summary's text needs it */
} follow;

static bool is_name(med_str type)
{
    return med_str_eqz(type, "Medication") || med_str_eqz(type, "Device");
}

/* Whose content is not this document's, if only something on the way refers to it. */
static bool stays_out(const follow *x, med_str type)
{
    static const char *const types[] = {"Patient", "Group", "Bundle", "Composition"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!x->first && med_str_eqz(type, types[i]))
            return true;
    return false;
}

static bool follow_one(void *arg, const med_reference_walk *at, uint32_t reference,
                       uint32_t property, med_err *err)
{
    const follow *x = arg;
    med_document *d = x->d;
    const med_fhir *f = d->call->fhir;
    med_reference ref;
    med_str text;
    const med_document_entry *e = NULL;
    med_err ignored;
    (void)reference;
    (void)at;
    if (!med_json_string(d->call->arena, x->json, property, &text))
        return MED_FAIL_MEMORY(err);
    if (!med_reference_parse(f->pack, text, f->base, &ref, &ignored)
        || ref.kind != MED_REFERENCE_LOCAL || stays_out(x, ref.type)
        || (x->names && !is_name(ref.type)))
        return true;
    if (d->headless && d->n >= MED_DOCUMENT_ENTRIES - 1) /* one is for the Composition to come */
        return true;
    if (!med_document_add(d, med_pack_type(f->pack, ref.type), ref.id, &e, err))
        return false;
    if (e == NULL && x->first)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                        "the Composition refers to a %.*s that is not (or no longer) here",
                        MED_STR_ARG(ref.type));
    return true;
}

static bool follow_all(med_document *d, bool names, med_err *err)
{
    for (size_t i = 0; i < d->n; i++) { /* grows on the way: breadth first */
        follow x = {d, d->at[i].json, i == 0 && !d->headless, names};
        if (!med_walk_references(d->call->fhir->pack, x.json, 0, d->at[i].type, follow_one, &x,
                                 err))
            return false;
    }
    return true;
}

bool med_document_follow(med_document *d, med_err *err)
{
    return (!d->headless || follow_all(d, true, err)) && follow_all(d, false, err);
}

static void write_head(const med_document *d, med_json_writer *w, med_str id, med_str profile)
{
    char now[MED_INSTANT_LEN];
    med_instant_format(med_now(d->call->fhir->clock), now);
    med_json_pair(w, "resourceType", MED_STR("Bundle"));
    med_json_pair(w, "id", id);
    if (profile.len > 0) {
        med_json_key(w, MED_STR("meta"));
        med_json_open(w, '{');
        med_json_key(w, MED_STR("profile"));
        med_json_open(w, '[');
        med_json_str(w, profile);
        med_json_close(w, ']');
        med_json_close(w, '}');
    }
    med_json_key(w, MED_STR("identifier"));
    med_json_open(w, '{');
    med_json_pair(w, "system", MED_STR("urn:ietf:rfc:3986"));
    med_json_pair(w, "value", med_arena_printf(d->call->arena, "urn:uuid:%.*s", MED_STR_ARG(id)));
    med_json_close(w, '}');
    med_json_pair(w, "type", MED_STR("document"));
    med_json_pair(w, "timestamp", (med_str){now, sizeof now});
}

bool med_document_write(const med_document *d, med_str id, med_str profile, med_str *out,
                        med_err *err)
{
    med_buf buf;
    med_buf_init(&buf, DOCUMENT_BYTES);
    med_json_writer w = med_json_writer_to(&buf);
    med_json_open(&w, '{');
    write_head(d, &w, id, profile);
    med_json_key(&w, MED_STR("entry"));
    med_json_open(&w, '[');
    for (size_t i = 0; i < d->n; i++) {
        med_json_open(&w, '{');
        med_json_pair(&w, "fullUrl", d->at[i].full_url);
        med_json_key(&w, MED_STR("resource"));
        med_json_raw_value(&w, d->at[i].text);
        med_json_close(&w, '}');
    }
    med_json_close(&w, ']');
    med_json_close(&w, '}');
    bool ok = !buf.failed && med_arena_copy(d->call->arena, med_buf_str(&buf), out);
    med_buf_free(&buf);
    return ok ? true : MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the document would be too large");
}
