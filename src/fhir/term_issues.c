/* term_issues.c - see term_issues.h. */
#include "fhir/term_issues.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 4096 };

void med_term_issue_add(med_term_issues *l, enum med_term_severity severity, const char *code,
                        const char *tx_code, const char *id, med_str at, const char *fmt, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    if (l->n == MED_TERM_ISSUES)
        return;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    med_term_issue *i = &l->at[l->n];
    *i = (med_term_issue){severity, code, tx_code, id, MED_STR_EMPTY, at};
    if (med_arena_copy(l->arena, (med_str){text, len}, &i->text))
        l->n++;
}

bool med_term_issues_fail(const med_term_issues *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i].severity == MED_TERM_ERROR)
            return true;
    }
    return false;
}

static void list_of_one(med_json_writer *w, const char *key, med_str value)
{
    med_json_key(w, med_str_from(key));
    med_json_open(w, '[');
    med_json_str(w, value);
    med_json_close(w, ']');
}

static void write_one(med_json_writer *w, const med_term_issue *i)
{
    static const char *const severities[] = {"error", "warning", "information"};
    med_json_open(w, '{');
    med_json_key(w, MED_STR("extension"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_pair(w, "url",
                  MED_STR("http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"));
    med_json_pair(w, "valueString", med_str_from(i->id));
    med_json_close(w, '}');
    med_json_close(w, ']');
    med_json_pair(w, "severity", med_str_from(severities[i->severity]));
    med_json_pair(w, "code", med_str_from(i->code));
    med_json_key(w, MED_STR("details"));
    med_json_open(w, '{');
    med_json_key(w, MED_STR("coding"));
    med_json_open(w, '[');
    med_json_open(w, '{');
    med_json_pair(w, "system", MED_STR("http://hl7.org/fhir/tools/CodeSystem/tx-issue-type"));
    med_json_pair(w, "code", med_str_from(i->tx_code));
    med_json_close(w, '}');
    med_json_close(w, ']');
    med_json_pair(w, "text", i->text);
    med_json_close(w, '}');
    if (i->at.len > 0) {
        list_of_one(w, "location", i->at);
        list_of_one(w, "expression", i->at);
    }
    med_json_close(w, '}');
}

/* For people: what can be done about it. The hints are texts of this program: nothing to escape. */
static void write_hint(med_json_writer *w, const med_term_issues *l)
{
    med_json_key(w, MED_STR("text"));
    med_json_open(w, '{');
    med_json_pair(w, "status", MED_STR("generated"));
    med_json_pair(w, "div",
                  med_arena_printf(l->arena,
                                   "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>%.*s</p></div>",
                                   MED_STR_ARG(l->hint)));
    med_json_close(w, '}');
}

void med_term_issues_write(med_json_writer *w, const med_term_issues *l)
{
    med_json_open(w, '{');
    med_json_pair(w, "resourceType", MED_STR("OperationOutcome"));
    if (l->hint.len > 0)
        write_hint(w, l);
    med_json_key(w, MED_STR("issue"));
    med_json_open(w, '[');
    for (int severity = MED_TERM_ERROR; severity <= MED_TERM_NOTE; severity++) {
        for (size_t i = 0; i < l->n; i++) {
            if ((int)l->at[i].severity == severity)
                write_one(w, &l->at[i]);
        }
    }
    med_json_close(w, ']');
    med_json_close(w, '}');
}

static int by_text(const void *a, const void *b)
{
    return med_str_compare(*(const med_str *)a, *(const med_str *)b);
}

/* What is said of the code; not what is said of the value set or of one of its other names. */
static bool is_message(const med_term_issue *i)
{
    if (i->severity == MED_TERM_NOTE)
        return strcmp(i->tx_code, "invalid-display") == 0;
    return strcmp(i->id, "CONCEPT_DEPRECATED_IN_VALUESET") != 0
           && strcmp(i->id, "INACTIVE_DISPLAY_FOUND") != 0;
}

med_str med_term_issues_message(const med_term_issues *l)
{
    med_str texts[MED_TERM_ISSUES], out = MED_STR_EMPTY;
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (is_message(&l->at[i]))
            texts[n++] = l->at[i].text;
    }
    if (n > 0)
        qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !med_str_eq(texts[i], texts[i - 1]))
            out = med_arena_printf(l->arena, "%.*s%s%.*s", MED_STR_ARG(out),
                                   out.len > 0 ? "; " : "", MED_STR_ARG(texts[i]));
    }
    return out;
}
