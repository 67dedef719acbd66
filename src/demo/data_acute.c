/* data_acute.c - illnesses that pass by themselves or with a week of medicine, and injuries. */
#include "demo/data_care.h"

/* clang-format off */
#define NO_DRUG MED_DRUG_COUNT
#define ALL_YEAR {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
#define WINTER {9, 9, 7, 4, 2, 1, 1, 1, 3, 5, 7, 9}
#define FLU {10, 10, 6, 1, 0, 0, 0, 0, 0, 1, 3, 8}
#define SUMMER {1, 1, 2, 4, 6, 8, 8, 8, 6, 3, 1, 1}
#define ICE {9, 8, 5, 2, 2, 2, 2, 2, 2, 3, 5, 9}

const med_demo_acute med_demo_acutes[MED_DEMO_ACUTES] = {
    {MED_COLD, {30, 18, 16, 8}, MED_ANY_SEX, WINTER, 9, 0, 7, 5,
        MED_PARACETAMOL_SYRUP, NO_DRUG, NO_DRUG},
    {MED_TONSILLITIS, {12, 12, 6, 1}, MED_ANY_SEX, WINTER, 18, 60, 10, 10,
        MED_AMOXICILLIN_SYRUP, MED_PENICILLIN, MED_AZITHROMYCIN},
    {MED_OTITIS, {22, 3, 1, 0}, MED_ANY_SEX, WINTER, 16, 40, 8, 7,
        MED_AMOXICILLIN_SYRUP, MED_AMOXICILLIN, MED_AZITHROMYCIN},
    {MED_BRONCHITIS, {6, 4, 9, 14}, MED_ANY_SEX, WINTER, 8, 22, 14, 0, NO_DRUG, NO_DRUG, NO_DRUG},
    {MED_SINUSITIS, {0, 4, 9, 5}, MED_ANY_SEX, WINTER, 8, 30, 12, 7,
        NO_DRUG, MED_AMOXICILLIN, MED_AZITHROMYCIN},
    {MED_GASTROENTERITIS, {14, 8, 8, 6}, MED_ANY_SEX, {6, 6, 5, 4, 3, 3, 4, 4, 3, 3, 4, 6}, 10, 0, 4, 0,
        NO_DRUG, NO_DRUG, NO_DRUG},
    {MED_CYSTITIS, {1, 6, 16, 18}, MED_ONLY_WOMEN, ALL_YEAR, 0, 0, 6, 5,
        NO_DRUG, MED_NITROFURANTOIN, MED_NITROFURANTOIN},
    {MED_INFLUENZA, {7, 7, 8, 8}, MED_ANY_SEX, FLU, 23, 18, 9, 5,
        MED_PARACETAMOL_SYRUP, MED_PARACETAMOL, MED_PARACETAMOL},
    {MED_COVID, {2, 4, 7, 9}, MED_ANY_SEX, {8, 7, 5, 3, 2, 2, 4, 4, 5, 6, 7, 8}, 14, 15, 10, 5,
        NO_DRUG, MED_PARACETAMOL, MED_PARACETAMOL},
    {MED_BACK_PAIN, {0, 3, 20, 14}, MED_ANY_SEX, ALL_YEAR, 0, 0, 21, 10,
        NO_DRUG, MED_NAPROXEN, MED_NAPROXEN},
    {MED_CONJUNCTIVITIS, {8, 3, 3, 3}, MED_ANY_SEX, ALL_YEAR, 0, 0, 7, 7,
        MED_CHLORAMPHENICOL, MED_CHLORAMPHENICOL, MED_CHLORAMPHENICOL},
    {MED_VARICELLA, {9, 0, 0, 0}, MED_ANY_SEX, {4, 4, 5, 6, 6, 5, 2, 1, 2, 3, 4, 4}, 12, 0, 10, 0,
        NO_DRUG, NO_DRUG, NO_DRUG},
};

const med_demo_injury med_demo_injuries[MED_DEMO_INJURIES] = {
    {MED_ANKLE_SPRAIN, {2, 14, 10, 4}, SUMMER, "19490002", "Radiography of ankle",
        "274474001", "Bone immobilization", "No fracture of the ankle.", 28},
    {MED_FOREARM_FRACTURE, {12, 12, 4, 14}, ICE, "60027007", "Radiography of wrist",
        "274474001", "Bone immobilization",
        "Fracture of the distal forearm without relevant displacement.", 49},
    {MED_CLAVICLE_FRACTURE, {5, 6, 3, 2}, SUMMER, "168594001", "Clavicle X-ray",
        "274474001", "Bone immobilization", "Fracture of the middle third of the clavicle.", 42},
    {MED_ANKLE_FRACTURE, {0, 3, 5, 7}, ICE, "19490002", "Radiography of ankle",
        "274474001", "Bone immobilization", "Fracture of the lateral malleolus, mortise intact.", 56},
    {MED_CONCUSSION, {5, 6, 3, 4}, ALL_YEAR, NULL, NULL, NULL, NULL, NULL, 14},
};

