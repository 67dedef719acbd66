/* structure_rules.c - invariants, when an object ends. See structure_check.h and rules.h. */
#include "validate/structure_check.h"

enum { STEPS = 1000000, STEPS_A_NODE = 64, CONTAINED = 16 };
/* Of one FHIRPath run, and when to begin it anew. */
#define SCRATCH_LIMIT ((size_t)256 << 20)
#define SCRATCH_KEEP ((size_t)64 << 10)

static med_value value_at(const med_check *c, uint32_t node, uint32_t extension, med_type type)
{
    return (med_value){.kind = MED_VALUE_NODE,
                       .type = type,
                       .node = node,
                       .extension = extension,
                       .json = c->j,
                       .text = MED_STR_EMPTY,
                       .unit = MED_STR_EMPTY};
}

static med_arena *scratch_of(med_check *c)
{
    if (c->scratch == NULL)
        c->scratch = med_arena_new(SCRATCH_LIMIT);
    else if (med_arena_used(c->scratch) > SCRATCH_KEEP)
        med_arena_reset(c->scratch);
    if (c->scratch == NULL)
        c->out_of_memory = true;
    return c->scratch;
}

static void broken(med_check *c, uint32_t node, const med_invariant *says)
{
    if (says->is_warning)
        med_check_warning(c, node, NULL, MED_ISSUE_INVARIANT, "%.*s (%.*s)",
                          MED_STR_ARG(says->human), MED_STR_ARG(says->key));
    else
        med_check_problem(c, node, NULL, MED_ISSUE_INVARIANT, "%.*s (%.*s)",
                          MED_STR_ARG(says->human), MED_STR_ARG(says->key));
}

/* An expression that can not be evaluated here refuses nothing: that is not what it says. */
static void run_program(med_check *c, const med_check_frame *f, const med_rule *rule,
                        const med_value *focus, uint32_t place)
{
    med_arena *a = scratch_of(c);
    med_value resource, root;
    med_values out;
    med_err err = {0};
    bool holds = true;
    if (a == NULL)
        return;
    bool ok = med_value_of_resource(c->p, c->j, f->resource, &resource, &err)
              && med_value_of_resource(c->p, c->j, f->root, &root, &err);
    med_fhirpath_env env = {
        .now = c->options->now,
        .root = &root,
        .max_steps = STEPS + (uint64_t)STEPS_A_NODE * c->j->n,
    };
    ok = ok && med_fhirpath_run(a, c->p, rule->program, &env, focus, &resource, &out, &err)
         && med_values_truth(out, &holds, &err);
    if (!ok)
        med_check_warning(c, place, NULL, err.issue, "%.*s was not decided: %s",
                          MED_STR_ARG(rule->says.key), err.text);
    else if (!holds)
        broken(c, place, &rule->says);
}

/* Does the reference point into its own resource? */
static bool is_fragment(const med_check *c, const med_check_frame *f)
{
    uint32_t text = med_json_member(c->j, f->node, MED_STR("reference"));
    if (text == 0 || med_json_kind_at(c->j, text) != MED_JSON_STRING)
        return false;
    med_str raw = med_json_raw(c->j, text);
    return raw.len > 0 && (raw.ptr[0] == '#' || raw.ptr[0] == '\\');
}

/* ids of contained resources, as in the text; 0 when they are too many or not plain. */
static size_t contained_ids(const med_check *c, uint32_t list, med_str ids[CONTAINED])
{
    const med_json_node *nodes = c->j->nodes;
    size_t n = 0;
    if (med_json_kind_at(c->j, list) != MED_JSON_ARRAY || nodes[list].count > CONTAINED)
        return 0;
    for (uint32_t e = list + 1; e < nodes[list].next; e = nodes[e].next) {
        uint32_t id = med_json_kind_at(c->j, e) == MED_JSON_OBJECT
                          ? med_json_member(c->j, e, MED_STR("id"))
                          : 0;
        if (id == 0 || med_json_kind_at(c->j, id) != MED_JSON_STRING)
            return 0;
        ids[n++] = med_json_raw(c->j, id);
    }
    return n;
}

