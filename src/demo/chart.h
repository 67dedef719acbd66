/* chart.h - writing into one person's record.
 *
 * Resources of a person are numbered: p000042-7 is the seventh of that person, whatever its
 * type. A chart can be carried out on trial (out->mute), which only counts. */
#ifndef MED_DEMO_CHART_H
#define MED_DEMO_CHART_H

#include "demo/body.h"
#include "demo/data_text.h"

/* The encounter that is going on. */
typedef struct med_demo_visit {
    uint16_t id; /* 0: none */
    med_demo_time start, end;
    const med_demo_worker *who;
    const med_demo_place *where;
} med_demo_visit;

typedef struct med_demo_chart {
    med_demo_world *world;
    med_demo_out *out;
    med_demo_person *p;
    med_demo_household *home;
    int32_t today, last; /* last: of this person, <= today */
    med_demo_rng rng;    /* of the event being told */
    med_demo_visit visit;
} med_demo_chart;

/* Begins the person's next resource and returns its number. Its end is med_demo_end(out). */
uint16_t med_demo_chart_begin(med_demo_chart *c, const char *type);
med_demo_text med_demo_chart_id(const med_demo_chart *c, uint16_t number);
const char *med_demo_say(const med_demo_chart *c, enum med_demo_sentence sentence);
const char *med_demo_condition_text(const med_demo_chart *c, enum med_demo_condition d);

/* Reference to a resource of this person; nothing when number is 0. */
void med_put_own(med_demo_chart *c, const char *key, const char *type, uint16_t number);
void med_put_owns(med_demo_chart *c, const char *key, const char *type, uint16_t number);
void med_put_patient(med_demo_chart *c, const char *key);
void med_put_encounter(med_demo_chart *c); /* of the visit, if there is one */
void med_put_worker(med_demo_chart *c, const char *key, const med_demo_worker *worker);
void med_put_workers(med_demo_chart *c, const char *key, const med_demo_worker *worker);
void med_put_place(med_demo_chart *c, const char *key, const med_demo_place *place);
/* SNOMED CT and ICD-10 with the national name. */
void med_put_diagnosis(med_demo_chart *c, const char *key, enum med_demo_condition d);
void med_put_category(med_demo_chart *c, const char *system, const char *code, const char *display);
/* A coding of SNOMED CT; LOINC; ATC. */
med_demo_coding med_demo_snomed(const char *code, const char *display);
med_demo_coding med_demo_loinc(const char *code, const char *display);
med_demo_coding med_demo_atc(enum med_demo_drug drug);

#endif
