/* path_compiler.c - see path_compiler.h.
 *
 * A parser by recursive descent that carries sets of paths instead of building a tree: each
 * rule takes the paths so far (`focus`) and gives the paths behind what it read. */
#include "model/compile/path_compiler.h"

enum { PARENTHESES_MAX = 16, PATHS_MAX = 1024, FIRST_ROOM = 8 };

struct parser {
    med_arena *a;
    const med_pack *p;
    med_str text;
    size_t at;
    med_type base;
    int depth; /* of parentheses */
    med_err *err;
};

static bool parse_union(struct parser *c, const med_paths *focus, med_paths *out);

/* ---- sets of paths ---- */

static bool add_path(struct parser *c, med_paths *set, med_path path)
{
    if (set->n == PATHS_MAX)
        return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "too many paths");
    med_path *at = MED_GROW(c->a, set->at, set->n, &set->room, FIRST_ROOM);
    if (at == NULL)
        return MED_FAIL_MEMORY(c->err);
    set->at = at;
    set->at[set->n++] = path;
    return true;
}

static bool add_all(struct parser *c, med_paths *set, const med_paths *more)
{
    for (size_t i = 0; i < more->n; i++) {
        if (!add_path(c, set, more->at[i]))
            return false;
    }
    return true;
}

/* `path` and one step more. */
static bool extend(struct parser *c, med_paths *set, const med_path *path, med_step step,
                   med_type type, bool is_single)
{
    med_step *fresh = MED_TAKE(c->a, 1, med_step);
    if (fresh == NULL)
        return MED_FAIL_MEMORY(c->err);
    *fresh = step;
    fresh->before = path->last;
    return add_path(c, set, (med_path){fresh, type, is_single});
}

/* ---- words ---- */

static void skip_space(struct parser *c)
{
    while (c->at < c->text.len && med_is_space(c->text.ptr[c->at]))
        c->at++;
}

static bool peek(struct parser *c, char symbol)
{
    skip_space(c);
    return c->at < c->text.len && c->text.ptr[c->at] == symbol;
}

static bool take(struct parser *c, char symbol)
{
    bool is = peek(c, symbol);
    c->at += is;
    return is;
}

static bool expect(struct parser *c, char symbol)
{
    return take(c, symbol)
           || MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: '%c' expected at %zu", symbol,
                       c->at + 1);
}

/* A name, or "" when there is none. */
static med_str take_name(struct parser *c)
{
    skip_space(c);
    size_t from = c->at;
    while (c->at < c->text.len
           && (med_is_alpha(c->text.ptr[c->at]) || c->text.ptr[c->at] == '_'
               || c->text.ptr[c->at] == '$' || (c->at > from && med_is_digit(c->text.ptr[c->at]))))
        c->at++;
    return med_str_sub(c->text, from, c->at);
}

/* The given word, if it is what comes next. */
static bool take_word(struct parser *c, const char *word)
{
    size_t before = c->at;
    if (med_str_eqz(take_name(c), word))
        return true;
    c->at = before;
    return false;
}

static bool take_string(struct parser *c, med_str *out)
{
    if (!expect(c, '\''))
        return false;
    size_t from = c->at;
    while (c->at < c->text.len && c->text.ptr[c->at] != '\'' && c->text.ptr[c->at] != '\\')
        c->at++;
    *out = med_str_sub(c->text, from, c->at);
    return expect(c, '\'');
}

static bool take_type(struct parser *c, med_type *out)
{
    med_str name = take_name(c);
    if (med_str_eqz(name, "FHIR") && take(c, '.'))
        name = take_name(c);
    *out = med_pack_type(c->p, name);
    if (*out == MED_TYPE_NONE && med_str_eqz(name, "DateTime"))
        *out = med_pack_type(c->p, MED_STR("dateTime")); /* Observation-code-value-date */
    return *out != MED_TYPE_NONE
           || MED_FAIL(c->err, MED_ISSUE_NOT_FOUND, "unknown type '%.*s'", MED_STR_ARG(name));
}

/* ---- steps ---- */

static bool is_abstract_resource(const struct parser *c, med_type t)
{
    return med_type_kind_of(c->p, t) == MED_TYPE_RESOURCE && med_type_is_abstract(c->p, t);
}

static bool step_element(struct parser *c, const med_path *path, size_t element, med_paths *out)
{
    size_t first = 0;
    size_t n = med_element_properties(c->p, path->type, element, &first);
    for (size_t i = 0; i < n; i++) {
        med_property property;
        med_type_property_at(c->p, path->type, first + i, &property);
        med_step step = {.kind = MED_STEP_PROPERTY, .type = property.type, .name = property.name};
        if (!extend(c, out, path, step, property.type, path->is_single && !property.is_array))
            return false;
    }
    return true;
}

