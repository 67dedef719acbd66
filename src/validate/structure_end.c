/* structure_end.c - what is known when an object ends. See structure_check.h. */
#include <stdio.h>

#include "model/reference.h"
#include "validate/structure_check.h"

/* Told at what lacks it: only that is there to be pointed at. */
static void check_required(med_check *c, const med_check_frame *f)
{
    size_t n = 0;
    const uint16_t *required = med_type_required(c->p, f->type, &n);
    for (size_t i = 0; i < n; i++) {
        if (med_check_was_seen(f, required[i]))
            continue;
        med_element e;
        med_type_element(c->p, f->type, required[i], &e);
        med_check_problem(c, f->node, NULL, MED_ISSUE_REQUIRED, "%.*s%s is required",
                          MED_STR_ARG(e.path),
                          e.is_choice && !med_str_ends(e.path, MED_STR("[x]")) ? "[x]" : "");
    }
}

/* ext-1: a value, or extensions inside, not both and not neither. */
static void check_content(med_check *c, const med_check_frame *f)
{
    size_t value = med_type_find_element(c->p, f->type, MED_STR("value"));
    size_t inside = med_type_find_element(c->p, f->type, MED_STR("extension"));
    if (med_check_was_seen(f, (uint16_t)value) == med_check_was_seen(f, (uint16_t)inside))
        med_check_problem(c, f->node, NULL, MED_ISSUE_INVARIANT,
                          "an extension has either a value[x] or extensions inside (ext-1)");
}

static bool is_target(const med_check *c, med_type type, const med_type *targets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (med_type_is_a(c->p, type, targets[i]))
            return true;
    }
    return n == 0;
}

static void check_target(med_check *c, const med_check_frame *f, med_type type)
{
    size_t n = 0;
    const med_type *targets = med_element_targets(c->p, f->owner, f->owner_element, &n);
    if (is_target(c, type, targets, n))
        return;
    char names[MED_CHECK_TEXT / 2];
    size_t len = 0;
    for (size_t i = 0; i < n && len + 1 < sizeof names; i++) {
        int more = snprintf(names + len, sizeof names - len, "%s%.*s", i == 0 ? "" : ", ",
                            MED_STR_ARG(med_type_name(c->p, targets[i])));
        len += more < 0 ? 0 : (size_t)more;
    }
    /* A warning on writes: the specification's own examples point at other types here and there,
     * and what it is stays readable. */
    if (c->options->strict)
        med_check_problem(c, f->node, NULL, MED_ISSUE_VALUE,
                          "a reference to %.*s can not stand here; expected %s",
                          MED_STR_ARG(med_type_name(c->p, type)), names);
    else
        med_check_warning(c, f->node, NULL, MED_ISSUE_VALUE,
                          "a reference to %.*s can not stand here; expected %s",
                          MED_STR_ARG(med_type_name(c->p, type)), names);
}

/* A urn does not say what it names; its entry does. */
static med_type type_in_bundle(med_check *c, med_str urn)
{
    med_value value;
    med_err err = {0};
    uint32_t resource = med_check_in_bundle(c, urn);
    return resource != 0 && med_value_of_resource(c->p, c->j, resource, &value, &err)
               ? value.type
               : MED_TYPE_NONE;
}

/* Type of the reference at node `text`, or MED_TYPE_NONE when it does not tell or is wrong. */
static med_type check_reference_text(med_check *c, const med_check_frame *f, uint32_t node)
{
    med_str text;
    if (med_json_kind_at(c->j, node) != MED_JSON_STRING || c->j->nodes[node].len == 0)
        return MED_TYPE_NONE; /* said already */
    if (!med_json_string(c->a, c->j, node, &text)) {
        c->out_of_memory = true;
        return MED_TYPE_NONE;
    }
    med_reference r;
    med_err err = {0};
    if (!med_reference_parse(c->p, text, c->options->base, &r, &err)) {
        med_check_problem(c, f->node, NULL, MED_ISSUE_VALUE, "%s", err.text);
        return MED_TYPE_NONE;
    }
    if (r.kind == MED_REFERENCE_CONDITIONAL && !c->allow_conditional)
        med_check_problem(c, f->node, NULL, MED_ISSUE_VALUE,
                          "Type?query is a reference only inside a transaction");
    if (r.kind == MED_REFERENCE_URN && f->entry != 0 && c->options->strict)
        return type_in_bundle(c, text);
    return r.type.len == 0 ? MED_TYPE_NONE : med_pack_type(c->p, r.type);
}

/* Reference.type: the name of a resource type, and the one that the reference has. */
static void check_reference_type(med_check *c, uint32_t node, med_type type)
{
    if (node == 0 || med_json_kind_at(c->j, node) != MED_JSON_STRING || type == MED_TYPE_NONE)
        return;
    med_str said = med_json_raw(c->j, node);
    if (med_str_find(said, ':', 0) == said.len
        && !med_json_string_is(c->j, node, med_type_name(c->p, type)))
        med_check_problem(c, node, NULL, MED_ISSUE_VALUE, "the reference itself names %.*s",
                          MED_STR_ARG(med_type_name(c->p, type)));
}

static void check_reference(med_check *c, const med_check_frame *f)
{
    uint32_t text = med_json_member(c->j, f->node, MED_STR("reference"));
    med_type type = text == 0 ? MED_TYPE_NONE : check_reference_text(c, f, text);
    check_reference_type(c, med_json_member(c->j, f->node, MED_STR("type")), type);
    if (type != MED_TYPE_NONE && f->owner != MED_TYPE_NONE)
        check_target(c, f, type);
}

/* ele-1: an id alone is nothing. */
static void check_content_of(med_check *c, const med_check_frame *f)
{
    const med_json_node *nodes = c->j->nodes;
    if (nodes[f->node].count == 1 && med_type_kind_of(c->p, f->type) != MED_TYPE_RESOURCE
        && med_type_primitive(c->p, f->type) == MED_PRIMITIVE_NONE
        && med_json_string_is(c->j, f->node + 1, MED_STR("id")))
        med_check_problem(c, f->node, NULL, MED_ISSUE_INVARIANT,
                          "an element has a value or children beside its id (ele-1)");
}

static void check_base(med_check *c, const med_check_frame *f)
{
    check_content_of(c, f);
    med_check_binding(c, f);
    if (f->type == c->extension)
        med_check_extension(c, f);
    else if (f->type == c->bundle)
        med_check_bundle(c, f);
    else if (f->type == c->response)
        med_check_answers(c, f);
    else if (f->type == c->attachment)
        med_check_attachment(c, f);
    else if (f->node == f->resource)
        med_check_conformance(c, f);
    if (f->node == f->resource && c->options->strict)
        med_check_ids(c, f);
    med_check_rules(c, f);
}

void med_check_end(med_check *c, const med_check_frame *f)
{
    if (c->options->rules != NULL)
        check_base(c, f);
    check_required(c, f);
    if (f->type == c->reference)
        check_reference(c, f);
    else if (f->type == c->extension)
        check_content(c, f);
}
