/* postgres_impl.h - the insides of the PostgreSQL back end. Private to store/postgres/. */
#ifndef MED_STORE_POSTGRES_POSTGRES_IMPL_H
#define MED_STORE_POSTGRES_POSTGRES_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/asked.h"
#include "store/body.h"
#include "store/commit_rules.h"
#include "store/keyring.h"
#include "store/names.h"
#include "store/postgres/connection.h"
#include "store/postgres/postgres.h"

enum { MED_PATH_MAX = 4096 };
/* The low bits of a rid: which shard it belongs to. See docs/scale.md. */
enum { MED_SHARD_BITS = 10, MED_SHARDS = 1 << MED_SHARD_BITS };

/* Some rows of a scan; their resources may stand before their own columns, which begin at
 * `first`. */
struct pg_page {
    PGresult *result;
    int first, n;
    bool kept; /* it belongs to the snapshot: ahead.c */
};

/* A scan is asked for in pages, each starting behind the last row of the one before. */
struct pg_cursor {
    med_cursor base;
    med_scan scan; /* its texts are copies in `texts` */
    med_buf texts;
    struct pg_page page;
    int at;
    int64_t size; /* rows of the next page */
    bool last;    /* the page is the last one */
    bool open_span;
    struct pg_cursor *next;
};

/* What was asked for together: see ahead.c. */
enum {
    AHEAD_MAX = 256,
    AHEAD_FEW = 32, /* of so many the texts come with the rows: most of them will be on the page */
    AHEAD_PROBES = 4,
    AHEAD_KEYS = 3,
    AHEAD_NUMBERS = 300,
    AHEAD_LISTS = 4,
    AHEAD_PAGES = 4,
    AHEAD_REMEMBERED = 512, /* a power of two */
};
enum ahead_kind { AHEAD_TEXTS, AHEAD_ROWS, AHEAD_KINDS };
struct ahead {
    struct ahead_set {
        PGresult *rows;
        med_rid rids[AHEAD_MAX];
        int row_of[AHEAD_MAX]; /* -1: there is none */
        size_t n, at;
        bool kept; /* `rows` are of a page below */
    } of[AHEAD_KINDS];
    struct ahead_page {
        med_scan scan;
        struct pg_page page;
    } pages[AHEAD_PAGES]; /* first pages */
    size_t n_pages;
    struct ahead_probes {
        enum statement id;
        uint32_t param;
        uint64_t key;
        med_rid rids[AHEAD_MAX];
        bool has[AHEAD_MAX];
        size_t n;
    } probes[AHEAD_PROBES];
    size_t next_probes;
    med_rid expected[AHEAD_MAX];
    size_t n_expected;
    size_t window; /* of the next that are fetched from a cursor; 0: none yet */
    struct ahead_number {
        enum statement id;
        int n_keys;
        int64_t keys[AHEAD_KEYS];
        bool has;
        bool about; /* remembered of an earlier snapshot */
        int64_t value;
    } numbers[AHEAD_NUMBERS];
    size_t n_numbers;
    struct ahead_codes {
        uint64_t of[2];
        PGresult *result;
    } lists[AHEAD_LISTS];
    size_t n_lists;
    struct ahead_remembered {
        int64_t keys[2];
        int64_t value, at;          /* monotonic */
    } remembered[AHEAD_REMEMBERED]; /* counters of earlier snapshots */
};

/* A reader slot, or the commit thread's own view for guards. Used by one thread at a time. */
struct pg_view {
    med_view base;
    struct pg_store *store;
    struct pg_connection *connection;
    struct pg_connection own;   /* what `home` points to, but for the commit thread's view */
    struct pg_connection *home; /* to the primary; `connection` unless a replica answers */
    struct pg_replica *replica; /* that is asked; NULL: none */
    struct pg_replica *away_to; /* of `away`, which outlives the view */
    struct pg_connection away;
    int64_t least_t; /* that a replica must show */
    bool was_cut;    /* the replica failed within the snapshot */
    int64_t deadline;
    int64_t timeout; /* of the snapshot, as the server knows it */
    bool open;       /* between med_store_view and med_view_end */
    bool reading;    /* inside a transaction */
    struct pg_cursor *cursors;
    struct ahead *ahead; /* of the snapshot at hand; NULL for the commit thread's */
    struct unpacker *unpacker;
    med_asked asked[MED_ASKED];
    size_t n_asked;
    med_arena *explain; /* NULL: nobody wants the plans of what is asked */
    bool writer;
    bool deep; /* hash texts, too */
};

