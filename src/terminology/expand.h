/* expand.h - the codes of a value set, in order, a page at a time.
 * https://hl7.org/fhir/R4/valueset-operation-expand.html
 *
 * Private to terminology/ and the operations in fhir/. Results live as long as the context's
 * arena. */
#ifndef MED_TERMINOLOGY_EXPAND_H
#define MED_TERMINOLOGY_EXPAND_H

#include "terminology/ask.h"

enum { MED_EXPAND_LIMIT = 10000 }; /* codes of one answer */

typedef struct med_expand {
    med_str filter;       /* text: each word begins a word of a display or designation */
    med_str language;     /* of the text that is searched */
    size_t offset, count; /* count SIZE_MAX: all, if they are not too many */
    size_t limit;         /* of one answer */
    bool active_only;
    bool selectable_only; /* excludeNotForUI: without abstract codes */
    /* A grammar has no end: its common codes will do (units and languages have some). */
    bool common_will_do;
    const med_str *without; /* systems (url or url|version) whose codes are left out */
    size_t n_without;
} med_expand;

typedef struct med_expansion {
    const med_code_hit *at;
    size_t n;
    size_t total;
    bool is_open; /* of a grammar the common codes are told, and there are others */
} med_expansion;

/* MED_ISSUE_TOO_COSTLY when all were asked for and there are more than the limit. The value set
 * must be whole: nothing missing, nothing broken. */
bool med_term_expand(const med_term_context *x, const med_value_set *vs, const med_expand *e,
                     med_expansion *out, med_err *err) MED_MUST_CHECK;

#endif
