/* labwork.c - an order, its results, and the report that groups them.
 * https://hl7.org/fhir/R4/diagnosticreport.html */
#include "demo/record.h"

enum { RESULTS_AFTER = 5 * 3600, RESULTS_MAX = 40 };

static med_demo_time sample_time(const med_demo_chart *c)
{
    return c->visit.start + 480;
}

static void put_interpretation(med_demo_out *o, bool low, bool high)
{
    med_put_concepts(
        o, "interpretation",
        (med_demo_coding){"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                          low    ? "L"
                          : high ? "H"
                                 : "N",
                          low    ? "Low"
                          : high ? "High"
                                 : "Normal"},
        NULL);
}

static void put_range(med_demo_out *o, const med_demo_lab_kind *kind, bool female)
{
    med_put_array(o, "referenceRange");
    med_put_object(o, NULL);
    if (kind->low[female] > 0)
        med_put_quantity(o, "low", kind->low[female], kind->decimals, kind->unit, kind->ucum);
    if (kind->high[female] < MED_LAB_NO_HIGH)
        med_put_quantity(o, "high", kind->high[female], kind->decimals, kind->unit, kind->ucum);
    med_put_close(o);
    med_put_close(o);
}

/* As the report shows it, so that the flag agrees with the number. */
static double as_reported(double value, int decimals)
{
    double scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
    return (double)(int64_t)(value * scale + 0.5) / scale;
}

static bool out_of_range(const med_demo_lab_kind *kind, bool female, double value)
{
    double reported = as_reported(value, kind->decimals);
    return reported < kind->low[female] || reported > kind->high[female];
}

uint16_t med_demo_lab_write(med_demo_chart *c, enum med_demo_lab lab, double value, uint16_t order)
{
    const med_demo_lab_kind *kind = &med_demo_labs[lab];
    med_demo_out *o = c->out;
    bool female = c->p->female;
    double reported = as_reported(value, kind->decimals);
    bool in_office = order == 0;
    uint16_t id = med_demo_chart_begin(c, "Observation");
    med_put_owns(c, "basedOn", "ServiceRequest", order);
    med_put(o, "status", "final");
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/observation-category", "laboratory",
                     "Laboratory");
    med_put_concept(o, "code", med_demo_loinc(kind->loinc, kind->display), kind->text);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "effectiveDateTime", sample_time(c));
    med_put_time(o, "issued", sample_time(c) + (in_office ? 300 : RESULTS_AFTER));
    med_put_array(o, "performer");
    med_put_place(c, NULL, in_office ? c->visit.where : c->home->laboratory);
    med_put_close(o);
    med_put_quantity(o, "valueQuantity", value, kind->decimals, kind->unit, kind->ucum);
    put_interpretation(o, reported<kind->low[female], reported> kind->high[female]);
    put_range(o, kind, female);
    med_demo_end(o);
    return id;
}

/* A country reports HbA1c in one unit; children get no estimated filtration. */
static bool is_measured(const med_demo_chart *c, enum med_demo_lab lab)
{
    bool percent = c->p->country->id == MED_DEMO_BG;
    if (lab == MED_HBA1C || lab == MED_HBA1C_PERCENT)
        return (lab == MED_HBA1C_PERCENT) == percent;
    return lab != MED_EGFR || med_demo_age(c->p, med_demo_day_of(c->visit.start)) >= 18;
}

static double value_of(const med_demo_chart *c, enum med_demo_lab lab, double crp)
{
    double value = med_demo_lab_value(c->p, lab, med_demo_day_of(c->visit.start));
    if (lab == MED_CRP && crp > 0)
        return crp;
    if (lab == MED_LEUKOCYTES && crp > 20)
        return value + 1.5 + crp / 25;
    return value;
}

static unsigned count_bits(unsigned bits)
{
    unsigned n = 0;
    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

/* The one panel's own code, or "laboratory report" for a mixture. */
static med_demo_coding report_code(unsigned panels)
{
    if (count_bits(panels) == 1) {
        for (unsigned i = 0; i < MED_PANEL_COUNT; i++) {
            if (panels == 1u << i)
                return med_demo_loinc(med_demo_panels[i].loinc, med_demo_panels[i].display);
        }
    }
    return med_demo_loinc("11502-2", "Laboratory report");
}

static uint16_t write_order(med_demo_chart *c, unsigned panels)
{
    med_demo_out *o = c->out;
    uint16_t id = med_demo_chart_begin(c, "ServiceRequest");
    med_put(o, "status", "completed");
    med_put(o, "intent", "order");
    med_put_category(c, "http://snomed.info/sct", "108252007", "Laboratory procedure");
    med_put_concept(o, "code", report_code(panels), med_demo_say(c, MED_SAY_LABORATORY));
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "authoredOn", c->visit.start + 360);
    med_put_worker(c, "requester", c->visit.who);
    med_put_array(o, "performer");
    med_put_place(c, NULL, c->home->laboratory);
    med_put_close(o);
    med_demo_end(o);
    return id;
}

