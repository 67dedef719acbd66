/* subset.h - _summary and _elements: a resource with less in it, and the SUBSETTED tag.
 * https://hl7.org/fhir/R4/search.html#summary https://hl7.org/fhir/R4/search.html#elements */
#ifndef MED_FHIR_SUBSET_H
#define MED_FHIR_SUBSET_H

#include "fhir/content.h"

/* Appends the part of the resource `text` that the shape leaves, tagged SUBSETTED. */
bool med_subset_write(med_arena *a, const med_pack *p, med_type type, med_str text,
                      const med_shape *shape, med_buf *out, med_err *err) MED_MUST_CHECK;

#endif
