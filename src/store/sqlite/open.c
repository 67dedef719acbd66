/* open.c - opening and closing: lock, key, file, format, connections, commit thread. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/sqlite/pending_table.h"
#include "store/sqlite/sqlite_impl.h"

enum { OLDEST_SQLITE = 3040000 }; /* the oldest this was tried with */
enum { SCRATCH_LIMIT = INT32_MAX };

static const struct med_store_ops ops = {
    .intern = med_sqlite_intern,
    .note = med_sqlite_note,
    .notes = med_sqlite_notes,
    .prepare = med_sqlite_prepare,
    .commit = med_sqlite_commit,
    .count = med_sqlite_count,
    .backup = med_sqlite_backup,
    .verify = med_sqlite_verify,
    .close = med_sqlite_close,
    .view = med_sqlite_view,
    .view_end = med_sqlite_view_end,
    .read = med_sqlite_read,
    .latest = med_sqlite_latest,
    .version = med_sqlite_version,
    .by_rid = med_sqlite_by_rid,
    .rows = med_sqlite_rows,
    .rid = med_sqlite_rid,
    .history = med_sqlite_history,
    .history_count = med_sqlite_history_count,
    .scan = med_sqlite_scan,
    .next = med_sqlite_next,
    .cursor_close = med_sqlite_cursor_close,
    .probe = med_sqlite_probe,
    .count_type = med_sqlite_count_type,
    .count_token = med_sqlite_count_token,
    .codes = med_sqlite_codes,
    .referrers = med_sqlite_referrers,
    .missing = med_sqlite_missing,
    .posted = med_sqlite_posted,
    .postings = med_sqlite_postings,
    .post = med_sqlite_post,
};

void med_sqlite_log(const struct sqlite_store *s, enum med_log_level level, const char *message,
                    int64_t number)
{
    if (s->log != NULL)
        MED_LOG(s->log, level, message, MED_LOG_INT("value", number));
}

static size_t or_default(size_t given, size_t otherwise)
{
    return given != 0 ? given : otherwise;
}

static bool take_options(struct sqlite_store *s, const med_sqlite_options *o, med_err *err)
{
    s->base.ops = &ops;
    s->clock = o->clock != NULL ? o->clock : &med_clock_system;
    s->random = o->random != NULL ? o->random : &med_random_system;
    s->log = o->log;
    s->lock_fd = -1;
    s->wal_serving = or_default(o->wal_serving, (size_t)32 << 20);
    s->wal_bulk = or_default(o->wal_bulk, (size_t)128 << 20);
    s->cache_reader = or_default(o->cache_reader, (size_t)8 << 20);
    s->deferred_limit = o->defer_nothing ? 0 : or_default(o->deferred, 100000);
    s->recent_bytes = or_default(o->recent, (size_t)16 << 20);
    s->n_slots = (o->readers != 0 ? o->readers : 4) + 1;
    if (o->data.len == 0 || o->data.len >= sizeof s->path - 32)
        return MED_FAIL(err, MED_ISSUE_INVALID, "the data directory needs a path of 1 to %zu bytes",
                        sizeof s->path - 32);
    memcpy(s->path, o->data.ptr, o->data.len);
    s->path[o->data.len] = '\0';
    char file[MED_FILE_PATH];
    if (!med_file_join(file, s->path, "medulla.db", err))
        return false;
    s->file = med_alloc_copy(med_str_from(file));
    s->vfs = o->vfs == NULL ? NULL : med_alloc_copy(med_str_from(o->vfs));
    if (s->file == NULL || (o->vfs != NULL && s->vfs == NULL))
        return MED_FAIL_MEMORY(err);
    return med_packer_init(&s->packer, o->dictionaries, o->n_dictionaries, err);
}

