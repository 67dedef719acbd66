/* plan_acute.c - illnesses that pass, injuries and stays in hospital, by age, sex and season. */
#include "demo/plan.h"

#include "base/datetime.h"

/* A working day in the last `years` years, its month drawn by the weights. */
static int32_t draw_day(const med_demo_person *p, med_demo_rng *r, const uint8_t *months,
                        int32_t years)
{
    uint16_t weights[12];
    for (size_t i = 0; i < 12; i++)
        weights[i] = months[i];
    int year = 0, month = 0, day = 0;
    med_civil_from_days(med_demo_last_day(p), &year, &month, &day);
    year -= med_demo_rng_range(r, 0, years);
    month = 1 + (int)med_demo_rng_weighted(r, weights, 12);
    int64_t at = med_days_from_civil(year, month, med_demo_rng_range(r, 1, 28));
    return med_demo_working_day((int32_t)at);
}

static int32_t window_start(const med_demo_person *p, int32_t days)
{
    int32_t from = med_demo_last_day(p) - days;
    return from < p->birth + 120 ? p->birth + 120 : from;
}

static size_t draw_acute(const med_demo_person *p, med_demo_rng *r, int32_t day)
{
    uint16_t weights[MED_DEMO_ACUTES];
    size_t group = med_demo_age_group(p, day);
    for (size_t i = 0; i < MED_DEMO_ACUTES; i++) {
        const med_demo_acute *a = &med_demo_acutes[i];
        bool fits = a->sex == MED_ANY_SEX || (a->sex == MED_ONLY_WOMEN) == p->female;
        weights[i] = fits ? a->weight[group] : 0;
        if (a->condition == MED_SINUSITIS && med_demo_age(p, day) < 10)
            weights[i] = 0;
    }
    return med_demo_rng_weighted(r, weights, MED_DEMO_ACUTES);
}

void med_demo_plan_acute(med_demo_person *p, med_demo_rng *r)
{
    static const uint8_t yearly[MED_DEMO_AGE_GROUPS] = {18, 8, 7, 7}; /* tenths of an illness */
    int32_t from = window_start(p, MED_DEMO_ILLNESS_WINDOW);
    int32_t span = med_demo_last_day(p) - from;
    if (span < 60)
        return;
    size_t group = med_demo_age_group(p, med_demo_last_day(p));
    int32_t expected = span * yearly[group] / 3650; /* illnesses */
    int32_t n = med_demo_rng_range(r, expected / 2, expected + expected / 2 + 1);
    for (int32_t i = 0; i < n; i++) {
        size_t acute = draw_acute(p, r, med_demo_last_day(p) - span / 2);
        bool once = med_demo_acutes[acute].condition == MED_VARICELLA;
        int32_t day = draw_day(p, r, med_demo_acutes[acute].months, 3);
        if (day < from || (once && med_demo_plan_has(p, MED_EVENT_ACUTE, (unsigned)acute)))
            continue;
        med_demo_plan_add(p, MED_EVENT_ACUTE, day, (unsigned)acute, 3, 2);
    }
}

static void plan_injuries(med_demo_person *p, med_demo_rng *r)
{
    size_t group = med_demo_age_group(p, med_demo_last_day(p));
    uint16_t weights[MED_DEMO_INJURIES];
    for (size_t i = 0; i < MED_DEMO_INJURIES; i++)
        weights[i] = med_demo_injuries[i].weight[group];
    if (!med_demo_rng_chance(r, group < 2 ? 230 : 140))
        return;
    size_t injury = med_demo_rng_weighted(r, weights, MED_DEMO_INJURIES);
    int32_t day = draw_day(p, r, med_demo_injuries[injury].months, 3);
    bool walks = med_demo_age(p, day) > 1.5;
    if (walks && day > window_start(p, MED_DEMO_WINDOW))
        med_demo_plan_add(p, MED_EVENT_INJURY, day, (unsigned)injury, 1, 2);
}

void med_demo_plan_stays(med_demo_person *p, med_demo_rng *r)
{
    static const unsigned permille[MED_DEMO_AGE_GROUPS] = {25, 35, 60, 270}; /* in the window */
    plan_injuries(p, r);
    size_t group = med_demo_age_group(p, med_demo_last_day(p));
    if (!med_demo_rng_chance(r, permille[group]))
        return;
    uint16_t weights[MED_STAY_COUNT];
    for (size_t i = 0; i < MED_STAY_COUNT; i++)
        weights[i] = med_demo_stays[i].weight[group];
    if (p->female)
        weights[MED_STAY_HERNIA] = 0;
    if (med_demo_age(p, p->today) < 76 && p->state[MED_OSTEOPOROSIS].onset == MED_DEMO_NEVER)
        weights[MED_STAY_HIP] = 0; /* it takes a fragile bone */
    size_t stay = med_demo_rng_weighted(r, weights, MED_STAY_COUNT);
    int32_t day = med_demo_last_day(p) - med_demo_rng_range(r, 30, MED_DEMO_WINDOW);
    if (!med_demo_stays[stay].urgent)
        day = med_demo_working_day(day);
    if (day < p->birth + 3 * 365 || med_demo_pregnant(p, day) != NULL || weights[stay] == 0)
        return;
    med_demo_plan_add(p, MED_EVENT_STAY, day, (unsigned)stay, 0, med_demo_stays[stay].max_days + 2);
}
