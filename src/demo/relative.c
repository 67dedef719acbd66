/* relative.c - RelatedPerson: parents of children, partners of adults.
 * https://hl7.org/fhir/R4/relatedperson.html
 *
 * The relative is tied to the own Patient by the national identifier: a link would need the
 * Patient of somebody who is written later. */
#include "demo/record.h"

static void write_relative(med_demo_chart *c, const med_demo_person *relative, const char *code,
                           const char *display)
{
    med_demo_out *o = c->out;
    (void)med_demo_chart_begin(c, "RelatedPerson");
    med_put_array(o, "identifier");
    med_put_identifier(o, "official", relative->country->id_system, relative->national_id);
    med_put_close(o);
    med_put_bool(o, "active", relative->death > c->today);
    med_put_patient(c, "patient");
    med_put_concepts(
        o, "relationship",
        (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-RoleCode", code, display},
        NULL);
    med_put_names(o, relative->country, &relative->name, NULL);
    if (relative->death > c->today && med_demo_age(relative, c->today) >= 12) {
        med_put_array(o, "telecom");
        med_put_contact(o, "phone", "mobile", relative->phone.z);
        med_put_close(o);
    }
    med_put(o, "gender", relative->female ? "female" : "male");
    med_put_date(o, "birthDate", relative->birth);
    med_demo_end(o);
}

void med_demo_relatives_write(med_demo_chart *c)
{
    const med_demo_person *p = c->p;
    if (p->mother != NULL)
        write_relative(c, p->mother, "MTH", "mother");
    if (p->father != NULL)
        write_relative(c, p->father, "FTH", "father");
    if (p->partner == NULL)
        return;
    if (strcmp(p->marital, "S") == 0)
        write_relative(c, p->partner, "DOMPART", "domestic partner");
    else
        write_relative(c, p->partner, p->partner->female ? "WIFE" : "HUSB",
                       p->partner->female ? "wife" : "husband");
}
