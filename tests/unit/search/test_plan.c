/* Which index brings the candidates of each kind of search, and does it leave the event loop?
 * Pinned, so that a change of the planner shows. On a made-up practice: counts decide. */
#include "kit.h"

enum {
    PATIENTS = 400,
    OBSERVATIONS = 6000,
    CONDITIONS = 800,
    APPOINTMENTS = 3000,
    PRACTITIONERS = 10,
    BATCH = 500,
    LOOP_MICROSECONDS = 1000
};

static const struct {
    const char *url, *driver;
    bool leaves; /* for a worker */
} plans[] = {
    /* one resource, one patient */
    {"Patient?_id=p7", "_id", false},
    {"Patient?identifier=urn:s|7", "identifier", false},
    {"Patient?identifier=7", "identifier", false},
    {"Patient?identifier=urn:s|", "type", true},
    {"Patient?family=family7&given=given3", "family", false},
    {"Patient?family=family7&birthdate=1957-01-08", "birthdate", false},
    {"Patient?family=family7&given=given3&birthdate=1957-01-08", "birthdate", false},
    {"Patient?name=family7", "name", false},
    {"Patient?name=fam", "name", false},
    {"Patient?name:exact=Family7", "name", false},
    {"Patient?name:contains=mily7", "type", true},
    {"Patient?birthdate=1957-01-08", "birthdate", false},
    {"Patient?gender=female", "gender", false},
    {"Patient?gender=female&birthdate=1957-01-08", "birthdate", false},
    {"Patient?gender:not=female", "type", false},
    {"Patient?_lastUpdated=gt2000-01-01", "_lastUpdated", false},
    {"Patient?", "type", false},
    {"Patient?_sort=-_lastUpdated", "type", false},
    {"Patient?_sort=birthdate", "order", false},
    {"Patient?_sort=family", "type", true},
    {"Observation?patient=p7", "subject", false},
    {"Observation?subject=Patient/p7", "subject", false},
    {"Observation?patient=p7&_sort=-date", "patient", false},
    {"Observation?patient=p7&_sort=date", "patient", false},
    {"Observation?patient=p7&code=urn:l|c0", "patient+code", false},
    {"Observation?patient=p7&code=c0&_sort=-date", "patient+code", false},
    {"Observation?patient=p7&category=lab", "patient+category", false},
    {"Observation?patient=p7&category=lab&date=ge2020-01-01&_sort=-date", "patient+category",
     false},
    {"Observation?patient=p7&date=ge2020-01-01", "subject", false},
    {"Observation?patient=p7&status=final", "subject", false},
    {"Observation?patient=p7&code-value-quantity=c0$gt5", "patient+code", false},
    {"Observation?patient=p7,p8", "subject", false},
    {"Observation?patient=nobody", "subject", false},
    {"Observation?patient.identifier=urn:s|7&code=c0", "subject", false},
    {"Observation?patient.name=family7", "subject", false},
    {"Condition?patient=p7&code=urn:l|d3", "patient+code", false},
    {"Condition?patient=p7&_include=Condition:patient", "subject", false},
    {"Patient?_id=p7&_revinclude=Observation:patient", "_id", false},
    /* the population */
    {"Observation?code=urn:l|c0", "code", false},
    {"Observation?code=c19", "code", false},
    {"Observation?code=c0,c1", "code", false},
    {"Observation?code=nothing", "code", false},
    {"Observation?code=c0&_summary=count", "code", false},
    {"Observation?code=c0&_total=accurate", "code", false},
    {"Observation?code=c0&_sort=-date", "order", false},
    {"Observation?code=c19&_sort=-date", "code", false},
    {"Observation?code:not=c0", "type", false},
    {"Observation?status=final", "status", false},
    {"Observation?status=final&code=c19", "code", false},
    {"Observation?status=http://hl7.org/fhir/observation-status|final", "status", false},
    {"Observation?date=2020-03-01", "date", false},
    {"Observation?date=ge2020-01-01", "date", false},
    {"Observation?date=ge2020-01-01&date=lt2020-02-01", "date", false},
    {"Observation?date=ne2020-01-01", "type", true},
    {"Observation?code=c19&date=2020-03-01", "date", false},
    {"Observation?code=c0&date=ge2020-01-01", "date", false},
    {"Observation?_sort=-date", "order", false},
    {"Observation?_sort=-date&_total=accurate", "order", false},
    {"Observation?value-quantity=gt5", "value-quantity", false},
    {"Observation?value-quantity=gt5|http://unitsofmeasure.org|g", "value-quantity", false},
    {"Observation?value-quantity=5&code=c19", "code", false},
    {"Observation?code-value-quantity=c19$gt5", "code-value-quantity", false},
    {"Observation?combo-code-value-quantity=c19$gt5", "combo-code-value-quantity", false},
    {"Observation?code-value-quantity=nothing$gt5", "code", false},
    {"Observation?combo-value-quantity=gt5", "combo-value-quantity", false},
    {"Observation?date:missing=true", "type", true},
    {"Observation?value-quantity:missing=false", "value-quantity", false},
    {"Patient?death-date:missing=false", "death-date", false},
    {"Patient?phonetic:missing=false", "phonetic", false},
    {"Patient?death-date:missing=false&gender=female", "death-date", false},
    {"Patient?death-date:missing=true", "type", false},
    {"Observation?status:not=final", "status", false},
    {"Observation?status:not=final&_summary=count", "status", false},
    {"Observation?code:not=c0&_summary=count", "type", false},
    {"Observation?category:not=lab&date:missing=true", "type", true},
    {"Observation?code=c0&date=ge2020-01-01&date=lt2020-01-02", "date", false},
    {"Observation?patient=Patient/p1&category=lab&date=ge2012&_sort=-date", "patient+category",
     false},
    {"Observation?patient:missing=true", "type", true},
    {"Patient?_has:Condition:patient:code=d3", "type", false},
    {"Patient?_has:Observation:patient:code=c0", "type", false},
    {"Patient?_has:Observation:patient:code=c0&_total=accurate", "type", true},
    {"Patient?_has:Condition:patient:code=nothing", "_has", false},
    {"Observation?patient.name=fam", "subject", false},
    {"Observation?patient.gender=female&code=c19", "code", false},
    /* a practitioner's day, among ever more of each */
    {"Appointment?practitioner=Practitioner/d3&date=2024-03-04", "practitioner+date", false},
    {"Appointment?practitioner=d3&date=2024-03-04&_sort=date", "practitioner+date", false},
    {"Appointment?actor=Practitioner/d3&date=ge2024-03-04&date=lt2024-03-06", "actor+date", false},
    {"Appointment?date=2024-03-04&practitioner=d3,d4&status=booked", "practitioner+date", false},
    {"Appointment?practitioner=d3&date=ge2024-03-04&_sort=-date", "practitioner+date", false},
    {"Appointment?practitioner=d3&date:missing=true", "practitioner", false},
    {"Appointment?practitioner=d3&date=ge2020&patient=p7&_sort=date", "practitioner", false},
    {"Appointment?practitioner=d3&date=ge2020&patient=p7", "practitioner", false},
    {"Appointment?date=2024-03-04", "date", false},
    {"Appointment?date=ge2024-03-04&date=lt2024-05-01&_sort=date", "date", false},
};

