/* store.h - where resources live; one const table of functions, several back ends.
 *
 * All SQL is behind this header. A back end is made by its own opener (store/sqlite/sqlite.h),
 * which only main.c and tests name; everybody else holds a `med_store *`.
 *
 * Reading goes through a view: one consistent snapshot, owned by one thread, to be ended within
 * seconds (`deadline`). Writing goes through med_store_commit: one thread takes all waiting
 * commits, runs each in a savepoint of one transaction (guards, expectations, reference checks,
 * rows), makes the group durable with one sync, then calls each commit's `done`.
 *
 * What a stored text is: minified JSON of the resource with `resourceType`, `id` and `meta`
 * first and without meta.versionId and meta.lastUpdated, which are columns and are put in when
 * it is rendered (fhir/render.c). It always begins {"resourceType":"T","id":"I" and goes on
 * with ,"meta":{...} when any other meta is there. */
#ifndef MED_STORE_STORE_H
#define MED_STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/rows.h"

typedef struct med_store med_store;
typedef struct med_view med_view;

/* ---- names that became numbers ---- */
enum med_name_kind { MED_NAME_TYPE, MED_NAME_PARAM };
/* The number of a type ("Patient") or search parameter ("Observation.code" or its URL), given
 * for ever at first use. Call for all of them at start; costs a commit only for new names. */
bool med_store_intern(med_store *s, enum med_name_kind kind, const med_str *names, size_t n,
                      uint32_t *numbers, med_err *err) MED_MUST_CHECK;

/* Keyed 63-bit hash for index keys, and the ident hash of a resource or URL. */
uint64_t med_store_hash(const med_store *s, med_str value);
uint64_t med_store_hash2(const med_store *s, med_str a, char separator, med_str b);
static inline uint64_t med_store_ident(const med_store *s, med_str type, med_str id)
{
    return med_store_hash2(s, type, '/', id);
}

/* A place to go on from, for a link: encrypted, authentic, and good only with the same `bound`
 * (the question, and who asks). Holds after a restart, and on every node of the store. At most
 * 4096 bytes. Unsealing anything else: MED_ISSUE_VALUE, 400. */
bool med_store_seal(const med_store *s, med_arena *a, med_str plain, med_str bound, med_str *out,
                    med_err *err) MED_MUST_CHECK;
bool med_store_unseal(const med_store *s, med_arena *a, med_str text, med_str bound, med_str *out,
                      med_err *err) MED_MUST_CHECK;

/* ---- what is read ---- */
enum med_change { MED_CREATED = 1, MED_UPDATED = 2, MED_DELETED = 3 };

typedef struct med_stored {
    med_rid rid;
    uint32_t type;
    med_str id;
    uint32_t version; /* 1, 2, ... */
    int64_t t;        /* number of the commit that made this version; the feed's order */
    int64_t updated;  /* microseconds; never goes back for one resource */
    enum med_change change;
    med_str text; /* empty when change is MED_DELETED */
    /* Of med_view_apart: the long base64 values that `text` goes without, in its order. */
    const struct med_apart *apart;
    size_t n_apart;
} med_stored;

/* The bytes of a value that belongs into the text at `at`, as base64. */
typedef struct med_apart {
    size_t at;
    med_str bytes;
} med_apart;

/* A view for this thread. `slot` names a reader connection: slots are used by one thread at a
 * time (loop threads and workers each have their own, below med_store_options.readers).
 * `deadline` is monotonic microseconds; a read past it fails with MED_ISSUE_TIMEOUT. */
med_view *med_store_view(med_store *s, unsigned slot, int64_t deadline,
                         med_err *err) MED_MUST_CHECK;
void med_view_end(med_view *v);
const med_store *med_view_store(const med_view *v);

/* ---- reads that may be of a moment ago: docs/decisions/0018 ---- */
/* Are there replicas to read from? */
bool med_store_lags(const med_store *s);
/* Starts to look how far they are; before that no view lags. */
bool med_store_follow(med_store *s, med_err *err) MED_MUST_CHECK;
/* Before a view's first question: a replica may answer it, with what was committed at most the
 * store's bound ago, but with the commit of `least_t`, and with all that was committed before
 * `since` (monotonic microseconds). Without this call a view is never old. */
