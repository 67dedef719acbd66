/* Random commits against a simple model of what a store is; then everything that can be read is
 * compared, before and after a restart.
 *
 * MEDULLA_TEST_SEED and MEDULLA_STEPS repeat or lengthen a run. */
#include "kit.h"

enum {
    IDS = 24,
    TYPES = 2,
    SUBJECTS = IDS * TYPES,
    VERSIONS = 4096,
    TOKENS = 4,
    CODES = 6,
    WRITES = 5,
};

/* ---- the model ---- */

struct content {
    unsigned note;                     /* tells texts apart */
    unsigned tokens[TOKENS], n_tokens; /* codes */
    int reference;                     /* a subject, or -1; global and target row */
    int loose;                         /* a subject that only a target row names, or -1 */
    int64_t date, span;
    double value;
    int patient;  /* a Patient subject, or -1 */
    int64_t when; /* MED_TIME_MIN: the commit's time */
};

struct version {
    int subject;
    uint32_t number;
    int64_t t, updated;
    enum med_change change;
    struct content content;
};

struct subject {
    bool live, stored;
    uint32_t version;
    int64_t updated;
    struct content content;
};

struct model {
    struct subject subjects[SUBJECTS];
    struct version versions[VERSIONS];
    size_t n_versions;
    int64_t t;
};

struct run {
    struct kit *k;
    struct model model;
    uint64_t seed;
    unsigned notes;
};

static uint64_t roll(struct run *r, uint64_t n)
{
    r->seed ^= r->seed << 13;
    r->seed ^= r->seed >> 7;
    r->seed ^= r->seed << 17;
    return (r->seed >> 11) % n;
}

static uint32_t type_of(const struct run *r, int subject)
{
    return subject < IDS ? r->k->patient : r->k->observation;
}

static med_str id_of(struct run *r, int subject)
{
    return med_arena_printf(r->k->arena, "i%d", subject % IDS);
}

static uint64_t ident_of(struct run *r, int subject)
{
    return med_store_ident(r->k->store, subject < IDS ? MED_STR("Patient") : MED_STR("Observation"),
                           id_of(r, subject));
}

static uint64_t code_hash(struct run *r, unsigned code)
{
    return kit_hash(r->k, med_arena_printf(r->k->arena, "code%u", code).ptr);
}

static med_str folded(struct run *r, const struct content *c)
{
    return med_arena_printf(r->k->arena, "name%u", c->note % 7);
}

static med_str text_of(struct run *r, int subject, const struct content *c)
{
    return kit_text(r->k, type_of(r, subject), id_of(r, subject).ptr,
                    med_arena_printf(r->k->arena, "%u", c->note).ptr);
}

/* ---- making writes ---- */

static struct content random_content(struct run *r)
{
    struct content c = {.note = ++r->notes, .reference = -1, .loose = -1, .patient = -1};
    c.n_tokens = (unsigned)roll(r, TOKENS + 1);
    for (unsigned i = 0; i < c.n_tokens; i++)
        c.tokens[i] = (unsigned)roll(r, CODES);
    if (roll(r, 2) == 0)
        c.reference = (int)roll(r, SUBJECTS);
    if (roll(r, 4) == 0)
        c.loose = (int)roll(r, SUBJECTS);
    if (roll(r, 2) == 0)
        c.patient = (int)roll(r, IDS);
    static const int64_t spans[] = {1, 1000000, 86400000000, 86400000001, 5000000000000};
    c.date = (int64_t)roll(r, 20) * 1000000000;
    c.span = spans[roll(r, 5)];
    c.value = (double)roll(r, 40) - 20;
    c.when = roll(r, 3) == 0 ? MED_TIME_MIN : (int64_t)roll(r, 50);
    return c;
}

