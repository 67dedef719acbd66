/* workload.h - writers whose every step can be checked afterwards.
 *
 * Each of THREADS writers owns GROUPS groups of PARTS resources that point at each other in a
 * circle. One commit writes a whole group with one nonce (or deletes it). So afterwards the
 * history of every part must be the same list of nonces, and that list must be what was
 * acknowledged, with at most one more at its end: what was under way. */
#ifndef MED_TESTS_WORKLOAD_H
#define MED_TESTS_WORKLOAD_H

#include <stdatomic.h>

#include "store/sqlite/sqlite.h"

enum { THREADS = 8, GROUPS = 4, PARTS = 3, EVENTS = 4000, DELETED = 0 };

/* What was acknowledged: nonces in order, DELETED for a deletion. */
struct ledger {
    uint32_t event[THREADS][GROUPS][EVENTS];
    size_t n[THREADS][GROUPS];
    uint64_t total;
};

struct load {
    med_store *store;
    uint64_t seed;
    uint32_t first_nonce; /* above all that came before */
    atomic_bool stop;
    /* On the writer's thread, right after its commit was done. */
    void (*acknowledge)(void *arg, unsigned thread, unsigned group, uint32_t nonce);
    void *arg;
    atomic_uint unknown, refused, full; /* commits that ended so; a writer ends with its first,
                                           but for `full`, after which it waits and goes on */
};

/* A store small enough for many checkpoints: NULL with a message on stderr. */
med_store *load_open(const char *data, const char *vfs, size_t wal_bound);
/* The same for a program that knows `n` formats more (med_sqlite_options.further). */
med_store *load_open_newer(const char *data, size_t wal_bound, const char *const *further,
                           unsigned n);
/* Runs the writers until `stop`, or until the store takes nothing more. */
bool load_run(struct load *l);
void ledger_add(struct ledger *l, unsigned thread, unsigned group, uint32_t nonce);

struct findings {
    uint64_t lost;           /* acknowledged, and not there */
    uint64_t torn;           /* groups whose parts differ, unreadable versions */
    uint64_t foreign;        /* there, and neither acknowledged nor under way */
    uint64_t faults;         /* of med_store_verify */
    uint64_t unacknowledged; /* durable though nobody was told: fine */
};
/* Compares, then makes the ledger what the store holds. `verify`: reads everything, too. */
void ledger_compare(struct ledger *l, med_store *s, bool verify, struct findings *out);
static inline bool findings_bad(const struct findings *f)
{
    return f->lost + f->torn + f->foreign + f->faults > 0;
}

#endif
