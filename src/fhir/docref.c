/* docref.c - DocumentReference/$docref: the documents of a patient.
 * https://hl7.org/fhir/uv/ipa/OperationDefinition-docref.html
 *
 * A search of the current references (never of superseded ones or those in error), newest first,
 * by the time that the document is about. Documents made on demand are not registered:
 * on-demand=true is refused, Patient/$summary makes one. */
#include "fhir/interactions.h"
#include "fhir/searchset.h"

static bool refuse(med_str name, med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                   "$docref has no parameter '%.*s'; it has patient, start, end, type, on-demand, "
                   "profile, _count",
                   MED_STR_ARG(med_str_sub(name, 0, 40)));
    return med_err_status(err, 400);
}

static bool refuse_value(const char *what, med_err *err)
{
    (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED, "%s", what);
    return med_err_status(err, 400);
}

static bool add(med_call *call, med_pairs *out, med_pair *at, const char *name, const char *prefix,
                med_str value, med_err *err)
{
    med_str text = med_arena_printf(call->arena, "%s%.*s", prefix, MED_STR_ARG(value));
    if (text.len == 0 && value.len > 0)
        return MED_FAIL_MEMORY(err);
    at[out->n++] = (med_pair){med_str_from(name), text};
    return true;
}

static bool take(med_call *call, const med_pair *p, med_pairs *out, med_pair *at, bool *patient,
                 med_err *err)
{
    if (med_str_eqz(p->name, "patient")) {
        *patient = true;
        return add(call, out, at, "patient", "", p->value, err);
    }
    if (med_str_eqz(p->name, "start"))
        return add(call, out, at, "period", "ge", p->value, err);
    if (med_str_eqz(p->name, "end"))
        return add(call, out, at, "period", "le", p->value, err);
    if (med_str_eqz(p->name, "type"))
        return add(call, out, at, "type", "", p->value, err);
    if (med_str_eqz(p->name, "profile"))
        return add(call, out, at, "format", "", p->value, err);
    if (med_str_eqz(p->name, "on-demand"))
        return med_str_eqz(p->value, "false")
               || refuse_value("documents are not made on demand here; Patient/$summary makes one",
                               err);
    static const char *const same[] = {"_count", "_format", "_pretty", "_summary", "_elements"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (med_str_eqz(p->name, same[i])) {
            at[out->n++] = *p;
            return true;
        }
    return refuse(p->name, err);
}

static bool translate(med_call *call, const med_pairs *given, med_pairs *out, med_err *err)
{
    bool patient = false;
    med_pair *at = MED_TAKE(call->arena, given->n + 2, med_pair);
    if (at == NULL)
        return MED_FAIL_MEMORY(err);
    *out = (med_pairs){at, 0};
    for (size_t i = 0; i < given->n; i++)
        if (!take(call, &given->at[i], out, at, &patient, err))
            return false;
    at[out->n++] = (med_pair){MED_STR("status"), MED_STR("current")};
    at[out->n++] = (med_pair){MED_STR("_sort"), MED_STR("-date")};
    return patient || refuse_value("$docref needs a patient", err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    const med_fhir *f = call->fhir;
    med_search_options options = med_searchset_options(call);
    med_pairs given, pairs;
    med_str page = MED_STR_EMPTY;
    const med_query *q;
    med_search_result result = {0};
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    if (!med_searchset_parameters(call, &given, &page, err) || !translate(call, &given, &pairs, err)
        || !med_query_parse_search(f->schema, call->arena, call->request.type, &pairs, false,
                                   &options, &q, err)
        || !med_search_run(f->schema, call->view, call->arena, q, page, &result, err))
        return MED_STEP_FAILED;
    med_query_view view = med_query_describe(q);
    med_str self = med_searchset_encode(call->arena, &given);
    call->request.query = given;
    return med_searchset_write(call, MED_STR("DocumentReference/$docref"), self, page, &view,
                               &result, err)
               ? MED_STEP_OK
               : MED_STEP_FAILED;
}

#define DEFINITION "http://hl7.org/fhir/uv/ipa/OperationDefinition/docref"

const med_interaction med_interaction_docref = {
    .name = "docref",
    .method = MED_GET,
    .level = MED_LEVEL_TYPE,
    .operation = "$docref",
    .definition = DEFINITION,
    .types = "DocumentReference",
    .prepare = prepare,
};

const med_interaction med_interaction_docref_post = {
    .name = "docref",
    .method = MED_POST,
    .level = MED_LEVEL_TYPE,
    .operation = "$docref",
    .definition = DEFINITION,
    .types = "DocumentReference",
    .prepare = prepare,
};
