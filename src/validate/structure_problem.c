/* structure_problem.c - what a structure check says. See structure_check.h. */
#include <stdarg.h>
#include <stdio.h>

#include "model/walk.h"
#include "validate/structure_check.h"

static void add(med_check *c, enum med_issue issue, bool is_warning, med_str expression,
                const char *text)
{
    med_problem problem = {.issue = issue, .is_warning = is_warning, .expression = expression};
    if (!med_arena_copy(c->a, med_str_from(text), &problem.text)
        || !med_problem_add(c->a, c->list, &problem))
        c->out_of_memory = true;
}

static void say(med_check *c, uint32_t node, const char *member, enum med_issue issue,
                bool is_warning, const char *text)
{
    med_str expression;
    if (!med_node_expression(c->a, c->p, c->j, c->root, node, &expression)) {
        c->out_of_memory = true;
        return;
    }
    if (member != NULL)
        expression = med_arena_printf(c->a, "%.*s.%s", MED_STR_ARG(expression), member);
    c->out_of_memory = expression.len == 0; /* the arena's way of saying so */
    add(c, issue, is_warning, expression, text);
}

void med_check_problem(med_check *c, uint32_t node, const char *member, enum med_issue issue,
                       const char *fmt, ...)
{
    c->found = true;
    if (c->list->more || c->out_of_memory || c->silent)
        return;
    char text[MED_CHECK_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    say(c, node, member, issue, false, text);
}

void med_check_warning(med_check *c, uint32_t node, const char *member, enum med_issue issue,
                       const char *fmt, ...)
{
    if (c->list->more || c->out_of_memory || c->options->quiet || c->silent)
        return;
    char text[MED_CHECK_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    say(c, node, member, issue, true, text);
}

med_str med_check_shown(med_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!med_is_alnum(name.ptr[i]) && name.ptr[i] != '_')
            return MED_STR("(not a name)");
    }
    return med_str_sub(name, 0, MED_CHECK_NAME);
}

const char *med_check_kind_name(enum med_json_kind kind)
{
    static const char *const names[] = {
        [MED_JSON_NULL] = "null",        [MED_JSON_FALSE] = "a boolean",
        [MED_JSON_TRUE] = "a boolean",   [MED_JSON_NUMBER] = "a number",
        [MED_JSON_STRING] = "a string",  [MED_JSON_ARRAY] = "an array",
        [MED_JSON_OBJECT] = "an object",
    };
    return names[kind];
}
