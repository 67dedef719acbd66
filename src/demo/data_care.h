/* data_care.h - illnesses that pass, injuries, and stays in hospital: who, when, what is done. */
#ifndef MED_DEMO_DATA_CARE_H
#define MED_DEMO_DATA_CARE_H

#include "demo/data_condition.h"
#include "demo/data_drug.h"

enum med_demo_sex { MED_ANY_SEX, MED_ONLY_MEN, MED_ONLY_WOMEN };
/* Weights of four ages: to 9, to 17, to 64, older. */
enum { MED_DEMO_AGE_GROUPS = 4 };

typedef struct med_demo_acute {
    enum med_demo_condition condition;
    uint16_t weight[MED_DEMO_AGE_GROUPS];
    enum med_demo_sex sex;
    uint8_t months[12]; /* how likely in each month */
    uint8_t fever;      /* tenths of a degree above 36.8; 0: none */
    uint8_t crp;        /* mg/L about which it lies; 0: not measured */
    uint8_t ill_days, drug_days;
    /* MED_DRUG_COUNT: none. `spare` replaces a penicillin for the allergic. */
    enum med_demo_drug child_drug, drug, spare;
} med_demo_acute;

typedef struct med_demo_injury {
    enum med_demo_condition condition;
    uint16_t weight[MED_DEMO_AGE_GROUPS];
    uint8_t months[12];
    const char *imaging, *imaging_display; /* SNOMED CT, NULL: none */
    const char *procedure, *procedure_display;
    const char *finding; /* the radiologist's conclusion, English */
    uint8_t heal_days;
} med_demo_injury;

/* clang-format off */
enum med_demo_specialty {
    MED_GENERAL_PRACTICE, MED_PAEDIATRICS, MED_INTERNAL_MEDICINE, MED_CARDIOLOGY,
    MED_ENDOCRINOLOGY, MED_PULMONOLOGY, MED_PSYCHIATRY, MED_OBSTETRICS, MED_TRAUMATOLOGY,
    MED_SURGERY, MED_ONCOLOGY, MED_NEUROLOGY, MED_OPHTHALMOLOGY, MED_EMERGENCY, MED_RADIOLOGY,
    MED_PATHOLOGY, MED_NURSING, MED_PHARMACY, MED_SPECIALTY_COUNT
};

/* clang-format on */

typedef struct med_demo_specialty_kind {
    const char *snomed, *display;
    const char *text[MED_DEMO_COUNTRIES];
} med_demo_specialty_kind;

typedef struct med_demo_stay {
    enum med_demo_condition condition;
    enum med_demo_specialty specialty;
    uint16_t weight[MED_DEMO_AGE_GROUPS]; /* all 0: it comes from elsewhere */
    bool urgent;
    uint8_t min_days, max_days;                /* 0: a day case */
    const char *procedure, *procedure_display; /* SNOMED CT, NULL: none */
    uint8_t fever, crp, heal_days, drug_days;
    enum med_demo_drug drug;
    const char *course[MED_DEMO_COUNTRIES];
} med_demo_stay;

enum { MED_DEMO_ACUTES = 12, MED_DEMO_INJURIES = 5 };
/* clang-format off */
enum med_demo_stay_id {
    MED_STAY_PNEUMONIA, MED_STAY_HIP, MED_STAY_APPENDIX, MED_STAY_GALLSTONES, MED_STAY_HERNIA,
    MED_STAY_CATARACT, MED_STAY_INFARCTION, MED_STAY_COPD, MED_STAY_BREAST, MED_STAY_PROSTATE,
    MED_STAY_COLON, MED_STAY_KNEE, MED_STAY_BIRTH, MED_STAY_CAESAREAN, MED_STAY_COUNT
};

/* clang-format on */

extern const med_demo_acute med_demo_acutes[MED_DEMO_ACUTES];
extern const med_demo_injury med_demo_injuries[MED_DEMO_INJURIES];
extern const med_demo_stay med_demo_stays[MED_STAY_COUNT];
extern const med_demo_specialty_kind med_demo_specialties[MED_SPECIALTY_COUNT];

#endif
