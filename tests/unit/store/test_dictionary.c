/* test_dictionary.c - the dictionaries of the program, and bodies packed with them. */
#include "kit.h"

static const med_dictionary *shipped(med_arena *a, size_t *n)
{
    const med_dictionary *list = NULL;
    med_err err = {0};
    if (!med_dictionaries_shipped(a, &list, n, &err))
        fail_msg("%s", err.text);
    return list;
}

static const med_dictionary *find(const med_dictionary *list, size_t n, const char *type)
{
    for (size_t i = 0; i < n; i++) {
        if (med_str_eqz(list[i].type, type))
            return &list[i];
    }
    fail_msg("no dictionary for '%s'", type);
    return NULL;
}

static void each_has_its_own_id(void **state)
{
    const struct kit *k = *state;
    size_t n = 0;
    const med_dictionary *list = shipped(k->arena, &n);
    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        assert_true(list[i].id >> 8 >= 1);
        assert_true(list[i].bytes.len > 0);
        for (size_t other = 0; other < i; other++)
            assert_int_not_equal(list[i].id, list[other].id);
    }
    (void)find(list, n, "Observation");
    (void)find(list, n, "Patient");
    (void)find(list, n, ""); /* for all others */
}

/* Rows of stores name these bytes: a version that was released never changes. Should this fail,
 * leave the old file as it was and add a new version. */
static void released_bytes_stay(void **state)
{
    const struct kit *k = *state;
    size_t n = 0;
    const med_dictionary *list = shipped(k->arena, &n);
    const med_hash_key key = {1, 2};
    uint64_t all = 0;
    for (size_t i = 0; i < n; i++) {
        if (list[i].id >> 8 == 1)
            all = all * 31 + (med_siphash(key, list[i].bytes) ^ list[i].id);
    }
    assert_int_equal(all, 0xdc92db0b698e6120);
}

static void open_with_shipped(struct kit *k)
{
    kit_close(k);
    k->options.dictionaries = shipped(k->arena, &k->options.n_dictionaries);
    kit_open(k);
}

static void each_type_packs_with_its_own(void **state)
{
    struct kit *k = *state;
    open_with_shipped(k);
    const med_dictionary *list = k->options.dictionaries;
    uint32_t basic = 0;
    med_str name = MED_STR("Basic"); /* too few examples for one of its own */
    med_err err = {0};
    assert_true(med_store_intern(k->store, MED_NAME_TYPE, &name, 1, &basic, &err));
    med_write patient = kit_put(k, k->patient, "p", "with its own");
    med_write observation = kit_put(k, k->observation, "o", "with another");
    med_write other = kit_put(k, basic, "b", "with that of all others");
    size_t n = k->options.n_dictionaries;
    assert_int_equal(patient.dictionary, find(list, n, "Patient")->id);
    assert_int_equal(observation.dictionary, find(list, n, "Observation")->id);
    assert_int_equal(other.dictionary, find(list, n, "")->id);
    assert_true(other.packed.len < other.text.len);
    assert_int_equal(kit_commit_one(k, &patient), MED_COMMIT_DONE);
    assert_int_equal(kit_commit_one(k, &observation), MED_COMMIT_DONE);
    assert_int_equal(kit_commit_one(k, &other), MED_COMMIT_DONE);
    kit_reopen(k);
    assert_true(med_str_eqz(kit_note(k, k->patient, "p"), "with its own"));
    assert_true(med_str_eqz(kit_note(k, k->observation, "o"), "with another"));
    assert_true(med_str_eqz(kit_note(k, basic, "b"), "with that of all others"));
}

/* An older program could not read what newer dictionaries packed, and must not call it damage. */
static void a_store_that_knows_more_is_refused(void **state)
{
    struct kit *k = *state;
    KIT_ONLY_SQLITE(k);
    open_with_shipped(k);
    kit_close(k);
    size_t n = k->options.n_dictionaries;
    k->options.n_dictionaries = n - 1;
    med_err err = {0};
    assert_null(med_sqlite_open(&k->options, &err));
    assert_int_equal(err.issue, MED_ISSUE_NOT_SUPPORTED);
    assert_non_null(strstr(err.text, "newer program"));
    k->options.n_dictionaries = n;
    kit_open(k);
}

static void a_damaged_file_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "medulla dictionaries 1\nzstd 10504\ninputs x\nPatient 5\n\n1234",
        "medulla dictionaries 1\nzstd 10504\ninputs x\nPatient 5\n\n123456",
        "medulla dictionaries 0\nzstd 10504\ninputs x\nPatient 5\n\n12345",
        "medulla dictionaries 1\nzstd 10504\ninputs x\nPatient -5\n\n12345",
        "another thing\nzstd 10504\ninputs x\nPatient 5\n\n12345",
    };
    const struct kit *k = *state;
    med_dictionary_file file;
    for (size_t i = 0; i < COUNT(bad); i++) {
        med_err err = {0};
        assert_false(med_dictionary_file_read(k->arena, med_str_from(bad[i]), &file, &err));
        assert_int_equal(err.issue, MED_ISSUE_EXCEPTION);
    }
    med_err err = {0};
    med_str good =
        MED_STR("medulla dictionaries 3\nzstd 10504\ninputs x\nother 2\nPatient 3\n\nabcde");
    assert_true(med_dictionary_file_read(k->arena, good, &file, &err));
    assert_int_equal(file.n, 2);
    assert_int_equal(file.dictionaries[1].id, 3 << 8 | 2);
    assert_true(med_str_eqz(file.dictionaries[1].bytes, "cde"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_has_its_own_id),          TEST(released_bytes_stay),
        TEST(each_type_packs_with_its_own), TEST(a_store_that_knows_more_is_refused),
        TEST(a_damaged_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
