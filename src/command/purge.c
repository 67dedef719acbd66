/* purge.c - `medulla purge TYPE/ID --reason TEXT`: removes a resource physically, all versions. */
#include "command/task.h"

static bool find(const med_app *app, med_str what, uint32_t *type, med_str *id, med_err *err)
{
    med_str name = med_str_cut(what, '/', id);
    med_type t = med_pack_type(app->fhir.pack, name);
    *type = t == MED_TYPE_NONE ? 0 : med_schema_type(app->fhir.schema, t);
    return *type != 0 && id->len > 0
               ? true
               : MED_FAIL(err, MED_ISSUE_VALUE, "'%.*s' is not of the form Type/id",
                          MED_STR_ARG(what));
}

static bool purge(med_task *t, med_str reason, med_write *w, med_err *err)
{
    *w = (med_write){.kind = MED_WRITE_PURGE};
    if (!find(t->app, t->request->words[0], &w->type, &w->id, err)
        || !med_store_prepare(t->app->store, t->arena, w, err))
        return false;
    med_commit c = {.writes = w, .n_writes = 1, .check_references = true, .trace = reason};
    return med_store_commit_wait(t->app->store, &c, err);
}

static enum med_exit task(med_task *t, med_err *err)
{
    med_write w;
    med_str reason = MED_STR_EMPTY;
    if (t->request->n_words != 1 || !med_message_option_get(t->request, "reason", &reason)
        || reason.len == 0) {
        (void)MED_FAIL(err, MED_ISSUE_VALUE, "purge needs TYPE/ID and --reason TEXT");
        return MED_EXIT_USAGE;
    }
    if (!purge(t, reason, &w, err))
        return err->issue == MED_ISSUE_VALUE ? MED_EXIT_USAGE : MED_EXIT_FAILED;
    med_host_sayf(t->host, "%s",
                  w.outcome == MED_OUTCOME_WAS_ABSENT ? "there was nothing to purge"
                                                      : "purged, all versions");
    return MED_EXIT_OK;
}

static enum med_exit run(const med_arguments *args)
{
    med_str reason = MED_STR_EMPTY;
    (void)med_argument(args, "reason", &reason);
    if (args->n != 1 || reason.len == 0)
        return med_command_fail(MED_EXIT_USAGE, "purge needs TYPE/ID and --reason TEXT");
    return med_task_perform_alone(args, &med_command_purge);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"reason", "TEXT", NULL, "why; kept without any content of the resource"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_purge = {
    .name = "purge",
    .usage = "[--data DIR] --reason TEXT TYPE/ID",
    .summary = "remove a resource physically, with all its versions",
    .examples = "  medulla purge --data DIR --reason 'court order 12/2026' Patient/123\n",
    .options = options,
    .run = run,
    .task = task,
};
