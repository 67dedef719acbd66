#include "base/clock.h"
#include "base/gzip.h"
#include "check.h"

static const med_gunzip_limits wide = {1 << 24, 0};

static med_buf zipped(med_str s, int level)
{
    med_buf b;
    med_buf_init(&b, 1 << 24);
    med_err err = {0};
    assert_true(med_gzip_all(s, level, &b, &err));
    return b;
}

/* Text of n bytes that compresses as JSON does. */
static char *sample(size_t n)
{
    static const char words[] = "{\"resourceType\":\"Observation\",\"id\":\"";
    char *text = test_malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = i % 61 < sizeof words - 1 ? words[i % 61] : (char)('a' + i * i % 23);
    return text;
}

static void comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 100, 511, 512, 513, 5000, 16383, 16384, 16385, 300000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *text = sample(sizes[i]);
        for (int level = 1; level <= 9; level += 4) {
            med_buf z = zipped((med_str){text, sizes[i]}, level);
            med_buf out;
            med_buf_init(&out, sizes[i]);
            med_err err = {0};
            assert_true(med_gunzip_all(med_buf_str(&z), &wide, &out, &err));
            assert_true(med_str_eq(med_buf_str(&out), (med_str){text, sizes[i]}));
            med_buf_free(&out);
            med_buf_free(&z);
        }
        test_free(text);
    }
}

static void every_cut_is_an_error(void **state)
{
    (void)state;
    char *text = sample(700);
    med_buf z = zipped((med_str){text, 700}, 6);
    for (size_t n = 0; n < z.len; n++) {
        med_buf out;
        med_buf_init(&out, 1 << 20);
        med_err err = {0};
        assert_false(med_gunzip_all((med_str){z.ptr, n}, &wide, &out, &err));
        assert_int_equal(err.issue, MED_ISSUE_INVALID);
        assert_true(out.len <= 700);
        med_buf_free(&out);
    }
    med_buf_free(&z);
    test_free(text);
}

/* A flipped bit is an error, or it stood where gzip keeps what nobody reads: time, system and
 * flags of the header, the padding behind the last code. */
