/* structure_extension.c - https://hl7.org/fhir/R4/extensibility.html
 *
 * A known extension stands where its definition says, holds what it says, and is a modifier or
 * not. Of one that nobody knows only this is asked: that it is no modifier, since what a
 * modifier says must be understood. */
#include "model/walk.h"
#include "validate/profile_impl.h"

#define SELECT_LIMIT ((size_t)64 << 20)

/* The object in which the extension stands: below it, over the array between. */
static const med_check_frame *holder_of(const med_check_frame *f, const med_check *c)
{
    const med_check_frame *h = f;
    while (h > c->stack) {
        h--;
        if (!h->is_array)
            return h;
    }
    return NULL;
}

static bool is_modifier_element(const med_check *c, const med_check_frame *f)
{
    med_element e;
    if (f->owner == MED_TYPE_NONE)
        return false;
    med_type_element(c->p, f->owner, f->owner_element, &e);
    return med_str_eqz(e.name, "modifierExtension");
}

static bool url_of(med_check *c, uint32_t node, uint32_t *at, med_str *out)
{
    *at = med_json_member(c->j, node, MED_STR("url"));
    if (*at == 0 || med_json_kind_at(c->j, *at) != MED_JSON_STRING)
        return false;
    if (med_json_string(c->a, c->j, *at, out))
        return true;
    c->out_of_memory = true;
    return false;
}

/* ---- where ---- */

static med_str without_x(med_str path)
{
    return med_str_ends(path, MED_STR("[x]")) ? med_str_sub(path, 0, path.len - 3) : path;
}

static bool is_context(const med_check *c, med_str context, const med_check_frame *holder)
{
    med_type type = med_pack_type(c->p, context);
    if (med_str_eqz(context, "Element")
        || (type != MED_TYPE_NONE && med_type_is_a(c->p, holder->type, type)))
        return true;
    if (holder->owner == MED_TYPE_NONE)
        return false;
    med_element e;
    med_type_element(c->p, holder->owner, holder->owner_element, &e);
    return med_str_eq(without_x(e.path), without_x(context));
}

/* "Questionnaire.item.item" of Questionnaire.item[0].item[2]: what a context may also say. */
static bool is_whole_path(med_check *c, med_str context, const med_check_frame *holder)
{
    med_str path;
    size_t n = 0;
    if (!med_node_expression(c->a, c->p, c->j, holder->resource, holder->node, &path)) {
        c->out_of_memory = true;
        return true;
    }
    char *plain = MED_TAKE(c->a, path.len + 1, char);
    if (plain == NULL) {
        c->out_of_memory = true;
        return true;
    }
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '[')
            i = med_str_find(path, ']', i);
        else
            plain[n++] = path.ptr[i];
    }
    return med_str_eq((med_str){plain, n}, without_x(context));
}

static void check_context(med_check *c, const med_check_frame *f, const med_extension *e)
{
    const med_check_frame *holder = holder_of(f, c);
    if (holder == NULL || e->n_contexts == 0)
        return;
    for (size_t i = 0; i < e->n_contexts; i++) {
        if (is_context(c, med_extension_context(c->p, e, i), holder))
            return;
    }
    for (size_t i = 0; i < e->n_contexts; i++) {
        if (is_whole_path(c, med_extension_context(c->p, e, i), holder))
            return;
    }
    med_check_problem(c, holder->node, NULL, MED_ISSUE_EXTENSION,
                      "the extension %.*s can not stand here; its place: %.*s%s",
                      MED_STR_ARG(e->url), MED_STR_ARG(med_extension_context(c->p, e, 0)),
                      e->n_contexts > 1 ? " and others" : "");
}

/* ---- what ---- */

static bool allows(const med_extension *e, med_type type)
{
    for (size_t i = 0; i < e->n_types; i++) {
        if (e->types[i] == type)
            return true;
    }
    return e->n_types == 0;
}

