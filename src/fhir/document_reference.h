/* document_reference.h - what the DocumentReferences of a change bring with them.
 * https://hl7.org/fhir/R4/documentreference.html
 * https://profiles.ihe.net/ITI/MHD/ITI-65.html (size, hash, replacing)
 *
 * - An attachment has the size and hash of its data, or of the Binary of this server that its url
 *   names, of the change or stored; a new reference does not name a Binary that is not there.
 * - A current reference that replaces others makes them superseded in the same commit. It is about
 *   the same patient, and what was replaced already is not replaced again. */
#ifndef MED_FHIR_DOCUMENT_REFERENCE_H
#define MED_FHIR_DOCUMENT_REFERENCE_H

#include "fhir/call.h"

/* Called when everything is prepared and before it is committed; may add writes to the change.
 * MED_STEP_AGAIN: there is much to read, ask on a worker. */
enum med_step med_document_reference_complete(med_call *call, med_err *err) MED_MUST_CHECK;

#endif
