/* event_pregnancy.c - antenatal visits and childbirth. */
#include "demo/event.h"

static uint16_t pregnancy_condition(med_demo_chart *c, med_demo_pregnancy *pregnancy, int32_t day)
{
    if (pregnancy->condition == 0) {
        bool over = pregnancy->birth != MED_DEMO_NEVER;
        pregnancy->condition =
            med_demo_condition_write(c, MED_PREGNANCY, day, over ? pregnancy->birth - day : -1);
    }
    return pregnancy->condition;
}

void med_demo_event_prenatal(med_demo_chart *c, const med_demo_event *event)
{
    med_demo_pregnancy *pregnancy = &c->p->pregnancies[event->arg % 16];
    bool first = event->arg / 16 == 0;
    int week = (event->day - pregnancy->start) / 7;
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.who = med_demo_worker_of(c->home->hospital, MED_OBSTETRICS);
    plan.where = c->home->hospital;
    plan.type = first ? "424441002" : "424619006";
    plan.type_display = first ? "Prenatal initial visit" : "Prenatal visit";
    plan.reason = first ? MED_PREGNANCY : MED_CONDITION_COUNT;
    plan.reasons[0] = pregnancy->condition;
    (void)med_demo_visit_begin(c, &plan);
    uint16_t condition = pregnancy_condition(c, pregnancy, event->day);
    med_demo_pressure_write(c);
    med_demo_weight_write(c);
    if (week >= 16)
        med_demo_fetal_heart_write(c, pregnancy);
    if (week >= 20)
        med_demo_fundal_height_write(c, pregnancy);
    if (first) {
        med_demo_labs_write(c, MED_PANEL(BLOOD) | MED_PANEL(THYROID), 0);
        med_demo_prescribe_course(c, MED_FOLIC_ACID, event->day, 84, condition);
    }
    if (first || (week >= 19 && week <= 22))
        (void)med_demo_procedure_write(c, "169230002", "Ultrasound scan for fetal viability",
                                       c->visit.start + 300, 10, condition);
}

void med_demo_event_birth(med_demo_chart *c, const med_demo_event *event)
{
    med_demo_pregnancy *pregnancy = &c->p->pregnancies[event->arg];
    const med_demo_stay *stay =
        &med_demo_stays[pregnancy->caesarean ? MED_STAY_CAESAREAN : MED_STAY_BIRTH];
    int32_t nights = med_demo_rng_range(&c->rng, stay->min_days, stay->max_days);
    int hour = pregnancy->caesarean ? 7 : med_demo_rng_range(&c->rng, 0, 9);
    med_demo_visit_plan plan = {
        .class = "IMP",
        .type = "32485007",
        .type_display = "Hospital admission",
        .start = med_demo_at(event->day, hour, 15),
        .minutes = nights * 1440 + (11 - hour) * 60,
        .who = med_demo_worker_of(c->home->hospital, MED_OBSTETRICS),
        .where = c->home->hospital,
        .reason_text = MED_SAY_COUNT,
        .reason = MED_CONDITION_COUNT,
        .reasons = {pregnancy->condition},
    };
    if (pregnancy->condition == 0)
        plan.reason = MED_PREGNANCY;
    (void)med_demo_visit_begin(c, &plan);
    uint16_t condition = pregnancy->condition;
    if (condition == 0)
        condition = pregnancy_condition(c, pregnancy, event->day);
    med_demo_pressure_write(c);
    med_demo_labs_write(c, MED_PANEL(BLOOD), 0);
    (void)med_demo_procedure_write(c, stay->procedure, stay->procedure_display,
                                   plan.start + med_demo_minutes(240), 60, condition);
    if (stay->drug != MED_DRUG_COUNT)
        med_demo_prescribe_course(c, stay->drug, event->day + nights, stay->drug_days, condition);
    med_demo_letter_write(c, stay);
}
