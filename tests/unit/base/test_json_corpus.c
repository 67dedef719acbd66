/* test_json_corpus.c - the good and the bad documents of tests/data/json, and what can be made
 * of them: both ways to scan (SSE2 and plain C) must take, refuse and say the same.
 *
 * Each text is placed so that it ends where readable memory ends: a byte read behind it kills
 * the test, with or without AddressSanitizer. */
#include "../../json_portable.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT = 64 << 20, ROOM = 4 << 20, MOST_FILES = 400 };

struct ground {
    char *room, *end; /* behind `end` nothing can be read */
    med_arena *a, *b;
    med_buf out;
};

static struct ground ground;

static int set_up(void **state)
{
    (void)state;
    ground.room =
        mmap(NULL, ROOM + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(ground.room != MAP_FAILED);
    ground.end = ground.room + ROOM;
    assert_int_equal(mprotect(ground.end, 65536, PROT_NONE), 0);
    ground.a = med_arena_new(LIMIT);
    ground.b = med_arena_new(LIMIT);
    med_buf_init(&ground.out, LIMIT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    med_buf_free(&ground.out);
    med_arena_free(ground.a);
    med_arena_free(ground.b);
    return munmap(ground.room, ROOM + 65536);
}

static med_str place(const char *bytes, size_t n)
{
    assert_true(n <= ROOM);
    if (n > 0)
        memcpy(ground.end - n, bytes, n);
    return (med_str){ground.end - n, n};
}

static void assert_same_tape(const med_json *x, const med_json *y)
{
    assert_int_equal(x->n, y->n);
    for (uint32_t i = 0; i < x->n; i++) {
        const med_json_node *p = &x->nodes[i], *q = &y->nodes[i];
        assert_true(p->at == q->at && p->len == q->len && p->next == q->next);
        assert_true(p->kind == q->kind && p->escaped == q->escaped && p->count == q->count);
    }
}

/* Parses in both ways and sees that they agree. The tape is in ground.a. */
static bool parse_both(med_str text, med_json *j, med_err *err)
{
    med_json k;
    med_json_error x, y;
    med_err other = {0};
    *err = (med_err){0};
    med_arena_reset(ground.a);
    med_arena_reset(ground.b);
    bool good = med_json_parse(ground.a, text, j, &x, err);
    assert_int_equal(good, med_json_parse_portable(ground.b, text, &k, &y, &other));
    if (good) {
        assert_same_tape(j, &k);
        return true;
    }
    assert_string_equal(err->text, other.text);
    assert_int_equal(err->issue, MED_ISSUE_INVALID);
    assert_int_equal(x.offset, y.offset);
    assert_true(x.offset <= text.len && x.line >= 1 && x.column >= 1);
    assert_true(x.column <= x.offset + 1);
    return false;
}

/* Text -> tape -> text -> tape: the same value, and minifying twice changes nothing. */
static void round_trip(void (*write)(med_buf *, const med_json *, uint32_t), const med_json *j)
{
    med_arena *a = med_arena_new(LIMIT);
    med_buf second;
    med_json k;
    med_err err = {0};
    med_buf_clear(&ground.out);
    write(&ground.out, j, 0);
    assert_false(ground.out.failed);
    assert_true(med_json_parse(a, med_buf_str(&ground.out), &k, NULL, &err));
    assert_true(med_json_equal(j, 0, &k, 0));
    assert_true(med_json_equal(&k, 0, j, 0));
    med_buf_init(&second, LIMIT);
    write(&second, &k, 0);
    assert_true(med_str_eq(med_buf_str(&second), med_buf_str(&ground.out)));
    med_buf_free(&second);
    med_arena_free(a);
}

static med_str read_file(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    size_t size = (size_t)st.st_size;
    assert_true(size <= ROOM);
    assert_int_equal(read(fd, ground.end - size, size), size);
    close(fd);
    return (med_str){ground.end - size, size};
}

/* Calls `see` for each JSON file of a folder; returns how many there were. */
static int each_file(const char *path, void (*see)(const char *name, med_str text))
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    int n = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!med_str_ends(med_str_from(entry->d_name), MED_STR(".json")))
            continue;
        see(entry->d_name, read_file(dirfd(folder), entry->d_name));
        n++;
    }
    closedir(folder);
    return n;
}

