#include "base/err.h"
#include "check.h"

static bool fail_here(med_err *err)
{
    return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "no %s here", "Patient");
}

static void says_what_and_where(void **state)
{
    (void)state;
    med_err err = {.status = 418, .expr = "old"};
    assert_false(fail_here(&err));
    assert_int_equal(err.issue, MED_ISSUE_NOT_FOUND);
    assert_string_equal(err.text, "no Patient here");
    assert_string_equal(err.expr, "");
    assert_int_equal(med_err_http_status(&err), 404);
    assert_true(med_str_search(med_str_from(err.at), MED_STR("test_err.c:"), 0) < strlen(err.at));
    assert_false(med_err_status(&err, 410));
    assert_int_equal(med_err_http_status(&err), 410);
    assert_false(med_err_at(&err, MED_STR("Patient.name[0]")));
    assert_string_equal(err.expr, "Patient.name[0]");
}

/* Fixed storage never ends in half a character. */
static void cuts_between_characters(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    for (size_t p = 0; p < COUNT(pieces); p++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[600] = "";
            size_t unit = strlen(pieces[p]);
            size_t len = 0;
            while (len < shift)
                text[len++] = 'x';
            for (; len + unit < sizeof text; len += unit)
                memcpy(text + len, pieces[p], unit);
            med_err err = {0};
            assert_false(MED_FAIL(&err, MED_ISSUE_VALUE, "%.*s", (int)len, text));
            assert_int_equal((strlen(err.text) - shift) % unit, 0);
            assert_true(strlen(err.text) + unit >= sizeof err.text);
            assert_false(med_err_at(&err, (med_str){text, len}));
            assert_int_equal((strlen(err.expr) - shift) % unit, 0);
            assert_true(strlen(err.expr) + unit >= sizeof err.expr);
        }
    }
}

/* What fits to the last byte is not cut. */
static void keeps_what_just_fits(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'x', sizeof text);
    med_err err = {0};
    assert_false(MED_FAIL(&err, MED_ISSUE_VALUE, "%.*s", (int)sizeof err.text - 1, text));
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_false(med_err_at(&err, (med_str){text, sizeof err.expr - 1}));
    assert_int_equal(strlen(err.expr), sizeof err.expr - 1);
    /* one byte more, and it is the second one of a character */
    memcpy(text + sizeof err.text - 2, "\xC3\xA9", 2);
    assert_false(MED_FAIL(&err, MED_ISSUE_VALUE, "%.*s", (int)sizeof err.text, text));
    assert_int_equal(strlen(err.text), sizeof err.text - 2);
    memcpy(text + sizeof err.expr - 2, "\xC3\xA9", 2);
    assert_false(med_err_at(&err, (med_str){text, sizeof err.expr}));
    assert_int_equal(strlen(err.expr), sizeof err.expr - 2);
}

static void survives_bytes_that_are_no_text(void **state)
{
    (void)state;
    char text[300];
    memset(text, 0x80, sizeof text);
    med_err err = {0};
    assert_false(med_err_at(&err, (med_str){text, sizeof text}));
    assert_true(strlen(err.expr) < sizeof err.expr);
    assert_false(MED_FAIL(&err, MED_ISSUE_VALUE, "%.*s", (int)sizeof text, text));
    assert_true(strlen(err.text) < sizeof err.text);
    assert_false(med_err_at(&err, MED_STR("\x80")));
}

static void memory_is_the_request_s_fault(void **state)
{
    (void)state;
    med_err err = {0};
    assert_false(MED_FAIL_MEMORY(&err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_COSTLY);
    assert_int_equal(med_err_http_status(&err), 413);
    assert_true(strlen(err.text) > 10);
}

static void issues_have_code_and_status(void **state)
{
    (void)state;
    assert_string_equal(med_issue_code(MED_ISSUE_NONE), "");
    assert_int_equal(med_issue_status(MED_ISSUE_NONE), 200);
    assert_string_equal(med_issue_code(MED_ISSUE_MULTIPLE_MATCHES), "multiple-matches");
    assert_int_equal(med_issue_status(MED_ISSUE_MULTIPLE_MATCHES), 412);
    assert_int_equal(MED_ISSUE_COUNT, 32); /* NONE and the 31 codes of the R4 value set */
    for (int i = 1; i < MED_ISSUE_COUNT; i++) {
        const char *code = med_issue_code((enum med_issue)i);
        assert_true(strlen(code) > 3);
        int status = med_issue_status((enum med_issue)i);
        assert_true(status >= 200 && status < 600);
        for (int k = 1; k < i; k++)
            assert_string_not_equal(code, med_issue_code((enum med_issue)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_and_where),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(keeps_what_just_fits),
        cmocka_unit_test(survives_bytes_that_are_no_text),
        cmocka_unit_test(memory_is_the_request_s_fault),
        cmocka_unit_test(issues_have_code_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
