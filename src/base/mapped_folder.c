/* mapped_folder.c - see mapped_folder.h. */
#include "base/mapped_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum { LOOK_MICROSECONDS = 500000 };

typedef struct mapping {
    med_mapped_file file;
    size_t uses; /* guarded by the folder's lock */
    med_mapped_folder *owner;
    struct timespec changed;
    ino_t inode;
} mapping;

struct med_mapped_folder {
    pthread_mutex_t lock;
    const med_mapped_kind *kind;
    char path[MED_FILE_PATH]; /* empty: there is none */
    mapping **files;          /* room for kind->most */
    mapping **next;           /* the same, while the folder is read anew */
    size_t n;
    uint64_t epoch;
    int64_t looked;
    struct timespec changed; /* of the directory */
};

/* ---- one file ---- */

static void unmap(mapping *m)
{
    (void)munmap((void *)(uintptr_t)m->file.bytes.ptr, m->file.bytes.len);
    med_free(m);
}

static void let_go(void *arg)
{
    mapping *m = arg;
    med_mapped_folder *f = m->owner;
    (void)pthread_mutex_lock(&f->lock);
    bool last = --m->uses == 0;
    (void)pthread_mutex_unlock(&f->lock);
    if (last)
        unmap(m);
}

static mapping *map_bytes(med_mapped_folder *f, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    mapping *m = MED_NEW(1, mapping);
    bool ok = fd >= 0 && m != NULL && fstat(fd, &st) == 0 && st.st_size > 0;
    void *at = ok ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        (void)close(fd);
    if (at == MAP_FAILED) {
        med_free(m);
        return NULL;
    }
    *m = (mapping){.file.bytes = {at, (size_t)st.st_size},
                   .uses = 1,
                   .owner = f,
                   .changed = st.st_mtim,
                   .inode = st.st_ino};
    return m;
}

static mapping *map_file(med_mapped_folder *f, const char *path, const char *name, med_err *err)
{
    const med_mapped_kind *k = f->kind;
    mapping *m = map_bytes(f, path);
    if (m == NULL) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the %s %s can not be mapped", k->what, name);
        return NULL;
    }
    (void)snprintf(m->file.name, sizeof m->file.name, "%.*s",
                   (int)(strlen(name) - strlen(k->suffix)), name);
    if (!k->open(m->file.bytes, &m->file.image, err)) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the %s %s is damaged or of another format: %s",
                       k->what, name, k->mend);
        unmap(m);
        return NULL;
    }
    return m;
}

/* ---- the folder ---- */

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* The file as it is already mapped, if it did not change. */
static mapping *same_as_before(med_mapped_folder *f, const char *path)
{
    struct stat st;
    for (size_t i = 0; stat(path, &st) == 0 && i < f->n; i++) {
        mapping *m = f->files[i];
        if (m != NULL && m->inode == st.st_ino && m->file.bytes.len == (size_t)st.st_size
            && same_time(m->changed, st.st_mtim)) {
            f->files[i] = NULL;
            return m;
        }
    }
    return NULL;
}

static bool is_of_kind(const med_mapped_kind *k, med_str name)
{
    return med_str_ends(name, med_str_from(k->suffix)) && name.ptr[0] != '.'
           && name.len < MED_MAPPED_NAME;
}

/* False when one of them is damaged: it is left out and told. */
static bool map_all(med_mapped_folder *f, DIR *dir, size_t *n, med_err *err)
{
    bool ok = true;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own */
    for (struct dirent *e = readdir(dir); e != NULL && *n < f->kind->most; e = readdir(dir)) {
        char path[MED_FILE_PATH];
        med_err ignored = {0};
        if (!is_of_kind(f->kind, med_str_from(e->d_name))
            || !med_file_join(path, f->path, e->d_name, &ignored))
            continue;
        mapping *m = same_as_before(f, path);
        if (m == NULL)
            m = map_file(f, path, e->d_name, err);
        if (m == NULL)
            ok = false;
        else
            f->next[(*n)++] = m;
    }
    return ok;
}

/* Insertion: a folder holds few files, and most are in their place already. */
static void sort(med_mapped_folder *f, size_t n)
{
    for (size_t i = 1; f->kind->order != NULL && i < n; i++) {
        mapping *m = f->next[i];
        size_t k = i;
        for (; k > 0 && f->kind->order(&f->next[k - 1]->file, &m->file) > 0; k--)
            f->next[k] = f->next[k - 1];
        f->next[k] = m;
    }
}

