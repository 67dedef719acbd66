/* Tests of model/reference.h. */
#include "model/reference.h"

#include "shared.h"

static const char *const kinds[] = {
    [MED_REFERENCE_LOCAL] = "local",       [MED_REFERENCE_ABSOLUTE] = "absolute",
    [MED_REFERENCE_URN] = "urn",           [MED_REFERENCE_FRAGMENT] = "fragment",
    [MED_REFERENCE_CONDITIONAL] = "query", [MED_REFERENCE_OTHER] = "other",
};

/* "kind type id version query fragment", "-" for what is empty. */
static med_str describe(med_arena *a, const med_reference *r)
{
#define OR_DASH(s) MED_STR_ARG((s).len == 0 ? MED_STR("-") : (s))
    return med_arena_printf(a, "%s %.*s %.*s %.*s %.*s %.*s", kinds[r->kind], OR_DASH(r->type),
                            OR_DASH(r->id), OR_DASH(r->version), OR_DASH(r->query),
                            OR_DASH(r->fragment));
}

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *text, *base, *expected;
    } rows[] = {
        {"Patient/1", "", "local Patient 1 - - -"},
        {"Patient/a-b.C", "", "local Patient a-b.C - - -"},
        {"Patient/1/_history/7", "", "local Patient 1 7 - -"},
        {"http://x.org/fhir/Patient/1", "", "absolute Patient 1 - - -"},
        {"http://x.org/fhir/Patient/1", "http://x.org/fhir", "local Patient 1 - - -"},
        {"http://x.org/fhir/Patient/1", "http://x.org/fhir/", "local Patient 1 - - -"},
        {"http://x.org/fhir/Patient/1/_history/2", "http://x.org/fhir", "local Patient 1 2 - -"},
        {"http://x.org/fhirx/Patient/1", "http://x.org/fhir", "absolute Patient 1 - - -"},
        {"http://x.org/fhir/Patient", "http://x.org/fhir", "absolute - - - - -"},
        {"https://x.org/Patient/1/_history/2", "", "absolute Patient 1 2 - -"},
        {"http://hl7.org/fhir/ValueSet/x#frag", "", "absolute ValueSet x - - frag"},
        {"http://x.org/a?b=Patient/1", "", "absolute - - - - -"},
        {"http://x.org/", "", "absolute - - - - -"},
        {"http://Patient/1", "", "absolute - - - - -"},
        {"urn:uuid:6b8a3f3e-0b0b-4f0e-9d1f-3a7e3b0f0a11", "", "urn - - - - -"},
        {"urn:oid:1.2.3", "", "urn - - - - -"},
        {"urn:isbn:12", "", "other - - - - -"},
        {"mailto:x@y", "", "other - - - - -"},
        {"#c1", "", "fragment - - - - c1"},
        {"#", "", "fragment - - - - -"},
        {"Patient?identifier=a|b", "", "query Patient - - identifier=a|b -"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_arena *a = med_arena_new(1 << 16);
        med_reference r;
        med_err err = {0};
        if (!med_reference_parse(med_pack_core(), med_str_from(rows[i].text),
                                 med_str_from(rows[i].base), &r, &err))
            fail_msg("%s: %s", rows[i].text, err.text);
        med_str got = describe(a, &r);
        if (!med_str_eqz(got, rows[i].expected))
            fail_msg("%s: '%.*s'", rows[i].text, MED_STR_ARG(got));
        assert_true(med_str_eqz(r.text, rows[i].text));
        med_arena_free(a);
    }
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "may not be empty"},
        {"Patient", "Type/id"},
        {"Patient/", "the id"},
        {"Patient/a b", "white space"},
        {"Patient/a_b", "the id"},
        {"Patient/1/2", "Type/id"},
        {"Patient/1/_history/", "the version"},
        {"Patient/1/_history/2/3", "the version"},
        {"Patient/1#x", "into another resource"},
        {"Patinet/1", "nearest to this one: Patient"},
        {"patient/1", "nearest to this one: Patient"},
        {"Resource/1", "a reference"},
        {"Xyzzy/1", "of an R4 resource type"},
        {"HumanName/1", "a reference"},
        {"Patient?", "Type?query"},
        {"Foo?a=b", "a reference"},
        {"/Patient/1", "of an R4 resource type"},
        {"Patient/12345678901234567890123456789012345678901234567890123456789012345", "the id"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_reference r;
        med_err err = {0};
        if (med_reference_parse(med_pack_core(), med_str_from(rows[i].text), MED_STR_EMPTY, &r,
                                &err))
            fail_msg("'%s' was taken", rows[i].text);
        assert_int_equal(err.issue, MED_ISSUE_VALUE);
        if (strstr(err.text, rows[i].says) == NULL)
            fail_msg("'%s' says: %s", rows[i].text, err.text);
    }
}

static void test_type(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    med_type patient = med_pack_type(p, MED_STR("Patient"));
    assert_int_equal(med_reference_type(p, MED_STR("Patient/1")), patient);
    assert_int_equal(med_reference_type(p, MED_STR("http://x/Patient/1")), patient);
    assert_int_equal(med_reference_type(p, MED_STR("Patient?name=x")), patient);
    assert_int_equal(med_reference_type(p, MED_STR("#x")), MED_TYPE_NONE);
    assert_int_equal(med_reference_type(p, MED_STR("urn:uuid:x")), MED_TYPE_NONE);
    assert_int_equal(med_reference_type(p, MED_STR("Nothing/1")), MED_TYPE_NONE);
    assert_int_equal(med_reference_type(p, MED_STR("")), MED_TYPE_NONE);
}

static void test_id(void **state)
{
    (void)state;
    static const char *const good[] = {
        "1", "a", "A-9.z",
        ".", "-", "1234567890123456789012345678901234567890123456789012345678901234"};
    static const char *const bad[] = {
        "",         "a b", "a_b",
        "\xc3\xa9", "a/",  "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(med_id_is_valid(med_str_from(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(med_id_is_valid(med_str_from(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_type),
        cmocka_unit_test(test_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
