/* data_vaccine.h - vaccines and the schedules of the five countries. */
#ifndef MED_DEMO_DATA_VACCINE_H
#define MED_DEMO_DATA_VACCINE_H

#include "demo/data_country.h"

/* clang-format off */
enum med_demo_vaccine {
    MED_VACCINE_HEXA, MED_VACCINE_PNEUMO, MED_VACCINE_MMR, MED_VACCINE_ROTA, MED_VACCINE_DTP_POLIO,
    MED_VACCINE_DT, MED_VACCINE_HPV, MED_VACCINE_FLU, MED_VACCINE_COVID, MED_VACCINE_TBE,
    MED_VACCINE_BCG, MED_VACCINE_HEPB, MED_VACCINE_COUNT
};
/* clang-format on */

enum { MED_VACCINE_TARGETS = 6, MED_DEMO_SCHEDULE = 24 };

typedef struct med_demo_target {
    const char *snomed, *display;
} med_demo_target;

typedef struct med_demo_vaccine_kind {
    const char *atc, *display;
    double millilitres;
    bool oral;
    med_demo_target target[MED_VACCINE_TARGETS];
} med_demo_vaccine_kind;

/* One dose of a schedule; doses = 0 ends the list. */
typedef struct med_demo_dose {
    enum med_demo_vaccine vaccine;
    uint16_t age_days;
    uint8_t dose, doses;
    uint16_t born_since; /* year of birth from which it is given, to both sexes */
} med_demo_dose;

extern const med_demo_vaccine_kind med_demo_vaccines[MED_VACCINE_COUNT];
extern const med_demo_dose med_demo_schedules[MED_DEMO_COUNTRIES][MED_DEMO_SCHEDULE];

#endif
