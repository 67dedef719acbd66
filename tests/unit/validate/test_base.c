/* Tests of validate/structure.h with rules: what base R4 says beyond structure. */
#include "validate/structure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

struct row {
    const char *resource; /* ' for " */
    const char *problems; /* "code expression; code expression", warnings with '~'; "" = none */
    const char *says;     /* what the first problem's text contains; NULL = not looked at */
};

/* With a narrative, so that dom-6 is silent. */
#define DIV "{'status':'generated','div':'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>'}"
#define P(rest) "{'resourceType':'Patient','text':" DIV "," rest "}"
#define O(rest)                                                                                    \
    "{'resourceType':'Observation','text':" DIV                                                    \
    ",'status':'final','code':{'coding':[{'system':'http://loinc.org','code':'1-8'}]}," rest "}"
#define C(rest)                                                                                    \
    "{'resourceType':'Condition','text':" DIV ",'subject':{'reference':'Patient/1'}," rest "}"
#define SD "http://hl7.org/fhir/StructureDefinition/"

static const struct row invariants[] = {
    {O("'valueString':'x'"), "", NULL},
    {O("'valueString':'x','dataAbsentReason':{'text':'y'}"), "invariant Observation", "(obs-6)"},
    {O("'dataAbsentReason':{'text':'y'}"), "", NULL},
    {O("'referenceRange':[{'age':{'low':{'value':1}}}]"), "invariant Observation.referenceRange[0]",
     "(obs-3)"},
    {O("'effectivePeriod':{'start':'2020-01-02','end':'2020-01-01'}"),
     "invariant Observation.effective", "(per-1)"},
    {O("'effectivePeriod':{'start':'2020-01-01','end':'2020-01-01'}"), "", NULL},
    {O("'valueQuantity':{'value':1,'code':'mg'}"), "invariant Observation.value", "(qty-3)"},
    {P("'contact':[{'gender':'male'}]"), "invariant Patient.contact[0]", "(pat-1)"},
    {P("'telecom':[{'value':'1'}]"), "invariant Patient.telecom[0]", "(cpt-2)"},
    {P("'managingOrganization':{'reference':'#x'}"), "invariant Patient.managingOrganization",
     "(ref-1)"},
    {P("'contained':[{'resourceType':'Organization','id':'o','name':'x'}]"), "invariant Patient",
     "(dom-3)"},
    {P("'contained':[{'resourceType':'Organization','id':'o','name':'x','meta':{'versionId':'1'}}],"
       "'managingOrganization':{'reference':'#o'}"),
     "invariant Patient", "(dom-4)"},
    {P("'contained':[{'resourceType':'Organization','id':'o','name':'x'}],"
       "'managingOrganization':{'reference':'#o'}"),
     "", NULL},
    {P("'name':[{'id':'x'}]"), "invariant Patient.name[0]", "(ele-1)"},
    {"{'resourceType':'Patient','active':true}", "~invariant Patient", "(dom-6)"},
    {"{'resourceType':'Organization','text':" DIV ",'name':'x','telecom':[{'system':'phone',"
     "'use':'home'}]}",
     "invariant Organization.telecom[0]", "(org-3)"},
    {"{'resourceType':'Bundle','type':'collection','total':1}", "invariant Bundle", "(bdl-1)"},
};

static const struct row bindings[] = {
    {C("'clinicalStatus':{'coding':[{'system':"
       "'http://terminology.hl7.org/CodeSystem/condition-clinical','code':'active'}]}"),
     "", NULL},
    {C("'clinicalStatus':{'coding':[{'system':'http://example.org','code':'active'}]}"),
     "code-invalid Condition.clinicalStatus.coding[0].code",
     "it has this code in another system: active"},
    {C("'clinicalStatus':{'coding':[{'system':"
       "'http://terminology.hl7.org/CodeSystem/condition-clinical','code':'actve'}]}"),
     "code-invalid Condition.clinicalStatus.coding[0].code", "nearest: active"},
    {C("'clinicalStatus':{'text':'active'}"), "code-invalid Condition.clinicalStatus",
     "a code of http://hl7.org/fhir/ValueSet/condition-clinical is required"},
    {C("'clinicalStatus':{'coding':[{'system':'http://example.org','code':'mine'},{'system':"
       "'http://terminology.hl7.org/CodeSystem/condition-clinical','code':'active'}]}"),
     "", NULL},
    {P("'maritalStatus':{'coding':[{'system':'http://example.org','code':'M'}]}"),
     "~code-invalid Patient.maritalStatus.coding[0].code", "should be used if one fits"},
    {P("'maritalStatus':{'text':'married'}"), "", NULL},
    {P("'language':'nb-NO'"), "", NULL},
    {P("'language':'norsk språk'"), "code-invalid Patient.language", NULL},
    {P("'language':'norwegiansk'"), "code-invalid Patient.language", "BCP 47"},
    {P("'photo':[{'contentType':'image/png'}]"), "", NULL},
    {P("'photo':[{'contentType':'png'}]"), "code-invalid Patient.photo[0].contentType", "BCP 13"},
};

