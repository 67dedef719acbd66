/* folder.c - see folder.h. */
#include "terminology/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "terminology/terms.h"

enum { FILES = 1024, PATH_BYTES = 4096, LOOK_MICROSECONDS = 500000 };

typedef struct mapping {
    const med_image *image;
    void *at;
    size_t size, uses; /* guarded by the folder's lock */
    med_term_folder *owner;
    struct timespec changed;
    ino_t inode;
} mapping;

struct med_term_folder {
    pthread_mutex_t lock;
    char path[PATH_BYTES];
    mapping *files[FILES];
    size_t n;
    uint64_t epoch;
    int64_t looked;
    struct timespec changed; /* of the directory */
};

static void unmap(mapping *m)
{
    (void)munmap(m->at, m->size);
    med_free(m);
}

static void let_go(void *arg)
{
    mapping *m = arg;
    med_term_folder *f = m->owner;
    (void)pthread_mutex_lock(&f->lock);
    bool last = --m->uses == 0;
    (void)pthread_mutex_unlock(&f->lock);
    if (last)
        unmap(m);
}

static mapping *map_file(med_term_folder *f, const char *path, const char *name, med_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    mapping *m = MED_NEW(1, mapping);
    bool ok = fd >= 0 && m != NULL && fstat(fd, &st) == 0 && st.st_size > 0;
    void *at = ok ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        (void)close(fd);
    if (at == MAP_FAILED) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the code system file %s can not be mapped", name);
        med_free(m);
        return NULL;
    }
    *m = (mapping){NULL, at, (size_t)st.st_size, 1, f, st.st_mtim, st.st_ino};
    if (!med_image_open((med_str){at, m->size}, &m->image, err)) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION,
                       "the code system file %s is damaged or of another format: import it again",
                       name);
        unmap(m);
        return NULL;
    }
    return m;
}

/* The file as it is already mapped, if it did not change. */
static mapping *same_as_before(med_term_folder *f, const char *path)
{
    struct stat st;
    for (size_t i = 0; stat(path, &st) == 0 && i < f->n; i++) {
        mapping *m = f->files[i];
        if (m != NULL && m->inode == st.st_ino && m->size == (size_t)st.st_size
            && m->changed.tv_sec == st.st_mtim.tv_sec && m->changed.tv_nsec == st.st_mtim.tv_nsec) {
            f->files[i] = NULL;
            return m;
        }
    }
    return NULL;
}

/* Reads the folder anew. With the lock held. Damaged files are left out and told. */
static bool read_folder(med_term_folder *f, med_err *err)
{
    mapping *now[FILES];
    size_t n = 0;
    bool ok = true;
    DIR *dir = opendir(f->path);
    if (dir == NULL)
        return errno == ENOENT ? true
                               : MED_FAIL(err, MED_ISSUE_EXCEPTION,
                                          "the folder of imported code systems can not be read");
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own */
    for (struct dirent *e = readdir(dir); e != NULL && n < FILES; e = readdir(dir)) {
        char path[PATH_BYTES + 300];
        if (!med_str_ends(med_str_from(e->d_name), MED_STR(".codes")))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", f->path, e->d_name);
        mapping *m = same_as_before(f, path);
        if (m == NULL)
            m = map_file(f, path, e->d_name, err);
        if (m == NULL)
            ok = false;
        else
            now[n++] = m;
    }
    (void)closedir(dir);
    for (size_t i = 0; i < f->n; i++) {
        if (f->files[i] != NULL && --f->files[i]->uses == 0)
            unmap(f->files[i]);
    }
    memcpy(f->files, now, n * sizeof *now);
    f->n = n;
    f->epoch++;
    return ok;
}

bool med_term_folder_open(const char *path, med_term_folder **out, med_err *err)
{
    med_term_folder *f = MED_NEW(1, med_term_folder);
    struct stat st;
    if (f == NULL || pthread_mutex_init(&f->lock, NULL) != 0) {
        med_free(f);
        return MED_FAIL_MEMORY(err);
    }
    (void)snprintf(f->path, sizeof f->path, "%s", path);
    f->epoch = 1;
    if (stat(path, &st) == 0)
        f->changed = st.st_mtim;
    f->looked = med_monotonic(&med_clock_system);
    if (!read_folder(f, err)) {
        med_term_folder_free(f);
        return false;
    }
    *out = f;
    return true;
}

