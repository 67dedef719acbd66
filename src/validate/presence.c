/* presence.c - see presence.h. Operator precedence of http://hl7.org/fhirpath/N1/#precedence:
 * `and` binds closer than `or` and `xor`, these closer than `implies`. */
#include "validate/presence.h"

#include <assert.h>

enum kind { OPEN, WHEN, AND, OR, XOR, IMPLIES, GROUP };

/* WHEN: an operand that is known when `element` is absent (as `absent`) or there (`present`). */
struct med_presence_op {
    uint8_t kind, absent, present;
    uint16_t element;
};

struct reader {
    const med_pack *p;
    med_type type;
    med_str text;
    size_t at;
    struct med_presence_op ops[MED_PRESENCE_OPS];
    size_t n;
    uint8_t waiting[MED_PRESENCE_OPS]; /* operators and groups that are not complete */
    size_t n_waiting;
    bool too_much;
};

/* ---- text ---- */

static void skip_space(struct reader *r)
{
    while (r->at < r->text.len && med_is_space(r->text.ptr[r->at]))
        r->at++;
}

/* Behind a string, a delimited name or one character. */
static size_t behind(med_str s, size_t at)
{
    char quote = s.ptr[at];
    if (quote != '\'' && quote != '`' && quote != '"')
        return at + 1;
    for (at++; at < s.len && s.ptr[at] != quote; at++) {
        if (s.ptr[at] == '\\')
            at++;
    }
    return at < s.len ? at + 1 : s.len;
}

/* Behind the parenthesis that closes the one at `at`. */
static size_t behind_group(med_str s, size_t at)
{
    size_t depth = 0;
    while (at < s.len) {
        if (s.ptr[at] == '(')
            depth++;
        else if (s.ptr[at] == ')' && --depth == 0)
            return at + 1;
        at = behind(s, at);
    }
    return s.len;
}

static bool is_word(char c)
{
    return med_is_alnum(c) || c == '_';
}

static med_str word_at(med_str s, size_t at)
{
    size_t end = at;
    while (end < s.len && is_word(s.ptr[end]))
        end++;
    return med_str_sub(s, at, end);
}

static bool operator_of(med_str word, uint8_t *out)
{
    static const struct {
        const char *word;
        uint8_t kind;
    } all[] = {{"and", AND}, {"or", OR}, {"xor", XOR}, {"implies", IMPLIES}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!med_str_eqz(word, all[i].word))
            continue;
        *out = all[i].kind;
        return true;
    }
    return false;
}

/* An operand ends before a boolean operator or a closing parenthesis. */
static size_t operand_end(med_str s, size_t at)
{
    uint8_t kind;
    while (at < s.len && s.ptr[at] != ')') {
        if (s.ptr[at] == '(') {
            at = behind_group(s, at);
        } else if (is_word(s.ptr[at])) {
            med_str word = word_at(s, at);
            if (operator_of(word, &kind))
                return at;
            at += word.len;
        } else {
            at = behind(s, at);
        }
    }
    return at;
}

/* ---- operands ---- */

static bool is_one_of(med_str word, const char *const *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eqz(word, all[i]))
            return true;
    }
    return false;
}

/* Functions that make nothing out of nothing. */
static bool keeps_empty(med_str name)
{
    static const char *const all[] = {"where",   "select",   "first",       "tail", "ofType",
                                      "resolve", "children", "descendants", "trace"};
    return is_one_of(name, all, sizeof all / sizeof all[0]);
}

/* What a function gives for nothing. */
static enum med_presence of_nothing(med_str name)
{
    static const char *const no[] = {"exists", "hasValue"};
    static const char *const yes[] = {"empty", "all", "isDistinct"};
    if (is_one_of(name, no, sizeof no / sizeof no[0]))
        return MED_PRESENCE_FALSE;
    return is_one_of(name, yes, sizeof yes / sizeof yes[0]) ? MED_PRESENCE_TRUE : MED_PRESENCE_OPEN;
}

static enum med_presence not(enum med_presence v) {
    if (v == MED_PRESENCE_TRUE) return MED_PRESENCE_FALSE;
    return v == MED_PRESENCE_FALSE ? MED_PRESENCE_TRUE : v;
}