static const struct row extensions[] = {
    {P("'extension':[{'url':'http://example.org/x','valueString':'x'}]"), "", NULL},
    {P("'extension':[{'url':'x','valueString':'x'}]"), "extension Patient.extension[0].url",
     "absolute"},
    {P("'modifierExtension':[{'url':'http://example.org/x','valueString':'x'}]"),
     "extension Patient.modifierExtension[0]", "nobody here knows"},
    {P("'extension':[{'url':'" SD "patient-birthPlac','valueString':'x'}]"),
     "~extension Patient.extension[0]", "nearest: " SD "patient-birthPlace"},
    {P("'extension':[{'url':'" SD "patient-birthPlace','valueAddress':{'city':'x'}}]"), "", NULL},
    {P("'extension':[{'url':'" SD "patient-birthPlace','valueString':'x'}]"),
     "extension Patient.extension[0].value", "of type Address, not string"},
    {O("'extension':[{'url':'" SD "patient-birthPlace','valueAddress':{'city':'x'}}]"),
     "extension Observation", "its place: Patient"},
    {P("'modifierExtension':[{'url':'" SD "patient-birthPlace','valueAddress':{'city':'x'}}]"),
     "extension Patient.modifierExtension[0]", "it belongs into 'extension'"},
    {P("'_birthDate':{'extension':[{'url':'" SD "patient-birthTime',"
       "'valueDateTime':'2000-01-01T10:00:00Z'}]}"),
     "", NULL},
    {P("'_gender':{'extension':[{'url':'" SD "patient-birthTime',"
       "'valueDateTime':'2000-01-01T10:00:00Z'}]}"),
     "extension Patient.gender", "its place: Patient.birthDate"},
    {P("'extension':[{'url':'" SD "patient-citizenship','extension':[{'url':'code',"
       "'valueCodeableConcept':{'text':'NO'}}]}]"),
     "", NULL},
    {P("'extension':[{'url':'" SD "patient-citizenship','extension':[{'url':'cod',"
       "'valueCodeableConcept':{'text':'NO'}}]}]"),
     "extension Patient.extension[0].extension[0]", "has no part of this name"},
    {P("'extension':[{'url':'" SD "patient-citizenship','valueString':'x'}]"),
     "extension Patient.extension[0]", "has extensions inside"},
    {P("'extension':[{'url':'" SD "patient-citizenship','extension':[{'url':'code',"
       "'valueString':'NO'}]}]"),
     "extension Patient.extension[0].extension[0].value", "of type CodeableConcept"},
    {P("'extension':[{'url':'" SD "patient-nationality','extension':["
       "{'url':'code','valueCodeableConcept':{'text':'x'}},"
       "{'url':'code','valueCodeableConcept':{'text':'y'}}]}]"),
     "extension Patient.extension[0]", "2 extensions 'code'"},
};

static const struct row narratives[] = {
    {"{'resourceType':'Patient','text':{'status':'generated','div':'<div "
     "xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x<script>y</script></div>'}}",
     "value Patient.text.div", NULL},
    {"{'resourceType':'Patient','text':{'status':'generated','div':'<div "
     "xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><a href=\\\"javascript:x\\\">x</a></div>'}}",
     "value Patient.text.div", NULL},
};

#define BUNDLE(type, rest) "{'resourceType':'Bundle','type':'" type "'," rest "}"
#define ENTRY(url, resource) "{'fullUrl':'" url "','resource':" resource "}"
#define PATIENT(id) "{'resourceType':'Patient','id':'" id "','text':" DIV "}"
#define COMPOSITION(author)                                                                        \
    "{'resourceType':'Composition','text':" DIV ",'status':'final','type':{'text':'x'},"           \
    "'date':'2020','title':'x','author':[{'reference':'" author "'}]}"
#define DOCUMENT(rest)                                                                             \
    BUNDLE("document", "'identifier':{'system':'urn:x','value':'1'},'timestamp':"                  \
                       "'2020-01-01T00:00:00Z','entry':[" rest "]")
#define U1 "urn:uuid:11111111-1111-4111-8111-111111111111"
#define U2 "urn:uuid:22222222-2222-4222-8222-222222222222"

