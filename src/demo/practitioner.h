/* practitioner.h - a practitioner, the role at a place, and the schedule with its slots. */
#ifndef MED_DEMO_PRACTITIONER_H
#define MED_DEMO_PRACTITIONER_H

#include "demo/world.h"

/* Fills and emits `worker`, whose specialty is set. `service` is a HealthcareService or NULL. */
void med_demo_practitioner_emit(med_demo_world *w, med_demo_region *region,
                                const med_demo_place *place, med_demo_worker *worker,
                                const char *service, med_demo_rng *r);
bool med_demo_has_schedule(enum med_demo_specialty specialty);
/* The id of slot k. */
med_demo_text med_demo_slot_id(const med_demo_worker *worker, unsigned k);
/* Whether slot k of a schedule is taken. */
bool med_demo_slot_busy(const med_demo_worker *worker, unsigned k);

#endif
