/* demo.c - `medulla demo`: a small made-up nation, served on this machine. */
#include <stdio.h>

#include "command/command.h"
#include "command/serving.h"
#include "demo/demo.h"
#include "loader.h"
#include "progress.h"

enum { PEOPLE = 1000, PEOPLE_MAX = 1000000, SEED = 2026 };
#define DAY INT64_C(86400000000)

typedef struct demo {
    med_loader *loader;
    med_progress_bar bar;
    uint64_t expected;
} demo;

static bool take(void *self, med_str type, med_str id, med_str json, med_err *err)
{
    demo *d = self;
    med_loader_counts counts;
    (void)type;
    (void)id;
    const med_loader_place place = {.source = MED_STR("demo"), .identity = MED_STR_EMPTY};
    if (!med_loader_add(d->loader, &place, json, err))
        return false;
    med_loader_count(d->loader, &counts);
    med_progress_show(&d->bar, (double)counts.resources / (double)d->expected, counts.resources,
                      counts.rejected);
    return true;
}

static void show_reject(void *arg, med_str source, uint64_t line, med_str reason, med_str text)
{
    (void)arg;
    (void)source;
    (void)line;
    (void)text;
    (void)fprintf(stderr, "\nmedulla: the generator made a resource that was refused: %.*s\n",
                  MED_STR_ARG(reason));
}

static bool option_number(const med_arguments *args, const char *name, int64_t low, int64_t high,
                          int64_t *out)
{
    med_str text;
    if (!med_argument(args, name, &text))
        return true;
    return med_str_to_int64(text, out) && *out >= low && *out <= high;
}

static bool is_empty(med_app *app)
{
    med_store_stats stats;
    med_store_count(app->store, &stats);
    return stats.resources == 0;
}

static bool generate(med_app *app, const med_demo_options *o, med_err *err)
{
    med_loader_counts counts;
    med_loader_options options = {.reject = show_reject};
    demo d = {.loader = med_loader_new(app, &options, err), .expected = med_demo_estimate(o)};
    if (d.loader == NULL)
        return false;
    med_progress_start(&d.bar, "making a nation", "resources");
    bool ok = med_demo_generate(o, take, &d, err) && med_loader_flush(d.loader, err);
    med_loader_count(d.loader, &counts);
    med_progress_end(&d.bar, counts.resources, counts.rejected);
    med_loader_free(d.loader);
    if (ok && counts.rejected > 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "%lu generated resources were refused",
                        (unsigned long)counts.rejected);
    return ok;
}

bool med_demo_fill(med_app *app, const med_arguments *args, med_err *err)
{
    int64_t people = PEOPLE, seed = SEED;
    if (!option_number(args, "people", 1, PEOPLE_MAX, &people)
        || !option_number(args, "seed", 0, INT64_MAX, &seed))
        return MED_FAIL(err, MED_ISSUE_VALUE, "--people takes 1 to %d, --seed a whole number",
                        PEOPLE_MAX);
    if (!is_empty(app))
        return true;
    med_demo_options o = {.people = (uint32_t)people,
                          .seed = (uint64_t)seed,
                          .today_days = med_now(&med_clock_system) / DAY};
    return generate(app, &o, err);
}

void med_demo_welcome(const med_app *app)
{
    const med_str base = app->fhir.base;
    printf("\nA made-up nation is ready. Nobody in it lives.\n\n"
           "  curl '%.*s/Patient?_count=2&_pretty=true'\n"
           "  curl '%.*s/Observation?code=85354-9&_sort=-date&_count=3'\n"
           "  curl '%.*s/metadata?_summary=true'\n\n"
           "Ctrl-C stops it; the same command goes on with the same data.\n\n",
           MED_STR_ARG(base), MED_STR_ARG(base), MED_STR_ARG(base));
    (void)fflush(stdout);
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
    const med_str where = MED_STR("medulla demo");
    if (!med_config_set(args->config, MED_STR("auth.mode"), MED_STR("off"), MED_FROM_FLAG, where,
                        &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    return med_serve_run(args, true);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {"listen", "HOST:PORT", "http.listen", "address to serve (default 127.0.0.1:8080)"},
    {"people", "N", NULL, "how many people (default 1000)"},
    {"seed", "N", NULL, "another seed, another nation (default 2026)"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_demo = {
    .name = "demo",
    .usage = "[--people N] [--seed N] [--data DIR] [--listen HOST:PORT]",
    .summary = "make a small nation and serve it on this machine",
    .examples = "  medulla demo\n  medulla demo --people 10000 --data big-demo\n",
    .options = options,
    .run = run,
};
