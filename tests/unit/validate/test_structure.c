/* Tests of validate/structure.h: each fault with the place and the code it is reported with. */
#include "validate/structure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"

struct row {
    const char *resource; /* ' for " */
    const char *problems; /* "code expression; code expression"; "" = none */
    const char *says;     /* what the first problem's text contains; NULL = not looked at */
};

/* `{...}` stands in for an otherwise legal resource of the type. */
#define PATIENT(rest) "{'resourceType':'Patient'" rest "}"
#define OBSERVATION(rest)                                                                          \
    "{'resourceType':'Observation','status':'final','code':{'text':'x'}" rest "}"
#define P(rest) PATIENT("," rest)
#define O(rest) OBSERVATION("," rest)
#define EXT(rest) P("'extension':[{'url':'http://x'," rest "}]")
#define DIV(rest) P("'text':{'status':'generated','div':" rest "}")

static const struct row legal[] = {
    {PATIENT(), "", NULL},
    {P("'id':'a-b.C9'"), "", NULL},
    {P("'name':[{'given':['a','b'],'family':'c'}]"), "", NULL},
    {P("'_birthDate':{'extension':[{'url':'http://x','valueString':'s'}]}"), "", NULL},
    {P("'birthDate':'2000-02-29','_birthDate':{'id':'x'}"), "", NULL},
    {P("'name':[{'given':['a',null],'_given':[null,{'id':'x'}]}]"), "", NULL},
    {P("'name':[{'_given':[{'id':'x'}]}]"), "", NULL},
    {P("'deceasedBoolean':true,'_deceasedBoolean':{'id':'x'}"), "", NULL},
    {P("'g\\u0065nder':'male'"), "", NULL},
    {O("'valueQuantity':{'value':1.50,'unit':'mg'}"), "", NULL},
    {O("'valueInteger':-2147483648"), "", NULL},
    {O("'effectiveDateTime':'2020-01-01T10:00:00.123+02:00'"), "", NULL},
    {O("'subject':{'reference':'Patient/1'}"), "", NULL},
    {O("'subject':{'reference':'Patient\\/1','type':'Patient'}"), "", NULL},
    {O("'subject':{'reference':'urn:uuid:6b8a3f3e-0b0b-4f0e-9d1f-3a7e3b0f0a11'}"), "", NULL},
    {O("'subject':{'reference':'#p'},'contained':[{'resourceType':'Patient','id':'p'}]"), "", NULL},
    {O("'subject':{'display':'somebody'}"), "", NULL},
    {EXT("'valueReference':{'reference':'Medication/1'}"), "", NULL},
    {EXT("'extension':[{'url':'y','valueCode':'c'}]"), "", NULL},
    {DIV("'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>'"), "", NULL},
    {"{'resourceType':'Bundle','type':'transaction','entry':[{'resource':" O(
         "'subject':{'reference':'Patient?identifier=x|1'}") "}]}",
     "", NULL},
    {"{'resourceType':'Parameters','parameter':[{'name':'x','resource':" PATIENT() "}]}", "", NULL},
    {"{'resourceType':'Binary','contentType':'text/plain','data':'QUJD RA=='}", "", NULL},
    {"{'resourceType':'Questionnaire','status':'draft','item':[{'linkId':'1','type':'group',"
     "'item':[{'linkId':'2','type':'string'}]}]}",
     "", NULL},
};

static const struct row documents[] = {
    {"[]", "structure Resource", "a JSON object, found an array"},
    {"'Patient'", "structure Resource", "found a string"},
    {"null", "structure Resource", "found null"},
    {"{}", "structure Resource", "may not be empty"},
    {"{'id':'1'}", "required Resource.resourceType", "resourceType is missing"},
    {"{'resourceType':7}", "structure Resource.resourceType", "is a string"},
    {"{'resourceType':null}", "structure Resource.resourceType", NULL},
    {"{'resourceType':''}", "value Resource.resourceType", "no R4 resource type"},
    {"{'resourceType':'Pateint'}", "value Resource.resourceType", "nearest: Patient"},
    {"{'resourceType':'patient'}", "value Resource.resourceType", "nearest: Patient"},
    {"{'resourceType':'Resource'}", "value Resource.resourceType", NULL},
    {"{'resourceType':'DomainResource'}", "value DomainResource.resourceType", NULL},
    {"{'resourceType':'HumanName','family':'x'}", "value HumanName.resourceType", NULL},
    {"{'resourceType':'Xyzzy <script>'}", "value Resource.resourceType", "(not a name) is no R4"},
};

