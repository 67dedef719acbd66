/* place.h - where a commit stands in the feed, and when: given now, or as it had it in the store it
 * is moved from. Private to store/. */
#ifndef MED_STORE_PLACE_H
#define MED_STORE_PLACE_H

#include "store/rowset.h"
#include "store/store.h"

/* The next t, and the moment, behind those of the newest commit. */
int64_t med_place_next(const med_commit *c, int64_t newest);
int64_t med_place_moment(const med_commit *c, const med_clock *clock, int64_t newest);
/* May it have the place it had elsewhere? */
bool med_place_is_free(const med_commit *c, int64_t newest, med_err *err);
/* A moved commit without writes takes its place as that of something purged: the feed has no
 * holes. */
bool med_place_take(struct pending *pending, const med_commit *c, int64_t *t, med_err *err);

#endif
