/* filter_parse.h - private to search/: the grammar of _filter, without knowing what names mean.
 * https://hl7.org/fhir/R4/search_filter.html */
#ifndef MED_SEARCH_FILTER_PARSE_H
#define MED_SEARCH_FILTER_PARSE_H

#include "base/arena.h"
#include "base/err.h"

enum {
    MED_FILTER_TESTS = 100, /* in all of a filter */
    MED_FILTER_DEPTH = 16,  /* of parentheses and brackets */
};

enum med_filter_op {
    MED_FILTER_EQ,
    MED_FILTER_NE,
    MED_FILTER_CO,
    MED_FILTER_SW,
    MED_FILTER_EW,
    MED_FILTER_GT,
    MED_FILTER_LT,
    MED_FILTER_GE,
    MED_FILTER_LE,
    MED_FILTER_SA,
    MED_FILTER_EB,
    MED_FILTER_AP,
    MED_FILTER_PR,
    MED_FILTER_PO,
    MED_FILTER_SS,
    MED_FILTER_SB,
    MED_FILTER_IN,
    MED_FILTER_RE,
};
extern const med_str med_filter_op_names[];

enum med_filter_kind { MED_FILTER_TEST, MED_FILTER_GROUP, MED_FILTER_NOT };

struct med_filter;

/* Part of a filter: a test "path op value", or a filter in parentheses, perhaps after "not". */
typedef struct med_filter_part {
    enum med_filter_kind kind;
    bool is_or; /* joined to what is left of it by "or" */
    size_t at;  /* the byte it begins with */
    med_str path;
    const struct med_filter *group; /* in parentheses; of a TEST: path[group].rest */
    const struct med_filter_part *rest;
    enum med_filter_op op;
    med_str value;
} med_filter_part;

/* Parts from left to right: "and" and "or" bind alike. */
typedef struct med_filter {
    const med_filter_part *parts;
    size_t n;
} med_filter;

/* MED_ISSUE_VALUE (400) with the place and what was expected there. */
bool med_filter_parse(med_arena *a, med_str text, const med_filter **out,
                      med_err *err) MED_MUST_CHECK;

#endif
