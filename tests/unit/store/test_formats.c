/* Stores of every earlier format, kept in tests/data/stores, open and hold what they held.
 *
 * MEDULLA_KEEP_STORE=DIRECTORY makes a new one to keep: run this when the format changes, and
 * put DIRECTORY/medulla.db (packed with zstd) and DIRECTORY/key into tests/data/stores/format-N. */
#include "kit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { KEPT = 30 };

static const med_dictionary dictionary = {
    7, MED_LIT("Observation"),
    MED_LIT("{\"resourceType\":\"Observation\",\"id\":\"o\",\"note\":\"kept since format 1\"}")};

static med_str note_of(struct kit *k, int i, int version)
{
    return med_arena_printf(k->arena, "kept %d, version %d", i, version);
}

/* Observations o0..o29 with one to three versions; every seventh is deleted at the end. */
static void fill(struct kit *k)
{
    med_write p = kit_put(k, k->patient, "p", "the patient");
    assert_int_equal(kit_commit_one(k, &p), MED_COMMIT_DONE);
    for (int i = 0; i < KEPT; i++) {
        med_str id = med_arena_printf(k->arena, "o%d", i);
        for (int version = 1; version <= 1 + i % 3; version++) {
            med_write w = kit_observation(k, id.ptr, note_of(k, i, version).ptr, "p",
                                          i % 2 ? "odd" : "even", i * INT64_C(1000000), i);
            assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
        }
        med_write gone = kit_delete(k, MED_WRITE_DELETE, k->observation, id.ptr);
        if (i % 7 == 6)
            assert_int_equal(kit_commit_one(k, &gone), MED_COMMIT_DONE);
    }
}

/* Since format 5: a long base64 value, which is kept beside its two holders. */
enum { PARTS_SINCE = 5, LONG = 8000 };
static const char *long_value(struct kit *k)
{
    char *to = MED_TAKE(k->arena, LONG + 1, char);
    for (size_t i = 0; i < LONG; i++)
        to[i] = "medulla+/KEPT518"[(i * i + i / 7) % 16];
    return to;
}

