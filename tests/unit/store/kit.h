/* kit.h - what the tests of store/ share: a store in a temporary directory, and writes made of
 * a few words.
 *
 * With MEDULLA_TEST_STORE=postgres the store is a new database in the server that
 * MEDULLA_TEST_POSTGRES names (tests/stages/postgres.sh starts one). */
#ifndef MED_TESTS_STORE_KIT_H
#define MED_TESTS_STORE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct kit {
    char path[64]; /* of the data directory; DIR/store */
    char dir[48];
    med_sqlite_options options;
    bool postgres;      /* `options` then say what they mean there */
    char database[200]; /* its conninfo */
    med_store *store;
    med_arena *arena;
    int64_t skew;                /* added to the clock the store sees */
    _Atomic int64_t look, looks; /* how long a look at its monotonic clock takes, and took so far */
    med_clock clock;
    uint32_t patient, observation;                              /* types */
    uint32_t code, subject, date, name, value, url, identifier; /* parameters */
};

/* cmocka setup and teardown: *state is a struct kit with an open store. */
int kit_setup(void **state);
int kit_teardown(void **state);
void kit_open(struct kit *k); /* fails the test when it can not */
void kit_close(struct kit *k);
void kit_reopen(struct kit *k);
/* Opens it as kit_open does, but without names; NULL with *err when it can not. */
med_store *kit_try_open(struct kit *k, med_err *err);
/* Is this test about SQLite's files? Then it is skipped with another store. */
#define KIT_ONLY_SQLITE(k)                                                                         \
    do {                                                                                           \
        if ((k)->postgres)                                                                         \
            skip();                                                                                \
    } while (0)
/* Runs SQL in the database, closed or not. */
void kit_sql(struct kit *k, const char *sql);

/* {"resourceType":"TYPE","id":"ID","note":"NOTE"} */
med_str kit_text(struct kit *k, uint32_t type, const char *id, const char *note);
/* A prepared PUT without rows. */
med_write kit_put(struct kit *k, uint32_t type, const char *id, const char *note);
/* A prepared PUT of an Observation with a row of each kind about `patient`. */
med_write kit_observation(struct kit *k, const char *id, const char *note, const char *patient,
                          const char *code, int64_t when, double value);
med_write kit_delete(struct kit *k, enum med_write_kind kind, uint32_t type, const char *id);
void kit_prepare(struct kit *k, med_write *w);
/* Commits; the state says what became of it. */
enum med_commit_state kit_commit(struct kit *k, med_commit *c);
enum med_commit_state kit_commit_one(struct kit *k, med_write *w);
/* Several at once: one group. */
void kit_commit_group(struct kit *k, med_commit *commits, size_t n);
/* 1,100 Observations o0, o1, ... in one commit, one a second, of patient p and two codes in turn.
 */
void kit_write_many(struct kit *k, const char *note);

med_view *kit_view(struct kit *k);
/* The current version's note, "-" when deleted, "" when absent. */
med_str kit_note(struct kit *k, uint32_t type, const char *id);
/* Counts hits of a scan. */
size_t kit_scan(struct kit *k, const med_scan *scan, med_rid *rids, size_t max);

uint64_t kit_hash(struct kit *k, const char *value);
med_rid kit_rid(struct kit *k, const char *type, const char *id);

#endif
