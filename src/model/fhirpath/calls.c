/* calls.c - function calls: what their arguments mean differs by form (functions.h) */
#include "model/fhirpath/compiler.h"
#include "model/fhirpath/functions.h"

struct call {
    const struct med_fp_function *function;
    uint32_t index; /* in med_fp_functions */
    size_t at;
    int depth;
    bool has_input;
};

static bool find_function(med_fp_compiler *c, const med_token *name, struct call *call)
{
    med_str names[256];
    size_t n = med_fp_function_count < 256 ? med_fp_function_count : 256;
    for (size_t i = 0; i < n; i++) {
        names[i] = med_str_from(med_fp_functions[i].name);
        call->function = &med_fp_functions[i];
        call->index = (uint32_t)i;
        if (med_str_eq(name->text, names[i]))
            return true;
    }
    med_str near = med_str_nearest(name->text, names, n);
    return MED_FAIL(
        c->err, MED_ISSUE_INVALID, "FHIRPath, position %zu: there is no function '%.*s'%s%.*s%s",
        name->at + 1, (int)(name->text.len < 64 ? name->text.len : 64), name->text.ptr,
        near.len > 0 ? "; did you mean '" : "", MED_STR_ARG(near), near.len > 0 ? "'?" : "");
}

static bool fail_arguments(med_fp_compiler *c, const struct call *call)
{
    const struct med_fp_function *f = call->function;
    if (f->least == f->most)
        return MED_FAIL(c->err, MED_ISSUE_INVALID,
                        "FHIRPath, position %zu: %s() takes %u argument%s", call->at + 1, f->name,
                        f->least, f->least == 1 ? "" : "s");
    return MED_FAIL(c->err, MED_ISSUE_INVALID,
                    "FHIRPath, position %zu: %s() takes %u to %u arguments", call->at + 1, f->name,
                    f->least, f->most);
}

/* Checks the number of arguments read so far once ')' is ahead, and steps over it. */
static bool close_call(med_fp_compiler *c, const struct call *call, unsigned argc)
{
    if (argc < call->function->least)
        return fail_arguments(c, call);
    if (med_fp_is_symbol(c, ","))
        return fail_arguments(c, call);
    return med_fp_expect(c, ")");
}

static bool shape_of_result(med_fp_compiler *c, enum med_fp_result_shape result,
                            const struct med_fp_shape *argument, struct med_fp_shape *shape)
{
    static const enum med_value_kind kinds[] = {
        [MED_FP_SHAPE_BOOLEAN] = MED_VALUE_BOOLEAN, [MED_FP_SHAPE_INTEGER] = MED_VALUE_INTEGER,
        [MED_FP_SHAPE_DECIMAL] = MED_VALUE_DECIMAL, [MED_FP_SHAPE_STRING] = MED_VALUE_STRING,
        [MED_FP_SHAPE_DATE] = MED_VALUE_DATE,       [MED_FP_SHAPE_DATETIME] = MED_VALUE_DATETIME,
        [MED_FP_SHAPE_TIME] = MED_VALUE_TIME,       [MED_FP_SHAPE_QUANTITY] = MED_VALUE_QUANTITY,
        [MED_FP_SHAPE_TYPE] = MED_VALUE_TYPE,
    };
    bool good = true;
    if (result == MED_FP_SHAPE_SAME)
        return true;
    if (result == MED_FP_SHAPE_ANY)
        *shape = med_fp_shape_any();
    else if (result == MED_FP_SHAPE_UNION)
        good = med_fp_shape_union(c->a, shape, argument, shape);
    else if (result == MED_FP_SHAPE_EXTENSION)
        good = med_fp_shape_type(c->a, c->p, med_pack_type(c->p, MED_STR("Extension")), shape);
    else
        *shape = med_fp_shape_system(kinds[result]);
    return good || MED_FAIL_MEMORY(c->err);
}

