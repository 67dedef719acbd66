/* measure.c - vital signs as the FHIR profiles want them, and other measurements of a visit.
 * https://hl7.org/fhir/R4/observation-vitalsigns.html */
#include "demo/record.h"

typedef struct measure {
    const char *profile; /* of vital signs, else NULL */
    const char *loinc, *display;
    const char *category, *category_display;
    const char *unit, *ucum;
    int decimals;
} measure;

static void begin_measure(med_demo_chart *c, const measure *m)
{
    med_demo_out *o = c->out;
    (void)med_demo_chart_begin(c, "Observation");
    if (m->profile != NULL) {
        med_put_object(o, "meta");
        med_put_array(o, "profile");
        med_put(o, NULL, m->profile);
        med_put_close(o);
        med_put_close(o);
    }
    med_put(o, "status", "final");
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/observation-category", m->category,
                     m->category_display);
    med_put_concept(o, "code", med_demo_loinc(m->loinc, m->display), NULL);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "effectiveDateTime", c->visit.start + 300);
    med_put_workers(c, "performer", c->visit.who);
}

static void put_interpretation(med_demo_out *o, const char *code, const char *display)
{
    med_put_concepts(
        o, "interpretation",
        (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                          code, display},
        NULL);
}

static void write_measure(med_demo_chart *c, const measure *m, double value)
{
    begin_measure(c, m);
    med_put_quantity(c->out, "valueQuantity", value, m->decimals, m->unit, m->ucum);
    med_demo_end(c->out);
}

#define PROFILE "http://hl7.org/fhir/StructureDefinition/"
#define VITAL "vital-signs", "Vital Signs"
#define EXAM "exam", "Exam"

static void put_component(med_demo_out *o, const char *loinc, const char *display, double value)
{
    med_put_object(o, NULL);
    med_put_concept(o, "code", med_demo_loinc(loinc, display), NULL);
    med_put_quantity(o, "valueQuantity", value, 0, "mmHg", "mm[Hg]");
    med_put_close(o);
}

void med_demo_pressure_write(med_demo_chart *c)
{
    static const measure m = {
        PROFILE "bp", "85354-9", "Blood pressure panel with all children optional", VITAL, NULL,
        NULL,         0};
    int32_t day = med_demo_day_of(c->visit.start);
    double systolic = med_demo_systolic(c->p, day), diastolic = med_demo_diastolic(c->p, day);
    bool high = med_demo_age(c->p, day) >= 18 && (systolic >= 139.5 || diastolic >= 89.5);
    begin_measure(c, &m);
    put_interpretation(c->out, high ? "H" : "N", high ? "High" : "Normal");
    med_put_array(c->out, "component");
    put_component(c->out, "8480-6", "Systolic blood pressure", systolic);
    put_component(c->out, "8462-4", "Diastolic blood pressure", diastolic);
    med_put_close(c->out);
    med_demo_end(c->out);
}

void med_demo_pulse_write(med_demo_chart *c, double more)
{
    static const measure m = {
        PROFILE "heartrate", "8867-4", "Heart rate", VITAL, "beats/minute", "/min", 0};
    write_measure(c, &m, med_demo_pulse(c->p, med_demo_day_of(c->visit.start)) + more);
}

void med_demo_weight_write(med_demo_chart *c)
{
    static const measure m = {PROFILE "bodyweight", "29463-7", "Body weight", VITAL, "kg", "kg", 1};
    write_measure(c, &m, med_demo_weight(c->p, med_demo_day_of(c->visit.start)));
}

void med_demo_height_write(med_demo_chart *c)
{
    static const measure m = {PROFILE "bodyheight", "8302-2", "Body height", VITAL, "cm", "cm", 1};
    write_measure(c, &m, med_demo_height(c->p, med_demo_day_of(c->visit.start)));
}

/* From the weight of the scales, so that the three agree. */
void med_demo_bmi_write(med_demo_chart *c)
{
    static const measure m = {
        PROFILE "bmi", "39156-5", "Body mass index (BMI) [Ratio]", VITAL, "kg/m2", "kg/m2", 1};
    int32_t day = med_demo_day_of(c->visit.start);
    double height = (double)(int64_t)(med_demo_height(c->p, day) * 10 + 0.5) / 1000;
    double weight = (double)(int64_t)(med_demo_weight(c->p, day) * 10 + 0.5) / 10;
    write_measure(c, &m, weight / (height * height));
}

