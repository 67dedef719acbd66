/* plan_prevention.c - vaccinations by the national schedules, preventive visits, screenings. */
#include "demo/data_vaccine.h"
#include "demo/plan.h"

#include "base/datetime.h"
#include "demo/record.h"

enum { REGISTER_SINCE = 15 * 365 }; /* older vaccinations are on paper */

static void plan_vaccine(med_demo_person *p, int32_t day, enum med_demo_vaccine vaccine,
                         unsigned dose, unsigned doses, unsigned rank)
{
    if (day > p->today - REGISTER_SINCE)
        med_demo_plan_add(p, MED_EVENT_VACCINE, med_demo_working_day(day),
                          med_demo_vaccine_arg(vaccine, dose, doses), rank, 3);
}

static void plan_schedule(med_demo_person *p, med_demo_rng *r)
{
    int year = 0, month = 0, day = 0;
    med_civil_from_days(p->birth, &year, &month, &day);
    bool refused[MED_VACCINE_COUNT];
    for (size_t i = 0; i < MED_VACCINE_COUNT; i++)
        refused[i] = med_demo_rng_chance(r, i == MED_VACCINE_HPV   ? 220
                                            : i == MED_VACCINE_TBE ? 450
                                                                   : 45);
    const med_demo_dose *dose = med_demo_schedules[p->country->id];
    for (; dose->doses > 0; dose++) {
        int32_t late = med_demo_rng_range(r, 0,
                                          dose->age_days < 10    ? 0
                                          : dose->age_days < 500 ? 18
                                                                 : 120);
        if (year >= dose->born_since && !refused[dose->vaccine])
            plan_vaccine(p, p->birth + dose->age_days + late, dose->vaccine, dose->dose,
                         dose->doses, 1);
    }
}

/* Autumn of a year: early October to late November. */
static int32_t autumn(med_demo_rng *r, int year)
{
    return (int32_t)med_days_from_civil(year, 10, 3) + med_demo_rng_range(r, 0, 55);
}

static bool is_at_risk(const med_demo_person *p, int32_t day)
{
    return med_demo_age(p, day) >= 65 || med_demo_has(p, MED_DIABETES, day)
           || med_demo_has(p, MED_COPD, day) || med_demo_has(p, MED_CORONARY, day)
           || med_demo_has(p, MED_ASTHMA, day) || med_demo_pregnant(p, day) != NULL;
}

static void plan_adult_vaccines(med_demo_person *p, med_demo_rng *r)
{
    static const uint16_t willing[MED_DEMO_COUNTRIES] = {280, 240, 750, 650, 200}; /* influenza */
    int32_t last = med_demo_last_day(p);
    int year = 0, month = 0, day = 0;
    med_civil_from_days(last, &year, &month, &day);
    if (med_demo_rng_chance(r, willing[p->country->id])) {
        for (int back = 0; back < 3; back++) {
            int32_t at = autumn(r, year - back);
            if (is_at_risk(p, at) && med_demo_rng_chance(r, 850))
                plan_vaccine(p, at, MED_VACCINE_FLU, 1, 1, 3);
        }
    }
    if (med_demo_age(p, last) > 30 && med_demo_rng_chance(r, 480))
        plan_vaccine(p, last - med_demo_rng_range(r, 100, 3600), MED_VACCINE_DT, 1, 1, 3);
    if (med_demo_age(p, last) >= 67 && med_demo_rng_chance(r, 350))
        plan_vaccine(p, p->birth + 65 * 365 + 30 + med_demo_rng_range(r, 0, 700),
                     MED_VACCINE_PNEUMO, 1, 1, 3);
}

/* The campaign of 2021: the old first. */
static void plan_covid(med_demo_person *p, med_demo_rng *r)
{
    int32_t start = (int32_t)med_days_from_civil(2021, 1, 15);
    double age = med_demo_age(p, start);
    if (age < 13 || !med_demo_rng_chance(r, age > 60 ? 820 : 620))
        return;
    int32_t first =
        start + (int32_t)(age > 80 ? 0 : (80 - age) * 2.6) + med_demo_rng_range(r, 0, 50);
    plan_vaccine(p, first, MED_VACCINE_COVID, 1, 2, 3);
    plan_vaccine(p, first + 28, MED_VACCINE_COVID, 2, 2, 3);
    if (med_demo_rng_chance(r, age > 60 ? 800 : 520))
        plan_vaccine(p, first + 28 + med_demo_rng_range(r, 160, 260), MED_VACCINE_COVID, 3, 3, 3);
}

