/* sqlite_impl.h - the insides of the SQLite back end. Private to store/sqlite/. */
#ifndef MED_STORE_SQLITE_SQLITE_IMPL_H
#define MED_STORE_SQLITE_SQLITE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/body.h"
#include "store/commit_rules.h"
#include "store/names.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/overlay.h"
#include "store/sqlite/recent.h"
#include "store/sqlite/sqlite.h"

enum { MED_PATH_MAX = 4096 };
enum { MED_BLOB_FROM = 32 << 10 }; /* packed bodies above this go to the table blob */

/* A scan's range in the order of the table's keys. */
struct scan_range {
    enum med_index index;
    bool down, all_types; /* PATIENT of all types: ordered by time, not by key */
    struct index_row key; /* what all rows of the range have in common */
    int64_t low, high;    /* of the ordered part, inclusive; doubles in their order-keeping form */
    med_str low_text, high_text; /* copies, in `texts` */
    char *texts;
};

/* Deferred rows of a range, beside the statement that reads the table. */
struct cursor_overlay {
    bool on; /* else there are none, and the rest counts for nothing */
    struct scan_range range;
    struct overlay_walk walk;
    struct index_row *list; /* all_types: in the order asked for */
    size_t n, at;
    const struct index_row *deferred; /* at hand; NULL at the end */
    struct index_row row;             /* of the table, at hand when has_row */
    bool has_row, row_over;
};

struct sqlite_cursor {
    med_cursor base;
    sqlite3_stmt *stmt;
    enum med_index index;
    enum statement id;
    bool open_span;             /* DATE: the class whose rows hold their end */
    struct sqlite_cursor *next; /* among the view's open or idle ones */
    char *text;                 /* copy of the key of the last hit */
    size_t text_cap;
    struct cursor_overlay over;
};

/* A reader slot, or the commit thread's own view for guards. A slot is used by one thread at a
 * time, but the commit thread may end its snapshot when it holds back the WAL: hence `lock`,
 * held during each call. */
struct sqlite_view {
    med_view base;
    struct sqlite_store *store;
    struct connection *connection;
    struct connection own; /* what `connection` points to, but for the commit thread's view */
    pthread_mutex_t lock;
    _Atomic int64_t deadline;
    atomic_bool cut; /* the commit thread wants the snapshot gone */
    bool open;       /* between med_store_view and med_view_end */
    bool reading;    /* inside a transaction */
    int64_t began;
    uint64_t epoch;          /* of `recent`, before the snapshot began */
    _Atomic uint64_t pinned; /* the oldest generation of deferred rows then; 0: no snapshot */
    const struct generation *generations; /* from that one on */
    struct overlay overlay;               /* of this snapshot, when it is known */
    bool overlay_known;
    med_rid at_rows;               /* STATEMENT_READ_ROWS was left on its row; 0: on none */
    struct sqlite_cursor *cursors; /* open */
    struct sqlite_cursor *idle[STATEMENT_COUNT];
    size_t n_idle;
    struct unpacker *unpacker;
    bool writer;
    bool deep; /* hash texts, too */
};

/* How far the oldest generation is merged, and what the group at hand adds to it. */
struct merge {
    struct generation *of; /* NULL: none is being merged */
    unsigned table;
    const struct deferred_row *at; /* the last one done, NULL before a table's first */
    struct merge_place {
        struct generation *of;
        unsigned table;
        const struct deferred_row *at;
    } before;                /* the group, to go back to */
    int64_t merged;          /* what `merged` is after this group */
    struct generation *done; /* the first one that then is not wholly merged */
    bool idle;               /* nothing else to do: go on */
};

struct sqlite_store {
    med_store base;
    const med_clock *clock;
    const med_random *random;
    const med_log *log;
    char path[MED_PATH_MAX]; /* of the data directory */
    char *file;              /* of the database */
    char *vfs;
    int lock_fd;
    size_t wal_serving, wal_bulk;
    size_t cache_reader;
    size_t recent_bytes;
    struct keyring keys;
    struct packer packer;
    struct recent recent;

    struct names names;
    struct sqlite_view *slots;
    unsigned n_slots;
    pthread_mutex_t own_slot_lock; /* the last slot is the store's own: verify */

    struct commit_queue queue;
    _Atomic bool failed;
    _Atomic bool full;