static med_str make(struct kit *k, const char *type, int i)
{
    med_arena *a = k->arena;
    int patient = i % PATIENTS, code = 0;
    if (type[0] == 'A')
        return med_arena_printf(a,
                                "{'resourceType':'Appointment','id':'a%d','status':'booked',"
                                "'start':'2024-%02d-%02dT%02d:00:00Z','participant':[{'actor':"
                                "{'reference':'Practitioner/d%d'}},{'actor':{'reference':"
                                "'Patient/p%d'}}]}",
                                i, 1 + i / 28 % 12, 1 + i % 28, 8 + i % 9, i * 13 % PRACTITIONERS,
                                patient);
    if (type[0] == 'P')
        return med_arena_printf(a,
                                "{'resourceType':'Patient','id':'p%d','name':[{'family':'Family%d',"
                                "'given':['Given%d']}],'gender':'%s','birthDate':'19%02d-01-%02d',"
                                "'identifier':[{'system':'urn:s','value':'%d'}]}",
                                i, i, i % 5, i % 2 ? "male" : "female", 50 + i % 40, 1 + i % 28, i);
    if (type[0] == 'C')
        return med_arena_printf(a,
                                "{'resourceType':'Condition','id':'c%d','subject':{'reference':"
                                "'Patient/p%d'},'code':{'coding':[{'system':'urn:l','code':'d%d'}]}"
                                "}",
                                i, i * 7 % PATIENTS, i % 10);
    while (code < 19 && (i >> code) % 2 == 0) /* halves: c0 3000, c1 1500, ... */
        code++;
    if (i % 100 == 0)
        code = 19;
    return med_arena_printf(
        a,
        "{'resourceType':'Observation','id':'o%d','status':'final','subject':{'reference':"
        "'Patient/p%d'},'code':{'coding':[{'system':'urn:l','code':'c%d'}]},'category':[{'coding':"
        "[{'code':'%s'}]}],'effectiveDateTime':'20%02d-%02d-%02d','valueQuantity':{'value':%d,"
        "'system':'http://unitsofmeasure.org','code':'g'}}",
        i, patient, code, i % 3 ? "lab" : "vital", 10 + i % 14, 1 + i / 14 % 12, 1 + i % 28,
        i % 11);
}

