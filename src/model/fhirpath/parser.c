/* parser.c - http://hl7.org/fhirpath/N1/#grammar: operators and terms, by precedence */
#include "model/fhirpath/compiler.h"
#include "model/fhirpath/dates.h"

/* From the weakest. Polarity and paths bind tighter than all of these. */
enum {
    WEAKEST,
    IMPLIES,
    OR_XOR,
    AND,
    MEMBERSHIP,
    EQUALITY,
    INEQUALITY,
    UNION,
    TYPE,
    ADDITIVE,
    MULTIPLICATIVE,
};

struct infix {
    const char *text;
    bool word;
    int precedence;
    enum med_fp_binary binary;
};

/* `is` and `as` are here for their precedence; their right side is no expression. */
static const struct infix infixes[] = {
    {"implies", true, IMPLIES, MED_FP_IMPLIES},
    {"or", true, OR_XOR, MED_FP_OR},
    {"xor", true, OR_XOR, MED_FP_XOR},
    {"and", true, AND, MED_FP_AND},
    {"in", true, MEMBERSHIP, MED_FP_IN},
    {"contains", true, MEMBERSHIP, MED_FP_CONTAINS},
    {"=", false, EQUALITY, MED_FP_EQUAL},
    {"!=", false, EQUALITY, MED_FP_NOT_EQUAL},
    {"~", false, EQUALITY, MED_FP_EQUIVALENT},
    {"!~", false, EQUALITY, MED_FP_NOT_EQUIVALENT},
    {"<", false, INEQUALITY, MED_FP_LESS},
    {"<=", false, INEQUALITY, MED_FP_LESS_OR_EQUAL},
    {">", false, INEQUALITY, MED_FP_GREATER},
    {">=", false, INEQUALITY, MED_FP_GREATER_OR_EQUAL},
    {"|", false, UNION, MED_FP_UNION},
    {"is", true, TYPE, MED_FP_AND},
    {"as", true, TYPE, MED_FP_AND},
    {"+", false, ADDITIVE, MED_FP_ADD},
    {"-", false, ADDITIVE, MED_FP_SUBTRACT},
    {"&", false, ADDITIVE, MED_FP_CONCAT},
    {"*", false, MULTIPLICATIVE, MED_FP_MULTIPLY},
    {"/", false, MULTIPLICATIVE, MED_FP_DIVIDE},
    {"div", true, MULTIPLICATIVE, MED_FP_DIV},
    {"mod", true, MULTIPLICATIVE, MED_FP_MOD},
};

static bool parse_binary(med_fp_compiler *c, int least, int depth, struct med_fp_shape *out);

bool med_fp_advance(med_fp_compiler *c)
{
    return med_lexer_next(&c->lexer, &c->token);
}

bool med_fp_is_symbol(const med_fp_compiler *c, const char *symbol)
{
    return c->token.kind == MED_TOKEN_SYMBOL && med_str_eqz(c->token.text, symbol);
}

static bool is_word(const med_fp_compiler *c, const char *word)
{
    return c->token.kind == MED_TOKEN_NAME && !c->token.delimited
           && med_str_eqz(c->token.text, word);
}

bool med_fp_fail_here(med_fp_compiler *c, const char *what)
{
    return med_lexer_fail(&c->lexer, c->token.at, what);
}

bool med_fp_expect(med_fp_compiler *c, const char *symbol)
{
    if (!med_fp_is_symbol(c, symbol))
        return MED_FAIL(c->err, MED_ISSUE_INVALID, "FHIRPath, position %zu: '%s' was expected%s",
                        c->token.at + 1, symbol,
                        c->token.kind == MED_TOKEN_END ? ", the expression ends here" : "");
    return med_fp_advance(c);
}

static const struct infix *infix_ahead(const med_fp_compiler *c)
{
    bool word = c->token.kind == MED_TOKEN_NAME && !c->token.delimited;
    if (!word && c->token.kind != MED_TOKEN_SYMBOL)
        return NULL;
    for (size_t i = 0; i < sizeof infixes / sizeof *infixes; i++)
        if (infixes[i].word == word && med_str_eqz(c->token.text, infixes[i].text))
            return &infixes[i];
    return NULL;
}

/* ---- types ---- */

