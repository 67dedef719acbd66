/* family_isolation.c - does a slow question delay a quick one? Reads by id, alone and while slow
 * searches and one large Bundle are under way. */
#include "base/mem.h"
#include "base/thread.h"
#include "bench/run.h"

enum {
    READERS = 8,
    SLOW = 16,
    ENTRY_TEXT = 6000,
    COUNTER_DIGITS = 8,
    OTHERS = 2,
    BESIDE_NICE = 19
};
#define RATIO_MOST 2

/* The slowest of them that the server answers is asked. */
static const char *const slow_queries[] = {
    "Patient?name:contains=a&_count=1000",
    "Patient?_count=500&_revinclude=Observation:patient",
    "Observation?date=ge2000&_sort=-date&_count=1000",
    "Observation?_count=1000&_include=Observation:subject",
    "Encounter?_count=1000&_include=Encounter:subject",
};

static bool find_slow(med_bench *b, med_str *out, double *seconds, med_err *err)
{
    *seconds = 0;
    for (size_t i = 0; i < sizeof slow_queries / sizeof *slow_queries; i++) {
        med_reply reply;
        uint64_t began = med_bench_now();
        if (!med_ask(&b->asker, "GET", med_str_from(slow_queries[i]), MED_STR_EMPTY, MED_STR_EMPTY,
                     &reply, err))
            return false;
        double took = (double)(med_bench_now() - began) / 1e9;
        if (reply.status == 200 && took > *seconds) {
            *seconds = took;
            *out = med_str_from(slow_queries[i]);
        }
    }
    return *seconds > 0 ? true
                        : MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                                   "the server answers none of the slow searches");
}

/* ---- what goes on beside the reads ---- */

typedef struct large_work {
    med_bench *b;
    med_buf text;
} large_work;

static bool next_large(void *self, unsigned connection, med_buf *out)
{
    large_work *w = self;
    (void)connection;
    med_target_request(&w->b->target, "POST", MED_STR_EMPTY, MED_STR_EMPTY, med_buf_str(&w->text),
                       out);
    return !out->failed;
}

typedef struct other {
    med_load_options options;
    med_load_work work;
    med_load_result result;
    bool ok;
} other;

typedef struct beside {
    med_bench *b;
    atomic_bool over;
    med_path_work searches;
    large_work large;
    other others[OTHERS];
    pthread_t threads[OTHERS];
    unsigned started;
} beside;

/* The clients beside stand back: elsewhere they would be on other machines, and it is the server
 * that is to keep them out of the readers' way. Threads that they start inherit it. */
static void *run_other(void *arg)
{
    other *o = arg;
    med_err unused;
    med_thread_step_back(BESIDE_NICE);
    o->ok = med_load_run(&o->options, &o->work, &o->result, &unused);
    return NULL;
}

static bool begin_others(beside *s, med_err *err)
{
    const struct timespec settle = {0, 200000000};
    const med_load_work work[OTHERS] = {{med_path_work_next, NULL, &s->searches},
                                        {next_large, NULL, &s->large}};
    const unsigned connections[OTHERS] = {SLOW, 1};
    atomic_store(&s->over, false);
    for (s->started = 0; s->started < OTHERS; s->started++) {
        other *o = &s->others[s->started];
        o->work = work[s->started];
        o->options = (med_load_options){.target = &s->b->target,
                                        .connections = connections[s->started],
                                        .threads = 1,
                                        .stop = &s->b->stop,
                                        .stop_too = &s->over};
        if (pthread_create(&s->threads[s->started], NULL, run_other, o) != 0)
            return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no thread");
    }
    (void)nanosleep(&settle, NULL);
    return true;
}

static void end_others(beside *s, uint64_t *good, uint64_t *errors)
{
    atomic_store(&s->over, true);
    for (unsigned i = 0; i < s->started; i++) {
        (void)pthread_join(s->threads[i], NULL);
        s->b->requests += s->others[i].result.sent;
        good[i] += s->others[i].result.good;
        *errors += med_load_errors(&s->others[i].result);
    }
}

