/* Check digits against published sample numbers, and every made number against the check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "demo/national_id.h"

static const struct {
    enum med_national_id kind;
    const char *text;
    bool good;
} samples[] = {
    /* numbers used as samples in public documentation */
    {MED_NATIONAL_ID_EMSO, "0101006500006", true},  {MED_NATIONAL_ID_EMSO, "0101006500007", false},
    {MED_NATIONAL_ID_EMSO, "010100650000", false},  {MED_NATIONAL_ID_EMSO, "01010065OOOO6", false},
    {MED_NATIONAL_ID_RODNE, "7103192745", true},    {MED_NATIONAL_ID_RODNE, "7103192746", false},
    {MED_NATIONAL_ID_RODNE, "530518123", true},     {MED_NATIONAL_ID_RODNE, "", false},
    {MED_NATIONAL_ID_CPR, "0707614285", true},      {MED_NATIONAL_ID_CPR, "0707614286", false},
    {MED_NATIONAL_ID_CPR, "2110625629", true},      {MED_NATIONAL_ID_FODSEL, "15108695088", true},
    {MED_NATIONAL_ID_FODSEL, "15108695077", false}, {MED_NATIONAL_ID_FODSEL, "15108695098", false},
    {MED_NATIONAL_ID_EGN, "7523169263", true},      {MED_NATIONAL_ID_EGN, "8032056031", true},
    {MED_NATIONAL_ID_EGN, "7552A10004", false},     {MED_NATIONAL_ID_EGN, "8032056032", false},
};

static void checks_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        bool good = med_national_id_check(samples[i].kind, med_str_from(samples[i].text));
        if (good != samples[i].good)
            fail_msg("%s: expected %d", samples[i].text, samples[i].good);
    }
}

static void makes_only_numbers_that_pass(void **state)
{
    (void)state;
    static const int years[] = {1931, 1953, 1954, 1986, 1999, 2000, 2024};
    for (int kind = MED_NATIONAL_ID_EMSO; kind <= MED_NATIONAL_ID_EGN; kind++) {
        for (size_t y = 0; y < sizeof years / sizeof years[0]; y++) {
            unsigned made = 0;
            for (uint32_t serial = 0; serial < 500; serial++) {
                char id[MED_NATIONAL_ID_MAX + 1];
                bool female = serial % 2 == 0;
                if (!med_national_id_make((enum med_national_id)kind, years[y], 12, 31, female,
                                          serial * 7, id))
                    continue;
                assert_true(med_national_id_check((enum med_national_id)kind, med_str_from(id)));
                made++;
            }
            assert_in_range(made, 200, 500);
        }
    }
}

static void encodes_sex_and_century(void **state)
{
    (void)state;
    char id[MED_NATIONAL_ID_MAX + 1];
    uint32_t serial = 0;
    while (!med_national_id_make(MED_NATIONAL_ID_FODSEL, 1990, 2, 3, true, serial, id))
        serial++;
    assert_memory_equal(id, "038290", 6); /* month + 80: never a living person's */
    assert_int_equal((id[8] - '0') % 2, 0);
    assert_true(med_national_id_make(MED_NATIONAL_ID_EGN, 2001, 2, 3, false, 5, id));
    assert_memory_equal(id, "014203", 6);
    assert_int_equal((id[8] - '0') % 2, 0);
    serial = 0;
    while (!med_national_id_make(MED_NATIONAL_ID_RODNE, 2001, 2, 3, true, serial, id))
        serial++;
    assert_memory_equal(id, "015203", 6);
    assert_true(med_national_id_make(MED_NATIONAL_ID_RODNE, 1950, 2, 3, true, 1, id));
    assert_int_equal(strlen(id), 9);
    serial = 0;
    while (!med_national_id_make(MED_NATIONAL_ID_EMSO, 2006, 1, 1, true, serial, id))
        serial++;
    assert_memory_equal(id, "0101006505", 10);
    serial = 0;
    while (!med_national_id_make(MED_NATIONAL_ID_CPR, 2010, 1, 1, false, serial, id))
        serial++;
    assert_in_range(id[6], '4', '7');
    assert_int_equal((id[9] - '0') % 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_samples),
        cmocka_unit_test(makes_only_numbers_that_pass),
        cmocka_unit_test(encodes_sex_and_century),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
