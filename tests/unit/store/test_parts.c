/* Long base64 values: kept once, given back as they came, gone with their last holder. */
#include "kit.h"

#include <sqlite3.h>

#include "base/base64.h"
#include "base/digest.h"
#include "store/part.h"

/* `n` bytes that do not compress, always the same for one seed. */
static med_str bytes_of(struct kit *k, size_t n, uint64_t seed)
{
    char *to = MED_TAKE(k->arena, n + 1, char);
    uint64_t x = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        to[i] = (char)(x >> 32);
    }
    return (med_str){to, n};
}

static const char *base64_of(struct kit *k, med_str bytes)
{
    med_buf buf;
    med_str text = MED_STR_EMPTY;
    med_buf_init(&buf, SIZE_MAX / 2);
    med_base64_encode(&buf, bytes);
    assert_true(med_arena_copy(k->arena, med_buf_str(&buf), &text));
    med_buf_free(&buf);
    return text.ptr;
}

static const char *value_of(struct kit *k, size_t n, uint64_t seed)
{
    return base64_of(k, bytes_of(k, n, seed));
}

static void put(struct kit *k, const char *id, const char *value)
{
    med_write w = kit_put(k, k->patient, id, value);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static void remove_whole(struct kit *k, const char *id)
{
    med_write w = kit_delete(k, MED_WRITE_PURGE, k->patient, id);
    assert_int_equal(kit_commit_one(k, &w), MED_COMMIT_DONE);
}

static bool holds(struct kit *k, const char *id, const char *value)
{
    return med_str_eqz(kit_note(k, k->patient, id), value);
}

struct faults {
    size_t n;
    char last[200];
};

static void note_fault(void *arg, const char *kind, med_str where, const char *what)
{
    struct faults *f = arg;
    f->n++;
    (void)snprintf(f->last, sizeof f->last, "%s %.*s: %s", kind, MED_STR_ARG(where), what);
}

/* All of it, with nothing folded behind our back any more. */
static med_verify look(struct kit *k, struct faults *f)
{
    med_err err = {0};
    med_verify v = {.fault = note_fault, .arg = f};
    *f = (struct faults){0};
    kit_reopen(k);
    if (!med_store_verify(k->store, &v, &err))
        fail_msg("%s", err.text);
    return v;
}

static void assert_parts(struct kit *k, uint64_t n)
{
    struct faults f;
    med_verify v = look(k, &f);
    if (f.n > 0)
        fail_msg("%s", f.last);
    assert_int_equal(v.parts, n);
}

/* ---- texts ---- */

static med_write pack(struct kit *k, const char *note)
{
    return kit_put(k, k->patient, "p", note);
}

static void only_long_canonical_values_are_parts(void **state)
{
    struct kit *k = *state;
    const char *good = value_of(k, 6000, 1);
    med_str space = med_arena_printf(k->arena, "%.4000s\\n%s", good, good + 4000);
    med_str lead = med_arena_printf(k->arena, "\\\"%s", good);
    med_str cut = med_arena_printf(k->arena, "%.7999s", good);
    med_str loose = med_arena_printf(k->arena, "%.*sB==", 8000 - 3, good);
    med_str url = med_arena_printf(k->arena, "%.4000s-_--%s", good, good + 4004);
    const struct {
        const char *note;
        size_t parts;
    } rows[] = {
        {value_of(k, MED_PART_BYTES - 1, 2), 0},
        {value_of(k, MED_PART_BYTES, 2), 1},
        {value_of(k, MED_PART_BYTES + 1, 2), 1},
        {value_of(k, MED_PART_BYTES + 2, 2), 1},
        {good, 1},
        {space.ptr, 0},
        {cut.ptr, 0},
        {loose.ptr, 0}, /* bits behind the last byte */
        {url.ptr, 0},
        {lead.ptr, 1}, /* behind a quote inside of a string: still the same bytes again */
        {"", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        med_write w = pack(k, rows[i].note);
        if (w.n_parts != rows[i].parts)
            fail_msg("row %zu: %zu parts", i, w.n_parts);
        put(k, "p", rows[i].note);
        if (!holds(k, "p", rows[i].note))
            fail_msg("row %zu comes out as another", i);
    }
}

/* Wherever a value begins, a step of the search falls into it. */
static void a_value_is_found_at_every_place(void **state)
{
    struct kit *k = *state;
    const char *good = value_of(k, MED_PART_BYTES, 3);
    char *filler = MED_TAKE(k->arena, 3 * MED_PART_CHARS, char);
    for (size_t n = 0; n < 2 * MED_PART_CHARS; n += 61) {
        memset(filler, n % 2 == 0 ? 'a' : ' ', n);
        filler[n] = '\0';
        med_str note =
            med_arena_printf(k->arena, "%s\",\"x\":\"%s\",\"y\":\"%s", filler, good, good);
        med_write w = pack(k, note.ptr);
        if (w.n_parts < 2
            || memcmp(w.parts[w.n_parts - 1].hash, w.parts[w.n_parts - 2].hash, 32) != 0)
            fail_msg("behind %zu characters: %zu parts", n, w.n_parts);
    }
}

/* ---- damage, without a store ---- */

struct fake {
    const med_write *of;
    med_str packed; /* instead of the first, when not empty */
};

static enum med_found find_fake(void *arg, const uint8_t hash[MED_PART_HASH], med_str *packed,
                                med_err *err)
{
    const struct fake *f = arg;
    (void)err;
    for (size_t i = 0; i < f->of->n_parts; i++) {
        if (memcmp(f->of->parts[i].hash, hash, MED_PART_HASH) != 0)
            continue;
        *packed = i == 0 && f->packed.len > 0 ? f->packed : f->of->parts[i].packed;
        return MED_FOUND;
    }
    return MED_ABSENT;
}

struct reading {
    struct packer packer;
    struct part_source source;
    struct fake fake;
    med_write w;
    med_arena *arena;
};

static void begin_reading(struct kit *k, struct reading *r)
{
    med_err err = {0};
    med_str note = med_arena_printf(k->arena, "%s\",\"more\":\"%s", value_of(k, 5000, 4),
                                    value_of(k, 7001, 5));
    assert_true(med_packer_init(&r->packer, NULL, 0, &err));
    r->w = (med_write){.text = kit_text(k, k->patient, "p", note.ptr)};
    assert_true(med_parts_pack(&r->packer, k->arena, &r->w, &err));
    assert_int_equal(r->w.n_parts, 2);
    r->fake = (struct fake){&r->w, MED_STR_EMPTY};
    r->source = (struct part_source){
        .packer = &r->packer, .unpacker = med_unpacker_new(), .find = find_fake, .arg = &r->fake};
    r->arena = med_arena_new(1 << 20);
}

static void end_reading(struct reading *r)
{
    med_unpacker_free(r->source.unpacker);
    med_packer_free(&r->packer);
    med_arena_free(r->arena);
}

static enum body_read read_again(struct reading *r, med_str body, med_stored *out)
{
    med_err err = {0};
    med_arena_reset(r->arena);
    *out = (med_stored){.text = MED_STR_EMPTY};
    return med_body_read(&r->source, r->arena, body, r->w.dictionary, out, &err);
}

static void a_flipped_bit_in_a_part_is_found(void **state)
{
    struct kit *k = *state;
    struct reading r;
    med_stored out;
    begin_reading(k, &r);
    assert_int_equal(read_again(&r, r.w.packed, &out), BODY_READ);
    assert_true(med_str_eq(out.text, r.w.text));
    med_str first = r.w.parts[0].packed;
    char *bad = MED_TAKE(k->arena, first.len, char);
    size_t found = 0;
    for (size_t i = 0; i < 1000; i++) {
        memcpy(bad, first.ptr, first.len);
        size_t at = first.len * i / 1000;
        bad[at] = (char)(bad[at] ^ 1 << i % 8);
        r.fake.packed = (med_str){bad, first.len};
        enum body_read read = read_again(&r, r.w.packed, &out);
        /* a bit of the frame's head may say nothing: then the text is the same */
        if (read == BODY_READ ? !med_str_eq(out.text, r.w.text) : read != BODY_DAMAGED)
            fail_msg("bit %zu of byte %zu", i % 8, at);
        found += read == BODY_DAMAGED;
    }
    assert_true(found > 990);
    end_reading(&r);
}

/* The list is covered by the version's check value; it is read safely all the same. */
static void a_damaged_list_breaks_nothing(void **state)
{
    struct kit *k = *state;
    struct reading r;
    med_stored out;
    begin_reading(k, &r);
    char *bad = MED_TAKE(k->arena, r.w.packed.len, char);
    for (size_t i = 1; i < r.w.packed.len; i++) {
        memcpy(bad, r.w.packed.ptr, r.w.packed.len);
        bad[i] = (char)~(unsigned char)bad[i];
        (void)read_again(&r, (med_str){bad, r.w.packed.len}, &out);
        (void)read_again(&r, med_str_sub(r.w.packed, 0, i), &out);
    }
    end_reading(&r);
}

static void no_memory_is_no_damage(void **state)
{
    struct kit *k = *state;
    struct reading r;
    med_stored out;
    begin_reading(k, &r);
    size_t limit = 0;
    enum body_read read = BODY_MEMORY;
    for (; read == BODY_MEMORY; limit = med_arena_wanted(r.arena)) {
        med_arena_free(r.arena);
        r.arena = med_arena_new(1 << 20);
        med_arena_set_limit(r.arena, limit);
        med_err err = {0};
        out = (med_stored){.text = MED_STR_EMPTY};
        read = med_body_read(&r.source, r.arena, r.w.packed, r.w.dictionary, &out, &err);
    }
    assert_int_equal(read, BODY_READ);
    assert_true(med_str_eq(out.text, r.w.text));
    end_reading(&r);
}

/* ---- in a store ---- */

static void the_same_bytes_are_kept_once(void **state)
{
    struct kit *k = *state;
    const char *same = value_of(k, 100000, 6);
    const char *other = value_of(k, 9000, 7);
    const char *both = med_arena_printf(k->arena, "%s\",\"more\":\"%s", same, same).ptr;
    put(k, "a", same);
    put(k, "b", same);
    put(k, "c", both);
    put(k, "d", other);
    assert_true(holds(k, "a", same) && holds(k, "b", same) && holds(k, "d", other));
    assert_parts(k, 2);
    assert_true(holds(k, "a", same) && holds(k, "b", same) && holds(k, "d", other));
    put(k, "e", same); /* and once more, next to one that is folded */
    assert_parts(k, 2);
    remove_whole(k, "a");
    remove_whole(k, "c");
    assert_parts(k, 2);
    assert_true(holds(k, "b", same) && holds(k, "e", same));
    remove_whole(k, "b");
    remove_whole(k, "e");
    assert_parts(k, 1);
    remove_whole(k, "d");
    assert_parts(k, 0);
}

static void versions_hold_theirs(void **state)
{
    struct kit *k = *state;
    const char *first = value_of(k, 50000, 8);
    const char *second = value_of(k, 50000, 9);
    put(k, "p", first);
    put(k, "p", "short");
    put(k, "p", second);
    put(k, "p", second); /* nothing new */
    put(k, "p", first);
    med_write gone = kit_delete(k, MED_WRITE_DELETE, k->patient, "p");
    assert_int_equal(kit_commit_one(k, &gone), MED_COMMIT_DONE);
    assert_parts(k, 2);
    const char *expected[] = {first, "short", second, first};
    med_view *v = kit_view(k);
    for (unsigned i = 0; i < COUNT(expected); i++) {
        med_stored s;
        med_err err = {0};
        assert_int_equal(med_view_version(v, k->arena, k->patient, MED_STR("p"), i + 1, &s, &err),
                         MED_FOUND);
        assert_true(med_str_eq(s.text, kit_text(k, k->patient, "p", expected[i])));
    }
    med_stored *all = NULL;
    size_t n = 0;
    med_err err = {0};
    const med_history q = {.since = MED_TIME_MIN, .until = MED_TIME_MAX, .text = true, .limit = 10};
    assert_true(med_view_history(v, k->arena, &q, &all, &n, &err));
    assert_int_equal(n, 5);
    assert_true(med_str_eq(all[4].text, kit_text(k, k->patient, "p", first)));
    med_view_end(v);
    remove_whole(k, "p");
    assert_parts(k, 0);
}

/* Within one group, and a purge behind writes of the same commit's store. */
static void a_group_shares_them(void **state)
{
    struct kit *k = *state;
    const char *same = value_of(k, 20000, 10);
    med_write writes[] = {kit_put(k, k->patient, "a", same), kit_put(k, k->patient, "b", same),
                          kit_put(k, k->patient, "a", "short"), kit_put(k, k->patient, "b", same)};
    med_commit commits[COUNT(writes)] = {0};
    for (size_t i = 0; i < COUNT(writes); i++)
        commits[i] = (med_commit){.writes = &writes[i], .n_writes = 1};
    kit_commit_group(k, commits, COUNT(commits));
    assert_true(holds(k, "a", "short") && holds(k, "b", same));
    assert_parts(k, 1);
    med_write more[] = {kit_put(k, k->patient, "c", same),
                        kit_delete(k, MED_WRITE_PURGE, k->patient, "c"),
                        kit_delete(k, MED_WRITE_PURGE, k->patient, "b")};
    med_commit c = {.writes = more, .n_writes = COUNT(more)};
    assert_int_equal(kit_commit(k, &c), MED_COMMIT_DONE);
    assert_parts(k, 1); /* version 1 of a has it */
    remove_whole(k, "a");
    assert_parts(k, 0);
}

static void bytes_come_apart_when_asked_for(void **state)
{
    struct kit *k = *state;
    med_str bytes = bytes_of(k, 30001, 11);
    put(k, "p", base64_of(k, bytes));
    kit_reopen(k);
    for (uint32_t version = 0; version < 2; version++) {
        med_view *v = kit_view(k);
        med_err err = {0};
        med_stored s;
        assert_int_equal(med_view_apart(v, k->arena, k->patient, MED_STR("p"), version, &s, &err),
                         MED_FOUND);
        assert_int_equal(s.n_apart, 1);
        assert_true(med_str_eq(s.apart[0].bytes, bytes));
        assert_true(med_str_eq(s.text, kit_text(k, k->patient, "p", "")));
        assert_int_equal(s.apart[0].at, s.text.len - 2);
        assert_int_equal(med_view_latest(v, k->arena, k->patient, MED_STR("p"), &s, &err),
                         MED_FOUND);
        assert_int_equal(s.n_apart, 0);
        assert_true(med_str_eq(s.text, kit_text(k, k->patient, "p", base64_of(k, bytes))));
        med_view_end(v);
    }
}

static void run_sql(struct kit *k, const char *sql)
{
    char path[80];
    sqlite3 *db = NULL;
    kit_close(k);
    if (k->postgres) {
        kit_sql(k, sql);
    } else {
        (void)snprintf(path, sizeof path, "%s/medulla.db", k->path);
        assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "medulla-check-unix"),
                         SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
    }
    kit_open(k);
}

static void verify_finds_what_does_not_belong(void **state)
{
    struct kit *k = *state;
    static const struct {
        const char *sql, *postgres;
        bool unreadable;
    } rows[] = {
        {"UPDATE part SET bytes = substr(bytes, 1, 4000) || x'00' || substr(bytes, 4002)",
         "UPDATE part SET bytes = substr(bytes, 1, 4000) || '\\x00' || substr(bytes, 4002)", true},
        {"DELETE FROM part", NULL, true},
        {"DELETE FROM part_use", NULL, false},
        {"UPDATE part_use SET version = 7", NULL, false},
        {"INSERT INTO part (hash, bytes) SELECT 'another hash', bytes FROM part",
         "INSERT INTO part (hash, bytes) SELECT 'another hash'::bytea, bytes FROM part", false},
    };
    const char *value = value_of(k, 9000, 12);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct faults f;
        put(k, "p", value);
        assert_parts(k, 1);
        run_sql(k, k->postgres && rows[i].postgres != NULL ? rows[i].postgres : rows[i].sql);
        med_verify v = look(k, &f);
        if (v.faults == 0)
            fail_msg("nobody noticed: %s", rows[i].sql);
        med_view *view = kit_view(k);
        med_stored s;
        med_err err = {0};
        enum med_found found = med_view_read(view, k->arena, k->patient, MED_STR("p"), &s, &err);
        med_view_end(view);
        assert_int_equal(found, rows[i].unreadable ? MED_FAILED : MED_FOUND);
        if (found == MED_FAILED)
            assert_int_equal(err.issue, MED_ISSUE_EXCEPTION);
        run_sql(k, "DELETE FROM part");
        run_sql(k, "DELETE FROM part_use");
        remove_whole(k, "p");
        assert_parts(k, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_long_canonical_values_are_parts, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_value_is_found_at_every_place, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_flipped_bit_in_a_part_is_found, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_list_breaks_nothing, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(no_memory_is_no_damage, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(the_same_bytes_are_kept_once, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(versions_hold_theirs, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_group_shares_them, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(bytes_come_apart_when_asked_for, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(verify_finds_what_does_not_belong, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
