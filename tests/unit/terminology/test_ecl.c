/* Expression constraints of SNOMED CT on a small hierarchy: 1 > 2 > 4, 1 > 3 > 4, 4 > 5; 7 apart;
 * the attributes 8 > 9. Relationships: 5: 8=7, { 8=2, 9=3 }, { 8=4 }    4: { 8=2 }, { 9=3 }    3:
 * 9=#500    2: 9="abc"    7: 8=5 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "terminology/ecl.h"
#include "terminology/image_builder.h"

static void relate(med_image_builder *b)
{
    static const struct {
        med_concept source;
        const char *group, *attribute, *value;
        enum med_property_type type;
    } rows[] = {
        {4, "0", "8", "7", MED_PROPERTY_CODE},      {4, "1", "8", "2", MED_PROPERTY_CODE},
        {4, "1", "9", "3", MED_PROPERTY_CODE},      {4, "2", "8", "4", MED_PROPERTY_CODE},
        {3, "1", "8", "2", MED_PROPERTY_CODE},      {3, "2", "9", "3", MED_PROPERTY_CODE},
        {2, "0", "9", "500", MED_PROPERTY_DECIMAL}, {1, "0", "9", "abc", MED_PROPERTY_STRING},
        {5, "0", "8", "5", MED_PROPERTY_CODE},
    };
    uint16_t group = med_image_builder_property_def(b, MED_STR(MED_ECL_GROUP), MED_STR_EMPTY,
                                                    MED_STR_EMPTY, MED_PROPERTY_INTEGER);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint16_t def = med_image_builder_property_def(b, med_str_from(rows[i].attribute),
                                                      MED_STR_EMPTY, MED_STR_EMPTY, rows[i].type);
        if (i == 0 || rows[i].source != rows[i - 1].source
            || strcmp(rows[i].group, rows[i - 1].group) != 0)
            med_image_builder_property(b, rows[i].source, group, MED_PROPERTY_INTEGER,
                                       med_str_from(rows[i].group));
        med_image_builder_property(b, rows[i].source, def, rows[i].type,
                                   med_str_from(rows[i].value));
    }
}

static const med_image *make(med_buf *out)
{
    static const char *const codes[] = {"1", "2", "3", "4", "5", "7", "8", "9"};
    static const med_concept parents[][2] = {{1, 0}, {2, 0}, {3, 1}, {3, 2}, {4, 3}, {7, 6}};
    med_image_builder *b = med_image_builder_new();
    med_image_head head = {.url = MED_STR("http://snomed.info/sct"),
                           .version = MED_STR_EMPTY,
                           .language = MED_STR("en"),
                           .supplements = MED_STR_EMPTY,
                           .meta = MED_STR("{}"),
                           .case_sensitive = true};
    const med_image *m;
    med_err err = {0};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        (void)med_image_builder_concept(b, med_str_from(codes[i]), NULL);
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++)
        med_image_builder_parent(b, parents[i][0], parents[i][1]);
    uint16_t refset = med_image_builder_property_def(b, MED_STR("refset"), MED_STR_EMPTY,
                                                     MED_STR_EMPTY, MED_PROPERTY_CODE);
    med_image_builder_property(b, 1, refset, MED_PROPERTY_CODE, MED_STR("99"));
    med_image_builder_property(b, 5, refset, MED_PROPERTY_CODE, MED_STR("99"));
    relate(b);
    med_buf_init(out, 1 << 20);
    assert_true(med_image_builder_finish(b, &head, out, &err));
    med_image_builder_free(b);
    assert_true(med_image_open(med_buf_str(out), &m, &err));
    return m;
}

/* The codes, or "! " and what is wrong. */
static med_str ask(const med_image *m, med_arena *a, const char *text)
{
    uint64_t bits[2] = {0};
    med_str broken = MED_STR_EMPTY, all = MED_STR_EMPTY;
    med_err err = {0};
    assert_true(med_ecl_apply(m, a, med_str_from(text), bits, &broken, &err));
    if (broken.len > 0)
        return med_arena_printf(a, "! %.*s", MED_STR_ARG(broken));
    for (med_concept c = 0; c < med_image_count(m); c++) {
        if (med_bit(bits, c))
            all = med_arena_printf(a, "%.*s%.*s", MED_STR_ARG(all),
                                   MED_STR_ARG(med_concept_code(m, c)));
    }
    return all;
}