static void check_value(med_check *c, const med_check_frame *f, const med_extension *e)
{
    size_t first = 0;
    size_t element = med_type_find_element(c->p, c->extension, MED_STR("value"));
    if (!med_check_was_seen(f, (uint16_t)element))
        return;
    if (!e->may_have_value) {
        med_check_problem(c, f->node, NULL, MED_ISSUE_EXTENSION,
                          "the extension %.*s has no value, it has extensions inside",
                          MED_STR_ARG(e->url));
        return;
    }
    size_t n = med_element_properties(c->p, c->extension, element, &first);
    for (size_t i = 0; i < n && e->n_types > 0; i++) {
        med_property property;
        med_type_property_at(c->p, c->extension, first + i, &property);
        uint32_t value = med_json_member(c->j, f->node, property.name);
        if (value != 0 && !allows(e, property.type))
            med_check_problem(c, value, NULL, MED_ISSUE_EXTENSION,
                              "the value of the extension %.*s is of type %.*s, not %.*s%s",
                              MED_STR_ARG(e->url), MED_STR_ARG(med_type_name(c->p, e->types[0])),
                              MED_STR_ARG(med_type_name(c->p, property.type)),
                              e->n_types > 1 ? " (others are possible)" : "");
    }
}

static size_t find_part(const med_check *c, const med_extension *e, med_str url)
{
    med_extension part;
    for (size_t i = 0; i < e->n_parts; i++) {
        med_extension_part(c->p, e, i, &part);
        if (med_str_eq(part.url, url))
            return i;
    }
    return SIZE_MAX;
}

static size_t count_part(med_check *c, uint32_t list, med_str url)
{
    const med_json_node *nodes = c->j->nodes;
    size_t n = 0;
    for (uint32_t i = list + 1; list != 0 && i < nodes[list].next; i = nodes[i].next) {
        med_str found;
        uint32_t at;
        if (med_json_kind_at(c->j, i) == MED_JSON_OBJECT && url_of(c, i, &at, &found)
            && med_str_eq(found, url))
            n++;
    }
    return n;
}

static void check_parts(med_check *c, const med_check_frame *f, const med_extension *e)
{
    uint32_t list = med_json_member(c->j, f->node, MED_STR("extension"));
    if (list != 0 && med_json_kind_at(c->j, list) != MED_JSON_ARRAY)
        return;
    for (size_t i = 0; i < e->n_parts; i++) {
        med_extension part;
        med_extension_part(c->p, e, i, &part);
        size_t n = count_part(c, list, part.url);
        if (n < part.min || (part.max != MED_MAX_UNBOUNDED && n > part.max))
            med_check_problem(c, f->node, NULL, MED_ISSUE_EXTENSION,
                              "%zu extensions '%.*s' inside %.*s, expected %u to %u", n,
                              MED_STR_ARG(part.url), MED_STR_ARG(e->url), part.min, part.max);
    }
}

/* A part of a complex extension: its name is one of the definition's. */
static void check_part(med_check *c, const med_check_frame *f, const med_check_frame *whole,
                       med_str url)
{
    med_extension e, part;
    med_str parent = MED_STR_EMPTY;
    uint32_t unused;
    if (!url_of(c, whole->node, &unused, &parent) || !med_pack_extension(c->p, parent, &e)
        || e.n_parts == 0)
        return;
    size_t i = find_part(c, &e, url);
    if (i == SIZE_MAX) {
        med_extension_part(c->p, &e, 0, &part);
        med_check_problem(c, f->node, NULL, MED_ISSUE_EXTENSION,
                          "the extension %.*s has no part of this name; it has '%.*s'%s",
                          MED_STR_ARG(e.url), MED_STR_ARG(part.url),
                          e.n_parts > 1 ? " and others" : "");
        return;
    }
    med_extension_part(c->p, &e, i, &part);
    check_value(c, f, &part);
}

/* ---- definitions of packages and of users ---- */

static med_value holder_value(const med_check *c, const med_check_frame *holder)
{
    bool is_primitive = med_type_primitive(c->p, holder->type) != MED_PRIMITIVE_NONE;
    return (med_value){.kind = MED_VALUE_NODE,
                       .type = holder->type,
                       .node = is_primitive ? 0 : holder->node, /* its value stands elsewhere */
                       .extension = is_primitive ? holder->node : 0,
                       .json = c->j,
                       .text = MED_STR_EMPTY,
                       .unit = MED_STR_EMPTY};
}

/* Does it give the holder, or say yes? */
static bool says_yes(med_values found, const med_check_frame *holder)
{
    for (size_t i = 0; i < found.n; i++) {
        const med_value *v = &found.at[i];
        if (v->kind == MED_VALUE_NODE
            && (v->node == holder->node || (v->extension != 0 && v->extension == holder->node)))
            return true;
    }
    return found.n == 1 && found.at[0].kind == MED_VALUE_BOOLEAN && found.at[0].integer != 0;
}

