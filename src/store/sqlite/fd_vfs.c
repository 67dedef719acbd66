/* fd_vfs.c - see fd_vfs.h. https://www.sqlite.org/vfs.html */
#include "store/sqlite/fd_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "fd-";

struct fd_file {
    sqlite3_file base;
    int fd;
};

static int fd_of(sqlite3_file *f)
{
    return ((struct fd_file *)f)->fd;
}

static int fd_close(sqlite3_file *f)
{
    (void)f;
    return SQLITE_OK;
}

static int fd_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    for (int done = 0; done < n;) {
        ssize_t got = pread(fd_of(f), (char *)to + done, (size_t)(n - done), at + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SQLITE_IOERR_READ;
        if (got == 0) { /* SQLite wants the rest as zeros */
            memset((char *)to + done, 0, (size_t)(n - done));
            return SQLITE_IOERR_SHORT_READ;
        }
        done += (int)got;
    }
    return SQLITE_OK;
}

static int fd_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    for (int done = 0; done < n;) {
        ssize_t put = pwrite(fd_of(f), (const char *)from + done, (size_t)(n - done), at + done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return errno == ENOSPC || errno == EDQUOT ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        done += (int)put;
    }
    return SQLITE_OK;
}

static int fd_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return ftruncate(fd_of(f), size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int fd_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    return fsync(fd_of(f)) == 0 ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int fd_size(sqlite3_file *f, sqlite3_int64 *size)
{
    struct stat st;
    if (fstat(fd_of(f), &st) != 0)
        return SQLITE_IOERR_FSTAT;
    *size = st.st_size;
    return SQLITE_OK;
}

static int fd_lock(sqlite3_file *f, int level)
{
    (void)f;
    (void)level;
    return SQLITE_OK;
}

static int fd_reserved(sqlite3_file *f, int *out)
{
    (void)f;
    *out = 0;
    return SQLITE_OK;
}

static int fd_control(sqlite3_file *f, int op, void *arg)
{
    (void)f;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int fd_sector_size(sqlite3_file *f)
{
    (void)f;
    return 4096;
}

static int fd_characteristics(sqlite3_file *f)
{
    (void)f;
    return 0;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = fd_close,
    .xRead = fd_read,
    .xWrite = fd_write,
    .xTruncate = fd_truncate,
    .xSync = fd_sync,
    .xFileSize = fd_size,
    .xLock = fd_lock,
    .xUnlock = fd_lock,
    .xCheckReservedLock = fd_reserved,
    .xFileControl = fd_control,
    .xSectorSize = fd_sector_size,
    .xDeviceCharacteristics = fd_characteristics,
};

static int fd_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                   int *out_flags)
{
    struct fd_file *f = (struct fd_file *)file;
    med_str word = med_str_from(name);
    int64_t fd = -1;
    (void)vfs;
    f->base.pMethods = NULL;
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || !med_str_starts(word, med_str_from(prefix))
        || !med_str_to_int64(med_str_skip(word, sizeof prefix - 1), &fd) || fd < 0
        || fd > INT32_MAX)
        return SQLITE_CANTOPEN;
    f->fd = (int)fd;
    f->base.pMethods = &methods;
    if (out_flags != NULL)
        *out_flags = flags;
    return SQLITE_OK;
}

static int fd_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)name;
    (void)sync;
    return SQLITE_OK;
}

/* There is never a journal or a WAL beside it. */
static int fd_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    (void)name;
    (void)flags;
    *out = 0;
    return SQLITE_OK;
}

static int fd_full_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    int len = snprintf(out, (size_t)n, "%s", name);
    return len > 0 && len < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* Time, sleep and randomness are the system's. */
static sqlite3_vfs make_vfs(void)
{
    sqlite3_vfs vfs = {0};
    const sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    if (base != NULL)
        vfs = *base;
    vfs.pNext = NULL;
    vfs.zName = MED_FD_VFS;
    vfs.szOsFile = (int)sizeof(struct fd_file);
    vfs.xOpen = fd_open;
    vfs.xDelete = fd_delete;
    vfs.xAccess = fd_access;
    vfs.xFullPathname = fd_full_path;
    return vfs;
}

bool med_fd_vfs(med_err *err)
{
    if (sqlite3_vfs_find(MED_FD_VFS) != NULL)
        return true;
    sqlite3_vfs *vfs = sqlite3_malloc((int)sizeof *vfs);
    if (vfs == NULL)
        return MED_FAIL_MEMORY(err);
    *vfs = make_vfs();
    if (sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
        return true; /* SQLite's list owns it: a VFS lives as long as the process */
    sqlite3_free(vfs);
    return MED_FAIL_MEMORY(err);
}

void med_fd_name(int fd, char name[MED_FD_NAME])
{
    (void)snprintf(name, MED_FD_NAME, "%s%d", prefix, fd);
}