    /* the commit thread's */
    struct connection writer;
    struct sqlite_view *guard_view;
    struct idents idents;
    struct tallies tallies;
    struct pending pending; /* rows of this group, not yet written */
    struct deferred deferred;
    size_t deferred_limit; /* rows of a generation; 0: none are deferred */
    struct merge merge;
    bool direct;        /* this group's index rows go to their tables */
    unsigned holds;     /* verify runs: all groups are direct */
    int64_t merged;     /* all index rows up to this t are in their tables */
    med_arena *scratch; /* of one group */
    int64_t t, updated;
    uint64_t epoch; /* revision of MED_NOTE_EPOCH */
    struct commit_rules rules;
    med_rid rid;
    struct purged {
        uint64_t ident;
        med_rid rid;
        struct purged *next;
    } * purged;             /* by this group, in the scratch arena */
    bool parts_new;         /* part_new has rows */
    size_t parts_new_bytes; /* of parts, since it had none */
    bool wal_cut_due;       /* something was purged: cut the WAL once that is durable */
    int64_t group_resources, group_versions; /* what the group adds to the figures */
    size_t wal_pages;                        /* after the last commit */
    size_t wal_next_try;                     /* pages at which a pinned WAL is tried again */
    int64_t next_probe;                      /* monotonic, while full */

    /* figures */
    _Atomic uint64_t commits, groups, sync_failures, damaged, versions, resources, checkpoints,
        cuts;
    _Atomic int64_t last_t;
    _Atomic size_t wal_bytes;
};

/* ---- open.c ---- */
void med_sqlite_log(const struct sqlite_store *s, enum med_log_level level, const char *message,
                    int64_t number);

/* ---- names.c ---- */
/* Takes the names that are not known yet out of the table. */
bool med_sqlite_load_names(struct sqlite_store *s, med_err *err);

/* ---- migrate.c ---- */
/* The newest format the options know. */
unsigned med_sqlite_newest(const med_sqlite_options *o);
/* Makes a new file's tables; brings an older file forward if o->upgrade; refuses a newer one. */
bool med_sqlite_migrate(struct connection *writer, const med_sqlite_options *o, med_err *err);
bool med_sqlite_read_format(struct connection *c, unsigned *format, med_err *err);

/* ---- commit.c ---- */
bool med_sqlite_commit(med_store *s, med_commit *first, med_err *err);
/* After an error in COMMIT. */
void med_sqlite_stop_writing(struct sqlite_store *s, const med_err *err);
/* t, rid, updated and how far index rows are merged. */
bool med_sqlite_write_state(struct sqlite_store *s, med_err *err);
void *med_sqlite_commit_thread(void *store);

/* ---- lend.c: what the rules of a commit read and write ---- */
void med_sqlite_lend(struct sqlite_store *s);

/* ---- fulltext.c ---- */
/* Before a resource is purged, in the same transaction: its terms leave the lists. */
bool med_sqlite_forget_terms(struct sqlite_store *s, med_rid rid, med_err *err);

/* ---- flush.c: pending idents, index rows and counters -> tables, or to be merged later ---- */
bool med_sqlite_flush(struct sqlite_store *s, med_err *err);
/* Pending index rows into their tables. */
bool med_sqlite_write_pending(struct sqlite_store *s, med_err *err);

/* ---- merge.c: deferred rows -> tables, beside groups or when nothing waits ---- */
/* Before a group's first write; `direct`: all deferred rows go to their tables first. */
bool med_sqlite_merge_begin(struct sqlite_store *s, bool direct, med_err *err);
/* Behind its last one: merges in proportion to what it has put in. */
bool med_sqlite_merge_on(struct sqlite_store *s, med_err *err);
/* After its COMMIT or ROLLBACK. */
void med_sqlite_merge_end(struct sqlite_store *s, bool committed);
bool med_sqlite_merge_wanted(const struct sqlite_store *s);
/* A transaction of its own that merges a little; `whole`: everything. */
bool med_sqlite_merge_alone(struct sqlite_store *s, bool whole, med_err *err);
/* Merges everything and keeps later groups from deferring anything, until released. */
bool med_sqlite_hold_deferring(struct sqlite_store *s, med_err *err);
void med_sqlite_release_deferring(struct sqlite_store *s);

/* ---- recover.c ---- */
/* After a crash: makes the rows again that were deferred then. */
bool med_sqlite_recover(struct sqlite_store *s, med_err *err);

