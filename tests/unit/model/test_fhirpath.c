/* test_fhirpath.c - expressions over one patient, what they refuse, and their limits */
#include "model/fhirpath.h"
#include "shared.h"

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"active\":true,"
    "\"name\":[{\"use\":\"official\",\"family\":\"Chalmers\",\"given\":[\"Peter\",\"James\"]},"
    "{\"use\":\"usual\",\"given\":[\"Jim\",null],\"_given\":[null,{\"id\":\"g2\"}]}],"
    "\"birthDate\":\"1974-12-25\",\"_birthDate\":{\"extension\":[{\"url\":\"http://t.org/time\","
    "\"valueDateTime\":\"1974-12-25T14:35:45-05:00\"}]},"
    "\"deceasedBoolean\":false,\"multipleBirthInteger\":2,"
    "\"managingOrganization\":{\"reference\":\"Organization/o1\"},"
    "\"generalPractitioner\":[{\"reference\":\"#g1\"}],"
    "\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"g1\",\"active\":true}],"
    "\"extension\":[{\"url\":\"http://t.org/w\",\"valueQuantity\":{\"value\":72.50,"
    "\"system\":\"http://unitsofmeasure.org\",\"code\":\"kg\"}}]}";

struct fixture {
    med_arena *a;
    const med_pack *p;
    med_json json;
    med_value resource;
};

static int set_up(void **state)
{
    static struct fixture f;
    med_err err;
    f.a = med_arena_new(32 << 20);
    f.p = med_pack_core();
    if (!med_json_parse(f.a, med_str_from(patient), &f.json, NULL, &err)
        || !med_value_of_resource(f.p, &f.json, 0, &f.resource, &err))
        return -1;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    med_arena_free(f->a);
    return 0;
}

static bool evaluate(struct fixture *f, med_arena *a, med_str expression,
                     const med_fhirpath_env *env, med_values *out, med_err *err)
{
    const med_fhirpath *program = NULL;
    return med_fhirpath_compile(a, f->p, expression, f->resource.type, &program, err)
           && med_fhirpath_run(a, f->p, program, env, &f->resource, &f->resource, out, err);
}

