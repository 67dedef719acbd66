/* queries.c - see queries.h. */
#include "bench/queries.h"

#include "base/url.h"

#define PATIENT "patient={subject.reference}"
#define CODE "{code.coding.0.system}%7C{code.coding.0.code}"
#define PAGE "&_count=20"

enum { SELECTIVE_MS = 15, POPULATION_MS = 50, COUNT_MS = 5, FIRST_ROOM = 256 };

const med_query_family med_query_families[] = {
    {"patient-identifier", "Patient by identifier", "Patient",
     "Patient?identifier={identifier.0.system}%7C{identifier.0.value}" PAGE, false, SELECTIVE_MS},
    {"patient-demographics", "Patient by family, given, birthdate", "Patient",
     "Patient?family={name.0.family}&given={name.0.given.0}&birthdate={birthDate}" PAGE, false,
     SELECTIVE_MS},
    {"patient-name", "Patient by prefix of a name", "Patient",
     "Patient?name={name.0.family~5}" PAGE, false, SELECTIVE_MS},
    {"patient-city", "Patient by city and birthdate", "Patient",
     "Patient?address-city={address.0.city}&birthdate={birthDate}" PAGE, false, SELECTIVE_MS},
    {"patient-code", "Observation by patient and code, sorted -date", "Observation",
     "Observation?" PATIENT "&code=" CODE "&_sort=-date" PAGE, false, SELECTIVE_MS},
    {"patient-category-date", "Observation by patient, category, dates", "Observation",
     "Observation?" PATIENT "&category={category.0.coding.0.code}"
     "&date=ge{effectiveDateTime~4}&date=le{effectiveDateTime~10}" PAGE,
     false, SELECTIVE_MS},
    {"patient-newest", "Observation by patient, newest 20", "Observation",
     "Observation?" PATIENT "&_sort=-date" PAGE, false, SELECTIVE_MS},
    {"patient-composite", "Observation by patient and code-value-quantity", "Observation",
     "Observation?" PATIENT "&code-value-quantity=" CODE "$ge{valueQuantity.value}" PAGE, false,
     SELECTIVE_MS},
    {"chain-identifier", "Observation by patient.identifier and code", "Observation",
     "Observation?patient.identifier={subject.reference>identifier.0.system}%7C"
     "{subject.reference>identifier.0.value}&code=" CODE PAGE,
     false, SELECTIVE_MS},
    {"medication-include", "MedicationRequest by patient, status; _include", "MedicationRequest",
     "MedicationRequest?" PATIENT "&status={status}&_include=MedicationRequest:medication"
     "&_include=MedicationRequest:requester" PAGE,
     false, SELECTIVE_MS},
    {"encounter-revinclude", "Encounter by patient; _revinclude of two", "Encounter",
     "Encounter?" PATIENT "&_revinclude=Condition:encounter&_revinclude=Observation:encounter" PAGE,
     false, SELECTIVE_MS},
    {"condition-code", "Condition by patient and code", "Condition",
     "Condition?" PATIENT "&code=" CODE PAGE, false, SELECTIVE_MS},
    {"appointment", "Appointment by practitioner and date", "Appointment",
     "Appointment?practitioner={participant.*.actor.reference=Practitioner/}&date={start~10}" PAGE,
     false, SELECTIVE_MS},
    {"task", "Task by owner and status", "Task",
     "Task?owner={owner.reference}&status={status}" PAGE, false, SELECTIVE_MS},
    {"document", "DocumentReference by patient and type", "DocumentReference",
     "DocumentReference?" PATIENT "&type={type.coding.0.system}%7C{type.coding.0.code}" PAGE, false,
     SELECTIVE_MS},
    {"code", "Observation by code", "Observation", "Observation?code=" CODE PAGE, true,
     POPULATION_MS},
    {"day", "Observation of one day", "Observation", "Observation?date={effectiveDateTime~10}" PAGE,
     true, POPULATION_MS},
    {"code-value", "Observation by code-value-quantity above a bound", "Observation",
     "Observation?code-value-quantity=" CODE "$gt{valueQuantity.value}" PAGE, true, POPULATION_MS},
    {"has-condition", "Patient by _has of a Condition's code", "Condition",
     "Patient?_has:Condition:patient:code=" CODE PAGE, true, POPULATION_MS},
    {"chain-name", "Observation by prefix of patient.name", "Patient",
     "Observation?patient.name={name.0.family~5}" PAGE, true, POPULATION_MS},
    {"name-contains", "Patient by name:contains", "Patient",
     "Patient?name:contains={name.0.family~4}" PAGE, true, POPULATION_MS},
    {"count", "_summary=count of Observation by code", "Observation",
     "Observation?code=" CODE "&_summary=count", true, COUNT_MS},
};
const size_t med_query_family_count = sizeof med_query_families / sizeof *med_query_families;

/* ---- samples ---- */

bool med_samples_add(med_samples *s, med_str text)
{
    med_sample one;
    med_err unused;
    med_sample *more = MED_GROW(s->arena, s->at, s->n, &s->room, FIRST_ROOM);
    if (more == NULL)
        return false;
    s->at = more;
    if (!med_arena_copy(s->arena, text, &text)
        || !med_json_parse(s->arena, text, &one.json, NULL, &unused))
        return false;
    uint32_t type = med_json_member(&one.json, 0, MED_STR("resourceType"));
    uint32_t id = med_json_member(&one.json, 0, MED_STR("id"));
    if (type == 0 || id == 0)
        return false;
    one.type = med_json_raw(&one.json, type);
    one.id = med_json_raw(&one.json, id);
    s->at[s->n++] = one;
    return true;
}

