/* Tests of model/walk.h: what each parameter takes out of small resources. */
#include "model/walk.h"

#include "base/buf.h"
#include "shared.h"

struct dump {
    const med_pack *p;
    const med_json *j;
    uint32_t param;
    med_buf text;
    int stop_after;
};

/* "Type:text" of each value, `+` when it has an extension sibling, separated by "; ". */
static bool add_value(void *arg, const med_walk_value *v, med_err *err)
{
    struct dump *d = arg;
    if (d->stop_after-- == 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "stopped");
    if (v->param != d->param)
        return true;
    if (d->text.len > 0)
        med_buf_addz(&d->text, "; ");
    med_buf_add(&d->text, med_type_name(d->p, v->type));
    med_buf_addc(&d->text, ':');
    med_str text = med_json_raw(d->j, v->node);
    if (med_json_kind_at(d->j, v->node) == MED_JSON_OBJECT) {
        uint32_t first = d->j->nodes[v->node].count > 0 ? v->node + 2 : 0;
        text = first == 0 ? MED_STR("{}") : med_json_raw(d->j, first); /* the first member */
    }
    med_buf_add(&d->text, text);
    if (v->extension != 0)
        med_buf_addc(&d->text, '+');
    return true;
}

static med_type parse(med_arena *a, const char *text, med_json *j)
{
    med_err err = {0};
    if (!med_json_parse(a, med_str_from(text), j, NULL, &err))
        fail_msg("%s: %s", text, err.text);
    med_type t = med_pack_type(med_pack_core(),
                               med_json_raw(j, med_json_member(j, 0, MED_STR("resourceType"))));
    assert_int_not_equal(t, MED_TYPE_NONE);
    return t;
}