static void put_all(struct kit *k, const char *type, int n)
{
    med_err err = {0};
    for (int from = 0; from < n; from += BATCH) {
        med_arena_reset(k->arena);
        int size = n - from < BATCH ? n - from : BATCH;
        med_write *w = MED_TAKE(k->arena, BATCH, med_write);
        for (int i = 0; i < size; i++) {
            med_str name, id, json = kit_json(k, make(k, type, from + i).ptr);
            med_rows rows = kit_rows(k, json, &name, &id);
            w[i] = (med_write){.kind = MED_WRITE_PUT,
                               .type =
                                   med_schema_type(k->schema, med_pack_type(med_pack_core(), name)),
                               .id = id,
                               .text = json,
                               .rows = rows};
            if (!med_store_prepare(k->store, k->arena, &w[i], &err))
                fail_msg("%s", err.text);
        }
        med_commit c = {.writes = w, .n_writes = (size_t)size, .trace = MED_STR_EMPTY};
        if (!med_store_commit_wait(k->store, &c, &err) || c.state != MED_COMMIT_DONE)
            fail_msg("%s %s", err.text, c.err.text);
    }
}

static void plans_stay(void **state)
{
    struct kit *k = *state;
    unsigned failed = 0;
    put_all(k, "Patient", PATIENTS);
    put_all(k, "Observation", OBSERVATIONS);
    put_all(k, "Condition", CONDITIONS);
    put_all(k, "Appointment", APPOINTMENTS);
    med_view *v = kit_view(k);
    for (size_t i = 0; i < COUNT(plans); i++) {
        med_err err = {0};
        med_search_plan plan;
        med_arena_reset(k->arena);
        const med_query *q = kit_query(k, plans[i].url, &err);
        if (q == NULL || !med_query_plan(k->schema, v, k->arena, q, &plan, &err))
            fail_msg("%s: %s", plans[i].url, err.text);
        uint64_t cost = med_query_cost(k->schema, v, q);
        if (!med_str_eqz(plan.driver, plans[i].driver)
            || (cost > LOOP_MICROSECONDS) != plans[i].leaves) {
            print_error("%s: %.*s, %llu microseconds; expected %s, %s\n", plans[i].url,
                        MED_STR_ARG(plan.driver), (unsigned long long)cost, plans[i].driver,
                        plans[i].leaves ? "a worker" : "the loop");
            failed++;
        }
    }
    med_view_end(v);
    assert_int_equal(failed, 0);
}

static uint64_t examined(struct kit *k, const char *url, med_search_result *r)
{
    int64_t n = -1;
    (void)kit_search(k, med_arena_printf(k->arena, "%s&explain=true", url).ptr, r);
    for (size_t i = 0; i < r->n_plan; i++) {
        med_str rest = r->plan[i];
        if (med_str_starts(rest, MED_STR("looked at ")))
            assert_true(med_str_to_int64(
                med_str_cut(med_str_skip(rest, sizeof "looked at " - 1), ' ', &rest), &n));
    }
    assert_true(n >= 0);
    return (uint64_t)n;
}

struct ran {
    med_str driver, ids;
    uint64_t cost, rows;
};

static struct ran run_one(struct kit *k, const char *url)
{
    med_err err = {0};
    med_search_plan plan;
    struct ran r;
    med_arena_reset(k->arena);
    const med_query *q = kit_query(k, url, &err);
    med_view *v = kit_view(k);
    if (q == NULL || !med_query_plan(k->schema, v, k->arena, q, &plan, &err))
        fail_msg("%s: %s", url, err.text);
    med_view_end(v);
    r.cost = plan.cost;
    r.rows = plan.rows;
    assert_true(med_arena_copy(k->forever, plan.driver, &r.driver));
    assert_true(med_arena_copy(k->forever, kit_search(k, url, NULL), &r.ids));
    return r;
}

