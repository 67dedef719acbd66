/* data_vaccine.c - vaccines by ATC; childhood schedules, simplified to one line a dose. */
#include "demo/data_vaccine.h"

/* clang-format off */
#define DIPHTHERIA {"397430003", "Diphtheria caused by Corynebacterium diphtheriae"}
#define TETANUS {"76902006", "Tetanus"}
#define PERTUSSIS {"27836007", "Pertussis"}
#define POLIO {"398102009", "Acute poliomyelitis"}

const med_demo_vaccine_kind med_demo_vaccines[MED_VACCINE_COUNT] = {
    [MED_VACCINE_HEXA] = {"J07CA09",
        "diphtheria-hemophilus influenzae B-pertussis-poliomyelitis-tetanus-hepatitis B", 0.5, false,
        {DIPHTHERIA, TETANUS, PERTUSSIS, POLIO, {"91428005", "Haemophilus influenzae infection"},
         {"66071002", "Viral hepatitis type B"}}},
    [MED_VACCINE_PNEUMO] = {"J07AL02", "pneumococcus, purified polysaccharides antigen, conjugated",
        0.5, false, {{"16814004", "Pneumococcal infectious disease"}}},
    [MED_VACCINE_MMR] = {"J07BD52", "measles, combinations with mumps and rubella, live attenuated",
        0.5, false, {{"14189004", "Measles"}, {"36989005", "Mumps"}, {"36653000", "Rubella"}}},
    [MED_VACCINE_ROTA] = {"J07BH01", "rota virus, live attenuated", 1.5, true,
        {{"18624000", "Disease caused by Rotavirus"}}},
    [MED_VACCINE_DTP_POLIO] = {"J07CA02", "diphtheria-pertussis-poliomyelitis-tetanus", 0.5, false,
        {DIPHTHERIA, TETANUS, PERTUSSIS, POLIO}},
    [MED_VACCINE_DT] = {"J07AM51", "tetanus toxoid, combinations with diphtheria toxoid", 0.5, false,
        {TETANUS, DIPHTHERIA}},
    [MED_VACCINE_HPV] = {"J07BM03", "papillomavirus (human types 6, 11, 16, 18, 31, 33, 45, 52, 58)",
        0.5, false, {{"240532009", "Human papillomavirus infection"}}},
    [MED_VACCINE_FLU] = {"J07BB02", "influenza, inactivated, split virus or surface antigen", 0.5,
        false, {{"6142004", "Influenza"}}},
    [MED_VACCINE_COVID] = {"J07BN01", "covid-19, RNA-based vaccine", 0.3, false,
        {{"840539006", "Disease caused by SARS-CoV-2"}}},
    [MED_VACCINE_TBE] = {"J07BA01", "encephalitis, tick borne, inactivated, whole virus", 0.5, false,
        {{"712986001", "Tickborne encephalitis"}}},
    [MED_VACCINE_BCG] = {"J07AN01", "tuberculosis, live attenuated", 0.05, false,
        {{"56717001", "Tuberculosis"}}},
    [MED_VACCINE_HEPB] = {"J07BC01", "hepatitis B, purified antigen", 0.5, false,
        {{"66071002", "Viral hepatitis type B"}}},
};

