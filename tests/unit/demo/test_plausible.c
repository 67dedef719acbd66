/* What no doctor would believe must not be there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/datetime.h"
#include "demo/national_id.h"
#include "nation.h"

enum { PEOPLE = 500 };

/* What the tests ask of each person. */
typedef struct facts {
    bool female;
    int64_t birth, death; /* days; death INT64_MAX for the living */
    int64_t diabetes;     /* day of onset, INT64_MAX: none */
    bool penicillin_allergy;
    int64_t pregnant_from[4], pregnant_to[4];
    size_t pregnancies;
} facts;

typedef struct world {
    nation t;
    facts people[PEOPLE];
} world;

static bool is(const nation_resource *r, const char *type)
{
    return med_str_eqz(r->type, type);
}

static bool has_code(const nation_resource *r, const char *code)
{
    return med_str_eqz(nation_get(r, "code.coding[0].code"), code);
}

static void note_condition(facts *f, const nation_resource *r)
{
    int64_t onset = nation_day(r, "onsetDateTime"), end = nation_day(r, "abatementDateTime");
    if (has_code(r, "44054006"))
        f->diabetes = onset;
    if (has_code(r, "72892002")) {
        assert_true(f->pregnancies < 4);
        f->pregnant_from[f->pregnancies] = onset;
        f->pregnant_to[f->pregnancies++] = end == INT64_MIN ? INT64_MAX : end;
    }
}

static void note(facts *f, const nation_resource *r)
{
    if (is(r, "Patient")) {
        f->female = med_str_eqz(nation_get(r, "gender"), "female");
        f->birth = nation_day(r, "birthDate");
        int64_t death = nation_day(r, "deceasedDateTime");
        f->death = death == INT64_MIN ? INT64_MAX : death;
        f->diabetes = INT64_MAX;
    } else if (is(r, "Condition")) {
        note_condition(f, r);
    } else if (is(r, "AllergyIntolerance") && has_code(r, "91936005")) {
        f->penicillin_allergy = true;
    }
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->t = nation_generate(PEOPLE, 11);
    for (size_t i = 0; i < w->t.n; i++) {
        if (w->t.all[i].person >= 0)
            note(&w->people[w->t.all[i].person], &w->t.all[i]);
    }
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    nation_free(&w->t);
    free(w);
    return 0;
}

/* Calls `check` for each resource of a person; says how many times it returned true. */
static size_t for_each(world *w, bool (*check)(const facts *f, const nation_resource *r))
{
    size_t n = 0;
    for (size_t i = 0; i < w->t.n; i++) {
        if (w->t.all[i].person >= 0)
            n += check(&w->people[w->t.all[i].person], &w->t.all[i]);
    }
    return n;
}

static bool happens_in_life(const facts *f, const nation_resource *r)
{
    static const char *const past[] = {
        "period.start",   "period.end",         "effectiveDateTime",   "issued",
        "recordedDate",   "onsetDateTime",      "abatementDateTime",   "authoredOn",
        "whenHandedOver", "occurrenceDateTime", "performedPeriod.end", "date",
        "created",        "dateTime",           "context.period.end",
    };
    for (size_t i = 0; i < sizeof past / sizeof past[0]; i++) {
        int64_t day = nation_day(r, past[i]);
        if (day == INT64_MIN)
            continue;
        bool plan = is(r, "CarePlan") || is(r, "Coverage") || is(r, "Flag");
        int64_t last = f->death < NATION_TODAY ? f->death : NATION_TODAY;
        if (day < f->birth || (!plan && day > last))
            fail_msg("%.*s %s lies outside of the life", MED_STR_ARG(r->id), past[i]);
    }
    return true;
}

static void nothing_happens_outside_of_a_life(void **state)
{
    assert_true(for_each(*state, happens_in_life) > PEOPLE);
}

