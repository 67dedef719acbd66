/* Archives as npm packs them, and others: what is handed out, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/gzip.h"
#include "package/archive.h"

enum { BLOCK = 512 };

static void add_entry(med_buf *tar, const char *name, char type, med_str bytes)
{
    char head[BLOCK] = {0};
    unsigned sum = 0;
    memcpy(head, name, strlen(name));
    (void)snprintf(head + 124, 12, "%011o", (unsigned)bytes.len);
    memset(head + 148, ' ', 8);
    head[156] = type;
    memcpy(head + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)head[i];
    (void)snprintf(head + 148, 8, "%06o", sum);
    med_buf_add(tar, (med_str){head, BLOCK});
    med_buf_add(tar, bytes);
    while (tar->len % BLOCK != 0)
        med_buf_addc(tar, '\0');
}

static void add_end(med_buf *tar)
{
    for (size_t i = 0; i < (size_t)2 * BLOCK; i++)
        med_buf_addc(tar, '\0');
}

static bool note(void *arg, med_str name, med_str bytes, med_err *err)
{
    (void)err;
    med_buf_printf(arg, "%.*s=%.*s;", MED_STR_ARG(name), MED_STR_ARG(bytes));
    return true;
}

static enum med_issue read_tar(const med_buf *tar, size_t cut, med_buf *seen)
{
    med_buf z;
    med_err err = {0};
    med_buf_clear(seen);
    med_buf_init(&z, 1 << 20);
    assert_true(med_gzip_all(med_str_sub(med_buf_str(tar), 0, tar->len - cut), 6, &z, &err));
    bool ok = med_archive_read(med_buf_str(&z), note, seen, &err);
    med_buf_free(&z);
    assert_true(ok == (err.issue == MED_ISSUE_NONE));
    return err.issue;
}

typedef struct room {
    med_buf tar, seen;
} room;

static int set_up(void **state)
{
    static room r;
    med_buf_init(&r.tar, 1 << 20);
    med_buf_init(&r.seen, 1 << 20);
    *state = &r;
    return 0;
}

static int tear_down(void **state)
{
    room *r = *state;
    med_buf_free(&r->tar);
    med_buf_free(&r->seen);
    return 0;
}

static void files_are_handed_out_in_order(void **state)
{
    room *r = *state;
    add_entry(&r->tar, "package", '5', MED_STR_EMPTY);
    add_entry(&r->tar, "package/a.json", '0', MED_STR("{}"));
    add_entry(&r->tar, "package/b.json", '0', MED_STR_EMPTY);
    add_end(&r->tar);
    assert_int_equal(read_tar(&r->tar, 0, &r->seen), MED_ISSUE_NONE);
    assert_true(med_str_eqz(med_buf_str(&r->seen), "package/a.json={};package/b.json=;"));
}

static void long_names_come_before_their_file(void **state)
{
    room *r = *state;
    add_entry(&r->tar, "pax", 'x', MED_STR("24 path=package/one.json\n"));
    add_entry(&r->tar, "short", '0', MED_STR("1"));
    add_entry(&r->tar, "././@LongLink", 'L', MED_STR("package/two.json"));
    add_entry(&r->tar, "short", '0', MED_STR("2"));
    add_entry(&r->tar, "short", '0', MED_STR("3"));
    add_end(&r->tar);
    assert_int_equal(read_tar(&r->tar, 0, &r->seen), MED_ISSUE_INVALID); /* 25, not 24 */
    r->tar.ptr[BLOCK + 1] = '5';
    assert_int_equal(read_tar(&r->tar, 0, &r->seen), MED_ISSUE_NONE);
    assert_true(
        med_str_eqz(med_buf_str(&r->seen), "package/one.json=1;package/two.json=2;short=3;"));
}

static void whatever_is_cut_off_is_missed(void **state)
{
    room *r = *state;
    add_entry(&r->tar, "package/a.json", '0', MED_STR("{}"));
    add_end(&r->tar);
    for (size_t cut = 2 * BLOCK; cut < r->tar.len; cut += 100)
        assert_int_equal(read_tar(&r->tar, cut, &r->seen), MED_ISSUE_INVALID);
}

static void what_leads_out_or_elsewhere_is_refused(void **state)
{
    static const char *const names[] = {"/a",         "../a", "package/../../a",
                                        "package/..", "a\\b", "a\n"};
    static const char types[] = {'1', '2', '3', '4', '6'};
    room *r = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        med_buf_clear(&r->tar);
        add_entry(&r->tar, names[i], '0', MED_STR_EMPTY);
        add_end(&r->tar);
        assert_int_equal(read_tar(&r->tar, 0, &r->seen), MED_ISSUE_SECURITY);
    }
    for (size_t i = 0; i < sizeof types; i++) {
        med_buf_clear(&r->tar);
        add_entry(&r->tar, "package/a", types[i], MED_STR_EMPTY);
        add_end(&r->tar);
        assert_int_equal(read_tar(&r->tar, 0, &r->seen), MED_ISSUE_SECURITY);
    }
    assert_int_equal(r->seen.len, 0);
}

static void any_flipped_bit_of_a_header_is_seen(void **state)
{
    room *r = *state;
    add_entry(&r->tar, "package/a.json", '0', MED_STR("{}"));
    add_end(&r->tar);
    for (size_t i = 0; i < BLOCK; i += 7) {
        bool of_sum = i >= 148 && i < 156; /* blanks there mean the same */
        r->tar.ptr[i] ^= 4;
        assert_true(of_sum || read_tar(&r->tar, 0, &r->seen) != MED_ISSUE_NONE);
        r->tar.ptr[i] ^= 4;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_handed_out_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_names_come_before_their_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whatever_is_cut_off_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_leads_out_or_elsewhere_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_flipped_bit_of_a_header_is_seen, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