static const struct row bundles[] = {
    {BUNDLE("collection", "'entry':[" ENTRY("http://x/fhir/Patient/a", PATIENT("a")) "]"), "",
     NULL},
    {BUNDLE("collection", "'entry':[" ENTRY("http://x/fhir/Patient/b", PATIENT("a")) "]"),
     "value Bundle.entry[0]", "type and the id"},
    {BUNDLE("collection", "'entry':[" ENTRY("http://x/fhir/Group/a", PATIENT("a")) "]"),
     "value Bundle.entry[0]", NULL},
    {BUNDLE("collection", "'entry':[" ENTRY("Patient/a", PATIENT("a")) "]"),
     "value Bundle.entry[0]", "absolute"},
    {BUNDLE("collection", "'link':[{'relation':'self','url':'http://x'},"
                          "{'relation':'self','url':'http://y'}]"),
     "value Bundle.link[1]", "a second link 'self'"},
    {DOCUMENT(ENTRY(U1, COMPOSITION(U2)) "," ENTRY(U2, PATIENT("a"))), "", NULL},
    {DOCUMENT(ENTRY(U1, COMPOSITION("Patient/a")) "," ENTRY(U2, PATIENT("a"))), "", NULL},
    {DOCUMENT(ENTRY(U1, COMPOSITION("Patient/a/_history/2")) "," ENTRY(U2, PATIENT("a"))), "",
     NULL},
    {DOCUMENT(ENTRY(U1, COMPOSITION("http://elsewhere/Patient/a"))), "", NULL},
    {DOCUMENT(ENTRY(U1, COMPOSITION(U2))), "not-found Bundle.entry[0].resource.author[0]",
     "brings along"},
    {DOCUMENT(ENTRY(U1, COMPOSITION("Patient/b")) "," ENTRY(U2, PATIENT("a"))),
     "not-found Bundle.entry[0].resource.author[0]", NULL},
    {DOCUMENT(ENTRY(U1, PATIENT("a"))), "invariant Bundle", "(bdl-11)"},
    {DOCUMENT(ENTRY(U1, COMPOSITION(U2)) ",{'resource':" PATIENT("a") "}," ENTRY(U2, PATIENT("b"))),
     "required Bundle.entry[1]", NULL},
    {P("'photo':[{'contentType':'text/plain','data':'QUJD','size':3}]"), "", NULL},
    {P("'photo':[{'contentType':'text/plain','data':'QUI=','size':3}]"), "value Patient.photo[0]",
     "2 bytes"},
};

#define QUESTIONNAIRE                                                                              \
    "{'resourceType':'Questionnaire','id':'q','status':'active','item':["                          \
    "{'linkId':'g','type':'group','item':["                                                        \
    "{'linkId':'yes','type':'boolean','required':true},"                                           \
    "{'linkId':'why','type':'string','maxLength':3,'enableWhen':[{'question':'yes',"               \
    "'operator':'=','answerBoolean':true}]},"                                                      \
    "{'linkId':'pick','type':'choice','answerOption':[{'valueCoding':{'system':'urn:c',"           \
    "'code':'a'}},{'valueCoding':{'system':'urn:c','code':'b'}}]},"                                \
    "{'linkId':'n','type':'integer','repeats':true,'extension':[{'url':'" SD                       \
    "minValue','valueInteger':5}]}]},{'linkId':'d','type':'display'}]}"
#define R(status, items)                                                                           \
    "{'resourceType':'QuestionnaireResponse','text':" DIV ",'contained':[" QUESTIONNAIRE           \
    "],'questionnaire':'#q','status':'" status "','item':[" items "]}"
#define G(items) "{'linkId':'g','item':[" items "]}"
#define A(link, value) "{'linkId':'" link "','answer':[{" value "}]}"
#define YES A("yes", "'valueBoolean':true")
#define IN "QuestionnaireResponse.item[0]"

static const struct row answers[] = {
    {R("completed", G(YES)), "", NULL},
    {R("completed", G(YES "," A("why", "'valueString':'abc'"))), "", NULL},
    {R("in-progress", ""), "structure QuestionnaireResponse.item", NULL},
    {R("in-progress", G(A("n", "'valueInteger':7"))), "", NULL},
    {R("completed", G(A("n", "'valueInteger':7"))), "required " IN, "question 'yes' has no answer"},
    {R("completed", G(YES "," A("n", "'valueInteger':3"))), "value " IN ".item[1].answer[0].value",
     "less than"},
    {R("completed", G(YES ",{'linkId':'n','answer':[{'valueInteger':7},{'valueInteger':8}]}")), "",
     NULL},
    {R("completed", G(YES ",{'linkId':'why','answer':[{'valueString':'a'},{'valueString':'b'}]}")),
     "structure " IN ".item[1]", "2 answers"},
    {R("completed", G(A("yes", "'valueBoolean':false") "," A("why", "'valueString':'a'"))),
     "invariant " IN ".item[1]", "not asked"},
    {R("completed", G(YES "," A("why", "'valueString':'abcd'"))),
     "value " IN ".item[1].answer[0].value", "at most 3"},
    {R("completed", G(YES "," A("why", "'valueInteger':1"))),
     "value " IN ".item[1].answer[0].value", "type string"},
    {R("completed", G(YES "," A("pick", "'valueCoding':{'system':'urn:c','code':'b'}"))), "", NULL},
    {R("completed", G(YES "," A("pick", "'valueCoding':{'system':'urn:c','code':'c'}"))),
     "value " IN ".item[1].answer[0]", "none of the options"},
    {R("completed", G(YES "," A("xyz", "'valueString':'a'"))), "value " IN, "has no item"},
    {R("completed", G(YES) "," A("d", "'valueString':'a'")),
     "structure QuestionnaireResponse.item[1]", "has no answers"},
};

