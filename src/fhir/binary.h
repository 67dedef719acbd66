/* binary.h - Binary in its own form beside the resource form. https://hl7.org/fhir/R4/binary.html
 *
 * Bytes of any media type may be sent and fetched as they are: the server keeps them as a
 * Binary resource. Who asks for FHIR JSON (Accept or _format) gets the resource. */
#ifndef MED_FHIR_BINARY_H
#define MED_FHIR_BINARY_H

#include "fhir/call.h"

/* Is the body of this call the bytes of a Binary, in a media type that is not FHIR's? */
bool med_binary_is_native_body(const med_call *call);
/* Makes the Binary resource of such a body: request.json. X-Security-Context becomes its
 * securityContext. */
bool med_binary_read(med_call *call, med_err *err) MED_MUST_CHECK;

/* Does the caller want the bytes? */
bool med_binary_wants_native(const med_call *call);
/* Does it read them, so that nobody looks at the resource but med_binary_respond? */
bool med_binary_reads_bytes(const med_call *call);
/* Fills the response with the bytes of a stored Binary, as an attachment a browser does not run. */
bool med_binary_respond(med_call *call, const med_stored *s, med_err *err) MED_MUST_CHECK;

#endif
