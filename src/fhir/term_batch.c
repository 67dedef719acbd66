/* term_batch.c - $batch-validate-code: many $validate-code in one request.
 * https://build.fhir.org/ig/HL7/fhir-tx-ecosystem-ig/ValueSet-batch-validate-code.html
 *
 * Each parameter `validation` is a Parameters resource, answered as if it were sent alone; what is
 * given beside them (url, displayLanguage, tx-resource ...) holds for all that do not say it
 * themselves. */
#include "fhir/interactions.h"
#include "fhir/terms.h"
#include "terminology/code_system_json.h"

enum { ANSWER_BYTES = 64 << 20 };

/* The parts of the outer list that are not validations, each followed by a comma. */
static void write_shared(med_buf *b, const med_json *j, uint32_t list)
{
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t name = med_json_member(j, e, MED_STR("name"));
        if (name == 0 || med_json_string_is(j, name, MED_STR("validation")))
            continue;
        med_buf_addz(b, ",");
        med_buf_add(b, med_json_span(j, e));
    }
}

/* {"resourceType":"Parameters","parameter":[ own..., shared... ]}: the first of a name counts. */
static bool join(med_call *call, uint32_t one, med_str shared, med_json *out, med_err *err)
{
    const med_json *j = call->request.json;
    uint32_t list = med_json_member(j, one, MED_STR("parameter"));
    med_str own = list != 0 ? med_json_span(j, list) : MED_STR("[]");
    own = med_str_trim(med_str_sub(own, 1, own.len - 1)); /* without the brackets */
    if (own.len == 0)
        shared = med_str_skip(shared, shared.len > 0 ? 1 : 0);
    med_str text =
        med_arena_printf(call->arena, "{\"resourceType\":\"Parameters\",\"parameter\":[%.*s%.*s]}",
                         MED_STR_ARG(own), MED_STR_ARG(shared));
    return text.len > 0 ? med_json_parse(call->arena, text, out, NULL, err) : MED_FAIL_MEMORY(err);
}

static bool has_set(const med_json *j)
{
    uint32_t list = med_json_member(j, 0, MED_STR("parameter"));
    for (uint32_t e = list + 1; list != 0 && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t name = med_json_member(j, e, MED_STR("name"));
        if (name != 0
            && (med_json_string_is(j, name, MED_STR("url"))
                || med_json_string_is(j, name, MED_STR("valueSet"))))
            return true;
    }
    return false;
}

/* In the form of the ecosystem: the text stands in the details. */
static bool outcome_of(med_arena *a, const med_err *wrong, med_str *out)
{
    med_buf b;
    med_buf_init(&b, 1 << 16);
    med_json_writer w = med_json_writer_to(&b);
    med_json_open(&w, '{');
    med_json_pair(&w, "resourceType", MED_STR("OperationOutcome"));
    med_json_key(&w, MED_STR("issue"));
    med_json_open(&w, '[');
    med_json_open(&w, '{');
    med_json_pair(&w, "severity", MED_STR("error"));
    med_json_pair(&w, "code", med_str_from(med_issue_code(wrong->issue)));
    med_json_key(&w, MED_STR("details"));
    med_json_open(&w, '{');
    med_json_pair(&w, "text", med_str_from(wrong->text));
    for (const char *c = "}}]}"; *c != '\0'; c++)
        med_json_close(&w, *c);
    bool ok = !b.failed && med_arena_copy(a, med_buf_str(&b), out);
    med_buf_free(&b);
    return ok;
}

/* Its answer, also when that is an OperationOutcome. */
static bool answer_one(med_call *call, uint32_t one, med_str shared, med_str *out, med_err *err)
{
    med_err wrong = {0};
    med_json *j = MED_TAKE(call->arena, 1, med_json);
    if (j == NULL)
        return MED_FAIL_MEMORY(err);
    med_call inner = *call;
    inner.request.json = j;
    inner.request.root = 0;
    inner.request.level = MED_LEVEL_TYPE;
    med_fhir_response_init(&inner.response);
    bool ok = join(call, one, shared, j, &wrong);
    if (ok) {
        const med_interaction *how = has_set(j) ? &med_interaction_validate_code_post
                                                : &med_interaction_validate_system_post;
        ok = how->prepare(&inner, &wrong) == MED_STEP_OK;
    }
    if (!ok && med_arena_exhausted(call->arena))
        return MED_FAIL_MEMORY(err);
    *out = inner.response.body;
    return ok || outcome_of(call->arena, &wrong, out) ? true : MED_FAIL_MEMORY(err);
}

static void write_one(med_json_writer *w, med_str answer)
{
    med_json_open(w, '{');
    med_json_pair(w, "name", MED_STR("validation"));
    med_json_key(w, MED_STR("resource"));
    med_json_raw_value(w, answer);
    med_json_close(w, '}');
}

static bool answer_all(med_call *call, uint32_t list, med_err *err)
{
    const med_json *j = call->request.json;
    med_buf shared, b;
    med_json_writer w;
    bool ok = true;
    size_t n = 0;
    med_buf_init(&shared, ANSWER_BYTES);
    write_shared(&shared, j, list);
    med_term_write_begin(&b, &w);
    for (uint32_t e = list + 1; ok && e < j->nodes[list].next; e = j->nodes[e].next) {
        uint32_t name = med_json_member(j, e, MED_STR("name"));
        uint32_t one = med_json_member(j, e, MED_STR("resource"));
        med_str answer;
        if (name == 0 || one == 0 || !med_json_string_is(j, name, MED_STR("validation")))
            continue;
        if (++n > MED_TERM_BATCH)
            ok = MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "a batch holds at most %d validations",
                          MED_TERM_BATCH);
        ok = ok && answer_one(call, one, med_buf_str(&shared), &answer, err);
        if (ok)
            write_one(&w, answer);
    }
    ok = ok && !shared.failed;
    med_buf_free(&shared);
    if (ok)
        return med_term_write_end(call, &b, &w, err);
    med_buf_free(&b);
    return err->issue != MED_ISSUE_NONE ? false : MED_FAIL_MEMORY(err);
}

static enum med_step prepare(med_call *call, med_err *err)
{
    const med_json *j = call->request.json;
    uint32_t list = j == NULL ? 0 : med_json_member(j, call->request.root, MED_STR("parameter"));
    if (!call->on_worker)
        return MED_STEP_AGAIN;
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY || j->nodes[list].count == 0) {
        (void)MED_FAIL(err, MED_ISSUE_REQUIRED,
                       "$batch-validate-code takes Parameters with `validation`, each a Parameters "
                       "resource");
        (void)med_err_status(err, 400);
        return MED_STEP_FAILED;
    }
    return answer_all(call, list, err) ? MED_STEP_OK : MED_STEP_FAILED;
}

#define BATCH(variable, type)                                                                      \
    const med_interaction variable = {                                                             \
        .name = "batch-validate-code",                                                             \
        .method = MED_POST,                                                                        \
        .level = MED_LEVEL_TYPE,                                                                   \
        .operation = "$batch-validate-code",                                                       \
        .types = (type),                                                                           \
        .definition = "http://hl7.org/fhir/uv/tx-ecosystem/OperationDefinition/"                   \
                      "ValueSet-batch-validate-code",                                              \
        .prepare = prepare}
BATCH(med_interaction_batch_validate, "ValueSet");
BATCH(med_interaction_batch_validate_system, "CodeSystem");