static void plan_child_visits(med_demo_person *p, med_demo_rng *r)
{
    static const uint8_t months[] = {1,  3,  6,  9,   12,  18,  24,  36,
                                     48, 60, 84, 108, 132, 156, 180, 204};
    int32_t from = p->today - 6 * 365;
    if (p->birth > p->today - MED_DEMO_WINDOW)
        med_demo_plan_add(p, MED_EVENT_CHILD, p->birth, 0, 1, 3);
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++) {
        int32_t day =
            p->birth + months[i] * 61 / 2 + med_demo_rng_range(r, 0, months[i] < 12 ? 8 : 40);
        if (day > from)
            med_demo_plan_add(p, MED_EVENT_CHILD, med_demo_working_day(day), 0, 2, 3);
    }
}

/* Grown-ups without a disease that is followed come every second or third year. */
static void plan_checkups(med_demo_person *p, med_demo_rng *r)
{
    int32_t last = med_demo_last_day(p);
    if (med_demo_rng_chance(r, 120))
        return; /* who never comes */
    int32_t day = last - med_demo_rng_range(r, 20, 700);
    for (unsigned n = 0; n < 2 && day > last - MED_DEMO_WINDOW; n++) {
        int32_t at = med_demo_working_day(day);
        if (med_demo_age(p, at) >= 19 && med_demo_pregnant(p, at) == NULL)
            med_demo_plan_add(p, MED_EVENT_CHECKUP, at, n == 0, 1, 1);
        day -= med_demo_rng_range(r, 500, 1000);
    }
}

static bool has_controls(const med_demo_person *p)
{
    return med_demo_plan_has(p, MED_EVENT_CONTROL, 1);
}

static void plan_screenings(med_demo_person *p, med_demo_rng *r)
{
    int32_t last = med_demo_last_day(p);
    int32_t day = med_demo_working_day(last - med_demo_rng_range(r, 30, 720));
    double age = med_demo_age(p, day);
    bool breast =
        p->female && age > 50 && age < 70 && p->state[MED_BREAST_CANCER].onset == MED_DEMO_NEVER;
    if (breast && med_demo_rng_chance(r, 640)) {
        med_demo_plan_add(p, MED_EVENT_SCREENING, day, MED_SCREENING_BREAST, 2, 1);
        if (age > 52.5)
            med_demo_plan_add(p, MED_EVENT_SCREENING, med_demo_working_day(day - 735),
                              MED_SCREENING_BREAST, 2, 1);
    }
    int32_t other = med_demo_working_day(last - med_demo_rng_range(r, 30, MED_DEMO_WINDOW));
    age = med_demo_age(p, other);
    if (age > 50 && age < 75 && med_demo_rng_chance(r, 180))
        med_demo_plan_add(p, MED_EVENT_SCREENING, other, MED_SCREENING_COLON, 2, 1);
}

void med_demo_plan_prevention(med_demo_person *p, med_demo_rng *r)
{
    plan_schedule(p, r);
    plan_covid(p, r);
    plan_child_visits(p, r);
    if (med_demo_age(p, med_demo_last_day(p)) < 19)
        return;
    plan_adult_vaccines(p, r);
    plan_screenings(p, r);
    if (!has_controls(p))
        plan_checkups(p, r);
}

void med_demo_plan_pregnancies(med_demo_person *p, med_demo_rng *r)
{
    static const uint16_t weeks[] = {9, 14, 20, 26, 32, 36, 39};
    for (size_t i = 0; i < p->pregnancy_count; i++) {
        const med_demo_pregnancy *pregnancy = &p->pregnancies[i];
        if (pregnancy->start < med_demo_last_day(p) - MED_DEMO_WINDOW)
            continue;
        for (unsigned k = 0; k < sizeof weeks / sizeof weeks[0]; k++) {
            int32_t day = med_demo_working_day(pregnancy->start + weeks[k] * 7
                                               + med_demo_rng_range(r, -3, 3));
            if (day < pregnancy->birth - 1)
                med_demo_plan_add(p, MED_EVENT_PRENATAL, day, 16 * k + (unsigned)i, k == 0 ? 0 : 1,
                                  1);
        }
        if (pregnancy->birth != MED_DEMO_NEVER)
            med_demo_plan_add(p, MED_EVENT_BIRTH, pregnancy->birth, (unsigned)i, 0, 0);
    }
}