static const struct row members[] = {
    {P("'nmae':[]"), "structure Patient.nmae", "Patient has no element 'nmae'; nearest: name"},
    {P("'Name':[]"), "structure Patient.Name", "nearest: name"},
    {P("'xyzzyplugh':1"), "structure Patient.xyzzyplugh", "has no element 'xyzzyplugh'"},
    {P("'a b':1"), "structure Patient.a b", "'(not a name)'"},
    {P("'':1"), "structure Patient.", NULL},
    {P("'_':{}"), "structure Patient._", NULL},
    {P("'fhir_comments':['x']"), "structure Patient.fhir_comments", "was taken out of FHIR JSON"},
    {P("'value':1"), "structure Patient.value", NULL},
    {P("'deceased':true"), "structure Patient.deceased",
     "needs its type in its name, like 'deceasedBoolean'"},
    {O("'value':{}"), "structure Observation.value", "like 'valueQuantity' (11 types"},
    {O("'valueMoney':{'value':1}"), "structure Observation.valueMoney", NULL},
    {P("'name':[{'familly':'x'}]"), "structure Patient.name[0].familly", "nearest: family"},
    {P("'name':[{'family':'x','resourceType':'HumanName'}]"),
     "structure Patient.name[0].resourceType", "HumanName has no element"},
    {P("'contact':[{'nam':{}}]"), "structure Patient.contact[0].nam", "Patient.contact has no"},
    {P("'_nmae':{'id':'x'}"), "structure Patient._nmae", NULL},
    {P("'_name':[{'id':'x'}]"), "structure Patient.name", "can not have extensions"},
    {P("'_id':{'id':'x'}"), "structure Patient.id", "'id' can not have extensions"},
    {EXT("'valueString':'s','_url':{'id':'x'}"), "structure Patient.extension[0].url",
     "'url' can not have extensions"},
    {P("'_resourceType':{'id':'x'}"), "structure Patient._resourceType", NULL},
    {P("'_birthDate':{'value':'2000'}"), "structure Patient.birthDate.value",
     "date has no element 'value'"},
    {"{'resourceType':'Observation','statsu':'final'}",
     "structure Observation.statsu; required Observation; required Observation", "nearest: status"},
};

static const struct row shapes[] = {
    {P("'name':{'family':'x'}"), "structure Patient.name", "is an array: write [ ]"},
    {P("'name':'x'"), "structure Patient.name", "is an array"},
    {P("'name':null"), "structure Patient.name", "is an array"},
    {P("'name':[]"), "structure Patient.name", "an array may not be empty"},
    {P("'name':[{}]"), "structure Patient.name[0]", "an object may not be empty"},
    {P("'name':[null]"), "structure Patient.name[0]", "expected an object (HumanName), found null"},
    {P("'name':['x']"), "structure Patient.name[0]", "found a string"},
    {P("'name':[[{'family':'x'}]]"), "structure Patient.name[0]", "found an array"},
    {P("'birthDate':['2000']"), "structure Patient.birthDate", "has one value: no array"},
    {P("'gender':['male']"), "structure Patient.gender", NULL},
    {P("'birthDate':null"), "structure Patient.birthDate", "found null"},
    {P("'birthDate':''"), "structure Patient.birthDate", "a string may not be empty"},
    {P("'birthDate':{}"), "structure Patient.birthDate", "found an object"},
    {P("'active':'true'"), "structure Patient.active", "without quotes"},
    {P("'active':1"), "structure Patient.active", "found a number"},
    {P("'multipleBirthInteger':'2'"), "structure Patient.multipleBirth", "found a string"},
    {P("'birthDate':20000101"), "structure Patient.birthDate", "expected a date"},
    {P("'maritalStatus':'M'"), "structure Patient.maritalStatus",
     "expected an object (CodeableConcept), found a string"},
    {P("'maritalStatus':[{'text':'x'}]"), "structure Patient.maritalStatus", "no array here"},
    {P("'meta':null"), "structure Patient.meta", "found null"},
    {P("'name':[{'given':'x'}]"), "structure Patient.name[0].given", "is an array"},
    {P("'name':[{'given':[1]}]"), "structure Patient.name[0].given[0]", "found a number"},
    {P("'name':[{'given':['a','']}]"), "structure Patient.name[0].given[1]", "may not be empty"},
    {P("'name':[{'given':[['a']]}]"), "structure Patient.name[0].given[0]", "found an array"},
    {P("'name':[{'given':['a',null]}]"), "structure Patient.name[0].given[1]",
     "null stands only where '_given'"},
    {P("'contained':{'resourceType':'Patient','id':'x'}"), "structure Patient.contained",
     "is an array"},
    {P("'contained':['x']"), "structure Patient.contained[0]", NULL},
    {O("'valueQuantity':5"), "structure Observation.value", "an object (Quantity)"},
};

