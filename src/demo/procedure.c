/* procedure.c - Procedure. https://hl7.org/fhir/R4/procedure.html */
#include "demo/record.h"

uint16_t med_demo_procedure_write(med_demo_chart *c, const char *code, const char *display,
                                  med_demo_time start, int32_t minutes, uint16_t reason)
{
    med_demo_out *o = c->out;
    uint16_t id = med_demo_chart_begin(c, "Procedure");
    med_put(o, "status", "completed");
    med_put_concept(o, "code", med_demo_snomed(code, display), NULL);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_period(o, "performedPeriod", start, start + med_demo_minutes(minutes));
    med_put_array(o, "performer");
    med_put_object(o, NULL);
    med_put_worker(c, "actor", c->visit.who);
    med_put_close(o);
    med_put_close(o);
    med_put_ref(o, "location", "Location", c->visit.where->location, c->visit.where->name.z);
    med_put_owns(c, "reasonReference", "Condition", reason);
    med_demo_end(o);
    return id;
}