/* A resource that a group writes, as it stands after what was planned so far. */
struct current {
    uint64_t ident;
    bool used;             /* this place is taken */
    bool has_row;          /* there is a current version, perhaps a deleted one */
    bool in_db;            /* and the table has a row for it */
    bool dirty;            /* which is not this one yet */
    bool kept;             /* the row in the table was put on the list of those to keep */
    struct stored_row row; /* `id` is in the scratch arena */
    med_str rowset;
    med_str packed; /* when dirty */
};

struct pending_code {
    const med_code_row *row;
    struct pending_code *next;
};
/* Index rows made anew of a version that stays. */
struct pending_rowset {
    med_rid rid;
    med_str rowset;
    struct pending_rowset *next;
};
struct pending_trace {
    int64_t t;
    med_str record;
    struct pending_trace *next;
};
struct pending_outcome {
    uint64_t key, request;
    int64_t at, t, updated;
    med_str outcomes;
    struct pending_outcome *next;
};
struct purged {
    uint64_t ident;
    med_rid rid;
    struct purged *next;
};
/* The long values of a version. */
struct pending_parts {
    med_rid rid;
    uint32_t version;
    const med_store_part *parts;
    size_t n;
    struct pending_parts *next;
};
/* A version that a later one of the same group superseded before it was written. */
struct pending_version {
    struct current of;
    struct pending_version *next;
};

/* replica.c: the standbys, each looked at by a thread of its own, and the primary by another. */
struct pg_replica {
    struct pg_replicas *of;
    char *conninfo;                  /* NULL: the primary */
    struct pg_connection connection; /* of its thread */
    pthread_t thread;
    bool runs;
    _Atomic bool answers; /* it gave its last answer in time */
    _Atomic bool used;
    _Atomic uint64_t reads;
    /* under the lock of replicas */
    int64_t t, at; /* what it showed, when it was asked (monotonic; 0: never) */
    med_replica told;
};
/* The primary's t at a moment: whoever shows it shows all that was committed before. */
struct pg_sample {
    int64_t at, t;
};
enum { PG_SAMPLES = 64 };
/* What may go by COPY: each enum table, and this. */
enum { COPY_RESOURCE = TABLE_COUNT, COPIES };
struct pg_replicas {
    struct pg_store *store;
    int64_t bound, every;  /* microseconds: how old reads may be; between two looks */
    struct pg_replica *at; /* n, and the primary behind them */
    size_t n;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    struct pg_sample samples[PG_SAMPLES]; /* a ring */
    uint64_t n_samples;
    _Atomic uint64_t behind, away;
};

struct pg_store {
    med_store base;
    const med_clock *clock;
    const med_random *random;
    const med_log *log;
    char *conninfo;
    struct pg_replicas replicas;
    _Atomic int64_t position; /* t of the last commit of this process */
    char keys_path[MED_PATH_MAX];
    struct keyring keys;
    struct packer packer;

    struct names names;
    struct pg_view *slots;
    unsigned n_slots;
    pthread_mutex_t own_slot_lock; /* the last slot is the store's own: figures, verify */

    struct commit_queue queue; /* its lock guards the next two, too */
    bool refusing;             /* the database takes no writes: refuse at once, with `refusal` */
    med_err refusal;
    _Atomic int writes_refused; /* enum trouble */

    /* the commit thread's */
    struct pg_connection writer;
    struct pg_view *guard_view;
    uint64_t node;    /* this process, in the table node */
    int64_t turn;     /* the last one that was ours */
    bool bulk;        /* the indexes are made at the end */
    bool caches_hold; /* nobody else has written since then */
    struct idents idents;
    struct tallies tallies;
    struct pending pending; /* index rows not yet written */
    med_buf copies[COPIES]; /* of a flush: rows that go by COPY, behind all statements */
    bool copied[COPIES];    /* there are some */
    med_arena *scratch;     /* of one group */
    struct commit_rules rules;
    struct current *current;
    size_t current_cap;
    struct pending_version *versions;
    struct pending_code *codes;
    struct pending_rowset *rowsets;
    struct pending_trace *traces;
    struct pending_outcome *outcomes;
    struct pending_parts *parts;
    bool parts_new;             /* part_new has rows, as far as we know */
    size_t parts_new_bytes;     /* of parts, since it had none */
    size_t packed_bytes;        /* that wait */
    int64_t t, updated, number; /* number: of the last rid, without its shard */
    struct purged *purged;
    uint64_t epoch;     /* revision of MED_NOTE_EPOCH when the group began */
    int64_t next_probe; /* monotonic, while refusing */
    bool committing;    /* COMMIT was sent: a lost connection leaves it open what became of it */