const med_demo_specialty_kind med_demo_specialties[MED_SPECIALTY_COUNT] = {
    [MED_GENERAL_PRACTICE] = {"419772000", "Family practice",
        {"Družinska medicina", "Všeobecné praktické lékařství", "Almen medicin", "Allmennmedisin",
         "Обща медицина"}},
    [MED_PAEDIATRICS] = {"394537008", "Pediatric specialty",
        {"Pediatrija", "Praktické lékařství pro děti a dorost", "Pædiatri", "Pediatri", "Педиатрия"}},
    [MED_INTERNAL_MEDICINE] = {"419192003", "Internal medicine",
        {"Interna medicina", "Vnitřní lékařství", "Intern medicin", "Indremedisin",
         "Вътрешни болести"}},
    [MED_CARDIOLOGY] = {"394579002", "Cardiology",
        {"Kardiologija", "Kardiologie", "Kardiologi", "Kardiologi", "Кардиология"}},
    [MED_ENDOCRINOLOGY] = {"394583002", "Endocrinology",
        {"Endokrinologija", "Endokrinologie", "Endokrinologi", "Endokrinologi", "Ендокринология"}},
    [MED_PULMONOLOGY] = {"418112009", "Pulmonary medicine",
        {"Pulmologija", "Pneumologie", "Lungemedicin", "Lungesykdommer", "Пневмология"}},
    [MED_PSYCHIATRY] = {"394587001", "Psychiatry",
        {"Psihiatrija", "Psychiatrie", "Psykiatri", "Psykiatri", "Психиатрия"}},
    [MED_OBSTETRICS] = {"394585009", "Obstetrics and gynecology",
        {"Ginekologija in porodništvo", "Gynekologie a porodnictví", "Gynækologi og obstetrik",
         "Fødselshjelp og kvinnesykdommer", "Акушерство и гинекология"}},
    [MED_TRAUMATOLOGY] = {"394801008", "Trauma and orthopedics",
        {"Ortopedija in travmatologija", "Ortopedie a traumatologie", "Ortopædisk kirurgi",
         "Ortopedisk kirurgi", "Ортопедия и травматология"}},
    [MED_SURGERY] = {"394609007", "General surgery",
        {"Splošna kirurgija", "Chirurgie", "Kirurgi", "Generell kirurgi", "Хирургия"}},
    [MED_ONCOLOGY] = {"394593009", "Medical oncology",
        {"Onkologija", "Klinická onkologie", "Klinisk onkologi", "Onkologi", "Медицинска онкология"}},
    [MED_NEUROLOGY] = {"394591006", "Neurology",
        {"Nevrologija", "Neurologie", "Neurologi", "Nevrologi", "Нервни болести"}},
    [MED_OPHTHALMOLOGY] = {"394594003", "Ophthalmology",
        {"Oftalmologija", "Oftalmologie", "Oftalmologi", "Øyesykdommer", "Очни болести"}},
    [MED_EMERGENCY] = {"773568002", "Emergency medicine",
        {"Urgentna medicina", "Urgentní medicína", "Akutmedicin", "Akuttmedisin",
         "Спешна медицина"}},
    [MED_RADIOLOGY] = {"394914008", "Radiology",
        {"Radiologija", "Radiologie", "Radiologi", "Radiologi", "Образна диагностика"}},
    [MED_PATHOLOGY] = {"394915009", "General pathology",
        {"Laboratorijska medicina", "Klinická biochemie", "Klinisk biokemi",
         "Medisinsk biokjemi", "Клинична лаборатория"}},
    [MED_NURSING] = {"224535009", "Registered nurse",
        {"Zdravstvena nega", "Ošetřovatelství", "Sygepleje", "Sykepleie", "Здравни грижи"}},
    [MED_PHARMACY] = {"46255001", "Pharmacist",
        {"Farmacija", "Farmacie", "Farmaci", "Farmasi", "Фармация"}},
};