typedef const char *row[2]; /* an expression; its codes, or a part of what is wrong with it */

static bool says(med_str got, const char *wanted, bool refused)
{
    return refused ? med_str_starts(got, MED_STR("! "))
                         && med_str_search(got, med_str_from(wanted), 0) < got.len
                   : med_str_eqz(got, wanted);
}

static void expect(const row *table, size_t n, bool refused)
{
    med_buf out;
    const med_image *m = make(&out);
    med_arena *a = med_arena_new(1 << 24);
    for (size_t i = 0; i < n; i++) {
        med_str got = ask(m, a, table[i][0]);
        if (!says(got, table[i][1], refused))
            fail_msg("%s: %.*s", table[i][0], MED_STR_ARG(got));
    }
    med_arena_free(a);
    med_buf_free(&out);
}

static void test_meaning(void **state)
{
    (void)state;
    static const row table[] = {
        {"4", "4"},
        {"<< 2", "245"},
        {"<2 |Two (two)|", "45"},
        {"<! 1", "23"},
        {"<<! 1", "123"},
        {"> 4", "123"},
        {">>4", "1234"},
        {">! 4", "23"},
        {">>! 4", "234"},
        {"*", "12345789"},
        {"< *", "23459"},
        {"^ 99", "27"},
        {"^99 |Set| AND << 1", "2"},
        {"<< 2 and << 3", "45"},
        {"2 OR 3 or 7", "237"},
        {"<< 1 MINUS << 4", "123"},
        {"<< 2 , << 3", "45"},
        {"(2 OR 3) AND (3 OR 7)", "3"},
        {"< (2 OR 7)", "45"},
        {"((((5))))", "5"},
        {"<< 1 MINUS (4 OR ^ 99)", "135"},
    };
    expect(table, sizeof table / sizeof *table, false);
}

static void test_refinements(void **state)
{
    (void)state;
    static const row table[] = {
        {"* : 8 = 2", "45"},
        {"* : 8 |Attribute| = << 2 |Two|", "457"},
        {"* : 9 = 3", "45"},
        {"* : 8 = 2, 9 = 3", "45"},
        {"* : { 8 = 2, 9 = 3 }", "5"},
        {"* : { 8 = 2 OR 9 = 3 }", "45"},
        {"* : { 8 = 2 } AND { 9 = 3 }", "45"},
        {"* : [2..*] { 8 = 2 OR 9 = 3 }", "4"},
        {"* : { 8 = 7, 9 = 3 }", ""},
        {"* : [2..*] 8 = *", "5"},
        {"* : [1..1] 8 = *", "47"},
        {"* : [0..0] 8 = *", "12389"},
        {"<< 1 : [0..0] { 8 = 2, 9 = 3 }", "1234"},
        {"* : [0..1] { 8 = * }", "1234789"},
        {"* : 8 != 2", "57"},
        {"* : << 8 = 3", "45"},
        {"* : * = 3", "45"},
        {"* : (8 OR 9) = 3", "45"},
        {"* : (8 = 7 OR 9 = 3), 8 = 4", "5"},
        {"* : ((8 = 7)) OR ((9 = #500))", "35"},
        {"* : 9 = #500", "3"},
        {"* : 9 = #500.0", "3"},
        {"* : 9 > #499.5", "3"},
        {"* : 9 <= #499", ""},
        {"* : 9 != #500", ""},
        {"* : 9 = \"abc\"", "2"},
        {"* : 9 != \"abd\"", "2"},
        {"* : R 8 = 5", "247"},
        {"* : [2..*] R 8 = *", "2"},
        {"* : R 8 = (* : 9 = 3)", "247"},
        {"5 . 8", "247"},
        {"5.9", "3"},
        {"7 . 8 . 9", "3"},
        {"(<< 4 : 8 = 4) OR 1", "15"},
        {"<< 1 : 8 = (<< 1 : 9 = *)", "5"},
        {"* MINUS (* : 8 = *)", "12389"},
    };
    expect(table, sizeof table / sizeof *table, false);
}