/* ---- the figure ---- */

typedef struct isolation {
    med_load_result alone[MED_BENCH_ROUNDS], busy[MED_BENCH_ROUNDS];
    beside beside;
    uint64_t good[OTHERS], errors;
} isolation;

static bool measure(med_bench *b, isolation *m, med_err *err)
{
    med_path_work reads;
    const med_load_work work = {med_path_work_next, NULL, &reads};
    med_path_work_init(&reads, &b->target, b->reads, b->n_reads, READERS);
    bool ok = med_bench_warm(b, &b->target, READERS, &work, err);
    for (unsigned i = 0; ok && i < b->options->rounds; i++) {
        ok = med_bench_load(b, &b->target, b->watched, READERS, b->options->seconds, &work,
                            &m->alone[i], err)
             && begin_others(&m->beside, err)
             && med_bench_load(b, &b->target, b->watched, READERS, b->options->seconds, &work,
                               &m->busy[i], err);
        end_others(&m->beside, m->good, &m->errors);
        m->beside.started = 0;
    }
    return ok;
}

static bool add_figures(med_bench *b, const isolation *m, med_str query, double slow, med_err *err)
{
    med_figure alone = med_figure_of_rounds(m->alone, b->options->rounds);
    med_figure busy = med_figure_of_rounds(m->busy, b->options->rounds);
    alone.family = busy.family = "isolation";
    alone.key = "isolation-alone";
    busy.key = "isolation-busy";
    alone.connections = busy.connections = READERS;
    alone.name = MED_STR("read by id, nothing else going on");
    busy.name = MED_STR("read by id, slow searches and a large Bundle");
    med_figure f = {.family = "isolation",
                    .key = "isolation",
                    .name = MED_STR("p99 of reads by id, busy to alone"),
                    .measured = true,
                    .value = alone.p99 > 0 ? busy.p99 / alone.p99 : 0,
                    .unit = " x",
                    .errors = m->errors,
                    .goals = {{MED_GOAL_VALUE, false, RATIO_MOST}}};
    f.note = med_arena_printf(
        b->arena, "beside %u x %.*s (%.0f ms alone, %lu answered) and a Bundle of %.1f MiB (%lu)",
        SLOW, MED_STR_ARG(query), slow * 1e3, (unsigned long)m->good[0],
        (double)m->beside.large.text.len / 1048576.0, (unsigned long)m->good[1]);
    return med_bench_add(b, &alone, err) && med_bench_add(b, &busy, err)
           && med_bench_add(b, &f, err);
}

/* Just below the size that was asked for: an entry is as long as one that is tried. */
static void make_large(med_bench *b, med_buf *out)
{
    size_t bytes = b->options->bundle_bytes;
    med_buf_init(out, bytes + ((size_t)1 << 20));
    med_maker_bundle(&b->maker, 1, ENTRY_TEXT, out);
    size_t first = out->len;
    med_buf_clear(out);
    med_maker_bundle(&b->maker, 2, ENTRY_TEXT, out);
    size_t each = out->len - first + COUNTER_DIGITS;
    med_buf_clear(out);
    med_maker_bundle(&b->maker, bytes > first ? (unsigned)((bytes - first) / each) : 1, ENTRY_TEXT,
                     out);
}

bool med_bench_isolation(med_bench *b, med_err *err)
{
    med_str query;
    double slow;
    isolation *m = MED_NEW(1, isolation);
    if (m == NULL)
        return MED_FAIL_MEMORY(err);
    m->beside.b = m->beside.large.b = b;
    make_large(b, &m->beside.large.text);
    bool ok = find_slow(b, &query, &slow, err);
    if (ok) {
        med_path_work_init(&m->beside.searches, &b->target, &query, 1, SLOW);
        ok = measure(b, m, err) && add_figures(b, m, query, slow, err);
    }
    med_buf_free(&m->beside.large.text);
    med_free(m);
    return ok;
}
