/* Tests of search/: several types, compartments, lists, modifiers that the other tables lack,
 * and includes that go on. https://hl7.org/fhir/R4/search.html */
#include "kit.h"

static const char *const resources[] = {
    "{'resourceType':'Location','id':'house','name':'House','status':'active'}",
    "{'resourceType':'Location','id':'floor','name':'Floor','partOf':{'reference':"
    "'Location/house'}}",
    "{'resourceType':'Location','id':'room','name':'Room','partOf':{'reference':"
    "'Location/floor'}}",
    "{'resourceType':'Patient','id':'p1','meta':{'tag':[{'system':'urn:tag','code':'x'}],"
    "'security':[{'code':'R'}],'source':'http://src/1','profile':['http://p|1.0']},'identifier':[{"
    "'type':{'coding':[{'system':'urn:it','code':'MR'}],'text':'Medical record'},'system':'urn:i',"
    "'value':'12'}],'link':[{'type':'seealso','other':{'reference':'Patient/p2'}}]}",
    "{'resourceType':'Patient','id':'p2','identifier':[{'type':{'coding':[{'system':'urn:it',"
    "'code':'SS'}]},'system':'urn:i','value':'12'}]}",
    "{'resourceType':'Practitioner','id':'d1','meta':{'tag':[{'code':'x'}]}}",
    "{'resourceType':'Encounter','id':'e1','status':'finished','class':{'code':'AMB'},'subject':{"
    "'reference':'Patient/p1'},'location':[{'location':{'reference':'Location/room'}}],"
    "'participant':[{'individual':{'reference':'Practitioner/d1'}}]}",
    "{'resourceType':'Observation','id':'a','status':'final','code':{'coding':[{'system':'urn:l',"
    "'code':'hb','display':'Haemoglobin mass'}]},'subject':{'reference':'Patient/p1'},'encounter':{"
    "'reference':'Encounter/e1'}}",
    "{'resourceType':'Observation','id':'b','status':'final','code':{'text':'Haematocrit'},"
    "'subject':{'reference':'Patient/p2'},'performer':[{'reference':'Patient/p1'}],'derivedFrom':[{"
    "'reference':'Observation/a'}]}",
    "{'resourceType':'Observation','id':'c','status':'final','code':{'coding':[{'code':'na'}]},"
    "'performer':[{'reference':'Practitioner/d1'}],'derivedFrom':[{'reference':'Observation/b'}]}",
    "{'resourceType':'List','id':'l1','status':'current','mode':'working','entry':[{'item':{"
    "'reference':'Patient/p2'}},{'item':{'reference':'Observation/a'}}]}",
    "{'resourceType':'ValueSet','id':'v1','status':'active','url':'http://a.org/fhir/ValueSet/1'}",
    "{'resourceType':'ValueSet','id':'v2','status':'active','url':'http://a.org/fhirs'}",
    "{'resourceType':'ValueSet','id':'v3','status':'active','url':'http://a.org/fhir'}",
    "{'resourceType':'Condition','id':'k1','subject':{'reference':'Patient/p2'},'text':{'status':"
    "'generated','div':'<div "
    "xmlns=\\u0022http://www.w3.org/1999/xhtml\\u0022><strong>Fracture</strong> of "
    "b\u00f6ne</div>'}}",
    "{'resourceType':'Condition','id':'k2','subject':{'reference':'Patient/p2'},'code':{'text':"
    "'Ankle'},'text':{'status':'generated','div':'<div "
    "xmlns=\\u0022http://www.w3.org/1999/xhtml\\u0022>"
    "Sprain</div>'}}",
    "{'resourceType':'Location','id':'tivoli','position':{'latitude':55.6737,'longitude':12.5681}}",
    "{'resourceType':'Location','id':'lund','position':{'longitude':13.191,'latitude':55.7047}}",
    "{'resourceType':'QuestionnaireResponse','id':'q1','status':'completed','questionnaire':"
    "'http://q.org/Q|2.0'}",
};

static void put_all(struct kit *k)
{
    for (size_t i = 0; i < COUNT(resources); i++)
        kit_put(k, resources[i]);
}

