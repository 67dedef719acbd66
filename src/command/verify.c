/* verify.c - `medulla verify`: reads everything in the store again and compares. */
#include <stdio.h>

#include "command/command.h"
#include "progress.h"

typedef struct verify {
    med_search_verify search; /* first: it is what `extract` is called with */
    med_app app;
    med_progress_bar bar;
} verify;

static void fault(void *arg, const char *kind, med_str where, const char *what)
{
    (void)arg;
    printf("%s: %.*s: %s\n", kind, MED_STR_ARG(where), what);
}

static void show(void *arg, uint64_t done, uint64_t total)
{
    verify *v = arg;
    med_progress_show(&v->bar, total > 0 ? (double)done / (double)total : -1, done, 0);
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
    verify v = {0};
    if (!med_app_open(&v.app, args->arena, args->config, false, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    v.search = (med_search_verify){v.app.fhir.schema, v.app.fhir.base};
    med_verify check = {
        .extract = med_search_extract_for_verify, .fault = fault, .progress = show, .arg = &v};
    med_progress_start(&v.bar, "verifying", "versions");
    bool ok = med_store_verify(v.app.store, &check, &err);
    med_app_close(&v.app);
    if (!ok)
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    printf("%lu versions read, %lu faults\n", (unsigned long)check.versions,
           (unsigned long)check.faults);
    return check.faults == 0 ? MED_EXIT_OK : MED_EXIT_FAILED;
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_verify = {
    .name = "verify",
    .usage = "[--data DIR]",
    .summary = "re-read every version: hashes, index, change feed",
    .examples = "  medulla verify --data DIR\n",
    .options = options,
    .run = run,
};
