/* Tests of model/pack.h: the core pack's counts and known rows, and damaged packs. */
#include "base/arena.h"
#include "model/pack.h"
#include "model/pack_format.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static med_type type(const char *name)
{
    med_type t = med_pack_type(med_pack_core(), med_str_from(name));
    assert_int_not_equal(t, MED_TYPE_NONE);
    return t;
}

static void assert_text(med_str actual, const char *expected)
{
    assert_true(actual.ptr != NULL);
    if (!med_str_eqz(actual, expected))
        fail_msg("\"%.*s\" instead of \"%s\"", MED_STR_ARG(actual), expected);
}

static void test_counts(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    size_t n = 0;
    const med_type *resources = med_pack_resources(p, &n);
    assert_int_equal(n, 146);
    assert_text(med_type_name(p, resources[0]), "Account");
    assert_text(med_type_name(p, resources[145]), "VisionPrescription");
    assert_int_equal(med_pack_param_count(p), 1375);
    assert_int_equal(med_pack_type_count(p), 683);
    assert_true(med_str_starts(med_pack_version(p), MED_STR("4.0.1-")));
    const med_pack *opened = NULL;
    med_err err = {0};
    assert_true(med_pack_open(med_pack_core_bytes(), &opened, &err));
    assert_ptr_equal(opened, p);
}

static void test_type_rows(void **state)
{
    (void)state;
    static const struct {
        const char *name, *base;
        enum med_type_kind kind;
        enum med_primitive primitive;
        bool abstract;
        size_t elements;
    } rows[] = {
        {"Patient", "DomainResource", MED_TYPE_RESOURCE, MED_PRIMITIVE_NONE, false, 24},
        {"Observation", "DomainResource", MED_TYPE_RESOURCE, MED_PRIMITIVE_NONE, false, 32},
        {"Bundle", "Resource", MED_TYPE_RESOURCE, MED_PRIMITIVE_NONE, false, 11},
        {"Resource", "", MED_TYPE_RESOURCE, MED_PRIMITIVE_NONE, true, 4},
        {"DomainResource", "Resource", MED_TYPE_RESOURCE, MED_PRIMITIVE_NONE, true, 8},
        {"Patient.contact", "BackboneElement", MED_TYPE_BACKBONE, MED_PRIMITIVE_NONE, false, 10},
        {"Timing.repeat", "Element", MED_TYPE_BACKBONE, MED_PRIMITIVE_NONE, false, 17},
        {"Age", "Quantity", MED_TYPE_COMPLEX, MED_PRIMITIVE_NONE, false, 7},
        {"Element", "", MED_TYPE_COMPLEX, MED_PRIMITIVE_NONE, true, 2},
        {"BackboneElement", "Element", MED_TYPE_COMPLEX, MED_PRIMITIVE_NONE, true, 3},
        {"code", "string", MED_TYPE_PRIMITIVE, MED_PRIMITIVE_CODE, false, 2},
        {"canonical", "uri", MED_TYPE_PRIMITIVE, MED_PRIMITIVE_CANONICAL, false, 2},
        {"positiveInt", "integer", MED_TYPE_PRIMITIVE, MED_PRIMITIVE_POSITIVE_INT, false, 2},
        {"System.String", "", MED_TYPE_PRIMITIVE, MED_PRIMITIVE_FHIRPATH_STRING, false, 0},
        {"xhtml", "Element", MED_TYPE_PRIMITIVE, MED_PRIMITIVE_XHTML, false, 2},
    };
    const med_pack *p = med_pack_core();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_type t = type(rows[i].name);
        assert_text(med_type_name(p, t), rows[i].name);
        assert_text(med_type_name(p, med_type_base(p, t)), rows[i].base);
        assert_int_equal(med_type_kind_of(p, t), rows[i].kind);
        assert_int_equal(med_type_primitive(p, t), rows[i].primitive);
        assert_int_equal(med_type_is_abstract(p, t), rows[i].abstract);
        if (med_type_element_count(p, t) != rows[i].elements)
            fail_msg("%s has %zu elements", rows[i].name, med_type_element_count(p, t));
    }
    assert_int_equal(med_pack_type(p, MED_STR("Patients")), MED_TYPE_NONE);
    assert_int_equal(med_pack_type(p, MED_STR("")), MED_TYPE_NONE);
    assert_true(med_type_is_a(p, type("Age"), type("Quantity")));
    assert_true(med_type_is_a(p, type("Patient"), type("Resource")));
    assert_true(med_type_is_a(p, type("Patient"), type("Patient")));
    assert_false(med_type_is_a(p, type("Quantity"), type("Age")));
    assert_false(med_type_is_a(p, type("Patient"), MED_TYPE_NONE));
    assert_text(med_pack_nearest_resource(p, MED_STR("Pateint")), "Patient");
    assert_text(med_pack_nearest_resource(p, MED_STR("observation")), "Observation");
    assert_text(med_pack_nearest_resource(p, MED_STR("Xyzzyplugh")), "");
}