void med_view_may_lag(med_view *v, int64_t least_t, int64_t since);
/* A replica failed in the middle of it: the same on a new view that may not lag can succeed. */
bool med_view_was_cut(const med_view *v);
/* `t` of the last commit of this process. */
int64_t med_store_position(const med_store *s);
enum { MED_REPLICAS = 16 };
typedef struct med_replica {
    char name[64];  /* its host */
    bool used;      /* reads go to it */
    int64_t behind; /* microseconds at most, when it was last looked at; -1: not known */
    uint64_t reads;
    char why[200]; /* it is not used; else empty */
} med_replica;
typedef struct med_replicas {
    med_replica at[MED_REPLICAS];
    size_t n;
    uint64_t behind; /* reads that came to a replica before what they had to see */
    uint64_t away;   /* reads for which no replica was to be had */
} med_replicas;
/* Never waits. */
void med_store_replicas(med_store *s, med_replicas *out);

enum med_found { MED_FOUND, MED_ABSENT, MED_FAILED /* *err is filled */ };

/* Current version, deleted ones included (change == MED_DELETED). Text and id are copied into
 * `a`, decompressed and checked against the stored keyed hash: damage is MED_FAILED with
 * MED_ISSUE_EXCEPTION, never wrong data. */
enum med_found med_view_read(med_view *v, med_arena *a, uint32_t type, med_str id, med_stored *out,
                             med_err *err);
/* The same, but not of the view's snapshot: the version that was current at some moment since the
 * view was made. For answers that consist of this one resource; may be served from memory. */
enum med_found med_view_latest(med_view *v, med_arena *a, uint32_t type, med_str id,
                               med_stored *out, med_err *err);
enum med_found med_view_version(med_view *v, med_arena *a, uint32_t type, med_str id,
                                uint32_t version, med_stored *out, med_err *err);
enum med_found med_view_by_rid(med_view *v, med_arena *a, med_rid rid, med_stored *out,
                               med_err *err);
/* As med_view_latest, or med_view_version when `version` is not 0, for somebody who wants the bytes
 * of long base64 values: they may come beside the text, which then has "" in their place, or in
 * it. */
enum med_found med_view_apart(med_view *v, med_arena *a, uint32_t type, med_str id,
                              uint32_t version, med_stored *out, med_err *err);
/* What the index holds of a current version, without its text: far cheaper than to extract it.
 * References and `patients` have internal ids in place of hashes; codes and targets are left out;
 * `when` is filled in. Texts are those of the index, cut. *out has all but the text. */
enum med_found med_view_rows(med_view *v, med_arena *a, med_rid rid, med_stored *out,
                             med_rows *rows, med_err *err);
/* Hints for a store that is a network away: these resources will be read, in this order; these
 * ident hashes will be looked up. med_view_is_far tells whether they are worth finding out. */
bool med_view_is_far(const med_view *v);
/* Whether reading may wait for somebody else: then no thread that must not wait may do it. */
bool med_store_is_far(const med_store *s);
void med_view_expect(med_view *v, const med_rid *rids, size_t n);
bool med_view_expect_idents(med_view *v, const uint64_t *idents, size_t n,
                            med_err *err) MED_MUST_CHECK;
/* 0 when nothing was ever stored (or mentioned) under that ident hash. */
bool med_view_rid(med_view *v, uint64_t ident, med_rid *out, med_err *err) MED_MUST_CHECK;

/* Versions, newest first (or oldest first for the feed), each with its text if wanted. */
typedef struct med_history {
    uint32_t type;   /* 0 = all types */
    med_rid rid;     /* 0 = all resources */
    int64_t since;   /* only versions with updated >= since; MED_TIME_MIN for all */
    int64_t until;   /* only versions with updated <= until; MED_TIME_MAX for all */
    int64_t after_t; /* keyset: continue behind (after_t, after_rid); 0 = from the end */
    med_rid after_rid;
    bool oldest_first; /* the change feed: ascending (t, rid) */
    bool text;         /* false: `text` stays empty (for counting and _summary) */
    size_t limit;
} med_history;
bool med_view_history(med_view *v, med_arena *a, const med_history *q, med_stored **out, size_t *n,
                      med_err *err) MED_MUST_CHECK;
bool med_view_history_count(med_view *v, const med_history *q, uint64_t *out,
                            med_err *err) MED_MUST_CHECK;

