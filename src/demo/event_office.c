/* event_office.c - what happens at the general practitioner's and the paediatrician's. */
#include "demo/event.h"

void med_demo_event_child(med_demo_chart *c, const med_demo_event *event)
{
    double age = med_demo_age(c->p, event->day);
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.type = "410620009";
    plan.type_display = "Well child visit";
    plan.reason_text = MED_SAY_CHILD;
    if (event->day == c->p->birth) { /* in the maternity ward */
        plan.class = "IMP";
        plan.type = "32485007";
        plan.type_display = "Hospital admission";
        plan.start = med_demo_at(event->day, 15, 10);
        plan.minutes = 2 * 1440 - 240;
        plan.who = med_demo_worker_of(c->home->hospital, MED_OBSTETRICS);
        plan.where = c->home->hospital;
    }
    (void)med_demo_visit_begin(c, &plan);
    med_demo_weight_write(c);
    med_demo_height_write(c);
    if (age < 2)
        med_demo_head_write(c);
    else
        med_demo_bmi_write(c);
    if (age > 10)
        med_demo_pressure_write(c);
    if (age > 5 && med_demo_rng_chance(&c->rng, 300))
        med_demo_labs_write(c, MED_PANEL(BLOOD), 0);
}

void med_demo_event_checkup(med_demo_chart *c, const med_demo_event *event)
{
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.type = "185349003";
    plan.type_display = "Encounter for check up";
    plan.reason_text = MED_SAY_CHECKUP;
    if (med_demo_rng_chance(&c->rng, 400))
        plan.appointment = med_demo_appointment_write(c, &plan, true);
    (void)med_demo_visit_begin(c, &plan);
    med_demo_pressure_write(c);
    med_demo_pulse_write(c, 0);
    med_demo_weight_write(c);
    med_demo_height_write(c);
    med_demo_bmi_write(c);
    unsigned panels = MED_PANEL(LIPID) | MED_PANEL(GLUCOSE);
    if (med_demo_rng_chance(&c->rng, 350))
        panels |= MED_PANEL(BLOOD);
    if (event->arg == 1)
        med_demo_labs_write(c, panels, 0);
}

static void list_reasons(med_demo_chart *c, int32_t day, med_demo_visit_plan *plan)
{
    size_t n = 0;
    for (int d = 0; d < MED_CHRONIC_COUNT && n < 3; d++) {
        enum med_demo_condition disease = (enum med_demo_condition)d;
        if (med_demo_is_followed(c->p, disease, day) && c->p->state[d].condition != 0)
            plan->reasons[n++] = c->p->state[d].condition;
    }
}

typedef struct looks {
    bool pressure, weight, lungs, mood, pulse;
    unsigned panels;
} looks;

static void add_disease(looks *l, enum med_demo_condition d)
{
    const med_demo_disease_kind *kind = &med_demo_diseases[d];
    l->pressure |= d == MED_HYPERTENSION || d == MED_DIABETES || d == MED_CORONARY || d == MED_CKD
                   || d == MED_FIBRILLATION || d == MED_OBESITY;
    l->pulse |= d == MED_FIBRILLATION || d == MED_CORONARY || d == MED_COPD;
    l->weight |= kind->weighs;
    l->lungs |= kind->spirometry;
    l->mood |= kind->questionnaire;
    l->panels |= kind->panels;
}

static void look(med_demo_chart *c, const looks *l, double age)
{
    if (l->pressure && age >= 16)
        med_demo_pressure_write(c);
    if (l->pulse)
        med_demo_pulse_write(c, 0);
    if (l->weight)
        med_demo_weight_write(c);
    if (l->lungs && age >= 6)
        med_demo_spirometry_write(c);
    if (l->lungs)
        med_demo_saturation_write(c, 0);
    if (l->mood)
        med_demo_questionnaire_write(c);
}

/* Half-yearly: only what changes quickly. */
static unsigned light_panels(const med_demo_chart *c, int32_t day)
{
    static const struct {
        enum med_demo_condition disease;
        unsigned panels;
    } quick[] = {
        {MED_DIABETES, MED_PANEL(GLUCOSE)},    {MED_BREAST_CANCER, MED_PANEL(CA153)},
        {MED_PROSTATE_CANCER, MED_PANEL(PSA)}, {MED_COLON_CANCER, MED_PANEL(CEA)},
        {MED_ANAEMIA, MED_PANEL(BLOOD)},       {MED_HYPOTHYROIDISM, 0},
    };
    unsigned panels = 0;
    for (size_t i = 0; i < sizeof quick / sizeof quick[0]; i++) {
        if (med_demo_is_followed(c->p, quick[i].disease, day))
            panels |= quick[i].panels;
    }
    return panels;
}

