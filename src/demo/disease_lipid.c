/* disease_lipid.c - cholesterol and triglycerides. */
#include "demo/body.h"

double med_demo_ldl(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double years = age < 20 ? 0 : (age > 60 ? 60 : age) - 20;
    double ldl = 2.3 + 0.016 * years + 0.32 * p->lipid_z;
    const med_demo_state *s = &p->state[MED_DYSLIPIDAEMIA];
    if (s->onset != MED_DEMO_NEVER)
        ldl = 4.0 + 0.45 * s->severity + 0.25 * p->lipid_z;
    else if (ldl > 3.5)
        ldl = 3.5;
    ldl *= 1 - 0.43 * med_demo_effect(p, MED_CLASS_STATIN, day, 42);
    ldl += 0.12 * med_demo_wobble(p, day, 130);
    return ldl < 0.9 ? 0.9 : ldl;
}

double med_demo_hdl(const med_demo_person *p, int32_t day)
{
    double hdl = (p->female ? 1.6 : 1.32) - 0.022 * (med_demo_bmi(p, day) - 24);
    if (p->smoking == MED_SMOKER)
        hdl -= 0.1;
    hdl += 0.14 * p->height_z + 0.04 * med_demo_wobble(p, day, 131);
    return hdl < 0.8 ? 0.8 : hdl;
}

double med_demo_triglycerides(const med_demo_person *p, int32_t day)
{
    double bmi = med_demo_bmi(p, day);
    double value = 1.0 + 0.055 * (bmi > 20 ? bmi - 20 : 0) + 0.12 * p->lipid_z;
    if (med_demo_has(p, MED_DIABETES, day))
        value += 0.4;
    value *= 1 - 0.15 * med_demo_effect(p, MED_CLASS_STATIN, day, 42);
    value += 0.15 * med_demo_wobble(p, day, 132);
    return value < 0.5 ? 0.5 : value > 4.2 ? 4.2 : value; /* past 4.5 LDL + HDL + TG/2.2 fails */
}