/* where(criterion).exists() and .empty() need not find all: the loop itself becomes the answer. */
static bool join_with_where(med_fp_compiler *c, const struct call *call)
{
    bool exists = strcmp(call->function->name, "exists") == 0;
    if ((!exists && strcmp(call->function->name, "empty") != 0) || c->n == 0)
        return false;
    const struct med_fp_code *next = &c->code[c->n - 1];
    if (next->op != MED_FP_NEXT || c->label != c->n || c->label_from != next->a - 1)
        return false;
    struct med_fp_code *loop = &c->code[next->a - 1];
    if (loop->op != MED_FP_LOOP || loop->kind != MED_FP_WHERE)
        return false;
    loop->kind = exists ? MED_FP_ANY : MED_FP_NONE;
    return true;
}

static bool is_named(const struct call *call, const char *name)
{
    return strcmp(call->function->name, name) == 0;
}

/* A constant regular expression is compiled with the program. `first` is where the code of the
 * first argument begins; one instruction means a constant. */
static bool prepare_pattern(med_fp_compiler *c, const struct call *call, size_t first, size_t end)
{
    bool wanted = is_named(call, "matches") || is_named(call, "matchesFull")
                  || is_named(call, "replaceMatches");
    const struct med_fp_code *code = &c->code[first];
    if (!wanted || end != first + 1 || code->op != MED_FP_CONST
        || c->constants[code->a].kind != MED_VALUE_STRING)
        return true;
    return med_fp_emit_pattern(c, code->a, c->at[first]);
}

static bool call_values(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    struct med_fp_shape argument = {0};
    unsigned argc = 0;
    size_t first = c->n;
    size_t first_end = c->n;
    if (call->function->of_strings && med_fp_shape_is_complex(c->p, shape))
        return MED_FAIL(c->err, MED_ISSUE_INVALID,
                        "FHIRPath, position %zu: %s() works on strings, not on %.*s", call->at + 1,
                        call->function->name, MED_STR_ARG(med_type_name(c->p, shape->types[0])));
    while (!med_fp_is_symbol(c, ")")) {
        if (argc == call->function->most)
            return fail_arguments(c, call);
        if ((argc > 0 && !med_fp_expect(c, ","))
            || !med_fp_parse_expression(c, call->depth + 1, &argument))
            return false;
        if (argc++ == 0)
            first_end = c->n;
    }
    if (!close_call(c, call, argc) || !prepare_pattern(c, call, first, first_end))
        return false;
    if (!shape_of_result(c, call->function->result, &argument, shape))
        return false;
    if (argc == 0 && join_with_where(c, call))
        return true;
    if (!med_fp_emit(c, MED_FP_CALL, call->index, call->at))
        return false;
    c->code[c->n - 1].argc = (uint16_t)argc;
    c->code[c->n - 1].kind = is_named(call, "resolve"); /* see MED_FP_RESOLVE_IS */
    return true;
}

/* Opens a loop over the operand on top; the caller emits the body. */
static bool open_loop(med_fp_compiler *c, const struct call *call, enum med_fp_loop kind,
                      size_t *loop)
{
    *loop = c->n;
    if (!med_fp_open_frame(c, call->at) || !med_fp_emit(c, MED_FP_LOOP, 0, call->at))
        return false;
    c->code[*loop].kind = (uint8_t)kind;
    return true;
}

static bool close_loop(med_fp_compiler *c, const struct call *call, size_t loop)
{
    if (!med_fp_emit(c, MED_FP_NEXT, (uint32_t)loop + 1, call->at))
        return false;
    c->code[c->n - 1].kind = c->code[loop].kind;
    med_fp_patch(c, loop);
    med_fp_close_frame(c);
    return true;
}

/* Parses an argument in which items of `shape` are $this. */
static bool parse_body(med_fp_compiler *c, const struct call *call,
                       const struct med_fp_shape *shape, struct med_fp_shape *out)
{
    struct med_fp_shape outer = c->this;
    c->this = *shape;
    bool good = med_fp_parse_expression(c, call->depth + 1, out);
    c->this = outer;
    return good;
}