/* What a question says of its answers by extensions; on both sides of each limit. */
#define ASK(type, extensions)                                                                      \
    "{'resourceType':'Questionnaire','id':'q','status':'active','item':[{'linkId':'a','type':"     \
    "'" type "','extension':[" extensions "]}]}"
#define SAY(type, extensions, value)                                                               \
    "{'resourceType':'QuestionnaireResponse','text':" DIV ",'contained':[" ASK(                    \
        type, extensions) "],'questionnaire':'#q','status':'completed','item':[" A("a",            \
                                                                                   value) "]}"
#define LIMIT(name, value) "{'url':'" SD name "'," value "}"
#define SDC(name, value)                                                                           \
    "{'url':'http://hl7.org/fhir/uv/sdc/StructureDefinition/" name "'," value "}"
#define UCUM(value, code)                                                                          \
    "'valueQuantity':{'value':" value ",'system':'http://unitsofmeasure.org','code':'" code "'}"
#define ANSWER "QuestionnaireResponse.item[0].answer[0]"

static const struct row limits[] = {
    {SAY("string", LIMIT("regex", "'valueString':'[a-z]+\\\\d'"), "'valueString':'ab1'"), "", NULL},
    {SAY("string", LIMIT("regex", "'valueString':'[a-z]+\\\\d'"), "'valueString':'ab12'"),
     "value " ANSWER ".value", "not of the form"},
    {SAY("quantity", SDC("sdc-questionnaire-minQuantity", UCUM("1", "kg")), UCUM("1000", "g")), "",
     NULL},
    {SAY("quantity", SDC("sdc-questionnaire-minQuantity", UCUM("1", "kg")), UCUM("999", "g")),
     "value " ANSWER ".value", "less than"},
    {SAY("quantity", SDC("sdc-questionnaire-maxQuantity", UCUM("1", "kg")), UCUM("2", "m")),
     "value " ANSWER ".value", "can not be compared"},
    {SAY("quantity",
         LIMIT("questionnaire-unitOption",
               "'valueCoding':{'system':'http://unitsofmeasure.org','code':'kg'}"),
         UCUM("2", "kg")),
     "", NULL},
    {SAY("quantity",
         LIMIT("questionnaire-unitOption",
               "'valueCoding':{'system':'http://unitsofmeasure.org','code':'kg'}"),
         UCUM("2", "g")),
     "code-invalid " ANSWER ".value", "does not offer"},
    {SAY("attachment", LIMIT("maxSize", "'valueDecimal':10"),
         "'valueAttachment':{'url':'http://x/f','size':10}"),
     "", NULL},
    {SAY("attachment", LIMIT("maxSize", "'valueDecimal':10"),
         "'valueAttachment':{'url':'http://x/f','size':11}"),
     "too-long " ANSWER, "larger than"},
};

/* Definitions: warnings, as this is no check that asks for all. */
#define QUESTIONS(items)                                                                           \
    "{'resourceType':'Questionnaire','text':" DIV ",'status':'active','item':[" items "]}"
#define WHEN(question) "{'question':'" question "','operator':'exists','answerBoolean':true}"
#define BOOL(link, more) "{'linkId':'" link "','text':'t','type':'boolean'" more "}"
#define SET(include)                                                                               \
    "{'resourceType':'ValueSet','text':" DIV ",'status':'draft','url':'http://x/v','name':'V',"    \
    "'compose':{'include':[" include "]}}"

#define SD_OF(path, more)                                                                          \
    "{'resourceType':'StructureDefinition','text':" DIV ",'url':'http://x/s','name':'S','status':" \
    "'draft','kind':'resource','abstract':false,'type':'Patient','derivation':'constraint',"       \
    "'baseDefinition':'http://hl7.org/fhir/StructureDefinition/Patient','differential':{'element'" \
    ":[{'id':'" path "','path':'" path "'" more "]}}"
#define DISCRIMINATED(by)                                                                          \
    "'slicing':{'rules':'open','discriminator':[{'type':'value','path':\"" by "\"}]}"