/* Results as they are printed, one a line; the lines joined by ' '. */
static const char *const good[][2] = {
    {"name.given", "\"Peter\" \"James\" \"Jim\" {\"id\":\"g2\"} "},
    {"Patient.name.where(use = 'usual').given.first()", "\"Jim\" "},
    {"name.given.count()", "4 "},
    {"name[1].given[1].id", "\"g2\" "},
    {"name[1].given[1].hasValue()", "false "},
    {"name.family | name.given.first()", "\"Chalmers\" \"Peter\" "},
    {"name.select(given.first() & '.')", "\"Peter.\" \"Jim.\" "},
    {"name.exists(use = 'usual') and name.all(given.exists())", "true "},
    {"name.where(use = 'old').exists()", "false "},
    {"name.where(use = 'old').empty()", "true "},
    {"iif(name.where(use = 'old').exists(), 1, 2)", "2 "},
    {"iif(active, name.where(use = 'usual'), {}).exists()", "true "},
    {"iif(false, name, $this).id", "\"p1\" "},
    {"birthDate.extension('http://t.org/time').value", "\"1974-12-25T14:35:45-05:00\" "},
    {"deceased.not()", "true "},
    {"deceased is boolean", "true "},
    {"multipleBirth.ofType(integer) + 1", "3 "},
    {"multipleBirth.ofType(boolean)", ""},
    {"birthDate + 1 month", "\"1975-01-25\" "},
    {"birthDate > @1974", ""},
    {"birthDate >= @1974-12-25", "true "},
    {"@2024-02-29 + 1 year", "\"2025-02-28\" "},
    {"@T23:30 + 45 minutes", "\"00:15\" "},
    {"today() = @2026-11-22 and now() ~ @2026-11-22T10:20:30.123Z", "true "},
    {"extension.value.ofType(Quantity) = 72500 'g'", "true "},
    {"extension.value > 72 'kg'", "true "},
    {"extension.value > 1 'm'", ""},
    {"0.1 + 0.2", "0.3 "},
    {"1.00 + 1", "2.00 "},
    {"7 div 2 + 7 mod 2", "4 "},
    {"1 / 3 * 3 ~ 1", "true "},
    {"5 / 0", ""},
    {"2 * 3 + 4 > 9 and not_used.empty()", NULL},
    {"{} and false", "false "},
    {"({} or false).empty()", "true "},
    {"(false implies {}) and (true xor false)", "true "},
    {"'Hello you' ~ 'hello\\tYOU' and 'a\\q' = 'aq'", "true "},
    {"('a' | 'b') ~ ('b' | 'a')", "true "},
    {"(1 | 2 | 3).aggregate($this + $total, 10)", "16 "},
    {"(1 | 2 | 3).aggregate(iif($total.empty(), $this, $this * $total))", "6 "},
    {"(3 | 1 | 2).sort()", "1 2 3 "},
    {"(3 | 1 | 2).sort(-$this).first()", "3 "},
    {"name.given.select($index)", "0 1 2 3 "},
    {"generalPractitioner.resolve().active", "true "},
    {"generalPractitioner.resolve() is Practitioner", "true "},
    {"managingOrganization.resolve() is Organization", "true "},
    {"managingOrganization.resolve()", ""},
    {"generalPractitioner.where(resolve() is Practitioner).count()", "1 "},
    {"contained.where('#' + id in %resource.descendants().reference).count()", "1 "},
    {"name.repeat(given).count()", "4 "},
    {"defineVariable('n', name.first()).select(%n.family)", "\"Chalmers\" "},
    {"%weight * 2 > 100 'kg'", "true "},
    {"'x1y22'.replaceMatches('[0-9]+', '#')", "\"x#y#\" "},
    {"'2024-01'.matches('^\\\\d{4}') and 'abc'.matchesFull('b').not()", "true "},
    {"'a,b'.split(',').join(';')", "\"a;b\" "},
    {"'žluťoučký'.upper().length()", "9 "},
    {"'1.50'.toDecimal().toString()", "\"1.50\" "},
    {"'4 days'.toQuantity() < 1 week", "true "},
    {"1.587.lowBoundary(6)", "1.586500 "},
    {"type().name", "\"Patient\" "},
    {"active.type().namespace | 1.type().namespace", "\"FHIR\" \"System\" "},
    {"-name.count()", "-2 "},
    {"%`vs-administrative-gender`", "\"http://hl7.org/fhir/ValueSet/administrative-gender\" "},
    {"name.trace('x', given).count() // comment", "2 "},
    {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')", "false "},
    {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$|!')", "true "},
    {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matchesFull('(a|aa)+b')", "false "},
    {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaB'.matchesFull('(a|aa)+b', 'i')", "true "},
    {"conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "true "},
    {"name.checkModifiers('http://t.org/x').count()", "2 "},
    {"active.type().baseType | 1.type().baseType | type().baseType",
     "\"FHIR.Element\" \"System.Any\" \"FHIR.DomainResource\" "},
    {"10 'mg' * 2", "{\"value\":20,\"unit\":\"mg\"} "},
};

static void test_results(void **state)
{
    struct fixture *f = *state;
    med_value weight = {.kind = MED_VALUE_QUANTITY,
                        .type = MED_TYPE_NONE,
                        .text = MED_STR("72.5"),
                        .unit = MED_STR("kg")};
    const med_fhirpath_variable variables[] = {{MED_STR("weight"), {&weight, 1}}};
    const med_fhirpath_env env = {
        .now = 1795342830123000, .variables = variables, .n_variables = 1}; /* 2026-11-22 */
    med_buf out;
    med_buf_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        med_values values = {0};
        med_err err = {0};
        bool ok = evaluate(f, f->a, med_str_from(good[i][0]), &env, &values, &err);
        if (ok != (good[i][1] != NULL))
            fail_msg("%s: %s", good[i][0], ok ? "was accepted" : err.text);
        if (!ok)
            continue;
        med_buf_clear(&out);
        med_values_print(&out, values);
        for (size_t k = 0; k < out.len; k++)
            if (out.ptr[k] == '\n')
                out.ptr[k] = ' ';
        if (!med_str_eqz(med_buf_str(&out), good[i][1]))
            fail_msg("%s gives %.*s, not %s", good[i][0], (int)out.len, out.ptr, good[i][1]);
    }
    med_buf_free(&out);
}

static const struct {
    const char *expression;
    enum med_issue issue;
    const char *text; /* part of the message */
} bad[] = {
    {"name.givn", MED_ISSUE_INVALID,
     "position 6: HumanName has no element 'givn'; did you mean 'given'"},
    {"deceasedBoolean", MED_ISSUE_INVALID, "write 'deceased'"},
    {"Encounter.status", MED_ISSUE_INVALID, "starts at Encounter, but the input is Patient"},
    {"name.frist()", MED_ISSUE_INVALID, "did you mean 'first'"},
    {"name.first(1)", MED_ISSUE_INVALID, "takes 0 arguments"},
    {"name.where()", MED_ISSUE_INVALID, "takes 1 argument"},
    {"name is Humanname", MED_ISSUE_INVALID, "did you mean 'HumanName'"},
    {"1 +", MED_ISSUE_INVALID, "position 4"},
    {"(1", MED_ISSUE_INVALID, "')' was expected"},
    {"1 1", MED_ISSUE_INVALID, "an operator or the end"},
    {"'abc", MED_ISSUE_INVALID, "not closed"},
    {"1 /* x", MED_ISSUE_INVALID, "comment"},
    {"@2024-13", MED_ISSUE_INVALID, "no such date"},
    {"name.startsWith('a')", MED_ISSUE_INVALID, "works on strings"},
    {"'a'.matches('(')", MED_ISSUE_INVALID, "not a regular expression"},
    {"%nobody", MED_ISSUE_INVALID, "no variable"},
    {"name.single()", MED_ISSUE_PROCESSING, "several"},
    {"name.given + 'a'", MED_ISSUE_PROCESSING, "several"},
    {"1 + 'a'", MED_ISSUE_PROCESSING, "these types"},
    {"birthDate + 1 'mo'", MED_ISSUE_PROCESSING, "a date moves by"},
    {"gender.memberOf('http://x')", MED_ISSUE_NONE, ""},
    {"active.memberOf('http://x')", MED_ISSUE_NOT_SUPPORTED, "terminology"},
    {"(1 | 2).repeatAll($this)", MED_ISSUE_TOO_COSTLY, "steps"},
    {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+\\\\1$')", MED_ISSUE_TOO_COSTLY,
     "regular"},
    {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.replaceMatches('(a+)+[bc]', '')", MED_ISSUE_TOO_COSTLY,
     "regular"},
    {"conformsTo('http://t.org/p')", MED_ISSUE_NOT_SUPPORTED, "base definitions"},
    {"name.subsumes(name)", MED_ISSUE_PROCESSING, "one code"},
    {"active.subsumes(active)", MED_ISSUE_NOT_SUPPORTED, "terminology"},
    {"name.slice('http://t.org/p', 's')", MED_ISSUE_NOT_SUPPORTED, "without a profile"},
    {"name.elementDefinition()", MED_ISSUE_NOT_SUPPORTED, "without a profile"},
    {"modifierExtension.exists() or checkModifiers('http://t.org/x').empty()", MED_ISSUE_NONE, ""},
    {"name.trace()", MED_ISSUE_INVALID, "takes 1 to 2"},
    {"name.trace('a', frist)", MED_ISSUE_INVALID, "frist"},
};

static void test_errors(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        med_values values = {0};
        med_err err = {0};
        med_arena *a = med_arena_new(1 << 28);
        bool ok = evaluate(f, a, med_str_from(bad[i].expression), NULL, &values, &err);
        if (ok != (bad[i].issue == MED_ISSUE_NONE))
            fail_msg("%s: %s", bad[i].expression, ok ? "was accepted" : err.text);
        if (!ok && (err.issue != bad[i].issue || strstr(err.text, bad[i].text) == NULL))
            fail_msg("%s: %s", bad[i].expression, err.text);
        med_arena_free(a);
    }
}

struct heard {
    med_arena *a;
    med_str text;
};

static bool hear(void *arg, med_str name, med_values values)
{
    struct heard *h = arg;
    med_buf buf;
    med_buf_init(&buf, 1 << 16);
    med_values_print(&buf, values);
    h->text = med_arena_printf(h->a, "%.*s%.*s: %.*s", MED_STR_ARG(h->text), MED_STR_ARG(name),
                               MED_STR_ARG(med_buf_str(&buf)));
    med_buf_free(&buf);
    return h->text.len > 0;
}

static void test_trace(void **state)
{
    struct fixture *f = *state;
    med_values values = {0};
    med_err err = {0};
    struct heard heard = {f->a, MED_STR_EMPTY};
    const med_fhirpath_env env = {.trace = hear, .arg = &heard};
    assert_true(evaluate(f, f->a,
                         MED_STR("name.trace('all').given.trace('long', length() > 3).first()"
                                 ".select(trace('t' & 'wo').trace('none', {}))"),
                         &env, &values, &err));
    assert_int_equal(values.n, 1);
    assert_string_equal(
        heard.text.ptr,
        "all: {\"use\":\"official\",\"family\":\"Chalmers\",\"given\":[\"Peter\","
        "\"James\"]}\n{\"use\":\"usual\",\"given\":[\"Jim\",null],\"_given\":[null,{"
        "\"id\":\"g2\"}]}\nlong: true\ntrue\nfalse\ntwo: \"Peter\"\nnone: ");
}

/* What costs much for each step it takes must not cost more than the budget of steps allows. */
static void test_hostile(void **state)
{
    struct fixture *f = *state;
    static const char *const rows[] = {
        "descendants().repeatAll($this)",
        "('1'|'2'|'3').repeatAll($this & $this)",
        "'ab'.repeatAll($this & $this)",
        "(1|2).repeat($this + 1)",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.repeatAll(iif($this.matches('(a+)+[bc]'), {}, $this))",
        "'a'.repeatAll($this.replace('', 'aaaaaaaa'))",
        "'a'.repeat($this.replace('a', 'aaaaaaaa'))",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.repeatAll(replaceMatches('(a+)+[bc]', 'a'))",
        ("descendants().select(%resource.descendants().select(%resource.descendants().select("
         "%resource.descendants().select(%resource.descendants()))))"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_values values = {0};
        med_err err = {0};
        med_arena *a = med_arena_new(64 << 20);
        if (evaluate(f, a, med_str_from(rows[i]), NULL, &values, &err))
            fail_msg("%s: %zu values", rows[i], values.n);
        if (err.issue != MED_ISSUE_TOO_COSTLY)
            fail_msg("%s: %s", rows[i], err.text);
        med_arena_free(a);
    }
}

/* Text that is made is paid for, before memory ends it. */
static void test_long_text(void **state)
{
    struct fixture *f = *state;
    med_str expression = MED_STR(
        "'0123456789abcdef'.replace('', '0123456789abcdef').replace('', '0123456789abcdef')");
    const med_fhirpath_env few = {.max_steps = 60}, more = {.max_steps = 200};
    med_values values = {0};
    med_err err = {0};
    assert_false(evaluate(f, f->a, expression, &few, &values, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    assert_true(evaluate(f, f->a, expression, &more, &values, &err));
}

static void test_depth(void **state)
{
    struct fixture *f = *state;
    med_str text = MED_STR("1");
    med_values values = {0};
    med_err err = {0};
    for (int i = 0; i < 50; i++)
        text = med_arena_printf(f->a, "(%.*s)", MED_STR_ARG(text));
    assert_true(evaluate(f, f->a, text, NULL, &values, &err));
    for (int i = 0; i < 50; i++)
        text = med_arena_printf(f->a, "(%.*s)", MED_STR_ARG(text));
    assert_false(evaluate(f, f->a, text, NULL, &values, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    text = MED_STR("name");
    for (int i = 0; i < 500; i++) /* long is not deep */
        text = med_arena_printf(f->a, "%.*s.first()", MED_STR_ARG(text));
    assert_true(evaluate(f, f->a, text, NULL, &values, &err));
}

static void test_steps(void **state)
{
    struct fixture *f = *state;
    med_values values = {0};
    med_err err = {0};
    const med_fhirpath_env env = {.max_steps = 50};
    assert_true(evaluate(f, f->a, MED_STR("name.given.count()"), &env, &values, &err));
    assert_false(
        evaluate(f, f->a, MED_STR("descendants().where($this is string)"), &env, &values, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
}

/* Every limit of the arena ends in an error or in the right answer. */
static void test_memory(void **state)
{
    struct fixture *f = *state;
    med_str text = MED_STR("name.where(given.matches('^J')).select(given | family).distinct() "
                           "| ('a' & 'b').replace('b', 'cd')");
    size_t refused = 0;
    for (size_t limit = 0; limit < 80000; limit += 400) {
        med_values values = {0};
        med_err err = {0};
        med_arena *a = med_arena_new(1 << 20);
        med_arena_set_limit(a, limit);
        bool ok = evaluate(f, a, text, NULL, &values, &err);
        if (!ok && err.issue != MED_ISSUE_TOO_COSTLY && err.issue != MED_ISSUE_PROCESSING)
            fail_msg("limit %zu: %s", limit, err.text);
        refused += !ok;
        med_arena_free(a);
    }
    assert_true(refused > 0);
}

static void test_truth(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *expression;
        bool good, truth;
    } rows[] = {
        {"active", true, true}, {"deceased", true, false}, {"{}", true, true},
        {"true", true, true},   {"1 = 2", true, false},    {"name", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        med_values values = {0};
        med_err err = {0};
        bool truth = false;
        assert_true(evaluate(f, f->a, med_str_from(rows[i].expression), NULL, &values, &err));
        assert_int_equal(med_values_truth(values, &truth, &err), rows[i].good);
        if (rows[i].good && truth != rows[i].truth)
            fail_msg("%s", rows[i].expression);
    }
}

static void test_expression(void **state)
{
    struct fixture *f = *state;
    med_values values = {0};
    med_err err = {0};
    med_str text;
    assert_true(evaluate(f, f->a, MED_STR("name.given.last()"), NULL, &values, &err));
    assert_true(med_value_expression(f->a, f->p, values.at, &text));
    assert_true(med_str_starts(text, MED_STR("Patient.name[1].given")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),   cmocka_unit_test(test_errors),
        cmocka_unit_test(test_depth),     cmocka_unit_test(test_steps),
        cmocka_unit_test(test_long_text), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_truth),     cmocka_unit_test(test_expression),
        cmocka_unit_test(test_trace),     cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
