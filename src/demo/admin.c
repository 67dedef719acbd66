/* admin.c - Coverage, Consent, Flag, Task, AllergyIntolerance and the smoking status. */
#include "demo/record.h"

void med_demo_coverage_write(med_demo_chart *c)
{
    const med_demo_person *p = c->p;
    med_demo_out *o = c->out;
    bool child = med_demo_age(p, p->today) < 18;
    (void)med_demo_chart_begin(c, "Coverage");
    med_put(o, "status", p->death > p->today ? "active" : "cancelled");
    med_put_concept(o, "type",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ActCode",
                                      "PUBLICPOL", "public healthcare"},
                    NULL);
    med_put(o, "subscriberId", p->national_id);
    med_put_patient(c, "beneficiary");
    med_put_concept(
        o, "relationship",
        (med_demo_coding){"http://terminology.hl7.org/CodeSystem/subscriber-relationship",
                          child ? "child" : "self", child ? "Child" : "Self"},
        NULL);
    med_put_days(o, "period", p->birth, p->death);
    med_put_array(o, "payor");
    med_put_ref(o, NULL, "Organization", c->home->region->insurer, p->country->insurer);
    med_put_close(o);
    med_demo_end(o);
}

void med_demo_consent_write(med_demo_chart *c)
{
    med_demo_out *o = c->out;
    bool deny = med_demo_rng_chance(&c->rng, 300);
    int32_t day = c->last - med_demo_rng_range(&c->rng, 10, 900);
    if (day < c->p->birth)
        day = c->p->birth;
    (void)med_demo_chart_begin(c, "Consent");
    med_put(o, "status", "active");
    med_put_concept(o, "scope",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/consentscope",
                                      "patient-privacy", "Privacy Consent"},
                    NULL);
    med_put_category(c, "http://loinc.org", "59284-0", "Patient Consent");
    med_put_patient(c, "patient");
    med_put_time(o, "dateTime", med_demo_at(day, 11, 5));
    med_put_array(o, "organization");
    med_put_place(c, NULL, c->home->practice);
    med_put_close(o);
    med_put_concept(o, "policyRule",
                    (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ActCode",
                                      deny ? "OPTOUT" : "OPTIN", deny ? "op-out" : "opt-in"},
                    NULL);
    med_put_object(o, "provision");
    med_put(o, "type", deny ? "deny" : "permit");
    med_put_array(o, "purpose");
    med_put_coding(o, NULL,
                   (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ActReason", "HRESCH",
                                     "healthcare research"});
    med_put_close(o);
    med_put_close(o);
    med_demo_end(o);
}

static void write_flag(med_demo_chart *c, enum med_demo_sentence text, med_demo_coding code,
                       int32_t since)
{
    med_demo_out *o = c->out;
    bool over = c->p->death <= c->today;
    (void)med_demo_chart_begin(c, "Flag");
    med_put(o, "status", over ? "inactive" : "active");
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/flag-category", "clinical",
                     "Clinical");
    med_put_concept(o, "code", code, med_demo_say(c, text));
    med_put_patient(c, "subject");
    med_put_days(o, "period", since, over ? c->p->death : MED_DEMO_NEVER);
    med_put_worker(c, "author", c->p->doctor);
    med_demo_end(o);
}

void med_demo_flags_write(med_demo_chart *c)
{
    const med_demo_person *p = c->p;
    if (med_demo_has(p, MED_DEMENTIA, c->last - 1))
        write_flag(c, MED_SAY_FALLS, med_demo_snomed("129839007", "At increased risk for falls"),
                   p->state[MED_DEMENTIA].onset);
    if (med_demo_has(p, MED_FIBRILLATION, c->last - 1))
        write_flag(c, MED_SAY_ANTICOAGULATED,
                   med_demo_snomed("711150003", "Long-term current use of anticoagulant"),
                   p->state[MED_FIBRILLATION].onset);
}

void med_demo_task_write(med_demo_chart *c, enum med_demo_sentence what)
{
    med_demo_out *o = c->out;
    int32_t day = med_demo_working_day(c->today - med_demo_rng_range(&c->rng, 3, 12));
    med_demo_time asked = med_demo_at(day < c->today ? day : c->today - 1, 9, 40);
    const med_demo_worker *nurse = med_demo_worker_of(c->home->practice, MED_NURSING);
    (void)med_demo_chart_begin(c, "Task");
    med_put(o, "status", "requested");
    med_put(o, "intent", "order");
    med_put(o, "priority", "routine");
    med_put(o, "description", med_demo_say(c, what));
    med_put_patient(c, "for");
    med_put_time(o, "authoredOn", asked);
    med_put_time(o, "lastModified", asked);
    if (what == MED_SAY_RENEWAL) /* the citizen asks, the doctor does */
        med_put_patient(c, "requester");
    else
        med_put_worker(c, "requester", c->p->doctor);
    med_put_worker(c, "owner", what == MED_SAY_RENEWAL ? c->p->doctor : nurse);
    med_demo_end(o);
}

typedef struct allergy {
    const char *code, *display, *category, *manifestation, *manifestation_display;
    bool severe;
    const char *text[MED_DEMO_COUNTRIES];
} allergy;