static const struct {
    const char *resource, *code, *expected;
} values[] = {
    {"{'resourceType':'Patient','id':'p1'}", "_id", "id:p1"},
    {"{'resourceType':'Patient'}", "_id", ""},
    {"{'resourceType':'Patient','meta':{'lastUpdated':'2020-01-01T00:00:00Z'}}", "_lastUpdated",
     "instant:2020-01-01T00:00:00Z"},
    {"{'resourceType':'Patient','meta':{'profile':['a','b'],'tag':[{'code':'t'}],"
     "'security':[{'code':'R'},{'code':'V'}],'source':'urn:x'}}",
     "_profile", "canonical:a; canonical:b"},
    {"{'resourceType':'Patient','meta':{'tag':[{'code':'t'}],"
     "'security':[{'code':'R'},{'code':'V'}],'source':'urn:x'}}",
     "_security", "Coding:R; Coding:V"},
    {"{'resourceType':'Patient','meta':{'tag':[{'code':'t'}]}}", "_tag", "Coding:t"},
    {"{'resourceType':'Patient','meta':{'source':'urn:x'}}", "_source", "uri:urn:x"},
    {"{'resourceType':'Patient','name':[{'family':'A','given':['B','C']},{'family':'D'}]}",
     "family", "string:A; string:D"},
    {"{'resourceType':'Patient','name':[{'family':'A','given':['B','C']},{'family':'D'}]}", "given",
     "string:B; string:C"},
    {"{'resourceType':'Patient','name':[{'given':['B',null,'C'],"
     "'_given':[null,{'id':'x'},{'id':'y'}]}]}",
     "given", "string:B; string:C+"},
    {"{'resourceType':'Patient','_birthDate':{'id':'x'},'birthDate':'2000'}", "birthdate",
     "date:2000+"},
    {"{'resourceType':'Patient','_birthDate':{'id':'x'}}", "birthdate", ""},
    {"{'resourceType':'Patient','name':[{'family':'A'}]}", "name", "HumanName:A"},
    {"{'resourceType':'Patient','telecom':[{'system':'phone','value':'1'},"
     "{'system':'email','value':'2'},{'value':'3'},{'system':'phone','value':'4'}]}",
     "phone", "ContactPoint:phone; ContactPoint:phone"},
    {"{'resourceType':'Patient','telecom':[{'value':'2','system':'ema\\u0069l'}]}", "email",
     "ContactPoint:2"},
    {"{'resourceType':'Patient','telecom':[{'system':'phone'},{'system':'email'}]}", "telecom",
     "ContactPoint:phone; ContactPoint:email"},
    {"{'resourceType':'Patient','deceasedDateTime':'2001'}", "death-date", "dateTime:2001"},
    {"{'resourceType':'Patient','deceasedBoolean':true}", "death-date", ""},
    {"{'resourceType':'Patient','link':[{'other':{'reference':'Patient/2'}}]}", "link",
     "Reference:Patient/2"},
    {"{'resourceType':'Patient','na\\u006de':[{'fa\\u006dily':'A'}]}", "family", "string:A"},
    {"{'resourceType':'Patient','gender':7,'name':[[{'family':'A'}],'x',null]}", "family", ""},
    {"{'resourceType':'Patient','gender':{}}", "gender", ""},
    {"{'resourceType':'Observation','subject':{'reference':'Patient/1'}}", "patient",
     "Reference:Patient/1"},
    {"{'resourceType':'Observation','subject':{'reference':'Patient\\/1'}}", "patient",
     "Reference:Patient\\/1"},
    {"{'resourceType':'Observation','subject':{'reference':'Group/1'}}", "patient", ""},
    {"{'resourceType':'Observation','subject':{'reference':'Group/1'}}", "subject",
     "Reference:Group/1"},
    {"{'resourceType':'Observation','subject':{'reference':'http://x/fhir/Patient/1'}}", "patient",
     "Reference:http://x/fhir/Patient/1"},
    {"{'resourceType':'Observation','subject':{'reference':'Patient/1/_history/2'}}", "patient",
     "Reference:Patient/1/_history/2"},
    {"{'resourceType':'Observation','subject':{'display':'d','type':'Patient'}}", "patient",
     "Reference:d"},
    {"{'resourceType':'Observation','subject':{'display':'d'}}", "patient", ""},
    {"{'resourceType':'Observation','contained':[{'resourceType':'Group','id':'g'},"
     "{'id':'c','resourceType':'Patient'}],'subject':{'reference':'#c'}}",
     "patient", "Reference:#c"},
    {"{'resourceType':'Observation','contained':[{'resourceType':'Group','id':'c'}],"
     "'subject':{'reference':'#c'}}",
     "patient", ""},
    {"{'resourceType':'Observation','subject':{'reference':'urn:uuid:1','type':'Patient'}}",
     "patient", "Reference:urn:uuid:1"},
    {"{'resourceType':'Observation','valueQuantity':{'value':1.0}}", "value-quantity",
     "Quantity:1.0"},
    {"{'resourceType':'Observation','valueSampledData':{'period':2}}", "value-quantity",
     "SampledData:2"},
    {"{'resourceType':'Observation','valueString':'s'}", "value-quantity", ""},
    {"{'resourceType':'Observation','valueString':'s'}", "value-string", "string:s"},
    {"{'resourceType':'Observation','valueCodeableConcept':{'text':'t'}}", "value-string",
     "string:t"},
    {"{'resourceType':'Observation','effectivePeriod':{'start':'2020'}}", "date", "Period:2020"},
    {"{'resourceType':'Observation','effectiveInstant':'i'}", "date", "instant:i"},
    {"{'resourceType':'Observation','code':{'text':'a'},'component':[{'code':{'text':'b'}},"
     "{'code':{'text':'c'}}]}",
     "combo-code", "CodeableConcept:a; CodeableConcept:b; CodeableConcept:c"},
    {"{'resourceType':'Observation','id':'o'}", "code-value-quantity", "Observation:Observation"},
    {"{'resourceType':'Observation','component':[{'id':'x'}]}", "combo-code-value-quantity",
     "Observation:Observation; Observation.component:x"},
    {"{'resourceType':'Observation','component':[{'id':'x'}]}", "component-code-value-quantity",
     "Observation.component:x"},
    {"{'resourceType':'Condition','onsetAge':{'value':5}}", "onset-age", "Age:5"},
    {"{'resourceType':'Condition','onsetRange':{'id':'5'}}", "onset-age", "Range:5"},
    {"{'resourceType':'ConceptMap','sourceUri':'u'}", "source-uri", "uri:u"},
    {"{'resourceType':'ConceptMap','sourceCanonical':'u'}", "source-uri", ""},
    {"{'resourceType':'ConceptMap','sourceCanonical':'u'}", "source", "canonical:u"},
    {"{'resourceType':'ConceptMap','sourceUri':'u'}", "source", ""},
    {"{'resourceType':'Group','characteristic':[{'valueBoolean':false}]}", "value",
     "boolean:false"},
    {"{'resourceType':'Bundle','entry':[{'resource':{'resourceType':'Composition','id':'c'}},"
     "{'resource':{'resourceType':'Patient','id':'p'}}]}",
     "composition", "Composition:Composition"},
    {"{'resourceType':'Bundle','entry':[{'fullUrl':'x'},"
     "{'resource':{'resourceType':'MessageHeader'}}]}",
     "message", ""},
    {"{'resourceType':'Library','relatedArtifact':[{'type':'depends-on','resource':'a'},"
     "{'type':'citation','resource':'b'},{'resource':'c','type':'depends-on'}]}",
     "depends-on", "canonical:a; canonical:c"},
    {"{'resourceType':'Appointment','participant':[{'actor':{'reference':'Patient/1'}},"
     "{'actor':{'reference':'Location/2'}},{'actor':{'reference':'Practitioner/3'}}]}",
     "location", "Reference:Location/2"},
    {"{'resourceType':'MedicationRequest','medicationReference':{'reference':'Medication/1'}}",
     "medication", "Reference:Medication/1"},
    {"{'resourceType':'MedicationRequest','medicationReference':{'reference':'Medication/1'}}",
     "code", ""},
    {"{'resourceType':'Goal','target':[{'dueDate':'2020'},{'dueDuration':{'id':'x'}}]}",
     "target-date", "date:2020"},
    {"{'resourceType':'Consent','provision':{'data':[{'reference':{'reference':'A/1'}}]}}", "data",
     "Reference:A/1"},
    {"{'resourceType':'Questionnaire','item':[{'code':[{'code':'a'}],'item':[{'code':"
     "[{'code':'b'}]}]}]}",
     "code", "Coding:a"},
    {"{'resourceType':'StructureDefinition','snapshot':{'element':[{'path':'a'}]},"
     "'differential':{'element':[{'path':'b'}]}}",
     "path", "string:a; string:b"},
};