static bool fail_no_element(struct parser *c, med_type type, med_str name)
{
    med_str near = med_type_nearest_property(c->p, type, name);
    return MED_FAIL(c->err, MED_ISSUE_NOT_FOUND, "%.*s has no element '%.*s'%s%.*s",
                    MED_STR_ARG(med_type_name(c->p, type)), MED_STR_ARG(name),
                    near.len > 0 ? "; nearest: " : "", MED_STR_ARG(near));
}

static bool step_name(struct parser *c, const med_paths *focus, med_str name, med_paths *out)
{
    bool found = focus->n == 0;
    for (size_t i = 0; i < focus->n; i++) {
        med_type type = focus->at[i].type;
        size_t element = med_type_find_element(c->p, type, name);
        if (element == SIZE_MAX && is_abstract_resource(c, type) && focus->at[i].last != NULL)
            return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: any resource type");
        if (element == SIZE_MAX)
            continue;
        if (med_type_kind_of(c->p, type) == MED_TYPE_PRIMITIVE)
            return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: inside a primitive");
        found = true;
        if (!step_element(c, &focus->at[i], element, out))
            return false;
    }
    return found || fail_no_element(c, focus->at[0].type, name);
}

/* As the FHIRPath engine has it: a code is no string here, but an Age is a Quantity. */
static bool may_become(const struct parser *c, med_type from, med_type to)
{
    return from == to
           || (med_type_is_a(c->p, from, to)
               && med_type_primitive(c->p, from) == MED_PRIMITIVE_NONE);
}

/* as(T), ofType(T): paths whose type is T or made from it. */
static bool step_as(struct parser *c, const med_paths *focus, med_type type, med_paths *out)
{
    bool found = focus->n == 0;
    for (size_t i = 0; i < focus->n; i++) {
        const med_path *path = &focus->at[i];
        if (may_become(c, path->type, type)) {
            found = true;
            if (!add_path(c, out, *path))
                return false;
        } else if (is_abstract_resource(c, path->type) && med_type_is_a(c->p, type, path->type)) {
            found = true;
            med_step step = {.kind = MED_STEP_RESOURCE_IS, .type = type};
            if (!extend(c, out, path, step, type, path->is_single))
                return false;
        }
    }
    return found
           || MED_FAIL(c->err, MED_ISSUE_NOT_FOUND, "nothing here can be a %.*s",
                       MED_STR_ARG(med_type_name(c->p, type)));
}

static bool step_filter(struct parser *c, const med_paths *focus, med_step step, med_paths *out)
{
    for (size_t i = 0; i < focus->n; i++) {
        const med_path *path = &focus->at[i];
        if (path->last == NULL)
            return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: filter on the base");
        med_property key;
        if (step.kind == MED_STEP_EQUALS && !med_type_property(c->p, path->type, step.name, &key))
            return fail_no_element(c, path->type, step.name);
        if (!extend(c, out, path, step, path->type, path->is_single))
            return false;
    }
    return true;
}

/* [n]: only where FHIRPath's flattened collection is one JSON array. */
static bool step_index(struct parser *c, const med_paths *focus, uint32_t index, med_paths *out)
{
    for (size_t i = 0; i < focus->n; i++) {
        const med_path *path = &focus->at[i];
        const med_step *last = path->last;
        if (path->is_single) {
            if (index == 0 && !add_path(c, out, *path))
                return false;
            continue;
        }
        med_property property = {.name = MED_STR_EMPTY};
        med_type owner = last->before == NULL ? c->base : last->before->type;
        bool is_property = last->kind == MED_STEP_PROPERTY
                           && med_type_property(c->p, owner, last->name, &property);
        for (const med_step *s = last->before; s != NULL && is_property; s = s->before) {
            med_type of = s->before == NULL ? c->base : s->before->type;
            is_property = s->kind == MED_STEP_PROPERTY
                          && med_type_property(c->p, of, s->name, &property) && !property.is_array;
        }
        if (!is_property)
            return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: index over many lists");
        med_step step = {.kind = MED_STEP_INDEX, .type = path->type, .index = index};
        if (!extend(c, out, path, step, path->type, true))
            return false;
    }
    return true;
}

/* ---- grammar ---- */

static bool parse_where(struct parser *c, const med_paths *focus, med_paths *out)
{
    med_step step = {.kind = MED_STEP_EQUALS, .type = MED_TYPE_NONE};
    step.name = take_name(c);
    if (med_str_eqz(step.name, "resolve")) {
        step.kind = MED_STEP_RESOLVES_TO;
        step.name = MED_STR_EMPTY;
        if (!expect(c, '(') || !expect(c, ')'))
            return false;
        if (!take_word(c, "is"))
            return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: resolve()");
        if (!take_type(c, &step.type))
            return false;
    } else if (!expect(c, '=') || !take_string(c, &step.value)) {
        return false;
    }
    return expect(c, ')') && step_filter(c, focus, step, out);
}

