/* Many threads: races that must have one winner, groups, limits, readers in the way, faults of
 * the disk. */
#include "kit.h"

#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

#include "shim_vfs.h"

enum { THREADS = 64 };

static int shim_setup(void **state)
{
    assert_true(shim_register());
    shim_reset();
    if (kit_setup(state) != 0)
        return 1;
    struct kit *k = *state;
    if (k->postgres)
        return 0;
    kit_close(k);
    k->options.vfs = SHIM_VFS_NAME;
    kit_open(k);
    return 0;
}

static int shim_teardown(void **state)
{
    int result = kit_teardown(state);
    shim_reset();
    return result;
}

/* ---- one winner ---- */

struct contender {
    struct kit *k;
    pthread_barrier_t *start;
    med_arena *arena;
    med_write write;
    med_commit commit;
    bool bound; /* If-None-Exist: a guard over the token index */
    enum med_commit_state state;
};

/* "Nobody has this identifier yet", as If-None-Exist asks it. */
static bool nobody_has_it(void *arg, med_view *v, med_err *err)
{
    struct contender *c = arg;
    med_scan q = {.index = MED_INDEX_TOKEN,
                  .param = c->k->identifier,
                  .key = c->write.rows.tokens[0].hash,
                  .low_text = MED_STR_EMPTY,
                  .high_text = MED_STR_EMPTY,
                  .after_text = MED_STR_EMPTY};
    med_cursor *cursor = med_view_scan(v, &q, err);
    med_hit hit;
    enum med_found found = cursor == NULL ? MED_FAILED : med_cursor_next(cursor, &hit, err);
    med_cursor_close(cursor);
    if (found == MED_FOUND)
        return MED_FAIL(err, MED_ISSUE_DUPLICATE, "it exists");
    return found == MED_ABSENT;
}

static void *contend(void *arg)
{
    struct contender *c = arg;
    med_err err;
    (void)pthread_barrier_wait(c->start);
    if (med_store_commit_wait(c->k->store, &c->commit, &err))
        c->state = MED_COMMIT_DONE;
    else
        c->state = c->commit.state;
    return NULL;
}

static void one_of_64_conditional_creates_wins(void **state)
{
    struct kit *k = *state;
    enum { ROUNDS = 20 };
    unsigned winners = 0;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_t start;
        pthread_t threads[THREADS];
        struct contender c[THREADS];
        med_token_row tokens[THREADS];
        assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
        uint64_t hash = kit_hash(k, med_arena_printf(k->arena, "urn:x|%d", round).ptr);
        for (int i = 0; i < THREADS; i++) {
            med_str id = med_arena_printf(k->arena, "r%d-%d", round, i);
            tokens[i] = (med_token_row){k->identifier, MED_ROW_GLOBAL, hash};
            c[i] = (struct contender){.k = k, .start = &start};
            c[i].write =
                (med_write){.kind = MED_WRITE_PUT,
                            .type = k->patient,
                            .id = id,
                            .text = kit_text(k, k->patient, id.ptr, "x"),
                            .rows = {.tokens = &tokens[i], .n_tokens = 1, .when = MED_TIME_MIN}};
            kit_prepare(k, &c[i].write);
            c[i].commit = (med_commit){.writes = &c[i].write,
                                       .n_writes = 1,
                                       .guard = nobody_has_it,
                                       .guard_arg = &c[i],
                                       .trace = MED_STR_EMPTY};
        }
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, contend, &c[i]), 0);
        unsigned won = 0;
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            won += c[i].state == MED_COMMIT_DONE;
            if (c[i].state != MED_COMMIT_DONE)
                assert_int_equal(c[i].commit.err.issue, MED_ISSUE_DUPLICATE);
        }
        assert_int_equal(won, 1);
        winners += won;
        (void)pthread_barrier_destroy(&start);
    }
    print_message("D12: %u winners in %d rounds of %d\n", winners, ROUNDS, THREADS);
    med_store_stats stats;
    med_store_count(k->store, &stats);
    assert_int_equal(stats.resources, ROUNDS);
}

