/* family_read.c - reads by id, and the search families.
 * https://hl7.org/fhir/R4/http.html#read https://hl7.org/fhir/R4/search.html */
#include "base/mem.h"
#include "bench/run.h"

#define READ_RATIO 0.6
#define TOKEN_PATIENT_RATE 12000

void med_path_work_init(med_path_work *w, const med_target *target, const med_str *paths, size_t n,
                        unsigned connections)
{
    *w = (med_path_work){.target = target, .paths = paths, .n = n};
    for (unsigned i = 0; i < connections; i++)
        w->at[i] = n * i / connections;
}

bool med_path_work_next(void *self, unsigned connection, med_buf *out)
{
    med_path_work *w = self;
    size_t *at = &w->at[connection];
    med_target_request(w->target, "GET", w->paths[*at], MED_STR_EMPTY, MED_STR_EMPTY, out);
    *at = *at + 1 < w->n ? *at + 1 : 0;
    return true;
}

/* ---- reads ---- */

typedef struct pair_of_loads {
    med_load_result ours[MED_BENCH_ROUNDS], constant[MED_BENCH_ROUNDS];
} pair_of_loads;

/* Rounds of both take turns, so that what disturbs the machine disturbs both. */
static bool measure_reads(med_bench *b, unsigned connections, pair_of_loads *p, med_err *err)
{
    med_path_work ours, constant;
    med_path_work_init(&ours, &b->target, b->reads, b->n_reads, connections);
    med_path_work_init(&constant, &b->constant, b->reads, b->n_reads, connections);
    const med_load_work a = {med_path_work_next, NULL, &ours};
    const med_load_work c = {med_path_work_next, NULL, &constant};
    bool ok = med_bench_warm(b, &b->target, connections, &a, err);
    for (unsigned i = 0; ok && i < b->options->rounds; i++)
        ok = med_bench_load(b, &b->constant, b->constant_server, connections, b->options->seconds,
                            &c, &p->constant[i], err)
             && med_bench_load(b, &b->target, b->watched, connections, b->options->seconds, &a,
                               &p->ours[i], err);
    return ok;
}

static bool add_reads(med_bench *b, unsigned connections, const pair_of_loads *p, med_err *err)
{
    med_figure constant = med_figure_of_rounds(p->constant, b->options->rounds);
    med_figure f = med_figure_of_rounds(p->ours, b->options->rounds);
    f.family = "read";
    f.key = connections == 1 ? "read-1" : "read";
    f.connections = connections;
    f.name = med_arena_printf(b->arena, "read by id, %u connection%s", connections,
                              connections == 1 ? "" : "s");
    f.reference = "/s constant answer";
    f.reference_value = constant.value;
    if (constant.server_cpu_us > 0)
        f.note = med_arena_printf(b->arena,
                                  "processor time of the constant answer: %.1f us a request; %zu "
                                  "resources are read",
                                  constant.server_cpu_us, b->n_reads);
    if (connections >= MED_BENCH_SEARCH_CONNECTIONS)
        f.goals[0] = (med_goal){MED_GOAL_RATIO, true, READ_RATIO};
    return med_bench_add(b, &f, err);
}

bool med_bench_read(med_bench *b, med_err *err)
{
    const unsigned counts[] = {1, 64};
    const unsigned *connections = counts;
    size_t n = sizeof counts / sizeof *counts;
    pair_of_loads *p = MED_NEW(1, pair_of_loads);
    bool ok = p != NULL ? true : MED_FAIL_MEMORY(err);
    if (b->options->connections > 0) {
        connections = &b->options->connections;
        n = 1;
    }
    for (size_t i = 0; ok && i < n; i++)
        ok = measure_reads(b, connections[i], p, err) && add_reads(b, connections[i], p, err);
    med_free(p);
    return ok;
}

/* ---- searches ---- */

/* What the first answers of a family look like: the rate of empty answers says nothing. */
typedef struct first_answers {
    unsigned asked, empty;
    double entries; /* of all */
} first_answers;