static const struct row pairs[] = {
    {P("'_birthDate':{}"), "structure Patient.birthDate", "nothing is in it"},
    {P("'_birthDate':null"), "structure Patient.birthDate", "found null"},
    {P("'_birthDate':'x'"), "structure Patient.birthDate", "expected an object with id"},
    {P("'_birthDate':[{'id':'x'}]"), "structure Patient.birthDate", "found an array"},
    {P("'name':[{'_given':{'id':'x'}}]"), "structure Patient.name[0].given",
     "expected an array with id"},
    {P("'name':[{'_given':[]}]"), "structure Patient.name[0].given", "nothing is in it"},
    {P("'name':[{'_given':[null]}]"), "structure Patient.name[0].given[0]", "found null"},
    {P("'name':[{'given':['a'],'_given':[null,{'id':'x'}]}]"), "structure Patient.name[0].given",
     "2 elements beside 1 values"},
    {P("'name':[{'given':['a',null],'_given':[{'id':'x'},null]}]"),
     "structure Patient.name[0].given[1]", "neither a value nor extensions"},
    {P("'name':[{'given':['a','b'],'_given':[{'id':'x'},'y']}]"),
     "structure Patient.name[0].given[1]", "found a string"},
    {P("'_birthDate':{'extension':[]}"), "structure Patient.birthDate.extension", "not be empty"},
    {P("'_birthDate':{'extension':[{'url':'http://x'}]}"),
     "invariant Patient.birthDate.extension[0]", "ext-1"},
};

static const struct row choices[] = {
    {P("'deceasedBoolean':true,'deceasedDateTime':'2020'"), "structure Patient.deceased",
     "only one of 'deceasedBoolean' and 'deceasedDateTime'"},
    {O("'valueString':'a','valueInteger':1"), "structure Observation.value",
     "only one of 'valueString' and 'valueInteger'"},
    {O("'valueString':'a','_valueInteger':{'id':'x'}"), "structure Observation.value",
     "only one of"},
    {O("'valueString':'a','valueInteger':1,'valueBoolean':true"),
     "structure Observation.value; structure Observation.value", "only one of"},
    {EXT("'valueString':'a','valueCode':'b'"), "structure Patient.extension[0].value",
     "only one of"},
};

static const struct row required[] = {
    {"{'resourceType':'Observation','status':'final'}", "required Observation",
     "Observation.code is required"},
    {"{'resourceType':'Observation'}", "required Observation; required Observation", NULL},
    {"{'resourceType':'Observation','id':'x'}", "required Observation; required Observation", NULL},
    {O("'component':[{'valueString':'x'}]"), "required Observation.component[0]", NULL},
    {P("'communication':[{'preferred':true}]"), "required Patient.communication[0]", NULL},
    {P("'text':{'status':'generated'}"), "required Patient.text", "Narrative.div"},
    {P("'text':{'div':'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>'}"),
     "required Patient.text", NULL},
    {"{'resourceType':'MedicationRequest','status':'active','intent':'order','subject':"
     "{'reference':'Patient/1'}}",
     "required MedicationRequest", "medication[x] is required"},
    {"{'resourceType':'Bundle','entry':[{'fullUrl':'x'}]}", "required Bundle", NULL},
    {"{'resourceType':'Bundle','type':'batch','entry':[{'request':{'method':'GET'}}]}",
     "required Bundle.entry[0].request", NULL},
    {P("'contained':[{'resourceType':'Observation','id':'o','status':'final'}]"),
     "required Patient.contained[0]", NULL},
    {P("'extension':[{'valueString':'x'}]"), "required Patient.extension[0]", NULL},
    {"{'resourceType':'Questionnaire','status':'draft','item':[{'linkId':'1','type':'group',"
     "'item':[{'type':'string'}]}]}",
     "required Questionnaire.item[0].item[0]", NULL},
};