    /* of whoever makes the full-text lists */
    pthread_mutex_t poster_lock;
    struct pg_connection poster;
    bool makes_lists; /* this process does */

    /* figures */
    _Atomic uint64_t commits, groups, sync_failures, damaged, versions_known, resources_known,
        database_bytes, retries;
    _Atomic int64_t last_t;
};

static inline struct pg_view *med_pg_of_view(med_view *v)
{
    return (struct pg_view *)v;
}
static inline struct pg_store *med_pg_of(med_store *s)
{
    return (struct pg_store *)s;
}

/* ---- open.c ---- */
/* It is well formed and holds no password. */
bool med_pg_check_conninfo(const char *conninfo, med_err *err);
/* What the index key makes of a known text: tells a foreign key without showing ours. */
int64_t med_pg_key_proof(const struct pg_store *s);
void med_pg_log(const struct pg_store *s, enum med_log_level level, const char *message,
                const char *detail);

/* ---- names.c ---- */
/* Takes the names that are not known yet out of the table. */
bool med_pg_load_names(struct pg_store *s, struct pg_connection *c, med_err *err);

/* ---- migrate.c ---- */
/* Makes the tables in `format`; refuses a store that has another. */
bool med_pg_migrate(struct pg_connection *c, unsigned format, bool create, med_err *err);

/* ---- bulk.c ---- */
bool med_pg_bulk(med_store *s, bool begin, med_err *err);
/* Makes what a bulk load that was cut off left out. */
bool med_pg_make_indexes(struct pg_connection *c, med_err *err);
/* Within a group that has to take index rows away: for that they must be found. */
bool med_pg_end_bulk(struct pg_store *s, med_err *err);

/* ---- commit.c ---- */
bool med_pg_commit(med_store *s, med_commit *c, med_err *err);
void *med_pg_commit_thread(void *store);
/* Connects the writer if it is not. */
bool med_pg_writer(struct pg_store *s, med_err *err);

/* ---- group.c: what a group knows before its first commit ---- */
/* Begins the transaction, takes the lock, and reads all that the commits from `first` to `end`
 * write or name. */
bool med_pg_group_begin(struct pg_store *s, med_commit *first, const med_commit *end, med_err *err);
/* The place of a resource that is written in this group. */
struct current *med_pg_current(struct pg_store *s, uint64_t ident);
/* 0 when the hash was never mentioned. */
med_rid med_pg_find_ident(struct pg_store *s, uint64_t hash);
/* The same, giving a rid in the shard of `home` (an ident hash) to what has none. */
bool med_pg_intern_ident(struct pg_store *s, uint64_t hash, uint64_t home, med_rid *rid,
                         med_err *err);
void med_pg_group_forget(struct pg_store *s);

/* ---- lend.c: what the rules of a commit read and write ---- */
void med_pg_lend(struct pg_store *s);

/* ---- flush.c ---- */
/* Sends all that waits, without a sync. */
bool med_pg_flush_send(struct pg_store *s, med_err *err);
/* The same and waits until it is done. */
bool med_pg_flush(struct pg_store *s, med_err *err);
/* At a group's end: the last trace of a purged resource's id, unless others still name it. Sent,
 * without a sync. */
bool med_pg_drop_purged(struct pg_store *s, med_err *err);

/* ---- copy.c: many rows of a table ---- */
void med_pg_copy_init(med_buf *out); /* to be freed */
/* Not one of COPY_RESOURCE: its fields come one by one. */
void med_pg_copy_add(med_buf *out, const struct index_row *row);
void med_pg_copy_row(med_buf *out, size_t n_fields);
void med_pg_copy_int(med_buf *out, int64_t value, unsigned width);
void med_pg_copy_bytes(med_buf *out, med_str bytes);
void med_pg_copy_null(med_buf *out);
/* Ends them, too. */
bool med_pg_copy_send(struct pg_connection *c, unsigned what, med_buf *rows, med_err *err);

