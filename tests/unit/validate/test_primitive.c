/* Tests of validate/primitive.h. What the calendar has is tested with base/datetime.h. */
#include "validate/primitive.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/arena.h"

static const struct {
    enum med_primitive primitive;
    const char *text;
    bool valid;
} rows[] = {
    {MED_PRIMITIVE_STRING, "a", true},
    {MED_PRIMITIVE_STRING, " ", true},
    {MED_PRIMITIVE_STRING, "a\tb\r\nc", true},
    {MED_PRIMITIVE_STRING, "", false},
    {MED_PRIMITIVE_STRING, "a\x0b", false},
    {MED_PRIMITIVE_STRING, "a\x1f", false},
    {MED_PRIMITIVE_STRING, "\xc3\xa9", true},
    {MED_PRIMITIVE_MARKDOWN, "# a\n\n* b", true},
    {MED_PRIMITIVE_MARKDOWN, "\x01", false},
    {MED_PRIMITIVE_CODE, "a", true},
    {MED_PRIMITIVE_CODE, "a b c", true},
    {MED_PRIMITIVE_CODE, "a\tb", true},
    {MED_PRIMITIVE_CODE, "a  b", false},
    {MED_PRIMITIVE_CODE, " a", false},
    {MED_PRIMITIVE_CODE, "a ", false},
    {MED_PRIMITIVE_CODE, " ", false},
    {MED_PRIMITIVE_CODE, "", false},
    {MED_PRIMITIVE_CODE, "a\x01", false},
    {MED_PRIMITIVE_ID, "a-1.B", true},
    {MED_PRIMITIVE_ID, "a b", false},
    {MED_PRIMITIVE_URI, "http://x/y?z=1#w", true},
    {MED_PRIMITIVE_URI, "urn:oid:1.2", true},
    {MED_PRIMITIVE_URI, "a b", false},
    {MED_PRIMITIVE_URI, "a\n", false},
    {MED_PRIMITIVE_URL, "ftp://x", true},
    {MED_PRIMITIVE_CANONICAL, "http://x|1.0#y", true},
    {MED_PRIMITIVE_CANONICAL, "http://x |1", false},
    {MED_PRIMITIVE_FHIRPATH_STRING, "Patient.name[x]:a/b", true},
    {MED_PRIMITIVE_FHIRPATH_STRING, "a b", false},
    {MED_PRIMITIVE_OID, "urn:oid:0.0", true},
    {MED_PRIMITIVE_OID, "urn:oid:2.16.840.1.113883", true},
    {MED_PRIMITIVE_OID, "urn:oid:1", false},
    {MED_PRIMITIVE_OID, "urn:oid:1.", false},
    {MED_PRIMITIVE_OID, "urn:oid:1..2", false},
    {MED_PRIMITIVE_OID, "urn:oid:1.01", false},
    {MED_PRIMITIVE_OID, "urn:oid:10.1", false},
    {MED_PRIMITIVE_OID, "urn:oid:1.2a", false},
    {MED_PRIMITIVE_OID, "URN:OID:1.2", false},
    {MED_PRIMITIVE_UUID, "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", true},
    {MED_PRIMITIVE_UUID, "urn:uuid:c757873d-ec9a-4326-a141-556f4323952", false},
    {MED_PRIMITIVE_UUID, "urn:uuid:c757873dxec9a-4326-a141-556f43239520", false},
    {MED_PRIMITIVE_UUID, "urn:uuid:g757873d-ec9a-4326-a141-556f43239520", false},
    {MED_PRIMITIVE_BASE64, "QUJD", true},
    {MED_PRIMITIVE_BASE64, "QUI=", true},
    {MED_PRIMITIVE_BASE64, "QQ==", true},
    {MED_PRIMITIVE_BASE64, " QUJD\r\n QUJD ", true},
    {MED_PRIMITIVE_BASE64, "QUJ", false},
    {MED_PRIMITIVE_BASE64, "Q===", false},
    {MED_PRIMITIVE_BASE64, "QQ==QUJD", false},
    {MED_PRIMITIVE_BASE64, "QU-D", false},
    {MED_PRIMITIVE_BASE64, "    ", false},
    {MED_PRIMITIVE_BASE64, "", false},
    {MED_PRIMITIVE_INTEGER, "0", true},
    {MED_PRIMITIVE_INTEGER, "-1", true},
    {MED_PRIMITIVE_INTEGER, "2147483647", true},
    {MED_PRIMITIVE_INTEGER, "-2147483648", true},
    {MED_PRIMITIVE_INTEGER, "2147483648", false},
    {MED_PRIMITIVE_INTEGER, "-2147483649", false},
    {MED_PRIMITIVE_INTEGER, "99999999999999999999", false},
    {MED_PRIMITIVE_INTEGER, "1.0", false},
    {MED_PRIMITIVE_INTEGER, "1e0", false},
    {MED_PRIMITIVE_INTEGER, "-0", false},
    {MED_PRIMITIVE_UNSIGNED_INT, "0", true},
    {MED_PRIMITIVE_UNSIGNED_INT, "-1", false},
    {MED_PRIMITIVE_POSITIVE_INT, "1", true},
    {MED_PRIMITIVE_POSITIVE_INT, "0", false},
    {MED_PRIMITIVE_DECIMAL, "1.00e-10", true},
    {MED_PRIMITIVE_DATE, "2020", true},
    {MED_PRIMITIVE_DATE, "2020-02-30", false},
    {MED_PRIMITIVE_DATETIME, "2020-02-29T23:59:60Z", true},
    {MED_PRIMITIVE_DATETIME, "2020-02-29T23:59:59", false},
    {MED_PRIMITIVE_INSTANT, "2020-02-29T23:59:59.1-05:00", true},
    {MED_PRIMITIVE_INSTANT, "2020-02-29", false},
    {MED_PRIMITIVE_TIME, "23:59:59", true},
    {MED_PRIMITIVE_TIME, "23:59:59Z", false},
};

