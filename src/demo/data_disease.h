/* data_disease.h - chronic diseases: how common, how treated, how followed. */
#ifndef MED_DEMO_DATA_DISEASE_H
#define MED_DEMO_DATA_DISEASE_H

#include "demo/data_care.h"
#include "demo/data_lab.h"

enum { MED_DEMO_DECADES = 9, MED_DEMO_STEPS = 4, MED_DEMO_CHOICES = 3 };

/* One step of a treatment: some of `choice`, after `delay` days, if the disease is at least so
 * severe (0 to 2). A course ends after `days`, or never when 0. */
typedef struct med_demo_step {
    enum med_demo_drug choice[MED_DEMO_CHOICES];
    uint8_t choices; /* 0: no step */
    uint8_t severity;
    uint16_t delay, days;
} med_demo_step;

typedef struct med_demo_disease_kind {
    uint16_t prevalence[2][MED_DEMO_DECADES]; /* permille by [female][age / 10], 80 and over last */
    uint8_t first_age, last_age;              /* of onset */
    uint16_t panels;                          /* MED_PANEL(...), taken once a year */
    bool weighs, spirometry, questionnaire;   /* beside blood pressure: what a control looks at */
    enum med_demo_specialty specialty;        /* who is asked; MED_GENERAL_PRACTICE: nobody */
    uint16_t lasts;                           /* days until it is over; 0: for good */
    med_demo_step step[MED_DEMO_STEPS];
} med_demo_disease_kind;

extern const med_demo_disease_kind med_demo_diseases[MED_CHRONIC_COUNT];

#endif