/* repeat() also runs on what it finds: the body is read twice, the second time with the types
 * that the first reading brought to light. */
static bool parse_repeated_body(med_fp_compiler *c, const struct call *call,
                                const struct med_fp_shape *shape, struct med_fp_shape *out)
{
    med_lexer lexer = c->lexer;
    med_token token = c->token;
    size_t n = c->n;
    struct med_fp_shape both;
    if (!parse_body(c, call, shape, out))
        return false;
    if (!med_fp_shape_union(c->a, shape, out, &both))
        return MED_FAIL_MEMORY(c->err);
    c->lexer = lexer;
    c->token = token;
    c->n = n;
    return parse_body(c, call, &both, out);
}

static bool call_loop(med_fp_compiler *c, const struct call *call, enum med_fp_loop kind,
                      struct med_fp_shape *shape)
{
    size_t loop = 0;
    struct med_fp_shape body;
    bool repeats = kind == MED_FP_REPEAT || kind == MED_FP_REPEAT_ALL;
    if (med_fp_is_symbol(c, ")"))
        return fail_arguments(c, call);
    if (!open_loop(c, call, kind, &loop))
        return false;
    if (repeats ? !parse_repeated_body(c, call, shape, &body) : !parse_body(c, call, shape, &body))
        return false;
    if (!close_loop(c, call, loop) || !close_call(c, call, 1))
        return false;
    if (repeats || kind == MED_FP_SELECT)
        *shape = body;
    else if (kind != MED_FP_WHERE)
        *shape = med_fp_shape_system(MED_VALUE_BOOLEAN);
    return true;
}

static bool call_type(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    struct med_fp_type_test test;
    enum med_fp_op op = MED_FP_OF_TYPE;
    if (is_named(call, "is"))
        op = MED_FP_IS;
    else if (is_named(call, "as"))
        op = MED_FP_AS;
    if (!med_fp_parse_type(c, &test))
        return false;
    test.lenient = false;
    return close_call(c, call, 1) && med_fp_emit_type_test(c, op, call->at, &test, shape);
}

/* iif(criterion, then[, else]): only the branch that is needed runs. */
static bool call_iif(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    struct med_fp_shape criterion;
    struct med_fp_shape then;
    struct med_fp_shape otherwise = {0};
    const struct med_fp_shape input = *shape;
    if (call->has_input
        && (!med_fp_open_frame(c, call->at) || !med_fp_emit(c, MED_FP_WITH, 0, call->at)))
        return false;
    if (!parse_body(c, call, &input, &criterion) || !med_fp_expect(c, ","))
        return false;
    size_t to_else = c->n;
    if (!med_fp_emit(c, MED_FP_IIF, 0, call->at) || !parse_body(c, call, &input, &then))
        return false;
    size_t to_end = c->n;
    if (!med_fp_emit(c, MED_FP_JUMP, 0, call->at))
        return false;
    med_fp_patch(c, to_else);
    bool has_else = med_fp_is_symbol(c, ",");
    if (has_else ? !med_fp_advance(c) || !parse_body(c, call, &input, &otherwise)
                 : !med_fp_emit(c, MED_FP_EMPTY, 0, call->at))
        return false;
    med_fp_patch(c, to_end);
    if (!close_call(c, call, 3)
        || (call->has_input && !med_fp_emit(c, MED_FP_END_WITH, 0, call->at)))
        return false;
    if (call->has_input)
        med_fp_close_frame(c);
    return med_fp_shape_union(c->a, &then, &otherwise, shape) || MED_FAIL_MEMORY(c->err);
}

