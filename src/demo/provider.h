/* provider.h - one hospital, practice, pharmacy or laboratory with its people. */
#ifndef MED_DEMO_PROVIDER_H
#define MED_DEMO_PROVIDER_H

#include "demo/world.h"

void med_demo_insurer_emit(med_demo_world *w, med_demo_region *region);
/* Fills the rest of `place` (number `index` of its kind) and emits all that belongs to it. */
void med_demo_provider_emit(med_demo_world *w, med_demo_region *region, med_demo_place *place,
                            uint32_t index, med_demo_rng *r);
/* How many resources that is. */
uint64_t med_demo_provider_size(enum med_demo_place_kind kind, enum med_demo_country_id country);

#endif
