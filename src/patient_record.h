/* patient_record.h - all resources of one patient's compartment, with every version that ever
 * was in it. https://hl7.org/fhir/R4/compartmentdefinition-patient.html
 *
 * What an index holds is not enough to erase by: deleted resources and superseded versions have
 * no rows. So every version of the store is read once, in short views of reader `slot`, beside
 * traffic; those that do not name the patient's id are not looked into. */
#ifndef MED_PATIENT_RECORD_H
#define MED_PATIENT_RECORD_H

#include "fhir/call.h"

typedef struct med_record_item {
    med_rid rid;
    uint32_t type; /* in the store */
    med_str id;
    uint32_t versions;
    bool shared; /* its newest content is (also) another patient's, or nobody's */
} med_record_item;

typedef struct med_record {
    const med_fhir *fhir;
    unsigned slot;
    med_arena *arena; /* of the items */
    /* Now and then; false ends it with MED_ISSUE_INCOMPLETE. */
    bool (*go_on)(void *arg, uint64_t done, uint64_t total);
    void *arg;
    /* results, sorted by rid; other Patients are never among them */
    med_record_item *items;
    size_t n, room;
} med_record;

/* The Patient itself, deleted or not, is one of the items; none when it never was. */
bool med_record_find(med_record *r, med_str patient, med_err *err) MED_MUST_CHECK;

typedef struct med_record_referrer {
    uint32_t type;
    med_str id;
} med_record_referrer;
/* Up to `limit` current resources outside the record that refer into it: they forbid its purge. */
bool med_record_referrers(const med_record *r, size_t limit, med_record_referrer **out, size_t *n,
                          med_err *err) MED_MUST_CHECK;

#endif
