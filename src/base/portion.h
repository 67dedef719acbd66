/* portion.h - how many things to take at a time where nobody knows beforehand how large they are:
 * fewer after it was too much, slowly more again after that. One thread at a time. */
#ifndef MED_BASE_PORTION_H
#define MED_BASE_PORTION_H

#include "base/err.h"

typedef struct med_portion {
    size_t n;    /* to be taken next, at least 1 */
    size_t most; /* never more */
} med_portion;

/* It went well. */
static inline void med_portion_grow(med_portion *p)
{
    size_t more = p->n + p->n / 8 + 1;
    p->n = more < p->most ? more : p->most;
}

/* It failed with *err: for lack of memory or time half as many are worth a try. False when it was
 * something else, or one alone. */
static inline bool med_portion_shrink(med_portion *p, const med_err *err)
{
    if (p->n <= 1 || (err->issue != MED_ISSUE_TOO_COSTLY && err->issue != MED_ISSUE_TIMEOUT))
        return false;
    p->n -= p->n / 2;
    return true;
}

#endif
