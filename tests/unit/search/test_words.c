/* Words and parts of strings: each answer must be the same before the full-text lists are made,
 * when they are, and when something was written since. */
#include "base/unicode.h"
#include "kit.h"

static void put_name(struct kit *k, const char *id, const char *family, const char *given)
{
    kit_put(k, med_arena_printf(k->arena,
                                "{'resourceType':'Patient','id':'%s','name':[{'family':'%s',"
                                "'given':['%s']}]}",
                                id, family, given)
                   .ptr);
}

static void put_story(struct kit *k, const char *id, const char *narrative, const char *note)
{
    kit_put(k, med_arena_printf(
                   k->arena,
                   "{'resourceType':'Condition','id':'%s','text':{'status':'generated','div':"
                   "'<div>%s</div>'},'subject':{'reference':'Patient/p1'},'note':[{'text':'%s'}]}",
                   id, narrative, note)
                   .ptr);
}

static void fill(struct kit *k)
{
    put_name(k, "p1", "S\xc3\xb8rensen", "Ida Marie");
    put_name(k, "p2", "Dvo\xc5\x99\xc3\xa1kov\xc3\xa1", "Zo\xc3\xab");
    put_name(k, "p3", "Gro\xc3\x9fmann", "J\xc3\xbcrgen");
    put_name(k, "p4", "\xd0\x86\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xb5\xd0\xbd\xd0\xba\xd0\xbe",
             "\xd0\x9e\xd0\xbb\xd1\x8c\xd0\xb3\xd0\xb0"); /* Ukrainian: Ivanenko, Olha */
    put_name(k, "p5",
             "O\xe2\x80\x99"
             "Brien-Ng",
             "Al");
    put_name(k, "p6", "\xe6\x9d\x8e", "\xe5\xb0\x8f\xe9\xbe\x99");
    put_story(k, "c1", "Seen for <b>chest</b>pain and di\xc3\xa9t", "no fever");
    put_story(k, "c2",
              "\xd0\x91\xd0\xbe\xd0\xbb\xd0\xb8 \xd0\xb2 \xd1\x81\xd0\xbf\xd0\xb8\xd0\xbd\xd0\xb5",
              "fever since 2024-05-01; room B12x9");
    put_story(k, "c3", "chest pains", "supercalifragilisticexpialidocious OR NEAR AND NOT");
}

static const struct kit_case parts[] = {
    {"Patient?family:contains=rens", "p1"},
    {"Patient?family:contains=R%C3%89NS", "p1"},
    {"Patient?family:contains=sorensen", "p1"},
    {"Patient?family:contains=s%C3%B8rensen", "p1"},
    {"Patient?family:contains=sorensens", ""},
    {"Patient?family:contains=orakova", "p2"},
    {"Patient?family:contains=sm", "p3"},
    {"Patient?family:contains=ssman", "p3"},
    {"Patient?family:contains=%C3%9F", "p3"},
    {"Patient?family:contains=%D0%B2%D0%B0%D0%9D%D0%95", "p4"},
    {"Patient?given:contains=%D0%BB%D1%8C", "p4"},
    {"Patient?given:contains=%D0%B0", "p4"},
    {"Patient?name:contains=obrien%20ng", "p5"},
    {"Patient?name:contains=brien-n", "p5"},
    {"Patient?name:contains=ng", "p5"},
    {"Patient?name:contains=l", "p5"},
    {"Patient?name:contains=al,rensen,xyz", "p1,p5"},
    {"Patient?name:contains=%E9%BE%99", "p6"},
    {"Patient?name:contains=%E6%9D%8E", "p6"},
    {"Patient?name:contains=a%20m", "p1"},
    {"Patient?name:contains=a%25e", ""},
    {"Patient?name:contains=a_m", "p1"},
    {"Patient?name:contains=%22ida%22", "p1"},
    {"Patient?name:contains=ida*", "p1"},
    {"Patient?name:contains=ida%20OR%20zoe", ""},
    {"Patient?name:contains=%27%29;drop", ""},
    {"Patient?_filter=family%20co%20%22kov%22", "p2"},
    {"Condition?subject:Patient.name:contains=rense", "c1,c2,c3"},
    {"Condition?subject:Patient.name:contains=zzz", ""},
};