static bool system_kind(med_str name, enum med_value_kind *out)
{
    static const struct {
        const char *name;
        enum med_value_kind kind;
    } kinds[] = {
        {"Boolean", MED_VALUE_BOOLEAN},   {"Integer", MED_VALUE_INTEGER},
        {"Long", MED_VALUE_INTEGER},      {"Decimal", MED_VALUE_DECIMAL},
        {"String", MED_VALUE_STRING},     {"Date", MED_VALUE_DATE},
        {"DateTime", MED_VALUE_DATETIME}, {"Time", MED_VALUE_TIME},
        {"Quantity", MED_VALUE_QUANTITY},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!med_str_eqz(name, kinds[i].name))
            continue;
        *out = kinds[i].kind;
        return true;
    }
    return false;
}

static bool fail_unknown_type(med_fp_compiler *c, med_str name, size_t at)
{
    med_str names[1024];
    size_t n = med_pack_type_count(c->p);
    if (n > sizeof names / sizeof *names)
        n = sizeof names / sizeof *names;
    for (size_t i = 0; i < n; i++)
        names[i] = med_type_name(c->p, (med_type)i);
    med_str near = med_str_nearest(name, names, n);
    return MED_FAIL(
        c->err, MED_ISSUE_INVALID, "FHIRPath, position %zu: there is no type '%.*s'%s%.*s%s",
        at + 1, (int)(name.len < 64 ? name.len : 64), name.ptr,
        near.len > 0 ? "; did you mean '" : "", MED_STR_ARG(near), near.len > 0 ? "'?" : "");
}

static bool parse_name(med_fp_compiler *c, med_str *out)
{
    if (c->token.kind != MED_TOKEN_NAME)
        return med_fp_fail_here(c, "the name of a type was expected");
    *out = c->token.text;
    return med_fp_advance(c);
}

bool med_fp_parse_type(med_fp_compiler *c, struct med_fp_type_test *out)
{
    size_t at = c->token.at;
    med_str name = MED_STR_EMPTY;
    med_str space = MED_STR_EMPTY;
    if (!parse_name(c, &name))
        return false;
    while (med_fp_is_symbol(c, ".")) {
        med_str more = MED_STR_EMPTY;
        if (!med_fp_advance(c) || !parse_name(c, &more))
            return false;
        bool is_space = med_str_eqz(name, "FHIR") || med_str_eqz(name, "System");
        if (space.len == 0 && is_space) {
            space = name;
            name = more;
        } else {
            name = med_arena_printf(c->a, "%.*s.%.*s", MED_STR_ARG(name), MED_STR_ARG(more));
        }
    }
    *out = (struct med_fp_type_test){.fhir = MED_TYPE_NONE};
    if (!med_str_eqz(space, "System"))
        out->fhir = med_pack_type(c->p, name);
    if (!med_str_eqz(space, "FHIR"))
        out->has_system = system_kind(name, &out->system);
    out->lenient = space.len == 0 && out->fhir == MED_TYPE_NONE && out->has_system;
    /* System.Patient is no error, it is just never true */
    if (out->fhir == MED_TYPE_NONE && !out->has_system && !med_str_eqz(space, "System"))
        return fail_unknown_type(c, name, at);
    return true;
}

static bool shape_of_test(med_fp_compiler *c, const struct med_fp_type_test *test,
                          struct med_fp_shape *out)
{
    *out = (struct med_fp_shape){0};
    if (test->fhir != MED_TYPE_NONE && !med_fp_shape_type(c->a, c->p, test->fhir, out))
        return MED_FAIL_MEMORY(c->err);
    if (test->has_system && !out->any)
        out->system = 1U << test->system;
    return true;
}

bool med_fp_emit_type_test(med_fp_compiler *c, enum med_fp_op op, size_t at,
                           const struct med_fp_type_test *test, struct med_fp_shape *shape)
{
    const struct med_fp_code *last = med_fp_last(c);
    if (op == MED_FP_IS) {
        *shape = med_fp_shape_system(MED_VALUE_BOOLEAN);
        /* see MED_FP_RESOLVE_IS: the call is replaced */
        if (last != NULL && last->op == MED_FP_CALL && last->kind == 1) {
            c->n--;
            op = MED_FP_RESOLVE_IS;
        }
        return med_fp_emit_test(c, op, test, at);
    }
    /* The R4 definitions use `as` to filter what may hold several types (choices, descendants()).
     * On a path of one type it is held to the letter: at most one item. */
    bool strict = op == MED_FP_AS && !shape->any && shape->n == 1 && !shape->choice;
    if (!shape_of_test(c, test, shape) || !med_fp_emit_test(c, op, test, at))
        return false;
    c->code[c->n - 1].kind = strict;
    return true;
}