static const struct kit_case found[] = {
    /* several types */
    {"?_type=Patient", "p1,p2"},
    {"?_type=Patient,Observation", "a,b,c,p1,p2"},
    {"?_type=Patient,Observation&_id=a,p2", "a,p2"},
    {"?_id=a,p2,e1", "a,e1,p2"},
    {"?_tag=x", "d1,p1"},
    {"?_tag=urn:tag|x", "p1"},
    {"?_tag:not=x&_type=Patient,Practitioner", "p2"},
    {"?_security=R", "p1"},
    {"?_source=http://src/1", "p1"},
    {"?_profile=http://p", "p1"},
    {"?_lastUpdated=lt2000", ""},
    {"?_type=Patient,Encounter&_lastUpdated=gt2000", "e1,p1,p2"},
    {"?_type=Observation,Encounter&subject=Patient/p1", "a,e1"},
    {"?_list=l1", "a,p2"},
    {"?_type=Observation,Encounter&patient.identifier=12", "a,b,e1"},
    {"?_type=Patient,Observation&_sort=_id", "a,b,c,p1,p2"},
    /* compartments */
    {"Patient/p1/Observation?", "a,b"},
    {"Patient/p1/Observation?code=hb", "a"},
    {"Patient/p1/Observation?code:missing=true", ""},
    {"Patient/p1/*?", "a,b,e1,p1"},
    {"Patient/p1/*?_type=Observation", "a,b"},
    {"Patient/p1/*?_type=Observation,Encounter", "a,b,e1"},
    {"Patient/p1/*?_tag=x", "p1"},
    {"Patient/p1/Patient?", "p1"},
    {"Patient/p2/*?", "b,k1,k2,p1,p2"},
    {"Patient/nobody/*?", ""},
    {"Encounter/e1/Observation?", "a"},
    {"Encounter/e1/*?", "a,e1"},
    {"Practitioner/d1/Observation?", "c"},
    {"Practitioner/d1/*?", "c,d1,e1"},
    {"Practitioner/d1/*?_type=Encounter,Observation", "c,e1"},
    /* lists */
    {"Patient?_list=l1", "p2"},
    {"Observation?_list=l1", "a"},
    {"Observation?_list=l2", ""},
    /* modifiers */
    {"Patient?identifier:of-type=urn:it|MR|12", "p1"},
    {"Patient?identifier:of-type=urn:it|SS|12,urn:it|MR|12", "p1,p2"},
    {"Patient?identifier:of-type=urn:it|XX|12", ""},
    {"Patient?identifier:of-type=urn:it|MR|13", ""},
    {"Patient?identifier:text=medical", "p1"},
    {"Observation?code:text=haem", "a,b"},
    {"Observation?code:text=HAEMATOCRIT", "b"},
    {"Observation?code:text=mass", ""},
    {"Observation?code:missing=false", "a,b,c"},
    {"ValueSet?url:below=http://a.org/fhir", "v1,v3"},
    {"ValueSet?url:below=http://a.org/", "v1,v2,v3"},
    {"ValueSet?url:below=http://a.org/fhir/", "v1"},
    {"ValueSet?url:above=http://a.org/fhir/ValueSet/1/_history/5", "v1,v3"},
    {"ValueSet?url:above=http://a.org/fhir/ValueSet/1", "v1,v3"},
    {"ValueSet?url:above=http://a.org/fhirs/x,http://a.org/fhir", "v2,v3"},
    {"ValueSet?url=http://a.org/fhir", "v3"},
    {"Encounter?location:below=Location/house", "e1"},
    {"Encounter?location:below=room", "e1"},
    {"Encounter?location:above=Location/room", "e1"},
    {"Encounter?location:above=Location/floor", ""},
    {"Location?partof:below=house", "floor,room"},
    {"Location?partof:above=floor", "floor,room"},
    {"QuestionnaireResponse?questionnaire=http://q.org/Q", "q1"},
    {"QuestionnaireResponse?questionnaire=http://q.org/Q|2.0", "q1"},
    {"QuestionnaireResponse?questionnaire=http://q.org/Q|3.0", ""},
    {"Observation?_contained=false&code=hb", "a"},
    /* texts and distances */
    {"Condition?_text=fracture", "k1"},
    {"Condition?_text=BONE%20fract", "k1"},
    {"Condition?_text=racture", ""},
    {"Condition?_text=strong", ""},
    {"Condition?_text=fracture,sprain", "k1,k2"},
    {"Condition?_content=ankle", "k2"},
    {"Condition?_content=sprain%20ankle", "k2"},
    {"Condition?_content=fracture", "k1"},
    {"Condition?_content=xhtml", ""},
    {"?_content=ankle", "k2"},
    {"Location?near=55.68|12.57|1|km", "tivoli"},
    {"Location?near=55.68|12.57|500|m", ""},
    {"Location?near=55.68|12.57|700", "lund,tivoli"},
    {"Location?near=55.68|12.57", "lund,tivoli"},
    {"Location?near=55.68|12.57|20|[mi_i]", "tivoli"},
    {"Location?near=-33.8|151.2|10|km", ""},
};

