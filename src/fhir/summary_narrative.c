/* summary_narrative.c - the text of a patient summary, for a person.
 * https://hl7.org/fhir/R4/narrative.html
 *
 * It says what the entries say and nothing else: what, in which state, since when. Every text of
 * the data is escaped, so none can become markup. */
#include "fhir/summary.h"

enum { CELL_BYTES = 300 };

static void escape(med_buf *out, med_str text)
{
    bool cut = text.len > CELL_BYTES;
    size_t n = cut ? CELL_BYTES : text.len;
    while (cut && n > 0 && ((unsigned char)text.ptr[n] & 0xC0) == 0x80)
        n--; /* whole characters only */
    for (size_t i = 0; i < n; i++) {
        char c = text.ptr[i];
        if (c == '<')
            med_buf_addz(out, "&lt;");
        else if (c == '>')
            med_buf_addz(out, "&gt;");
        else if (c == '&')
            med_buf_addz(out, "&amp;");
        else if (c == '"')
            med_buf_addz(out, "&quot;");
        else if ((unsigned char)c < 0x20)
            med_buf_addc(out, ' ');
        else
            med_buf_addc(out, c);
    }
    if (cut)
        med_buf_addz(out, "...");
}

static bool text_at(med_arena *a, const med_json *j, uint32_t object, const char *path,
                    med_str *out)
{
    uint32_t node =
        med_json_kind_at(j, object) == MED_JSON_OBJECT ? med_json_path(j, object, path) : 0;
    *out = MED_STR_EMPTY;
    if (node == 0 || med_json_kind_at(j, node) == MED_JSON_OBJECT
        || med_json_kind_at(j, node) == MED_JSON_ARRAY)
        return false;
    if (med_json_kind_at(j, node) != MED_JSON_STRING)
        *out = med_json_raw(j, node);
    else if (!med_json_string(a, j, node, out))
        return false;
    return out->len > 0;
}

/* The first of the paths ("a b c") that has a text. */
static bool first_text(med_arena *a, const med_json *j, uint32_t object, const char *paths,
                       med_str *out)
{
    char path[64];
    med_str rest = med_str_from(paths);
    while (rest.len > 0) {
        med_str one = med_str_cut(rest, ' ', &rest);
        if (one.len >= sizeof path)
            continue;
        memcpy(path, one.ptr, one.len);
        path[one.len] = '\0';
        if (text_at(a, j, object, path, out))
            return true;
    }
    return false;
}

/* text, else display or code of a coding; the first of an array. */
static bool concept_text(med_arena *a, const med_json *j, uint32_t node, med_str *out)
{
    if (node != 0 && med_json_kind_at(j, node) == MED_JSON_ARRAY && j->nodes[node].count > 0)
        node++;
    if (node == 0 || med_json_kind_at(j, node) != MED_JSON_OBJECT)
        return false;
    if (text_at(a, j, node, "text", out))
        return true;
    uint32_t list = med_json_member(j, node, MED_STR("coding"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return false;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next)
        if (text_at(a, j, e, "display", out))
            return true;
    return j->nodes[list].count > 0 && text_at(a, j, list + 1, "code", out);
}

/* The resource of the document that a Reference means; NULL if it is none of it. */
static const med_document_entry *referred(const med_document *d, const med_json *j, uint32_t node)
{
    med_str text;
    if (node == 0 || !text_at(d->call->arena, j, node, "reference", &text))
        return NULL;
    for (size_t i = 0; i < d->n; i++)
        if (med_str_ends(d->at[i].full_url, text)
            && (d->at[i].full_url.len == text.len
                || d->at[i].full_url.ptr[d->at[i].full_url.len - text.len - 1] == '/'))
            return &d->at[i];
    return NULL;
}

/* What the entry is about: its code, or that of the medication or device it refers to. */
static med_str what(const med_document *d, const med_document_entry *e)
{
    static const char *const concepts[] = {"code", "medicationCodeableConcept", "vaccineCode",
                                           "category", "type"};
    static const char *const references[] = {"medicationReference", "device"};
    med_arena *a = d->call->arena;
    const med_json *j = e->json;
    med_str out = MED_STR_EMPTY;
    if (text_at(a, j, 0, "title", &out))
        return out;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        uint32_t node = med_json_member(j, 0, med_str_from(references[i]));
        const med_document_entry *to = referred(d, j, node);
        if (to != NULL
            && (concept_text(a, to->json, med_json_member(to->json, 0, MED_STR("code")), &out)
                || concept_text(a, to->json, med_json_member(to->json, 0, MED_STR("type")), &out)))
            return out;
        if (node != 0 && text_at(a, j, node, "display", &out))
            return out;
    }
    for (size_t i = 0; i < sizeof concepts / sizeof *concepts; i++)
        if (concept_text(a, j, med_json_member(j, 0, med_str_from(concepts[i])), &out))
            return out;
    return MED_STR("(not named)");
}

