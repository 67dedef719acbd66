/* The official expansions of the R4 definitions, computed again from their compose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "terminology/code_system_json.h"
#include "terminology/expand.h"
#include "terminology/pack_terms.h"

static med_str read_file(med_arena *a, const char *name)
{
    char path[4096];
    const char *folder = getenv("MEDULLA_DEFINITIONS");
    (void)snprintf(path, sizeof path, "%s/hl7.fhir.r4.examples/%s", folder == NULL ? "" : folder,
                   name);
    FILE *f = fopen(path, "rbe");
    if (f == NULL)
        return MED_STR_EMPTY;
    (void)fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    (void)fseek(f, 0, SEEK_SET);
    char *bytes = MED_TAKE(a, n + 1, char);
    n = fread(bytes, 1, n, f);
    (void)fclose(f);
    return (med_str){bytes, n};
}

/* What R4 itself defines, though the HL7 terminology has newer editions. */
static med_version_choice *r4_choices(med_arena *a, size_t *n)
{
    const struct med_term_pack *p = med_term_pack_core();
    med_version_choice *out = MED_TAKE(a, med_term_pack_count(p), med_version_choice);
    *n = 0;
    for (size_t i = 0; i < med_term_pack_count(p); i++) {
        const struct med_term_row *r = med_term_pack_row(p, i);
        if (r->source != 0 || r->kind == MED_TERM_CONCEPT_MAP)
            continue;
        out[(*n)++] = (med_version_choice){med_term_row_url(p, r), med_term_row_version(p, r),
                                           r->kind == MED_TERM_VALUE_SET ? MED_CHOICE_VALUE_SET
                                                                         : MED_CHOICE_DEFAULT};
    }
    return out;
}

typedef struct stored {
    med_str keys[20000], displays[20000];
    size_t n;
    bool selectable_only;
} stored;

/* Those that were stored flat (excludeNested) have no codes that can not be selected. */
static bool is_flat(const med_json *j, uint32_t expansion)
{
    uint32_t list = med_json_member(j, expansion, MED_STR("parameter"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t name = med_json_member(j, e, MED_STR("name"));
        uint32_t value = med_json_member(j, e, MED_STR("valueBoolean"));
        if (name != 0 && value != 0 && med_json_string_is(j, name, MED_STR("excludeNested")))
            return med_str_eqz(med_json_raw(j, value), "true");
    }
    return false;
}

/* The tape's `contains` entries: objects of it with a code that are not abstract groups. */
static void read_stored(med_arena *a, const med_json *j, uint32_t expansion, stored *out)
{
    out->n = 0;
    out->selectable_only = is_flat(j, expansion);
    for (uint32_t i = expansion; i < j->nodes[expansion].next && out->n < 20000; i++) {
        med_str system, code, display;
        if (j->nodes[i].kind != MED_JSON_OBJECT)
            continue;
        (void)med_json_text(a, j, i, "system", &system);
        (void)med_json_text(a, j, i, "code", &code);
        (void)med_json_text(a, j, i, "display", &display);
        if (system.len == 0 || code.len == 0 || display.len + system.len == 0
            || med_json_member(j, i, MED_STR("value")) != 0)
            continue;
        bool is_use = i > 0 && med_json_kind_at(j, i - 1) == MED_JSON_STRING
                      && med_str_eqz(med_json_raw(j, i - 1), "use");
        if (is_use)
            continue;
        out->keys[out->n] =
            med_arena_printf(a, "%.*s|%.*s", MED_STR_ARG(system), MED_STR_ARG(code));
        out->displays[out->n++] = display;
    }
}

/* Those that differ, and why. Whatever differs and does not stand here is a fault, and so is what
 * stands here and does not differ. */
static const struct reason {
    const char *url, *why;
} reasons[] = {
    {"http://hl7.org/fhir/ValueSet/c80-doc-typecodes", "stored cut off at 1,000 codes"},
    {"http://hl7.org/fhir/ValueSet/c80-practice-codes", "two codes are listed twice"},
    {"http://hl7.org/fhir/ValueSet/currencies", "ISO 4217 has more currencies since"},
    {"http://hl7.org/fhir/ValueSet/ucum-units", "R4 stores 1,000 of its 1,357 common units"},
    {"http://hl7.org/fhir/ValueSet/referencerange-meaning", "stored flat with its abstract codes"},
    {"http://hl7.org/fhir/ValueSet/detectedissue-category",
     "stored without what is below by a property (child) alone"},
    {"http://terminology.hl7.org/ValueSet/v3-ActPharmacySupplyType",
     "stored without what is below by a property (child) alone"},
    {"http://terminology.hl7.org/ValueSet/v3-ActCode", "stored without what is retired"},
    {"http://terminology.hl7.org/ValueSet/v2-0916", "stored without what is deprecated"},
    {"http://terminology.hl7.org/ValueSet/v2-0487", "stored without what is deprecated"},
    {"http://hl7.org/fhir/ValueSet/relatedperson-relationshiptype",
     "stored without what is deprecated"},
    {"http://hl7.org/fhir/ValueSet/patient-contactrelationship",
     "stored without what is deprecated"},
    {"http://hl7.org/fhir/ValueSet/diagnostic-service-sections",
     "stored without what is deprecated"},
    {"http://hl7.org/fhir/ValueSet/observation-interpretation",
     "stored without what is deprecated"},
    {"http://hl7.org/fhir/ValueSet/security-labels", "stored without what is retired"},
};
enum { REASONS = sizeof reasons / sizeof *reasons };

static const char *reason_of(med_str url)
{
    for (size_t i = 0; i < REASONS; i++) {
        if (med_str_eqz(url, reasons[i].url))
            return reasons[i].why;
    }
    return NULL;
}

/* Systems that may not be shipped, that R4 has no codes of, or that have no end. */
static bool is_foreign(const char *why)
{
    static const char *const systems[] = {"http://snomed.info/sct", "http://loinc.org",
                                          "urn:oid:1.2.36.1.2001.1005.17",
                                          "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem"};
    med_str text = med_str_from(why), start = MED_STR("not loaded: ");
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        if (med_str_starts(text, start) && med_str_eqz(med_str_skip(text, start.len), systems[i]))
            return true;
    }
    return med_str_starts(text, MED_STR("a system that is a grammar"));
}

