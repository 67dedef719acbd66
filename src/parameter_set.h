/* parameter_set.h - which search parameters were added at run time: what the SearchParameters in
 * the store say, kept in the note MED_NOTE_EPOCH, so that all nodes see one and the same set.
 * Private to edition.c. */
#ifndef MED_PARAMETER_SET_H
#define MED_PARAMETER_SET_H

#include "edition.h"

typedef struct med_parameter_set {
    med_added_param *at;
    size_t n;
    uint64_t revision; /* of the note; 0: there is none */
} med_parameter_set;

/* The set of the notes that were read. */
bool med_parameter_set_read(med_arena *a, const med_note *notes, size_t n, med_parameter_set *out,
                            med_err *err) MED_MUST_CHECK;
/* Compares it with the SearchParameters in the store and writes what has changed; *changed: it has
 * (also when another node has written it meanwhile). Entries whose rows are gone (`over`) leave
 * it. */
bool med_parameter_set_sync(const med_fhir *f, med_view *v, med_arena *a,
                            const med_parameter_set *set, const bool *over, bool *changed,
                            med_err *err) MED_MUST_CHECK;

#endif