struct steps {
    med_str text;
    size_t at;
    bool alone;    /* nothing between the element and the last function */
    bool has_args; /* of the step read last */
};

/* `.name` or `.name(...)`: false at the end or at anything else. */
static bool next_step(struct steps *s, med_str *name, bool *is_call)
{
    if (s->at >= s->text.len || s->text.ptr[s->at] != '.')
        return false;
    size_t from = ++s->at;
    if (from < s->text.len && s->text.ptr[from] == '`') {
        s->at = behind(s->text, from);
        *name = med_str_sub(s->text, from + 1, s->at - 1);
    } else {
        *name = word_at(s->text, from);
        s->at += name->len;
    }
    *is_call = s->at < s->text.len && s->text.ptr[s->at] == '(';
    if (*is_call) {
        size_t end = behind_group(s->text, s->at);
        s->has_args = end - s->at > 2;
        s->at = end;
    }
    return name->len > 0;
}

/* The value of the steps behind an element, for the element absent and there. */
static bool read_steps(struct steps *s, enum med_presence *absent, enum med_presence *present)
{
    med_str name;
    bool is_call;
    *absent = MED_PRESENCE_EMPTY;
    *present = MED_PRESENCE_OPEN;
    while (next_step(s, &name, &is_call)) {
        if (*absent == MED_PRESENCE_EMPTY && (!is_call || keeps_empty(name))) {
            s->alone = false;
        } else if (*absent == MED_PRESENCE_EMPTY) {
            *absent = of_nothing(name);
            bool counts = s->alone && !s->has_args && !med_str_eqz(name, "hasValue");
            *present = counts && med_str_eqz(name, "exists")  ? MED_PRESENCE_TRUE
                       : counts && med_str_eqz(name, "empty") ? MED_PRESENCE_FALSE
                                                              : MED_PRESENCE_OPEN;
        } else if (is_call && med_str_eqz(name, "not") && !s->has_args) {
            *absent = not(*absent);
            *present = not(*present);
        } else {
            return false;
        }
        if (*absent == MED_PRESENCE_OPEN)
            return false;
    }
    return s->at == s->text.len;
}

/* `element.steps`; a comparison of it with something is empty when the element is absent. */
static struct med_presence_op read_operand(const struct reader *r, med_str text)
{
    struct med_presence_op open = {.kind = OPEN};
    med_str first = word_at(text, 0);
    if (first.len == 0 || (first.len < text.len && text.ptr[first.len] != '.'))
        return open;
    size_t element = med_type_find_element(r->p, r->type, first);
    struct steps s = {.text = text, .at = first.len, .alone = true};
    enum med_presence absent, present;
    if (element == SIZE_MAX || !read_steps(&s, &absent, &present) || absent == MED_PRESENCE_EMPTY)
        return open;
    return (struct med_presence_op){.kind = WHEN,
                                    .absent = (uint8_t)absent,
                                    .present = (uint8_t)present,
                                    .element = (uint16_t)element};
}

/* ---- the whole ---- */

static void emit(struct reader *r, struct med_presence_op op)
{
    if (r->n == MED_PRESENCE_OPS)
        r->too_much = true;
    else
        r->ops[r->n++] = op;
}

static void wait(struct reader *r, uint8_t kind)
{
    if (r->n_waiting == MED_PRESENCE_OPS)
        r->too_much = true;
    else
        r->waiting[r->n_waiting++] = kind;
}

static int rank(uint8_t kind)
{
    return kind == AND ? 3 : kind == OR || kind == XOR ? 2 : kind == IMPLIES ? 1 : 0;
}

/* Completes the operators that bind at least as closely. */
static void complete(struct reader *r, int least)
{
    while (r->n_waiting > 0 && rank(r->waiting[r->n_waiting - 1]) >= least)
        emit(r, (struct med_presence_op){.kind = r->waiting[--r->n_waiting]});
}

/* A parenthesis around a boolean: what follows it is an operator, another one, or the end. */
static bool is_group(const struct reader *r, size_t at)
{
    uint8_t kind;
    size_t end = behind_group(r->text, at);
    while (end < r->text.len && med_is_space(r->text.ptr[end]))
        end++;
    return end == r->text.len || r->text.ptr[end] == ')'
           || operator_of(word_at(r->text, end), &kind);
}

