/* structure.h - is this JSON a legal R4 resource? https://hl7.org/fhir/R4/validation.html
 *
 * Checks at the door, structure on every write: known elements, right JSON types, cardinalities,
 * primitive formats (by the regular expressions of the specification, done by hand), choice
 * types at most once, `_property` siblings, null only in paired arrays, no empty objects,
 * arrays or strings, references' shape, ids, contained resources, xhtml that is safe and well
 * formed. All problems at once, each with its FHIRPath and what was expected; at most
 * MED_STRUCTURE_PROBLEMS, then one entry says that there are more. Of warnings at most
 * MED_STRUCTURE_WARNINGS are kept: they leave room for the errors.
 *
 * With `rules` in the options all that base R4 says is checked in the same pass: invariants,
 * required, extensible and maximum bindings, known extensions (where they stand, what they
 * hold), modifier extensions that nobody knows, contained resources, Bundles, Questionnaires.
 * Profiles (profile.h) follow when there is a use of them in the options; extensions that R4 does
 * not define are checked against their definitions then, too. One pass over the tape, no
 * recursion. */
#ifndef MED_VALIDATE_STRUCTURE_H
#define MED_VALIDATE_STRUCTURE_H

#include "base/issue.h"
#include "base/json.h"
#include "model/pack.h"
#include "validate/codes.h"
#include "validate/profile.h"
#include "validate/rules.h"

enum { MED_STRUCTURE_PROBLEMS = 100, MED_STRUCTURE_WARNINGS = 50 };

typedef struct med_problem {
    enum med_issue issue;
    bool is_warning;
    med_str expression; /* FHIRPath "Patient.name[0].given[1]" */
    med_str text;       /* what is wrong, what was expected, nearest name */
} med_problem;

typedef struct med_problems {
    med_problem *at;
    size_t n, room;
    size_t n_warnings; /* of the n; beyond MED_STRUCTURE_WARNINGS they are dropped */
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
    const med_rules *rules; /* NULL: structure only */
    const med_coded_lookup *codes;   /* value sets beyond the pack's, and displays; NULL: nobody
                                        is asked */
    const med_profile_use *profiles; /* with rules; NULL: no profiles */
    bool quiet;                      /* errors only: nobody reads the warnings */
    bool known_extensions; /* an extension that nobody here knows is an error, not a warning */
    bool strict;           /* a reference to a type that does not belong there is an error */
    bool envelope;         /* a Bundle without the resources that it carries */
    int64_t now;           /* for invariants that ask; microseconds */
    /* The Questionnaire or Measure of that canonical (or reference); NULL: answers are not
     * checked, but those to a contained one. */
    bool (*find)(void *arg, const char *type, med_str canonical, const med_json **j,
                 uint32_t *root);
    /* What a reference names, into the arena; *j stays NULL when that is not here, or not to be
     * had. Asked for targets whose profile is to be kept; NULL: these are not looked at. False
     * only for faults. */
    bool (*fetch)(void *arg, med_arena *a, med_str reference, const med_json **j, uint32_t *root,
                  med_err *err);
    void *arg;
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
