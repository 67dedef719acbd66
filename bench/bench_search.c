/* bench_search.c - what a search costs: processor time of each question, without HTTP.
 *
 *     build/bench/bench_search DIRECTORY [QUESTION]
 *
 * Opens the store in DIRECTORY (made by `medulla demo --data DIRECTORY` or an import, and not
 * served now), fills the questions below with values of resources it finds there, and runs each
 * for some time. Prints for each: microseconds of processor time, the planner's estimate, the
 * plan, matches on the page and the total. QUESTION picks those whose name contains it; one that
 * has a '?' is asked as it stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "search/search.h"
#include "store/sqlite/sqlite.h"

enum { SAMPLES = 50, BUDGET = 400000 /* microseconds a question */ };

/* {Type:path} is a value of the sampled resource of that type; {Type:path:n} its first n bytes. */
static const struct {
    const char *name, *url;
} questions[] = {
    {"id", "Patient?_id={Patient:id}"},
    {"identifier", "Patient?identifier={Patient:identifier.0.system}|{Patient:identifier.0.value}"},
    {"family+given+birthdate", "Patient?family={Patient:name.0.family}&given="
                               "{Patient:name.0.given.0}&birthdate={Patient:birthDate}"},
    {"name prefix", "Patient?name={Patient:name.0.family:3}"},
    {"name:contains", "Patient?name:contains={Patient:name.0.family:4}"},
    {"city+birthdate",
     "Patient?address-city={Patient:address.0.city}&birthdate={Patient:birthDate}"},
    {"patient+code -date", "Observation?patient={Observation:subject.reference}&code="
                           "{Observation:code.coding.0.code}&_sort=-date"},
    {"patient+system|code", "Observation?patient={Observation:subject.reference}&code="
                            "{Observation:code.coding.0.system}|{Observation:code.coding.0.code}"},
    {"patient+category+date",
     "Observation?patient={Observation:subject.reference}&category="
     "{Observation:category.0.coding.0.code}&date=ge2015-01-01&_sort=-date"},
    {"patient newest", "Observation?patient={Observation:subject.reference}&_sort=-date"},
    {"patient", "Observation?patient={Observation:subject.reference}"},
    {"patient+status include",
     "MedicationRequest?patient={MedicationRequest:subject.reference}&status=active&_include="
     "MedicationRequest:medication&_include=MedicationRequest:requester"},
    {"encounter revinclude", "Encounter?patient={Encounter:subject.reference}&_revinclude="
                             "Condition:encounter&_revinclude=Observation:encounter"},
    {"condition patient+code", "Condition?patient={Condition:subject.reference}&code="
                               "{Condition:code.coding.0.code}"},
    {"practitioner+date", "Appointment?practitioner={PractitionerRole:practitioner.reference}"
                          "&date=ge2026-01-01"},
    {"owner+status", "Task?owner={Task:owner.reference}&status=requested"},
    {"patient+pair", "Observation?patient={Observation:subject.reference}&code-value-quantity="
                     "{Observation:code.coding.0.code}$gt1"},
    {"chain identifier+code", "Observation?patient.identifier={Patient:identifier.0.value}&code="
                              "{Observation:code.coding.0.code}"},
    {"document patient+type", "DocumentReference?patient={DocumentReference:subject.reference}"
                              "&type={DocumentReference:type.coding.0.code}"},
    {"code", "Observation?code={Observation:code.coding.0.code}"},
    {"code -date", "Observation?code={Observation:code.coding.0.code}&_sort=-date"},
    {"code count", "Observation?code={Observation:code.coding.0.code}&_summary=count"},
    {"day", "Observation?date={Observation:effectiveDateTime:10}"},
    {"quarter", "Observation?date=ge2025-01-01&date=lt2025-04-01"},
    {"since", "Observation?date=ge2020-01-01"},
    {"newest", "Observation?_sort=-date"},
    {"pair", "Observation?code-value-quantity={Observation:code.coding.0.code}$gt1"},
    {"quantity", "Observation?value-quantity=gt100"},
    {"has code", "Patient?_has:Condition:patient:code={Condition:code.coding.0.code}"},
    {"has observation", "Patient?_has:Observation:patient:code={Observation:code.coding.0.code}"},
    {"chain name", "Observation?patient.name={Patient:name.0.family:3}"},
    {"chain rare name", "Observation?patient.name={Patient:name.0.family}"},
    {"revinclude", "Patient?_id={Observation:subject.reference:}&_revinclude=Observation:patient"},
    {"include", "MedicationRequest?authoredon=ge2020-01-01&_include=MedicationRequest:patient"},
    {"status", "Observation?status=final"},
    {"status+day", "Observation?status=final&date={Observation:effectiveDateTime:10}"},
    {"code+day", "Observation?code={Observation:code.coding.0.code}&date="
                 "{Observation:effectiveDateTime:10}"},
    {"gender+year", "Patient?gender=female&birthdate=1980"},
    {"code:not", "Observation?code:not={Observation:code.coding.0.code}"},
    {"missing", "Observation?date:missing=true"},
    {"has total", "Patient?_has:Condition:patient:code={Condition:code.coding.0.code}"
                  "&_total=accurate"},
    {"chain total", "Observation?patient.name={Patient:name.0.family:3}&_total=accurate"},
    {"day total", "Observation?date={Observation:effectiveDateTime:10}&_total=accurate"},
};