static bool init_memory(struct sqlite_store *s, size_t queue_limit, med_err *err)
{
    if (pthread_mutex_init(&s->own_slot_lock, NULL) != 0)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no locks for the store");
    if (!med_names_init(&s->names, &s->base, &s->packer, err)
        || !med_queue_init(&s->queue, s, or_default(queue_limit, 4096), err))
        return false;
    s->scratch = med_arena_new(SCRATCH_LIMIT);
    s->slots = MED_NEW(s->n_slots, struct sqlite_view);
    s->guard_view = MED_NEW(1, struct sqlite_view);
    if (s->scratch == NULL || s->slots == NULL || s->guard_view == NULL
        || !med_recent_init(&s->recent, s->recent_bytes) || !med_idents_init(&s->idents)
        || !med_tallies_init(&s->tallies) || !med_deferred_init(&s->deferred))
        return MED_FAIL_MEMORY(err);
    med_sqlite_lend(s);
    return true;
}

/* The file, with our mode before SQLite sees it, and its name on disk. */
static bool make_file(struct sqlite_store *s, med_err *err)
{
    int fd = open(s->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "medulla.db could not be made: %s",
                        strerrordesc_np(errno));
    (void)close(fd);
    return med_file_sync_directory(s->path, err);
}

static bool exists(const struct sqlite_store *s, const char *name)
{
    char path[MED_FILE_PATH];
    med_err ignored;
    struct stat info;
    return med_file_join(path, s->path, name, &ignored) && stat(path, &info) == 0;
}

static bool find_files(struct sqlite_store *s, bool create, med_err *err)
{
    struct stat info;
    bool there = stat(s->path, &info) == 0;
    if (!there && !create)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no data directory at the given path");
    if (!med_file_make_directory(s->path, true, err) || !med_file_lock(s->path, &s->lock_fd, err))
        return false;
    bool has_file = exists(s, "medulla.db");
    if (!has_file && !create)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no store in the data directory");
    /* The key is made before the file: a file without its key is a loss, and never ours. */
    bool good = has_file || exists(s, "key")
                    ? med_keyring_read(&s->keys, s->path, err)
                    : med_keyring_create(&s->keys, s->path, s->random, err);
    if (!good)
        return false;
    s->base.index_key = s->keys.index;
    return has_file || make_file(s, err);
}

/* What the index key makes of a known text: tells a foreign key without showing ours. */
static int64_t key_proof(const struct sqlite_store *s)
{
    return (int64_t)med_store_hash(&s->base, MED_STR("medulla: is this the key of this store?"));
}

/* A number kept under a name since the first start; *same tells whether it is `value`. */
static bool compare_setting(struct sqlite_store *s, med_str name, int64_t value, bool *same,
                            med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_SETTING, err);
    if (stmt == NULL)
        return false;
    if (!med_statement_bind_str(stmt, 1, name))
        return MED_FAIL_MEMORY(err);
    int rc = sqlite3_step(stmt);
    *same = rc != SQLITE_ROW || sqlite3_column_int64(stmt, 0) == value;
    (void)sqlite3_reset(stmt);
    if (rc == SQLITE_DONE) {
        stmt = med_connection_statement(&s->writer, STATEMENT_SET_SETTING, err);
        if (stmt == NULL)
            return false;
        if (!med_statement_bind_str(stmt, 1, name))
            return MED_FAIL_MEMORY(err);
        (void)sqlite3_bind_int64(stmt, 2, value);
        rc = sqlite3_step(stmt);
        (void)sqlite3_reset(stmt);
    }
    return rc == SQLITE_ROW || rc == SQLITE_DONE
           || med_connection_fail(&s->writer, rc, "checking its settings", err);
}

static bool check_key(struct sqlite_store *s, med_err *err)
{
    bool same = false;
    return compare_setting(s, MED_STR("key_proof"), key_proof(s), &same, err)
           && (same
               || MED_FAIL(err, MED_ISSUE_SECURITY,
                           "the file `key` belongs to another store: put back the right one"));
}

