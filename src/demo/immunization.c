/* immunization.c - Immunization. https://hl7.org/fhir/R4/immunization.html */
#include "demo/data_vaccine.h"
#include "demo/record.h"

uint16_t med_demo_vaccine_arg(unsigned vaccine, unsigned dose, unsigned doses)
{
    return (uint16_t)(vaccine * MED_VACCINE_ARG_DOSE + dose * MED_VACCINE_ARG_DOSES + doses);
}

static void put_lot(med_demo_out *o, const med_demo_vaccine_kind *kind, int32_t day)
{
    med_demo_text lot = med_demo_join("D", kind->atc + 3, NULL);
    (void)med_demo_text_number(&lot, (uint32_t)day / 60 % 1000, 3); /* a batch lasts two months */
    med_put(o, "lotNumber", lot.z);
}

static void put_way(med_demo_out *o, const med_demo_vaccine_kind *kind, bool infant)
{
    static const char site[] = "http://terminology.hl7.org/CodeSystem/v3-ActSite";
    static const char route[] = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration";
    if (kind->oral) {
        med_put_concept(o, "route", (med_demo_coding){route, "PO", "Swallow, oral"}, NULL);
    } else {
        med_put_concept(o, "site",
                        infant ? (med_demo_coding){site, "LT", "left thigh"}
                               : (med_demo_coding){site, "LA", "left arm"},
                        NULL);
        med_put_concept(o, "route", (med_demo_coding){route, "IM", "Injection, intramuscular"},
                        NULL);
    }
    med_put_quantity(o, "doseQuantity", kind->millilitres, 2, "mL", "mL");
}

static void put_protocol(med_demo_out *o, const med_demo_vaccine_kind *kind, unsigned dose,
                         unsigned doses)
{
    med_put_array(o, "protocolApplied");
    med_put_object(o, NULL);
    med_put_array(o, "targetDisease");
    for (size_t i = 0; i < MED_VACCINE_TARGETS && kind->target[i].snomed != NULL; i++)
        med_put_concept(o, NULL, med_demo_snomed(kind->target[i].snomed, kind->target[i].display),
                        NULL);
    med_put_close(o);
    med_put_int(o, "doseNumberPositiveInt", dose);
    med_put_int(o, "seriesDosesPositiveInt", doses);
    med_put_close(o);
    med_put_close(o);
}

void med_demo_immunization_write(med_demo_chart *c, int32_t day, uint16_t arg)
{
    const med_demo_vaccine_kind *kind = &med_demo_vaccines[arg / MED_VACCINE_ARG_DOSE];
    unsigned dose = arg % MED_VACCINE_ARG_DOSE / MED_VACCINE_ARG_DOSES;
    unsigned doses = arg % MED_VACCINE_ARG_DOSES;
    med_demo_out *o = c->out;
    const med_demo_place *where = c->home->practice;
    int32_t lived = day - c->p->birth;
    (void)med_demo_chart_begin(c, "Immunization");
    med_put(o, "status", "completed");
    med_put_concept(o, "vaccineCode",
                    (med_demo_coding){"http://www.whocc.no/atc", kind->atc, kind->display}, NULL);
    med_put_patient(c, "patient");
    med_put_time(o, "occurrenceDateTime", med_demo_at(day, 9 + day % 5, 15 * (day % 4)));
    med_put_bool(o, "primarySource", true);
    med_put_ref(o, "location", "Location", where->location, where->name.z);
    put_lot(o, kind, day);
    put_way(o, kind, lived < 500);
    med_put_array(o, "performer");
    med_put_object(o, NULL);
    med_put_worker(c, "actor", med_demo_worker_of(c->home->practice, MED_NURSING));
    med_put_close(o);
    med_put_close(o);
    put_protocol(o, kind, dose, doses);
    med_demo_end(o);
}
