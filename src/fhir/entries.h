/* entries.h - the entries of a batch or transaction as calls, and their answers as a Bundle.
 * https://hl7.org/fhir/R4/bundle.html#bundle-types https://hl7.org/fhir/R4/http.html#transaction */
#ifndef MED_FHIR_ENTRIES_H
#define MED_FHIR_ENTRIES_H

#include "fhir/call.h"

typedef struct med_entry {
    med_call call;
    med_str full_url;
    uint32_t node;     /* of the entry in the Bundle's tape */
    uint32_t resource; /* of its resource, 0 if none */
    med_err err;       /* why it could not even be read; issue NONE if it could */
} med_entry;

typedef struct med_entries {
    med_entry *at;
    size_t n;
} med_entries;

/* Reads and routes all entries. What is wrong with one is kept in its `err`; false only when
 * the Bundle itself is no batch or transaction. */
bool med_entries_read(med_call *bundle, med_entries *out, med_err *err) MED_MUST_CHECK;

/* Adds "Bundle.entry[3]" in front of what an entry's error says, for the whole Bundle's answer. */
void med_entry_locate(const med_entries *entries, size_t i, med_err *err);

/* The response Bundle ("batch-response"), in the order of the request. */
bool med_entries_respond(med_call *bundle, const med_entries *entries, const char *type,
                         med_err *err) MED_MUST_CHECK;

#endif
