/* summary_section.c - what belongs in which section of a patient summary.
 * https://hl7.org/fhir/uv/ips/StructureDefinition-Composition-uv-ips.html */
#include "fhir/searchset.h"
#include "fhir/summary.h"

static const char in_error[] = "entered-in-error refuted";

const med_summary_section med_summary_sections[] = {
    {"11450-4",
     "Problem list - Reported",
     "Problems",
     true,
     "11450-4",
     "No known problems",
     {{"Condition", NULL, "clinicalStatus", "active recurrence relapse", "verificationStatus",
       in_error, false}}},
    {"48765-2",
     "Allergies and adverse reactions Document",
     "Allergies and intolerances",
     true,
     "48765-2,52472-8",
     "No known allergies",
     {{"AllergyIntolerance", NULL, "clinicalStatus", "active", "verificationStatus", in_error,
       false}}},
    {"10160-0",
     "History of Medication use Narrative",
     "Medications",
     true,
     "10160-0",
     "No known medications",
     {{"MedicationStatement", NULL, "status", "active intended on-hold unknown", NULL, NULL, false},
      {"MedicationRequest", NULL, "status", "active on-hold unknown", NULL, NULL, false}}},
    {"11369-6",
     "History of Immunization Narrative",
     "Immunizations",
     false,
     "",
     "",
     {{"Immunization", NULL, "status", "completed", NULL, NULL, false}}},
    {"47519-4",
     "History of Procedures Document",
     "Procedures",
     false,
     "",
     "",
     {{"Procedure", NULL, NULL, NULL, "status", "entered-in-error not-done preparation", false}}},
    {"46264-8",
     "History of medical device use",
     "Medical devices",
     false,
     "",
     "",
     {{"DeviceUseStatement", NULL, NULL, NULL, "status", "entered-in-error", false}}},
    {"30954-2",
     "Relevant diagnostic tests/laboratory data Narrative",
     "Results",
     false,
     "",
     "",
     {{"Observation", "laboratory", "status", "final amended corrected", NULL, NULL, true},
      {"Observation", "imaging", "status", "final amended corrected", NULL, NULL, true},
      {"DiagnosticReport", NULL, "status", "final amended corrected appended", NULL, NULL, true}}},
    {"8716-3",
     "Vital signs",
     "Vital signs",
     false,
     "",
     "",
     {{"Observation", "vital-signs", "status", "final amended corrected", NULL, NULL, true}}},
    {"11348-0",
     "History of Past illness Narrative",
     "Past problems",
     false,
     "",
     "",
     {{"Condition", NULL, "clinicalStatus", "inactive remission resolved!", "verificationStatus",
       in_error, false}}},
    {"29762-2",
     "Social history Narrative",
     "Social history",
     false,
     "",
     "",
     {{"Observation", "social-history", "status", "final amended corrected", NULL, NULL, true}}},
    {"18776-5",
     "Plan of care note",
     "Plan of care",
     false,
     "",
     "",
     {{"CarePlan", NULL, "status", "active on-hold", NULL, NULL, false},
      {"ImmunizationRecommendation", NULL, NULL, NULL, NULL, NULL, false}}},
    {"104605-1",
     "Alert",
     "Alerts",
     false,
     "",
     "",
     {{"Flag", NULL, "status", "active", NULL, NULL, false}}},
    {"42348-3",
     "Advance healthcare directives",
     "Advance directives",
     false,
     "",
     "",
     {{"Consent", NULL, "scope", "adr!", "status", "entered-in-error rejected inactive", false}}},
};
const size_t med_summary_section_count = sizeof med_summary_sections / sizeof *med_summary_sections;

/* Is it one of "a b c"? */
static bool is_among(med_str word, const char *words)
{
    med_str rest = med_str_from(words);
    if (med_str_ends(rest, MED_STR("!")))
        rest.len--;
    while (rest.len > 0)
        if (med_str_eq(med_str_cut(rest, ' ', &rest), word))
            return true;
    return false;
}

/* Has the member (a code, or a CodeableConcept) one of the codes? *found: there is a code. */
static bool has_code(const med_json *j, uint32_t object, const char *member, const char *codes,
                     bool *found)
{
    uint32_t node = med_json_member(j, object, med_str_from(member));
    uint32_t list = node != 0 && med_json_kind_at(j, node) == MED_JSON_OBJECT
                        ? med_json_member(j, node, MED_STR("coding"))
                        : 0;
    *found = node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING;
    if (*found)
        return is_among(med_json_raw(j, node), codes);
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return false;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t code =
            med_json_kind_at(j, e) == MED_JSON_OBJECT ? med_json_member(j, e, MED_STR("code")) : 0;
        *found = *found || code != 0;
        if (code != 0 && is_among(med_json_raw(j, code), codes))
            return true;
    }
    return false;
}

/* What says nothing of its state is shown, except where the list of states ends with "!". */
static bool belongs(const med_json *j, const med_summary_source *s)
{
    bool found = false;
    if (s->path2 != NULL && has_code(j, 0, s->path2, s->excluded, &found))
        return false;
    if (s->path == NULL || has_code(j, 0, s->path, s->values, &found))
        return true;
    return !found && !med_str_ends(med_str_from(s->values), MED_STR("!"));
}

