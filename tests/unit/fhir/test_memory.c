/* test_memory.c - each single allocation of whole requests fails once.
 *
 * A request is walked from its route to its answer with a ceiling that lets one allocation more
 * through each time. Whatever fails must end in an answer, and an answer that is no success must
 * have stored nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ftw.h>

#include "fhir/content.h"
#include "fhir/interactions.h"
#include "fhir/perform.h"
#include "fhir/route.h"
#include "store/sqlite/sqlite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct kit {
    char dir[48], path[64];
    med_arena *forever;
    med_fhir fhir;
};

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
    (void)info;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    med_err err = {0};
    (void)snprintf(k->dir, sizeof k->dir, "/tmp/medulla-test-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    (void)snprintf(k->path, sizeof k->path, "%s/store", k->dir);
    k->forever = med_arena_new((size_t)1 << 30);
    med_sqlite_options options = {
        .data = med_str_from(k->path), .create = true, .cache_writer = 4 << 20};
    k->fhir = (med_fhir){.pack = med_pack_core(),
                         .store = med_sqlite_open(&options, &err),
                         .clock = &med_clock_system,
                         .random = &med_random_system,
                         .base = MED_STR("http://here/fhir"),
                         .started = MED_STR("2026-01-01T00:00:00Z"),
                         .default_count = 20,
                         .max_count = 1000,
                         .bundle_entries = 100,
                         .cascade_limit = 100,
                         .check_references = true,
                         .check_codes = true,
                         .update_as_create = true,
                         .idempotency_seconds = 3600};
    if (k->fhir.store == NULL
        || !med_search_schema_new(k->forever, k->fhir.pack, k->fhir.store, &k->fhir.schema, &err)
        || !med_capabilities_text(k->forever, &k->fhir, &k->fhir.capabilities, &err))
        fail_msg("%s", err.text);
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    struct kit *k = *state;
    med_store_close(k->fhir.store);
    med_arena_free(k->forever);
    (void)nftw(k->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(k);
    return 0;
}

struct request {
    const char *name;
    enum med_method method;
    const char *url; /* below the base */
    const char *type;
    const char *header, *value; /* one more header, or NULL */
    const char *body;           /* JSON with ' for " */
    int status;                 /* once the memory is enough */
};

/* What serve.c does, blocking: everything behind the head and the body. */
static void perform(med_call *call, const struct request *r, med_str body)
{
    med_err err = {0};
    const med_header headers[] = {{MED_STR("Content-Type"), med_str_from(r->type)},
                                  {med_str_from(r->header), med_str_from(r->value)}};
    const med_request http = {.method = r->method,
                              .path = MED_STR("/fhir"),
                              .query = MED_STR_EMPTY,
                              .host = MED_STR("here"),
                              .headers = headers,
                              .n_headers = r->header == NULL ? 1 : 2,
                              .peer = MED_STR("127.0.0.1"),
                              .id = MED_STR("1")};
    med_str query, path = med_str_cut(med_str_from(r->url), '?', &query);
    call->request.body = body;
    if (med_route(call, r->method, path, query, &err) && med_content_headers(call, &http, &err)
        && med_content_negotiate(call, &err))
        med_perform(call, 0);
    else
        med_call_fail(call, &err);
}

static uint64_t versions(const struct kit *k)
{
    med_store_stats stats;
    med_store_count(k->fhir.store, &stats);
    return stats.versions;
}

/* One run under a ceiling, whose write may be stored although its answer found no room; the ceiling
 * that lets one allocation more through, 0 when all went. */
