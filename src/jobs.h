/* jobs.h - searches that are answered later: Prefer: respond-async.
 * https://hl7.org/fhir/R4/async.html
 *
 * A job is a note of the store (what is asked, by which node, how far), so it is taken up again
 * after a kill, from its beginning: by the same node, or by another once its lease is over. Its
 * result is a file below DATA/jobs, or, where several processes share the store, in it. Two threads
 * of least priority page through the answer. Bounded in number and bytes; forgotten after a day. */
#ifndef MED_JOBS_H
#define MED_JOBS_H

#include "edition.h"

enum {
    MED_JOBS_MAX = 100,
    MED_JOB_QUERY = 64 << 10,
    MED_JOB_BYTES = 256 << 20,
    MED_JOB_SECONDS = 86400,
};

typedef struct med_jobs med_jobs;

/* `slot` is the first of MED_JOBS readers of nobody else; `data` the data directory. */
med_jobs *med_jobs_start(med_editions *editions, const med_fhir *base, unsigned slot, unsigned n,
                         med_str data, med_err *err) MED_MUST_CHECK;
void med_jobs_stop(med_jobs *j); /* NULL is fine */

/* May the call be answered later? */
bool med_jobs_takes(const med_call *call);
/* Both on a worker, with call->view open. Begin: *id is the new job's, in the call's arena. */
bool med_jobs_begin(med_jobs *j, med_call *call, med_str path, med_str query, med_str *id,
                    med_err *err) MED_MUST_CHECK;

typedef struct med_job_view {
    bool done;
    int status;       /* of the answer, when done */
    med_str body;     /* mapped until the arena ends */
    med_str progress; /* words, while it is not */
    int64_t expires;  /* microseconds */
} med_job_view;
bool med_jobs_look(med_jobs *j, med_call *call, med_str id, med_job_view *out,
                   med_err *err) MED_MUST_CHECK;
/* Ends and forgets it. */
bool med_jobs_drop(med_jobs *j, med_call *call, med_str id, med_err *err) MED_MUST_CHECK;

#endif
