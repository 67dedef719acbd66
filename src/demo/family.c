/* family.c - drawing a household so that all of them together have a plausible age pyramid. */
#include "demo/family.h"

#include "base/datetime.h"

/* Age of the oldest in a household, by decades from twenty. */
static const uint16_t head_decades[] = {70, 152, 202, 205, 172, 140, 78, 18};

typedef struct draft {
    med_demo_household *home;
    med_demo_world *world;
    med_demo_rng rng;
    uint32_t index, room;
} draft;

static med_demo_person *add_person(draft *d, bool female, int32_t birth, unsigned surname,
                                   const char *father)
{
    med_demo_person *p = &d->home->people[d->home->count];
    med_demo_person_draw(p, d->world, d->home, d->index + d->home->count, female, birth, surname,
                         father);
    d->home->count++;
    return p;
}

static bool has_room(const draft *d)
{
    return d->home->count < d->room && d->home->count < MED_DEMO_HOUSEHOLD;
}

static void choose_home(draft *d)
{
    med_demo_household *h = d->home;
    med_demo_rng *r = &d->rng;
    uint32_t practice = med_demo_rng_below(r, h->region->counts[MED_PLACE_PRACTICE]);
    h->practice = &h->region->places[MED_PLACE_PRACTICE][practice];
    h->pharmacy = &h->region->places[MED_PLACE_PHARMACY][practice];
    uint32_t hospital = practice % h->region->counts[MED_PLACE_HOSPITAL];
    h->hospital = &h->region->places[MED_PLACE_HOSPITAL][hospital];
    h->laboratory = &h->region->places[MED_PLACE_LABORATORY][hospital];
    h->street = h->country->streets[med_demo_rng_below(r, MED_DEMO_STREETS)];
    h->house = (uint16_t)(1 + med_demo_rng_below(r, 1 + med_demo_rng_below(r, 120)));
    if (h->country->id
        == MED_DEMO_CZ) /* the number in the land register, then that in the street */
        h->house = (uint16_t)(100 + med_demo_rng_below(r, 1900));
}

/* What stands behind the house number: "/12", ", 2. tv.", ", ет. 3, ап. 8". */
static void choose_door(draft *d)
{
    med_demo_text t = {.n = 0};
    med_demo_rng *r = &d->rng;
    switch (d->home->country->id) {
    case MED_DEMO_CZ:
        (void)med_demo_text_number(med_demo_text_add(&t, "/"), 1 + med_demo_rng_below(r, 60), 1);
        break;
    case MED_DEMO_DK:
        if (med_demo_rng_chance(r, 550)) {
            static const char *const sides[] = {". tv.", ". th.", ". mf."};
            (void)med_demo_text_number(med_demo_text_add(&t, ", "), 1 + med_demo_rng_below(r, 4),
                                       1);
            (void)med_demo_text_add(&t, sides[med_demo_rng_below(r, 3)]);
        }
        break;
    case MED_DEMO_BG:
        if (med_demo_rng_chance(r, 650)) {
            (void)med_demo_text_number(med_demo_text_add(&t, ", ет. "),
                                       1 + med_demo_rng_below(r, 7), 1);
            (void)med_demo_text_number(med_demo_text_add(&t, ", ап. "),
                                       1 + med_demo_rng_below(r, 30), 1);
        }
        break;
    case MED_DEMO_SI:
    case MED_DEMO_NO:
    case MED_DEMO_COUNTRIES:
        if (med_demo_rng_chance(r, 150))
            (void)med_demo_text_add(&t, med_demo_rng_chance(r, 500) ? "A" : "B");
        break;
    }
    memcpy(d->home->door, t.z, t.n < sizeof d->home->door ? t.n + 1 : 1);
}

/* Two people who live together: married, or not. */
static void pair(draft *d, med_demo_person *a, med_demo_person *b, double age)
{
    a->partner = b;
    b->partner = a;
    unsigned married = age < 30 ? 250 : age < 45 ? 560 : 860;
    if (med_demo_rng_chance(&d->rng, married)) {
        a->marital = a->death < b->death ? "M" : b->death != MED_DEMO_NEVER ? "W" : "M";
        b->marital = b->death < a->death ? "M" : a->death != MED_DEMO_NEVER ? "W" : "M";
    }
}

static void add_pregnancy(draft *d, med_demo_person *mother, int32_t birth, bool boy)
{
    if (mother->pregnancy_count == MED_DEMO_PREGNANCIES)
        return;
    int32_t start = birth - med_demo_rng_range(&d->rng, 266, 288);
    mother->pregnancies[mother->pregnancy_count++] = (med_demo_pregnancy){
        .start = start,
        .due = start + 280,
        .birth = birth,
        .boy = boy,
        .caesarean = med_demo_rng_chance(&d->rng, 210),
    };
}

