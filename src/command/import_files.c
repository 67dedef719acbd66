/* import_files.c - see import_files.h. */
#include "command/import_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

static bool is_resource_file(const med_import_files *f, med_str name)
{
    static const med_str codecs[] = {MED_LIT(".gz"), MED_LIT(".zst"), MED_LIT(".bz2")};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (med_str_ends(name, codecs[i]))
            name.len -= codecs[i].len;
    }
    return med_str_ends(name, MED_STR(".json")) || med_str_ends(name, MED_STR(".ndjson"))
           || (f->xml && med_str_ends(name, MED_STR(".xml")));
}

static bool add_file(med_import_files *f, med_str path, const struct stat *st)
{
    med_import_file *more = MED_GROW(f->arena, f->at, f->n, &f->room, 256);
    if (more == NULL)
        return false;
    f->at = more;
    uint64_t size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    f->at[f->n++] = (med_import_file){path, size, (int64_t)st->st_mtime};
    f->bytes += size;
    return true;
}

static bool add_path(med_import_files *f, med_str path, int depth, med_err *err);

/* Folders inside folders: depth is bounded. */
/* NOLINTNEXTLINE(misc-no-recursion): depth <= 32 */
static bool add_folder(med_import_files *f, med_str path, int depth, med_err *err)
{
    enum { FOLDER_DEPTH = 32 };
    struct dirent **names;
    if (depth > FOLDER_DEPTH)
        return MED_FAIL(err, MED_ISSUE_TOO_COSTLY, "folders are nested deeper than %d",
                        FOLDER_DEPTH);
    int n = scandir(path.ptr, &names, NULL, alphasort);
    if (n < 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "can not read the folder %.*s: %s",
                        MED_STR_ARG(path), strerrordesc_np(errno));
    bool ok = true;
    for (int i = 0; i < n; i++) {
        med_str name = med_str_from(names[i]->d_name);
        if (ok && name.ptr[0] != '.') {
            med_str below =
                med_arena_printf(f->arena, "%.*s/%.*s", MED_STR_ARG(path), MED_STR_ARG(name));
            struct stat st;
            bool folder = stat(below.ptr, &st) == 0 && S_ISDIR(st.st_mode);
            if (folder || is_resource_file(f, name))
                ok = add_path(f, below, depth + 1, err);
        }
        free(names[i]); /* scandir made it */
    }
    free(names); /* scandir made it */
    return ok;
}

/* NOLINTNEXTLINE(misc-no-recursion): see add_folder */
static bool add_path(med_import_files *f, med_str path, int depth, med_err *err)
{
    struct stat st = {0};
    if (med_str_eqz(path, "-"))
        return add_file(f, path, &st) ? true : MED_FAIL_MEMORY(err);
    if (stat(path.ptr, &st) != 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "can not open %.*s: %s", MED_STR_ARG(path),
                        strerrordesc_np(errno));
    if (S_ISDIR(st.st_mode))
        return add_folder(f, path, depth, err);
    return add_file(f, path, &st) ? true : MED_FAIL_MEMORY(err);
}

bool med_import_files_add(med_import_files *f, med_str path, med_err *err)
{
    med_str kept;
    return med_arena_copy(f->arena, path, &kept) ? add_path(f, kept, 0, err) : MED_FAIL_MEMORY(err);
}

/* The journal knows a file by its whole path, from wherever the command is run. */
static med_str whole_path(med_arena *a, med_str path)
{
    med_str kept = path;
    char *whole = realpath(path.ptr, NULL);
    if (whole != NULL && !med_arena_copy(a, med_str_from(whole), &kept))
        kept = path;
    free(whole); /* realpath made it */
    return kept;
}

bool med_import_files_next(void *files, med_arena *a, med_input *out, med_err *err)
{
    med_import_files *f = files;
    if (f->next == f->n)
        return true;
    const med_import_file *file = &f->at[f->next++];
    bool is_stdin = med_str_eqz(file->path, "-");
    *out = (med_input){.name = is_stdin ? file->path : whole_path(a, file->path),
                       .size = file->size,
                       .modified = file->modified < 0 ? 0 : file->modified,
                       .fd = -1};
    if (!med_utf8_valid(out->name))
        return MED_FAIL(err, MED_ISSUE_VALUE, "the name of a file is not UTF-8: rename it");
    out->fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                       : open(file->path.ptr, O_RDONLY | O_CLOEXEC);
    return out->fd >= 0
           || MED_FAIL(err, MED_ISSUE_NOT_FOUND, "can not open %.*s: %s", MED_STR_ARG(file->path),
                       strerrordesc_np(errno));
}
