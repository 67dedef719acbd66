/* demo.c - the nation: providers, then household after household. */
#include "demo/demo.h"

#include "demo/family.h"
#include "demo/life.h"
#include "demo/world.h"

/* Room for the providers of MED_DEMO_MAX_PEOPLE. */
#define WORLD_LIMIT ((size_t)1 << 30)
enum { MEAN_PER_PERSON = 57 };

static bool check_options(const med_demo_options *options, med_err *err)
{
    if (options->people < 1 || options->people > MED_DEMO_MAX_PEOPLE)
        return MED_FAIL(err, MED_ISSUE_VALUE, "the demo has 1 to %d people", MED_DEMO_MAX_PEOPLE);
    /* the models count in days of 32 bits and years of four digits */
    if (options->today_days < 20000 || options->today_days > 40000)
        return MED_FAIL(err, MED_ISSUE_VALUE, "the demo's today lies between 2024 and 2079");
    return true;
}

static bool build_people(med_demo_world *w, med_err *err)
{
    med_demo_household *home = MED_TAKE(w->arena, 1, med_demo_household);
    if (home == NULL)
        return MED_FAIL(err, MED_ISSUE_NO_STORE, "no memory for a household of the demo");
    uint32_t done = 0;
    for (uint64_t number = 0; done < w->options.people && !w->out->failed; number++) {
        med_demo_household_draw(home, w, number, done, w->options.people - done);
        for (uint32_t i = 0; i < home->count; i++)
            med_demo_person_ail(&home->people[i]);
        for (uint32_t i = 0; i < home->count && !w->out->failed; i++)
            med_demo_life_tell(w, &home->people[i]);
        done += home->count;
    }
    return !w->out->failed;
}

bool med_demo_generate(const med_demo_options *options, med_demo_emit emit, void *self,
                       med_err *err)
{
    if (!check_options(options, err))
        return false;
    med_arena *arena = med_arena_new(WORLD_LIMIT);
    if (arena == NULL)
        return MED_FAIL(err, MED_ISSUE_NO_STORE, "no memory for the demo");
    med_demo_out out;
    med_demo_out_init(&out, emit, self, err);
    med_demo_world world = {
        .options = *options, .today = (int32_t)options->today_days, .arena = arena, .out = &out};
    bool ok = med_demo_world_build(&world, err) && build_people(&world, err);
    med_demo_out_free(&out);
    med_arena_free(arena);
    return ok;
}

uint64_t med_demo_estimate(const med_demo_options *options)
{
    return med_demo_world_size(options) + (uint64_t)options->people * MEAN_PER_PERSON;
}
