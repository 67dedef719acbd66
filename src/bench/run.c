/* run.c - see bench.h: which families, in which order, and what is around them. */
#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "bench/child.h"
#include "bench/run.h"

enum { WARM_MOST_MS = 500 };

typedef struct family {
    const char *name, *summary;
    bool (*run)(med_bench *b, med_err *err);
    bool writes;       /* on a foreign server only where that is allowed */
    bool own;          /* only on a server of our own */
    bool offline;      /* needs no server */
    bool ladder;       /* also measured at each size of a ladder */
    const char *group; /* is run because the family of this name is; NULL */
} family;

static const family families[] = {
    {"import", "medulla import of uncompressed files", med_bench_import, .own = true},
    {"bytes", "stored bytes a resource after a checkpoint", med_bench_bytes, .own = true},
    {"start", "start to the first 200", med_bench_start, .own = true},
    {"memory", "resident memory, idle", med_bench_memory, .own = true},
    {"read", "reads by id, beside a constant answer", med_bench_read, .ladder = true},
    {"search", "all search families; also selective, population, or one by name", med_bench_search,
     .ladder = true},
    {"terminology", "codes looked up, compared, found by words", med_bench_terminology,
     .own = true},
    {"create", "durable creates, beside append + fdatasync", med_bench_create, .writes = true},
    {"update", "updates with If-Match", med_bench_update, .writes = true},
    {"delete", "deletes", med_bench_delete, .writes = true},
    {"bundle", "transaction Bundles", med_bench_bundle, .writes = true},
    {"isolation", "p99 of reads beside slow searches and a large Bundle", med_bench_isolation,
     .own = true},
    {"recovery", "kill -9 to the first 200, and what was lost", med_bench_recovery, .own = true},
    {"json", "JSON parsing, beside memcpy", med_bench_json, .offline = true},
};
enum { FAMILIES = sizeof families / sizeof *families };

/* ---- names ---- */

static bool is_search_name(med_str word)
{
    if (med_str_eqz(word, "selective") || med_str_eqz(word, "population"))
        return true;
    for (size_t i = 0; i < med_query_family_count; i++) {
        if (med_str_eqz(word, med_query_families[i].key))
            return true;
    }
    return false;
}

static const family *find_family(med_str word)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (med_str_eqz(word, families[i].name)
            || (families[i].run == med_bench_search && is_search_name(word)))
            return &families[i];
    }
    return NULL;
}

bool med_bench_wants(const med_bench *b, const char *name)
{
    for (size_t i = 0; i < b->options->n_families; i++) {
        if (med_str_eqz(b->options->families[i], name))
            return true;
    }
    return b->options->n_families == 0;
}

static bool may_run(const med_bench *b, const family *f)
{
    return (b->own || (!f->own && (!f->writes || b->options->write)))
           && (!b->options->ladder || f->ladder);
}

/* Named, or all are wanted and it may. */
static bool will_run(const med_bench *b, const family *f)
{
    if (b->options->n_families == 0)
        return may_run(b, f);
    for (size_t i = 0; i < b->options->n_families; i++) {
        if (find_family(b->options->families[i]) == f)
            return true;
    }
    return false;
}

static bool is_online(const med_bench *b)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (!families[i].offline && will_run(b, &families[i]))
            return true;
    }
    return false;
}

static enum med_bench_end unknown_family(med_str word, med_err *err)
{
    med_str names[FAMILIES + 64];
    size_t n = 0;
    for (size_t i = 0; i < FAMILIES; i++)
        names[n++] = med_str_from(families[i].name);
    for (size_t i = 0; i < med_query_family_count && i < 62; i++)
        names[n++] = med_str_from(med_query_families[i].key);
    med_str nearest = med_str_nearest(word, names, n);
    (void)MED_FAIL(err, MED_ISSUE_VALUE,
                   "there is no family '%.*s'%s%.*s; see medulla bench --list", MED_STR_ARG(word),
                   nearest.len > 0 ? "; did you mean " : "", MED_STR_ARG(nearest));
    return MED_BENCH_USAGE;
}

