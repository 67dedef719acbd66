/* server.c - a server of our own: data, start, stop. */
#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "bench/child.h"
#include "bench/reference.h"
#include "bench/run.h"
#include "demo/demo.h"

enum {
    START_MS = 60000,
    PORTS_TRIED = 4,
    PROBE_MS = 1000,
    LOG_TAIL = 400,
    SEED = 2026,
    IMPORT_LARGE = 4000
};
#define DAY INT64_C(86400000000)

/* ---- data ---- */

typedef struct nation {
    FILE *to;
    med_bench *b;
} nation;

static bool write_line(void *self, med_str type, med_str id, med_str json, med_err *err)
{
    nation *n = self;
    (void)type;
    (void)id;
    n->b->resources++;
    if (atomic_load_explicit(&n->b->stop, memory_order_relaxed))
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "interrupted");
    if (fwrite(json.ptr, 1, json.len, n->to) == json.len && fputc('\n', n->to) != EOF)
        return true;
    return MED_FAIL(err, MED_ISSUE_NO_STORE, "can not write the demo nation: %s",
                    strerrordesc_np(errno));
}

static bool write_nation(med_bench *b, const char *path, med_err *err)
{
    const med_demo_options o = {
        .people = b->people, .seed = SEED, .today_days = med_now(&med_clock_system) / DAY};
    nation n = {fopen(path, "we"), b};
    if (n.to == NULL)
        return MED_FAIL(err, MED_ISSUE_NO_STORE, "can not write %s: %s", path,
                        strerrordesc_np(errno));
    b->resources = 0;
    bool ok = med_demo_generate(&o, write_line, &n, err);
    if (fclose(n.to) != 0 && ok)
        ok =
            MED_FAIL(err, MED_ISSUE_NO_STORE, "can not write %s: %s", path, strerrordesc_np(errno));
    return ok;
}

/* The end of what the child said, on one line. */
static bool fail_with_log(const med_bench *b, const char *what, med_err *err)
{
    char text[LOG_TAIL + 1];
    size_t n = 0;
    FILE *in = fopen(b->log, "re");
    if (in != NULL) {
        if (fseek(in, -LOG_TAIL, SEEK_END) != 0)
            rewind(in);
        n = fread(text, 1, LOG_TAIL, in);
        (void)fclose(in);
    }
    med_str tail = med_str_trim((med_str){text, n});
    med_str last = tail;
    while (med_str_find(last, '\n', 0) < last.len)
        (void)med_str_cut(last, '\n', &last);
    return MED_FAIL(err, MED_ISSUE_EXCEPTION, "%s: %.*s", what, MED_STR_ARG(last));
}

static bool import_once(med_bench *b, const char *path, const char *store, med_err *err)
{
    char rejects[MED_BENCH_PATH + 16];
    med_str config;
    (void)snprintf(rejects, sizeof rejects, "%s/rejects", b->folder);
    if (!med_arena_copy(b->arena, b->options->config, &config))
        return MED_FAIL_MEMORY(err);
    const char *words[] = {
        "import",   "--data", store, "--rejects", rejects, path, config.len > 0 ? "--config" : NULL,
        config.ptr, NULL};
    med_child_end end;
    uint64_t began = med_bench_now();
    pid_t pid = med_child_program(words, b->log, err);
    if (pid < 0)
        return false;
    while (!med_child_wait(pid, 200, &end)) {
        if (atomic_load(&b->stop)) {
            med_child_stop(pid, SIGKILL);
            return MED_FAIL(err, MED_ISSUE_TRANSIENT, "interrupted");
        }
    }
    b->import_seconds[b->imports++] = (double)(med_bench_now() - began) / 1e9;
    b->import_cpu += end.cpu;
    return end.exited && (end.code == 0 || end.code == 3) ? true
                                                          : fail_with_log(b, "import failed", err);
}

/* A small nation is imported once a round, each time into an empty store, for the median. */
static bool import_rounds(med_bench *b, const char *path, med_err *err)
{
    char spare[MED_BENCH_PATH + 16];
    bool again = med_bench_wants(b, "import") && !b->options->ladder && b->people <= IMPORT_LARGE
                 && b->options->data.len == 0;
    unsigned rounds = again ? b->options->rounds : 1;
    b->imports = 0;
    b->import_cpu = 0;
    (void)snprintf(spare, sizeof spare, "%s/spare", b->folder);
    for (unsigned i = 1; i < rounds && i < MED_BENCH_ROUNDS; i++) {
        bool ok = import_once(b, path, spare, err);
        med_folder_remove(spare);
        if (!ok)
            return false;
    }
    if (!import_once(b, path, b->store, err))
        return false;
    b->stored_bytes = med_folder_bytes(b->store);
    return true;
}