static const struct kit_case said[] = {
    {"Condition?_text=chest", "c1,c3"},
    {"Condition?_text=CHEST%20pain", "c1,c3"},
    {"Condition?_text=pain%20chest", "c1,c3"},
    {"Condition?_text=chestpain", ""},
    {"Condition?_text=pains", "c3"},
    {"Condition?_text=est", ""},
    {"Condition?_text=diet", "c1"},
    {"Condition?_text=fever", ""},
    {"Condition?_text=%D0%B1%D0%BE%D0%BB%D1%8C", ""},
    {"Condition?_text=%D0%91%D0%9E%D0%9B", "c2"},
    {"Condition?_text=fever,diet", "c1"},
    {"Condition?_content=fever", "c1,c2"},
    {"Condition?_content=2024", "c2"},
    {"Condition?_content=2024-05-01", "c2"},
    {"Condition?_content=2024-05-02", ""},
    {"Condition?_content=b12x9", "c2"},
    {"Condition?_content=b12x8", ""},
    {"Condition?_content=supercalifrag", "c3"},
    {"Condition?_content=supercalifragilisticexpialidocious", "c3"},
    {"Condition?_content=supercalifragilisticexpialidociousx", ""},
    {"Condition?_content=supercalifragilisticexx", ""},
    {"Condition?_content=OR", "c3"},
    {"Condition?_content=NOT%20near", "c3"},
    {"Condition?_content=%22fever%22", "c1,c2"},
    {"Condition?_content=fever*", "c1,c2"},
    {"Condition?_content=%28fever", "c1,c2"},
    {"Condition?_content=fever&_text=diet", "c1"},
    {"?_type=Patient,Condition&_content=ida,fever", "c1,c2,p1"},
    {"Patient?_has:Condition:subject:_text=pain", "p1"},
};

static void check(struct kit *k)
{
    kit_check_finds(k, parts, COUNT(parts));
    kit_check_finds(k, said, COUNT(said));
}

static med_posted posted(struct kit *k)
{
    med_posted out;
    med_err err = {0};
    med_view *v = kit_view(k);
    assert_true(med_view_posted(v, &out, &err));
    med_view_end(v);
    return out;
}

static void lists_change_no_answer(void **state)
{
    struct kit *k = *state;
    fill(k);
    check(k);
    kit_list(k);
    assert_true(posted(k).t > 0);
    check(k);
}

static med_str driver(struct kit *k, const char *url)
{
    med_err err = {0};
    med_search_plan plan;
    const med_query *q = kit_query(k, url, &err);
    assert_non_null(q);
    med_view *v = kit_view(k);
    assert_true(med_query_plan(k->schema, v, k->arena, q, &plan, &err));
    med_view_end(v);
    return plan.driver;
}

static void what_was_written_since_is_found(void **state)
{
    struct kit *k = *state;
    fill(k);
    kit_list(k);
    put_name(k, "p1", "Jansen", "Ida"); /* no longer SÃ¸rensen */
    put_name(k, "p7", "Rensen", "New");
    kit_delete(k, "Patient", "p5");
    put_story(k, "c1", "nothing", "fever");
    static const struct kit_case cases[] = {
        {"Patient?family:contains=rens", "p7"}, {"Patient?family:contains=anse", "p1"},
        {"Patient?name:contains=brien", ""},    {"Patient?name:contains=new", "p7"},
        {"Condition?_text=chest", "c3"},        {"Condition?_text=nothing", "c1"},
        {"Condition?_content=fever", "c1,c2"},
    };
    kit_check_finds(k, cases, COUNT(cases));
    kit_list(k);
    kit_check_finds(k, cases, COUNT(cases));
}

/* Of all types: what a term's list holds, whether it matches or not. */
static size_t listed(struct kit *k, const char *type, const char *word)
{
    med_rid *rids;
    size_t n;
    bool whole;
    med_err err = {0};
    uint32_t number =
        med_schema_type(k->schema, med_pack_type(med_pack_core(), med_str_from(type)));
    med_view *v = kit_view(k);
    if (!med_view_postings(v, k->arena, (uint64_t)number * 2, med_str_from(word), false, 1000,
                           &rids, &n, &whole, &err))
        fail_msg("%s", err.text);
    assert_true(whole);
    med_view_end(v);
    return n;
}

static void purge(struct kit *k, const char *type, const char *id)
{
    med_err err = {0};
    med_write w = {
        .kind = MED_WRITE_PURGE,
        .type = med_schema_type(k->schema, med_pack_type(med_pack_core(), med_str_from(type))),
        .id = med_str_from(id),
        .text = MED_STR_EMPTY,
        .rows.when = MED_TIME_MIN};
    assert_true(med_store_prepare(k->store, k->arena, &w, &err));
    med_commit c = {.writes = &w, .n_writes = 1, .trace = MED_STR_EMPTY};
    assert_true(med_store_commit_wait(k->store, &c, &err));
    assert_int_equal(c.state, MED_COMMIT_DONE);
}