/* What trace() shows of its input, which is $this: all, or for each item the projection. */
static bool trace_values(med_fp_compiler *c, const struct call *call,
                         const struct med_fp_shape *shape, unsigned *argc)
{
    size_t loop = 0;
    struct med_fp_shape ignored;
    if (!med_fp_emit(c, MED_FP_THIS, 0, call->at))
        return false;
    if (!med_fp_is_symbol(c, ","))
        return true;
    (*argc)++;
    return med_fp_advance(c) && open_loop(c, call, MED_FP_SELECT, &loop)
           && parse_body(c, call, shape, &ignored) && close_loop(c, call, loop);
}

/* trace(name[, projection]) gives its input back. Its arguments run only when somebody listens:
 * what they show would be values of resources in a log. */
static bool call_trace(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    struct med_fp_shape ignored;
    size_t to_end = c->n;
    unsigned argc = 1;
    if (med_fp_is_symbol(c, ")"))
        return fail_arguments(c, call);
    if (!med_fp_emit(c, MED_FP_IF_TRACED, 0, call->at) || !med_fp_open_frame(c, call->at)
        || !med_fp_emit(c, MED_FP_WITH, 0, call->at))
        return false;
    c->code[c->n - 1].kind = 1; /* of several items, too */
    if (!parse_body(c, call, shape, &ignored) || !trace_values(c, call, shape, &argc)
        || !med_fp_emit(c, MED_FP_TRACE, 0, call->at))
        return false;
    med_fp_close_frame(c);
    med_fp_patch(c, to_end);
    return close_call(c, call, argc);
}

