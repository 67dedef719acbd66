/* Tests of validate/profile.h with profiles made by hand: each rule with what keeps it, and with
 * what would pass if the rule were not there. */
#include "validate/structure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

struct row {
    const char *elements; /* of the snapshot behind its root; ' for " */
    const char *resource;
    const char *problems; /* "code expression; code expression", warnings with '~'; "" = none */
    const char *says;     /* what the first problem's text contains; NULL = not looked at */
};

#define DIV "{'status':'generated','div':'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>'}"
#define P(rest) "{'resourceType':'Patient','text':" DIV "," rest "}"
#define O(rest)                                                                                    \
    "{'resourceType':'Observation','text':" DIV ",'status':'final','code':{'coding':[{'system':"   \
    "'http://loinc.org','code':'1-8'}]}," rest "}"
#define E(path, rest) ",{'path':'" path "'," rest "}"
#define SLICE(path, name, rest) ",{'path':'" path "','sliceName':'" name "'," rest "}"
#define TYPE(code) "'type':[{'code':'" code "'}]"
#define BY(kind, path) "'discriminator':[{'type':'" kind "','path':'" path "'}]"
#define X "http://example.org/"

static const struct row counts[] = {
    {E("Patient.name", "'min':1,'max':'2'"), P("'name':[{'text':'a'}]"), "", NULL},
    {E("Patient.name", "'min':1,'max':'2'"), P("'active':true"), "required Patient",
     "(profile " X "p|1)"},
    {E("Patient.name", "'min':0,'max':'1'"), P("'name':[{'text':'a'},{'text':'b'}]"),
     "structure Patient", "at most 1"},
    {E("Patient.active", "'min':0,'max':'0'"), P("'active':true"), "structure Patient",
     "may not be there"},
    {E("Patient.name", "'min':0,'max':'*'") E("Patient.name.family", "'min':1,'max':'1'"),
     P("'name':[{'family':'a'},{'text':'b'}]"), "required Patient.name[1]", NULL},
    {E("Patient.name", "'min':0,'max':'*'") E("Patient.name.family", "'min':1,'max':'1'"),
     P("'name':[{'_family':{'extension':[{'url':'" X "e','valueString':'x'}]}}]"), "", NULL},
    {E("Patient.name.given", "'min':0,'max':'*'"), P("'active':true"), "processing Patient",
     "without what holds it"},
};

