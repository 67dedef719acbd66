/* medication.c - MedicationRequest and what the pharmacy hands over on it: never more than was
 * prescribed. https://hl7.org/fhir/R4/medicationrequest.html */
#include "demo/record.h"

/* One prescription. `days` is what one hand-over lasts, `fills` how many it allows. */
typedef struct prescription {
    enum med_demo_drug drug;
    med_demo_time written;
    int32_t from, to; /* valid: days, `to` exclusive */
    int32_t days;
    int32_t fills;
    bool chronic, stopped;
    uint16_t reason;
    uint16_t id;
} prescription;

static double quantity_of(const prescription *rx)
{
    const med_demo_dosage_form *form = &med_demo_dosages[med_demo_drugs[rx->drug].dosage];
    double period = strcmp(form->period_unit, "wk") == 0   ? 7
                    : strcmp(form->period_unit, "mo") == 0 ? 30
                                                           : 1;
    double doses = form->dose * form->frequency * rx->days / (period * form->period);
    if (form->as_needed)
        doses *= 0.12; /* rarely as much as would be allowed */
    double unit = form->package > 0 ? form->package : 1;
    int64_t packages = (int64_t)(doses / unit);
    if ((double)packages * unit < doses - 0.01)
        packages++;
    return (double)(packages < 1 ? 1 : packages) * unit;
}

static void put_medicine(med_demo_out *o, enum med_demo_drug drug)
{
    med_demo_text text =
        med_demo_join(med_demo_drugs[drug].name, " ", med_demo_drugs[drug].strength);
    med_put_concept(o, "medicationCodeableConcept", med_demo_atc(drug), text.z);
}

static void put_dosage(med_demo_chart *c, enum med_demo_drug drug)
{
    const med_demo_dosage_form *form = &med_demo_dosages[med_demo_drugs[drug].dosage];
    med_demo_out *o = c->out;
    med_put_array(o, "dosageInstruction");
    med_put_object(o, NULL);
    med_put(o, "text", form->text[c->p->country->id]);
    med_put_object(o, "timing");
    med_put_object(o, "repeat");
    med_put_int(o, "frequency", form->frequency);
    med_put_decimal(o, "period", form->period, 0);
    med_put(o, "periodUnit", form->period_unit);
    med_put_close(o);
    med_put_close(o);
    if (form->as_needed)
        med_put_bool(o, "asNeededBoolean", true);
    med_put_concept(o, "route", med_demo_snomed(form->route, form->route_display), NULL);
    med_put_array(o, "doseAndRate");
    med_put_object(o, NULL);
    med_put_quantity(o, "doseQuantity", form->dose, 0, form->unit, form->ucum);
    med_put_close(o);
    med_put_close(o);
    med_put_close(o);
    med_put_close(o);
}

static void put_amount(med_demo_out *o, const char *key, const prescription *rx)
{
    const med_demo_dosage_form *form = &med_demo_dosages[med_demo_drugs[rx->drug].dosage];
    bool packed = form->package > 0;
    med_put_quantity(o, key, quantity_of(rx), 0, packed ? form->package_unit : form->unit,
                     packed ? form->package_ucum : form->ucum);
}

static const char *status_of(const med_demo_chart *c, const prescription *rx)
{
    if (rx->stopped && rx->to <= c->last)
        return "stopped";
    return rx->to <= c->today || c->last < c->today ? "completed" : "active";
}

static void write_request(med_demo_chart *c, prescription *rx)
{
    med_demo_out *o = c->out;
    rx->id = med_demo_chart_begin(c, "MedicationRequest");
    med_put(o, "status", status_of(c, rx));
    med_put(o, "intent", "order");
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/medicationrequest-category",
                     "community", "Community");
    put_medicine(o, rx->drug);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "authoredOn", rx->written);
    med_put_worker(c, "requester", c->visit.id != 0 ? c->visit.who : c->p->doctor);
    med_put_owns(c, "reasonReference", "Condition", rx->reason);
    if (rx->chronic)
        med_put_concept(
            o, "courseOfTherapyType",
            (med_demo_coding){
                "http://terminology.hl7.org/CodeSystem/medicationrequest-course-of-therapy",
                "continuous", "Continuous long term therapy"},
            NULL);
    put_dosage(c, rx->drug);
    med_put_object(o, "dispenseRequest");
    med_put_days(o, "validityPeriod", rx->from, rx->to);
    med_put_int(o, "numberOfRepeatsAllowed", rx->fills - 1);
    put_amount(o, "quantity", rx);
    med_put_quantity(o, "expectedSupplyDuration", rx->days, 0, "day", "d");
    med_put_close(o);
    med_demo_end(o);
}

