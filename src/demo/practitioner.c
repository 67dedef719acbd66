/* practitioner.c - Practitioner, PractitionerRole, Schedule, Slot. */
#include "demo/practitioner.h"

#include "base/datetime.h"

static void copy_id(char to[24], med_demo_text id)
{
    memcpy(to, id.z, id.n > 23 ? 23 : id.n);
}

static bool is_doctor(enum med_demo_specialty specialty)
{
    return specialty != MED_NURSING && specialty != MED_PHARMACY;
}

static void put_qualification(med_demo_out *o, enum med_demo_specialty specialty)
{
    if (specialty == MED_PHARMACY)
        return; /* v2-0360 has no code for pharmacists */
    med_put_array(o, "qualification");
    med_put_object(o, NULL);
    med_put_concept(o, "code",
                    is_doctor(specialty)
                        ? (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v2-0360", "MD",
                                            "Doctor of Medicine"}
                        : (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v2-0360", "RN",
                                            "Registered Nurse"},
                    NULL);
    med_put_close(o);
    med_put_close(o);
}

static void emit_practitioner(med_demo_world *w, const med_demo_region *region,
                              const med_demo_worker *worker, const med_demo_name *name,
                              int32_t birth)
{
    const med_demo_country *c = region->country;
    med_demo_out *o = w->out;
    med_demo_text system =
        med_demo_join("https://medulla.example/demo/sid/practitioner-", c->prefix, NULL);
    med_demo_text number = {.n = 0};
    (void)med_demo_text_number(&number, 10000u + region->workers, 5);
    med_demo_text email = med_demo_email(name, region->workers);
    med_demo_begin(o, "Practitioner", worker->practitioner);
    med_put_array(o, "identifier");
    med_put_identifier(o, "official", system.z, number.z);
    med_put_close(o);
    med_put_bool(o, "active", true);
    med_put_names(o, c, name, is_doctor(worker->specialty) ? c->doctor : NULL);
    med_put_array(o, "telecom");
    med_put_contact(o, "email", "work", email.z);
    med_put_close(o);
    med_put(o, "gender", worker->female ? "female" : "male");
    med_put_date(o, "birthDate", birth);
    put_qualification(o, worker->specialty);
    med_put_concepts(o, "communication",
                     (med_demo_coding){"urn:ietf:bcp:47", c->language, c->language_name}, NULL);
    med_demo_end(o);
}

static med_demo_coding role_code(enum med_demo_specialty specialty)
{
    static const char system[] = "http://terminology.hl7.org/CodeSystem/practitioner-role";
    if (specialty == MED_NURSING)
        return (med_demo_coding){system, "nurse", "Nurse"};
    if (specialty == MED_PHARMACY)
        return (med_demo_coding){system, "pharmacist", "Pharmacist"};
    return (med_demo_coding){system, "doctor", "Doctor"};
}

static void put_hours(med_demo_out *o)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri"};
    med_put_array(o, "availableTime");
    med_put_object(o, NULL);
    med_put_array(o, "daysOfWeek");
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
        med_put(o, NULL, days[i]);
    med_put_close(o);
    med_put(o, "availableStartTime", "08:00:00");
    med_put(o, "availableEndTime", "15:30:00");
    med_put_close(o);
    med_put_close(o);
}

static void emit_role(med_demo_world *w, const med_demo_region *region, const med_demo_place *place,
                      const med_demo_worker *worker, const char *service)
{
    enum med_demo_specialty specialty = worker->specialty;
    med_demo_out *o = w->out;
    med_demo_begin(o, "PractitionerRole", worker->role);
    med_put_bool(o, "active", true);
    med_put_ref(o, "practitioner", "Practitioner", worker->practitioner, worker->name.z);
    med_put_ref(o, "organization", "Organization", place->organization, place->name.z);
    med_put_concepts(o, "code", role_code(specialty), NULL);
    if (is_doctor(specialty))
        med_put_concepts(o, "specialty", med_demo_specialty_coding(specialty),
                         med_demo_specialties[specialty].text[region->country->id]);
    med_put_refs(o, "location", "Location", place->location, place->name.z);
    if (service != NULL)
        med_put_refs(o, "healthcareService", "HealthcareService", service, NULL);
    if (med_demo_has_schedule(specialty))
        put_hours(o);
    med_demo_end(o);
}