/* Reads the folder anew, with the lock held. */
static bool read_folder(med_mapped_folder *f, med_err *err)
{
    size_t n = 0;
    DIR *dir = opendir(f->path);
    if (dir == NULL && errno != ENOENT)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the folder of the %ss can not be read",
                        f->kind->what);
    bool ok = dir == NULL || map_all(f, dir, &n, err);
    if (dir != NULL)
        (void)closedir(dir);
    for (size_t i = 0; i < f->n; i++) {
        if (f->files[i] != NULL && --f->files[i]->uses == 0)
            unmap(f->files[i]);
    }
    sort(f, n);
    mapping **before = f->files;
    f->files = f->next;
    f->next = before;
    f->n = n;
    f->epoch++;
    return ok;
}

/* With the lock held: has the folder changed since we looked? */
static void look(med_mapped_folder *f)
{
    struct stat st = {0};
    int64_t now = med_monotonic(&med_clock_system);
    if (f->path[0] == '\0' || now - f->looked < LOOK_MICROSECONDS)
        return;
    f->looked = now;
    if (stat(f->path, &st) != 0 || same_time(st.st_mtim, f->changed))
        return;
    med_err ignored = {0}; /* what can be read is there; the next start names the damaged one */
    f->changed = st.st_mtim;
    (void)read_folder(f, &ignored);
}

bool med_mapped_folder_open(const med_mapped_kind *kind, const char *path, med_mapped_folder **out,
                            med_err *err)
{
    struct stat st;
    med_mapped_folder *f = MED_NEW(1, med_mapped_folder);
    if (f != NULL && pthread_mutex_init(&f->lock, NULL) != 0) {
        med_free(f);
        f = NULL;
    }
    if (f == NULL)
        return MED_FAIL_MEMORY(err);
    f->kind = kind;
    f->files = MED_NEW(kind->most, mapping *);
    f->next = MED_NEW(kind->most, mapping *);
    f->epoch = 1;
    f->looked = med_monotonic(&med_clock_system);
    (void)snprintf(f->path, sizeof f->path, "%s", path == NULL ? "" : path);
    if (path != NULL && stat(path, &st) == 0)
        f->changed = st.st_mtim;
    bool ok = f->files != NULL && f->next != NULL ? true : MED_FAIL_MEMORY(err);
    if (!ok || (path != NULL && !read_folder(f, err))) {
        med_mapped_folder_free(f);
        return false;
    }
    *out = f;
    return true;
}

void med_mapped_folder_free(med_mapped_folder *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; f->files != NULL && i < f->n; i++)
        let_go(f->files[i]);
    med_free(f->files);
    med_free(f->next);
    (void)pthread_mutex_destroy(&f->lock);
    med_free(f);
}

uint64_t med_mapped_folder_epoch(med_mapped_folder *f)
{
    (void)pthread_mutex_lock(&f->lock);
    look(f);
    uint64_t epoch = f->epoch;
    (void)pthread_mutex_unlock(&f->lock);
    return epoch;
}

/* ---- finding ---- */

bool med_mapped_folder_hold(med_mapped_folder *f, med_arena *a,
                            bool (*pick)(void *arg, const med_mapped_file *file), void *arg,
                            const med_mapped_file **out, med_err *err)
{
    mapping *found = NULL;
    *out = NULL;
    (void)pthread_mutex_lock(&f->lock);
    look(f);
    for (size_t i = 0; i < f->n; i++) {
        if (pick(arg, &f->files[i]->file))
            found = f->files[i];
    }
    if (found != NULL)
        found->uses++;
    (void)pthread_mutex_unlock(&f->lock);
    if (found == NULL)
        return true;
    *out = &found->file;
    return med_arena_defer(a, let_go, found) ? true : MED_FAIL_MEMORY(err);
}

static bool pick_at(void *arg, const med_mapped_file *file)
{
    size_t *left = arg;
    (void)file;
    return (*left)-- == 0;
}

const med_mapped_file *med_mapped_folder_at(med_mapped_folder *f, med_arena *a, size_t index)
{
    const med_mapped_file *found;
    med_err ignored = {0};
    return med_mapped_folder_hold(f, a, pick_at, &index, &found, &ignored) ? found : NULL;
}
