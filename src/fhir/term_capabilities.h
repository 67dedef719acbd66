/* term_capabilities.h - GET /metadata?mode=terminology.
 * https://hl7.org/fhir/R4/terminologycapabilities.html */
#ifndef MED_FHIR_TERM_CAPABILITIES_H
#define MED_FHIR_TERM_CAPABILITIES_H

#include "fhir/call.h"

/* What is known at this moment: built in, imported and stored. */
bool med_term_capabilities_text(med_call *call, med_str *out, med_err *err) MED_MUST_CHECK;

/* What this statement and the CapabilityStatement both say of the server: status to
 * implementation. */
void med_capabilities_write_head(med_json_writer *w, const med_fhir *f);

#endif
