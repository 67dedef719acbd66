/* term_codes.c - what searches with :in, :not-in, :below and :above ask of the terminology.
 * https://hl7.org/fhir/R4/search.html#token */
#include "fhir/term_store.h"

typedef struct asker {
    med_search_codes codes;
    med_call *call;
} asker;

static bool refuse(const med_code_set *set, enum med_search_codes_how how, med_err *err)
{
    enum med_term_kind kind = how == MED_CODES_IN ? MED_TERM_VALUE_SET : MED_TERM_CODE_SYSTEM;
    (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND, "the terminology does not know %.*s; %.*s",
                   MED_STR_ARG(set->missing), MED_STR_ARG(med_term_hint(kind, set->missing)));
    return med_err_status(err, 400);
}

static size_t escape(char *to, med_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ',' || s.ptr[i] == '$' || s.ptr[i] == '|' || s.ptr[i] == '\\')
            to[n++] = '\\';
        to[n++] = s.ptr[i];
    }
    return n;
}

static bool tokens(med_arena *a, const med_code_set *set, const med_str **out, med_err *err)
{
    med_str *at = MED_TAKE(a, set->n, med_str);
    for (size_t i = 0; at != NULL && i < set->n; i++) {
        const struct med_code_key *k = &set->at[i];
        char *to = MED_TAKE(a, 2 * (k->system.len + k->code.len) + 2, char);
        if (to == NULL)
            return MED_FAIL_MEMORY(err);
        size_t n = escape(to, k->system);
        to[n++] = '|';
        n += escape(to + n, k->code);
        at[i] = (med_str){to, n};
    }
    *out = at;
    return at != NULL ? true : MED_FAIL_MEMORY(err);
}

static bool list(void *self, med_arena *a, enum med_search_codes_how how, med_str system,
                 med_str code, size_t limit, const med_str **out, size_t *n, med_err *err)
{
    med_call *call = ((asker *)self)->call;
    med_terminology_source source;
    med_term_scope scope = {call->fhir->terminology, &source};
    med_code_set set = {.missing = MED_STR_EMPTY};
    bool ok = false;
    if (!med_term_store_of(call, &source, err))
        return false;
    switch (how) {
    case MED_CODES_IN:
        ok = med_term_members(&scope, a, system, limit, &set, err);
        break;
    case MED_CODES_BELOW:
        ok = med_term_below(&scope, a, system, code, limit, &set, err);
        break;
    case MED_CODES_ABOVE:
        ok = med_term_above(&scope, a, system, code, limit, &set, err);
        break;
    }
    if (!ok)
        return med_err_status(err, 400);
    if (set.unknown)
        return refuse(&set, how, err);
    *n = set.n;
    return tokens(a, &set, out, err);
}

const med_search_codes *med_term_codes_of(med_call *call)
{
    asker *k = call->fhir->terminology == NULL || call->view == NULL
                   ? NULL
                   : MED_TAKE(call->arena, 1, asker);
    if (k == NULL)
        return NULL;
    *k = (asker){{k, list}, call};
    return &k->codes;
}
