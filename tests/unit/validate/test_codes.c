/* Tests of validate/codes.h: what is asked of the terminology, and what is said of its answers. */
#include "validate/codes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "validate/structure.h"

/* A terminology that answers by what the code is called. */
static bool ask(void *self, med_arena *a, const med_coded *q, med_coded_answer *out, med_err *err)
{
    (void)a;
    ++*(int *)self;
    *out = (med_coded_answer){.verdict = MED_CODED_IN,
                              .display = MED_STR("Right"),
                              .missing = MED_STR_EMPTY,
                              .hint = MED_STR_EMPTY,
                              .nearest = MED_STR_EMPTY};
    out->display_wrong = q->display.len > 0 && !med_str_eqz(q->display, "Right");
    out->inactive = med_str_eqz(q->code, "old");
    if (med_str_eqz(q->code, "fault"))
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "the store is away");
    if (med_str_eqz(q->code, "out"))
        out->verdict = q->value_set.len > 0 ? MED_CODED_OUT : MED_CODED_IN;
    if (med_str_eqz(q->code, "none"))
        out->verdict = MED_CODED_NO_SUCH_CODE;
    if (med_str_eqz(q->code, "lost") || med_str_eqz(q->code, "far")) {
        bool is_set = med_str_eqz(q->code, "lost") && q->value_set.len > 0;
        out->verdict = is_set ? MED_CODED_NO_VALUE_SET : MED_CODED_NO_SYSTEM;
        out->missing = is_set ? q->value_set : q->system;
        out->hint = MED_STR("load it with: x");
    }
    if (out->verdict == MED_CODED_OUT || out->verdict == MED_CODED_NO_SUCH_CODE)
        out->nearest = MED_STR("near");
    return true;
}

struct row {
    const char *place, *coding; /* ' for " */
    const char *problems;       /* warnings with '~' */
    const char *says;
};

/* variantType: required, its value set is not R4's; procedureCode: extensible, the same; code:
 * example. */
#define VARIANT                                                                                    \
    "{'resourceType':'MolecularSequence','text':" DIV ",'coordinateSystem':0,"                     \
    "'structureVariant':[{'variantType':{'coding':[%s]}}]}"
#define PROCEDURE                                                                                  \
    "{'resourceType':'ImagingStudy','text':" DIV ",'status':'available','subject':{'reference':"   \
    "'Patient/1'},'procedureCode':[{'coding':[%s]}]}"
#define CODE "{'resourceType':'Observation','text':" DIV ",'status':'final','code':{'coding':[%s]}}"
#define DIV "{'status':'generated','div':'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x</div>'}"
#define V "MolecularSequence.structureVariant[0].variantType.coding[0].code"
#define M "ImagingStudy.procedureCode[0].coding[0].code"
#define O "Observation.code.coding[0]"

static const struct row rows[] = {
    {VARIANT, "{'system':'urn:s','code':'in'}", "", NULL},
    {VARIANT, "{'system':'urn:s','code':'out'}", "code-invalid " V,
     "which is required here; nearest: near"},
    {VARIANT, "{'system':'urn:s','code':'none'}", "code-invalid " V, "LL379-9"},
    {VARIANT, "{'code':'in'}", "code-invalid " V, NULL},
    {VARIANT, "{'system':'urn:s','code':'lost'}", "not-found " V,
     "can not be told whether this is a code of http://loinc.org/vs/LL379-9, which is required "
     "here: it is not known here; load it with: x"},
    {VARIANT, "{'system':'urn:s','code':'far'}", "not-found " V, "urn:s is not known here"},
    {VARIANT, "{'system':'urn:s','code':'far'},{'system':'urn:s','code':'in'}", "", NULL},
    {VARIANT, "{'system':'urn:s','code':'out'},{'system':'urn:s','code':'far'}",
     "not-found MolecularSequence.structureVariant[0].variantType.coding[1].code", NULL},
    {PROCEDURE, "{'system':'urn:s','code':'out'}", "~code-invalid " M,
     "should be used if one fits"},
    {PROCEDURE, "{'system':'urn:s','code':'lost'}", "~not-found " M, "RadLex"},
    {CODE, "{'system':'urn:s','code':'in','display':'Right'}", "", NULL},
    {CODE, "{'system':'urn:s','code':'in','display':'Wrong'}", "invalid " O ".display",
     "the right one: Right"},
    {CODE, "{'system':'urn:s','code':'none'}", "code-invalid " O ".code", "nearest: near"},
    {CODE, "{'system':'urn:s','code':'old'}", "~business-rule " O ".code", "inactive"},
    {CODE, "{'system':'urn:s','code':'far'}", "", NULL},
    {CODE, "{'code':'none'}", "", NULL},
};

