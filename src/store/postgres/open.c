/* open.c - opening and closing: key, database, format, commit thread. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/part.h"
#include "store/postgres/postgres_impl.h"
#include "store/prepare_rows.h"

enum { SCRATCH_LIMIT = INT32_MAX };
static const int64_t count_wait = 2000000; /* microseconds the figures may take */

static bool prepare(const med_store *store, med_arena *a, med_write *w, med_err *err)
{
    struct pg_store *s = (struct pg_store *)(uintptr_t)store; /* contexts are lent */
    med_str type = med_names_type(&s->names, w->type);
    if (type.len == 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the store has no type with number %u", w->type);
    if (w->id.len == 0 || w->id.len > MED_ID_BYTES)
        return MED_FAIL(err, MED_ISSUE_VALUE, "an id has 1 to %d characters", (int)MED_ID_BYTES);
    w->ident = med_store_ident(store, type, w->id);
    if (w->kind != MED_WRITE_PUT)
        return true;
    if (w->index_only)
        return med_rows_prepare(a, &w->rows, err);
    med_siphash128(*med_keyring_check(&s->keys, med_keyring_current(&s->keys)), w->text, w->hash);
    return med_rows_prepare(a, &w->rows, err) && med_parts_pack(&s->packer, a, w, err);
}

static void glance(med_store *store, med_store_stats *out)
{
    struct pg_store *s = med_pg_of(store);
    pthread_mutex_lock(&s->queue.lock);
    size_t queued = s->queue.n;
    bool refusing = s->refusing;
    med_err refusal = s->refusal;
    pthread_mutex_unlock(&s->queue.lock);
    *out = (med_store_stats){
        .resources = s->resources_known,
        .versions = s->versions_known,
        .commits = s->commits,
        .groups = s->groups,
        .sync_failures = s->sync_failures,
        .damaged = s->damaged,
        .bytes_database = s->database_bytes,
        .queue = queued,
        .last_t = s->last_t,
        .writable = !refusing,
    };
    if (refusing)
        memcpy(out->why, refusal.text, sizeof out->why);
}

static void count(med_store *store, med_store_stats *out)
{
    struct pg_store *s = med_pg_of(store);
    struct pg_view *v = &s->slots[s->n_slots - 1];
    med_err ignored = {0};
    pthread_mutex_lock(&s->own_slot_lock);
    med_pg_view_begin(v, med_monotonic(s->clock) + count_wait);
    PGresult *r = med_pg_view_ask_latest(v, STATEMENT_FIGURES, NULL, &ignored);
    if (r != NULL && PQntuples(r) == 1) {
        s->resources_known = (uint64_t)med_pg_int_at(r, 0, 0);
        s->versions_known = (uint64_t)med_pg_int_at(r, 0, 1);
        s->last_t = med_pg_int_at(r, 0, 2);
        s->database_bytes = (uint64_t)med_pg_int_at(r, 0, 3);
    }
    PQclear(r);
    med_pg_view_close(v);
    pthread_mutex_unlock(&s->own_slot_lock);
    glance(store, out);
}

static const struct med_store_ops ops = {
    .intern = med_pg_intern,
    .note = med_pg_note,
    .put_note_file = med_pg_put_note_file,
    .get_note_file = med_pg_get_note_file,
    .notes = med_pg_notes,
    .prepare = prepare,
    .commit = med_pg_commit,
    .count = count,
    .glance = glance,
    .bulk = med_pg_bulk,
    .backup = med_pg_backup,
    .check = med_pg_check,
    .verify = med_pg_verify,
    .close = med_pg_close,
    .view = med_pg_view,
    .view_end = med_pg_view_end,
    .read = med_pg_read,
    .latest = med_pg_latest,
    .version = med_pg_version,
    .by_rid = med_pg_by_rid,
    .rows = med_pg_rows,
    .rid = med_pg_rid,
    .history = med_pg_history,
    .history_count = med_pg_history_count,
    .scan = med_pg_scan,
    .next = med_pg_next,
    .cursor_close = med_pg_cursor_close,
    .probe = med_pg_probe,
    .count_type = med_pg_count_type,
    .count_token = med_pg_count_token,
    .codes = med_pg_codes,
    .referrers = med_pg_referrers,
    .missing = med_pg_missing,
    .asked = med_pg_asked,
    .explain = med_pg_explain,
    .posted = med_pg_posted,
    .postings = med_pg_postings,
    .post = med_pg_post,
    .claim_lists = med_pg_claim_lists,
    .expect = med_pg_expect,
    .expect_idents = med_pg_expect_idents,
    .foresee = med_pg_foresee,
    .lags = med_pg_lags,
    .follow = med_pg_follow,
    .may_lag = med_pg_may_lag,
    .was_cut = med_pg_was_cut,
    .position = med_pg_position,
    .replicas = med_pg_replicas,
};

void med_pg_log(const struct pg_store *s, enum med_log_level level, const char *message,
                const char *detail)
{
    if (s->log != NULL)
        MED_LOG(s->log, level, message, MED_LOG_TEXT("detail", med_str_from(detail)));
}

static bool take_options(struct pg_store *s, const med_postgres_options *o, med_err *err)
{
    s->base.ops = &ops;
    s->clock = o->clock != NULL ? o->clock : &med_clock_system;
    s->random = o->random != NULL ? o->random : &med_random_system;
    s->log = o->log;
    s->n_slots = (o->readers != 0 ? o->readers : 4) + 1;
    if (o->keys.len == 0 || o->keys.len >= sizeof s->keys_path - 32)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "the key's directory needs a path of 1 to %zu bytes",
                        sizeof s->keys_path - 32);
    memcpy(s->keys_path, o->keys.ptr, o->keys.len);
    s->conninfo = med_alloc_copy(o->conninfo);
    if (s->conninfo == NULL)
        return MED_FAIL_MEMORY(err);
    s->writer.conninfo = s->conninfo;
    med_random_fill(s->random, &s->node, sizeof s->node);
    s->node &= INT64_MAX;
    return med_packer_init(&s->packer, o->dictionaries, o->n_dictionaries, err);
}