static const struct row definitions[] = {
    {QUESTIONS(BOOL("a", "") "," BOOL("b", ",'enableWhen':[" WHEN("a") "]")), "", NULL},
    {QUESTIONS(BOOL("b", ",'enableWhen':[" WHEN("a") "]")), "~value Questionnaire.item[0]",
     "does not have"},
    {QUESTIONS(BOOL("b", ",'enableWhen':[" WHEN("b") "]")), "~invariant Questionnaire.item[0]",
     "the item itself"},
    {QUESTIONS(BOOL("a", "") "," BOOL("b", ",'enableWhen':[" WHEN("a") "," WHEN("a") "]")),
     "~invariant Questionnaire.item[1]", "que-12"},
    {SET("{'system':'http://x/c','filter':[{'property':'inactive','op':'=','value':'true'}]}"), "",
     NULL},
    {SET("{'system':'http://x/c','filter':[{'property':'inactive','op':'=','value':'1'}]}"),
     "~value ValueSet.compose.include[0].filter[0]", "true or false"},
    {SET("{'system':'c'}"), "~value ValueSet.compose.include[0]", "absolute"},
    {"{'resourceType':'CodeSystem','text':" DIV ",'status':'draft','url':'http://x/c','name':'C',"
     "'content':'not-present','concept':[{'code':'a'}]}",
     "~invariant CodeSystem.concept[0]", "no concepts"},
    {SD_OF("Patient.gender", ",'binding':{'strength':'required','valueSet':'http://x/v'}}"), "",
     NULL},
    {SD_OF("Patient.birthDate", ",'binding':{'strength':'required','valueSet':'http://x/v'}}"),
     "~invariant StructureDefinition.differential.element[0]", "of the type date"},
    {SD_OF("Patient.contact.gender", ",'binding':{'strength':'required','valueSet':'http://x/v'"
                                     "}}"),
     "", NULL},
    {SD_OF("Patient.name", "," DISCRIMINATED("period.start") "}"), "", NULL},
    {SD_OF("Patient.name",
           "," DISCRIMINATED("$this.extension(\\u0027http://x/e\\u0027).value") "}"),
     "", NULL},
    {SD_OF("Patient.generalPractitioner", "," DISCRIMINATED("resolve().whatever") "}"), "", NULL},
    {SD_OF("Patient.name", "," DISCRIMINATED("period.begin") "}"),
     "~invariant StructureDefinition.differential.element[0].slicing.discriminator[0]",
     "leads to no element"},
    {SD_OF("Patient.name", "," DISCRIMINATED("period.start.first()") "}"),
     "~invariant StructureDefinition.differential.element[0].slicing.discriminator[0]",
     "a path of names"},
    {SD_OF("Person.name", "}"),
     "invariant StructureDefinition.differential; "
     "~invariant StructureDefinition.differential.element[0]",
     NULL},
    {"{'resourceType':'StructureDefinition','text':" DIV ",'url':'http://x/s','name':'S','status':"
     "'draft','kind':'complex-type','abstract':false,'type':'Quantity','derivation':"
     "'specialization','baseDefinition':'http://hl7.org/fhir/StructureDefinition/Quantity',"
     "'differential':{'element':[{'id':'Quantity','path':'Quantity'}]}}",
     "~invariant StructureDefinition", "of its own"},
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

static void describe(const med_problems *list, med_buf *out)
{
    for (size_t i = 0; i < list->n; i++)
        med_buf_printf(out, "%s%s%s %.*s", i == 0 ? "" : "; ", list->at[i].is_warning ? "~" : "",
                       med_issue_code(list->at[i].issue), MED_STR_ARG(list->at[i].expression));
}

static const med_json *measure, *systems; /* those that strict checks find */

static bool find_known(void *arg, const char *type, med_str canonical, const med_json **j,
                       uint32_t *root)
{
    (void)arg;
    bool is_measure = strcmp(type, "Measure") == 0;
    *j = is_measure ? measure : systems;
    *root = 0;
    return is_measure ? med_str_eqz(canonical, "urn:m")
                      : strcmp(type, "CodeSystem") == 0 && med_str_eqz(canonical, "urn:cs");
}

static void check_row(const med_rules *rules, const struct row *row, bool strict)
{
    med_arena *a = med_arena_new((size_t)1 << 24);
    med_json j;
    med_err err = {0};
    med_type type;
    med_problems list = {0};
    med_buf found;
    med_structure_options options = {.base = MED_STR_EMPTY,
                                     .rules = rules,
                                     .strict = strict,
                                     .find = strict ? find_known : NULL};
    med_buf_init(&found, 1 << 16);
    if (!med_json_parse(a, double_quotes(a, row->resource), &j, NULL, &err))
        fail_msg("%s: %s", row->resource, err.text);
    assert_true(med_structure_check_with(a, med_pack_core(), &j, 0, &options, &type, &list, &err));
    describe(&list, &found);
    if (!med_str_eqz(med_buf_str(&found), row->problems))
        fail_msg("%s\n  found    '%.*s'\n  expected '%s'\n  %.*s", row->resource, (int)found.len,
                 found.ptr, row->problems, list.n > 0 ? (int)list.at[0].text.len : 0,
                 list.n > 0 ? list.at[0].text.ptr : "");
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
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    for (size_t i = 0; i < n; i++)
        check_row(rules, &rows[i], false);
    med_rules_free(rules);
}

/* ---- what is an error for who asks for all ---- */

#define DIVS(inside)                                                                               \
    "{'resourceType':'Patient','text':{'status':'generated','div':'<div "                          \
    "xmlns=\\\"http://www.w3.org/1999/xhtml\\\">" inside "</div>'}}"
#define ENTRY(url, resource) "{'fullUrl':'" url "','resource':" resource "}"
#define PAPER(entries)                                                                             \
    "{'resourceType':'Bundle','type':'document','timestamp':'2020-01-01T00:00:00Z','identifier':{" \
    "'system':'urn:ietf:rfc:3986','value':'urn:x'},'entry':[" entries "]}"
#define HEAD(section)                                                                              \
    "{'resourceType':'Composition','id':'c','text':" DIV ",'status':'final','type':{'text':'x'},"  \
    "'date':'2020','author':[{'reference':'Device/d'}],'title':'x','section':[{'entry':["          \
    "{'reference':'" section "'}],'text':" DIV "}]}"
#define DEVICE ENTRY("http://x/fhir/Device/d", "{'resourceType':'Device','id':'d','text':" DIV "}")
#define URN "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
#define PERSON(more) "{'resourceType':'Patient','id':'p','text':" DIV more "}"
#define REPORT(groups)                                                                             \
    "{'resourceType':'MeasureReport','text':" DIV                                                  \
    ",'status':'complete','type':'summary','measure':'urn:m',"                                     \
    "'period':{'start':'2020'},'group':[" groups "]}"

#define FILTER(property, value)                                                                    \
    "{'system':'urn:cs','filter':[{'property':'" property "','op':'=','value':'" value "'}]}"
#define FILTERED "ValueSet.compose.include[0].filter[0]"

static const struct row strictly[] = {
    /* links and ids */
    {DIVS("<a href=\\\"#x\\\">x</a>"), "not-found Patient.text.div", "not there"},
    {DIVS("<a name=\\\"x\\\">y</a><a href=\\\"#x\\\">x</a>"), "", NULL},
    {DIVS("<!-- <a href=\\\"#x\\\"> --><a href=\\\"http://x\\\">x</a>"), "", NULL},
    {DIVS("<a href=\\\"urn:uuid:x\\\">x</a>"), "value Patient.text.div", "urn:"},
    {P("'name':[{'id':'a','text':'x'},{'id':'a','text':'y'}]"), "duplicate Patient.name[1]", NULL},
    {P("'name':[{'id':'a','text':'x'},{'id':'b','text':'y'}]"), "", NULL},
    {P("'contained':[{'resourceType':'Organization','id':'a','name':'x'}],'managingOrganization':{"
       "'id':'a','reference':'#a'}"),
     "", NULL},
    /* Bundles */
    {"{'resourceType':'Bundle','type':'searchset','entry':[{'fullUrl':'urn:x','resource':"
     "{'resourceType':'Basic','text':" DIV ",'code':{'text':'x'}}}]}",
     "required Bundle.entry[0].resource", "has an id"},
    {"{'resourceType':'Bundle','type':'collection','entry':[{'fullUrl':'http://x/fhir/Basic/1',"
     "'resource':{'resourceType':'Basic','text':" DIV ",'code':{'text':'x'}}}]}",
     "value Bundle.entry[0]", "type and the id"},
    {"{'resourceType':'Bundle','type':'collection','entry':[" ENTRY(
         "urn:x:1", O("'subject':{'reference':'" URN "'}")) "," ENTRY(URN, PERSON("")) "]}",
     "", NULL},
    {"{'resourceType':'Bundle','type':'collection','entry':[" ENTRY(
         "urn:x:1", O("'subject':{'reference':'" URN
                      "'}")) "," ENTRY(URN, "{'resourceType':'Basic','id':'p','text':" DIV
                                            ",'code':{'text':'x'}}") "]}",
     "value Bundle.entry[0].resource.subject", "a reference to Basic can not stand here"},
    {PAPER(ENTRY("http://x/fhir/Composition/c",
                 HEAD("Patient/p")) "," DEVICE "," ENTRY("http://x/fhir/Patient/p", PERSON(""))),
     "", NULL},
    {PAPER(ENTRY("http://x/fhir/Composition/c", HEAD("Patient/p")) "," DEVICE "," ENTRY(
         "http://x/fhir/Patient/p",
         PERSON("")) "," ENTRY("http://x/fhir/Organization/o",
                               "{'resourceType':'Organization','id':'o','name':'x','text':" DIV
                               "}")),
     "invariant Bundle.entry[3]", "does not belong to the document"},
    {PAPER(ENTRY("http://x/fhir/Composition/c", HEAD("Patient/p")) "," DEVICE "," ENTRY(
         "http://x/fhir/Patient/p",
         PERSON(",'meta':{'versionId':'1'}")) "," ENTRY("http://x/fhir/Patient/p",
                                                        PERSON(",'meta':{'versionId':'2'}"))),
     "multiple-matches Bundle.entry[0].resource.section[0].entry[0]; invariant Bundle.entry[3]",
     NULL},
    {PAPER(ENTRY("http://x/fhir/Composition/c", HEAD("Patient/p/_history/2")) "," DEVICE "," ENTRY(
         "http://x/fhir/Patient/p", PERSON(",'meta':{'versionId':'1'}"))),
     "not-found Bundle.entry[0].resource.section[0].entry[0]; invariant Bundle.entry[2]", NULL},
    /* MeasureReport */
    {REPORT("{'code':{'text':'one'},'population':[{'code':{'text':'all'},'count':1}]},"
            "{'code':{'text':'two'}}"),
     "", NULL},
    {REPORT("{'code':{'text':'one'},'population':[{'code':{'text':'some'},'count':1}]},"
            "{'code':{'text':'two'}}"),
     "value MeasureReport.group[0].population[0]; required MeasureReport.group[0]", "of this code"},
    {REPORT("{'code':{'text':'one'},'population':[{'code':{'text':'all'},'subjectResults':{"
            "'reference':'List/1'}}]},{'code':{'text':'two'}}"),
     "value MeasureReport.group[0].population[0]", "subject-list"},
    {REPORT("{'code':{'text':'one'}},{'code':{'text':'three'}}"),
     "required MeasureReport.group[0]; value MeasureReport.group[1]; required MeasureReport", NULL},
    /* filters on the properties of a system */
    {SET(FILTER("coding", "http://x/c#a")), "", NULL},
    {SET(FILTER("coding", "http://x/c|1#a")), "", NULL},
    {SET(FILTER("coding", "a")), "value " FILTERED, "expected system#code"},
    {SET(FILTER("flag", "true")), "", NULL},
    {SET(FILTER("flag", "yes")), "value " FILTERED, "true or false"},
    {SET(FILTER("when", "2020-01")), "", NULL},
    {SET(FILTER("when", "soon")), "value " FILTERED, "a date"},
    {SET(FILTER("share", "0.5")), "", NULL},
    {SET(FILTER("share", "half")), "value " FILTERED, "a number"},
    {SET(FILTER("other", "half")), "", NULL},
};

#define TABLE(name)                                                                                \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        check_rows(name, sizeof name / sizeof name[0]);                                            \
    }