static void *update_with_version(void *arg)
{
    struct contender *c = arg;
    med_err err;
    (void)pthread_barrier_wait(c->start);
    for (uint32_t done = 0; done < 8;) { /* read, then write with If-Match, until eight held */
        med_stored stored;
        med_view *v = NULL;
        unsigned slot = (unsigned)c->write.version;
        v = med_store_view(c->k->store, slot, INT64_MAX, &err);
        med_arena_reset(c->arena);
        enum med_found found =
            med_view_read(v, c->arena, c->k->patient, MED_STR("shared"), &stored, &err);
        med_view_end(v);
        if (found != MED_FOUND)
            return NULL;
        med_str id = MED_STR("shared");
        med_write w = {.kind = MED_WRITE_PUT,
                       .type = c->k->patient,
                       .id = id,
                       .text = med_arena_printf(
                           c->arena,
                           "{\"resourceType\":\"Patient\",\"id\":\"shared\",\"by\":\"%u/%u\"}",
                           slot, done),
                       .rows.when = MED_TIME_MIN,
                       .expect = MED_EXPECT_VERSION,
                       .expect_version = stored.version};
        if (!med_store_prepare(c->k->store, c->arena, &w, &err))
            return NULL;
        med_commit commit = {.writes = &w, .n_writes = 1, .trace = MED_STR_EMPTY};
        if (med_store_commit_wait(c->k->store, &commit, &err))
            done++;
        else if (med_err_http_status(&err) != 412)
            return NULL;
    }
    c->state = MED_COMMIT_DONE;
    return NULL;
}

static void no_update_is_lost(void **state)
{
    struct kit *k = *state;
    enum { CLIENTS = 16 };
    kit_close(k);
    k->options.readers = CLIENTS;
    kit_open(k);
    med_write w = kit_put(k, k->patient, "shared", "0");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    pthread_barrier_t start;
    pthread_t threads[CLIENTS];
    struct contender c[CLIENTS];
    assert_int_equal(pthread_barrier_init(&start, NULL, CLIENTS), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        c[i] = (struct contender){.k = k,
                                  .start = &start,
                                  .arena = med_arena_new(1 << 20),
                                  .write.version = i,
                                  .state = MED_COMMIT_UNKNOWN};
        assert_int_equal(pthread_create(&threads[i], NULL, update_with_version, &c[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(c[i].state, MED_COMMIT_DONE);
        med_arena_free(c[i].arena);
    }
    (void)pthread_barrier_destroy(&start);
    med_view *v = kit_view(k);
    med_stored stored;
    med_err err;
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("shared"), &stored, &err),
                     MED_FOUND);
    assert_int_equal(stored.version, 1 + CLIENTS * 8);
    med_view_end(v);
}

/* ---- groups and limits ---- */

struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned landed, states[4];
};

static void landed(med_commit *c)
{
    struct crowd *crowd = c->arg;
    pthread_mutex_lock(&crowd->lock);
    crowd->landed++;
    crowd->states[c->state]++;
    pthread_cond_signal(&crowd->changed);
    pthread_mutex_unlock(&crowd->lock);
}

static void wait_for(struct crowd *crowd, unsigned n)
{
    pthread_mutex_lock(&crowd->lock);
    while (crowd->landed < n)
        pthread_cond_wait(&crowd->changed, &crowd->lock);
    pthread_mutex_unlock(&crowd->lock);
}

/* Submits n creates at once; returns how many the queue took. */
static unsigned submit(struct kit *k, struct crowd *crowd, med_write *writes, med_commit *commits,
                       unsigned n, const char *prefix, med_err *err)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < n; i++)
        writes[i] = kit_put(k, k->patient, med_arena_printf(k->arena, "%s%u", prefix, i).ptr, "x");
    for (unsigned i = 0; i < n; i++) {
        commits[i] = (med_commit){.writes = &writes[i],
                                  .n_writes = 1,
                                  .trace = MED_STR_EMPTY,
                                  .done = landed,
                                  .arg = crowd};
        if (med_store_commit(k->store, &commits[i], err))
            taken++;
    }
    return taken;
}

#define CROWD                                                                                      \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }

static void a_slow_disk_makes_large_groups(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    enum { N = 200 };
    struct crowd crowd = CROWD;
    med_write writes[N];
    med_commit commits[N];
    med_err err = {0};
    med_store_stats before;
    med_store_stats after;
    med_store_count(k->store, &before);
    shim_slow_sync(30000);
    uint64_t syncs = shim_count(SHIM_SYNC);
    assert_int_equal(submit(k, &crowd, writes, commits, N, "g", &err), N);
    wait_for(&crowd, N);
    syncs = shim_count(SHIM_SYNC) - syncs;
    shim_slow_sync(0);
    med_store_count(k->store, &after);
    assert_int_equal(crowd.states[MED_COMMIT_DONE], N);
    assert_int_equal(after.commits - before.commits, N);
    assert_true(after.groups - before.groups < N / 4);
    assert_true(syncs <= after.groups - before.groups + 2);
    for (unsigned i = 1; i < N; i++) /* in the order they came */
        assert_int_equal(commits[i].t, commits[i - 1].t + 1);
}