static const struct row formats[] = {
    {P("'id':'a b'"), "value Patient.id", "1 to 64 of"},
    {P("'id':'a_b'"), "value Patient.id", NULL},
    {P("'id':'12345678901234567890123456789012345678901234567890123456789012345'"),
     "value Patient.id", NULL},
    {P("'birthDate':'2000-13'"), "value Patient.birthDate", "a date: YYYY"},
    {P("'birthDate':'2001-02-29'"), "value Patient.birthDate", "that the calendar has"},
    {P("'birthDate':'2000-1-1'"), "value Patient.birthDate", NULL},
    {P("'birthDate':'2000-01-01T00:00:00Z'"), "value Patient.birthDate", NULL},
    {P("'birthDate':' 2000'"), "value Patient.birthDate", NULL},
    {P("'birthDate':'0000'"), "value Patient.birthDate", NULL},
    {P("'deceasedDateTime':'2020-01-01T10:00:00'"), "value Patient.deceased", "a zone"},
    {P("'deceasedDateTime':'2020-01-01T10:00Z'"), "value Patient.deceased", NULL},
    {P("'deceasedDateTime':'2020-01-01T24:00:00Z'"), "value Patient.deceased", NULL},
    {P("'deceasedDateTime':'2020-01-01T10:00:00+14:30'"), "value Patient.deceased", NULL},
    {P("'meta':{'lastUpdated':'2020-01-01'}"), "value Patient.meta.lastUpdated", "an instant"},
    {O("'valueTime':'10:00'"), "value Observation.value", "a time"},
    {O("'valueTime':'25:00:00'"), "value Observation.value", NULL},
    {O("'valueInteger':1.0"), "value Observation.value", "32 bits"},
    {O("'valueInteger':1e3"), "value Observation.value", NULL},
    {O("'valueInteger':2147483648"), "value Observation.value", NULL},
    {O("'valueInteger':-2147483649"), "value Observation.value", NULL},
    {EXT("'valuePositiveInt':0"), "value Patient.extension[0].value", "from 1"},
    {EXT("'valueUnsignedInt':-1"), "value Patient.extension[0].value", "from 0"},
    {EXT("'valueCode':' a'"), "value Patient.extension[0].value", "a code"},
    {EXT("'valueCode':'a  b'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueCode':'a '"), "value Patient.extension[0].value", NULL},
    {EXT("'valueCode':'a\\n\\nb'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueUri':'a b'"), "value Patient.extension[0].value", "a uri"},
    {EXT("'valueUrl':'a\\tb'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueCanonical':'http://x |1'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueOid':'1.2.3'"), "value Patient.extension[0].value", "urn:oid:"},
    {EXT("'valueOid':'urn:oid:3.1'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueOid':'urn:oid:1.02'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueOid':'urn:oid:1'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueOid':'urn:oid:1.2.'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueUuid':'urn:uuid:C757873D-EC9A-4326-A141-556F43239520'"),
     "value Patient.extension[0].value", "lower case"},
    {EXT("'valueUuid':'c757873d-ec9a-4326-a141-556f43239520'"), "value Patient.extension[0].value",
     NULL},
    {EXT("'valueBase64Binary':'abc'"), "value Patient.extension[0].value", "groups of four"},
    {EXT("'valueBase64Binary':'ab=c'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueBase64Binary':'a==='"), "value Patient.extension[0].value", NULL},
    {EXT("'valueBase64Binary':'ab-_'"), "value Patient.extension[0].value", NULL},
    {EXT("'valueString':'a\\u0007b'"), "value Patient.extension[0].value", "control characters"},
    {EXT("'valueMarkdown':'a\\u0001'"), "value Patient.extension[0].value", "markdown"},
    {P("'extension':[{'url':'a b','valueString':'x'}]"), "value Patient.extension[0].url",
     "without white space"},
    {P("'name':[{'id':'a b','family':'x'}]"), "value Patient.name[0].id", "without white space"},
};

