/* event_specialist.c - the referral, its appointment, the visit and its note; screenings. */
#include "demo/event.h"

static void examine(med_demo_chart *c, enum med_demo_condition d)
{
    uint16_t condition = c->p->state[d].condition;
    med_demo_time start = c->visit.start + 600;
    if (d == MED_HYPERTENSION || d == MED_CORONARY || d == MED_FIBRILLATION) {
        med_demo_pressure_write(c);
        (void)med_demo_procedure_write(c, "29303009", "Electrocardiographic procedure", start, 10,
                                       condition);
    } else if (d == MED_ASTHMA || d == MED_COPD) {
        if (med_demo_age(c->p, med_demo_day_of(c->visit.start)) >= 6)
            med_demo_spirometry_write(c);
    } else if (d == MED_DEPRESSION) {
        med_demo_questionnaire_write(c);
    } else if (d == MED_BREAST_CANCER || d == MED_COLON_CANCER || d == MED_PROSTATE_CANCER) {
        med_demo_weight_write(c);
    }
}

void med_demo_event_specialist(med_demo_chart *c, const med_demo_event *event)
{
    enum med_demo_condition d = (enum med_demo_condition)event->arg;
    enum med_demo_specialty specialty = med_demo_diseases[d].specialty;
    (void)med_demo_chronic_write(c, d);
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.who = med_demo_worker_of(c->home->hospital, specialty);
    plan.where = c->home->hospital;
    plan.reason_text = MED_SAY_REFERRAL;
    plan.reasons[0] = c->p->state[d].condition;
    int32_t referred = med_demo_working_day(event->day - med_demo_rng_range(&c->rng, 14, 45));
    plan.referral = med_demo_referral_write(c, referred, specialty, d, true);
    plan.appointment = med_demo_appointment_write(c, &plan, true);
    (void)med_demo_visit_begin(c, &plan);
    examine(c, d);
    med_demo_note_write(c, MED_SAY_NOTE, MED_SAY_NOTE_TEXT, d);
}

void med_demo_event_screening(med_demo_chart *c, const med_demo_event *event)
{
    bool breast = event->arg == MED_SCREENING_BREAST;
    med_demo_visit_plan plan = med_demo_office_visit(c, event->day);
    plan.who = med_demo_worker_of(c->home->hospital, breast ? MED_RADIOLOGY : MED_SURGERY);
    plan.where = c->home->hospital;
    plan.type = "185349003";
    plan.type_display = "Encounter for check up";
    plan.reason_text = MED_SAY_CHECKUP;
    (void)med_demo_visit_begin(c, &plan);
    if (breast) {
        med_demo_imaging_write(c, "24623002", "Screening mammography",
                               "No suspicious finding in either breast. BI-RADS 1.");
        return;
    }
    (void)med_demo_procedure_write(c, "73761001", "Colonoscopy", c->visit.start + 300, 30, 0);
}
