/* ecl_impl.h - what the parts of the expression constraint language share. Private to ecl*.c. */
#ifndef MED_TERMINOLOGY_ECL_IMPL_H
#define MED_TERMINOLOGY_ECL_IMPL_H

#include "terminology/ecl.h"

typedef struct med_ecl {
    const med_image *m;
    med_arena *arena;
    med_str text; /* what is left */
    unsigned depth, operands, scans;
    const char *wrong; /* the first */
    med_str what;      /* a code that it is about, or "" */
    bool is_check;     /* is it one? What it means is not asked */
} med_ecl;

/* What read functions answer when the text is wrong: true, so that false is left for no memory. */
bool med_ecl_wrong(med_ecl *r, const char *what);
void med_ecl_skip_space(med_ecl *r);
bool med_ecl_take(med_ecl *r, const char *token);
/* A word, without regard to case, that ends there. */
bool med_ecl_take_word(med_ecl *r, const char *word);
/* '&', '|', '-' (MINUS), or 0 when there is none. */
char med_ecl_take_junction(med_ecl *r);
/* One more bracket inside the others; med_ecl_leave ends it with `close`. */
bool med_ecl_enter(med_ecl *r);
void med_ecl_leave(med_ecl *r, const char *close);

/* Once for all that looks at every concept: false when that was too often. */
bool med_ecl_scan(med_ecl *r);

/* A concept, a reference set, '*', or an expression in brackets, with its operator. */
bool med_ecl_operand(med_ecl *r, uint64_t **out) MED_MUST_CHECK;
/* Behind ':': takes out of `bits` what the refinement does not hold for. */
bool med_ecl_refine(med_ecl *r, uint64_t *bits) MED_MUST_CHECK;
/* Behind '.': the values of that attribute take the place of *bits. */
bool med_ecl_dotted(med_ecl *r, uint64_t **bits) MED_MUST_CHECK;

#endif
