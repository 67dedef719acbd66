/* bundle.h - writing Bundles of search results, history and responses.
 * https://hl7.org/fhir/R4/bundle.html */
#ifndef MED_FHIR_BUNDLE_H
#define MED_FHIR_BUNDLE_H

#include "fhir/content.h"

typedef struct med_bundle {
    med_call *call;
    med_buf buf;
    med_json_writer writer;
    bool in_entries;
} med_bundle;

/* {"resourceType":"Bundle","id":..,"type":TYPE,"timestamp":.. ; end with med_bundle_close. */
void med_bundle_open(med_bundle *b, med_call *call, const char *type);
void med_bundle_total(med_bundle *b, uint64_t total);
/* Links must come before entries. `path_and_query` is below the base. */
void med_bundle_link(med_bundle *b, const char *relation, med_str path_and_query);
/* Opens one entry with its fullUrl (Type/id of a stored resource); close with entry_close. */
void med_bundle_entry(med_bundle *b, uint32_t type, med_str id);
void med_bundle_entry_plain(med_bundle *b); /* without fullUrl */
/* "resource": the stored version in this shape. */
bool med_bundle_resource(med_bundle *b, const med_stored *s, const med_shape *shape,
                         med_err *err) MED_MUST_CHECK;
void med_bundle_entry_close(med_bundle *b);
/* Ends the Bundle and makes it the call's response (200). */
bool med_bundle_close(med_bundle *b, med_err *err) MED_MUST_CHECK;
void med_bundle_free(med_bundle *b); /* after a failure in between */

#endif