/* Rows of lone commits wait in memory and are merged when nothing else is to be done: neither what
 * is planned nor what is found depends on that. */
static void plans_are_the_same_before_and_after_a_merge(void **state)
{
    enum { FEW = 1000 };
    struct kit *k = *state;
    static struct ran before[COUNT(plans)];
    put_all(k, "Patient", FEW / 4);
    put_all(k, "Observation", FEW);
    put_all(k, "Condition", FEW / 4);
    put_all(k, "Appointment", FEW / 2);
    for (size_t i = 0; i < COUNT(plans); i++)
        before[i] = run_one(k, plans[i].url);
    med_err err = {0};
    med_verify merges = {0};
    assert_true(med_store_verify(k->store, &merges, &err));
    assert_int_equal(merges.faults, 0);
    for (size_t i = 0; i < COUNT(plans); i++) {
        struct ran now = run_one(k, plans[i].url);
        if (!med_str_eq(now.driver, before[i].driver) || !med_str_eq(now.ids, before[i].ids)
            || now.cost != before[i].cost || now.rows != before[i].rows)
            fail_msg("%s: %.*s for %d, before %.*s for %d", plans[i].url, MED_STR_ARG(now.driver),
                     (int)now.cost, MED_STR_ARG(before[i].driver), (int)before[i].cost);
    }
}

/* A walk is priced as one while lists that would serve the search are not made, and it is said. */
static void what_lists_would_serve_is_priced_without_them(void **state)
{
    static const char *const asked[] = {"Patient?name:contains=mily7", "Patient?_content=family7"};
    struct kit *k = *state;
    uint64_t cost[2][COUNT(asked)];
    put_all(k, "Patient", PATIENTS);
    for (int listed = 0; listed < 2; listed++) {
        for (size_t i = 0; i < COUNT(asked); i++) {
            med_err err = {0};
            med_arena_reset(k->arena);
            const med_query *q = kit_query(k, asked[i], &err);
            med_view *v = kit_view(k);
            const med_search *s =
                med_search_begin(v, k->arena, q, MED_STR_EMPTY, &cost[listed][i], &err);
            assert_non_null(s);
            assert_int_equal(med_search_lacks(s),
                             listed == 0 ? MED_LACKS_LISTS : MED_LACKS_NOTHING);
            med_view_end(v);
        }
        kit_list(k);
    }
    for (size_t i = 0; i < COUNT(asked); i++) {
        assert_true(cost[0][i] >= PATIENTS * 3); /* microseconds: all of them are read */
        assert_true(cost[1][i] < cost[0][i] / 2);
    }
}

/* What has no value stands in no index: a walk reads the rows of each, and the price says so. */
static void missing_is_priced_as_a_walk(void **state)
{
    static const char *const asked[] = {
        "Observation?date:missing=true", "Observation?subject:missing=true",
        "Observation?value-quantity:missing=true", "Observation?date:missing=true&status=final"};
    struct kit *k = *state;
    put_all(k, "Observation", OBSERVATIONS);
    for (size_t i = 0; i < COUNT(asked); i++) {
        med_search_result r;
        struct ran ran = run_one(k, asked[i]);
        assert_true(ran.cost >= OBSERVATIONS * 35 / 10); /* each costs its rows */
        assert_int_equal(examined(k, asked[i], &r), OBSERVATIONS);
        assert_int_equal(ran.ids.len, 0);
    }
    kit_put(k, "{'resourceType':'Observation','id':'bare','status':'final','code':{'text':'x'}}");
    /* a subject that no row names: contained, or called something */
    kit_put(k, "{'resourceType':'Observation','id':'inner','status':'final','code':{'text':'x'},"
               "'contained':[{'resourceType':'Patient','id':'p'}],'subject':{'reference':'#p'},"
               "'effectiveDateTime':'2020','valueQuantity':{'value':1}}");
    kit_put(k, "{'resourceType':'Observation','id':'said','status':'final','code':{'text':'x'},"
               "'subject':{'display':'a man'},'effectiveDateTime':'2020',"
               "'valueQuantity':{'value':1}}");
    for (size_t i = 0; i < COUNT(asked); i++)
        assert_true(med_str_eqz(run_one(k, asked[i]).ids, "bare"));
    assert_true(med_str_eqz(run_one(k, "Observation?code:missing=true").ids, ""));
}

