/* term_snomed_map.c - see term_snomed_map.h. The targets are properties of the concepts, named by
 * the reference set (terminology/import_snomed.c). */
#include "fhir/term_snomed_map.h"
#include "terminology/ecl.h"
#include "terminology/import.h"

#define SNOMED "http://snomed.info/sct"
#define FORM "?fhir_cm="

enum { MAP_BYTES = 16 << 20 };

/* What R4 says of the associations, and the systems of the maps that are published with the
 * international edition. Of all others no more is known than that the codes are related. */
static const struct {
    const char *id, *system, *equivalence;
} maps[] = {
    {"900000000000523009", SNOMED, "inexact"},    /* POSSIBLY EQUIVALENT TO */
    {"900000000000526001", SNOMED, "equivalent"}, /* REPLACED BY */
    {"900000000000527005", SNOMED, "equal"},      /* SAME AS */
    {"900000000000530003", SNOMED, "inexact"},    /* ALTERNATIVE */
    {"447562003", "http://hl7.org/fhir/sid/icd-10", "relatedto"},
    {"6011000124106", "http://hl7.org/fhir/sid/icd-10-cm", "relatedto"},
    {"446608001", "http://terminology.hl7.org/CodeSystem/icd-o-3", "relatedto"},
    {"900000000000497000", "http://read.info/ctv3", "relatedto"},
};

typedef struct snomed_map {
    const med_image *m;
    const med_str *codes;
    size_t n_codes;
    med_str id, system, equivalence;
    med_json_writer w;
} snomed_map;

bool med_is_snomed_map(med_str url)
{
    return med_str_starts(url, MED_STR(SNOMED)) && med_str_search(url, MED_STR(FORM), 0) < url.len;
}

/* The targets of a concept stand before its relationships. False behind the last. */
static bool next_target(const snomed_map *s, med_concept c, size_t *at, med_concept_property *out)
{
    while (med_concept_property_at(s->m, c, *at, out) && !med_str_eqz(out->code, MED_ECL_GROUP)) {
        (*at)++;
        if (med_str_eq(out->code, s->id))
            return true;
    }
    return false;
}

static void write_element(snomed_map *s, med_concept c)
{
    med_concept_property p;
    med_json_writer *w = &s->w;
    med_json_open(w, '{');
    med_json_pair(w, "code", med_concept_code(s->m, c));
    if (med_concept_display(s->m, c).len > 0)
        med_json_pair(w, "display", med_concept_display(s->m, c));
    med_json_key(w, MED_STR("target"));
    med_json_open(w, '[');
    for (size_t at = 0; next_target(s, c, &at, &p);) {
        med_concept target =
            p.type == MED_PROPERTY_CODE ? med_image_find(s->m, p.value) : MED_CONCEPT_NONE;
        med_json_open(w, '{');
        med_json_pair(w, "code", p.value);
        if (target != MED_CONCEPT_NONE && med_concept_display(s->m, target).len > 0)
            med_json_pair(w, "display", med_concept_display(s->m, target));
        med_json_pair(w, "equivalence", s->equivalence);
        med_json_close(w, '}');
    }
    med_json_close(w, ']');
    med_json_close(w, '}');
}

static bool leads_to(const snomed_map *s, med_concept c)
{
    med_concept_property p;
    for (size_t at = 0; next_target(s, c, &at, &p);) {
        for (size_t i = 0; i < s->n_codes; i++) {
            if (med_str_eq(p.value, s->codes[i]))
                return true;
        }
    }
    return false;
}

static void write_elements(snomed_map *s, bool reverse)
{
    med_concept_property p;
    for (size_t i = 0; !reverse && i < s->n_codes; i++) {
        size_t at = 0;
        med_concept c = med_image_find(s->m, s->codes[i]);
        if (c != MED_CONCEPT_NONE && next_target(s, c, &at, &p))
            write_element(s, c);
    }
    for (med_concept c = 0; reverse && c < med_image_count(s->m); c++) {
        if (leads_to(s, c))
            write_element(s, c);
    }
}

static void describe(snomed_map *s)
{
    med_concept_property p;
    s->system = MED_STR_EMPTY;
    s->equivalence = MED_STR("relatedto");
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        if (med_str_eqz(s->id, maps[i].id)) {
            s->system = med_str_from(maps[i].system);
            s->equivalence = med_str_from(maps[i].equivalence);
            return;
        }
    }
    /* an association is between concepts */
    for (size_t i = 0; med_image_property_def(s->m, i, &p); i++) {
        if (med_str_eq(p.code, s->id) && p.type == MED_PROPERTY_CODE)
            s->system = MED_STR(SNOMED);
    }
}

static bool is_map(const med_image *m, med_str id)
{
    med_concept_property p;
    for (size_t i = 0; med_image_property_def(m, i, &p); i++) {
        if (med_str_eq(p.code, id))
            return med_str_starts(p.uri, MED_SNOMED_MAP);
    }
    return false;
}

bool med_snomed_map(const med_term_call *t, med_str url, const med_str *codes, size_t n_codes,
                    bool reverse, med_str *out, med_err *err)
{
    med_buf b;
    snomed_map s = {.codes = codes, .n_codes = n_codes};
    const med_system *sys;
    med_str edition = med_str_cut(url, '?', &s.id);
    *out = MED_STR_EMPTY;
    s.id = med_str_skip(s.id, sizeof FORM - 2);
    if (!med_term_system(&t->x, MED_STR(SNOMED),
                         med_str_eqz(edition, SNOMED) ? MED_STR_EMPTY : edition, &sys, err))
        return false;
    s.m = sys == NULL ? NULL : sys->image;
    if (s.m == NULL || !is_map(s.m, s.id))
        return true;
    describe(&s);
    med_buf_init(&b, MAP_BYTES);
    s.w = med_json_writer_to(&b);
    med_json_open(&s.w, '{');
    med_json_pair(&s.w, "resourceType", MED_STR("ConceptMap"));
    med_json_pair(&s.w, "url", url);
    med_json_pair(&s.w, "status", MED_STR("active"));
    med_json_key(&s.w, MED_STR("group"));
    med_json_open(&s.w, '[');
    med_json_open(&s.w, '{');
    med_json_pair(&s.w, "source", MED_STR(SNOMED));
    if (s.system.len > 0)
        med_json_pair(&s.w, "target", s.system);
    med_json_key(&s.w, MED_STR("element"));
    med_json_open(&s.w, '[');
    write_elements(&s, reverse);
    med_json_close(&s.w, ']');
    med_json_close(&s.w, '}');
    med_json_close(&s.w, ']');
    med_json_close(&s.w, '}');
    bool ok = !b.failed && med_arena_copy(t->call->arena, med_buf_str(&b), out);
    med_buf_free(&b);
    return ok ? true : MED_FAIL_MEMORY(err);
}
