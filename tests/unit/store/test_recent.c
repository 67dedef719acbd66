/* Texts kept for reads by id: bounded, and never older than what anybody has seen. */
#include "kit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "store/sqlite/recent.h"

enum { TYPE = 7, LIMIT = MED_RECENT_SHARDS * 4096 };

static int setup(void **state)
{
    *state = med_arena_new((size_t)1 << 30);
    return *state == NULL;
}

static int teardown(void **state)
{
    med_arena_free(*state);
    return 0;
}

static med_stored stored(const char *id, med_str text)
{
    return (med_stored){.rid = 5,
                        .type = TYPE,
                        .id = med_str_from(id),
                        .version = 3,
                        .change = MED_UPDATED,
                        .text = text};
}

static bool here(struct recent *r, med_arena *a, uint64_t ident, const char *id)
{
    med_stored out;
    return med_recent_find(r, ident, TYPE, med_str_from(id), a, &out);
}

static void finds_what_was_kept(void **state)
{
    struct recent r;
    med_stored out, s = stored("a", MED_STR("{}"));
    assert_true(med_recent_init(&r, LIMIT));
    assert_false(here(&r, *state, 9, "a"));
    med_recent_keep(&r, 9, &s, med_recent_epoch(&r));
    assert_true(med_recent_find(&r, 9, TYPE, MED_STR("a"), *state, &out));
    assert_int_equal(out.rid, 5);
    assert_int_equal(out.version, 3);
    assert_true(med_str_eqz(out.text, "{}") && out.text.ptr != s.text.ptr);
    assert_false(here(&r, *state, 9, "b"));
    assert_false(med_recent_find(&r, 9, TYPE + 1, MED_STR("a"), *state, &out));
    assert_false(here(&r, *state, 9 + MED_RECENT_SHARDS, "a"));
    med_recent_free(&r);
}