/* A child of a mother of `age` years, or of a father alone; births about three years apart. */
static void add_children(draft *d, med_demo_person *mother, med_demo_person *father)
{
    med_demo_rng *r = &d->rng;
    const med_demo_person *parent = mother != NULL ? mother : father;
    static const uint16_t numbers[] = {0, 45, 42, 13};
    size_t children = med_demo_rng_weighted(r, numbers, 4);
    double age = med_demo_age(parent, parent->today);
    int32_t first_at = 21 + (int32_t)med_demo_rng_below(r, 15); /* age at the first birth */
    int32_t birth = parent->birth + first_at * 365 + med_demo_rng_range(r, 0, 364);
    for (size_t i = 0; i < children && has_room(d); i++) {
        double child_age = (parent->today - birth) / 365.25;
        double at = (birth - parent->birth) / 365.25;
        bool alive = mother == NULL || birth < mother->death;
        if (child_age < 0.02 || at > 42 || age < 20 || !alive)
            return;
        if (child_age < 22 || (child_age < 28 && med_demo_rng_chance(r, 250))) {
            bool girl = med_demo_rng_chance(r, 488);
            const med_demo_person *named = father != NULL ? father : parent;
            med_demo_person *child = add_person(d, girl, birth, named->name.surname,
                                                father != NULL ? father->name.given : NULL);
            child->mother = mother;
            child->father = father;
            child->death = MED_DEMO_NEVER;
            if (mother != NULL)
                add_pregnancy(d, mother, birth, !girl);
        }
        birth += med_demo_rng_range(r, 560, 1600);
    }
}

/* Some of the young women with a partner are expecting today. */
static void maybe_expect(draft *d, med_demo_person *mother)
{
    double age = med_demo_age(mother, mother->today);
    if (mother->death != MED_DEMO_NEVER || age < 21 || age > 41
        || mother->pregnancy_count == MED_DEMO_PREGNANCIES || !med_demo_rng_chance(&d->rng, 75))
        return;
    if (mother->pregnancy_count > 0
        && mother->pregnancies[mother->pregnancy_count - 1].birth > mother->today - 500)
        return;
    int32_t start = mother->today - med_demo_rng_range(&d->rng, 60, 265);
    mother->pregnancies[mother->pregnancy_count++] =
        (med_demo_pregnancy){.start = start, .due = start + 280, .birth = MED_DEMO_NEVER};
}

void med_demo_household_draw(med_demo_household *home, med_demo_world *w, uint64_t number,
                             uint32_t index, uint32_t room)
{
    draft d = {.home = home,
               .world = w,
               .rng = med_demo_rng_from(w->options.seed, (uint64_t)1 << 61 | number),
               .index = index,
               .room = room};
    home->count = 0;
    home->region = &w->regions[number % MED_DEMO_COUNTRIES];
    home->country = home->region->country;
    choose_home(&d);
    choose_door(&d);
    size_t decades = sizeof head_decades / sizeof head_decades[0];
    size_t decade = med_demo_rng_weighted(&d.rng, head_decades, decades);
    int32_t age_days = (int32_t)(20 + 10 * decade) * 365 + med_demo_rng_range(&d.rng, 0, 3650);
    double age = age_days / 365.25;
    unsigned alone = age < 30 ? 480 : age < 60 ? 270 : age < 75 ? 330 : 560;
    bool single = med_demo_rng_chance(&d.rng, alone);
    unsigned women = age < 65 ? 480 : age < 80 ? 600 : 720; /* widows outlive their husbands */
    bool female = single && med_demo_rng_chance(&d.rng, women);
    med_demo_person *head = add_person(&d, female, w->today - age_days, MED_DEMO_SURNAMES, NULL);
    med_demo_person *mother = female ? head : NULL, *father = female ? NULL : head;
    if (!single && has_room(&d)) {
        int32_t younger = med_demo_rng_range(&d.rng, -500, 2200);
        int32_t birth = head->birth + younger;
        int32_t adult = w->today - 20 * 365;
        mother = add_person(
            &d, true, birth > adult ? adult : birth,
            med_demo_rng_chance(&d.rng, 750) ? head->name.surname : MED_DEMO_SURNAMES, NULL);
        pair(&d, head, mother, age);
    } else if (age > 72) {
        head->marital = "W";
    } else if (age > 40) {
        head->marital = med_demo_rng_chance(&d.rng, 450) ? "D" : "S";
    }
    if (has_room(&d) && med_demo_rng_chance(&d.rng, !single ? 860 : female ? 330 : 60))
        add_children(&d, mother, father);
    if (mother != NULL && !single)
        maybe_expect(&d, mother);
}