TABLE(invariants)
TABLE(bindings)
TABLE(extensions)
TABLE(narratives)
TABLE(bundles)
TABLE(answers)
TABLE(limits)
TABLE(definitions)

static void test_strictly(void **state)
{
    (void)state;
    med_err err = {0};
    med_rules *rules;
    med_json j, system;
    med_arena *a = med_arena_new((size_t)1 << 20);
    assert_true(med_json_parse(
        a,
        double_quotes(a, "{'resourceType':'CodeSystem','property':["
                         "{'code':'coding','type':'Coding'},{'code':'flag','type':'boolean'},"
                         "{'code':'when','type':'dateTime'},{'code':'share','type':'decimal'}]}"),
        &system, NULL, &err));
    systems = &system;
    assert_true(med_json_parse(
        a,
        double_quotes(a, "{'resourceType':'Measure','group':[{'code':{'text':'one'},'population':["
                         "{'code':{'text':'all'}}]},{'code':{'text':'two'}}]}"),
        &j, NULL, &err));
    measure = &j;
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    for (size_t i = 0; i < sizeof strictly / sizeof strictly[0]; i++)
        check_row(rules, &strictly[i], true);
    med_rules_free(rules);
    med_arena_free(a);
}

/* Warnings leave room for the errors, and the quiet check has none. */
static void test_warnings(void **state)
{
    (void)state;
    med_err err = {0};
    med_rules *rules;
    med_arena *a = med_arena_new((size_t)1 << 24);
    med_buf text;
    med_json j;
    med_type type;
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    med_buf_init(&text, 1 << 20);
    med_buf_addz(&text, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for (int i = 0; i < 2 * MED_STRUCTURE_WARNINGS; i++)
        med_buf_printf(&text,
                       "{\"fullUrl\":\"http://x/Patient/%d\",\"resource\":"
                       "{\"resourceType\":\"Patient\",\"id\":\"%d\"}},",
                       i, i);
    med_buf_addz(&text, "{\"fullUrl\":\"http://x/Patient/x\",\"resource\":"
                        "{\"resourceType\":\"Patient\",\"id\":\"x\",\"gender\":\"x\"}}]}");
    assert_true(med_json_parse(a, med_buf_str(&text), &j, NULL, &err));
    for (int quiet = 0; quiet < 2; quiet++) {
        med_structure_options options = {
            .base = MED_STR_EMPTY, .rules = rules, .quiet = quiet == 1};
        med_problems list = {0};
        assert_true(
            med_structure_check_with(a, med_pack_core(), &j, 0, &options, &type, &list, &err));
        assert_int_equal(list.n_warnings, quiet == 1 ? 0 : MED_STRUCTURE_WARNINGS);
        assert_int_equal(list.n - list.n_warnings, 1);
        assert_false(list.more);
    }
    med_buf_free(&text);
    med_rules_free(rules);
    med_arena_free(a);
}

/* What presence.h decides is what the engine decides. */
static void test_presence(void **state)
{
    (void)state;
    static const struct {
        const char *expression;
        enum med_presence none, all; /* no element there, every element there */
    } rows[] = {
        {"name.exists()", MED_PRESENCE_FALSE, MED_PRESENCE_TRUE},
        {"name.empty()", MED_PRESENCE_TRUE, MED_PRESENCE_FALSE},
        {"name.exists().not()", MED_PRESENCE_TRUE, MED_PRESENCE_FALSE},
        {"name.family.exists()", MED_PRESENCE_FALSE, MED_PRESENCE_OPEN},
        {"name.exists(family = 'x')", MED_PRESENCE_FALSE, MED_PRESENCE_OPEN},
        {"name.where(use = 'a or b').empty()", MED_PRESENCE_TRUE, MED_PRESENCE_OPEN},
        {"name.exists() or telecom.exists()", MED_PRESENCE_FALSE, MED_PRESENCE_TRUE},
        {"name.exists() and telecom.exists()", MED_PRESENCE_FALSE, MED_PRESENCE_TRUE},
        {"name.exists() xor telecom.exists()", MED_PRESENCE_FALSE, MED_PRESENCE_FALSE},
        {"name.exists() implies telecom.empty()", MED_PRESENCE_TRUE, MED_PRESENCE_FALSE},
        {"name.empty() or telecom.exists() and gender.exists()", MED_PRESENCE_TRUE,
         MED_PRESENCE_TRUE},
        {"(name.empty() or telecom.exists()) and gender.exists()", MED_PRESENCE_FALSE,
         MED_PRESENCE_TRUE},
        {"(name | telecom).exists()", MED_PRESENCE_OPEN, MED_PRESENCE_OPEN},
        {"name.exists() = telecom.exists()", MED_PRESENCE_OPEN, MED_PRESENCE_OPEN},
        {"name.empty() or (gender = 'x')", MED_PRESENCE_TRUE, MED_PRESENCE_OPEN},
        {"active.hasValue().not()", MED_PRESENCE_TRUE, MED_PRESENCE_OPEN},
        {"xyzzy.exists()", MED_PRESENCE_OPEN, MED_PRESENCE_OPEN},
        {"name.count() > 0", MED_PRESENCE_OPEN, MED_PRESENCE_OPEN},
        {"((name.exists()))", MED_PRESENCE_FALSE, MED_PRESENCE_TRUE},
        {"name.exists())", MED_PRESENCE_OPEN, MED_PRESENCE_OPEN},
        {"", MED_PRESENCE_OPEN, MED_PRESENCE_OPEN},
    };
    const uint64_t none[2] = {0, 0};
    const uint64_t all[2] = {~(uint64_t)0, ~(uint64_t)0};
    const med_pack *p = med_pack_core();
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_presence_program program;
        assert_true(med_presence_compile(a, p, med_pack_type(p, MED_STR("Patient")),
                                         med_str_from(rows[i].expression), &program));
        if (med_presence_run(&program, none) != rows[i].none
            || med_presence_run(&program, all) != rows[i].all)
            fail_msg("%s", rows[i].expression);
    }
    med_arena_free(a);
}

