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

/* ---- what expressions ask ---- */

static uint32_t code_of(const med_value *v, const char *key)
{
    return med_json_kind_at(v->json, v->node) == MED_JSON_OBJECT
               ? med_json_member(v->json, v->node, med_str_from(key))
               : 0;
}

static bool coded_is_in(med_check *c, med_str value_set, med_str system, med_str code, bool *out)
{
    med_coded q = {value_set, system, MED_STR_EMPTY, code, MED_STR_EMPTY};
    med_coded_answer answer;
    if (!c->options->codes->ask(c->options->codes->self, c->a, &q, &answer, c->err)) {
        c->failed = true;
        return false;
    }
    *out = *out || answer.verdict == MED_CODED_IN;
    return answer.verdict != MED_CODED_NO_VALUE_SET;
}

/* A code, a Coding or a CodeableConcept, which is in when one of its codes is. */
static bool member_of(void *arg, const med_value *v, med_str value_set, bool *out)
{
    med_check *c = arg;
    *out = false;
    if (v->kind != MED_VALUE_NODE || v->json == NULL)
        return v->kind == MED_VALUE_STRING
               && coded_is_in(c, value_set, MED_STR_EMPTY, v->text, out);
    if (med_json_kind_at(v->json, v->node) != MED_JSON_OBJECT)
        return coded_is_in(c, value_set, MED_STR_EMPTY, v->text, out);
    uint32_t list = code_of(v, "coding");
    bool is_concept = list != 0 && med_json_kind_at(v->json, list) == MED_JSON_ARRAY;
    uint32_t end = is_concept ? v->json->nodes[list].next : v->node + 1;
    bool known = true;
    for (uint32_t e = is_concept ? list + 1 : v->node; e < end && known && !*out;
         e = is_concept ? v->json->nodes[e].next : end) {
        med_value one = *v;
        one.node = e;
        uint32_t code = code_of(&one, "code"), system = code_of(&one, "system");
        if (code != 0)
            known = coded_is_in(c, value_set,
                                system == 0 ? MED_STR_EMPTY : med_json_raw(v->json, system),
                                med_json_raw(v->json, code), out);
    }
    return known;
}

/* Expressions of profiles may ask for profiles, and these have expressions: then the arena that
 * is in use stays as it is. */
bool med_check_holds(med_check *c, uint32_t resource, uint32_t root, const med_fhirpath *program,
                     const med_value *focus, bool *holds, med_err *err)
{
    bool nested = c->in_expression;
    med_arena *a = nested ? med_arena_new(SCRATCH_LIMIT) : scratch_of(c);
    med_value own, whole;
    med_values out;
    *holds = true;
    if (a == NULL) {
        c->out_of_memory = true;
        return MED_FAIL_MEMORY(err);
    }
    c->in_expression = true;
    bool ok = med_value_of_resource(c->p, c->j, resource, &own, err)
              && med_value_of_resource(c->p, c->j, root, &whole, err);
    med_fhirpath_env env = {
        .now = c->options->now,
        .root = &whole,
        .max_steps = STEPS + (uint64_t)STEPS_A_NODE * c->j->n,
        .member_of = c->options->codes == NULL ? NULL : member_of,
        .conforms_to = c->run == NULL ? NULL : med_check_conforms_to,
        .arg = c,
    };
    ok = ok && med_fhirpath_run(a, c->p, program, &env, focus, &own, &out, err)
         && med_values_truth(out, holds, err);
    c->in_expression = nested;
    if (nested)
        med_arena_free(a);
    return ok;
}

/* An expression that can not be evaluated here refuses nothing: that is not what it says. */
static void run_program(med_check *c, const med_check_frame *f, const med_rule *rule,
                        const med_value *focus, uint32_t place)
{
    med_err err = {0};
    bool holds;
    if (!med_check_holds(c, f->resource, f->root, rule->program, focus, &holds, &err))
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

/* Does the narrative name `#id`: src="#id", as text of a JSON string? */
static bool narrative_names(const med_check *c, uint32_t node, med_str id)
{
    med_str text = med_json_raw(c->j, node);
    for (size_t at = 0; (at = med_str_find(text, '#', at)) < text.len; at++) {
        med_str rest = med_str_skip(text, at + 1);
        if (med_str_starts(rest, id) && rest.len > id.len
            && (rest.ptr[id.len] == '\\' || rest.ptr[id.len] == '\''))
            return true;
    }
    return false;
}

/* Is each contained resource named by a Reference, `"reference":"#id"`, or by the narrative? Then
 * dom-3 holds; the other ways to name it are looked for by its expression. */
static bool all_are_named(const med_check *c, const med_check_frame *f)
{
    const med_json_node *nodes = c->j->nodes;
    med_str ids[CONTAINED];
    uint32_t named = 0;
    uint32_t list = med_json_member(c->j, f->node, MED_STR("contained"));
    size_t n = list == 0 ? 0 : contained_ids(c, list, ids);
    for (uint32_t i = f->node + 2; n > 0 && i < nodes[f->node].next; i++) {
        if (nodes[i].kind == MED_JSON_STRING && med_json_string_is(c->j, i - 1, MED_STR("div"))) {
            for (size_t k = 0; k < n; k++)
                named |= narrative_names(c, i, ids[k]) ? 1U << k : 0;
            continue;
        }
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