static void test_property_rows(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name, *value, *element;
        bool is_array;
    } rows[] = {
        {"Patient", "name", "HumanName", "Patient.name", true},
        {"Patient", "id", "id", "Patient.id", false},
        {"Patient.contact", "id", "System.String", "Patient.contact.id", false},
        {"Patient", "contained", "Resource", "Patient.contained", true},
        {"Patient", "deceasedDateTime", "dateTime", "Patient.deceased[x]", false},
        {"Patient", "deceasedBoolean", "boolean", "Patient.deceased[x]", false},
        {"Patient", "contact", "Patient.contact", "Patient.contact", true},
        {"Observation", "valueQuantity", "Quantity", "Observation.value[x]", false},
        {"Observation.component", "referenceRange", "Observation.referenceRange",
         "Observation.component.referenceRange", true},
        {"Bundle.entry", "resource", "Resource", "Bundle.entry.resource", false},
        {"Bundle.entry", "link", "Bundle.link", "Bundle.entry.link", true},
        {"Extension", "url", "System.String", "Extension.url", false},
        {"Extension", "valueBase64Binary", "base64Binary", "Extension.value[x]", false},
        {"Narrative", "div", "xhtml", "Narrative.div", false},
        {"Questionnaire.item", "item", "Questionnaire.item", "Questionnaire.item.item", true},
        {"ElementDefinition", "fixedMarkdown", "markdown", "ElementDefinition.fixed[x]", false},
        {"HumanName", "given", "string", "HumanName.given", true},
        {"string", "extension", "Extension", "string.extension", true},
    };
    const med_pack *p = med_pack_core();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_type t = type(rows[i].type);
        med_property property;
        med_element element;
        if (!med_type_property(p, t, med_str_from(rows[i].name), &property))
            fail_msg("%s has no %s", rows[i].type, rows[i].name);
        assert_text(property.name, rows[i].name);
        assert_text(med_type_name(p, property.type), rows[i].value);
        assert_int_equal(property.is_array, rows[i].is_array);
        med_type_element(p, t, property.element, &element);
        assert_text(element.path, rows[i].element);
        size_t first = 0;
        size_t n = med_element_properties(p, t, property.element, &first);
        bool found = false;
        for (size_t k = first; k < first + n; k++) {
            med_property one;
            med_type_property_at(p, t, k, &one);
            assert_int_equal(one.element, property.element);
            found = found || med_str_eq(one.name, property.name);
        }
        assert_true(found);
    }
    static const char *const none[][2] = {{"Patient", "value"},    {"Patient", ""},
                                          {"Patient", "deceased"}, {"string", "value"},
                                          {"Patient", "names"},    {"Observation", "valueMoney"},
                                          {"Patient", "nam"},      {"code", "code"},
                                          {"System.String", "id"}, {"Patient", "_birthDate"}};
    med_property property;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(med_type_property(p, type(none[i][0]), med_str_from(none[i][1]), &property));
    assert_text(med_type_nearest_property(p, type("Patient"), MED_STR("birthdate")), "birthDate");
    assert_text(med_type_nearest_property(p, type("Patient"), MED_STR("zzzzzz")), "");
}

/* Every property of every type is found by its name. */
static void test_all_properties(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    size_t all = 0;
    for (med_type t = 0; t < med_pack_type_count(p); t++) {
        for (size_t i = 0; i < med_type_property_count(p, t); i++, all++) {
            med_property at, found;
            med_type_property_at(p, t, i, &at);
            assert_true(med_type_property(p, t, at.name, &found));
            assert_ptr_equal(at.name.ptr, found.name.ptr);
            assert_int_equal(at.type, found.type);
        }
    }
    assert_true(all > 7000);
}