/* Every ceiling of the arena ends in an error, never in a crash or in "legal". */
static void test_memory(void **state)
{
    (void)state;
    static const char resource[] =
        "{\"resourceType\":\"Patient\",\"contact\":[{\"gender\":\"male\"}],\"contained\":"
        "[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"x\"}]}";
    med_err err = {0};
    med_rules *rules;
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    med_structure_options options = {.base = MED_STR_EMPTY, .rules = rules};
    bool done = false;
    for (size_t limit = 64; !done && limit < 1 << 16; limit += 16) {
        med_arena *outer = med_arena_new(1 << 20);
        med_arena *a = med_arena_new(limit);
        med_json j;
        med_type type;
        med_problems list = {0};
        assert_true(med_json_parse(outer, med_str_from(resource), &j, NULL, &err));
        done = a != NULL
               && med_structure_check_with(a, med_pack_core(), &j, 0, &options, &type, &list, &err);
        if (done)
            assert_int_equal(list.n, 3);
        med_arena_free(a);
        med_arena_free(outer);
    }
    assert_true(done);
    med_rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants), cmocka_unit_test(test_bindings),
        cmocka_unit_test(test_extensions), cmocka_unit_test(test_narratives),
        cmocka_unit_test(test_bundles),    cmocka_unit_test(test_answers),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_strictly),   cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_presence),   cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