static const med_sample *find_reference(const med_samples *s, med_str reference)
{
    med_str id, type = med_str_cut(reference, '/', &id);
    for (size_t i = 0; i < s->n; i++) {
        if (med_str_eq(s->at[i].type, type) && med_str_eq(s->at[i].id, id))
            return &s->at[i];
    }
    return NULL;
}

/* ---- values ---- */

/* One step: a member's name, or an element's number. 0: there is none. */
static uint32_t step(const med_json *j, uint32_t node, med_str name)
{
    int64_t wanted;
    switch (med_json_kind_at(j, node)) {
    case MED_JSON_OBJECT:
        return med_json_member(j, node, name);
    case MED_JSON_ARRAY:
        if (!med_str_to_int64(name, &wanted) || wanted < 0)
            return 0;
        for (uint32_t e = node + 1; e < j->nodes[node].next; e = j->nodes[e].next) {
            if (wanted-- == 0)
                return e;
        }
        return 0;
    case MED_JSON_NULL:
    case MED_JSON_FALSE:
    case MED_JSON_TRUE:
    case MED_JSON_NUMBER:
    case MED_JSON_STRING:
        return 0;
    }
    return 0;
}

/* A path without '*'. Strings and numbers are values. */
static bool value_at(med_arena *a, const med_json *j, uint32_t node, med_str path, med_str prefix,
                     med_str *out)
{
    while (path.len > 0) {
        node = step(j, node, med_str_cut(path, '.', &path));
        if (node == 0)
            return false;
    }
    enum med_json_kind kind = med_json_kind_at(j, node);
    if (kind == MED_JSON_NUMBER)
        *out = med_json_raw(j, node);
    else if (kind != MED_JSON_STRING || !med_json_string(a, j, node, out))
        return false;
    return med_str_starts(*out, prefix);
}

static bool find_value(med_arena *a, const med_json *j, med_str path, med_str prefix, med_str *out)
{
    size_t star = med_str_search(path, MED_STR(".*."), 0);
    uint32_t node = 0;
    if (star == path.len)
        return value_at(a, j, 0, path, prefix, out);
    med_str first = med_str_sub(path, 0, star);
    while (first.len > 0) {
        node = step(j, node, med_str_cut(first, '.', &first));
        if (node == 0)
            return false;
    }
    if (med_json_kind_at(j, node) != MED_JSON_ARRAY)
        return false;
    for (uint32_t e = node + 1; e < j->nodes[node].next; e = j->nodes[e].next) {
        if (value_at(a, j, e, med_str_skip(path, star + 3), prefix, out))
            return true;
    }
    return false;
}

/* The first n characters of UTF-8. */
static med_str first_characters(med_str s, int64_t n)
{
    size_t i = 0;
    for (; i < s.len; i++) {
        if (((unsigned char)s.ptr[i] & 0xC0) != 0x80 && n-- == 0)
            break;
    }
    return med_str_sub(s, 0, i);
}

/* What stands between braces. */
static bool expand_value(med_arena *a, const med_samples *samples, const med_sample *sample,
                         med_str text, med_str *out)
{
    med_str length, prefix, second, value;
    int64_t n = INT64_MAX;
    med_str path = med_str_cut(text, '~', &length);
    path = med_str_cut(path, '=', &prefix);
    path = med_str_cut(path, '>', &second);
    if ((length.len > 0 && !med_str_to_int64(length, &n))
        || !find_value(a, &sample->json, path, prefix, &value))
        return false;
    if (second.len > 0) {
        const med_sample *other = find_reference(samples, value);
        if (other == NULL || !find_value(a, &other->json, second, MED_STR_EMPTY, &value))
            return false;
    }
    return value.len > 0 && med_percent_encode(a, first_characters(value, n), out);
}

bool med_query_expand(med_arena *a, const med_samples *samples, const med_sample *sample,
                      const char *query, med_str *out)
{
    med_str rest = med_str_from(query);
    *out = MED_STR_EMPTY;
    while (rest.len > 0) {
        med_str value = MED_STR_EMPTY;
        med_str plain = med_str_cut(rest, '{', &rest);
        if (rest.len > 0
            && !expand_value(a, samples, sample, med_str_cut(rest, '}', &rest), &value))
            return false;
        *out = med_arena_printf(a, "%.*s%.*s%.*s", MED_STR_ARG(*out), MED_STR_ARG(plain),
                                MED_STR_ARG(value));
    }
    return out->len > 0;
}

static bool has(const med_str *list, size_t n, med_str one)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eq(list[i], one))
            return true;
    }
    return false;
}

bool med_query_list(med_arena *a, const med_samples *samples, const med_query_family *family,
                    size_t most, med_str **out, size_t *n)
{
    med_str one;
    *n = 0;
    *out = MED_TAKE(a, most, med_str);
    if (*out == NULL)
        return false;
    for (size_t i = 0; i < samples->n && *n < most; i++) {
        const med_sample *s = &samples->at[i];
        if (med_str_eqz(s->type, family->type)
            && med_query_expand(a, samples, s, family->query, &one) && !has(*out, *n, one))
            (*out)[(*n)++] = one;
    }
    return true;
}
