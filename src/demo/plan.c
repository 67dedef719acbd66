/* plan.c - collecting the events of a life and putting them in order. */
#include "demo/plan.h"

size_t med_demo_age_group(const med_demo_person *p, int32_t day)
{
    double age = med_demo_age(p, day);
    return age < 10 ? 0 : age < 18 ? 1 : age < 65 ? 2 : 3;
}

void med_demo_plan_add(med_demo_person *p, enum med_demo_event_kind kind, int32_t day, unsigned arg,
                       unsigned rank, int32_t days)
{
    if (p->event_count == MED_DEMO_EVENTS || day < p->birth || day + days >= med_demo_last_day(p))
        return;
    p->events[p->event_count++] = (med_demo_event){
        .day = day, .kind = (uint8_t)kind, .rank = (uint8_t)rank, .arg = (uint16_t)arg};
}

bool med_demo_plan_has(const med_demo_person *p, enum med_demo_event_kind kind, unsigned arg)
{
    for (size_t i = 0; i < p->event_count; i++) {
        if (p->events[i].kind == kind && p->events[i].arg == arg)
            return true;
    }
    return false;
}

/* How many days after its first an event may still go on. */
static int32_t length_of(const med_demo_event *e)
{
    if (e->kind == MED_EVENT_STAY)
        return med_demo_stays[e->arg].max_days;
    return e->kind == MED_EVENT_BIRTH ? med_demo_stays[MED_STAY_CAESAREAN].max_days : 0;
}

/* Nobody is in hospital and at the office at once, or at the office twice in three days. */
static bool collide(const med_demo_event *a, const med_demo_event *b)
{
    if (a->kind == MED_EVENT_VACCINE || b->kind == MED_EVENT_VACCINE)
        return false;
    int32_t gap = length_of(a) > 0 || length_of(b) > 0 ? 1 : 3;
    return b->day < a->day + length_of(a) + gap;
}

static void sort_events(med_demo_person *p)
{
    for (size_t i = 1; i < p->event_count; i++) { /* few, and nearly in order */
        med_demo_event e = p->events[i];
        size_t k = i;
        for (; k > 0 && p->events[k - 1].day > e.day; k--)
            p->events[k] = p->events[k - 1];
        p->events[k] = e;
    }
}

static void drop_collisions(med_demo_person *p)
{
    for (size_t i = 0; i < p->event_count; i++) {
        med_demo_event *a = &p->events[i];
        for (size_t k = i + 1; k < p->event_count && !a->dropped; k++) {
            med_demo_event *b = &p->events[k];
            if (b->day > a->day + 16)
                break;
            if (!b->dropped && collide(a, b)) {
                bool keep_first = a->rank <= b->rank;
                a->dropped = !keep_first;
                b->dropped = keep_first;
            }
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < p->event_count; i++) {
        if (!p->events[i].dropped)
            p->events[n++] = p->events[i];
    }
    p->event_count = n;
}

void med_demo_plan_make(med_demo_person *p)
{
    med_demo_rng r = med_demo_rng_from(p->seed, 2);
    p->event_count = 0;
    med_demo_plan_pregnancies(p, &r);
    med_demo_plan_chronic(p, &r);
    med_demo_plan_stays(p, &r);
    med_demo_plan_prevention(p, &r);
    med_demo_plan_acute(p, &r);
    if (p->death <= p->today && med_demo_dies_in_hospital(p) && p->event_count < MED_DEMO_EVENTS)
        p->events[p->event_count++] =
            (med_demo_event){.day = p->death, .kind = MED_EVENT_DEATH, .rank = 0};
    sort_events(p);
    drop_collisions(p);
}
