/* chart.c - numbering and the references every resource of a person has. */
#include "demo/chart.h"

uint16_t med_demo_chart_begin(med_demo_chart *c, const char *type)
{
    c->p->n++;
    med_demo_text id = med_demo_chart_id(c, c->p->n);
    med_demo_begin(c->out, type, id.z);
    return c->p->n;
}

med_demo_text med_demo_chart_id(const med_demo_chart *c, uint16_t number)
{
    med_demo_text t = med_demo_join(c->p->id, "-", NULL);
    return *med_demo_text_number(&t, number, 1);
}

const char *med_demo_say(const med_demo_chart *c, enum med_demo_sentence sentence)
{
    return med_demo_sentences[sentence][c->p->country->id];
}

const char *med_demo_condition_text(const med_demo_chart *c, enum med_demo_condition d)
{
    return med_demo_conditions[d].text[c->p->country->id];
}

void med_put_own(med_demo_chart *c, const char *key, const char *type, uint16_t number)
{
    if (number == 0)
        return;
    med_demo_text id = med_demo_chart_id(c, number);
    med_put_ref(c->out, key, type, id.z, NULL);
}

void med_put_owns(med_demo_chart *c, const char *key, const char *type, uint16_t number)
{
    if (number == 0)
        return;
    med_put_array(c->out, key);
    med_put_own(c, NULL, type, number);
    med_put_close(c->out);
}

void med_put_patient(med_demo_chart *c, const char *key)
{
    med_put_ref(c->out, key, "Patient", c->p->id, NULL);
}

void med_put_encounter(med_demo_chart *c)
{
    med_put_own(c, "encounter", "Encounter", c->visit.id);
}

void med_put_worker(med_demo_chart *c, const char *key, const med_demo_worker *worker)
{
    med_put_ref(c->out, key, "Practitioner", worker->practitioner, worker->name.z);
}

void med_put_workers(med_demo_chart *c, const char *key, const med_demo_worker *worker)
{
    med_put_array(c->out, key);
    med_put_worker(c, NULL, worker);
    med_put_close(c->out);
}

void med_put_place(med_demo_chart *c, const char *key, const med_demo_place *place)
{
    med_put_ref(c->out, key, "Organization", place->organization, place->name.z);
}

void med_put_diagnosis(med_demo_chart *c, const char *key, enum med_demo_condition d)
{
    const med_demo_concept *concept = &med_demo_conditions[d];
    med_put_concept2(c->out, key, med_demo_snomed(concept->snomed, concept->display),
                     (med_demo_coding){"http://hl7.org/fhir/sid/icd-10", concept->icd10, NULL},
                     med_demo_condition_text(c, d));
}

void med_put_category(med_demo_chart *c, const char *system, const char *code, const char *display)
{
    med_put_concepts(c->out, "category", (med_demo_coding){system, code, display}, NULL);
}

med_demo_coding med_demo_snomed(const char *code, const char *display)
{
    return (med_demo_coding){"http://snomed.info/sct", code, display};
}

med_demo_coding med_demo_loinc(const char *code, const char *display)
{
    return (med_demo_coding){"http://loinc.org", code, display};
}

med_demo_coding med_demo_atc(enum med_demo_drug drug)
{
    return (med_demo_coding){"http://www.whocc.no/atc", med_demo_drugs[drug].atc,
                             med_demo_drugs[drug].name};
}