/* ---- table.c: the index tables ---- */
struct table_shape {
    const char *name;
    enum statement add, cut, missing, all;
    /* In the order of the key: letters of struct index_row, r = rid, s = text, C and D for c and
     * d that stand for doubles. */
    const char *columns;
};
const struct table_shape *med_pg_shape(enum table table);
enum { TABLE_COLUMNS = 5 };
struct table_arrays {
    struct pg_array at[TABLE_COLUMNS];
    size_t n;
};
void med_pg_arrays_init(struct table_arrays *a, enum table table);
void med_pg_arrays_free(struct table_arrays *a);
void med_pg_arrays_add(struct table_arrays *a, const struct index_row *row);
bool med_pg_arrays_send(struct pg_connection *c, enum statement id, struct table_arrays *a,
                        med_err *err);
bool med_pg_arrays_bind(struct pg_parameters *p, struct table_arrays *a);
/* The key of a row as parameters, and a row of a result. */
void med_pg_bind_row(struct pg_parameters *p, enum table table, const struct index_row *row);
struct index_row med_pg_table_row(const PGresult *r, int at, enum table table);

/* ---- view.c ---- */
bool med_pg_view_init(struct pg_view *v, struct pg_store *s, struct pg_connection *share,
                      med_err *err);
void med_pg_view_free(struct pg_view *v);
/* Asks within the view's snapshot, which begins with the first question. */
PGresult *med_pg_view_ask(struct pg_view *v, enum statement id, const struct pg_parameters *p,
                          med_err *err);
/* Several in one round trip; false when one of them failed, and then there is no result. */
struct pg_question {
    enum statement id;
    const struct pg_parameters *p;
    PGresult *result;
};
bool med_pg_view_ask_all(struct pg_view *v, struct pg_question *q, size_t n, med_err *err);
/* Asks for what is true now, if no snapshot has begun yet. */
PGresult *med_pg_view_ask_latest(struct pg_view *v, enum statement id,
                                 const struct pg_parameters *p, med_err *err);
/* One number of one row; *has is false when there is none. */
bool med_pg_view_number(struct pg_view *v, enum statement id, const int64_t *keys, int n, bool *has,
                        int64_t *out, med_err *err);
void med_pg_asked(med_view *view, const med_asked **out, size_t *n);
void med_pg_explain(med_view *view, med_arena *a);
/* explain.c: EXPLAIN (ANALYZE, FORMAT JSON) of a statement as it is prepared: one row, one column.
 */
PGresult *med_pg_ask_plan(struct pg_connection *c, enum statement id, const struct pg_parameters *p,
                          med_err *err);
/* The plan of a question, asked once more in the same snapshot, in a line. */
bool med_pg_plan_of(struct pg_view *v, const struct pg_question *q, med_str *out, med_err *err);
void med_pg_view_begin(struct pg_view *v, int64_t deadline);
void med_pg_view_close(struct pg_view *v);

/* Nothing is asked of the replica any longer; the next question begins a snapshot at the primary.
 */
void med_pg_view_go_home(struct pg_view *v);

/* ---- replica.c ---- */
bool med_pg_replicas_init(struct pg_store *s, const med_postgres_options *o, med_err *err);
/* Ends its threads, then, behind all views, what is left; a zeroed one is fine. */
void med_pg_replicas_stop(struct pg_store *s);
void med_pg_replicas_free(struct pg_store *s);
void med_pg_may_lag(med_view *v, int64_t least_t, int64_t since);
bool med_pg_lags(const med_store *s);
bool med_pg_follow(med_store *s, med_err *err);
bool med_pg_was_cut(const med_view *v);
int64_t med_pg_position(const med_store *s);
void med_pg_replicas(med_store *s, med_replicas *out);
/* For doctor: asks each, now. */
void med_pg_check_replicas(struct pg_store *s, med_store_finding tell, void *arg);

/* ---- ahead.c ---- */
/* A row of resource, perhaps one of several that were asked for together. End each that was
 * found. */
struct ahead_row {
    const PGresult *result;
    int at;
    PGresult *own;
};
enum med_found med_pg_ahead_row(struct pg_view *v, enum ahead_kind kind, med_rid rid,
                                struct ahead_row *out, med_err *err);
