/* Tests of base/mapped_folder.h, and of the drafts that med_file_clean removes. */
#include "base/mapped_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static bool open_ok(med_str bytes, const void **image, med_err *err)
{
    *image = bytes.ptr;
    return med_str_starts(bytes, MED_STR("ok")) || MED_FAIL(err, MED_ISSUE_INVALID, "not ok");
}

static int by_name(const med_mapped_file *a, const med_mapped_file *b)
{
    return strcmp(a->name, b->name);
}

static const med_mapped_kind kind = {.suffix = ".thing",
                                     .what = "thing",
                                     .mend = "make it again",
                                     .most = 3,
                                     .open = open_ok,
                                     .order = by_name};

static void put(const char *folder, const char *name, const char *text)
{
    med_err err = {0};
    if (!med_file_replace(folder, name, med_str_from(text), &err))
        fail_msg("%s", err.text);
}

static void drop(const char *folder, const char *name)
{
    char path[MED_FILE_PATH];
    med_err err = {0};
    assert_true(med_file_join(path, folder, name, &err));
    assert_int_equal(unlink(path), 0);
}

static bool is_b(void *arg, const med_mapped_file *file)
{
    ++*(int *)arg;
    return strcmp(file->name, "b") == 0;
}

static void test_folder(void **state)
{
    (void)state;
    char folder[] = "/tmp/medulla-mapped-XXXXXX";
    med_mapped_folder *f;
    const med_mapped_file *found;
    med_err err = {0};
    int asked = 0;
    assert_non_null(mkdtemp(folder));
    put(folder, "b.thing", "ok b");
    put(folder, "a.thing", "ok a");
    put(folder, ".c.thing", "hidden");
    put(folder, "c.other", "other");
    assert_true(med_mapped_folder_open(&kind, folder, &f, &err));
    med_arena *a = med_arena_new(1 << 16);
    assert_string_equal(med_mapped_folder_at(f, a, 0)->name, "a");
    assert_true(med_str_eqz(med_mapped_folder_at(f, a, 1)->bytes, "ok b"));
    assert_null(med_mapped_folder_at(f, a, 2));
    assert_true(med_mapped_folder_hold(f, a, is_b, &asked, &found, &err));
    assert_int_equal(asked, 2);
    /* what is held stays, whatever becomes of its file */
    drop(folder, "b.thing");
    assert_true(med_str_eqz(found->bytes, "ok b"));
    uint64_t before = med_mapped_folder_epoch(f);
    for (int i = 0; i < 100 && med_mapped_folder_epoch(f) == before; i++)
        (void)usleep(100000);
    assert_true(med_mapped_folder_epoch(f) > before);
    assert_null(med_mapped_folder_at(f, a, 1));
    assert_true(med_str_eqz(found->bytes, "ok b"));
    med_arena_free(a);
    med_mapped_folder_free(f);
    put(folder, "bad.thing", "no");
    assert_false(med_mapped_folder_open(&kind, folder, &f, &err));
    assert_non_null(strstr(err.text, "bad.thing is damaged"));
    assert_non_null(strstr(err.text, "make it again"));
    static const char *const left[] = {"a.thing", ".c.thing", "c.other", "bad.thing"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        drop(folder, left[i]);
    assert_int_equal(rmdir(folder), 0);
    /* none at all, and one that is not there */
    assert_true(med_mapped_folder_open(&kind, folder, &f, &err));
    assert_int_equal(med_mapped_folder_epoch(f) > 0, 1);
    med_mapped_folder_free(f);
    assert_true(med_mapped_folder_open(&kind, NULL, &f, &err));
    med_mapped_folder_free(f);
    med_mapped_folder_free(NULL);
}

/* Drafts of processes that are gone go; one of a process that lives stays, as does the rest. */
static void test_clean(void **state)
{
    (void)state;
    char folder[] = "/tmp/medulla-clean-XXXXXX";
    char own[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(own, sizeof own, "a.thing.%ld.new", (long)getpid());
    put(folder, own, "x");
    put(folder, "a.thing.2147483646.new", "x"); /* above what a process may be */
    put(folder, "new", "x");
    med_file_clean(folder);
    drop(folder, own);
    drop(folder, "new");
    assert_int_equal(rmdir(folder), 0);
    med_file_clean(folder); /* none there: nothing happens */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