static const struct row codes[] = {
    {P("'gender':'Male'"), "code-invalid Patient.gender", "nearest: male"},
    {P("'gender':'m'"), "code-invalid Patient.gender",
     "not a code of http://hl7.org/fhir/ValueSet/administrative-gender"},
    {P("'name':[{'use':'offical'}]"), "code-invalid Patient.name[0].use", "nearest: official"},
    {"{'resourceType':'Observation','status':'done','code':{'text':'x'}}",
     "code-invalid Observation.status", NULL},
    {"{'resourceType':'Bundle','type':'Batch'}", "code-invalid Bundle.type", "nearest: batch"},
    {P("'gender':'male '"), "value Patient.gender", "a code"},
};

static const struct row extensions[] = {
    {P("'extension':[{'url':'http://x'}]"), "invariant Patient.extension[0]", "either a value[x]"},
    {EXT("'valueString':'s','extension':[{'url':'y','valueCode':'c'}]"),
     "invariant Patient.extension[0]", "ext-1"},
    {EXT("'extension':[{'url':'y'}]"), "invariant Patient.extension[0].extension[0]", NULL},
    {EXT("'valueFoo':'s'"),
     "structure Patient.extension[0].valueFoo; invariant Patient.extension[0]", NULL},
    {P("'modifierExtension':[{'url':'http://x'}]"), "invariant Patient.modifierExtension[0]", NULL},
};

static const struct row references[] = {
    {O("'subject':{'reference':'Patinet/1'}"), "value Observation.subject",
     "nearest to this one: Patient"},
    {O("'subject':{'reference':'Patient'}"), "value Observation.subject", "Type/id"},
    {O("'subject':{'reference':'Patient/a_b'}"), "value Observation.subject", "the id"},
    {O("'subject':{'reference':'Patient/1 '}"), "value Observation.subject", "white space"},
    {O("'subject':{'reference':'Patient?identifier=1'}"), "value Observation.subject",
     "only inside a transaction"},
    {O("'subject':{'reference':'Medication/1'}"), "value Observation.subject",
     "a reference to Medication can not stand here; expected Patient, Group, Device, Location"},
    {O("'subject':{'reference':'http://x/fhir/Medication/1'}"), "value Observation.subject",
     "can not stand here"},
    {O("'performer':[{'reference':'Patient/1'},{'reference':'Encounter/1'}]"),
     "value Observation.performer[1]", "Encounter"},
    {O("'subject':{'reference':'Patient/1','type':'Group'}"), "value Observation.subject.type",
     "itself names Patient"},
    {O("'subject':{'reference':''}"), "structure Observation.subject.reference", "not be empty"},
    {O("'subject':{'reference':1}"), "structure Observation.subject.reference", "found a number"},
    {O("'subject':{'refrence':'Patient/1'}"), "structure Observation.subject.refrence",
     "nearest: reference"},
    {O("'subject':'Patient/1'"), "structure Observation.subject", "an object (Reference)"},
};

static const struct row contained[] = {
    {P("'contained':[{'id':'x'}]"), "required Patient.contained[0].resourceType", NULL},
    {P("'contained':[{'resourceType':'Foo'}]"), "value Patient.contained[0].resourceType", NULL},
    {P("'contained':[{'resourceType':'Patient','id':'x','contained':"
       "[{'resourceType':'Patient','id':'y'}]}]"),
     "structure Patient.contained[0].contained", "may not contain resources itself"},
    {P("'contained':[{'resourceType':'Patient','nmae':1}]"), "structure Patient.contained[0].nmae",
     NULL},
    {"{'resourceType':'Bundle','type':'collection','entry':[{'resource':{'id':'x'}}]}",
     "required Bundle.entry[0].resource.resourceType", NULL},
    {"{'resourceType':'Bundle','type':'collection','entry':[{'resource':" P("'active':1") "}]}",
     "structure Bundle.entry[0].resource.active", NULL},
    {"{'resourceType':'Bundle','type':'collection','entry':[{'resource':[]}]}",
     "structure Bundle.entry[0].resource", "no array here"},
    {"{'resourceType':'Parameters','parameter':[{'name':'x','part':[{'valueString':'y'}]}]}",
     "required Parameters.parameter[0].part[0]", NULL},
};

