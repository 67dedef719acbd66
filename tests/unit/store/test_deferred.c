/* Index rows that wait in memory: searches see them as if they were in their tables, in every
 * order and between pages; a snapshot stays what it was; a crash loses none. */
#include "kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum { MANY = 120 };

static int setup(void **state)
{
    if (kit_setup(state) != 0)
        return 1;
    struct kit *k = *state;
    if (k->postgres)
        return 0;
    k->options.deferred = 1000000; /* merged only when nothing else is to be done */
    kit_reopen(k);
    return 0;
}

static void put(struct kit *k, int i, int version)
{
    med_str id = med_arena_printf(k->arena, "o%d", i);
    med_str note = med_arena_printf(k->arena, "note %d", (i * 7 + version * 31) % 50);
    med_write w = kit_observation(k, id.ptr, note.ptr, i % 3 == 0 ? "p" : "q",
                                  (i + version) % 2 == 0 ? "even" : "odd",
                                  ((i + version * 5) % 40) * INT64_C(1000000), i % 9 - version);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static void drop(struct kit *k, int i)
{
    med_str id = med_arena_printf(k->arena, "o%d", i);
    med_write w = kit_delete(k, MED_WRITE_DELETE, k->observation, id.ptr);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static void add_patients(struct kit *k)
{
    for (int i = 0; i < 2; i++) {
        med_write p = kit_put(k, k->patient, i == 0 ? "p" : "q", "a patient");
        assert_int_equal(kit_commit_one(k, &p), MED_COMMIT_DONE);
    }
}

static void verify(struct kit *k)
{
    med_err err = {0};
    med_verify v = {0};
    if (!med_store_verify(k->store, &v, &err))
        fail_msg("%s", err.text);
    assert_int_equal(v.faults, 0);
}

/* Some in the tables, some deferred; some changed and gone in both. */
static void fill(struct kit *k)
{
    add_patients(k);
    for (int i = 0; i < MANY / 2; i++)
        put(k, i, 1);
    verify(k); /* merges them */
    for (int i = 0; i < MANY; i++) {
        if (i >= MANY / 2 || i % 4 == 1)
            put(k, i, i < MANY / 2 ? 2 : 1);
    }
    for (int i = 0; i < MANY; i += 5)
        drop(k, i);
    for (int i = 0; i < MANY; i += 10)
        put(k, i, 3);
}

static void list_one(med_view *v, const med_scan *scan, size_t page, med_buf *out)
{
    med_err err = {0};
    med_scan q = *scan;
    char text[200];
    for (bool more = true; more;) {
        more = false;
        med_cursor *c = med_view_scan(v, &q, &err);
        assert_non_null(c);
        med_hit hit;
        enum med_found found = MED_FOUND;
        for (size_t n = 0; n < page && (found = med_cursor_next(c, &hit, &err)) == MED_FOUND; n++) {
            med_buf_printf(out, "%llu %lld %lld %g %g %.*s\n", (unsigned long long)hit.rid,
                           (long long)hit.value, (long long)hit.value_high, hit.real, hit.real_high,
                           MED_STR_ARG(hit.text));
            q.after_rid = hit.rid;
            q.after_int = hit.value;
            q.after_real = hit.real;
            assert_true(hit.text.len < sizeof text);
            memcpy(text, hit.text.ptr, hit.text.len);
            q.after_text = (med_str){text, hit.text.len};
            more = n + 1 == page;
        }
        assert_int_not_equal(found, MED_FAILED);
        med_cursor_close(c);
    }
}

/* All that can be asked of a store, up and down, `page` hits at a time. */
static void list_all(struct kit *k, med_view *v, size_t page, med_buf *out)
{
    med_err err = {0};
    med_rid p = 0;
    assert_true(
        med_view_rid(v, med_store_ident(k->store, MED_STR("Patient"), MED_STR("p")), &p, &err));
    const med_scan scans[] = {
        {.index = MED_INDEX_TOKEN, .param = k->code, .key = kit_hash(k, "even")},
        {.index = MED_INDEX_REFERENCE, .param = k->subject, .key = p},
        {.index = MED_INDEX_DATE, .param = k->date, .low_int = 3000000, .high_int = 30000000},
        {.index = MED_INDEX_STRING, .param = k->name, .low_text = MED_LIT("note 2")},
        {.index = MED_INDEX_STRING,
         .param = k->name,
         .low_text = MED_LIT("note 12"),
         .high_text = MED_LIT("note 4")},
        {.index = MED_INDEX_QUANTITY, .param = k->value, .key = 77, .low_real = -2, .high_real = 5},
        {.index = MED_INDEX_URI, .param = k->url, .low_text = MED_LIT("")},
        {.index = MED_INDEX_UPDATED, .param = k->observation, .high_int = INT64_MAX},
        {.index = MED_INDEX_PATIENT, .key = p, .type = k->observation, .high_int = 20000000},
        {.index = MED_INDEX_PATIENT, .key = p, .low_int = 5000000, .high_int = INT64_MAX},
        {.index = MED_INDEX_PATIENT_TOKEN,
         .key = p,
         .param = k->code,
         .key2 = kit_hash(k, "odd"),
         .low_int = INT64_MIN,
         .high_int = INT64_MAX},
    };
    for (size_t i = 0; i < COUNT(scans) * 2; i++) {
        med_scan q = scans[i / 2];
        q.descending = i % 2 == 1;
        q.low_text = q.low_text.ptr == NULL ? MED_STR_EMPTY : q.low_text;
        q.high_text = q.high_text.ptr == NULL ? MED_STR_EMPTY : q.high_text;
        med_buf_printf(out, "scan %zu\n", i);
        list_one(v, &q, page, out);
    }
    med_rid *referrers = NULL;
    size_t n = 0;
    uint64_t count = 0;
    assert_true(med_view_referrers(v, k->arena, p, 1000, &referrers, &n, &err));
    assert_true(med_view_count_token(v, k->code, kit_hash(k, "even"), &count, &err));
    med_buf_printf(out, "%zu refer, %llu even\n", n, (unsigned long long)count);
    for (int i = 0; i < MANY; i++) {
        med_stored stored;
        med_str id = med_arena_printf(k->arena, "o%d", i);
        enum med_found found = med_view_read(v, k->arena, k->observation, id, &stored, &err);
        bool has = false;
        if (found == MED_FOUND)
            assert_true(med_view_probe(v, MED_INDEX_TOKEN, k->code, kit_hash(k, "odd"), stored.rid,
                                       &has, &err));
        med_buf_printf(out, "%d %d %u %d\n", i, found, found == MED_FOUND ? stored.version : 0,
                       has);
    }
    assert_false(out->failed);
}

static med_str listing(struct kit *k, med_view *v, size_t page)
{
    med_buf out;
    med_str copy;
    med_buf_init(&out, 64 << 20);
    list_all(k, v, page, &out);
    assert_true(med_arena_copy(k->arena, med_buf_str(&out), &copy));
    med_buf_free(&out);
    return copy;
}

static med_str listing_now(struct kit *k, size_t page)
{
    med_view *v = kit_view(k);
    med_str list = listing(k, v, page);
    med_view_end(v);
    return list;
}

static void deferred_rows_are_found_like_others(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_str whole = listing_now(k, 1000);
    med_str paged = listing_now(k, 7);
    assert_string_equal(whole.ptr, paged.ptr);
    verify(k); /* merges */
    assert_string_equal(listing_now(k, 1000).ptr, whole.ptr);
    assert_string_equal(listing_now(k, 3).ptr, whole.ptr);
}

static void a_snapshot_stays_what_it_was(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_view *v = kit_view(k);
    med_str before = listing(k, v, 1000);
    for (int i = 0; i < MANY; i += 3)
        put(k, i, 4);
    assert_string_equal(listing(k, v, 5).ptr, before.ptr);
    verify(k);
    assert_string_equal(listing(k, v, 1000).ptr, before.ptr);
    for (int i = 0; i < MANY; i += 4)
        drop(k, i);
    assert_string_equal(listing(k, v, 1000).ptr, before.ptr);
    med_view_end(v);
    assert_string_not_equal(listing_now(k, 1000).ptr, before.ptr);
}

/* ---- readers beside a writer ---- */

struct reading {
    struct kit *k;
    unsigned slot;
    atomic_bool *over;
    uint64_t views;
    bool differs;
};

static uint64_t count_hits(med_view *v, const med_scan *q)
{
    med_err err = {0};
    med_hit hit;
    uint64_t n = 0;
    med_cursor *c = med_view_scan(v, q, &err);
    while (c != NULL && med_cursor_next(c, &hit, &err) == MED_FOUND)
        n++;
    med_cursor_close(c);
    return n;
}

/* Counters are never deferred: in each snapshot they tell how many rows there must be. */
static void *read_on(void *arg)
{
    struct reading *r = arg;
    struct kit *k = r->k;
    const uint64_t even = kit_hash(k, "even");
    while (!atomic_load(r->over) && !r->differs) {
        med_err err = {0};
        uint64_t tokens = 0;
        uint64_t resources = 0;
        med_scan by_code = {.index = MED_INDEX_TOKEN, .param = k->code, .key = even};
        med_scan by_time = {
            .index = MED_INDEX_UPDATED, .param = k->observation, .high_int = INT64_MAX};
        by_code.low_text = by_code.high_text = MED_STR_EMPTY;
        by_time.low_text = by_time.high_text = MED_STR_EMPTY;
        by_time.descending = r->views++ % 2 == 0;
        med_view *v =
            med_store_view(k->store, r->slot, med_monotonic(&med_clock_system) + 600000000, &err);
        if (v == NULL)
            break;
        uint64_t hits = count_hits(v, &by_code);
        r->differs = !med_view_count_token(v, k->code, even, &tokens, &err)
                     || !med_view_count_type(v, k->observation, &resources, &err) || hits != tokens
                     || count_hits(v, &by_time) != resources || count_hits(v, &by_code) != tokens;
        med_view_end(v);
    }
    return NULL;
}

static void readers_see_whole_commits(void **state)
{
    struct kit *k = *state;
    enum { READERS = 2, COMMITS = 1500 };
    if (!k->postgres) {
        k->options.deferred = 400;
        kit_reopen(k);
    }
    add_patients(k);
    atomic_bool over = false;
    pthread_t threads[READERS];
    struct reading readings[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        readings[i] = (struct reading){.k = k, .slot = i + 1, .over = &over};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readings[i]), 0);
    }
    for (int i = 0; i < COMMITS; i++) {
        if (i % 7 == 3)
            drop(k, (i / 2) % MANY);
        else
            put(k, i % MANY, i / MANY);
        if (i % 500 == 250)
            verify(k);
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(readings[i].differs);
        assert_true(readings[i].views > 0);
    }
    verify(k);
}