struct bench {
    med_store *store;
    med_view *view;
    med_arena *forever, *arena;
    const med_search_schema *schema;
    struct sample {
        char type[40];
        med_json json[SAMPLES];
        size_t n;
    } samples[16];
    size_t n_samples;
};

static double cpu(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what, const med_err *err)
{
    (void)fprintf(stderr, "bench_search: %s: %s\n", what, err->text);
    exit(1);
}

static const med_query *parse(struct bench *b, med_arena *a, med_str url)
{
    med_err err = {0};
    med_str query, type = med_str_cut(url, '?', &query);
    med_pairs pairs;
    const med_query *q = NULL;
    const med_search_options options = {.strict = true,
                                        .base = MED_STR("http://localhost/fhir"),
                                        .now = med_now(&med_clock_system),
                                        .default_count = 20,
                                        .max_count = 1000};
    if (!med_query_parse(a, query, &pairs, &err)
        || !med_query_parse_search(b->schema, a, med_pack_type(med_pack_core(), type), &pairs,
                                   false, &options, &q, &err)) {
        (void)fprintf(stderr, "%.*s\n", MED_STR_ARG(url));
        die("question", &err);
    }
    return q;
}

static struct sample *sample_of(struct bench *b, med_str type)
{
    for (size_t i = 0; i < b->n_samples; i++) {
        if (med_str_eqz(type, b->samples[i].type))
            return &b->samples[i];
    }
    struct sample *s = &b->samples[b->n_samples++];
    (void)snprintf(s->type, sizeof s->type, "%.*s", MED_STR_ARG(type));
    med_err err = {0};
    med_search_result result;
    med_str page = MED_STR_EMPTY;
    const med_query *q =
        parse(b, b->forever, med_arena_printf(b->forever, "%.*s?_count=400", MED_STR_ARG(type)));
    if (!med_search_run(b->schema, b->view, b->forever, q, page, &result, &err))
        die("sample", &err);
    size_t step = result.n / SAMPLES + 1;
    for (size_t i = 0; i < result.n && s->n < SAMPLES; i += step) {
        if (!med_json_parse(b->forever, result.entries[i].resource.text, &s->json[s->n++], NULL,
                            &err))
            die("sample", &err);
    }
    return s;
}

/* "name.0.family" */
static med_str value_at(const med_json *j, med_str path)
{
    uint32_t node = 0;
    while (path.len > 0) {
        int64_t index;
        med_str name = med_str_cut(path, '.', &path);
        if (!med_str_to_int64(name, &index)) {
            node = med_json_member(j, node, name);
        } else {
            uint32_t e = node + 1, end = j->nodes[node].next;
            for (; index > 0 && e < end; index--)
                e = j->nodes[e].next;
            node = e < end ? e : 0;
        }
        if (node == 0)
            return MED_STR_EMPTY;
    }
    return med_json_raw(j, node);
}

/* Whole characters, n bytes or a few more. */
static med_str first_bytes(med_str s, size_t n)
{
    while (n < s.len && ((unsigned char)s.ptr[n] & 0xC0) == 0x80)
        n++;
    return med_str_sub(s, 0, n);
}

