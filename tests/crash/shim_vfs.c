/* shim_vfs.c - see shim_vfs.h. https://www.sqlite.org/vfs.html */
#include "shim_vfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512, FILES = 16, PATH = 1024 };

/* What is known of one file, by its path; it stays when the file is closed. */
struct image {
    char path[PATH];
    bool used, exists, named; /* named: its name is on disk */
    unsigned char *live;      /* all that was written */
    size_t live_size, live_cap;
    unsigned char *disk; /* what was synced */
    size_t disk_size, disk_cap;
    unsigned char *dirty; /* a byte a sector: written since the last sync */
    size_t dirty_cap;
};

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real;
    struct image *image;
    bool main_file;
};

static struct shim {
    pthread_mutex_t lock;
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct image images[FILES];
    bool track, ignore_syncs, dead;
    unsigned sync_time;
    uint64_t count[SHIM_CALLS], fail_at[SHIM_CALLS], fail_times[SHIM_CALLS];
    int code[SHIM_CALLS];
    bool checkpoint;
    void (*hook)(enum shim_call call, bool main_file);
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *grown(void *ptr, size_t *cap, size_t need)
{
    if (need <= *cap)
        return ptr;
    size_t bigger = *cap == 0 ? 1 << 16 : *cap;
    while (bigger < need)
        bigger *= 2;
    unsigned char *to = realloc(ptr, bigger);
    if (to == NULL)
        abort();
    memset(to + *cap, 0, bigger - *cap);
    *cap = bigger;
    return to;
}

static struct image *image_of(const char *path)
{
    struct image *empty = NULL;
    for (size_t i = 0; i < FILES; i++) {
        if (shim.images[i].used && strcmp(shim.images[i].path, path) == 0)
            return &shim.images[i];
        if (!shim.images[i].used && empty == NULL)
            empty = &shim.images[i];
    }
    if (empty == NULL)
        abort();
    *empty = (struct image){.used = true};
    (void)snprintf(empty->path, sizeof empty->path, "%s", path);
    return empty;
}

static void mark(struct image *m, size_t from, size_t to)
{
    if (to <= from)
        return;
    m->dirty = grown(m->dirty, &m->dirty_cap, to / SECTOR + 1);
    memset(m->dirty + from / SECTOR, 1, (to - 1) / SECTOR - from / SECTOR + 1);
}

static void note_write(struct image *m, const void *bytes, size_t n, size_t at)
{
    m->live = grown(m->live, &m->live_cap, at + n);
    memcpy(m->live + at, bytes, n);
    mark(m, at, at + n);
    if (at + n > m->live_size)
        m->live_size = at + n;
}

static void note_truncate(struct image *m, size_t size)
{
    if (size < m->live_size)
        memset(m->live + size, 0, m->live_size - size);
    m->live_size = size;
}

static void note_sync(struct image *m)
{
    if (shim.ignore_syncs)
        return;
    m->disk = grown(m->disk, &m->disk_cap, m->live_size);
    if (m->live_size > 0)
        memcpy(m->disk, m->live, m->live_size);
    m->disk_size = m->live_size;
    m->named = true; /* SQLite syncs the directory of a new journal with its first sync */
    if (m->dirty_cap > 0)
        memset(m->dirty, 0, m->dirty_cap);
}

/* What was in the file when the shim met it counts as synced. */
static void load(struct image *m)
{
    int fd = open(m->path, O_RDONLY);
    unsigned char page[4096];
    ssize_t n = 0;
    size_t at = 0;
    m->live_size = 0;
    while (fd >= 0 && (n = read(fd, page, sizeof page)) > 0) {
        note_write(m, page, (size_t)n, at);
        at += (size_t)n;
    }
    m->exists = fd >= 0;
    if (fd >= 0)
        (void)close(fd);
    bool ignore = shim.ignore_syncs;
    shim.ignore_syncs = false;
    note_sync(m);
    shim.ignore_syncs = ignore;
    m->named = m->exists;
}

/* SQLITE_OK when the call may go on. */
static int admit(enum shim_call call, const struct shim_file *f)
{
    pthread_mutex_lock(&shim.lock);
    void (*hook)(enum shim_call, bool) = shim.hook;
    int rc = SQLITE_OK;
    shim.count[call]++;
    if (call == SHIM_WRITE)
        shim.checkpoint = f->main_file;
    if (shim.dead) {
        rc = SQLITE_IOERR;
    } else if (shim.fail_at[call] > 0 && --shim.fail_at[call] == 0) {
        rc = shim.code[call];
        if (shim.fail_times[call] > 0) {
            shim.fail_at[call] = 1;
            if (shim.fail_times[call] != UINT64_MAX)
                shim.fail_times[call]--;
        }
    }
    unsigned sleep = call == SHIM_SYNC ? shim.sync_time : 0;
    pthread_mutex_unlock(&shim.lock);
    if (sleep > 0)
        (void)usleep(sleep);
    if (hook != NULL && rc == SQLITE_OK && call != SHIM_READ)
        hook(call, f->main_file);
    return rc;
}

static struct shim_file *of(sqlite3_file *file)
{
    return (struct shim_file *)file;
}

static int shim_close(sqlite3_file *file)
{
    return of(file)->real->pMethods->xClose(of(file)->real);
}

static int shim_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    int rc = admit(SHIM_READ, of(file));
    return rc != SQLITE_OK ? rc : of(file)->real->pMethods->xRead(of(file)->real, to, n, at);
}

