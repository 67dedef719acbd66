/* term_properties.h - what an expansion tells of its codes' properties: those that were asked for,
 * and order, label, weight and status wherever a code has them.
 * https://hl7.org/fhir/R5/valueset-definitions.html#ValueSet.expansion.property */
#ifndef MED_FHIR_TERM_PROPERTIES_H
#define MED_FHIR_TERM_PROPERTIES_H

#include "fhir/terms.h"
#include "terminology/expand.h"

enum { MED_TOLD_ALWAYS = 4 };

/* Filled by the caller but for `codes`. */
typedef struct med_term_told {
    const med_term_call *t;
    const med_value_set *vs;
    const med_expansion *all;
    med_str codes[MED_TOLD_ALWAYS]; /* what those that are there are called */
} med_term_told;

/* Looks which properties are to be told: before the other two. */
void med_term_told_find(med_term_told *l);
/* "property" of the expansion. */
void med_term_told_write_defs(const med_term_told *l, med_json_writer *w);
/* "property" of a code. */
void med_term_told_write(const med_term_told *l, med_json_writer *w, const med_code_hit *h);

#endif
