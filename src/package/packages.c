/* packages.c - see packages.h. */
#include "package/packages.h"

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
#include "base/mem.h"
#include "definitions_embedded.h"
#include "package/manifest.h"

enum { PATH_BYTES = 4096, LABEL = 2 * MED_PACKAGE_NAME_MAX + 2, LOOK_MICROSECONDS = 500000 };

typedef struct mapping {
    const med_package_image *image;
    char label[LABEL]; /* NAME#VERSION */
    void *at;
    size_t size, uses; /* guarded by the lock */
    med_packages *owner;
    struct timespec changed;
    ino_t inode;
} mapping;

struct med_packages {
    pthread_mutex_t lock;
    char path[PATH_BYTES]; /* empty: built in only */
    mapping *files[MED_PACKAGES_MAX];
    size_t n;
    uint64_t epoch;
    int64_t looked;
    struct timespec changed; /* of the directory */
};

const med_package_image *med_packages_built_in(void)
{
    return (const med_package_image *)(const void *)med_embedded_definitions().ptr;
}

bool med_packages_is_built_in(med_str name, med_str *version)
{
    static const struct {
        const char *name, *version;
    } known[] = {{"hl7.fhir.r4.core", "4.0.1"},         {"hl7.fhir.r4.expansions", "4.0.1"},
                 {"hl7.fhir.r4.examples", "4.0.1"},     {"hl7.terminology", "7.0.1"},
                 {"hl7.terminology.r4", "7.0.1"},       {"hl7.fhir.uv.extensions", "5.3.0"},
                 {"hl7.fhir.uv.extensions.r4", "5.3.0"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (med_str_eqz(name, known[i].name)) {
            *version = med_str_from(known[i].version);
            return true;
        }
    }
    return false;
}

/* ---- mapped files ---- */

static void unmap(mapping *m)
{
    (void)munmap(m->at, m->size);
    med_free(m);
}

static void let_go(void *arg)
{
    mapping *m = arg;
    med_packages *p = m->owner;
    (void)pthread_mutex_lock(&p->lock);
    bool last = --m->uses == 0;
    (void)pthread_mutex_unlock(&p->lock);
    if (last)
        unmap(m);
}

static mapping *map_file(med_packages *p, const char *path, const char *name, med_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    mapping *m = MED_NEW(1, mapping);
    bool ok = fd >= 0 && m != NULL && fstat(fd, &st) == 0 && st.st_size > 0;
    void *at = ok ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        (void)close(fd);
    if (at == MAP_FAILED) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION, "the package file %s can not be mapped", name);
        med_free(m);
        return NULL;
    }
    *m = (mapping){.at = at,
                   .size = (size_t)st.st_size,
                   .uses = 1,
                   .owner = p,
                   .changed = st.st_mtim,
                   .inode = st.st_ino};
    (void)snprintf(m->label, sizeof m->label, "%.*s", (int)(strlen(name) - strlen(".package")),
                   name);
    if (!med_package_image_open((med_str){at, m->size}, &m->image, err)) {
        (void)MED_FAIL(err, MED_ISSUE_EXCEPTION,
                       "the package file %s is damaged or of another format: add the package again",
                       name);
        unmap(m);
        return NULL;
    }
    return m;
}

/* The file as it is already mapped, if it did not change. */
static mapping *same_as_before(med_packages *p, const char *path)
{
    struct stat st;
    for (size_t i = 0; stat(path, &st) == 0 && i < p->n; i++) {
        mapping *m = p->files[i];
        if (m != NULL && m->inode == st.st_ino && m->size == (size_t)st.st_size
            && m->changed.tv_sec == st.st_mtim.tv_sec && m->changed.tv_nsec == st.st_mtim.tv_nsec) {
            p->files[i] = NULL;
            return m;
        }
    }
    return NULL;
}

/* By name, of one name the newest version first. */
static int by_label(const void *left, const void *right)
{
    const mapping *x = *(mapping *const *)left, *y = *(mapping *const *)right;
    med_str x_version, y_version;
    med_str x_name = med_str_cut(med_str_from(x->label), '#', &x_version);
    med_str y_name = med_str_cut(med_str_from(y->label), '#', &y_version);
    int d = med_str_compare(x_name, y_name);
    return d != 0 ? d : med_package_version_compare(y_version, x_version);
}

