/* task.h - a command's work on a store: here when the store is stopped, else in its server.
 *
 * `run` of such a command prepares what only its caller can (directories, lists of files) and
 * calls med_task_perform, which opens the store; when a server owns it, the same work is asked
 * of that server over DATA/admin.sock (admin/server.h). */
#ifndef MED_COMMAND_TASK_H
#define MED_COMMAND_TASK_H

#include "admin/host.h"
#include "admin/message.h"
#include "admin/server.h"
#include "command/command.h"

typedef struct med_task {
    med_app *app;
    med_arena *arena; /* the task's */
    med_host *host;
    const med_message *request; /* options and words */
    unsigned slot;              /* the first of its MED_TASK_SLOTS readers */
} med_task;

/* The command line as a request; the caller may change it. False past the arena's ceiling or
 * with too many words. */
bool med_task_request(const med_arguments *args, const med_command *c, med_message *out,
                      med_err *err) MED_MUST_CHECK;
/* Does the work, says what failed, returns the exit code. */
enum med_exit med_task_perform(const med_arguments *args, const med_command *c,
                               const med_message *request, med_host *host);

/* The same, but what failed is in *err and not said. */
enum med_exit med_task_try(const med_arguments *args, const med_command *c,
                           const med_message *request, med_host *host, med_err *err);
/* The same with the terminal as the host, and the command line as it is. */
enum med_exit med_task_perform_alone(const med_arguments *args, const med_command *c);
/* The same for a command that fills a new directory, which is removed when it fails. */
enum med_exit med_task_perform_into(const med_arguments *args, const med_command *c, med_str path);

/* For med_store_backup and med_store_verify: shows on `host`, stops when it is cancelled. */
bool med_task_progress(void *host, uint64_t done, uint64_t total);
/* Fails with MED_ISSUE_INCOMPLETE when the asker has cancelled. */
bool med_task_goes_on(med_task *t, med_err *err) MED_MUST_CHECK;

/* ---- the server's side ---- */
typedef struct med_tasks med_tasks;
/* Serves the tasks of all commands on the admin socket of app's data directory. */
med_tasks *med_tasks_start(med_app *app, med_err *err) MED_MUST_CHECK;
void med_tasks_stop(med_tasks *t); /* cancels what runs, waits for it; NULL is fine */

#endif
