/* patient.c - Patient. https://hl7.org/fhir/R4/patient.html */
#include "demo/record.h"

static void put_identity(med_demo_chart *c)
{
    const med_demo_person *p = c->p;
    med_demo_out *o = c->out;
    med_put_array(o, "identifier");
    med_put_object(o, NULL);
    med_put(o, "use", "official");
    med_put_concept(o, "type",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v2-0203", "NI",
                                      "National unique individual identifier"},
                    NULL);
    med_put(o, "system", p->country->id_system);
    med_put(o, "value", p->national_id);
    med_put_close(o);
    med_put_close(o);
    med_put_bool(o, "active", p->death > p->today - 365);
    med_put_names(o, p->country, &p->name, NULL);
}

static void put_contacts(med_demo_chart *c)
{
    const med_demo_person *p = c->p;
    med_demo_out *o = c->out;
    double age = med_demo_age(p, p->today);
    if (age < 12 || p->death <= p->today)
        return;
    med_put_array(o, "telecom");
    med_put_contact(o, "phone", "mobile", p->phone.z);
    if (age < 80) {
        med_demo_text email = med_demo_email(&p->name, p->index + 1);
        med_put_contact(o, "email", "home", email.z);
    }
    med_put_close(o);
}

static void put_marital(med_demo_chart *c)
{
    static const struct {
        const char *code, *display;
    } all[] = {{"S", "Never Married"}, {"M", "Married"}, {"W", "Widowed"}, {"D", "Divorced"}};
    if (med_demo_age(c->p, c->today) < 18)
        return;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].code, c->p->marital) == 0)
            med_put_concept(
                c->out, "maritalStatus",
                (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
                                  all[i].code, all[i].display},
                NULL);
    }
}

static void put_tag(med_demo_out *o)
{
    med_put_object(o, "meta");
    med_put_array(o, "tag");
    med_put_coding(o, NULL,
                   (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST",
                                     "test health data"});
    med_put_close(o);
    med_put_close(o);
}

void med_demo_patient_write(med_demo_chart *c)
{
    const med_demo_person *p = c->p;
    const med_demo_household *h = c->home;
    med_demo_out *o = c->out;
    c->p->n++; /* the Patient is the first of its own count */
    med_demo_begin(o, "Patient", p->id);
    put_tag(o);
    put_identity(c);
    put_contacts(c);
    med_put(o, "gender", p->female ? "female" : "male");
    med_put_date(o, "birthDate", p->birth);
    if (p->death <= p->today)
        med_put_time(o, "deceasedDateTime", med_demo_death_time(p));
    med_put_array(o, "address");
    med_put_address(o, NULL, "home", h->country, h->practice->town, h->street, h->house, h->door);
    med_put_close(o);
    put_marital(c);
    med_put_array(o, "communication");
    med_put_object(o, NULL);
    med_put_concept(
        o, "language",
        (med_demo_coding){"urn:ietf:bcp:47", p->country->language, p->country->language_name},
        NULL);
    med_put_bool(o, "preferred", true);
    med_put_close(o);
    med_put_close(o);
    med_put_workers(c, "generalPractitioner", p->doctor);
    med_put_ref(o, "managingOrganization", "Organization", h->practice->organization,
                h->practice->name.z);
    med_demo_end(o);
}