typedef struct results {
    uint16_t ids[RESULTS_MAX];
    size_t n;
    med_demo_text conclusion; /* what is out of range */
} results;

static void write_results(med_demo_chart *c, unsigned panels, double crp, uint16_t order,
                          results *r)
{
    for (unsigned i = 0; i < MED_PANEL_COUNT; i++) {
        const med_demo_panel_kind *panel = &med_demo_panels[i];
        for (unsigned k = 0; (panels >> i & 1) != 0 && k < panel->n; k++) {
            enum med_demo_lab lab = (enum med_demo_lab)(panel->first + k);
            if (!is_measured(c, lab) || r->n == RESULTS_MAX)
                continue;
            double value = value_of(c, lab, crp);
            r->ids[r->n++] = med_demo_lab_write(c, lab, value, order);
            if (!out_of_range(&med_demo_labs[lab], c->p->female, value))
                continue;
            (void)med_demo_text_add(&r->conclusion, r->conclusion.n == 0 ? "Out of range: " : ", ");
            (void)med_demo_text_add(&r->conclusion, med_demo_labs[lab].text);
        }
    }
}

void med_demo_labs_write(med_demo_chart *c, unsigned panels, double crp)
{
    if (panels == 0)
        return;
    med_demo_out *o = c->out;
    results r = {.n = 0};
    uint16_t order = write_order(c, panels);
    write_results(c, panels, crp, order, &r);
    const med_demo_worker *signer = &c->home->laboratory->staff[0];
    (void)med_demo_chart_begin(c, "DiagnosticReport");
    med_put_owns(c, "basedOn", "ServiceRequest", order);
    med_put(o, "status", "final");
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory");
    med_put_concept(o, "code", report_code(panels), med_demo_say(c, MED_SAY_LABORATORY));
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "effectiveDateTime", sample_time(c));
    med_put_time(o, "issued", sample_time(c) + RESULTS_AFTER + 600);
    med_put_array(o, "performer");
    med_put_place(c, NULL, c->home->laboratory);
    med_put_close(o);
    med_put_workers(c, "resultsInterpreter", signer);
    med_put_array(o, "result");
    for (size_t i = 0; i < r.n; i++)
        med_put_own(c, NULL, "Observation", r.ids[i]);
    med_put_close(o);
    med_put(o, "conclusion", r.conclusion.n > 0 ? r.conclusion.z : "All results in range.");
    med_demo_end(o);
}

void med_demo_imaging_write(med_demo_chart *c, const char *code, const char *display,
                            const char *conclusion)
{
    med_demo_out *o = c->out;
    const med_demo_place *hospital = c->home->hospital;
    uint16_t order = med_demo_chart_begin(c, "ServiceRequest");
    med_put(o, "status", "completed");
    med_put(o, "intent", "order");
    med_put_category(c, "http://snomed.info/sct", "363679005", "Imaging");
    med_put_concept(o, "code", med_demo_snomed(code, display), NULL);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "authoredOn", c->visit.start + 360);
    med_put_worker(c, "requester", c->visit.who);
    med_put_array(o, "performer");
    med_put_place(c, NULL, hospital);
    med_put_close(o);
    med_demo_end(o);
    (void)med_demo_chart_begin(c, "DiagnosticReport");
    med_put_owns(c, "basedOn", "ServiceRequest", order);
    med_put(o, "status", "final");
    med_put_category(c, "http://terminology.hl7.org/CodeSystem/v2-0074", "RAD", "Radiology");
    med_put_concept(o, "code", med_demo_snomed(code, display), NULL);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_time(o, "effectiveDateTime", c->visit.start + 420);
    med_put_time(o, "issued", c->visit.start + 3000);
    med_put_array(o, "performer");
    med_put_place(c, NULL, hospital);
    med_put_close(o);
    med_put_workers(c, "resultsInterpreter", med_demo_worker_of(c->home->hospital, MED_RADIOLOGY));
    med_put(o, "conclusion", conclusion);
    med_demo_end(o);
}
