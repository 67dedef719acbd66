/* disease_thyroid.c - hypothyroidism: TSH high and T4 low until levothyroxine has worked. */
#include "demo/body.h"

/* 1 when fully ill, 0 when healthy or settled on treatment. */
static double lack(const med_demo_person *p, int32_t day)
{
    const med_demo_state *s = &p->state[MED_HYPOTHYROIDISM];
    if (s->onset == MED_DEMO_NEVER)
        return 0;
    double years = (s->onset - day) / 365.25;
    if (years > 0)
        return years > 3 ? 0 : 1 - years / 3;
    double relief = med_demo_effect(p, MED_CLASS_THYROID, day, 80) / p->adherence;
    return 1 - relief * (0.88 + 0.12 * p->adherence);
}

double med_demo_tsh(const med_demo_person *p, int32_t day)
{
    double healthy = 1.9 + 0.45 * p->kidney_z + 0.25 * med_demo_wobble(p, day, 150);
    double ill = 9 + 7 * p->state[MED_HYPOTHYROIDISM].severity;
    double value = healthy + ill * lack(p, day);
    return value < 0.5 ? 0.5 : value;
}

double med_demo_free_t4(const med_demo_person *p, int32_t day)
{
    double healthy = 15.5 + 1.2 * p->lipid_z + 0.6 * med_demo_wobble(p, day, 151);
    healthy = healthy < 11.5 ? 11.5 : healthy;
    return healthy - (healthy - 8.2) * lack(p, day);
}
