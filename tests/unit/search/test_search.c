/* Tests of search/: small stores, hand-made queries, known answers.
 * https://hl7.org/fhir/R4/search.html */
#include "kit.h"

static const char *const resources[] = {
    "{'resourceType':'Organization','id':'o1','name':'General'}",
    "{'resourceType':'Patient','id':'p1','name':[{'family':'S\xc3\xb8rensen','given':['Anna',"
    "'Maria']},{'family':'Smith'}],'gender':'female','birthDate':'1970-03-05','identifier':[{"
    "'system':'urn:s','value':'1'},{'system':'urn:t','value':'2'}],'active':true,"
    "'managingOrganization':{'reference':'Organization/o1'},'meta':{'tag':[{'system':'urn:tag',"
    "'code':'x'}],'profile':['http://p|1.0']}}",
    "{'resourceType':'Patient','id':'p2','name':[{'family':'Smithers','given':['Bo']}],"
    "'gender':'male','birthDate':'1970','identifier':[{'system':'urn:s','value':'2'}],"
    "'deceasedBoolean':true}",
    "{'resourceType':'Patient','id':'p3','name':[{'family':'O\\u0027Hara'}],"
    "'deceasedDateTime':'2020-01-01'}",
    "{'resourceType':'Observation','id':'a','status':'final','code':{'coding':[{'system':'urn:l',"
    "'code':'hb'}]},'subject':{'reference':'Patient/p1'},'effectiveDateTime':'2020-01-01',"
    "'valueQuantity':{'value':5.4,'system':'http://unitsofmeasure.org','code':'g/dL'}}",
    "{'resourceType':'Observation','id':'b','status':'final','code':{'coding':[{'system':'urn:l',"
    "'code':'hb'},{'system':'urn:k','code':'hb'}]},'subject':{'reference':"
    "'http://here/fhir/Patient/p1'},'effectiveDateTime':'2021-06-01T10:00:00Z',"
    "'valueQuantity':{'value':54,'system':'http://unitsofmeasure.org','code':'g/L'}}",
    "{'resourceType':'Observation','id':'c','status':'final','code':{'coding':[{'system':'urn:l',"
    "'code':'na'}]},'subject':{'reference':'Patient/p2'},'effectivePeriod':{'start':'2020-06-01',"
    "'end':'2020-07-01'},'valueQuantity':{'value':140}}",
    "{'resourceType':'Observation','id':'d','status':'amended','code':{'text':'free'},"
    "'subject':{'identifier':{'system':'urn:s','value':'9'}}}",
    "{'resourceType':'Device','id':'v1','identifier':[{'system':'urn:a','value':'b|c'}],'type':{"
    "'coding':[{'system':'urn:x','code':'y'}]}}",
    "{'resourceType':'Device','id':'v2','identifier':[{'system':'urn:a|b','value':'c'}],'type':{"
    "'coding':[{'code':'urn:x|y'}]}}",
    "{'resourceType':'Device','id':'v3','identifier':[{'value':'urn:a|b|c'}]}",
    "{'resourceType':'Observation','id':'e','status':'final','code':{'coding':[{'system':'urn:l',"
    "'code':'hb'}]},'subject':{'reference':'Group/g'},'component':[{'code':{'coding':[{'code':"
    "'c1'}]},'valueQuantity':{'value':1}},{'code':{'coding':[{'code':'c2'}]},'valueQuantity':{"
    "'value':2}}]}",
};