/* Behind thousands that have a value, which are known all at once by then. */
static void who_lacks_a_value_is_found_behind_all_others(void **state)
{
    static const char *const asked[] = {"Observation?date:missing=true",
                                        "Observation?value-quantity:missing=true",
                                        "Observation?date:missing=true&value-quantity:missing=true",
                                        "Observation?date:missing=true&status=final",
                                        "Observation?date:missing=true&_sort=date",
                                        "Observation?date:missing=true&_total=accurate&_count=1"};
    struct kit *k = *state;
    med_search_result r;
    kit_put(k, "{'resourceType':'Observation','id':'bare','status':'final','code':{'text':'x'}}");
    put_all(k, "Observation", OBSERVATIONS);
    for (size_t i = 0; i < COUNT(asked); i++)
        assert_true(med_str_eqz(run_one(k, asked[i]).ids, "bare"));
    assert_true(med_str_eqz(run_one(k, "Observation?date:missing=true&code=c3").ids, ""));
    (void)kit_search(k, "Observation?date:missing=true&explain=true", &r);
    assert_true(r.n_plan >= 3); /* PostgreSQL adds its own lines */
    assert_true(med_str_search(r.plan[1], MED_STR("is ruled out"), 0) < r.plan[1].len);
    (void)kit_search(k, "Observation?date:missing=false&_summary=count", &r);
    assert_int_equal(r.total, OBSERVATIONS);
    (void)kit_search(k, "Observation?date:missing=true&_summary=count", &r);
    assert_int_equal(r.total, 1);
}

/* However many a practitioner and a day have: what is looked at is what is found. */
static void a_practitioners_day_costs_what_it_has(void **state)
{
    static const struct {
        const char *url;
        uint64_t n;
    } asked[] = {
        {"Appointment?practitioner=Practitioner/d3&date=2024-03-04", 2},
        {"Appointment?practitioner=Practitioner/d4&date=2024-03-04", 0},
        {"Appointment?practitioner=d3,d1&date=ge2024-03-04&date=lt2024-03-08&_sort=date", 8},
    };
    struct kit *k = *state;
    put_all(k, "Appointment", APPOINTMENTS);
    for (size_t i = 0; i < COUNT(asked); i++) {
        med_search_result r;
        med_arena_reset(k->arena);
        uint64_t n = examined(k, asked[i].url, &r);
        uint64_t counted = 0;
        for (size_t m = 0; m < r.n; m++)
            counted += r.entries[m].mode == MED_ENTRY_MATCH;
        if (n != counted || counted != asked[i].n)
            fail_msg("%s: %d looked at, %d found, expected %d", asked[i].url, (int)n, (int)counted,
                     (int)asked[i].n);
    }
}

/* A day has few of a code that has many: the plan that began with the code is left for the other,
 * and what is found is the same. */
static void a_plan_that_disappoints_is_changed(void **state)
{
    struct kit *k = *state;
    med_search_result first;
    put_all(k, "Patient", PATIENTS);
    put_all(k, "Observation", OBSERVATIONS);
    med_str all =
        kit_search(k, "Observation?code=c0&date=2023-12&_total=accurate&_count=1000", &first);
    uint64_t total = first.total;
    assert_true(total > 0);
    assert_true(
        med_str_eq(all, kit_search(k, "Observation?date=2023-12&code=c0&_count=1000", &first)));
    size_t n = 1;
    med_str paged = kit_search(k, "Observation?code=c0&date=2023-12&_count=3", NULL);
    for (size_t i = 0; i < paged.len; i++)
        n += paged.ptr[i] == ',';
    assert_int_equal(n, total);
}

/* Each candidate is probed for the other clause, until that one's rows are read as a whole; counted
 * here by the rule that made the data. */
