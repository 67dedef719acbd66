/* What commits do: versions, expectations, no-ops, references, replay. */
#include "kit.h"

#define CHECK_NOTE(k, type, id, want)                                                              \
    do {                                                                                           \
        med_str note_ = kit_note((k), (type), (id));                                               \
        if (!med_str_eqz(note_, (want)))                                                           \
            fail_msg("note of %s is '%.*s', not '%s'", (id), MED_STR_ARG(note_), (want));          \
    } while (0)

static void creates_updates_deletes_and_brings_back(void **state)
{
    struct kit *k = *state;
    med_write w = kit_put(k, k->patient, "a", "one");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(w.outcome, MED_OUTCOME_CREATED);
    assert_int_equal(w.version, 1);
    CHECK_NOTE(k, k->patient, "a", "one");

    w = kit_put(k, k->patient, "a", "two");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(w.outcome, MED_OUTCOME_UPDATED);
    assert_int_equal(w.version, 2);
    CHECK_NOTE(k, k->patient, "a", "two");

    w = kit_delete(k, MED_WRITE_DELETE, k->patient, "a");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(w.outcome, MED_OUTCOME_DELETED);
    assert_int_equal(w.version, 3);
    CHECK_NOTE(k, k->patient, "a", "-");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(w.outcome, MED_OUTCOME_WAS_ABSENT);

    w = kit_put(k, k->patient, "a", "three");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(w.outcome, MED_OUTCOME_CREATED);
    assert_int_equal(w.version, 4);
    kit_reopen(k);
    CHECK_NOTE(k, k->patient, "a", "three");
    CHECK_NOTE(k, k->patient, "b", "");
    CHECK_NOTE(k, k->observation, "a", "");
}

static void same_content_makes_no_version(void **state)
{
    struct kit *k = *state;
    med_write w = kit_put(k, k->patient, "a", "one");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    med_write again = kit_put(k, k->patient, "a", "one");
    med_commit c = {.writes = &again, .n_writes = 1};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
    assert_int_equal(again.outcome, MED_OUTCOME_UNCHANGED);
    assert_int_equal(again.version, 1);
    assert_int_equal(again.rid, w.rid);
    assert_int_equal(c.t, 1);
    again.always_new_version = true;
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
    assert_int_equal(again.outcome, MED_OUTCOME_UPDATED);
    assert_int_equal(again.version, 2);
    assert_int_equal(c.t, 2);
}

static void expectations_are_checked_in_the_commit(void **state)
{
    struct kit *k = *state;
    static const struct {
        const char *name;
        enum { ABSENT, LIVE, GONE } before;
        enum med_expect expect;
        uint32_t version;
        int status; /* 0: done */
    } rows[] = {
        {"any, absent", ABSENT, MED_EXPECT_ANY, 0, 0},
        {"any, live", LIVE, MED_EXPECT_ANY, 0, 0},
        {"new, absent", ABSENT, MED_EXPECT_NEW, 0, 0},
        {"new, live", LIVE, MED_EXPECT_NEW, 0, 412},
        {"new, gone", GONE, MED_EXPECT_NEW, 0, 0},
        {"exists, absent", ABSENT, MED_EXPECT_EXISTS, 0, 404},
        {"exists, live", LIVE, MED_EXPECT_EXISTS, 0, 0},
        {"exists, gone", GONE, MED_EXPECT_EXISTS, 0, 410},
        {"version, right", LIVE, MED_EXPECT_VERSION, 1, 0},
        {"version, wrong", LIVE, MED_EXPECT_VERSION, 2, 412},
        {"version, absent", ABSENT, MED_EXPECT_VERSION, 1, 412},
        {"version, gone", GONE, MED_EXPECT_VERSION, 2, 412},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "r%zu", i);
        med_write w = kit_put(k, k->patient, id, "before");
        if (rows[i].before != ABSENT)
            assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
        w = kit_delete(k, MED_WRITE_DELETE, k->patient, id);
        if (rows[i].before == GONE)
            assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
        w = kit_put(k, k->patient, id, "after");
        w.expect = rows[i].expect;
        w.expect_version = rows[i].version;
        med_commit c = {.writes = &w, .n_writes = 1};
        enum med_commit_state got = kit_commit(k, &c);
        int status = got == MED_COMMIT_DONE ? 0 : med_err_http_status(&c.err);
        if (status != rows[i].status)
            fail_msg("row '%s': status %d (%s)", rows[i].name, status, c.err.text);
        CHECK_NOTE(k, k->patient, id,
                   status == 0                ? "after"
                   : rows[i].before == ABSENT ? ""
                   : rows[i].before == GONE   ? "-"
                                              : "before");
    }
}

