/* data_condition.h - what people of the demo can have: codes and names in five languages. */
#ifndef MED_DEMO_DATA_CONDITION_H
#define MED_DEMO_DATA_CONDITION_H

#include "demo/data_country.h"

enum med_demo_condition {
    /* Chronic ones, with a model of their own; their prevalence is in data_disease.c. */
    MED_HYPERTENSION,
    MED_DIABETES,
    MED_DYSLIPIDAEMIA,
    MED_HYPOTHYROIDISM,
    MED_ASTHMA,
    MED_COPD,
    MED_DEPRESSION,
    MED_FIBRILLATION,
    MED_CORONARY,
    MED_CKD,
    MED_ARTHROSIS,
    MED_OSTEOPOROSIS,
    MED_MIGRAINE,
    MED_REFLUX,
    MED_ANAEMIA,
    MED_RHINITIS,
    MED_ECZEMA,
    MED_OBESITY,
    MED_BREAST_CANCER,
    MED_PROSTATE_CANCER,
    MED_COLON_CANCER,
    MED_DEMENTIA,
    MED_CHRONIC_COUNT,
    /* Those that pass. */
    MED_COLD = MED_CHRONIC_COUNT,
    MED_TONSILLITIS,
    MED_OTITIS,
    MED_BRONCHITIS,
    MED_SINUSITIS,
    MED_GASTROENTERITIS,
    MED_CYSTITIS,
    MED_INFLUENZA,
    MED_COVID,
    MED_BACK_PAIN,
    MED_CONJUNCTIVITIS,
    MED_VARICELLA,
    /* Seen in an emergency department. */
    MED_ANKLE_SPRAIN,
    MED_FOREARM_FRACTURE,
    MED_CLAVICLE_FRACTURE,
    MED_ANKLE_FRACTURE,
    MED_CONCUSSION,
    /* A reason for a stay in hospital. */
    MED_PNEUMONIA,
    MED_HIP_FRACTURE,
    MED_APPENDICITIS,
    MED_GALLSTONES,
    MED_HERNIA,
    MED_CATARACT,
    MED_INFARCTION,
    MED_COPD_EXACERBATION,
    MED_PREGNANCY,
    MED_CONDITION_COUNT
};

typedef struct med_demo_concept {
    const char *snomed, *display, *icd10;
    const char *text[MED_DEMO_COUNTRIES];
} med_demo_concept;

extern const med_demo_concept med_demo_conditions[MED_CONDITION_COUNT];

#endif
