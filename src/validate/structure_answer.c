/* structure_answer.c - https://hl7.org/fhir/R4/questionnaire-profiles.html#extensions
 *
 * One answer against what the question says of it beside its type: a value set of answers, a
 * pattern, units, the least and the greatest quantity, the size and the kind of a file. */
#include "base/decimal.h"
#include "model/ucum.h"
#include "validate/structure_check.h"

typedef struct asked {
    med_check *c;
    const med_json *q; /* the Questionnaire's tape */
    uint32_t question, answer, value;
} asked;

static med_str text_of(med_check *c, const med_json *j, uint32_t node)
{
    med_str text = MED_STR_EMPTY;
    if (node != 0 && med_json_kind_at(j, node) == MED_JSON_STRING
        && !med_json_string(c->a, j, node, &text))
        c->out_of_memory = true;
    return text;
}

static uint32_t value_of(const med_json *j, uint32_t object)
{
    for (uint32_t k = object + 1; k < j->nodes[object].next; k = j->nodes[k + 1].next) {
        if (med_str_starts(med_json_raw(j, k), MED_STR("value")))
            return k + 1;
    }
    return 0;
}

/* The value of the question's `index`th extension of that name, or 0. */
static uint32_t extension_of(const asked *a, const char *name, size_t index)
{
    const med_json *j = a->q;
    uint32_t list = med_json_member(j, a->question, MED_STR("extension"));
    if (list == 0 || med_json_kind_at(j, list) != MED_JSON_ARRAY)
        return 0;
    for (uint32_t e = list + 1; e < j->nodes[list].next; e = j->nodes[e].next) {
        med_str url = med_check_raw(j, e, "url");
        if (med_str_starts(url, MED_STR("http://hl7.org/fhir/"))
            && med_str_ends(url, med_str_from(name)) && url.len > strlen(name)
            && url.ptr[url.len - strlen(name) - 1] == '/' && index-- == 0)
            return value_of(j, e);
    }
    return 0;
}

static bool ask(const asked *a, const med_coded *q, med_coded_answer *out)
{
    med_check *c = a->c;
    if (c->options->codes == NULL || c->failed)
        return false;
    if (c->options->codes->ask(c->options->codes->self, c->a, q, out, c->err))
        return true;
    c->failed = true;
    return false;
}

/* ---- answerValueSet ---- */

static void say_out(const asked *a, uint32_t node, med_str set)
{
    med_check_problem(a->c, node, NULL, MED_ISSUE_CODE_INVALID,
                      "this is none of the answers of %.*s", MED_STR_ARG(set));
}

static void check_value_set(const asked *a, bool is_open)
{
    med_check *c = a->c;
    med_coded_answer found;
    med_str set = text_of(c, a->q, med_json_member(a->q, a->question, MED_STR("answerValueSet")));
    bool is_text = med_json_kind_at(c->j, a->value) == MED_JSON_STRING;
    if (set.len == 0 || set.ptr[0] == '#' || (is_text && is_open))
        return;
    med_coded q = {set, MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY, MED_STR_EMPTY};
    if (is_text) {
        q.code = text_of(c, c->j, a->value);
    } else {
        q.system = med_check_raw(c->j, a->value, "system");
        q.code = med_check_raw(c->j, a->value, "code");
        q.version = med_check_raw(c->j, a->value, "version");
        q.display = text_of(c, c->j, med_json_member(c->j, a->value, MED_STR("display")));
    }
    if (q.code.len == 0 || !ask(a, &q, &found))
        return;
    bool out = found.verdict == MED_CODED_OUT || found.verdict == MED_CODED_NO_SUCH_CODE;
    if (out && !is_open)
        say_out(a, is_text ? a->value : a->answer, set);
    else if (found.verdict == MED_CODED_IN && found.display_wrong && c->options->strict)
        med_check_problem(c, a->answer, NULL, MED_ISSUE_VALUE,
                          "the display is none of the code's; expected: %.*s",
                          MED_STR_ARG(found.display));
}

/* ---- texts ---- */

/* matches() of FHIRPath runs under limits: a pattern that takes too long refuses nothing. */
static void check_pattern(const asked *a, const med_check_frame *f)
{
    med_check *c = a->c;
    med_err err = {0};
    const med_fhirpath *program;
    bool holds;
    med_str pattern = text_of(c, a->q, extension_of(a, "regex", 0));
    med_buf b;
    if (pattern.len == 0 || med_json_kind_at(c->j, a->value) != MED_JSON_STRING)
        return;
    med_buf_init(&b, (size_t)64 << 10);
    med_buf_addz(&b, "matches('^(?:");
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '\'' || pattern.ptr[i] == '\\')
            med_buf_addz(&b, "\\");
        med_buf_add(&b, med_str_sub(pattern, i, i + 1));
    }
    med_buf_addz(&b, ")$')");
    med_value focus = {.kind = MED_VALUE_NODE,
                       .type = med_pack_type(c->p, MED_STR("string")),
                       .node = a->value,
                       .json = c->j,
                       .text = MED_STR_EMPTY,
                       .unit = MED_STR_EMPTY};
    if (!b.failed && med_fhirpath_compile(c->a, c->p, med_buf_str(&b), focus.type, &program, &err)
        && med_check_holds(c, f->resource, f->root, program, &focus, &holds, &err) && !holds)
        med_check_problem(c, a->value, NULL, MED_ISSUE_VALUE,
                          "not of the form that the question asks for");
    med_buf_free(&b);
}