void med_term_folder_free(med_term_folder *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->n; i++)
        let_go(f->files[i]);
    (void)pthread_mutex_destroy(&f->lock);
    med_free(f);
}

/* With the lock held: has the folder changed since we looked? */
static void look(med_term_folder *f)
{
    struct stat st;
    int64_t now = med_monotonic(&med_clock_system);
    if (now - f->looked < LOOK_MICROSECONDS)
        return;
    f->looked = now;
    if (stat(f->path, &st) != 0
        || (st.st_mtim.tv_sec == f->changed.tv_sec && st.st_mtim.tv_nsec == f->changed.tv_nsec))
        return;
    med_err ignored = {0}; /* what can be read is there; the next start names the damaged one */
    f->changed = st.st_mtim;
    (void)read_folder(f, &ignored);
}

uint64_t med_term_folder_epoch(med_term_folder *f)
{
    if (f == NULL)
        return 0;
    (void)pthread_mutex_lock(&f->lock);
    look(f);
    uint64_t epoch = f->epoch;
    (void)pthread_mutex_unlock(&f->lock);
    return epoch;
}

static bool fits(const med_image *m, med_str url, med_str version)
{
    return med_str_eq(med_image_url(m), url)
           && (version.len == 0 || med_str_eq(med_image_version(m), version));
}

bool med_term_folder_find(med_term_folder *f, med_arena *a, med_str url, med_str version,
                          const med_image **out, med_err *err)
{
    mapping *best = NULL;
    *out = NULL;
    (void)pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n; i++) {
        mapping *m = f->files[i];
        if (fits(m->image, url, version)
            && (best == NULL
                || med_version_compare(med_image_version(m->image), med_image_version(best->image))
                       > 0))
            best = m;
    }
    if (best != NULL)
        best->uses++;
    (void)pthread_mutex_unlock(&f->lock);
    if (best == NULL)
        return true;
    *out = best->image;
    return med_arena_defer(a, let_go, best) ? true : MED_FAIL_MEMORY(err);
}

bool med_term_folder_at(med_term_folder *f, med_arena *a, size_t index, const med_image **out)
{
    mapping *m = NULL;
    if (f == NULL)
        return false;
    (void)pthread_mutex_lock(&f->lock);
    if (index < f->n) {
        m = f->files[index];
        m->uses++;
    }
    (void)pthread_mutex_unlock(&f->lock);
    if (m == NULL)
        return false;
    *out = m->image;
    return med_arena_defer(a, let_go, m);
}

/* ---- writing ---- */

/* A name of letters and digits for whatever the url and version are made of. */
static void file_name(const char *folder, med_str url, med_str version, char out[PATH_BYTES])
{
    static const med_hash_key key = {0x636f646573797374U, 0x656d66696c656e61U};
    med_hasher h;
    med_hasher_begin(&h, key);
    med_hasher_add(&h, url);
    med_hasher_add(&h, MED_STR("|"));
    med_hasher_add(&h, version);
    (void)snprintf(out, PATH_BYTES, "%s/%016llx.codes", folder,
                   (unsigned long long)med_hasher_end(&h));
}

bool med_term_folder_put(const char *path, med_str bytes, med_err *err)
{
    const med_image *m;
    char to[PATH_BYTES];
    if (!med_image_open(bytes, &m, err))
        return false;
    file_name(path, med_image_url(m), med_image_version(m), to);
    return med_file_replace(path, to + strlen(path) + 1, bytes, err);
}

bool med_term_folder_remove(const char *path, med_str url, med_str version, size_t *n, med_err *err)
{
    med_term_folder *f;
    *n = 0;
    if (!med_term_folder_open(path, &f, err))
        return false;
    bool ok = true;
    for (size_t i = 0; i < f->n; i++) {
        const med_image *m = f->files[i]->image;
        char name[PATH_BYTES];
        if (!fits(m, url, version))
            continue;
        file_name(path, url, med_image_version(m), name);
        ok = unlink(name) == 0 && ok;
        (*n)++;
    }
    med_term_folder_free(f);
    if (!ok)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "a code system file can not be removed");
    return *n == 0 || med_file_sync_directory(path, err);
}
