/* outcome.h - an OperationOutcome out of what went wrong.
 * https://hl7.org/fhir/R4/operationoutcome.html
 *
 * The only place that turns med_err and med_problems into FHIR. Diagnostics are for developers
 * and hold names of elements and parameters, never values that only the store knows. */
#ifndef MED_FHIR_OUTCOME_H
#define MED_FHIR_OUTCOME_H

#include "validate/structure.h"

/* Appends {"resourceType":"OperationOutcome",...}: one issue for err (if it has one and
 * `problems` has no error that says more) and one for each problem. */
void med_outcome_write(med_buf *out, const med_err *err, const med_problems *problems);
/* One informational or warning issue. */
void med_outcome_write_note(med_buf *out, const char *severity, enum med_issue issue, med_str text);
/* Of a write that was done (Prefer: return=OperationOutcome): what happened, and the warnings. */
void med_outcome_write_done(med_buf *out, med_str text, const med_problems *warnings);
/* Into the arena; the empty slice only when even that little memory is gone. */
med_str med_outcome_text(med_arena *a, const med_err *err, const med_problems *problems);
/* HTTP status: that of the first error among the problems, else of err. */
int med_outcome_status(const med_err *err, const med_problems *problems);

#endif
