/* disease.c - which chronic diseases a person has since when, and what is taken for them. */
#include "demo/body.h"

static unsigned decade(double age)
{
    unsigned d = age < 0 ? 0 : (unsigned)(age / 10);
    return d < MED_DEMO_DECADES ? d : MED_DEMO_DECADES - 1;
}

static void draw_traits(med_demo_person *p, med_demo_rng *r)
{
    p->height_z = med_demo_rng_normal(r);
    p->bmi_z = med_demo_rng_normal(r);
    p->pressure_z = med_demo_rng_normal(r);
    p->lipid_z = med_demo_rng_normal(r);
    p->kidney_z = med_demo_rng_normal(r);
    p->blood_z = med_demo_rng_normal(r);
    p->adherence = 0.70 + 0.25 * (double)med_demo_rng_below(r, 1000) / 1000;
    if (med_demo_rng_chance(r, 130))
        p->adherence = 0.45; /* who often forgets */
    unsigned roll = med_demo_rng_below(r, 100);
    double age = med_demo_age(p, med_demo_last_day(p));
    p->smoking = age < 17 || roll < 52 ? MED_NEVER_SMOKED : roll < 78 ? MED_EX_SMOKER : MED_SMOKER;
    if (p->smoking == MED_EX_SMOKER && age < 24)
        p->smoking = MED_NEVER_SMOKED;
    p->quit_day = p->birth + (int32_t)((20 + (age - 20) * 0.6) * 365);
}

/* How much likelier the disease is for what else is known of the person. */
static double risk(const med_demo_person *p, enum med_demo_condition d, int32_t day)
{
    double bmi = med_demo_bmi(p, day);
    double heavy = bmi > 30 ? 1 : bmi < 24 ? -1 : 0;
    bool diabetic = p->state[MED_DIABETES].onset != MED_DEMO_NEVER;
    double smoked = p->smoking == MED_SMOKER ? 1 : p->smoking == MED_EX_SMOKER ? 0 : -1;
    if (d == MED_DIABETES)
        return heavy > 0 ? 2.3 : heavy < 0 ? 0.4 : 0.9;
    if (d == MED_HYPERTENSION)
        return (heavy > 0 ? 1.35 : heavy < 0 ? 0.8 : 1) * (diabetic ? 1.3 : 1);
    if (d == MED_DYSLIPIDAEMIA)
        return (p->lipid_z > 0.5 ? 1.5 : 0.8) * (diabetic ? 1.6 : 1);
    if (d == MED_CKD)
        return (diabetic ? 1.7 : 0.9) * (p->kidney_z < 0 ? 1.4 : 0.6);
    if (d == MED_CORONARY)
        return (diabetic ? 1.5 : 0.9) * (smoked > 0 ? 1.6 : smoked < 0 ? 0.75 : 1);
    if (d == MED_COPD)
        return smoked > 0 ? 2.7 : smoked < 0 ? 0.12 : 1.2;
    if (d == MED_ARTHROSIS)
        return heavy > 0 ? 1.5 : 0.9;
    return 1;
}

static bool begins_early(enum med_demo_condition d)
{
    return d == MED_ASTHMA || d == MED_ECZEMA || d == MED_MIGRAINE || d == MED_RHINITIS;
}

static int32_t draw_onset(const med_demo_person *p, med_demo_rng *r, enum med_demo_condition d)
{
    const med_demo_disease_kind *kind = &med_demo_diseases[d];
    int32_t last = med_demo_last_day(p);
    if (kind->lasts > 0) /* seen now or lately */
        return med_demo_working_day(last - med_demo_rng_range(r, 20, 4 * 365));
    double age = med_demo_age(p, last);
    double u = (double)med_demo_rng_below(r, 10000) / 10000;
    double latest = age < kind->last_age ? age : kind->last_age;
    double onset = begins_early(d) ? kind->first_age + (latest - kind->first_age) * u * u
                                   : latest - (latest - kind->first_age) * u * u;
    int32_t day = p->birth + (int32_t)(onset * 365.25);
    return med_demo_working_day(day > last - 15 ? last - 15 : day);
}

