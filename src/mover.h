/* mover.h - all of one store into another of any kind: every version with its id, its number, its
 * moment and its place in the feed, deletions too.
 *
 * The feed is replayed, commit by commit, through the same rules as any write; index rows are
 * made anew from each text, hashes with the target's own key. How far the target is is where a
 * run that was cut off goes on. Notes of background work go along; idempotency keys (a week old
 * at most) and the record of purges do not. Both stores must have no other user. */
#ifndef MED_MOVER_H
#define MED_MOVER_H

#include "app.h"

typedef struct med_mover {
    const med_app *from, *to;
    /* Now and then; false ends it with MED_ISSUE_INCOMPLETE. */
    bool (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
    /* results */
    uint64_t versions; /* moved, or compared, by this call */
    uint64_t before;   /* versions that were there already */
} med_mover;

/* MED_ISSUE_CONFLICT when the target holds something else. */
bool med_mover_copy(med_mover *m, med_err *err) MED_MUST_CHECK;
/* Reads both feeds from their begin and compares each version: type, id, number, moment, place,
 * kind of change, text. */
bool med_mover_compare(med_mover *m, med_err *err) MED_MUST_CHECK;

#endif
