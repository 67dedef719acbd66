/* appointment.c - referrals (ServiceRequest) and appointments, past and to come.
 * https://hl7.org/fhir/R4/appointment.html */
#include "demo/practitioner.h"
#include "demo/record.h"

uint16_t med_demo_referral_write(med_demo_chart *c, int32_t day, enum med_demo_specialty specialty,
                                 enum med_demo_condition d, bool done)
{
    med_demo_out *o = c->out;
    uint16_t condition = d < MED_CHRONIC_COUNT ? c->p->state[d].condition : 0;
    uint16_t id = med_demo_chart_begin(c, "ServiceRequest");
    med_put(o, "status", done ? "completed" : "active");
    med_put(o, "intent", "order");
    med_put_category(c, "http://snomed.info/sct", "306206005", "Referral to service");
    med_put(o, "priority", "routine");
    med_put_concept(o, "code", med_demo_snomed("306206005", "Referral to service"),
                    med_demo_say(c, MED_SAY_REFERRAL));
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "authoredOn", c->visit.id != 0 ? c->visit.end : med_demo_at(day, 11, 20));
    med_put_worker(c, "requester", c->p->doctor);
    med_put_concept(o, "performerType", med_demo_specialty_coding(specialty),
                    med_demo_specialties[specialty].text[c->p->country->id]);
    med_put_array(o, "performer");
    med_put_place(c, NULL, c->home->hospital);
    med_put_close(o);
    med_put_owns(c, "reasonReference", "Condition", condition);
    med_demo_end(o);
    return id;
}

static void put_participants(med_demo_chart *c, const med_demo_worker *worker, bool kept)
{
    med_demo_out *o = c->out;
    med_put_array(o, "participant");
    med_put_object(o, NULL);
    med_put_patient(c, "actor");
    med_put(o, "required", "required");
    med_put(o, "status", kept ? "accepted" : "declined");
    med_put_close(o);
    med_put_object(o, NULL);
    med_put_worker(c, "actor", worker);
    med_put(o, "required", "required");
    med_put(o, "status", "accepted");
    med_put_close(o);
    med_put_close(o);
}

static uint16_t begin_appointment(med_demo_chart *c, const char *status,
                                  const med_demo_worker *worker, enum med_demo_sentence reason)
{
    med_demo_out *o = c->out;
    uint16_t id = med_demo_chart_begin(c, "Appointment");
    med_put(o, "status", status);
    med_put_concepts(o, "specialty", med_demo_specialty_coding(worker->specialty),
                     med_demo_specialties[worker->specialty].text[c->p->country->id]);
    med_put_concept(o, "appointmentType",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v2-0276",
                                      reason == MED_SAY_CHECKUP ? "CHECKUP" : "FOLLOWUP",
                                      reason == MED_SAY_CHECKUP
                                          ? "A routine check-up, such as an annual physical"
                                          : "A follow up visit from a previous appointment"},
                    NULL);
    med_put(o, "description", med_demo_say(c, reason));
    return id;
}

uint16_t med_demo_appointment_write(med_demo_chart *c, const med_demo_visit_plan *plan, bool kept)
{
    med_demo_out *o = c->out;
    enum med_demo_sentence reason =
        plan->reason_text == MED_SAY_COUNT ? MED_SAY_CONTROL : plan->reason_text;
    uint16_t id = begin_appointment(c, kept ? "fulfilled" : "noshow", plan->who, reason);
    med_put_time(o, "start", plan->start);
    med_put_time(o, "end", plan->start + med_demo_minutes(plan->minutes));
    med_put_int(o, "minutesDuration", plan->minutes);
    med_put_time(o, "created",
                 plan->start - (med_demo_time)MED_DEMO_DAY * med_demo_rng_range(&c->rng, 5, 30));
    med_put_owns(c, "basedOn", "ServiceRequest", plan->referral);
    put_participants(c, plan->who, kept);
    med_demo_end(o);
    return id;
}

/* The next taken slot of the worker; MED_DEMO_SLOTS when all have their appointment. */
static unsigned take_slot(med_demo_worker *worker, bool trial)
{
    unsigned k = worker->next_slot;
    while (k < MED_DEMO_SLOTS && !med_demo_slot_busy(worker, k))
        k++;
    if (!trial && k < MED_DEMO_SLOTS)
        worker->next_slot = (uint8_t)(k + 1);
    return worker->schedule[0] == '\0' ? MED_DEMO_SLOTS : k;
}

void med_demo_booking_write(med_demo_chart *c, med_demo_worker *worker, uint16_t referral)
{
    med_demo_out *o = c->out;
    unsigned slot = take_slot(worker, o->mute);
    int32_t day = med_demo_working_day(c->today + med_demo_rng_range(&c->rng, 16, 80));
    med_demo_time start = med_demo_at(day, med_demo_rng_range(&c->rng, 8, 14), 30);
    enum med_demo_sentence reason = referral != 0 ? MED_SAY_REFERRAL : MED_SAY_CONTROL;
    if (slot < MED_DEMO_SLOTS)
        start = med_demo_slot_start(c->today, slot);
    (void)begin_appointment(c, "booked", worker, reason);
    med_put_time(o, "start", start);
    med_put_time(o, "end", start + med_demo_minutes(20));
    med_put_int(o, "minutesDuration", 20);
    if (slot < MED_DEMO_SLOTS) {
        med_demo_text id = med_demo_slot_id(worker, slot);
        med_put_refs(o, "slot", "Slot", id.z, NULL);
    }
    med_put_time(
        o, "created",
        med_demo_at(med_demo_working_day(c->today - med_demo_rng_range(&c->rng, 5, 40)), 9, 10));
    med_put_owns(c, "basedOn", "ServiceRequest", referral);
    put_participants(c, worker, true);
    med_demo_end(o);
}
