/* dangling.h - local references to resources that are not there.
 *
 * Writes over HTTP are refused when they would make one (setting fhir.check_references); a bulk
 * import may hold the target in a later file, so it looks at its end. Reads in short views of
 * reader `slot`, beside traffic. */
#ifndef MED_DANGLING_H
#define MED_DANGLING_H

#include "fhir/call.h"

typedef struct med_dangling {
    const med_fhir *fhir;
    unsigned slot;
    /* For each reference found, up to `most`; slices last for the call only. */
    void (*found)(void *arg, med_str from_type, med_str from_id, med_str expression,
                  med_str target_type, med_str target_id);
    /* Now and then; false ends it with MED_ISSUE_INCOMPLETE. */
    bool (*go_on)(void *arg);
    void *arg;
    uint64_t most;
    uint64_t references, targets; /* results; references are counted up to 10,000 a target */
} med_dangling;

bool med_dangling_find(med_dangling *d, med_err *err) MED_MUST_CHECK;

#endif