static void every_flipped_bit_is_harmless(void **state)
{
    (void)state;
    char *text = sample(300);
    med_buf z = zipped((med_str){text, 300}, 6);
    size_t unnoticed = 0;
    for (size_t bit = 0; bit < z.len * 8; bit++) {
        z.ptr[bit / 8] = (char)(z.ptr[bit / 8] ^ (1 << bit % 8));
        med_buf out;
        med_buf_init(&out, 1 << 20);
        med_err err = {0};
        if (med_gunzip_all(med_buf_str(&z), &wide, &out, &err)) {
            assert_true(med_str_eq(med_buf_str(&out), (med_str){text, 300}));
            unnoticed++;
        }
        med_buf_free(&out);
        z.ptr[bit / 8] = (char)(z.ptr[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(unnoticed < 80);
    med_buf_free(&z);
    test_free(text);
}

static void members_follow_one_another(void **state)
{
    (void)state;
    med_err err = {0};
    med_buf z = zipped(MED_STR("one "), 6);
    assert_true(med_gzip_all(MED_STR_EMPTY, 6, &z, &err));
    assert_true(med_gzip_all(MED_STR("two"), 6, &z, &err));
    med_buf out;
    med_buf_init(&out, 100);
    assert_true(med_gunzip_all(med_buf_str(&z), &wide, &out, &err));
    CHECK_STR(med_buf_str(&out), "one two");
    med_buf_clear(&out);
    med_buf_addc(&z, 'x'); /* anything else behind a member is a fault */
    assert_false(med_gunzip_all(med_buf_str(&z), &wide, &out, &err));
    z.ptr[z.len - 1] = '\0';
    assert_false(med_gunzip_all(med_buf_str(&z), &wide, &out, &err));
    z.ptr[z.len - 1] = '\x1f';
    assert_false(med_gunzip_all(med_buf_str(&z), &wide, &out, &err));
    med_buf_free(&out);
    med_buf_free(&z);
}

static void refuses_what_is_not_gzip(void **state)
{
    (void)state;
    static const med_str table[] = {
        MED_LIT(""),
        MED_LIT("{\"resourceType\":\"Patient\"}"),
        MED_LIT("\x1f"),
        MED_LIT("\x1f\x8b"),
        MED_LIT("\x78\x9c\x03\x00\x00\x00\x00\x01"), /* zlib's own wrapping */
        MED_LIT("\x1f\x8b\x07\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0"),
        MED_LIT("\x1f\x8b\x08\xe0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0"),
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_buf out;
        med_buf_init(&out, 100);
        med_err err = {0};
        assert_false(med_gunzip_all(table[i], &wide, &out, &err));
        assert_int_equal(err.issue, MED_ISSUE_INVALID);
        assert_int_equal(med_err_http_status(&err), 400);
        med_buf_free(&out);
    }
}

static void bombs_do_not_go_off(void **state)
{
    (void)state;
    char *zeros = test_calloc(1, 4 << 20);
    med_buf z = zipped((med_str){zeros, 4 << 20}, 9);
    test_free(zeros);
    static const struct {
        med_gunzip_limits limits;
        size_t buffer;
        bool good;
    } table[] = {
        {{4 << 20, 0}, 4 << 20, true},
        {{(4 << 20) - 1, 0}, 8 << 20, false},
        {{1, 0}, 8 << 20, false},
        {{0, 0}, 8 << 20, false},
        {{8 << 20, 0}, (4 << 20) - 1, false},
        {{8 << 20, 100}, 8 << 20, false},
        {{8 << 20, 1100}, 8 << 20, true},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        med_buf out;
        med_buf_init(&out, table[i].buffer);
        med_err err = {0};
        assert_true(med_gunzip_all(med_buf_str(&z), &table[i].limits, &out, &err) == table[i].good);
        if (!table[i].good) {
            assert_int_equal(err.issue, MED_ISSUE_TOO_LONG);
            assert_int_equal(med_err_http_status(&err), 413);
            assert_true(out.len <= table[i].limits.max_bytes);
        }
        if (table[i].limits.max_ratio == 100)
            assert_true(out.len <= 200 << 10); /* found early, not at the end */
        med_buf_free(&out);
    }
    med_buf_free(&z);
    /* small texts may be of any ratio */
    char few[60000] = {0};
    z = zipped((med_str){few, sizeof few}, 9);
    med_buf out;
    med_buf_init(&out, sizeof few);
    med_err err = {0};
    assert_true(med_gunzip_all(med_buf_str(&z), &(med_gunzip_limits){1 << 20, 2}, &out, &err));
    med_buf_free(&out);
    med_buf_free(&z);
}

/* Reads z in pieces of `in` bytes into rooms of `room` bytes. */
static bool read_in_pieces(med_str z, size_t in, size_t room, med_buf *out, med_err *err)
{
    med_gunzip *g = med_gunzip_new(&wide);
    bool good = true;
    for (size_t at = 0; good && at < z.len; at += in) {
        med_str piece = med_str_sub(z, at, at + in);
        size_t written = 0;
        do {
            char to[64];
            good = med_gunzip_read(g, &piece, to, room, &written, err);
            med_buf_add(out, (med_str){to, written});
        } while (good && written == room);
        assert_true(!good || piece.len == 0);
    }
    good = good && med_gunzip_end(g, err);
    if (!good) /* and stays so */
        assert_false(med_gunzip_end(g, err));
    med_gunzip_free(g);
    return good;
}

static void streams_in_pieces(void **state)
{
    (void)state;
    char *text = sample(3000);
    med_str s = {text, 3000};
    med_buf z;
    med_buf_init(&z, 1 << 20);
    med_err err = {0};
    med_gzip *stream = med_gzip_new(6);
    for (size_t at = 0; at < s.len; at += 700)
        assert_true(med_gzip_add(stream, med_str_sub(s, at, at + 700), &z, &err));
    assert_true(med_gzip_add(stream, MED_STR_EMPTY, &z, &err));
    assert_true(med_gzip_end(stream, &z, &err));
    med_gzip_free(stream);
    assert_true(med_gzip_all(MED_STR("!"), 1, &z, &err));
    for (size_t in = 1; in < 40; in += 5) {
        for (size_t room = 1; room <= 64; room += 9) {
            med_buf out;
            med_buf_init(&out, 3001);
            assert_true(read_in_pieces(med_buf_str(&z), in, room, &out, &err));
            assert_int_equal(out.len, 3001);
            assert_memory_equal(out.ptr, text, 3000);
            med_buf_clear(&out);
            assert_false(
                read_in_pieces(med_str_sub(med_buf_str(&z), 0, z.len - 1), in, room, &out, &err));
            med_buf_free(&out);
        }
    }
    med_buf_free(&z);
    test_free(text);
}

static void a_failed_stream_stays_failed(void **state)
{
    (void)state;
    med_gunzip *g = med_gunzip_new(&wide);
    char to[16];
    size_t n = 0;
    med_err err = {0};
    med_str junk = MED_STR("not gzip at all");
    assert_false(med_gunzip_read(g, &junk, to, sizeof to, &n, &err));
    med_buf z = zipped(MED_STR("x"), 6);
    med_str good = med_buf_str(&z);
    assert_false(med_gunzip_read(g, &good, to, sizeof to, &n, &err));
    assert_int_equal(n, 0);
    assert_false(med_gunzip_end(g, &err));
    med_gunzip_free(g);
    med_gunzip_free(NULL);
    med_gzip_free(NULL);
    med_buf_free(&z);
}

static void output_has_a_ceiling(void **state)
{
    (void)state;
    char noise[40000];
    med_random_fill(&med_random_system, noise, sizeof noise);
    med_buf out;
    med_buf_init(&out, 30000);
    med_err err = {0};
    assert_false(med_gzip_all((med_str){noise, sizeof noise}, 6, &out, &err));
    assert_int_equal(err.issue, MED_ISSUE_TOO_LONG);
    med_gzip *z = med_gzip_new(6);
    med_buf_clear(&out);
    assert_false(med_gzip_add(z, (med_str){noise, sizeof noise}, &out, &err)
                 && med_gzip_end(z, &out, &err));
    med_gzip_free(z); /* unfinished */
    med_buf_free(&out);
}

/* Each allocation fails in turn: an answer, never a crash or a leak. */
static void says_so_without_memory(void **state)
{
    (void)state;
    char *text = sample(2000);
    med_buf z = zipped((med_str){text, 2000}, 6);
    for (int direction = 0; direction < 2; direction++) {
        bool good = false;
        for (long allowed = 0; !good; allowed++) {
            assert_true(allowed < 100);
            med_buf out;
            med_buf_init(&out, 1 << 20);
            med_err err = {0};
            heap_fail_after(allowed);
            good = direction == 0 ? med_gunzip_all(med_buf_str(&z), &wide, &out, &err)
                                  : med_gzip_all((med_str){text, 2000}, 6, &out, &err);
            heap_heal();
            assert_true(good || err.issue == MED_ISSUE_TRANSIENT);
            med_buf_free(&out);
        }
    }
    heap_fail_after(0);
    med_gzip *no_writer = med_gzip_new(6);
    med_gunzip *no_reader = med_gunzip_new(&wide);
    heap_heal();
    assert_null(no_writer);
    assert_null(no_reader);
    med_buf_free(&z);
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(every_flipped_bit_is_harmless),
        cmocka_unit_test(members_follow_one_another),
        cmocka_unit_test(refuses_what_is_not_gzip),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(streams_in_pieces),
        cmocka_unit_test(a_failed_stream_stays_failed),
        cmocka_unit_test(output_has_a_ceiling),
        cmocka_unit_test(says_so_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