static void write_dispense(med_demo_chart *c, const prescription *rx, int32_t day, bool first)
{
    med_demo_out *o = c->out;
    const med_demo_place *pharmacy = c->home->pharmacy;
    int minute = (int)(40 + 30 * med_demo_wobble(c->p, day, 400 + (unsigned)rx->drug));
    med_demo_time handed = day == med_demo_day_of(rx->written)
                               ? rx->written + med_demo_minutes(60 + minute)
                               : med_demo_at(day, 9 + day % 8, minute % 60);
    (void)med_demo_chart_begin(c, "MedicationDispense");
    med_put(o, "status", "completed");
    put_medicine(o, rx->drug);
    med_put_patient(c, "subject");
    med_put_array(o, "performer");
    med_put_object(o, NULL);
    med_put_worker(c, "actor", &pharmacy->staff[(uint32_t)day % pharmacy->staff_count]);
    med_put_close(o);
    med_put_close(o);
    med_put_ref(o, "location", "Location", pharmacy->location, pharmacy->name.z);
    med_put_owns(c, "authorizingPrescription", "MedicationRequest", rx->id);
    med_put_concept(o, "type",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ActCode",
                                      first ? "FF" : "RF", first ? "First Fill" : "Refill"},
                    NULL);
    put_amount(o, "quantity", rx);
    med_put_quantity(o, "daysSupply", rx->days, 0, "day", "d");
    med_put_time(o, "whenHandedOver", handed);
    put_dosage(c, rx->drug);
    med_demo_end(o);
}

static void write_dispenses(med_demo_chart *c, const prescription *rx)
{
    bool first = true;
    for (int32_t i = 0; i < rx->fills; i++) {
        int32_t late = i == 0 ? (med_demo_wobble(c->p, rx->from, 401) > 0 ? 1 : 0)
                              : (int32_t)(3 * (1 + med_demo_wobble(c->p, rx->from + i, 402)));
        int32_t day = rx->from + i * rx->days + late;
        day += med_demo_weekday(day) == 6; /* closed on Sundays */
        if (day >= c->last || day >= rx->to)
            return;
        bool forgotten =
            rx->chronic && c->p->adherence < 0.5 && med_demo_wobble(c->p, day, 403) > 0.2;
        if (forgotten)
            continue;
        write_dispense(c, rx, day, first);
        first = false;
    }
}

static void prescribe_year(med_demo_chart *c, med_demo_course *course, int32_t day, int32_t supply)
{
    int32_t from = course->covered > day ? course->covered : day; /* renewed in good time */
    int32_t year = from + 4 * 91;
    int32_t to = course->stop < year ? course->stop : year;
    int32_t fills = (to - from + supply - 1) / supply;
    prescription rx = {
        .drug = course->drug,
        .written = c->visit.end - 120,
        .from = from,
        .to = to,
        .days = supply,
        .fills = fills < 1 ? 1 : fills,
        .chronic = course->stop == MED_DEMO_NEVER,
        .stopped = course->stop < year,
        .reason = med_demo_chronic_write(c, course->reason),
    };
    course->covered = to;
    write_request(c, &rx);
    write_dispenses(c, &rx);
}

static bool is_due(const med_demo_course *course, int32_t day)
{
    int32_t from = course->covered > day ? course->covered : day;
    return course->start <= day + 7 && from + 14 < course->stop && course->covered < day + 130;
}

void med_demo_prescribe_due(med_demo_chart *c, int32_t day)
{
    size_t taken = 0;
    for (size_t i = 0; i < c->p->course_count; i++)
        taken += c->p->courses[i].start <= day && day < c->p->courses[i].stop;
    int32_t supply = taken > 1 ? 182 : 91; /* who takes many fetches them twice a year */
    for (size_t i = 0; i < c->p->course_count; i++) {
        if (is_due(&c->p->courses[i], day))
            prescribe_year(c, &c->p->courses[i], day, supply);
    }
}

void med_demo_prescribe_course(med_demo_chart *c, enum med_demo_drug drug, int32_t day,
                               int32_t days, uint16_t reason)
{
    prescription rx = {.drug = drug,
                       .written = c->visit.end - 120,
                       .from = day,
                       .to = day + days + 7,
                       .days = days,
                       .fills = 1,
                       .reason = reason};
    write_request(c, &rx);
    write_dispenses(c, &rx);
}
