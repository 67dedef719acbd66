/* document_register.h - the text of the DocumentReference of a document.
 * https://hl7.org/fhir/R4/documentreference.html https://profiles.ihe.net/ITI/MHD/
 *
 * People whom the document itself holds are looked up here by their identifiers; who is not
 * found, or is several, stays an identifier and a name. */
#ifndef MED_FHIR_DOCUMENT_REGISTER_H
#define MED_FHIR_DOCUMENT_REGISTER_H

#include "fhir/call.h"

typedef struct med_registration {
    med_call *call;
    med_str url, id; /* "Bundle/x", "x" */
    bool persist;
    med_stored source;             /* the document, or a Binary */
    med_json j;                    /* of its text */
    uint32_t entries, composition; /* nodes; 0 of a Binary */
    /* while it is written */
    med_json_writer w;
    med_err *err;
    bool failed;
} med_registration;

/* The one resource of that type with the identifier at `node` of g->j; an empty id when there is
 * none, or several. */
bool med_registration_find(med_registration *g, const char *type, uint32_t node, med_str *id,
                           med_err *err) MED_MUST_CHECK;
/* The DocumentReference, under a new id. */
bool med_registration_write(med_registration *g, med_str *out, med_err *err) MED_MUST_CHECK;

#endif
