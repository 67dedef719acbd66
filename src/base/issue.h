/* issue.h - the one list of what can be wrong: R4 issue-type code and HTTP status.
 * https://hl7.org/fhir/R4/valueset-issue-type.html
 *
 * X(NAME, code, status). The status is what a request that fails with this issue is answered
 * with unless the interaction knows better (MED_ISSUE_DELETED: 410 on read). */
#ifndef MED_BASE_ISSUE_H
#define MED_BASE_ISSUE_H

#define MED_ISSUES(X)                                                                              \
    X(INVALID, "invalid", 400)                                                                     \
    X(STRUCTURE, "structure", 422)                                                                 \
    X(REQUIRED, "required", 422)                                                                   \
    X(VALUE, "value", 422)                                                                         \
    X(INVARIANT, "invariant", 422)                                                                 \
    X(SECURITY, "security", 403)                                                                   \
    X(LOGIN, "login", 401)                                                                         \
    X(UNKNOWN, "unknown", 401)                                                                     \
    X(EXPIRED, "expired", 401)                                                                     \
    X(FORBIDDEN, "forbidden", 403)                                                                 \
    X(SUPPRESSED, "suppressed", 200)                                                               \
    X(PROCESSING, "processing", 422)                                                               \
    X(NOT_SUPPORTED, "not-supported", 400)                                                         \
    X(DUPLICATE, "duplicate", 409)                                                                 \
    X(MULTIPLE_MATCHES, "multiple-matches", 412)                                                   \
    X(NOT_FOUND, "not-found", 404)                                                                 \
    X(DELETED, "deleted", 410)                                                                     \
    X(TOO_LONG, "too-long", 413)                                                                   \
    X(CODE_INVALID, "code-invalid", 422)                                                           \
    X(EXTENSION, "extension", 422)                                                                 \
    X(TOO_COSTLY, "too-costly", 403)                                                               \
    X(BUSINESS_RULE, "business-rule", 422)                                                         \
    X(CONFLICT, "conflict", 409)                                                                   \
    X(TRANSIENT, "transient", 503)                                                                 \
    X(LOCK_ERROR, "lock-error", 503)                                                               \
    X(NO_STORE, "no-store", 507)                                                                   \
    X(EXCEPTION, "exception", 500)                                                                 \
    X(TIMEOUT, "timeout", 503)                                                                     \
    X(INCOMPLETE, "incomplete", 200)                                                               \
    X(THROTTLED, "throttled", 429)                                                                 \
    X(INFORMATIONAL, "informational", 200)

enum med_issue {
    MED_ISSUE_NONE = 0,
#define MED_ISSUE_ENUM(name, code, status) MED_ISSUE_##name,
    MED_ISSUES(MED_ISSUE_ENUM)
#undef MED_ISSUE_ENUM
        MED_ISSUE_COUNT
};

const char *med_issue_code(enum med_issue issue); /* "not-found"; "" for NONE */
int med_issue_status(enum med_issue issue);       /* 200 for NONE */

#endif
