/* careplan.c - Goal and CarePlan of a chronic disease.
 * https://hl7.org/fhir/R4/careplan.html */
#include "demo/record.h"

typedef struct aim {
    enum med_demo_condition disease;
    enum med_demo_sentence goal;
    const char *loinc, *display; /* what is measured */
    double high;                 /* the target; a negative one is a lower bound */
    int decimals;
    const char *unit, *ucum;
    enum med_demo_sentence activities[2];
} aim;

static const aim aims[] = {
    {MED_DIABETES,
     MED_SAY_GOAL_HBA1C,
     "59261-8",
     "Hemoglobin A1c/Hemoglobin.total in Blood by IFCC protocol",
     53,
     0,
     "mmol/mol",
     "mmol/mol",
     {MED_SAY_DIET, MED_SAY_MEASURE}},
    {MED_HYPERTENSION,
     MED_SAY_GOAL_PRESSURE,
     "8480-6",
     "Systolic blood pressure",
     140,
     0,
     "mmHg",
     "mm[Hg]",
     {MED_SAY_DIET, MED_SAY_EXERCISE}},
    {MED_CORONARY,
     MED_SAY_GOAL_LDL,
     "22748-8",
     "Cholesterol in LDL [Moles/volume] in Serum or Plasma",
     1.8,
     1,
     "mmol/L",
     "mmol/L",
     {MED_SAY_DIET, MED_SAY_EXERCISE}},
    {MED_COPD,
     MED_SAY_GOAL_BREATH,
     "2708-6",
     "Oxygen saturation in Arterial blood",
     -92,
     0,
     "%",
     "%",
     {MED_SAY_INHALER, MED_SAY_EXERCISE}},
};

static const aim *aim_of(enum med_demo_condition d)
{
    for (size_t i = 0; i < sizeof aims / sizeof aims[0]; i++) {
        if (aims[i].disease == d)
            return &aims[i];
    }
    return NULL;
}

static uint16_t write_goal(med_demo_chart *c, const aim *what, int32_t day, uint16_t condition)
{
    med_demo_out *o = c->out;
    uint16_t id = med_demo_chart_begin(c, "Goal");
    med_put(o, "lifecycleStatus", c->last < c->today ? "cancelled" : "active");
    med_put_concept(o, "description", (med_demo_coding){0}, med_demo_say(c, what->goal));
    med_put_patient(c, "subject");
    med_put_date(o, "startDate", day);
    med_put_array(o, "target");
    med_put_object(o, NULL);
    med_put_concept(o, "measure", med_demo_loinc(what->loinc, what->display), NULL);
    med_put_object(o, "detailRange");
    med_put_quantity(o, what->high < 0 ? "low" : "high", what->high < 0 ? -what->high : what->high,
                     what->decimals, what->unit, what->ucum);
    med_put_close(o);
    med_put_date(o, "dueDate", c->today + 180);
    med_put_close(o);
    med_put_close(o);
    med_put_worker(c, "expressedBy", c->p->doctor);
    med_put_owns(c, "addresses", "Condition", condition);
    med_demo_end(o);
    return id;
}

static void put_activity(med_demo_chart *c, enum med_demo_sentence text)
{
    med_demo_out *o = c->out;
    med_put_object(o, NULL);
    med_put_object(o, "detail");
    med_put_concept(o, "code", (med_demo_coding){0}, med_demo_say(c, text));
    med_put(o, "status", c->last < c->today ? "stopped" : "in-progress");
    med_put_close(o);
    med_put_close(o);
}

void med_demo_careplan_write(med_demo_chart *c, enum med_demo_condition d, int32_t day)
{
    const aim *what = aim_of(d);
    if (what == NULL)
        return;
    med_demo_out *o = c->out;
    bool over = c->last < c->today;
    uint16_t condition = med_demo_chronic_write(c, d);
    uint16_t goal = write_goal(c, what, day, condition);
    med_demo_text title =
        med_demo_join(med_demo_say(c, MED_SAY_PLAN), ": ", med_demo_condition_text(c, d));
    (void)med_demo_chart_begin(c, "CarePlan");
    med_put(o, "status", over ? "revoked" : "active");
    med_put(o, "intent", "plan");
    med_put(o, "title", title.z);
    med_put_patient(c, "subject");
    med_put_encounter(c);
    med_put_days(o, "period", day, over ? c->p->death : MED_DEMO_NEVER);
    med_put_worker(c, "author", c->p->doctor);
    med_put_owns(c, "addresses", "Condition", condition);
    med_put_owns(c, "goal", "Goal", goal);
    med_put_array(o, "activity");
    put_activity(c, what->activities[0]);
    put_activity(c, what->activities[1]);
    med_put_close(o);
    med_demo_end(o);
}