void med_demo_head_write(med_demo_chart *c)
{
    static const measure m = {PROFILE "headcircum",
                              "9843-4",
                              "Head Occipital-frontal circumference",
                              VITAL,
                              "cm",
                              "cm",
                              1};
    write_measure(c, &m, med_demo_head(c->p, med_demo_day_of(c->visit.start)));
}

void med_demo_temperature_write(med_demo_chart *c, double celsius)
{
    static const measure m = {
        PROFILE "bodytemp", "8310-5", "Body temperature", VITAL, "degrees C", "Cel", 1};
    bool fever = celsius >= 37.95;
    begin_measure(c, &m);
    med_put_quantity(c->out, "valueQuantity", celsius, 1, m.unit, m.ucum);
    put_interpretation(c->out, fever ? "H" : "N", fever ? "High" : "Normal");
    med_demo_end(c->out);
}

void med_demo_breaths_write(med_demo_chart *c, double more)
{
    static const measure m = {
        PROFILE "resprate", "9279-1", "Respiratory rate", VITAL, "breaths/minute", "/min", 0};
    write_measure(c, &m, med_demo_breaths(c->p, med_demo_day_of(c->visit.start)) + more);
}

void med_demo_saturation_write(med_demo_chart *c, double less)
{
    static const measure m = {
        PROFILE "oxygensat", "2708-6", "Oxygen saturation in Arterial blood", VITAL, "%", "%", 0};
    double value = med_demo_saturation(c->p, med_demo_day_of(c->visit.start)) - less;
    begin_measure(c, &m);
    med_put_quantity(c->out, "valueQuantity", value, 0, m.unit, m.ucum);
    put_interpretation(c->out, value < 93.5 ? "L" : "N", value < 93.5 ? "Low" : "Normal");
    med_demo_end(c->out);
}

void med_demo_spirometry_write(med_demo_chart *c)
{
    static const measure volume = {NULL, "20150-9", "FEV1", EXAM, "L", "L", 2};
    static const measure ratio = {NULL, "19926-5", "FEV1/FVC", EXAM, "%", "%", 0};
    int32_t day = med_demo_day_of(c->visit.start);
    double value = med_demo_fev1_ratio(c->p, day);
    write_measure(c, &volume, med_demo_fev1(c->p, day));
    begin_measure(c, &ratio);
    med_put_quantity(c->out, "valueQuantity", value, 0, ratio.unit, ratio.ucum);
    put_interpretation(c->out, value < 69.5 ? "L" : "N", value < 69.5 ? "Low" : "Normal");
    med_demo_end(c->out);
}

void med_demo_questionnaire_write(med_demo_chart *c)
{
    static const measure m = {
        NULL,      "44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]",
        "survey",  "Survey",  "score",
        "{score}", 0};
    write_measure(c, &m, med_demo_phq9(c->p, med_demo_day_of(c->visit.start)));
}

void med_demo_fetal_heart_write(med_demo_chart *c, const med_demo_pregnancy *pregnancy)
{
    static const measure m = {NULL, "55283-6", "Fetal Heart rate", EXAM, "beats/minute", "/min", 0};
    double week = (med_demo_day_of(c->visit.start) - pregnancy->start) / 7.0;
    write_measure(c, &m, 158 - 0.5 * week + 6 * med_demo_wobble(c->p, (int32_t)week, 300));
}

void med_demo_fundal_height_write(med_demo_chart *c, const med_demo_pregnancy *pregnancy)
{
    static const measure m = {NULL, "11881-0", "Uterus Fundal height Tape measure", EXAM, "cm",
                              "cm", 0};
    double week = (med_demo_day_of(c->visit.start) - pregnancy->start) / 7.0;
    write_measure(c, &m, week + 0.8 * med_demo_wobble(c->p, (int32_t)week, 301));
}