static med_rows rows_of(struct run *r, const struct content *c)
{
    struct kit *k = r->k;
    med_arena *a = k->arena;
    med_token_row *tokens = MED_TAKE(a, TOKENS, med_token_row);
    med_code_row *codes = MED_TAKE(a, TOKENS, med_code_row);
    med_reference_row *references = MED_TAKE(a, 1, med_reference_row);
    med_target_row *targets = MED_TAKE(a, 2, med_target_row);
    med_date_row *date = MED_TAKE(a, 1, med_date_row);
    med_quantity_row *value = MED_TAKE(a, 1, med_quantity_row);
    med_string_row *string = MED_TAKE(a, 1, med_string_row);
    med_uri_row *uri = MED_TAKE(a, 1, med_uri_row);
    uint64_t *patient = MED_TAKE(a, 1, uint64_t);
    med_rows rows = {.tokens = tokens,
                     .n_tokens = c->n_tokens,
                     .codes = codes,
                     .n_codes = c->n_tokens,
                     .references = references,
                     .n_references = c->reference >= 0,
                     .targets = targets,
                     .dates = date,
                     .n_dates = 1,
                     .quantities = value,
                     .n_quantities = 1,
                     .strings = string,
                     .n_strings = 1,
                     .uris = uri,
                     .n_uris = 1,
                     .patients = patient,
                     .n_patients = c->patient >= 0,
                     .when = c->when};
    for (unsigned i = 0; i < c->n_tokens; i++) {
        uint64_t hash = code_hash(r, c->tokens[i]);
        /* even codes everywhere, odd ones in the compartment only */
        uint8_t places = (uint8_t)(c->tokens[i] % 2 == 0 ? 3 : MED_ROW_PATIENT);
        tokens[i] = (med_token_row){k->code, places, hash};
        codes[i] = (med_code_row){hash, k->code, MED_STR("urn:s"),
                                  med_arena_printf(a, "code%u", c->tokens[i]), MED_STR_EMPTY};
    }
    const int named[] = {c->reference, c->loose};
    for (size_t i = 0; i < 2; i++) {
        if (named[i] >= 0)
            targets[rows.n_targets++] = (med_target_row){type_of(r, named[i]), id_of(r, named[i]),
                                                         ident_of(r, named[i]), MED_STR("X.y")};
    }
    if (c->reference >= 0)
        references[0] = (med_reference_row){k->subject, ident_of(r, c->reference)};
    if (c->patient >= 0)
        patient[0] = ident_of(r, c->patient);
    date[0] = (med_date_row){k->date, {c->date, c->date + c->span}};
    value[0] = (med_quantity_row){k->value, 0, c->value, c->value, NULL, NULL};
    string[0] = (med_string_row){k->name, folded(r, c)};
    uri[0] = (med_uri_row){k->url, folded(r, c)};
    return rows;
}

struct step {
    int subject;
    enum med_write_kind kind;
    struct content content;
    enum med_expect expect;
    uint32_t expect_version;
};

static struct step random_step(struct run *r)
{
    struct step s = {.subject = (int)roll(r, SUBJECTS), .content = random_content(r)};
    uint64_t dice = roll(r, 20);
    s.kind = dice < 14 ? MED_WRITE_PUT : dice < 19 ? MED_WRITE_DELETE : MED_WRITE_PURGE;
    const struct subject *now = &r->model.subjects[s.subject];
    if (s.kind == MED_WRITE_PUT && now->live && roll(r, 6) == 0)
        s.content = now->content; /* the same again */
    dice = roll(r, 12);
    s.expect = dice == 0   ? MED_EXPECT_NEW
               : dice == 1 ? MED_EXPECT_EXISTS
               : dice == 2 ? MED_EXPECT_VERSION
                           : MED_EXPECT_ANY;
    s.expect_version = now->version + (uint32_t)roll(r, 2);
    return s;
}

