/* deferred.h - index rows that are committed but not yet in their tables. Private to
 * store/sqlite/.
 *
 * A lone create touches some ten index pages at random; ten thousand creates merged in the order
 * of their keys touch each page once. So the rows of small commits are kept here, sorted, and
 * merged later (merge.c). A reader lays them over the tables (overlay.h). What is here after a
 * crash is made again from the feed (recover.c).
 *
 * A generation holds rows up to some number; then the next one begins and the full one is merged.
 * Rows are put in by the commit thread only, before the commit that makes them true, and are
 * never changed or taken out: a reader takes those whose `t` is within its snapshot and not yet
 * merged there. So readers need no lock. A generation's memory ends when it is merged and nobody
 * has a snapshot from before. */
#ifndef MED_STORE_SQLITE_DEFERRED_H
#define MED_STORE_SQLITE_DEFERRED_H

#include <stdatomic.h>

#include "store/rowset.h"

enum { MED_DEFERRED_HEIGHT = 9 };   /* of the skip lists; each level has a quarter */
#define MED_DEFERRED_VOID INT64_MAX /* t of a row whose group was rolled back */

struct deferred_row {
    struct index_row row; /* its text is in the generation's arena */
    _Atomic int64_t t;
    struct deferred_row *in_group; /* the one put in before it by the same group */
    _Atomic(struct deferred_row *) before;
    _Atomic(struct deferred_row *) next[]; /* by level */
};

struct deferred_list {
    _Atomic(struct deferred_row *) first[MED_DEFERRED_HEIGHT];
};

struct generation {
    uint64_t number;     /* from 1 */
    int64_t start;       /* all its rows have a greater t */
    _Atomic int64_t end; /* and none a greater one than this */
    struct deferred_list lists[TABLE_COUNT];
    size_t n; /* rows; the commit thread's */
    uint64_t random;
    med_arena *arena;
    _Atomic(struct generation *) next;
};

struct deferred {
    _Atomic(struct generation *) oldest; /* that is not wholly merged */
    _Atomic uint64_t oldest_number;
    /* the commit thread's */
    struct generation *kept;    /* the oldest in memory; the others follow by `next` */
    struct generation *active;  /* new rows go here */
    struct deferred_row *group; /* the last one put in by this group */
    size_t group_rows;
    /* Where the last row went in, by level: sorted rows go in near each other. */
    struct deferred_row *finger[MED_DEFERRED_HEIGHT];
    const struct deferred_row *last;
};

bool med_deferred_init(struct deferred *d);
void med_deferred_free(struct deferred *d);
bool med_deferred_is_empty(const struct deferred *d);
/* Puts a row in, behind all of the same key. False without memory. */
bool med_deferred_add(struct deferred *d, const struct index_row *row, int64_t t) MED_MUST_CHECK;
/* The group is committed; or it is not, and what it put in counts no longer. */
void med_deferred_keep_group(struct deferred *d);
void med_deferred_void_group(struct deferred *d);
/* From here on rows go to a new generation; `t` is the last commit. False without memory. */
bool med_deferred_begin_next(struct deferred *d, int64_t t) MED_MUST_CHECK;
/* All generations before `g` are merged. */
void med_deferred_retire(struct deferred *d, struct generation *g);
/* Frees what is retired and has a number below `pinned`. */
void med_deferred_sweep(struct deferred *d, uint64_t pinned);

/* ---- reading ---- */
/* The first row strictly behind the key, or the last one strictly before it; NULL at the end. */
struct deferred_row *med_deferred_behind(const struct generation *g, const struct index_row *key);
struct deferred_row *med_deferred_before(const struct generation *g, const struct index_row *key);
/* The last one put in with exactly this key; NULL when there is none. */
struct deferred_row *med_deferred_at(const struct generation *g, const struct index_row *key);
static inline struct deferred_row *med_deferred_step(const struct deferred_row *row, bool down)
{
    return atomic_load_explicit(down ? &row->before : &row->next[0], memory_order_acquire);
}
static inline struct deferred_row *med_deferred_first(const struct generation *g, enum table table)
{
    return atomic_load_explicit(&g->lists[table].first[0], memory_order_acquire);
}

#endif