static void keeps_no_tombstone_and_nothing_long(void **state)
{
    struct recent r;
    char text[MED_RECENT_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    med_stored gone = stored("a", MED_STR_EMPTY), large = stored("b", (med_str){text, sizeof text});
    gone.change = MED_DELETED;
    assert_true(med_recent_init(&r, (size_t)LIMIT * 64));
    med_recent_keep(&r, 1, &gone, 0);
    med_recent_keep(&r, 2, &large, 0);
    assert_false(here(&r, *state, 1, "a"));
    assert_false(here(&r, *state, 2, "b"));
    large.text.len--;
    med_recent_keep(&r, 2, &large, 0);
    assert_true(here(&r, *state, 2, "b"));
    med_recent_free(&r);
}

static void without_room_it_keeps_nothing(void **state)
{
    struct recent r;
    med_stored s = stored("a", MED_STR("{}"));
    assert_true(med_recent_init(&r, 0));
    med_recent_keep(&r, 1, &s, 0);
    med_recent_hold(&r, 1);
    med_recent_release(&r);
    assert_false(here(&r, *state, 1, "a"));
    med_recent_free(&r);
}

/* All of one shard, so that its bound is met soon. */
static uint64_t ident_at(unsigned i)
{
    return 3 + (uint64_t)i * MED_RECENT_SHARDS;
}

static void stays_in_its_bound_and_lets_the_asked_for_stay(void **state)
{
    struct recent r;
    char text[500];
    memset(text, 'x', sizeof text);
    assert_true(med_recent_init(&r, LIMIT));
    med_stored s = stored("a", (med_str){text, sizeof text});
    for (unsigned i = 0; i < 1000; i++) {
        med_recent_keep(&r, ident_at(i), &s, 0);
        assert_true(r.shards[3].bytes <= LIMIT / MED_RECENT_SHARDS);
        assert_true(here(&r, *state, ident_at(0), "a"));
        med_arena_reset(*state);
    }
    assert_true(here(&r, *state, ident_at(999), "a"));
    assert_false(here(&r, *state, ident_at(1), "a"));
    med_recent_free(&r);
}

static void what_is_held_is_gone_and_stays_out(void **state)
{
    struct recent r;
    med_stored s = stored("a", MED_STR("{}"));
    assert_true(med_recent_init(&r, LIMIT));
    uint64_t before = med_recent_epoch(&r);
    med_recent_keep(&r, ident_at(0), &s, before);
    med_recent_keep(&r, ident_at(1), &s, before);
    med_recent_hold(&r, ident_at(0));
    assert_false(here(&r, *state, ident_at(0), "a"));
    assert_true(here(&r, *state, ident_at(1), "a"));
    med_recent_keep(&r, ident_at(0), &s, before); /* read before the commit, kept during it */
    assert_false(here(&r, *state, ident_at(0), "a"));
    med_recent_release(&r);
    med_recent_keep(&r, ident_at(0), &s, before); /* ... and kept after it */
    assert_false(here(&r, *state, ident_at(0), "a"));
    med_recent_keep(&r, ident_at(0), &s, med_recent_epoch(&r));
    assert_true(here(&r, *state, ident_at(0), "a"));
    med_recent_free(&r);
}

static void a_full_arena_is_a_miss(void **state)
{
    (void)state;
    struct recent r;
    static char text[20000];
    memset(text, 'x', sizeof text);
    med_stored out, s = stored("a", (med_str){text, sizeof text});
    med_arena *small = med_arena_new(8192);
    assert_true(med_recent_init(&r, (size_t)LIMIT * 64));
    med_recent_keep(&r, 1, &s, 0);
    assert_false(med_recent_find(&r, 1, TYPE, MED_STR("a"), small, &out));
    med_arena_free(small);
    med_recent_free(&r);
}

/* ---- in the store: readers race with updates ---- */

enum { RESOURCES = 3, ROUNDS = 400, READERS = 3 };

struct race {
    struct kit *k;
    _Atomic uint32_t seen[RESOURCES]; /* the newest version that anybody was told of */
    atomic_bool over;
    _Atomic unsigned stale, failed, reads;
};

struct reader {
    struct race *race;
    unsigned slot;
};

static const char *const ids[RESOURCES] = {"a", "b", "c"};

static void saw(struct race *r, size_t i, uint32_t version)
{
    uint32_t newest = atomic_load(&r->seen[i]);
    while (newest < version && !atomic_compare_exchange_weak(&r->seen[i], &newest, version))
        ;
}

/* Every other read goes around the memory, and tells what it saw. */
static void read_once(struct race *r, unsigned slot, size_t n, med_arena *a)
{
    med_err err = {0};
    med_stored out;
    size_t i = n % RESOURCES;
    uint32_t least = atomic_load(&r->seen[i]);
    med_view *v = med_store_view(r->k->store, slot, INT64_MAX, &err);
    enum med_found found =
        v == NULL ? MED_FAILED
        : n / RESOURCES % 2
            ? med_view_read(v, a, r->k->patient, med_str_from(ids[i]), &out, &err)
            : med_view_latest(v, a, r->k->patient, med_str_from(ids[i]), &out, &err);
    if (found != MED_FOUND) {
        r->failed++;
    } else {
        r->stale += out.version < least;
        saw(r, i, out.version);
    }
    r->reads++;
    med_view_end(v);
}

static void *read_on(void *arg)
{
    struct reader *reader = arg;
    struct race *r = reader->race;
    med_arena *a = med_arena_new((size_t)1 << 20);
    for (size_t n = reader->slot; a != NULL && !atomic_load(&r->over); n++) {
        read_once(r, reader->slot, n, a);
        med_arena_reset(a);
    }
    med_arena_free(a);
    return NULL;
}

static void update_once(struct race *r, size_t i, unsigned round)
{
    char note[16];
    (void)snprintf(note, sizeof note, "%u", round);
    med_write w = kit_put(r->k, r->k->patient, ids[i], note);
    med_commit c = {.writes = &w, .n_writes = 1};
    if (kit_commit(r->k, &c) != MED_COMMIT_DONE)
        fail_msg("%s", c.err.text);
    assert_int_equal(w.version, round + 1);
    saw(r, i, w.version);
}

static void nobody_reads_what_is_older_than_what_was_seen(void **state)
{
    struct race r = {.k = *state};
    pthread_t threads[READERS];
    struct reader readers[READERS];
    for (size_t i = 0; i < RESOURCES; i++)
        update_once(&r, i, 0);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){&r, i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (unsigned round = 1; round < ROUNDS; round++) {
        for (size_t i = 0; i < RESOURCES; i++)
            update_once(&r, i, round);
    }
    atomic_store(&r.over, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(r.failed, 0);
    assert_int_equal(r.stale, 0);
    assert_true(r.reads > ROUNDS);
}

static med_str latest_text(struct kit *k, const char *id, enum med_change *change)
{
    med_err err = {0};
    med_stored out = {.text = MED_STR_EMPTY};
    med_view *v = kit_view(k);
    enum med_found found = med_view_latest(v, k->arena, k->patient, med_str_from(id), &out, &err);
    med_view_end(v);
    *change = found == MED_FOUND ? out.change : 0;
    return found == MED_FOUND ? out.text : MED_STR_EMPTY;
}

static void deleted_and_purged_are_gone(void **state)
{
    struct kit *k = *state;
    enum med_change change;
    for (int kind = MED_WRITE_DELETE; kind <= MED_WRITE_PURGE; kind++) {
        med_write put = kit_put(k, k->patient, "a", "secret");
        assert_int_equal(kit_commit_one(k, &put), MED_COMMIT_DONE);
        assert_true(latest_text(k, "a", &change).len > 0);
        assert_true(latest_text(k, "a", &change).len > 0); /* from memory */
        med_write gone = kit_delete(k, (enum med_write_kind)kind, k->patient, "a");
        assert_int_equal(kit_commit_one(k, &gone), MED_COMMIT_DONE);
        assert_int_equal(latest_text(k, "a", &change).len, 0);
        assert_int_equal(change, kind == MED_WRITE_DELETE ? MED_DELETED : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_what_was_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_no_tombstone_and_nothing_long, setup, teardown),
        cmocka_unit_test_setup_teardown(without_room_it_keeps_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(stays_in_its_bound_and_lets_the_asked_for_stay, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_held_is_gone_and_stays_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_arena_is_a_miss, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_reads_what_is_older_than_what_was_seen, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(deleted_and_purged_are_gone, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
