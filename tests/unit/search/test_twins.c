/* One history written to a store in SQLite and to one in PostgreSQL, and the same questions to
 * both: ids, their order, page by page, totals, includes and the history itself are equal. The
 * histories and the questions are generated. Skipped where MEDULLA_TEST_STORE is not postgres. */
#include "kit.h"

enum { PATIENTS = 30, OBSERVATIONS = 160, WRITES = 300, ASKED = 300, PAST = 60, LONG = 20 };

static uint64_t first_seed = 20261122;
static int times = 1;

struct twins {
    struct kit *k[2]; /* SQLite, PostgreSQL */
    uint64_t seed;
    int64_t began, moment; /* the clock of both */
    int64_t skipped;       /* by the monotonic one */
    int found;             /* questions with an answer */
    uint64_t versions;     /* seen in histories */
};

static uint64_t next(struct twins *t) /* splitmix64 */
{
    uint64_t z = (t->seed += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static int below(struct twins *t, int n)
{
    return (int)(next(t) % (uint64_t)n);
}

static bool often(struct twins *t, int percent)
{
    return below(t, 100) < percent;
}

#define PICK(t, table) (table)[below(t, (int)COUNT(table))]

static const char *const families[] = {"Smith",   "Sm\xc3\xaeth",  "Novak",      "Novakova",
                                       "O Brien", "\xc3\x98rsted", "de la Cruz", "A"};
static const char *const givens[] = {"Anna", "Ann", "Bo", "Zo\xc3\xab", "Jan"};
static const char *const genders[] = {"male", "female", "other"};
static const char *const days[] = {"1970", "1970-05", "1970-05-06", "1980-01-01", "2001-12-31"};
static const char *const moments[] = {"2020",
                                      "2020-03",
                                      "2020-03-01",
                                      "2020-03-01T10:00:00Z",
                                      "2020-03-01T10:00:00.123+02:00",
                                      "2021-07-15",
                                      "2024-02-29T23:59:59Z"};
static const char *const codes[] = {"urn:l|hb", "urn:l|na", "urn:k|hb", "urn:k|x", "|y", "urn:m|"};
static const char *const units[] = {"mg", "g", "kg", "mmol/L", "/min"};
static const char *const prefixes[] = {"", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};

static const char *const said[] = {"haemo", "sodium", "blood", "smi",  "urn",  "2020",
                                   "final", "amend",  "anna",  "1970", "other"};
static const char *const parts[] = {"mit", "ova", "a", "cruz", "sm%C3%AEth", "rst", "o%20b", "zzz"};

static const char *text_of(struct twins *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *text_of(struct twins *t, const char *format, ...)
{
    char text[2000];
    med_str kept;
    va_list words;
    va_start(words, format);
    int n = vsnprintf(text, sizeof text, format, words);
    va_end(words);
    assert_true(n >= 0 && (size_t)n < sizeof text);
    assert_true(med_arena_copy(t->k[0]->arena, (med_str){text, (size_t)n + 1}, &kept));
    return kept.ptr;
}

/* ---- histories ---- */

static const char *a_patient(struct twins *t, int i)
{
    return text_of(t,
                   "{'resourceType':'Patient','id':'p%d','identifier':[{'system':'urn:i','value':"
                   "'%d'}],'name':[{'family':\"%s\",'given':['%s']}%s],'gender':'%s','birthDate':"
                   "'%s'%s}",
                   i, below(t, 40), PICK(t, families), PICK(t, givens),
                   often(t, 30) ? ",{'text':'Smithers'}" : "", PICK(t, genders), PICK(t, days),
                   often(t, 20) ? ",'link':[{'other':{'reference':'Patient/p1'},'type':'seealso'}]"
                                : "");
}

static const char *a_coding(struct twins *t)
{
    const char *token = PICK(t, codes);
    const char *bar = strchr(token, '|');
    int system = (int)(bar - token);
    return text_of(t, "{%s%.*s%s'code':'%s','display':'%s'}", system > 0 ? "'system':'" : "",
                   system, token, system > 0 ? "'," : "", bar[1] != '\0' ? bar + 1 : "z",
                   often(t, 50) ? "Haemoglobin" : "Sodium");
}

static const char *an_observation(struct twins *t, int i)
{
    const char *second = often(t, 30) ? text_of(t, ",%s", a_coding(t)) : "";
    const char *subject =
        often(t, 90) ? text_of(t, "'subject':{'reference':'Patient/p%d'},", below(t, PATIENTS + 3))
                     : "";
    const char *when =
        often(t, 85) ? text_of(t, "'effectiveDateTime':'%s',", PICK(t, moments)) : "";
    const char *value = often(t, 70) ? text_of(t,
                                               "'valueQuantity':{'value':%d.%d,'unit':'x','system':"
                                               "'http://unitsofmeasure.org','code':'%s'},",
                                               below(t, 300), below(t, 10), PICK(t, units))
                                     : "";
    const char *member = often(t, 10) ? text_of(t, "'hasMember':[{'reference':'Observation/o%d'}],",
                                                below(t, OBSERVATIONS))
                                      : "";
    return text_of(t,
                   "{'resourceType':'Observation','id':'o%d',%s%s%s%s'status':'%s',"
                   "'code':{'coding':[%s%s],'text':'%s'}}",
                   i, subject, when, value, member, often(t, 80) ? "final" : "amended", a_coding(t),
                   second, often(t, 50) ? "in blood" : "measured");
}

static int64_t twins_now(void *twins)
{
    return ((const struct twins *)twins)->moment;
}

static int64_t twins_monotonic(void *twins)
{
    return med_monotonic(&med_clock_system) + ((const struct twins *)twins)->skipped;
}

static void put(struct twins *t, const char *json)
{
    for (int i = 0; i < 2; i++)
        kit_put(t->k[i], json);
}

static void write_some(struct twins *t, int n)
{
    for (int i = 0; i < n; i++) {
        med_arena_reset(t->k[0]->arena);
        med_arena_reset(t->k[1]->arena);
        t->moment += below(t, 3) * INT64_C(40000000000) + below(t, 1000000);
        bool patient = often(t, 15);
        int at = below(t, patient ? PATIENTS : OBSERVATIONS);
        if (often(t, 12)) {
            const char *id = text_of(t, "%c%d", patient ? 'p' : 'o', at);
            for (int k = 0; k < 2; k++)
                kit_delete(t->k[k], patient ? "Patient" : "Observation", id);
        } else {
            put(t, patient ? a_patient(t, at) : an_observation(t, at));
        }
    }
}

/* ---- questions ---- */

static const char *a_date_question(struct twins *t, const char *param)
{
    return text_of(t, "%s=%s%s", param, PICK(t, prefixes),
                   param[0] == 'b' ? PICK(t, days)
                   : often(t, 50)  ? "2020-03"
                                   : "2020-03-01");
}

static const char *observation_part(struct twins *t)
{
    switch (below(t, 22)) {
    case 0:
        return text_of(t, "code=%s", PICK(t, codes));
    case 1:
        return text_of(t, "code=hb,%s", PICK(t, codes));
    case 2:
        return text_of(t, "code:not=%s", PICK(t, codes));
    case 3:
        return text_of(t, "patient=p%d", below(t, PATIENTS + 3));
    case 4:
        return text_of(t, "subject=Patient/p%d,Patient/p%d", below(t, PATIENTS),
                       below(t, PATIENTS));
    case 5:
        return a_date_question(t, "date");
    case 6:
        return text_of(t, "value-quantity=%s%d|http://unitsofmeasure.org|%s", PICK(t, prefixes),
                       below(t, 300), PICK(t, units));
    case 7:
        return text_of(t, "patient.name=%s", often(t, 50) ? "smi" : "nov");
    case 8:
        return text_of(t, "patient.gender=%s", PICK(t, genders));
    case 9:
        return text_of(t, "_id=o%d,o%d,o%d", below(t, OBSERVATIONS), below(t, OBSERVATIONS),
                       below(t, OBSERVATIONS));
    case 10:
        return text_of(t, "date:missing=%s", often(t, 50) ? "true" : "false");
    case 11:
        return text_of(t, "code:text=%s", often(t, 50) ? "haemo" : "measured");
    case 12:
        return text_of(t, "has-member=Observation/o%d", below(t, OBSERVATIONS));
    case 13:
        return text_of(t, "code-value-quantity=%s$gt%d", often(t, 50) ? "urn:l|hb" : "urn:k|x",
                       below(t, 200));
    case 14:
        return "status=final";
    case 15:
        return text_of(t, "_content=%s", PICK(t, said));
    case 16:
        return text_of(t, "_content=%s%%20%s", PICK(t, said), PICK(t, said));
    case 17:
        return text_of(t, "patient.name:contains=%s", PICK(t, parts));
    case 18:
        return text_of(t, "_filter=code%%20eq%%20%s%%20or%%20date%%20lt%%202021", PICK(t, codes));
    case 19:
        return text_of(t, "_has:Observation:has-member:code=%s", PICK(t, codes));
    case 20:
        return text_of(t, "_lastUpdated=%s%s", PICK(t, prefixes), PICK(t, moments));
    default:
        return text_of(t, "patient.identifier=urn:i|%d", below(t, 40));
    }
}

static const char *patient_part(struct twins *t)
{
    switch (below(t, 13)) {
    case 0:
        return text_of(t, "name=%s", often(t, 50) ? "sm" : "nov");
    case 1:
        return text_of(t, "family:exact=%s", PICK(t, families));
    case 2:
        return text_of(t, "name:contains=%s", PICK(t, parts));
    case 3:
        return text_of(t, "gender=%s", PICK(t, genders));
    case 4:
        return a_date_question(t, "birthdate");
    case 5:
        return text_of(t, "identifier=urn:i|%d", below(t, 40));
    case 6:
        return text_of(t, "_has:Observation:patient:code=%s", PICK(t, codes));
    case 7:
        return text_of(t, "link=Patient/p%d", below(t, 3));
    case 8:
        return text_of(t, "given=%s", often(t, 50) ? "ann" : "zoe");
    case 9:
        return text_of(t, "_content=%s", PICK(t, said));
    case 10:
        return text_of(t, "_filter=family%%20co%%20%%22%s%%22", PICK(t, parts));
    case 11:
        return text_of(t, "_has:Observation:subject:_content=%s", PICK(t, said));
    default:
        return text_of(t, "_id=p%d,p%d", below(t, PATIENTS), below(t, PATIENTS));
    }
}

static const char *a_question(struct twins *t)
{
    static const int pages[] = {1, 3, 20, 1000};
    static const char *const sorts[] = {
        "", "", "&_sort=date", "&_sort=-date", "&_sort=-_lastUpdated", "&_sort=_id"};
    static const char *const patient_sorts[] = {"", "&_sort=birthdate", "&_sort=family,-birthdate",
                                                "&_sort=-_id"};
    static const char *const includes[] = {"", "", "&_include=Observation:subject",
                                           "&_include=Observation:has-member"};
    bool patient = often(t, 30);
    const char *url = patient ? "Patient?" : "Observation?";
    for (int n = below(t, 3) + (often(t, 90) ? 1 : 0); n > 0; n--)
        url = text_of(t, "%s%s&", url, patient ? patient_part(t) : observation_part(t));
    return text_of(t, "%s_count=%d&_total=accurate%s%s", url, PICK(t, pages),
                   patient ? PICK(t, patient_sorts) : PICK(t, sorts),
                   patient ? (often(t, 20) ? "&_revinclude=Observation:subject" : "")
                           : PICK(t, includes));
}

/* Also the same refusal, where the question is one that is refused. */
static void ask_both(struct twins *t, int number)
{
    med_search_result first[2];
    med_str ids[2];
    med_err err[2] = {{0}, {0}};
    med_arena_reset(t->k[0]->arena);
    med_arena_reset(t->k[1]->arena);
    const char *url = a_question(t);
    bool parsed = kit_query(t->k[0], url, &err[0]) != NULL;
    assert_int_equal(parsed, kit_query(t->k[1], url, &err[1]) != NULL);
    if (!parsed) {
        assert_string_equal(err[0].text, err[1].text);
        return;
    }
    for (int i = 0; i < 2; i++)
        ids[i] = kit_search(t->k[i], url, &first[i]);
    if (!med_str_eq(ids[0], ids[1]) || first[0].total != first[1].total)
        fail_msg("question %d, %s: %d in SQLite: %.*s; %d in PostgreSQL: %.*s", number, url,
                 (int)first[0].total, MED_STR_ARG(ids[0]), (int)first[1].total,
                 MED_STR_ARG(ids[1]));
    t->found += ids[0].len > 0;
}

/* ---- the history ---- */

static void same_page(const med_stored *a, const med_stored *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(a[i].t, b[i].t);
        assert_int_equal(a[i].updated, b[i].updated);
        assert_int_equal(a[i].version, b[i].version);
        assert_int_equal(a[i].change, b[i].change);
        assert_true(med_str_eq(a[i].id, b[i].id));
        assert_true(med_str_eq(a[i].text, b[i].text));
    }
}

/* What a question about the past means in one of the stores: their numbers may differ. */
static med_history in_store(struct kit *k, med_view *v, const char *type, const char *id,
                            med_history q)
{
    med_err err = {0};
    if (type == NULL)
        return q;
    med_str name = med_str_from(type);
    if (id == NULL)
        q.type = med_schema_type(k->schema, med_pack_type(med_pack_core(), name));
    else if (!med_view_rid(v, med_store_ident(k->store, name, med_str_from(id)), &q.rid, &err))
        fail_msg("%s", err.text);
    return q;
}

/* The same to both, page by page: of all, of a type or of a resource, in a time or ever. */
static void same_history(struct twins *t, const char *type, const char *id, med_history q)
{
    med_history at[2];
    med_view *v[2];
    med_stored *page[2];
    size_t n[2];
    uint64_t total[2], seen = 0;
    med_err err = {0};
    for (int i = 0; i < 2; i++) {
        med_arena_reset(t->k[i]->arena);
        v[i] = kit_view(t->k[i]);
        at[i] = in_store(t->k[i], v[i], type, id, q);
        if (!med_view_history_count(v[i], &at[i], &total[i], &err))
            fail_msg("%s", err.text);
    }
    assert_int_equal(total[0], total[1]);
    do {
        for (int i = 0; i < 2; i++) {
            if (!med_view_history(v[i], t->k[i]->arena, &at[i], &page[i], &n[i], &err))
                fail_msg("%s", err.text);
        }
        assert_int_equal(n[0], n[1]);
        same_page(page[0], page[1], n[0]);
        for (int i = 0; i < 2 && n[0] > 0; i++) {
            at[i].after_t = page[i][n[0] - 1].t;
            at[i].after_rid = page[i][n[0] - 1].rid;
        }
        seen += n[0];
    } while (n[0] == q.limit);
    assert_int_equal(seen, total[0]);
    for (int i = 0; i < 2; i++)
        med_view_end(v[i]);
    t->versions += seen;
}

static int64_t a_moment(struct twins *t)
{
    enum { PARTS = 1000 };
    return t->began + below(t, PARTS) * ((t->moment - t->began) / PARTS);
}

static void ask_about_the_past(struct twins *t)
{
    static const size_t pages[] = {1, 7, 100, 100000};
    med_history q = {.since = MED_TIME_MIN, .until = MED_TIME_MAX, .text = true};
    char id[16];
    bool patient = often(t, 30), of_type = often(t, 60), of_one = of_type && often(t, 60);
    (void)snprintf(id, sizeof id, "%c%d", patient ? 'p' : 'o',
                   below(t, patient ? PATIENTS : OBSERVATIONS));
    q.limit = of_one ? PICK(t, pages) : pages[2];
    q.oldest_first = often(t, 40);
    if (often(t, 30))
        q.since = a_moment(t);
    if (often(t, 30))
        q.until = a_moment(t);
    same_history(t, !of_type ? NULL : patient ? "Patient" : "Observation", of_one ? id : NULL, q);
}

/* In both or in none: what drives, and so the order of what is not sorted, follows from it. */
static void make_lists(struct twins *t)
{
    bool make = often(t, 50);
    for (int i = 0; make && i < 2; i++)
        kit_list(t->k[i]);
}

static void answers_are_equal(void **state)
{
    struct twins *t = *state;
    if (t == NULL) {
        skip();
        return;
    }
    t->seed = first_seed;
    t->began = t->moment = INT64_C(1575158400000000); /* December 2019 */
    for (int i = 0; i < 2; i++)
        t->k[i]->clock = (med_clock){twins_now, twins_monotonic, t};
    print_message("seed %llu\n", (unsigned long long)t->seed);
    for (int round = 0; round < 3 * times; round++) {
        write_some(t, WRITES / 3);
        make_lists(t);
        t->skipped += INT64_C(60000000); /* what a plan rests on is as new in both */
        for (int i = 0; i < ASKED / 3; i++)
            ask_both(t, round * ASKED / 3 + i);
        for (int i = 0; i < PAST / 3; i++)
            ask_about_the_past(t);
    }
    print_message("%d of %d questions found something; %d about the past saw %lu versions\n",
                  t->found, ASKED * times, PAST * times, (unsigned long)t->versions);
    assert_true(t->found > ASKED * times / 4);
}

static int open_twins(void **state)
{
    const char *which = getenv("MEDULLA_TEST_STORE");
    *state = NULL;
    if (which == NULL || strcmp(which, "postgres") != 0)
        return 0;
    struct twins *t = calloc(1, sizeof *t);
    assert_non_null(t);
    for (int i = 0; i < 2; i++)
        t->k[i] = kit_new(i == 1);
    *state = t;
    return 0;
}

static int close_twins(void **state)
{
    struct twins *t = *state;
    for (int i = 0; t != NULL && i < 2; i++)
        kit_free(t->k[i]);
    free(t);
    return 0;
}

/* test_search_twins [SEED]; MEDULLA_LONG=1: twenty times as many writes and questions. */
int main(int n, char **words)
{
    const char *is_long = getenv("MEDULLA_LONG");
    int64_t seed;
    if (n > 1 && med_str_to_int64(med_str_from(words[1]), &seed) && seed > 0)
        first_seed = (uint64_t)seed;
    if (is_long != NULL && is_long[0] == '1')
        times = LONG;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_equal, open_twins, close_twins),
    };
    return cmocka_run_group_tests_name("twins", tests, NULL, NULL);
}
