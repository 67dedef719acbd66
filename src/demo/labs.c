/* labs.c - every laboratory value of a person on a day, from the models of the diseases. */
#include "demo/body.h"

static double white_cells(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    double value = (age < 6 ? 8.2 : 6.6) + 0.8 * p->blood_z + 0.5 * med_demo_wobble(p, day, 200);
    if (med_demo_pregnant(p, day) != NULL)
        value += 1.6;
    return value + (p->smoking == MED_SMOKER ? 0.7 : 0);
}

static double liver(const med_demo_person *p, int32_t day, double lean, double own, unsigned thing)
{
    double bmi = med_demo_bmi(p, day);
    double value = lean + 1.3 * (bmi > 23 ? bmi - 23 : 0) + own;
    value += 3 * med_demo_wobble(p, day, thing);
    return value < 8 ? 8 : value;
}

/* Values derived from others are computed from those as they are reported. */
static double rounded(double value, double unit)
{
    return (double)(int64_t)(value / unit + 0.5) * unit;
}

static double total_cholesterol(const med_demo_person *p, int32_t day)
{
    return rounded(med_demo_ldl(p, day), 0.1) + rounded(med_demo_hdl(p, day), 0.1)
           + rounded(med_demo_triglycerides(p, day), 0.1) / 2.2;
}

static double haematocrit(const med_demo_person *p, int32_t day)
{
    return rounded(med_demo_haemoglobin(p, day), 1) / 3.38;
}

double med_demo_lab_value(const med_demo_person *p, enum med_demo_lab lab, int32_t day)
{
    switch (lab) {
    case MED_CREATININE:
        return med_demo_creatinine(p, day);
    case MED_EGFR:
        return med_demo_egfr(p, day);
    case MED_POTASSIUM:
        return med_demo_potassium(p, day);
    case MED_SODIUM:
        return med_demo_sodium(p, day);
    case MED_CHOLESTEROL:
        return total_cholesterol(p, day);
    case MED_LDL:
        return med_demo_ldl(p, day);
    case MED_HDL:
        return med_demo_hdl(p, day);
    case MED_TRIGLYCERIDES:
        return med_demo_triglycerides(p, day);
    case MED_HBA1C:
        return med_demo_hba1c(p, day);
    case MED_HBA1C_PERCENT:
        return med_demo_hba1c(p, day) * 0.09148 + 2.152; /* the IFCC-NGSP master equation */
    case MED_GLUCOSE:
        return med_demo_glucose(p, day);
    case MED_TSH:
        return med_demo_tsh(p, day);
    case MED_FREE_T4:
        return med_demo_free_t4(p, day);
    case MED_HAEMOGLOBIN:
        return med_demo_haemoglobin(p, day);
    case MED_HAEMATOCRIT:
        return haematocrit(p, day);
    case MED_ERYTHROCYTES:
        return haematocrit(p, day) * 10 / rounded(med_demo_mcv(p, day), 1);
    case MED_MCV:
        return med_demo_mcv(p, day);
    case MED_LEUKOCYTES:
        return white_cells(p, day);
    case MED_PLATELETS:
        return 248 + 28 * p->blood_z + 12 * med_demo_wobble(p, day, 201);
    case MED_FERRITIN:
        return med_demo_ferritin(p, day);
    case MED_ALT:
        return liver(p, day, p->female ? 17 : 21, 3 * p->lipid_z, 202);
    case MED_GGT:
        return liver(p, day, p->female ? 15 : 22, 6 * p->blood_z, 203);
    case MED_CRP:
        return 2.2 + 1.6 * med_demo_wobble(p, day, 204);
    case MED_URINE_ALBUMIN:
        return med_demo_urine_albumin(p, day);
    case MED_PSA:
        return med_demo_psa(p, day);
    case MED_CEA:
        return med_demo_cea(p, day);
    case MED_CA153:
        return med_demo_ca153(p, day);
    case MED_TROPONIN: /* taken in an infarction */
        return 640 + 480 * med_demo_wobble(p, day, 205);
    case MED_LAB_COUNT:
        break;
    }
    return 0;
}
