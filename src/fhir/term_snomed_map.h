/* term_snomed_map.h - the concept maps that SNOMED CT defines by itself.
 * https://hl7.org/fhir/R4/snomedct.html#implicit-cm */
#ifndef MED_FHIR_TERM_SNOMED_MAP_H
#define MED_FHIR_TERM_SNOMED_MAP_H

#include "fhir/terms.h"

/* Is that the url of such a map: http://snomed.info/sct?fhir_cm=ID, also below an edition's URI? */
bool med_is_snomed_map(med_str url);
/* What the map says of these codes: a ConceptMap, good as long as the call. Empty when SNOMED CT or
 * the map is not known here. `reverse`: the codes are targets. */
bool med_snomed_map(const med_term_call *t, med_str url, const med_str *codes, size_t n_codes,
                    bool reverse, med_str *out, med_err *err) MED_MUST_CHECK;

#endif
