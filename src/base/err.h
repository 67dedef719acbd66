/* err.h - how every layer reports failure.
 *
 * A function that can fail returns bool and takes `med_err *err` last. When it returns false,
 * *err was filled once, by the layer that saw the fault; callers pass it up untouched, and only
 * fhir/outcome.c makes a status and a FHIR OperationOutcome of it. The text is fixed storage,
 * so that "out of memory" needs no memory. Never put a value taken from a resource in `text`:
 * it reaches logs. (Names of elements, types and parameters are fine.) */
#ifndef MED_BASE_ERR_H
#define MED_BASE_ERR_H

#include "base/issue.h"
#include "base/str.h"

typedef struct med_err {
    enum med_issue issue; /* OperationOutcome.issue.code; MED_ISSUE_NONE = no error */
    int status;           /* HTTP status when it is not the issue's own, else 0 */
    char expr[128];       /* OperationOutcome.issue.expression (FHIRPath), or "" */
    char text[256];       /* OperationOutcome.issue.diagnostics, for a developer */
    const char *at;       /* "token.c:31" for our log; never sent to a client */
} med_err;

/* Fills *err and returns false, so that a caller writes `return MED_FAIL(...)`. */
#define MED_FAIL(err, issue, ...) med_fail((err), (issue), MED_HERE, __VA_ARGS__)
bool med_fail(med_err *err, enum med_issue issue, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold, nonnull(1, 3, 4)));
/* The same for "the arena's ceiling is reached": MED_ISSUE_TOO_COSTLY with status 413. */
#define MED_FAIL_MEMORY(err) med_fail_memory((err), MED_HERE)
bool med_fail_memory(med_err *err, const char *at) __attribute__((cold, nonnull(1, 2)));
/* Adds where (a FHIRPath) and another status to a failure; return false, too. */
bool med_err_at(med_err *err, med_str expression);
bool med_err_status(med_err *err, int status);
/* The HTTP status this failure is answered with. */
int med_err_http_status(const med_err *err);

#define MED_HERE_(line) __FILE__ ":" #line
#define MED_HERE__(line) MED_HERE_(line)
#define MED_HERE MED_HERE__(__LINE__)
#endif
