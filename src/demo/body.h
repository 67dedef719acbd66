/* body.h - what a person measures on a given day. Pure functions of the person and the day. */
#ifndef MED_DEMO_BODY_H
#define MED_DEMO_BODY_H

#include "demo/person.h"

double med_demo_height(const med_demo_person *p, int32_t day); /* cm */
double med_demo_bmi(const med_demo_person *p, int32_t day);    /* kg/m2, not counting a pregnancy */
double med_demo_weight(const med_demo_person *p, int32_t day); /* kg */
double med_demo_head(const med_demo_person *p, int32_t day);   /* cm, below three years */
double med_demo_pulse(const med_demo_person *p, int32_t day);
double med_demo_breaths(const med_demo_person *p, int32_t day);
double med_demo_saturation(const med_demo_person *p, int32_t day); /* % */

/* disease_pressure.c: mmHg */
double med_demo_systolic(const med_demo_person *p, int32_t day);
double med_demo_diastolic(const med_demo_person *p, int32_t day);
/* disease_lung.c: litres, and the ratio in % */
double med_demo_fev1(const med_demo_person *p, int32_t day);
double med_demo_fev1_ratio(const med_demo_person *p, int32_t day);
/* disease_mood.c: 0 to 27 */
double med_demo_phq9(const med_demo_person *p, int32_t day);

/* labs.c: any laboratory value, in the unit of its kind. Not for the very first days of life. */
double med_demo_lab_value(const med_demo_person *p, enum med_demo_lab lab, int32_t day);

/* The models behind it, each in its own file. */
double med_demo_hba1c(const med_demo_person *p, int32_t day); /* disease_glucose.c, mmol/mol */
double med_demo_glucose(const med_demo_person *p, int32_t day);
double med_demo_ldl(const med_demo_person *p, int32_t day); /* disease_lipid.c, mmol/L */
double med_demo_hdl(const med_demo_person *p, int32_t day);
double med_demo_triglycerides(const med_demo_person *p, int32_t day);
double med_demo_creatinine(const med_demo_person *p, int32_t day); /* disease_kidney.c, umol/L */
double med_demo_egfr(const med_demo_person *p, int32_t day);
double med_demo_potassium(const med_demo_person *p, int32_t day);
double med_demo_sodium(const med_demo_person *p, int32_t day);
double med_demo_urine_albumin(const med_demo_person *p, int32_t day);
double med_demo_tsh(const med_demo_person *p, int32_t day); /* disease_thyroid.c */
double med_demo_free_t4(const med_demo_person *p, int32_t day);
double med_demo_haemoglobin(const med_demo_person *p, int32_t day); /* disease_blood.c, g/L */
double med_demo_mcv(const med_demo_person *p, int32_t day);
double med_demo_ferritin(const med_demo_person *p, int32_t day);
double med_demo_psa(const med_demo_person *p, int32_t day); /* disease_tumour.c */
double med_demo_cea(const med_demo_person *p, int32_t day);
double med_demo_ca153(const med_demo_person *p, int32_t day);

#endif