static const struct row values[] = {
    {E("Observation.value[x]", "'min':0,'max':'1'," TYPE("string")), O("'valueString':'a'"), "",
     NULL},
    {E("Observation.value[x]", "'min':0,'max':'1'," TYPE("string")), O("'valueInteger':1"),
     "structure Observation.value", "expected string"},
    {E("Observation.valueString", "'min':0,'max':'1'," TYPE("string")), O("'valueInteger':1"),
     "structure Observation.value", NULL},
    {E("Patient.gender", "'min':0,'max':'1','fixedCode':'male'"), P("'gender':'male'"), "", NULL},
    {E("Patient.gender", "'min':0,'max':'1','fixedCode':'male'"), P("'gender':'female'"),
     "value Patient.gender", "exactly \"male\""},
    {E("Patient.maritalStatus", "'min':0,'max':'1','fixedCodeableConcept':{'text':'x'}"),
     P("'maritalStatus':{'text':'x','id':'1'}"), "value Patient.maritalStatus", "exactly"},
    {E("Patient.maritalStatus", "'min':0,'max':'1','patternCodeableConcept':{'text':'x'}"),
     P("'maritalStatus':{'text':'x','id':'1'}"), "", NULL},
    {E("Patient.name", "'min':0,'max':'*','patternHumanName':{'given':['b','a']}"),
     P("'name':[{'given':['a','b','c']}]"), "", NULL},
    {E("Patient.name", "'min':0,'max':'*','patternHumanName':{'given':['a','d']}"),
     P("'name':[{'given':['a','b','c']}]"), "value Patient.name[0]", "a value with"},
    {E("Patient.multipleBirth[x]", "'min':0,'max':'1','minValueInteger':2,'maxValueInteger':4"),
     P("'multipleBirthInteger':3"), "", NULL},
    {E("Patient.multipleBirth[x]", "'min':0,'max':'1','minValueInteger':2,'maxValueInteger':4"),
     P("'multipleBirthInteger':1"), "value Patient.multipleBirth", "at least 2"},
    {E("Patient.multipleBirth[x]", "'min':0,'max':'1','minValueInteger':2,'maxValueInteger':4"),
     P("'multipleBirthInteger':5"), "value Patient.multipleBirth", "at most 4"},
    {E("Patient.birthDate", "'min':0,'max':'1','minValueDate':'2000-05-01'"),
     P("'birthDate':'2000'"), "", NULL},
    {E("Patient.birthDate", "'min':0,'max':'1','minValueDate':'2000-05-01'"),
     P("'birthDate':'1999'"), "value Patient.birthDate", NULL},
    {E("Patient.birthDate", "'min':0,'max':'1','maxValueQuantity':{'value':1,'code':'a'}"),
     P("'birthDate':'1970-06-01'"), "", NULL},
    {E("Patient.birthDate", "'min':0,'max':'1','maxValueQuantity':{'value':1,'code':'a'}"),
     P("'birthDate':'1971-06-01'"), "value Patient.birthDate", "at most"},
    {E("Observation.value[x]",
       "'min':0,'max':'1','maxValueQuantity':{'value':1,'system':'http://unitsofmeasure.org',"
       "'code':'g'}"),
     O("'valueQuantity':{'value':900,'system':'http://unitsofmeasure.org','code':'mg'}"), "", NULL},
    {E("Observation.value[x]",
       "'min':0,'max':'1','maxValueQuantity':{'value':1,'system':'http://unitsofmeasure.org',"
       "'code':'g'}"),
     O("'valueQuantity':{'value':1100,'system':'http://unitsofmeasure.org','code':'mg'}"),
     "value Observation.value", NULL},
    {E("Patient.name", "'min':0,'max':'*'")
         E("Patient.name.family", "'min':0,'max':'1','maxLength':2"),
     P("'name':[{'family':'Åå'},{'family':'abc'}]"), "too-long Patient.name[1].family",
     "3 characters"},
    {E("Patient.active",
       "'min':0,'max':'1','constraint':[{'key':'c-1','severity':'error','human':'H',"
       "'expression':'$this = true'}]"),
     P("'active':false"), "invariant Patient.active", "H (c-1)"},
    {E("Patient.active",
       "'min':0,'max':'1','constraint':[{'key':'c-1','severity':'warning','human':'H',"
       "'expression':'$this = true'}]"),
     P("'active':false"), "~invariant Patient.active", NULL},
    {E("Patient.contact", "'min':0,'max':'*'") E("Patient.contact.name", "'min':1,'max':'1'"),
     P("'contact':[{'gender':'male','telecom':[{'system':'phone','value':'1'}]}]"),
     "required Patient.contact[0]", NULL},
};

#define CATEGORY(rules)                                                                            \
    E("Patient.identifier", "'min':0,'max':'*','slicing':{" BY("value", "system") "," rules "}")   \
    SLICE("Patient.identifier", "a", "'min':1,'max':'1'")                                          \
    E("Patient.identifier.system", "'min':1,'max':'1','fixedUri':'" X "a'")                        \
    E("Patient.identifier.value", "'min':1,'max':'1'")                                             \
    SLICE("Patient.identifier", "b", "'min':0,'max':'1'")                                          \
    E("Patient.identifier.system", "'min':1,'max':'1','patternUri':'" X "b'")
#define ID(system) "{'system':'" X system "','value':'1'}"
#define OPEN "'rules':'open'"

