/* verify.c - `medulla verify`: reads everything in the store again and compares. */
#include "command/task.h"

typedef struct verify {
    med_search_verify search; /* first: it is what `extract` is called with */
    med_host *host;
} verify;

static void fault(void *arg, const char *kind, med_str where, const char *what)
{
    const verify *v = arg;
    med_host_sayf(v->host, "%s: %.*s: %s", kind, MED_STR_ARG(where), what);
}

static bool show(void *arg, uint64_t done, uint64_t total)
{
    const verify *v = arg;
    return med_task_progress(v->host, done, total);
}

/* The server makes them again behind the writes; until then searches walk. */
static bool renew_lists(med_task *t, med_err *err)
{
    enum { TRIES = 20 };
    for (int i = 0;; i++) {
        med_posted now;
        med_view *v = med_store_view(t->app->store, t->slot, INT64_MAX, err);
        bool good = v != NULL && med_view_posted(v, &now, err);
        if (v != NULL)
            med_view_end(v);
        if (!good)
            return false;
        *err = (med_err){0};
        if (med_store_post(t->app->store, NULL, 0, now, (med_posted){0, 0, now.purges}, err))
            return true;
        if (err->issue != MED_ISSUE_CONFLICT || i == TRIES)
            return false; /* they are being written at this moment, again and again */
    }
}

static bool mend_lists(med_task *t, const med_verify *check, med_err *err)
{
    med_str unused;
    if (check->list_faults == 0)
        return true;
    if (!med_message_option_get(t->request, "renew-lists", &unused)) {
        med_host_sayf(t->host, "full-text lists: `medulla verify --renew-lists` throws them away; "
                               "the server makes them anew");
        return true;
    }
    if (!renew_lists(t, err))
        return false;
    med_host_sayf(t->host, "the full-text lists were thrown away; the server makes them anew");
    return true;
}

/* Types whose rows a task makes anew are not compared with what they should be in the end. */
static bool find_uncompared(med_task *t, const med_fhir *f, med_verify *v, med_err *err)
{
    enum { TYPES = 1024 };
    size_t n = 0;
    med_task_note *tasks;
    bool *types = MED_TAKE(t->arena, TYPES, bool);
    if (types == NULL)
        return MED_FAIL_MEMORY(err);
    if (!med_editions_tasks(t->app->editions, t->arena, &tasks, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        med_str rest = tasks[i].types;
        if (tasks[i].state == MED_TASK_DONE)
            continue;
        med_host_sayf(t->host, "index rows of %.*s are not compared: %.*s is %s",
                      MED_STR_ARG(med_str_sub(rest, 0, 200)), MED_STR_ARG(tasks[i].name),
                      med_task_state_names[tasks[i].state]);
        while (rest.len > 0) {
            med_type type = med_pack_type(f->pack, med_str_cut(rest, ' ', &rest));
            uint32_t number = type == MED_TYPE_NONE ? 0 : med_schema_type(f->schema, type);
            types[number < TYPES ? number : 0] = true;
        }
    }
    v->uncompared = types;
    v->n_uncompared = TYPES;
    return true;
}

static enum med_exit task(med_task *t, med_err *err)
{
    const med_fhir *f = med_app_fhir(t->app, t->arena);
    if (f == NULL)
        return MED_FAIL_MEMORY(err) ? MED_EXIT_OK : MED_EXIT_FAILED;
    verify v = {.search = {f->schema, f->base}, .host = t->host};
    med_verify check = {.extract = med_search_extract_for_verify,
                        .terms = med_terms_of_text,
                        .terms_arg = &t->app->terms,
                        .terms_form = med_terms_form(&t->app->terms),
                        .fault = fault,
                        .progress = show,
                        .arg = &v};
    if (!find_uncompared(t, f, &check, err))
        return MED_EXIT_FAILED;
    t->host->begin(t->host, "verifying", "versions");
    bool ok = med_store_verify(t->app->store, &check, err);
    t->host->end(t->host, check.versions, check.faults);
    if (!ok)
        return MED_EXIT_FAILED;
    med_host_sayf(t->host, "%lu versions read, %lu faults", (unsigned long)check.versions,
                  (unsigned long)check.faults);
    if (check.parts > 0)
        med_host_sayf(t->host, "%lu long value%s, %lu bytes, each kept once",
                      (unsigned long)check.parts, check.parts == 1 ? "" : "s",
                      (unsigned long)check.part_bytes);
    if (check.structure_unchecked)
        med_host_sayf(t->host, "how the pages of the file hang together was not checked, as writes "
                               "went on: verify a backup, or the stopped store");
    if (!mend_lists(t, &check, err))
        return MED_EXIT_FAILED;
    return check.faults > 0            ? MED_EXIT_FAILED
           : check.structure_unchecked ? MED_EXIT_PARTLY
                                       : MED_EXIT_OK;
}

static enum med_exit run(const med_arguments *args)
{
    if (args->n != 0)
        return med_command_fail(MED_EXIT_USAGE,
                                "verify takes no words; --data DIR names the store");
    return med_task_perform_alone(args, &med_command_verify);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {"renew-lists", NULL, NULL, "throw away full-text lists that have faults, to be made anew"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_verify = {
    .name = "verify",
    .usage = "[--data DIR] [--renew-lists]",
    .summary = "re-read every version: hashes, index, full-text lists, long values, change feed",
    .examples = "  medulla verify --data DIR\n",
    .options = options,
    .run = run,
    .task = task,
};
