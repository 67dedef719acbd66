/* ask.h - the questions of terminology.h with all that the operations want to know besides.
 * Private to terminology/ and the operations in fhir/. */
#ifndef MED_TERMINOLOGY_ASK_H
#define MED_TERMINOLOGY_ASK_H

#include "terminology/value_set.h"

/* *hit is filled when the verdict is MED_CODE_VALID; *set is the value set, if known. */
bool med_term_ask(const med_term_context *x, const med_code_question *q, med_code_answer *out,
                  med_code_hit *hit, const med_value_set **set, med_err *err) MED_MUST_CHECK;
/* Is this one of the code's displays or designations? */
bool med_code_hit_is_named(const med_code_hit *h, med_str display, med_str language);
bool med_term_subsumption(const med_term_context *x, med_str system, med_str code_a, med_str code_b,
                          enum med_subsumption *out, med_err *err) MED_MUST_CHECK;

#endif