/* Settings are shown, and a process' arguments are seen by others: no password in them. */
bool med_pg_check_conninfo(const char *conninfo, med_err *err)
{
    char *ignored = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &ignored);
    PQfreemem(ignored);
    if (options == NULL)
        return MED_FAIL(err, MED_ISSUE_INVALID,
                        "the connection string is not well formed: \"host=... dbname=...\", or "
                        "postgresql://USER@HOST/DATABASE");
    bool secret = false;
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        secret = secret
                 || (o->val != NULL && o->val[0] != '\0' && strstr(o->keyword, "password") != NULL);
    PQconninfoFree(options);
    return !secret
           || MED_FAIL(err, MED_ISSUE_SECURITY,
                       "a password does not belong into a connection string: name a file with "
                       "passfile=... (0600), or use a client certificate");
}

static bool init_memory(struct pg_store *s, size_t queue_limit, med_err *err)
{
    if (pthread_mutex_init(&s->own_slot_lock, NULL) != 0
        || pthread_mutex_init(&s->poster_lock, NULL) != 0)
        return MED_FAIL(err, MED_ISSUE_TRANSIENT, "no locks for the store");
    if (!med_names_init(&s->names, &s->base, &s->packer, err)
        || !med_queue_init(&s->queue, s, queue_limit != 0 ? queue_limit : 4096, err))
        return false;
    s->scratch = med_arena_new(SCRATCH_LIMIT);
    s->slots = MED_NEW(s->n_slots, struct pg_view);
    s->guard_view = MED_NEW(1, struct pg_view);
    if (s->scratch == NULL || s->slots == NULL || s->guard_view == NULL
        || !med_idents_init(&s->idents) || !med_tallies_init(&s->tallies))
        return MED_FAIL_MEMORY(err);
    if (!med_pg_view_init(s->guard_view, s, &s->writer, err))
        return false;
    med_pg_lend(s);
    for (unsigned i = 0; i < s->n_slots; i++) {
        if (!med_pg_view_init(&s->slots[i], s, NULL, err))
            return false;
    }
    return true;
}

/* ---- key and settings ---- */

static bool read_setting(struct pg_store *s, med_str name, bool *has, int64_t *value, med_err *err)
{
    struct pg_parameters p = {0};
    med_pg_bytes(&p, name);
    PGresult *r = med_pg_ask(&s->writer, STATEMENT_SETTING, &p, err);
    *has = r != NULL && PQntuples(r) > 0;
    *value = *has ? med_pg_int_at(r, 0, 0) : 0;
    PQclear(r);
    return r != NULL;
}

/* A number kept under a name since the first start; *same tells whether it is `value`. Whoever
 * comes first writes it. */
static bool compare_setting(struct pg_store *s, med_str name, int64_t value, bool *same,
                            med_err *err)
{
    struct pg_parameters p = {0};
    int64_t kept = 0;
    bool has = false;
    med_pg_bytes(&p, name);
    med_pg_int(&p, value);
    if (!read_setting(s, name, &has, &kept, err)
        || (!has && !med_pg_run(&s->writer, STATEMENT_SET_SETTING, &p, err))
        || (!has && !read_setting(s, name, &has, &kept, err)))
        return false;
    *same = has && kept == value;
    return true;
}

int64_t med_pg_key_proof(const struct pg_store *s)
{
    return (int64_t)med_store_hash(&s->base, MED_STR("medulla: is this the key of this store?"));
}

static bool has_key_file(const struct pg_store *s)
{
    char path[MED_FILE_PATH];
    med_err ignored;
    struct stat info;
    return med_file_join(path, s->keys_path, "key", &ignored) && stat(path, &info) == 0;
}