static void test_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (med_primitive_is_valid(rows[i].primitive, med_str_from(rows[i].text)) != rows[i].valid)
            fail_msg("row %zu: '%s'", i, rows[i].text);
    }
}

/* Texts are read in blocks: a fault is found at every place, and none where there is none. */
static void test_blocks(void **state)
{
    (void)state;
    enum { LEN = 260 };
    char text[LEN];
    for (size_t len = 4; len <= LEN; len += 4) {
        memset(text, 'A', len);
        med_str s = {text, len};
        assert_true(med_primitive_is_valid(MED_PRIMITIVE_BASE64, s));
        assert_true(med_primitive_is_valid(MED_PRIMITIVE_STRING, s));
        for (size_t at = 0; at < len; at++) {
            text[at] = '\x02';
            assert_false(med_primitive_is_valid(MED_PRIMITIVE_BASE64, s));
            assert_false(med_primitive_is_valid(MED_PRIMITIVE_STRING, s));
            text[at] = '\n';
            assert_false(med_primitive_is_valid(MED_PRIMITIVE_BASE64, s)); /* one too few */
            assert_true(med_primitive_is_valid(MED_PRIMITIVE_STRING, s));
            text[at] = '=';
            assert_int_equal(med_primitive_is_valid(MED_PRIMITIVE_BASE64, s), at + 1 == len);
            text[at] = 'A';
        }
    }
}

static void test_kinds(void **state)
{
    (void)state;
    for (int p = MED_PRIMITIVE_BOOLEAN; p <= MED_PRIMITIVE_FHIRPATH_STRING; p++) {
        enum med_primitive primitive = (enum med_primitive)p;
        bool number = p >= MED_PRIMITIVE_INTEGER && p <= MED_PRIMITIVE_DECIMAL;
        bool boolean = p == MED_PRIMITIVE_BOOLEAN;
        assert_int_equal(med_primitive_kind_fits(primitive, MED_JSON_NUMBER), number);
        assert_int_equal(med_primitive_kind_fits(primitive, MED_JSON_TRUE), boolean);
        assert_int_equal(med_primitive_kind_fits(primitive, MED_JSON_FALSE), boolean);
        assert_int_equal(med_primitive_kind_fits(primitive, MED_JSON_STRING), !number && !boolean);
        assert_false(med_primitive_kind_fits(primitive, MED_JSON_NULL));
        assert_false(med_primitive_kind_fits(primitive, MED_JSON_ARRAY));
        assert_false(med_primitive_kind_fits(primitive, MED_JSON_OBJECT));
        assert_true(strlen(med_primitive_expected(primitive)) > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