static void what_goes_leaves_the_lists(void **state)
{
    struct kit *k = *state;
    fill(k);
    kit_list(k);
    assert_int_equal(listed(k, "Condition", "chest"), 2);
    put_story(k, "c1", "nothing", "nothing"); /* superseded: when the lists come to it */
    assert_int_equal(listed(k, "Condition", "chest"), 2);
    kit_list(k);
    assert_int_equal(listed(k, "Condition", "chest"), 1);
    kit_delete(k, "Condition", "c2");
    kit_list(k);
    assert_int_equal(listed(k, "Condition", "fever"), 0);
    put_story(k, "c3", "other", "words"); /* purged: at once, whichever version is listed */
    purge(k, "Condition", "c3");
    assert_int_equal(listed(k, "Condition", "chest"), 0);
    assert_int_equal(listed(k, "Condition", "words"), 0);
    kit_list(k);
    assert_int_equal(listed(k, "Condition", "words"), 0);
}

static void a_store_that_knows_no_terms_empties_its_lists_at_a_purge(void **state)
{
    struct kit *k = *state;
    fill(k);
    kit_list(k);
    med_store_set_terms(k->store, NULL);
    purge(k, "Condition", "c3");
    assert_int_equal(posted(k).form, 0);
    assert_int_equal(listed(k, "Condition", "chest"), 0);
    kit_check_finds(k, &(struct kit_case){"Condition?_text=chest", "c1"}, 1);
    kit_list(k);
    assert_int_equal(listed(k, "Condition", "chest"), 1);
}

/* A step that read before a purge must not write after it. */
static void postings_from_before_a_purge_are_refused(void **state)
{
    struct kit *k = *state;
    fill(k);
    kit_list(k);
    med_posted before = posted(k), after = before;
    med_err err = {0};
    purge(k, "Condition", "c3");
    const med_posting p = {.list = 1, .term = MED_STR("x"), .rid = 1};
    after.t++;
    assert_false(med_store_post(k->store, &p, 1, before, after, &err));
    assert_int_equal(err.issue, MED_ISSUE_CONFLICT);
}

/* Another form of lists: they are made anew, and what they do not hold is looked for as before. */
static void lists_of_narratives_alone(void **state)
{
    struct kit *k = *state;
    fill(k);
    kit_list(k);
    k->terms.content = false;
    kit_list(k);
    assert_int_equal(posted(k).form, med_terms_form(&k->terms));
    assert_int_equal(listed(k, "Condition", "chest"), 2);
    assert_int_equal(listed(k, "Condition", "fever"), 0);
    check(k);
    assert_true(med_str_eqz(driver(k, "Condition?_content=fever"), "type"));
}

/* Lists long enough for many blocks, changed at both ends and inside. */
static void long_lists_keep_their_order(void **state)
{
    enum { MANY = 3000 };
    struct kit *k = *state;
    med_posting *p = calloc(MANY, sizeof *p);
    med_err err = {0};
    med_posted from = posted(k), to = {0, 77, from.purges};
    uint64_t seed = 1;
    bool has[4 * MANY] = {false};
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < MANY; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            p[i] = (med_posting){
                .list = 5, .term = MED_STR("word"), .rid = 1 + (seed >> 33) % (4 * MANY - 1)};
        }
        for (size_t i = 0; i < MANY; i++)
            p[i].gone = round == 3 || p[i].rid % 4 == (unsigned)round;
        for (size_t i = 0; i < MANY; i++)
            has[p[i].rid] = !p[i].gone;
        assert_true(med_store_post(k->store, p, MANY, from, to, &err));
        from = to;
        to.t++;
        med_view *v = kit_view(k);
        med_rid *rids;
        size_t n, expected = 0;
        bool whole;
        assert_true(med_view_postings(v, k->arena, 5, MED_STR("wo"), true, 4 * MANY, &rids, &n,
                                      &whole, &err));
        med_view_end(v);
        for (size_t rid = 0; rid < 4 * MANY; rid++) {
            if (has[rid])
                assert_true(expected < n && rids[expected++] == rid);
        }
        assert_int_equal(n, expected);
    }
    free(p);
}

