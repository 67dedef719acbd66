/* visit.c - Encounter. https://hl7.org/fhir/R4/encounter.html */
#include "demo/record.h"

med_demo_visit_plan med_demo_office_visit(med_demo_chart *c, int32_t day)
{
    int hour = med_demo_rng_range(&c->rng, 8, 14);
    int minute = 10 * med_demo_rng_range(&c->rng, 0, 5);
    return (med_demo_visit_plan){
        .class = "AMB",
        .type = "390906007",
        .type_display = "Follow-up encounter",
        .start = med_demo_at(day, hour, minute),
        .minutes = med_demo_rng_range(&c->rng, 10, 25),
        .who = c->p->doctor,
        .where = c->home->practice,
        .reason_text = MED_SAY_COUNT,
        .reason = MED_CONDITION_COUNT,
    };
}

static med_demo_coding class_coding(const char *class)
{
    const char *display = strcmp(class, "AMB") == 0    ? "ambulatory"
                          : strcmp(class, "EMER") == 0 ? "emergency"
                                                       : "inpatient encounter";
    return (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ActCode", class, display};
}

static void put_participant(med_demo_chart *c, const med_demo_visit_plan *plan)
{
    med_demo_out *o = c->out;
    med_put_array(o, "participant");
    med_put_object(o, NULL);
    med_put_concepts(o, "type",
                     (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                       "PPRF", "primary performer"},
                     NULL);
    med_put_worker(c, "individual", plan->who);
    med_put_close(o);
    med_put_close(o);
}

static void put_reasons(med_demo_chart *c, const med_demo_visit_plan *plan)
{
    med_demo_out *o = c->out;
    if (plan->reason != MED_CONDITION_COUNT) {
        med_put_array(o, "reasonCode");
        med_put_diagnosis(c, NULL, plan->reason);
        med_put_close(o);
    } else if (plan->reason_text != MED_SAY_COUNT) {
        med_put_concepts(o, "reasonCode", (med_demo_coding){0}, med_demo_say(c, plan->reason_text));
    }
    if (plan->reasons[0] == 0)
        return;
    med_put_array(o, "reasonReference");
    for (size_t i = 0; i < 3; i++)
        med_put_own(c, NULL, "Condition", plan->reasons[i]);
    med_put_close(o);
}

static void put_hospitalization(med_demo_chart *c, const med_demo_visit_plan *plan)
{
    med_demo_out *o = c->out;
    if (strcmp(plan->class, "IMP") != 0)
        return;
    med_put_object(o, "hospitalization");
    med_put_concept(o, "dischargeDisposition",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/discharge-disposition",
                                      "home", "Home"},
                    NULL);
    med_put_close(o);
}

uint16_t med_demo_visit_begin(med_demo_chart *c, const med_demo_visit_plan *plan)
{
    med_demo_out *o = c->out;
    med_demo_time end = plan->start + med_demo_minutes(plan->minutes);
    uint16_t id = med_demo_chart_begin(c, "Encounter");
    c->visit = (med_demo_visit){id, plan->start, end, plan->who, plan->where};
    med_put(o, "status", "finished");
    med_put_coding(o, "class", class_coding(plan->class));
    med_put_concepts(o, "type", med_demo_snomed(plan->type, plan->type_display), NULL);
    med_put_concept(o, "serviceType", med_demo_specialty_coding(plan->who->specialty),
                    med_demo_specialties[plan->who->specialty].text[c->p->country->id]);
    med_put_patient(c, "subject");
    med_put_owns(c, "basedOn", "ServiceRequest", plan->referral);
    put_participant(c, plan);
    med_put_owns(c, "appointment", "Appointment", plan->appointment);
    med_put_period(o, "period", plan->start, end);
    put_reasons(c, plan);
    put_hospitalization(c, plan);
    med_put_array(o, "location");
    med_put_object(o, NULL);
    med_put_ref(o, "location", "Location", plan->where->location, plan->where->name.z);
    med_put_close(o);
    med_put_close(o);
    med_put_place(c, "serviceProvider", plan->where);
    med_demo_end(o);
    return id;
}

void med_demo_visit_end(med_demo_chart *c)
{
    c->visit = (med_demo_visit){0};
}
