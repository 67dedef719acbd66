/* plan.h - what will happen to a person and when: the events, in order, without collisions. */
#ifndef MED_DEMO_PLAN_H
#define MED_DEMO_PLAN_H

#include "demo/person.h"

/* Days before the last one of which events are told. */
enum { MED_DEMO_WINDOW = 4 * 365, MED_DEMO_ILLNESS_WINDOW = 1000 };

void med_demo_plan_make(med_demo_person *p);

/* Adds one, if the day lies in the person's life (a stay of `days` must end before its end). */
void med_demo_plan_add(med_demo_person *p, enum med_demo_event_kind kind, int32_t day, unsigned arg,
                       unsigned rank, int32_t days);
bool med_demo_plan_has(const med_demo_person *p, enum med_demo_event_kind kind, unsigned arg);
/* 0 to MED_DEMO_AGE_GROUPS - 1 */
size_t med_demo_age_group(const med_demo_person *p, int32_t day);

/* The parts, each in a file of its own. */
void med_demo_plan_chronic(med_demo_person *p, med_demo_rng *r);
void med_demo_plan_acute(med_demo_person *p, med_demo_rng *r);
void med_demo_plan_stays(med_demo_person *p, med_demo_rng *r);
void med_demo_plan_prevention(med_demo_person *p, med_demo_rng *r);
void med_demo_plan_pregnancies(med_demo_person *p, med_demo_rng *r);

#endif
