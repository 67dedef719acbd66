/* life.h - telling one life: tried without writing until it fits, then written. */
#ifndef MED_DEMO_LIFE_H
#define MED_DEMO_LIFE_H

#include "demo/person.h"

/* Writes the whole record of p, at most MED_DEMO_MAX_PER_PERSON resources. */
void med_demo_life_tell(med_demo_world *w, med_demo_person *p);

#endif