static med_str resource_of(med_arena *a, const struct row *r)
{
    char text[2048];
    const char *hole = strstr(r->place, "%s");
    med_str out;
    int n = snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - r->place), r->place, r->coding,
                     hole + 2);
    assert_true(n > 0 && (size_t)n < sizeof text);
    for (int i = 0; i < n; i++)
        text[i] = text[i] == '\'' ? '"' : text[i];
    assert_true(med_arena_copy(a, (med_str){text, (size_t)n}, &out));
    return out;
}

static bool check(med_arena *a, const struct row *r, const med_structure_options *options,
                  med_problems *list, med_err *err)
{
    med_json j;
    med_type type;
    assert_true(med_json_parse(a, resource_of(a, r), &j, NULL, err));
    return med_structure_check_with(a, med_pack_core(), &j, 0, options, &type, list, err);
}

static void describe(const med_problems *list, char *out, size_t room)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->n; i++)
        n += (size_t)snprintf(out + n, room - n, "%s%s%s %.*s", i == 0 ? "" : "; ",
                              list->at[i].is_warning ? "~" : "", med_issue_code(list->at[i].issue),
                              MED_STR_ARG(list->at[i].expression));
}

static void test_rows(void **state)
{
    (void)state;
    int asked = 0;
    med_err err = {0};
    med_rules *rules;
    med_coded_lookup codes = {&asked, ask};
    med_structure_options options = {.base = MED_STR_EMPTY, .strict = true, .codes = &codes};
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    options.rules = rules;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char found[1024];
        med_problems list = {0};
        med_arena *a = med_arena_new(1 << 22);
        assert_true(check(a, &rows[i], &options, &list, &err));
        describe(&list, found, sizeof found);
        if (strcmp(found, rows[i].problems) != 0)
            fail_msg("row %zu: found '%s', expected '%s'", i, found, rows[i].problems);
        if (rows[i].says != NULL)
            assert_true(med_str_search(list.at[0].text, med_str_from(rows[i].says), 0)
                        < list.at[0].text.len);
        med_arena_free(a);
    }
    med_rules_free(rules);
}

/* A write asks for nothing but what could refuse it, and says less of what can not be told. */
static void test_quiet(void **state)
{
    (void)state;
    int asked = 0;
    med_err err = {0};
    med_rules *rules;
    med_coded_lookup codes = {&asked, ask};
    med_structure_options options = {.base = MED_STR_EMPTY, .quiet = true, .codes = &codes};
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    options.rules = rules;
    med_arena *a = med_arena_new(1 << 22);
    const struct row patient = {"{'resourceType':'Patient','text':" DIV
                                ",'maritalStatus':{'coding':[%s]}}",
                                "{'system':'urn:s','code':'out','display':'x'}", "", NULL};
    med_problems list = {0};
    assert_true(check(a, &patient, &options, &list, &err));
    assert_int_equal(list.n, 0);
    assert_int_equal(asked, 0);
    assert_true(check(a, &rows[1], &options, &list, &err));
    assert_int_equal(list.n, 1);
    assert_int_equal(asked, 1);
    list = (med_problems){0};
    assert_true(check(a, &rows[4], &options, &list, &err));
    assert_int_equal(list.n, 0);
    options.quiet = false;
    assert_true(check(a, &rows[4], &options, &list, &err));
    assert_int_equal(list.n, 1);
    assert_true(list.at[0].is_warning);
    med_arena_free(a);
    med_rules_free(rules);
}

/* A fault of the terminology is a fault of the check. */
static void test_fault(void **state)
{
    (void)state;
    int asked = 0;
    med_err err = {0};
    med_rules *rules;
    med_coded_lookup codes = {&asked, ask};
    med_structure_options options = {.base = MED_STR_EMPTY, .codes = &codes};
    assert_true(med_rules_new(med_pack_core(), &rules, &err));
    options.rules = rules;
    med_arena *a = med_arena_new(1 << 22);
    med_problems list = {0};
    const struct row fault = {VARIANT, "{'system':'urn:s','code':'fault'}", "", NULL};
    assert_false(check(a, &fault, &options, &list, &err));
    assert_int_equal(err.issue, MED_ISSUE_TRANSIENT);
    med_arena_free(a);
    med_rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
