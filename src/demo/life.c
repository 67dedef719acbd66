/* life.c - the record of one person, from the Patient to the next appointment. */
#include "demo/life.h"

#include "demo/event.h"
#include "demo/plan.h"

static void forget(med_demo_person *p)
{
    p->n = 0;
    for (size_t i = 0; i < MED_CHRONIC_COUNT; i++) {
        p->state[i].condition = 0;
        p->state[i].told = false;
    }
    for (size_t i = 0; i < p->course_count; i++)
        p->courses[i].covered = p->birth;
    for (size_t i = 0; i < p->pregnancy_count; i++)
        p->pregnancies[i].condition = 0;
    for (size_t i = 0; i < p->event_count; i++) {
        const med_demo_event *e = &p->events[i];
        if (e->dropped)
            continue;
        if (e->kind == MED_EVENT_ONSET)
            p->state[e->arg].told = true;
        if (e->kind == MED_EVENT_STAY && e->arg == MED_STAY_INFARCTION)
            p->state[MED_CORONARY].told = true;
    }
}

/* What was known before the events that are told. */
static void tell_beginning(med_demo_chart *c)
{
    med_demo_person *p = c->p;
    med_demo_patient_write(c);
    med_demo_coverage_write(c);
    med_demo_relatives_write(c);
    med_demo_allergies_write(c);
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        if (p->state[d].onset != MED_DEMO_NEVER && !p->state[d].told)
            (void)med_demo_chronic_write(c, (enum med_demo_condition)d);
    }
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        const med_demo_state *s = &p->state[d];
        if (s->onset >= c->last || s->told || s->end != MED_DEMO_NEVER)
            continue;
        int32_t day = s->onset < c->last - 700 ? c->last - 600 : s->onset + 10;
        med_demo_careplan_write(c, (enum med_demo_condition)d, day);
    }
    int32_t asked = med_demo_working_day(c->last - med_demo_rng_range(&c->rng, 30, 700));
    if (med_demo_age(p, asked) >= 16)
        med_demo_smoking_write(c, asked);
    if (med_demo_age(p, c->last) >= 18 && med_demo_rng_chance(&c->rng, 120))
        med_demo_consent_write(c);
    med_demo_flags_write(c);
}

/* A specialist who is asked about one of the diseases; MED_CHRONIC_COUNT: none. */
static enum med_demo_condition open_question(const med_demo_chart *c)
{
    for (int d = 0; d < MED_CHRONIC_COUNT; d++) {
        enum med_demo_specialty s = med_demo_diseases[d].specialty;
        if ((s == MED_CARDIOLOGY || s == MED_ENDOCRINOLOGY)
            && med_demo_has(c->p, (enum med_demo_condition)d, c->last - 1))
            return (enum med_demo_condition)d;
    }
    return MED_CHRONIC_COUNT;
}

/* What is still to come, for the living. */
static void tell_future(med_demo_chart *c)
{
    med_demo_person *p = c->p;
    if (p->death <= c->today)
        return;
    enum med_demo_condition d = open_question(c);
    size_t taken = 0;
    for (size_t i = 0; i < p->course_count; i++)
        taken += p->courses[i].stop > c->today && p->courses[i].start < c->today;
    unsigned again = med_demo_pregnant(p, c->today) != NULL ? 1000 : taken > 0 ? 450 : 90;
    if (d != MED_CHRONIC_COUNT && med_demo_rng_chance(&c->rng, 120)) {
        enum med_demo_specialty specialty = med_demo_diseases[d].specialty;
        int32_t day = med_demo_working_day(c->today - med_demo_rng_range(&c->rng, 4, 30));
        uint16_t referral = med_demo_referral_write(c, day, specialty, d, false);
        med_demo_booking_write(c, med_demo_worker_of(c->home->hospital, specialty), referral);
    } else if (med_demo_rng_chance(&c->rng, again)) {
        med_demo_worker *who =
            again == 1000 ? med_demo_worker_of(c->home->hospital, MED_OBSTETRICS) : p->doctor;
        med_demo_booking_write(c, who, 0);
    }
    if (taken > 0 && med_demo_rng_chance(&c->rng, 60))
        med_demo_task_write(c, MED_SAY_RENEWAL);
    else if (taken > 1 && med_demo_rng_chance(&c->rng, 40))
        med_demo_task_write(c, MED_SAY_RECALL);
}

static void tell(med_demo_chart *c, bool trial)
{
    med_demo_person *p = c->p;
    bool was_mute = c->out->mute;
    c->out->mute = trial;
    forget(p);
    c->visit = (med_demo_visit){0};
    c->rng = med_demo_rng_from(p->seed, 3);
    tell_beginning(c);
    for (size_t i = 0; i < p->event_count; i++) {
        med_demo_event *e = &p->events[i];
        uint16_t before = p->n;
        if (!e->dropped)
            med_demo_event_run(c, e);
        e->cost = (uint16_t)(p->n - before);
    }
    c->rng = med_demo_rng_from(p->seed, 4);
    tell_future(c);
    c->out->mute = was_mute;
}

/* The one that is missed least: of the highest rank the oldest. NULL when none is left. */
static med_demo_event *least_missed(med_demo_person *p)
{
    med_demo_event *least = NULL;
    for (size_t i = 0; i < p->event_count; i++) {
        med_demo_event *e = &p->events[i];
        if (!e->dropped && (least == NULL || e->rank > least->rank))
            least = e; /* in order of days: the first of a rank is the oldest */
    }
    return least;
}

/* What an event costs depends on those before it, so after dropping some it is tried again. */
static void fit(med_demo_chart *c)
{
    med_demo_person *p = c->p;
    tell(c, true);
    while (p->n > MED_DEMO_MAX_PER_PERSON) {
        int excess = p->n - MED_DEMO_MAX_PER_PERSON;
        med_demo_event *e = least_missed(p);
        if (e == NULL)
            return;
        for (; e != NULL && excess > 0; e = least_missed(p)) {
            e->dropped = true;
            excess -= e->cost;
        }
        tell(c, true);
    }
}

void med_demo_life_tell(med_demo_world *w, med_demo_person *p)
{
    med_demo_chart c = {.world = w,
                        .out = w->out,
                        .p = p,
                        .home = p->home,
                        .today = w->today,
                        .last = med_demo_last_day(p)};
    w->out->zone_minutes = p->country->zone_minutes;
    med_demo_plan_make(p);
    fit(&c);
    tell(&c, false);
}