static med_write write_of(struct run *r, const struct step *s)
{
    med_write w = {.kind = s->kind,
                   .type = type_of(r, s->subject),
                   .id = id_of(r, s->subject),
                   .text = MED_STR_EMPTY,
                   .expect = s->expect,
                   .expect_version = s->expect_version};
    if (s->kind == MED_WRITE_PUT) {
        w.text = text_of(r, s->subject, &s->content);
        w.rows = rows_of(r, &s->content);
    }
    kit_prepare(r->k, &w);
    return w;
}

/* ---- what the model makes of them ---- */

static bool expectation_holds(const struct subject *now, const struct step *s)
{
    switch (s->expect) {
    case MED_EXPECT_ANY:
        return true;
    case MED_EXPECT_NEW:
        return !now->live;
    case MED_EXPECT_EXISTS:
        return now->live;
    case MED_EXPECT_VERSION:
        break;
    }
    return now->live && now->version == s->expect_version;
}

static void forget_versions(struct model *m, int subject)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->n_versions; i++) {
        if (m->versions[i].subject != subject)
            m->versions[kept++] = m->versions[i];
    }
    m->n_versions = kept;
}

static void add_version(struct model *m, int subject, enum med_change change,
                        const struct content *content)
{
    struct subject *now = &m->subjects[subject];
    now->version++;
    now->stored = true;
    now->live = change != MED_DELETED;
    now->content = *content;
    assert_true(m->n_versions < VERSIONS);
    m->versions[m->n_versions++] = (struct version){
        .subject = subject, .number = now->version, .change = change, .content = *content};
}

static enum med_outcome apply_step(struct model *m, const struct step *s)
{
    struct subject *now = &m->subjects[s->subject];
    switch (s->kind) {
    case MED_WRITE_PUT: {
        bool was = now->live;
        if (was && now->content.note == s->content.note)
            return MED_OUTCOME_UNCHANGED;
        add_version(m, s->subject, was ? MED_UPDATED : MED_CREATED, &s->content);
        return was ? MED_OUTCOME_UPDATED : MED_OUTCOME_CREATED;
    }
    case MED_WRITE_DELETE:
        if (!now->live)
            return MED_OUTCOME_WAS_ABSENT;
        add_version(m, s->subject, MED_DELETED, &now->content);
        return MED_OUTCOME_DELETED;
    case MED_WRITE_PURGE:
        break;
    }
    if (!now->stored)
        return MED_OUTCOME_WAS_ABSENT;
    forget_versions(m, s->subject);
    *now = (struct subject){0};
    return MED_OUTCOME_DELETED;
}

static bool refers(const struct content *c, int subject)
{
    return c->reference == subject || c->loose == subject;
}

/* Those that this commit wrote may not name what is gone; those that it did not write may not
 * name what it took away. */
static bool references_hold(const struct model *before, const struct model *after,
                            const struct step *steps, const enum med_outcome *outcomes, size_t n)
{
    bool written[SUBJECTS] = {false};
    for (size_t i = 0; i < n; i++)
        written[steps[i].subject] = true;
    for (size_t i = 0; i < n; i++) {
        const struct subject *s = &after->subjects[steps[i].subject];
        bool last = true;
        for (size_t k = i + 1; k < n; k++)
            last = last && steps[k].subject != steps[i].subject;
        if (!last || outcomes[i] == MED_OUTCOME_WAS_ABSENT)
            continue;
        if (steps[i].kind == MED_WRITE_PUT) {
            const int named[] = {s->content.reference, s->content.loose};
            for (size_t k = 0; k < 2; k++) {
                if (named[k] >= 0 && !after->subjects[named[k]].live)
                    return false;
            }
            continue;
        }
        for (int k = 0; k < SUBJECTS; k++) {
            if (before->subjects[k].live && !written[k]
                && refers(&before->subjects[k].content, steps[i].subject))
                return false;
        }
    }
    return true;
}