static void finds_in_every_scope(void **state)
{
    struct kit *k = *state;
    put_all(k);
    kit_check_finds(k, found, COUNT(found));
}

/* ---- contained ---- */

static const char *const containers[] = {
    "{'resourceType':'Patient','id':'p9','name':[{'family':'Nine'}]}",
    "{'resourceType':'Medication','id':'own','code':{'coding':[{'system':'urn:m','code':'a'}]},"
    "'status':'active'}",
    "{'resourceType':'MedicationRequest','id':'r1','status':'active','intent':'order','subject':{"
    "'reference':'Patient/p9'},'medicationReference':{'reference':'#m'},'contained':[{"
    "'resourceType':'Medication','id':'m','code':{'coding':[{'system':'urn:m','code':'a'}]},"
    "'status':'active'},{'resourceType':'Medication','id':'n','code':{'coding':[{'system':'urn:m',"
    "'code':'b'}]},'status':'inactive'}]}",
    "{'resourceType':'MedicationRequest','id':'r2','status':'active','intent':'order','subject':{"
    "'reference':'Patient/p9'},'medicationReference':{'reference':'#m'},'contained':[{"
    "'resourceType':'Medication','id':'m','code':{'coding':[{'system':'urn:m','code':'b'}]}}]}",
    "{'resourceType':'Encounter','id':'e9','status':'finished','class':{'code':'AMB'},'contained':["
    "{'resourceType':'Condition','id':'k','subject':{'reference':'Patient/p9'},'code':{'text':"
    "'Cough'},'onsetDateTime':'2020-05-01'}]}",
    "{'resourceType':'Observation','id':'o9','status':'final','code':{'text':'x'},'contained':[{"
    "'resourceType':'Observation','id':'in','status':'final','code':{'coding':[{'code':'hb'}]},"
    "'valueQuantity':{'value':5}},{'resourceType':'Patient','id':'q','name':[{'family':'Novak'}]}]"
    "}",
};

static const struct kit_case in_containers[] = {
    {"Medication?code=a", "own"},
    {"Medication?_contained=false&code=a", "own"},
    {"Medication?_contained=true&code=a", "r1"},
    {"Medication?_contained=both&code=a", "own,r1"},
    {"Medication?_contained=true&code=urn:m|b", "r1,r2"},
    {"Medication?_contained=true&code=a&status=inactive", ""}, /* of one and the same */
    {"Medication?_contained=true&code=b&status=inactive", "r1"},
    {"Medication?_contained=true", "r1,r2"},
    {"Medication?_contained=both", "own,r1,r2"},
    {"Medication?_contained=true&_id=m", "r1,r2"},
    {"Medication?_contained=true&_id=own", ""},
    {"Medication?_contained=both&_id=own", "own"},
    {"Medication?_contained=true&status:missing=true", "r2"},
    {"Medication?_contained=true&code:not=b", "r1"},
    {"Condition?_contained=true&patient=p9", "e9"},
    {"Condition?_contained=true&subject:Patient.name=nine", "e9"},
    {"Condition?_contained=true&onset-date=2020-05&code:text=cough", "e9"},
    {"Condition?_contained=true&onset-date=gt2020-05", ""},
    {"Observation?_contained=true&code-value-quantity=hb$gt4", "o9"},
    {"Observation?_contained=true&code-value-quantity=hb$gt5", ""},
    {"Observation?_contained=both&status=final&_lastUpdated=gt2000", "o9"},
    {"Observation?_contained=true&_lastUpdated=gt2000", ""},
    {"Patient?_contained=true&name:exact=Novak", "o9"},
    {"Patient?_contained=true&name:exact=novak", ""},
    {"Patient?_contained=true&family:contains=OVA", "o9"},
    {"Patient?_contained=true&_filter=name eq novak", "o9"},
    {"Patient?_contained=both&name=n", "o9,p9"},
    {"Patient?_contained=true&name=n&_sort=-_lastUpdated", "o9"},
};