static enum med_bench_end check_families(const med_bench *b, med_err *err)
{
    for (size_t i = 0; i < b->options->n_families; i++) {
        med_str word = b->options->families[i];
        const family *f = find_family(word);
        if (f == NULL)
            return unknown_family(word, err);
        if (b->options->ladder && !f->ladder) {
            (void)MED_FAIL(err, MED_ISSUE_VALUE, "the ladder is for read and search, not for %s",
                           f->name);
            return MED_BENCH_USAGE;
        }
        if (!b->own && f->own) {
            (void)MED_FAIL(err, MED_ISSUE_VALUE,
                           "%s is measured on a server of its own only, without --url", f->name);
            return MED_BENCH_USAGE;
        }
        if (!may_run(b, f)) {
            (void)MED_FAIL(err, MED_ISSUE_FORBIDDEN,
                           "%s writes to the server of --url; --write allows it (what it creates "
                           "is tagged and deleted at the end, but leaves history)",
                           f->name);
            return MED_BENCH_REFUSED;
        }
    }
    return MED_BENCH_GOOD;
}

void med_bench_list_families(void)
{
    for (size_t i = 0; i < FAMILIES; i++)
        printf("  %-12s %s%s\n", families[i].name, families[i].summary,
               families[i].own      ? " (own server only)"
               : families[i].writes ? " (with --url: needs --write)"
                                    : "");
    printf("\nsearch families:\n");
    for (size_t i = 0; i < med_query_family_count; i++)
        printf("  %-22s %s\n", med_query_families[i].key, med_query_families[i].title);
}

/* ---- what the families use ---- */

bool med_bench_load(med_bench *b, const med_target *target, pid_t server, unsigned connections,
                    double seconds, const med_load_work *work, med_load_result *out, med_err *err)
{
    const med_load_options o = {.target = target,
                                .connections = connections,
                                .seconds = seconds,
                                .stop = &b->stop,
                                .server = server};
    if (!med_load_run(&o, work, out, err))
        return false;
    b->requests += target == &b->target ? out->sent : 0;
    return !atomic_load(&b->stop) ? true : MED_FAIL(err, MED_ISSUE_TRANSIENT, "interrupted");
}

bool med_bench_warm(med_bench *b, const med_target *target, unsigned connections,
                    const med_load_work *work, med_err *err)
{
    double seconds = b->options->seconds / 4;
    med_load_result *unused = MED_NEW(1, med_load_result);
    if (unused == NULL)
        return MED_FAIL_MEMORY(err);
    bool ok = med_bench_load(b, target, 0, connections,
                             seconds < WARM_MOST_MS / 1e3 ? seconds : WARM_MOST_MS / 1e3, work,
                             unused, err);
    med_free(unused);
    return ok;
}

bool med_bench_add(med_bench *b, const med_figure *f, med_err *err)
{
    med_figure *kept = med_figures_add(&b->figures, f);
    if (kept == NULL)
        return MED_FAIL_MEMORY(err);
    kept->people = b->own && b->options->data.len == 0 ? b->people : 0;
    med_figure_print_line(kept, stderr);
    return true;
}

bool med_bench_absent(med_bench *b, const char *group, const char *key, med_str name, med_str why,
                      med_err *err)
{
    const med_figure f = {.family = group, .key = key, .name = name, .unit = "", .note = why};
    return med_bench_add(b, &f, err);
}

/* ---- one size ---- */

/* A history of everything has as many versions as were imported. */
static bool count_resources(med_bench *b, med_err *err)
{
    med_reply reply;
    med_json j;
    int64_t total = 0;
    if (b->options->data.len == 0)
        return true;
    if (!med_ask(&b->asker, "GET", MED_STR("_history?_count=1"), MED_STR_EMPTY, MED_STR_EMPTY,
                 &reply, err)
        || !med_json_parse(b->arena, reply.body, &j, NULL, err))
        return false;
    uint32_t at = med_json_member(&j, 0, MED_STR("total"));
    if (at == 0 || !med_str_to_int64(med_json_raw(&j, at), &total) || total <= 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "nothing was imported from the data");
    b->resources = (uint64_t)total;
    return true;
}

static bool prepare_own(med_bench *b, med_err *err)
{
    (void)fprintf(stderr, "filling a store of its own in %s\n", b->folder);
    return med_bench_fill(b, err) && med_bench_start_constant(b, err)
           && med_bench_start_server(b, NULL, err);
}

static bool run_families(med_bench *b, med_err *err)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (!will_run(b, &families[i]))
            continue;
        (void)fprintf(stderr, "%s\n", families[i].name);
        if (!families[i].run(b, err))
            return false;
    }
    return true;
}