static const struct row narratives[] = {
    {DIV("'x'"), "value Patient.text.div", "does not begin with <div>"},
    {DIV("'<p>x</p>'"), "value Patient.text.div", "the outermost element is <p>"},
    {DIV("'<div>x</div>'"), "value Patient.text.div", "lacks xmlns"},
    {DIV("'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><script>x</script></div>'"),
     "value Patient.text.div", "<script> is not allowed"},
    {DIV("7"), "structure Patient.text.div", "expected xhtml"},
    {P("'text':{'status':'generated','div':"
       "'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>','_div':{'id':'x'}}"),
     "structure Patient.text.div", "can not have extensions"},
};

/* ---- the run over the tables ---- */

static med_str with_quotes(med_arena *a, const char *text)
{
    med_str s = med_str_from(text);
    char *to = MED_TAKE(a, s.len + 1, char);
    assert_non_null(to);
    for (size_t i = 0; i < s.len; i++)
        to[i] = s.ptr[i] == '\'' ? '"' : s.ptr[i];
    return (med_str){to, s.len};
}

static void list_problems(const med_problems *list, med_buf *out)
{
    for (size_t i = 0; i < list->n; i++)
        med_buf_printf(out, "%s%s %.*s", i == 0 ? "" : "; ", med_issue_code(list->at[i].issue),
                       MED_STR_ARG(list->at[i].expression));
}

static void check_row(const struct row *row)
{
    med_arena *a = med_arena_new((size_t)1 << 22);
    med_json j;
    med_err err = {0};
    med_type type = MED_TYPE_NONE;
    med_problems list = {0};
    if (!med_json_parse(a, with_quotes(a, row->resource), &j, NULL, &err))
        fail_msg("%s: %s", row->resource, err.text);
    assert_true(med_structure_check(a, med_pack_core(), &j, 0, &type, &list, &err));
    med_buf got;
    med_buf_init(&got, 1 << 16);
    list_problems(&list, &got);
    if (!med_str_eqz(med_buf_str(&got), row->problems))
        fail_msg("%s\n  gives    '%.*s'\n  expected '%s'", row->resource,
                 MED_STR_ARG(med_buf_str(&got)), row->problems);
    if (row->says != NULL
        && med_str_search(list.at[0].text, med_str_from(row->says), 0) == list.at[0].text.len)
        fail_msg("%s\n  says '%.*s'", row->resource, MED_STR_ARG(list.at[0].text));
    med_buf_free(&got);
    med_arena_free(a);
}

#define TABLE_TEST(table)                                                                          \
    static void test_##table(void **state)                                                         \
    {                                                                                              \
        (void)state;                                                                               \
        for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++)                            \
            check_row(&(table)[i]);                                                                \
    }
TABLE_TEST(legal)
TABLE_TEST(documents)
TABLE_TEST(members)
TABLE_TEST(shapes)
TABLE_TEST(pairs)
TABLE_TEST(choices)
TABLE_TEST(required)
TABLE_TEST(formats)
TABLE_TEST(codes)
TABLE_TEST(extensions)
TABLE_TEST(references)
TABLE_TEST(contained)
TABLE_TEST(narratives)

/* ---- limits and options ---- */

static med_problems check_text(med_arena *a, med_str text, const med_structure_options *options)
{
    med_json j;
    med_err err = {0};
    med_type type = MED_TYPE_NONE;
    med_problems list = {0};
    assert_true(med_json_parse(a, text, &j, NULL, &err));
    assert_true(med_structure_check_with(a, med_pack_core(), &j, 0, options, &type, &list, &err));
    return list;
}

static void test_options(void **state)
{
    (void)state;
    med_arena *a = med_arena_new((size_t)1 << 22);
    med_structure_options options = {.skip_codes = true, .base = MED_STR("")};
    assert_int_equal(check_text(a, with_quotes(a, P("'gender':'x'")), &options).n, 0);
    assert_int_equal(check_text(a, with_quotes(a, P("'gender':'x '")), &options).n, 1);
    med_str conditional = with_quotes(a, O("'subject':{'reference':'Patient?name=x'}"));
    assert_int_equal(check_text(a, conditional, &options).n, 1);
    options.allow_conditional = true;
    assert_int_equal(check_text(a, conditional, &options).n, 0);
    med_str wrong = with_quotes(a, O("'subject':{'reference':'Patient?'}"));
    assert_int_equal(check_text(a, wrong, &options).n, 1);
    med_arena_free(a);
}