/* ---- the index, as primitives for search/ ---- */
enum med_index {
    MED_INDEX_TOKEN,         /* param, hash            -> rid */
    MED_INDEX_REFERENCE,     /* param, target rid      -> rid */
    MED_INDEX_DATE,          /* param, span class, low -> rid, high; see MED_SPAN_CLASSES */
    MED_INDEX_STRING,        /* param, folded text     -> rid */
    MED_INDEX_QUANTITY,      /* param, unit, low       -> rid, high */
    MED_INDEX_URI,           /* param, uri             -> rid */
    MED_INDEX_UPDATED,       /* type, last updated     -> rid: also the list of a type */
    MED_INDEX_PATIENT,       /* patient rid, type, -when          -> rid */
    MED_INDEX_PATIENT_TOKEN, /* patient rid, param, hash, -when -> rid */
};

/* A date row's class is the smallest whose bound its span does not exceed, so that "ends after
 * x" is a range on `low` from x minus the class's bound: four short ranges, no second index. */
enum { MED_SPAN_CLASSES = 4 };
extern const int64_t
    med_span_class_bound[MED_SPAN_CLASSES]; /* microseconds: 1 d, 32 d, 366 d, open */
unsigned med_span_class(med_interval span);

typedef struct med_scan {
    enum med_index index;
    uint32_t param; /* type for UPDATED; unused for PATIENT */
    uint32_t type;  /* PATIENT: the type, 0 for all types */
    uint64_t key;   /* hash | target rid | unit | span class | patient rid */
    uint64_t key2;  /* PATIENT_TOKEN: the hash */
    /* Bounds of the ordered part, inclusive; which pair is used follows from the index. */
    int64_t low_int, high_int;   /* DATE low, UPDATED, PATIENT*: when */
    double low_real, high_real;  /* QUANTITY low */
    med_str low_text, high_text; /* STRING, URI: [low, high); high empty = prefix of low */
    bool descending;
    /* Keyset: start strictly behind this (ordered value, rid) when after_rid is not 0. */
    int64_t after_int;
    double after_real;
    med_str after_text;
    med_rid after_rid;
    /* Hits that will probably be taken, each with its resource; 0 when not known. Only a hint: a
     * store that is a network away asks for as many at a time. */
    size_t wanted;
} med_scan;

/* What a search will ask for, all of it in one question where questions are dear: numbers, as
 * med_view_rid, med_view_count_type and med_view_count_token would give them, codes, and the scan
 * that it will probably begin with. A wrong guess costs time and nothing else. */
enum med_lookup_kind { MED_LOOKUP_RID, MED_LOOKUP_TYPE, MED_LOOKUP_TOKEN };
typedef struct med_lookup {
    enum med_lookup_kind kind;
    uint32_t param; /* TOKEN */
    uint64_t key;   /* the ident hash, the type, or the hash */
    bool about;     /* TYPE, TOKEN: what it was some seconds ago will do, unless that was none */
} med_lookup;
enum { MED_LOOKUPS = 256 }; /* of more, only so many */
/* As for med_view_codes. */
typedef struct med_code_lookup {
    uint32_t param;
    med_str system, code;
} med_code_lookup;
enum { MED_CODE_LOOKUPS = 4 };
typedef struct med_foreseen {
    const med_lookup *lookups;
    size_t n;
    const med_code_lookup *codes;
    size_t n_codes;
    const med_scan *scan; /* or NULL */
    bool of_ident;        /* PATIENT*: its key is the ident hash of the patient */
} med_foreseen;
bool med_view_foresee(med_view *v, const med_foreseen *f, med_err *err) MED_MUST_CHECK;

typedef struct med_hit {
    med_rid rid;
    int64_t value, value_high; /* DATE low and high, UPDATED, PATIENT*: when */
    double real, real_high;    /* QUANTITY */
    med_str text;              /* STRING, URI; valid until the next med_cursor_next */
} med_hit;

typedef struct med_cursor med_cursor;
/* A cursor belongs to its view. Hits come ordered by (ordered value, rid); TOKEN and REFERENCE
 * by rid. */