enum outcome { SAME, SAME_CODES, UNKNOWN, OTHER };

static enum outcome compare(const med_term_context *x, const med_value_set *vs, const stored *want,
                            char why[600])
{
    med_err err = {0};
    med_expand e = {
        .filter = MED_STR_EMPTY, .language = MED_STR_EMPTY, .count = SIZE_MAX, .limit = 20000};
    e.selectable_only = want->selectable_only;
    e.common_will_do = true;
    med_expansion got;
    size_t missing = 0, other_display = 0, moved = 0;
    if (vs->missing.len > 0 || vs->missing_system.len > 0) {
        med_str m = vs->missing.len > 0 ? vs->missing : vs->missing_system;
        (void)snprintf(why, 600, "not loaded: %.*s", MED_STR_ARG(m));
        return UNKNOWN;
    }
    if (!med_term_expand(x, vs, &e, &got, &err)) {
        (void)snprintf(why, 600, "%s", err.text);
        return err.issue == MED_ISSUE_TOO_COSTLY ? UNKNOWN : OTHER;
    }
    for (size_t i = 0; i < want->n; i++) {
        bool found = false;
        for (size_t k = 0; k < got.n && !found; k++) {
            med_str key = want->keys[i];
            const med_code_hit *h = &got.at[k];
            if (key.len != h->system.len + 1 + h->code.len || !med_str_starts(key, h->system)
                || !med_str_eq(med_str_skip(key, h->system.len + 1), h->code))
                continue;
            found = true;
            moved += i != k ? 1 : 0;
            other_display += med_str_eq(med_code_hit_display(h), want->displays[i]) ? 0 : 1;
        }
        missing += found ? 0 : 1;
        if (!found && missing == 1)
            (void)snprintf(why, 600, "lacks %.*s", MED_STR_ARG(want->keys[i]));
    }
    if (missing > 0 || got.n != want->n) {
        size_t len = strlen(why);
        (void)snprintf(why + len, 600 - len, " (%zu lacking, %zu here, %zu there)", missing, got.n,
                       want->n);
        return OTHER;
    }
    (void)snprintf(why, 600, "%zu displays differ, %zu moved", other_display, moved);
    return other_display == 0 ? SAME : SAME_CODES;
}

static void test_official(void **state)
{
    (void)state;
    med_arena *kept = med_arena_new((size_t)1 << 30);
    med_str text = read_file(kept, "Bundle-valueset-expansions.json");
    med_json j;
    med_err err = {0};
    med_terminology *terms;
    size_t n_choices, counts[4] = {0}, n = 0, unexplained = 0;
    stored *want = MED_NEW(1, stored);
    if (text.len == 0)
        skip();
    assert_true(med_json_parse(kept, text, &j, NULL, &err));
    assert_true(med_terminology_open(NULL, &terms, &err));
    med_version_choice *choices = r4_choices(kept, &n_choices);
    uint32_t list = med_json_member(&j, 0, MED_STR("entry"));
    for (uint32_t i = list + 1; i < j.nodes[list].next; i = j.nodes[i].next) {
        med_term_scope scope = {terms, NULL};
        med_arena *a = med_arena_new((size_t)1 << 30);
        med_term_context x = med_term_context_of(&scope, a);
        uint32_t r = med_json_member(&j, i, MED_STR("resource"));
        uint32_t expansion = med_json_member(&j, r, MED_STR("expansion"));
        const med_value_set *vs;
        med_str url;
        char why[600] = "";
        x.choices = choices;
        x.n_choices = n_choices;
        (void)med_json_text(a, &j, r, "url", &url);
        read_stored(a, &j, expansion, want);
        enum outcome o = OTHER;
        if (med_value_set_compile(&x, &j, r, &vs, &err))
            o = compare(&x, vs, want, why);
        else
            (void)snprintf(why, sizeof why, "%s", err.text);
        counts[o]++;
        n++;
        const char *reason = reason_of(url);
        if ((o == OTHER) != (reason != NULL) || (o == UNKNOWN && !is_foreign(why))) {
            (void)printf("UNEXPLAINED %.*s: %s\n", MED_STR_ARG(url), why);
            unexplained++;
        }
        if (o == OTHER && reason != NULL)
            (void)snprintf(why + strlen(why), sizeof why - strlen(why), ": %s", reason);
        if (o != SAME)
            (void)printf("%s %.*s: %s\n",
                         o == UNKNOWN      ? "not loaded"
                         : o == SAME_CODES ? "display"
                                           : "MISS",
                         MED_STR_ARG(url), why);
        med_arena_free(a);
    }
    (void)printf("official expansions: %zu of %zu the same, %zu with other displays, %zu draw on "
                 "systems that are not shipped, %zu differ\n",
                 counts[SAME], n, counts[SAME_CODES], counts[UNKNOWN], counts[OTHER]);
    /* docs/terminology.md says why the others differ. */
    assert_int_equal(unexplained, 0);
    assert_int_equal(counts[SAME] + counts[SAME_CODES], 485);
    med_free(want);
    med_terminology_free(terms);
    med_arena_free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_official)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