static int shim_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    struct shim_file *f = of(file);
    int rc = admit(SHIM_WRITE, f);
    if (rc != SQLITE_OK)
        return rc;
    pthread_mutex_lock(&shim.lock);
    rc = shim.dead ? SQLITE_IOERR : f->real->pMethods->xWrite(f->real, from, n, at);
    if (rc == SQLITE_OK && shim.track)
        note_write(f->image, from, (size_t)n, (size_t)at);
    pthread_mutex_unlock(&shim.lock);
    return rc;
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct shim_file *f = of(file);
    int rc = admit(SHIM_TRUNCATE, f);
    if (rc != SQLITE_OK)
        return rc;
    pthread_mutex_lock(&shim.lock);
    rc = shim.dead ? SQLITE_IOERR : f->real->pMethods->xTruncate(f->real, size);
    if (rc == SQLITE_OK && shim.track)
        note_truncate(f->image, (size_t)size);
    pthread_mutex_unlock(&shim.lock);
    return rc;
}

static int shim_sync(sqlite3_file *file, int flags)
{
    struct shim_file *f = of(file);
    int rc = admit(SHIM_SYNC, f);
    if (rc != SQLITE_OK)
        return rc;
    pthread_mutex_lock(&shim.lock);
    rc = shim.dead ? SQLITE_IOERR : SQLITE_OK;
    if (rc == SQLITE_OK && shim.track)
        note_sync(f->image); /* the cut is ours to make: the real disk need not wait */
    else if (rc == SQLITE_OK)
        rc = f->real->pMethods->xSync(f->real, flags);
    pthread_mutex_unlock(&shim.lock);
    return rc;
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return of(file)->real->pMethods->xFileSize(of(file)->real, size);
}
static int shim_lock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xLock(of(file)->real, level);
}
static int shim_unlock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}
static int shim_check_lock(sqlite3_file *file, int *out)
{
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, out);
}
static int shim_control(sqlite3_file *file, int op, void *arg)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}
static int shim_sector_size(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}
static int shim_characteristics(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}
static int shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return of(file)->real->pMethods->xShmMap(of(file)->real, page, size, extend, out);
}
static int shim_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return of(file)->real->pMethods->xShmLock(of(file)->real, offset, n, flags);
}
static void shim_shm_barrier(sqlite3_file *file)
{
    of(file)->real->pMethods->xShmBarrier(of(file)->real);
}
static int shim_shm_unmap(sqlite3_file *file, int delete_it)
{
    return of(file)->real->pMethods->xShmUnmap(of(file)->real, delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_lock,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector_size,
    .xDeviceCharacteristics = shim_characteristics,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

static int shim_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *out_flags)
{
    (void)vfs;
    struct shim_file *f = of(file);
    *f = (struct shim_file){.real = (sqlite3_file *)(f + 1),
                            .main_file = (flags & SQLITE_OPEN_MAIN_DB) != 0};
    pthread_mutex_lock(&shim.lock);
    int rc = shim.dead ? SQLITE_IOERR : SQLITE_OK;
    if (rc == SQLITE_OK && shim.track && name != NULL) {
        f->image = image_of(name);
        if (!f->image->exists)
            load(f->image);
        f->image->exists = true;
    }
    if (rc == SQLITE_OK)
        rc = shim.real->xOpen(shim.real, name, f->real, flags, out_flags);
    pthread_mutex_unlock(&shim.lock);
    if (rc == SQLITE_OK)
        f->base.pMethods = &methods;
    return rc;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    (void)vfs;
    pthread_mutex_lock(&shim.lock);
    int rc = shim.dead ? SQLITE_IOERR : shim.real->xDelete(shim.real, name, sync_directory);
    if (rc == SQLITE_OK && shim.track) {
        struct image *m = image_of(name);
        m->exists = false;
        m->live_size = 0;
        if (sync_directory) {
            m->named = false;
            m->disk_size = 0;
        }
    }
    pthread_mutex_unlock(&shim.lock);
    return rc;
}

bool shim_register(void)
{
    /* A second registration would cut off what SQLite's list holds behind it. */
    if (sqlite3_vfs_find(SHIM_VFS_NAME) != NULL)
        return true;
    shim.real = sqlite3_vfs_find(NULL);
    if (shim.real == NULL)
        return false;
    shim.vfs = *shim.real;
    shim.vfs.zName = SHIM_VFS_NAME;
    shim.vfs.pNext = NULL;
    shim.vfs.szOsFile = (int)sizeof(struct shim_file) + shim.real->szOsFile;
    shim.vfs.xOpen = shim_open;
    shim.vfs.xDelete = shim_delete;
    return sqlite3_vfs_register(&shim.vfs, 0) == SQLITE_OK;
}

void shim_reset(void)
{
    pthread_mutex_lock(&shim.lock);
    for (size_t i = 0; i < FILES; i++) {
        free(shim.images[i].live);
        free(shim.images[i].disk);
        free(shim.images[i].dirty);
        shim.images[i] = (struct image){0};
    }
    memset(shim.count, 0, sizeof shim.count);
    memset(shim.fail_at, 0, sizeof shim.fail_at);
    memset(shim.fail_times, 0, sizeof shim.fail_times);
    shim.dead = shim.ignore_syncs = shim.track = shim.checkpoint = false;
    shim.sync_time = 0;
    shim.hook = NULL;
    pthread_mutex_unlock(&shim.lock);
}

void shim_track(bool on)
{
    shim.track = on;
}
void shim_ignore_syncs(bool on)
{
    shim.ignore_syncs = on;
}
void shim_slow_sync(unsigned microseconds)
{
    pthread_mutex_lock(&shim.lock);
    shim.sync_time = microseconds;
    pthread_mutex_unlock(&shim.lock);
}

void shim_fail(enum shim_call call, uint64_t n, uint64_t times, int code)
{
    pthread_mutex_lock(&shim.lock);
    shim.fail_at[call] = n;
    shim.fail_times[call] = times;
    shim.code[call] = code;
    pthread_mutex_unlock(&shim.lock);
}

uint64_t shim_count(enum shim_call call)
{
    pthread_mutex_lock(&shim.lock);
    uint64_t n = shim.count[call];
    pthread_mutex_unlock(&shim.lock);
    return n;
}

bool shim_in_checkpoint(void)
{
    pthread_mutex_lock(&shim.lock);
    bool yes = shim.checkpoint;
    pthread_mutex_unlock(&shim.lock);
    return yes;
}

void shim_on_call(void (*hook)(enum shim_call call, bool main_file))
{
    pthread_mutex_lock(&shim.lock);
    shim.hook = hook;
    pthread_mutex_unlock(&shim.lock);
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* What the disk holds of one file: the synced bytes, and those unsynced sectors it got to. */
static void apply_sectors(struct image *m, uint64_t *seed, bool *torn)
{
    size_t end = m->live_size;
    unsigned share = (unsigned)(next(seed) % 101); /* in per cent: from none to all */
    for (size_t at = 0; at < end; at += SECTOR) {
        if (at / SECTOR >= m->dirty_cap || m->dirty[at / SECTOR] == 0 || next(seed) % 100 >= share)
            continue;
        size_t n = end - at < SECTOR ? end - at : SECTOR;
        m->disk = grown(m->disk, &m->disk_cap, at + n);
        memcpy(m->disk + at, m->live + at, n);
        if (!*torn && next(seed) % 8 == 0) {
            *torn = true;
            for (size_t i = n / 2; i < n; i++)
                m->disk[at + i] = (unsigned char)next(seed);
        }
        if (at + n > m->disk_size)
            m->disk_size = at + n;
    }
    if (next(seed) % 2 == 0 && m->live_size < m->disk_size)
        m->disk_size = m->live_size; /* a truncation that was on its way */
}

static bool write_file(const struct image *m, const char *to)
{
    char path[2 * PATH];
    const char *name = strrchr(m->path, '/');
    (void)snprintf(path, sizeof path, "%s/%s", to, name == NULL ? m->path : name + 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return false;
    bool good = m->disk_size == 0 || write(fd, m->disk, m->disk_size) == (ssize_t)m->disk_size;
    return close(fd) == 0 && good;
}

bool shim_cut(uint64_t seed, const char *to)
{
    pthread_mutex_lock(&shim.lock);
    shim.dead = true;
    bool good = true;
    bool torn = false;
    seed = seed * 0x9e3779b97f4a7c15U + 1;
    for (size_t i = 0; i < FILES; i++) {
        struct image *m = &shim.images[i];
        if (!m->used)
            continue;
        if (!m->named && next(&seed) % 2 == 0)
            continue; /* the file's very name was lost */
        if (m->exists)
            apply_sectors(m, &seed, &torn);
        if (m->named || m->exists)
            good = write_file(m, to) && good;
    }
    pthread_mutex_unlock(&shim.lock);
    return good;
}