/* Resources of a type in the patient's compartment. */
static bool search(med_call *call, med_str patient, const char *type, const char *category,
                   const char *codes, bool newest, size_t limit, med_str page,
                   med_search_result *out, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_search_scope scope = {med_pack_type(f->pack, MED_STR("Patient")), patient, MED_STR_EMPTY,
                              MED_STR_EMPTY};
    med_search_options options = med_searchset_options(call);
    med_pair at[5];
    med_pairs pairs = {at, 0};
    const med_query *q;
    options.scope = &scope;
    options.strict = true;
    options.max_count = options.max_count < limit ? (uint32_t)limit : options.max_count;
    at[pairs.n++] = (med_pair){MED_STR("_count"), med_arena_printf(call->arena, "%zu", limit)};
    at[pairs.n++] = (med_pair){MED_STR("_total"), MED_STR("none")};
    if (category != NULL)
        at[pairs.n++] = (med_pair){MED_STR("category"), med_str_from(category)};
    if (codes != NULL)
        at[pairs.n++] = (med_pair){MED_STR("code"), med_str_from(codes)};
    if (newest)
        at[pairs.n++] = (med_pair){MED_STR("_sort"), MED_STR("-date")};
    return med_query_parse_search(f->schema, call->arena,
                                  med_pack_type(f->pack, med_str_from(type)), &pairs, false,
                                  &options, &q, err)
           && med_search_run(f->schema, call->view, call->arena, q, page, out, err);
}

static bool already(const med_summary_found *found, const med_document_entry *e)
{
    for (size_t i = 0; i < found->n; i++)
        if (found->at[i] == e)
            return true;
    return false;
}

/* Takes what belongs into the section out of a page, `*left` of them at most. */
static bool take_page(med_document *d, const med_summary_source *s, const med_search_result *page,
                      size_t *left, med_summary_found *out, med_err *err)
{
    for (size_t i = 0; i < page->n; i++) {
        med_json j;
        const med_document_entry *e = NULL;
        if (page->entries[i].mode != MED_ENTRY_MATCH)
            continue;
        if (!med_json_parse(d->call->arena, page->entries[i].resource.text, &j, NULL, err))
            return false;
        if (!belongs(&j, s))
            continue;
        out->cut = out->cut || *left == 0;
        if (*left == 0)
            return true;
        if (!med_document_add_stored(d, &page->entries[i].resource, &e, err))
            return false;
        --*left;
        if (!already(out, e))
            out->at[out->n++] = e;
    }
    return true;
}

/* Page by page: what is over or wrong must not take the places of what is in force. */
static bool take_source(med_document *d, const med_summary_source *s, size_t most, med_str patient,
                        med_summary_found *out, med_err *err)
{
    size_t limit = s->newest ? MED_SUMMARY_NEWEST : most;
    size_t left = limit, looked = 0;
    med_str page = MED_STR_EMPTY;
    do {
        med_search_result result = {0};
        if (!search(d->call, patient, s->type, s->category, NULL, s->newest, limit, page, &result,
                    err)
            || !take_page(d, s, &result, &left, out, err))
            return false;
        looked += result.n;
        page = result.next;
    } while (page.len > 0 && left > 0 && looked < MED_SUMMARY_LOOKED_AT);
    out->cut = out->cut || page.len > 0;
    return true;
}

/* A current List of that kind that says there is nothing. */
static bool none_known(med_document *d, const med_summary_section *s, med_str patient, bool *out,
                       med_err *err)
{
    med_search_result result = {0};
    *out = false;
    if (s->lists[0] == '\0')
        return true;
    if (!search(d->call, patient, "List", NULL, s->lists, false, MED_SUMMARY_SECTION_ENTRIES,
                MED_STR_EMPTY, &result, err))
        return false;
    for (size_t i = 0; i < result.n && !*out; i++) {
        med_json j;
        bool found = false;
        if (!med_json_parse(d->call->arena, result.entries[i].resource.text, &j, NULL, err))
            return false;
        *out = has_code(&j, 0, "status", "current", &found)
               && has_code(&j, 0, "emptyReason", "nilknown", &found)
               && med_json_member(&j, 0, MED_STR("entry")) == 0;
    }
    return true;
}

bool med_summary_find(med_document *d, const med_summary_section *s, med_str patient,
                      med_summary_found *out, med_err *err)
{
    out->n = 0;
    out->cut = false;
    out->none_known = false;
    size_t most = s->required ? MED_SUMMARY_SECTION_ENTRIES : MED_SUMMARY_OTHER_ENTRIES;
    for (size_t i = 0; i < MED_SUMMARY_SOURCES && s->sources[i].type != NULL; i++)
        if (!take_source(d, &s->sources[i], most, patient, out, err))
            return false;
    return out->n > 0 || none_known(d, s, patient, &out->none_known, err);
}