/* ---- crashes ---- */

static void copy_file(const char *from, const char *to)
{
    char bytes[1 << 16];
    int in = open(from, O_RDONLY);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t n = 0; (n = read(in, bytes, sizeof bytes)) > 0;)
        assert_int_equal(write(out, bytes, (size_t)n), n);
    (void)close(in);
    (void)close(out);
}

/* What a kill -9 would leave at this moment, opened: must give `list` and have no fault. */
static void check_crash(struct kit *k, int number, med_str list)
{
    static const char *const files[] = {"medulla.db", "medulla.db-wal", "key"};
    char to[80];
    char from[160];
    char path[160];
    (void)snprintf(to, sizeof to, "%s/crash%d", k->dir, number);
    assert_int_equal(mkdir(to, 0700), 0);
    for (size_t i = 0; i < COUNT(files); i++) {
        (void)snprintf(from, sizeof from, "%s/%s", k->path, files[i]);
        (void)snprintf(path, sizeof path, "%s/%s", to, files[i]);
        copy_file(from, path);
    }
    struct kit crashed = *k;
    crashed.options.data = med_str_from(to);
    kit_open(&crashed);
    assert_string_equal(listing_now(&crashed, 1000).ptr, list.ptr);
    verify(&crashed);
    assert_string_equal(listing_now(&crashed, 1000).ptr, list.ptr);
    put(&crashed, MANY + 1, 1);
    verify(&crashed);
    kit_close(&crashed);
}

static void a_crash_loses_no_row(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    fill(k);
    check_crash(k, 0, listing_now(k, 1000));
}

/* At every stage of merging: one generation is in the tables in part, the next one fills. */
static void a_crash_amid_a_merge_loses_no_row(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    k->options.deferred = 700;
    kit_reopen(k);
    add_patients(k);
    int number = 0;
    for (int i = 0; i < MANY * 4; i++) {
        if (i % 11 == 7)
            drop(k, (i - 7) % MANY);
        else
            put(k, i % MANY, i / MANY + 1);
        if (i % 37 == 0)
            check_crash(k, number++, listing_now(k, 1000));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(deferred_rows_are_found_like_others), TEST(a_snapshot_stays_what_it_was),
        TEST(readers_see_whole_commits),           TEST(a_crash_loses_no_row),
        TEST(a_crash_amid_a_merge_loses_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
