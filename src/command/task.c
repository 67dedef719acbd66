/* task.c - see task.h. */
#include "command/task.h"

#include <pthread.h>
#include <time.h>

#include "admin/client.h"
#include "base/mem.h"
#include "base/thread.h"
#include "command/terminal.h"

enum {
    TRIES = 10, /* a server that has just begun has its lock, and its socket a moment later */
    PAUSE = 100000000,
    BACKGROUND = 10, /* niceness */
    TASK_ARENA = 256 << 20,
};

static const med_command *const served[] = {
    &med_command_backup, &med_command_export, &med_command_verify, &med_command_purge,
    &med_command_import, &med_command_doctor, &med_command_tasks,  NULL,
};

bool med_task_progress(void *host, uint64_t done, uint64_t total)
{
    med_host *h = host;
    h->show(h, &(med_host_figures){.part = done, .whole = total, .done = done});
    return !h->cancelled(h);
}

bool med_task_goes_on(med_task *t, med_err *err)
{
    return !t->host->cancelled(t->host) || MED_FAIL(err, MED_ISSUE_INCOMPLETE, "cancelled");
}

/* ---- the asker's side ---- */

bool med_task_request(const med_arguments *args, const med_command *c, med_message *out,
                      med_err *err)
{
    med_message_option *options = MED_TAKE(args->arena, MED_MESSAGE_OPTIONS, med_message_option);
    if (options == NULL)
        return MED_FAIL_MEMORY(err);
    if (args->n > MED_MESSAGE_WORDS)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "at most %d words", MED_MESSAGE_WORDS);
    *out = (med_message){.kind = MED_MESSAGE_RUN,
                         .command = med_str_from(c->name),
                         .options = options,
                         .words = args->words,
                         .n_words = args->n};
    for (const med_option *o = c->options; o->name != NULL; o++) {
        if (o->setting == NULL && out->n_options < MED_MESSAGE_OPTIONS
            && med_argument(args, o->name, &options[out->n_options].value))
            options[out->n_options++].name = med_str_from(o->name);
    }
    return true;
}

/* What the task holds of the app goes before the app does. */
static enum med_exit perform_here(med_app *app, const med_command *c, const med_message *request,
                                  med_host *host, med_err *err)
{
    med_task t = {.app = app,
                  .arena = med_arena_new(TASK_ARENA),
                  .host = host,
                  .request = request,
                  .slot = med_app_task_slot(app, 0)};
    enum med_exit code = MED_EXIT_FAILED;
    if (t.arena == NULL)
        (void)MED_FAIL_MEMORY(err);
    else
        code = c->task(&t, err);
    med_arena_free(t.arena);
    return code;
}

static enum med_exit ask_server(const med_arguments *args, const med_message *request,
                                med_host *host, med_err *err)
{
    const struct timespec pause = {0, PAUSE};
    med_str data = med_config_text(args->config, "store.data");
    int code = MED_EXIT_FAILED;
    med_err owned = *err;
    for (int i = 0; i < TRIES; i++) {
        *err = (med_err){0};
        if (med_admin_ask(data, request, host, &code, err) != MED_ASKED_NOBODY)
            return (enum med_exit)code;
        (void)nanosleep(&pause, NULL);
    }
    *err = owned;
    return MED_EXIT_FAILED;
}

enum med_exit med_task_try(const med_arguments *args, const med_command *c,
                           const med_message *request, med_host *host, med_err *err)
{
    med_app app;
    enum med_exit code = MED_EXIT_FAILED;
    if (med_app_open(&app, args->arena, args->config, c->creates, err)) {
        code = perform_here(&app, c, request, host, err);
        med_app_close(&app);
    } else if (err->issue == MED_ISSUE_LOCK_ERROR) {
        code = ask_server(args, request, host, err);
    } else if (err->issue == MED_ISSUE_NOT_SUPPORTED || err->issue == MED_ISSUE_EXPIRED) {
        code = MED_EXIT_REFUSED;
    }
    return code;
}

enum med_exit med_task_perform(const med_arguments *args, const med_command *c,
                               const med_message *request, med_host *host)
{
    med_err err = {0};
    enum med_exit code = med_task_try(args, c, request, host, &err);
    return err.text[0] != '\0' ? med_command_fail(code, "%s", err.text) : code;
}

