/* validate_body.c - see validate_body.h. */
#include "fhir/validate_body.h"

#include "fhir/definitions.h"
#include "fhir/term_bindings.h"

med_structure_options med_validate_options(med_call *call, enum med_enforce enforce)
{
    const med_fhir *f = call->fhir;
    return (med_structure_options){
        .skip_codes = !f->check_codes,
        .base = MED_STR_EMPTY,
        .rules = enforce == MED_ENFORCE_BASE ? f->rules : NULL,
        .codes = enforce == MED_ENFORCE_BASE ? med_term_bindings_of(call) : NULL,
        .now = med_now(f->clock),
        /* warnings are read only by who asks for them */
        .quiet = call->request.prefer != MED_RETURN_OUTCOME,
    };
}

bool med_validate_use(med_call *call, med_profile_use *out, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_definition_source *source = MED_TAKE(call->arena, 1, med_definition_source);
    *out = (med_profile_use){.cache = f->profiles,
                             .source = source,
                             .unmade = call->on_worker ? NULL : &call->wants_worker};
    if (source == NULL)
        return MED_FAIL_MEMORY(err);
    return f->profiles == NULL || med_definition_source_of(call, source, err);
}

bool med_validate_failed(const med_problems *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!list->at[i].is_warning)
            return true;
    }
    return false;
}

static bool check(med_call *call, enum med_enforce enforce, med_err *err)
{
    med_type type;
    const med_fhir_request *r = &call->request;
    med_structure_options options = med_validate_options(call, enforce);
    const med_profile_policy *policy = &call->fhir->policy;
    med_profile_use use;
    if (enforce == MED_ENFORCE_BASE && (policy->claimed || policy->n_listed > 0)) {
        if (!med_validate_use(call, &use, err))
            return false;
        use.claimed = use.need_claimed = policy->claimed;
        use.listed = policy->listed;
        use.n_listed = policy->n_listed;
        options.profiles = &use;
    }
    return med_structure_check_with(call->arena, call->fhir->pack, r->json, r->root, &options,
                                    &type, &call->problems, err);
}

/* The full check first: only what it refuses is looked at again. */
static bool check_and_count(med_call *call, med_err *err)
{
    if (!check(call, MED_ENFORCE_BASE, err))
        return false;
    if (!med_validate_failed(&call->problems))
        return true;
    call->problems = (med_problems){0};
    if (!check(call, call->enforce, err))
        return false;
    if (!med_validate_failed(&call->problems))
        ++*call->refusable;
    return true;
}

bool med_validate_body(med_call *call, const char *what, med_err *err)
{
    bool survey = call->refusable != NULL && call->enforce != MED_ENFORCE_BASE;
    if (!(survey ? check_and_count(call, err) : check(call, call->enforce, err)))
        return false;
    for (size_t i = 0; i < call->problems.n; i++) {
        if (call->problems.at[i].is_warning)
            continue;
        (void)MED_FAIL(err, call->problems.at[i].issue, "%s not legal FHIR R4", what);
        /* what a resource names and is not there is wrong with the resource, not with the URL */
        return call->problems.at[i].issue == MED_ISSUE_NOT_FOUND ? med_err_status(err, 422) : false;
    }
    return true;
}

bool med_validate_envelope(med_call *call, med_problems *list, med_err *err)
{
    med_type type;
    const med_fhir_request *r = &call->request;
    med_structure_options options = med_validate_options(call, MED_ENFORCE_STRUCTURE);
    options.envelope = true;
    return med_structure_check_with(call->arena, call->fhir->pack, r->json, r->root, &options,
                                    &type, list, err);
}