/* With a URL only the constant answer is ours. */
static bool measure_size(med_bench *b, med_err *err)
{
    bool ok = true;
    med_asker_init(&b->asker, &b->target);
    if (is_online(b)) {
        ok = b->own ? prepare_own(b, err) : med_bench_start_constant(b, err);
        ok = ok && count_resources(b, err) && med_bench_discover(b, err);
    }
    ok = ok && run_families(b, err);
    b->requests += b->asker.asked;
    med_asker_end(&b->asker);
    med_bench_stop_server(b, SIGTERM);
    med_child_stop(b->constant_server, SIGKILL);
    b->constant_server = 0;
    return ok;
}

/* ---- the folder and the end ---- */

static bool make_folder(med_bench *b, med_err *err)
{
    (void)snprintf(b->folder, sizeof b->folder, "%.*s/medulla-bench-XXXXXX",
                   MED_STR_ARG(b->options->work));
    if (mkdtemp(b->folder) == NULL) {
        int fault = errno;
        b->folder[0] = '\0';
        return MED_FAIL(err, MED_ISSUE_NO_STORE, "can not make a folder in %.*s: %s",
                        MED_STR_ARG(b->options->work), strerrordesc_np(fault));
    }
    (void)snprintf(b->store, sizeof b->store, "%.450s/store", b->folder);
    (void)snprintf(b->log, sizeof b->log, "%.450s/log", b->folder);
    return true;
}

/* What one size leaves in the arena is not needed for the next but for the figures' texts. */
static bool run_sizes(med_bench *b, med_err *err)
{
    size_t n = b->own && b->options->data.len == 0 ? b->options->n_sizes : 1;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        b->people = b->options->sizes[i];
        if (n > 1)
            (void)fprintf(stderr, "%u people\n", b->people);
        ok = make_folder(b, err) && measure_size(b, err);
        if (ok && i + 1 < n)
            med_folder_remove(b->folder);
    }
    return ok;
}

/* Growth of the p50 from the first size to the last. */
static bool add_growth(med_bench *b, med_err *err)
{
    const med_bench_options *o = b->options;
    size_t n = b->figures.n;
    for (size_t i = 0; i < n; i++) {
        const med_figure first = b->figures.at[i];
        for (size_t k = i + 1; k < n; k++) {
            const med_figure last = b->figures.at[k];
            if (first.people != o->sizes[0] || last.people != o->sizes[o->n_sizes - 1]
                || strcmp(first.key, last.key) != 0 || first.good == 0 || last.good == 0)
                continue;
            med_figure f = {.family = "growth", .key = first.key, .measured = true, .unit = " x"};
            f.name = med_arena_printf(b->arena, "growth: %.*s", MED_STR_ARG(first.name));
            f.value = last.p50 / first.p50;
            if (first.goals[0].of == MED_GOAL_P99 && first.goals[0].limit < 50
                && strcmp(first.key, "count") != 0)
                f.goals[0] = (med_goal){MED_GOAL_VALUE, false, 1.4};
            if (med_figures_add(&b->figures, &f) == NULL)
                return MED_FAIL_MEMORY(err);
        }
    }
    return true;
}

static void describe(const med_bench *b, med_figures_about *about)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const med_bench_options *o = b->options;
    about->server = b->own ? MED_STR("its own") : o->url;
    about->data = !b->own ? MED_STR("what the server holds")
                  : o->data.len > 0
                      ? o->data
                      : med_arena_printf(b->arena, "demo nation of %u people%s", o->sizes[0],
                                         o->n_sizes > 1 ? " and larger ones" : "");
    about->cores = cores > 0 ? (unsigned)cores : 0;
    about->seconds = o->seconds;
    about->rounds = o->rounds;
    about->requests = b->requests;
}

static bool write_json(const med_bench *b, const med_figures_about *about, med_err *err)
{
    med_buf text;
    med_str path;
    if (b->options->json.len == 0)
        return true;
    if (!med_arena_copy(b->arena, b->options->json, &path))
        return MED_FAIL_MEMORY(err);
    med_buf_init(&text, 64 << 20);
    FILE *to = fopen(path.ptr, "we");
    bool ok = to != NULL && med_figures_json(&b->figures, about, &text)
              && fwrite(text.ptr, 1, text.len, to) == text.len;
    if (to != NULL && fclose(to) != 0)
        ok = false;
    med_buf_free(&text);
    return ok ? true : MED_FAIL(err, MED_ISSUE_NO_STORE, "can not write %.*s", MED_STR_ARG(path));
}

