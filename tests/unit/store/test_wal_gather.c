/* test_wal_gather.c - frames wait for the sync, and for nothing else. */
#include "kit.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/wal_gather.h"

enum { HEADER = 32, FRAME_HEADER = 24, PAGE = 4096, FRAME = FRAME_HEADER + PAGE };

struct gathered {
    char path[128];
    sqlite3_file *file;
};

static sqlite3_file *open_wal(struct gathered *g, struct kit *k)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL;
    (void)snprintf(g->path, sizeof g->path, "%s/other", k->dir);
    FILE *database = fopen(g->path, "we"); /* a WAL takes its mode from it */
    assert_non_null(database);
    (void)fclose(database);
    (void)snprintf(g->path, sizeof g->path, "%s/other-wal", k->dir);
    size_t size = (size_t)(med_wal_gather_size() + real->szOsFile);
    g->file = (sqlite3_file *)med_arena_take(k->arena, 1, size, _Alignof(max_align_t));
    assert_non_null(g->file);
    assert_int_equal(med_wal_gather_open(real, g->path, g->file, flags, NULL), SQLITE_OK);
    return g->file;
}

static int64_t size_on_disk(const struct gathered *g)
{
    struct stat info;
    assert_int_equal(stat(g->path, &info), 0);
    return info.st_size;
}

static void write_at(struct gathered *g, int n, int64_t at, char fill)
{
    static char bytes[200000];
    assert_true((size_t)n <= sizeof bytes);
    memset(bytes, fill, (size_t)n);
    assert_int_equal(g->file->pMethods->xWrite(g->file, bytes, n, at), SQLITE_OK);
}

static void write_frame(struct gathered *g, int number, char fill)
{
    int64_t at = HEADER + (int64_t)number * FRAME;
    write_at(g, FRAME_HEADER, at, fill);
    write_at(g, PAGE, at + FRAME_HEADER, fill);
}

static void expect_byte(struct gathered *g, int64_t at, char fill)
{
    char c = 0;
    assert_int_equal(g->file->pMethods->xRead(g->file, &c, 1, at), SQLITE_OK);
    assert_int_equal(c, fill);
}

static void frames_wait_for_the_sync(void **state)
{
    struct gathered g = {0};
    const sqlite3_io_methods *m = open_wal(&g, *state)->pMethods;
    write_at(&g, HEADER, 0, 'h'); /* the header of the file does not */
    assert_int_equal(size_on_disk(&g), HEADER);
    for (int i = 0; i < 5; i++)
        write_frame(&g, i, (char)('a' + i));
    assert_int_equal(size_on_disk(&g), HEADER);
    assert_int_equal(m->xSync(g.file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    assert_int_equal(size_on_disk(&g), HEADER + 5 * FRAME);
    expect_byte(&g, HEADER + 4 * FRAME + 100, 'e');
    assert_int_equal(m->xClose(g.file), SQLITE_OK);
}

/* The last frame of a commit is cut by the sync: its rest must be there for readers at once. */
static void what_follows_a_sync_does_not_wait(void **state)
{
    struct gathered g = {0};
    const sqlite3_io_methods *m = open_wal(&g, *state)->pMethods;
    write_frame(&g, 0, 'a');
    write_at(&g, FRAME_HEADER, HEADER + FRAME, 'b');
    write_at(&g, 1000, HEADER + FRAME + FRAME_HEADER, 'b');
    assert_int_equal(m->xSync(g.file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    write_at(&g, PAGE - 1000, HEADER + FRAME + FRAME_HEADER + 1000, 'b');
    assert_int_equal(size_on_disk(&g), HEADER + 2 * FRAME);
    write_frame(&g, 2, 'c'); /* the next commit waits again */
    assert_int_equal(size_on_disk(&g), HEADER + 2 * FRAME);
    assert_int_equal(m->xClose(g.file), SQLITE_OK);
    assert_int_equal(size_on_disk(&g), HEADER + 3 * FRAME);
}

static void reading_and_measuring_see_all(void **state)
{
    struct gathered g = {0};
    const sqlite3_io_methods *m = open_wal(&g, *state)->pMethods;
    sqlite3_int64 size = 0;
    write_frame(&g, 0, 'a');
    expect_byte(&g, HEADER + FRAME - 1, 'a');
    write_frame(&g, 1, 'b');
    assert_int_equal(m->xFileSize(g.file, &size), SQLITE_OK);
    assert_int_equal(size, HEADER + 2 * FRAME);
    write_frame(&g, 2, 'c');
    assert_int_equal(m->xTruncate(g.file, HEADER + FRAME), SQLITE_OK);
    assert_int_equal(size_on_disk(&g), HEADER + FRAME);
    assert_int_equal(m->xClose(g.file), SQLITE_OK);
}

/* Frames written again elsewhere, more than fit, and one write larger than the buffer. */
static void order_and_size_do_not_matter(void **state)
{
    struct gathered g = {0};
    const sqlite3_io_methods *m = open_wal(&g, *state)->pMethods;
    for (int i = 0; i < 100; i++)
        write_frame(&g, i, (char)('0' + i % 10));
    write_frame(&g, 3, 'x');
    write_frame(&g, 50, 'y');
    write_at(&g, 130000, HEADER + 200 * FRAME, 'z');
    write_frame(&g, 4, 'w');
    assert_int_equal(m->xSync(g.file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    for (int i = 0; i < 100; i++) {
        char is = i == 3 ? 'x' : i == 4 ? 'w' : i == 50 ? 'y' : (char)('0' + i % 10);
        expect_byte(&g, HEADER + (int64_t)i * FRAME, is);
        expect_byte(&g, HEADER + (int64_t)i * FRAME + FRAME - 1, is);
    }
    expect_byte(&g, HEADER + 200 * FRAME + 129999, 'z');
    assert_int_equal(m->xClose(g.file), SQLITE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_wait_for_the_sync),
        TEST(what_follows_a_sync_does_not_wait),
        TEST(reading_and_measuring_see_all),
        TEST(order_and_size_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
