/* ucum_parse.c - https://ucum.org/ucum#section-Syntax-Rules
 *
 *     term      = ["/"] component { ("." | "/") component }
 *     component = "(" term ")" | number [annotation] | symbol [exponent] [annotation] | annotation
 *
 * One pass with a small stack for parentheses; a product is kept as factor / divisor and the
 * exponents of its base units. */
#include "model/ucum.h"
#include "model/ucum/ucum_table.h"

#include <stdlib.h>

enum { DEPTH = 16, OWN = 4, CODE_MAX = 256, ATOMS = 512, SHORT_DIGITS = 19, EXACT_DIGITS = 28 };

static const med_str base_names[MED_UCUM_BASES] = {
    MED_LIT("C"), MED_LIT("K"),   MED_LIT("cd"),  MED_LIT("g"),
    MED_LIT("m"), MED_LIT("mol"), MED_LIT("rad"), MED_LIT("s"),
};

struct own_base {
    const char *code;
    int exponent;
};

struct product {
    med_decimal factor, divisor, offset;
    int exponents[MED_UCUM_BASES];
    struct own_base own[OWN]; /* unused ones have no code */
    int parts;                /* components that are units */
    bool scale;               /* holds a unit that is defined by a function */
    bool divide;              /* the next component goes below the line */
    bool filled;              /* at least one component was read */
};

struct parser {
    med_str code;
    size_t at;
    struct product stack[DEPTH];
    int depth; /* index of the innermost open product */
    med_err *err;
};

static const med_decimal one = {.digits = 1, .precision = 1};

static bool fail_at(struct parser *p, size_t at, const char *what)
{
    return MED_FAIL(p->err, MED_ISSUE_VALUE, "not a UCUM unit: at position %zu %s", at + 1, what);
}

/* *a *= b; past 38 digits both are rounded to 19 first. */
static bool multiply_into(med_decimal *a, const med_decimal *b)
{
    med_decimal x;
    med_decimal y;
    return med_decimal_multiply(a, b, a)
           || (med_decimal_divide(a, &one, SHORT_DIGITS, &x)
               && med_decimal_divide(b, &one, SHORT_DIGITS, &y) && med_decimal_multiply(&x, &y, a));
}

static bool raise_into(med_decimal *a, const med_decimal *base, int exponent)
{
    for (int i = 0; i < exponent; i++)
        if (!multiply_into(a, base))
            return false;
    return true;
}

static int compare_atom(const void *key, const void *row)
{
    return med_str_compare(*(const med_str *)key, ((const struct med_ucum_atom *)row)->code);
}

static const struct med_ucum_atom *find_atom(med_str code)
{
    return bsearch(&code, med_ucum_atoms, med_ucum_atom_count, sizeof *med_ucum_atoms,
                   compare_atom);
}

/* A symbol is an atom, or a prefix and a metric atom; the whole symbol wins ("cd" is no
 * centiday). */
static const struct med_ucum_atom *find_symbol(med_str symbol, const med_decimal **prefix)
{
    *prefix = &one;
    const struct med_ucum_atom *atom = find_atom(symbol);
    for (size_t i = 0; atom == NULL && i < med_ucum_prefix_count; i++) {
        med_str code = med_ucum_prefixes[i].code;
        if (symbol.len <= code.len || !med_str_starts(symbol, code))
            continue;
        atom = find_atom(med_str_skip(symbol, code.len));
        if (atom != NULL && (atom->flags & MED_UCUM_METRIC) == 0)
            atom = NULL;
        *prefix = &med_ucum_prefixes[i].factor;
    }
    return atom;
}