static const struct row slices[] = {
    {CATEGORY(OPEN), P("'identifier':[" ID("a") "," ID("c") "," ID("b") "]"), "", NULL},
    {CATEGORY(OPEN), P("'identifier':[" ID("b") "]"), "required Patient",
     "Patient.identifier:a is required"},
    {CATEGORY(OPEN), P("'active':true"), "required Patient", NULL},
    {CATEGORY(OPEN), P("'identifier':[" ID("a") "," ID("a") "]"), "structure Patient", "at most 1"},
    {CATEGORY(OPEN), P("'identifier':[{'system':'" X "a'}]"), "required Patient.identifier[0]",
     NULL},
    {CATEGORY("'rules':'closed'"), P("'identifier':[" ID("a") "," ID("c") "]"),
     "structure Patient.identifier[1]", "they are: a, b"},
    {CATEGORY("'rules':'openAtEnd'"), P("'identifier':[" ID("a") "," ID("c") "]"), "", NULL},
    {CATEGORY("'rules':'openAtEnd'"), P("'identifier':[" ID("c") "," ID("a") "]"),
     "structure Patient.identifier[1]", "at the end"},
    {CATEGORY("'ordered':true," OPEN), P("'identifier':[" ID("a") "," ID("b") "]"), "", NULL},
    {CATEGORY("'ordered':true," OPEN), P("'identifier':[" ID("b") "," ID("a") "]"),
     "structure Patient.identifier[1]", "order"},
    /* exists */
    {E("Patient.name", "'min':0,'max':'*','slicing':{" BY("exists", "family") "," OPEN "}") SLICE(
         "Patient.name", "with", "'min':1,'max':'1'") E("Patient.name.family", "'min':1,'max':'1'")
         SLICE("Patient.name", "without", "'min':0,'max':'0'")
             E("Patient.name.family", "'min':0,'max':'0'"),
     P("'name':[{'family':'a'},{'text':'b'}]"), "structure Patient", "Patient.name:without"},
    /* type */
    {E("Observation.value[x]",
       "'min':0,'max':'1','slicing':{" BY("type", "$this") ",'rules':'closed'}")
         SLICE("Observation.value[x]", "valueQuantity", "'min':0,'max':'1'," TYPE("Quantity"))
             E("Observation.value[x].code", "'min':1,'max':'1'"),
     O("'valueQuantity':{'value':1}"), "required Observation.value", NULL},
    {E("Observation.value[x]",
       "'min':0,'max':'1','slicing':{" BY("type", "$this") ",'rules':'closed'}")
         SLICE("Observation.value[x]", "valueQuantity", "'min':0,'max':'1'," TYPE("Quantity")),
     O("'valueString':'a'"), "structure Observation.value", "none of the slices"},
    /* profile, and several profiles of a type */
    {E("Patient.name", "'min':0,'max':'*','slicing':{" BY("profile", "$this") "," OPEN "}")
         SLICE("Patient.name", "n",
               "'min':1,'max':'1','type':[{'code':'HumanName','profile':['" X "family']}]"),
     P("'name':[{'family':'a'}]"), "", NULL},
    {E("Patient.name", "'min':0,'max':'*','slicing':{" BY("profile", "$this") "," OPEN "}")
         SLICE("Patient.name", "n",
               "'min':1,'max':'1','type':[{'code':'HumanName','profile':['" X "family']}]"),
     P("'name':[{'text':'a'}]"), "required Patient", NULL},
    /* @default, and slices of slices */
    {CATEGORY(OPEN) SLICE("Patient.identifier", "@default", "'min':0,'max':'0'"),
     P("'identifier':[" ID("a") "," ID("c") "]"), "structure Patient",
     "Patient.identifier:@default"},
    {E("Patient.identifier", "'min':0,'max':'*','slicing':{" BY("value", "system") "," OPEN "}")
         SLICE("Patient.identifier", "a",
               "'min':0,'max':'*','slicing':{" BY("value", "use") ",'rules':'closed'}")
             E("Patient.identifier.system", "'min':1,'max':'1','fixedUri':'" X "a'")
                 SLICE("Patient.identifier", "a/old", "'min':0,'max':'1'")
                     E("Patient.identifier.use", "'min':1,'max':'1','fixedCode':'old'"),
     P("'identifier':[" ID("c") ",{'system':'" X "a','use':'old'},{'system':'" X
                                "a','use':'usual'}]"),
     "structure Patient.identifier[2]", "they are: a/old"},
};

