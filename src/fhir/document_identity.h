/* document_identity.h - one document, one identifier.
 * https://profiles.ihe.net/ITI/MHD/ITI-65.html https://hl7.org/fhir/R4/documents.html#bundle
 *
 * A document Bundle is known by its identifier, a DocumentReference by its masterIdentifier. Sent
 * again with the same content it is the one that is stored; other content under a known
 * identifier is refused. Checked again inside the commit, so that of two at once one wins. */
#ifndef MED_FHIR_DOCUMENT_IDENTITY_H
#define MED_FHIR_DOCUMENT_IDENTITY_H

#include "fhir/call.h"

/* Of call->request.json, about to be created. *answered: it is stored already, and the response
 * is that one (200); call->request.id is then its id. 409 when the content differs. Anything
 * that is no document passes. */
bool med_document_find_known(med_call *call, bool *answered, med_err *err) MED_MUST_CHECK;
/* The same for what is put under `id`: 409 when another resource has its identifier. */
bool med_document_check_identity(med_call *call, med_str id, med_err *err) MED_MUST_CHECK;

#endif
