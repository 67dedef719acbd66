/* profile_rules.c - the constraints of a profile. See profile_impl.h.
 * https://hl7.org/fhir/R4/conformance-rules.html#constraints */
#include "validate/profile_impl.h"

static void say(med_profile_run *r, const med_profile_rule *rule, uint32_t node)
{
    void (*tell)(med_check *, uint32_t, const char *, enum med_issue, const char *, ...) =
        rule->is_warning ? med_check_warning : med_check_problem;
    tell(r->c, node, NULL, MED_ISSUE_INVARIANT, "%.*s (%.*s)", MED_STR_ARG(rule->human),
         MED_STR_ARG(rule->key));
}

void med_profile_check_rules(med_profile_run *r, const med_profile_rule *rules, size_t n,
                             const med_profile_item *v, const med_profile_place *place)
{
    uint32_t at = med_profile_node_of(v);
    for (size_t i = 0; i < n && !med_profile_over(r); i++) {
        bool holds = true;
        med_err err = {0};
        if (rules[i].program == NULL) {
            med_check_warning(r->c, at, NULL, MED_ISSUE_NOT_SUPPORTED, "%.*s was not decided: %.*s",
                              MED_STR_ARG(rules[i].key), MED_STR_ARG(rules[i].human));
            continue;
        }
        if (rules[i].is_warning && r->c->options->quiet)
            continue;
        med_value focus = {.kind = MED_VALUE_NODE,
                           .type = v->type,
                           .node = v->node == MED_NO_NODE ? 0 : v->node,
                           .extension = v->extension,
                           .json = r->c->j,
                           .text = MED_STR_EMPTY,
                           .unit = MED_STR_EMPTY};
        if (!med_check_holds(r->c, place->resource, place->root, rules[i].program, &focus, &holds,
                             &err))
            med_check_warning(r->c, at, NULL, err.issue, "%.*s was not decided: %s",
                              MED_STR_ARG(rules[i].key), err.text);
        else if (!holds)
            say(r, &rules[i], at);
    }
}