bool med_demo_has_schedule(enum med_demo_specialty specialty)
{
    return specialty == MED_GENERAL_PRACTICE || specialty == MED_PAEDIATRICS
           || specialty == MED_CARDIOLOGY || specialty == MED_ENDOCRINOLOGY;
}

med_demo_text med_demo_slot_id(const med_demo_worker *worker, unsigned k)
{
    return med_demo_make_id(worker->schedule, "slot", k + 1);
}

bool med_demo_slot_busy(const med_demo_worker *worker, unsigned k)
{
    return (k * 7 + (unsigned)worker->role[strlen(worker->role) - 1]) % 5 < 3;
}

static void emit_slots(med_demo_world *w, med_demo_worker *worker)
{
    med_demo_out *o = w->out;
    for (unsigned k = 0; k < MED_DEMO_SLOTS; k++) {
        med_demo_text id = med_demo_slot_id(worker, k);
        med_demo_time start = med_demo_slot_start(w->today, k);
        bool busy = med_demo_slot_busy(worker, k);
        med_demo_begin(o, "Slot", id.z);
        med_put_concepts(o, "specialty", med_demo_specialty_coding(worker->specialty), NULL);
        med_put_ref(o, "schedule", "Schedule", worker->schedule, NULL);
        med_put(o, "status", busy ? "busy" : "free");
        med_put_time(o, "start", start);
        med_put_time(o, "end", start + med_demo_minutes(20));
        med_demo_end(o);
    }
}

static void emit_schedule(med_demo_world *w, const med_demo_place *place, med_demo_worker *worker)
{
    med_demo_out *o = w->out;
    med_demo_begin(o, "Schedule", worker->schedule);
    med_put_bool(o, "active", true);
    med_put_concepts(o, "specialty", med_demo_specialty_coding(worker->specialty), NULL);
    med_put_array(o, "actor");
    med_put_ref(o, NULL, "PractitionerRole", worker->role, worker->name.z);
    med_put_ref(o, NULL, "Location", place->location, NULL);
    med_put_close(o);
    med_put_period(o, "planningHorizon", med_demo_at(w->today, 0, 0),
                   med_demo_at(w->today + 42, 0, 0));
    med_demo_end(o);
    emit_slots(w, worker);
}

void med_demo_practitioner_emit(med_demo_world *w, med_demo_region *region,
                                const med_demo_place *place, med_demo_worker *worker,
                                const char *service, med_demo_rng *r)
{
    const med_demo_country *c = region->country;
    uint32_t number = ++region->workers;
    worker->female = med_demo_rng_chance(r, worker->specialty == MED_NURSING ? 880 : 520);
    int32_t birth = w->today - med_demo_rng_range(r, 30 * 365, 64 * 365);
    int year = 0, month = 0, day = 0;
    med_civil_from_days(birth, &year, &month, &day);
    med_demo_name name;
    med_demo_name_draw(r, c, worker->female, year, MED_DEMO_SURNAMES, NULL, &name);
    worker->name = med_demo_full_name(&name, is_doctor(worker->specialty) ? c->doctor : NULL);
    copy_id(worker->practitioner, med_demo_make_id(c->prefix, "staff", number));
    copy_id(worker->role, med_demo_make_id(c->prefix, "role", number));
    emit_practitioner(w, region, worker, &name, birth);
    emit_role(w, region, place, worker, service);
    if (med_demo_has_schedule(worker->specialty)) {
        copy_id(worker->schedule, med_demo_make_id(c->prefix, "schedule", number));
        emit_schedule(w, place, worker);
    }
}