static bool add_name(med_fp_compiler *c, med_str name, size_t at, uint32_t *slot)
{
    static const char *const taken[] = {"ucum",     "sct",          "loinc",
                                        "resource", "rootResource", "context"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (med_str_eqz(name, taken[i]))
            return med_lexer_fail(&c->lexer, at, "this variable belongs to the environment");
    for (size_t i = 0; i < c->n_names; i++)
        if (med_str_eq(c->names[i].name, name))
            return med_lexer_fail(&c->lexer, at, "this variable is defined already");
    if (c->n_names == MED_FP_NAMES)
        return med_lexer_fail(&c->lexer, at, "too many variables");
    *slot = c->n_slots++;
    c->names[c->n_names++] = (struct med_fp_name){name, *slot};
    return true;
}

/* defineVariable(name[, value]): the input stays; the value is the input or the argument, in
 * which the whole input is $this. */
static bool call_define(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    med_token name = c->token;
    uint32_t slot = 0;
    if (name.kind != MED_TOKEN_STRING)
        return med_fp_fail_here(c, "defineVariable() takes a name in quotes");
    if (!med_fp_advance(c))
        return false;
    bool has_value = med_fp_is_symbol(c, ",");
    if (has_value) {
        struct med_fp_shape value;
        if (!med_fp_advance(c) || !med_fp_open_frame(c, call->at)
            || !med_fp_emit(c, MED_FP_WITH, 0, call->at))
            return false;
        c->code[c->n - 1].kind = 1;
        if (!parse_body(c, call, shape, &value))
            return false;
        med_fp_close_frame(c);
    }
    if (!close_call(c, call, 2) || !add_name(c, name.text, name.at, &slot)
        || !med_fp_emit(c, MED_FP_DEFINE, slot, call->at))
        return false;
    c->code[c->n - 1].kind = has_value;
    return true;
}

/* One key of sort(); a '-' in front, or `desc` behind, turns its order round. */
static bool parse_sort_key(med_fp_compiler *c, const struct call *call,
                           const struct med_fp_shape *shape, bool *descending)
{
    struct med_fp_shape key;
    *descending = med_fp_is_symbol(c, "-");
    if ((*descending && !med_fp_advance(c)) || !parse_body(c, call, shape, &key))
        return false;
    bool word = c->token.kind == MED_TOKEN_NAME && !c->token.delimited;
    bool desc = word && med_str_eqz(c->token.text, "desc");
    if (!desc && !(word && med_str_eqz(c->token.text, "asc")))
        return true;
    *descending = desc;
    return med_fp_advance(c);
}

static bool call_sort(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    size_t loop = 0;
    unsigned argc = 0;
    uint8_t descending = 0;
    if (!open_loop(c, call, MED_FP_SORT, &loop))
        return false;
    if (med_fp_is_symbol(c, ")")) {
        argc = 1;
        if (!med_fp_emit(c, MED_FP_THIS, 0, call->at))
            return false;
    }
    while (!med_fp_is_symbol(c, ")")) {
        bool down = false;
        if (argc == call->function->most)
            return fail_arguments(c, call);
        if ((argc > 0 && !med_fp_expect(c, ",")) || !parse_sort_key(c, call, shape, &down))
            return false;
        descending = (uint8_t)(descending | (unsigned)down << argc);
        argc++;
    }
    if (!close_loop(c, call, loop))
        return false;
    c->code[c->n - 1].argc = (uint16_t)argc;
    c->code[c->n - 1].kind = descending;
    c->code[loop].argc = (uint16_t)argc;
    return close_call(c, call, argc);
}

/* aggregate(body[, init]): init is written behind the body and runs before it. */
static bool call_aggregate(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    size_t to_init = c->n;
    size_t loop = 0;
    struct med_fp_shape ignored;
    if (med_fp_is_symbol(c, ")"))
        return fail_arguments(c, call);
    if (!med_fp_emit(c, MED_FP_JUMP, 0, call->at) || !open_loop(c, call, MED_FP_AGGREGATE, &loop)
        || !parse_body(c, call, shape, &ignored) || !close_loop(c, call, loop))
        return false;
    size_t to_end = c->n;
    if (!med_fp_emit(c, MED_FP_JUMP, 0, call->at))
        return false;
    med_fp_patch(c, to_init);
    bool has_init = med_fp_is_symbol(c, ",");
    if (has_init ? !med_fp_advance(c) || !med_fp_parse_expression(c, call->depth + 1, &ignored)
                 : !med_fp_emit(c, MED_FP_EMPTY, 0, call->at))
        return false;
    if (!med_fp_emit(c, MED_FP_JUMP, (uint32_t)loop, call->at))
        return false;
    med_fp_patch(c, to_end);
    *shape = med_fp_shape_any();
    return close_call(c, call, 2);
}

static bool call_by_form(med_fp_compiler *c, const struct call *call, struct med_fp_shape *shape)
{
    switch (call->function->form) {
    case MED_FP_FORM_VALUES:
        return call_values(c, call, shape);
    case MED_FP_FORM_LOOP:
        return call_loop(c, call, call->function->loop, shape);
    case MED_FP_FORM_TYPE:
        return call_type(c, call, shape);
    case MED_FP_FORM_EXISTS:
        return med_fp_is_symbol(c, ")") ? call_values(c, call, shape)
                                        : call_loop(c, call, MED_FP_ANY, shape);
    case MED_FP_FORM_IIF:
        return call_iif(c, call, shape);
    case MED_FP_FORM_TRACE:
        return call_trace(c, call, shape);
    case MED_FP_FORM_DEFINE:
        return call_define(c, call, shape);
    case MED_FP_FORM_SORT:
        return call_sort(c, call, shape);
    case MED_FP_FORM_AGGREGATE:
        return call_aggregate(c, call, shape);
    }
    return false;
}

bool med_fp_parse_call(med_fp_compiler *c, const med_token *name, bool has_input, int depth,
                       struct med_fp_shape *shape)
{
    struct call call = {.at = name->at, .depth = depth, .has_input = has_input};
    if (!find_function(c, name, &call) || !med_fp_expect(c, "("))
        return false;
    if (!has_input) {
        *shape = c->this;
        if (call.function->form != MED_FP_FORM_IIF && !med_fp_emit(c, MED_FP_THIS, 0, name->at))
            return false;
    }
    return call_by_form(c, &call, shape);
}