static void what_is_probed_often_is_read_as_a_whole(void **state)
{
    struct kit *k = *state;
    put_all(k, "Observation", OBSERVATIONS);
    for (int code = 0; code < 6; code++) {
        uint64_t of_code = 0, of_both = 0;
        for (int i = 0; i < OBSERVATIONS; i++) {
            int own = 0;
            while (own < 19 && (i >> own) % 2 == 0)
                own++;
            own = i % 100 == 0 ? 19 : own;
            of_code += own == code;
            of_both += own == code && i % 3 == 0;
        }
        med_search_result r;
        (void)kit_search(
            k,
            med_arena_printf(k->arena, "Observation?category=vital&code=c%d&_total=accurate", code)
                .ptr,
            &r);
        assert_int_equal(r.total, of_both);
        (void)kit_search(k,
                         med_arena_printf(k->arena,
                                          "Observation?category=vital&code:not=c%d&_total=accurate",
                                          code)
                             .ptr,
                         &r);
        assert_int_equal(r.total, (OBSERVATIONS + 2) / 3 - of_both);
        (void)kit_search(
            k, med_arena_printf(k->arena, "Observation?code:not=c%d&_summary=count", code).ptr, &r);
        assert_int_equal(r.total, OBSERVATIONS - of_code);
    }
    med_search_result none;
    (void)kit_search(k, "Observation?status:not=final&_total=accurate", &none);
    assert_int_equal(none.total, 0);
    kit_put(k, "{'resourceType':'Observation','id':'draft','status':'preliminary'}");
    (void)kit_search(k, "Observation?status:not=final&_total=accurate", &none);
    assert_int_equal(none.total, 1);
}

/* All pages of a query, each of which is late from its beginning: *early of them ended so. */
static med_str late_pages(struct kit *k, const char *url, size_t *early)
{
    med_err err = {0};
    uint64_t cost;
    med_search_result r;
    med_str page = MED_STR_EMPTY, ids = MED_STR_EMPTY;
    const med_query *q = kit_query(k, url, &err);
    if (q == NULL)
        fail_msg("%s: %s", url, err.text);
    med_view *v = kit_view(k);
    *early = 0;
    do {
        med_search *s = med_search_begin(v, k->arena, q, page, &cost, &err);
        if (s == NULL)
            fail_msg("%s: %s", url, err.text);
        med_search_bound(s, 1);
        if (!med_search_end(k->schema, s, &r, &err))
            fail_msg("%s: %s", url, err.text);
        for (size_t i = 0; i < r.n; i++)
            ids = med_arena_printf(k->arena, "%.*s%s%.*s", MED_STR_ARG(ids), ids.len > 0 ? "," : "",
                                   MED_STR_ARG(r.entries[i].resource.id));
        *early += r.early;
        assert_true(!r.early || r.next.len > 0);
        page = r.next;
    } while (page.len > 0);
    med_view_end(v);
    return ids;
}

/* A page that takes too long ends before it is full, perhaps with nothing: all of them together
 * are what one without hurry is, in the same order, whatever drives. */
static void late_pages_lose_nothing(void **state)
{
    static const struct {
        const char *url;
        bool early; /* does any page end so? Of 64 candidates or less none does */
    } asked[] = {
        {"Observation?date:missing=true", true},
        {"Observation?category:not=lab&date:missing=true", true},
        {"Observation?code:not=c0&status=final&_sort=-date", true},
        {"Observation?date=ge2020-01-01&category:not=vital&value-quantity=7", true},
        {"Observation?value-quantity=gt3&code:not=c0&category=vital", true},
        {"Patient?name:contains=mily39", true},
        {"Patient?name=fam&given:contains=ven3", true},
        {"Observation?patient=p7&date=ge2020-01-01", false},
        {"Patient?_id=p7,p8", false},
    };
    struct kit *k = *state;
    put_all(k, "Patient", PATIENTS);
    put_all(k, "Observation", OBSERVATIONS);
    for (size_t i = 0; i < COUNT(asked); i++) {
        size_t early;
        med_arena_reset(k->arena);
        med_str all =
            kit_search(k, med_arena_printf(k->arena, "%s&_count=1000", asked[i].url).ptr, NULL);
        med_str pages =
            late_pages(k, med_arena_printf(k->arena, "%s&_count=50", asked[i].url).ptr, &early);
        if (!med_str_eq(all, pages) || (early > 0) != asked[i].early)
            fail_msg("%s: %zu early; %.*s; expected %.*s", asked[i].url, early, MED_STR_ARG(pages),
                     MED_STR_ARG(all));
    }
}

int main(void)
{
#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        IN_STORE(plans_stay),
        IN_STORE(a_practitioners_day_costs_what_it_has),
        IN_STORE(plans_are_the_same_before_and_after_a_merge),
        IN_STORE(what_lists_would_serve_is_priced_without_them),
        IN_STORE(missing_is_priced_as_a_walk),
        IN_STORE(who_lacks_a_value_is_found_behind_all_others),
        IN_STORE(a_plan_that_disappoints_is_changed),
        IN_STORE(what_is_probed_often_is_read_as_a_whole),
        IN_STORE(late_pages_lose_nothing),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
