/* disease_mood.c - depression followed by the PHQ-9 score. */
#include "demo/body.h"

double med_demo_phq9(const med_demo_person *p, int32_t day)
{
    const med_demo_state *s = &p->state[MED_DEPRESSION];
    double healthy = 2 + 1.5 * med_demo_wobble(p, day, 180);
    healthy = healthy < 0 ? 0 : healthy;
    if (!med_demo_had(p, MED_DEPRESSION, day) && day < s->onset)
        return healthy;
    double first = 12 + 4 * s->severity;
    double left = 1 - (day - s->onset) / 210.0 * (0.6 + 0.4 * p->adherence);
    left = left < 0.12 ? 0.12 : left;
    double value = first * left + med_demo_wobble(p, day, 180);
    return value < 0 ? 0 : value;
}