med_cursor *med_view_scan(med_view *v, const med_scan *scan, med_err *err) MED_MUST_CHECK;
/* MED_ABSENT at the end. */
enum med_found med_cursor_next(med_cursor *c, med_hit *out, med_err *err);
void med_cursor_close(med_cursor *c); /* NULL is fine */
/* Is there a TOKEN, REFERENCE or PATIENT row with this key for this rid? */
bool med_view_probe(med_view *v, enum med_index index, uint32_t param, uint64_t key, med_rid rid,
                    bool *out, med_err *err) MED_MUST_CHECK;
/* Cheap live counts: current resources of a type (TOKEN param 0), rows of a (param, hash). */
bool med_view_count_type(med_view *v, uint32_t type, uint64_t *out, med_err *err) MED_MUST_CHECK;
bool med_view_count_token(med_view *v, uint32_t param, uint64_t hash, uint64_t *out,
                          med_err *err) MED_MUST_CHECK;
/* Dictionary: the hashes under which `code` (of any system), or a whole system, occurs. */
bool med_view_codes(med_view *v, med_arena *a, uint32_t param, med_str system, med_str code,
                    uint64_t **hashes, size_t *n, med_err *err) MED_MUST_CHECK;
/* Resources that hold a reference to this one (for 409 on delete and for _cascade). */
bool med_view_referrers(med_view *v, med_arena *a, med_rid rid, size_t limit, med_rid **out,
                        size_t *n, med_err *err) MED_MUST_CHECK;
/* What is referred to by current resources and is no current resource itself, by growing rid
 * from behind `*after`, which moves to the last that was looked at. Not only local references:
 * also URLs and canonicals, which need not be there. *done at the end. */
bool med_view_missing(med_view *v, med_arena *a, med_rid *after, med_rid **out, size_t *n,
                      bool *done, med_err *err) MED_MUST_CHECK;

/* ---- writing ---- */
enum med_write_kind {
    MED_WRITE_PUT, /* create, update, or bring a deleted one back */
    MED_WRITE_DELETE,
    MED_WRITE_PURGE, /* physically, all versions */
};

enum med_expect {
    MED_EXPECT_ANY,
    MED_EXPECT_NEW,     /* no current version (never stored, or deleted): else DUPLICATE, 409 */
    MED_EXPECT_EXISTS,  /* a current, undeleted version: else NOT_FOUND or DELETED, 410 */
    MED_EXPECT_VERSION, /* exactly `expect_version` is current: else CONFLICT with 412 */
};

enum med_outcome {
    MED_OUTCOME_NONE,
    MED_OUTCOME_CREATED,
    MED_OUTCOME_UPDATED,
    MED_OUTCOME_UNCHANGED, /* same content: no new version was made */
    MED_OUTCOME_DELETED,
    MED_OUTCOME_WAS_ABSENT, /* delete or purge of what was not there */
};

/* A long base64 value, taken out of a text: kept once, however many versions hold it. */
enum { MED_PART_HASH = 32 };
typedef struct med_store_part {
    uint8_t hash[MED_PART_HASH]; /* SHA-256 of the bytes it stands for */
    med_str packed;              /* these bytes, compressed */
} med_store_part;

typedef struct med_write {
    enum med_write_kind kind;
    uint32_t type;
    med_str id;
    med_str text; /* as described at the top; PUT only */
    med_rows rows;
    enum med_expect expect;
    uint32_t expect_version;
    bool always_new_version; /* no no-op detection */
    bool index_only; /* PUT: no version is made and no text is given; the index rows of version
                        `expect_version` become `rows`. When that is not the current one any
                        more, nothing is done: outcome NONE, else UNCHANGED */
    /* set by med_store_prepare */
    med_str packed; /* compressed text, without its parts */
    const med_store_part *parts;
    size_t n_parts;
    uint32_t dictionary; /* id of the zstd dictionary, 0 = none */
    uint8_t hash[16];    /* keyed, of type, id and text */
    uint64_t ident;
    /* set by the commit */
    enum med_outcome outcome;
    uint32_t version; /* the current version afterwards */
    med_rid rid;
} med_write;

/* Compresses, hashes and sorts a write's rows, on the caller's thread. */
bool med_store_prepare(const med_store *s, med_arena *a, med_write *w, med_err *err) MED_MUST_CHECK;

/* Runs inside the commit, before its writes, and sees all earlier commits; false refuses the
 * whole commit with *err. Must be quick and may only read. */
