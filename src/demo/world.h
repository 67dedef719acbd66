/* world.h - the providers of the nation: made and emitted first, then referred to by people.
 *
 * Lives in the arena of one generation. */
#ifndef MED_DEMO_WORLD_H
#define MED_DEMO_WORLD_H

#include "base/arena.h"
#include "demo/data_care.h"
#include "demo/name.h"
#include "demo/out.h"

enum med_demo_place_kind {
    MED_PLACE_HOSPITAL,
    MED_PLACE_PRACTICE,
    MED_PLACE_PHARMACY,
    MED_PLACE_LABORATORY,
    MED_PLACE_KINDS
};

enum { MED_DEMO_SLOTS = 20, MED_DEMO_STAFF = 16 };

/* A practitioner at a place. */
typedef struct med_demo_worker {
    med_demo_text name;                            /* with title */
    char practitioner[24], role[24], schedule[24]; /* ids; schedule "" when there is none */
    enum med_demo_specialty specialty;
    bool female;
    uint8_t next_slot; /* the first that may be taken and has no appointment yet */
} med_demo_worker;

typedef struct med_demo_place {
    enum med_demo_place_kind kind;
    med_demo_text name;
    char organization[24], location[24];
    const med_demo_town *town;
    const char *street;
    uint16_t house;
    uint8_t staff_count;
    med_demo_worker staff[MED_DEMO_STAFF];
} med_demo_place;

typedef struct med_demo_region {
    const med_demo_country *country;
    char insurer[24];
    uint32_t counts[MED_PLACE_KINDS];
    med_demo_place *places[MED_PLACE_KINDS];
    uint32_t workers; /* numbered so far */
} med_demo_region;

typedef struct med_demo_world {
    med_demo_options options;
    int32_t today;
    med_arena *arena;
    med_demo_out *out;
    med_demo_region regions[MED_DEMO_COUNTRIES];
} med_demo_world;

/* Emits all providers. False without memory or when emitting failed. */
bool med_demo_world_build(med_demo_world *w, med_err *err) MED_MUST_CHECK;
/* How many resources that emits. */
uint64_t med_demo_world_size(const med_demo_options *options);

/* The worker of that specialty at the place, else its first. */
med_demo_worker *med_demo_worker_of(med_demo_place *place, enum med_demo_specialty specialty);
/* The start of slot k of a schedule, on working days after `today`. */
med_demo_time med_demo_slot_start(int32_t today, unsigned k);
/* Monday is 0. */
unsigned med_demo_weekday(int32_t day);
/* That day, or the next one that is no weekend and none of the holidays all five have. */
int32_t med_demo_working_day(int32_t day);
med_demo_coding med_demo_specialty_coding(enum med_demo_specialty specialty);
void med_put_address(med_demo_out *o, const char *key, const char *use, const med_demo_country *c,
                     const med_demo_town *town, const char *street, unsigned house,
                     const char *door);

#endif
