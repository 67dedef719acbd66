/* disease_kidney.c - creatinine and the filtration computed from it, so that both agree. */
#include <math.h>

#include "demo/body.h"

/* Filtration as the body has it: falls with age, faster with disease. */
static double filtration(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double value = 112 - 0.75 * (age > 30 ? age - 30 : 0) + 7 * p->kidney_z;
    const med_demo_state *s = &p->state[MED_CKD];
    if (s->onset == MED_DEMO_NEVER)
        return value < 63 ? 63 : value > 118 ? 118 : value;
    double years = (day - s->onset) / 365.25;
    double sick = 54 - 6 * s->severity;
    if (years < 0)
        return years < -8 ? (value < 66 ? 66 : value) : sick + (66 - sick) * (-years / 8);
    sick -= years * (1.1 - 0.5 * p->adherence);
    return sick < 31 ? 31 : sick; /* stage 3 ends at 30 */
}

/* CKD-EPI 2021, https://doi.org/10.1056/NEJMoa2102953 */
static double ckd_epi(const med_demo_person *p, int32_t day, double creatinine)
{
    double mg = creatinine / 88.42;
    double kappa = p->female ? 0.7 : 0.9, alpha = p->female ? -0.241 : -0.302;
    double ratio = mg / kappa;
    double low = ratio < 1 ? ratio : 1, high = ratio > 1 ? ratio : 1;
    return 142 * pow(low, alpha) * pow(high, -1.2) * pow(0.9938, med_demo_age(p, day))
           * (p->female ? 1.012 : 1);
}

double med_demo_creatinine(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    if (age < 18) /* grows with the muscles */
        return 22 + 2.4 * age + (p->female ? 0 : 0.5 * age) + 3 * med_demo_wobble(p, day, 140);
    double kappa = p->female ? 0.7 : 0.9, alpha = p->female ? -0.241 : -0.302;
    double best = 142 * pow(0.9938, age) * (p->female ? 1.012 : 1);
    double wanted = filtration(p, day) + 1.5 * med_demo_wobble(p, day, 140);
    double mg = kappa * pow(wanted / best, wanted < best ? -1 / 1.2 : 1 / alpha);
    double value = mg * 88.42;
    if (med_demo_pregnant(p, day) != NULL)
        value -= 12;
    return value < 38 ? 38 : value;
}

double med_demo_egfr(const med_demo_person *p, int32_t day)
{
    double creatinine = floor(med_demo_creatinine(p, day) + 0.5); /* as it is reported */
    return ckd_epi(p, day, creatinine);
}

double med_demo_potassium(const med_demo_person *p, int32_t day)
{
    double value = 4.25 + 0.22 * med_demo_effect(p, MED_CLASS_ACE, day, 14)
                   - 0.28 * med_demo_effect(p, MED_CLASS_THIAZIDE, day, 14);
    if (med_demo_has(p, MED_CKD, day))
        value += 0.3;
    return value + 0.1 * p->kidney_z + 0.15 * med_demo_wobble(p, day, 141);
}

double med_demo_sodium(const med_demo_person *p, int32_t day)
{
    return 140.3 - 2.2 * med_demo_effect(p, MED_CLASS_THIAZIDE, day, 14)
           + 1.6 * med_demo_wobble(p, day, 142);
}

double med_demo_urine_albumin(const med_demo_person *p, int32_t day)
{
    double value = 8 + 3 * med_demo_wobble(p, day, 143);
    if (med_demo_has(p, MED_CKD, day))
        value += 34 + 40 * p->state[MED_CKD].severity;
    if (med_demo_has(p, MED_DIABETES, day))
        value += 7 * (1 + p->state[MED_DIABETES].severity);
    return value * (1 - 0.3 * med_demo_effect(p, MED_CLASS_ACE, day, 90));
}
