/* person.c - drawing one person, and what the models ask about it. */
#include "demo/person.h"

#include "base/datetime.h"

int32_t med_demo_days_on(const med_demo_person *p, enum med_demo_drug_class class, int32_t day)
{
    int32_t longest = 0;
    for (size_t i = 0; i < p->course_count; i++) {
        const med_demo_course *c = &p->courses[i];
        if (med_demo_drugs[c->drug].class == class && c->start <= day && day < c->stop
            && day - c->start > longest)
            longest = day - c->start;
    }
    return longest;
}

double med_demo_effect(const med_demo_person *p, enum med_demo_drug_class class, int32_t day,
                       int32_t days)
{
    int32_t on = med_demo_days_on(p, class, day);
    return p->adherence * (on >= days ? 1.0 : (double)on / days);
}

const med_demo_pregnancy *med_demo_pregnant(const med_demo_person *p, int32_t day)
{
    for (size_t i = 0; i < p->pregnancy_count; i++) {
        if (p->pregnancies[i].start <= day && day <= p->pregnancies[i].birth)
            return &p->pregnancies[i];
    }
    return NULL;
}

double med_demo_wobble(const med_demo_person *p, int32_t day, unsigned thing)
{
    return med_demo_noise(p->seed, (uint64_t)(uint32_t)day, thing);
}

static void draw_national_id(med_demo_person *p, med_demo_rng *r, int year, int month, int day)
{
    /* about one serial in eleven has no check digit; half of the Danish ones are of the other sex
     */
    for (int tries = 0; tries < 400; tries++) {
        if (med_national_id_make(p->country->id_kind, year, month, day, p->female,
                                 med_demo_rng_below(r, 1000), p->national_id))
            return;
    }
    p->national_id[0] = '\0';
}

/* The old of today die; within the last three years, so that they left a trace here. */
static int32_t draw_death(med_demo_rng *r, int32_t birth, int32_t today)
{
    int age = (int)((today - birth) / 365.25);
    unsigned permille = age < 40 ? 2 : age < 60 ? 12 : age < 75 ? 45 : age < 85 ? 120 : 280;
    if (!med_demo_rng_chance(r, permille) || age < 20)
        return MED_DEMO_NEVER;
    return today - med_demo_rng_range(r, 10, 1000);
}

void med_demo_person_draw(med_demo_person *p, const med_demo_world *w, med_demo_household *home,
                          uint32_t index, bool female, int32_t birth, unsigned surname,
                          const char *father)
{
    med_demo_rng r = med_demo_rng_from(w->options.seed, index);
    *p = (med_demo_person){.index = index,
                           .seed = med_demo_rng_next(&r),
                           .country = home->country,
                           .home = home,
                           .female = female,
                           .birth = birth,
                           .today = w->today,
                           .marital = "S"};
    med_demo_text id = {.n = 0};
    (void)med_demo_text_number(med_demo_text_add(&id, "p"), index + 1, 6);
    memcpy(p->id, id.z, id.n < sizeof p->id ? id.n : sizeof p->id - 1);
    p->death = draw_death(&r, birth, w->today);
    int year = 0, month = 0, day = 0;
    med_civil_from_days(birth, &year, &month, &day);
    med_demo_name_draw(&r, p->country, female, year, surname, father, &p->name);
    draw_national_id(p, &r, year, month, day);
    p->phone = med_demo_phone(p->country, &r);
    bool child = med_demo_age(p, w->today) < 18;
    bool own = child && home->practice->staff_count > 3;
    p->doctor = own ? med_demo_worker_of(home->practice, MED_PAEDIATRICS)
                    : &home->practice->staff[home->house % 2]; /* one doctor for a household */
}
