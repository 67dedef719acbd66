/* fhirpath_values.h - values of FHIRPath as parts of a Parameters resource, and the way back.
 * https://github.com/brianpos/fhirpath-lab/blob/master/server-api.md
 *
 * The convention of the FHIRPath Lab: a part is named by the value's type ("HumanName") and holds
 * it as value[x] or resource. What Parameters can not hold (a Patient.contact) stands as JSON
 * text in an extension. */
#ifndef MED_FHIR_FHIRPATH_VALUES_H
#define MED_FHIR_FHIRPATH_VALUES_H

#include "model/fhirpath.h"

/* Writes one part for each value. The buffer fails when it is full. */
void med_fhirpath_write_parts(med_json_writer *w, med_arena *a, const med_pack *p, med_values v);

/* The value of a part (an object of a tape): value[x] or resource. `n` is 0 without a value. */
bool med_fhirpath_part_value(med_arena *a, const med_pack *p, const med_json *j, uint32_t part,
                             med_values *out, med_err *err) MED_MUST_CHECK;

#endif
