/* nation.h - for tests: a generated nation, parsed and kept. */
#ifndef MED_TESTS_DEMO_NATION_H
#define MED_TESTS_DEMO_NATION_H

#include "base/arena.h"
#include "base/json.h"
#include "demo/demo.h"

/* 2026-11-22 */
enum { NATION_TODAY = 20779 };

typedef struct nation_resource {
    med_str type, id;
    med_json json;
    int person; /* index of whose it is, or -1 */
} nation_resource;

typedef struct nation {
    med_arena *arena;
    nation_resource *all;
    size_t n, room;
} nation;

/* Ends the test when something does not parse. */
nation nation_generate(uint32_t people, uint64_t seed);
void nation_free(nation *t);

/* The text behind a path like "code.coding[0].code" in resource r; "" when absent. */
med_str nation_get(const nation_resource *r, const char *path);
/* As a number times 1000; INT64_MIN when absent. */
int64_t nation_thousandths(const nation_resource *r, const char *path);
/* Days since 1970 of a date or dateTime at a path; INT64_MIN when absent. */
int64_t nation_day(const nation_resource *r, const char *path);

#endif
