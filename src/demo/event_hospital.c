/* event_hospital.c - the emergency department, stays in hospital, and the end. */
#include "demo/event.h"

void med_demo_event_injury(med_demo_chart *c, const med_demo_event *event)
{
    const med_demo_injury *injury = &med_demo_injuries[event->arg];
    med_demo_visit_plan plan = {
        .class = "EMER",
        .type = "50849002",
        .type_display = "Emergency room admission",
        .start = med_demo_at(event->day, med_demo_rng_range(&c->rng, 9, 19),
                             med_demo_rng_range(&c->rng, 0, 59)),
        .minutes = med_demo_rng_range(&c->rng, 90, 220),
        .who = med_demo_worker_of(c->home->hospital, MED_EMERGENCY),
        .where = c->home->hospital,
        .reason_text = MED_SAY_COUNT,
        .reason = injury->condition,
    };
    (void)med_demo_visit_begin(c, &plan);
    if (med_demo_age(c->p, event->day) >= 12)
        med_demo_pressure_write(c);
    med_demo_pulse_write(c, 12);
    if (injury->imaging != NULL)
        med_demo_imaging_write(c, injury->imaging, injury->imaging_display, injury->finding);
    uint16_t condition =
        med_demo_condition_write(c, injury->condition, event->day, injury->heal_days);
    if (injury->procedure != NULL)
        (void)med_demo_procedure_write(c, injury->procedure, injury->procedure_display,
                                       plan.start + 3600, 25, condition);
    double age = med_demo_age(c->p, event->day);
    enum med_demo_drug drug = age < 12 ? MED_PARACETAMOL_SYRUP : MED_PARACETAMOL;
    med_demo_prescribe_course(c, drug, event->day, 7, condition);
    med_demo_note_write(c, MED_SAY_EMERGENCY_NOTE, MED_SAY_EMERGENCY_TEXT, injury->condition);
}

static void measure_on_admission(med_demo_chart *c, const med_demo_stay *stay)
{
    bool lungs = stay->condition == MED_PNEUMONIA || stay->condition == MED_COPD_EXACERBATION;
    double wobble = med_demo_wobble(c->p, med_demo_day_of(c->visit.start), 510);
    if (med_demo_age(c->p, med_demo_day_of(c->visit.start)) >= 12)
        med_demo_pressure_write(c);
    med_demo_pulse_write(c, stay->fever > 0 || stay->urgent ? 14 : 0);
    med_demo_temperature_write(c, 36.7 + stay->fever / 10.0 + 0.2 * wobble);
    if (lungs) {
        med_demo_breaths_write(c, 8);
        med_demo_saturation_write(c, 6 + wobble);
    }
}

static uint16_t stay_condition(med_demo_chart *c, const med_demo_stay *stay, int32_t day)
{
    if (stay->condition < MED_CHRONIC_COUNT)
        return med_demo_chronic_write(c, stay->condition);
    return med_demo_condition_write(c, stay->condition, day, stay->heal_days);
}

void med_demo_event_stay(med_demo_chart *c, const med_demo_event *event)
{
    const med_demo_stay *stay = &med_demo_stays[event->arg];
    int32_t nights = med_demo_rng_range(&c->rng, stay->min_days, stay->max_days);
    int hour = stay->urgent ? med_demo_rng_range(&c->rng, 1, 22) : 7;
    int32_t end_minute = nights == 0 ? (15 - hour) * 60 : nights * 1440 + (11 - hour) * 60;
    med_demo_visit_plan plan = {
        .class = "IMP",
        .type = "32485007",
        .type_display = "Hospital admission",
        .start = med_demo_at(event->day, hour, 20),
        .minutes = end_minute,
        .who = med_demo_worker_of(c->home->hospital, stay->specialty),
        .where = c->home->hospital,
        .reason_text = MED_SAY_COUNT,
        .reason = stay->condition,
    };
    (void)med_demo_visit_begin(c, &plan);
    if (event->arg == MED_STAY_INFARCTION) /* it tells of the coronary disease */
        (void)med_demo_chronic_write(c, MED_CORONARY);
    uint16_t condition = stay_condition(c, stay, event->day);
    measure_on_admission(c, stay);
    double crp = stay->crp * (1 + 0.3 * med_demo_wobble(c->p, event->day, 511));
    if (stay->max_days > 1)
        med_demo_labs_write(c,
                            MED_PANEL(BLOOD) | MED_PANEL(CRP) | MED_PANEL(RENAL)
                                | (event->arg == MED_STAY_INFARCTION ? MED_PANEL(HEART) : 0u),
                            crp);
    if (stay->procedure != NULL) {
        med_demo_time start = plan.start + med_demo_minutes(stay->urgent ? 240 : 120);
        (void)med_demo_procedure_write(c, stay->procedure, stay->procedure_display, start, 70,
                                       condition);
    }
    int32_t discharged = med_demo_day_of(c->visit.end);
    if (stay->drug != MED_DRUG_COUNT && med_demo_age(c->p, event->day) >= 12)
        med_demo_prescribe_course(c, stay->drug, discharged, stay->drug_days, condition);
    if (event->arg == MED_STAY_INFARCTION)
        med_demo_prescribe_due(c, discharged);
    med_demo_letter_write(c, stay);
}

void med_demo_event_death(med_demo_chart *c, const med_demo_event *event)
{
    med_demo_visit_plan plan = {
        .class = "IMP",
        .type = "32485007",
        .type_display = "Hospital admission",
        .start = med_demo_at(event->day, 8, 5),
        .minutes = 600,
        .who = med_demo_worker_of(c->home->hospital, MED_INTERNAL_MEDICINE),
        .where = c->home->hospital,
        .reason_text = MED_SAY_COUNT,
        .reason = MED_CONDITION_COUNT,
        .died = true,
    };
    for (int d = 0; d < MED_CHRONIC_COUNT && plan.reasons[0] == 0; d++)
        plan.reasons[0] = c->p->state[d].condition;
    (void)med_demo_visit_begin(c, &plan);
}