/* clang-format off */
static const allergy allergies[] = {
    {"91936005", "Allergy to penicillin", "medication", "271807003", "Eruption of skin", true,
        {"Alergija na penicilin", "Alergie na penicilin", "Penicillinallergi", "Penicillinallergi", "Алергия към пеницилин"}},
    {"418689008", "Allergy to grass pollen", "environment", "70076002", "Rhinitis", false,
        {"Alergija na pelod trav", "Alergie na pyl trav", "Græspollenallergi", "Gresspollenallergi", "Алергия към тревни полени"}},
    {"419263009", "Allergy to tree pollen", "environment", "70076002", "Rhinitis", false,
        {"Alergija na pelod dreves", "Alergie na pyl stromů", "Birkepollenallergi", "Bjørkepollenallergi", "Алергия към дървесни полени"}},
    {"232350006", "House dust mite allergy", "environment", "70076002", "Rhinitis", false,
        {"Alergija na pršice", "Alergie na roztoče", "Husstøvmideallergi", "Husstøvmiddallergi", "Алергия към домашен прах"}},
    {"232347008", "Dander (animal) allergy", "environment", "70076002", "Rhinitis", false,
        {"Alergija na živalsko dlako", "Alergie na zvířecí srst", "Pelsdyrallergi", "Pelsdyrallergi", "Алергия към животински косми"}},
    {"91935009", "Allergy to peanut", "food", "39579001", "Anaphylaxis", true,
        {"Alergija na arašide", "Alergie na arašídy", "Jordnøddeallergi", "Peanøttallergi", "Алергия към фъстъци"}},
    {"91934008", "Allergy to nut", "food", "126485001", "Urticaria", false,
        {"Alergija na oreščke", "Alergie na ořechy", "Nøddeallergi", "Nøtteallergi", "Алергия към ядки"}},
    {"300913006", "Allergy to shellfish", "food", "126485001", "Urticaria", false,
        {"Alergija na lupinarje", "Alergie na korýše a měkkýše", "Skaldyrsallergi", "Skalldyrallergi", "Алергия към морски дарове"}},
    {"425525006", "Allergy to dairy product", "food", "126485001", "Urticaria", false,
        {"Alergija na mleko", "Alergie na mléko", "Mælkeallergi", "Melkeallergi", "Алергия към мляко"}},
};
/* clang-format on */

static void write_allergy(med_demo_chart *c, const allergy *a)
{
    med_demo_out *o = c->out;
    int32_t lived = c->last - c->p->birth;
    int32_t since = c->p->birth + lived / 4 + med_demo_rng_range(&c->rng, 0, lived / 4);
    (void)med_demo_chart_begin(c, "AllergyIntolerance");
    med_put_concept(
        o, "clinicalStatus",
        (med_demo_coding){"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                          "active", "Active"},
        NULL);
    med_put_concept(
        o, "verificationStatus",
        (med_demo_coding){"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
                          "confirmed", "Confirmed"},
        NULL);
    med_put(o, "type", "allergy");
    med_put_array(o, "category");
    med_put(o, NULL, a->category);
    med_put_close(o);
    med_put(o, "criticality", a->severe ? "high" : "low");
    med_put_concept(o, "code", med_demo_snomed(a->code, a->display), a->text[c->p->country->id]);
    med_put_patient(c, "patient");
    med_put_date(o, "onsetDateTime", since);
    med_put_time(o, "recordedDate", med_demo_at(med_demo_working_day(since), 10, 15));
    med_put_worker(c, "recorder", c->p->doctor);
    med_put_array(o, "reaction");
    med_put_object(o, NULL);
    med_put_concepts(o, "manifestation",
                     med_demo_snomed(a->manifestation, a->manifestation_display), NULL);
    med_put(o, "severity", a->severe ? "severe" : "mild");
    med_put_close(o);
    med_put_close(o);
    med_demo_end(o);
}

void med_demo_allergies_write(med_demo_chart *c)
{
    for (size_t i = 0; i < c->p->allergy_count; i++)
        write_allergy(c, &allergies[c->p->allergies[i]]);
}

void med_demo_smoking_write(med_demo_chart *c, int32_t day)
{
    static const struct {
        const char *code, *display;
    } answers[] = {{"266919005", "Never smoked tobacco"},
                   {"8517006", "Ex-smoker"},
                   {"449868002", "Smokes tobacco daily"}};
    med_demo_out *o = c->out;
    enum med_demo_smoking smoking = c->p->smoking;
    if (smoking == MED_EX_SMOKER && day < c->p->quit_day)
        smoking = MED_SMOKER;
    (void)med_demo_chart_begin(c, "Observation");
    med_put(o, "status", "final");
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/observation-category",
                     "social-history", "Social History");
    med_put_concept(o, "code", med_demo_loinc("72166-2", "Tobacco smoking status"), NULL);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "effectiveDateTime",
                 c->visit.id != 0 ? c->visit.start : med_demo_at(day, 10, 0));
    med_put_workers(c, "performer", c->p->doctor);
    med_put_concept(o, "valueCodeableConcept",
                    med_demo_snomed(answers[smoking].code, answers[smoking].display), NULL);
    med_demo_end(o);
}