static void a_full_queue_refuses(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    enum { N = 50 };
    kit_close(k);
    k->options.queue_limit = 10;
    kit_open(k);
    struct crowd crowd = CROWD;
    med_write writes[N];
    med_commit commits[N];
    med_err err = {0};
    shim_slow_sync(100000);
    unsigned taken = submit(k, &crowd, writes, commits, N, "q", &err);
    assert_true(taken >= 10 && taken < N);
    assert_int_equal(err.issue, MED_ISSUE_TRANSIENT);
    wait_for(&crowd, taken);
    shim_slow_sync(0);
    assert_int_equal(crowd.landed, taken);
    assert_int_equal(crowd.states[MED_COMMIT_DONE], taken);
}

static void closing_finishes_what_waits(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    enum { N = 100 };
    struct crowd crowd = CROWD;
    med_write writes[N];
    med_commit commits[N];
    med_err err = {0};
    shim_slow_sync(20000);
    assert_int_equal(submit(k, &crowd, writes, commits, N, "c", &err), N);
    kit_close(k);
    assert_int_equal(crowd.states[MED_COMMIT_DONE], N);
    shim_slow_sync(0);
    kit_open(k);
    assert_int_equal(kit_note(k, k->patient, "c99").len, 1);
}

/* ---- readers ---- */

static void a_reader_past_its_time_is_stopped(void **state)
{
    struct kit *k = *state;
    med_write w = kit_put(k, k->patient, "a", "x");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    med_err err = {0};
    med_view *v = med_store_view(k->store, 0, med_monotonic(&med_clock_system) + 50000, &err);
    med_stored stored;
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FOUND);
    (void)usleep(60000);
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FAILED);
    assert_int_equal(err.issue, MED_ISSUE_TIMEOUT);
    med_view_end(v);
    v = kit_view(k); /* the slot is as good as new */
    assert_int_equal(med_view_read(v, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FOUND);
    med_view_end(v);
}

