/* disease_lung.c - spirometry: asthma comes and goes, COPD goes down.
 * Predicted values: ECSC 1993. */
#include "demo/body.h"

static double predicted(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double height = med_demo_height(p, day) / 100;
    if (age < 18)
        return 0.7 * height * height * height + 0.15;
    age = age < 25 ? 25 : age;
    return p->female ? 3.95 * height - 0.025 * age - 2.60 : 4.30 * height - 0.029 * age - 2.49;
}

/* Share of the predicted value. */
static double share(const med_demo_person *p, int32_t day)
{
    double value = 1.0 + 0.05 * p->height_z;
    if (med_demo_had(p, MED_ASTHMA, day)) {
        value = 0.86 - 0.08 * p->state[MED_ASTHMA].severity
                + 0.1 * med_demo_effect(p, MED_CLASS_STEROID_INHALER, day, 60);
    }
    if (med_demo_had(p, MED_COPD, day)) {
        double years = (day - p->state[MED_COPD].onset) / 365.25;
        double loss = p->smoking == MED_SMOKER ? 0.020 : 0.011;
        value = 0.71 - 0.1 * p->state[MED_COPD].severity - loss * years;
    }
    value += 0.015 * med_demo_wobble(p, day, 170);
    return value < 0.28 ? 0.28 : value;
}

double med_demo_fev1(const med_demo_person *p, int32_t day)
{
    double value = predicted(p, day) * share(p, day);
    return value < 0.5 ? 0.5 : value;
}

double med_demo_fev1_ratio(const med_demo_person *p, int32_t day)
{
    double s = share(p, day);
    double ratio = med_demo_had(p, MED_COPD, day) ? 42 + 32 * s : 60 + 20 * (s > 1.1 ? 1.1 : s);
    return ratio + 0.8 * med_demo_wobble(p, day, 171);
}