static void one_commit(struct run *r)
{
    static struct model before;
    struct step steps[WRITES];
    med_write writes[WRITES];
    enum med_outcome outcomes[WRITES];
    size_t n = 1 + roll(r, WRITES);
    med_commit c = {.writes = writes, .n_writes = n, .check_references = roll(r, 3) != 0};
    before = r->model;
    bool refused = false;
    for (size_t i = 0; i < n; i++) {
        steps[i] = random_step(r);
        writes[i] = write_of(r, &steps[i]);
        refused = refused || !expectation_holds(&r->model.subjects[steps[i].subject], &steps[i]);
        outcomes[i] = apply_step(&r->model, &steps[i]);
    }
    if (!refused && c.check_references)
        refused = !references_hold(&before, &r->model, steps, outcomes, n);
    enum med_commit_state state = kit_commit(r->k, &c);
    if (refused) {
        assert_int_equal(state, MED_COMMIT_REFUSED);
        r->model = before;
        return;
    }
    if (state != MED_COMMIT_DONE)
        fail_msg("refused: %s", c.err.text);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(writes[i].outcome, outcomes[i]);
    for (size_t i = 0; i < r->model.n_versions; i++) {
        struct version *v = &r->model.versions[i];
        if (v->t == 0) { /* made just now */
            v->updated = c.updated;
            v->t = 1;
            r->model.subjects[v->subject].updated = c.updated;
        }
    }
    r->model.t = c.t;
}

/* ---- comparing ---- */

static med_rid rid_of(struct run *r, med_view *v, int subject)
{
    med_rid rid = 0;
    med_err err;
    assert_true(med_view_rid(v, ident_of(r, subject), &rid, &err));
    return rid;
}

static void compare_reads(struct run *r, med_view *v)
{
    struct model *m = &r->model;
    med_stored stored;
    med_err err;
    for (int i = 0; i < SUBJECTS; i++) {
        enum med_found found =
            med_view_read(v, r->k->arena, type_of(r, i), id_of(r, i), &stored, &err);
        assert_int_equal(found, m->subjects[i].stored ? MED_FOUND : MED_ABSENT);
        if (found != MED_FOUND)
            continue;
        assert_int_equal(stored.version, m->subjects[i].version);
        assert_int_equal(stored.change == MED_DELETED, !m->subjects[i].live);
        assert_int_equal(stored.updated, m->subjects[i].updated);
    }
    for (size_t i = 0; i < m->n_versions; i++) {
        const struct version *x = &m->versions[i];
        assert_int_equal(med_view_version(v, r->k->arena, type_of(r, x->subject),
                                          id_of(r, x->subject), x->number, &stored, &err),
                         MED_FOUND);
        assert_int_equal(stored.change, x->change);
        assert_int_equal(stored.updated, x->updated);
        if (x->change != MED_DELETED)
            assert_true(med_str_eq(stored.text, text_of(r, x->subject, &x->content)));
    }
}

static void compare_history(struct run *r, med_view *v)
{
    med_err err;
    med_stored *all = NULL;
    size_t n = 0;
    med_history q = {
        .since = MED_TIME_MIN, .until = MED_TIME_MAX, .oldest_first = true, .limit = VERSIONS};
    assert_true(med_view_history(v, r->k->arena, &q, &all, &n, &err));
    assert_int_equal(n, r->model.n_versions);
    for (size_t i = 1; i < n; i++)
        assert_true(all[i].t > all[i - 1].t
                    || (all[i].t == all[i - 1].t && all[i].rid > all[i - 1].rid));
    for (uint32_t type = 1; type <= TYPES; type++) {
        uint64_t want = 0;
        for (size_t i = 0; i < r->model.n_versions; i++)
            want += type_of(r, r->model.versions[i].subject) == type;
        q.type = type;
        assert_true(med_view_history(v, r->k->arena, &q, &all, &n, &err));
        assert_int_equal(n, want);
        uint64_t count = 0;
        assert_true(med_view_history_count(v, &q, &count, &err));
        assert_int_equal(count, want);
    }
    for (int i = 0; i < SUBJECTS; i++) {
        med_rid rid = rid_of(r, v, i);
        if (rid == 0)
            continue;
        uint64_t want = 0;
        for (size_t k = 0; k < r->model.n_versions; k++)
            want += r->model.versions[k].subject == i;
        med_history one = {.rid = rid, .since = MED_TIME_MIN, .until = MED_TIME_MAX, .limit = 999};
        assert_true(med_view_history(v, r->k->arena, &one, &all, &n, &err));
        assert_int_equal(n, want);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(all[k].version, all[0].version - k);
    }
}

