/* asked.h - what a view has asked of a database that is a network away: for explain=true, and for
 * whoever wonders where the time of a search goes. */
#ifndef MED_STORE_ASKED_H
#define MED_STORE_ASKED_H

#include "store/store.h"

/* A kind of question: `what` is the name of its prepared statement. */
typedef struct med_asked {
    med_str what;
    uint32_t times;
    uint64_t rows;        /* of all answers */
    int64_t microseconds; /* waited for them */
    med_str plan;         /* of the first of them, when med_view_explain was called; else empty */
} med_asked;

/* Since the view was made, in the order of first use; beyond MED_ASKED kinds the last holds all
 * others. *n is 0 where the store is asked nothing. They belong to the view. */
enum { MED_ASKED = 16 };
void med_view_asked(med_view *v, const med_asked **out, size_t *n);

/* From here on the first question of each kind is asked a second time, for its plan, which is made
 * in `a`: names of indexes and numbers, never a value. `a` must outlive the view. */
void med_view_explain(med_view *v, med_arena *a);

#endif
