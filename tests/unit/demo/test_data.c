/* The tables: no hole, and every SNOMED CT and LOINC code has its right check digit, so that a
 * slip of a finger is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "demo/data_disease.h"
#include "demo/data_text.h"
#include "demo/data_vaccine.h"

/* Verhoeff's dihedral check, https://confluence.ihtsdotools.org (SCTID check-digit). */
static bool is_snomed(const char *z)
{
    static const uint8_t d[10][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
        {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
        {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
        {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
        {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
    static const uint8_t p[8][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
        {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
        {9, 4, 5, 3, 1, 2, 6, 8, 7, 0}, {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
        {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}};
    size_t n = strlen(z);
    uint8_t c = 0;
    for (size_t i = 0; i < n; i++)
        c = d[c][p[i % 8][z[n - 1 - i] - '0']];
    return n >= 6 && c == 0;
}

/* LOINC's check digit is Luhn's. */
static bool is_loinc(const char *z)
{
    size_t dash = strlen(z) - 2;
    unsigned sum = 0;
    for (size_t i = 0; i < dash; i++) {
        unsigned digit = (unsigned)(z[dash - 1 - i] - '0');
        if (i % 2 == 0)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return z[dash] == '-' && (10 - sum % 10) % 10 == (unsigned)(z[dash + 1] - '0');
}

static void expect_snomed(const char *code)
{
    if (code != NULL && !is_snomed(code))
        fail_msg("%s is no SNOMED CT code", code);
}

static void expect_texts(const char *const text[MED_DEMO_COUNTRIES])
{
    for (size_t i = 0; i < MED_DEMO_COUNTRIES; i++) {
        assert_non_null(text[i]);
        assert_true(text[i][0] != '\0');
    }
}

static void codes_have_right_check_digits(void **state)
{
    (void)state;
    for (size_t i = 0; i < MED_CONDITION_COUNT; i++)
        expect_snomed(med_demo_conditions[i].snomed);
    for (size_t i = 0; i < MED_SPECIALTY_COUNT; i++)
        expect_snomed(med_demo_specialties[i].snomed);
    for (size_t i = 0; i < MED_DEMO_INJURIES; i++) {
        expect_snomed(med_demo_injuries[i].imaging);
        expect_snomed(med_demo_injuries[i].procedure);
    }
    for (size_t i = 0; i < MED_STAY_COUNT; i++)
        expect_snomed(med_demo_stays[i].procedure);
    for (size_t i = 0; i < MED_DOSE_COUNT; i++)
        expect_snomed(med_demo_dosages[i].route);
    for (size_t i = 0; i < MED_VACCINE_COUNT; i++) {
        for (size_t k = 0; k < MED_VACCINE_TARGETS; k++)
            expect_snomed(med_demo_vaccines[i].target[k].snomed);
    }
    for (size_t i = 0; i < MED_LAB_COUNT; i++) {
        if (!is_loinc(med_demo_labs[i].loinc))
            fail_msg("%s is no LOINC code", med_demo_labs[i].loinc);
    }
    for (size_t i = 0; i < MED_PANEL_COUNT; i++) {
        if (!is_loinc(med_demo_panels[i].loinc))
            fail_msg("%s is no LOINC code", med_demo_panels[i].loinc);
    }
}

static void tables_have_no_holes(void **state)
{
    (void)state;
    for (size_t i = 0; i < MED_CONDITION_COUNT; i++) {
        assert_non_null(med_demo_conditions[i].icd10);
        expect_texts(med_demo_conditions[i].text);
    }
    for (size_t i = 0; i < MED_SAY_COUNT; i++)
        expect_texts(med_demo_sentences[i]);
    for (size_t i = 0; i < MED_DOSE_COUNT; i++)
        expect_texts(med_demo_dosages[i].text);
    for (size_t i = 0; i < MED_STAY_COUNT; i++)
        expect_texts(med_demo_stays[i].course);
    for (size_t i = 0; i < MED_SPECIALTY_COUNT; i++)
        expect_texts(med_demo_specialties[i].text);
    for (size_t i = 0; i < MED_DRUG_COUNT; i++) {
        assert_non_null(med_demo_drugs[i].atc);
        assert_int_equal(strlen(med_demo_drugs[i].atc), 7);
        assert_in_range(med_demo_drugs[i].dosage, 0, MED_DOSE_COUNT - 1);
    }
    for (size_t i = 0; i < MED_VACCINE_COUNT; i++)
        assert_non_null(med_demo_vaccines[i].target[0].snomed);
}

static void panels_hold_their_labs(void **state)
{
    (void)state;
    unsigned seen[MED_LAB_COUNT] = {0};
    for (size_t i = 0; i < MED_PANEL_COUNT; i++) {
        for (unsigned k = 0; k < med_demo_panels[i].n; k++)
            seen[med_demo_panels[i].first + k]++;
    }
    for (size_t i = 0; i < MED_LAB_COUNT; i++)
        assert_int_equal(seen[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_right_check_digits),
        cmocka_unit_test(tables_have_no_holes),
        cmocka_unit_test(panels_hold_their_labs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