/* ---- cursor.c: a scan over the table and the deferred rows ---- */
/* The deferred rows of the view's snapshot; NULL with *err. Between enter and leave. */
const struct overlay *med_sqlite_overlay(struct sqlite_view *v, med_err *err);
bool med_sqlite_cursor_begin(struct sqlite_cursor *c, const med_scan *q, const struct overlay *o,
                             med_err *err);
/* The next row; its text is good until the next call. */
enum med_found med_sqlite_cursor_next(struct sqlite_cursor *c, struct index_row *out, med_err *err);
void med_sqlite_cursor_end(struct sqlite_cursor *c);

/* ---- referrers.c ---- */
/* Is there a deferred row about this target? */
bool med_sqlite_defers_target(struct sqlite_view *v, med_rid target, bool *out, med_err *err);
/* med_sqlite_referrers between enter and leave. */
bool med_sqlite_find_referrers(struct sqlite_view *v, med_arena *a, med_rid rid, size_t limit,
                               med_rid **out, size_t *n, med_err *err);

/* ---- checkpoint.c ---- */
int med_sqlite_note_wal(void *store, sqlite3 *db, const char *name, int pages);
void med_sqlite_checkpoint_if_due(struct sqlite_store *s, bool bulk);
/* For work that can wait: the WAL is below its bound, or could be begun anew without ending
 * readers.
 */
bool med_sqlite_wal_has_room(struct sqlite_store *s);
/* All of the WAL into the file, and the WAL cut to nothing if no reader is in the way. */
bool med_sqlite_checkpoint_all(struct sqlite_store *s);

/* ---- view.c ---- */
bool med_sqlite_view_init(struct sqlite_view *v, struct sqlite_store *s, struct connection *share,
                          med_err *err);
void med_sqlite_view_free(struct sqlite_view *v);
void med_sqlite_free_idle(struct sqlite_view *v);
/* Lock, check the deadline, begin the snapshot. Every read starts with enter and ends with
 * leave; enter that fails has left. */
bool med_sqlite_enter(struct sqlite_view *v, med_err *err);
void med_sqlite_leave(struct sqlite_view *v);
/* Off the row that med_sqlite_rows left its statement on. */
void med_sqlite_leave_rows(struct sqlite_view *v);
/* Ends the snapshot of a view that stands in the WAL's way. On the commit thread. */
void med_sqlite_view_cut(struct sqlite_view *v);
void med_sqlite_view_begin(struct sqlite_view *v, int64_t deadline);
void med_sqlite_view_close(struct sqlite_view *v);
/* Fills *err for a failed read on this view. */
enum med_found med_sqlite_read_failed(struct sqlite_view *v, int rc, med_err *err);

/* ---- row.c: one row of resource or version ---- */
/* Columns as RESOURCE_COLUMNS in statement.h. False when the row is not well formed. */
bool med_sqlite_row(sqlite3_stmt *stmt, struct stored_row *out);
/* Decodes the id, and unpacks and checks the body when `text`. */
enum med_found med_sqlite_row_read(struct sqlite_view *v, med_arena *a, sqlite3_stmt *stmt,
                                   const struct stored_row *row, bool text, med_stored *out,
                                   med_err *err);

enum med_found med_sqlite_damaged(struct sqlite_view *v, const struct stored_row *row,
                                  med_err *err);

/* ---- parts.c: long values kept beside the bodies ---- */
/* Those of a write, and that its new version holds them. */
bool med_sqlite_add_parts(struct sqlite_store *s, const struct stored_row *row, const med_write *w,
                          med_err *err);
/* Before a resource is purged: those that nobody else holds go with it. */
bool med_sqlite_drop_parts(struct sqlite_store *s, med_rid rid, med_err *err);
/* For med_body_read; `view` is a struct sqlite_view. */
enum med_found med_sqlite_find_part(void *view, const uint8_t hash[MED_PART_HASH], med_str *packed,
                                    med_err *err);
/* For verify: exactly the values that the body names are noted as held by the version. */
enum med_found med_sqlite_uses_are_sound(struct sqlite_view *v, med_arena *a, med_str body,
                                         const struct stored_row *row, med_err *err);
bool med_sqlite_load_parts(struct sqlite_store *s, med_err *err);
/* Whether there are new parts to look at, and whether they are so many that it must not wait. */
bool med_sqlite_fold_wanted(const struct sqlite_store *s);
bool med_sqlite_fold_due(const struct sqlite_store *s);
/* A transaction of its own that leaves one of each; `whole`: of all, else of a few. */
bool med_sqlite_fold(struct sqlite_store *s, bool whole, med_err *err);

