/* Tests of _filter: the grammar's errors with their places, and what each operator finds.
 * https://hl7.org/fhir/R4/search_filter.html */
#include "kit.h"

static const char *const resources[] = {
    "{'resourceType':'Organization','id':'o1','name':'General'}",
    "{'resourceType':'Patient','id':'p1','name':[{'family':'Peters','given':['Jo','Anne']}],"
    "'birthDate':'2014-10-10','gender':'male','managingOrganization':{'reference':"
    "'Organization/o1'}}",
    "{'resourceType':'Patient','id':'p2','name':[{'family':'St, Pierre'}],'birthDate':'2014',"
    "'gender':'female'}",
    "{'resourceType':'Patient','id':'p3','name':[{'family':'Pete'}],'birthDate':'2000-01-01'}",
    "{'resourceType':'Observation','id':'a','status':'final','code':{'coding':[{'system':"
    "'http://loinc.org','code':'1234-5'}]},'subject':{'reference':'Patient/p1'},"
    "'valueQuantity':{'value':5}}",
    "{'resourceType':'Observation','id':'b','status':'amended','code':{'coding':[{'system':"
    "'http://loinc.org','code':'9'}]},'subject':{'reference':'Patient/p3'},"
    "'effectivePeriod':{'start':'2020-01-05','end':'2020-02-05'},'valueQuantity':{'value':7}}",
    "{'resourceType':'Observation','id':'c','status':'final','code':{'text':'free'}}",
};

#define FILTER(type, text) type "?_filter=" text

static const struct kit_case found[] = {
    {FILTER("Patient", "name co \"ete\""), "p1,p3"},
    {FILTER("Patient", "name sw PETE"), "p1,p3"},
    {FILTER("Patient", "name ew \"e\""), "p1,p2,p3"},
    {FILTER("Patient", "name ew rs"), "p1"},
    {FILTER("Patient", "name eq pete"), "p3"},
    {FILTER("Patient", "family eq \"st, pierre\""), "p2"},
    {FILTER("Patient", "name ne pete"), "p1,p2"},
    {FILTER("Patient", "given ne jo"), ""},
    {FILTER("Patient", "given pr true"), "p1"},
    {FILTER("Patient", "given pr false"), "p2,p3"},
    {FILTER("Patient", "name co pet and birthdate ge 2014-10-10"), "p1"},
    {FILTER("Patient", "name co pet and birthdate lt 2014-10-10"), "p3"},
    {FILTER("Patient", "birthdate eq 2014"), "p1,p2"},
    {FILTER("Patient", "birthdate ne 2014"), "p3"},
    {FILTER("Patient", "birthdate po 2014-10"), "p1,p2"},
    {FILTER("Patient", "gender eq male or gender eq female"), "p1,p2"},
    {FILTER("Patient", "gender eq male or birthdate lt 2001 or gender eq female"), "p1,p2,p3"},
    {FILTER("Patient", "gender eq male or name co pete and birthdate lt 2001"), "p3"},
    {FILTER("Patient", "gender eq male or (name co pete and birthdate lt 2001)"), "p1,p3"},
    {FILTER("Patient", "not (gender eq male)"), "p2,p3"},
    {FILTER("Patient", "not(gender eq male or gender eq female)"), "p3"},
    {FILTER("Patient", "not (not (gender eq male))"), "p1"},
    {FILTER("Patient", "gender ne male"), "p2"},
    {FILTER("Patient", "organization.name eq general"), "p1"},
    {FILTER("Patient", "organization.name eq gener"), ""},
    {FILTER("Patient", "organization re Organization/o1"), "p1"},
    {FILTER("Patient", "_id eq p2 or _id eq p3"), "p2,p3"},
    {FILTER("Patient", "_lastUpdated gt 2001"), "p1,p2,p3"},
    {FILTER("Patient", "_has:Observation:patient:code eq 9"), "p3"},
    {FILTER("Patient", "gender eq male&_filter=name co pet"), "p1"},
    {FILTER("Patient", "gender eq male&birthdate=2000"), ""},
    {FILTER("Observation", "code eq http://loinc.org|1234-5"), "a"},
    {FILTER("Observation", "subject.name co pet"), "a,b"},
    {FILTER("Observation", "subject:Patient.name eq pete"), "b"},
    {FILTER("Observation", "subject[name co pet].birthdate lt 2010"), "b"},
    {FILTER("Observation", "patient[gender eq male or gender eq female].name pr true"), "a"},
    {FILTER("Observation", "subject pr false"), "c"},
    {FILTER("Observation", "subject eq Patient/p1 or not (subject pr true)"), "a,c"},
    {FILTER("Observation", "value-quantity gt 5"), "b"},
    {FILTER("Observation", "value-quantity ap 5.2"), "a"},
    {FILTER("Observation", "date sa 2020-01-01"), "b"},
    {FILTER("Observation", "date po 2020-02"), "b"},
    {FILTER("Observation", "date po 2020-03"), ""},
    {FILTER("Observation", "code-value-quantity eq 9$gt6"), "b"},
    {FILTER("", "_id eq p2 or _id eq a"), "a,p2"},
};

