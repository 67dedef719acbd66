/* term_issues.h - what $validate-code has to say, as the issues of an OperationOutcome with the
 * codes of the terminology ecosystem (http://hl7.org/fhir/tools/CodeSystem/tx-issue-type). */
#ifndef MED_FHIR_TERM_ISSUES_H
#define MED_FHIR_TERM_ISSUES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

enum med_term_severity { MED_TERM_ERROR, MED_TERM_WARNING, MED_TERM_NOTE };

enum { MED_TERM_ISSUES = 64 };

typedef struct med_term_issue {
    enum med_term_severity severity;
    const char *code;    /* of the issue */
    const char *tx_code; /* of its details */
    const char *id;      /* message id, the same in all servers */
    med_str text, at;    /* FHIRPath, or "" */
} med_term_issue;

typedef struct med_term_issues {
    med_arena *arena;
    med_term_issue at[MED_TERM_ISSUES];
    size_t n;
    med_str hint; /* what to do about them; "" or a text of this program */
} med_term_issues;

/* The text is printf's. Beyond MED_TERM_ISSUES nothing is added. */
void med_term_issue_add(med_term_issues *l, enum med_term_severity severity, const char *code,
                        const char *tx_code, const char *id, med_str at, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
bool med_term_issues_fail(const med_term_issues *l); /* has it an error? */
/* {"resourceType":"OperationOutcome",...} */
void med_term_issues_write(med_json_writer *w, const med_term_issues *l);
/* Errors and warnings, sorted, with "; " between them. */
med_str med_term_issues_message(const med_term_issues *l);

#endif
