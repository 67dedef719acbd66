/* data_lab.h - what is measured: LOINC codes, UCUM units, reference ranges, panels. */
#ifndef MED_DEMO_DATA_LAB_H
#define MED_DEMO_DATA_LAB_H

#include "base/str.h"

/* clang-format off */
enum med_demo_lab {
    MED_CREATININE, MED_EGFR, MED_POTASSIUM, MED_SODIUM,
    MED_CHOLESTEROL, MED_LDL, MED_HDL, MED_TRIGLYCERIDES,
    MED_HBA1C, MED_HBA1C_PERCENT, MED_GLUCOSE,
    MED_TSH, MED_FREE_T4,
    MED_HAEMOGLOBIN, MED_HAEMATOCRIT, MED_ERYTHROCYTES, MED_MCV, MED_LEUKOCYTES, MED_PLATELETS,
    MED_FERRITIN, MED_ALT, MED_GGT, MED_CRP, MED_URINE_ALBUMIN,
    MED_PSA, MED_CEA, MED_CA153, MED_TROPONIN,
    MED_LAB_COUNT
};

enum med_demo_panel {
    MED_PANEL_RENAL, MED_PANEL_LIPID, MED_PANEL_GLUCOSE, MED_PANEL_THYROID, MED_PANEL_BLOOD,
    MED_PANEL_IRON, MED_PANEL_LIVER, MED_PANEL_CRP, MED_PANEL_URINE,
    MED_PANEL_PSA, MED_PANEL_CEA, MED_PANEL_CA153, MED_PANEL_HEART,
    MED_PANEL_COUNT
};
/* clang-format on */
#define MED_PANEL(name) (1u << MED_PANEL_##name)

/* A bound that does not exist is 0 for low and MED_LAB_NO_HIGH for high. */
#define MED_LAB_NO_HIGH 1e9

typedef struct med_demo_lab_kind {
    const char *loinc, *display, *text;
    const char *unit, *ucum;
    int decimals;
    double low[2], high[2]; /* [female] */
} med_demo_lab_kind;

typedef struct med_demo_panel_kind {
    const char *loinc, *display;
    uint8_t first, n; /* labs, which follow each other in the enum */
} med_demo_panel_kind;

extern const med_demo_lab_kind med_demo_labs[MED_LAB_COUNT];
extern const med_demo_panel_kind med_demo_panels[MED_PANEL_COUNT];

#endif