bool med_bench_fill(med_bench *b, med_err *err)
{
    char path[MED_BENCH_PATH + 16];
    med_str data;
    if (b->options->data.len > 0)
        return med_arena_copy(b->arena, b->options->data, &data) ? import_rounds(b, data.ptr, err)
                                                                 : MED_FAIL_MEMORY(err);
    (void)snprintf(path, sizeof path, "%s/nation.ndjson", b->folder);
    bool ok = write_nation(b, path, err) && import_rounds(b, path, err);
    (void)unlink(path);
    return ok;
}

/* ---- the server ---- */

enum readiness { READY, NOT_READY, ENDED };

/* Asks until there is a 200, the child is gone, or patience is. */
static enum readiness await_ready(med_bench *b, pid_t pid, const med_target *target,
                                  const char *path)
{
    const struct timespec pause = {0, 500000};
    uint64_t until = med_bench_now() + START_MS * UINT64_C(1000000);
    med_asker k;
    med_reply reply;
    med_child_end end;
    med_err unused;
    enum readiness state = NOT_READY;
    med_asker_init(&k, target);
    k.patience = PROBE_MS;
    while (state == NOT_READY && med_bench_now() < until && !atomic_load(&b->stop)) {
        if (med_child_wait(pid, 0, &end))
            state = ENDED;
        else if (med_ask(&k, "GET", med_str_from(path), MED_STR_EMPTY, MED_STR_EMPTY, &reply,
                         &unused)
                 && reply.status == 200)
            state = READY;
        else
            (void)nanosleep(&pause, NULL);
    }
    med_asker_end(&k);
    return state;
}

static bool own_target(const med_bench *b, const char *base, med_target *out, med_err *err)
{
    unsigned port = med_free_port();
    med_str url = med_arena_printf(b->arena, "http://127.0.0.1:%u%s", port, base);
    if (port == 0)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no free port on the loopback address");
    return med_target_parse(b->arena, url, MED_STR_EMPTY, out, err);
}

/* Starts WORDS... HOST:PORT, `words` ending with the option that takes the address. A port that
 * was free may be somebody else's a moment later: one that ends at once is given another. */
static bool start_listening(med_bench *b, const char *const *words, const char *base,
                            const char *probe, med_target *target, pid_t *pid, med_err *err)
{
    const char *argv[MED_CHILD_WORDS] = {NULL};
    enum readiness state = ENDED;
    size_t n = 0;
    for (; words[n] != NULL; n++)
        argv[n] = words[n];
    for (int i = 0; state == ENDED && i < PORTS_TRIED && !atomic_load(&b->stop); i++) {
        *pid = 0;
        if (!own_target(b, base, target, err)
            || (argv[n] = med_arena_printf(b->arena, "%.*s", MED_STR_ARG(target->host)).ptr) == NULL
            || (*pid = med_child_program(argv, b->log, err)) < 0)
            return false;
        state = await_ready(b, *pid, target, probe);
    }
    if (state == ENDED)
        *pid = 0;
    return state == READY ? true : fail_with_log(b, "the server did not start", err);
}

bool med_bench_start_server(med_bench *b, double *took, med_err *err)
{
    med_str config;
    if (!med_arena_copy(b->arena, b->options->config, &config))
        return MED_FAIL_MEMORY(err);
    const char *words[] = {"serve", "--data",   b->store,   "--auth",   "off", "--log-level",
                           "warn",  "--config", config.ptr, "--listen", NULL};
    if (config.len == 0) {
        words[7] = "--listen";
        words[8] = NULL;
    }
    uint64_t began = med_bench_now();
    bool ok = start_listening(b, words, "/fhir", "metadata", &b->target, &b->server, err);
    b->watched = b->server;
    if (ok && took != NULL)
        *took = (double)(med_bench_now() - began) / 1e9;
    return ok;
}

void med_bench_stop_server(med_bench *b, int signal)
{
    med_child_stop(b->server, signal);
    b->server = 0;
}

bool med_bench_start_constant(med_bench *b, med_err *err)
{
    const char *words[] = {"bench", "--serve-constant", NULL};
    return start_listening(b, words, "", "", &b->constant, &b->constant_server, err);
}
