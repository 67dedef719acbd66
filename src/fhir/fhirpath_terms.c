/* fhirpath_terms.c - https://hl7.org/fhir/R4/fhirpath.html#functions */
#include "fhir/fhirpath_terms.h"

#include "fhir/term_store.h"

static med_str text_of(med_call *call, const med_json *j, uint32_t node)
{
    med_str out = MED_STR_EMPTY;
    if (node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING
        && !med_json_string(call->arena, j, node, &out))
        return MED_STR_EMPTY;
    return out;
}

static med_code_question coding_at(med_call *call, const med_json *j, uint32_t node)
{
    return (med_code_question){
        .value_set = MED_STR_EMPTY,
        .system = text_of(call, j, med_json_member(j, node, MED_STR("system"))),
        .version = text_of(call, j, med_json_member(j, node, MED_STR("version"))),
        .code = text_of(call, j, med_json_member(j, node, MED_STR("code"))),
        .display = MED_STR_EMPTY,
        .language = MED_STR_EMPTY,
    };
}

/* The codings of a CodeableConcept, else 0. */
static uint32_t codings(const med_value *v)
{
    uint32_t list = v->kind == MED_VALUE_NODE && v->json != NULL && v->node != 0
                            && med_json_kind_at(v->json, v->node) == MED_JSON_OBJECT
                        ? med_json_member(v->json, v->node, MED_STR("coding"))
                        : 0;
    return list != 0 && med_json_kind_at(v->json, list) == MED_JSON_ARRAY ? list : 0;
}

/* A code, a Coding, or the first coding of a CodeableConcept. False when it is none. */
static bool one_code(med_call *call, const med_value *v, med_code_question *out)
{
    uint32_t list = codings(v);
    const med_code_question plain = {MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY,
                                     MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY};
    *out = plain;
    if (v->kind == MED_VALUE_STRING)
        out->code = v->text;
    if (v->kind != MED_VALUE_NODE || v->json == NULL || v->node == 0)
        return out->code.len > 0;
    if (list != 0 && v->json->nodes[list].count > 0)
        *out = coding_at(call, v->json, list + 1);
    else if (med_json_kind_at(v->json, v->node) == MED_JSON_OBJECT)
        *out = coding_at(call, v->json, v->node);
    else
        out->code = text_of(call, v->json, v->node);
    return out->code.len > 0;
}

/* False: it can not be decided. */
static bool decide(med_call *call, const med_term_scope *scope, const med_code_question *q,
                   bool *out)
{
    med_code_answer answer;
    med_err err = {0};
    if (!med_term_validate(scope, call->arena, q, &answer, &err))
        return false;
    *out = answer.verdict == MED_CODE_VALID;
    return answer.verdict != MED_CODE_UNKNOWN_VALUE_SET
           && answer.verdict != MED_CODE_UNKNOWN_SYSTEM;
}

bool med_fhirpath_member_of(med_call *call, const med_value *value, med_str value_set, bool *out)
{
    med_terminology_source source;
    med_err err = {0};
    med_code_question q;
    uint32_t list = codings(value);
    bool known = false;
    *out = false;
    if (call->fhir->terminology == NULL || !med_term_store_of(call, &source, &err))
        return false;
    const med_term_scope scope = {call->fhir->terminology, &source};
    if (list == 0) {
        known = one_code(call, value, &q);
        q.value_set = value_set;
        return known && decide(call, &scope, &q, out);
    }
    const med_json *j = value->json;
    for (uint32_t e = list + 1; e < j->nodes[list].next && !*out; e = j->nodes[e].next) {
        bool in = false;
        if (med_json_kind_at(j, e) != MED_JSON_OBJECT)
            continue;
        q = coding_at(call, j, e);
        q.value_set = value_set;
        known = decide(call, &scope, &q, &in) || known;
        *out = in;
    }
    return known;
}

bool med_fhirpath_subsumes(med_call *call, const med_value *a, const med_value *b, bool *out)
{
    med_terminology_source source;
    med_err err = {0};
    med_code_question above;
    med_code_question below;
    enum med_subsumption how;
    *out = false;
    if (call->fhir->terminology == NULL || !one_code(call, a, &above) || !one_code(call, b, &below)
        || !med_str_eq(above.system, below.system) || above.system.len == 0
        || !med_term_store_of(call, &source, &err))
        return false;
    const med_term_scope scope = {call->fhir->terminology, &source};
    if (!med_term_subsumes(&scope, call->arena, above.system, above.code, below.code, &how, &err))
        return false;
    *out = how == MED_SUBSUMES || how == MED_SUBSUMES_EQUIVALENT;
    return how != MED_SUBSUMES_UNKNOWN_SYSTEM && how != MED_SUBSUMES_UNKNOWN_A
           && how != MED_SUBSUMES_UNKNOWN_B;
}