static const struct kit_case not_in_containers[] = {
    {"Medication?_contained=maybe", "false, true or both"},
    {"Medication?_containedType=box", "container or contained"},
    {"?_type=Medication,Patient&_contained=true", "only one type"},
    {"Patient/p9/Condition?_contained=true", "no compartment"},
    {"Patient?_contained=true&_has:Observation:patient:code=x", "can not be asked"},
    {"Patient?_contained=true&_filter=name eq x or name eq y", "can not be asked"},
    {"Condition?_contained=both&_text=x", "can not be asked"},
    {"Patient?_contained=true&_sort=name", "only _lastUpdated"},
    {"Patient?_contained=true&_include=Patient:organization", "nothing can be included"},
    {"Patient?_contained=true&_containedType=contained&_total=accurate", "leave out"},
    {"Patient?_contained=true&_containedType=contained&_elements=id", "leave out"},
    {"Patient?_contained=true&nmae=x", "nearest: name"},
};

/* Those inside of a resource, in its place. */
static void finds_what_is_contained(void **state)
{
    struct kit *k = *state;
    for (size_t i = 0; i < COUNT(containers); i++)
        kit_put(k, containers[i]);
    kit_check_finds(k, in_containers, COUNT(in_containers));
    kit_check_refuses(k, not_in_containers, COUNT(not_in_containers));
    static const struct {
        const char *url, *ids[4];
    } alone[] = {
        {"Medication?_contained=true&_containedType=contained&code=b", {"r2#m", "r1#n"}},
        {"Medication?_contained=both&_containedType=contained&code=a", {"r1#m", "own#"}},
        {"Medication?_contained=true&_containedType=contained&_count=1", {"r2#m"}},
        {"Medication?_contained=true&_containedType=container&code=b", {"r2#", "r1#"}},
        {"Patient?_contained=true&_containedType=contained&name=none", {NULL}},
    };
    for (size_t i = 0; i < COUNT(alone); i++) {
        med_search_result r;
        size_t n = 0;
        (void)kit_search(k, alone[i].url, &r);
        for (; n < r.n && n < COUNT(alone[i].ids) && alone[i].ids[n] != NULL; n++) {
            const med_search_entry *e = &r.entries[n];
            med_str id = e->contained != NULL ? e->contained->id : MED_STR_EMPTY;
            id = med_arena_printf(k->arena, "%.*s#%.*s", MED_STR_ARG(e->resource.id),
                                  MED_STR_ARG(id));
            assert_string_equal(id.ptr, alone[i].ids[n]);
            assert_true(e->contained == NULL
                        || (e->contained->text.ptr[0] == '{'
                            && med_str_ends(e->contained->text, MED_STR("}"))));
        }
        assert_int_equal(n, r.n);
        assert_true(n == COUNT(alone[i].ids) || alone[i].ids[n] == NULL);
    }
}

static const struct kit_case ordered[] = {
    {"Observation?_id=a&_include=*", "a,[p1],[e1]"},
    {"Observation?_id=c&_include=Observation:derived-from", "c,[b]"},
    {"Observation?_id=c&_include:iterate=Observation:derived-from", "c,[b],[a]"},
    {"Observation?_id=c&_include:recurse=Observation:derived-from", "c,[b],[a]"},
    {"Observation?_id=c&_include:iterate=Observation:derived-from&_include:iterate=Observation:"
     "encounter&_include:iterate=Encounter:location&_include:iterate=Location:partof",
     "c,[b],[a],[e1],[room],[floor],[house]"},
    {"Observation?_id=c&_include=Observation:derived-from&_include=Observation:subject", "c,[b]"},
    {"Location?_id=house&_revinclude=Location:partof", "house,[floor]"},
    {"Location?_id=house&_revinclude:iterate=Location:partof", "house,[floor],[room]"},
    {"Patient?_id=p2&_revinclude=Observation:*", "p2,[b]"},
    {"?_type=Location,List&_id=house,l1&_include=List:item", "l1,house,[p2],[a]"},
    {"Encounter?_id=e1&_revinclude=*", "e1,[a]"},
    {"Observation?_id=a,b&_include:iterate=*&_revinclude:iterate=Observation:derived-from",
     "b,a,[p2],[p1],[c],[e1],[d1],[room],[floor],[house]"},
};