void med_pg_ahead_row_end(struct ahead_row *row);
/* The first page of a scan, if it came already; NULL: it did not. */
const struct pg_page *med_pg_ahead_kept_page(const struct pg_view *v, const med_scan *scan);
/* A result as a page; with the resources that it names when `read`, and then it is kept. */
struct pg_page med_pg_ahead_take_page(struct pg_view *v, const med_scan *scan, PGresult *result,
                                      bool read);
/* Takes a result as the first page of a scan, with the resources that it names when `read`. */
struct pg_page med_pg_ahead_keep_page(struct pg_view *v, const med_scan *scan, PGresult *result,
                                      bool read);
bool med_pg_ahead_may_read(struct pg_view *v, const med_scan *scan);
/* Many numbers as one parameter; `out` is to be freed. */
bool med_pg_array_of(const uint64_t *at, size_t n, struct pg_array *out, struct pg_parameters *p,
                     med_err *err);
struct ahead *med_pg_ahead(struct pg_view *v); /* NULL: nothing is asked for ahead */
bool med_pg_ahead_probe(struct pg_view *v, bool token, uint32_t param, uint64_t key, med_rid rid,
                        bool *out, med_err *err);
/* NULL when this snapshot was not asked for it yet. */
const struct ahead_number *med_pg_ahead_number(const struct pg_view *v, enum statement id,
                                               const int64_t *keys, int n);
struct ahead_number *med_pg_ahead_keep_number(struct pg_view *v, enum statement id,
                                              const int64_t *keys, int n, bool has, int64_t value);
/* The same for a list of codes; `of` names the question. False when the result stays the caller's.
 */
const PGresult *med_pg_ahead_list(const struct pg_view *v, const uint64_t of[2]);
bool med_pg_ahead_keep_list(struct pg_view *v, const uint64_t of[2], PGresult *r);
void med_pg_ahead_forget(struct pg_view *v);
void med_pg_ahead_free(struct pg_view *v);
void med_pg_expect(med_view *v, const med_rid *rids, size_t n);

/* ---- foresee.c ---- */
bool med_pg_expect_idents(med_view *v, const uint64_t *idents, size_t n, med_err *err);
bool med_pg_foresee(med_view *v, const med_foreseen *f, med_err *err);

/* ---- row.c: one row of resource or version ---- */
enum { COLUMN_ROWSET = 12, COLUMN_ORDINAL = 12, COLUMN_IDENT = 13, COLUMN_PAGE = 13 };
/* Columns as RESOURCE_COLUMNS in statement.h; id points into the result. False when the row is
 * not well formed. */
bool med_pg_row(const PGresult *r, int at, struct stored_row *out);
/* Decodes the id, and unpacks and checks the body when `text`. */
enum med_found med_pg_row_read(struct pg_view *v, med_arena *a, const PGresult *r, int at,
                               const struct stored_row *row, bool text, med_stored *out,
                               med_err *err);
/* Whether reading its text asks for more. */
bool med_pg_row_has_parts(const PGresult *r, int at);
enum med_found med_pg_damaged(struct pg_view *v, const struct stored_row *row, med_err *err);

/* ---- parts.c: long values kept beside the bodies ---- */
/* Those of a write, and that its new version holds them: they wait for med_pg_flush_parts. */
bool med_pg_add_parts(struct pg_store *s, const struct stored_row *row, const med_write *w,
                      med_err *err);
bool med_pg_flush_parts(struct pg_store *s, med_err *err);
/* For med_body_read. */
struct pg_part_reader {
    struct pg_view *view;
    PGresult *result; /* of the last one; ended by the caller */
};
enum med_found med_pg_find_part(void *arg, const uint8_t hash[MED_PART_HASH], med_str *packed,
                                med_err *err);
/* Whether there are new parts to look at, and whether they are so many that it must not wait. */
bool med_pg_fold_wanted(const struct pg_store *s);
bool med_pg_fold_due(const struct pg_store *s);
/* Leaves one of each, of a few. */
bool med_pg_fold(struct pg_store *s, med_err *err);
bool med_pg_load_parts(struct pg_store *s, med_err *err);
/* For verify: exactly the values that the body names are noted as held by the version. */
enum med_found med_pg_uses_are_sound(struct pg_view *v, med_arena *a, med_str body,
                                     const struct stored_row *row, med_err *err);