static size_t run(struct kit *k, const struct request *r, med_arena *a, size_t ceiling,
                  bool *stored)
{
    char text[4096];
    size_t n = strlen(r->body);
    uint64_t before = versions(k);
    med_call call;
    assert_true(n < sizeof text);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(r->body[i] == '\'' ? '"' : r->body[i]);
    med_arena_set_limit(a, ceiling);
    med_call_init(&call, &k->fhir, a);
    perform(&call, r, (med_str){text, n});
    size_t wanted = med_arena_wanted(a);
    const med_fhir_response *answer = &call.response;
    if (wanted == 0 && answer->status != r->status && !*stored)
        fail_msg("%s: %d, not %d: %.*s", r->name, answer->status, r->status,
                 MED_STR_ARG(answer->body));
    if (answer->status < 200 || answer->status > 599)
        fail_msg("%s: status %d with %zu bytes", r->name, answer->status, ceiling);
    if (answer->status >= 400 && answer->body.len == 0)
        fail_msg("%s: %d without an outcome, with %zu bytes", r->name, answer->status, ceiling);
    if (answer->status >= 400 && versions(k) != before)
        fail_msg("%s: %d with %zu bytes, and yet it is stored: %.*s", r->name, answer->status,
                 ceiling, MED_STR_ARG(answer->body));
    *stored |= versions(k) != before;
    med_arena_reset(a);
    return wanted;
}

static void walk(struct kit *k, const struct request *r)
{
    enum { CEILING = 64 << 20 };
    med_arena *a = med_arena_new(CEILING);
    size_t ceiling = 0, steps = 0, wanted;
    bool stored = false;
    assert_non_null(a);
    while ((wanted = run(k, r, a, ceiling, &stored)) != 0) {
        assert_true(wanted <= CEILING);
        ceiling = wanted > ceiling ? wanted : ceiling + 1;
        assert_true(++steps < 20000); /* a request done twice must be the same request */
    }
    assert_true(steps > 0);
    print_message("%s: %zu allocations failed, %zu bytes are enough\n", r->name, steps, ceiling);
    med_arena_free(a);
}

#define JSON "application/fhir+json"