static size_t count_hits(med_view *v, const med_scan *q)
{
    med_err err;
    med_hit hit;
    size_t n = 0;
    med_cursor *c = med_view_scan(v, q, &err);
    assert_non_null(c);
    enum med_found found = MED_FOUND;
    while ((found = med_cursor_next(c, &hit, &err)) == MED_FOUND)
        n++;
    assert_int_equal(found, MED_ABSENT);
    med_cursor_close(c);
    return n;
}

static bool has_code(const struct content *c, unsigned code)
{
    for (unsigned i = 0; i < c->n_tokens; i++) {
        if (c->tokens[i] == code)
            return true;
    }
    return false;
}

static med_scan whole_scan(enum med_index index, uint32_t param, uint64_t key)
{
    return (med_scan){.index = index,
                      .param = param,
                      .key = key,
                      .low_int = INT64_MIN,
                      .high_int = INT64_MAX,
                      .low_text = MED_STR_EMPTY,
                      .high_text = MED_STR_EMPTY,
                      .after_text = MED_STR_EMPTY};
}

static void compare_tokens(struct run *r, med_view *v)
{
    med_err err;
    for (unsigned code = 0; code < CODES; code++) {
        size_t want = 0;
        for (int i = 0; i < SUBJECTS; i++)
            want += r->model.subjects[i].live && code % 2 == 0
                    && has_code(&r->model.subjects[i].content, code);
        med_scan q = whole_scan(MED_INDEX_TOKEN, r->k->code, code_hash(r, code));
        assert_int_equal(count_hits(v, &q), want);
        uint64_t count = 0;
        assert_true(med_view_count_token(v, r->k->code, code_hash(r, code), &count, &err));
        assert_int_equal(count, want);
    }
}

static void compare_references(struct run *r, med_view *v)
{
    med_err err;
    for (int target = 0; target < SUBJECTS; target++) {
        med_rid rid = rid_of(r, v, target);
        size_t by_row = 0;
        size_t by_any = 0;
        for (int i = 0; i < SUBJECTS; i++) {
            const struct subject *s = &r->model.subjects[i];
            by_row += s->live && s->content.reference == target;
            by_any += s->live && refers(&s->content, target);
        }
        med_scan q = whole_scan(MED_INDEX_REFERENCE, r->k->subject, rid);
        assert_int_equal(count_hits(v, &q), by_row);
        med_rid *referrers = NULL;
        size_t n = 0;
        assert_true(med_view_referrers(v, r->k->arena, rid, 999, &referrers, &n, &err));
        assert_int_equal(n, by_any);
    }
}

static void compare_values(struct run *r, med_view *v)
{
    for (int trial = 0; trial < 20; trial++) {
        size_t dates = 0;
        size_t values = 0;
        size_t strings = 0;
        size_t found = 0;
        int64_t low = (int64_t)roll(r, 20) * 1000000000;
        double value = (double)roll(r, 40) - 20;
        med_str name = med_arena_printf(r->k->arena, "name%d", trial % 7);
        for (int i = 0; i < SUBJECTS; i++) {
            const struct subject *s = &r->model.subjects[i];
            dates += s->live && s->content.date >= low;
            values += s->live && s->content.value <= value;
            strings += s->live && med_str_eq(folded(r, &s->content), name);
        }
        for (unsigned class = 0; class < MED_SPAN_CLASSES; class ++) {
            med_scan q = whole_scan(MED_INDEX_DATE, r->k->date, class);
            q.low_int = low;
            found += count_hits(v, &q);
        }
        assert_int_equal(found, dates);
        med_scan q = whole_scan(MED_INDEX_QUANTITY, r->k->value, 0);
        q.low_real = -1000;
        q.high_real = value;
        q.descending = trial % 2 != 0;
        assert_int_equal(count_hits(v, &q), values);
        q = whole_scan(trial % 2 == 0 ? MED_INDEX_STRING : MED_INDEX_URI,
                       trial % 2 == 0 ? r->k->name : r->k->url, 0);
        q.low_text = name;
        assert_int_equal(count_hits(v, &q), strings);
    }
}