static bool look_at_answers(med_bench *b, const med_str *queries, size_t n, first_answers *out,
                            med_err *err)
{
    med_reply reply = {0};
    med_json j;
    med_err unused;
    *out = (first_answers){0};
    for (size_t i = 0; i < n; i++) {
        med_arena *a = med_arena_new((size_t)1 << 30);
        bool ok = a != NULL ? med_ask(&b->asker, "GET", queries[i], MED_STR_EMPTY, MED_STR_EMPTY,
                                      &reply, err)
                            : MED_FAIL_MEMORY(err);
        uint32_t entry = 0, total = 0;
        if (ok && reply.status == 200 && med_json_parse(a, reply.body, &j, NULL, &unused)) {
            entry = med_json_member(&j, 0, MED_STR("entry"));
            total = med_json_member(&j, 0, MED_STR("total"));
            out->entries += entry > 0 ? j.nodes[entry].count : 0;
            out->empty += entry == 0 && (total == 0 || med_str_eqz(med_json_raw(&j, total), "0"));
        }
        out->asked++;
        med_arena_free(a);
        if (!ok)
            return false;
    }
    return true;
}

static bool measure_search(med_bench *b, const med_query_family *q, const med_str *queries,
                           size_t n, med_load_result *rounds, med_err *err)
{
    unsigned connections =
        b->options->connections > 0 ? b->options->connections : MED_BENCH_SEARCH_CONNECTIONS;
    med_path_work w;
    first_answers first;
    med_path_work_init(&w, &b->target, queries, n, connections);
    const med_load_work work = {med_path_work_next, NULL, &w};
    bool ok = look_at_answers(b, queries, n, &first, err)
              && med_bench_warm(b, &b->target, connections, &work, err);
    for (unsigned i = 0; ok && i < b->options->rounds; i++)
        ok = med_bench_load(b, &b->target, b->watched, connections, b->options->seconds, &work,
                            &rounds[i], err);
    if (!ok)
        return false;
    med_figure f = med_figure_of_rounds(rounds, b->options->rounds);
    f.family = "search";
    f.key = q->key;
    f.connections = connections;
    f.name = med_str_from(q->title);
    f.goals[0] = (med_goal){MED_GOAL_P99, false, q->p99_ms};
    if (strcmp(q->key, "patient-code") == 0)
        f.goals[1] = (med_goal){MED_GOAL_VALUE, true, TOKEN_PATIENT_RATE};
    f.note = med_arena_printf(b->arena, "%zu queries, %.1f entries an answer%s", n,
                              first.entries / (double)first.asked,
                              first.empty == first.asked ? "; all answers are empty" : "");
    return med_bench_add(b, &f, err);
}

static bool is_wanted(const med_bench *b, const med_query_family *q)
{
    return med_bench_wants(b, "search")
           || med_bench_wants(b, q->population ? "population" : "selective")
           || med_bench_wants(b, q->key);
}

bool med_bench_search(med_bench *b, med_err *err)
{
    med_load_result *rounds = MED_NEW(MED_BENCH_ROUNDS, med_load_result);
    bool ok = rounds != NULL ? true : MED_FAIL_MEMORY(err);
    for (size_t i = 0; ok && i < med_query_family_count; i++) {
        const med_query_family *q = &med_query_families[i];
        med_str *queries;
        size_t n;
        if (!is_wanted(b, q))
            continue;
        if (!med_query_list(b->arena, &b->samples, q, MED_BENCH_QUERIES, &queries, &n))
            ok = MED_FAIL_MEMORY(err);
        else if (n == 0)
            ok = med_bench_absent(b, "search", q->key, med_str_from(q->title),
                                  MED_STR("no resource was found that the query could be made of"),
                                  err);
        else
            ok = measure_search(b, q, queries, n, rounds, err);
    }
    med_free(rounds);
    return ok;
}