static void fill_parts(struct kit *k)
{
    for (int i = 0; i < 2; i++) {
        med_write w = kit_put(k, k->patient, i == 0 ? "long" : "too", long_value(k));
        assert_int_equal(w.n_parts, 1);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
}

static void check_parts(struct kit *k)
{
    med_err err = {0};
    med_verify verify = {0};
    assert_true(med_str_eqz(kit_note(k, k->patient, "long"), long_value(k)));
    assert_true(med_str_eqz(kit_note(k, k->patient, "too"), long_value(k)));
    assert_true(med_store_verify(k->store, &verify, &err));
    assert_int_equal(verify.parts, 1);
}

static void check(struct kit *k)
{
    size_t live = 0;
    for (int i = 0; i < KEPT; i++) {
        med_str id = med_arena_printf(k->arena, "o%d", i);
        med_view *v = kit_view(k);
        med_stored stored;
        med_err err;
        enum med_found found = med_view_read(v, k->arena, k->observation, id, &stored, &err);
        assert_int_equal(found, MED_FOUND);
        assert_int_equal(stored.version, 1 + i % 3 + (i % 7 == 6));
        assert_int_equal(stored.change == MED_DELETED, i % 7 == 6);
        live += i % 7 != 6;
        found = med_view_version(v, k->arena, k->observation, id, 1, &stored, &err);
        assert_int_equal(found, MED_FOUND);
        med_str text = kit_text(k, k->observation, id.ptr, note_of(k, i, 1).ptr);
        assert_true(med_str_eq(stored.text, text));
        med_view_end(v);
    }
    med_scan all = {.index = MED_INDEX_PATIENT,
                    .type = k->observation,
                    .key = kit_rid(k, "Patient", "p"),
                    .low_int = INT64_MIN,
                    .high_int = INT64_MAX};
    assert_int_equal(kit_scan(k, &all, NULL, 0), live);
    med_err err = {0};
    med_verify verify = {0};
    assert_true(med_store_verify(k->store, &verify, &err));
    assert_int_equal(verify.faults, 0);
}

static med_str read_whole(struct kit *k, const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0)
        fail_msg("%s is missing", path);
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

static void write_whole(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    (void)close(fd);
}

static const char *source(void)
{
    const char *root = getenv("MEDULLA_SOURCE");
    return root != NULL ? root : ".";
}

static void unpack(struct kit *k, unsigned format)
{
    char path[400];
    char to[80];
    (void)snprintf(path, sizeof path, "%s/tests/data/stores/format-%u/medulla.db.zst", source(),
                   format);
    med_str packed = read_whole(k, path);
    size_t size = (size_t)ZSTD_getFrameContentSize(packed.ptr, packed.len);
    char *bytes = MED_TAKE(k->arena, size, char);
    assert_int_equal(ZSTD_decompress(bytes, size, packed.ptr, packed.len), size);
    (void)snprintf(k->path, sizeof k->path, "%s/kept-%u", k->dir, format);
    assert_int_equal(mkdir(k->path, 0700), 0);
    (void)snprintf(to, sizeof to, "%s/medulla.db", k->path);
    write_whole(to, bytes, size);
    (void)snprintf(path, sizeof path, "%s/tests/data/stores/format-%u/key", source(), format);
    med_str key = read_whole(k, path);
    (void)snprintf(to, sizeof to, "%s/key", k->path);
    write_whole(to, key.ptr, key.len);
}

static int setup_with_dictionary(void **state)
{
    if (kit_setup(state) != 0)
        return 1;
    struct kit *k = *state;
    kit_close(k);
    k->options.dictionaries = &dictionary;
    k->options.n_dictionaries = 1;
    return 0;
}

static void every_earlier_format_opens(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    for (unsigned format = 1; format <= MED_SQLITE_FORMAT; format++) {
        unpack(k, format);
        unsigned found = 0;
        med_err err = {0};
        if (!med_sqlite_format(med_str_from(k->path), &found, &err))
            fail_msg("%s", err.text);
        assert_int_equal(found, format);
        k->options.create = false;
        k->options.upgrade = true;
        k->options.data = med_str_from(k->path);
        kit_open(k);
        check(k);
        if (format < PARTS_SINCE)
            fill_parts(k);
        check_parts(k);
        med_write w = kit_put(k, k->patient, "new", "x");
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
        kit_reopen(k);
        check(k);
        kit_close(k);
        assert_true(med_sqlite_format(med_str_from(k->path), &found, &err));
        assert_int_equal(found, MED_SQLITE_FORMAT);
    }
}

/* ---- upgrade ---- */

static const char *const good_steps[] = {"CREATE TABLE later (x); INSERT INTO later VALUES (1)",
                                         "ALTER TABLE later ADD COLUMN y"};
static const char *const bad_steps[] = {"DELETE FROM resource; CREATE TABLE later (x)",
                                        "CREATE TABLE feed (x)"};

/* A store of today, and a program that knows two formats more. */
static void prepare_upgrade(struct kit *k, const char *const *steps)
{
    kit_open(k);
    fill(k);
    kit_close(k);
    k->options.create = false;
    k->options.further = steps;
    k->options.n_further = 2;
}

static unsigned format_of(const char *path)
{
    unsigned format = 0;
    med_err err = {0};
    if (!med_sqlite_format(med_str_from(path), &format, &err))
        fail_msg("%s", err.text);
    return format;
}

static void an_older_format_is_refused_and_upgraded(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    med_err err = {0};
    med_sqlite_upgrade done;
    char copy[100];
    prepare_upgrade(k, good_steps);
    assert_null(med_sqlite_open(&k->options, &err));
    assert_int_equal(err.issue, MED_ISSUE_EXPIRED);
    assert_non_null(strstr(err.text, "medulla upgrade"));
    assert_int_equal(format_of(k->path), MED_SQLITE_FORMAT);

    (void)snprintf(copy, sizeof copy, "%s/copy", k->dir);
    if (!med_sqlite_upgrade_run(&k->options, med_str_from(copy), &done, &err))
        fail_msg("%s", err.text);
    assert_int_equal(done.from, MED_SQLITE_FORMAT);
    assert_int_equal(done.to, MED_SQLITE_FORMAT + 2);
    assert_int_equal(format_of(k->path), MED_SQLITE_FORMAT + 2);
    kit_open(k);
    check(k);
    kit_close(k);

    assert_false(med_sqlite_upgrade_run(&k->options, med_str_from("/nowhere"), &done, &err));
    assert_int_equal(err.issue, MED_ISSUE_INFORMATIONAL);
    k->options.n_further = 0; /* the program of before: refused, but its copy is good */
    assert_false(med_sqlite_upgrade_run(&k->options, med_str_from("/nowhere"), &done, &err));
    assert_int_equal(err.issue, MED_ISSUE_NOT_SUPPORTED);
    assert_null(med_sqlite_open(&k->options, &err));
    k->options.data = med_str_from(copy);
    kit_open(k);
    check(k);
}

static void an_upgrade_that_fails_changes_nothing(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    med_err err = {0};
    med_sqlite_upgrade done;
    char copy[100];
    prepare_upgrade(k, bad_steps);
    (void)snprintf(copy, sizeof copy, "%s/copy", k->dir);
    assert_false(med_sqlite_upgrade_run(&k->options, med_str_from(copy), &done, &err));
    assert_true(done.unchanged);
    assert_int_equal(format_of(k->path), MED_SQLITE_FORMAT);
    k->options.n_further = 0;
    kit_open(k); /* what the first step deleted is there */
    check(k);
    med_write w = kit_put(k, k->patient, "new", "x");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    kit_reopen(k);
    check(k);
}

static void an_upgrade_needs_the_store_alone(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    med_err err = {0};
    med_sqlite_upgrade done;
    kit_open(k);
    k->options.further = good_steps;
    k->options.n_further = 2;
    assert_false(med_sqlite_upgrade_run(&k->options, med_str_from("/nowhere"), &done, &err));
    assert_int_equal(err.issue, MED_ISSUE_LOCK_ERROR);
}

static void what_is_kept_is_what_is_written_today(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    const char *keep = getenv("MEDULLA_KEEP_STORE");
    if (keep != NULL)
        k->options.data = med_str_from(keep);
    kit_open(k);
    fill(k);
    fill_parts(k);
    check(k);
    kit_reopen(k);
    check(k);
    check_parts(k);
}

static void a_changed_dictionary_is_refused(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    kit_open(k);
    fill(k);
    kit_close(k);
    static const med_dictionary other = {7, MED_LIT("Observation"), MED_LIT("other bytes")};
    static const med_dictionary both[] = {
        {7, MED_LIT("Observation"),
         MED_LIT(
             "{\"resourceType\":\"Observation\",\"id\":\"o\",\"note\":\"kept since format 1\"}")},
        {8, MED_LIT("Observation"), MED_LIT("{\"resourceType\":\"Observation\",\"id\":\"")}};
    med_err err = {0};
    k->options.dictionaries = &other;
    assert_null(med_sqlite_open(&k->options, &err));
    assert_int_equal(err.issue, MED_ISSUE_NOT_SUPPORTED);
    assert_non_null(strstr(err.text, "dictionary 7"));
    k->options.dictionaries = both; /* a newer one beside it is how it is done */
    k->options.n_dictionaries = 2;
    kit_open(k);
    check(k);
    med_write w = kit_put(k, k->observation, "o1", "packed with the newer");
    assert_int_equal(w.dictionary, 8);
    kit_close(k);
    k->options.n_dictionaries = 1; /* without it the rows can not be read */
    assert_null(med_sqlite_open(&k->options, &err));
    assert_int_equal(err.issue, MED_ISSUE_NOT_SUPPORTED);
    k->options.n_dictionaries = 2;
    kit_open(k);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_with_dictionary, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_earlier_format_opens),
        TEST(an_older_format_is_refused_and_upgraded),
        TEST(an_upgrade_that_fails_changes_nothing),
        TEST(an_upgrade_needs_the_store_alone),
        TEST(what_is_kept_is_what_is_written_today),
        TEST(a_changed_dictionary_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
