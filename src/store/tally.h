/* tally.h - changes of counters that a group has not written yet, and what the commit thread
 * knows of the code dictionary. Private to store/. */
#ifndef MED_STORE_TALLY_H
#define MED_STORE_TALLY_H

#include "store/rows.h"

enum {
    MED_TALLY_TYPE = 0,      /* param of the counter of current resources of a type */
    MED_TALLY_VERSIONS = -1, /* of all versions of a type */
    MED_TALLIES_MAX = 1 << 17,
};

enum code_known { CODE_UNKNOWN, CODE_PLAIN, CODE_WITH_TEXT };

struct tally {
    int64_t param;
    uint64_t hash;
    int64_t delta;
    bool used;    /* this place is taken */
    bool dirty;   /* on the list */
    uint8_t code; /* enum code_known */
};

struct tallies {
    struct tally *at;
    size_t cap, n;
    struct tally *dirty; /* keys of those with a change */
    size_t n_dirty, dirty_cap;
};

bool med_tallies_init(struct tallies *t);
void med_tallies_free(struct tallies *t);
/* The tally of (param, hash), made when missing; NULL without memory. Good until the next. */
struct tally *med_tallies_get(struct tallies *t, int64_t param, uint64_t hash);
int64_t med_tallies_delta(const struct tallies *t, int64_t param, uint64_t hash);
bool med_tallies_add(struct tallies *t, int64_t param, uint64_t hash, int64_t delta);
/* All with a change, by key; sets their changes back to 0. Good until the next add. */
const struct tally *med_tallies_take(struct tallies *t, size_t *n);
void med_tallies_clear(struct tallies *t);

#endif