static const struct row types[] = {
    {E("Patient.name", "'min':0,'max':'*','type':[{'code':'HumanName','profile':['" X "family']}]"),
     P("'name':[{'text':'a'}]"), "required Patient.name[0]", X "family|2"},
    {E("Patient.name", "'min':0,'max':'*','type':[{'code':'HumanName','profile':['" X "none']}]"),
     P("'name':[{'text':'a'}]"), "not-found Patient.name[0]", "not installed"},
    {E("Patient.name",
       "'min':0,'max':'*','type':[{'code':'HumanName','profile':['" X "family','" X "text']}]"),
     P("'name':[{'text':'a'},{'family':'a'},{'given':['a']}]"), "structure Patient.name[2]",
     "none of the 2 profiles"},
    {E("Patient.extension", "'min':0,'max':'*','slicing':{" BY("value", "url") "," OPEN "}")
         SLICE("Patient.extension", "e",
               "'min':1,'max':'1','type':[{'code':'Extension','profile':['" X "ext']}]"),
     P("'extension':[{'url':'" X "ext','valueString':'a'}]"), "", NULL},
    {E("Patient.extension", "'min':0,'max':'*','slicing':{" BY("value", "url") "," OPEN "}")
         SLICE("Patient.extension", "e",
               "'min':1,'max':'1','type':[{'code':'Extension','profile':['" X "ext']}]"),
     P("'extension':[{'url':'" X "other','valueString':'a'}]"), "required Patient", NULL},
    /* wherever it stands */
    {"", P("'extension':[{'url':'" X "ext','valueInteger':1}]"),
     "structure Patient.extension[0].value", "expected string"},
    {"", P("'name':[{'text':'x','extension':[{'url':'" X "ext','valueString':'a'}]}]"),
     "extension Patient.name[0]", "its place: Patient"},
    {"", P("'modifierExtension':[{'url':'" X "ext','valueString':'a'}]"),
     "extension Patient.modifierExtension[0]", "no modifier"},
    {"",
     P("'active':true,'address':[{'use':'home','extension':[{'url':'" X
       "ext','valueString':'a'}]}]"),
     "", NULL},
    {"",
     P("'active':true,'address':[{'use':'work','extension':[{'url':'" X
       "ext','valueString':'a'}]}]"),
     "extension Patient.address[0]", NULL},
};

#define REF(more)                                                                                  \
    E("Patient.managingOrganization", "'min':0,'max':'1','type':[{'code':'Reference'," more "}]")
#define ORG(rest) "'contained':[{'resourceType':'Organization','id':'o'," rest "}]"
#define TO(text) "'managingOrganization':{'reference':'" text "'}"

