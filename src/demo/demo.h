/* demo.h - a small synthetic nation, made from a seed.
 *
 * People of five countries with families, providers and some years of clinical life. The same
 * options give the same bytes. Resources come in an order in which every reference points at
 * one that came before, with ids of their own (so that plain PUTs in order keep referential
 * integrity). Nobody here lives or lived: see demo/national_id.h, and docs of the command.
 * At most MED_DEMO_MAX_PER_PERSON resources a person. No clock, no global state: any number of
 * threads may generate at once, each with its own call. */
#ifndef MED_DEMO_DEMO_H
#define MED_DEMO_DEMO_H

#include "base/err.h"

enum { MED_DEMO_MAX_PER_PERSON = 120, MED_DEMO_MAX_PEOPLE = 10000000 };

typedef struct med_demo_options {
    uint32_t people; /* 1 .. MED_DEMO_MAX_PEOPLE */
    uint64_t seed;
    int64_t today_days; /* days since 1970-01-01; nothing happens later, but appointments do */
} med_demo_options;

/* Called for each resource; the slices live only during the call. Returning false stops the
 * generation, with *err filled by the callee. */
typedef bool (*med_demo_emit)(void *self, med_str type, med_str id, med_str json, med_err *err);

/* Fails with what `emit` failed with, MED_ISSUE_VALUE for impossible options, MED_ISSUE_NO_STORE
 * without memory. */
bool med_demo_generate(const med_demo_options *options, med_demo_emit emit, void *self,
                       med_err *err) MED_MUST_CHECK;

/* How many resources will come, to within some percent: for progress bars. */
uint64_t med_demo_estimate(const med_demo_options *options);

#endif
