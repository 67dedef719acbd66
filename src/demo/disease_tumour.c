/* disease_tumour.c - tumour markers: high before the operation, gone after it. */
#include "demo/body.h"

enum { UNTIL_OPERATION = 35, UNTIL_NORMAL = 95 };

/* 1 until the operation, then falling to 0. */
static double burden(const med_demo_person *p, enum med_demo_condition d, int32_t day)
{
    int32_t onset = p->state[d].onset;
    if (onset == MED_DEMO_NEVER || day < onset - 700)
        return 0;
    if (day < onset)
        return 1 - (onset - day) / 700.0;
    if (day < onset + UNTIL_OPERATION)
        return 1;
    double left = 1 - (day - onset - UNTIL_OPERATION) / (double)(UNTIL_NORMAL - UNTIL_OPERATION);
    return left < 0 ? 0 : left;
}

double med_demo_psa(const med_demo_person *p, int32_t day)
{
    const med_demo_state *s = &p->state[MED_PROSTATE_CANCER];
    double age = med_demo_age(p, day);
    double healthy = 0.5 + 0.035 * (age > 40 ? age - 40 : 0) + 0.15 * med_demo_wobble(p, day, 190);
    if (s->onset != MED_DEMO_NEVER && day >= s->onset + UNTIL_NORMAL)
        return 0.03 + 0.02 * med_demo_wobble(p, day, 190); /* no prostate, no PSA */
    return healthy + (8 + 9 * s->severity) * burden(p, MED_PROSTATE_CANCER, day);
}

double med_demo_cea(const med_demo_person *p, int32_t day)
{
    double healthy = 1.8 + (p->smoking == MED_SMOKER ? 1 : 0) + 0.3 * med_demo_wobble(p, day, 191);
    return healthy
           + (9 + 8 * p->state[MED_COLON_CANCER].severity) * burden(p, MED_COLON_CANCER, day);
}

double med_demo_ca153(const med_demo_person *p, int32_t day)
{
    double healthy = 15 + 2 * med_demo_wobble(p, day, 192);
    return healthy
           + (14 + 12 * p->state[MED_BREAST_CANCER].severity) * burden(p, MED_BREAST_CANCER, day);
}
