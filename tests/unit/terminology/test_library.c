/* Questions to what is built in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "terminology/terminology.h"

static med_terminology *terms;
static med_arena *arena;

static int set_up(void **state)
{
    med_err err = {0};
    (void)state;
    arena = med_arena_new((size_t)1 << 28);
    return arena != NULL && med_terminology_open(NULL, &terms, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    med_arena_free(arena);
    med_terminology_free(terms);
    return 0;
}

static med_code_answer ask(const char *set, const char *system, const char *code,
                           const char *display)
{
    med_term_scope s = {terms, NULL};
    med_err err = {0};
    med_code_answer out;
    med_code_question q = {med_str_from(set),  med_str_from(system),  MED_STR_EMPTY,
                           med_str_from(code), med_str_from(display), MED_STR_EMPTY};
    assert_true(med_term_validate(&s, arena, &q, &out, &err));
    return out;
}

#define GENDER "http://hl7.org/fhir/ValueSet/administrative-gender"
#define GENDERS "http://hl7.org/fhir/administrative-gender"

static void test_required_binding(void **state)
{
    (void)state;
    assert_int_equal(ask(GENDER, GENDERS, "female", "").verdict, MED_CODE_VALID);
    assert_int_equal(ask(GENDER "|4.0.1", GENDERS, "female", "").verdict, MED_CODE_VALID);
    assert_int_equal(ask(GENDER, "", "female", "").verdict, MED_CODE_VALID);
    med_code_answer a = ask(GENDER, GENDERS, "femal", "");
    assert_int_equal(a.verdict, MED_CODE_UNKNOWN_CODE);
    assert_true(a.n_nearest > 0);
    assert_true(med_str_eqz(a.nearest[0], "female"));
    assert_int_equal(ask(GENDER, GENDERS, "Female", "").verdict, MED_CODE_UNKNOWN_CODE);
    assert_int_equal(ask(GENDER, "http://loinc.org", "female", "").verdict, MED_CODE_NOT_IN);
    assert_true(ask(GENDER, GENDERS, "female", "Male").display_wrong);
    assert_false(ask(GENDER, GENDERS, "female", "female").display_wrong);
}

static void test_unknown(void **state)
{
    (void)state;
    med_code_answer a = ask("http://example.org/ValueSet/none", GENDERS, "female", "");
    assert_int_equal(a.verdict, MED_CODE_UNKNOWN_VALUE_SET);
    assert_true(med_str_eqz(a.missing, "http://example.org/ValueSet/none"));
    assert_int_equal(ask(GENDER "|9.9", GENDERS, "female", "").verdict, MED_CODE_UNKNOWN_VALUE_SET);
    assert_int_equal(ask("", "http://example.org/codes", "1", "").verdict, MED_CODE_UNKNOWN_SYSTEM);
    /* Half of LOINC, and SNOMED CT, are known by name only. */
    assert_int_equal(ask("", "http://snomed.info/sct", "73211009", "").verdict,
                     MED_CODE_UNKNOWN_SYSTEM);
    assert_int_equal(
        ask("http://hl7.org/fhir/ValueSet/condition-code", "http://snomed.info/sct", "1", "")
            .verdict,
        MED_CODE_UNKNOWN_SYSTEM);
}

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        const char *system, *code;
        bool valid;
    } rows[] = {
        {"http://unitsofmeasure.org", "mm[Hg]", true},
        {"http://unitsofmeasure.org", "mmHg", false},
        {"urn:ietf:bcp:47", "de-CH-1996", true},
        {"urn:ietf:bcp:47", "zh-Hant-TW", true},
        {"urn:ietf:bcp:47", "de_CH", false},
        {"urn:ietf:bcp:47", "en-", false},
        {"urn:ietf:bcp:47", "x-klingon", true},
        {"urn:ietf:bcp:13", "application/fhir+json; charset=utf-8", true},
        {"urn:ietf:bcp:13", "pdf", false},
        {"urn:iso:std:iso:3166", "NO", true},
        {"urn:iso:std:iso:3166", "FIN", true},
        {"urn:iso:std:iso:3166", "XX", false},
        {"urn:iso:std:iso:4217", "EUR", true},
        {"urn:iso:std:iso:4217", "EURO", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_code_answer a = ask("", rows[i].system, rows[i].code, "");
        if ((a.verdict == MED_CODE_VALID) != rows[i].valid)
            fail_msg("%s: verdict %d", rows[i].code, a.verdict);
    }
}

static void test_hierarchy(void **state)
{
    (void)state;
    med_term_scope s = {terms, NULL};
    med_err err = {0};
    med_code_set set;
    enum med_subsumption how;
    med_str roles = MED_STR("http://terminology.hl7.org/CodeSystem/v3-RoleCode");
    assert_true(med_term_subsumes(&s, arena, roles, MED_STR("PRN"), MED_STR("MTH"), &how, &err));
    assert_int_equal(how, MED_SUBSUMES);
    assert_true(
        med_term_subsumes(&s, arena, roles, MED_STR("MTH"), MED_STR("FAMMEMB"), &how, &err));
    assert_int_equal(how, MED_SUBSUMED_BY);
    assert_true(med_term_subsumes(&s, arena, roles, MED_STR("MTH"), MED_STR("FTH"), &how, &err));
    assert_int_equal(how, MED_NOT_SUBSUMED);
    assert_true(med_term_below(&s, arena, roles, MED_STR("PRN"), 1000, &set, &err));
    assert_in_range(set.n, 4, 100);
    assert_true(med_term_above(&s, arena, roles, MED_STR("MTH"), 1000, &set, &err));
    assert_in_range(set.n, 3, 10);
    assert_false(med_term_below(&s, arena, roles, MED_STR("FAMMEMB"), 3, &set, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    assert_true(med_term_members(&s, arena, MED_STR(GENDER), 10, &set, &err));
    assert_int_equal(set.n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_required_binding),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_hierarchy),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
