/* plan.h - what a commit is going to do, settled before its first write. Private to
 * store/postgres/.
 *
 * Everything that can refuse a commit is checked while planning, which only reads; carrying the
 * plan out can only break on the store itself, and then the whole group is rolled back. So no
 * commit needs a savepoint. */
#ifndef MED_STORE_POSTGRES_PLAN_H
#define MED_STORE_POSTGRES_PLAN_H

#include "store/postgres/postgres_impl.h"

/* One write: the state it finds, and what will be done. */
struct step {
    med_rid rid;              /* 0: this id was never mentioned */
    bool has_row;             /* there is a row in resource */
    bool live;                /* and it is not deleted */
    bool again;               /* an earlier write of this commit changed the same resource */
    struct stored_row row;    /* when has_row and not again; its id is in the scratch arena */
    med_str rowset;           /* of that row; in the scratch arena */
    uint32_t version;         /* current version before this write; 0 = none */
    int64_t updated;          /* of the current version */
    const uint8_t *text_hash; /* of the text after this write, NULL when not known or gone */
    enum med_outcome outcome;
    bool live_after;
};

struct plan {
    struct pg_store *store;
    med_commit *commit;
    struct step *steps;
    uint32_t *map; /* ident -> index of its last step + 1; open addressing */
    size_t map_cap;
};

/* False with *err and commit->failed_at when the commit is refused; *broken when instead the
 * store failed. */
bool med_pg_plan_make(struct plan *p, struct pg_store *s, med_commit *c, bool *broken,
                      med_err *err);

/* What stands in the group's copy of a resource, into the step. */
void med_pg_plan_read(const struct current *current, struct step *step);
/* In whose shard the rid of an ident belongs: its patient's, as far as this commit tells. */
uint64_t med_pg_plan_home(const struct plan *p, uint64_t ident);

#endif