static void test_values(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        med_arena *a = med_arena_new(1 << 20);
        med_str copy;
        assert_true(med_arena_copy(a, med_str_from(values[i].resource), &copy));
        char *text = MED_TAKE(a, copy.len + 1, char);
        for (size_t k = 0; k < copy.len; k++)
            text[k] = copy.ptr[k] == '\'' ? '"' : copy.ptr[k];
        med_json j;
        med_type t = parse(a, text, &j);
        med_param param;
        if (!med_pack_find_param(p, t, med_str_from(values[i].code), &param))
            fail_msg("row %zu: no parameter %s", i, values[i].code);
        struct dump d = {.p = p, .j = &j, .param = param.index, .stop_after = -1};
        med_buf_init(&d.text, 4096);
        med_err err = {0};
        assert_true(med_walk(p, &j, 0, t, add_value, &d, &err));
        if (!med_str_eqz(med_buf_str(&d.text), values[i].expected))
            fail_msg("row %zu: %s of %s: '%.*s' instead of '%s'", i, values[i].code,
                     values[i].resource, MED_STR_ARG(med_buf_str(&d.text)), values[i].expected);
        med_buf_free(&d.text);
        med_arena_free(a);
    }
}

/* ---- components ---- */

struct parts {
    struct dump dump; /* what the components give */
    const char *code;
    med_param param;
    med_type type;
};

static bool add_parts(void *arg, const med_walk_value *v, med_err *err)
{
    struct parts *s = arg;
    if (v->param != s->param.index)
        return true;
    for (size_t i = 0; i < s->param.n_components; i++) {
        s->dump.param = s->param.components[i];
        if (!med_walk_component(s->dump.p, s->dump.j, 0, s->type, v, i, add_value, &s->dump, err))
            return false;
    }
    med_buf_addz(&s->dump.text, " |");
    return true;
}