static bool check_sex(const facts *f, const nation_resource *r)
{
    static const char *const women[] = {"72892002", "254837009", "68226007", "6875-9",  "11881-0",
                                        "55283-6",  "177184002", "11466000", "24623002"};
    static const char *const men[] = {"399068003", "2857-1", "90470006"};
    for (size_t i = 0; i < sizeof women / sizeof women[0]; i++) {
        if (has_code(r, women[i]) && !f->female)
            fail_msg("%.*s: %s in a man", MED_STR_ARG(r->id), women[i]);
    }
    for (size_t i = 0; i < sizeof men / sizeof men[0]; i++) {
        if (has_code(r, men[i]) && f->female)
            fail_msg("%.*s: %s in a woman", MED_STR_ARG(r->id), men[i]);
    }
    if (!is(r, "Condition") || !has_code(r, "72892002"))
        return false;
    assert_in_range((nation_day(r, "onsetDateTime") - f->birth) / 365, 18, 45);
    return true;
}

static void sexes_have_their_own(void **state)
{
    assert_true(for_each(*state, check_sex) > 5); /* pregnancies */
}

static bool check_hba1c(const facts *f, const nation_resource *r)
{
    bool percent = has_code(r, "4548-4");
    if (!is(r, "Observation") || (!has_code(r, "59261-8") && !percent))
        return false;
    int64_t value = nation_thousandths(r, "valueQuantity.value");
    bool diabetic = nation_day(r, "effectiveDateTime") >= f->diabetes;
    int64_t least = percent ? 6000 : 42000, most = percent ? 6500 : 48000;
    if (diabetic ? value < least : f->diabetes == INT64_MAX && value >= most)
        fail_msg("%.*s: HbA1c does not fit", MED_STR_ARG(r->id));
    return diabetic;
}

static void hba1c_fits_diabetes(void **state)
{
    assert_true(for_each(*state, check_hba1c) > 20);
}

static bool pregnant(const facts *f, int64_t day)
{
    for (size_t i = 0; i < f->pregnancies; i++) {
        if (f->pregnant_from[i] <= day && day < f->pregnant_to[i])
            return true;
    }
    return false;
}

static bool check_drug(const facts *f, const nation_resource *r)
{
    bool order = is(r, "MedicationRequest");
    if (!order && !is(r, "MedicationDispense"))
        return false;
    med_str atc = nation_get(r, "medicationCodeableConcept.coding[0].code");
    int64_t day = nation_day(r, order ? "authoredOn" : "whenHandedOver");
    int64_t age = (day - f->birth) / 365;
    bool statin = med_str_starts(atc, MED_STR("C10AA")), ace = med_str_starts(atc, MED_STR("C09"));
    if (statin || ace)
        assert_true(age >= 18);
    if (pregnant(f, day))
        assert_false(statin || ace || med_str_starts(atc, MED_STR("M01A")));
    if (med_str_starts(atc, MED_STR("A10B")) && !med_str_starts(atc, MED_STR("A10BK")))
        assert_true(day >= f->diabetes);
    if (f->penicillin_allergy)
        assert_false(med_str_starts(atc, MED_STR("J01C")));
    if (med_str_starts(atc, MED_STR("L02BA")) || med_str_starts(atc, MED_STR("L02BG")))
        assert_true(f->female);
    return true;
}

static void drugs_fit_the_person(void **state)
{
    assert_true(for_each(*state, check_drug) > PEOPLE);
}

static const nation_resource *find(const world *w, const char *type, med_str id)
{
    for (size_t i = 0; i < w->t.n; i++) {
        if (is(&w->t.all[i], type) && med_str_eq(w->t.all[i].id, id))
            return &w->t.all[i];
    }
    return NULL;
}