static void fall_ill(med_demo_person *p, med_demo_rng *r, enum med_demo_condition d)
{
    med_demo_state *s = &p->state[d];
    int32_t onset = draw_onset(p, r, d);
    int32_t least = p->birth + med_demo_diseases[d].first_age * 365;
    if (onset < least || onset >= med_demo_last_day(p))
        return;
    static const uint16_t severities[] = {50, 35, 15};
    s->onset = onset;
    s->severity = (uint8_t)med_demo_rng_weighted(r, severities, 3);
    if (med_demo_diseases[d].lasts > 0)
        s->end = onset + med_demo_diseases[d].lasts;
}

static void draw_diseases(med_demo_person *p, med_demo_rng *r)
{
    int32_t last = med_demo_last_day(p);
    double age = med_demo_age(p, last);
    for (int d = 0; d < MED_CHRONIC_COUNT; d++)
        p->state[d] = (med_demo_state){.onset = MED_DEMO_NEVER, .end = MED_DEMO_NEVER};
    static const enum med_demo_condition first[] = {MED_DIABETES}; /* others depend on it */
    for (int i = -1; i < MED_CHRONIC_COUNT; i++) {
        enum med_demo_condition d = i < 0 ? first[0] : (enum med_demo_condition)i;
        if (i == (int)first[0] || d == MED_OBESITY)
            continue;
        double permille =
            med_demo_diseases[d].prevalence[p->female][decade(age)] * risk(p, d, last);
        if (med_demo_rng_chance(r, permille > 900 ? 900 : (unsigned)permille))
            fall_ill(p, r, d);
    }
    if (p->state[MED_COPD].onset != MED_DEMO_NEVER)
        p->state[MED_ASTHMA].onset = MED_DEMO_NEVER;
    if (age >= 20 && med_demo_bmi(p, last) > 30.5) {
        int32_t adult = p->birth + 19 * 365;
        int32_t since = last - med_demo_rng_range(r, 200, 3600);
        int32_t day = since < adult ? adult : since;
        while (day < last && med_demo_bmi(p, day) < 30)
            day += 100;
        if (day < last)
            p->state[MED_OBESITY].onset = med_demo_working_day(day);
    }
}

bool med_demo_is_tumour(enum med_demo_condition d)
{
    return d == MED_BREAST_CANCER || d == MED_PROSTATE_CANCER || d == MED_COLON_CANCER;
}

bool med_demo_is_followed(const med_demo_person *p, enum med_demo_condition d, int32_t day)
{
    if (!med_demo_has(p, d, day) || d == MED_RHINITIS || d == MED_ECZEMA || d == MED_MIGRAINE
        || d == MED_REFLUX || d == MED_OBESITY)
        return false;
    return !med_demo_is_tumour(d) || day < p->state[d].onset + 3650;
}

static bool has_ever(const med_demo_person *p, enum med_demo_condition d)
{
    return p->state[d].onset != MED_DEMO_NEVER;
}

static bool may_take(const med_demo_person *p, enum med_demo_drug drug, int32_t day)
{
    const med_demo_medicine *m = &med_demo_drugs[drug];
    if (med_demo_age(p, day) < m->min_age)
        return false;
    bool heart = has_ever(p, MED_CORONARY) || has_ever(p, MED_FIBRILLATION);
    if (m->class == MED_CLASS_NSAID && (heart || has_ever(p, MED_CKD) || med_demo_age(p, day) > 75))
        return false;
    if (m->class == MED_CLASS_TRIPTAN && (heart || med_demo_age(p, day) > 65))
        return false;
    if ((m->class == MED_CLASS_PLATELET || m->class == MED_CLASS_PLATELET2)
        && has_ever(p, MED_FIBRILLATION))
        return false; /* anticoagulated already */
    if (m->class == MED_CLASS_BETA && has_ever(p, MED_ASTHMA))
        return false;
    if (m->class == MED_CLASS_SSRI && med_demo_age(p, day) < 18 && drug != MED_SERTRALINE)
        return false;
    return !(m->not_in_pregnancy && med_demo_pregnant(p, day) != NULL);
}

