/* context.h - one terminology question and what it says about versions.
 *
 * Most questions are plain: what is found for them is kept and shared. A question that brings
 * resources of its own (tx-resource) or chooses versions gets everything compiled for itself. */
#ifndef MED_TERMINOLOGY_CONTEXT_H
#define MED_TERMINOLOGY_CONTEXT_H

#include "base/json.h"
#include "terminology/terminology.h"

enum { MED_CONTEXT_DEPTH = 16, MED_CONTEXT_CHOICES = 32 };

enum med_choice { MED_CHOICE_DEFAULT, MED_CHOICE_CHECK, MED_CHOICE_FORCE, MED_CHOICE_VALUE_SET };

typedef struct med_version_choice {
    med_str url, version;
    enum med_choice how;
} med_version_choice;

typedef struct med_term_context {
    const med_term_scope *scope;
    med_arena *arena;
    /* Resources that came with the question: nodes of `extra_json`. */
    const med_json *extra_json;
    const uint32_t *extra;
    size_t n_extra;
    const med_version_choice *choices;
    size_t n_choices;
    const med_str *supplements; /* useSupplement: canonicals */
    size_t n_supplements;
    /* The value sets that are being compiled, innermost first: none may hold itself. */
    const struct med_context_link {
        med_str url, version;
        const struct med_context_link *outer;
        unsigned depth;
    } * inside;
} med_term_context;

/* A plain context. */
static inline med_term_context med_term_context_of(const med_term_scope *s, med_arena *a)
{
    med_term_context x = {0};
    x.scope = s;
    x.arena = a;
    return x;
}

static inline bool med_term_context_is_plain(const med_term_context *x)
{
    return x->n_extra == 0 && x->n_choices == 0 && x->n_supplements == 0;
}

#endif