static bool fail_unknown(struct parser *p, size_t at, med_str symbol)
{
    med_str codes[ATOMS];
    size_t n = med_ucum_atom_count < ATOMS ? med_ucum_atom_count : ATOMS;
    for (size_t i = 0; i < n; i++)
        codes[i] = med_ucum_atoms[i].code;
    med_str near = med_str_nearest(symbol, codes, n);
    if (near.len == 0)
        return fail_at(p, at, "stands no known unit");
    return MED_FAIL(p->err, MED_ISSUE_VALUE,
                    "not a UCUM unit: at position %zu stands no known unit; did you mean '%.*s'?",
                    at + 1, MED_STR_ARG(near));
}

static bool add_own(struct product *to, const char *code, int exponent)
{
    for (int i = 0; i < OWN; i++) {
        if (to->own[i].code != NULL && strcmp(to->own[i].code, code) != 0)
            continue;
        to->own[i].code = code;
        to->own[i].exponent += exponent;
        return true;
    }
    return false;
}

/* to *= from ^ (+-1) */
static bool combine(struct product *to, const struct product *from)
{
    int sign = to->divide ? -1 : 1;
    for (int i = 0; i < MED_UCUM_BASES; i++)
        to->exponents[i] += sign * from->exponents[i];
    for (int i = 0; i < OWN; i++)
        if (from->own[i].code != NULL
            && !add_own(to, from->own[i].code, sign * from->own[i].exponent))
            return false;
    /* a shifted scale keeps its zero only as the one and only factor */
    const med_decimal none = {0};
    to->offset = to->filled || to->divide ? none : from->offset;
    to->scale = to->scale || from->scale;
    to->parts += from->parts;
    to->filled = true;
    const med_decimal *up = to->divide ? &from->divisor : &from->factor;
    const med_decimal *down = to->divide ? &from->factor : &from->divisor;
    to->divide = false;
    return multiply_into(&to->factor, up) && multiply_into(&to->divisor, down);
}

static struct product product_of(const struct med_ucum_atom *atom)
{
    struct product of = {.factor = one, .divisor = one, .parts = 1};
    if (atom->own != NULL)
        of.own[0].code = atom->own;
    of.scale = (atom->flags & MED_UCUM_SPECIAL) != 0 && atom->own != NULL;
    return of;
}

/* (prefix * atom) ^ exponent */
static bool raise(const struct med_ucum_atom *atom, const med_decimal *prefix, int exponent,
                  struct product *out)
{
    struct product of = product_of(atom);
    med_decimal size = *prefix;
    int times = exponent < 0 ? -exponent : exponent;
    if (!multiply_into(&size, &atom->factor))
        return false;
    med_decimal *up = exponent < 0 ? &of.divisor : &of.factor;
    med_decimal *down = exponent < 0 ? &of.factor : &of.divisor;
    if (!raise_into(up, &size, times) || !raise_into(down, &atom->divisor, times))
        return false;
    for (int i = 0; i < MED_UCUM_BASES; i++)
        of.exponents[i] = atom->exponents[i] * exponent;
    of.own[0].exponent = exponent;
    if (exponent == 1)
        of.offset = atom->offset;
    *out = of;
    return true;
}

/* Where the symbol that begins at p->at ends; '[' ... ']' may hold anything but a space. */
static size_t symbol_end(const struct parser *p)
{
    bool bracket = false;
    size_t i = p->at;
    for (; i < p->code.len; i++) {
        char c = p->code.ptr[i];
        if (c <= ' ' || c > '~')
            break;
        if (c == '[')
            bracket = true;
        else if (c == ']')
            bracket = false;
        else if (!bracket && (c == '.' || c == '/' || c == '(' || c == ')' || c == '{' || c == '}'))
            break;
    }
    return i;
}