static void a_refused_commit_writes_nothing(void **state)
{
    struct kit *k = *state;
    med_write w[3] = {kit_put(k, k->patient, "x", "1"), kit_put(k, k->patient, "y", "1"),
                      kit_put(k, k->patient, "z", "1")};
    w[2].expect = MED_EXPECT_EXISTS;
    med_commit c = {.writes = w, .n_writes = 3};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_REFUSED);
    assert_int_equal(c.failed_at, 2);
    assert_int_equal(c.err.issue, MED_ISSUE_NOT_FOUND);
    CHECK_NOTE(k, k->patient, "x", "");
    assert_int_equal(kit_rid(k, "Patient", "x"), 0);
    med_store_stats stats;
    med_store_count(k->store, &stats);
    assert_int_equal(stats.last_t, 0);
    assert_int_equal(stats.resources, 0);
}

static void writes_of_one_commit_see_each_other(void **state)
{
    struct kit *k = *state;
    med_write w[4] = {kit_put(k, k->patient, "x", "1"), kit_put(k, k->patient, "x", "2"),
                      kit_delete(k, MED_WRITE_DELETE, k->patient, "x"),
                      kit_put(k, k->patient, "x", "3")};
    w[0].expect = MED_EXPECT_NEW;
    w[1].expect = MED_EXPECT_VERSION;
    w[1].expect_version = 1;
    w[3].expect = MED_EXPECT_NEW;
    med_commit c = {.writes = w, .n_writes = 4};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
    assert_int_equal(w[0].outcome, MED_OUTCOME_CREATED);
    assert_int_equal(w[1].outcome, MED_OUTCOME_UPDATED);
    assert_int_equal(w[2].outcome, MED_OUTCOME_DELETED);
    assert_int_equal(w[3].outcome, MED_OUTCOME_CREATED);
    assert_int_equal(w[3].version, 4);
    CHECK_NOTE(k, k->patient, "x", "3");
    med_view *v = kit_view(k);
    med_stored *all = NULL;
    size_t n = 0;
    med_err err;
    med_history q = {
        .since = MED_TIME_MIN, .until = MED_TIME_MAX, .oldest_first = true, .limit = 9};
    assert_true(med_view_history(v, k->arena, &q, &all, &n, &err));
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(all[i].version, i + 1);
        assert_int_equal(all[i].t, i + 1);
    }
    med_view_end(v);
}

static void references_must_exist_when_the_commit_ends(void **state)
{
    struct kit *k = *state;
    med_write w = kit_observation(k, "o", "n", "p", "c", 5, 1);
    med_commit c = {.writes = &w, .n_writes = 1, .check_references = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_REFUSED);
    assert_int_equal(med_err_http_status(&c.err), 422);
    assert_string_equal(c.err.expr, "Observation.subject");

    /* in any order within one commit */
    med_write both[2] = {kit_observation(k, "o", "n", "p", "c", 5, 1),
                         kit_put(k, k->patient, "p", "1")};
    c = (med_commit){.writes = both, .n_writes = 2, .check_references = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);

    w = kit_delete(k, MED_WRITE_DELETE, k->patient, "p");
    c = (med_commit){.writes = &w, .n_writes = 1, .check_references = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_REFUSED);
    assert_int_equal(med_err_http_status(&c.err), 409);

    /* together with what refers to it */
    med_write gone[2] = {kit_delete(k, MED_WRITE_DELETE, k->patient, "p"),
                         kit_delete(k, MED_WRITE_DELETE, k->observation, "o")};
    c = (med_commit){.writes = gone, .n_writes = 2, .check_references = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);

    w = kit_observation(k, "o2", "n", "p", "c", 5, 1);
    c = (med_commit){.writes = &w, .n_writes = 1, .check_references = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_REFUSED); /* deleted is not there */
    c.check_references = false;
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
}

static void circles_are_fine(void **state)
{
    struct kit *k = *state;
    med_write w[2] = {kit_observation(k, "a", "n", "p", "c", 5, 1),
                      kit_put(k, k->patient, "p", "1")};
    uint64_t ident = med_store_ident(k->store, MED_STR("Observation"), MED_STR("a"));
    med_target_row target = {k->observation, MED_STR("a"), ident, MED_STR("Patient.link")};
    w[1].rows.targets = &target;
    w[1].rows.n_targets = 1;
    med_commit c = {.writes = w, .n_writes = 2, .check_references = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
    /* the row without a search parameter forbids to delete, too */
    med_write gone = kit_delete(k, MED_WRITE_DELETE, k->observation, "a");
    c = (med_commit){.writes = &gone, .n_writes = 1, .check_references = true};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_REFUSED);
    med_write loose = kit_put(k, k->patient, "p", "no link");
    assert_int_equal(kit_commit_one(k, &loose), MED_COMMIT_DONE);
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
}

