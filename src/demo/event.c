/* event.c - which function tells which event. */
#include "demo/event.h"

static void vaccinate(med_demo_chart *c, const med_demo_event *event)
{
    med_demo_immunization_write(c, event->day, event->arg);
}

void med_demo_event_run(med_demo_chart *c, const med_demo_event *event)
{
    static void (*const tell[MED_EVENT_KINDS])(med_demo_chart *, const med_demo_event *) = {
        [MED_EVENT_CHILD] = med_demo_event_child,
        [MED_EVENT_VACCINE] = vaccinate,
        [MED_EVENT_CHECKUP] = med_demo_event_checkup,
        [MED_EVENT_ONSET] = med_demo_event_onset,
        [MED_EVENT_CONTROL] = med_demo_event_control,
        [MED_EVENT_ACUTE] = med_demo_event_acute,
        [MED_EVENT_INJURY] = med_demo_event_injury,
        [MED_EVENT_STAY] = med_demo_event_stay,
        [MED_EVENT_SPECIALIST] = med_demo_event_specialist,
        [MED_EVENT_SCREENING] = med_demo_event_screening,
        [MED_EVENT_PRENATAL] = med_demo_event_prenatal,
        [MED_EVENT_BIRTH] = med_demo_event_birth,
        [MED_EVENT_DEATH] = med_demo_event_death,
    };
    c->rng =
        med_demo_rng_from(c->p->seed, (uint64_t)(uint32_t)event->day << 16
                                          | (uint64_t)event->kind << 10 | (event->arg & 1023u));
    tell[event->kind](c, event);
    med_demo_visit_end(c);
}
