/* outcome.c - https://hl7.org/fhir/R4/operationoutcome.html */
#include "fhir/outcome.h"

enum { OUTCOME_BYTES = 1 << 20 };

static void write_issue(med_json_writer *w, const char *severity, enum med_issue issue,
                        med_str text, med_str expression)
{
    med_json_open(w, '{');
    med_json_pair(w, "severity", med_str_from(severity));
    med_json_pair(w, "code", med_str_from(med_issue_code(issue)));
    med_json_pair(w, "diagnostics", text);
    if (expression.len > 0) {
        med_json_key(w, MED_STR("expression"));
        med_json_open(w, '[');
        med_json_str(w, expression);
        med_json_close(w, ']');
    }
    med_json_close(w, '}');
}

static void open_outcome(med_json_writer *w)
{
    med_json_open(w, '{');
    med_json_pair(w, "resourceType", MED_STR("OperationOutcome"));
    med_json_key(w, MED_STR("issue"));
    med_json_open(w, '[');
}

static void close_outcome(med_json_writer *w)
{
    med_json_close(w, ']');
    med_json_close(w, '}');
}

static void write_problems(med_json_writer *w, const med_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        const med_problem *p = &problems->at[i];
        write_issue(w, p->is_warning ? "warning" : "error", p->issue, p->text, p->expression);
    }
    if (problems->more)
        write_issue(w, "error", MED_ISSUE_TOO_LONG,
                    MED_STR("there are more problems than are listed here"), MED_STR_EMPTY);
}

static bool has_errors(const med_problems *problems)
{
    for (size_t i = 0; problems != NULL && i < problems->n; i++) {
        if (!problems->at[i].is_warning)
            return true;
    }
    return false;
}

void med_outcome_write(med_buf *out, const med_err *err, const med_problems *problems)
{
    med_json_writer w = med_json_writer_to(out);
    open_outcome(&w);
    if (err != NULL && err->issue != MED_ISSUE_NONE && !has_errors(problems)) {
        const char *severity = err->issue == MED_ISSUE_EXCEPTION ? "fatal" : "error";
        write_issue(&w, severity, err->issue, med_str_from(err->text), med_str_from(err->expr));
    }
    if (problems != NULL)
        write_problems(&w, problems);
    close_outcome(&w);
}

void med_outcome_write_note(med_buf *out, const char *severity, enum med_issue issue, med_str text)
{
    med_json_writer w = med_json_writer_to(out);
    open_outcome(&w);
    write_issue(&w, severity, issue, text, MED_STR_EMPTY);
    close_outcome(&w);
}

void med_outcome_write_done(med_buf *out, med_str text, const med_problems *warnings)
{
    med_json_writer w = med_json_writer_to(out);
    open_outcome(&w);
    write_issue(&w, "information", MED_ISSUE_INFORMATIONAL, text, MED_STR_EMPTY);
    write_problems(&w, warnings);
    close_outcome(&w);
}

med_str med_outcome_text(med_arena *a, const med_err *err, const med_problems *problems)
{
    med_str text = MED_STR_EMPTY;
    med_buf buf;
    med_buf_init(&buf, OUTCOME_BYTES);
    med_outcome_write(&buf, err, problems);
    bool kept = !buf.failed && med_arena_copy(a, med_buf_str(&buf), &text);
    med_buf_free(&buf);
    return kept ? text
                : MED_STR(
                    "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\","
                    "\"code\":\"too-costly\",\"diagnostics\":\"the request needed more memory "
                    "than one request may use\"}]}");
}

int med_outcome_status(const med_err *err, const med_problems *problems)
{
    if (err != NULL && err->issue != MED_ISSUE_NONE)
        return med_err_http_status(err);
    for (size_t i = 0; problems != NULL && i < problems->n; i++) {
        if (!problems->at[i].is_warning)
            return med_issue_status(problems->at[i].issue);
    }
    return 200;
}