static void the_lists_drive(void **state)
{
    struct kit *k = *state;
    fill(k);
    for (int i = 0; i < 200; i++) {
        put_name(k, med_arena_printf(k->arena, "q%d", i).ptr, "Filler", "Foo");
        put_story(k, med_arena_printf(k->arena, "d%d", i).ptr, "filler", "foo");
    }
    kit_list(k);
    static const struct {
        const char *url, *driver;
    } cases[] = {
        {"Patient?family:contains=rense", "family"},
        {"Patient?name:contains=zo", "name"},
        {"Condition?_text=chest", "_text"},
        {"Condition?_content=b12", "_content"},
        {"Condition?_content=foo&_text=chest", "_text"},
        {"Condition?_content=supercali&_sort=-_lastUpdated", "_content"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        med_str got = driver(k, cases[i].url);
        if (!med_str_eqz(got, cases[i].driver))
            fail_msg("%s: driven by %.*s", cases[i].url, MED_STR_ARG(got));
    }
}

static void matches_have_a_score(void **state)
{
    struct kit *k = *state;
    put_name(k, "p1", "A", "B");
    put_story(k, "once", "cough, and much else that was said on this long day in spring", "x");
    put_story(k, "twice", "cough and cough", "x");
    put_story(k, "short", "cough", "x");
    put_story(k, "none", "well", "cough cough cough");
    static const struct kit_case cases[] = {
        {"Condition?_text=cough&_sort=_score", "twice,short,once"},
        {"Condition?_text=cough&_sort=-_score", "once,short,twice"},
        {"Condition?_text=cough&_sort=_score&_count=1", "twice,short,once"},
        {"Condition?_content=cough&_sort=_score&_count=2", "none,twice,short,once"},
    };
    kit_check_orders(k, cases, COUNT(cases));
    kit_list(k);
    kit_check_orders(k, cases, COUNT(cases));
    med_search_result result;
    (void)kit_search(k, "Condition?_text=cough&_sort=_score", &result);
    assert_true(result.entries[0].score > result.entries[1].score);
    assert_true(result.entries[2].score > 0 && result.entries[0].score < 1);
    static const struct kit_case refused[] = {
        {"Condition?_sort=_score", "neither is asked"},
        {"Condition?_text=%2E", "needs a letter"},
        {"Condition?_text=", "needs a"},
        {"Condition?_content=a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%"
         "20"
         "a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a%20a",
         "at most 32 words"},
    };
    kit_check_refuses(k, refused, COUNT(refused));
}

/* As long as a URL can carry. */
static void very_long_values_find_nothing(void **state)
{
    struct kit *k = *state;
    fill(k);
    kit_list(k);
    char value[4000], url[4100];
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    static const char *const names[] = {
        "Condition?_text=", "Condition?_content=", "Patient?name:contains="};
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(url, sizeof url, "%s%s", names[i], value);
        kit_check_finds(k, &(struct kit_case){url, ""}, 1);
    }
}

/* ---- a model: words and names of random syllables, questions decided by looking at all ---- */

enum { STORIES = 40, ROUNDS = 400, WORDS_MOST = 5 };

struct world {
    struct kit *k;
    uint64_t seed;
    med_str name[STORIES], narrative[STORIES], note[STORIES]; /* empty: not there */
};

static size_t below(struct world *w, size_t n)
{
    w->seed ^= w->seed << 13;
    w->seed ^= w->seed >> 7;
    w->seed ^= w->seed << 17;
    return (size_t)(w->seed % n);
}

static const char *const syllables[] = {
    "ba",       "Ba", "ne", "n\xc3\xa9", "12", "7x", "\xd0\xb9\xd0\xb0", "\xd0\x98\xd0\xb0",
    "\xc3\x9f", "ss", "-",  ".",         "b",  "on", "\xe6\x9d\x8e",     "tion",
};

static med_str random_words(struct world *w, size_t most)
{
    med_arena *a = w->k->forever;
    med_str s = MED_STR_EMPTY;
    size_t words = 1 + below(w, most);
    for (size_t i = 0; i < words; i++) {
        size_t n = 1 + below(w, 3);
        for (size_t j = 0; j < n; j++)
            s = med_arena_printf(a, "%.*s%s%s", MED_STR_ARG(s), i > 0 && j == 0 ? " " : "",
                                 syllables[below(w, COUNT(syllables))]);
    }
    return s;
}