/* A FHIRPath context selects, in the resource, the elements that may have the extension; or it is
 * a question to the element itself. */
static bool is_selected(med_check *c, const med_check_frame *holder, const med_fhirpath *program)
{
    med_values found;
    med_value resource, own = holder_value(c, holder);
    med_err err = {0};
    bool yes = false;
    med_arena *a = med_arena_new(SELECT_LIMIT);
    if (a == NULL) {
        c->out_of_memory = true;
        return true;
    }
    if (med_value_of_resource(c->p, c->j, holder->resource, &resource, &err)) {
        med_fhirpath_env env = {.now = c->options->now};
        yes = (med_fhirpath_run(a, c->p, program, &env, &resource, &resource, &found, &err)
               && says_yes(found, holder))
              || (med_fhirpath_run(a, c->p, program, &env, &own, &resource, &found, &err)
                  && says_yes(found, holder));
    }
    med_arena_free(a);
    return yes || err.issue == MED_ISSUE_TOO_COSTLY; /* what can not be decided refuses nothing */
}

/* The same of what must hold where the extension stands. */
static bool holds_at(med_check *c, const med_check_frame *holder, const med_fhirpath *program)
{
    med_err err = {0};
    bool holds;
    med_value focus = holder_value(c, holder);
    return program == NULL
           || !med_check_holds(c, holder->resource, holder->root, program, &focus, &holds, &err)
           || holds;
}

/* http://.../complex-extension#part: a part of that extension. */
static bool is_in_extension(med_check *c, const med_check_frame *holder, med_str expression)
{
    uint32_t at;
    med_str url;
    if (holder->type != c->extension) /* in the value of that extension */
        holder = holder_of(holder, c);
    return holder != NULL && holder->type == c->extension && url_of(c, holder->node, &at, &url)
           && med_str_eq(url, expression);
}

/* A context may name its element in full, by a type, or by the definition of the type. */
static bool fits_context(med_check *c, const med_profile_context *x, const med_check_frame *holder)
{
    med_str prefix = MED_STR("http://hl7.org/fhir/StructureDefinition/");
    med_str expression = x->expression;
    if (med_str_eqz(x->kind, "fhirpath"))
        return x->program == NULL || is_selected(c, holder, x->program);
    if (med_str_eqz(x->kind, "extension"))
        return is_in_extension(c, holder, expression);
    if (med_str_starts(expression, prefix))
        expression = med_str_skip(expression, prefix.len);
    return is_context(c, expression, holder) || is_whole_path(c, expression, holder);
}

static void check_context_rules(med_check *c, const med_check_frame *holder, const med_profile *p)
{
    for (size_t i = 0; i < p->n_context_rules; i++) {
        if (!holds_at(c, holder, p->context_rules[i].program))
            med_check_problem(c, holder->node, NULL, MED_ISSUE_EXTENSION,
                              "the extension %.*s can not stand here: where it stands this must "
                              "hold: %.*s",
                              MED_STR_ARG(p->url), MED_STR_ARG(p->context_rules[i].human));
    }
}

/* One of R4: the pack knows all but this. */
static void check_known_rules(med_check *c, const med_check_frame *f, med_str url)
{
    const med_check_frame *holder = holder_of(f, c);
    if (c->profiles == NULL || holder == NULL)
        return;
    med_str canonical = med_arena_printf(c->a, "%.*s|4.0.1", MED_STR_ARG(url));
    const med_profile *p = med_check_extension_profile(c, canonical);
    if (p != NULL)
        check_context_rules(c, holder, p);
}

static void check_defined_context(med_check *c, const med_check_frame *holder, const med_profile *p)
{
    bool fits = p->n_contexts == 0;
    for (size_t i = 0; i < p->n_contexts && !fits; i++)
        fits = fits_context(c, &p->contexts[i], holder);
    if (!fits)
        med_check_problem(c, holder->node, NULL, MED_ISSUE_EXTENSION,
                          "the extension %.*s can not stand here; its place: %.*s%s",
                          MED_STR_ARG(p->url), MED_STR_ARG(p->contexts[0].expression),
                          p->n_contexts > 1 ? " and others" : "");
    check_context_rules(c, holder, p);
}

