/* document.h - FHIR documents: what a Bundle of that type must hold, and building one.
 * https://hl7.org/fhir/R4/documents.html
 *
 * A stored document is sealed: it is never changed and never deleted. What replaces it is another
 * document whose Composition.relatesTo names it; that it was wrong is said by its
 * DocumentReference. (Erasing is `medulla purge`.) */
#ifndef MED_FHIR_DOCUMENT_H
#define MED_FHIR_DOCUMENT_H

#include "fhir/call.h"

enum { MED_DOCUMENT_ENTRIES = 2000 };

/* Is the Bundle at `root` one of type document? */
bool med_document_is(const med_json *j, uint32_t root);
/* For a Bundle that is about to be written under `id`: a document is checked (422 with the
 * element), and what is stored there and sealed is left alone (409) unless `w` says the same. A
 * new document is made, never put in another's place. Other Bundles pass. */
bool med_document_check_write(med_call *call, med_write *w, med_err *err) MED_MUST_CHECK;
/* 409 when that resource is a sealed document. */
bool med_document_check_delete(med_call *call, uint32_t type, med_str id,
                               med_err *err) MED_MUST_CHECK;

/* The entry of a document that a reference in it means: by its address, or by the end of it
 * ("Patient/1"); 0 none. Adds to *compared (may be NULL) how many were looked at. */
uint32_t med_document_entry_at(const med_json *j, uint32_t entries, med_str reference,
                               size_t *compared);

/* ---- building ---- */
typedef struct med_document_entry {
    med_type type;
    med_str id;       /* of a stored resource; empty: made for this document */
    med_str full_url; /* base/Type/id, or urn:uuid: */
    med_str text;
    const med_json *json; /* of text */
} med_document_entry;

typedef struct med_document {
    med_call *call;
    med_document_entry *at; /* in the order of the document */
    size_t n;
    /* The first entry is no Composition: nothing that it names must be there, and what has no room
     * is left out. */
    bool headless;
} med_document;

bool med_document_init(med_document *d, med_call *call, med_err *err) MED_MUST_CHECK;
/* Adds a resource made for this document; *url is "urn:uuid:...". */
bool med_document_add_text(med_document *d, med_type type, med_str text, med_str *url,
                           med_err *err) MED_MUST_CHECK;
/* Adds the stored resource, unless it is there. NULL in *out: there is none (or a deleted one). */
bool med_document_add(med_document *d, med_type type, med_str id, const med_document_entry **out,
                      med_err *err) MED_MUST_CHECK;
/* Adds a version that was read. */
bool med_document_add_stored(med_document *d, const med_stored *s, const med_document_entry **out,
                             med_err *err) MED_MUST_CHECK;
/* Adds what the entries refer to, and what that refers to, in the order in which it stands there.
 * Of patients, groups and other documents only those are in that the first entry names: another's
 * record is never pulled in. What the first entry names must be there. */
bool med_document_follow(med_document *d, med_err *err) MED_MUST_CHECK;
/* The Bundle; `profile` may be empty. */
bool med_document_write(const med_document *d, med_str id, med_str profile, med_str *out,
                        med_err *err) MED_MUST_CHECK;

#endif