static void includes_go_on(void **state)
{
    struct kit *k = *state;
    put_all(k);
    kit_check_orders(k, ordered, COUNT(ordered));
}

static const struct kit_case refused[] = {
    {"?_type=Patient,Observaton", "nearest: Observation"},
    {"?_type=", "no resource type"},
    {"?_type=Patient&_type=Observation", "once"},
    {"?name=x", "unknown search parameter 'name' of AdverseEvent"},
    {"?_type=Patient,Observation&name=x", "of Observation"},
    {"?_sort=name", "whole server"},
    {"Patient?_type=Patient", "unknown"},
    {"Patient/p1/Medication?", "CompartmentDefinition"},
    {"Observation/a/Patient?", "compartments are those"},
    {"Patient?_list=$current-problems", "functional"},
    {"Patient?_list=", "id of a List"},
    {"Patient?identifier:of-type=MR|12", "type-system|type-code|value"},
    {"Patient?identifier:of-type=urn:it||12", "type-system|type-code|value"},
    {"Patient?gender:in=http://x", "terminology"},
    {"Condition?asserter:below=Patient/1", "part of its own kind"},
    {"Observation?patient:Device=1", "never refers to a Device"},
    {"Organization?_has:Observation:patient:code=x", "never refers to a Organization"},
    {"Location?near=55.6", "latitude|longitude"},
    {"Location?near=95|12", "latitude|longitude"},
    {"Location?near=55|12|5|parsec", "latitude|longitude"},
    {"Location?_sort=near", "no order"},
    {"Condition?_text=..", "letter"},
    {"Condition?_text:exact=x", "not possible"},
    {"Patient?explain=yes", "true or false"},
    {"Patient?_contained=perhaps", "false, true or both"},
    {"Patient?_query=x", "named queries"},
    {"Patient?birthdate=1970&birthdate=1971,197x", "parameter 2, 'birthdate': value 2: expected"},
    {"Patient?birthdate:above=1970", "possible: missing"},
    {"Patient?_include=Patiant:organization", "nearest: Patient"},
};

static void refuses_with_place_and_expectation(void **state)
{
    struct kit *k = *state;
    kit_check_refuses(k, refused, COUNT(refused));
}

/* A page that would include too much becomes shorter; nothing is lost over all pages. */
static void includes_have_a_limit(void **state)
{
    enum { PATIENTS = 8, EACH = 5 };
    struct kit *k = *state;
    for (int i = 0; i < PATIENTS; i++) {
        kit_put(k, med_arena_printf(k->arena, "{'resourceType':'Patient','id':'p%d'}", i).ptr);
        for (int n = 0; n < EACH; n++)
            kit_put(k, med_arena_printf(k->arena,
                                        "{'resourceType':'Observation','id':'o%d%d','status':"
                                        "'final','code':{'text':'x'},'subject':{'reference':"
                                        "'Patient/p%d'}}",
                                        i, n, i)
                           .ptr);
    }
    for (size_t limit = EACH - 1; limit <= PATIENTS * EACH; limit += 7) {
        size_t matches = 0, included = 0, pages = 0;
        bool cut = false;
        k->include_limit = limit;
        med_err err = {0};
        const med_query *q =
            kit_query(k, "Patient?_sort=_id&_count=6&_revinclude=Observation:patient", &err);
        assert_non_null(q);
        med_view *v = kit_view(k);
        med_str page = MED_STR_EMPTY;
        do {
            med_search_result r;
            if (!med_search_run(k->schema, v, k->arena, q, page, &r, &err))
                fail_msg("%s", err.text);
            size_t here = 0;
            for (size_t i = 0; i < r.n; i++)
                here += r.entries[i].mode == MED_ENTRY_INCLUDE;
            assert_true(here <= limit);
            included += here;
            matches += r.n - here;
            cut = cut || r.includes_cut;
            page = r.next;
            pages++;
        } while (page.len > 0 && pages < 100);
        med_view_end(v);
        assert_int_equal(matches, PATIENTS);
        assert_int_equal(included, PATIENTS * (limit < EACH ? limit : EACH));
        assert_int_equal(cut, limit < EACH);
    }
    k->include_limit = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_in_every_scope, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(finds_what_is_contained, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(includes_go_on, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(refuses_with_place_and_expectation, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(includes_have_a_limit, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
