/* term_bindings.c - see term_bindings.h. https://hl7.org/fhir/R4/terminologies.html#strength */
#include "fhir/term_bindings.h"

#include "fhir/term_store.h"

typedef struct asker {
    med_coded_lookup lookup;
    med_call *call;
    med_terminology_source source;
    med_term_scope scope; /* without terms: nothing was asked yet */
} asker;

static void tell(const med_code_answer *from, med_coded_answer *out)
{
    static const enum med_coded_verdict verdicts[] = {
        [MED_CODE_VALID] = MED_CODED_IN,
        [MED_CODE_NOT_IN] = MED_CODED_OUT,
        [MED_CODE_UNKNOWN_CODE] = MED_CODED_NO_SUCH_CODE,
        [MED_CODE_UNKNOWN_VALUE_SET] = MED_CODED_NO_VALUE_SET,
        [MED_CODE_UNKNOWN_SYSTEM] = MED_CODED_NO_SYSTEM,
    };
    enum med_term_kind kind =
        from->verdict == MED_CODE_UNKNOWN_SYSTEM ? MED_TERM_CODE_SYSTEM : MED_TERM_VALUE_SET;
    *out = (med_coded_answer){
        .verdict = verdicts[from->verdict],
        .display = from->display,
        .display_wrong = from->display_wrong,
        .inactive = from->inactive,
        .is_supplement = from->is_supplement,
        .missing = from->missing,
        .hint = from->missing.len > 0 ? med_term_hint(kind, from->missing) : MED_STR_EMPTY,
        .nearest = from->n_nearest > 0 ? from->nearest[0] : MED_STR_EMPTY,
    };
}

/* The value set (system) is there and can not be used: that is an answer. */
static bool is_unusable(const med_arena *a, const med_err *err)
{
    return !med_arena_exhausted(a)
           && (err->issue == MED_ISSUE_PROCESSING || err->issue == MED_ISSUE_TOO_COSTLY
               || err->issue == MED_ISSUE_INVALID);
}

static bool ask_scope(void *self, med_arena *a, const med_coded *q, med_coded_answer *out,
                      med_err *err)
{
    med_code_question question = {q->value_set, q->system,  q->version,
                                  q->code,      q->display, MED_STR_EMPTY};
    med_code_answer answer;
    if (med_term_validate(self, a, &question, &answer, err)) {
        tell(&answer, out);
        return true;
    }
    if (!is_unusable(a, err))
        return false;
    *out = (med_coded_answer){MED_CODED_NO_VALUE_SET, .display = MED_STR_EMPTY};
    out->missing = out->nearest = MED_STR_EMPTY;
    out->hint = med_arena_printf(a, "it can not be used: %s", err->text);
    *err = (med_err){0};
    return true;
}

static bool ask_call(void *self, med_arena *a, const med_coded *q, med_coded_answer *out,
                     med_err *err)
{
    asker *k = self;
    if (k->scope.terms == NULL) {
        if (k->call->view != NULL && !med_term_store_of(k->call, &k->source, err))
            return false;
        k->scope =
            (med_term_scope){k->call->fhir->terminology, k->call->view != NULL ? &k->source : NULL};
    }
    return ask_scope(&k->scope, a, q, out, err);
}

const med_coded_lookup *med_term_bindings_of(med_call *call)
{
    asker *k = call->fhir->terminology == NULL ? NULL : MED_TAKE(call->arena, 1, asker);
    if (k == NULL)
        return NULL;
    k->lookup = (med_coded_lookup){k, ask_call};
    k->call = call;
    return &k->lookup;
}

med_coded_lookup med_term_bindings_in(const med_term_scope *scope)
{
    return (med_coded_lookup){(void *)(uintptr_t)scope, ask_scope};
}
