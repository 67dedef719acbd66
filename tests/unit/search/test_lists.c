/* verify against the full-text lists: what they lack or have too much is found, beside writes that
 * they have not come to, in windows of any size. */
#include "kit.h"

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

static unsigned verify_by(struct kit *k, size_t window, uint32_t form, struct faults *f)
{
    med_err err = {0};
    *f = (struct faults){0};
    med_verify v = {.terms = med_terms_of_text,
                    .terms_arg = &k->terms,
                    .terms_form = form,
                    .window = window,
                    .fault = note_fault,
                    .arg = f};
    if (!med_store_verify(k->store, &v, &err))
        fail_msg("%s", err.text);
    assert_int_equal(v.faults, f->n);
    assert_int_equal(v.list_faults, f->n);
    return f->n;
}

static unsigned verify(struct kit *k, size_t window, struct faults *f)
{
    return verify_by(k, window, med_terms_form(&k->terms), f);
}

enum { PEOPLE = 12 };

static void put_person(struct kit *k, int i, const char *family)
{
    kit_put(k, med_arena_printf(k->arena,
                                "{'resourceType':'Patient','id':'p%d','name':[{'family':'%s'}],"
                                "'text':{'status':'generated','div':'<div>seen %d</div>'}}",
                                i, family, i)
                   .ptr);
}

static void fill(struct kit *k)
{
    for (int i = 0; i < PEOPLE; i++)
        put_person(k, i, i % 2 == 0 ? "Novak" : "Kranjc");
    kit_list(k);
}

static void read_one(struct kit *k, const char *id, med_stored *out)
{
    med_err err = {0};
    uint32_t type =
        med_schema_type(k->schema, med_pack_type(med_schema_pack(k->schema), MED_STR("Patient")));
    med_view *v = kit_view(k);
    assert_int_equal(med_view_read(v, k->arena, type, med_str_from(id), out, &err), MED_FOUND);
    med_view_end(v);
}

/* Puts a term of p3 into the lists, or takes it out, behind the back of everybody. */
static void tamper(struct kit *k, med_rid rid, const char *term, bool gone)
{
    med_err err = {0};
    med_stored s;
    med_posting *some;
    size_t n;
    med_posted now;
    read_one(k, "p3", &s);
    assert_true(med_terms_of_text(&k->terms, k->arena, s.type, s.text, &some, &n, &err));
    assert_true(n > 0);
    med_posting one = some[0];
    one.rid = rid != 0 ? rid : s.rid;
    one.gone = gone;
    if (term != NULL)
        one.term = med_str_from(term);
    med_view *v = kit_view(k);
    assert_true(med_view_posted(v, &now, &err));
    med_view_end(v);
    if (!med_store_post(k->store, &one, 1, now, now, &err))
        fail_msg("%s", err.text);
}

static void expect_fault(struct kit *k, const char *what)
{
    static const size_t windows[] = {0, 1, 3, 4, PEOPLE, 100};
    struct faults f;
    for (size_t i = 0; i < COUNT(windows); i++) {
        assert_int_equal(verify(k, windows[i], &f), 1);
        assert_string_equal(f.last, what);
    }
}

static void sound_lists_have_no_faults(void **state)
{
    struct kit *k = *state;
    struct faults f;
    assert_int_equal(verify(k, 0, &f), 0); /* none yet */
    fill(k);
    for (size_t window = 0; window <= PEOPLE + 1; window++) {
        if (verify(k, window, &f) != 0)
            fail_msg("%s", f.last);
    }
}

static void a_missing_term_is_found(void **state)
{
    struct kit *k = *state;
    fill(k);
    tamper(k, 0, NULL, true);
    expect_fault(k, "lists: Patient/p3: the full-text lists lack a term that it has");
}

static void a_term_too_many_is_found(void **state)
{
    struct kit *k = *state;
    fill(k);
    tamper(k, 0, "qqq", false);
    expect_fault(k, "lists: Patient/p3: the full-text lists have a term that it has not");
}

static void another_term_is_found(void **state)
{
    struct kit *k = *state;
    fill(k);
    tamper(k, 0, "qqq", false);
    tamper(k, 0, NULL, true);
    expect_fault(k, "lists: Patient/p3: the full-text lists have other terms than it has");
}

