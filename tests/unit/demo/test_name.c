/* Names in the grammar of their countries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "demo/name.h"

static void makes_patronymics(void **state)
{
    (void)state;
    static const struct {
        const char *father, *son, *daughter;
    } rows[] = {
        {"Иван", "Иванов", "Иванова"},        {"Георги", "Георгиев", "Георгиева"},
        {"Димитър", "Димитров", "Димитрова"}, {"Петър", "Петров", "Петрова"},
        {"Христо", "Христов", "Христова"},    {"Васил", "Василев", "Василева"},
        {"Никола", "Николов", "Николова"},    {"Николай", "Николаев", "Николаева"},
        {"Андрей", "Андреев", "Андреева"},    {"Михаил", "Михайлов", "Михайлова"},
        {"Ивайло", "Ивайлов", "Ивайлова"},    {"Александър", "Александров", "Александрова"},
        {"Огнян", "Огнянов", "Огнянова"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[48];
        med_demo_patronymic(rows[i].father, false, out);
        assert_string_equal(out, rows[i].son);
        med_demo_patronymic(rows[i].father, true, out);
        assert_string_equal(out, rows[i].daughter);
    }
}

static void transliterates(void **state)
{
    (void)state;
    static const struct {
        const char *from, *latin, *ascii;
    } rows[] = {
        {"Димитър", "Dimitar", "dimitar"},  {"София", "Sofia", "sofia"},
        {"Щерева", "Shtereva", "shtereva"}, {"Юлиян", "Yuliyan", "yuliyan"},
        {"Цветан", "Tsvetan", "tsvetan"},   {"Kovačič", "Kovačič", "kovacic"},
        {"Říha", "Říha", "riha"},           {"Sørensen", "Sørensen", "sorensen"},
        {"Ødegård", "Ødegård", "odegaard"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(med_demo_latin(rows[i].from).z, rows[i].latin);
        assert_string_equal(med_demo_ascii(rows[i].from).z, rows[i].ascii);
    }
}

/* Every name of the tables becomes a plain ASCII address: no letter was forgotten. */
static void folds_every_name(void **state)
{
    (void)state;
    for (int id = 0; id < MED_DEMO_COUNTRIES; id++) {
        const med_demo_country *c = med_demo_country_of((enum med_demo_country_id)id);
        for (size_t i = 0; i < 2 * MED_DEMO_GENERATIONS * MED_DEMO_GIVEN; i++) {
            const char *name =
                c->given[i % 2][i / 2 % MED_DEMO_GENERATIONS][i / 2 / MED_DEMO_GENERATIONS];
            assert_non_null(name);
            med_demo_text t = med_demo_ascii(name);
            for (size_t k = 0; k < t.n; k++)
                assert_true(med_is_lower(t.z[k]));
        }
        for (size_t i = 0; i < MED_DEMO_SURNAMES; i++) {
            med_demo_text male = med_demo_ascii(c->surnames[i].male);
            med_demo_text female = med_demo_ascii(c->surnames[i].female);
            for (size_t k = 0; k < male.n; k++)
                assert_true(med_is_lower(male.z[k]));
            for (size_t k = 0; k < female.n; k++)
                assert_true(med_is_lower(female.z[k]));
        }
    }
}

static void gives_women_their_form(void **state)
{
    (void)state;
    med_demo_rng r = med_demo_rng_from(1, 1);
    for (unsigned i = 0; i < MED_DEMO_SURNAMES; i++) {
        med_demo_name name;
        med_demo_name_draw(&r, &med_demo_czechia, true, 1980, i, NULL, &name);
        if (i != 35) /* Janů does not change */
            assert_true(med_str_ends(med_str_from(name.family), MED_STR("á")));
        med_demo_name_draw(&r, &med_demo_bulgaria, true, 1980, i, "Иван", &name);
        assert_true(med_str_ends(med_str_from(name.family), MED_STR("а")));
        assert_string_equal(name.patronymic, "Иванова");
        med_demo_name_draw(&r, &med_demo_norway, true, 1980, i, NULL, &name);
        assert_string_equal(name.patronymic, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_patronymics),
        cmocka_unit_test(transliterates),
        cmocka_unit_test(folds_every_name),
        cmocka_unit_test(gives_women_their_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
