/* body.c - growth and weight. Medians: WHO child growth standards and reference 2007. */
#include "demo/body.h"

typedef struct growth {
    double age;       /* years */
    double height[2]; /* cm, [female] */
    double bmi[2];
    double head[2];
} growth;

/* clang-format off */
static const growth medians[] = {
    {0.00, {49.9, 49.1}, {13.4, 13.3}, {34.5, 33.9}}, {0.25, {61.4, 59.8}, {16.9, 16.4}, {40.5, 39.5}},
    {0.50, {67.6, 65.7}, {17.3, 16.9}, {43.3, 42.2}}, {0.75, {72.0, 70.1}, {17.0, 16.6}, {45.0, 43.8}},
    {1.00, {75.7, 74.0}, {16.8, 16.4}, {46.1, 44.9}}, {1.50, {82.3, 80.7}, {16.3, 16.0}, {47.4, 46.2}},
    {2.00, {87.1, 85.7}, {16.0, 15.7}, {48.3, 47.2}}, {3.00, {96.1, 95.1}, {15.6, 15.4}, {49.5, 48.5}},
    {4.00, {103.3, 102.7}, {15.3, 15.3}, {50.2, 49.3}}, {5.00, {110.0, 109.4}, {15.2, 15.2}, {50.7, 49.9}},
    {6.00, {116.0, 115.1}, {15.3, 15.3}, {51, 51}}, {7.00, {121.7, 120.8}, {15.5, 15.4}, {51, 51}},
    {8.00, {127.3, 126.6}, {15.7, 15.7}, {51, 51}}, {9.00, {132.6, 132.5}, {16.0, 16.1}, {51, 51}},
    {10.0, {137.8, 138.6}, {16.4, 16.6}, {51, 51}}, {11.0, {143.1, 145.0}, {16.9, 17.2}, {51, 51}},
    {12.0, {149.1, 151.2}, {17.5, 18.0}, {51, 51}}, {13.0, {156.0, 156.4}, {18.2, 18.8}, {51, 51}},
    {14.0, {163.2, 159.8}, {19.0, 19.6}, {51, 51}}, {15.0, {169.0, 161.7}, {19.8, 20.2}, {51, 51}},
    {16.0, {172.9, 162.5}, {20.5, 20.7}, {51, 51}}, {17.0, {175.2, 162.9}, {21.1, 21.0}, {51, 51}},
    {18.0, {176.1, 163.1}, {21.7, 21.3}, {51, 51}}, {19.0, {176.5, 163.2}, {22.2, 21.4}, {51, 51}},
    {25.0, {176.5, 163.2}, {23.6, 22.6}, {51, 51}}, {200.0, {176.5, 163.2}, {23.6, 22.6}, {51, 51}},
};
/* clang-format on */

static double between(double age, double from, double to, const growth *at)
{
    double share = (age - at[0].age) / (at[1].age - at[0].age);
    return from + (to - from) * share;
}

static const growth *row(double age)
{
    const growth *at = medians;
    while (at[1].age <= age)
        at++;
    return at;
}

static double living_age(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    return age < 0 ? 0 : age;
}

double med_demo_height(const med_demo_person *p, int32_t day)
{
    /* grown men are taller than the WHO's in four of the five countries */
    static const double taller[MED_DEMO_COUNTRIES] = {1.020, 1.022, 1.026, 1.022, 0.998};
    double age = living_age(p, day);
    const growth *at = row(age);
    double median = between(age, at[0].height[p->female], at[1].height[p->female], at);
    double share = age > 15 ? 1 : age / 15;
    double height = median * (1 + (taller[p->country->id] - 1) * share) * (1 + 0.038 * p->height_z);
    return age > 60 ? height - (age - 60) * 0.10 : height;
}

double med_demo_bmi(const med_demo_person *p, int32_t day)
{
    double age = living_age(p, day);
    const growth *at = row(age);
    double median = between(age, at[0].bmi[p->female], at[1].bmi[p->female], at);
    double spread = age < 2 ? 0.07 : age < 20 ? 0.07 + 0.004 * (age - 2) : 0.145;
    double bmi = median * (1 + spread * p->bmi_z + (age > 10 ? 0.022 * p->bmi_z * p->bmi_z : 0));
    if (age > 25)
        bmi += 0.085 * ((age > 62 ? 62 : age) - 25);
    if (age > 75)
        bmi -= 0.12 * (age - 75);
    bmi -= 1.2 * med_demo_effect(p, MED_CLASS_SGLT2, day, 240);
    bmi -= 2.4 * med_demo_effect(p, MED_CLASS_GLP1, day, 400);
    return bmi < 12.5 ? 12.5 : bmi;
}

double med_demo_weight(const med_demo_person *p, int32_t day)
{
    double height = med_demo_height(p, day) / 100;
    double weight = med_demo_bmi(p, day) * height * height;
    const med_demo_pregnancy *pregnancy = med_demo_pregnant(p, day);
    if (pregnancy != NULL) {
        double week = (day - pregnancy->start) / 7.0;
        weight += week < 12 ? week * 0.1 : 1.2 + (week - 12) * 0.42;
    }
    return weight * (1 + 0.008 * med_demo_wobble(p, day, 100));
}

double med_demo_head(const med_demo_person *p, int32_t day)
{
    double age = living_age(p, day);
    const growth *at = row(age);
    return between(age, at[0].head[p->female], at[1].head[p->female], at)
           * (1 + 0.02 * p->height_z);
}

double med_demo_pulse(const med_demo_person *p, int32_t day)
{
    double age = living_age(p, day);
    double pulse = age < 1    ? 132
                   : age < 5  ? 118 - 4 * age
                   : age < 16 ? 100 - 1.8 * (age - 5)
                              : 72 + 2 * p->pressure_z;
    if (med_demo_has(p, MED_FIBRILLATION, day))
        pulse += 14;
    pulse -= 13 * med_demo_effect(p, MED_CLASS_BETA, day, 14);
    if (med_demo_pregnant(p, day) != NULL)
        pulse += 9;
    return pulse + 6 * med_demo_wobble(p, day, 101);
}

double med_demo_breaths(const med_demo_person *p, int32_t day)
{
    double age = living_age(p, day);
    double breaths = age < 1 ? 36 : age < 6 ? 27 - age : age < 14 ? 20 : 14;
    if (med_demo_has(p, MED_COPD, day))
        breaths += 3;
    return breaths + 2 * med_demo_wobble(p, day, 102);
}

double med_demo_saturation(const med_demo_person *p, int32_t day)
{
    double saturation = 98;
    if (med_demo_has(p, MED_COPD, day))
        saturation = 95 - 1.2 * p->state[MED_COPD].severity;
    double value = saturation + 1 * med_demo_wobble(p, day, 103);
    return value > 100 ? 100 : value;
}
