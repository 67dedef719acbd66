/* summary.c - Patient/$summary: the International Patient Summary of what is stored.
 * https://hl7.org/fhir/uv/ips/OperationDefinition-summary.html
 *
 * A section without entries says why: "none known" only where somebody has recorded that, else
 * that nothing is recorded. A record that another has replaced leads to that one, and the text
 * says so. */
#include "fhir/summary.h"
#include "fhir/interactions.h"
#include "fhir/searchset.h"
#include "model/reference.h"

#define BUNDLE_PROFILE "http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips"
#define COMPOSITION_PROFILE "http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips"

enum { TEXT_BYTES = 16 << 20, REPLACED_MAX = 8 };

/* ---- the question ---- */

static bool refuse(const char *what, med_str name, med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "$summary %s '%.*s'", what,
                   MED_STR_ARG(med_str_sub(name, 0, 80)));
    return med_err_status(err, 400);
}

/* At type level the one patient that has the identifier. */
static bool find_by_identifier(med_call *call, med_str identifier, med_str *id, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_search_options options = med_searchset_options(call);
    med_pair pair = {MED_STR("identifier"), identifier};
    const med_pairs pairs = {&pair, 1};
    const med_query *q;
    med_match *matches;
    size_t n;
    if (!med_query_parse_search(f->schema, call->arena, call->request.type, &pairs, true, &options,
                                &q, err)
        || !med_search_match(f->schema, call->view, call->arena, q, 2, &matches, &n, err))
        return false;
    if (n == 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no Patient with this identifier");
    if (n > 1)
        return MED_FAIL(err, MED_ISSUE_MULTIPLE_MATCHES,
                        "several Patients have this identifier; a summary never mixes them");
    *id = matches[0].id;
    return true;
}

static bool read_question(med_call *call, med_str *id, med_err *err)
{
    med_pairs given;
    med_str page;
    med_str identifier = MED_STR_EMPTY;
    *id = call->request.id;
    if (!med_searchset_parameters(call, &given, &page, err))
        return false;
    for (size_t i = 0; i < given.n; i++) {
        const med_pair *p = &given.at[i];
        bool type_level = call->request.level == MED_LEVEL_TYPE;
        if (med_str_eqz(p->name, "_format") || med_str_eqz(p->name, "_pretty"))
            continue;
        if (med_str_eqz(p->name, "identifier") && type_level) {
            identifier = p->value;
        } else if (med_str_eqz(p->name, "profile")) {
            if (!med_str_eqz(p->value, BUNDLE_PROFILE)
                && !med_str_eqz(p->value, COMPOSITION_PROFILE))
                return refuse("makes the International Patient Summary, not the profile", p->value,
                              err);
        } else {
            return refuse("has no parameter", p->name, err);
        }
    }
    if (call->request.level != MED_LEVEL_TYPE)
        return true;
    if (identifier.len > 0)
        return find_by_identifier(call, identifier, id, err);
    (void)MED_FAIL(err, MED_ISSUE_REQUIRED, "Patient/$summary needs an identifier (system|value)");
    return med_err_status(err, 400);
}

/* ---- the patient ---- */

/* The id of the record that replaced this one; empty if none did. */
static bool replaced_by(med_call *call, const med_json *j, med_str *out, med_err *err)
{
    *out = MED_STR_EMPTY;
    uint32_t list = med_json_member(j, 0, MED_STR("link"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return true;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t type = med_json_path(j, e, "type");
        uint32_t other = med_json_path(j, e, "other.reference");
        med_reference ref;
        med_err ignored;
        med_str text;
        if (type == 0 || other == 0 || !med_json_string_is(j, type, MED_STR("replaced-by")))
            continue;
        if (!med_json_string(call->arena, j, other, &text))
            return MED_FAIL_MEMORY(err);
        if (med_reference_parse(call->fhir->pack, text, call->fhir->base, &ref, &ignored)
            && ref.kind == MED_REFERENCE_LOCAL && med_str_eqz(ref.type, "Patient"))
            *out = ref.id;
    }
    return true;
}

/* Follows what replaced the record; *out is of the one that is in force. */
static bool read_patient(med_call *call, med_str id, med_stored *out, med_err *err)
{
    const med_fhir *f = call->fhir;
    uint32_t type = med_schema_type(f->schema, call->request.type);
    for (int i = 0; i < REPLACED_MAX; i++) {
        med_json j;
        enum med_found found = med_view_read(call->view, call->arena, type, id, out, err);
        if (found == MED_FAILED)
            return false;
        if (found == MED_ABSENT)
            return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no Patient with this id");
        if (out->change == MED_DELETED)
            return MED_FAIL(err, MED_ISSUE_DELETED, "this Patient was deleted");
        if (!med_json_parse(call->arena, out->text, &j, NULL, err)
            || !replaced_by(call, &j, &id, err))
            return false;
        if (id.len == 0)
            return true;
    }
    return MED_FAIL(err, MED_ISSUE_CONFLICT,
                    "the records of this Patient replace each other in a circle");
}

/* ---- the Composition ---- */

static void write_concept(med_json_writer *w, const char *key, const char *system, const char *code,
                          const char *display, const char *text)
{
    med_json_key(w, med_str_from(key));
    med_json_open(w, '{');
    med_json_key(w, MED_STR("coding"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_pair(w, "system", med_str_from(system));
    med_json_pair(w, "code", med_str_from(code));
    med_json_pair(w, "display", med_str_from(display));
    med_json_close(w, '}');
    med_json_close(w, ']');
    if (text != NULL)
        med_json_pair(w, "text", med_str_from(text));
    med_json_close(w, '}');
}

static void write_text(med_json_writer *w, const med_buf *div)
{
    med_json_key(w, MED_STR("text"));
    med_json_open(w, '{');
    med_json_pair(w, "status", MED_STR("generated"));
    med_json_pair(w, "div", med_buf_str(div));
    med_json_close(w, '}');
    w->out->failed = w->out->failed || div->failed;
}

static void write_reference(med_json_writer *w, med_str url)
{
    med_json_open(w, '{');
    med_json_pair(w, "reference", url);
    med_json_close(w, '}');
}

static void write_section(med_json_writer *w, const med_document *d, const med_summary_section *s,
                          const med_summary_found *found)
{
    static const char reasons[] = "http://terminology.hl7.org/CodeSystem/list-empty-reason";
    med_buf div;
    med_buf_init(&div, TEXT_BYTES);
    med_summary_narrative(&div, d, s, found);
    med_json_open(w, '{');
    med_json_pair(w, "title", med_str_from(s->title));
    write_concept(w, "code", "http://loinc.org", s->code, s->display, NULL);
    write_text(w, &div);
    med_buf_free(&div);
    if (found->n > 0) {
        med_json_key(w, MED_STR("entry"));
        med_json_open(w, '[');
        for (size_t i = 0; i < found->n; i++)
            write_reference(w, found->at[i]->full_url);
        med_json_close(w, ']');
    } else if (found->none_known) {
        write_concept(w, "emptyReason", reasons, "nilknown", "Nil Known", s->nothing);
    } else {
        write_concept(w, "emptyReason", reasons, "unavailable", "Unavailable",
                      found->cut ? "Not all of the record was looked at"
                                 : "Nothing is recorded; this does not mean that there is none");
    }
    med_json_close(w, '}');
}

typedef struct summary {
    med_call *call;
    med_document d;
    const med_document_entry *patient;
    med_str asked; /* the id asked for, when it is another's */
    med_str author;
    med_summary_found *found; /* for each section */
} summary;

static void write_composition(const summary *s, med_json_writer *w)
{
    char now[MED_INSTANT_LEN];
    med_buf div;
    med_buf_init(&div, TEXT_BYTES);
    med_summary_head(&div, &s->d, s->patient, s->asked);
    med_instant_format(med_now(s->call->fhir->clock), now);
    med_json_open(w, '{');
    med_json_pair(w, "resourceType", MED_STR("Composition"));
    med_json_key(w, MED_STR("meta"));
    med_json_raw_value(w, MED_STR("{\"profile\":[\"" COMPOSITION_PROFILE "\"]}"));
    write_text(w, &div);
    med_buf_free(&div);
    med_json_pair(w, "status", MED_STR("final"));
    write_concept(w, "type", "http://loinc.org", "60591-5", "Patient summary Document", NULL);
    med_json_key(w, MED_STR("subject"));
    write_reference(w, s->patient->full_url);
    med_json_pair(w, "date", (med_str){now, sizeof now});
    med_json_key(w, MED_STR("author"));
    med_json_open(w, '[');
    write_reference(w, s->author);
    med_json_close(w, ']');
    med_json_pair(w, "title", MED_STR("Patient Summary"));
    med_json_key(w, MED_STR("section"));
    med_json_open(w, '[');
    for (size_t i = 0; i < med_summary_section_count; i++)
        if (s->found[i].n > 0 || med_summary_sections[i].required)
            write_section(w, &s->d, &med_summary_sections[i], &s->found[i]);
    med_json_close(w, ']');
    med_json_close(w, '}');
}

/* ---- putting it together ---- */

/* The program itself, as the author of what it has put together. */
static bool add_author(summary *s, med_err *err)
{
    med_type device = med_pack_type(s->call->fhir->pack, MED_STR("Device"));
    return med_document_add_text(
        &s->d, device,
        MED_STR("{\"resourceType\":\"Device\",\"deviceName\":[{\"name\":\"Medulla " MED_VERSION
                "\",\"type\":\"model-name\"}]}"),
        &s->author, err);
}

/* The Composition stands first, so everything is found before it is written. */
static bool write_all(summary *s, med_str *out, med_err *err)
{
    med_buf buf;
    med_str text;
    med_str url;
    med_document whole;
    char uuid[MED_UUID_LEN];
    med_buf_init(&buf, TEXT_BYTES);
    med_json_writer w = med_json_writer_to(&buf);
    write_composition(s, &w);
    bool ok = !buf.failed && med_arena_copy(s->call->arena, med_buf_str(&buf), &text);
    med_buf_free(&buf);
    if (!ok)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "the summary would be too large");
    med_type type = med_pack_type(s->call->fhir->pack, MED_STR("Composition"));
    if (!med_document_init(&whole, s->call, err)
        || !med_document_add_text(&whole, type, text, &url, err))
        return false;
    for (size_t i = 0; i < s->d.n && whole.n < MED_DOCUMENT_ENTRIES; i++)
        whole.at[whole.n++] = s->d.at[i];
    med_random_uuid(s->call->fhir->random, uuid);
    return med_document_write(&whole, (med_str){uuid, sizeof uuid}, MED_STR(BUNDLE_PROFILE), out,
                              err);
}

/* IPS wants a name and a date of birth. Where the record has none, the copy in the summary says
 * that they are not known. https://hl7.org/fhir/R4/extension-data-absent-reason.html */
static bool tell_absent(summary *s, med_document_entry *patient, med_err *err)
{
#define ABSENT                                                                                     \
    "{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\","     \
    "\"valueCode\":\"unknown\"}]}"
    const med_json *j = patient->json;
    bool name = med_json_member(j, 0, MED_STR("name")) != 0;
    bool born = med_json_member(j, 0, MED_STR("birthDate")) != 0
                || med_json_member(j, 0, MED_STR("_birthDate")) != 0;
    if (name && born)
        return true;
    patient->text = med_arena_printf(
        s->call->arena, "%.*s%s%s}",
        MED_STR_ARG(med_str_sub(patient->text, 0, patient->text.len - 1)),
        name ? "" : ",\"name\":[{\"_text\":" ABSENT "}]", born ? "" : ",\"_birthDate\":" ABSENT);
    return patient->text.len > 0 ? true : MED_FAIL_MEMORY(err);
#undef ABSENT
}

static bool make(summary *s, med_err *err)
{
    med_call *call = s->call;
    med_str id;
    med_stored patient;
    s->found = MED_TAKE(call->arena, med_summary_section_count, med_summary_found);
    if (s->found == NULL)
        return MED_FAIL_MEMORY(err);
    if (!read_question(call, &id, err) || !read_patient(call, id, &patient, err)
        || !med_document_init(&s->d, call, err)
        || !med_document_add_stored(&s->d, &patient, &s->patient, err)
        || !tell_absent(s, &s->d.at[0], err) || !add_author(s, err))
        return false;
    s->d.headless = true;
    s->asked = med_str_eq(id, patient.id) ? MED_STR_EMPTY : id;
    for (size_t i = 0; i < med_summary_section_count; i++)
        if (!med_summary_find(&s->d, &med_summary_sections[i], patient.id, &s->found[i], err))
            return false;
    call->response.status = 200;
    return med_document_follow(&s->d, err) && write_all(s, &call->response.body, err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    summary s = {.call = call, .asked = MED_STR_EMPTY, .author = MED_STR_EMPTY};
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    return make(&s, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

#define DEFINITION "http://hl7.org/fhir/uv/ips/OperationDefinition/summary"

const med_interaction med_interaction_summary = {
    .name = "summary",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$summary",
    .definition = DEFINITION,
    .types = "Patient",
    .prepare = prepare,
};

const med_interaction med_interaction_summary_post = {
    .name = "summary",
    .method = MED_POST,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$summary",
    .definition = DEFINITION,
    .types = "Patient",
    .prepare = prepare,
};

const med_interaction med_interaction_summary_type = {
    .name = "summary",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "$summary",
    .definition = DEFINITION,
    .types = "Patient",
    .prepare = prepare,
};

const med_interaction med_interaction_summary_type_post = {
    .name = "summary",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "$summary",
    .definition = DEFINITION,
    .types = "Patient",
    .prepare = prepare,
};
