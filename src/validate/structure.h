/* structure.h - is this JSON a structurally legal R4 resource? https://hl7.org/fhir/R4/json.html
 *
 * Checks at the door, on every write: known elements, right JSON types, cardinalities,
 * primitive formats (by the regular expressions of the specification, done by hand), choice
 * types at most once, `_property` siblings, null only in paired arrays, no empty objects,
 * arrays or strings, references' shape, ids, contained resources, xhtml that is safe and well
 * formed. All problems at once, each with its FHIRPath and what was expected; at most
 * MED_STRUCTURE_PROBLEMS, then one entry says that there are more. Bindings, invariants and
 * profiles are other checks. One pass over the tape, no recursion. */
#ifndef MED_VALIDATE_STRUCTURE_H
#define MED_VALIDATE_STRUCTURE_H

#include "base/issue.h"
#include "base/json.h"
#include "model/pack.h"

enum { MED_STRUCTURE_PROBLEMS = 100 };

typedef struct med_problem {
    enum med_issue issue;
    bool is_warning;
    med_str expression; /* FHIRPath "Patient.name[0].given[1]" */
    med_str text;       /* what is wrong, what was expected, nearest name */
} med_problem;

typedef struct med_problems {
    med_problem *at;
    size_t n, room;
    bool more;
} med_problems;

/* Adds to *list (init with {0}), in the arena. False only when the arena is full. */
bool med_problem_add(med_arena *a, med_problems *list, const med_problem *problem) MED_MUST_CHECK;

typedef struct med_structure_options {
    bool skip_codes;        /* do not look codes up in small required value sets */
    bool allow_conditional; /* Type?query references: they have a meaning inside a transaction.
                               In a Bundle they are always allowed. */
    med_str base;           /* this server's base URL, or empty: its absolute references are
                               looked at like relative ones */
} med_structure_options;

/* Checks the resource at node `root`. Finds its type by resourceType; *type is
 * MED_TYPE_NONE when that is missing or unknown (a problem says so). False only on lack of
 * memory; problems are in the list. */
bool med_structure_check(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                         med_type *type, med_problems *list, med_err *err) MED_MUST_CHECK;
/* The same with options (NULL: none set). */
bool med_structure_check_with(med_arena *a, const med_pack *p, const med_json *j, uint32_t root,
                              const med_structure_options *options, med_type *type,
                              med_problems *list, med_err *err) MED_MUST_CHECK;

#endif