static bool is_package_file(const char *name)
{
    med_str n = med_str_from(name);
    return med_str_ends(n, MED_STR(".package")) && n.ptr[0] != '.' && n.len < LABEL;
}

/* Reads the folder anew, with the lock held. Damaged files are left out and told. */
static bool read_folder(med_packages *p, med_err *err)
{
    mapping *now[MED_PACKAGES_MAX];
    size_t n = 0;
    bool ok = true;
    DIR *dir = opendir(p->path);
    if (dir == NULL && errno != ENOENT)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the folder of packages can not be read");
    /* NOLINTBEGIN(concurrency-mt-unsafe): a stream of one's own */
    for (struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL && n < MED_PACKAGES_MAX;
         e = readdir(dir)) {
        /* NOLINTEND(concurrency-mt-unsafe) */
        char path[PATH_BYTES + 300];
        if (!is_package_file(e->d_name))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", p->path, e->d_name);
        mapping *m = same_as_before(p, path);
        if (m == NULL)
            m = map_file(p, path, e->d_name, err);
        if (m == NULL)
            ok = false;
        else
            now[n++] = m;
    }
    if (dir != NULL)
        (void)closedir(dir);
    for (size_t i = 0; i < p->n; i++) {
        if (p->files[i] != NULL && --p->files[i]->uses == 0)
            unmap(p->files[i]);
    }
    if (n > 0)
        qsort(now, n, sizeof *now, by_label);
    memcpy(p->files, now, n * sizeof *now);
    p->n = n;
    p->epoch++;
    return ok;
}

bool med_packages_open(const char *folder, med_packages **out, med_err *err)
{
    med_packages *p = MED_NEW(1, med_packages);
    struct stat st;
    if (p == NULL || pthread_mutex_init(&p->lock, NULL) != 0) {
        med_free(p);
        return MED_FAIL_MEMORY(err);
    }
    p->epoch = 1;
    p->looked = med_monotonic(&med_clock_system);
    (void)snprintf(p->path, sizeof p->path, "%s", folder == NULL ? "" : folder);
    if (folder != NULL && stat(folder, &st) == 0)
        p->changed = st.st_mtim;
    if (folder != NULL && !read_folder(p, err)) {
        med_packages_free(p);
        return false;
    }
    *out = p;
    return true;
}

void med_packages_free(med_packages *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n; i++)
        let_go(p->files[i]);
    (void)pthread_mutex_destroy(&p->lock);
    med_free(p);
}

/* With the lock held: has the folder changed since we looked? */
static void look(med_packages *p)
{
    struct stat st = {0};
    int64_t now = med_monotonic(&med_clock_system);
    if (p->path[0] == '\0' || now - p->looked < LOOK_MICROSECONDS)
        return;
    p->looked = now;
    if (stat(p->path, &st) != 0
        || (st.st_mtim.tv_sec == p->changed.tv_sec && st.st_mtim.tv_nsec == p->changed.tv_nsec))
        return;
    med_err ignored = {0}; /* what can be read is there; the next start names the damaged one */
    p->changed = st.st_mtim;
    (void)read_folder(p, &ignored);
}

uint64_t med_packages_epoch(med_packages *p)
{
    if (p == NULL)
        return 0;
    (void)pthread_mutex_lock(&p->lock);
    look(p);
    uint64_t epoch = p->epoch;
    (void)pthread_mutex_unlock(&p->lock);
    return epoch;
}

/* ---- finding ---- */

/* "4.0" fits 4.0.1, "4.0.1-ballot" fits itself only. */
static bool version_fits(med_str have, med_str asked)
{
    return asked.len == 0 || med_str_eq(have, asked)
           || (med_str_starts(have, asked) && have.ptr[asked.len] == '.');
}

/* The first row that fits is the newest. */
static bool find_row(const med_package_image *image, med_str type, med_str url, med_str version,
                     size_t *row, med_package_entry *e)
{
    size_t n = med_package_image_count(image);
    for (size_t i = med_package_image_find(image, url); i < n; i++) {
        med_package_image_entry(image, i, e);
        if (!med_str_eq(e->url, url))
            return false;
        if (med_str_eq(e->type, type) && version_fits(e->version, version)) {
            *row = i;
            return true;
        }
    }
    return false;
}

