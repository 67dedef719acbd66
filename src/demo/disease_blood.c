/* disease_blood.c - red cells: iron deficiency, pregnancy, kidney disease. */
#include "demo/body.h"

/* How anaemic: 1 at the diagnosis, then less by the week on iron. */
static double deficiency(const med_demo_person *p, int32_t day)
{
    const med_demo_state *s = &p->state[MED_ANAEMIA];
    if (s->onset == MED_DEMO_NEVER || day < s->onset - 240)
        return 0;
    if (day < s->onset)
        return 1 - (s->onset - day) / 240.0;
    double weeks = (day - s->onset) / 7.0;
    double left = 1 - weeks / 15;
    return left < 0 ? 0 : left;
}

double med_demo_haemoglobin(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double grown = p->female ? 136 : 150;
    double value = age < 2 ? 115 : age < 14 ? 122 + age : grown + 3.5 * p->blood_z;
    if (age >= 14 && age < 18)
        value = 138 + (value - 138) * (age - 14) / 4;
    if (age > 75)
        value -= 0.4 * (age - 75);
    if (med_demo_pregnant(p, day) != NULL)
        value -= 12;
    if (med_demo_has(p, MED_CKD, day))
        value -= 7;
    value =
        value < 121 && age >= 14 && p->female && med_demo_pregnant(p, day) == NULL ? 121 : value;
    value = value < 131 && age >= 18 && !p->female ? 131 : value;
    double ill = p->female ? 98 : 108;
    value -= (value - ill + 6 * p->state[MED_ANAEMIA].severity) * deficiency(p, day);
    return value + 2 * med_demo_wobble(p, day, 160);
}

double med_demo_mcv(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double healthy = (age < 12 ? 82 : 89.5) + 1.6 * p->blood_z;
    return healthy - (healthy - 74) * deficiency(p, day) + 0.6 * med_demo_wobble(p, day, 161);
}

double med_demo_ferritin(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double healthy = age < 16 ? 38 : p->female && age < 50 ? 62 : 125;
    healthy *= 1 + 0.15 * p->blood_z;
    return healthy - (healthy - 6) * deficiency(p, day) + 3 * med_demo_wobble(p, day, 162);
}
