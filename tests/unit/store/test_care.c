/* The store as a thing to be looked after: opening, keys, formats, backup, verify, damage,
 * purge. */
#include "kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fill(struct kit *k, int n)
{
    for (int i = 0; i < n; i++) {
        med_str id = med_arena_printf(k->arena, "o%d", i);
        med_str note = med_arena_printf(k->arena, "a note %d with some words", i * 7919);
        med_write w = kit_observation(k, id.ptr, note.ptr, i % 2 ? "p1" : "p0", i % 3 ? "c1" : "c0",
                                      i * 1000, i);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
}

static med_store *try_open(struct kit *k, med_err *err)
{
    return kit_try_open(k, err);
}

static const char *file_in(struct kit *k, const char *name)
{
    return med_arena_printf(k->arena, "%s/%s", k->path, name).ptr;
}

/* ---- opening ---- */

static void files_are_ours_alone(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    static const char *const names[] = {"", "medulla.db", "medulla.db-wal", "key", "lock"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct stat info;
        assert_int_equal(stat(file_in(k, names[i]), &info), 0);
        assert_int_equal(info.st_mode & 077, 0);
    }
}

static void a_second_process_is_told_who_has_it(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    med_err err;
    assert_null(try_open(k, &err)); /* flock counts descriptors, so this process will do */
    assert_int_equal(err.issue, MED_ISSUE_LOCK_ERROR);
    char pid[24];
    (void)snprintf(pid, sizeof pid, "process %ld;", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    kit_close(k);
    kit_open(k);
}

static void a_killed_owner_leaves_no_lock(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    kit_close(k);
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        med_err err;
        med_store *s = try_open(k, &err);
        _exit(s != NULL && write(ready[1], "x", 1) == 1 && pause() ? 0 : 1);
    }
    char c = 0;
    assert_int_equal(read(ready[0], &c, 1), 1);
    med_err err;
    assert_null(try_open(k, &err));
    assert_int_equal(err.issue, MED_ISSUE_LOCK_ERROR);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    kit_open(k);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void nothing_is_made_without_leave(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    kit_close(k);
    k->options.create = false;
    kit_open(k); /* what is there is opened */
    kit_close(k);
    char other[80];
    (void)snprintf(other, sizeof other, "%s/none", k->dir);
    k->options.data = med_str_from(other);
    med_err err;
    assert_null(try_open(k, &err));
    assert_int_equal(err.issue, MED_ISSUE_NOT_FOUND);
    struct stat info;
    assert_int_not_equal(stat(other, &info), 0);
    k->options.data = med_str_from(k->path);
    kit_open(k);
}

static void run_sql(struct kit *k, const char *sql)
{
    sqlite3 *db = NULL;
    if (k->postgres) {
        kit_sql(k, sql);
        return;
    }
    /* with the store's own layer, so that page check values stay right */
    assert_int_equal(
        sqlite3_open_v2(file_in(k, "medulla.db"), &db, SQLITE_OPEN_READWRITE, "medulla-check-unix"),
        SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_newer_format_is_refused_untouched(void **state)
{
    struct kit *k = *state;
    fill(k, 3);
    kit_close(k);
    run_sql(k, k->postgres ? "INSERT INTO format VALUES (99)" : "PRAGMA user_version = 99");
    med_err err;
    assert_null(try_open(k, &err));
    assert_int_equal(err.issue, MED_ISSUE_NOT_SUPPORTED);
    assert_non_null(strstr(err.text, "format 99"));
    char back[64];
    (void)snprintf(back, sizeof back, "PRAGMA user_version = %d", MED_SQLITE_FORMAT);
    run_sql(k, k->postgres ? "DELETE FROM format WHERE number = 99" : back);
    kit_open(k);
    assert_true(kit_note(k, k->observation, "o1").len > 0);
}

static void another_program_s_file_is_refused(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    kit_close(k);
    run_sql(k, "PRAGMA application_id = 7");
    med_err err;
    assert_null(try_open(k, &err));
    assert_int_equal(err.issue, MED_ISSUE_EXCEPTION);
    run_sql(k, "PRAGMA application_id = 0x4d45444c");
    kit_open(k);
}

static void write_file(const char *path, med_str bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static med_str read_file(struct kit *k, const char *path)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    size_t size = (size_t)info.st_size;
    char *to = MED_TAKE(k->arena, size + 1, char);
    for (size_t at = 0; at < size;) {
        ssize_t n = read(fd, to + at, size - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    (void)close(fd);
    return (med_str){to, size};
}

static void the_key_is_guarded(void **state)
{
    struct kit *k = *state;
    fill(k, 3);
    kit_close(k);
    const char *path = file_in(k, "key");
    med_str key = read_file(k, path);
    static const char foreign[] = "index 000102030405060708090a0b0c0d0e0f\n"
                                  "check 1 000102030405060708090a0b0c0d0e0f\n";
    const struct {
        const char *name;
        med_str bytes;
        mode_t mode;
    } rows[] = {
        {"readable for the group", key, 0640},
        {"of another store", med_str_from(foreign), 0600},
        {"empty", MED_STR_EMPTY, 0600},
        {"cut", med_str_sub(key, 0, key.len - 5), 0600},
        {"without an index key", med_str_skip(key, 39), 0600},
        {"garbage", MED_STR("hello\n"), 0600},
    };
    med_err err;
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file(path, rows[i].bytes, rows[i].mode);
        if (try_open(k, &err) != NULL || err.issue != MED_ISSUE_SECURITY)
            fail_msg("a key %s is not refused: %s", rows[i].name, err.text);
        if (strstr(err.text, "0001") != NULL)
            fail_msg("a key shows in an error");
    }
    assert_int_equal(unlink(path), 0);
    assert_null(try_open(k, &err));
    assert_int_equal(err.issue, MED_ISSUE_SECURITY);
    write_file(path, key, 0600);
    kit_open(k);
    assert_true(kit_note(k, k->observation, "o1").len > 0);
}

static void keys_are_rotated_by_adding_one(void **state)
{
    struct kit *k = *state;
    med_write w = kit_put(k, k->patient, "a", "old key");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    kit_close(k);
    const char *path = file_in(k, "key");
    med_str key = read_file(k, path);
    med_str both = med_arena_printf(k->arena, "%.*scheck 2 %s\n", MED_STR_ARG(key),
                                    "ffeeddccbbaa99887766554433221100");
    write_file(path, both, 0600);
    kit_open(k);
    assert_true(med_str_eqz(kit_note(k, k->patient, "a"), "old key"));
    w = kit_put(k, k->patient, "a", "old key"); /* unchanged, though hashed by another key */
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(w.outcome, MED_OUTCOME_UNCHANGED);
    w = kit_put(k, k->patient, "a", "new key");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(w.version, 2);
    kit_reopen(k);
    assert_true(med_str_eqz(kit_note(k, k->patient, "a"), "new key"));
    kit_close(k);
    write_file(path, key, 0600); /* the second key is lost: its rows are not trusted */
    kit_open(k);
    med_view *v = kit_view(k);
    med_stored stored;
    med_err err;
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FAILED);
    assert_int_equal(med_view_version(v, k->arena, k->patient, MED_STR("a"), 1, &stored, &err),
                     MED_FOUND);
    med_view_end(v);
}

static void versions_with_the_race_are_known(void **state)
{
    (void)state;
    static const int with[] = {3007000, 3040001, 3044005, 3045000, 3050006, 3051000, 3051002};
    static const int without[] = {3044006, 3044007, 3050007, 3051003, 3053000};
    for (size_t i = 0; i < COUNT(with); i++)
        assert_true(med_sqlite_has_wal_race(with[i]));
    for (size_t i = 0; i < COUNT(without); i++)
        assert_false(med_sqlite_has_wal_race(without[i]));
}

/* ---- verify, backup, damage ---- */

struct faults {
    unsigned n;
    char last[200];
};

static void note_fault(void *arg, const char *kind, med_str where, const char *what)
{
    struct faults *f = arg;
    f->n++;
    (void)snprintf(f->last, sizeof f->last, "%s: %.*s: %s", kind, MED_STR_ARG(where), what);
}

static unsigned verify(struct kit *k, struct faults *f)
{
    med_err err = {0};
    *f = (struct faults){0};
    med_verify v = {.fault = note_fault, .arg = f};
    if (!med_store_verify(k->store, &v, &err))
        fail_msg("%s", err.text);
    assert_int_equal(v.faults, f->n);
    return f->n;
}

static void busy(struct kit *k)
{
    fill(k, 30);
    for (int i = 0; i < 10; i++) {
        med_str id = med_arena_printf(k->arena, "o%d", i);
        med_write w = i % 3 == 0 ? kit_delete(k, MED_WRITE_DELETE, k->observation, id.ptr)
                                 : kit_observation(k, id.ptr, "changed", "p1", "c5", i, i);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
    med_write w = kit_delete(k, MED_WRITE_PURGE, k->observation, "o20");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static void a_sound_store_has_no_faults(void **state)
{
    struct kit *k = *state;
    struct faults f;
    assert_int_equal(verify(k, &f), 0);
    busy(k);
    if (verify(k, &f) != 0)
        fail_msg("%u faults, the last: %s", f.n, f.last);
}

/* Each look at the clock takes 15 seconds: no page comes further than a row, many not that far. */
static void verify_gets_on_where_all_is_slow(void **state)
{
    struct kit *k = *state;
    struct faults f;
    busy(k);
    k->look = INT64_C(15000000);
    assert_int_equal(verify(k, &f), 0);
    k->look = 0;
}

/* The check of all pages takes three looks at the clock, and is tried six times; what comes after
 * it may be late four times, and the commit thread look now and then. */
static _Atomic int slow_looks;
static _Atomic int64_t late;
static int64_t slow_at_first(void *self)
{
    (void)self;
    if (atomic_fetch_sub(&slow_looks, 1) > 0)
        atomic_fetch_add(&late, INT64_C(2000000000));
    return med_monotonic(&med_clock_system) + late;
}

static void verify_says_that_it_could_not_check_all_pages(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    med_err err = {0};
    struct faults f = {0};
    med_verify v = {.fault = note_fault, .arg = &f};
    busy(k);
    slow_looks = 6 * 3 + 4 * 3;
    k->clock.monotonic = slow_at_first;
    if (!med_store_verify(k->store, &v, &err))
        fail_msg("%s", err.text);
    assert_true(v.structure_unchecked);
    assert_int_equal(v.faults, 0);
    assert_true(v.versions > 0); /* the rest was done */
    slow_looks = 0;
    assert_true(med_store_verify(k->store, &v, &err));
    assert_false(v.structure_unchecked);
}

static void verify_finds_what_was_tampered_with(void **state)
{
    struct kit *k = *state;
#define SOME_RID "(SELECT rid FROM resource ORDER BY rid LIMIT 1 OFFSET 4)"
    static const struct {
        const char *sql, *undo, *postgres; /* NULL: the same */
    } rows[] = {
        {"UPDATE resource SET updated = updated + 1 WHERE rid = " SOME_RID,
         "UPDATE resource SET updated = updated - 1 WHERE rid = " SOME_RID, NULL},
        {"UPDATE resource SET version = version + 1 WHERE rid = " SOME_RID,
         "UPDATE resource SET version = version - 1 WHERE rid = " SOME_RID, NULL},
        {"UPDATE version SET change = 3 - change", "UPDATE version SET change = 3 - change", NULL},
        {"UPDATE ident SET rid = rid + 1 WHERE rid = " SOME_RID, NULL, NULL},
        {"INSERT INTO token VALUES (1, 5, 7)", "DELETE FROM token WHERE hash = 5",
         "INSERT INTO token (param, hash, rid, shard) VALUES (1, 5, 7, 7)"},
        {"INSERT INTO updated VALUES (2, 5, 7)", "DELETE FROM updated WHERE updated = 5",
         "INSERT INTO updated (type, updated, rid, shard) VALUES (2, 5, 7, 7)"},
        {"INSERT INTO string VALUES (1, 'zzz', 7)", "DELETE FROM string WHERE folded = 'zzz'",
         "INSERT INTO string (param, folded, rid, shard) VALUES (1, 'zzz', 7, 7)"},
        {"UPDATE counter SET n = n + 1", "UPDATE counter SET n = n - 1", NULL},
        {"DELETE FROM feed WHERE t = 3", NULL, NULL},
        {"DELETE FROM quantity WHERE low = 15", NULL, NULL},
        {"DELETE FROM version", NULL, NULL},
    };
    busy(k);
    struct faults f;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned before = verify(k, &f);
        kit_close(k);
        run_sql(k, k->postgres && rows[i].postgres != NULL ? rows[i].postgres : rows[i].sql);
        kit_open(k);
        if (verify(k, &f) <= before)
            fail_msg("not found: %s", rows[i].sql);
        kit_close(k);
        if (rows[i].undo != NULL)
            run_sql(k, rows[i].undo);
        kit_open(k);
    }
}

/* A new file of `directory`, which is made when it is not there. */
static int new_file(struct kit *k, const char *directory, const char *name)
{
    (void)mkdir(directory, 0700);
    int fd = open(med_arena_printf(k->arena, "%s/%s", directory, name).ptr,
                  O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void a_backup_is_a_store(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    busy(k);
    char to[80];
    med_err err = {0};
    (void)snprintf(to, sizeof to, "%s/backup", k->dir);
    int file = new_file(k, to, "medulla.db");
    int key = new_file(k, to, "key");
    if (!med_store_backup(k->store, file, key, NULL, NULL, &err))
        fail_msg("%s", err.text);
    assert_false(med_store_backup(k->store, file, key, NULL, NULL, &err));
    assert_int_equal(err.issue, MED_ISSUE_DUPLICATE);
    (void)close(file);
    (void)close(key);
    med_write w = kit_put(k, k->patient, "later", "x");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    kit_close(k);

    k->options.data = med_str_from(to);
    k->options.create = false;
    kit_open(k);
    struct faults f;
    assert_int_equal(verify(k, &f), 0);
    assert_true(med_str_eqz(kit_note(k, k->observation, "o4"), "changed"));
    assert_int_equal(kit_note(k, k->patient, "later").len, 0);
    w = kit_put(k, k->patient, "new", "x"); /* and can go on */
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static bool stop_at_once(void *arg, uint64_t done, uint64_t total)
{
    (void)total;
    *(uint64_t *)arg += done > 0;
    return false;
}

static void long_work_stops_when_asked(void **state)
{
    struct kit *k = *state;
    busy(k);
    char to[80];
    med_err err = {0};
    uint64_t told = 0;
    (void)snprintf(to, sizeof to, "%s/backup", k->dir);
    uint64_t seed = 1;
    for (int i = 0; i < 1500; i++) { /* more pages than one step copies */
        char note[4000] = {0};
        for (size_t at = 0; at < sizeof note - 1; at++) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            note[at] = (char)('a' + (seed >> 33) % 26);
        }
        med_write w = kit_put(k, k->patient, med_arena_printf(k->arena, "big%d", i).ptr, note);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
    int file = k->postgres ? -1 : new_file(k, to, "medulla.db");
    assert_false(med_store_backup(k->store, file, -1, stop_at_once, &told, &err));
    assert_int_equal(err.issue, k->postgres ? MED_ISSUE_NOT_SUPPORTED : MED_ISSUE_INCOMPLETE);
    assert_int_equal(told, k->postgres ? 0 : 1);
    if (file >= 0)
        (void)close(file);
    med_verify v = {.progress = stop_at_once, .arg = &told};
    assert_false(med_store_verify(k->store, &v, &err));
    assert_int_equal(err.issue, MED_ISSUE_INCOMPLETE);
    med_write w = kit_put(k, k->patient, "after", "x"); /* and the store goes on */
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static void without_its_key_a_backup_stays_shut(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    fill(k, 5);
    char to[80];
    med_err err = {0};
    (void)snprintf(to, sizeof to, "%s/backup", k->dir);
    int file = new_file(k, to, "medulla.db");
    assert_true(med_store_backup(k->store, file, -1, NULL, NULL, &err));
    (void)close(file);
    const char *key = file_in(k, "key");
    med_str bytes = read_file(k, key);
    kit_close(k);
    k->options.data = med_str_from(to);
    assert_null(try_open(k, &err));
    assert_int_equal(err.issue, MED_ISSUE_SECURITY);
    write_file(med_arena_printf(k->arena, "%s/key", to).ptr, bytes, 0600);
    kit_open(k);
}

static void flip(const char *path, off_t byte, unsigned bit)
{
    int fd = open(path, O_RDWR);
    unsigned char c = 0;
    assert_int_equal(pread(fd, &c, 1, byte), 1);
    c ^= (unsigned char)(1U << bit);
    assert_int_equal(pwrite(fd, &c, 1, byte), 1);
    (void)close(fd);
}

/* One flipped bit in each of 100 stored bodies, ten times over. */
static void every_flipped_bit_is_found(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    enum { BODIES = 100, ROUNDS = 10 };
    fill(k, BODIES);
    off_t at[BODIES];
    size_t len[BODIES];
    for (int i = 0; i < BODIES; i++) { /* the same text packs to the same bytes */
        med_write w =
            kit_put(k, k->observation, med_arena_printf(k->arena, "o%d", i).ptr,
                    med_arena_printf(k->arena, "a note %d with some words", i * 7919).ptr);
        at[i] = (off_t)(uintptr_t)w.packed.ptr;
        len[i] = w.packed.len;
    }
    kit_close(k);
    const char *path = file_in(k, "medulla.db");
    med_str file = read_file(k, path);
    for (int i = 0; i < BODIES; i++) {
        med_str packed = {(const char *)(uintptr_t)at[i], len[i]};
        at[i] = (off_t)med_str_search(file, packed, 0);
        assert_true((size_t)at[i] < file.len);
    }
    unsigned found = 0;
    uint64_t seed = 4711;
    off_t byte[BODIES];
    unsigned bit[BODIES];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BODIES; i++) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            byte[i] = at[i] + (off_t)((seed >> 33) % len[i]);
            bit[i] = (unsigned)(seed >> 29) & 7;
            flip(path, byte[i], bit[i]);
        }
        kit_open(k);
        med_view *v = kit_view(k);
        for (int i = 0; i < BODIES; i++) {
            med_stored stored;
            med_err err;
            med_str id = med_arena_printf(k->arena, "o%d", i);
            if (med_view_read(v, k->arena, k->observation, id, &stored, &err) == MED_FAILED) {
                assert_int_equal(err.issue, MED_ISSUE_EXCEPTION);
                found++;
            }
        }
        med_view_end(v);
        med_store_stats stats;
        med_store_count(k->store, &stats);
        assert_int_equal(stats.damaged, BODIES);
        kit_close(k);
        for (int i = 0; i < BODIES; i++)
            flip(path, byte[i], bit[i]);
    }
    print_message("D05: %u of %u flipped bits found\n", found, BODIES * ROUNDS);
    assert_int_equal(found, BODIES * ROUNDS);
    kit_open(k);
    struct faults f;
    assert_int_equal(verify(k, &f), 0);
}

/* ---- purge ---- */

static bool file_holds(struct kit *k, const char *name, med_str what)
{
    struct stat info;
    const char *path = file_in(k, name);
    if (stat(path, &info) != 0 || info.st_size == 0)
        return false;
    med_str file = read_file(k, path);
    return med_str_search(file, what, 0) < file.len;
}

static void a_purge_leaves_nothing(void **state)
{
    struct kit *k = *state;
    fill(k, 40);
    char big[200001];
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof big - 1; i++) {
        seed = seed * 6364136223846793005U + 1;
        big[i] = (char)('a' + (seed >> 60));
    }
    big[sizeof big - 1] = '\0';
    med_write w[3] = {
        kit_observation(k, "secret", "first-secret-words", "p0", "c0", 5, 123.25),
        kit_observation(k, "secret", "second-secret-words", "p0", "c0", 5, 123.25),
        kit_put(k, k->observation, "secret", big),
    };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(kit_commit_one(k, &w[i]), MED_COMMIT_DONE);
    med_rid rid = w[0].rid;
    med_write gone = kit_delete(k, MED_WRITE_PURGE, k->observation, "secret");
    assert_int_equal(kit_commit_one(k, &gone), MED_COMMIT_DONE);
    assert_int_equal(gone.outcome, MED_OUTCOME_DELETED);
    assert_int_equal(kit_note(k, k->observation, "secret").len, 0);
    assert_int_equal(kit_rid(k, "Observation", "secret"), 0);
    med_view *v = kit_view(k);
    med_err err;
    med_stored *all = NULL;
    size_t n = 0;
    med_history q = {.since = MED_TIME_MIN, .until = MED_TIME_MAX, .limit = 1000};
    assert_true(med_view_history(v, k->arena, &q, &all, &n, &err));
    assert_int_equal(n, 40);
    q.rid = rid;
    assert_true(med_view_history(v, k->arena, &q, &all, &n, &err));
    assert_int_equal(n, 0);
    uint64_t count = 0;
    q.rid = 0;
    assert_true(med_view_history_count(v, &q, &count, &err));
    assert_int_equal(count, 40);
    med_view_end(v);
    static const char *const files[] = {"medulla.db", "medulla.db-wal"};
    /* PostgreSQL keeps dead rows until VACUUM: docs/operations.md says what else to do */
    for (size_t i = 0; !k->postgres && i < COUNT(files); i++) {
        for (size_t k2 = 0; k2 < 3; k2++) {
            med_str piece = med_str_sub(w[k2].packed, 20, 60);
            if (file_holds(k, files[i], piece))
                fail_msg("%s still holds version %zu", files[i], k2 + 1);
        }
        assert_false(file_holds(k, files[i], MED_STR("secret-words")));
    }
    struct faults f;
    if (verify(k, &f) != 0)
        fail_msg("%u faults, the last: %s", f.n, f.last);
    w[0] = kit_put(k, k->observation, "secret", "born again");
    assert_int_equal(kit_commit_one(k, &w[0]), MED_COMMIT_DONE);
    assert_int_equal(w[0].version, 1);
    assert_int_equal(verify(k, &f), 0);
}

static void what_is_referred_to_keeps_its_number(void **state)
{
    struct kit *k = *state;
    med_write w = kit_put(k, k->patient, "p0", "x");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    fill(k, 4);
    med_write gone = kit_delete(k, MED_WRITE_PURGE, k->patient, "p0");
    assert_int_equal(kit_commit_one(k, &gone), MED_COMMIT_DONE);
    assert_int_equal(kit_rid(k, "Patient", "p0"), w.rid);
    med_write again = kit_put(k, k->patient, "p0", "y");
    assert_int_equal(kit_commit_one(k, &again), MED_COMMIT_DONE);
    assert_int_equal(again.rid, w.rid);
    med_view *v = kit_view(k);
    med_rid *referrers = NULL;
    size_t n = 0;
    med_err err;
    assert_true(med_view_referrers(v, k->arena, w.rid, 10, &referrers, &n, &err));
    assert_int_equal(n, 2);
    med_view_end(v);
    struct faults f;
    assert_int_equal(verify(k, &f), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_ours_alone),
        TEST(a_second_process_is_told_who_has_it),
        TEST(a_killed_owner_leaves_no_lock),
        TEST(nothing_is_made_without_leave),
        TEST(a_newer_format_is_refused_untouched),
        TEST(another_program_s_file_is_refused),
        TEST(the_key_is_guarded),
        TEST(keys_are_rotated_by_adding_one),
        TEST(versions_with_the_race_are_known),
        TEST(a_sound_store_has_no_faults),
        TEST(verify_gets_on_where_all_is_slow),
        TEST(verify_says_that_it_could_not_check_all_pages),
        TEST(verify_finds_what_was_tampered_with),
        TEST(a_backup_is_a_store),
        TEST(long_work_stops_when_asked),
        TEST(without_its_key_a_backup_stays_shut),
        TEST(every_flipped_bit_is_found),
        TEST(a_purge_leaves_nothing),
        TEST(what_is_referred_to_keeps_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