/* The same sum of numbers, but on the wrong resource each. */
static void a_term_of_somebody_else_is_found(void **state)
{
    struct kit *k = *state;
    struct faults f;
    med_stored other;
    fill(k);
    read_one(k, "p4", &other);
    tamper(k, 0, "qqq", false);
    tamper(k, other.rid, "rrr", false);
    assert_int_equal(verify(k, 0, &f), 2);
    assert_int_equal(verify(k, 1, &f), 2);
}

static void a_resource_that_is_not_there_is_found(void **state)
{
    struct kit *k = *state;
    fill(k);
    tamper(k, UINT64_C(1) << 40, NULL, false);
    expect_fault(
        k, "lists: internal id 1099511627776: the full-text lists name it, and it is not there");
}

static void what_the_lists_have_not_come_to_is_no_fault(void **state)
{
    struct kit *k = *state;
    struct faults f;
    fill(k);
    put_person(k, 3, "Horvat");
    put_person(k, PEOPLE, "Mlakar");
    kit_delete(k, "Patient", "p5");
    for (size_t window = 0; window < 4; window++)
        assert_int_equal(verify(k, window, &f), 0);
    kit_list(k);
    for (size_t window = 0; window < 4; window++)
        assert_int_equal(verify(k, window, &f), 0);
    tamper(k, 0, NULL, true);
    assert_int_equal(verify(k, 0, &f), 1);
}

static void lists_in_another_form_are_made_anew_anyway(void **state)
{
    struct kit *k = *state;
    struct faults f;
    fill(k);
    tamper(k, 0, NULL, true);
    assert_int_equal(verify_by(k, 0, med_terms_form(&k->terms) + 1, &f), 0);
    assert_int_equal(verify_by(k, 0, 0, &f), 0);
}

static void lists_that_were_thrown_away_are_made_again(void **state)
{
    struct kit *k = *state;
    struct faults f;
    med_err err = {0};
    med_posted now;
    fill(k);
    tamper(k, 0, NULL, true);
    med_view *v = kit_view(k);
    assert_true(med_view_posted(v, &now, &err));
    med_view_end(v);
    assert_true(med_store_post(k->store, NULL, 0, now, (med_posted){0, 0, now.purges}, &err));
    assert_int_equal(verify(k, 0, &f), 0);
    assert_true(med_str_eqz(kit_search(k, "Patient?_id=p3&name:contains=anj", NULL), "p3"));
    kit_list(k);
    assert_int_equal(verify(k, 0, &f), 0);
    assert_true(med_str_eqz(kit_search(k, "Patient?_id=p3&name:contains=anj", NULL), "p3"));
}

/* Where a step takes too long, the next ones take fewer, and then more again. */
static void a_step_that_takes_too_long_takes_fewer_next_time(void **state)
{
    struct kit *k = *state;
    med_err err = {0};
    med_portion versions = {0};
    size_t all;
    bool done;
    fill(k);
    put_person(k, 1, "Horvat");
    int64_t now = med_monotonic(&k->clock);
    assert_false(med_terms_step(&k->terms, k->store, 1, now - 1, &versions, &done, &err));
    assert_int_equal(err.issue, MED_ISSUE_TIMEOUT);
    all = 2 * versions.n;
    assert_false(med_terms_step(&k->terms, k->store, 1, now - 1, &versions, &done, &err));
    assert_int_equal(versions.n, all / 4);
    for (int i = 0; i < 20; i++)
        assert_false(med_terms_step(&k->terms, k->store, 1, now - 1, &versions, &done, &err));
    assert_int_equal(versions.n, 1);
    put_person(k, 2, "Horvat");
    while (!done) {
        if (!med_terms_step(&k->terms, k->store, 1, INT64_MAX, &versions, &done, &err))
            fail_msg("%s", err.text);
    }
    assert_true(versions.n > 1);
    struct faults f;
    assert_int_equal(verify(k, 0, &f), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(sound_lists_have_no_faults),
        TEST(a_missing_term_is_found),
        TEST(a_term_too_many_is_found),
        TEST(another_term_is_found),
        TEST(a_term_of_somebody_else_is_found),
        TEST(a_resource_that_is_not_there_is_found),
        TEST(what_the_lists_have_not_come_to_is_no_fault),
        TEST(lists_in_another_form_are_made_anew_anyway),
        TEST(lists_that_were_thrown_away_are_made_again),
        TEST(a_step_that_takes_too_long_takes_fewer_next_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