static void write_story(struct world *w, size_t i)
{
    struct kit *k = w->k;
    const char *id = med_arena_printf(k->arena, "s%zu", i).ptr;
    w->name[i] = random_words(w, 2);
    w->narrative[i] = random_words(w, WORDS_MOST);
    w->note[i] = random_words(w, WORDS_MOST);
    kit_put(k, med_arena_printf(k->arena,
                                "{'resourceType':'Organization','id':'%s','text':{'status':'empty',"
                                "'div':'<div>%s</div>'},'name':'%s','alias':['%s']}",
                                id, w->narrative[i].ptr, w->name[i].ptr, w->note[i].ptr)
                   .ptr);
}

static bool says(struct world *w, med_str text, med_str word)
{
    med_str folded;
    assert_true(med_fold(w->k->arena, text, &folded));
    while (folded.len > 0) {
        if (med_str_starts(med_str_cut(folded, ' ', &folded), word))
            return true;
    }
    return false;
}

static bool matches(struct world *w, size_t i, const char *name, med_str folded)
{
    med_str text;
    if (w->name[i].len == 0)
        return false;
    if (name[0] != '_') { /* the parameter `name` has the aliases, too */
        assert_true(med_fold(w->k->arena, w->name[i], &text));
        bool yes = med_str_search(text, folded, 0) < text.len;
        assert_true(med_fold(w->k->arena, w->note[i], &text));
        return yes || med_str_search(text, folded, 0) < text.len;
    }
    while (folded.len > 0) {
        med_str word = med_str_cut(folded, ' ', &folded);
        bool content = name[1] == 'c';
        if (!says(w, w->narrative[i], word)
            && !(content
                 && (says(w, w->note[i], word) || says(w, w->name[i], word)
                     || says(w, MED_STR("Organization empty"), word))))
            return false;
    }
    return true;
}

static void ask(struct world *w, int round)
{
    static const char *const names[] = {"name:contains", "_text", "_content"};
    const char *name = names[below(w, COUNT(names))];
    med_str folded, encoded, value = random_words(w, 2);
    med_arena *a = w->k->arena;
    assert_true(med_fold(a, value, &folded));
    if (folded.len == 0)
        return;
    if (below(w, 2) == 0) /* a piece of it, perhaps of one letter */
        folded.len = 1 + below(w, folded.len);
    while (
        folded.len > 0
        && (folded.ptr[folded.len - 1] == ' ' || (unsigned char)folded.ptr[folded.len - 1] >= 0x80))
        folded.len--;
    if (folded.len == 0)
        return;
    assert_true(med_percent_encode(a, folded, &encoded));
    med_str url = med_arena_printf(a, "Organization?%s=%.*s&_count=%d&_total=accurate", name,
                                   MED_STR_ARG(encoded), below(w, 2) ? 3 : 100);
    bool wanted[STORIES];
    size_t n = 0;
    for (size_t i = 0; i < STORIES; i++)
        n += wanted[i] = matches(w, i, name, folded);
    med_search_result first;
    med_str ids = kit_search(w->k, url.ptr, &first);
    if (first.total != n)
        fail_msg("round %d, %s: total %d, expected %zu", round, url.ptr, (int)first.total, n);
    for (size_t i = 0; i < n; i++) {
        int64_t id = -1;
        assert_true(med_str_to_int64(med_str_skip(med_str_cut(ids, ',', &ids), 1), &id));
        if (id < 0 || id >= STORIES || !wanted[id])
            fail_msg("round %d, %s: s%d", round, url.ptr, (int)id);
        wanted[id] = false;
    }
    assert_int_equal(ids.len, 0);
}

static void random_words_are_found_as_the_model_says(void **state)
{
    struct world w = {.k = *state, .seed = 20261122};
    for (size_t i = 0; i < STORIES; i++)
        write_story(&w, i);
    for (int round = 0; round < ROUNDS; round++) {
        med_arena_reset(w.k->arena);
        size_t at = below(&w, STORIES);
        switch (below(&w, 24)) {
        case 0:
            kit_list(w.k);
            break;
        case 1:
            if (w.name[at].len > 0)
                kit_delete(w.k, "Organization", med_arena_printf(w.k->arena, "s%zu", at).ptr);
            w.name[at] = MED_STR_EMPTY;
            break;
        case 2:
            write_story(&w, at);
            break;
        default:
            ask(&w, round);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_change_no_answer, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(what_was_written_since_is_found, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(what_goes_leaves_the_lists, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_store_that_knows_no_terms_empties_its_lists_at_a_purge,
                                        kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(postings_from_before_a_purge_are_refused, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(lists_of_narratives_alone, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(long_lists_keep_their_order, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(matches_have_a_score, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(very_long_values_find_nothing, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(random_words_are_found_as_the_model_says, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(the_lists_drive, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