static void test_element_rows(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    med_element e;
    med_type observation = type("Observation");
    med_type_element(p, observation, med_type_find_element(p, observation, MED_STR("status")), &e);
    assert_int_equal(e.min, 1);
    assert_int_equal(e.max, 1);
    assert_true(e.is_modifier);
    assert_true(e.is_summary);
    assert_int_equal(e.binding, 4);
    assert_text(e.value_set, "http://hl7.org/fhir/ValueSet/observation-status");
    size_t value = med_type_find_element(p, observation, MED_STR("value"));
    med_type_element(p, observation, value, &e);
    assert_true(e.is_choice);
    assert_int_equal(e.index, value);
    assert_int_equal(med_type_find_element(p, observation, MED_STR("valueQuantity")), SIZE_MAX);
    size_t n = 0;
    const uint16_t *required = med_type_required(p, observation, &n);
    assert_int_equal(n, 2); /* status, code */
    med_type_element(p, observation, required[1], &e);
    assert_text(e.name, "code");
    size_t subject = med_type_find_element(p, observation, MED_STR("subject"));
    const med_type *targets = med_element_targets(p, observation, subject, &n);
    assert_int_equal(n, 4);
    assert_text(med_type_name(p, targets[0]), "Patient");
    assert_text(med_type_name(p, targets[3]), "Location");
}

static void test_invariants(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    med_invariant v[16];
    med_type contact = type("Patient.contact");
    assert_int_equal(med_element_invariants(p, contact, SIZE_MAX, 0, v, 16), 2);
    assert_text(v[0].key, "ele-1");
    assert_text(v[1].key, "pat-1");
    assert_text(v[1].path, "Patient.contact");
    assert_text(v[1].expression, "name.exists() or telecom.exists() or address.exists() or "
                                 "organization.exists()");
    med_type patient = type("Patient");
    size_t element = med_type_find_element(p, patient, MED_STR("contact"));
    assert_int_equal(med_element_invariants(p, patient, element, 0, v, 16), 0);
    size_t n = med_element_invariants(p, type("Observation"), SIZE_MAX, 0, v, 16);
    assert_int_equal(n, 7); /* dom-2..6, obs-6, obs-7 */
    assert_int_equal(med_element_invariants(p, type("Observation"), SIZE_MAX, 6, v, 1), 7);
    assert_true(med_str_starts(v[0].key, MED_STR("obs-")) || v[0].key.len > 0);
    med_type range = type("Observation");
    element = med_type_find_element(p, range, MED_STR("identifier"));
    assert_int_equal(med_element_invariants(p, range, element, 0, v, 16), 0);
}

static void test_param_rows(void **state)
{
    (void)state;
    static const struct {
        const char *resource, *code, *url;
        enum med_param_type type;
        bool compiled;
    } rows[] = {
        {"Patient", "name", "Patient-name", MED_PARAM_STRING, true},
        {"Patient", "birthdate", "individual-birthdate", MED_PARAM_DATE, true},
        {"Patient", "phone", "individual-phone", MED_PARAM_TOKEN, true},
        {"Patient", "deceased", "Patient-deceased", MED_PARAM_TOKEN, true},
        {"Patient", "_id", "Resource-id", MED_PARAM_TOKEN, true},
        {"Patient", "_lastUpdated", "Resource-lastUpdated", MED_PARAM_DATE, true},
        {"Patient", "_profile", "Resource-profile", MED_PARAM_URI, true},
        {"Patient", "_source", "Resource-source", MED_PARAM_URI, true},
        {"Patient", "_text", "DomainResource-text", MED_PARAM_STRING, false},
        {"Bundle", "_content", "Resource-content", MED_PARAM_STRING, false},
        {"Bundle", "composition", "Bundle-composition", MED_PARAM_REFERENCE, true},
        {"Location", "near", "Location-near", MED_PARAM_SPECIAL, false},
        {"Observation", "code", "clinical-code", MED_PARAM_TOKEN, true},
        {"Observation", "patient", "clinical-patient", MED_PARAM_REFERENCE, true},
        {"Observation", "value-quantity", "Observation-value-quantity", MED_PARAM_QUANTITY, true},
        {"Observation", "code-value-quantity", "Observation-code-value-quantity",
         MED_PARAM_COMPOSITE, true},
        {"Observation", "code-value-date", "Observation-code-value-date", MED_PARAM_COMPOSITE,
         true},
        {"RiskAssessment", "probability", "RiskAssessment-probability", MED_PARAM_NUMBER, true},
        {"Encounter", "length", "Encounter-length", MED_PARAM_QUANTITY, true},
        {"CapabilityStatement", "url", "conformance-url", MED_PARAM_URI, true},
        {"MedicationRequest", "medication", "medications-medication", MED_PARAM_REFERENCE, true},
        {"Task", "patient", "Task-patient", MED_PARAM_REFERENCE, true},
    };
    const med_pack *p = med_pack_core();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        med_param param;
        if (!med_pack_find_param(p, type(rows[i].resource), med_str_from(rows[i].code), &param))
            fail_msg("%s has no %s", rows[i].resource, rows[i].code);
        assert_text(param.code, rows[i].code);
        med_str name = med_str_skip(param.url, strlen("http://hl7.org/fhir/SearchParameter/"));
        assert_text(name, rows[i].url);
        assert_int_equal(param.type, rows[i].type);
        assert_int_equal(param.compiled, rows[i].compiled);
        assert_int_equal(param.why_not.len > 0, !rows[i].compiled);
    }
    med_param param;
    assert_false(med_pack_find_param(p, type("Patient"), MED_STR("nam"), &param));
    assert_false(med_pack_find_param(p, type("Bundle"), MED_STR("_text"), &param));
    assert_true(med_pack_find_param(p, type("Patient"), MED_STR("link"), &param));
    assert_int_equal(param.n_targets, 2);
}