static void a_key_is_used_once(void **state)
{
    struct kit *k = *state;
    med_write w = kit_put(k, k->patient, "a", "1");
    med_commit c = {.writes = &w, .n_writes = 1, .idempotency = 99, .request_hash = 5};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
    med_rid rid = w.rid;
    med_write later = kit_put(k, k->patient, "a", "2");
    assert_int_equal(kit_commit_one(k, &later), MED_COMMIT_DONE);

    med_write retry = kit_put(k, k->patient, "a", "1");
    med_commit again = {.writes = &retry, .n_writes = 1, .idempotency = 99, .request_hash = 5};
    kit_reopen(k);
    assert_int_equal(kit_commit(k, &again), MED_COMMIT_REPLAYED);
    assert_int_equal(retry.outcome, MED_OUTCOME_CREATED);
    assert_int_equal(retry.version, 1);
    assert_int_equal(retry.rid, rid);
    assert_int_equal(again.t, c.t);
    assert_int_equal(again.updated, c.updated);
    CHECK_NOTE(k, k->patient, "a", "2");

    again.request_hash = 6;
    assert_int_equal(kit_commit(k, &again), MED_COMMIT_REFUSED);
    assert_int_equal(med_err_http_status(&again.err), 422);
}

static bool a_is_there(void *arg, med_view *v, med_err *err)
{
    med_stored stored;
    struct kit *k = arg;
    enum med_found found = med_view_read(v, k->arena, k->patient, MED_STR("a"), &stored, err);
    return (found == MED_FOUND && stored.change != MED_DELETED)
           || MED_FAIL(err, MED_ISSUE_CONFLICT, "a is not there");
}

/* Nothing of it is in the database yet when the next commit of the group is decided on. */
static void a_group_sees_what_came_before_in_it(void **state)
{
    struct kit *k = *state;
    med_write w[] = {
        kit_put(k, k->patient, "a", "1"),
        kit_put(k, k->patient, "a", "1"),
        kit_put(k, k->patient, "b", "1"),
        kit_put(k, k->patient, "a", "2"),
        kit_put(k, k->patient, "a", "3"),
        kit_observation(k, "o", "n", "a", "c", 5, 1),
        kit_delete(k, MED_WRITE_DELETE, k->patient, "a"),
        kit_delete(k, MED_WRITE_DELETE, k->observation, "o"),
        kit_delete(k, MED_WRITE_DELETE, k->patient, "a"),
        kit_observation(k, "p", "n", "a", "c", 5, 1),
        kit_put(k, k->patient, "c", "1"),
    };
    med_commit c[COUNT(w)];
    for (size_t i = 0; i < COUNT(w); i++)
        c[i] = (med_commit){.writes = &w[i], .n_writes = 1, .check_references = true};
    for (size_t i = 0; i < 3; i++)
        c[i].idempotency = 99;
    c[2].request_hash = 1;
    w[3].expect = w[4].expect = MED_EXPECT_VERSION;
    w[3].expect_version = w[4].expect_version = 1;
    c[3].guard = c[10].guard = a_is_there;
    c[3].guard_arg = c[10].guard_arg = k;
    kit_commit_group(k, c, COUNT(w));
    static const struct {
        enum med_commit_state state;
        enum med_outcome outcome;
        int status;
    } want[COUNT(w)] = {
        {MED_COMMIT_DONE, MED_OUTCOME_CREATED, 0},   {MED_COMMIT_REPLAYED, MED_OUTCOME_CREATED, 0},
        {MED_COMMIT_REFUSED, MED_OUTCOME_NONE, 422}, {MED_COMMIT_DONE, MED_OUTCOME_UPDATED, 0},
        {MED_COMMIT_REFUSED, MED_OUTCOME_NONE, 412}, {MED_COMMIT_DONE, MED_OUTCOME_CREATED, 0},
        {MED_COMMIT_REFUSED, MED_OUTCOME_NONE, 409}, {MED_COMMIT_DONE, MED_OUTCOME_DELETED, 0},
        {MED_COMMIT_DONE, MED_OUTCOME_DELETED, 0},   {MED_COMMIT_REFUSED, MED_OUTCOME_NONE, 422},
        {MED_COMMIT_REFUSED, MED_OUTCOME_NONE, 409},
    };
    for (size_t i = 0; i < COUNT(w); i++) {
        if (c[i].state != want[i].state || w[i].outcome != want[i].outcome)
            fail_msg("commit %zu: state %d, outcome %d, %s", i, c[i].state, w[i].outcome,
                     c[i].err.text);
        if (c[i].state == MED_COMMIT_REFUSED)
            assert_int_equal(med_err_http_status(&c[i].err), want[i].status);
    }
    assert_int_equal(c[1].t, c[0].t);
    assert_int_equal(w[1].version, 1);
    assert_int_equal(w[1].rid, w[0].rid);
    CHECK_NOTE(k, k->patient, "a", "-");
    CHECK_NOTE(k, k->patient, "b", "");
}