static const struct row references[] = {
    {REF("'targetProfile':['" X "org']"), P(ORG("'name':'n'") "," TO("#o")), "", NULL},
    {REF("'targetProfile':['" X "org']"), P(ORG("'identifier':[{'value':'1'}]") "," TO("#o")),
     "value Patient.managingOrganization; required Patient.contained[0]", "does not keep"},
    {REF("'targetProfile':['" X "org']"), P(TO("Organization/1")), "", NULL},
    {REF("'aggregation':['contained']"), P(ORG("'name':'n'") "," TO("#o")), "", NULL},
    {REF("'aggregation':['contained']"), P(TO("Organization/1")),
     "value Patient.managingOrganization", "elsewhere"},
    {REF("'aggregation':['referenced']"), P(ORG("'name':'n'") "," TO("#o")),
     "value Patient.managingOrganization", "contained"},
    {REF("'versioning':'specific'"), P(TO("Organization/1/_history/1")), "", NULL},
    {REF("'versioning':'specific'"), P(TO("Organization/1")), "value Patient.managingOrganization",
     "must name a version"},
    {REF("'versioning':'independent'"), P(TO("Organization/1/_history/1")),
     "value Patient.managingOrganization", "may not name a version"},
    /* what is elsewhere is fetched; what is not to be had counts as kept */
    {REF("'targetProfile':['" X "org']"), P(TO("Organization/named")), "", NULL},
    {REF("'targetProfile':['" X "org']"), P(TO("Organization/nameless")),
     "value Patient.managingOrganization", "there Organization: Organization.name is required"},
    {REF("'targetProfile':['" X "org','" X "group']"), P(TO("Organization/nameless")),
     "value Patient.managingOrganization", "any profile that is possible"},
    {REF("'targetProfile':['" X "org','" X "other']"), P(TO("Organization/nameless")),
     "~not-found Patient.managingOrganization", "not installed here"},
    {REF("'targetProfile':['" X "org']"), P(TO("Organization/bad")),
     "value Patient.managingOrganization", "Organization.active"},
    {REF("'targetProfile':['" X "group']"), P(TO("Organization/circle")), "", NULL},
    {REF("'targetProfile':['" X "group']"), P(TO("Organization/below")),
     "value Patient.managingOrganization", "there Organization.partOf"},
};

/* What references lead to, outside of the resource. */
static const char *const elsewhere[][2] = {
    {"Organization/named", "{\"resourceType\":\"Organization\",\"name\":\"n\"}"},
    {"Organization/nameless",
     "{\"resourceType\":\"Organization\",\"identifier\":[{\"value\":\"1\"}]}"},
    {"Organization/bad", "{\"resourceType\":\"Organization\",\"name\":\"n\",\"active\":1}"},
    {"Organization/circle", "{\"resourceType\":\"Organization\",\"name\":\"n\",\"partOf\":"
                            "{\"reference\":\"Organization/circle\"}}"},
    {"Organization/below", "{\"resourceType\":\"Organization\",\"name\":\"n\",\"partOf\":"
                           "{\"reference\":\"Organization/nameless\"}}"},
};

static bool fetch(void *arg, med_arena *a, med_str reference, const med_json **out, uint32_t *root,
                  med_err *err)
{
    (void)arg;
    *root = 0;
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        if (!med_str_eqz(reference, elsewhere[i][0]))
            continue;
        med_json *j = MED_TAKE(a, 1, med_json);
        assert_non_null(j);
        *out = j;
        return med_json_parse(a, med_str_from(elsewhere[i][1]), j, NULL, err);
    }
    return true;
}

/* ---- the definitions ---- */

struct definitions {
    med_arena *a;
    const char *elements;
    uint64_t epoch;
};

#define SD(name, version, type, more, elements)                                                    \
    "{'resourceType':'StructureDefinition','url':'" X name "','version':'" version                 \
    "','kind':'resource','type':'" type "'," more "'snapshot':{'element':[{'path':'" type          \
    "','min':0,'max':'*'}" elements "]}}"

static const char *const others[] = {
    SD("family", "2", "HumanName", "", E("HumanName.family", "'min':1,'max':'1'")),
    SD("text", "1", "HumanName", "", E("HumanName.text", "'min':1,'max':'1'")),
    SD("org", "1", "Organization", "", E("Organization.name", "'min':1,'max':'1'")),
    SD("group", "1", "Organization", "",
       E("Organization.name", "'min':1,'max':'1'")
           E("Organization.partOf", "'min':0,'max':'1','type':[{'code':'Reference','targetProfile':"
                                    "['" X "group']}]")),
    SD("ext", "1", "Extension",
       "'context':[{'type':'element','expression':'Patient'},"
       "{'type':'fhirpath','expression':'Patient.address.where(use = \\u0027home\\u0027)'}],",
       E("Extension.url", "'min':1,'max':'1','fixedUri':'" X "ext'")
           E("Extension.value[x]", "'min':1,'max':'1'," TYPE("string"))),
};

