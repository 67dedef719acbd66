/* param_path.h - private to search/: where the paths of a parameter end. What an expression
 * says of its values by itself: how many there can be, and what codes they are. */
#ifndef MED_SEARCH_PARAM_PATH_H
#define MED_SEARCH_PARAM_PATH_H

#include "search/schema.h"

/* One alternative of an expression, as far as it is a plain path of a type. */
typedef struct med_param_end {
    med_str path;   /* "status", "period.start"; without the type and casts */
    bool resolved;  /* else the rest says nothing */
    bool single;    /* no element on the way repeats */
    med_type owner; /* the last element and its type */
    size_t element;
    med_type type; /* of the value; MED_TYPE_NONE: a choice */
} med_param_end;

/* Cuts the next alternative that is about `type` off *expression; false at the end. */
bool med_param_end_next(const med_pack *p, med_type type, med_str *expression, med_param_end *out);

/* A resource has one value at most. */
bool med_param_is_single(const med_pack *p, med_type type, med_str expression);
/* A value may be a Range. */
bool med_param_has_range(const med_pack *p, med_type type, med_str expression);
/* Are the values of the first those of the two others together, which have some each? */
bool med_param_is_union(const med_pack *p, med_type type, med_str all, med_str a, med_str b);

#endif
