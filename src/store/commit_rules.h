/* commit_rules.h - what a commit may do and what it does, whatever database holds the rows.
 * Private to store/.
 *
 * The rules are here once: which version a write makes, when If-Match and its like refuse, that
 * references lead somewhere, that a repeated idempotency key gets the first outcomes, where a
 * change stands in the feed, which index rows come and go. A back end lends the rows through
 * `struct commit_ops` and never decides.
 *
 * Everything that can refuse a commit is checked while planning, which only reads; carrying the
 * plan out can only break on the store itself, and then the whole group is rolled back. So no
 * commit needs a savepoint. All of it runs on the commit thread; what it makes lives in the
 * scratch arena of the group. */
#ifndef MED_STORE_COMMIT_RULES_H
#define MED_STORE_COMMIT_RULES_H

#include "store/commit_queue.h"
#include "store/ident.h"
#include "store/place.h"
#include "store/rowset.h"
#include "store/store_impl.h"
#include "store/tally.h"
#include "store/version_row.h"

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

/* What is being written for one step. */
struct writing {
    struct commit_rules *rules;
    const struct plan *plan;
    med_commit *commit;
    med_write *write;
    struct step *step;
    int64_t t;
};

/* What an idempotency key came to. */
enum replay { REPLAY_NEW, REPLAY_FOUND, REPLAY_REFUSED, REPLAY_BROKEN };

/* What a back end lends. False with *err: the store failed, and the group is rolled back. */
struct commit_ops {
    /* *rid is 0 when the hash was never mentioned. */
    bool (*find)(void *store, uint64_t ident, med_rid *rid, med_err *err);
    /* The same, giving a rid to what has none, near `home` (an ident hash) if that matters. */
    bool (*intern)(void *store, uint64_t ident, uint64_t home, med_rid *rid, med_err *err);
    /* The current row, as this group left it, with med_rules_found; nothing when there is none. */
    bool (*read)(void *store, uint64_t ident, med_rid rid, struct step *step, med_err *err);
    bool (*is_live)(void *store, uint64_t ident, bool *live, med_err *err);
    /* Does anybody but the resources of `written` (sorted) refer to it? */
    bool (*is_referred)(void *store, med_rid rid, const med_rid *written, size_t n, bool *out,
                        med_err *err);
    /* Makes `row` current; what was current becomes a superseded version. Its id and `rowset` are
     * good until this returns; `packed` is empty for a deletion. */
    bool (*put)(const struct writing *x, const struct stored_row *row, med_str packed,
                med_str rowset, med_err *err);
    /* Other index rows for the version that is there. */
    bool (*set_rowset)(const struct writing *x, med_str rowset, med_err *err);
    bool (*add_code)(void *store, const med_code_row *code, med_err *err);
    /* So that the tables hold what earlier commits of the group wrote. */
    bool (*flush)(void *store, med_err *err);
    /* All versions go, and what was kept for them; `old` are the rows of the current one. *versions
     * is how many there were. */
    bool (*purge)(const struct writing *x, const struct rowset *old, int64_t *versions,
                  med_err *err);
    bool (*add_trace)(void *store, int64_t t, med_str record, med_err *err);
    bool (*add_outcomes)(void *store, const med_commit *c, med_str outcomes, med_err *err);
    /* What was kept for c->idempotency, told by med_outcomes_replay. */
    enum replay (*find_outcomes)(void *store, med_commit *c, med_err *err);
    /* Around a guard, which searches with commit_rules.view. */
    void (*look)(void *store);
    void (*look_away)(void *store);
};

/* The commit thread's memory, as the rules need it; the back end owns all of it. */
struct commit_rules {
    const struct commit_ops *ops;
    void *store;
    const struct keyring *keys;
    const med_clock *clock;
    med_view *view;     /* the commit thread's own */
    med_arena *scratch; /* of one group */
    struct idents *idents;
    struct tallies *tallies;
    struct pending *pending;
    int64_t *t, *updated;  /* of the newest commit */
    const uint64_t *epoch; /* revision of MED_NOTE_EPOCH */
    int64_t next_alarm;    /* monotonic: when a clock behind may be told again */
};

/* ---- commit_plan.c ---- */
struct plan {
    struct commit_rules *rules;
    med_commit *commit;
    struct step *steps;
    uint32_t *map; /* ident -> index of its last step + 1; open addressing */
    size_t map_cap;
    med_rid *written; /* of all steps, sorted; NULL until it is needed */
};
/* False with *err and commit->failed_at when the commit is refused; *broken when instead the
 * store failed. */
bool med_rules_plan(struct plan *p, struct commit_rules *r, med_commit *c, bool *broken,
                    med_err *err);
/* In whose shard the rid of an ident belongs: its patient's, as far as this commit tells. */
uint64_t med_rules_home(const struct plan *p, uint64_t ident);
/* For commit_ops.read: a row that was found. Its id and rowset must stay. */
void med_rules_found(struct step *step, const struct stored_row *row, med_str rowset);

/* ---- commit_rows.c: the index rows of one step ---- */
/* The rows of a write with rids in place of ident hashes. */
bool med_rules_resolve(const struct writing *x, struct rowset *out, med_err *err);
/* The rows of the version that the step found. */
bool med_rules_old_rows(const struct writing *x, struct rowset *out, med_err *err);
/* What comes and goes between the two, and the counters; `new` is NULL for a resource that goes. */
bool med_rules_write_rows(const struct writing *x, const struct rowset *new, med_err *err);
/* The same, and the time of the last update. */
bool med_rules_write_index(const struct writing *x, const struct rowset *new, med_err *err);
bool med_rules_write_codes(const struct writing *x, med_err *err);
bool med_rules_write_feed(const struct writing *x, uint32_t version, unsigned change, med_err *err);
bool med_rules_count(const struct writing *x, int64_t live_delta, int64_t versions, med_err *err);

/* ---- commit_apply.c ---- */
enum apply { APPLY_DONE, APPLY_REFUSED, APPLY_BROKEN /* the group must be rolled back */ };
enum apply med_rules_apply(struct commit_rules *r, med_commit *c, med_err *err);

/* ---- commit_run.c ---- */
/* A commit from its key to its state. False with *err when the group must be rolled back; a commit
 * that is refused is none of that. */
bool med_rules_run(struct commit_rules *r, med_commit *c, med_err *err);
/* Whether a moment has come to say that lastUpdated is ahead of the clock: by how many
 * microseconds, else 0. */
int64_t med_rules_clock_behind(struct commit_rules *r);

/* ---- commit_outcomes.c: a commit with the key of an earlier one gets its outcomes ---- */
/* Keys are kept for a week. */
#define MED_OUTCOMES_KEPT (INT64_C(7) * 86400 * 1000000)
bool med_outcomes_pack(med_arena *a, const med_commit *c, med_str *out, med_err *err);
enum replay med_outcomes_replay(med_commit *c, uint64_t request, int64_t t, int64_t updated,
                                med_str outcomes, med_err *err);

#endif
