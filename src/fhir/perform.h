/* perform.h - the steps of a call between its route and its answer, for every driver.
 *
 *     prepare -> (commit -> finish) or finish -> response
 *
 * serve.c runs them without blocking a loop; med_perform blocks, for batch entries on a worker,
 * commands and tests. Both retry a change whose conditions were overtaken. */
#ifndef MED_FHIR_PERFORM_H
#define MED_FHIR_PERFORM_H

#include "fhir/call.h"
#include "fhir/change.h"

enum med_next {
    MED_NEXT_RESPOND, /* call->response is complete */
    MED_NEXT_COMMIT,  /* *commit is to be committed, then med_perform_committed */
    MED_NEXT_WORKER,  /* the same step again, on a worker */
};

typedef struct med_performance {
    med_call *call;
    med_changeset change;
    med_change_guard_arg guard;
    med_commit commit;
    unsigned tries;
    bool finishing; /* the commit is done: only `finish` is left */
} med_performance;

/* Zeroed but for the call, whose change it becomes. */
void med_performance_init(med_performance *p, med_call *call);

/* Parses the body (unless the call has a tape), then prepares; once the commit is done,
 * finishes. call->view must be set. */
enum med_next med_perform_step(med_performance *p);
/* After the commit is done: failure, MED_NEXT_WORKER to prepare anew, or finish. call->view must
 * be set: writes are seen by a view opened after the commit. */
enum med_next med_perform_committed(med_performance *p);

/* The call can not go on (no view, no worker): a failure, or, once the commit is done, a success
 * without its answer. `committed`: the commit has been settled since the last step. */
void med_perform_abandon(med_performance *p, bool committed, const med_err *err);

/* All of it, blocking; `slot` is the caller's reader connection. */
void med_perform(med_call *call, unsigned slot);
/* The same; p->change tells afterwards what was written. */
void med_perform_with(med_performance *p, med_call *call, unsigned slot);

/* Makes the failure (and call->problems) the response. */
void med_call_fail(med_call *call, const med_err *err);
/* The commit is done and only its answer could not be made: a success whose body is a warning
 * that says why. No failure is told of what is stored. */
void med_call_stored(med_call *call, const med_err *err);

#endif
