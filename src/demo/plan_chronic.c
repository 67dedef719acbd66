/* plan_chronic.c - diagnoses, controls and specialists of chronic diseases. */
#include "demo/plan.h"

static bool changes_quickly(enum med_demo_condition d)
{
    return d == MED_DIABETES || d == MED_DEPRESSION || d == MED_ANAEMIA || d == MED_COPD
           || d == MED_BREAST_CANCER || d == MED_PROSTATE_CANCER || d == MED_COLON_CANCER;
}

static void plan_onsets(med_demo_person *p)
{
    int32_t from = med_demo_last_day(p) - MED_DEMO_WINDOW;
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        const med_demo_state *s = &p->state[d];
        if (s->onset == MED_DEMO_NEVER || s->onset < from)
            continue;
        bool infarction = d == MED_CORONARY && s->severity > 0;
        if (infarction)
            med_demo_plan_add(p, MED_EVENT_STAY, s->onset, MED_STAY_INFARCTION, 0, 8);
        else
            med_demo_plan_add(p, MED_EVENT_ONSET, s->onset, (unsigned)d, 0, 1);
    }
}

/* What is operated on after the diagnosis. */
static void plan_operations(med_demo_person *p, med_demo_rng *r)
{
    static const struct {
        enum med_demo_condition disease;
        enum med_demo_stay_id stay;
    } operations[] = {{MED_BREAST_CANCER, MED_STAY_BREAST},
                      {MED_PROSTATE_CANCER, MED_STAY_PROSTATE},
                      {MED_COLON_CANCER, MED_STAY_COLON}};
    int32_t from = med_demo_last_day(p) - MED_DEMO_WINDOW;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        int32_t onset = p->state[operations[i].disease].onset;
        if (onset != MED_DEMO_NEVER && onset + 33 > from)
            med_demo_plan_add(p, MED_EVENT_STAY, med_demo_working_day(onset + 33),
                              operations[i].stay, 0, 12);
    }
    int32_t last = med_demo_last_day(p);
    const med_demo_state *knee = &p->state[MED_ARTHROSIS];
    if (knee->onset < last - 900 && knee->severity == 2 && med_demo_rng_chance(r, 500))
        med_demo_plan_add(p, MED_EVENT_STAY,
                          med_demo_working_day(last - med_demo_rng_range(r, 40, 900)),
                          MED_STAY_KNEE, 0, 9);
    const med_demo_state *copd = &p->state[MED_COPD];
    if (copd->onset < last - 400 && copd->severity > 0 && med_demo_rng_chance(r, 450))
        med_demo_plan_add(p, MED_EVENT_STAY, last - med_demo_rng_range(r, 20, 380), MED_STAY_COPD,
                          0, 10);
}

/* The earliest day a control makes sense: two months after the first followed disease. */
static int32_t first_control(const med_demo_person *p)
{
    int32_t first = MED_DEMO_NEVER;
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        int32_t onset = p->state[d].onset;
        if (onset < first && med_demo_is_followed(p, (enum med_demo_condition)d, onset))
            first = onset;
    }
    return first == MED_DEMO_NEVER ? first : first + 60;
}

static bool ails_quickly(const med_demo_person *p, int32_t day)
{
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        if (changes_quickly((enum med_demo_condition)d)
            && med_demo_is_followed(p, (enum med_demo_condition)d, day))
            return true;
    }
    return false;
}

static bool ails(const med_demo_person *p, int32_t day)
{
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        if (med_demo_is_followed(p, (enum med_demo_condition)d, day))
            return true;
    }
    return false;
}

/* Backwards from a day in the last months: one a year with everything, one between. */
static void plan_controls(med_demo_person *p, med_demo_rng *r)
{
    int32_t from = first_control(p), last = med_demo_last_day(p);
    int32_t oldest = last - 900;
    if (from == MED_DEMO_NEVER)
        return;
    if (from < oldest)
        from = oldest;
    int32_t day = last - med_demo_rng_range(r, 8, 170);
    unsigned rank = 0;
    for (; day >= from; day -= med_demo_rng_range(r, 345, 380)) {
        int32_t at = med_demo_working_day(day);
        if (ails(p, at))
            med_demo_plan_add(p, MED_EVENT_CONTROL, at, 1, rank, 1);
        int32_t half = med_demo_working_day(day - med_demo_rng_range(r, 160, 200));
        if (half >= from && ails_quickly(p, half))
            med_demo_plan_add(p, MED_EVENT_CONTROL, half, 0, rank == 0 ? 1 : 2, 1);
        rank = 1;
    }
}

static void plan_specialists(med_demo_person *p, med_demo_rng *r)
{
    int32_t last = med_demo_last_day(p);
    for (int i = 0; i < MED_CHRONIC_COUNT; i++) {
        enum med_demo_condition d = (enum med_demo_condition)i;
        const med_demo_state *s = &p->state[d];
        bool tumour = med_demo_is_tumour(d);
        bool asked = tumour || s->severity > 0 || d == MED_DEMENTIA || d == MED_FIBRILLATION;
        if (s->onset == MED_DEMO_NEVER || !asked
            || med_demo_diseases[d].specialty == MED_GENERAL_PRACTICE)
            continue;
        for (int year = 0; year < (tumour ? 3 : 1); year++) {
            int32_t day = med_demo_working_day(last - year * 365 - med_demo_rng_range(r, 20, 340));
            bool ill = tumour ? med_demo_is_followed(p, d, day) : med_demo_has(p, d, day);
            if (day > s->onset + 70 && ill && med_demo_rng_chance(r, tumour ? 900 : 420))
                med_demo_plan_add(p, MED_EVENT_SPECIALIST, day, (unsigned)d, tumour ? 1 : 2, 1);
        }
    }
}

void med_demo_plan_chronic(med_demo_person *p, med_demo_rng *r)
{
    plan_onsets(p);
    plan_operations(p, r);
    plan_controls(p, r);
    plan_specialists(p, r);
}
