/* data_drug.h - medicines: ATC, strength, and how they are taken, in five languages. */
#ifndef MED_DEMO_DATA_DRUG_H
#define MED_DEMO_DATA_DRUG_H

#include "demo/data_country.h"

/* clang-format off */
enum med_demo_drug {
    MED_RAMIPRIL, MED_PERINDOPRIL, MED_LOSARTAN, MED_AMLODIPINE, MED_INDAPAMIDE,
    MED_BISOPROLOL, MED_METOPROLOL,
    MED_METFORMIN, MED_EMPAGLIFLOZIN, MED_SITAGLIPTIN, MED_GLARGINE, MED_SEMAGLUTIDE,
    MED_ATORVASTATIN, MED_ROSUVASTATIN, MED_ASPIRIN, MED_CLOPIDOGREL, MED_APIXABAN, MED_RIVAROXABAN,
    MED_LEVOTHYROXINE,
    MED_SALBUTAMOL, MED_BUDESONIDE, MED_BUDESONIDE_FORMOTEROL, MED_TIOTROPIUM,
    MED_SERTRALINE, MED_ESCITALOPRAM, MED_MIRTAZAPINE,
    MED_PARACETAMOL, MED_IBUPROFEN, MED_NAPROXEN, MED_SUMATRIPTAN,
    MED_ALENDRONATE, MED_COLECALCIFEROL, MED_PANTOPRAZOLE, MED_OMEPRAZOLE,
    MED_IRON, MED_FOLIC_ACID, MED_CETIRIZINE, MED_DESLORATADINE, MED_MOMETASONE,
    MED_HYDROCORTISONE, MED_TAMOXIFEN, MED_LETROZOLE, MED_LEUPRORELIN, MED_DONEPEZIL,
    MED_PENICILLIN, MED_AMOXICILLIN, MED_AMOXICILLIN_SYRUP, MED_AZITHROMYCIN,
    MED_NITROFURANTOIN, MED_CEFUROXIME, MED_PARACETAMOL_SYRUP, MED_CHLORAMPHENICOL,
    MED_PREDNISOLONE, MED_ENOXAPARIN,
    MED_DRUG_COUNT
};

/* Two drugs of one class are not given together. */
enum med_demo_drug_class {
    MED_CLASS_NONE, MED_CLASS_ACE, MED_CLASS_CALCIUM, MED_CLASS_THIAZIDE, MED_CLASS_BETA,
    MED_CLASS_STATIN, MED_CLASS_ANTICOAGULANT, MED_CLASS_PLATELET, MED_CLASS_PLATELET2, MED_CLASS_NSAID,
    MED_CLASS_PPI, MED_CLASS_SGLT2, MED_CLASS_DPP4, MED_CLASS_INSULIN, MED_CLASS_GLP1,
    MED_CLASS_METFORMIN, MED_CLASS_SSRI, MED_CLASS_BETA_AGONIST, MED_CLASS_STEROID_INHALER,
    MED_CLASS_PENICILLIN, MED_CLASS_ANTIHISTAMINE, MED_CLASS_AROMATASE, MED_CLASS_THYROID,
    MED_CLASS_IRON, MED_CLASS_TRIPTAN
};

enum med_demo_dosage {
    MED_DOSE_MORNING, MED_DOSE_EVENING, MED_DOSE_TWICE, MED_DOSE_THRICE, MED_DOSE_PAIN,
    MED_DOSE_WEEKLY_TABLET, MED_DOSE_MIGRAINE, MED_DOSE_PUFF_NEEDED, MED_DOSE_PUFF_TWICE,
    MED_DOSE_PUFF_DAILY, MED_DOSE_NASAL, MED_DOSE_CREAM, MED_DOSE_INSULIN, MED_DOSE_WEEKLY_INJECTION,
    MED_DOSE_QUARTERLY_INJECTION, MED_DOSE_DAILY_INJECTION, MED_DOSE_SYRUP, MED_DOSE_SYRUP_FEVER,
    MED_DOSE_EYE, MED_DOSE_COUNT
};

/* clang-format on */

/* A unit that is counted ("{tbl}") is dispensed by the day; another by the package. */
typedef struct med_demo_dosage_form {
    const char *unit, *ucum; /* of one dose */
    double dose;
    uint32_t frequency, period;
    const char *period_unit; /* UCUM of time: h d wk mo */
    bool as_needed;
    const char *route, *route_display; /* SNOMED CT */
    double package;                    /* of what is taken from packages: doses in one */
    const char *package_unit, *package_ucum;
    const char *text[MED_DEMO_COUNTRIES];
} med_demo_dosage_form;

typedef struct med_demo_medicine {
    const char *atc, *name, *strength; /* "ramipril", "5 mg" */
    enum med_demo_drug_class class;
    enum med_demo_dosage dosage;
    bool not_in_pregnancy;
    uint8_t min_age;
} med_demo_medicine;

extern const med_demo_medicine med_demo_drugs[MED_DRUG_COUNT];
extern const med_demo_dosage_form med_demo_dosages[MED_DOSE_COUNT];

#endif
