/* Tests of model/element_names.h. */
#include "model/element_names.h"

#include "shared.h"

static med_type type_of(const char *name)
{
    med_type t = med_pack_type(med_pack_core(), med_str_from(name));
    assert_int_not_equal(t, MED_TYPE_NONE);
    return t;
}

static void test_known(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name;
        bool known;
        const char *nearest;
    } rows[] = {
        {"Patient", "name", true, ""},
        {"Patient", "Patient.name", true, ""},
        {"Patient", "DomainResource.text", true, ""},
        {"Patient", "Resource.id", true, ""},
        {"Patient", "contact.name.family", true, ""},
        {"Patient", "Patient.contact.name", true, ""},
        {"Patient", "birthDate.extension", true, ""},
        {"Patient", "resourceType", true, ""},
        {"Patient", "contained.anything", true, ""},
        {"Bundle", "entry.resource.name", true, ""},
        {"Questionnaire", "item.item.item.text", true, ""},
        {"Observation", "value", true, ""},
        {"Observation", "value[x]", true, ""},
        {"Observation", "valueQuantity", true, ""},
        {"Observation", "value.code", true, ""},
        {"Observation", "value[x].low.value", true, ""},
        {"Observation", "valueQuantity.unit", true, ""},
        {"Observation", "code", true, ""}, /* the name of a type, too */
        {"Observation", "code.coding", true, ""},
        {"Patient", "famly", false, ""},
        {"Patient", "nmae", false, "name"},
        {"Patient", "Patient.nmae", false, "name"},
        {"Patient", "contact.nmae", false, "name"},
        {"Patient", "contact.name.famly", false, "family"},
        {"Patient", "Name", false, "name"},
        {"Patient", "_birthDate", false, "birthDate"},
        {"Patient", "name[x]", false, "name"},
        {"Patient", "valueQuantity", false, ""},
        {"Patient", "Observation.code", false, ""},
        {"Patient", "name.", false, ""},
        {"Patient", ".name", false, ""},
        {"Patient", "name..family", false, ""},
        {"Patient", "Patient.", false, ""},
        {"Patient", "Patient", false, ""},
        {"Patient", "*", false, ""},
        {"Patient", "birthDate.name", false, ""},
        {"Observation", "value.nothing", false, ""},
        {"Observation", "valuequantity", false, "valueQuantity"},
        {"Observation", "valueAddress", false, ""},
    };
    const med_pack *p = med_pack_core();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_type t = type_of(rows[i].type);
        med_str name = med_str_from(rows[i].name);
        bool known = med_element_name_known(p, t, name);
        med_str nearest = known ? MED_STR_EMPTY : med_element_name_nearest(p, t, name);
        if (known != rows[i].known)
            fail_msg("%s of %s: %d", rows[i].name, rows[i].type, known);
        if (rows[i].nearest[0] != '\0' && !med_str_eqz(nearest, rows[i].nearest))
            fail_msg("%s of %s: nearest '%.*s'", rows[i].name, rows[i].type, MED_STR_ARG(nearest));
    }
}

static void test_is(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name, *element, *property;
        bool is;
    } rows[] = {
        {"Patient", "name", "name", "name", true},
        {"Patient", "Patient.name.family", "name", "name", true},
        {"Patient", "Resource.meta", "meta", "meta", true},
        {"Patient", "Observation.name", "name", "name", false},
        {"Observation", "value", "value", "valueQuantity", true},
        {"Observation", "value[x]", "value", "valueQuantity", true},
        {"Observation", "valueQuantity.unit", "value", "valueQuantity", true},
        {"Observation", "valueString", "value", "valueQuantity", false},
        {"Observation", "valu", "value", "valueQuantity", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (med_element_name_is(med_pack_core(), type_of(rows[i].type), med_str_from(rows[i].name),
                                med_str_from(rows[i].element), med_str_from(rows[i].property))
            != rows[i].is)
            fail_msg("%s of %s: %s", rows[i].name, rows[i].type, rows[i].property);
    }
}

static void test_list(void **state)
{
    (void)state;
    med_err err = {0};
    med_element_names out;
    const med_pack *p = med_pack_core();
    med_arena *a = med_arena_new(1 << 16);
    med_type types[] = {type_of("Patient"), type_of("Observation")};
    assert_true(med_element_names_read(p, a, types, 2, MED_STR(" name , ,valueQuantity,"), true,
                                       &out, &err));
    assert_int_equal(out.n, 2);
    assert_true(med_str_eqz(out.at[0], "name") && med_str_eqz(out.at[1], "valueQuantity"));
    assert_false(
        med_element_names_read(p, a, types, 1, MED_STR("name,brithDate"), true, &out, &err));
    assert_int_equal(err.issue, MED_ISSUE_VALUE);
    assert_int_equal(med_err_http_status(&err), 400);
    assert_string_equal(err.text, "'brithDate' is no element of Patient; nearest: birthDate");
    err = (med_err){0};
    assert_false(med_element_names_read(p, a, types, 2, MED_STR("brithDate"), true, &out, &err));
    assert_string_equal(
        err.text,
        "'brithDate' is no element of any resource that is asked for; nearest: birthDate");
    assert_true(med_element_names_read(p, a, types, 1, MED_STR("x,name,y"), false, &out, &err));
    assert_int_equal(out.n, 1);
    assert_int_equal(out.n_unknown, 2);
    assert_true(med_str_eqz(out.unknown[1], "y"));
    med_arena_free(a);
}

static void test_too_many(void **state)
{
    (void)state;
    char list[2 * (MED_ELEMENT_NAMES + 1)];
    med_element_names out;
    med_arena *a = med_arena_new(1 << 16);
    med_type type = type_of("Patient");
    for (size_t i = 0; i < sizeof list; i++)
        list[i] = i % 2 == 0 ? 'x' : ',';
    for (size_t n = MED_ELEMENT_NAMES; n <= MED_ELEMENT_NAMES + 1; n++) {
        med_err err = {0};
        bool taken = med_element_names_read(med_pack_core(), a, &type, 1,
                                            (med_str){list, 2 * n - 1}, false, &out, &err);
        assert_int_equal(taken, n <= MED_ELEMENT_NAMES);
        assert_int_equal(err.issue, taken ? MED_ISSUE_NONE : MED_ISSUE_TOO_COSTLY);
    }
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_is),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