/* ---- quantities ---- */

static bool is_ucum(const med_json *j, uint32_t quantity)
{
    return med_str_eqz(med_check_raw(j, quantity, "system"), "http://unitsofmeasure.org");
}

/* Both in the same base unit; false when they can not be compared. */
static bool canonical_of(med_check *c, const med_json *j, uint32_t quantity, med_unit *unit,
                         med_decimal *out)
{
    med_decimal value;
    med_err ignored = {0};
    return is_ucum(j, quantity) && med_decimal_parse(med_check_raw(j, quantity, "value"), &value)
           && med_ucum_parse(c->a, med_check_raw(j, quantity, "code"), unit, &ignored)
           && med_ucum_canonical(unit, &value, out);
}

static void check_bound(const asked *a, const char *name, bool is_least)
{
    med_unit unit, limit_unit;
    med_decimal value, limit;
    uint32_t bound = extension_of(a, name, 0);
    if (bound == 0 || med_json_kind_at(a->q, bound) != MED_JSON_OBJECT)
        return;
    if (!canonical_of(a->c, a->c->j, a->value, &unit, &value)
        || !canonical_of(a->c, a->q, bound, &limit_unit, &limit)
        || !med_ucum_comparable(&unit, &limit_unit)) {
        med_check_problem(a->c, a->value, NULL, MED_ISSUE_VALUE,
                          "the question has a %s, and this can not be compared with it: both need "
                          "units of UCUM of the same kind",
                          is_least ? "least value" : "greatest value");
        return;
    }
    int order = med_decimal_compare(&value, &limit);
    if (is_least ? order < 0 : order > 0)
        med_check_problem(a->c, a->value, NULL, MED_ISSUE_VALUE, "%s than the question allows",
                          is_least ? "less" : "more");
}

static void check_unit(const asked *a)
{
    med_check *c = a->c;
    med_str system = med_check_raw(c->j, a->value, "system"),
            code = med_check_raw(c->j, a->value, "code");
    uint32_t option = extension_of(a, "questionnaire-unitOption", 0);
    bool fits = option == 0;
    for (size_t i = 0; option != 0 && !fits;
         option = extension_of(a, "questionnaire-unitOption", ++i))
        fits = med_str_eq(med_check_raw(a->q, option, "code"), code)
               && med_str_eq(med_check_raw(a->q, option, "system"), system);
    med_str set = text_of(c, a->q, extension_of(a, "questionnaire-unitValueSet", 0));
    med_coded q = {set, system, MED_STR_EMPTY, code, MED_STR_EMPTY};
    med_coded_answer found;
    if (fits && set.len > 0)
        fits = code.len > 0
               && (!ask(a, &q, &found)
                   || (found.verdict != MED_CODED_OUT && found.verdict != MED_CODED_NO_SUCH_CODE));
    if (!fits)
        med_check_problem(c, a->value, NULL, MED_ISSUE_CODE_INVALID,
                          "a unit that the question does not offer");
}

/* ---- files ---- */

static void check_file(const asked *a)
{
    med_check *c = a->c;
    med_decimal size, most;
    uint32_t limit = extension_of(a, "maxSize", 0);
    if (limit != 0 && med_decimal_parse(med_check_raw(c->j, a->value, "size"), &size)
        && med_decimal_parse(med_json_raw(a->q, limit), &most)
        && med_decimal_compare(&size, &most) > 0)
        med_check_problem(c, a->answer, NULL, MED_ISSUE_TOO_LONG,
                          "the file is larger than the question allows");
    uint32_t kind = extension_of(a, "mimeType", 0);
    bool fits = kind == 0;
    for (size_t i = 0; kind != 0 && !fits; kind = extension_of(a, "mimeType", ++i))
        fits = med_str_eq(med_json_raw(a->q, kind), med_check_raw(c->j, a->value, "contentType"));
    if (!fits)
        med_check_problem(c, a->answer, NULL, MED_ISSUE_VALUE,
                          "a file of a kind that the question does not ask for");
}

void med_check_answer(med_check *c, const med_check_frame *f, const med_json *q, uint32_t question,
                      uint32_t answer, uint32_t value)
{
    asked a = {c, q, question, answer, value};
    med_str type = med_check_raw(q, question, "type");
    check_value_set(&a, med_str_eqz(type, "open-choice"));
    check_pattern(&a, f);
    if (med_str_eqz(type, "quantity") && med_json_kind_at(c->j, value) == MED_JSON_OBJECT) {
        check_unit(&a);
        check_bound(&a, "sdc-questionnaire-minQuantity", true);
        check_bound(&a, "sdc-questionnaire-maxQuantity", false);
    } else if (med_str_eqz(type, "attachment")
               && med_json_kind_at(c->j, value) == MED_JSON_OBJECT) {
        check_file(&a);
    }
}