static void compare_lists(struct run *r, med_view *v)
{
    med_err err;
    for (uint32_t type = 1; type <= TYPES; type++) {
        size_t want = 0;
        for (int i = 0; i < SUBJECTS; i++)
            want += r->model.subjects[i].live && type_of(r, i) == type;
        med_scan q = whole_scan(MED_INDEX_UPDATED, type, 0);
        assert_int_equal(count_hits(v, &q), want);
        uint64_t count = 0;
        assert_true(med_view_count_type(v, type, &count, &err));
        assert_int_equal(count, want);
    }
    for (int patient = 0; patient < IDS; patient++) {
        med_rid rid = rid_of(r, v, patient);
        size_t want[TYPES + 1] = {0};
        size_t coded = 0;
        for (int i = 0; i < SUBJECTS; i++) {
            const struct subject *s = &r->model.subjects[i];
            if (!s->live || s->content.patient != patient)
                continue;
            want[0]++;
            want[type_of(r, i)]++;
            coded += has_code(&s->content, 3);
            bool yes = false;
            assert_true(med_view_probe(v, MED_INDEX_PATIENT, 0, rid, rid_of(r, v, i), &yes, &err));
            assert_true(yes);
        }
        for (uint32_t type = 0; type <= TYPES && rid != 0; type++) {
            med_scan q = whole_scan(MED_INDEX_PATIENT, 0, rid);
            q.type = type;
            assert_int_equal(count_hits(v, &q), want[type]);
        }
        med_scan q = whole_scan(MED_INDEX_PATIENT_TOKEN, r->k->code, rid);
        q.key2 = code_hash(r, 3);
        if (rid != 0)
            assert_int_equal(count_hits(v, &q), coded);
    }
}

static void say_fault(void *arg, const char *kind, med_str where, const char *what)
{
    (void)arg;
    print_error("%s: %.*s: %s\n", kind, MED_STR_ARG(where), what);
}

static void compare(struct run *r)
{
    med_view *v = kit_view(r->k);
    compare_reads(r, v);
    compare_history(r, v);
    compare_tokens(r, v);
    compare_references(r, v);
    compare_values(r, v);
    compare_lists(r, v);
    med_view_end(v);
    med_err err = {0};
    med_verify verify = {.fault = say_fault};
    if (!med_store_verify(r->k->store, &verify, &err))
        fail_msg("%s", err.text);
    assert_int_equal(verify.faults, 0);
    med_store_stats stats;
    med_store_count(r->k->store, &stats);
    assert_int_equal(stats.versions, r->model.n_versions);
    assert_int_equal(stats.last_t, r->model.t);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void the_store_is_what_the_model_is(void **state)
{
    static struct run r;
    r = (struct run){.k = *state, .seed = number_from("MEDULLA_TEST_SEED", 20261122)};
    uint64_t steps = number_from("MEDULLA_STEPS", 700);
    print_message("seed %llu\n", (unsigned long long)r.seed);
    med_arena *arena = r.k->arena;
    for (uint64_t i = 1; i <= steps; i++) {
        one_commit(&r);
        if (i % 100 == 0)
            compare(&r);
        if (i % 250 == 0) {
            kit_reopen(r.k);
            compare(&r);
        }
        if (i % 10 == 0)
            med_arena_reset(arena);
    }
    compare(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_store_is_what_the_model_is, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
