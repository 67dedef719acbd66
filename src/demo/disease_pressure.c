/* disease_pressure.c - blood pressure: rises with age and weight, falls with each medicine. */
#include "demo/body.h"

static double lowered(const med_demo_person *p, int32_t day)
{
    return 13 * med_demo_effect(p, MED_CLASS_ACE, day, 28)
           + 10 * med_demo_effect(p, MED_CLASS_CALCIUM, day, 28)
           + 9 * med_demo_effect(p, MED_CLASS_THIAZIDE, day, 28)
           + 6 * med_demo_effect(p, MED_CLASS_BETA, day, 28)
           + 3 * med_demo_effect(p, MED_CLASS_SGLT2, day, 28);
}

/* What hypertension adds: it climbs during the five years before somebody notices. */
static double hypertension(const med_demo_person *p, int32_t day)
{
    const med_demo_state *s = &p->state[MED_HYPERTENSION];
    if (s->onset == MED_DEMO_NEVER)
        return 0;
    double full = 24 + 8 * s->severity;
    double years = (s->onset - day) / 365.25;
    if (years <= 0)
        return full + (years < -20 ? 6 : -0.3 * years);
    return years > 5 ? 0 : full * (1 - years / 5);
}

double med_demo_systolic(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double base = age < 18 ? 80 + 1.9 * age + 3 * p->pressure_z
                           : 114 + 0.18 * (age - 18) + 4 * p->pressure_z + (p->female ? -3 : 2);
    if (age >= 18 && med_demo_bmi(p, day) > 30)
        base += 3;
    if (med_demo_pregnant(p, day) != NULL)
        base -= 5;
    double value = base + hypertension(p, day) - lowered(p, day);
    double least = age < 18 ? 70 : 98;
    return (value < least ? least : value) + 4 * med_demo_wobble(p, day, 110);
}

double med_demo_diastolic(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double systolic = med_demo_systolic(p, day) - 4 * med_demo_wobble(p, day, 110);
    /* the pulse pressure widens past sixty */
    double share = age < 18 ? 0.62 : age < 60 ? 0.635 : 0.635 - 0.0035 * (age - 60);
    return systolic * (share < 0.5 ? 0.5 : share) + 3 * med_demo_wobble(p, day, 111);
}