static void write_value(med_buf *out, med_arena *a, const med_json *j, uint32_t object)
{
    med_str value = MED_STR_EMPTY;
    med_str unit = MED_STR_EMPTY;
    med_str comparator = MED_STR_EMPTY;
    if (text_at(a, j, object, "valueQuantity.value", &value)) {
        if (text_at(a, j, object, "valueQuantity.comparator", &comparator))
            escape(out, comparator);
        escape(out, value);
        if (first_text(a, j, object, "valueQuantity.unit valueQuantity.code", &unit)) {
            med_buf_addc(out, ' ');
            escape(out, unit);
        }
    } else if (concept_text(a, j, med_json_member(j, object, MED_STR("valueCodeableConcept")),
                            &value)
               || first_text(a, j, object,
                             "valueString valueInteger valueBoolean valueDateTime valueTime",
                             &value)
               || concept_text(a, j, med_json_member(j, object, MED_STR("dataAbsentReason")),
                               &value)) {
        escape(out, value);
    }
}

/* The value of an Observation, and of its components. */
static void write_values(med_buf *out, med_arena *a, const med_json *j)
{
    med_str name;
    write_value(out, a, j, 0);
    uint32_t list = med_json_member(j, 0, MED_STR("component"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT)
            continue;
        med_buf_addc(out, ' ');
        if (concept_text(a, j, med_json_member(j, e, MED_STR("code")), &name)) {
            escape(out, name);
            med_buf_addz(out, ": ");
        }
        write_value(out, a, j, e);
        med_buf_addc(out, ';');
    }
}

/* Value of an Observation, dosage of a medication, severity, reaction: what there is. */
static void write_detail(med_buf *out, med_arena *a, const med_json *j)
{
    med_str text = MED_STR_EMPTY;
    write_values(out, a, j);
    if (concept_text(a, j, med_json_member(j, 0, MED_STR("severity")), &text)
        || first_text(a, j, 0, "criticality conclusion lotNumber", &text))
        escape(out, text);
    static const char *const dosages[] = {"dosage", "dosageInstruction", "reaction"};
    for (size_t i = 0; i < sizeof dosages / sizeof *dosages; i++) {
        uint32_t list = med_json_member(j, 0, med_str_from(dosages[i]));
        if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY || j->nodes[list].count == 0)
            continue;
        bool reaction = strcmp(dosages[i], "reaction") == 0;
        med_buf_addc(out, ' ');
        if (reaction
                ? concept_text(a, j, med_json_member(j, list + 1, MED_STR("manifestation")), &text)
                : first_text(a, j, list + 1, "text patientInstruction", &text))
            escape(out, text);
    }
}

static void write_state(med_buf *out, med_arena *a, const med_json *j)
{
    static const char *const concepts[] = {"clinicalStatus", "verificationStatus"};
    med_str text = MED_STR_EMPTY;
    size_t from = out->len;
    if (text_at(a, j, 0, "status", &text))
        escape(out, text);
    for (size_t i = 0; i < sizeof concepts / sizeof *concepts; i++)
        if (concept_text(a, j, med_json_member(j, 0, med_str_from(concepts[i])), &text)) {
            if (out->len > from)
                med_buf_addz(out, ", ");
            escape(out, text);
        }
}