/* False when the sample lacks a value. */
static bool fill(struct bench *b, const char *url, size_t round, med_str *out)
{
    med_str rest = med_str_from(url);
    *out = MED_STR_EMPTY;
    while (rest.len > 0) {
        med_str inside, path, cut;
        med_str plain = med_str_cut(rest, '{', &rest);
        inside = med_str_cut(rest, '}', &rest);
        med_str type = med_str_cut(inside, ':', &path);
        bool has_cut = med_str_find(path, ':', 0) < path.len;
        path = med_str_cut(path, ':', &cut);
        med_str value = MED_STR_EMPTY;
        if (inside.len > 0) {
            const struct sample *s = sample_of(b, type);
            value = s->n == 0 ? value : value_at(&s->json[round % s->n], path);
            if (value.len == 0)
                return false;
            int64_t n = 0;
            if (has_cut && cut.len == 0) /* the id of a reference */
                (void)med_str_cut(value, '/', &value);
            else if (has_cut && med_str_to_int64(cut, &n))
                value = first_bytes(value, (size_t)n);
            if (!med_percent_encode(b->arena, value, &value))
                return false;
        }
        *out = med_arena_printf(b->arena, "%.*s%.*s%.*s", MED_STR_ARG(*out), MED_STR_ARG(plain),
                                MED_STR_ARG(value));
    }
    return true;
}

static void ask(struct bench *b, const char *name, const char *url)
{
    med_err err = {0};
    double began = cpu(), used = 0, worst = 0, price = 0;
    size_t runs = 0, matches = 0;
    uint64_t total = 0;
    med_search_plan plan = {.driver = MED_STR("nothing to ask")};
    for (size_t round = 0; cpu() - began < BUDGET && round < 20000; round++) {
        med_str filled;
        med_search_result result;
        med_arena_reset(b->arena);
        if (!fill(b, url, round, &filled))
            continue;
        const med_query *q = parse(b, b->arena, filled);
        double start = cpu();
        uint64_t cost = med_query_cost(b->schema, b->view, q);
        price += cpu() - start;
        start = cpu();
        if (!med_search_run(b->schema, b->view, b->arena, q, MED_STR_EMPTY, &result, &err))
            die(filled.ptr, &err);
        double one = cpu() - start;
        used += one;
        worst = one > worst ? one : worst;
        runs++;
        matches += result.n;
        total = result.has_total ? result.total : 0;
        if (!med_query_plan(b->schema, b->view, b->arena, q, &plan, &err))
            die(filled.ptr, &err);
        plan.cost = cost;
    }
    double n = runs > 0 ? (double)runs : 1;
    printf("%-24s %9.1f us (worst %8.0f), estimate %8llu (%5.1f us)  %6.1f matches, total %-7llu "
           "%.*s\n",
           name, used / n, worst, (unsigned long long)plan.cost, price / n, (double)matches / n,
           (unsigned long long)total, MED_STR_ARG(plan.driver));
    (void)fflush(stdout);
}

int main(int n, char **words)
{
    struct bench b = {0};
    med_err err = {0};
    const char *wanted = n > 2 ? words[2] : "";
    if (n < 2)
        return fputs("usage: bench_search DIRECTORY [QUESTION]\n", stderr), 2;
    b.forever = med_arena_new((size_t)1 << 30);
    b.arena = med_arena_new((size_t)1 << 30);
    med_sqlite_options options = {.data = med_str_from(words[1]), .cache_reader = (size_t)64 << 20};
    if (!med_dictionaries_shipped(b.forever, &options.dictionaries, &options.n_dictionaries, &err))
        die("dictionaries", &err);
    b.store = med_sqlite_open(&options, &err);
    if (b.store == NULL)
        die(words[1], &err);
    if (!med_search_schema_new(b.forever, med_pack_core(), b.store, &b.schema, &err))
        die("schema", &err);
    b.view = med_store_view(b.store, 0, INT64_MAX, &err);
    if (b.view == NULL)
        die("view", &err);
    bool asked = strchr(wanted, '?') != NULL;
    if (asked)
        ask(&b, "asked", wanted);
    for (size_t i = 0; !asked && i < sizeof questions / sizeof *questions; i++) {
        if (strstr(questions[i].name, wanted) != NULL)
            ask(&b, questions[i].name, questions[i].url);
    }
    med_view_end(b.view);
    med_store_close(b.store);
    med_arena_free(b.arena);
    med_arena_free(b.forever);
    return 0;
}