static void a_name_keeps_its_number(void **state)
{
    struct kit *k = *state;
    const med_str names[] = {MED_STR("X.new"), MED_STR("X.code"), MED_STR("X.new"),
                             MED_STR("X.newer")};
    uint32_t numbers[4] = {0};
    uint32_t again[4] = {0};
    med_err err = {0};
    assert_true(med_store_intern(k->store, MED_NAME_PARAM, &names[1], 1, numbers, &err));
    uint32_t code = numbers[0];
    assert_true(med_store_intern(k->store, MED_NAME_PARAM, names, 4, numbers, &err));
    assert_int_equal(numbers[0], code + 1);
    assert_int_equal(numbers[1], code);
    assert_int_equal(numbers[2], code + 1);
    assert_int_equal(numbers[3], code + 2);
    kit_reopen(k);
    assert_true(med_store_intern(k->store, MED_NAME_PARAM, names, 4, again, &err));
    assert_memory_equal(again, numbers, sizeof numbers);
}

static void time_never_goes_back(void **state)
{
    struct kit *k = *state;
    int64_t last = 0;
    static const int64_t skews[] = {0, INT64_C(86400000000), -INT64_C(86400000000), 0, 0};
    for (size_t i = 0; i < COUNT(skews); i++) {
        k->skew = skews[i];
        char note[8];
        (void)snprintf(note, sizeof note, "%zu", i);
        med_write w = kit_put(k, k->patient, "a", note);
        med_commit c = {.writes = &w, .n_writes = 1};
        assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
        assert_true(c.updated > last);
        assert_int_equal(c.t, i + 1);
        last = c.updated;
        if (i == 2)
            kit_reopen(k);
    }
}

static void large_bodies_live_in_blobs(void **state)
{
    struct kit *k = *state;
    size_t n = 3 << 20;
    char *note = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        note[i] = (char)('a' + (i * i * 2654435761U >> 13) % 26);
    for (size_t i = 0; i < n; i += 1000)
        note[i] = ' '; /* else it is base64, and kept beside the body */
    note[n] = '\0';
    med_write w = kit_put(k, k->patient, "big", note);
    assert_true(w.packed.len > 64 << 10);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    CHECK_NOTE(k, k->patient, "big", note);
    med_write small = kit_put(k, k->patient, "big", "small");
    assert_int_equal(kit_commit_one(k, &small), MED_COMMIT_DONE);
    CHECK_NOTE(k, k->patient, "big", "small");
    med_view *v = kit_view(k);
    med_stored stored;
    med_err err;
    assert_int_equal(med_view_version(v, k->arena, k->patient, MED_STR("big"), 1, &stored, &err),
                     MED_FOUND);
    assert_true(med_str_eq(stored.text, w.text));
    med_view_end(v);
    free(note);
}

static void ids_of_every_shape_come_back(void **state)
{
    struct kit *k = *state;
    static const char *const ids[] = {
        "a",
        "0",
        "8f14e45f-ceea-467f-a8d7-3ad1b1f0b3b1",
        "8F14E45F-CEEA-467F-A8D7-3AD1B1F0B3B1",
        "8f14e45fxceea-467f-a8d7-3ad1b1f0b3b1",
        "1234567890123456",
        "A.-9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    med_rid rids[COUNT(ids)];
    for (size_t i = 0; i < COUNT(ids); i++) {
        med_write w = kit_put(k, k->patient, ids[i], ids[i]);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
        rids[i] = w.rid;
        assert_true(i == 0 || rids[i] > rids[i - 1]);
    }
    for (size_t i = 0; i < COUNT(ids); i++) {
        CHECK_NOTE(k, k->patient, ids[i], ids[i]);
        med_view *v = kit_view(k);
        med_stored stored;
        med_err err;
        assert_int_equal(med_view_by_rid(v, k->arena, rids[i], &stored, &err), MED_FOUND);
        assert_true(med_str_eqz(stored.id, ids[i]));
        med_view_end(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(creates_updates_deletes_and_brings_back, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(same_content_makes_no_version, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(expectations_are_checked_in_the_commit, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_refused_commit_writes_nothing, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(writes_of_one_commit_see_each_other, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(references_must_exist_when_the_commit_ends, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(circles_are_fine, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_key_is_used_once, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_group_sees_what_came_before_in_it, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_name_keeps_its_number, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(time_never_goes_back, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(large_bodies_live_in_blobs, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(ids_of_every_shape_come_back, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