static bool show(med_bench *b, med_err *err)
{
    const med_bench_options *o = b->options;
    med_figures_about about;
    describe(b, &about);
    if (o->ladder && !add_growth(b, err))
        return false;
    printf("\nserver: %.*s; data: %.*s; %u cores; %u rounds of %g s\n", MED_STR_ARG(about.server),
           MED_STR_ARG(about.data), about.cores, about.rounds, about.seconds);
    med_figures_print(&b->figures, o->ladder, stdout);
    if (o->ladder)
        med_figures_print_ladder(&b->figures, o->sizes, o->n_sizes, stdout);
    (void)fflush(stdout);
    return write_json(b, &about, err);
}

/* ---- signals ---- */

typedef struct watcher {
    med_bench *b;
    sigset_t signals;
    pthread_t thread;
} watcher;

/* The first SIGINT or SIGTERM ends the run in order; a second one at once. SIGUSR2 ends this. */
static void *watch_signals(void *arg)
{
    watcher *w = arg;
    int got = 0;
    if (sigwait(&w->signals, &got) != 0 || got == SIGUSR2)
        return NULL;
    atomic_store(&w->b->stop, true);
    if (sigwait(&w->signals, &got) == 0 && got != SIGUSR2)
        _exit(1);
    return NULL;
}

static bool start_watcher(watcher *w, med_err *err)
{
    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(&w->signals);
    sigaddset(&w->signals, SIGINT);
    sigaddset(&w->signals, SIGTERM);
    sigaddset(&w->signals, SIGUSR2);
    (void)pthread_sigmask(SIG_BLOCK, &w->signals, NULL);
    return pthread_create(&w->thread, NULL, watch_signals, w) == 0
               ? true
               : MED_FAIL(err, MED_ISSUE_TRANSIENT, "no thread");
}

static void stop_watcher(watcher *w)
{
    (void)pthread_kill(w->thread, SIGUSR2);
    (void)pthread_join(w->thread, NULL);
}

/* ---- all of it ---- */

static void name_run(med_bench *b)
{
    char id[MED_UUID_LEN];
    med_random_uuid(&med_random_system, id);
    (void)snprintf(b->maker.tag, sizeof b->maker.tag, "run-%.8s", id);
    b->maker.samples = &b->samples;
    b->figures.arena = b->arena;
}

/* What was written elsewhere goes, also when the run failed. */
static bool clean_up(med_bench *b, bool ok, med_err *err)
{
    med_err why = {0};
    atomic_store(&b->stop, false);
    if (!b->own && !med_bench_clean(b, &why) && ok) {
        *err = why;
        ok = false;
    }
    med_bench_stop_server(b, SIGKILL);
    med_child_stop(b->constant_server, SIGKILL);
    if (b->folder[0] != '\0')
        med_folder_remove(b->folder);
    return ok;
}

static enum med_bench_end run(med_bench *b, med_err *err)
{
    watcher w = {.b = b};
    enum med_bench_end end = check_families(b, err);
    if (end != MED_BENCH_GOOD)
        return end;
    if (!b->own && !med_target_parse(b->arena, b->options->url, b->options->token, &b->target, err))
        return err->issue == MED_ISSUE_VALUE || err->issue == MED_ISSUE_NOT_SUPPORTED
                   ? MED_BENCH_USAGE
                   : MED_BENCH_FAILED;
    name_run(b);
    if (!med_made_init(&b->left) || !start_watcher(&w, err))
        return MED_BENCH_FAILED;
    bool ok = clean_up(b, run_sizes(b, err), err);
    stop_watcher(&w);
    med_made_end(&b->left);
    if (b->figures.n > 0 && !show(b, ok ? err : &(med_err){0}))
        ok = false;
    return !ok                             ? MED_BENCH_FAILED
           : med_figures_good(&b->figures) ? MED_BENCH_GOOD
                                           : MED_BENCH_PARTLY;
}

enum med_bench_end med_bench_run(med_arena *a, const med_bench_options *options, med_err *err)
{
    med_bench *b = MED_NEW(1, med_bench);
    if (b == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return MED_BENCH_FAILED;
    }
    /* The usual management address belongs to the server that is meant for use. */
    (void)setenv("MEDULLA_ADMIN_LISTEN", "", 1); // NOLINT(concurrency-mt-unsafe): one thread
    b->options = options;
    b->arena = a;
    b->own = options->url.len == 0;
    b->watched = (pid_t)options->pid;
    enum med_bench_end end = run(b, err);
    med_free(b);
    return end;
}