static void test_composite(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    med_param param, part;
    assert_true(
        med_pack_find_param(p, type("Observation"), MED_STR("combo-code-value-quantity"), &param));
    assert_text(param.expression, "Observation | Observation.component");
    assert_int_equal(param.n_components, 2);
    med_pack_param(p, param.components[0], &part);
    assert_text(part.code, "combo-code");
    med_pack_param(p, param.components[1], &part);
    assert_text(part.code, "combo-value-quantity");
    assert_text(med_param_component_expression(p, param.index, 1), "value.as(Quantity)");
}

/* Lists are sorted, so that they can be searched and shown. */
static void test_param_lists(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    size_t n_resources = 0;
    const med_type *resources = med_pack_resources(p, &n_resources);
    size_t pairs = 0;
    for (size_t r = 0; r < n_resources; r++) {
        size_t n = 0;
        const uint32_t *list = med_type_params(p, resources[r], &n);
        assert_true(n >= 8);
        pairs += n;
        med_str last = MED_STR_EMPTY;
        for (size_t i = 0; i < n; i++) {
            med_param param, found;
            med_pack_param(p, list[i], &param);
            assert_true(med_str_compare(last, param.code) < 0);
            last = param.code;
            assert_true(med_pack_find_param(p, resources[r], param.code, &found));
            assert_int_equal(found.index, list[i]);
        }
    }
    assert_int_equal(pairs, 3008);
}

static void test_compartment(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    size_t n = 0;
    med_param param;
    const uint32_t *list = med_type_patient_params(p, type("Observation"), &n);
    assert_int_equal(n, 2);
    med_pack_param(p, list[0], &param);
    assert_text(param.code, "subject");
    med_pack_param(p, list[1], &param);
    assert_text(param.code, "performer");
    (void)med_type_patient_params(p, type("Organization"), &n);
    assert_int_equal(n, 0);
    list = med_type_patient_params(p, type("Patient"), &n);
    assert_int_equal(n, 1);
    med_pack_param(p, list[0], &param);
    assert_text(param.code, "link");
}

static void test_codes(void **state)
{
    (void)state;
    const med_pack *p = med_pack_core();
    med_codes gender =
        med_pack_codes(p, MED_STR("http://hl7.org/fhir/ValueSet/administrative-gender"));
    assert_int_equal(gender.n, 4);
    assert_text(med_codes_at(p, gender, 0), "female");
    assert_true(med_codes_have(p, gender, MED_STR("unknown")));
    assert_false(med_codes_have(p, gender, MED_STR("Male")));
    assert_text(med_codes_nearest(p, gender, MED_STR("Male")), "male");
    assert_text(med_codes_nearest(p, gender, MED_STR("x")), "");
    assert_int_equal(med_pack_codes(p, MED_STR("http://hl7.org/fhir/ValueSet/mimetypes")).n, 0);
    assert_int_equal(med_pack_codes(p, MED_STR("http://hl7.org/fhir/ValueSet/currencies")).n, 0);
    assert_int_equal(med_pack_codes(p, MED_STR("")).n, 0);
    med_type patient = type("Patient");
    size_t element = med_type_find_element(p, patient, MED_STR("gender"));
    assert_int_equal(med_element_codes(p, patient, element).n, 4);
    element = med_type_find_element(p, patient, MED_STR("name"));
    assert_int_equal(med_element_codes(p, patient, element).n, 0);
}

