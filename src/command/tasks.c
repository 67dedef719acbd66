/* tasks.c - `medulla tasks`: what runs in the background, and how far it is. */
#include "command/task.h"
#include "edition.h"

enum { VIEW_SECONDS = 10, SECOND = 1000000 };

static bool read_notes(med_task *t, med_note **notes, size_t *n, med_err *err)
{
    int64_t deadline = med_monotonic(&med_clock_system) + VIEW_SECONDS * (int64_t)SECOND;
    med_view *v = med_store_view(t->app->store, t->slot, deadline, err);
    if (v == NULL)
        return false;
    bool ok = med_view_notes(v, t->arena, notes, n, err);
    med_view_end(v);
    return ok;
}

static bool is_task(const med_note *note)
{
    return med_str_starts(note->name, MED_STR("task:"));
}

static void say(med_host *host, const med_task_note *n)
{
    char changed[MED_INSTANT_LEN];
    med_instant_format(n->changed != 0 ? n->changed : n->created, changed);
    med_host_sayf(host,
                  "%.*s  %s %.*s (%.*s of %.*s): %ld of about %ld resources, since %.*s%s%.*s",
                  MED_STR_ARG(n->name), med_task_state_names[n->state], MED_STR_ARG(n->kind),
                  MED_STR_ARG(n->code), MED_STR_ARG(med_str_sub(n->types, 0, 200)), (long)n->done,
                  (long)(n->total > n->done ? n->total : n->done), (int)sizeof changed, changed,
                  n->text.len > 0 ? ": " : "", MED_STR_ARG(n->text));
}

static enum med_exit list(med_task *t, const med_note *notes, size_t n, med_err *err)
{
    size_t shown = 0;
    for (size_t i = 0; i < n; i++) {
        med_task_note task;
        if (!is_task(&notes[i]))
            continue;
        if (!med_task_note_read(t->arena, &notes[i], &task, err))
            return MED_EXIT_FAILED;
        say(t->host, &task);
        shown++;
    }
    if (shown == 0)
        med_host_sayf(t->host, "no tasks");
    return MED_EXIT_OK;
}

static bool change_state(med_task *t, med_task_note *n, bool cancel, med_err *err)
{
    bool ended =
        n->state == MED_TASK_DONE || n->state == MED_TASK_CANCELLED || n->state == MED_TASK_FAILED;
    if (cancel && ended)
        return MED_FAIL(err, MED_ISSUE_CONFLICT, "the task has ended: it is %s",
                        med_task_state_names[n->state]);
    if (!cancel && !ended)
        return MED_FAIL(err, MED_ISSUE_CONFLICT, "the task has not ended: it is %s",
                        med_task_state_names[n->state]);
    n->state = cancel ? MED_TASK_CANCELLED : MED_TASK_WAITING;
    n->changed = med_now(&med_clock_system);
    n->lease_until = 0;
    if (!cancel) { /* from the beginning */
        n->type = n->after = n->after_rid = n->until = n->done = n->valued = 0;
        n->text = MED_STR_EMPTY;
    }
    return med_task_note_write(t->app->store, n, err);
}

/* Whoever runs it may write its progress meanwhile: then it is read again. */
static enum med_exit change(med_task *t, med_str name, bool cancel, med_err *err)
{
    enum { TRIES = 10 };
    for (int i = 0; i < TRIES; i++) {
        size_t n = 0;
        med_note *notes;
        med_task_note task = {.name = MED_STR_EMPTY};
        *err = (med_err){0};
        if (!read_notes(t, &notes, &n, err))
            return MED_EXIT_FAILED;
        for (size_t k = 0; k < n; k++) {
            if (is_task(&notes[k]) && med_str_eq(notes[k].name, name)
                && !med_task_note_read(t->arena, &notes[k], &task, err))
                return MED_EXIT_FAILED;
        }
        if (task.name.len == 0)
            return MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                            "there is no such task; `medulla tasks` "
                            "lists them")
                       ? MED_EXIT_OK
                       : MED_EXIT_FAILED;
        if (change_state(t, &task, cancel, err)) {
            say(t->host, &task);
            return MED_EXIT_OK;
        }
        if (err->issue != MED_ISSUE_CONFLICT
            || med_str_starts(med_str_from(err->text), MED_STR("the task has")))
            return MED_EXIT_FAILED;
    }
    return MED_EXIT_FAILED;
}

static enum med_exit task(med_task *t, med_err *err)
{
    size_t n = 0;
    med_note *notes;
    const med_message *r = t->request;
    if (r->n_words == 2)
        return change(t, r->words[1], med_str_eqz(r->words[0], "cancel"), err);
    return read_notes(t, &notes, &n, err) ? list(t, notes, n, err) : MED_EXIT_FAILED;
}

static enum med_exit run(const med_arguments *args)
{
    bool change_one =
        args->n == 2
        && (med_str_eqz(args->words[0], "cancel") || med_str_eqz(args->words[0], "again"));
    if (args->n != 0 && !change_one)
        return med_command_fail(MED_EXIT_USAGE,
                                "expected nothing, `cancel TASK` or `again TASK`; TASK is as "
                                "`medulla tasks` lists it");
    return med_task_perform_alone(args, &med_command_tasks);
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_tasks = {
    .name = "tasks",
    .usage = "[--data DIR] [cancel TASK | again TASK]",
    .summary = "list, cancel, or begin again what runs in the background",
    .examples = "  medulla tasks --data DIR\n"
                "  medulla tasks --data DIR cancel task:index:ID\n",
    .options = options,
    .run = run,
    .task = task,
};
