/* fhirpath_conforms.c - see fhirpath_conforms.h. */
#include "fhir/fhirpath_conforms.h"

#include "fhir/validate_body.h"

enum { SHOWN = 200, SCRATCH_BYTES = 16 << 20 };

static bool is_resource(const med_call *call, const med_value *v)
{
    return v->kind == MED_VALUE_NODE && v->type != MED_TYPE_NONE
           && med_type_kind_of(call->fhir->pack, v->type) == MED_TYPE_RESOURCE;
}

static bool is_known(const med_profile_use *use, med_str profile, med_err *err)
{
    const med_definition *d;
    med_arena *scratch = med_arena_new(SCRATCH_BYTES);
    if (scratch == NULL)
        return MED_FAIL_MEMORY(err);
    bool ok = med_definition_find(use->source, scratch, profile, &d, err);
    bool known = ok && d != NULL;
    med_arena_free(scratch);
    if (ok && !known)
        (void)MED_FAIL(err, MED_ISSUE_NOT_FOUND,
                       "conformsTo() does not know the profile %.*s; add its package (medulla "
                       "package add), or store the StructureDefinition",
                       MED_STR_ARG(med_str_sub(profile, 0, SHOWN)));
    return known;
}

bool med_fhirpath_conforms(med_call *call, const med_value *value, med_str profile, bool *out,
                           med_err *err)
{
    med_type type;
    med_problems problems = {0};
    med_profile_use use;
    if (!is_resource(call, value))
        return MED_FAIL(
            err, MED_ISSUE_NOT_SUPPORTED,
            "conformsTo() of what is no resource knows the base definitions of R4 only");
    if (!med_validate_use(call, &use, err) || !is_known(&use, profile, err))
        return false;
    use.canonicals = &profile;
    use.n = 1;
    med_structure_options options = med_validate_options(call, MED_ENFORCE_BASE);
    options.profiles = &use;
    options.quiet = true;
    if (!med_structure_check_with(call->arena, call->fhir->pack, value->json, value->node, &options,
                                  &type, &problems, err))
        return false;
    *out = !med_validate_failed(&problems);
    return true;
}