/* Is each contained resource named by a Reference, `"reference":"#id"`? Then dom-3 holds; the
 * other ways to name it are looked for by its expression. */
static bool all_are_named(const med_check *c, const med_check_frame *f)
{
    const med_json_node *nodes = c->j->nodes;
    med_str ids[CONTAINED];
    uint32_t named = 0;
    uint32_t list = med_json_member(c->j, f->node, MED_STR("contained"));
    size_t n = list == 0 ? 0 : contained_ids(c, list, ids);
    for (uint32_t i = f->node + 2; n > 0 && i < nodes[f->node].next; i++) {
        if (nodes[i].kind != MED_JSON_STRING || nodes[i].len < 2
            || c->j->text.ptr[nodes[i].at] != '#'
            || !med_json_string_is(c->j, i - 1, MED_STR("reference")))
            continue;
        for (size_t k = 0; k < n; k++)
            named |= med_str_eq(med_str_skip(med_json_raw(c->j, i), 1), ids[k]) ? 1U << k : 0;
    }
    return n > 0 && named == (1U << n) - 1;
}

static void check_rule(med_check *c, const med_check_frame *f, const med_rule *rule)
{
    if ((rule->kind == MED_RULE_REFERENCE && !is_fragment(c, f))
        || (rule->kind == MED_RULE_NARRATIVE && f->in_contained)
        || (rule->kind == MED_RULE_CONTAINED && all_are_named(c, f)))
        return;
    enum med_presence verdict = med_presence_run(&rule->presence, f->seen);
    if (verdict == MED_PRESENCE_FALSE)
        broken(c, f->node, &rule->says);
    if (verdict != MED_PRESENCE_OPEN)
        return;
    med_value focus = value_at(c, f->node, 0, f->type);
    run_program(c, f, rule, &focus, f->node);
}

/* One value of an element, or all values of its array. */
static void check_values(med_check *c, const med_check_frame *f, const med_rule *rule,
                         const med_property *property, uint32_t value)
{
    const med_json_node *nodes = c->j->nodes;
    if (med_json_kind_at(c->j, value) != MED_JSON_ARRAY) {
        med_value focus = value_at(c, value, 0, property->type);
        run_program(c, f, rule, &focus, value);
        return;
    }
    for (uint32_t e = value + 1; e < nodes[value].next; e = nodes[e].next) {
        med_value focus = value_at(c, e, 0, property->type);
        if (med_json_kind_at(c->j, e) != MED_JSON_NULL)
            run_program(c, f, rule, &focus, e);
    }
}

static void check_element_rule(med_check *c, const med_check_frame *f, const med_element_rule *r)
{
    size_t first = 0;
    size_t n = med_element_properties(c->p, f->type, r->element, &first);
    for (size_t i = 0; i < n; i++) {
        med_property property;
        med_type_property_at(c->p, f->type, first + i, &property);
        uint32_t value = med_json_member(c->j, f->node, property.name);
        if (value != 0)
            check_values(c, f, &r->rule, &property, value);
    }
}

void med_check_rules(med_check *c, const med_check_frame *f)
{
    const med_type_rules *rules = med_rules_of(c->options->rules, f->type);
    if (rules == NULL) {
        c->out_of_memory = true;
        return;
    }
    size_t n = c->options->quiet ? rules->n_errors : rules->n;
    for (size_t i = 0; i < n; i++)
        check_rule(c, f, &rules->at[i]);
    for (size_t i = 0; i < rules->n_elements; i++) {
        const med_element_rule *r = &rules->elements[i];
        if (med_check_was_seen(f, r->element) && !(c->options->quiet && r->rule.says.is_warning))
            check_element_rule(c, f, r);
    }
}
