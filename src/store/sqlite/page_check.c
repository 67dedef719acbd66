/* page_check.c - see page_check.h. https://www.sqlite.org/vfs.html
 *
 * Only the main file is checked; the WAL's writes are gathered (wal_gather.h), and for all other
 * files the base VFS opens its own in our place.
 * In WAL mode whole pages are written at a checkpoint, and read when no WAL frame has them. */
#include "store/sqlite/page_check.h"

#include <sqlite3.h>

#include "base/mem.h"
#include "store/sqlite/wal_gather.h"

struct checked_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

struct check_vfs {
    sqlite3_vfs base;
    sqlite3_vfs *real;
    char name[MED_PAGE_CHECK_NAME];
};

/* Four lanes, so that the multiplications overlap; 0.3 us a page. */
uint64_t med_page_check(const unsigned char *page, uint64_t number)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15U;
    uint64_t lane[4] = {number * odd, number ^ odd, ~number, number + odd};
    size_t at = 0;
    for (; at + 32 <= MED_PAGE_SIZE - MED_PAGE_RESERVED; at += 32) {
        for (size_t i = 0; i < 4; i++) {
            uint64_t word = 0;
            memcpy(&word, page + at + i * 8, 8);
            lane[i] = (lane[i] ^ word) * odd;
            lane[i] ^= lane[i] >> 29;
        }
    }
    uint64_t hash = 0;
    for (; at < MED_PAGE_SIZE - MED_PAGE_RESERVED; at += 8) {
        uint64_t word = 0;
        memcpy(&word, page + at, 8);
        lane[0] = (lane[0] ^ word) * odd;
        lane[0] ^= lane[0] >> 29;
    }
    for (size_t i = 0; i < 4; i++)
        hash = (hash ^ lane[i]) * odd ^ hash >> 31;
    return hash | 1; /* 0 is that of a page that was never written */
}

static bool is_all_zero(const unsigned char *page)
{
    return page[0] == 0 && memcmp(page, page + 1, MED_PAGE_SIZE - 1) == 0;
}

static bool is_page(int n, sqlite3_int64 at)
{
    return n == MED_PAGE_SIZE && at % MED_PAGE_SIZE == 0;
}

static uint64_t page_number(sqlite3_int64 at)
{
    return (uint64_t)at / MED_PAGE_SIZE + 1;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct checked_file *)file)->real;
}

static int check_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    int rc = real_of(file)->pMethods->xRead(real_of(file), to, n, at);
    if (rc != SQLITE_OK || !is_page(n, at))
        return rc;
    uint64_t kept = 0;
    memcpy(&kept, (const char *)to + MED_PAGE_SIZE - MED_PAGE_RESERVED, sizeof kept);
    if (kept == med_page_check(to, page_number(at)) || (kept == 0 && is_all_zero(to)))
        return SQLITE_OK;
    return SQLITE_IOERR_DATA;
}

static int check_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    unsigned char page[MED_PAGE_SIZE];
    if (!is_page(n, at))
        return real_of(file)->pMethods->xWrite(real_of(file), from, n, at);
    memcpy(page, from, MED_PAGE_SIZE - MED_PAGE_RESERVED);
    uint64_t hash = med_page_check(page, page_number(at));
    memcpy(page + MED_PAGE_SIZE - MED_PAGE_RESERVED, &hash, sizeof hash);
    return real_of(file)->pMethods->xWrite(real_of(file), page, n, at);
}

static int check_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}
static int check_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int check_sync(sqlite3_file *f, int flags)
{
    return real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int check_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
static int check_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int check_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int check_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int check_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int check_sector_size(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
/* Without the promise that a write harms no neighbouring bytes when the power goes, SQLite ends
 * each commit in the WAL at the end of a sector: what was acknowledged shares none with what
 * comes next. It costs one page a group. */
static int check_characteristics(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f))
           & ~SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}
static int check_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int check_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}
static void check_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int check_shm_unmap(sqlite3_file *f, int delete_it)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* no xFetch: a mapped page would go around the check */
    .xClose = check_close,
    .xRead = check_read,
    .xWrite = check_write,
    .xTruncate = check_truncate,
    .xSync = check_sync,
    .xFileSize = check_size,
    .xLock = check_lock,
    .xUnlock = check_unlock,
    .xCheckReservedLock = check_reserved,
    .xFileControl = check_control,
    .xSectorSize = check_sector_size,
    .xDeviceCharacteristics = check_characteristics,
    .xShmMap = check_shm_map,
    .xShmLock = check_shm_lock,
    .xShmBarrier = check_shm_barrier,
    .xShmUnmap = check_shm_unmap,
};

static int check_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                      int *out_flags)
{
    sqlite3_vfs *real = ((struct check_vfs *)vfs)->real;
    if ((flags & SQLITE_OPEN_WAL) != 0)
        return med_wal_gather_open(real, name, file, flags, out_flags);
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return real->xOpen(real, name, file, flags, out_flags);
    struct checked_file *f = (struct checked_file *)file;
    *f = (struct checked_file){.real = (sqlite3_file *)(f + 1)};
    int rc = real->xOpen(real, name, f->real, flags, out_flags);
    if (rc == SQLITE_OK)
        f->base.pMethods = &methods;
    return rc;
}

/* The rest of the base VFS wants itself as first argument. */
static int check_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    sqlite3_vfs *real = ((struct check_vfs *)vfs)->real;
    return real->xDelete(real, name, sync);
}
static int check_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    sqlite3_vfs *real = ((struct check_vfs *)vfs)->real;
    return real->xAccess(real, name, flags, out);
}
static int check_full_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    sqlite3_vfs *real = ((struct check_vfs *)vfs)->real;
    return real->xFullPathname(real, name, n, out);
}

static bool register_over(sqlite3_vfs *real, const char *name)
{
    struct check_vfs *vfs = MED_NEW(1, struct check_vfs);
    if (vfs == NULL)
        return false;
    vfs->base = *real; /* time, sleep and randomness need no file: the base's own will do */
    vfs->real = real;
    (void)snprintf(vfs->name, sizeof vfs->name, "%s", name);
    vfs->base.zName = vfs->name;
    vfs->base.pNext = NULL;
    int own = (int)sizeof(struct checked_file);
    int gathered = med_wal_gather_size();
    vfs->base.szOsFile = (own > gathered ? own : gathered) + real->szOsFile;
    vfs->base.xOpen = check_open;
    vfs->base.xDelete = check_delete;
    vfs->base.xAccess = check_access;
    vfs->base.xFullPathname = check_full_path;
    if (sqlite3_vfs_register((sqlite3_vfs *)vfs, 0) == SQLITE_OK)
        return true; /* SQLite's list owns it from now on: a VFS lives as long as the process */
    med_free(vfs);
    return false;
}

bool med_page_check_vfs(const char *base, char name[MED_PAGE_CHECK_NAME], med_err *err)
{
    sqlite3_vfs *real = sqlite3_vfs_find(base);
    if (real == NULL)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "SQLite has no such file system layer");
    int n = snprintf(name, MED_PAGE_CHECK_NAME, "medulla-check-%s", real->zName);
    if (n < 0 || n >= MED_PAGE_CHECK_NAME)
        return MED_FAIL(err, MED_ISSUE_TOO_LONG, "a file system layer has too long a name");
    return sqlite3_vfs_find(name) != NULL || register_over(real, name) || MED_FAIL_MEMORY(err);
}