static const struct request requests[] = {
    {"update as create", MED_PUT, "Patient/a", JSON, NULL, NULL,
     "{'resourceType':'Patient','id':'a','meta':{'tag':[{'system':'urn:t','code':'x'}]},"
     "'identifier':[{'system':'urn:i','value':'1'}],'name':[{'family':'Novak','given':['Ana']}],"
     "'birthDate':'1980-05-01','address':[{'city':'Ljubljana'}],'gender':'female'}",
     201},
    {"update", MED_PUT, "Patient/a", JSON, "If-Match", "W/\"1\"",
     "{'resourceType':'Patient','id':'a','identifier':[{'system':'urn:i','value':'1'}],"
     "'name':[{'family':'Novak','given':['Eva']}],'gender':'female'}",
     200},
    {"create", MED_POST, "Observation", JSON, NULL, NULL,
     "{'resourceType':'Observation','status':'final','subject':{'reference':'Patient/a'},"
     "'code':{'coding':[{'system':'http://loinc.org','code':'718-7'}],'text':'Hb'},"
     "'effectiveDateTime':'2020-01-02T03:04:05Z','valueQuantity':{'value':14.00,'unit':'g/dL',"
     "'system':'http://unitsofmeasure.org','code':'g/dL'}}",
     201},
    {"conditional create", MED_POST, "Patient", JSON, "If-None-Exist", "identifier=urn:i|2",
     "{'resourceType':'Patient','identifier':[{'system':'urn:i','value':'2'}]}", 201},
    {"create with a key", MED_POST, "Basic", JSON, "Idempotency-Key", "k1",
     "{'resourceType':'Basic','code':{'text':'x'}}", 201},
    {"create with an outcome", MED_POST, "Basic", JSON, "Prefer", "return=OperationOutcome",
     "{'resourceType':'Basic','code':{'text':'x'}}", 201},
    {"wrong structure", MED_POST, "Patient", JSON, NULL, NULL,
     "{'resourceType':'Patient','gendr':'male','birthDate':'1980-13-01','name':{'family':1}}", 422},
    {"malformed", MED_POST, "Patient", JSON, NULL, NULL, "{'resourceType':'Patient',\n'a':tru}",
     400},
    {"missing target", MED_POST, "Observation", JSON, NULL, NULL,
     "{'resourceType':'Observation','status':'final','code':{'text':'x'},"
     "'subject':{'reference':'Patient/nobody'}}",
     422},
    {"conditional update", MED_PUT, "Patient?identifier=urn:i|2", JSON, NULL, NULL,
     "{'resourceType':'Patient','identifier':[{'system':'urn:i','value':'2'}],'active':true}", 200},
    {"JSON Patch", MED_PATCH, "Patient/a", "application/json-patch+json", NULL, NULL,
     "[{'op':'test','path':'/name/0/family','value':'Novak'},"
     "{'op':'replace','path':'/gender','value':'male'},"
     "{'op':'add','path':'/active','value':true},"
     "{'op':'copy','from':'/active','path':'/multipleBirthBoolean'},"
     "{'op':'move','from':'/active','path':'/deceasedBoolean'}]",
     200},
    {"FHIRPath Patch", MED_PATCH, "Patient/a", JSON, NULL, NULL,
     "{'resourceType':'Parameters','parameter':[{'name':'operation','part':["
     "{'name':'type','valueCode':'replace'},{'name':'path','valueString':'Patient.gender'},"
     "{'name':'value','valueCode':'other'}]},{'name':'operation','part':["
     "{'name':'type','valueCode':'delete'},{'name':'path','valueString':'Patient.contact'}]},"
     "{'name':'operation','part':[{'name':'type','valueCode':'add'},{'name':'path','valueString':'"
     "Patient'},"
     "{'name':'name','valueString':'contact'},{'name':'value','part':["
     "{'name':'gender','valueCode':'male'}]}]}]}",
     200},
    {"conditional patch", MED_PATCH, "Patient?identifier=urn:i|2", "application/json-patch+json",
     NULL, NULL, "[{'op':'replace','path':'/active','value':false}]", 200},
    {"transaction", MED_POST, "", JSON, NULL, NULL,
     "{'resourceType':'Bundle','type':'transaction','entry':["
     "{'fullUrl':'urn:uuid:7c8f0a52-1c1b-4f0e-8f5b-0b8f6f1f0001','resource':"
     "{'resourceType':'Patient','identifier':[{'system':'urn:i','value':'3'}]},"
     "'request':{'method':'POST','url':'Patient','ifNoneExist':'identifier=urn:i|3'}},"
     "{'resource':{'resourceType':'Observation','status':'final','code':{'text':'x'},"
     "'text':{'status':'generated','div':'<div xmlns=\\'http://www.w3.org/1999/xhtml\\'>"
     "<a href=\\'urn:uuid:7c8f0a52-1c1b-4f0e-8f5b-0b8f6f1f0001\\'>p</a></div>'},"
     "'subject':{'reference':'urn:uuid:7c8f0a52-1c1b-4f0e-8f5b-0b8f6f1f0001'},"
     "'performer':[{'reference':'Patient?identifier=urn:i|1'}]},"
     "'request':{'method':'POST','url':'Observation'}},"
     "{'request':{'method':'DELETE','url':'Basic/none'}},"
     "{'request':{'method':'GET','url':'Patient?identifier=urn:i|1'}}]}",
     200},
    {"batch", MED_POST, "", JSON, NULL, NULL,
     "{'resourceType':'Bundle','type':'batch','entry':["
     "{'resource':{'resourceType':'Basic','code':{'text':'x'}},"
     "'request':{'method':'POST','url':'Basic'}},"
     "{'request':{'method':'GET','url':'Patient/a'}},"
     "{'request':{'method':'GET','url':'Patient/nobody'}}]}",
     200},
    {"a patient summary", MED_GET, "Patient/a/$summary", "", NULL, NULL, "", 200},
    {"a Composition", MED_PUT, "Composition/a", JSON, NULL, NULL,
     "{'resourceType':'Composition','id':'a','status':'final','type':{'text':'x'},'title':'x',"
     "'date':'2026-01-01','author':[{'reference':'Patient/a'}]}",
     201},
    {"a document", MED_GET, "Composition/a/$document", "", NULL, NULL, "", 200},
    {"a document that is stored", MED_POST, "Composition/a/$document?persist=true", JSON, NULL,
     NULL, "{'resourceType':'Parameters'}", 200},
    {"documents of a patient", MED_GET, "DocumentReference/$docref?patient=a", "", NULL, NULL, "",
     200},
    {"FHIRPath of what is sent", MED_POST, "$fhirpath", JSON, NULL, NULL,
     "{'resourceType':'Parameters','parameter':[{'name':'expression','valueString':"
     "'%a & given.trace(%a).first() | $this'},{'name':'context','valueString':'name'},"
     "{'name':'variables','part':[{'name':'a','valueString':'x'}]},{'name':'resource',"
     "'resource':{'resourceType':'Patient','name':[{'given':['Ana']}]}}]}",
     200},
    {"FHIRPath of what is stored", MED_GET, "Patient/a/$fhirpath?expression=name.family", "", NULL,
     NULL, "", 200},
    {"read", MED_GET, "Patient/a?_pretty=true", "", NULL, NULL, "", 200},
    {"conditional read", MED_GET, "Patient/a", "", "If-None-Match", "W/\"77\"", "", 200},
    {"read a part", MED_GET, "Patient/a?_elements=name,birthDate", "", NULL, NULL, "", 200},
    {"read a summary", MED_GET, "Patient/a?_summary=true", "", NULL, NULL, "", 200},
    {"vread", MED_GET, "Patient/a/_history/1", "", NULL, NULL, "", 200},
    {"history of one", MED_GET, "Patient/a/_history?_count=2&_since=2020-01-01T00:00:00Z", "", NULL,
     NULL, "", 200},
    {"history of a type", MED_GET, "Patient/_history", "", NULL, NULL, "", 200},
    {"history of all", MED_GET, "_history?_count=3", "", NULL, NULL, "", 200},
    {"search by string and date", MED_GET,
     "Patient?name=nov&birthdate=lt2000&_sort=-birthdate&_total=accurate&_count=1", "", NULL, NULL,
     "", 200},
    {"search by token with an include", MED_GET,
     "Observation?code=http://loinc.org|718-7&value-quantity=gt10&_include=Observation:subject", "",
     NULL, NULL, "", 200},
    {"search by a chain", MED_GET, "Observation?subject:Patient.name=novak", "", NULL, NULL, "",
     200},
    {"search by what refers", MED_GET, "Patient?_has:Observation:subject:status=final", "", NULL,
     NULL, "", 200},
    {"search by POST", MED_POST, "Patient/_search", "application/x-www-form-urlencoded", NULL, NULL,
     "identifier=urn%3Ai%7C1&_revinclude=Observation:subject", 200},
    {"an unknown parameter", MED_GET, "Patient?famly=x", "", NULL, NULL, "", 400},
    {"an unknown type", MED_GET, "Pacient/1", "", NULL, NULL, "", 404},
    {"a wrong method", MED_DELETE, "metadata", "", NULL, NULL, "", 405},
    {"capabilities", MED_GET, "metadata", "", NULL, NULL, "", 200},
    {"meta", MED_GET, "Patient/a/$meta", "", NULL, NULL, "", 200},
    {"meta of a type", MED_GET, "Patient/$meta", "", NULL, NULL, "", 200},
    {"add to meta", MED_POST, "Patient/a/$meta-add", JSON, NULL, NULL,
     "{'resourceType':'Parameters','parameter':[{'name':'meta','valueMeta':"
     "{'tag':[{'system':'urn:t','code':'y'}]}}]}",
     200},
    {"take from meta", MED_POST, "Patient/a/$meta-delete", JSON, NULL, NULL,
     "{'resourceType':'Parameters','parameter':[{'name':'meta','valueMeta':"
     "{'tag':[{'system':'urn:t','code':'y'}]}}]}",
     200},
    {"binary", MED_PUT, "Binary/b", "image/png", "X-Security-Context", "Patient/a", "bytes", 201},
    {"read of bytes", MED_GET, "Binary/b", "", NULL, NULL, "", 200},
    {"conditional delete", MED_DELETE, "Basic?_id=none", "", NULL, NULL, "", 204},
    {"delete of what is referenced", MED_DELETE, "Patient/a", "", NULL, NULL, "", 409},
    {"delete with all that refers", MED_DELETE, "Patient/a?_cascade=delete", "", NULL, NULL, "",
     204},
};

static void test_every_allocation_fails(void **state)
{
    for (size_t i = 0; i < COUNT(requests); i++)
        walk(*state, &requests[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_allocation_fails, setup, teardown),
    };
    return cmocka_run_group_tests_name("fhir/memory", tests, NULL, NULL);
}
