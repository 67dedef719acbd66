/* world.c - how many providers there are, and where. */
#include "demo/world.h"

#include "base/datetime.h"
#include "demo/provider.h"

/* With n people in a country. */
static uint32_t place_count(enum med_demo_place_kind kind, uint32_t n)
{
    uint32_t hospitals = 1 + n / 15000;
    switch (kind) {
    case MED_PLACE_HOSPITAL:
    case MED_PLACE_LABORATORY:
        return hospitals > MED_DEMO_TOWNS ? MED_DEMO_TOWNS : hospitals;
    case MED_PLACE_PRACTICE:
    case MED_PLACE_PHARMACY:
        return 2 + n / 600;
    case MED_PLACE_KINDS:
        break;
    }
    return 0;
}

/* Hospitals stand in the largest towns; the others spread by the towns' weights. */
static const med_demo_town *choose_town(med_demo_rng *r, const med_demo_country *c,
                                        enum med_demo_place_kind kind, uint32_t index)
{
    if (kind == MED_PLACE_HOSPITAL || kind == MED_PLACE_LABORATORY || index == 0)
        return &c->towns[index % MED_DEMO_TOWNS];
    uint16_t weights[MED_DEMO_TOWNS];
    for (size_t i = 0; i < MED_DEMO_TOWNS; i++)
        weights[i] = c->towns[i].weight;
    return &c->towns[med_demo_rng_weighted(r, weights, MED_DEMO_TOWNS)];
}

static bool build_places(med_demo_world *w, med_demo_region *region, enum med_demo_place_kind kind,
                         med_err *err)
{
    const med_demo_country *c = region->country;
    uint32_t n = place_count(kind, w->options.people / MED_DEMO_COUNTRIES);
    med_demo_place *places = MED_TAKE(w->arena, n, med_demo_place);
    if (places == NULL)
        return MED_FAIL(err, MED_ISSUE_NO_STORE, "no memory for the demo's providers");
    region->places[kind] = places;
    region->counts[kind] = n;
    for (uint32_t i = 0; i < n; i++) {
        med_demo_rng r = med_demo_rng_from(
            w->options.seed, (uint64_t)1 << 62 | (uint64_t)c->id << 48 | (uint64_t)kind << 40 | i);
        med_demo_place *place = &places[i];
        place->kind = kind;
        place->town = choose_town(&r, c, kind, i);
        if (kind == MED_PLACE_PHARMACY && i > 0) /* beside a practice */
            place->town = region->places[MED_PLACE_PRACTICE][i].town;
        place->street = c->streets[(i * 7 + kind * 3 + c->id) % MED_DEMO_STREETS];
        place->house = (uint16_t)med_demo_rng_range(&r, 1, 60);
        med_demo_provider_emit(w, region, place, i, &r);
    }
    return !w->out->failed;
}

bool med_demo_world_build(med_demo_world *w, med_err *err)
{
    static const enum med_demo_place_kind order[] = {MED_PLACE_HOSPITAL, MED_PLACE_LABORATORY,
                                                     MED_PLACE_PRACTICE, MED_PLACE_PHARMACY};
    for (int id = 0; id < MED_DEMO_COUNTRIES; id++) {
        med_demo_region *region = &w->regions[id];
        region->country = med_demo_country_of((enum med_demo_country_id)id);
        w->out->zone_minutes = region->country->zone_minutes;
        med_demo_insurer_emit(w, region);
        for (size_t k = 0; k < MED_PLACE_KINDS; k++) {
            if (!build_places(w, region, order[k], err))
                return false;
        }
    }
    return true;
}

uint64_t med_demo_world_size(const med_demo_options *options)
{
    uint64_t total = 0;
    for (int id = 0; id < MED_DEMO_COUNTRIES; id++) {
        total += 1; /* the insurer */
        for (int kind = 0; kind < MED_PLACE_KINDS; kind++)
            total += (uint64_t)place_count((enum med_demo_place_kind)kind,
                                           options->people / MED_DEMO_COUNTRIES)
                     * med_demo_provider_size((enum med_demo_place_kind)kind,
                                              (enum med_demo_country_id)id);
    }
    return total;
}

med_demo_worker *med_demo_worker_of(med_demo_place *place, enum med_demo_specialty specialty)
{
    for (size_t i = 0; i < place->staff_count; i++) {
        if (place->staff[i].specialty == specialty)
            return &place->staff[i];
    }
    return &place->staff[0];
}

unsigned med_demo_weekday(int32_t day)
{
    return (unsigned)((day % 7 + 7 + 3) % 7); /* day 0 was a Thursday */
}

static bool is_holiday(int32_t day)
{
    int year = 0, month = 0, date = 0;
    med_civil_from_days(day, &year, &month, &date);
    return (month == 1 && date == 1) || (month == 12 && date >= 24 && date <= 26);
}

int32_t med_demo_working_day(int32_t day)
{
    while (med_demo_weekday(day) > 4 || is_holiday(day))
        day++;
    return day;
}

med_demo_time med_demo_slot_start(int32_t today, unsigned k)
{
    int32_t day = today;
    for (unsigned i = 0; i <= k / 2; i++)
        day = med_demo_working_day(day + 1);
    return med_demo_at(day, k % 2 == 0 ? 9 : 13, 20 * (int)(k % 3));
}

med_demo_coding med_demo_specialty_coding(enum med_demo_specialty specialty)
{
    return (med_demo_coding){"http://snomed.info/sct", med_demo_specialties[specialty].snomed,
                             med_demo_specialties[specialty].display};
}

void med_put_address(med_demo_out *o, const char *key, const char *use, const med_demo_country *c,
                     const med_demo_town *town, const char *street, unsigned house,
                     const char *door)
{
    med_demo_text line = med_demo_join(street, " ", NULL);
    (void)med_demo_text_add(med_demo_text_number(&line, house, 1), door);
    med_demo_text text = med_demo_join(line.z, ", ", town->postal);
    (void)med_demo_text_add(med_demo_text_add(&text, " "), town->name);
    med_put_object(o, key);
    med_put(o, "use", use);
    med_put(o, "text", text.z);
    med_put_array(o, "line");
    med_put(o, NULL, line.z);
    med_put_close(o);
    med_put(o, "city", town->name);
    med_put(o, "state", town->region);
    med_put(o, "postalCode", town->postal);
    med_put(o, "country", c->code);
    med_put_close(o);
}
