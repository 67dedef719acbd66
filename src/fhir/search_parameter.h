/* search_parameter.h - https://hl7.org/fhir/R4/searchparameter.html
 *
 * An active SearchParameter whose url is not one of the standard's is a parameter of this server:
 * what is written from then on is indexed for it at once, what is there already by a background
 * task, and then searches may use it. What can not be such a parameter is refused when it is
 * written. Others (drafts, those of the standard) are only stored. */
#ifndef MED_FHIR_SEARCH_PARAMETER_H
#define MED_FHIR_SEARCH_PARAMETER_H

#include "fhir/call.h"
#include "model/pack_extend.h"

enum { MED_ADDED_PARAMETERS = 200, MED_ADDED_EXPRESSION = 4096 };

/* Is it one that is to be indexed? *out then says how; its slices live in `a`. False when it is
 * to be and can not: *err has why, and the element. */
bool med_search_parameter_read(med_arena *a, const med_pack *core, const med_json *j, uint32_t root,
                               bool *active, med_pack_param_extra *out,
                               med_err *err) MED_MUST_CHECK;
/* Do two have the same code on the same type? *on is that type. */
bool med_search_parameter_clash(const med_pack_param_extra *x, const med_pack_param_extra *y,
                                med_type *on);
/* For a write of the resource of a call: what med_search_parameter_read says, and that no other
 * active one has its code on the same type, which is checked again in the commit. */
bool med_search_parameter_check(med_call *call, med_str id, med_err *err) MED_MUST_CHECK;

#endif