/* ---- literals ---- */

static bool is_calendar_unit(med_str word)
{
    static const char *const units[] = {
        "year", "years", "month",  "months",  "week",   "weeks",   "day",         "days",
        "hour", "hours", "minute", "minutes", "second", "seconds", "millisecond", "milliseconds",
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (med_str_eqz(word, units[i]))
            return true;
    return false;
}

static bool parse_number(med_fp_compiler *c, struct med_fp_shape *out)
{
    med_token t = c->token;
    med_value v = {
        .kind = MED_VALUE_DECIMAL, .type = MED_TYPE_NONE, .text = t.text, .unit = MED_STR_EMPTY};
    while (v.text.len > 1 && v.text.ptr[0] == '0' && med_is_digit(v.text.ptr[1]))
        v.text = med_str_skip(v.text, 1);
    if (!med_fp_advance(c))
        return false;
    bool has_unit = c->token.kind == MED_TOKEN_STRING
                    || (c->token.kind == MED_TOKEN_NAME && !c->token.delimited
                        && is_calendar_unit(c->token.text));
    if (t.kind != MED_TOKEN_LONG && has_unit) {
        v.kind = MED_VALUE_QUANTITY;
        v.unit = c->token.text;
        if (!med_fp_advance(c))
            return false;
    } else if (t.kind != MED_TOKEN_DECIMAL && med_str_to_int64(v.text, &v.integer)) {
        v.kind = MED_VALUE_INTEGER;
    }
    *out = med_fp_shape_system(v.kind);
    return med_fp_emit_constant(c, &v, t.at);
}

static bool parse_date(med_fp_compiler *c, enum med_value_kind kind, struct med_fp_shape *out)
{
    struct med_fp_date date;
    med_value v = {
        .kind = kind, .type = MED_TYPE_NONE, .text = c->token.text, .unit = MED_STR_EMPTY};
    if (!med_fp_date_parse(kind, v.text, &date))
        return med_fp_fail_here(c, "there is no such date or time");
    /* @2015T is written 2015 in FHIR */
    if (kind == MED_VALUE_DATETIME && med_str_ends(v.text, MED_STR("T")))
        v.text.len--;
    *out = med_fp_shape_system(kind);
    return med_fp_emit_constant(c, &v, c->token.at) && med_fp_advance(c);
}

static bool parse_string(med_fp_compiler *c, struct med_fp_shape *out)
{
    *out = med_fp_shape_system(MED_VALUE_STRING);
    return med_fp_emit_string(c, c->token.text, c->token.at) && med_fp_advance(c);
}

static bool parse_boolean(med_fp_compiler *c, struct med_fp_shape *out)
{
    med_value v = {.kind = MED_VALUE_BOOLEAN,
                   .type = MED_TYPE_NONE,
                   .text = MED_STR_EMPTY,
                   .unit = MED_STR_EMPTY,
                   .integer = is_word(c, "true")};
    *out = med_fp_shape_system(MED_VALUE_BOOLEAN);
    return med_fp_emit_constant(c, &v, c->token.at) && med_fp_advance(c);
}

/* ---- terms ---- */

static bool emit_known_variable(med_fp_compiler *c, med_str name, bool *known)
{
    static const struct {
        const char *name, *text;
    } constants[] = {
        {"ucum", "http://unitsofmeasure.org"},
        {"sct", "http://snomed.info/sct"},
        {"loinc", "http://loinc.org"},
    };
    *known = true;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (med_str_eqz(name, constants[i].name))
            return med_fp_emit_string(c, med_str_from(constants[i].text), c->token.at);
    const char *base = NULL;
    if (med_str_starts(name, MED_STR("vs-")))
        base = "http://hl7.org/fhir/ValueSet/";
    else if (med_str_starts(name, MED_STR("ext-")))
        base = "http://hl7.org/fhir/StructureDefinition/";
    *known = base != NULL;
    if (base == NULL)
        return true;
    med_str rest = med_str_skip(name, base[20] == 'V' ? 3 : 4);
    med_str text = med_arena_printf(c->a, "%s%.*s", base, MED_STR_ARG(rest));
    return text.len > 0 ? med_fp_emit_string(c, text, c->token.at) : MED_FAIL_MEMORY(c->err);
}

static bool emit_variable(med_fp_compiler *c, med_str name, size_t at)
{
    for (size_t i = c->n_names; i > 0; i--)
        if (med_str_eq(c->names[i - 1].name, name))
            return med_fp_emit(c, MED_FP_SLOT, c->names[i - 1].slot, at);
    if (med_str_eqz(name, "context"))
        return med_fp_emit(c, MED_FP_CONTEXT, 0, at);
    if (med_str_eqz(name, "resource"))
        return med_fp_emit(c, MED_FP_RESOURCE, 0, at);
    if (med_str_eqz(name, "rootResource"))
        return med_fp_emit(c, MED_FP_ROOT_RESOURCE, 0, at);
    if (!med_fp_emit_string(c, name, at))
        return false;
    c->code[c->n - 1].op = MED_FP_VARIABLE;
    return true;
}

static bool parse_variable(med_fp_compiler *c, struct med_fp_shape *out)
{
    bool known = false;
    med_token t = c->token;
    *out = med_fp_shape_any();
    if (!emit_known_variable(c, t.text, &known))
        return false;
    if (known)
        *out = med_fp_shape_system(MED_VALUE_STRING);
    return (known || emit_variable(c, t.text, t.at)) && med_fp_advance(c);
}

static bool parse_dollar(med_fp_compiler *c, struct med_fp_shape *out)
{
    med_token t = c->token;
    enum med_fp_op op = MED_FP_END;
    if (med_str_eqz(t.text, "this")) {
        op = MED_FP_THIS;
        *out = c->this;
    } else if (med_str_eqz(t.text, "index")) {
        op = MED_FP_INDEX;
        *out = med_fp_shape_system(MED_VALUE_INTEGER);
    } else if (med_str_eqz(t.text, "total")) {
        op = MED_FP_TOTAL;
        *out = med_fp_shape_any();
    } else {
        return med_fp_fail_here(c, "after '$' stands this, index or total");
    }
    return med_fp_emit(c, op, 0, t.at) && med_fp_advance(c);
}

static bool may_be(const med_fp_compiler *c, med_type t)
{
    if (c->this.any)
        return true;
    for (size_t i = 0; i < c->this.n; i++)
        if (med_type_is_a(c->p, c->this.types[i], t) || med_type_is_a(c->p, t, c->this.types[i]))
            return true;
    return false;
}

/* The first name of a path: a type ("Patient.name") or an element of $this. */
static bool emit_first(med_fp_compiler *c, const med_token *t, struct med_fp_shape *out)
{
    med_type type = t->text.len > 0 && med_is_upper(t->text.ptr[0]) ? med_pack_type(c->p, t->text)
                                                                    : MED_TYPE_NONE;
    if (type != MED_TYPE_NONE && may_be(c, type)) {
        bool narrower = c->this.any;
        *out = c->this;
        if (narrower && !med_fp_shape_type(c->a, c->p, type, out))
            return MED_FAIL_MEMORY(c->err);
        return med_fp_emit(c, MED_FP_ROOT, type, t->at);
    }
    if (type != MED_TYPE_NONE && c->this.n > 0)
        return MED_FAIL(c->err, MED_ISSUE_INVALID,
                        "FHIRPath, position %zu: the path starts at %.*s, but the input is %.*s",
                        t->at + 1, MED_STR_ARG(t->text),
                        MED_STR_ARG(med_type_name(c->p, c->this.types[0])));
    *out = c->this;
    return med_fp_emit(c, MED_FP_THIS, 0, t->at) && med_fp_emit_step(c, t->text, t->at, out);
}

static bool parse_first_name(med_fp_compiler *c, int depth, struct med_fp_shape *out)
{
    med_token t = c->token;
    if (!t.delimited && (is_word(c, "true") || is_word(c, "false")))
        return parse_boolean(c, out);
    if (!med_fp_advance(c))
        return false;
    if (med_fp_is_symbol(c, "("))
        return med_fp_parse_call(c, &t, false, depth, out);
    return emit_first(c, &t, out);
}

/* NOLINTBEGIN(misc-no-recursion): depth <= MED_FHIRPATH_DEPTH, checked in parse_polarity */
static bool parse_symbol(med_fp_compiler *c, int depth, struct med_fp_shape *out)
{
    size_t at = c->token.at;
    if (med_fp_is_symbol(c, "(")) {
        return med_fp_advance(c) && parse_binary(c, WEAKEST, depth + 1, out)
               && med_fp_expect(c, ")");
    }
    if (med_fp_is_symbol(c, "{")) {
        *out = (struct med_fp_shape){0};
        return med_fp_advance(c) && med_fp_expect(c, "}") && med_fp_emit(c, MED_FP_EMPTY, 0, at);
    }
    return med_fp_fail_here(c, "a value, a path or '(' was expected");
}

static bool parse_term(med_fp_compiler *c, int depth, struct med_fp_shape *out)
{
    switch (c->token.kind) {
    case MED_TOKEN_NAME:
        return parse_first_name(c, depth, out);
    case MED_TOKEN_STRING:
        return parse_string(c, out);
    case MED_TOKEN_INTEGER:
    case MED_TOKEN_LONG:
    case MED_TOKEN_DECIMAL:
        return parse_number(c, out);
    case MED_TOKEN_DATE:
        return parse_date(c, MED_VALUE_DATE, out);
    case MED_TOKEN_DATETIME:
        return parse_date(c, MED_VALUE_DATETIME, out);
    case MED_TOKEN_TIME:
        return parse_date(c, MED_VALUE_TIME, out);
    case MED_TOKEN_VARIABLE:
        return parse_variable(c, out);
    case MED_TOKEN_DOLLAR:
        return parse_dollar(c, out);
    case MED_TOKEN_SYMBOL:
        return parse_symbol(c, depth, out);
    case MED_TOKEN_END:
        return med_fp_fail_here(c, "the expression ends where a value or path was expected");
    }
    return false;
}

/* `.name`, `.function(...)` */
static bool parse_invocation(med_fp_compiler *c, int depth, struct med_fp_shape *shape)
{
    med_token t;
    if (!med_fp_advance(c))
        return false;
    t = c->token;
    if (t.kind != MED_TOKEN_NAME)
        return med_fp_fail_here(c, "the name of an element or function was expected after '.'");
    if (!med_fp_advance(c))
        return false;
    return med_fp_is_symbol(c, "(") ? med_fp_parse_call(c, &t, true, depth, shape)
                                    : med_fp_emit_step(c, t.text, t.at, shape);
}

static bool parse_indexer(med_fp_compiler *c, int depth)
{
    size_t at = c->token.at;
    struct med_fp_shape index;
    return med_fp_advance(c) && parse_binary(c, WEAKEST, depth + 1, &index) && med_fp_expect(c, "]")
           && med_fp_emit(c, MED_FP_INDEXER, 0, at);
}

static bool parse_path(med_fp_compiler *c, int depth, struct med_fp_shape *out)
{
    if (!parse_term(c, depth, out))
        return false;
    for (;;) {
        if (med_fp_is_symbol(c, ".")) {
            if (!parse_invocation(c, depth, out))
                return false;
        } else if (med_fp_is_symbol(c, "[")) {
            if (!parse_indexer(c, depth))
                return false;
        } else {
            return true;
        }
    }
}

static bool parse_polarity(med_fp_compiler *c, int depth, struct med_fp_shape *out)
{
    size_t at = c->token.at;
    if (depth > MED_FHIRPATH_DEPTH)
        return MED_FAIL(c->err, MED_ISSUE_TOO_COSTLY,
                        "FHIRPath, position %zu: nested more than %d deep", at + 1,
                        MED_FHIRPATH_DEPTH);
    bool minus = med_fp_is_symbol(c, "-");
    if (minus || med_fp_is_symbol(c, "+"))
        return med_fp_advance(c) && parse_polarity(c, depth + 1, out)
               && med_fp_emit(c, minus ? MED_FP_NEGATE : MED_FP_POSITIVE, 0, at);
    /* what a path defines with defineVariable ends with it */
    size_t names = c->n_names;
    bool good = parse_path(c, depth, out);
    c->n_names = names;
    return good;
}

static bool parse_type_infix(med_fp_compiler *c, struct med_fp_shape *shape)
{
    size_t at = c->token.at;
    enum med_fp_op op = is_word(c, "is") ? MED_FP_IS : MED_FP_AS;
    struct med_fp_type_test test;
    if (!med_fp_advance(c) || !med_fp_parse_type(c, &test))
        return false;
    test.lenient = test.lenient && op == MED_FP_IS;
    return med_fp_emit_type_test(c, op, at, &test, shape);
}

/* `and`, `or`, `implies` leave their right side out where the left one decides. */
static bool emit_short_cut(med_fp_compiler *c, enum med_fp_binary binary, size_t at, size_t *patch)
{
    *patch = SIZE_MAX;
    enum med_fp_op op = MED_FP_END;
    if (binary == MED_FP_AND)
        op = MED_FP_SHORT_AND;
    else if (binary == MED_FP_OR)
        op = MED_FP_SHORT_OR;
    else if (binary == MED_FP_IMPLIES)
        op = MED_FP_SHORT_IMPLIES;
    else
        return true;
    *patch = c->n;
    return med_fp_emit(c, op, 0, at);
}

static bool shape_of_binary(med_fp_compiler *c, enum med_fp_binary binary,
                            const struct med_fp_shape *right, struct med_fp_shape *left)
{
    if (binary == MED_FP_UNION)
        return med_fp_shape_union(c->a, left, right, left) || MED_FAIL_MEMORY(c->err);
    if (binary == MED_FP_CONCAT)
        *left = med_fp_shape_system(MED_VALUE_STRING);
    else if (binary < MED_FP_UNION)
        *left = med_fp_shape_any();
    else
        *left = med_fp_shape_system(MED_VALUE_BOOLEAN);
    return true;
}

static bool parse_binary(med_fp_compiler *c, int least, int depth, struct med_fp_shape *out)
{
    if (!parse_polarity(c, depth, out))
        return false;
    for (;;) {
        const struct infix *infix = infix_ahead(c);
        if (infix == NULL || infix->precedence <= least)
            return true;
        size_t at = c->token.at;
        if (infix->precedence == TYPE) {
            if (!parse_type_infix(c, out))
                return false;
            continue;
        }
        size_t patch = SIZE_MAX;
        struct med_fp_shape right;
        if (!emit_short_cut(c, infix->binary, at, &patch) || !med_fp_advance(c)
            || !parse_binary(c, infix->precedence, depth + 1, &right)
            || !med_fp_emit(c, MED_FP_BINARY, infix->binary, at)
            || !shape_of_binary(c, infix->binary, &right, out))
            return false;
        if (patch != SIZE_MAX)
            med_fp_patch(c, patch);
    }
}

/* NOLINTEND(misc-no-recursion) */

bool med_fp_parse_expression(med_fp_compiler *c, int depth, struct med_fp_shape *out)
{
    return parse_binary(c, WEAKEST, depth, out);
}

static const struct med_fhirpath *finish(med_fp_compiler *c)
{
    struct med_fhirpath *program = MED_TAKE(c->a, 1, struct med_fhirpath);
    if (program == NULL || !med_arena_copy(c->a, c->lexer.text, &program->text))
        return NULL;
    program->code = c->code;
    program->at = c->at;
    program->n = c->n;
    program->constants = c->constants;
    program->steps = c->steps;
    program->tests = c->tests;
    program->patterns = c->patterns;
    program->n_constants = (uint32_t)c->n_constants;
    program->n_slots = c->n_slots;
    program->n_frames = c->n_frames;
    return program;
}

bool med_fhirpath_compile(med_arena *a, const med_pack *p, med_str expression, med_type context,
                          const med_fhirpath **out, med_err *err)
{
    enum { EXPRESSION_MAX = 64 << 10 };
    if (expression.len > EXPRESSION_MAX)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "FHIRPath: longer than %d bytes",
                        EXPRESSION_MAX);
    med_str text;
    if (!med_arena_copy(a, expression, &text))
        return MED_FAIL_MEMORY(err);
    med_fp_compiler c = {
        .a = a, .p = p, .lexer = {.arena = a, .text = text, .err = err}, .err = err};
    struct med_fp_shape result;
    if (!med_fp_shape_type(a, p, context, &c.this))
        return MED_FAIL_MEMORY(err);
    if (!med_fp_advance(&c) || !med_fp_parse_expression(&c, 0, &result))
        return false;
    if (c.token.kind != MED_TOKEN_END)
        return med_fp_fail_here(&c, "an operator or the end was expected");
    if (!med_fp_emit(&c, MED_FP_END, 0, expression.len))
        return false;
    *out = finish(&c);
    return *out != NULL || MED_FAIL_MEMORY(err);
}
