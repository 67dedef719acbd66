/* Notes of background work, and index rows made anew, on whichever store the kit opens. */
#include "kit.h"

static bool write_note(struct kit *k, const char *name, uint64_t revision, const char *text,
                       med_err *err)
{
    const med_note_change change = {med_str_from(name), revision, med_str_from(text)};
    *err = (med_err){0};
    return med_store_note(k->store, &change, err);
}

static med_note *read_notes(struct kit *k, size_t *n)
{
    med_note *notes = NULL;
    med_err err = {0};
    med_view *v = kit_view(k);
    if (!med_view_notes(v, k->arena, &notes, n, &err))
        fail_msg("%s", err.text);
    med_view_end(v);
    return notes;
}

static void a_note_is_written_by_one_at_a_time(void **state)
{
    struct kit *k = *state;
    med_err err;
    size_t n;
    assert_true(write_note(k, "task:b", 0, "one", &err));
    assert_true(write_note(k, "task:a", 0, "first", &err));
    assert_false(write_note(k, "task:b", 0, "other", &err));
    assert_int_equal(err.issue, MED_ISSUE_CONFLICT);
    assert_true(write_note(k, "task:b", 1, "two", &err));
    assert_false(write_note(k, "task:b", 1, "other", &err));
    assert_false(write_note(k, "task:c", 4, "other", &err));
    kit_reopen(k);
    med_note *notes = read_notes(k, &n);
    assert_int_equal(n, 2);
    assert_true(med_str_eqz(notes[0].name, "task:a"));
    assert_true(med_str_eqz(notes[1].text, "two"));
    assert_int_equal(notes[1].revision, 2);
    assert_false(write_note(k, "task:b", 1, "", &err));
    assert_true(write_note(k, "task:b", 2, "", &err));
    (void)read_notes(k, &n);
    assert_int_equal(n, 1);
}

static size_t tokens(struct kit *k, const char *code)
{
    const med_scan scan = {.index = MED_INDEX_TOKEN, .param = k->code, .key = kit_hash(k, code)};
    return kit_scan(k, &scan, NULL, 0);
}

/* Rows of `from` become those of a like observation with another code. */
static enum med_outcome index_anew(struct kit *k, uint32_t version, const char *code)
{
    med_write w = kit_observation(k, "o", "x", "p", code, 1000, 1.0);
    w.index_only = true;
    w.expect_version = version;
    w.text = MED_STR_EMPTY;
    kit_prepare(k, &w);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    return w.outcome;
}

static void index_rows_are_made_anew(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    med_write p = kit_put(k, k->patient, "p", "the patient");
    med_write w = kit_observation(k, "o", "x", "p", "a", 1000, 1.0);
    assert_int_equal(kit_commit_one(k, &p), MED_COMMIT_DONE);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(index_anew(k, 1, "b"), MED_OUTCOME_UNCHANGED);
    assert_int_equal(tokens(k, "a"), 0);
    assert_int_equal(tokens(k, "b"), 1);
    assert_int_equal(index_anew(k, 2, "c"),
                     MED_OUTCOME_NONE); /* of a version that is not current */
    assert_int_equal(tokens(k, "b"), 1);
    assert_true(med_str_eqz(kit_note(k, k->observation, "o"), "x"));
    kit_reopen(k);
    med_verify verify = {0};
    assert_true(med_store_verify(k->store, &verify, &err));
    assert_int_equal(verify.faults, 0);
    med_write again = kit_observation(k, "o", "y", "p", "d", 1000, 1.0);
    assert_int_equal(kit_commit_one(k, &again), MED_COMMIT_DONE);
    assert_int_equal(tokens(k, "b"), 0);
    assert_int_equal(tokens(k, "d"), 1);
    assert_int_equal(index_anew(k, 1, "c"), MED_OUTCOME_NONE);
    med_write gone = kit_delete(k, MED_WRITE_DELETE, k->observation, "o");
    assert_int_equal(kit_commit_one(k, &gone), MED_COMMIT_DONE);
    assert_int_equal(index_anew(k, 3, "c"), MED_OUTCOME_NONE);
    assert_int_equal(tokens(k, "c"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_note_is_written_by_one_at_a_time, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(index_rows_are_made_anew, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