typedef bool (*med_guard)(void *arg, med_view *view, med_err *err);

/* REFUSED says why in err: a failed expectation is MED_ISSUE_CONFLICT with status 412 (of a
 * deleted resource expected to exist: MED_ISSUE_DELETED; of a missing one: MED_ISSUE_NOT_FOUND);
 * a missing reference target is MED_ISSUE_NOT_FOUND with status 422 and the row's expression; a
 * delete of what is referenced is MED_ISSUE_CONFLICT (409); a reused idempotency key with
 * another request is MED_ISSUE_CONFLICT with status 422; a guard's error is passed through.
 * On REPLAYED the writes' id, outcome, version and rid are those of the first time. */
enum med_commit_state {
    MED_COMMIT_DONE,
    MED_COMMIT_REFUSED,  /* an expectation, guard or reference check failed; nothing was written */
    MED_COMMIT_REPLAYED, /* the idempotency key was used before: outcomes are those of then */
    MED_COMMIT_UNKNOWN,  /* I/O error at the sync: may or may not be durable; the store stops */
};

typedef struct med_commit {
    med_write *writes; /* done in this order; those of one commit see each other */
    size_t n_writes;
    med_guard guard; /* or NULL */
    void *guard_arg;
    const uint64_t *lock_keys; /* hashes the guard depends on; several nodes lock them sorted */
    size_t n_lock_keys;
    bool check_references; /* every rows.targets must exist at the end of the commit (else
                              NOT_FOUND with 422 and the expression), and no deleted resource
                              may be referenced by what stays (else CONFLICT, 409) */
    bool bulk;             /* import: larger WAL bound, no counters of latency */
    med_str trace;         /* audit record, becomes a trace_out row of the same transaction */
    uint64_t idempotency;  /* 0 = none; keyed hash of caller and key */
    uint64_t request_hash; /* of the request: the same key with another request is refused
                              (BUSINESS_RULE, 422) */
    /* A move from another store: the place in the feed and the moment it had there; 0: given
     * now. A place that is not beyond all others is refused (CONFLICT). Without writes it only
     * takes the place. */
    int64_t at_t, at_updated;
    uint64_t epoch; /* one more than the revision of the note MED_NOTE_EPOCH that its rows were made
                       under; when there is a later one it is refused (CONFLICT) as `stale`. 0:
                       whichever */
    /* Called once on the commit thread; must only hand over (post, signal). */
    void (*done)(struct med_commit *c);
    void *arg;
    /* results */
    enum med_commit_state state;
    bool stale;       /* REFUSED because of its epoch: make it anew */
    med_err err;      /* REFUSED, UNKNOWN */
    size_t failed_at; /* REFUSED: index of the write at fault, or n_writes */
    int64_t t;
    int64_t updated;         /* of all versions it made, microseconds */
    struct med_commit *next; /* of med_store_commit_all; then the store's */
} med_commit;

/* Never blocks on the disk. The commit and all it points to must stay until `done`. False
 * (with *err, MED_ISSUE_TRANSIENT or NO_STORE) when the queue is full, the store is stopping,
 * or the disk is full: then `done` is not called. */
bool med_store_commit(med_store *s, med_commit *c, med_err *err) MED_MUST_CHECK;
/* The same for several at once, linked by `next`: all are taken, one behind the other, or none.
 * Many writes handed over together are written with fewer pages touched for each. */
bool med_store_commit_all(med_store *s, med_commit *first, med_err *err) MED_MUST_CHECK;
/* The same, waiting. For commands, tests and import. */
bool med_store_commit_wait(med_store *s, med_commit *c, med_err *err) MED_MUST_CHECK;

/* A long row of commits begins, or is over: a store that is empty may make its index at the end,
 * and statistics are taken then. Questions are answered meanwhile, but slowly. */
bool med_store_bulk(med_store *s, bool begin, med_err *err) MED_MUST_CHECK;

/* ---- what background work has to remember ---- */
enum { MED_NOTES = 1024, MED_NOTE_BYTES = 256 << 10 };
/* The note that says what rows are made; on every node commits are held against its revision. */
#define MED_NOTE_EPOCH "parameters"
/* A small durable text by name; `revision` counts its writings. */
typedef struct med_note {
    med_str name;
    uint64_t revision;
    med_str text;
} med_note;
/* All of them (at most MED_NOTES), by name. */
bool med_view_notes(med_view *v, med_arena *a, med_note **out, size_t *n,
                    med_err *err) MED_MUST_CHECK;
