/* import_release.c - a release that is a folder of files: finding and reading them. */
#include <dirent.h>
#include <sys/stat.h>

#include "terminology/import_impl.h"

enum { FOLDERS = 256 };

typedef struct walk {
    med_importer *i;
    const char *folders[FOLDERS];
    size_t n;
    med_release_kind kind_of;
    med_release *out;
} walk;

static bool take_entry(walk *w, const char *folder, const char *name, med_err *err)
{
    struct stat st;
    med_str path = med_arena_printf(w->i->arena, "%s/%s", folder, name);
    if (path.len == 0)
        return MED_FAIL_MEMORY(err);
    if (name[0] == '.' || lstat(path.ptr, &st) != 0)
        return true;
    if (S_ISDIR(st.st_mode)) {
        if (w->n == FOLDERS)
            return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "a release has at most %d folders", FOLDERS);
        w->folders[w->n++] = path.ptr;
        return true;
    }
    int kind = S_ISREG(st.st_mode) ? w->kind_of(med_str_from(name)) : MED_RELEASE_OTHER;
    if (kind == MED_RELEASE_OTHER)
        return true;
    if (w->out->n == MED_RELEASE_FILES)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "a release has at most %d files to read",
                        MED_RELEASE_FILES);
    w->out->files[w->out->n++] = (med_release_file){path.ptr, kind, (size_t)st.st_size};
    w->i->bytes += (size_t)st.st_size;
    return true;
}

bool med_release_find(med_importer *i, med_release_kind kind_of, med_release *out, med_err *err)
{
    bool ok = true;
    walk *w = MED_TAKE(i->arena, 1, walk);
    if (w == NULL)
        return MED_FAIL_MEMORY(err);
    *w = (walk){.i = i, .folders = {i->o->path}, .n = 1, .kind_of = kind_of, .out = out};
    out->n = 0;
    for (size_t at = 0; ok && at < w->n; at++) {
        DIR *dir = opendir(w->folders[at]);
        if (dir == NULL)
            return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "%.180s is no folder of a release",
                            w->folders[at]);
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own */
        for (struct dirent *e = readdir(dir); ok && e != NULL; e = readdir(dir))
            ok = take_entry(w, w->folders[at], e->d_name, err);
        (void)closedir(dir);
    }
    return ok;
}

bool med_release_has(const med_release *r, int kind)
{
    for (size_t k = 0; k < r->n; k++) {
        if (r->files[k].kind == kind)
            return true;
    }
    return false;
}

bool med_release_read(med_importer *i, const med_release_file *f, const med_release_table *how,
                      void *arg, med_err *err)
{
    med_table t;
    bool more = true;
    if (!med_table_open(i->arena, f->path, how->separator, how->quoted, &t, err))
        return false;
    bool ok = how->header(&t, arg, err);
    while (ok && more) {
        ok = med_table_next(&t, &more, err);
        if (ok && more)
            ok = how->row(&t, arg, err) && med_importer_step(i, &t, err);
    }
    if (ok && t.size > 0 && ((const char *)t.map)[t.size - 1] != '\n')
        ok = med_table_fault(&t, err, "the last row has no end: the file was cut short");
    i->bytes_before += t.size;
    med_table_close(&t);
    return ok;
}