enum med_exit med_task_perform_alone(const med_arguments *args, const med_command *c)
{
    med_err err = {0};
    med_terminal terminal;
    med_message request;
    if (!med_terminal_init(&terminal, &err) || !med_task_request(args, c, &request, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    enum med_exit code = med_task_perform(args, c, &request, &terminal.host);
    med_terminal_free(&terminal);
    return code;
}

enum med_exit med_task_perform_into(const med_arguments *args, const med_command *c, med_str path)
{
    med_err err = {0};
    med_terminal terminal;
    med_message request;
    med_out_directory *to = MED_TAKE(args->arena, 1, med_out_directory);
    if (to == NULL || !med_terminal_init(&terminal, &err)
        || !med_task_request(args, c, &request, &err)
        || !med_out_directory_make(to, args->arena, path, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", to == NULL ? "no memory" : err.text);
    request.n_words = 0; /* the place is ours alone to know */
    terminal.make = med_out_directory_file;
    terminal.arg = to;
    enum med_exit code = med_task_perform(args, c, &request, &terminal.host);
    if (!med_out_directory_end(to, code == MED_EXIT_OK, &err))
        code = med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    med_terminal_free(&terminal);
    return code;
}

/* ---- the server's side ---- */

struct med_tasks {
    med_app *app;
    med_admin *admin;
    pthread_mutex_t lock;
    const med_command *running[MED_TASKS];
};

static const med_command *find_command(med_str name)
{
    const med_command *const *c = served;
    while (*c != NULL && !med_str_eqz(name, (*c)->name))
        c++;
    return *c;
}

static bool knows_option(const med_command *c, med_str name)
{
    for (const med_option *o = c->options; o->name != NULL; o++) {
        if (o->setting == NULL && med_str_eqz(name, o->name))
            return true;
    }
    for (const char *const *o = c->task_options; o != NULL && *o != NULL; o++) {
        if (med_str_eqz(name, *o))
            return true;
    }
    return false;
}

/* A client of another version may know what we do not: then we must not do half of it. */
static const med_command *check_request(const med_message *request, med_err *err)
{
    const med_command *c = find_command(request->command);
    if (c == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "the server knows no such command");
        return NULL;
    }
    for (size_t i = 0; i < request->n_options; i++) {
        if (knows_option(c, request->options[i].name))
            continue;
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "the running server's %s (medulla %s) has no option --%.*s", c->name,
                       MED_VERSION, MED_STR_ARG(med_str_sub(request->options[i].name, 0, 40)));
        return NULL;
    }
    return c;
}

/* A place for the command, or -1. With the lock held. */
static int find_place(const med_tasks *t, const med_command *c, med_err *err)
{
    int place = -1;
    for (int i = 0; i < MED_TASKS; i++) {
        if (t->running[i] == c) {
            (void)MED_FAIL(err, MED_ISSUE_CONFLICT, "the server is at another %s; wait for its end",
                           c->name);
            return -1;
        }
        if (t->running[i] == NULL)
            place = i;
    }
    if (place < 0)
        (void)MED_FAIL(err, MED_ISSUE_CONFLICT,
                       "the server is at %d other commands; wait for the end of one", MED_TASKS);
    return place;
}

static int begin_task(med_tasks *t, const med_command *c, med_err *err)
{
    pthread_mutex_lock(&t->lock);
    int place = find_place(t, c, err);
    if (place >= 0)
        t->running[place] = c;
    pthread_mutex_unlock(&t->lock);
    return place;
}

static void end_task(med_tasks *t, int place)
{
    pthread_mutex_lock(&t->lock);
    t->running[place] = NULL;
    pthread_mutex_unlock(&t->lock);
}

/* On the connection's own thread, whose children are as modest as it is. */
static void be_modest(void)
{
    med_thread_step_back(BACKGROUND);
}

static int run_task(void *arg, med_arena *a, med_host *host, const med_message *request,
                    med_err *err)
{
    med_tasks *t = arg;
    const med_command *c = check_request(request, err);
    if (c == NULL)
        return MED_EXIT_REFUSED;
    int place = c->quick ? 0 : begin_task(t, c, err);
    if (place < 0)
        return MED_EXIT_FAILED;
    med_task task = {.app = t->app,
                     .arena = a,
                     .host = host,
                     .request = request,
                     .slot = med_app_task_slot(t->app, (unsigned)place)};
    be_modest();
    MED_LOG(&t->app->log, MED_LOG_INFO, "command begins",
            MED_LOG_TEXT("command", med_str_from(c->name)));
    enum med_exit code = c->task(&task, err);
    MED_LOG(&t->app->log, MED_LOG_INFO, "command ends",
            MED_LOG_TEXT("command", med_str_from(c->name)), MED_LOG_INT("code", (int64_t)code));
    if (!c->quick)
        end_task(t, place);
    return (int)code;
}

med_tasks *med_tasks_start(med_app *app, med_err *err)
{
    med_tasks *t = MED_NEW(1, med_tasks);
    if (t == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    t->app = app;
    pthread_mutex_init(&t->lock, NULL);
    const med_admin_config config = {.data = med_config_text(app->config, "store.data"),
                                     .log = &app->log,
                                     .run = run_task,
                                     .arg = t};
    t->admin = med_admin_start(&config, err);
    if (t->admin != NULL)
        return t;
    med_tasks_stop(t);
    return NULL;
}

void med_tasks_stop(med_tasks *t)
{
    if (t == NULL)
        return;
    med_admin_stop(t->admin);
    pthread_mutex_destroy(&t->lock);
    med_free(t);
}