/* ---- damage ---- */

static med_pack *copy_core(med_arena *a)
{
    med_str bytes = med_pack_core_bytes();
    uint64_t *copy = MED_TAKE(a, bytes.len / 8 + 1, uint64_t);
    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    return (med_pack *)copy;
}

static bool opens(const med_pack *p, size_t len)
{
    const med_pack *out = NULL;
    med_err err = {0};
    bool ok = med_pack_open((med_str){(const char *)p, len}, &out, &err);
    assert_int_equal(ok, err.issue == MED_ISSUE_NONE);
    return ok;
}

static void test_damaged(void **state)
{
    (void)state;
    med_arena *a = med_arena_new((size_t)64 << 20);
    size_t len = med_pack_core_bytes().len;
    med_pack *p = copy_core(a);
    assert_true(opens(p, len));
    assert_false(opens(p, len - 1));
    assert_false(opens(p, 16));
    assert_false(opens(p, 0));
    ((char *)p)[len / 2] ^= 1; /* one bit flipped: the checksum sees it */
    assert_false(opens(p, len));
    ((char *)p)[len / 2] ^= 1;
    p->format++;
    assert_false(opens(p, len));
    p->format--;
    p->byte_order = 0x04030201;
    assert_false(opens(p, len));
    med_arena_free(a);
}

/* Touches what a reader of an opened pack would touch. */
static size_t read_all(const med_pack *p)
{
    size_t sum = 0;
    for (med_type t = 0; t < med_pack_type_count(p); t++) {
        sum += med_type_name(p, t).len + med_type_is_a(p, t, 3);
        for (size_t i = 0; i < med_type_element_count(p, t); i++) {
            med_element e;
            size_t n = 0;
            med_invariant v;
            med_type_element(p, t, i, &e);
            sum += e.name.len + med_element_properties(p, t, i, &n);
            sum += med_element_invariants(p, t, i, 0, &v, 1) + med_element_codes(p, t, i).n;
        }
        for (size_t i = 0; i < med_type_property_count(p, t); i++) {
            med_property at;
            med_type_property_at(p, t, i, &at);
            sum += med_type_property(p, t, at.name, &at);
        }
    }
    for (uint32_t i = 0; i < med_pack_param_count(p); i++) {
        med_param param;
        med_pack_param(p, i, &param);
        for (size_t k = 0; k < param.n_components; k++)
            sum += med_param_component_expression(p, i, k).len;
    }
    return sum;
}

/* A file made by an enemy has a right checksum and wrong offsets: it is refused, or harmless. */
static void test_hostile(void **state)
{
    (void)state;
    med_arena *a = med_arena_new((size_t)64 << 20);
    size_t len = med_pack_core_bytes().len;
    med_pack *p = copy_core(a);
    uint64_t random = 88172645463325252U;
    int refused = 0;
    for (int i = 0; i < 200; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        /* Strings are a third of the bytes and can not do harm: aim behind them. */
        size_t from = sizeof *p + p->sections[PACK_STRINGS].n;
        size_t at = i < 40 ? (size_t)(random % sizeof *p) : from + (size_t)(random % (len - from));
        char old = ((char *)p)[at];
        ((char *)p)[at] = (char)(old ^ (char)(1 << (random >> 40 & 7)));
        if (p->size == len) {
            p->checksum = med_pack_checksum(p);
            if (opens(p, len))
                assert_true(read_all(p) > 0);
            else
                refused++;
        }
        ((char *)p)[at] = old;
    }
    assert_true(refused > 20);
    med_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),        cmocka_unit_test(test_type_rows),
        cmocka_unit_test(test_property_rows), cmocka_unit_test(test_all_properties),
        cmocka_unit_test(test_element_rows),  cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_param_rows),    cmocka_unit_test(test_composite),
        cmocka_unit_test(test_param_lists),   cmocka_unit_test(test_compartment),
        cmocka_unit_test(test_codes),         cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