/* The dispenses of an order stand behind it, one after the other. */
static void never_more_than_prescribed(void **state)
{
    world *w = *state;
    size_t orders = 0, dispenses = 0;
    for (size_t i = 0; i < w->t.n; i++) {
        const nation_resource *order = &w->t.all[i];
        if (!is(order, "MedicationRequest"))
            continue;
        orders++;
        int64_t repeats = 0;
        assert_true(med_str_to_int64(nation_get(order, "dispenseRequest.numberOfRepeatsAllowed"),
                                     &repeats));
        int64_t allowed =
            nation_thousandths(order, "dispenseRequest.quantity.value") * (1 + repeats);
        med_str atc = nation_get(order, "medicationCodeableConcept.coding[0].code");
        for (size_t k = i + 1; k < w->t.n && is(&w->t.all[k], "MedicationDispense"); k++) {
            const nation_resource *d = &w->t.all[k];
            med_str id;
            (void)med_str_cut(nation_get(d, "authorizingPrescription[0].reference"), '/', &id);
            assert_true(med_str_eq(id, order->id));
            assert_true(med_str_eq(nation_get(d, "medicationCodeableConcept.coding[0].code"), atc));
            assert_true(med_str_eq(nation_get(d, "quantity.code"),
                                   nation_get(order, "dispenseRequest.quantity.code")));
            int64_t handed = nation_day(d, "whenHandedOver");
            assert_true(handed >= nation_day(order, "dispenseRequest.validityPeriod.start"));
            assert_true(handed <= nation_day(order, "dispenseRequest.validityPeriod.end"));
            allowed -= nation_thousandths(d, "quantity.value");
            dispenses++;
        }
        assert_true(allowed >= 0);
    }
    assert_true(orders > PEOPLE && dispenses > orders);
}

static bool check_flag(const facts *f, const nation_resource *r)
{
    (void)f;
    int64_t low = nation_thousandths(r, "referenceRange[0].low.value");
    int64_t high = nation_thousandths(r, "referenceRange[0].high.value");
    int64_t value = nation_thousandths(r, "valueQuantity.value");
    if (!is(r, "Observation") || (low == INT64_MIN && high == INT64_MIN))
        return false;
    const char *flag = low != INT64_MIN && value < low     ? "L"
                       : high != INT64_MIN && value > high ? "H"
                                                           : "N";
    if (!med_str_eqz(nation_get(r, "interpretation[0].coding[0].code"), flag))
        fail_msg("%.*s: not flagged %s", MED_STR_ARG(r->id), flag);
    return true;
}

static void flags_agree_with_ranges(void **state)
{
    assert_true(for_each(*state, check_flag) > 1000);
}

/* Of one person and code, in order of time: never a jump a body does not make. */
static void values_have_trends(void **state)
{
    static const struct {
        const char *code;
        int64_t jump; /* thousandths a grown person may change between two visits */
        int64_t days; /* so far apart */
    } rows[] = {{"8302-2", 1500, 1500},
                {"29463-7", 9000, 400},
                {"14682-9", 22000, 400},
                {"22748-8", 2600, 400}};
    world *w = *state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const nation_resource *last = NULL;
        size_t compared = 0;
        for (size_t i = 0; i < w->t.n; i++) {
            const nation_resource *r = &w->t.all[i];
            if (!is(r, "Observation") || !has_code(r, rows[k].code))
                continue;
            bool same = last != NULL && last->person == r->person;
            const facts *f = &w->people[r->person];
            int64_t day = nation_day(r, "effectiveDateTime");
            bool grown = (day - f->birth) / 365 > 22 && f->pregnancies == 0;
            if (same && grown && day - nation_day(last, "effectiveDateTime") < rows[k].days) {
                int64_t change = nation_thousandths(r, "valueQuantity.value")
                                 - nation_thousandths(last, "valueQuantity.value");
                if (change > rows[k].jump || change < -rows[k].jump)
                    fail_msg("%.*s: %s jumps", MED_STR_ARG(r->id), rows[k].code);
                compared++;
            }
            last = r;
        }
        assert_true(compared > 5);
    }
}

static void identifiers_have_their_check_digits(void **state)
{
    world *w = *state;
    static const struct {
        const char *system;
        enum med_national_id kind;
    } rows[] = {
        {"https://medulla.example/demo/sid/emso", MED_NATIONAL_ID_EMSO},
        {"https://medulla.example/demo/sid/rodne-cislo", MED_NATIONAL_ID_RODNE},
        {"https://medulla.example/demo/sid/cpr", MED_NATIONAL_ID_CPR},
        {"urn:oid:2.16.578.1.12.4.1.4.1", MED_NATIONAL_ID_FODSEL},
        {"https://medulla.example/demo/sid/egn", MED_NATIONAL_ID_EGN},
    };
    size_t seen[5] = {0};
    for (size_t i = 0; i < w->t.n; i++) {
        const nation_resource *r = &w->t.all[i];
        if (!is(r, "Patient"))
            continue;
        for (size_t k = 0; k < 5; k++) {
            if (!med_str_eqz(nation_get(r, "identifier[0].system"), rows[k].system))
                continue;
            med_str value = nation_get(r, "identifier[0].value");
            assert_true(med_national_id_check(rows[k].kind, value));
            if (rows[k].kind == MED_NATIONAL_ID_FODSEL)
                assert_in_range(value.ptr[2], '8', '9'); /* month + 80: synthetic */
            seen[k]++;
        }
    }
    for (size_t k = 0; k < 5; k++)
        assert_in_range(seen[k], PEOPLE / 10, PEOPLE / 3);
}

