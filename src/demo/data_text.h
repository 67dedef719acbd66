/* data_text.h - sentences in the five languages. */
#ifndef MED_DEMO_DATA_TEXT_H
#define MED_DEMO_DATA_TEXT_H

#include "demo/data_country.h"

enum med_demo_sentence {
    MED_SAY_CONTROL,
    MED_SAY_CHECKUP,
    MED_SAY_CHILD,
    MED_SAY_REFERRAL,
    MED_SAY_LABORATORY,
    MED_SAY_RENEWAL,
    MED_SAY_RECALL,
    MED_SAY_FALLS,
    MED_SAY_ANTICOAGULATED,
    MED_SAY_PLAN,
    MED_SAY_GOAL_PRESSURE,
    MED_SAY_GOAL_HBA1C,
    MED_SAY_GOAL_LDL,
    MED_SAY_GOAL_BREATH,
    MED_SAY_DIET,
    MED_SAY_EXERCISE,
    MED_SAY_MEASURE,
    MED_SAY_INHALER,
    MED_SAY_LETTER, /* the parts of a discharge letter */
    MED_SAY_PATIENT,
    MED_SAY_BORN,
    MED_SAY_STAY,
    MED_SAY_DIAGNOSIS,
    MED_SAY_PROCEDURE,
    MED_SAY_COURSE,
    MED_SAY_THERAPY,
    MED_SAY_ADVICE,
    MED_SAY_ADVICE_TEXT,
    MED_SAY_NOTE, /* the parts of a specialist's note */
    MED_SAY_NOTE_TEXT,
    MED_SAY_EMERGENCY_NOTE,
    MED_SAY_EMERGENCY_TEXT,
    MED_SAY_COUNT
};

extern const char *const med_demo_sentences[MED_SAY_COUNT][MED_DEMO_COUNTRIES];

#endif
