/* condition.c - Condition. https://hl7.org/fhir/R4/condition.html */
#include "demo/record.h"

/* con-4: what has abated is inactive, resolved or in remission. */
static void put_status(med_demo_out *o, bool resolved, bool remission)
{
    const char *code = resolved ? "resolved" : remission ? "remission" : "active";
    const char *display = resolved ? "Resolved" : remission ? "Remission" : "Active";
    med_put_concept(o, "clinicalStatus",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/condition-clinical",
                                      code, display},
                    NULL);
    med_put_concept(o, "verificationStatus",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/condition-ver-status",
                                      "confirmed", "Confirmed"},
                    NULL);
}

static uint16_t write_condition(med_demo_chart *c, enum med_demo_condition d, bool problem,
                                int32_t onset, int32_t end)
{
    med_demo_out *o = c->out;
    bool resolved = end <= c->last;
    const med_demo_worker *who = c->visit.id != 0 ? c->visit.who : c->p->doctor;
    uint16_t id = med_demo_chart_begin(c, "Condition");
    put_status(o, resolved, med_demo_is_tumour(d) && c->last > onset + 400);
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/condition-category",
                     problem ? "problem-list-item" : "encounter-diagnosis",
                     problem ? "Problem List Item" : "Encounter Diagnosis");
    med_put_diagnosis(c, "code", d);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_date(o, "onsetDateTime", onset);
    if (resolved)
        med_put_date(o, "abatementDateTime", end);
    med_put_time(o, "recordedDate",
                 c->visit.id != 0 ? c->visit.end
                                  : med_demo_at(med_demo_working_day(onset), 11, 30));
    med_put_worker(c, "recorder", who);
    med_put_worker(c, "asserter", who);
    med_demo_end(o);
    return id;
}

uint16_t med_demo_chronic_write(med_demo_chart *c, enum med_demo_condition d)
{
    med_demo_state *s = &c->p->state[d];
    if (s->condition == 0)
        s->condition = write_condition(c, d, true, s->onset, s->end);
    return s->condition;
}

uint16_t med_demo_condition_write(med_demo_chart *c, enum med_demo_condition d, int32_t day,
                                  int32_t days)
{
    return write_condition(c, d, days < 0, day, days < 0 ? MED_DEMO_NEVER : day + days);
}
