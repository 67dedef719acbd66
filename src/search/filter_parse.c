/* filter_parse.c - see filter_parse.h. https://hl7.org/fhir/R4/search_filter.html
 *
 *     filter    = part *(("and" / "or") part)
 *     part      = "not" "(" filter ")" / "(" filter ")" / path SP op SP value
 *     path      = name *(["[" filter "]"] "." name)
 *     value     = JSON string / anything up to a space, ")" or "]" */
#include "search/filter_parse.h"

#include <assert.h>

#include "base/json.h"

const med_str med_filter_op_names[] = {
    MED_LIT("eq"), MED_LIT("ne"), MED_LIT("co"), MED_LIT("sw"), MED_LIT("ew"), MED_LIT("gt"),
    MED_LIT("lt"), MED_LIT("ge"), MED_LIT("le"), MED_LIT("sa"), MED_LIT("eb"), MED_LIT("ap"),
    MED_LIT("pr"), MED_LIT("po"), MED_LIT("ss"), MED_LIT("sb"), MED_LIT("in"), MED_LIT("re"),
};
enum { FIRST_ROOM = 4 };
enum { OPS = sizeof med_filter_op_names / sizeof *med_filter_op_names };

typedef struct reader {
    med_arena *arena;
    med_str text;
    size_t at;
    size_t tests;
    unsigned depth;
    med_err *err;
} reader;

static bool expected(reader *r, const char *what)
{
    (void)MED_FAIL(r->err, MED_ISSUE_VALUE, "at character %zu of the filter: expected %s",
                   r->at + 1, what);
    return med_err_status(r->err, 400);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-' || c == ':';
}

static bool at_end(const reader *r)
{
    return r->at == r->text.len;
}

static bool is_at(const reader *r, char c)
{
    return !at_end(r) && r->text.ptr[r->at] == c;
}

static bool skip_spaces(reader *r)
{
    size_t from = r->at;
    while (!at_end(r) && is_space(r->text.ptr[r->at]))
        r->at++;
    return r->at > from;
}

static med_str word_here(const reader *r)
{
    size_t to = r->at;
    while (to < r->text.len && is_name(r->text.ptr[to]))
        to++;
    return med_str_sub(r->text, r->at, to);
}

static bool deeper(reader *r)
{
    if (++r->depth <= MED_FILTER_DEPTH)
        return true;
    return MED_FAIL(r->err, MED_ISSUE_TOO_COSTLY, "a filter may nest %d deep", MED_FILTER_DEPTH);
}

/* ---- values ---- */

/* "..." as in JSON; the reader stands at the first quote. */
static bool read_string(reader *r, med_str *out)
{
    size_t to = r->at + 1;
    med_json j;
    med_err ignored = {0};
    while (to < r->text.len && r->text.ptr[to] != '"')
        to += r->text.ptr[to] == '\\' ? 2 : 1;
    if (to >= r->text.len)
        return expected(r, "the string's closing quote");
    med_str raw = med_str_sub(r->text, r->at, to + 1);
    if (!med_json_parse(r->arena, raw, &j, NULL, &ignored)
        || !med_json_string(r->arena, &j, 0, out))
        return expected(r, "a string as in JSON");
    r->at = to + 1;
    return true;
}

static bool read_value(reader *r, med_str *out)
{
    size_t from = r->at;
    if (is_at(r, '"'))
        return read_string(r, out);
    while (!at_end(r) && !is_space(r->text.ptr[r->at]) && r->text.ptr[r->at] != ')'
           && r->text.ptr[r->at] != ']')
        r->at++;
    *out = med_str_sub(r->text, from, r->at);
    return out->len > 0 ? true : expected(r, "a value");
}

/* ---- tests ---- */

static bool read_op(reader *r, enum med_filter_op *out)
{
    med_str word = word_here(r);
    for (size_t i = 0; i < OPS; i++) {
        if (med_str_eq(word, med_filter_op_names[i])) {
            *out = (enum med_filter_op)i;
            r->at += word.len;
            return skip_spaces(r) ? true : expected(r, "a space and a value");
        }
    }
    return expected(r, "one of eq ne co sw ew gt lt ge le sa eb ap pr po ss sb in re");
}

/* a.b.c; stops at a bracket. */
static bool read_path(reader *r, med_str *out)
{
    size_t from = r->at;
    for (;;) {
        med_str name = word_here(r);
        if (name.len == 0)
            return expected(r, "the name of a search parameter");
        r->at += name.len;
        if (!is_at(r, '.'))
            break;
        r->at++;
    }
    *out = med_str_sub(r->text, from, r->at);
    return true;
}

