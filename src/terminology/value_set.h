/* value_set.h - a compiled value set: which concepts of which systems.
 * https://hl7.org/fhir/R4/valueset.html#compositions
 *
 * Each include and exclude is a part. A part on a system that is known holds its concepts as a
 * list (in the order given), as one bit a concept (filters), or simply all. A part on a system
 * that is not known can still list codes; with filters, or with all of it, nothing can be said
 * and the part says so. Immutable once compiled. Private to terminology/. */
#ifndef MED_TERMINOLOGY_VALUE_SET_H
#define MED_TERMINOLOGY_VALUE_SET_H

#include "terminology/terms.h"

enum med_part_kind {
    MED_PART_ALL,     /* the whole system */
    MED_PART_LIST,    /* listed */
    MED_PART_BITS,    /* filtered */
    MED_PART_SETS,    /* no system: what is in all of its value sets */
    MED_PART_UNKNOWN, /* needs a system that is not known */
};

typedef struct med_listed {
    med_str code, display;
    med_concept concept; /* MED_CONCEPT_NONE: the system is not known or has no such code */
    uint32_t node;       /* in the set's JSON: designations */
} med_listed;

typedef struct med_part {
    enum med_part_kind kind;
    med_str system, version; /* version as written, "" = any */
    const med_system *sys;   /* NULL: not known */
    const med_listed *listed;
    size_t n_listed;
    const uint32_t *slots; /* of listed codes: index + 1 */
    uint32_t slot_mask;
    const uint64_t *bits;
    const med_value_set *const *sets; /* a code must be in all of these, too */
    size_t n_sets;
} med_part;

struct med_value_set {
    med_str url, version;
    const med_json *json; /* the resource */
    uint32_t node;
    const med_part *includes, *excludes;
    size_t n_includes, n_excludes;
    unsigned depth;         /* of the value sets inside it: 1 when there is none */
    size_t weight;          /* value sets to look at for one code, itself included */
    bool active_only;       /* compose.inactive = false */
    bool from_expansion;    /* there was no compose: the stored expansion is all there is */
    bool many_versions;     /* its includes have a system in several versions */
    bool crosses_versions;  /* so have includes and excludes together */
    bool versions_match;    /* a code is the same code in all versions of its system */
    med_str missing;        /* a value set that it includes and that is not known, or "" */
    med_str missing_system; /* a system of which more than a list is wanted, not known, or "" */
    bool missing_has_versions;
    med_str broken; /* what is wrong with a filter, or "" */
    med_str missing_supplement;
};

/* MED_ISSUE_TOO_COSTLY when sets are inside each other too deep, or one too often: asking for a
 * code walks all of them. */
enum { MED_VALUE_SET_WEIGHT = 10000 };
bool med_value_set_compile(const med_term_context *x, const med_json *j, uint32_t node,
                           const med_value_set **out, med_err *err) MED_MUST_CHECK;
/* What a value set says of its own expansion; *out stays as it is when it says nothing.
 * https://hl7.org/fhir/extensions/StructureDefinition-valueset-expansion-parameter.html */
bool med_value_set_parameter(med_arena *a, const med_json *j, uint32_t compose, const char *wanted,
                             med_str *out) MED_MUST_CHECK;
/* A value set that a system defines by itself: all of its codes (CodeSystem.valueSet),
 * "http://snomed.info/sct?fhir_vs=isa/1", "http://loinc.org/vs". *out is NULL if it is none. */
bool med_value_set_implicit(const med_term_context *x, med_str url, med_str version,
                            const med_value_set **out, med_err *err) MED_MUST_CHECK;

/* Where a code was found. */
typedef struct med_code_hit {
    const med_part *part;
    const med_system *sys;    /* NULL: listed of an unknown system */
    med_concept concept;      /* MED_CONCEPT_NONE of a rule, or of an unknown system */
    const med_listed *listed; /* of a list */
    const med_value_set *set; /* whose JSON `listed` is in */
    med_str system, code;     /* the code as it is written there */
    med_str rule_display;
} med_code_hit;

/* An empty system means any. False when it is not in. */
bool med_value_set_has(const med_value_set *vs, med_arena *a, med_str system, med_str version,
                       med_str code, med_code_hit *hit);
/* The preferred display. */
med_str med_code_hit_display(const med_code_hit *h);
unsigned med_code_hit_flags(const med_code_hit *h);
/* Would the code be in, were it not for exclusions or inactivity? */
bool med_value_set_includes(const med_value_set *vs, med_arena *a, med_str system, med_str version,
                            med_str code, med_code_hit *hit);
/* Does an exclude take out what was found? */
bool med_value_set_excludes(const med_value_set *vs, med_arena *a, const med_code_hit *hit);

/* The part that a filter makes: sets bits; *broken says what is wrong with it. */
bool med_filter_apply(const med_term_context *x, const med_system *sys, med_str property,
                      med_str op, med_str value, uint64_t *bits, med_str *broken,
                      med_err *err) MED_MUST_CHECK;

#endif