static void finds(void **state)
{
    struct kit *k = *state;
    for (size_t i = 0; i < COUNT(resources); i++)
        kit_put(k, resources[i]);
    kit_check_finds(k, found, COUNT(found));
}

static const struct kit_case refused[] = {
    {FILTER("Patient", ""), "at character 1 of the filter: expected the name"},
    {FILTER("Patient", "name"), "at character 5 of the filter: expected a space"},
    {FILTER("Patient", "name is x"), "at character 6 of the filter: expected one of eq"},
    {FILTER("Patient", "name eq"), "at character 8 of the filter: expected a space and a value"},
    {FILTER("Patient", "name eq "), "at character 9 of the filter: expected a value"},
    {FILTER("Patient", "name eq x name"), "at character 11 of the filter: expected \"and\""},
    {FILTER("Patient", "(name eq x"), "at character 11 of the filter: expected ')'"},
    {FILTER("Patient", "name eq x)"), "at character 10 of the filter: expected \"and\""},
    {FILTER("Patient", "name eq \"x"), "closing quote"},
    {FILTER("Patient", "name eq \"\\x\""), "a string as in JSON"},
    {FILTER("Patient", "name eq x and"), "at character 14 of the filter"},
    {FILTER("Patient", "not name eq x"), "at character 5 of the filter: expected one of eq"},
    {FILTER("Patient", "gender eq male and nam eq x"), "at character 20 of the filter: unknown"},
    {FILTER("Patient", "name gt 5"), "'gt' needs a date, a number or a quantity"},
    {FILTER("Patient", "birthdate co 5"), "'co' needs a string"},
    {FILTER("Patient", "birthdate eq never"), "expected a date"},
    {FILTER("Patient", "name re Patient/1"), "'re' needs a reference"},
    {FILTER("Patient", "name pr yes"), "'pr' needs true or false"},
    {FILTER("Patient", "gender in http://x"), "terminology"},
    {FILTER("Patient", "_filter eq x"), "unknown search parameter"},
    {FILTER("Patient", "name[name eq x].name eq y"), "only a reference"},
    {FILTER("Patient", "organization[name eq x] eq y"), "expected '.'"},
    {FILTER("Patient", "((((((((((((((((((((name eq x))))))))))))))))))))"), "nest"},
    {"Patient?name:equals=x", "modifier"},
};

static void refuses(void **state)
{
    struct kit *k = *state;
    kit_check_refuses(k, refused, COUNT(refused));
}

static void long_ones_are_refused_or_right(void **state)
{
    struct kit *k = *state;
    med_buf text;
    for (int n = 50; n <= 150; n += 50) {
        med_buf_init(&text, 1 << 16);
        med_buf_addz(&text, "Patient?_filter=gender eq male");
        for (int i = 1; i < n; i++)
            med_buf_addz(&text, " or gender eq female");
        med_err err = {0};
        med_str url;
        assert_true(med_arena_copy(k->arena, med_buf_str(&text), &url));
        url = med_arena_printf(k->arena, "%.*s", MED_STR_ARG(url));
        assert_int_equal(kit_query(k, url.ptr, &err) != NULL, n <= 100);
        med_buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(refuses, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(long_ones_are_refused_or_right, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