static void a_long_question_is_stopped_in_the_middle(void **state)
{
    struct kit *k = *state;
    enum { N = 3000 };
    med_write *w = calloc(N, sizeof *w);
    for (int i = 0; i < N; i++)
        w[i] = kit_observation(k, med_arena_printf(k->arena, "o%d", i).ptr, "n", "p", "c", i, i);
    med_commit c = {.writes = w, .n_writes = N, .bulk = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
    med_err err = {0};
    med_rid patient = kit_rid(k, "Patient", "p");
    int64_t start = med_monotonic(&med_clock_system);
    med_view *v = med_store_view(k->store, 0, start + 1, &err);
    (void)usleep(10);
    med_scan q = {.index = MED_INDEX_PATIENT, /* all types: sorts them all before the first */
                  .key = patient,
                  .low_int = INT64_MIN,
                  .high_int = INT64_MAX,
                  .low_text = MED_STR_EMPTY,
                  .high_text = MED_STR_EMPTY,
                  .after_text = MED_STR_EMPTY};
    med_cursor *cursor = med_view_scan(v, &q, &err);
    med_hit hit;
    enum med_found found = cursor == NULL ? MED_FAILED : med_cursor_next(cursor, &hit, &err);
    assert_int_equal(found, MED_FAILED);
    assert_int_equal(err.issue, MED_ISSUE_TIMEOUT);
    med_view_end(v);
    free(w);
}

static void a_reader_in_the_way_of_the_wal_gives_way(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    enum { BOUND = 1 << 20 };
    kit_close(k);
    k->options.wal_serving = BOUND;
    kit_open(k);
    med_write w = kit_put(k, k->patient, "a", "first");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    med_err err = {0};
    med_view *pinned = med_store_view(k->store, 1, INT64_MAX, &err); /* "for ever" */
    med_stored stored;
    assert_int_equal(med_view_read(pinned, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FOUND);
    uint64_t highest = 0;
    for (int i = 0; i < 150; i++) {
        med_write o[20];
        for (int n = 0; n < 20; n++)
            o[n] = kit_observation(k, med_arena_printf(k->arena, "o%d-%d", i, n).ptr, "n", "p", "c",
                                   i, i);
        med_commit c = {.writes = o, .n_writes = 20};
        assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
        med_store_stats stats;
        med_store_count(k->store, &stats);
        if (stats.bytes_wal > highest)
            highest = stats.bytes_wal;
    }
    print_message("D17: WAL at most %llu KiB with a bound of %d KiB and a reader in the way\n",
                  (unsigned long long)highest >> 10, BOUND >> 10);
    assert_true(highest > BOUND / 2); /* else nothing was shown */
    assert_true(highest < 3 * BOUND);
    assert_int_equal(med_view_read(pinned, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FAILED);
    assert_int_equal(err.issue, MED_ISSUE_TIMEOUT);
    med_view_end(pinned);
    pinned = med_store_view(k->store, 1, INT64_MAX, &err);
    assert_int_equal(med_view_read(pinned, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FOUND);
    med_view_end(pinned);
}

/* ---- faults ---- */

static void an_error_at_the_sync_is_unknown(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    enum { N = 5 };
    med_write w = kit_put(k, k->patient, "before", "x");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    struct crowd crowd = CROWD;
    med_write writes[N];
    med_commit commits[N];
    med_err err = {0};
    shim_fail(SHIM_SYNC, 1, UINT64_MAX, SQLITE_IOERR_FSYNC);
    unsigned taken = submit(k, &crowd, writes, commits, N, "u", &err);
    assert_true(taken > 0);
    wait_for(&crowd, taken);
    assert_true(crowd.states[MED_COMMIT_UNKNOWN] > 0);
    assert_int_equal(crowd.states[MED_COMMIT_DONE], 0);
    med_store_stats stats;
    med_store_count(k->store, &stats);
    assert_true(stats.failed && !stats.writable && stats.sync_failures > 0);
    shim_fail(SHIM_SYNC, 0, 0, 0);
    w = kit_put(k, k->patient, "after", "x"); /* nothing more is taken, though the disk is well */
    med_commit c = {.writes = &w, .n_writes = 1, .trace = MED_STR_EMPTY};
    assert_false(med_store_commit_wait(k->store, &c, &err));
    assert_int_equal(err.issue, MED_ISSUE_TRANSIENT);
    assert_int_equal(kit_note(k, k->patient, "before").len, 1); /* reading goes on */
    kit_reopen(k);
    assert_int_equal(kit_note(k, k->patient, "before").len, 1);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static void a_full_disk_refuses_until_there_is_room(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    med_write w = kit_put(k, k->patient, "before", "x");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    shim_fail(SHIM_WRITE, 1, UINT64_MAX, SQLITE_FULL);
    w = kit_put(k, k->patient, "during", "x");
    med_commit c = {.writes = &w, .n_writes = 1};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_REFUSED);
    assert_int_equal(med_err_http_status(&c.err), 507);
    med_err err = {0};
    assert_false(med_store_commit_wait(k->store, &c, &err));
    assert_int_equal(med_err_http_status(&err), 507);
    med_store_stats stats;
    med_store_count(k->store, &stats);
    assert_true(!stats.writable && !stats.failed);
    assert_int_equal(kit_note(k, k->patient, "before").len, 1);
    assert_int_equal(kit_note(k, k->patient, "during").len, 0);
    (void)usleep(300000); /* a probe that fails, too */
    shim_fail(SHIM_WRITE, 0, 0, 0);
    for (int i = 0; i < 100 && !stats.writable; i++) {
        (void)usleep(50000);
        med_store_count(k->store, &stats);
    }
    assert_true(stats.writable);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(kit_note(k, k->patient, "during").len, 1);
}

/* A reader that meets the WAL's header half written takes the write lock for a moment. */
static void *hold_write_lock(void *arg)
{
    struct kit *k = arg;
    char file[96];
    sqlite3 *db = NULL;
    (void)snprintf(file, sizeof file, "%s/medulla.db", k->path);
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    (void)usleep(50000);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return NULL;
}

static void a_lock_held_for_a_moment_refuses_nobody(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    pthread_t holder;
    assert_int_equal(pthread_create(&holder, NULL, hold_write_lock, k), 0);
    (void)usleep(20000);
    med_write w = kit_put(k, k->patient, "a", "1");
    med_commit c = {.writes = &w, .n_writes = 1};
    enum med_commit_state told = kit_commit(k, &c);
    assert_int_equal(pthread_join(holder, NULL), 0);
    if (told != MED_COMMIT_DONE)
        fail_msg("%s", c.err.text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, shim_setup, shim_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_of_64_conditional_creates_wins),
        TEST(no_update_is_lost),
        TEST(a_slow_disk_makes_large_groups),
        TEST(a_full_queue_refuses),
        TEST(closing_finishes_what_waits),
        TEST(a_reader_past_its_time_is_stopped),
        TEST(a_long_question_is_stopped_in_the_middle),
        TEST(a_reader_in_the_way_of_the_wal_gives_way),
        TEST(a_lock_held_for_a_moment_refuses_nobody),
        TEST(an_error_at_the_sync_is_unknown),
        TEST(a_full_disk_refuses_until_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