static bool check_defined(med_check *c, const med_check_frame *f, const med_check_frame *holder,
                          med_str url, bool is_modifier)
{
    const med_profile *p = med_check_extension_profile(c, url);
    if (p == NULL)
        return false;
    if (is_modifier != p->is_modifier)
        med_check_problem(c, f->node, NULL, MED_ISSUE_EXTENSION,
                          is_modifier ? "%.*s is no modifier: it belongs into 'extension'"
                                      : "%.*s is a modifier: it belongs into 'modifierExtension'",
                          MED_STR_ARG(p->url));
    check_defined_context(c, holder, p);
    med_check_noted noted = {f->node, f->resource, f->root, f->entry, p};
    med_check_note(c, &noted);
    return true;
}

/* "http://hl7.org/fhir/5.0/StructureDefinition/extension-Patient.name": an element of another
 * version of FHIR. Its definition is not here, so that nothing of it can be checked.
 * https://hl7.org/fhir/R4/versions.html#extensions */
static bool is_of_other_version(med_str url)
{
    med_str prefix = MED_STR("http://hl7.org/fhir/"), rest;
    if (!med_str_starts(url, prefix))
        return false;
    med_str version = med_str_cut(med_str_skip(url, prefix.len), '/', &rest);
    bool numbered = version.len == 3 && med_is_digit(version.ptr[0]) && version.ptr[1] == '.'
                    && med_is_digit(version.ptr[2]) && !med_str_eqz(version, "4.0");
    med_str element = MED_STR("StructureDefinition/extension-");
    return numbered && med_str_starts(rest, element)
           && med_str_find(rest, '.', element.len) < rest.len;
}

typedef void say_fn(med_check *, uint32_t, const char *, enum med_issue, const char *, ...);

/* A server takes what it does not know: https://hl7.org/fhir/R4/extensibility.html#exchange */
static say_fn *say_unknown(const med_check *c)
{
    return c->options->known_extensions ? med_check_problem : med_check_warning;
}

static void check_unknown(med_check *c, uint32_t at, med_str url, bool is_modifier)
{
    med_str near = MED_STR_EMPTY;
    bool official = med_str_starts(url, MED_STR("http://hl7.org/fhir/StructureDefinition/"));
    if (official)
        near = med_pack_nearest_extension(c->p, url);
    const char *hint = near.len > 0 ? "; nearest: " : "";
    if (is_of_other_version(url))
        med_check_warning(c, at, NULL, MED_ISSUE_EXTENSION,
                          "an element of another version of FHIR, whose definition is not here: "
                          "what it holds was not checked");
    else if (is_modifier)
        med_check_problem(c, at, NULL, MED_ISSUE_EXTENSION,
                          "nobody here knows this modifier extension, so the resource could be "
                          "misunderstood: install the package that defines it%s%.*s",
                          hint, MED_STR_ARG(near));
    else if (official)
        say_unknown(c)(c, at, NULL, MED_ISSUE_EXTENSION, "R4 does not define this extension%s%.*s",
                       hint, MED_STR_ARG(near));
    else if (c->options->strict)
        say_unknown(c)(c, at, NULL, MED_ISSUE_EXTENSION,
                       "nobody here knows this extension: what it holds was not checked; install "
                       "the package that defines it");
}

static void check_known(med_check *c, const med_check_frame *f, const med_extension *e,
                        bool is_modifier)
{
    if (is_modifier != e->is_modifier)
        med_check_problem(c, f->node, NULL, MED_ISSUE_EXTENSION,
                          is_modifier ? "%.*s is no modifier: it belongs into 'extension'"
                                      : "%.*s is a modifier: it belongs into 'modifierExtension'",
                          MED_STR_ARG(e->url));
    check_context(c, f, e);
    check_known_rules(c, f, e->url);
    check_value(c, f, e);
    check_parts(c, f, e);
}

void med_check_extension(med_check *c, const med_check_frame *f)
{
    uint32_t at;
    med_str url;
    med_extension e;
    const med_check_frame *holder = holder_of(f, c);
    if (holder == NULL || !url_of(c, f->node, &at, &url))
        return;
    bool is_modifier = is_modifier_element(c, f);
    bool is_absolute = med_str_find(url, ':', 0) < url.len;
    if (is_absolute && med_pack_extension(c->p, url, &e))
        check_known(c, f, &e, is_modifier);
    else if (holder->type == c->extension && !is_absolute)
        check_part(c, f, holder, url);
    else if (!is_absolute)
        med_check_problem(c, at, NULL, MED_ISSUE_EXTENSION,
                          "the url of an extension is absolute: it names its definition");
    else if (!check_defined(c, f, holder, url, is_modifier))
        check_unknown(c, f->node, url, is_modifier);
}