/* A small child's mother was delivered of it on its birthday. */
static void children_are_born_by_their_mothers(void **state)
{
    world *w = *state;
    size_t births = 0;
    for (size_t i = 0; i < w->t.n; i++) {
        const nation_resource *r = &w->t.all[i];
        if (!is(r, "RelatedPerson")
            || !med_str_eqz(nation_get(r, "relationship[0].coding[0].code"), "MTH"))
            continue;
        int64_t birth = w->people[r->person].birth;
        assert_in_range((birth - nation_day(r, "birthDate")) / 365, 18, 44);
        med_str id = nation_get(r, "identifier[0].value");
        bool found = birth < NATION_TODAY - 700; /* older births are not told of */
        for (size_t k = 0; k < w->t.n && !found; k++) {
            const nation_resource *p = &w->t.all[k];
            const facts *f = p->person < 0 ? NULL : &w->people[p->person];
            if (!is(p, "Patient") || !med_str_eq(nation_get(p, "identifier[0].value"), id))
                continue;
            for (size_t n = 0; n < f->pregnancies; n++) {
                found |= f->pregnant_to[n] == birth;
                births += f->pregnant_to[n] == birth;
            }
        }
        assert_true(found);
    }
    assert_true(births > 2);
}

static void ages_look_like_a_nation(void **state)
{
    world *w = *state;
    size_t children = 0, old = 0, women = 0, dead = 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        int64_t age = (NATION_TODAY - w->people[i].birth) / 365;
        assert_in_range(age, 0, 105);
        children += age < 15;
        old += age >= 65;
        women += w->people[i].female;
        dead += w->people[i].death != INT64_MAX;
    }
    assert_in_range(children * 100 / PEOPLE, 9, 20);
    assert_in_range(old * 100 / PEOPLE, 13, 26);
    assert_in_range(women * 100 / PEOPLE, 44, 57);
    assert_in_range(dead * 1000 / PEOPLE, 8, 60);
}

static bool check_report(const facts *f, const nation_resource *r)
{
    (void)f;
    return is(r, "DiagnosticReport") && nation_get(r, "result[0].reference").len > 0;
}

static void reports_group_results(void **state)
{
    world *w = *state;
    assert_true(for_each(w, check_report) > 100);
    size_t letters = 0;
    for (size_t i = 0; i < w->t.n; i++) {
        const nation_resource *r = &w->t.all[i];
        med_str url =
            is(r, "DocumentReference") ? nation_get(r, "content[0].attachment.url") : MED_STR_EMPTY;
        if (url.len == 0)
            continue;
        med_str id;
        assert_true(med_str_eqz(med_str_cut(url, '/', &id), "Binary"));
        assert_non_null(find(w, "Binary", id));
        letters++;
    }
    assert_true(letters > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_happens_outside_of_a_life),
        cmocka_unit_test(sexes_have_their_own),
        cmocka_unit_test(hba1c_fits_diabetes),
        cmocka_unit_test(drugs_fit_the_person),
        cmocka_unit_test(never_more_than_prescribed),
        cmocka_unit_test(flags_agree_with_ranges),
        cmocka_unit_test(values_have_trends),
        cmocka_unit_test(identifiers_have_their_check_digits),
        cmocka_unit_test(children_are_born_by_their_mothers),
        cmocka_unit_test(ages_look_like_a_nation),
        cmocka_unit_test(reports_group_results),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