static const struct {
    const char *url, *ids; /* in any order, sorted here by name */
} searches[] = {
    {"Patient?", "p1,p2,p3"},
    {"Patient?_id=p1,p3,nobody", "p1,p3"},
    {"Patient?_id=a", ""},
    {"Patient?name=smith", "p1,p2"},
    {"Patient?name=SORENSEN", "p1"},
    {"Patient?name=s\xc3\xb8r", "p1"},
    {"Patient?name:exact=Smith", "p1"},
    {"Patient?name:exact=smith", ""},
    {"Patient?name:contains=ither", "p2"},
    {"Patient?name:contains=r", "p1,p2,p3"},
    {"Patient?family=ohara", "p3"},
    {"Patient?given=maria&family=smith", "p1"},
    {"Patient?family=smith,sorensen", "p1,p2"},
    {"Patient?name=sorensen,anna", "p1"},
    {"Patient?name=sorensen,bo", "p1,p2"},
    {"Patient?given=bo,anna", "p1,p2"},
    {"Patient?given:missing=true", "p3"},
    {"Patient?given:missing=false", "p1,p2"},
    {"Patient?gender=female", "p1"},
    {"Patient?gender:not=female", "p2,p3"},
    {"Patient?identifier=2", "p1,p2"},
    {"Patient?identifier=urn:s|2", "p2"},
    {"Patient?identifier=urn:t|", "p1"},
    {"Patient?identifier=|2", ""},
    /* an escaped bar is a letter */
    {"Device?identifier=urn:a|b\\|c", "v1"},
    {"Device?identifier=b\\|c", "v1"},
    {"Device?identifier=urn:a\\|b|c", "v2"},
    {"Device?identifier=urn:a\\|b|", "v2"},
    {"Device?identifier=urn:a\\|b\\|c", "v3"},
    {"Device?identifier=|urn:a\\|b\\|c", "v3"},
    {"Device?identifier:not=urn:a|b\\|c", "v2,v3"},
    {"Device?type=urn:x|y", "v1"},
    {"Device?type=urn:x\\|y", "v2"},
    {"Device?type=urn:x\\|y,urn:x|y", "v1,v2"},
    {"Device?type:not=urn:x\\|y", "v1,v3"},
    {"Patient?birthdate=1970", "p1,p2"},
    {"Patient?birthdate=1970-03", "p1"},
    {"Patient?birthdate=ne1970-03", "p2"},
    {"Patient?birthdate=ap1970", "p1,p2"},
    {"Patient?birthdate=gt1970-03-05", "p2"},
    {"Patient?birthdate=ge1970-03-05&birthdate=lt1970-03-06", "p1,p2"},
    {"Patient?deceased=true", "p2,p3"},
    {"Patient?deceased=false", "p1"},
    {"Patient?active=true", "p1"},
    {"Patient?active=http://hl7.org/fhir/special-values|true", "p1"},
    {"Patient?active=http://hl7.org/fhir/special-values|false", ""},
    {"Patient?active=http://hl7.org/fhir/special-values|", "p1"},
    {"Patient?deceased=http://hl7.org/fhir/special-values|true", "p2,p3"},
    {"Patient?gender=http://hl7.org/fhir/administrative-gender|female", "p1"},
    {"Patient?gender=http://hl7.org/fhir/special-values|female", ""},
    {"Patient?gender=http://hl7.org/fhir/administrative-gender|", "p1,p2"},
    {"Patient?gender:not=http://hl7.org/fhir/administrative-gender|female", "p2,p3"},
    {"Patient?gender=|female", "p1"},
    {"Observation?status=http://hl7.org/fhir/observation-status|final", "a,b,c,e"},
    {"Observation?status=http://hl7.org/fhir/observation-status|amended,urn:no|final", "d"},
    {"Observation?status=http://hl7.org/fhir/observation-status|", "a,b,c,d,e"},
    {"Observation?status=http://hl7.org/fhir/observation-status|wrong", ""},
    {"Observation?status=http://terminology.hl7.org/CodeSystem/v3-ActCode|final", ""},
    {"Patient?_has:Observation:patient:status=http://hl7.org/fhir/observation-status|final",
     "p1,p2"},
    {"Patient?_tag=x", "p1"},
    {"Patient?_tag=urn:tag|x", "p1"},
    {"Patient?_profile=http://p", "p1"},
    {"Patient?_profile=http://p|1.0", "p1"},
    {"Patient?organization=o1", "p1"},
    {"Patient?organization.name=gen", "p1"},
    {"Patient?_has:Observation:patient:code=hb", "p1"},
    {"Patient?_has:Observation:patient:date=ge2020-06-01", "p1,p2"},
    {"Patient?_lastUpdated=gt2020-01-01", "p1,p2,p3"},
    {"Patient?_lastUpdated=lt2020-01-01", ""},
    {"Observation?code=hb", "a,b,e"},
    {"Observation?code=urn:l|hb", "a,b,e"},
    {"Observation?code=urn:k|", "b"},
    {"Observation?code=urn:k|,urn:l|na", "b,c"},
    {"Observation?code=|hb", ""},
    {"Observation?code:not=hb", "c,d"},
    {"Observation?patient=p1", "a,b"},
    {"Observation?patient=Patient/p1", "a,b"},
    {"Observation?patient=http://here/fhir/Patient/p1", "a,b"},
    {"Observation?subject=Patient/p1,Patient/p2", "a,b,c"},
    {"Observation?subject:Patient=p1", "a,b"},
    {"Observation?subject=Group/g", "e"},
    {"Observation?subject:identifier=urn:s|9", "d"},
    {"Observation?patient:missing=true", "d,e"},
    {"Observation?patient:missing=false", "a,b,c"},
    {"Observation?subject:missing=true", ""},
    {"Observation?subject=g", "e"},
    {"Observation?subject=p1", "a,b"},
    {"Observation?patient=p1&code=hb", "a,b"},
    {"Observation?patient=p1&code=urn:k|hb", "b"},
    {"Observation?patient=p1&date=ge2021", "b"},
    {"Observation?date=2020", "a,c"},
    {"Observation?date=ge2020-06-15", "b,c"},
    {"Observation?date=ge2020-06-15&date=lt2021", "c"},
    {"Observation?date=sa2020-07-01", "b"},
    {"Observation?date=eb2020-06-01", "a"},
    {"Observation?date=ne2020", "b"},
    {"Observation?value-quantity=5.4|http://unitsofmeasure.org|g/dL", "a,b"},
    {"Observation?value-quantity=54|http://unitsofmeasure.org|g/L", "a,b"},
    {"Observation?value-quantity=gt54||g/L", ""},
    {"Observation?value-quantity=ge54||g/L", "a,b"},
    {"Observation?value-quantity=gt5.4", "b,c"},
    {"Observation?value-quantity=1e2", ""},
    {"Observation?value-quantity=ap150", "c"},
    {"Observation?code-value-quantity=hb$gt5.3", "a,b"},
    {"Observation?code-value-quantity=hb$gt5.4", "b"},
    {"Observation?code-value-quantity=hb$5.4,na$140", "a,c"},
    {"Observation?component-code-value-quantity=c1$1", "e"},
    {"Observation?component-code-value-quantity=c1$2", ""},
    {"Observation?patient.name=smith", "a,b,c"},
    {"Observation?subject:Patient.name:exact=Smith", "a,b"},
    {"Observation?patient.identifier=urn:s|2", "c"},
    {"Observation?patient.organization.name=general", "a,b"},
};

