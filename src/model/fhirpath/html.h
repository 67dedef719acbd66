/* html.h - what may stand in Narrative.div. https://hl7.org/fhir/R4/narrative.html#xhtml */
#ifndef MED_MODEL_FHIRPATH_HTML_H
#define MED_MODEL_FHIRPATH_HTML_H

#include "base/str.h"

/* One well-formed <div> in the XHTML name space that holds only the elements and attributes the
 * specification allows: no scripts, no forms, no event attributes, no addresses that run code.
 * In doubt false. Pure function; nesting is bounded. */
bool med_narrative_is_safe(med_str xhtml);

#endif