void med_demo_event_control(med_demo_chart *c, const med_demo_event *event)
{
    bool full = event->arg == 1;
    looks l = {.panels = 0};
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        enum med_demo_condition disease = (enum med_demo_condition)d;
        if (med_demo_is_followed(c->p, disease, event->day)
            || (d == MED_OBESITY && med_demo_has(c->p, disease, event->day)))
            add_disease(&l, disease);
    }
    if (!full)
        l.panels = light_panels(c, event->day);
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.reason_text = MED_SAY_CONTROL;
    list_reasons(c, event->day, &plan);
    if (med_demo_rng_chance(&c->rng, 40)) { /* did not come the first time */
        med_demo_visit_plan missed = plan;
        missed.start -= (med_demo_time)14 * MED_DEMO_DAY;
        (void)med_demo_appointment_write(c, &missed, false);
    }
    if (full && med_demo_rng_chance(&c->rng, 500))
        plan.appointment = med_demo_appointment_write(c, &plan, true);
    (void)med_demo_visit_begin(c, &plan);
    look(c, &l, med_demo_age(c->p, event->day));
    if (full && l.weight && med_demo_has(c->p, MED_OBESITY, event->day))
        med_demo_bmi_write(c);
    med_demo_labs_write(c, l.panels, 0);
    med_demo_prescribe_due(c, event->day);
}

void med_demo_event_onset(med_demo_chart *c, const med_demo_event *event)
{
    enum med_demo_condition d = (enum med_demo_condition)event->arg;
    looks l = {.panels = 0};
    add_disease(&l, d);
    if (d == MED_OBESITY)
        l.panels = MED_PANEL(LIPID) | MED_PANEL(GLUCOSE);
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.type = "185345009";
    plan.type_display = "Encounter for symptom";
    plan.reason = d;
    (void)med_demo_visit_begin(c, &plan);
    look(c, &l, med_demo_age(c->p, event->day));
    if (d == MED_OBESITY)
        med_demo_bmi_write(c);
    if (med_demo_age(c->p, event->day) < 16)
        l.panels &= MED_PANEL(BLOOD) | MED_PANEL(IRON) | MED_PANEL(THYROID);
    med_demo_labs_write(c, l.panels, 0);
    (void)med_demo_chronic_write(c, d);
    med_demo_careplan_write(c, d, event->day);
    med_demo_prescribe_due(c, event->day);
}

/* What the illness is treated with here, by age and allergy; MED_DRUG_COUNT: nothing. */
static enum med_demo_drug choose_drug(const med_demo_chart *c, const med_demo_acute *acute,
                                      int32_t day)
{
    double age = med_demo_age(c->p, day);
    enum med_demo_drug drug = age < 12 ? acute->child_drug : acute->drug;
    bool penicillin = drug != MED_DRUG_COUNT && med_demo_drugs[drug].class == MED_CLASS_PENICILLIN;
    bool unsafe = drug != MED_DRUG_COUNT && med_demo_drugs[drug].class == MED_CLASS_NSAID
                  && (c->p->state[MED_CKD].onset <= day || c->p->state[MED_CORONARY].onset <= day
                      || c->p->state[MED_FIBRILLATION].onset <= day || age > 75);
    if (penicillin && c->p->penicillin_allergy)
        drug = acute->spare;
    if (drug == MED_DRUG_COUNT)
        return drug;
    if (unsafe || (med_demo_drugs[drug].not_in_pregnancy && med_demo_pregnant(c->p, day) != NULL))
        drug = MED_PARACETAMOL;
    return age < med_demo_drugs[drug].min_age ? MED_DRUG_COUNT : drug;
}

void med_demo_event_acute(med_demo_chart *c, const med_demo_event *event)
{
    const med_demo_acute *acute = &med_demo_acutes[event->arg];
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.type = "185345009";
    plan.type_display = "Encounter for symptom";
    plan.reason = acute->condition;
    (void)med_demo_visit_begin(c, &plan);
    uint16_t condition =
        med_demo_condition_write(c, acute->condition, event->day - 1, acute->ill_days);
    double wobble = med_demo_wobble(c->p, event->day, 500);
    if (acute->fever > 0)
        med_demo_temperature_write(c, 36.8 + acute->fever / 10.0 + 0.4 * wobble);
    if (acute->condition == MED_BRONCHITIS || acute->condition == MED_COVID)
        med_demo_saturation_write(c, 1);
    if (acute->crp > 0)
        (void)med_demo_lab_write(c, MED_CRP, acute->crp * (1 + 0.5 * wobble), 0);
    enum med_demo_drug drug = choose_drug(c, acute, event->day);
    if (drug != MED_DRUG_COUNT && acute->drug_days > 0)
        med_demo_prescribe_course(c, drug, event->day, acute->drug_days, condition);
}
