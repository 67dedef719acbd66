/* validate_body.c - see validate_body.h. */
#include "fhir/validate_body.h"

#include "fhir/definitions.h"
#include "fhir/term_bindings.h"
#include "model/reference.h"

/* What is stored under a local reference. A loop does not wait for it. */
static bool fetch(void *arg, med_arena *a, med_str text, const med_json **out, uint32_t *root,
                  med_err *err)
{
    med_call *call = arg;
    const med_fhir *f = call->fhir;
    med_reference ref;
    med_stored found;
    med_err ignored = {0};
    if (call->view == NULL || !med_reference_parse(f->pack, text, f->base, &ref, &ignored)
        || ref.kind != MED_REFERENCE_LOCAL)
        return true;
    if (med_str_eq(ref.id, call->request.id) && med_str_eq(ref.type, call->request.type_name))
        return true; /* itself: it is being decided */
    if (!call->on_worker) {
        call->wants_worker = true;
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "what a reference names is not at hand");
    }
    uint32_t type = med_schema_type(f->schema, med_pack_type(f->pack, ref.type));
    enum med_found what = med_view_latest(call->view, a, type, ref.id, &found, err);
    if (what != MED_FOUND || found.change == MED_DELETED)
        return what != MED_FAILED;
    med_json *j = MED_TAKE(a, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    *root = 0;
    *out = j;
    return med_json_parse(a, found.text, j, NULL, err);
}

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
        .fetch = fetch,
        .arg = call,
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