static void test_components(void **state)
{
    (void)state;
    static const struct {
        const char *resource, *code, *expected;
    } rows[] = {
        {"{\"resourceType\":\"Observation\",\"code\":{\"text\":\"a\"},\"valueQuantity\":"
         "{\"value\":1},\"component\":[{\"code\":{\"text\":\"b\"},\"valueQuantity\":{\"value\":2}"
         "},{\"code\":{\"text\":\"c\"}}]}",
         "combo-code-value-quantity",
         "CodeableConcept:a; Quantity:1 |; CodeableConcept:b; Quantity:2 |; CodeableConcept:c |"},
        {"{\"resourceType\":\"Observation\",\"code\":{\"text\":\"a\"},\"valueDateTime\":\"2020\"}",
         "code-value-date", "CodeableConcept:a; dateTime:2020 |"},
        {"{\"resourceType\":\"MolecularSequence\",\"referenceSeq\":{\"chromosome\":"
         "{\"text\":\"9\"}},\"variant\":[{\"start\":3,\"end\":5}]}",
         "chromosome-variant-coordinate", "CodeableConcept:9; integer:3; integer:5 |"},
    };
    const med_pack *p = med_pack_core();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_arena *a = med_arena_new(1 << 20);
        med_json j;
        struct parts s = {.dump = {.p = p, .j = &j, .stop_after = -1}};
        s.type = parse(a, rows[i].resource, &j);
        assert_true(med_pack_find_param(p, s.type, med_str_from(rows[i].code), &s.param));
        med_buf_init(&s.dump.text, 4096);
        med_err err = {0};
        assert_true(med_walk(p, &j, 0, s.type, add_parts, &s, &err));
        if (!med_str_eqz(med_buf_str(&s.dump.text), rows[i].expected))
            fail_msg("row %zu: '%.*s'", i, MED_STR_ARG(med_buf_str(&s.dump.text)));
        med_buf_free(&s.dump.text);
        med_arena_free(a);
    }
}

/* `emit` that fails ends the walk at once, with its error. */
static void test_stop(void **state)
{
    (void)state;
    med_arena *a = med_arena_new(1 << 20);
    med_json j;
    med_type t = parse(a, "{\"resourceType\":\"Patient\",\"id\":\"a\",\"gender\":\"male\"}", &j);
    for (int n = 0; n < 2; n++) {
        struct dump d = {.p = med_pack_core(), .j = &j, .stop_after = n};
        med_buf_init(&d.text, 4096);
        med_err err = {0};
        assert_false(med_walk(d.p, &j, 0, t, add_value, &d, &err));
        assert_int_equal(err.issue, MED_ISSUE_EXCEPTION);
        assert_int_equal(d.stop_after, -1);
        med_buf_free(&d.text);
    }
    med_arena_free(a);
}

static void test_rest(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    size_t n = 0;
    const uint32_t *rest = med_walk_rest(p, med_pack_type(p, MED_STR("Patient")), &n);
    assert_int_equal(n, 1);
    med_param param;
    med_pack_param(p, rest[0], &param);
    assert_true(med_str_eqz(param.code, "deceased"));
    assert_true(
        med_str_eqz(param.expression, "Patient.deceased.exists() and Patient.deceased != false"));
    (void)med_walk_rest(p, med_pack_type(p, MED_STR("Observation")), &n);
    assert_int_equal(n, 0);
}

/* ---- references ---- */

struct references {
    const med_json *j;
    med_arena *a;
    med_buf text;
};

static bool add_reference(void *arg, const med_reference_walk *at, uint32_t reference,
                          uint32_t property, med_err *err)
{
    struct references *r = arg;
    (void)err;
    med_str where, whose;
    assert_int_equal(med_json_kind_at(r->j, reference), MED_JSON_OBJECT);
    assert_true(med_node_expression(r->a, med_pack_core(), r->j, 0, reference, &where));
    assert_true(med_reference_walk_expression(at, r->a, &whose));
    assert_true(med_str_eq(where, whose));
    assert_true(med_node_expression(r->a, med_pack_core(), r->j, 0, property, &where));
    med_buf_printf(&r->text, "%.*s=%.*s; ", MED_STR_ARG(where),
                   MED_STR_ARG(med_json_raw(r->j, property)));
    return true;
}

