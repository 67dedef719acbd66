/* issue.c - https://hl7.org/fhir/R4/valueset-issue-type.html */
#include "base/issue.h"

static const struct {
    const char *code;
    int status;
} issues[MED_ISSUE_COUNT] = {[MED_ISSUE_NONE] = {"", 200},
#define MED_ISSUE_ROW(name, code, status) [MED_ISSUE_##name] = {code, status},
                             MED_ISSUES(MED_ISSUE_ROW)
#undef MED_ISSUE_ROW
};

const char *med_issue_code(enum med_issue issue)
{
    return issues[issue].code;
}
int med_issue_status(enum med_issue issue)
{
    return issues[issue].status;
}