static med_str double_quotes(med_arena *a, const char *text)
{
    med_str out;
    assert_true(med_arena_copy(a, med_str_from(text), &out));
    char *c = (char *)(uintptr_t)out.ptr;
    for (size_t i = 0; i < out.len; i++) {
        if (c[i] == '\'')
            c[i] = '"';
    }
    return out;
}

static bool add(med_arena *a, med_str text, const char *url, const med_definition **out)
{
    med_err err = {0};
    med_definition *d = MED_TAKE(a, 1, med_definition);
    assert_non_null(d);
    if (!med_json_parse(a, text, &d->json, NULL, &err))
        fail_msg("%.*s: %s", MED_STR_ARG(text), err.text);
    d->url = med_str_from(url);
    d->version = med_json_raw(&d->json, med_json_member(&d->json, 0, MED_STR("version")));
    d->package = MED_STR_EMPTY;
    *out = d;
    return true;
}

static bool find(void *self, med_arena *a, med_str canonical, const med_definition **out,
                 med_err *err)
{
    const struct definitions *s = self;
    (void)err;
    *out = NULL;
    if (med_str_eqz(canonical, X "p")) {
        bool observation = strstr(s->elements, "'Observation.") != NULL;
        const char *type = observation ? "Observation" : "Patient";
        med_str text = med_arena_printf(
            a,
            "{'resourceType':'StructureDefinition','url':'" X "p','version':'1','kind':'resource',"
            "'type':'%s','snapshot':{'element':[{'path':'%s','min':0,'max':'*'}%s]}}",
            type, type, s->elements);
        return add(a, double_quotes(a, text.ptr), X "p", out);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char url[64];
        int n = snprintf(url, sizeof url, "'url':'%.*s'", MED_STR_ARG(canonical));
        if (n > 0 && (size_t)n < sizeof url && strstr(others[i], url) != NULL) {
            med_str copy;
            assert_true(med_arena_copy(a, canonical, &copy));
            return add(a, double_quotes(a, others[i]), copy.ptr, out);
        }
    }
    return true;
}

static uint64_t epoch(void *self)
{
    return ((const struct definitions *)self)->epoch;
}

static void check_row(const med_rules *rules, med_profiles *cache, const struct row *row,
                      uint64_t number)
{
    med_arena *a = med_arena_new((size_t)1 << 24);
    struct definitions defined = {a, row->elements, number};
    med_definition_source source = {&defined, epoch, find};
    med_str asked[] = {MED_STR(X "p")};
    med_profile_use use = {.cache = cache, .source = &source, .canonicals = asked, .n = 1};
    med_structure_options options = {
        .base = MED_STR_EMPTY, .rules = rules, .profiles = &use, .fetch = fetch, .now = 0};
    med_json j;
    med_err err = {0};
    med_type type;
    med_problems list = {0};
    med_buf found;
    med_buf_init(&found, 1 << 16);
    if (!med_json_parse(a, double_quotes(a, row->resource), &j, NULL, &err))
        fail_msg("%s: %s", row->resource, err.text);
    if (!med_structure_check_with(a, med_pack_core(), &j, 0, &options, &type, &list, &err))
        fail_msg("%s: %s", row->resource, err.text);
    for (size_t i = 0; i < list.n; i++)
        med_buf_printf(&found, "%s%s%s %.*s", i == 0 ? "" : "; ", list.at[i].is_warning ? "~" : "",
                       med_issue_code(list.at[i].issue), MED_STR_ARG(list.at[i].expression));
    if (!med_str_eqz(med_buf_str(&found), row->problems))
        fail_msg("%s\n  %s\n  found    '%.*s'\n  expected '%s'\n  %.*s", row->elements,
                 row->resource, (int)found.len, found.ptr, row->problems,
                 list.n > 0 ? (int)list.at[0].text.len : 0, list.n > 0 ? list.at[0].text.ptr : "");
    if (row->says != NULL
        && med_str_search(list.at[0].text, med_str_from(row->says), 0) == list.at[0].text.len)
        fail_msg("%s\n  says '%.*s'\n  not  '%s'", row->resource, MED_STR_ARG(list.at[0].text),
                 row->says);
    med_buf_free(&found);
    med_arena_free(a);
}