#define MONTHS(n) ((n) * 61 / 2)
#define YEARS(n) ((n) * 365 + (n) / 4 + 20)
const med_demo_dose med_demo_schedules[MED_DEMO_COUNTRIES][MED_DEMO_SCHEDULE] = {
    [MED_DEMO_SI] = {
        {MED_VACCINE_HEXA, MONTHS(3), 1, 3, 2012}, {MED_VACCINE_HEXA, MONTHS(5), 2, 3, 2012},
        {MED_VACCINE_HEXA, MONTHS(11), 3, 3, 2012}, {MED_VACCINE_PNEUMO, MONTHS(3), 1, 3, 2015},
        {MED_VACCINE_PNEUMO, MONTHS(5), 2, 3, 2015}, {MED_VACCINE_PNEUMO, MONTHS(12), 3, 3, 2015},
        {MED_VACCINE_MMR, MONTHS(13), 1, 2, 1990}, {MED_VACCINE_TBE, MONTHS(14), 1, 3, 2018},
        {MED_VACCINE_TBE, MONTHS(16), 2, 3, 2018}, {MED_VACCINE_TBE, MONTHS(25), 3, 3, 2018},
        {MED_VACCINE_MMR, YEARS(5), 2, 2, 1990}, {MED_VACCINE_DTP_POLIO, YEARS(8), 1, 1, 2004},
        {MED_VACCINE_HPV, YEARS(11), 1, 2, 2010}, {MED_VACCINE_HPV, YEARS(11) + 180, 2, 2, 2010},
        {MED_VACCINE_DT, YEARS(16), 1, 1, 1998}},
    [MED_DEMO_CZ] = {
        {MED_VACCINE_HEXA, MONTHS(3), 1, 3, 2018}, {MED_VACCINE_HEXA, MONTHS(5), 2, 3, 2018},
        {MED_VACCINE_HEXA, MONTHS(11), 3, 3, 2018}, {MED_VACCINE_PNEUMO, MONTHS(3) + 7, 1, 3, 2010},
        {MED_VACCINE_PNEUMO, MONTHS(5) + 7, 2, 3, 2010}, {MED_VACCINE_PNEUMO, MONTHS(12), 3, 3, 2010},
        {MED_VACCINE_MMR, MONTHS(14), 1, 2, 1990}, {MED_VACCINE_MMR, YEARS(5) + 90, 2, 2, 1990},
        {MED_VACCINE_DTP_POLIO, YEARS(5), 1, 2, 2003}, {MED_VACCINE_DTP_POLIO, YEARS(10), 2, 2, 2000},
        {MED_VACCINE_HPV, YEARS(13), 1, 2, 2005}, {MED_VACCINE_HPV, YEARS(13) + 180, 2, 2, 2005}},
    [MED_DEMO_DK] = {
        {MED_VACCINE_HEXA, MONTHS(3), 1, 3, 2014}, {MED_VACCINE_HEXA, MONTHS(5), 2, 3, 2014},
        {MED_VACCINE_HEXA, MONTHS(12), 3, 3, 2014}, {MED_VACCINE_PNEUMO, MONTHS(3), 1, 3, 2008},
        {MED_VACCINE_PNEUMO, MONTHS(5), 2, 3, 2008}, {MED_VACCINE_PNEUMO, MONTHS(12), 3, 3, 2008},
        {MED_VACCINE_MMR, MONTHS(15), 1, 2, 1990}, {MED_VACCINE_MMR, YEARS(4), 2, 2, 2004},
        {MED_VACCINE_DTP_POLIO, YEARS(5), 1, 1, 2000}, {MED_VACCINE_HPV, YEARS(12), 1, 2, 2007},
        {MED_VACCINE_HPV, YEARS(12) + 200, 2, 2, 2007}},
    [MED_DEMO_NO] = {
        {MED_VACCINE_ROTA, 43, 1, 2, 2014}, {MED_VACCINE_ROTA, MONTHS(3), 2, 2, 2014},
        {MED_VACCINE_HEXA, MONTHS(3), 1, 3, 2017}, {MED_VACCINE_HEXA, MONTHS(5), 2, 3, 2017},
        {MED_VACCINE_HEXA, MONTHS(12), 3, 3, 2017}, {MED_VACCINE_PNEUMO, MONTHS(3), 1, 3, 2006},
        {MED_VACCINE_PNEUMO, MONTHS(5), 2, 3, 2006}, {MED_VACCINE_PNEUMO, MONTHS(12), 3, 3, 2006},
        {MED_VACCINE_MMR, MONTHS(15), 1, 2, 1990}, {MED_VACCINE_DTP_POLIO, YEARS(7), 1, 2, 1998},
        {MED_VACCINE_MMR, YEARS(11), 2, 2, 1990}, {MED_VACCINE_HPV, YEARS(12), 1, 2, 2006},
        {MED_VACCINE_HPV, YEARS(12) + 190, 2, 2, 2006}, {MED_VACCINE_DTP_POLIO, YEARS(15), 2, 2, 1998}},
    [MED_DEMO_BG] = {
        {MED_VACCINE_HEPB, 1, 1, 1, 1992}, {MED_VACCINE_BCG, 3, 1, 1, 1980},
        {MED_VACCINE_HEXA, MONTHS(2), 1, 4, 2010}, {MED_VACCINE_HEXA, MONTHS(3), 2, 4, 2010},
        {MED_VACCINE_HEXA, MONTHS(4), 3, 4, 2010}, {MED_VACCINE_HEXA, MONTHS(16), 4, 4, 2010},
        {MED_VACCINE_PNEUMO, MONTHS(2), 1, 3, 2010}, {MED_VACCINE_PNEUMO, MONTHS(4), 2, 3, 2010},
        {MED_VACCINE_PNEUMO, MONTHS(12), 3, 3, 2010}, {MED_VACCINE_MMR, MONTHS(13), 1, 2, 1993},
        {MED_VACCINE_DTP_POLIO, YEARS(6), 1, 1, 2004}, {MED_VACCINE_MMR, YEARS(12), 2, 2, 1993},
        {MED_VACCINE_DT, YEARS(12) + 30, 1, 2, 1998}, {MED_VACCINE_DT, YEARS(17), 2, 2, 1998}},
};