/* The day a medicine of the same class is begun anew: the earlier course stays. */
static bool takes_class(const med_demo_person *p, enum med_demo_drug_class class, int32_t start,
                        int32_t stop)
{
    for (size_t i = 0; i < p->course_count; i++) {
        const med_demo_course *c = &p->courses[i];
        if (class != MED_CLASS_NONE && med_demo_drugs[c->drug].class == class && start < c->stop
            && c->start < stop)
            return true;
    }
    return false;
}

/* A medicine that is bad for the unborn is stopped before a pregnancy. */
static int32_t stop_for_pregnancy(const med_demo_person *p, enum med_demo_drug drug, int32_t start,
                                  int32_t stop)
{
    for (size_t i = 0; med_demo_drugs[drug].not_in_pregnancy && i < p->pregnancy_count; i++) {
        int32_t pregnant = p->pregnancies[i].start;
        if (pregnant > start && pregnant < stop)
            stop = pregnant;
    }
    return stop;
}

static void begin_course(med_demo_person *p, med_demo_rng *r, enum med_demo_condition d,
                         const med_demo_step *step)
{
    const med_demo_state *s = &p->state[d];
    int32_t start = s->onset + step->delay;
    if (step->choices == 0 || s->severity < step->severity || start >= med_demo_last_day(p)
        || p->course_count == MED_DEMO_COURSES)
        return;
    int32_t stop = step->days > 0 ? start + step->days : MED_DEMO_NEVER;
    if (s->end < stop)
        stop = s->end;
    unsigned from = med_demo_rng_below(r, step->choices);
    for (unsigned i = 0; i < step->choices; i++) {
        enum med_demo_drug drug = step->choice[(from + i) % step->choices];
        if (drug == MED_LETROZOLE && med_demo_age(p, start) < 50)
            drug = MED_TAMOXIFEN; /* aromatase inhibitors only after the menopause */
        int32_t until = stop_for_pregnancy(p, drug, start, stop);
        if (!may_take(p, drug, start) || takes_class(p, med_demo_drugs[drug].class, start, until))
            continue;
        p->courses[p->course_count++] =
            (med_demo_course){.drug = drug, .reason = d, .start = start, .stop = until};
        return;
    }
}

static void draw_treatments(med_demo_person *p, med_demo_rng *r)
{
    /* the heart first, so that its statin and beta blocker are not doubled by milder reasons */
    static const enum med_demo_condition heart[] = {MED_CORONARY, MED_FIBRILLATION};
    for (int i = -2; i < MED_CHRONIC_COUNT; i++) {
        enum med_demo_condition d = i < 0 ? heart[i + 2] : (enum med_demo_condition)i;
        if ((i >= 0 && (d == heart[0] || d == heart[1])) || !has_ever(p, d))
            continue;
        for (size_t k = 0; k < MED_DEMO_STEPS; k++)
            begin_course(p, r, d, &med_demo_diseases[d].step[k]);
    }
}

static void draw_allergies(med_demo_person *p, med_demo_rng *r)
{
    unsigned permille = has_ever(p, MED_RHINITIS) || has_ever(p, MED_ASTHMA) ? 420 : 90;
    if (med_demo_rng_chance(r, 55)) {
        p->penicillin_allergy = true;
        p->allergies[p->allergy_count++] = 0;
    }
    if (med_demo_rng_chance(r, permille))
        p->allergies[p->allergy_count++] = (uint8_t)med_demo_rng_range(r, 1, 8);
}

void med_demo_person_ail(med_demo_person *p)
{
    med_demo_rng r = med_demo_rng_from(p->seed, 1);
    draw_traits(p, &r);
    draw_diseases(p, &r);
    draw_treatments(p, &r);
    draw_allergies(p, &r);
}