static void write_row(med_buf *out, const med_document *d, const med_document_entry *e)
{
    static const char when[] =
        "effectiveDateTime effectiveInstant effectivePeriod.start onsetDateTime onsetPeriod.start "
        "onsetString occurrenceDateTime occurrenceString performedDateTime performedPeriod.start "
        "timingDateTime timingPeriod.start authoredOn period.start dateTime recordedDate "
        "dateAsserted date";
    med_arena *a = d->call->arena;
    med_str date = MED_STR_EMPTY;
    med_buf_addz(out, "<tr><td>");
    escape(out, what(d, e));
    med_buf_addz(out, "</td><td>");
    write_detail(out, a, e->json);
    med_buf_addz(out, "</td><td>");
    write_state(out, a, e->json);
    med_buf_addz(out, "</td><td>");
    if (first_text(a, e->json, 0, when, &date))
        escape(out, date);
    med_buf_addz(out, "</td></tr>");
}

static const char div_open[] = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";

void med_summary_narrative(med_buf *out, const med_document *d, const med_summary_section *s,
                           const med_summary_found *found)
{
    med_buf_addz(out, div_open);
    if (found->n == 0 && found->none_known)
        med_buf_printf(out, "<p>%s: somebody has asked and recorded that there are none.</p>",
                       s->nothing);
    else if (found->n == 0 && !found->cut)
        med_buf_addz(out,
                     "<p>Nothing is recorded here. This does not mean that there is none.</p>");
    if (found->n > 0) {
        med_buf_addz(out, "<table><thead><tr><th>What</th><th>Details</th><th>State</th>"
                          "<th>Date</th></tr></thead><tbody>");
        for (size_t i = 0; i < found->n; i++)
            write_row(out, d, found->at[i]);
        med_buf_addz(out, "</tbody></table>");
    }
    if (found->cut && found->n == 0)
        med_buf_addz(out, "<p>The record holds too many of these to look at all of them here. None "
                          "of those that were looked at is in force; others may be.</p>");
    else if (found->cut)
        med_buf_addz(out, "<p>There are more of these in the record; not all are shown.</p>");
    med_buf_addz(out, "</div>");
}

/* The first name: its text, or given names and family name. */
static void write_name(med_buf *out, med_arena *a, const med_json *j)
{
    med_str text = MED_STR_EMPTY;
    uint32_t list = med_json_member(j, 0, MED_STR("name"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY || j->nodes[list].count == 0) {
        med_buf_addz(out, "(name not recorded)");
        return;
    }
    if (text_at(a, j, list + 1, "text", &text)) {
        escape(out, text);
        return;
    }
    uint32_t given = med_json_member(j, list + 1, MED_STR("given"));
    for (uint32_t e = given + 1; given != 0 && e < j->nodes[given].next; e = j->nodes[e].next)
        if (med_json_kind_at(j, e) == MED_JSON_STRING && med_json_string(a, j, e, &text)) {
            escape(out, text);
            med_buf_addc(out, ' ');
        }
    if (text_at(a, j, list + 1, "family", &text))
        escape(out, text);
}

void med_summary_head(med_buf *out, const med_document *d, const med_document_entry *patient,
                      med_str asked)
{
    med_str text = MED_STR_EMPTY;
    med_arena *a = d->call->arena;
    med_buf_addz(out, div_open);
    med_buf_addz(out, "<p>Patient summary of ");
    write_name(out, a, patient->json);
    med_buf_addz(out, ", born ");
    escape(out,
           text_at(a, patient->json, 0, "birthDate", &text) ? text : MED_STR("(not recorded)"));
    if (text_at(a, patient->json, 0, "gender", &text)) {
        med_buf_addz(out, ", ");
        escape(out, text);
    }
    if (text_at(a, patient->json, 0, "deceasedDateTime", &text)) {
        med_buf_addz(out, ", died ");
        escape(out, text);
    } else if (text_at(a, patient->json, 0, "deceasedBoolean", &text)
               && med_str_eqz(text, "true")) {
        med_buf_addz(out, ", died");
    }
    med_buf_addz(out, ". Put together by a program from what is recorded.</p>");
    if (asked.len > 0) {
        med_buf_addz(out, "<p>It was asked for under Patient/");
        escape(out, asked);
        med_buf_addz(out, ", a record that this one has replaced.</p>");
    }
    med_buf_addz(out, "</div>");
}