/* All problems at once, but not more than can be read. */
static void test_many(void **state)
{
    (void)state;
    for (int n = MED_STRUCTURE_PROBLEMS - 1; n <= MED_STRUCTURE_PROBLEMS + 50; n += 17) {
        med_arena *a = med_arena_new((size_t)1 << 22);
        med_buf text;
        med_buf_init(&text, 1 << 20);
        med_buf_addz(&text, "{\"resourceType\":\"Patient\"");
        for (int i = 0; i < n; i++)
            med_buf_printf(&text, ",\"x%d\":1", i);
        med_buf_addz(&text, "}");
        med_problems list = check_text(a, med_buf_str(&text), NULL);
        bool more = n > MED_STRUCTURE_PROBLEMS;
        assert_int_equal(list.n, more ? MED_STRUCTURE_PROBLEMS + 1 : n);
        assert_int_equal(list.more, more);
        if (more)
            assert_int_equal(list.at[list.n - 1].issue, MED_ISSUE_INCOMPLETE);
        med_buf_free(&text);
        med_arena_free(a);
    }
}

/* The deepest JSON there may be goes through every kind of frame without recursion. */
static void test_deep(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close;
        int levels;
    } rows[] = {
        {",\"extension\":[{\"url\":\"x\"", "}]", 31},
        {",\"contained\":[{\"resourceType\":\"Patient\"", "}]", 31},
        {",\"link\":[{\"x\":[[[[[[[[", "]]]]]]]]}]", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_arena *a = med_arena_new((size_t)1 << 22);
        med_buf text;
        med_buf_init(&text, 1 << 20);
        med_buf_addz(&text, "{\"resourceType\":\"Patient\"");
        for (int k = 0; k < rows[i].levels; k++)
            med_buf_addz(&text, rows[i].open);
        for (int k = 0; k < rows[i].levels; k++)
            med_buf_addz(&text, rows[i].close);
        med_buf_addz(&text, "}");
        med_problems list = check_text(a, med_buf_str(&text), NULL);
        assert_true(list.n > 0);
        med_buf_free(&text);
        med_arena_free(a);
    }
}

/* A string of 1 MiB is legal, one byte more is not. */
static void test_long(void **state)
{
    (void)state;
    for (size_t n = (1 << 20) - 1; n <= (1 << 20) + 1; n++) {
        med_arena *a = med_arena_new((size_t)1 << 24);
        med_buf text;
        med_buf_init(&text, 1 << 22);
        med_buf_addz(&text, "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"");
        for (size_t i = 0; i < n; i++)
            med_buf_addc(&text, 'x');
        med_buf_addz(&text, "\"}]}");
        med_problems list = check_text(a, med_buf_str(&text), NULL);
        assert_int_equal(list.n, n > (1 << 20));
        if (list.n > 0)
            assert_int_equal(list.at[0].issue, MED_ISSUE_TOO_LONG);
        med_buf_free(&text);
        med_arena_free(a);
    }
}

/* Every allocation may be refused: an error each time, and never a half-told truth. */
static void test_memory(void **state)
{
    (void)state;
    med_arena *a = med_arena_new((size_t)1 << 22);
    med_str text = with_quotes(
        a, P("'nmae':1,'gender':'x','name':[{'given':['a\\n',null],'_given':[null,null]}],"
             "'managingOrganization':{'reference':'Patient\\/1'}"));
    med_json j;
    med_err err = {0};
    assert_true(med_json_parse(a, text, &j, NULL, &err));
    int refused = 0;
    for (size_t limit = 0; limit < 8192; limit += 7) {
        med_arena *small = med_arena_new(limit);
        med_type type = MED_TYPE_NONE;
        med_problems list = {0};
        med_err e = {0};
        if (med_structure_check(small, med_pack_core(), &j, 0, &type, &list, &e)) {
            assert_int_equal(list.n, 4);
        } else {
            assert_int_equal(e.issue, MED_ISSUE_TOO_COSTLY);
            refused++;
        }
        med_arena_free(small);
    }
    assert_in_range(refused, 10, 1000);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legal),      cmocka_unit_test(test_documents),
        cmocka_unit_test(test_members),    cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_pairs),      cmocka_unit_test(test_choices),
        cmocka_unit_test(test_required),   cmocka_unit_test(test_formats),
        cmocka_unit_test(test_codes),      cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_references), cmocka_unit_test(test_contained),
        cmocka_unit_test(test_narratives), cmocka_unit_test(test_options),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_deep),
        cmocka_unit_test(test_long),       cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
