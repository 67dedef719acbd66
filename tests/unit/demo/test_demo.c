/* The whole generator: every resource parses, ids and references hold, the ceiling per person
 * holds, the same seed gives the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "nation.h"

enum { PEOPLE = 50 };

/* A set of "Type/id" by hash; big enough for the test. */
enum { SET_SIZE = 1 << 16 };
typedef struct set {
    uint64_t at[SET_SIZE];
    size_t n;
} set;

static uint64_t hash_of(med_str a, med_str b)
{
    med_hasher h;
    med_hasher_begin(&h, (med_hash_key){1, 2});
    med_hasher_add(&h, a);
    med_hasher_add(&h, MED_STR("/"));
    med_hasher_add(&h, b);
    return med_hasher_end(&h) | 1;
}

static bool set_has(const set *s, uint64_t hash)
{
    size_t i = hash % SET_SIZE;
    while (s->at[i] != 0 && s->at[i] != hash)
        i = (i + 1) % SET_SIZE;
    return s->at[i] == hash;
}

static void set_add(set *s, uint64_t hash)
{
    assert_true(++s->n < SET_SIZE / 2);
    size_t i = hash % SET_SIZE;
    while (s->at[i] != 0)
        i = (i + 1) % SET_SIZE;
    s->at[i] = hash;
}

/* Every member called "reference", at any depth, names something in the set. */
static size_t check_references(const nation_resource *r, const set *known)
{
    const med_json *j = &r->json;
    size_t n = 0;
    for (uint32_t i = 1; i + 1 < j->n; i++) {
        if (med_json_kind_at(j, i) != MED_JSON_STRING
            || !med_str_eqz(med_json_raw(j, i), "reference")
            || med_json_kind_at(j, i + 1) != MED_JSON_STRING)
            continue;
        med_str id;
        med_str type = med_str_cut(med_json_raw(j, i + 1), '/', &id);
        if (!set_has(known, hash_of(type, id)))
            fail_msg("%.*s points at %.*s/%.*s, which did not come before", MED_STR_ARG(r->id),
                     MED_STR_ARG(type), MED_STR_ARG(id));
        n++;
    }
    return n;
}

static bool is_fhir_id(med_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (!med_is_alnum(id.ptr[i]) && id.ptr[i] != '-' && id.ptr[i] != '.')
            return false;
    }
    return id.len > 0 && id.len <= 64;
}

static void references_point_backwards(void **state)
{
    (void)state;
    nation t = nation_generate(PEOPLE, 1);
    set *known = MED_TAKE(t.arena, 1, set);
    assert_non_null(known);
    size_t references = 0;
    for (size_t i = 0; i < t.n; i++) {
        const nation_resource *r = &t.all[i];
        assert_true(is_fhir_id(r->id));
        assert_true(med_str_eq(nation_get(r, "resourceType"), r->type));
        assert_true(med_str_eq(nation_get(r, "id"), r->id));
        references += check_references(r, known);
        uint64_t hash = hash_of(r->type, r->id);
        assert_false(set_has(known, hash)); /* no id twice */
        set_add(known, hash);
    }
    assert_true(references > t.n);
    nation_free(&t);
}

static void nobody_has_too_many(void **state)
{
    (void)state;
    nation t = nation_generate(200, 3);
    size_t counts[200] = {0};
    for (size_t i = 0; i < t.n; i++) {
        if (t.all[i].person >= 0)
            counts[t.all[i].person]++;
    }
    size_t total = 0;
    for (size_t i = 0; i < 200; i++) {
        assert_in_range(counts[i], 2, MED_DEMO_MAX_PER_PERSON);
        total += counts[i];
    }
    assert_in_range(total / 200, 48, 66);
    nation_free(&t);
}

static size_t count(const nation *t, const char *type)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += med_str_eqz(t->all[i].type, type);
    return n;
}

static void every_type_is_there(void **state)
{
    (void)state;
    static const char *const types[] = {
        "AllergyIntolerance", "Appointment",  "Binary",        "CarePlan",
        "Condition",          "Consent",      "Coverage",      "DiagnosticReport",
        "DocumentReference",  "Encounter",    "Flag",          "Goal",
        "HealthcareService",  "Immunization", "Location",      "MedicationDispense",
        "MedicationRequest",  "Observation",  "Organization",  "Practitioner",
        "PractitionerRole",   "Procedure",    "RelatedPerson", "Schedule",
        "ServiceRequest",     "Slot",         "Task",
    };
    nation t = nation_generate(200, 3);
    assert_int_equal(count(&t, "Patient"), 200);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (count(&t, types[i]) == 0)
            fail_msg("no %s", types[i]);
    }
    nation_free(&t);
}

static void same_seed_same_bytes(void **state)
{
    (void)state;
    nation a = nation_generate(PEOPLE, 7), b = nation_generate(PEOPLE, 7);
    nation other = nation_generate(PEOPLE, 8);
    assert_int_equal(a.n, b.n);
    size_t differs = 0;
    for (size_t i = 0; i < a.n; i++) {
        assert_true(med_str_eq(a.all[i].json.text, b.all[i].json.text));
        differs += i < other.n && !med_str_eq(a.all[i].json.text, other.all[i].json.text);
    }
    assert_true(differs > a.n / 2);
    nation_free(&a);
    nation_free(&b);
    nation_free(&other);
}

static void estimate_is_near(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 100, 400};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        nation t = nation_generate(sizes[i], 5);
        med_demo_options options = {sizes[i], 5, NATION_TODAY};
        double ratio = (double)med_demo_estimate(&options) / (double)t.n;
        assert_true(ratio > 0.88 && ratio < 1.12);
        nation_free(&t);
    }
}

static bool refuse_tenth(void *self, med_str type, med_str id, med_str json, med_err *err)
{
    size_t *n = self;
    (void)type;
    (void)id;
    (void)json;
    return ++*n < 10 || MED_FAIL(err, MED_ISSUE_NO_STORE, "full");
}

static void stops_when_emit_fails(void **state)
{
    (void)state;
    size_t n = 0;
    med_err err = {0};
    med_demo_options options = {PEOPLE, 1, NATION_TODAY};
    assert_false(med_demo_generate(&options, refuse_tenth, &n, &err));
    assert_int_equal(n, 10);
    assert_int_equal(err.issue, MED_ISSUE_NO_STORE);
    assert_string_equal(err.text, "full");
}

static void refuses_impossible_options(void **state)
{
    (void)state;
    static const med_demo_options bad[] = {
        {0, 1, NATION_TODAY}, {MED_DEMO_MAX_PEOPLE + 1u, 1, NATION_TODAY}, {10, 1, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t n = 0;
        med_err err = {0};
        assert_false(med_demo_generate(&bad[i], refuse_tenth, &n, &err));
        assert_int_equal(err.issue, MED_ISSUE_VALUE);
        assert_int_equal(n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_point_backwards), cmocka_unit_test(nobody_has_too_many),
        cmocka_unit_test(every_type_is_there),        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(estimate_is_near),           cmocka_unit_test(stops_when_emit_fails),
        cmocka_unit_test(refuses_impossible_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
