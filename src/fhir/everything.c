/* everything.c - $everything of a Patient and an Encounter.
 * https://hl7.org/fhir/R4/patient-operation-everything.html
 * https://hl7.org/fhir/R4/encounter-operation-everything.html
 *
 * It is a search of the compartment that includes what its members refer to, so it pages as a
 * search does: each page has what its own matches need. */
#include "fhir/everything.h"
#include "fhir/interactions.h"
#include "fhir/respond.h"
#include "fhir/searchset.h"

static bool refuse(const med_call *call, med_str name, med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "$everything of %.*s has no parameter '%.*s'; it has _since, _type, _count%s",
                   MED_STR_ARG(call->request.type_name), MED_STR_ARG(med_str_sub(name, 0, 40)),
                   med_str_eqz(call->request.type_name, "Patient") ? ", start and end" : "");
    return med_err_status(err, 400);
}

bool med_everything_translate(med_call *call, const med_pairs *given, med_pairs *out,
                              med_search_scope *scope, med_err *err)
{
    static const char *const same[] = {"_type",    "_count",    "_format", "_pretty",
                                       "_summary", "_elements", "_total"};
    bool patient = med_str_eqz(call->request.type_name, "Patient");
    med_pair *at = MED_TAKE(call->arena, given->n + 1, med_pair);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    *out = (med_pairs){at, 0};
    for (size_t i = 0; i < given->n; i++) {
        const med_pair *p = &given->at[i];
        bool known = false;
        for (size_t k = 0; k < sizeof same / sizeof *same; k++)
            known = known || med_str_eqz(p->name, same[k]);
        if (known)
            at[out->n++] = *p;
        else if (med_str_eqz(p->name, "_since"))
            at[out->n++] =
                (med_pair){MED_STR("_lastUpdated"),
                           med_arena_printf(call->arena, "ge%.*s", MED_STR_ARG(p->value))};
        else if (patient && med_str_eqz(p->name, "start"))
            scope->from = p->value;
        else if (patient && med_str_eqz(p->name, "end"))
            scope->to = p->value;
        else
            return refuse(call, p->name, err);
    }
    at[out->n++] = (med_pair){MED_STR("_include"), MED_STR("*")};
    return true;
}

static enum med_step prepare(med_call *call, med_err *err)
{
    const med_fhir *f = call->fhir;
    const med_fhir_request *r = &call->request;
    med_search_scope scope = {r->type, r->id, MED_STR_EMPTY, MED_STR_EMPTY};
    med_search_options options = med_searchset_options(call);
    med_pairs given, pairs;
    med_str page = MED_STR_EMPTY;
    const med_query *q;
    med_stored focus;
    med_search_result result = {0};
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    options.scope = &scope;
    if (!med_find_current(call, &focus, err) || !med_searchset_parameters(call, &given, &page, err)
        || !med_everything_translate(call, &given, &pairs, &scope, err)
        || !med_query_parse_search(f->schema, call->arena, MED_TYPE_NONE, &pairs, false, &options,
                                   &q, err)
        || !med_search_run(f->schema, call->view, call->arena, q, med_searchset_place(page),
                           &result, err))
        return MED_STEP_FAILED;
    med_query_view view = med_query_describe(q);
    med_str path = med_arena_printf(call->arena, "%.*s/%.*s/$everything", MED_STR_ARG(r->type_name),
                                    MED_STR_ARG(r->id));
    med_str self = med_searchset_encode(call->arena, &given);
    call->request.query = given;
    return med_searchset_write(call, path, self, page, &view, &result, err) ? MED_STEP_OK
                                                                            : MED_STEP_FAILED;
}

const med_interaction med_interaction_everything = {
    .name = "everything",
    .method = MED_GET,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$everything",
    .types = "Patient Encounter",
    .prepare = prepare,
};

const med_interaction med_interaction_everything_post = {
    .name = "everything",
    .method = MED_POST,
    .level = MED_LEVEL_INSTANCE,
    .operation = "$everything",
    .types = "Patient Encounter",
    .prepare = prepare,
};
