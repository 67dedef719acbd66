/* record.h - the resources of a person's record, one writer a type, each in the file of its name.
 *
 * All return the number of what they wrote (see chart.h). Times are local. */
#ifndef MED_DEMO_RECORD_H
#define MED_DEMO_RECORD_H

#include "demo/chart.h"

/* ---- patient.c, relative.c, admin.c: what everybody has ---- */
void med_demo_patient_write(med_demo_chart *c);
void med_demo_relatives_write(med_demo_chart *c);
void med_demo_coverage_write(med_demo_chart *c);
void med_demo_consent_write(med_demo_chart *c);
void med_demo_flags_write(med_demo_chart *c);
void med_demo_task_write(med_demo_chart *c, enum med_demo_sentence what);
void med_demo_allergies_write(med_demo_chart *c);
void med_demo_smoking_write(med_demo_chart *c, int32_t day);

/* ---- visit.c: Encounter ---- */
typedef struct med_demo_visit_plan {
    const char *class;               /* v3-ActCode: AMB, EMER, IMP */
    const char *type, *type_display; /* SNOMED CT */
    med_demo_time start;
    int32_t minutes;
    const med_demo_worker *who;
    const med_demo_place *where;
    enum med_demo_sentence reason_text; /* MED_SAY_COUNT: none */
    enum med_demo_condition reason;     /* MED_CONDITION_COUNT: none */
    uint16_t reasons[3];                /* numbers of Conditions, 0: none */
    bool died;
    uint16_t appointment, referral; /* numbers, or 0 */
} med_demo_visit_plan;

/* A plan of an ordinary visit at the own doctor's, in office hours of that day. */
med_demo_visit_plan med_demo_office_visit(med_demo_chart *c, int32_t day);
/* Writes it and makes it the visit that is going on. */
uint16_t med_demo_visit_begin(med_demo_chart *c, const med_demo_visit_plan *plan);
void med_demo_visit_end(med_demo_chart *c);

/* ---- condition.c ---- */
/* A chronic disease, once: later calls return the number of the first. */
uint16_t med_demo_chronic_write(med_demo_chart *c, enum med_demo_condition d);
/* One that passes after `days`; -1: it is the visit's finding and stays open. */
uint16_t med_demo_condition_write(med_demo_chart *c, enum med_demo_condition d, int32_t day,
                                  int32_t days);

/* ---- measure.c: vital signs and what else a doctor measures ---- */
void med_demo_pressure_write(med_demo_chart *c);
void med_demo_pulse_write(med_demo_chart *c, double more);
void med_demo_weight_write(med_demo_chart *c);
void med_demo_height_write(med_demo_chart *c);
void med_demo_bmi_write(med_demo_chart *c);
void med_demo_head_write(med_demo_chart *c);
void med_demo_temperature_write(med_demo_chart *c, double celsius);
void med_demo_breaths_write(med_demo_chart *c, double more);
void med_demo_saturation_write(med_demo_chart *c, double less);
void med_demo_spirometry_write(med_demo_chart *c);
void med_demo_questionnaire_write(med_demo_chart *c);
void med_demo_fetal_heart_write(med_demo_chart *c, const med_demo_pregnancy *pregnancy);
void med_demo_fundal_height_write(med_demo_chart *c, const med_demo_pregnancy *pregnancy);

/* ---- labwork.c: ServiceRequest, Observations, DiagnosticReport ---- */
/* `panels` of MED_PANEL(...); `crp` mg/L of an inflammation, 0: none. */
void med_demo_labs_write(med_demo_chart *c, unsigned panels, double crp);
/* One value by itself, as from a device in the office. */
uint16_t med_demo_lab_write(med_demo_chart *c, enum med_demo_lab lab, double value, uint16_t order);
void med_demo_imaging_write(med_demo_chart *c, const char *code, const char *display,
                            const char *conclusion);

/* ---- medication.c: MedicationRequest and its MedicationDispenses ---- */
/* Prescribes for a year what the person takes and nobody has prescribed yet. */
void med_demo_prescribe_due(med_demo_chart *c, int32_t day);
/* A short course for an illness; `reason` is the number of its Condition. */
void med_demo_prescribe_course(med_demo_chart *c, enum med_demo_drug drug, int32_t day,
                               int32_t days, uint16_t reason);

/* ---- immunization.c ---- */
enum { MED_VACCINE_ARG_DOSES = 8, MED_VACCINE_ARG_DOSE = 64 };
uint16_t med_demo_vaccine_arg(unsigned vaccine, unsigned dose, unsigned doses);
void med_demo_immunization_write(med_demo_chart *c, int32_t day, uint16_t arg);

/* ---- procedure.c, document.c, careplan.c, appointment.c ---- */
uint16_t med_demo_procedure_write(med_demo_chart *c, const char *code, const char *display,
                                  med_demo_time start, int32_t minutes, uint16_t reason);
void med_demo_letter_write(med_demo_chart *c, const med_demo_stay *stay);
void med_demo_note_write(med_demo_chart *c, enum med_demo_sentence title,
                         enum med_demo_sentence text, enum med_demo_condition d);
void med_demo_careplan_write(med_demo_chart *c, enum med_demo_condition d, int32_t day);
uint16_t med_demo_referral_write(med_demo_chart *c, int32_t day, enum med_demo_specialty specialty,
                                 enum med_demo_condition d, bool done);
/* A past one. */
uint16_t med_demo_appointment_write(med_demo_chart *c, const med_demo_visit_plan *plan, bool kept);
/* One that is still to come, in a slot of the worker if there is one. */
void med_demo_booking_write(med_demo_chart *c, med_demo_worker *worker, uint16_t referral);

#endif
