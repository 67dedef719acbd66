/* app.h - a store opened with the settings, and all that FHIR needs around it.
 *
 * The same for every command: `serve` puts HTTP in front, `import` and the others use it as it
 * is. Only app.c and the commands name the store's back end. */
#ifndef MED_APP_H
#define MED_APP_H

#include "config.h"
#include "edition.h"

/* Beside loops and workers, up to MED_TASKS commands may read a store at a time, each with
 * MED_TASK_SLOTS readers of its own. */
enum { MED_TASKS = 2, MED_TASK_SLOTS = 3 };
/* And what is done without being asked (background.h) has readers of its own. */
enum {
    MED_SLOT_EDITIONS,
    MED_SLOT_REINDEX,
    MED_SLOT_JOBS,
    MED_JOBS = 2,
    MED_BACKGROUND_SLOTS = MED_SLOT_JOBS + MED_JOBS
};

typedef struct med_app {
    med_arena *arena; /* lives as long as the app */
    const med_config *config;
    med_log log;
    med_store *store;
    med_fhir fhir; /* without search parameters that were added; see med_app_fhir */
    med_editions *editions;
    med_terms terms, all_terms; /* of the full-text lists; of what a purge takes out of them */
    med_terms_known known;
    unsigned loops, workers; /* as resolved: 0 in the settings means by the number of cores */
    unsigned quick;          /* readers of who answers quick questions: the loops, or workers when
                                the store is far */
    bool far;
    bool serving; /* a server's, not a command's */
} med_app;

/* Opens (with `create`: makes) the data directory of the settings. `app` must stay where it is.
 * On failure nothing is left open. */
bool med_app_open(med_app *app, med_arena *a, const med_config *config, bool create,
                  med_err *err) MED_MUST_CHECK;
void med_app_close(med_app *app);

/* Brings the store of the settings to this program's format. *snapshot, a new directory, gets a
 * copy first (and is emptied where PostgreSQL's own tools make that); a failure says whether the
 * store is `unchanged`. MED_ISSUE_INFORMATIONAL: it is current. */
bool med_app_upgrade(const med_config *config, med_str *snapshot, unsigned *from, unsigned *to,
                     bool *unchanged, med_err *err) MED_MUST_CHECK;

/* The reader of who makes the full-text lists. */
static inline unsigned med_app_list_slot(const med_app *app)
{
    return app->quick + app->workers + MED_TASKS * MED_TASK_SLOTS;
}

/* FHIR as it is now, held until the arena ends. NULL past its ceiling. */
const med_fhir *med_app_fhir(const med_app *app, med_arena *a);

static inline unsigned med_app_background_slot(const med_app *app, unsigned which)
{
    return med_app_list_slot(app) + 1 + which;
}

/* The first reader of command number `task` (below MED_TASKS). */
static inline unsigned med_app_task_slot(const med_app *app, unsigned task)
{
    return app->quick + app->workers + task * MED_TASK_SLOTS;
}

#endif
