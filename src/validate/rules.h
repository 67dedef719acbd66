/* rules.h - the invariants of the definitions, compiled, for all threads.
 * https://hl7.org/fhir/R4/conformance-rules.html#constraints
 *
 * Made once. A type's invariants are compiled when its first value is checked (a lock is taken
 * for that only) and never change. Three forms, from cheap to dear: known by name (ele-1,
 * ext-1, dom-3 ... have code of their own here), decided by which elements are there
 * (presence.h), and FHIRPath. */
#ifndef MED_VALIDATE_RULES_H
#define MED_VALIDATE_RULES_H

#include "model/fhirpath.h"
#include "validate/presence.h"

typedef struct med_rules med_rules;

enum med_rule_kind {
    MED_RULE_EXPRESSION,
    MED_RULE_REFERENCE, /* ref-1: asks more only of a reference that begins with '#' */
    MED_RULE_CONTAINED, /* dom-3: most resources refer to what they contain by a Reference */
    MED_RULE_NARRATIVE, /* dom-6: not of contained resources, which should have none */
};

typedef struct med_rule {
    med_invariant says;
    enum med_rule_kind kind;
    med_presence_program presence;
    const med_fhirpath *program;
} med_rule;

/* On an element: holds for each of its values. */
typedef struct med_element_rule {
    uint16_t element;
    med_rule rule;
} med_element_rule;

typedef struct med_type_rules {
    const med_rule *at; /* errors first, then warnings */
    size_t n, n_errors;
    const med_element_rule *elements;
    size_t n_elements;
} med_type_rules;

/* The pack must outlive the rules. */
bool med_rules_new(const med_pack *p, med_rules **out, med_err *err) MED_MUST_CHECK;
void med_rules_free(med_rules *rules); /* NULL is fine */
const med_pack *med_rules_pack(const med_rules *rules);
/* The rules of a type. NULL only when there is no memory to compile them. */
const med_type_rules *med_rules_of(const med_rules *rules, med_type type) MED_MUST_CHECK;

#endif