/* Cuts a trailing exponent off a symbol. False when it is too large. */
static bool cut_exponent(med_str *symbol, int *exponent)
{
    size_t from = symbol->len;
    size_t least =
        med_str_starts(*symbol, MED_STR("10*")) || med_str_starts(*symbol, MED_STR("10^")) ? 3 : 1;
    while (from > least && med_is_digit(symbol->ptr[from - 1]))
        from--;
    *exponent = 1;
    if (from == symbol->len)
        return true;
    if (symbol->len - from > 2)
        return false;
    *exponent = 0;
    for (size_t i = from; i < symbol->len; i++)
        *exponent = *exponent * 10 + (symbol->ptr[i] - '0');
    if (from > least && (symbol->ptr[from - 1] == '-' || symbol->ptr[from - 1] == '+')) {
        from--;
        if (symbol->ptr[from] == '-')
            *exponent = -*exponent;
    }
    *symbol = med_str_sub(*symbol, 0, from);
    return true;
}

static bool all_digits(med_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!med_is_digit(s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool read_number(struct parser *p, med_str text, struct product *out)
{
    while (text.len > 1 && text.ptr[0] == '0')
        text = med_str_skip(text, 1);
    *out = (struct product){.factor = one, .divisor = one};
    if (!med_decimal_parse(text, &out->factor) || med_decimal_is_zero(&out->factor))
        return fail_at(p, p->at, "stands a number that is zero or too long");
    return true;
}

static bool read_symbol(struct parser *p, struct product *out)
{
    size_t end = symbol_end(p);
    med_str symbol = med_str_sub(p->code, p->at, end);
    size_t at = p->at;
    if (symbol.len == 0)
        return fail_at(p, at,
                       at == p->code.len ? "a unit is missing" : "stands what begins no unit");
    if (all_digits(symbol)) {
        p->at = end;
        return read_number(p, symbol, out);
    }
    int exponent = 1;
    if (!cut_exponent(&symbol, &exponent))
        return fail_at(p, at, "the exponent has more than two digits");
    const med_decimal *prefix = NULL;
    const struct med_ucum_atom *atom = find_symbol(symbol, &prefix);
    if (atom == NULL)
        return fail_unknown(p, at, symbol);
    p->at = end;
    if (!raise(atom, prefix, exponent, out))
        return fail_at(p, at, "the unit is too large or too small");
    return true;
}

/* {anything}: says something to people and is the unit 1. */
static bool skip_annotation(struct parser *p)
{
    size_t close = med_str_find(p->code, '}', p->at);
    if (close == p->code.len || med_str_find(p->code, '{', p->at + 1) < close)
        return fail_at(p, p->at, "'{' is not closed");
    p->at = close + 1;
    return true;
}

static char peek(const struct parser *p)
{
    return p->at < p->code.len ? p->code.ptr[p->at] : '\0';
}

/* One component that is no parenthesis, multiplied into the innermost product. */
static bool read_component(struct parser *p)
{
    struct product part = {.factor = one, .divisor = one};
    size_t at = p->at;
    if (peek(p) != '{' && !read_symbol(p, &part))
        return false;
    if (peek(p) == '{' && !skip_annotation(p))
        return false;
    if (!combine(&p->stack[p->depth], &part))
        return fail_at(p, at, "the product is too large or has too many arbitrary units");
    return true;
}

static bool open(struct parser *p)
{
    if (p->depth + 1 == DEPTH)
        return fail_at(p, p->at, "parentheses are nested too deeply");
    p->at++;
    p->stack[++p->depth] = (struct product){.factor = one, .divisor = one};
    return true;
}

/* Closes as many parentheses as stand here; each may carry an annotation. */
static bool close_all(struct parser *p)
{
    while (peek(p) == ')') {
        if (p->depth == 0)
            return fail_at(p, p->at, "')' has no '('");
        size_t at = p->at++;
        if (peek(p) == '{' && !skip_annotation(p))
            return false;
        p->depth--;
        if (!combine(&p->stack[p->depth], &p->stack[p->depth + 1]))
            return fail_at(p, at, "the product is too large or has too many arbitrary units");
    }
    return true;
}

static bool read_term(struct parser *p)
{
    for (;;) {
        struct product *top = &p->stack[p->depth];
        if (peek(p) == '/' && !top->filled && !top->divide) {
            top->divide = true;
            p->at++;
        }
        if (peek(p) == '(') {
            if (!open(p))
                return false;
            continue;
        }
        if (!read_component(p) || !close_all(p))
            return false;
        if (p->at == p->code.len)
            return p->depth == 0 || fail_at(p, p->at, "')' is missing");
        char next = peek(p);
        if (next != '.' && next != '/')
            return fail_at(p, p->at, "'.' or '/' was expected");
        p->stack[p->depth].divide = next == '/';
        p->at++;
    }
}

/* Turns factor / divisor into one decimal where that is exact. */
static void reduce(struct product *of)
{
    med_decimal quotient;
    med_decimal back;
    if (!med_decimal_divide(&of->factor, &of->divisor, EXACT_DIGITS, &quotient)
        || !med_decimal_multiply(&quotient, &of->divisor, &back)
        || med_decimal_compare(&back, &of->factor) != 0 || !med_decimal_is_zero(&of->offset))
        return;
    of->factor = quotient;
    of->divisor = one;
}

struct named {
    med_str code;
    int exponent;
};

static int compare_named(const void *a, const void *b)
{
    return med_str_compare(((const struct named *)a)->code, ((const struct named *)b)->code);
}

static bool write_canonical(med_arena *a, const struct product *of, med_str *out)
{
    struct named bases[MED_UCUM_BASES + OWN];
    size_t n = 0;
    for (int i = 0; i < MED_UCUM_BASES; i++)
        if (of->exponents[i] != 0)
            bases[n++] = (struct named){base_names[i], of->exponents[i]};
    for (int i = 0; i < OWN; i++)
        if (of->own[i].code != NULL && of->own[i].exponent != 0)
            bases[n++] = (struct named){med_str_from(of->own[i].code), of->own[i].exponent};
    if (n == 0) {
        *out = MED_STR("1");
        return true;
    }
    qsort(bases, n, sizeof *bases, compare_named);
    med_str text = MED_STR_EMPTY;
    for (size_t i = 0; i < n; i++) {
        const char *dot = i == 0 ? "" : ".";
        text = bases[i].exponent == 1
                   ? med_arena_printf(a, "%.*s%s%.*s", MED_STR_ARG(text), dot,
                                      MED_STR_ARG(bases[i].code))
                   : med_arena_printf(a, "%.*s%s%.*s%d", MED_STR_ARG(text), dot,
                                      MED_STR_ARG(bases[i].code), bases[i].exponent);
    }
    *out = text;
    return text.len > 0;
}

bool med_ucum_parse(med_arena *a, med_str code, med_unit *out, med_err *err)
{
    struct parser p = {.code = code, .err = err};
    p.stack[0] = (struct product){.factor = one, .divisor = one};
    if (code.len > CODE_MAX)
        return MED_FAIL(err, MED_ISSUE_VALUE, "not a UCUM unit: longer than %d bytes", CODE_MAX);
    if (!read_term(&p))
        return false;
    struct product *of = &p.stack[0];
    reduce(of);
    *out = (med_unit){.factor = of->factor,
                      .divisor = of->divisor,
                      .offset = of->offset,
                      .special = of->scale && (of->parts > 1 || of->own[0].exponent != 1)};
    return write_canonical(a, of, &out->canonical) || MED_FAIL_MEMORY(err);
}

bool med_ucum_canonical(const med_unit *unit, const med_decimal *value, med_decimal *out)
{
    med_decimal product;
    if (unit->special || !med_decimal_multiply(value, &unit->factor, &product)
        || !med_decimal_add(&product, &unit->offset, &product))
        return false;
    if (med_decimal_compare(&unit->divisor, &one) == 0) {
        *out = product;
        return true;
    }
    return med_decimal_divide(&product, &unit->divisor, EXACT_DIGITS, out);
}

bool med_ucum_comparable(const med_unit *a, const med_unit *b)
{
    return !a->special && !b->special && med_str_eq(a->canonical, b->canonical);
}
