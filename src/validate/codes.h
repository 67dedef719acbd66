/* codes.h - what the validator asks of the terminology.
 * https://hl7.org/fhir/R4/terminologies.html
 *
 * A check knows the codes of small value sets of R4 itself (out of the pack); for all others,
 * for displays and for whole systems it asks this table. validate/ does not know terminology/:
 * who runs a check brings the table (fhir/term_bindings.h makes one), or none; then what the pack
 * has not is not looked at. Used by one thread at a time; answers live in the arena. */
#ifndef MED_VALIDATE_CODES_H
#define MED_VALIDATE_CODES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum med_coded_verdict {
    MED_CODED_IN,
    MED_CODED_OUT,          /* not in the value set */
    MED_CODED_NO_SUCH_CODE, /* its system is known whole, and has no such code */
    MED_CODED_NO_VALUE_SET, /* not known here, or one that it draws on: `missing` */
    MED_CODED_NO_SYSTEM,    /* not known here: it can not be decided; `missing` */
};

typedef struct med_coded {
    med_str value_set;       /* canonical; empty: only whether the system has it */
    med_str system, version; /* system empty: any of the value set */
    med_str code, display;   /* display empty: not looked at */
} med_coded;

typedef struct med_coded_answer {
    enum med_coded_verdict verdict;
    med_str display;    /* the right one, of a code that is in */
    bool display_wrong; /* the one given is none of the code's */
    bool inactive;
    bool is_supplement; /* what is named as the system: nothing can be a code of it */
    med_str missing;    /* canonical of what is not known; empty: it is, but can not be used */
    med_str hint;       /* how to load it, or why it can not be used */
    med_str nearest;    /* a code of the value set (system), or empty */
} med_coded_answer;

typedef struct med_coded_lookup {
    void *self;
    /* False only for faults: no memory, a store that fails. */
    bool (*ask)(void *self, med_arena *a, const med_coded *q, med_coded_answer *out, med_err *err);
} med_coded_lookup;

#endif