static int compare_names(const void *a, const void *b)
{
    return med_str_compare(*(const med_str *)a, *(const med_str *)b);
}

static med_str in_order(struct kit *k, med_str ids)
{
    med_str names[64];
    size_t n = 0;
    while (ids.len > 0 && n < COUNT(names))
        names[n++] = med_str_cut(ids, ',', &ids);
    qsort(names, n, sizeof *names, compare_names);
    med_str out = MED_STR_EMPTY;
    for (size_t i = 0; i < n; i++)
        out = med_arena_printf(k->arena, "%.*s%s%.*s", MED_STR_ARG(out), i > 0 ? "," : "",
                               MED_STR_ARG(names[i]));
    return out;
}

static void put_all(struct kit *k)
{
    for (size_t i = 0; i < COUNT(resources); i++)
        kit_put(k, resources[i]);
}

static void finds_by_every_type(void **state)
{
    struct kit *k = *state;
    put_all(k);
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(searches); i++) {
        med_search_result first;
        /* at once with its total, page by page, and as a condition */
        med_str whole = in_order(
            k, kit_search(k, med_arena_printf(k->arena, "%s&_total=accurate", searches[i].url).ptr,
                          &first));
        med_str paged = in_order(
            k, kit_search(k, med_arena_printf(k->arena, "%s&_count=1", searches[i].url).ptr, NULL));
        uint64_t expected = searches[i].ids[0] != '\0';
        for (const char *c = searches[i].ids; *c != '\0'; c++)
            expected += *c == ',';
        if (!med_str_eqz(whole, searches[i].ids) || !med_str_eq(whole, paged) || !first.has_total
            || first.total != expected) {
            print_error("%s: %.*s | %.*s | total %d, expected %s\n", searches[i].url,
                        MED_STR_ARG(whole), MED_STR_ARG(paged), (int)first.total, searches[i].ids);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

static const struct {
    const char *url, *ids; /* in this order */
} orders[] = {
    {"Patient?_sort=_id", "p1,p2,p3"},
    {"Patient?_sort=-_id", "p3,p2,p1"},
    {"Patient?_sort=_lastUpdated", "p1,p2,p3"},
    {"Patient?_sort=-_lastUpdated", "p3,p2,p1"},
    {"Patient?_sort=family", "p3,p1,p2"},
    {"Patient?_sort=-family", "p1,p2,p3"},
    {"Patient?_sort=birthdate", "p2,p1,p3"},
    {"Patient?_sort=-birthdate", "p1,p2,p3"},
    {"Patient?_sort=gender,-_id", "p1,p2,p3"},
    {"Observation?_sort=date", "a,c,b,d,e"},
    {"Observation?_sort=-date", "b,c,a,e,d"},
    {"Observation?patient=p1&_sort=date", "a,b"},
    {"Observation?patient=p1&_sort=-date", "b,a"},
    {"Observation?patient=p1&code=hb&_sort=-date", "b,a"},
    {"Observation?code=hb&_sort=-date", "b,a,e"},
    {"Observation?code=hb&_sort=date", "a,b,e"},
    {"Patient?_id=p1&_revinclude=Observation:patient", "p1,[b],[a]"},
    {"Patient?_id=p2&_revinclude=Observation:subject&_include=Patient:organization", "p2,[c]"},
    {"Patient?_id=p1&_include=Patient:organization", "p1,[o1]"},
    {"Observation?_id=a,b&_include=Observation:patient", "b,a,[p1]"},
    {"Observation?_id=e&_include=Observation:patient", "e"},
    {"Observation?_id=a&_include=Observation:subject:Patient", "a,[p1]"},
    {"Observation?_id=a&_include=Observation:subject:Group", "a"},
    {"Observation?_id=a&_include=Observation:*", "a,[p1]"},
};

static void sorts_and_includes(void **state)
{
    struct kit *k = *state;
    put_all(k);
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(orders); i++) {
        med_str whole = kit_search(k, orders[i].url, NULL);
        bool includes = strchr(orders[i].ids, '[') != NULL;
        med_str paged =
            includes
                ? whole
                : kit_search(k, med_arena_printf(k->arena, "%s&_count=1", orders[i].url).ptr, NULL);
        if (!med_str_eqz(whole, orders[i].ids) || !med_str_eq(whole, paged)) {
            print_error("%s: %.*s | %.*s, expected %s\n", orders[i].url, MED_STR_ARG(whole),
                        MED_STR_ARG(paged), orders[i].ids);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

static const struct {
    const char *url, *says;
} refused[] = {
    {"Patient?nam=x", "nearest: name"},
    {"Patient?name:text=x", "modifier"},
    {"Patient?birthdate:contains=1970", "modifier"},
    {"Patient?birthdate=197", "date"},
    {"Patient?birthdate=gt", "date"},
    {"Patient?_count=-1", "_count"},
    {"Patient?_total=some", "_total"},
    {"Patient?_sort=nam", "nearest: name"},
    {"Patient?_has:Observation=x", "_has:Type"},
    {"Patient?_has:Observation:code:code=x", "reference"},
    {"Patient?name.given=x", "only a reference"},
    {"Patient?organization.nam=x", "unknown"},
    {"Patient?_include=Patient", "expected Type"},
    {"Patient?_include=Patient:name", "reference"},
    {"Patient?_include:again=Patient:organization", ":iterate"},
    {"Patient?identifier=|", "token"},
    {"Patient?identifier=a|b|c", "bare"},
    {"Patient?name=", "letter"},
    {"Patient?name=..", "letter"},
    {"Patient?name:missing=maybe", ":missing"},
    {"Patient?organization:Patient.name=x", "never refers"},
    {"Observation?value-quantity=abc", "number"},
    {"Observation?value-quantity=5|mg", "number|system|code"},
    {"Observation?code-value-quantity=hb", "'$'"},
    {"Observation?patient=Group/1", "Patient"},
    {"Observation?patient.organization.partof.partof.name=x", "chain"},
    {"Patient?near=x", "unknown"},
    {"Observation?value-quantity=5|||", "number|system|code"},
    {"Observation?date=2020-01-01T10:00:00+02:00", "is a space"},
    {"Patient?_count=1&_count=2", "given before"},
    {"Patient?_elements=name&_elements=birthDate,gender,active,photo", "given before"},
    {"Patient?_sort=name&_sort=birthdate", "given before"},
};

static void refuses(void **state)
{
    struct kit *k = *state;
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(refused); i++) {
        med_err err = {0};
        bool said = kit_query(k, refused[i].url, &err) == NULL
                    && strstr(err.text, refused[i].says) != NULL
                    && med_err_http_status(&err) / 100 == 4;
        if (!said) {
            print_error("%s: %d \"%s\"\n", refused[i].url, med_err_http_status(&err), err.text);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

static void sees_what_changed(void **state)
{
    struct kit *k = *state;
    put_all(k);
    kit_delete(k, "Observation", "a");
    kit_put(k, "{'resourceType':'Observation','id':'b','status':'final','code':{'coding':[{"
               "'system':'urn:l','code':'na'}]},'subject':{'reference':'Patient/p2'}}");
    assert_string_equal(kit_search(k, "Observation?patient=p1", NULL).ptr, "");
    assert_string_equal(kit_search(k, "Observation?patient=p2&_sort=_id", NULL).ptr, "b,c");
    assert_string_equal(kit_search(k, "Observation?_id=a", NULL).ptr, "");
    assert_string_equal(kit_search(k, "Observation?code=hb", NULL).ptr, "e");
    assert_string_equal(kit_search(k, "Patient?_has:Observation:patient:code=hb", NULL).ptr, "");
}

static void page_tokens_are_bound(void **state)
{
    struct kit *k = *state;
    put_all(k);
    med_err err = {0};
    med_search_result result;
    const med_query *q = kit_query(k, "Patient?_count=1", &err);
    const med_query *other = kit_query(k, "Patient?_count=2", &err);
    med_view *v = kit_view(k);
    assert_true(med_search_run(k->schema, v, k->arena, q, MED_STR_EMPTY, &result, &err));
    assert_true(result.next.len > 0);
    med_str next = result.next;
    assert_false(med_search_run(k->schema, v, k->arena, other, next, &result, &err));
    assert_int_equal(med_err_http_status(&err), 400);
    char *forged = MED_TAKE(k->arena, next.len + 1, char);
    for (size_t i = 0; i < next.len; i++) {
        err = (med_err){0};
        memcpy(forged, next.ptr, next.len);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        bool good =
            med_search_run(k->schema, v, k->arena, q, (med_str){forged, next.len}, &result, &err);
        if (good)
            print_message("byte %zu of %zu does not count\n", i, next.len);
        assert_true(!good || i + 1 == next.len);
        assert_true(good || med_err_http_status(&err) == 400);
    }
    /* the same place is sealed anew each time, and shows neither id nor counter */
    err = (med_err){0};
    assert_true(med_search_run(k->schema, v, k->arena, q, MED_STR_EMPTY, &result, &err));
    assert_false(med_str_eq(result.next, next));
    assert_true(med_search_run(k->schema, v, k->arena, q, result.next, &result, &err));
    assert_int_equal(result.n, 1);
    med_view_end(v);
}

/* A link outlives the process; what is bound to another question does not open. */
static void seals_outlive_the_process(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    med_str sealed, plain;
    const med_str bound = MED_STR("Patient?name=x"), place = MED_STR("Patient/p1 at 17");
    assert_true(med_store_seal(k->store, k->forever, place, bound, &sealed, &err));
    /* a short text would turn up in random letters by chance, in one run of sixty */
    assert_true(med_str_search(sealed, MED_STR("Patient"), 0) == sealed.len);
    kit_open_again(k);
    assert_true(med_store_unseal(k->store, k->arena, sealed, bound, &plain, &err));
    assert_true(med_str_eq(plain, place));
    assert_false(
        med_store_unseal(k->store, k->arena, sealed, MED_STR("Patient?name=y"), &plain, &err));
    assert_int_equal(med_err_http_status(&err), 400);
    assert_false(med_store_unseal(k->store, k->arena, MED_STR("!"), bound, &plain, &err));
    assert_false(med_store_unseal(k->store, k->arena, MED_STR_EMPTY, bound, &plain, &err));
}

static void matches_for_conditions(void **state)
{
    struct kit *k = *state;
    put_all(k);
    med_err err = {0};
    med_match *at;
    size_t n;
    med_view *v = kit_view(k);
    const med_query *q = kit_query(k, "Patient?identifier=urn:s|2", &err);
    assert_true(med_search_match(k->schema, v, k->arena, q, 2, &at, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(at[0].id.ptr, "p2");
    assert_int_equal(at[0].version, 1);
    q = kit_query(k, "Patient?identifier=2", &err);
    assert_true(med_search_match(k->schema, v, k->arena, q, 2, &at, &n, &err));
    assert_int_equal(n, 2);
    assert_true(med_query_cost(k->schema, v, q) < 1000);
    med_view_end(v);
}

int main(void)
{
#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        IN_STORE(finds_by_every_type),
        IN_STORE(sorts_and_includes),
        IN_STORE(refuses),
        IN_STORE(sees_what_changed),
        IN_STORE(page_tokens_are_bound),
        IN_STORE(seals_outlive_the_process),
        IN_STORE(matches_for_conditions),
    };
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
