/* data_disease.c - prevalence by age and sex as in European registries, to a doctor's eye. */
#include "demo/data_disease.h"

/* clang-format off */
#define STEP1(severity, delay, days, a) {{a}, 1, severity, delay, days}
#define STEP2(severity, delay, days, a, b) {{a, b}, 2, severity, delay, days}
#define STEP3(severity, delay, days, a, b, c) {{a, b, c}, 3, severity, delay, days}

const med_demo_disease_kind med_demo_diseases[MED_CHRONIC_COUNT] = {
    [MED_HYPERTENSION] = {
        {{0, 0, 15, 70, 190, 330, 470, 580, 640}, {0, 0, 5, 45, 140, 280, 450, 600, 690}}, 24, 85,
        MED_PANEL(RENAL), true, false, false, MED_CARDIOLOGY, 0,
        {STEP3(0, 0, 0, MED_RAMIPRIL, MED_PERINDOPRIL, MED_LOSARTAN),
         STEP1(1, 240, 0, MED_AMLODIPINE), STEP1(2, 600, 0, MED_INDAPAMIDE)}},
    [MED_DIABETES] = {
        {{0, 0, 1, 10, 40, 95, 160, 200, 190}, {0, 0, 1, 8, 28, 65, 120, 165, 180}}, 30, 85,
        MED_PANEL(GLUCOSE) | MED_PANEL(RENAL) | MED_PANEL(LIPID) | MED_PANEL(URINE), true, false,
        false, MED_ENDOCRINOLOGY, 0,
        {STEP1(0, 0, 0, MED_METFORMIN), STEP2(1, 500, 0, MED_EMPAGLIFLOZIN, MED_SITAGLIPTIN),
         STEP2(2, 1100, 0, MED_GLARGINE, MED_SEMAGLUTIDE),
         STEP2(0, 40, 0, MED_ATORVASTATIN, MED_ROSUVASTATIN)}},
    [MED_DYSLIPIDAEMIA] = {
        {{0, 0, 8, 60, 150, 260, 330, 340, 250}, {0, 0, 5, 35, 95, 220, 330, 350, 270}}, 25, 80,
        MED_PANEL(LIPID) | MED_PANEL(LIVER), true, false, false, MED_GENERAL_PRACTICE, 0,
        {STEP2(0, 60, 0, MED_ATORVASTATIN, MED_ROSUVASTATIN)}},
    [MED_HYPOTHYROIDISM] = {
        {{0, 2, 5, 8, 12, 20, 30, 40, 45}, {1, 5, 20, 40, 65, 90, 110, 120, 125}}, 12, 80,
        MED_PANEL(THYROID), false, false, false, MED_ENDOCRINOLOGY, 0,
        {STEP1(0, 0, 0, MED_LEVOTHYROXINE)}},
    [MED_ASTHMA] = {
        {{60, 85, 65, 55, 50, 50, 45, 40, 35}, {40, 65, 70, 65, 65, 70, 65, 55, 45}}, 3, 60,
        0, false, true, false, MED_PULMONOLOGY, 0,
        {STEP1(0, 0, 0, MED_SALBUTAMOL), STEP2(1, 30, 0, MED_BUDESONIDE, MED_BUDESONIDE_FORMOTEROL)}},
    [MED_COPD] = {
        {{0, 0, 0, 0, 15, 45, 85, 110, 110}, {0, 0, 0, 0, 12, 35, 65, 75, 65}}, 42, 80,
        0, false, true, false, MED_PULMONOLOGY, 0,
        {STEP1(0, 0, 0, MED_SALBUTAMOL), STEP1(0, 20, 0, MED_TIOTROPIUM),
         STEP1(2, 500, 0, MED_BUDESONIDE_FORMOTEROL)}},
    [MED_DEPRESSION] = {
        {{0, 10, 30, 40, 45, 45, 40, 40, 45}, {0, 20, 55, 70, 80, 80, 70, 70, 75}}, 15, 85,
        0, false, false, true, MED_PSYCHIATRY, 540,
        {STEP2(0, 0, 400, MED_SERTRALINE, MED_ESCITALOPRAM), STEP1(2, 90, 300, MED_MIRTAZAPINE)}},
    [MED_FIBRILLATION] = {
        {{0, 0, 0, 2, 8, 20, 55, 110, 180}, {0, 0, 0, 1, 4, 12, 35, 85, 160}}, 38, 90,
        MED_PANEL(RENAL) | MED_PANEL(BLOOD), false, false, false, MED_CARDIOLOGY, 0,
        {STEP2(0, 0, 0, MED_APIXABAN, MED_RIVAROXABAN), STEP2(0, 0, 0, MED_BISOPROLOL, MED_METOPROLOL)}},
    [MED_CORONARY] = {
        {{0, 0, 0, 2, 20, 60, 130, 190, 220}, {0, 0, 0, 0, 7, 25, 65, 115, 160}}, 40, 85,
        MED_PANEL(LIPID) | MED_PANEL(RENAL), true, false, false, MED_CARDIOLOGY, 0,
        {STEP1(0, 0, 0, MED_ASPIRIN), STEP1(0, 0, 0, MED_ATORVASTATIN),
         STEP2(0, 0, 0, MED_BISOPROLOL, MED_METOPROLOL), STEP1(1, 0, 365, MED_CLOPIDOGREL)}},
    [MED_CKD] = {
        {{0, 0, 0, 1, 6, 22, 70, 160, 290}, {0, 0, 0, 1, 6, 22, 75, 180, 310}}, 38, 88,
        MED_PANEL(RENAL) | MED_PANEL(URINE) | MED_PANEL(BLOOD), true, false, false,
        MED_INTERNAL_MEDICINE, 0,
        {STEP2(0, 0, 0, MED_RAMIPRIL, MED_LOSARTAN), STEP1(1, 300, 0, MED_EMPAGLIFLOZIN)}},
    [MED_ARTHROSIS] = {
        {{0, 0, 0, 4, 30, 75, 130, 180, 200}, {0, 0, 0, 4, 40, 110, 200, 270, 290}}, 38, 82,
        0, true, false, false, MED_TRAUMATOLOGY, 0,
        {STEP1(0, 0, 0, MED_PARACETAMOL), STEP1(1, 60, 120, MED_NAPROXEN)}},
    [MED_OSTEOPOROSIS] = {
        {{0, 0, 0, 0, 0, 5, 15, 30, 60}, {0, 0, 0, 0, 8, 60, 150, 260, 340}}, 48, 85,
        0, false, false, false, MED_GENERAL_PRACTICE, 0,
        {STEP1(0, 0, 0, MED_ALENDRONATE), STEP1(0, 0, 0, MED_COLECALCIFEROL)}},
    [MED_MIGRAINE] = {
        {{5, 25, 45, 55, 55, 40, 20, 8, 3}, {5, 55, 130, 170, 160, 100, 40, 15, 8}}, 8, 50,
        0, false, false, false, MED_NEUROLOGY, 0,
        {STEP1(0, 0, 0, MED_SUMATRIPTAN)}},
    [MED_REFLUX] = {
        {{0, 5, 30, 60, 85, 110, 130, 140, 140}, {0, 5, 30, 60, 85, 110, 130, 140, 140}}, 16, 80,
        0, false, false, false, MED_GENERAL_PRACTICE, 0,
        {STEP2(0, 0, 180, MED_PANTOPRAZOLE, MED_OMEPRAZOLE)}},
    [MED_ANAEMIA] = {
        {{0, 3, 3, 4, 6, 10, 15, 30, 50}, {0, 25, 50, 60, 60, 25, 15, 25, 40}}, 13, 88,
        MED_PANEL(BLOOD) | MED_PANEL(IRON), false, false, false, MED_GENERAL_PRACTICE, 200,
        {STEP1(0, 0, 120, MED_IRON)}},
    [MED_RHINITIS] = {
        {{40, 130, 150, 140, 120, 80, 50, 25, 10}, {40, 120, 150, 140, 120, 85, 55, 30, 10}}, 5, 45,
        0, false, false, false, MED_GENERAL_PRACTICE, 0,
        {STEP2(0, 0, 0, MED_CETIRIZINE, MED_DESLORATADINE), STEP1(1, 0, 0, MED_MOMETASONE)}},
    [MED_ECZEMA] = {
        {{140, 70, 35, 25, 20, 15, 12, 10, 10}, {140, 75, 45, 30, 25, 15, 12, 10, 10}}, 0, 30,
        0, false, false, false, MED_GENERAL_PRACTICE, 0,
        {STEP1(0, 0, 60, MED_HYDROCORTISONE)}},
    /* obesity follows from the body mass index */
    [MED_OBESITY] = {{{0}, {0}}, 18, 75, 0, true, false, false, MED_GENERAL_PRACTICE, 0, {{{0}, 0, 0, 0, 0}}},
    [MED_BREAST_CANCER] = {
        {{0}, {0, 0, 0, 4, 14, 28, 42, 52, 50}}, 34, 82,
        MED_PANEL(BLOOD) | MED_PANEL(LIVER) | MED_PANEL(CA153), true, false, false, MED_ONCOLOGY, 0,
        {STEP1(0, 60, 1825, MED_LETROZOLE)}},
    [MED_PROSTATE_CANCER] = {
        {{0, 0, 0, 0, 2, 22, 75, 125, 140}, {0}}, 50, 82,
        MED_PANEL(PSA), false, false, false, MED_ONCOLOGY, 0,
        {STEP1(1, 60, 730, MED_LEUPRORELIN)}},
    [MED_COLON_CANCER] = {
        {{0, 0, 0, 1, 3, 9, 22, 38, 48}, {0, 0, 0, 1, 3, 7, 16, 28, 38}}, 38, 84,
        MED_PANEL(BLOOD) | MED_PANEL(LIVER) | MED_PANEL(CEA), true, false, false, MED_ONCOLOGY, 0,
        {{{0}, 0, 0, 0, 0}}},
    [MED_DEMENTIA] = {
        {{0, 0, 0, 0, 0, 1, 8, 38, 150}, {0, 0, 0, 0, 0, 1, 9, 48, 190}}, 62, 92,
        0, true, false, false, MED_NEUROLOGY, 0,
        {STEP1(0, 0, 0, MED_DONEPEZIL)}},
};