/* With the lock held: the package with the newest fitting version. */
static mapping *find_package(med_packages *p, med_str type, med_str url, med_str version,
                             size_t *row, med_package_entry *best)
{
    mapping *found = NULL;
    for (size_t i = 0; i < p->n; i++) {
        med_package_entry e;
        size_t at;
        if (!find_row(p->files[i]->image, type, url, version, &at, &e)
            || (found != NULL && med_package_version_compare(e.version, best->version) <= 0))
            continue;
        found = p->files[i];
        *row = at;
        *best = e;
    }
    return found;
}

/* The package that has it in a version not older than the built-in one, if there is that; held. */
static mapping *hold_package(med_packages *p, med_str type, med_str url, med_str version,
                             const med_package_entry *built_in, size_t *row, med_package_entry *e)
{
    (void)pthread_mutex_lock(&p->lock);
    look(p);
    mapping *m = find_package(p, type, url, version, row, e);
    if (m != NULL && built_in != NULL
        && med_package_version_compare(e->version, built_in->version) < 0)
        m = NULL;
    if (m != NULL)
        m->uses++;
    (void)pthread_mutex_unlock(&p->lock);
    return m;
}

bool med_packages_find(med_packages *p, med_arena *a, med_str type, med_str url, med_str version,
                       med_package_found *out, med_err *err)
{
    med_package_entry e = {0}, mine = {0};
    size_t row = 0, built_in = 0;
    mapping *m;
    memset(out, 0, sizeof *out);
    out->json = MED_STR_EMPTY;
    bool have = find_row(med_packages_built_in(), type, url, version, &built_in, &mine);
    m = p == NULL ? NULL : hold_package(p, type, url, version, have ? &mine : NULL, &row, &e);
    if (m == NULL && !have)
        return true;
    if (m != NULL && !med_arena_defer(a, let_go, m))
        return MED_FAIL_MEMORY(err);
    if (m == NULL) {
        e = mine;
        row = built_in;
    }
    *out = (med_package_found){.json = MED_STR_EMPTY,
                               .url = e.url,
                               .version = e.version,
                               .id = e.id,
                               .package =
                                   med_str_from(m == NULL ? "hl7.fhir.r4.core#4.0.1" : m->label),
                               .flags = e.flags};
    return med_package_image_text(m == NULL ? med_packages_built_in() : m->image, a, row,
                                  &out->json, err);
}

static uint64_t source_epoch(void *self)
{
    return med_packages_epoch(self);
}

static bool source_find(void *self, med_arena *a, med_str canonical, const med_definition **out,
                        med_err *err)
{
    med_package_found found;
    med_str version, url = med_str_cut(canonical, '|', &version);
    if (!med_packages_find(self, a, MED_STR("StructureDefinition"), url, version, &found, err))
        return false;
    if (found.json.len == 0)
        return true;
    med_definition *d = MED_TAKE(a, 1, med_definition);
    if (d == NULL)
        return MED_FAIL_MEMORY(err);
    d->url = found.url;
    d->version = found.version;
    d->package = found.package;
    *out = d;
    return med_json_parse(a, found.json, &d->json, NULL, err);
}

med_definition_source med_packages_source(med_packages *p)
{
    return (med_definition_source){p, source_epoch, source_find};
}

/* ---- what is there ---- */

static mapping *hold(med_packages *p, med_arena *a, size_t index)
{
    mapping *m = NULL;
    if (p == NULL)
        return NULL;
    (void)pthread_mutex_lock(&p->lock);
    look(p);
    if (index < p->n) {
        m = p->files[index];
        m->uses++;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return m != NULL && med_arena_defer(a, let_go, m) ? m : NULL;
}

bool med_packages_at(med_packages *p, med_arena *a, size_t index, med_package_info *out)
{
    med_err ignored;
    const mapping *m = hold(p, a, index);
    if (m == NULL || !med_manifest_info(a, med_package_image_manifest(m->image), out, &ignored))
        return false;
    out->bytes = m->size;
    return true;
}

bool med_packages_resource(med_packages *p, med_arena *a, size_t index, size_t row,
                           med_package_entry *out)
{
    const mapping *m = hold(p, a, index);
    if (m == NULL || row >= med_package_image_count(m->image))
        return false;
    med_package_image_entry(m->image, row, out);
    return true;
}
