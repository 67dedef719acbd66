/* person.h - one inhabitant: who it is, the body, what ails it and what will be done about it.
 *
 * Everything about a life is decided before the first resource is written (traits, diseases,
 * courses of treatment, planned events); writing only reads it, so that a laboratory value, a
 * dose and a diagnosis of the same day agree with each other. */
#ifndef MED_DEMO_PERSON_H
#define MED_DEMO_PERSON_H

#include "demo/data_disease.h"
#include "demo/world.h"

#define MED_DEMO_NEVER INT32_MAX

enum med_demo_smoking { MED_NEVER_SMOKED, MED_EX_SMOKER, MED_SMOKER };

enum {
    MED_DEMO_COURSES = 24,
    MED_DEMO_PREGNANCIES = 4,
    MED_DEMO_EVENTS = 128,
    MED_DEMO_HOUSEHOLD = 8,
    MED_DEMO_ALLERGIES = 2,
};

/* A chronic disease in one person. */
typedef struct med_demo_state {
    int32_t onset; /* MED_DEMO_NEVER: the person does not have it */
    int32_t end;
    uint8_t severity;   /* 0 to 2 */
    bool told;          /* an event of the plan tells of its onset */
    uint16_t condition; /* number of the Condition written, 0: not yet */
} med_demo_state;

/* One medicine taken from `start` until `stop`. */
typedef struct med_demo_course {
    enum med_demo_drug drug;
    enum med_demo_condition reason;
    int32_t start, stop;
    int32_t covered; /* prescribed until then */
} med_demo_course;

typedef struct med_demo_pregnancy {
    int32_t start, due; /* first day of the last period; 280 days later */
    int32_t birth;      /* MED_DEMO_NEVER: still to come */
    bool caesarean, boy;
    uint16_t condition;
} med_demo_pregnancy;

enum med_demo_event_kind {
    MED_EVENT_CHILD,      /* preventive visit of a child */
    MED_EVENT_VACCINE,    /* arg: vaccine, dose and doses, see med_demo_vaccine_arg */
    MED_EVENT_CHECKUP,    /* of an adult; arg 1: with blood tests */
    MED_EVENT_ONSET,      /* arg: chronic disease */
    MED_EVENT_CONTROL,    /* arg 1: the yearly one, with all tests */
    MED_EVENT_ACUTE,      /* arg: index into med_demo_acutes */
    MED_EVENT_INJURY,     /* arg: index into med_demo_injuries */
    MED_EVENT_STAY,       /* arg: enum med_demo_stay_id */
    MED_EVENT_SPECIALIST, /* arg: chronic disease */
    MED_EVENT_SCREENING,  /* arg: enum med_demo_screening */
    MED_EVENT_PRENATAL,   /* arg: 16 * number of the visit + index of the pregnancy */
    MED_EVENT_BIRTH,      /* arg: index of the pregnancy */
    MED_EVENT_DEATH,
    MED_EVENT_KINDS
};

enum med_demo_screening { MED_SCREENING_BREAST, MED_SCREENING_COLON };

typedef struct med_demo_event {
    int32_t day;
    uint8_t kind;
    uint8_t rank; /* 0 must stay; the highest go first when there is too much */
    bool dropped;
    uint16_t arg;
    uint16_t cost; /* resources, once it was tried */
} med_demo_event;

typedef struct med_demo_household med_demo_household;

typedef struct med_demo_person {
    uint32_t index;
    char id[16];
    uint64_t seed;
    const med_demo_country *country;
    med_demo_household *home;
    bool female;
    int32_t birth, death; /* death: MED_DEMO_NEVER for the living */
    int32_t today;
    med_demo_name name;
    char national_id[MED_NATIONAL_ID_MAX + 1];
    med_demo_text phone;
    const char *marital;                               /* v3-MaritalStatus */
    struct med_demo_person *mother, *father, *partner; /* in the same household */

    med_demo_worker *doctor; /* the general practitioner or paediatrician */

    double height_z, bmi_z, pressure_z, lipid_z, kidney_z, blood_z, adherence;
    enum med_demo_smoking smoking;
    int32_t quit_day; /* of an ex-smoker */
    uint8_t allergies[MED_DEMO_ALLERGIES], allergy_count;
    bool penicillin_allergy;

    med_demo_state state[MED_CHRONIC_COUNT];
    med_demo_course courses[MED_DEMO_COURSES];
    size_t course_count;
    med_demo_pregnancy pregnancies[MED_DEMO_PREGNANCIES];
    size_t pregnancy_count;
    med_demo_event events[MED_DEMO_EVENTS];
    size_t event_count;

    uint16_t n; /* resources written so far */
} med_demo_person;

struct med_demo_household {
    const med_demo_country *country;
    med_demo_region *region;
    med_demo_place *practice, *pharmacy, *hospital, *laboratory;
    const char *street;
    uint16_t house;
    char door[24];
    uint32_t count;
    med_demo_person people[MED_DEMO_HOUSEHOLD];
};

/* The last day about which something may be told. */
static inline int32_t med_demo_last_day(const med_demo_person *p)
{
    return p->death < p->today ? p->death : p->today;
}
static inline double med_demo_age(const med_demo_person *p, int32_t day)
{
    return (day - p->birth) / 365.25;
}
static inline bool med_demo_has(const med_demo_person *p, enum med_demo_condition d, int32_t day)
{
    return p->state[d].onset <= day && day < p->state[d].end;
}
/* Half of the deaths happen in hospital, see MED_EVENT_DEATH. */
static inline bool med_demo_dies_in_hospital(const med_demo_person *p)
{
    return p->seed % 2 == 0;
}
static inline med_demo_time med_demo_death_time(const med_demo_person *p)
{
    return med_demo_dies_in_hospital(p) ? med_demo_at(p->death, 18, 5)
                                        : med_demo_at(p->death, (int)(p->seed / 2 % 24), 40);
}
/* True from the first day after the onset on, also when it is over. */
static inline bool med_demo_had(const med_demo_person *p, enum med_demo_condition d, int32_t day)
{
    return p->state[d].onset <= day;
}
/* The general practitioner has controls for it: chronic, and of a tumour for ten years. */
bool med_demo_is_followed(const med_demo_person *p, enum med_demo_condition d, int32_t day);
bool med_demo_is_tumour(enum med_demo_condition d);
/* Days that a medicine of this class has been taken by then; 0: not taken. */
int32_t med_demo_days_on(const med_demo_person *p, enum med_demo_drug_class class, int32_t day);
/* How much of its effect it has by then, 0 to 1: it comes in `days`, and needs taking. */
double med_demo_effect(const med_demo_person *p, enum med_demo_drug_class class, int32_t day,
                       int32_t days);
/* The pregnancy of that day, or NULL. */
const med_demo_pregnancy *med_demo_pregnant(const med_demo_person *p, int32_t day);
/* Noise in [-1, 1] of that day and thing (any number that names it). */
double med_demo_wobble(const med_demo_person *p, int32_t day, unsigned thing);

/* Fills everything but the household's ties; `index` numbers the people from 0. */
void med_demo_person_draw(med_demo_person *p, const med_demo_world *w, med_demo_household *home,
                          uint32_t index, bool female, int32_t birth, unsigned surname,
                          const char *father);
/* Decides traits, diseases and treatments, once the household is complete. */
void med_demo_person_ail(med_demo_person *p);

#endif