static med_filter *read_filter(reader *r);

// NOLINTNEXTLINE(misc-no-recursion): see read_test
static const med_filter *read_bracketed(reader *r, char close, const char *what)
{
    r->at++;
    if (!deeper(r))
        return NULL;
    const med_filter *group = read_filter(r);
    r->depth--;
    if (group == NULL)
        return NULL;
    (void)skip_spaces(r);
    if (!is_at(r, close)) {
        (void)expected(r, what);
        return NULL;
    }
    r->at++;
    return group;
}

/* path op value, or path[filter].test */
// NOLINTNEXTLINE(misc-no-recursion): ends at MED_FILTER_DEPTH
static bool read_test(reader *r, med_filter_part *p)
{
    p->kind = MED_FILTER_TEST;
    p->value = MED_STR_EMPTY;
    if (++r->tests > MED_FILTER_TESTS)
        return MED_FAIL(r->err, MED_ISSUE_TOO_COSTLY, "a filter may have %d tests",
                        MED_FILTER_TESTS);
    if (!read_path(r, &p->path))
        return false;
    if (is_at(r, '[')) {
        p->group = read_bracketed(r, ']', "']'");
        if (p->group == NULL)
            return false;
        if (!is_at(r, '.'))
            return expected(r, "'.' and the name of a search parameter");
        r->at++;
        med_filter_part *rest = MED_TAKE(r->arena, 1, med_filter_part);
        if (rest == NULL)
            return MED_FAIL_MEMORY(r->err);
        rest->at = r->at;
        p->rest = rest;
        return read_test(r, rest);
    }
    if (!skip_spaces(r))
        return expected(r, "a space and an operator");
    return read_op(r, &p->op) && read_value(r, &p->value);
}

// NOLINTNEXTLINE(misc-no-recursion): see read_test
static bool read_part(reader *r, med_filter_part *p)
{
    (void)skip_spaces(r);
    p->at = r->at;
    p->path = p->value = MED_STR_EMPTY;
    med_str word = word_here(r);
    if (med_str_eqz(word, "not")) {
        reader after = *r;
        after.at += word.len;
        (void)skip_spaces(&after);
        if (is_at(&after, '(')) {
            r->at = after.at;
            p->kind = MED_FILTER_NOT;
            p->group = read_bracketed(r, ')', "')', \"and\" or \"or\"");
            return p->group != NULL;
        }
    }
    if (!is_at(r, '('))
        return read_test(r, p);
    p->kind = MED_FILTER_GROUP;
    p->group = read_bracketed(r, ')', "')', \"and\" or \"or\"");
    return p->group != NULL;
}

/* "and" or "or" behind a part. */
static bool read_joint(reader *r, bool *is_or)
{
    size_t from = r->at;
    (void)skip_spaces(r);
    med_str word = word_here(r);
    *is_or = med_str_eqz(word, "or");
    if (*is_or || med_str_eqz(word, "and")) {
        r->at += word.len;
        return true;
    }
    r->at = from;
    return false;
}

/* NULL with *r->err. */
// NOLINTNEXTLINE(misc-no-recursion): see read_test
static med_filter *read_filter(reader *r)
{
    med_filter *f = MED_TAKE(r->arena, 1, med_filter);
    size_t room = 0;
    med_filter_part *parts = NULL;
    bool is_or = false;
    if (f == NULL) {
        (void)MED_FAIL_MEMORY(r->err);
        return NULL;
    }
    do {
        med_filter_part *more = MED_GROW(r->arena, parts, f->n, &room, FIRST_ROOM);
        if (more == NULL) {
            (void)MED_FAIL_MEMORY(r->err);
            return NULL;
        }
        f->parts = parts = more;
        parts[f->n].is_or = is_or;
        if (!read_part(r, &parts[f->n++]))
            return NULL;
    } while (read_joint(r, &is_or));
    return f;
}

bool med_filter_parse(med_arena *a, med_str text, const med_filter **out, med_err *err)
{
    reader r = {.arena = a, .text = text, .err = err};
    *out = read_filter(&r);
    if (*out == NULL)
        return false;
    (void)skip_spaces(&r);
    return at_end(&r) ? true : expected(&r, "\"and\", \"or\" or the end");
}
