/* err.c - see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

/* The length of text[0..len) without a UTF-8 sequence that was cut off at its end. */
static size_t whole_characters(const char *text, size_t len)
{
    size_t lead = len;
    while (lead > 0 && len - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0)
        return len;
    unsigned char c = (unsigned char)text[lead - 1];
    size_t want = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    return len - (lead - 1) < want ? lead - 1 : len;
}

bool med_fail(med_err *err, enum med_issue issue, const char *at, const char *fmt, ...)
{
    *err = (med_err){.issue = issue, .at = at};
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    if (n >= (int)sizeof err->text)
        err->text[whole_characters(err->text, sizeof err->text - 1)] = '\0';
    return false;
}

bool med_fail_memory(med_err *err, const char *at)
{
    (void)med_fail(err, MED_ISSUE_TOO_COSTLY, at, "the request needs more memory than one may use");
    return med_err_status(err, 413);
}

bool med_err_at(med_err *err, med_str expression)
{
    size_t n = expression.len;
    if (n >= sizeof err->expr)
        n = whole_characters(expression.ptr, sizeof err->expr - 1);
    memcpy(err->expr, expression.ptr, n);
    err->expr[n] = '\0';
    return false;
}

bool med_err_status(med_err *err, int status)
{
    err->status = status;
    return false;
}

int med_err_http_status(const med_err *err)
{
    return err->status != 0 ? err->status : med_issue_status(err->issue);
}
