/* plan.h - what a commit is going to do, settled before its first write. Private to
 * store/sqlite/.
 *
 * Everything that can refuse a commit is checked while planning, which only reads; carrying the
 * plan out can only break on the store itself, and then the whole group is rolled back. So no
 * commit needs a savepoint. */
#ifndef MED_STORE_SQLITE_PLAN_H
#define MED_STORE_SQLITE_PLAN_H

#include "store/sqlite/sqlite_impl.h"

/* One write: the state it finds, and what will be done. */
struct step {
    med_rid rid;              /* 0: this id was never mentioned */
    bool has_row;             /* there is a row in resource */
    bool live;                /* and it is not deleted */
    bool again;               /* an earlier write of this commit changed the same resource */
    struct stored_row row;    /* when has_row and not again; `id` points into the scratch arena */
    med_str rowset;           /* of that row, copied to the scratch arena */
    uint32_t version;         /* current version before this write; 0 = none */
    int64_t updated;          /* of the current version */
    const uint8_t *text_hash; /* of the text after this write, NULL when not known or gone */
    enum med_outcome outcome;
    bool live_after;
};

struct plan {
    struct sqlite_store *store;
    med_commit *commit;
    struct step *steps;
    uint32_t *map; /* ident -> index of its last step + 1; open addressing */
    size_t map_cap;
    med_rid *written; /* of all steps, sorted; NULL until it is needed */
};

/* False with *err and commit->failed_at when the commit is refused; *broken when instead the
 * store failed. */
bool med_plan_make(struct plan *p, struct sqlite_store *s, med_commit *c, bool *broken,
                   med_err *err);

/* ident.c's map, then the table. *rid is 0 when the hash was never mentioned. */
bool med_sqlite_find_ident(struct sqlite_store *s, uint64_t hash, med_rid *rid, med_err *err);
/* The same, giving a rid to what has none. */
bool med_sqlite_intern_ident(struct sqlite_store *s, uint64_t hash, med_rid *rid, med_err *err);
/* Reads the current row of `rid` into the step. */
bool med_plan_read_row(struct sqlite_store *s, med_rid rid, struct step *step, med_err *err);

#endif
