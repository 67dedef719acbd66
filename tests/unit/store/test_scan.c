/* Views: scans of every index, keysets, probes, counters, dictionary, history. */
#include "kit.h"

#include "store/asked.h"

enum { N = 20 };

/* Observations o0..o19 of patients p0 and p1, codes c0..c2, dates and values rising. */
static void fill(struct kit *k)
{
    for (int i = 0; i < N; i++) {
        char id[8];
        char code[8];
        (void)snprintf(id, sizeof id, "o%d", i);
        (void)snprintf(code, sizeof code, "c%d", i % 3);
        med_str kept = MED_STR_EMPTY;
        med_str kept_code = MED_STR_EMPTY;
        assert_true(med_arena_copy(k->arena, med_str_from(id), &kept));
        assert_true(med_arena_copy(k->arena, med_str_from(code), &kept_code));
        med_write w = kit_observation(k, kept.ptr, kept.ptr, i % 2 ? "p1" : "p0", kept_code.ptr,
                                      i * 1000, i - 10);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
}

static med_scan scan_of(struct kit *k, enum med_index index)
{
    med_scan q = {.index = index,
                  .low_int = INT64_MIN,
                  .high_int = INT64_MAX,
                  .low_real = -1e300,
                  .high_real = 1e300,
                  .low_text = MED_STR_EMPTY,
                  .high_text = MED_STR_EMPTY,
                  .after_text = MED_STR_EMPTY};
    med_rid patient = kit_rid(k, "Patient", "p0");
    switch (index) {
    case MED_INDEX_TOKEN:
        q.param = k->code;
        q.key = kit_hash(k, "c0");
        break;
    case MED_INDEX_REFERENCE:
        q.param = k->subject;
        q.key = patient;
        break;
    case MED_INDEX_DATE:
        q.param = k->date;
        q.key = 0;
        break;
    case MED_INDEX_STRING:
        q.param = k->name;
        q.low_text = MED_STR("o");
        break;
    case MED_INDEX_QUANTITY:
        q.param = k->value;
        q.key = 77;
        break;
    case MED_INDEX_URI:
        q.param = k->url;
        q.low_text = MED_STR("c1");
        break;
    case MED_INDEX_UPDATED:
        q.param = k->observation;
        break;
    case MED_INDEX_PATIENT:
        q.key = patient;
        q.type = k->observation;
        break;
    case MED_INDEX_PATIENT_TOKEN:
        q.key = patient;
        q.param = k->code;
        q.key2 = kit_hash(k, "c0");
        break;
    }
    return q;
}

static const size_t expected[] = {7, 10, 20, 20, 20, 7, 20, 10, 4};

static void every_index_is_walked_both_ways(void **state)
{
    struct kit *k = *state;
    fill(k);
    for (int index = MED_INDEX_TOKEN; index <= MED_INDEX_PATIENT_TOKEN; index++) {
        med_rid up[N];
        med_rid down[N];
        med_scan q = scan_of(k, (enum med_index)index);
        size_t n = kit_scan(k, &q, up, N);
        if (n != expected[index])
            fail_msg("index %d: %zu hits, not %zu", index, n, expected[index]);
        q.descending = true;
        assert_int_equal(kit_scan(k, &q, down, N), n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(up[i], down[n - 1 - i]);
    }
    med_scan all = scan_of(k, MED_INDEX_PATIENT);
    all.type = 0;
    assert_int_equal(kit_scan(k, &all, NULL, 0), 10);
}

static void pages_join_without_gap_or_double(void **state)
{
    struct kit *k = *state;
    fill(k);
    for (int index = MED_INDEX_TOKEN; index <= MED_INDEX_PATIENT_TOKEN; index++) {
        for (int descending = 0; descending < 2; descending++) {
            med_scan q = scan_of(k, (enum med_index)index);
            q.descending = descending != 0;
            med_rid whole[N];
            size_t n = kit_scan(k, &q, whole, N);
            med_view *v = kit_view(k);
            for (size_t i = 0; i < n; i++) { /* pages of one */
                med_err err;
                med_hit hit;
                med_cursor *c = med_view_scan(v, &q, &err);
                assert_non_null(c);
                assert_int_equal(med_cursor_next(c, &hit, &err), MED_FOUND);
                assert_int_equal(hit.rid, whole[i]);
                q.after_int = hit.value;
                q.after_real = hit.real;
                q.after_rid = hit.rid;
                assert_true(med_arena_copy(k->arena, hit.text, &q.after_text));
                med_cursor_close(c);
            }
            med_err err;
            med_hit hit;
            med_cursor *c = med_view_scan(v, &q, &err);
            assert_non_null(c);
            assert_int_equal(med_cursor_next(c, &hit, &err), MED_ABSENT);
            med_view_end(v); /* closes the cursor, too */
        }
    }
}

static void bounds_are_inclusive_and_prefixes_end(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_scan q = scan_of(k, MED_INDEX_DATE);
    q.low_int = 3000;
    q.high_int = 5000;
    assert_int_equal(kit_scan(k, &q, NULL, 0), 3);
    q.descending = true;
    assert_int_equal(kit_scan(k, &q, NULL, 0), 3);
    q = scan_of(k, MED_INDEX_QUANTITY);
    q.low_real = -1;
    q.high_real = 1;
    assert_int_equal(kit_scan(k, &q, NULL, 0), 3);
    q = scan_of(k, MED_INDEX_STRING);
    q.low_text = MED_STR("o1");
    assert_int_equal(kit_scan(k, &q, NULL, 0), 11); /* o1, o10..o19 */
    q.high_text = MED_STR("o11");
    assert_int_equal(kit_scan(k, &q, NULL, 0), 2); /* o1, o10 */
    q.descending = true;
    assert_int_equal(kit_scan(k, &q, NULL, 0), 2);
    q.low_text = MED_STR("x");
    q.high_text = MED_STR_EMPTY;
    assert_int_equal(kit_scan(k, &q, NULL, 0), 0);
}

static void values_of_hits_are_those_of_the_rows(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_err err;
    med_hit hit;
    med_scan q = scan_of(k, MED_INDEX_DATE);
    med_scan quantity = scan_of(k, MED_INDEX_QUANTITY);
    med_scan string = scan_of(k, MED_INDEX_STRING);
    med_view *v = kit_view(k);
    med_cursor *c = med_view_scan(v, &q, &err);
    assert_int_equal(med_cursor_next(c, &hit, &err), MED_FOUND);
    assert_int_equal(hit.value, 0);
    assert_int_equal(hit.value_high, 1000000);
    med_cursor_close(c);
    c = med_view_scan(v, &quantity, &err);
    assert_int_equal(med_cursor_next(c, &hit, &err), MED_FOUND);
    assert_true(hit.real == -10 && hit.real_high == -10);
    med_cursor_close(c);
    c = med_view_scan(v, &string, &err);
    assert_int_equal(med_cursor_next(c, &hit, &err), MED_FOUND);
    assert_true(med_str_eqz(hit.text, "o0"));
    med_view_end(v);
}

static void probes_and_counters_agree_with_the_rows(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_rid patient = kit_rid(k, "Patient", "p0");
    med_rid even = kit_rid(k, "Observation", "o0");
    med_rid odd = kit_rid(k, "Observation", "o1");
    assert_true(even != 0 && odd != 0 && patient != 0);
    med_view *v = kit_view(k);
    med_err err;
    bool yes = false;
    assert_true(med_view_probe(v, MED_INDEX_TOKEN, k->code, kit_hash(k, "c0"), even, &yes, &err));
    assert_true(yes);
    assert_true(med_view_probe(v, MED_INDEX_TOKEN, k->code, kit_hash(k, "c0"), odd, &yes, &err));
    assert_false(yes);
    assert_true(med_view_probe(v, MED_INDEX_REFERENCE, k->subject, patient, even, &yes, &err));
    assert_true(yes);
    assert_true(med_view_probe(v, MED_INDEX_PATIENT, 0, patient, even, &yes, &err));
    assert_true(yes);
    assert_true(med_view_probe(v, MED_INDEX_PATIENT, 0, patient, odd, &yes, &err));
    assert_false(yes);
    uint64_t n = 0;
    assert_true(med_view_count_type(v, k->observation, &n, &err));
    assert_int_equal(n, N);
    assert_true(med_view_count_token(v, k->code, kit_hash(k, "c1"), &n, &err));
    assert_int_equal(n, 7);
    uint64_t *hashes = NULL;
    size_t found = 0;
    assert_true(
        med_view_codes(v, k->arena, k->code, MED_STR_EMPTY, MED_STR("c1"), &hashes, &found, &err));
    assert_int_equal(found, 1);
    assert_int_equal(hashes[0], kit_hash(k, "c1"));
    assert_true(med_view_codes(v, k->arena, k->code, MED_STR("http://loinc.org"), MED_STR_EMPTY,
                               &hashes, &found, &err));
    assert_int_equal(found, 3);
    assert_true(med_view_codes(v, k->arena, k->code, MED_STR("http://other"), MED_STR("c1"),
                               &hashes, &found, &err));
    assert_int_equal(found, 0);
    med_rid *referrers = NULL;
    assert_true(med_view_referrers(v, k->arena, patient, 100, &referrers, &found, &err));
    assert_int_equal(found, 10);
    assert_true(med_view_referrers(v, k->arena, patient, 3, &referrers, &found, &err));
    assert_int_equal(found, 3);
    med_view_end(v);
}

static void changed_rows_follow_the_resource(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_write w = kit_observation(k, "o0", "changed", "p1", "c9", 0, 50);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    med_scan q = scan_of(k, MED_INDEX_TOKEN);
    assert_int_equal(kit_scan(k, &q, NULL, 0), 6);
    q.key = kit_hash(k, "c9");
    assert_int_equal(kit_scan(k, &q, NULL, 0), 1);
    q = scan_of(k, MED_INDEX_PATIENT);
    assert_int_equal(kit_scan(k, &q, NULL, 0), 9);
    q = scan_of(k, MED_INDEX_UPDATED);
    assert_int_equal(kit_scan(k, &q, NULL, 0), N);
    for (int i = 0; i < N; i++) {
        char id[8];
        (void)snprintf(id, sizeof id, "o%d", i);
        w = kit_delete(k, MED_WRITE_DELETE, k->observation, id);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
    for (int index = MED_INDEX_TOKEN; index <= MED_INDEX_PATIENT_TOKEN; index++) {
        q = scan_of(k, (enum med_index)index);
        assert_int_equal(kit_scan(k, &q, NULL, 0), 0);
    }
    med_view *v = kit_view(k);
    med_err err;
    uint64_t n = 9;
    assert_true(med_view_count_type(v, k->observation, &n, &err));
    assert_int_equal(n, 0);
    assert_true(med_view_count_token(v, k->code, kit_hash(k, "c1"), &n, &err));
    assert_int_equal(n, 0);
    uint64_t *hashes = NULL;
    size_t found = 0;
    assert_true(
        med_view_codes(v, k->arena, k->code, MED_STR_EMPTY, MED_STR("c1"), &hashes, &found, &err));
    assert_int_equal(found, 0);
    med_view_end(v);
}

static void a_view_stays_as_it_was(void **state)
{
    struct kit *k = *state;
    med_write w = kit_put(k, k->patient, "a", "1");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    med_err err;
    med_view *old = med_store_view(k->store, 1, INT64_MAX, &err);
    med_stored stored;
    assert_int_equal(med_view_read(old, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FOUND);
    w = kit_put(k, k->patient, "a", "2");
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    assert_int_equal(med_view_read(old, k->arena, k->patient, MED_STR("a"), &stored, &err),
                     MED_FOUND);
    assert_int_equal(stored.version, 1);
    assert_true(med_str_eqz(kit_note(k, k->patient, "a"), "2"));
    med_view_end(old);
}

static void history_pages_in_both_directions(void **state)
{
    struct kit *k = *state;
    fill(k);
    for (int i = 0; i < 3; i++) {
        char note[8];
        (void)snprintf(note, sizeof note, "n%d", i);
        med_write w = kit_observation(k, "o3", note, "p1", "c9", 0, 50);
        assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
    }
    med_rid o3 = kit_rid(k, "Observation", "o3");
    const struct {
        uint32_t type;
        med_rid rid;
        size_t n;
    } rows[] = {{0, 0, N + 3},
                {k->observation, 0, N + 3},
                {k->patient, 0, 0},
                {0, o3, 4},
                {k->observation, o3, 4}};
    med_view *v = kit_view(k);
    med_err err;
    for (size_t row = 0; row < COUNT(rows) * 2; row++) {
        med_history q = {.type = rows[row / 2].type,
                         .rid = rows[row / 2].rid,
                         .since = MED_TIME_MIN,
                         .until = MED_TIME_MAX,
                         .oldest_first = row % 2 != 0,
                         .text = true,
                         .limit = 3};
        uint64_t count = 0;
        assert_true(med_view_history_count(v, &q, &count, &err));
        assert_int_equal(count, rows[row / 2].n);
        size_t seen = 0;
        int64_t last = 0;
        for (;;) {
            med_stored *page = NULL;
            size_t n = 0;
            assert_true(med_view_history(v, k->arena, &q, &page, &n, &err));
            for (size_t i = 0; i < n; i++) {
                assert_true(last == 0 || (q.oldest_first ? page[i].t > last : page[i].t < last));
                last = page[i].t;
                assert_true(page[i].text.len > 0);
            }
            seen += n;
            if (n < q.limit)
                break;
            q.after_t = page[n - 1].t;
            q.after_rid = page[n - 1].rid;
        }
        assert_int_equal(seen, rows[row / 2].n);
    }
    /* bounds in time */
    med_history q = {.since = MED_TIME_MIN, .until = MED_TIME_MAX, .limit = 100};
    med_stored *all = NULL;
    size_t n = 0;
    assert_true(med_view_history(v, k->arena, &q, &all, &n, &err));
    for (size_t from = 0; from < n; from++) {
        med_history part = {
            .since = all[n - 1 - from].updated, .until = all[0].updated - 1, .limit = 100};
        med_stored *found = NULL;
        size_t m = 0;
        uint64_t count = 0;
        assert_true(med_view_history(v, k->arena, &part, &found, &m, &err));
        assert_int_equal(m, n - 1 - from);
        assert_true(med_view_history_count(v, &part, &count, &err));
        assert_int_equal(count, m);
    }
    med_view_end(v);
}

/* Questions to a store that is a network away; 0 where there are none. */
static uint32_t times_asked(med_view *v)
{
    const med_asked *asked;
    size_t n;
    uint32_t times = 0;
    med_view_asked(v, &asked, &n);
    for (size_t i = 0; i < n; i++)
        times += asked[i].times;
    return times;
}

static void what_is_foreseen_is_asked_for_at_once(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_rid p0 = kit_rid(k, "Patient", "p0");
    const struct {
        med_lookup at;
        uint64_t is;
    } known[] = {
        {{MED_LOOKUP_RID, 0, med_store_ident(k->store, MED_STR("Patient"), MED_STR("p0")), 0}, p0},
        {{MED_LOOKUP_RID, 0, med_store_ident(k->store, MED_STR("Patient"), MED_STR("p9")), 0}, 0},
        {{MED_LOOKUP_TYPE, 0, k->observation, 0}, N},
        {{MED_LOOKUP_TYPE, 0, k->patient, 0}, 0},
        {{MED_LOOKUP_TOKEN, k->code, kit_hash(k, "c0"), 0}, 7},
        {{MED_LOOKUP_TOKEN, k->code, kit_hash(k, "c9"), 0}, 0},
        {{MED_LOOKUP_TOKEN, k->identifier, kit_hash(k, "c0"), 0}, 0},
    };
    med_lookup at[COUNT(known)];
    for (size_t i = 0; i < COUNT(known); i++)
        at[i] = known[i].at;
    med_view *v = kit_view(k);
    med_err err;
    for (int again = 0; again < 2; again++) {
        const med_foreseen f = {.lookups = at, .n = COUNT(at)};
        assert_true(med_view_foresee(v, &f, &err));
        for (size_t i = 0; i < COUNT(known); i++) {
            uint64_t n = 99;
            assert_true(at[i].kind == MED_LOOKUP_RID ? med_view_rid(v, at[i].key, &n, &err)
                        : at[i].kind == MED_LOOKUP_TYPE
                            ? med_view_count_type(v, (uint32_t)at[i].key, &n, &err)
                            : med_view_count_token(v, at[i].param, at[i].key, &n, &err));
            assert_int_equal(n, known[i].is);
        }
        assert_int_equal(times_asked(v), k->postgres ? 1 : 0);
    }
    med_view_end(v);
}

/* The scan that a search will begin with, by the id of its patient, and with it the resources. */
static void a_foreseen_scan_is_asked_for_at_once(void **state)
{
    struct kit *k = *state;
    enum { WANTED = 4 };
    fill(k);
    static const char *const ids[] = {"p0", "p9"};
    for (int index = MED_INDEX_PATIENT; index <= MED_INDEX_PATIENT_TOKEN; index++) {
        for (size_t i = 0; i < COUNT(ids); i++) {
            med_err err;
            med_rid patient = 99, expected_rid = kit_rid(k, "Patient", ids[i]);
            med_hit hit;
            med_scan q = scan_of(k, (enum med_index)index);
            med_view *v = kit_view(k);
            uint64_t ident = med_store_ident(k->store, MED_STR("Patient"), med_str_from(ids[i]));
            const med_lookup at = {.kind = MED_LOOKUP_RID, .key = ident};
            const med_foreseen f = {.lookups = &at, .n = 1, .scan = &q, .of_ident = true};
            q.wanted = WANTED;
            q.key = ident;
            assert_true(med_view_foresee(v, &f, &err));
            assert_true(med_view_rid(v, ident, &patient, &err));
            assert_int_equal(patient, expected_rid);
            q.key = patient;
            med_cursor *c = med_view_scan(v, &q, &err);
            for (size_t n = 0; n < WANTED && patient != 0; n++) {
                med_stored whole;
                assert_int_equal(med_cursor_next(c, &hit, &err), MED_FOUND);
                assert_int_equal(med_view_by_rid(v, k->arena, hit.rid, &whole, &err), MED_FOUND);
                assert_int_equal(whole.rid, hit.rid);
            }
            if (patient == 0)
                assert_int_equal(med_cursor_next(c, &hit, &err), MED_ABSENT);
            else
                assert_int_equal(times_asked(v), k->postgres ? 1 : 0);
            med_cursor_close(c);
            med_view_end(v);
        }
    }
}

/* What only the plan rests on may be some seconds old, but not nothing; what an answer rests on may
 * not. */
static void counters_are_remembered_for_plans(void **state)
{
    struct kit *k = *state;
    fill(k);
    med_lookup at[] = {
        {MED_LOOKUP_TYPE, 0, k->observation, true},
        {MED_LOOKUP_TOKEN, k->code, kit_hash(k, "c0"), true},
        {MED_LOOKUP_TOKEN, k->code, kit_hash(k, "c9"), true},
    };
    for (int round = 0; round < 3; round++) {
        med_view *v = kit_view(k);
        med_err err;
        uint64_t n = 99;
        const med_foreseen f = {.lookups = at, .n = round == 1 ? 2 : COUNT(at)};
        if (round == 2)
            at[0].about = false;
        assert_true(med_view_foresee(v, &f, &err));
        assert_true(med_view_count_type(v, k->observation, &n, &err));
        assert_int_equal(n, N);
        assert_true(med_view_count_token(v, k->code, kit_hash(k, "c0"), &n, &err));
        assert_int_equal(n, 7);
        assert_int_equal(times_asked(v), k->postgres && round != 1 ? 1 : 0);
        assert_true(med_view_count_token(v, k->code, kit_hash(k, "c9"), &n, &err));
        assert_int_equal(n, 0);
        med_view_end(v);
    }
}

/* The page of a cursor and its resources are one question. */
static void a_page_brings_what_it_names(void **state)
{
    struct kit *k = *state;
    enum { WANTED = 4 };
    fill(k);
    for (int index = MED_INDEX_TOKEN; index <= MED_INDEX_PATIENT_TOKEN; index++) {
        med_rid all[N];
        med_scan q = scan_of(k, (enum med_index)index);
        q.descending = index % 2 == 0;
        size_t n = kit_scan(k, &q, all, N);
        assert_int_equal(n, expected[index]);
        q.wanted = WANTED;
        med_view *v = kit_view(k);
        med_err err;
        uint64_t count;
        assert_true(med_view_count_type(v, k->observation, &count, &err)); /* it has begun */
        med_cursor *c = med_view_scan(v, &q, &err);
        med_hit hit;
        for (size_t i = 0; i < n; i++) {
            med_stored columns, whole;
            med_rows rows;
            assert_int_equal(med_cursor_next(c, &hit, &err), MED_FOUND);
            assert_int_equal(hit.rid, all[i]);
            assert_int_equal(med_view_rows(v, k->arena, hit.rid, &columns, &rows, &err), MED_FOUND);
            assert_int_equal(med_view_by_rid(v, k->arena, hit.rid, &whole, &err), MED_FOUND);
            assert_int_equal(columns.rid, hit.rid);
            assert_int_equal(whole.rid, hit.rid);
            assert_int_equal(rows.n_dates, 1);
            assert_true(med_str_eq(columns.id, whole.id) && whole.text.len > whole.id.len);
            if (i <= WANTED) /* one may be looked at before the last is taken */
                assert_int_equal(times_asked(v), k->postgres ? 2 : 0);
        }
        assert_int_equal(med_cursor_next(c, &hit, &err), MED_ABSENT);
        med_cursor_close(c);
        med_view_end(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_index_is_walked_both_ways, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(pages_join_without_gap_or_double, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(bounds_are_inclusive_and_prefixes_end, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(values_of_hits_are_those_of_the_rows, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(probes_and_counters_agree_with_the_rows, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(changed_rows_follow_the_resource, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(what_is_foreseen_is_asked_for_at_once, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_foreseen_scan_is_asked_for_at_once, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(counters_are_remembered_for_plans, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_page_brings_what_it_names, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_view_stays_as_it_was, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(history_pages_in_both_directions, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