static void test_references(void **state)
{
    (void)state;
    static const struct {
        const char *resource, *expected;
    } rows[] = {
        {"{\"resourceType\":\"Patient\"}", ""},
        {"{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/1\"},"
         "\"performer\":[{\"reference\":\"Practitioner/2\"},{\"reference\":\"#x\"}]}",
         "Observation.subject.reference=Patient/1; "
         "Observation.performer[0].reference=Practitioner/2; "},
        {"{\"resourceType\":\"DetectedIssue\",\"reference\":\"http://x\"}", ""},
        {"{\"resourceType\":\"Immunization\",\"education\":[{\"reference\":\"http://x\"}]}", ""},
        {"{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"url\":\"u\","
         "\"valueReference\":{\"reference\":\"A/1\"}}]}}",
         "Patient.birthDate.extension[0].value.reference=A/1; "},
        {"{\"resourceType\":\"Patient\",\"name\":[{\"_given\":[null,{\"extension\":[{"
         "\"valueReference\":{\"reference\":\"A/1\"}}]}]}]}",
         "Patient.name[0].given[1].extension[0].value.reference=A/1; "},
        {"{\"resourceType\":\"Patient\",\"extension\":[{\"valueExpression\":"
         "{\"reference\":\"http://x\"}}]}",
         ""},
        {"{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Account\","
         "\"subject\":[{\"reference\":\"Patient/1\"}]}}]}",
         "Bundle.entry[0].resource.subject[0].reference=Patient/1; "},
        {"{\"resourceType\":\"List\",\"contained\":[{\"resourceType\":\"Account\","
         "\"subject\":[{\"reference\":\"Patient/1\"}]}]}",
         "List.contained[0].subject[0].reference=Patient/1; "},
        {"{\"resourceType\":\"Parameters\",\"parameter\":[{\"part\":[{\"valueReference\":"
         "{\"r\\u0065ference\":\"Patient/1\"}}]}]}",
         "Parameters.parameter[0].part[0].value.reference=Patient/1; "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_arena *a = med_arena_new(1 << 20);
        med_json j;
        med_type t = parse(a, rows[i].resource, &j);
        struct references r = {.j = &j, .a = a};
        med_buf_init(&r.text, 4096);
        med_err err = {0};
        assert_true(med_walk_references(med_pack_core(), &j, 0, t, add_reference, &r, &err));
        if (!med_str_eqz(med_buf_str(&r.text), rows[i].expected))
            fail_msg("row %zu: '%.*s'", i, MED_STR_ARG(med_buf_str(&r.text)));
        med_buf_free(&r.text);
        med_arena_free(a);
    }
}

/* ---- expressions ---- */

static void test_expressions(void **state)
{
    (void)state;
    static const char *const resource =
        "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"a\",\"b\"]}],\"deceasedBoolean\":"
        "true,\"contact\":[{\"name\":{\"family\":\"x\"}}],\"odd\":{\"deep\":[1]},"
        "\"contained\":[{\"resourceType\":\"Basic\",\"code\":{\"text\":\"t\"}}]}";
    static const struct {
        const char *node, *expected; /* the raw text of the node */
    } rows[] = {
        {"b", "Patient.name[0].given[1]"},
        {"given", "Patient.name[0].given"},
        {"true", "Patient.deceased"},
        {"x", "Patient.contact[0].name.family"},
        {"1", "Patient.odd.deep[0]"},
        {"t", "Patient.contained[0].code.text"},
        {"Basic", "Patient.contained[0].resourceType"},
    };
    med_arena *a = med_arena_new(1 << 20);
    med_json j;
    (void)parse(a, resource, &j);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t node = 0;
        while (node < j.n && !med_str_eqz(med_json_raw(&j, node), rows[i].node))
            node++;
        assert_true(node < j.n);
        med_str out;
        assert_true(med_node_expression(a, med_pack_core(), &j, 0, node, &out));
        if (!med_str_eqz(out, rows[i].expected))
            fail_msg("%s: '%.*s'", rows[i].node, MED_STR_ARG(out));
    }
    med_str out;
    assert_true(med_node_expression(a, med_pack_core(), &j, 0, 0, &out));
    assert_true(med_str_eqz(out, "Patient"));
    med_arena_set_limit(a, med_arena_used(a));
    assert_false(med_node_expression(a, med_pack_core(), &j, 0, 1, &out));
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_components),
        cmocka_unit_test(test_stop),       cmocka_unit_test(test_rest),
        cmocka_unit_test(test_references), cmocka_unit_test(test_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
