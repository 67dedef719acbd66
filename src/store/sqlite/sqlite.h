/* sqlite.h - opens the embedded store: one SQLite file (WAL) in a data directory.
 *
 * DATA/medulla.db   the store; DATA/key its hash keys (0600); DATA/lock held while it is open.
 * One connection writes and checkpoints, on the commit thread; `readers` read-only connections
 * serve views. Included by main.c (which names the back end) and by tests. */
#ifndef MED_STORE_SQLITE_SQLITE_H
#define MED_STORE_SQLITE_SQLITE_H

#include "store/dictionary.h"
#include "store/store.h"

/* Zero in a number means the default named beside it. */
typedef struct med_sqlite_options {
    med_str data;             /* the data directory */
    bool create;              /* make the directory and the store when they are not there */
    unsigned readers;         /* views at a time (slots); 4 */
    const med_clock *clock;   /* NULL: the system's */
    const med_random *random; /* NULL: the system's */
    const med_log *log;       /* NULL: silent */
    size_t wal_serving;       /* bytes of WAL before a checkpoint; 32 MiB */
    size_t wal_bulk;          /* the same while bulk commits run; 128 MiB */
    size_t deferred;          /* index rows kept in memory before they are merged; 100,000 */
    bool defer_nothing;       /* all index rows go to their tables at once */
    size_t cache_writer;      /* bytes of page cache; 64 MiB */
    size_t cache_reader;      /* of each reader; 8 MiB */
    size_t recent;            /* bytes of texts kept for reads by id; 16 MiB */
    const med_dictionary *dictionaries;
    size_t n_dictionaries;
    size_t queue_limit; /* commits that may wait; 4096 */
    const char *vfs;    /* SQLite VFS, for tests; NULL: the default */
    bool upgrade;       /* bring an older format forward in place; else it is refused */
    unsigned format;    /* newest format this program is to know, for tests; 0: all it knows */
    const char *const *further; /* SQL of migrations behind the known ones, for tests */
    unsigned n_further;
} med_sqlite_options;

enum { MED_SQLITE_FORMAT = 8 }; /* the newest; one migration each */

/* Errors: MED_ISSUE_LOCK_ERROR when another process has the data directory (its pid is in the
 * text); MED_ISSUE_NOT_FOUND without `create`; MED_ISSUE_NOT_SUPPORTED for a newer format,
 * MED_ISSUE_EXPIRED for an older one; MED_ISSUE_SECURITY for a key that is missing or is not this
 * store's; MED_ISSUE_EXCEPTION for damage and I/O. All are a reason to end with a message. */
med_store *med_sqlite_open(const med_sqlite_options *o, med_err *err) MED_MUST_CHECK;

/* SQLite before 3.51.3 (but 3.50.7 and 3.44.6) can lose commits when two connections
 * checkpoint. This store never lets a second one: true says that it depends on that. */
bool med_sqlite_has_wal_race(int version_number);
/* Brings the store in DATA, which nobody may have open, to the newest format. Before that all of
 * it is copied to the new directory SNAPSHOT (with the key), which is called SNAPSHOT.partial until
 * it is whole. The change is one transaction: failing or killed, it leaves the old format or the
 * new one. False and `unchanged`: the store is as it was. MED_ISSUE_INFORMATIONAL when it is
 * current: nothing is done. */
typedef struct med_sqlite_upgrade {
    unsigned from, to;
    bool unchanged;
} med_sqlite_upgrade;
bool med_sqlite_upgrade_run(const med_sqlite_options *o, med_str snapshot, med_sqlite_upgrade *out,
                            med_err *err) MED_MUST_CHECK;
/* The format of the store in DATA, which nobody may have open; 0 when there is none. */
bool med_sqlite_format(med_str data, unsigned *format, med_err *err) MED_MUST_CHECK;

#endif
