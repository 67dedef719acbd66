/* problem.c - the list of what is wrong with a resource. See structure.h. */
#include "validate/structure.h"

enum { FIRST_ROOM = 8 };

static bool append(med_arena *a, med_problems *list, const med_problem *problem)
{
    med_problem *more = MED_GROW(a, list->at, list->n, &list->room, FIRST_ROOM);
    if (more == NULL)
        return false;
    list->at = more;
    list->at[list->n++] = *problem;
    return true;
}

bool med_problem_add(med_arena *a, med_problems *list, const med_problem *problem)
{
    if (list->more)
        return true;
    if (problem->is_warning) {
        if (list->n_warnings == MED_STRUCTURE_WARNINGS)
            return true;
        list->n_warnings++;
        return append(a, list, problem);
    }
    if (list->n - list->n_warnings < MED_STRUCTURE_PROBLEMS)
        return append(a, list, problem);
    list->more = true;
    med_problem last = {
        .issue = MED_ISSUE_INCOMPLETE,
        .is_warning = true,
        .expression = MED_STR_EMPTY,
        .text = MED_STR("there are more problems; only the first are listed"),
    };
    return append(a, list, &last);
}
