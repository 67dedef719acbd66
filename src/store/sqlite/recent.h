/* recent.h - texts of current versions that were read lately. Private to store/sqlite/.
 *
 * A read by id costs SQLite two seeks and a lock on its file, then unpacking and hashing; the
 * same few resources are read again and again. What is here was read, checked and unpacked
 * once, and is the current version, or is not here:
 *
 * - The commit thread takes a resource out (`hold`) before the commit that changes it, and
 *   lets nothing in that belongs to the same shard until that commit is over (`release`). So
 *   nobody can find the old version after somebody has seen the new one.
 * - A reader notes the epoch before its snapshot begins. `release` starts another epoch, and
 *   what was read in an earlier one is not let in: it may be old.
 *
 * Bounded in bytes; what was not asked for since the hand last came by makes room. Texts are
 * wiped when they go. Thread safe: a mutex a shard. */
#ifndef MED_STORE_SQLITE_RECENT_H
#define MED_STORE_SQLITE_RECENT_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/store.h"

enum { MED_RECENT_SHARDS = 64, MED_RECENT_SLOTS = 512 };
enum { MED_RECENT_TEXT_MAX = 32 << 10 }; /* longer texts are read anew each time */

struct recent_entry;

struct recent_shard {
    pthread_mutex_t lock;
    struct recent_entry *slots[MED_RECENT_SLOTS]; /* chains, by ident */
    struct recent_entry *hand;                    /* a ring of all entries */
    size_t bytes;
    bool held; /* a commit that changes something here is under way */
};

struct recent {
    struct recent_shard *shards; /* NULL: nothing is kept */
    size_t shard_bytes;
    _Atomic uint64_t epoch;
    uint64_t held; /* the commit thread's: bit i = shard i */
};

/* bytes = 0 keeps nothing; every call below then does nothing. */
bool med_recent_init(struct recent *r, size_t bytes) MED_MUST_CHECK;
void med_recent_free(struct recent *r);

uint64_t med_recent_epoch(const struct recent *r);
/* Copies text and id into `a`. False: not here, or no room in the arena. */
bool med_recent_find(struct recent *r, uint64_t ident, uint32_t type, med_str id, med_arena *a,
                     med_stored *out) MED_MUST_CHECK;
/* `epoch` was read before the snapshot in which `s` is current. */
void med_recent_keep(struct recent *r, uint64_t ident, const med_stored *s, uint64_t epoch);

/* On the commit thread: before the change may be seen, and after it is certain to be. A commit
 * of which nobody knows whether it happened is never released. */
void med_recent_hold(struct recent *r, uint64_t ident);
void med_recent_release(struct recent *r);

#endif