/* ---- the other parts of the table ---- */
enum med_found med_pg_read(med_view *v, med_arena *a, uint32_t type, med_str id, med_stored *out,
                           med_err *err);
enum med_found med_pg_latest(med_view *v, med_arena *a, uint32_t type, med_str id, med_stored *out,
                             med_err *err);
enum med_found med_pg_version(med_view *v, med_arena *a, uint32_t type, med_str id,
                              uint32_t version, med_stored *out, med_err *err);
enum med_found med_pg_by_rid(med_view *v, med_arena *a, med_rid rid, med_stored *out, med_err *err);
enum med_found med_pg_rows(med_view *v, med_arena *a, med_rid rid, med_stored *out, med_rows *rows,
                           med_err *err);
bool med_pg_missing(med_view *v, med_arena *a, med_rid *after, med_rid **out, size_t *n, bool *done,
                    med_err *err);
bool med_pg_rid(med_view *v, uint64_t ident, med_rid *out, med_err *err);
bool med_pg_history(med_view *v, med_arena *a, const med_history *q, med_stored **out, size_t *n,
                    med_err *err);
bool med_pg_history_count(med_view *v, const med_history *q, uint64_t *out, med_err *err);
med_view *med_pg_view(med_store *s, unsigned slot, int64_t deadline, med_err *err);
void med_pg_view_end(med_view *v);
med_cursor *med_pg_scan(med_view *view, const med_scan *q, med_err *err);
/* The question for a scan's first page, which needs no text; its _READ and, of a patient, its _OF
 * follow it: see statement.h. */
int64_t med_pg_first_page(const med_scan *q); /* how many rows at most */
enum statement med_pg_scan_question(const med_scan *q, struct pg_parameters *p);
enum med_found med_pg_next(med_cursor *c, med_hit *out, med_err *err);
void med_pg_cursor_close(med_cursor *c);
bool med_pg_probe(med_view *v, enum med_index index, uint32_t param, uint64_t key, med_rid rid,
                  bool *out, med_err *err);
bool med_pg_count_type(med_view *v, uint32_t type, uint64_t *out, med_err *err);
bool med_pg_count_token(med_view *v, uint32_t param, uint64_t hash, uint64_t *out, med_err *err);
/* Its parts, for who asks several things at once: `p` has texts of *l. */
enum statement med_pg_codes_question(const med_code_lookup *l, struct pg_parameters *p);
const PGresult *med_pg_known_codes(const struct pg_view *v, const med_code_lookup *l);
bool med_pg_keep_codes(struct pg_view *v, const med_code_lookup *l, PGresult *r);
bool med_pg_codes(med_view *v, med_arena *a, uint32_t param, med_str system, med_str code,
                  uint64_t **hashes, size_t *n, med_err *err);
bool med_pg_referrers(med_view *v, med_arena *a, med_rid rid, size_t limit, med_rid **out,
                      size_t *n, med_err *err);
bool med_pg_intern(med_store *s, enum med_name_kind kind, const med_str *names, size_t n,
                   uint32_t *numbers, med_err *err);
bool med_pg_note(med_store *s, const med_note_change *change, med_err *err);
bool med_pg_put_note_file(med_store *s, med_str name, int fd, med_err *err);
enum med_found med_pg_get_note_file(med_store *s, med_str name, int fd, med_err *err);
bool med_pg_notes(med_view *v, med_arena *a, med_note **out, size_t *n, med_err *err);

/* ---- fulltext.c ---- */
bool med_pg_posted(med_view *v, med_posted *out, med_err *err);
bool med_pg_postings(med_view *v, med_arena *a, uint64_t list, med_str term, bool prefix,
                     size_t limit, med_rid **out, size_t *n, bool *whole, med_err *err);
bool med_pg_post(med_store *s, const med_posting *at, size_t n, med_posted from, med_posted to,
                 med_err *err);
bool med_pg_claim_lists(med_store *s, bool *mine, med_err *err);
/* Within the commit of a purge, before it. */
bool med_pg_forget_terms(struct pg_store *s, med_rid rid, med_err *err);

/* ---- check.c ---- */
bool med_pg_check(med_store *s, med_store_finding tell, void *arg, med_err *err);
bool med_pg_backup(med_store *s, int file, int key, med_progress progress, void *arg, med_err *err);

bool med_pg_verify(med_store *s, med_verify *v, med_err *err);
void med_pg_close(med_store *s);

#endif
