/* overlay.h - the deferred rows that a view sees, laid over the tables. Private to
 * store/sqlite/.
 *
 * For each key the newest row within the snapshot decides: it is there, or it is cut; where there
 * is none the table decides. */
#ifndef MED_STORE_SQLITE_OVERLAY_H
#define MED_STORE_SQLITE_OVERLAY_H

#include "store/sqlite/deferred.h"

/* Generations that are not wholly merged: one that takes new rows, one that is being merged, and
 * after a failure one between them. Later ones hold nothing that the snapshot has. */
enum { MED_OVERLAY_DEPTH = 3 };

struct overlay {
    const struct generation *of[MED_OVERLAY_DEPTH]; /* older first */
    unsigned n;
    int64_t merged, t; /* rows with merged < t' <= t are seen */
};

/* A walk over one table's keys, in either direction. */
struct overlay_walk {
    const struct overlay *over;
    const struct deferred_row *at[MED_OVERLAY_DEPTH];  /* not yet looked at */
    const struct deferred_row *hit[MED_OVERLAY_DEPTH]; /* newest of the key at hand */
    bool down;
};

/* From the first row strictly behind (or before) `key`. */
void med_overlay_walk(struct overlay_walk *w, const struct overlay *o, const struct index_row *key,
                      bool down);
/* The row that decides on the next key; NULL at the end. */
const struct index_row *med_overlay_next(struct overlay_walk *w);
/* The row that decides on this key; NULL when the table does. */
const struct index_row *med_overlay_at(const struct overlay *o, const struct index_row *key);
/* Whose id has this hash; 0 when the table knows, or nobody. */
med_rid med_overlay_ident(const struct overlay *o, uint64_t hash);

#endif
