/* postgres.h - opens the store in a PostgreSQL database, which several processes may share.
 *
 * The tables are in the schema `medulla` of the database; KEYS/key holds the hash keys (0600) and
 * is the same file on every node, checked by a proof in the database. One connection a process
 * writes, on the commit thread; each reader slot has a connection of its own, made at first use.
 * docs/decisions/0013. Included by app.c (which names the back end) and by tests. */
#ifndef MED_STORE_POSTGRES_POSTGRES_H
#define MED_STORE_POSTGRES_POSTGRES_H

#include "store/dictionary.h"
#include "store/store.h"

/* Zero in a number means the default named beside it. */
typedef struct med_postgres_options {
    med_str conninfo; /* as libpq takes it: "host=... dbname=..." or postgresql://... */
    const med_str
        *replicas; /* conninfos of streaming standbys to read from; at most MED_REPLICAS */
    size_t n_replicas;
    int64_t replica_lag;      /* microseconds that what they show may be old; 2 s */
    med_str keys;             /* the directory of the key file */
    bool create;              /* make the tables (and the key, for a new store) if need be */
    unsigned readers;         /* views at a time (slots), and connections for them; 4 */
    const med_clock *clock;   /* NULL: the system's */
    const med_random *random; /* NULL: the system's */
    const med_log *log;       /* NULL: silent */
    const med_dictionary *dictionaries;
    size_t n_dictionaries;
    size_t queue_limit; /* commits that may wait; 4096 */
    unsigned format;    /* newest format this program is to know, for tests; 0: all it knows */
} med_postgres_options;

enum { MED_POSTGRES_FORMAT = 8 }; /* the newest; one migration each */

/* Errors: MED_ISSUE_TRANSIENT when the database can not be reached, is read-only or refuses the
 * user; MED_ISSUE_NOT_FOUND without `create` and store; MED_ISSUE_NOT_SUPPORTED for a newer
 * format or an older PostgreSQL; MED_ISSUE_EXPIRED for an older format; MED_ISSUE_SECURITY for a
 * key that is missing or is not this store's. All are a reason to end with a message. */
med_store *med_postgres_open(const med_postgres_options *o, med_err *err) MED_MUST_CHECK;

/* Brings a store of an older format to the newest, in one transaction. MED_ISSUE_INFORMATIONAL: it
 * has that; MED_ISSUE_LOCK_ERROR: others are connected. Of the options `conninfo` and `format`
 * count. */
bool med_postgres_upgrade(const med_postgres_options *o, unsigned *from, unsigned *to,
                          med_err *err) MED_MUST_CHECK;

#endif