/* ---- the other parts of the table ---- */
enum med_found med_sqlite_read(med_view *v, med_arena *a, uint32_t type, med_str id,
                               med_stored *out, med_err *err);
enum med_found med_sqlite_latest(med_view *v, med_arena *a, uint32_t type, med_str id,
                                 med_stored *out, med_err *err);
enum med_found med_sqlite_version(med_view *v, med_arena *a, uint32_t type, med_str id,
                                  uint32_t version, med_stored *out, med_err *err);
enum med_found med_sqlite_by_rid(med_view *v, med_arena *a, med_rid rid, med_stored *out,
                                 med_err *err);
enum med_found med_sqlite_rows(med_view *v, med_arena *a, med_rid rid, med_stored *out,
                               med_rows *rows, med_err *err);
bool med_sqlite_rid(med_view *v, uint64_t ident, med_rid *out, med_err *err);
bool med_sqlite_history(med_view *v, med_arena *a, const med_history *q, med_stored **out,
                        size_t *n, med_err *err);
/* Any version of a resource; MED_ABSENT when there is none such. Between enter and leave. */
enum med_found med_sqlite_version_by_rid(struct sqlite_view *v, med_arena *a, med_rid rid,
                                         uint32_t version, bool text, med_stored *out,
                                         med_err *err);
bool med_sqlite_history_count(med_view *v, const med_history *q, uint64_t *out, med_err *err);
med_view *med_sqlite_view(med_store *s, unsigned slot, int64_t deadline, med_err *err);
void med_sqlite_view_end(med_view *v);
med_cursor *med_sqlite_scan(med_view *view, const med_scan *q, med_err *err);
enum med_found med_sqlite_next(med_cursor *c, med_hit *out, med_err *err);
void med_sqlite_cursor_close(med_cursor *c);
bool med_sqlite_probe(med_view *v, enum med_index index, uint32_t param, uint64_t key, med_rid rid,
                      bool *out, med_err *err);
bool med_sqlite_count_type(med_view *v, uint32_t type, uint64_t *out, med_err *err);
bool med_sqlite_count_token(med_view *v, uint32_t param, uint64_t hash, uint64_t *out,
                            med_err *err);
bool med_sqlite_codes(med_view *v, med_arena *a, uint32_t param, med_str system, med_str code,
                      uint64_t **hashes, size_t *n, med_err *err);
bool med_sqlite_referrers(med_view *v, med_arena *a, med_rid rid, size_t limit, med_rid **out,
                          size_t *n, med_err *err);
bool med_sqlite_missing(med_view *v, med_arena *a, med_rid *after, med_rid **out, size_t *n,
                        bool *done, med_err *err);
bool med_sqlite_intern(med_store *s, enum med_name_kind kind, const med_str *names, size_t n,
                       uint32_t *numbers, med_err *err);
bool med_sqlite_posted(med_view *v, med_posted *out, med_err *err);
bool med_sqlite_postings(med_view *v, med_arena *a, uint64_t list, med_str term, bool prefix,
                         size_t limit, med_rid **out, size_t *n, bool *whole, med_err *err);
bool med_sqlite_post(med_store *s, const med_posting *at, size_t n, med_posted from, med_posted to,
                     med_err *err);
bool med_sqlite_prepare(const med_store *s, med_arena *a, med_write *w, med_err *err);
bool med_sqlite_backup(med_store *s, int file, int key, med_progress progress, void *arg,
                       med_err *err);
/* Reads s->epoch. */
bool med_sqlite_load_epoch(struct sqlite_store *s, med_err *err);
bool med_sqlite_note(med_store *s, const med_note_change *change, med_err *err);
bool med_sqlite_notes(med_view *v, med_arena *a, med_note **out, size_t *n, med_err *err);
bool med_sqlite_verify(med_store *s, med_verify *v, med_err *err);
void med_sqlite_count(med_store *s, med_store_stats *out);
void med_sqlite_close(med_store *s);

static inline struct sqlite_view *med_sqlite_of_view(med_view *v)
{
    return (struct sqlite_view *)v;
}
static inline struct sqlite_store *med_sqlite_of(med_store *s)
{
    return (struct sqlite_store *)s;
}

#endif