static void read_value(struct reader *r)
{
    skip_space(r);
    while (r->at < r->text.len && r->text.ptr[r->at] == '(' && is_group(r, r->at)) {
        wait(r, GROUP);
        r->at++;
        skip_space(r);
    }
    size_t end = operand_end(r->text, r->at);
    med_str operand = med_str_trim(med_str_sub(r->text, r->at, end));
    emit(r, read_operand(r, operand));
    r->at = end;
}

/* Closing parentheses, then an operator. False at the end. */
static bool read_operator(struct reader *r)
{
    uint8_t kind;
    for (skip_space(r); r->at < r->text.len && r->text.ptr[r->at] == ')'; skip_space(r)) {
        complete(r, 1);
        if (r->n_waiting == 0)
            r->too_much = true; /* no pair: the engine refuses it */
        else
            r->n_waiting--;
        r->at++;
    }
    med_str word = word_at(r->text, r->at);
    if (!operator_of(word, &kind))
        return false;
    complete(r, rank(kind));
    wait(r, kind);
    r->at += word.len;
    return true;
}

bool med_presence_compile(med_arena *a, const med_pack *p, med_type type, med_str expression,
                          med_presence_program *out)
{
    struct reader r = {.p = p, .type = type, .text = expression};
    do
        read_value(&r);
    while (read_operator(&r) && !r.too_much);
    complete(&r, 1);
    if (r.too_much || r.n_waiting > 0 || r.at < expression.len) {
        r.ops[0] = (struct med_presence_op){.kind = OPEN};
        r.n = 1;
    }
    struct med_presence_op *ops = MED_TAKE(a, r.n, struct med_presence_op);
    if (ops == NULL)
        return false;
    memcpy(ops, r.ops, r.n * sizeof *ops);
    *out = (med_presence_program){ops, r.n};
    return true;
}

/* ---- running ---- */

static enum med_presence combine_and(enum med_presence a, enum med_presence b)
{
    if (a == MED_PRESENCE_FALSE || b == MED_PRESENCE_FALSE)
        return MED_PRESENCE_FALSE;
    if (a == MED_PRESENCE_OPEN || b == MED_PRESENCE_OPEN)
        return MED_PRESENCE_OPEN;
    return a == MED_PRESENCE_TRUE && b == MED_PRESENCE_TRUE ? MED_PRESENCE_TRUE
                                                            : MED_PRESENCE_EMPTY;
}

static enum med_presence combine_xor(enum med_presence a, enum med_presence b)
{
    if (a == MED_PRESENCE_EMPTY || b == MED_PRESENCE_EMPTY)
        return MED_PRESENCE_EMPTY;
    if (a == MED_PRESENCE_OPEN || b == MED_PRESENCE_OPEN)
        return MED_PRESENCE_OPEN;
    return a != b ? MED_PRESENCE_TRUE : MED_PRESENCE_FALSE;
}

static enum med_presence combine(uint8_t kind, enum med_presence a, enum med_presence b)
{
    if (kind == AND)
        return combine_and(a, b);
    if (kind == XOR)
        return combine_xor(a, b);
    /* a or b = not(not a and not b); a implies b = not(a and not b) */
    return not(combine_and(kind == OR ? not(a) : a, not(b)));
}

enum med_presence med_presence_run(const med_presence_program *program, const uint64_t *seen)
{
    enum med_presence stack[MED_PRESENCE_OPS];
    size_t n = 0;
    stack[0] = MED_PRESENCE_OPEN; /* of a program that says nothing */
    for (size_t i = 0; i < program->n; i++) {
        const struct med_presence_op *op = &program->ops[i];
        if (op->kind == OPEN) {
            stack[n++] = MED_PRESENCE_OPEN;
        } else if (op->kind == WHEN) {
            bool there = (seen[op->element / 64] >> (op->element % 64) & 1) != 0;
            stack[n++] = (enum med_presence)(there ? op->present : op->absent);
        } else {
            assert(n >= 2); /* as it was compiled: an operator comes behind what it joins */
            stack[n - 2] = combine(op->kind, stack[n - 2], stack[n - 1]);
            n--;
        }
    }
    return stack[0];
}