/* Writes one whose revision is the one that is named (0: there is none yet), which is then one
 * more; an empty text removes it. Else MED_ISSUE_CONFLICT: so of several processes one has it.
 * Durable when it returns; waits for the commit thread. */
typedef struct med_note_change {
    med_str name;
    uint64_t revision;
    med_str text;
} med_note_change;
bool med_store_note(med_store *s, const med_note_change *change, med_err *err) MED_MUST_CHECK;

/* A file that belongs to a note and goes with it, where several processes share the store; each
 * writes it to, and reads it from, a file of its own (`fd`, of which the place is at its
 * beginning). Who puts one puts all of it, instead of an earlier one; that it is whole the note
 * itself must say. */
bool med_store_is_shared(const med_store *s);
bool med_store_put_note_file(med_store *s, med_str name, int fd, med_err *err) MED_MUST_CHECK;
enum med_found med_store_get_note_file(med_store *s, med_str name, int fd, med_err *err);

struct med_posting;

/* ---- care ---- */
typedef struct med_store_stats {
    uint64_t resources, versions, commits, groups, sync_failures, damaged;
    uint64_t bytes_database, bytes_wal, queue;
    int64_t last_t;
    bool writable; /* false: disk full or stopped after an I/O error */
    bool failed;   /* an UNKNOWN happened: the process must end and start again */
    char why[256]; /* it takes no writes, if it can tell; else empty */
} med_store_stats;
void med_store_count(med_store *s, med_store_stats *out);
/* The same as it was at the last count, but queue, writable, failed and why are those of now. Never
 * waits. */
void med_store_glance(med_store *s, med_store_stats *out);

/* What is right and what is wrong with what the store stands on, for an operator: `mend` is empty
 * when it is right. False with *err when it could not be asked. */
typedef void (*med_store_finding)(void *arg, const char *what, const char *text, const char *mend);
bool med_store_check(med_store *s, med_store_finding tell, void *arg, med_err *err) MED_MUST_CHECK;

/* Called now and then by long work; false stops it, and it fails with MED_ISSUE_INCOMPLETE. */
typedef bool (*med_progress)(void *arg, uint64_t done, uint64_t total);

/* Online, consistent; runs between groups, and `progress` (or NULL) on the commit thread, so it
 * must not block. `file` is an empty file open for reading and writing, `key` another one or -1;
 * both stay the caller's, and are synced. Half a backup (false) is none: remove it. */
bool med_store_backup(med_store *s, int file, int key, med_progress progress, void *arg,
                      med_err *err) MED_MUST_CHECK;
/* Re-reads everything: hashes, index rows against `extract` of each body, feed without holes.
 * Calls `fault` for each finding; false only when it could not go on. */
typedef struct med_verify {
    bool (*extract)(void *arg, med_arena *a, uint32_t type, med_str id, med_str text, med_rows *out,
                    med_err *err); /* NULL: index is not compared */
    const bool *uncompared; /* by number of the type: index rows are being made, not compared */
    size_t n_uncompared;
    /* As in med_terms_known; NULL, or lists in another form: they are not compared. */
    bool (*terms)(void *arg, med_arena *a, uint32_t type, med_str text, struct med_posting **out,
                  size_t *n, med_err *err);
    void *terms_arg;
    uint32_t terms_form;
    size_t window; /* resources compared with the lists at a time; 0: two million (48 MB) */
    void (*fault)(void *arg, const char *kind, med_str where, const char *what);
    med_progress progress;
    void *arg;
    uint64_t versions, faults;  /* results */
    uint64_t list_faults;       /* of `faults`: mended by throwing the lists away */
    uint64_t parts, part_bytes; /* kept beside the versions, and what they take, compressed */
    bool structure_unchecked;   /* of the file: writes cut off each look at it */
} med_verify;
bool med_store_verify(med_store *s, med_verify *v, med_err *err) MED_MUST_CHECK;

/* Waits for the queue, checkpoints, closes. */
void med_store_close(med_store *s);

#endif