static bool open_keys(struct pg_store *s, bool create, med_err *err)
{
    bool has = false;
    bool same = false;
    int64_t proof = 0;
    if (!read_setting(s, MED_STR("key_proof"), &has, &proof, err))
        return false;
    bool fresh = !has && !has_key_file(s);
    if (fresh && !create)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no store in the database");
    if (has && !has_key_file(s))
        return MED_FAIL(err, MED_ISSUE_SECURITY,
                        "this node lacks the store's file `key`: copy it (0600) from another node "
                        "or from the backup into its data directory");
    bool good = !fresh ? med_keyring_read(&s->keys, s->keys_path, err)
                       : med_file_make_directory(s->keys_path, true, err)
                             && med_keyring_create(&s->keys, s->keys_path, s->random, err);
    if (!good)
        return false;
    s->base.index_key = s->keys.index;
    return compare_setting(s, MED_STR("key_proof"), med_pg_key_proof(s), &same, err)
           && (same
               || MED_FAIL(err, MED_ISSUE_SECURITY,
                           "the file `key` belongs to another store: put back the right one"));
}

/* All of ours are noted by now: any more are of a program that knows more. */
static bool check_no_other_dictionary(struct pg_store *s, med_err *err)
{
    PGresult *r = med_pg_ask(&s->writer, STATEMENT_COUNT_DICTIONARIES, NULL, err);
    size_t noted = r == NULL ? 0 : (size_t)med_pg_int_at(r, 0, 0);
    PQclear(r);
    return r != NULL
           && (noted == s->packer.n_dictionaries
               || MED_FAIL(err, MED_ISSUE_NOT_SUPPORTED,
                           "this store was written by a newer program: it knows %zu zstd "
                           "dictionaries, this program only %zu of them",
                           noted, s->packer.n_dictionaries));
}

/* Bodies can only be read with the very bytes they were packed with. */
static bool check_dictionaries(struct pg_store *s, med_err *err)
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
    return check_no_other_dictionary(s, err);
}

static bool is_primary(struct pg_store *s, med_err *err)
{
    med_err ignored = {0};
    if (!med_pg_run(&s->writer, STATEMENT_BEGIN_WRITE, NULL, err))
        return false;
    (void)med_pg_run(&s->writer, STATEMENT_ROLLBACK, NULL, &ignored);
    return true;
}

med_store *med_postgres_open(const med_postgres_options *o, med_err *err)
{
    struct pg_store *s = MED_NEW(1, struct pg_store);
    if (s == NULL) {
        (void)MED_FAIL_MEMORY(err);
        return NULL;
    }
    unsigned format = o->format != 0 ? o->format : MED_POSTGRES_FORMAT;
    if (take_options(s, o, err) && med_pg_check_conninfo(s->conninfo, err)
        && med_pg_replicas_init(s, o, err) && init_memory(s, o->queue_limit, err)
        && med_pg_connect(&s->writer, err) && is_primary(s, err)
        && med_pg_migrate(&s->writer, format, o->create, err)
        && med_pg_make_indexes(&s->writer, err) && open_keys(s, o->create, err)
        && check_dictionaries(s, err) && med_pg_load_names(s, &s->writer, err)
        && med_pg_load_parts(s, err) && med_queue_start(&s->queue, med_pg_commit_thread, err))
        return &s->base;
    med_pg_close((med_store *)s);
    return NULL;
}

static void stop_thread(struct pg_store *s)
{
    if (!s->queue.runs)
        return;
    med_queue_stop(&s->queue);
    struct pg_parameters p = {0};
    med_err ignored = {0};
    while (!s->refusing && med_pg_fold_wanted(s) && med_pg_fold(s, &ignored))
        continue;
    med_pg_int(&p, (int64_t)s->node);
    if (s->writer.pg != NULL)
        (void)med_pg_run(&s->writer, STATEMENT_DROP_NODE, &p, &ignored);
}

void med_pg_close(med_store *store)
{
    struct pg_store *s = med_pg_of(store);
    stop_thread(s);
    med_pg_replicas_stop(s);
    for (unsigned i = 0; s->slots != NULL && i < s->n_slots; i++)
        med_pg_view_free(&s->slots[i]);
    if (s->guard_view != NULL)
        med_pg_view_free(s->guard_view);
    med_pg_disconnect(&s->writer);
    med_pg_disconnect(&s->poster);
    med_pg_replicas_free(s);
    med_arena_free(s->scratch);
    med_idents_free(&s->idents);
    med_tallies_free(&s->tallies);
    med_pending_free(&s->pending);
    med_packer_free(&s->packer);
    med_names_free(&s->names);
    med_free(s->slots);
    med_free(s->guard_view);
    if (s->conninfo != NULL) /* it may hold a password */
        explicit_bzero(s->conninfo, strlen(s->conninfo));
    med_free(s->conninfo);
    explicit_bzero(&s->keys, sizeof s->keys);
    (void)pthread_mutex_destroy(&s->own_slot_lock);
    (void)pthread_mutex_destroy(&s->poster_lock);
    med_queue_free(&s->queue);
    med_free(s);
}