static void check_rows(const struct row *rows, size_t n)
{
    med_err err = {0};
    med_rules *rules;
    med_profiles *cache;
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    assert_true(med_profiles_new(med_pack_core(), &cache, &err));
    for (size_t i = 0; i < n; i++)
        check_row(rules, cache, &rows[i], i + 1); /* another epoch: another profile */
    med_profiles_free(cache);
    med_rules_free(rules);
}

#define TABLE(name)                                                                                \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        check_rows(name, sizeof name / sizeof name[0]);                                            \
    }
TABLE(counts)
TABLE(values)
TABLE(slices)
TABLE(types)
TABLE(references)

/* With every possible ceiling of the arena the check ends with an error, or finds what is there. */
static void test_memory(void **state)
{
    (void)state;
    med_err err = {0};
    med_rules *rules;
    med_profiles *cache;
    const struct row *row = &references[1];
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    assert_true(med_profiles_new(med_pack_core(), &cache, &err));
    med_str asked[] = {MED_STR(X "p")};
    bool done = false;
    for (size_t more = 0, n = 0; !done; n++) {
        assert_true(n < 1000);
        med_arena *a = med_arena_new((size_t)1 << 24);
        struct definitions defined = {a, row->elements, 1};
        med_definition_source source = {&defined, epoch, find};
        med_profile_use use = {.cache = cache, .source = &source, .canonicals = asked, .n = 1};
        med_structure_options options = {.base = MED_STR_EMPTY, .rules = rules, .profiles = &use};
        med_json j;
        med_type type;
        med_problems list = {0};
        assert_true(med_json_parse(a, double_quotes(a, row->resource), &j, NULL, &err));
        med_arena_set_limit(a, med_arena_used(a) + more);
        done = med_structure_check_with(a, med_pack_core(), &j, 0, &options, &type, &list, &err);
        if (done)
            assert_int_equal(list.n, 2);
        more += 32;
        med_arena_free(a);
    }
    med_profiles_free(cache);
    med_rules_free(rules);
}

/* Where there is no time, as on an event loop, a profile is not compiled: the check fails, says so,
 * and goes well once somebody had the time. */
static void test_unmade(void **state)
{
    (void)state;
    med_rules *rules;
    med_profiles *cache;
    const struct row *row = &references[1];
    med_err err = {0};
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    assert_true(med_profiles_new(med_pack_core(), &cache, &err));
    med_arena *a = med_arena_new((size_t)1 << 24);
    struct definitions defined = {a, row->elements, 1};
    med_definition_source source = {&defined, epoch, find};
    med_str asked[] = {MED_STR(X "p")};
    med_json j;
    assert_true(med_json_parse(a, double_quotes(a, row->resource), &j, NULL, &err));
    static const struct {
        bool hurried, good;
    } tries[] = {{true, false}, {true, false}, {false, true}, {true, true}};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        bool unmade = false;
        med_problems list = {0};
        med_type type;
        med_profile_use use = {.cache = cache, .source = &source, .canonicals = asked, .n = 1};
        use.unmade = tries[i].hurried ? &unmade : NULL;
        med_structure_options options = {.base = MED_STR_EMPTY, .rules = rules, .profiles = &use};
        assert_int_equal(
            med_structure_check_with(a, med_pack_core(), &j, 0, &options, &type, &list, &err),
            tries[i].good);
        assert_int_equal(unmade, !tries[i].good);
        if (tries[i].good)
            assert_int_equal(list.n, 2);
    }
    med_arena_free(a);
    med_profiles_free(cache);
    med_rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),     cmocka_unit_test(test_values),
        cmocka_unit_test(test_slices),     cmocka_unit_test(test_types),
        cmocka_unit_test(test_references), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_unmade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
