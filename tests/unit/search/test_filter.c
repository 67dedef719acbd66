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

/* ---- what codes mean ---- */

/* 9 has 1234-5 below it. */
static bool list_codes(void *self, med_arena *a, enum med_search_codes_how how, med_str system,
                       med_str code, size_t limit, const med_str **out, size_t *n, med_err *err)
{
    static const med_str both[] = {MED_LIT("http://loinc.org|1234-5"),
                                   MED_LIT("http://loinc.org|9")};
    (void)self;
    (void)a;
    (void)limit;
    bool is_upper = med_str_eqz(code, "9");
    *out = both;
    *n = 2;
    if (how == MED_CODES_IN) {
        *n = med_str_eqz(system, "http://set/a,b|1") ? 1 : 0;
        return *n > 0 || MED_FAIL(err, MED_ISSUE_NOT_FOUND, "the terminology does not know it");
    }
    if (is_upper != (how == MED_CODES_BELOW)) { /* only itself */
        *out = is_upper ? &both[1] : both;
        *n = 1;
    }
    return med_str_eqz(system, "http://loinc.org");
}

static const struct kit_case meant[] = {
    {FILTER("Observation", "code ss http://loinc.org|9"), "a,b"},
    {FILTER("Observation", "code ss http://loinc.org|1234-5"), "a"},
    {FILTER("Observation", "code sb http://loinc.org|1234-5"), "a,b"},
    {FILTER("Observation", "code sb http://loinc.org|9"), "b"},
    {FILTER("Observation", "code in \"http://set/a,b|1\""), "a"},
    {FILTER("Observation", "not (code in \"http://set/a,b|1\")"), "b,c"},
    {FILTER("Observation", "code ss http://loinc.org|9 and status eq final"), "a"},
    {FILTER("Patient", "_has:Observation:patient:code sb http://loinc.org|9"), "p3"},
};

static const struct kit_case not_meant[] = {
    {FILTER("Observation", "subject ss Patient/p1"), "'ss' needs a code"},
    {FILTER("Observation", "date in 2020"), "'in' needs a code"},
    {FILTER("Observation", "code ss 9"), "write system|code"},
    {FILTER("Observation", "code in http://none"), "at character 1 of the filter"},
};

static void finds_what_codes_mean(void **state)
{
    struct kit *k = *state;
    const med_search_codes codes = {.list = list_codes};
    for (size_t i = 0; i < COUNT(resources); i++)
        kit_put(k, resources[i]);
    k->codes = &codes;
    kit_check_finds(k, meant, COUNT(meant));
    kit_check_refuses(k, not_meant, COUNT(not_meant));
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

/* ---- random filters against sets of what their tests find alone ---- */

enum { PEOPLE = 20, ATOMS = 10, ROUNDS = 300, ROOM = 4096 };

static const char *const atoms[ATOMS] = {
    "gender eq male",
    "gender ne male",
    "name co an",
    "name pr false",
    "birthdate lt 1980",
    "birthdate po 1990",
    "name sw a",
    "organization pr true",
    "organization.name eq north",
    "_has:Observation:patient:code eq hb",
};

struct draw {
    struct kit *k;
    uint64_t seed;
    uint32_t found[ATOMS]; /* a bit a person */
    char text[ROOM];
    size_t len;
};

static unsigned below(struct draw *d, unsigned n)
{
    d->seed = d->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(d->seed >> 33) % n;
}

static void say(struct draw *d, const char *text)
{
    d->len += (size_t)snprintf(d->text + d->len, ROOM - d->len, "%s", text);
    assert_true(d->len < ROOM);
}

static uint32_t people_of(struct kit *k, med_str ids)
{
    uint32_t set = 0;
    while (ids.len > 0) {
        int64_t n = 0;
        assert_true(med_str_to_int64(med_str_skip(med_str_cut(ids, ',', &ids), 1), &n));
        set |= UINT32_C(1) << n;
    }
    (void)k;
    return set;
}

/* Writes a filter and says whom it finds; "and" and "or" from left to right. */
static uint32_t draw_filter(struct draw *d, unsigned depth)
{
    const uint32_t everybody = (UINT32_C(1) << PEOPLE) - 1;
    unsigned n = 1 + below(d, 3);
    uint32_t set = 0;
    for (unsigned i = 0; i < n; i++) {
        bool is_or = i > 0 && below(d, 2) == 0;
        uint32_t part;
        if (i > 0)
            say(d, is_or ? " or " : " and ");
        unsigned kind = depth == 0 ? 0 : below(d, 4);
        if (kind < 2) {
            unsigned atom = below(d, ATOMS);
            say(d, atoms[atom]);
            part = d->found[atom];
        } else {
            say(d, kind == 2 ? "(" : "not (");
            part = draw_filter(d, depth - 1);
            say(d, ")");
            part = kind == 2 ? part : everybody & ~part;
        }
        set = i == 0 ? part : is_or ? set | part : set & part;
    }
    return set;
}

static void put_people(struct kit *k)
{
    static const char *const names[] = {"Anna", "Bo", "Jan", "Ann Marie"};
    static const char *const genders[] = {"male", "female"};
    kit_put(k, "{'resourceType':'Organization','id':'o0','name':'North'}");
    kit_put(k, "{'resourceType':'Organization','id':'o1','name':'South'}");
    for (int i = 0; i < PEOPLE; i++) {
        med_str t = med_arena_printf(k->arena, "{'resourceType':'Patient','id':'p%d'", i);
        if (i % 5 != 4)
            t = med_arena_printf(k->arena, "%s,'name':[{'text':'%s'}]", t.ptr, names[i % 4]);
        if (i % 3 != 2)
            t = med_arena_printf(k->arena, "%s,'gender':'%s'", t.ptr, genders[i % 3]);
        if (i % 7 != 6)
            t = med_arena_printf(k->arena, "%s,'birthDate':'%d'", t.ptr, 1960 + 10 * (i % 7));
        if (i % 2 == 0)
            t = med_arena_printf(k->arena,
                                 "%s,'managingOrganization':{'reference':"
                                 "'Organization/o%d'}",
                                 t.ptr, i / 2 % 2);
        kit_put(k, med_arena_printf(k->arena, "%s}", t.ptr).ptr);
        if (i % 4 == 1)
            kit_put(k, med_arena_printf(k->arena,
                                        "{'resourceType':'Observation','id':'x%d','status':"
                                        "'final','code':{'coding':[{'code':'hb'}]},'subject':{"
                                        "'reference':'Patient/p%d'}}",
                                        i, i)
                           .ptr);
    }
}

static void random_filters_are_sets(void **state)
{
    struct draw d = {.k = *state, .seed = 20260101};
    put_people(d.k);
    for (size_t i = 0; i < ATOMS; i++) {
        med_str url = med_arena_printf(d.k->arena, "Patient?_count=50&_filter=%s", atoms[i]);
        d.found[i] = people_of(d.k, kit_search(d.k, url.ptr, NULL));
        assert_true(d.found[i] != 0 && d.found[i] != (UINT32_C(1) << PEOPLE) - 1);
    }
    for (int i = 0; i < ROUNDS; i++) {
        d.len = 0;
        say(&d, i % 2 == 0 ? "Patient?_count=50&_filter=" : "Patient?_count=3&_filter=");
        uint32_t expected = draw_filter(&d, 3);
        uint32_t got = people_of(d.k, kit_search(d.k, d.text, NULL));
        if (got != expected)
            fail_msg("%s: %x, expected %x", d.text, got, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(finds_what_codes_mean, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(refuses, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(random_filters_are_sets, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(long_ones_are_refused_or_right, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