static bool parse_function(struct parser *c, med_str name, const med_paths *focus, med_paths *out)
{
    if (med_str_eqz(name, "where"))
        return parse_where(c, focus, out);
    if (med_str_eqz(name, "as") || med_str_eqz(name, "ofType")) {
        med_type type = MED_TYPE_NONE;
        return take_type(c, &type) && expect(c, ')') && step_as(c, focus, type, out);
    }
    if (med_str_eqz(name, "first"))
        return expect(c, ')') && step_index(c, focus, 0, out);
    if (med_str_eqz(name, "extension")) {
        med_step step = {.kind = MED_STEP_EQUALS, .type = MED_TYPE_NONE, .name = MED_STR("url")};
        med_paths all = {0};
        return take_string(c, &step.value) && expect(c, ')')
               && step_name(c, focus, MED_STR("extension"), &all)
               && step_filter(c, &all, step, out);
    }
    return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: %.*s()", MED_STR_ARG(name));
}

/* A name or a function behind a dot. */
static bool parse_step(struct parser *c, const med_paths *focus, med_paths *out)
{
    med_str name = take_name(c);
    if (name.len == 0)
        return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: name expected at %zu",
                        c->at + 1);
    return take(c, '(') ? parse_function(c, name, focus, out) : step_name(c, focus, name, out);
}

static bool parse_index(struct parser *c, const med_paths *focus, med_paths *out)
{
    skip_space(c);
    size_t from = c->at;
    while (c->at < c->text.len && med_is_digit(c->text.ptr[c->at]))
        c->at++;
    int64_t index = 0;
    if (!med_str_to_int64(med_str_sub(c->text, from, c->at), &index) || index > UINT16_MAX)
        return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "no path: index is no number");
    return expect(c, ']') && step_index(c, focus, (uint32_t)index, out);
}

/* The first word of a path: a type's name stands for the base, if the base is of that type. */
static bool parse_first(struct parser *c, const med_paths *focus, med_paths *out)
{
    size_t before = c->at;
    med_str name = take_name(c);
    if (med_str_eqz(name, "$this"))
        return add_all(c, out, focus);
    med_type type = med_pack_type(c->p, name);
    if (name.len > 0 && med_is_upper(name.ptr[0]) && type != MED_TYPE_NONE)
        return !med_type_is_a(c->p, c->base, type) || add_all(c, out, focus);
    c->at = before;
    return parse_step(c, focus, out);
}

/* NOLINTNEXTLINE(misc-no-recursion): ends at PARENTHESES_MAX */
static bool parse_parentheses(struct parser *c, const med_paths *focus, med_paths *out)
{
    if (c->depth == PARENTHESES_MAX)
        return MED_FAIL(c->err, MED_ISSUE_NOT_SUPPORTED, "more than %d parentheses",
                        PARENTHESES_MAX);
    c->depth++;
    bool ok = parse_union(c, focus, out) && expect(c, ')');
    c->depth--;
    return ok;
}

/* NOLINTNEXTLINE(misc-no-recursion): ends at PARENTHESES_MAX */
static bool parse_term(struct parser *c, const med_paths *focus, med_paths *out)
{
    med_paths now = {0};
    if (!(take(c, '(') ? parse_parentheses(c, focus, &now) : parse_first(c, focus, &now)))
        return false;
    for (;;) {
        med_paths next = {0};
        if (take(c, '.')) {
            if (!parse_step(c, &now, &next))
                return false;
        } else if (take(c, '[')) {
            if (!parse_index(c, &now, &next))
                return false;
        } else if (take_word(c, "as")) {
            med_type type = MED_TYPE_NONE;
            if (!take_type(c, &type) || !step_as(c, &now, type, &next))
                return false;
        } else {
            return add_all(c, out, &now);
        }
        now = next;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): ends at PARENTHESES_MAX */
static bool parse_union(struct parser *c, const med_paths *focus, med_paths *out)
{
    do {
        if (!parse_term(c, focus, out))
            return false;
    } while (take(c, '|'));
    return true;
}

/* What is searched in an extension is its value. */
static bool take_extension_values(struct parser *c, const med_paths *set, med_paths *out)
{
    med_type extension = med_pack_type(c->p, MED_STR("Extension"));
    for (size_t i = 0; i < set->n; i++) {
        med_paths one = {&set->at[i], 1, 1};
        bool ok = set->at[i].type == extension && set->at[i].last != NULL
                      ? step_name(c, &one, MED_STR("value"), out)
                      : add_path(c, out, set->at[i]);
        if (!ok)
            return false;
    }
    return true;
}

bool med_path_compile(med_arena *a, const med_pack *p, med_str expression, med_type base,
                      med_paths *out, med_err *err)
{
    struct parser c = {.a = a, .p = p, .text = expression, .base = base, .err = err};
    med_paths focus = {0};
    med_paths found = {0};
    *out = (med_paths){0};
    if (!add_path(&c, &focus, (med_path){NULL, base, true}) || !parse_union(&c, &focus, &found))
        return false;
    skip_space(&c);
    if (c.at < c.text.len)
        return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "no path: ends at %zu", c.at + 1);
    return take_extension_values(&c, &found, out);
}