static void see_good(const char *name, med_str text)
{
    med_json j;
    med_err err;
    if (!parse_both(text, &j, &err))
        fail_msg("%s: %s", name, err.text);
    round_trip(med_json_write_min, &j);
    round_trip(med_json_write_pretty, &j);
}

static void see_bad(const char *name, med_str text)
{
    med_json j;
    med_err err;
    if (parse_both(text, &j, &err))
        fail_msg("%s was taken", name);
}

static void takes_the_good(void **state)
{
    (void)state;
    assert_in_range(each_file(MED_TEST_DATA "/json/good", see_good), 38, MOST_FILES);
}

static void refuses_the_bad(void **state)
{
    (void)state;
    assert_in_range(each_file(MED_TEST_DATA "/json/bad", see_bad), 208, MOST_FILES);
}

/* Real resources of another hand, where there are some. */
static void keeps_real_resources(void **state)
{
    (void)state;
    const char *shared = getenv("MEDULLA_SHARED");
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/data/us-core-examples",
                     shared == NULL ? MED_TEST_DATA "/../../../shared" : shared);
    assert_in_range(n, 1, sizeof path - 1);
    if (access(path, R_OK) != 0) {
        print_message("skipped: shared data absent\n");
        return;
    }
    assert_true(each_file(path, see_good) > 0);
}

static const char sample[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\\u0031\",\"active\":true,\"n\":[-1.50e+2,0,null],\n"
    "  "
    "\"name\":[{\"family\":\"\xc5\xa0u\xc5\xa1ter\xc5\xa1i\xc4\x8d\",\"given\":[\"\xf0\x9f\x98\x80"
    "\",\"\\ud83d\\ude00\"]}],\"x\":{},\"y\":[],\"false\":false,\"long\":"
    "\"0123456789abcdef0123456789"
    "abcdef\"}";

/* Each part of a good document that is not all of it is bad. */
static void refuses_every_truncation(void **state)
{
    (void)state;
    med_json j;
    med_err err;
    size_t n = sizeof sample - 1;
    assert_true(parse_both(place(sample, n), &j, &err));
    for (size_t len = 0; len < n; len++) {
        assert_false(parse_both(place(sample, len), &j, &err));
        assert_false(parse_both(place(sample + n - len, len), &j, &err));
    }
}

/* Any byte changed to any other: both ways agree, and what is taken can be written again. */
static void survives_every_change(void **state)
{
    (void)state;
    char changed[sizeof sample];
    size_t taken = 0, n = sizeof sample - 1;
    for (size_t at = 0; at < n; at++) {
        memcpy(changed, sample, sizeof sample);
        for (int byte = 0; byte < 256; byte++) {
            med_json j;
            med_err err;
            changed[at] = (char)byte;
            if (!parse_both(place(changed, n), &j, &err))
                continue;
            taken++;
            med_buf_clear(&ground.out);
            med_json_write_min(&ground.out, &j, 0);
            assert_false(ground.out.failed);
        }
    }
    assert_in_range(taken, n, 256 * n);
}

/* Blocks of 8 or 16 bytes may begin anywhere: so may a special byte in them. */
static void finds_a_fault_at_every_distance(void **state)
{
    (void)state;
    static const char *const faults[] = {"\x01", "\n", "\x80", "\xff", "\xc3\"", "\\x", "\\u0000"};
    char text[128];
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
        for (size_t before = 0; before < 40; before++)
            for (size_t behind = 0; behind < 40; behind++) {
                size_t fault = strlen(faults[f]), n = 0;
                text[n++] = '"';
                memset(text + n, '!', before); /* next to the quote in ASCII */
                memcpy(text + n + before, faults[f], fault);
                memset(text + n + before + fault, '#', behind);
                n += before + fault + behind;
                text[n++] = '"';
                med_json j;
                med_err err;
                assert_false(parse_both(place(text, n), &j, &err));
                memset(text + 1 + before, '$', fault);
                assert_true(parse_both(place(text, n), &j, &err));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_good),        cmocka_unit_test(refuses_the_bad),
        cmocka_unit_test(keeps_real_resources),  cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(survives_every_change), cmocka_unit_test(finds_a_fault_at_every_distance),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