/* Bodies can only be read with the very bytes they were packed with. */
static bool check_each_dictionary(struct sqlite_store *s, med_err *err)
{
    for (size_t i = 0; i < s->packer.n_dictionaries; i++) {
        const med_dictionary *d = &s->packer.dictionaries[i].of;
        char name[32];
        (void)snprintf(name, sizeof name, "dictionary_%u", d->id);
        bool same = false;
        if (!compare_setting(s, med_str_from(name), (int64_t)med_store_hash(&s->base, d->bytes),
                             &same, err))
            return false;
        if (!same)
            return MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                            "zstd dictionary %u has other bytes than when this store was written: "
                            "a changed dictionary needs a new id, and the old one stays",
                            d->id);
    }
    return true;
}

/* All of ours are noted by now: any more are of a program that knows more. */
static bool check_no_other_dictionary(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_COUNT_DICTIONARIES, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    size_t noted = rc == SQLITE_ROW ? (size_t)sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_ROW)
        return med_connection_fail(&s->writer, rc, "checking its settings", err);
    return noted == s->packer.n_dictionaries
           || MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "this store was written by a newer program: it knows %zu zstd dictionaries, "
                       "this program only %zu of them",
                       noted, s->packer.n_dictionaries);
}

/* In one transaction: a new store notes all of them. */
static bool check_dictionaries(struct sqlite_store *s, med_err *err)
{
    int rc = med_connection_run(&s->writer, STATEMENT_BEGIN_WRITE);
    if (rc != SQLITE_OK)
        return med_connection_fail(&s->writer, rc, "checking its settings", err);
    bool good = check_each_dictionary(s, err) && check_no_other_dictionary(s, err);
    rc = med_connection_run(&s->writer, good ? STATEMENT_COMMIT : STATEMENT_ROLLBACK);
    return good
           && (rc == SQLITE_OK
               || med_connection_fail(&s->writer, rc, "checking its settings", err));
}

static bool sum_counter(struct sqlite_store *s, int64_t param, _Atomic uint64_t *out, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_COUNTER_SUM, err);
    if (stmt == NULL)
        return false;
    (void)sqlite3_bind_int64(stmt, 1, param);
    int rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || med_connection_fail(&s->writer, rc, "reading counters", err);
}

static bool load_state(struct sqlite_store *s, med_err *err)
{
    sqlite3_stmt *stmt = med_connection_statement(&s->writer, STATEMENT_STATE, err);
    if (stmt == NULL)
        return false;
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        s->t = sqlite3_column_int64(stmt, 0);
        s->rid = (med_rid)sqlite3_column_int64(stmt, 1);
        s->updated = sqlite3_column_int64(stmt, 2);
        s->merged = sqlite3_column_int64(stmt, 3);
        s->last_t = s->t;
    }
    (void)sqlite3_reset(stmt);
    if (rc != SQLITE_ROW)
        return med_connection_fail(&s->writer, rc, "reading its state", err);
    return sum_counter(s, MED_TALLY_TYPE, &s->resources, err)
           && sum_counter(s, MED_TALLY_VERSIONS, &s->versions, err) && med_sqlite_load_names(s, err)
           && med_sqlite_load_epoch(s, err) && med_sqlite_load_parts(s, err);
}

static bool open_connections(struct sqlite_store *s, const med_sqlite_options *o, med_err *err)
{
    size_t cache = or_default(o->cache_writer, (size_t)64 << 20);
    if (!med_connection_open(&s->writer, s->file, s->vfs, CONNECTION_WRITER, cache, err)
        || !med_pending_table_register(&s->writer, &s->pending, err)
        || !med_sqlite_migrate(&s->writer, o, err) || !check_key(s, err)
        || !check_dictionaries(s, err) || !load_state(s, err) || !med_sqlite_recover(s, err)
        || !med_sqlite_view_init(s->guard_view, s, &s->writer, err))
        return false;
    (void)sqlite3_wal_hook(s->writer.db, med_sqlite_note_wal, s);
    for (unsigned i = 0; i < s->n_slots; i++) {
        if (!med_sqlite_view_init(&s->slots[i], s, NULL, err))
            return false;
    }
    return true;
}

