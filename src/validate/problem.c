/* problem.c - the list of what is wrong with a resource. See structure.h. */
#include "validate/structure.h"

enum { FIRST_ROOM = 8 };

static bool grow(med_arena *a, med_problems *list)
{
    size_t room = list->room == 0 ? FIRST_ROOM : list->room * 2;
    med_problem *at = MED_TAKE(a, room, med_problem);
    if (at == NULL)
        return false;
    if (list->n > 0)
        memcpy(at, list->at, list->n * sizeof *at);
    list->at = at;
    list->room = room;
    return true;
}

static bool append(med_arena *a, med_problems *list, const med_problem *problem)
{
    if (list->n == list->room && !grow(a, list))
        return false;
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
