/* family_store.c - import, bytes, start, memory, recovery, and the parser. */
#include <signal.h>

#include "base/mem.h"
#include "bench/child.h"
#include "bench/reference.h"
#include "bench/run.h"

enum {
    APPEND_GROUP = 4096,
    RECORD_BYTES = 2048,
    IDLE_SECONDS = 2,
    CRASH_CONNECTIONS = 16,
    CRASH_MS = 700,
    CRASH_LOOKED_AT = 2000,
};
#define IMPORT_RATE 20000
#define BYTES_MOST 1100
#define START_MS_MOST 100
#define RESIDENT_MB_MOST 64
#define RECOVERY_MS_MOST 2000
#define PARSE_RATE 1000

bool med_bench_import(med_bench *b, med_err *err)
{
    double rates[MED_BENCH_ROUNDS], disk;
    for (unsigned i = 0; i < b->imports; i++)
        rates[i] = (double)b->resources / b->import_seconds[i];
    if (!med_reference_append(b->folder, APPEND_GROUP, RECORD_BYTES,
                              b->options->seconds < 1 ? b->options->seconds : 1, &disk, err))
        return false;
    med_figure f = {.family = "import",
                    .key = "import",
                    .name = MED_STR("medulla import"),
                    .measured = true,
                    .value = med_median(rates, b->imports),
                    .unit = " res/s",
                    .reference = "/s append+fdatasync",
                    .reference_value = disk,
                    .goals = {{MED_GOAL_VALUE, true, IMPORT_RATE}}};
    f.note = med_arena_printf(
        b->arena, "%lu resources, start and last checkpoint within; processor time %.1f us each",
        (unsigned long)b->resources,
        b->import_cpu * 1e6 / ((double)b->resources * (double)b->imports));
    return med_bench_add(b, &f, err);
}

bool med_bench_bytes(med_bench *b, med_err *err)
{
    uint64_t bytes = b->stored_bytes;
    med_figure f = {.family = "bytes",
                    .key = "bytes",
                    .name = MED_STR("stored bytes a resource, after a checkpoint"),
                    .measured = true,
                    .value = (double)bytes / (double)b->resources,
                    .unit = " B",
                    .goals = {{MED_GOAL_VALUE, false, BYTES_MOST}}};
    f.note = med_arena_printf(b->arena, "%.1f MB for %lu resources", (double)bytes / 1e6,
                              (unsigned long)b->resources);
    return med_bench_add(b, &f, err);
}

bool med_bench_start(med_bench *b, med_err *err)
{
    double times[MED_BENCH_ROUNDS];
    for (unsigned i = 0; i < b->options->rounds; i++) {
        med_bench_stop_server(b, SIGTERM);
        if (!med_bench_start_server(b, &times[i], err))
            return false;
    }
    med_figure f = {.family = "start",
                    .key = "start",
                    .name = MED_STR("start to the first 200"),
                    .measured = true,
                    .value = med_median(times, b->options->rounds) * 1e3,
                    .unit = " ms",
                    .goals = {{MED_GOAL_VALUE, false, START_MS_MOST}}};
    f.note = med_arena_printf(b->arena, "GET /metadata, with %lu resources in the store",
                              (unsigned long)b->resources);
    return med_bench_add(b, &f, err);
}

bool med_bench_memory(med_bench *b, med_err *err)
{
    const struct timespec idle = {IDLE_SECONDS, 0};
    med_bench_stop_server(b, SIGTERM);
    if (!med_bench_start_server(b, NULL, err))
        return false;
    (void)nanosleep(&idle, NULL);
    med_figure f = {.family = "memory",
                    .key = "memory",
                    .name = MED_STR("resident memory, idle"),
                    .measured = true,
                    .value = (double)med_child_resident(b->server) / 1e6,
                    .unit = " MB",
                    .goals = {{MED_GOAL_VALUE, false, RESIDENT_MB_MOST}},
                    .note = MED_STR("two seconds after a fresh start")};
    return med_bench_add(b, &f, err);
}

/* ---- recovery ---- */

typedef struct crash {
    med_bench *b;
    med_made made;
    atomic_bool over;
    med_load_result result;
    bool ok;
} crash;