static void end_store(struct sqlite_store *s)
{
    med_err ignored = {0};
    med_queue_stop(&s->queue);
    if (s->queue.runs && med_sqlite_merge_wanted(s)) /* else it is done at the next start */
        (void)med_sqlite_merge_alone(s, true, &ignored);
    if (s->queue.runs && med_sqlite_fold_wanted(s))
        (void)med_sqlite_fold(s, true, &ignored);
    for (unsigned i = 0; s->slots != NULL && i < s->n_slots; i++)
        med_sqlite_view_free(&s->slots[i]);
    if (s->queue.runs && !s->failed)
        (void)med_sqlite_checkpoint_all(s);
    if (s->guard_view != NULL)
        med_sqlite_view_free(s->guard_view);
    med_connection_close(&s->writer);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    med_arena_free(s->scratch);
    med_idents_free(&s->idents);
    med_tallies_free(&s->tallies);
    med_pending_free(&s->pending);
    med_deferred_free(&s->deferred);
    med_packer_free(&s->packer);
    med_recent_free(&s->recent);
    med_names_free(&s->names);
    med_free(s->slots);
    med_free(s->guard_view);
    med_free(s->file);
    med_free(s->vfs);
    explicit_bzero(&s->keys, sizeof s->keys);
    (void)pthread_mutex_destroy(&s->own_slot_lock);
    med_queue_free(&s->queue);
    med_free(s);
}

void med_sqlite_close(med_store *store)
{
    end_store(med_sqlite_of(store));
}

bool med_sqlite_format(med_str data, unsigned *format, med_err *err)
{
    struct sqlite_store *s = MED_NEW(1, struct sqlite_store);
    if (s == NULL)
        return MED_FAIL_MEMORY(err);
    const med_sqlite_options o = {.data = data};
    *format = 0;
    bool good = take_options(s, &o, err) && init_memory(s, o.queue_limit, err);
    if (good && exists(s, "medulla.db"))
        good = med_file_lock(s->path, &s->lock_fd, err)
               && med_connection_open(&s->writer, s->file, NULL, CONNECTION_READER, 1 << 20, err)
               && med_sqlite_read_format(&s->writer, format, err);
    end_store(s);
    return good;
}

med_store *med_sqlite_open(const med_sqlite_options *o, med_err *err)
{
    if (sqlite3_libversion_number() < OLDEST_SQLITE || sqlite3_threadsafe() == 0) {
        (void)MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                       "SQLite %s is too old or not thread safe: 3.40.0 or newer is needed",
                       sqlite3_libversion());
        return NULL;
    }
    /* Refused when SQLite runs already (tests with their own VFS): then this only costs speed. */
    (void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct sqlite_store *s = MED_NEW(1, struct sqlite_store);
    if (s == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    if (take_options(s, o, err) && init_memory(s, o->queue_limit, err)
        && find_files(s, o->create, err) && open_connections(s, o, err)
        && med_queue_start(&s->queue, med_sqlite_commit_thread, err))
        return &s->base;
    end_store(s);
    return NULL;
}

void med_sqlite_count(med_store *store, med_store_stats *out)
{
    struct sqlite_store *s = med_sqlite_of(store);
    struct stat info;
    *out = (med_store_stats){
        .resources = s->resources,
        .versions = s->versions,
        .commits = s->commits,
        .groups = s->groups,
        .sync_failures = s->sync_failures,
        .damaged = s->damaged,
        .bytes_database = stat(s->file, &info) == 0 ? (uint64_t)info.st_size : 0,
        .bytes_wal = s->wal_bytes,
        .queue = med_queue_count(&s->queue),
        .last_t = s->last_t,
        .writable = !s->full && !s->failed,
        .failed = s->failed,
    };
}
