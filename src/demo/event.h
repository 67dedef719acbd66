/* event.h - carrying out one planned event of a life: all the resources it leaves.
 *
 * Each event draws from a stream of its own, so a trial and the real thing agree. */
#ifndef MED_DEMO_EVENT_H
#define MED_DEMO_EVENT_H

#include "demo/record.h"

void med_demo_event_run(med_demo_chart *c, const med_demo_event *event);

/* event_office.c */
void med_demo_event_child(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_checkup(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_onset(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_control(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_acute(med_demo_chart *c, const med_demo_event *event);
/* event_hospital.c */
void med_demo_event_injury(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_stay(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_death(med_demo_chart *c, const med_demo_event *event);
/* event_pregnancy.c */
void med_demo_event_prenatal(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_birth(med_demo_chart *c, const med_demo_event *event);
/* event_specialist.c */
void med_demo_event_specialist(med_demo_chart *c, const med_demo_event *event);
void med_demo_event_screening(med_demo_chart *c, const med_demo_event *event);

#endif
