/* wal_gather.c - see wal_gather.h. https://www.sqlite.org/walformat.html */
#include "store/sqlite/wal_gather.h"

#include "base/mem.h"
#include "store/sqlite/page_check.h"

enum { WAL_HEADER = 32, FRAME_HEADER = 24, FRAME = FRAME_HEADER + MED_PAGE_SIZE };
enum { GATHERED = 31 * FRAME }; /* SQLite's own VFS wants less than 128 KB at once */

struct gathered_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
    char *waiting;      /* GATHERED bytes, taken at the first write */
    int n;
    sqlite3_int64 at; /* in the file, of waiting[0] */
    bool gathers;     /* a frame has begun since the last sync */
};

static struct gathered_file *of(sqlite3_file *file)
{
    return (struct gathered_file *)file;
}

static int write_real(struct gathered_file *f, const void *from, int n, sqlite3_int64 at)
{
    return f->real->pMethods->xWrite(f->real, from, n, at);
}

/* What waits goes to the file. After an error it is gone: SQLite gives the transaction up. */
static int flush(struct gathered_file *f)
{
    int n = f->n;
    f->n = 0;
    return n == 0 ? SQLITE_OK : write_real(f, f->waiting, n, f->at);
}

static bool begins_frame(int n, sqlite3_int64 at)
{
    return n == FRAME_HEADER && at >= WAL_HEADER && (at - WAL_HEADER) % FRAME == 0;
}

/* Memory is no condition: without it nothing waits. */
static bool may_wait(struct gathered_file *f, int n, sqlite3_int64 at)
{
    if (begins_frame(n, at))
        f->gathers = true;
    if (!f->gathers || n > GATHERED)
        return false;
    if (f->waiting == NULL)
        f->waiting = MED_NEW(GATHERED, char);
    return f->waiting != NULL;
}

static int gather_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    struct gathered_file *f = of(file);
    bool waits = may_wait(f, n, at);
    bool joins = waits && f->n > 0 && at == f->at + f->n && f->n + n <= GATHERED;
    int rc = joins ? SQLITE_OK : flush(f);
    if (rc != SQLITE_OK)
        return rc;
    if (!waits)
        return write_real(f, from, n, at);
    if (!joins)
        f->at = at;
    memcpy(f->waiting + f->n, from, (size_t)n);
    f->n += n;
    return SQLITE_OK;
}

static int gather_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    struct gathered_file *f = of(file);
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : f->real->pMethods->xRead(f->real, to, n, at);
}

static int gather_sync(sqlite3_file *file, int flags)
{
    struct gathered_file *f = of(file);
    int rc = flush(f);
    f->gathers = false;
    return rc != SQLITE_OK ? rc : f->real->pMethods->xSync(f->real, flags);
}

static int gather_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct gathered_file *f = of(file);
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : f->real->pMethods->xTruncate(f->real, size);
}

static int gather_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct gathered_file *f = of(file);
    int rc = flush(f);
    return rc != SQLITE_OK ? rc : f->real->pMethods->xFileSize(f->real, size);
}

static int gather_close(sqlite3_file *file)
{
    struct gathered_file *f = of(file);
    int written = flush(f);
    int closed = f->real->pMethods->xClose(f->real);
    med_free(f->waiting);
    f->waiting = NULL;
    return written != SQLITE_OK ? written : closed;
}

static int gather_control(sqlite3_file *file, int op, void *arg)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}
static int gather_sector_size(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}
static int gather_characteristics(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

/* A WAL is never locked: the main file is. */
static int gather_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}
static int gather_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = gather_close,
    .xRead = gather_read,
    .xWrite = gather_write,
    .xTruncate = gather_truncate,
    .xSync = gather_sync,
    .xFileSize = gather_size,
    .xLock = gather_lock,
    .xUnlock = gather_lock,
    .xCheckReservedLock = gather_reserved,
    .xFileControl = gather_control,
    .xSectorSize = gather_sector_size,
    .xDeviceCharacteristics = gather_characteristics,
};

int med_wal_gather_size(void)
{
    return (int)sizeof(struct gathered_file);
}

int med_wal_gather_open(sqlite3_vfs *real, sqlite3_filename name, sqlite3_file *file, int flags,
                        int *out_flags)
{
    struct gathered_file *f = of(file);
    *f = (struct gathered_file){.real = (sqlite3_file *)(f + 1)};
    int rc = real->xOpen(real, name, f->real, flags, out_flags);
    if (rc == SQLITE_OK)
        f->base.pMethods = &methods;
    return rc;
}