/* Brackets that may be a name or a test are read twice: not at each level again. */
static void test_costly(void **state)
{
    (void)state;
    static const char *const parts[][2] = {{"(* : ", " = 2)"}, {"(<< 1 MINUS ", ")"}};
    med_buf out, b;
    const med_image *m = make(&out);
    med_arena *a = med_arena_new(1 << 26);
    for (size_t k = 0; k < 2; k++) {
        med_buf_init(&b, 1 << 16);
        med_buf_add(&b, MED_STR("* : "));
        for (int i = 0; i < 15; i++)
            med_buf_add(&b, med_str_from(parts[k][0]));
        med_buf_add(&b, MED_STR("8"));
        for (int i = 0; i < 15; i++)
            med_buf_add(&b, med_str_from(parts[k][1]));
        med_buf_add(&b, MED_STR(" = 2"));
        med_buf_addc(&b, '\0');
        (void)ask(m, a, b.ptr);
        med_buf_clear(&b);
        med_buf_add(&b, MED_STR("^ 99"));
        for (int i = 0; i < 70; i++)
            med_buf_add(&b, MED_STR(" OR ^ 99"));
        med_buf_addc(&b, '\0');
        assert_true(med_str_search(ask(m, a, b.ptr), MED_STR("too much"), 0) < 80);
        med_buf_free(&b);
    }
    med_arena_free(a);
    med_buf_free(&out);
}

static void test_refused(void **state)
{
    (void)state;
    static const row table[] = {
        {"", "is expected"},
        {"<<", "is expected"},
        {"<< 6", "names a concept that there is not: 6"},
        {"2 3", "goes on behind its end"},
        {"2 AND", "is expected"},
        {"2 AND 3 OR 4", "without brackets"},
        {"2 MINUS 3 MINUS 4", "without brackets"},
        {"(2", "closing bracket"},
        {"2 |Two", "does not end"},
        {"1 AND 2 : 8 = 2", "brackets must stand around"},
        {"<< 2 : 8", "lacks '='"},
        {"<< 2 : 8 =", "is expected"},
        {"<< 2 : 8 < 3", "numbers begin with '#'"},
        {"<< 2 : 6 = 3", "names a concept that there is not: 6"},
        {"<< 2 : [2..1] 8 = 2", "cardinality"},
        {"<< 2 : [x] 8 = 2", "cardinality"},
        {"<< 2 : { 8 = 2", "closing bracket"},
        {"<< 2 : { { 8 = 2 } }", "inside of { }"},
        {"<< 2 : { R 8 = 2 }", "inside of { }"},
        {"<< 2 : R 8 = #2", "of a number"},
        {"<< 2 : 8 = 2 OR 9 = 3, 8 = 4", "without brackets"},
        {"<< 2 : 8 = #x", "number"},
        {"<< 2 : 8 = \"x", "does not end"},
        {"<< 2 {{ term = \"x\" }}", "filter"},
        {"((((((((((((((((((2))))))))))))))))))", "too many brackets"},
        {"\xC3\xA9", "is expected"},
    };
    expect(table, sizeof table / sizeof *table, true);
}

/* What needs no image to be told. */
static void test_check(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"<< 404684003 |Finding| : 363698007 = << 39057004, { 116676008 = * }", ""},
        {"(<! 1 OR ^ 2) MINUS >> 3", ""},
        {"<< 1 . 2", ""},
        {"<< 1 {{ term = \"x\" }}", ""},
        {"234234 << 234234", "goes on behind its end"},
        {"<< 1 : 2", "lacks '='"},
        {"", "is expected"},
    };
    med_arena *a = med_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        med_err err;
        med_str broken;
        assert_true(med_ecl_check(a, med_str_from(table[i][0]), &broken, &err));
        if (table[i][1][0] == '\0'
                ? broken.len > 0
                : med_str_search(broken, med_str_from(table[i][1]), 0) == broken.len)
            fail_msg("%s: %.*s", table[i][0], MED_STR_ARG(broken));
    }
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_meaning),
                                       cmocka_unit_test(test_refinements),
                                       cmocka_unit_test(test_costly), cmocka_unit_test(test_check),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
