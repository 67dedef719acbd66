/* family.h - households: who lives together, where, and who is whose parent. */
#ifndef MED_DEMO_FAMILY_H
#define MED_DEMO_FAMILY_H

#include "demo/person.h"

/* Draws household number `number` into *home, its people numbered from `index` on, at most
 * `room` of them (at least one). Pregnancies of the mothers are set; diseases are not. */
void med_demo_household_draw(med_demo_household *home, med_demo_world *w, uint64_t number,
                             uint32_t index, uint32_t room);

#endif
