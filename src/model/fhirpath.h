/* fhirpath.h - FHIRPath: compile to a program, run on a tape. http://hl7.org/fhirpath/N1/
 *
 * Used by search extraction (what is no plain path), invariants, FHIRPath Patch, guards and
 * the command line. A program is immutable and may be shared between threads. Budgets on
 * steps, items and memory; regular expressions by PCRE2 with match, depth and heap limits, so
 * a hostile expression ends in MED_ISSUE_TOO_COSTLY. No recursion on input beyond
 * MED_FHIRPATH_DEPTH. */
#ifndef MED_MODEL_FHIRPATH_H
#define MED_MODEL_FHIRPATH_H

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/json.h"
#include "model/pack.h"

enum { MED_FHIRPATH_DEPTH = 64 };

enum med_value_kind {
    MED_VALUE_NODE, /* an element of the tape: complex, or a primitive with its node */
    MED_VALUE_BOOLEAN,
    MED_VALUE_INTEGER,
    MED_VALUE_DECIMAL, /* text */
    MED_VALUE_STRING,
    MED_VALUE_DATE, /* text, as written */
    MED_VALUE_DATETIME,
    MED_VALUE_TIME,
    MED_VALUE_QUANTITY, /* text = number, unit */
    MED_VALUE_TYPE,     /* a type specifier, from type() */
};

typedef struct med_value {
    enum med_value_kind kind;
    med_type type;      /* FHIR type of a NODE; MED_TYPE_NONE for system values */
    uint32_t node;      /* NODE: in `json` */
    uint32_t extension; /* NODE: the `_property` node of a primitive, 0 if none; node may be 0
                           when the primitive has only extensions */
    const med_json *json;
    med_str text;    /* STRING, DECIMAL, DATE.., QUANTITY's number; of a primitive NODE too
                        (escapes undone) */
    med_str unit;    /* QUANTITY: UCUM code or calendar unit */
    int64_t integer; /* INTEGER, BOOLEAN */
} med_value;

typedef struct med_values {
    const med_value *at;
    size_t n;
} med_values;

typedef struct med_fhirpath med_fhirpath;

/* `context` is the type of the input ("Patient"), MED_TYPE_NONE when unknown: with a known
 * type, unknown elements are errors with the nearest name. err->text has position and what was
 * expected. The program lives in `a`. */
bool med_fhirpath_compile(med_arena *a, const med_pack *p, med_str expression, med_type context,
                          const med_fhirpath **out, med_err *err) MED_MUST_CHECK;

typedef struct med_fhirpath_variable {
    med_str name; /* without % */
    med_values value;
} med_fhirpath_variable;

typedef struct med_fhirpath_env {
    int64_t now; /* microseconds; now(), today() */
    const med_fhirpath_variable *variables;
    size_t n_variables;
    /* %rootResource; NULL = the resource. Of a contained resource it is the container, in which
     * resolve() looks for '#id', too. */
    const med_value *root;
    /* resolve(): NULL = only contained resources and Bundle entries are found. */
    bool (*resolve)(void *arg, med_arena *a, med_str reference, med_value *out);
    /* memberOf(): NULL = MED_ISSUE_NOT_SUPPORTED. False: nobody knows, the result is empty. */
    bool (*member_of)(void *arg, const med_value *value, med_str value_set, bool *out);
    void *arg;
    uint64_t max_steps; /* 0 = default (1,000,000) */
    /* conformsTo() of what is no base definition of R4: NULL, or false (the profile is not
     * known) = MED_ISSUE_NOT_SUPPORTED. */
    bool (*conforms_to)(void *arg, const med_value *value, med_str profile, bool *out);
    /* subsumes(), subsumedBy() of two Codings or codes: does `a` stand above `b`, or is it the
     * same? NULL = MED_ISSUE_NOT_SUPPORTED. False: nobody knows, the result is empty. */
    bool (*subsumes)(void *arg, const med_value *a, const med_value *b, bool *out);
    /* trace(): what it was given, or its projection of that; the values end with the run's arena.
     * NULL: the arguments of trace() are not run. False ends the run (no memory). */
    bool (*trace)(void *arg, med_str name, med_values values);
} med_fhirpath_env;

/* Runs with `focus` as context ($this, %context) and `resource` as %resource / %rootResource. */
bool med_fhirpath_run(med_arena *a, const med_pack *p, const med_fhirpath *program,
                      const med_fhirpath_env *env, const med_value *focus,
                      const med_value *resource, med_values *out, med_err *err) MED_MUST_CHECK;
/* The input value of a resource at `node` of a tape; its type from resourceType. */
bool med_value_of_resource(const med_pack *p, const med_json *j, uint32_t node, med_value *out,
                           med_err *err) MED_MUST_CHECK;
/* An invariant's verdict: empty or true -> true; false -> false; else an error. */
bool med_values_truth(med_values v, bool *out, med_err *err) MED_MUST_CHECK;
/* FHIRPath of a NODE value ("Patient.name[0].given[1]"), for messages. */
bool med_value_expression(med_arena *a, const med_pack *p, const med_value *v, med_str *out);
/* Each value as JSON on a line of its own: nodes as they stand in the resource, dates as strings,
 * quantities as {"value":4,"unit":"mg"}, types as "System.String". */
void med_values_print(med_buf *out, med_values v);

#endif
