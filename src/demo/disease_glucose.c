/* disease_glucose.c - type 2 diabetes seen in HbA1c and fasting glucose. */
#include "demo/body.h"

/* Approaches 1 with a time constant of about four months, the life of a red cell. */
static double settled(int32_t days)
{
    double t = days / 120.0;
    return t <= 0 ? 0 : t / (t + 0.45) * (t > 3 ? 1.03 : 1);
}

double med_demo_hba1c(const med_demo_person *p, int32_t day)
{
    const med_demo_state *s = &p->state[MED_DIABETES];
    double age = med_demo_age(p, day);
    double healthy = 32 + 0.06 * (age > 20 ? age - 20 : 0) + 1.2 * p->kidney_z;
    double wobble = 0.8 * med_demo_wobble(p, day, 120);
    if (s->onset == MED_DEMO_NEVER)
        return (healthy > 41 ? 41 : healthy) + wobble * 0.5;
    double untreated = 56 + 9 * s->severity + 4 * p->bmi_z;
    untreated = untreated < 51 ? 51 : untreated;
    double years = (day - s->onset) / 365.25;
    if (years < 0) /* the years of prediabetes */
        return years < -4 ? healthy : healthy + (untreated - healthy) * (1 + years / 4) + wobble;
    double progress = untreated + 1.2 * (years > 12 ? 12 : years);
    double relief = 0;
    static const struct {
        enum med_demo_drug_class class;
        double by;
    } medicines[] = {{MED_CLASS_METFORMIN, 12},
                     {MED_CLASS_SGLT2, 8},
                     {MED_CLASS_DPP4, 7},
                     {MED_CLASS_INSULIN, 14},
                     {MED_CLASS_GLP1, 13}};
    for (size_t i = 0; i < sizeof medicines / sizeof medicines[0]; i++)
        relief += medicines[i].by * settled(med_demo_days_on(p, medicines[i].class, day));
    double value = progress - relief * p->adherence;
    return (value < 43 ? 43 : value) + wobble;
}

double med_demo_glucose(const med_demo_person *p, int32_t day)
{
    double percent = med_demo_hba1c(p, day) * 0.09148 + 2.152;
    double average = 1.5944 * percent - 2.5944; /* ADAG study */
    double fasting = med_demo_had(p, MED_DIABETES, day) ? average * 0.93 : average * 0.9;
    double value = fasting + 0.2 * med_demo_wobble(p, day, 121);
    if (!med_demo_had(p, MED_DIABETES, day) && value > 6.8)
        value = 6.8; /* from 7.0 on it would be diabetes */
    return value;
}