static void *write_until_over(void *arg)
{
    crash *c = arg;
    med_err unused;
    med_create_work *w = med_create_work_new(&c->b->target, &c->b->maker, &c->made, 0);
    const med_load_work work = {med_create_work_next, med_create_work_done, w};
    const med_load_options o = {.target = &c->b->target,
                                .connections = CRASH_CONNECTIONS,
                                .threads = 1,
                                .stop = &c->b->stop,
                                .stop_too = &c->over};
    c->ok = w != NULL && med_load_run(&o, &work, &c->result, &unused);
    med_create_work_free(w);
    return NULL;
}

/* Kills the server in the midst of writes; what it acknowledged is in c->made. */
static bool kill_while_writing(med_bench *b, crash *c, med_err *err)
{
    const struct timespec wait = {0, CRASH_MS * 1000000L};
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_until_over, c) != 0)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no thread");
    (void)nanosleep(&wait, NULL);
    med_bench_stop_server(b, SIGKILL);
    atomic_store(&c->over, true);
    (void)pthread_join(thread, NULL);
    b->requests += c->result.sent;
    return c->ok ? true : MED_FAIL(err, MED_ISSUE_TRANSIENT, "no load for the crash");
}

/* The newest are in danger; those are looked at. */
static bool count_lost(med_bench *b, const crash *c, uint64_t *lost, uint64_t *looked, med_err *err)
{
    med_reply reply;
    size_t n = med_made_count(&c->made);
    for (size_t i = n > CRASH_LOOKED_AT ? n - CRASH_LOOKED_AT : 0; i < n; i++) {
        if (!med_ask(&b->asker, "GET", med_str_from(med_made_at(&c->made, i)->path), MED_STR_EMPTY,
                     MED_STR_EMPTY, &reply, err))
            return false;
        ++*looked;
        *lost += reply.status != 200;
    }
    return true;
}

static bool crash_once(med_bench *b, double *took, uint64_t *lost, uint64_t *looked, med_err *err)
{
    crash *c = MED_NEW(1, crash);
    if (c == NULL || !med_made_init(&c->made)) {
        med_free(c);
        return MED_FAIL_MEMORY(err);
    }
    c->b = b;
    bool ok = kill_while_writing(b, c, err) && med_bench_start_server(b, took, err)
              && count_lost(b, c, lost, looked, err);
    med_made_end(&c->made);
    med_free(c);
    return ok;
}

bool med_bench_recovery(med_bench *b, med_err *err)
{
    double times[MED_BENCH_ROUNDS];
    uint64_t lost = 0, looked = 0;
    for (unsigned i = 0; i < b->options->rounds; i++) {
        if (!crash_once(b, &times[i], &lost, &looked, err))
            return false;
    }
    med_figure f = {.family = "recovery",
                    .key = "recovery",
                    .name = MED_STR("kill -9 while writing, to the first 200"),
                    .measured = true,
                    .value = med_median(times, b->options->rounds) * 1e3,
                    .unit = " ms",
                    .errors = lost,
                    .goals = {{MED_GOAL_VALUE, false, RECOVERY_MS_MOST}}};
    f.note = med_arena_printf(b->arena, "%lu of %lu acknowledged creates lost", (unsigned long)lost,
                              (unsigned long)looked);
    return med_bench_add(b, &f, err);
}

/* ---- the parser ---- */

bool med_bench_json(med_bench *b, med_err *err)
{
    double copies[MED_BENCH_ROUNDS], parses[MED_BENCH_ROUNDS];
    double seconds = b->options->seconds < 0.5 ? b->options->seconds : 0.5;
    for (unsigned i = 0; i < b->options->rounds; i++) {
        if (!med_reference_json(med_reference_observation(), seconds, &copies[i], &parses[i], err))
            return false;
    }
    med_figure f = {.family = "json",
                    .key = "json",
                    .name = MED_STR("JSON parsed, one core"),
                    .measured = true,
                    .value = med_median(parses, b->options->rounds) / 1e6,
                    .unit = " MB/s",
                    .reference = "MB/s memcpy",
                    .reference_value = med_median(copies, b->options->rounds) / 1e6,
                    .goals = {{MED_GOAL_VALUE, true, PARSE_RATE}},
                    .note = MED_STR("an Observation of 1.7 KB; everything is checked")};
    return med_bench_add(b, &f, err);
}
