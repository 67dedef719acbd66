/* import.c - `medulla import PATH...`: files of resources into the store.
 *
 * Folders are taken with all below them, in the order of their names. What a finished file held
 * is in the store for good, and the file is noted in DATA/import.done by path, size and time, so
 * that a run that was cut off is taken up where it stood; a half-loaded file is loaded again,
 * which changes nothing (a resource with the same content makes no new version). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "command/command.h"
#include "loader.h"
#include "progress.h"
#include "source.h"

enum { LINE_BYTES = 256 << 10 };

typedef struct file {
    med_str path;
    uint64_t size;
    int64_t modified;
} file;

typedef struct import {
    const med_arguments *args;
    med_app app;
    med_loader *loader;
    med_progress_bar bar;
    file *files;
    size_t n, room;
    uint64_t bytes, bytes_done; /* of all files */
    size_t skipped, damaged;
    FILE *rejects;
    med_str rejects_path;
    FILE *journal;
    med_str *done; /* lines of the journal */
    size_t n_done;
} import;

/* ---- which files ---- */

static bool is_resource_file(med_str name)
{
    static const med_str codecs[] = {MED_LIT(".gz"), MED_LIT(".zst"), MED_LIT(".bz2")};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (med_str_ends(name, codecs[i]))
            name.len -= codecs[i].len;
    }
    return med_str_ends(name, MED_STR(".json")) || med_str_ends(name, MED_STR(".ndjson"));
}

static bool add_file(import *im, med_str path, const struct stat *st)
{
    if (im->n == im->room) {
        size_t room = im->room == 0 ? 256 : 2 * im->room;
        file *more = MED_TAKE(im->args->arena, room, file);
        if (more == NULL)
            return false;
        if (im->n > 0)
            memcpy(more, im->files, im->n * sizeof *more);
        im->files = more;
        im->room = room;
    }
    uint64_t size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    im->files[im->n++] = (file){path, size, (int64_t)st->st_mtime};
    im->bytes += size;
    return true;
}

static bool add_path(import *im, med_str path, int depth, med_err *err);

/* Folders inside folders: depth is bounded. */
static bool add_folder(import *im, med_str path, int depth,
                       med_err *err) // NOLINT(misc-no-recursion): depth <= 32
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
            med_str below = med_arena_printf(im->args->arena, "%.*s/%.*s", MED_STR_ARG(path),
                                             MED_STR_ARG(name));
            struct stat st;
            bool folder = stat(below.ptr, &st) == 0 && S_ISDIR(st.st_mode);
            if (folder || is_resource_file(name))
                ok = add_path(im, below, depth + 1, err);
        }
        free(names[i]); /* scandir made it */
    }
    free(names); /* scandir made it */
    return ok;
}

static bool add_path(import *im, med_str path, int depth,
                     med_err *err) // NOLINT(misc-no-recursion): see add_folder
{
    struct stat st = {0};
    if (med_str_eqz(path, "-"))
        return add_file(im, path, &st) ? true : MED_FAIL_MEMORY(err);
    if (stat(path.ptr, &st) != 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "can not open %.*s: %s", MED_STR_ARG(path),
                        strerrordesc_np(errno));
    if (S_ISDIR(st.st_mode))
        return add_folder(im, path, depth, err);
    return add_file(im, path, &st) ? true : MED_FAIL_MEMORY(err);
}

/* ---- the journal of finished files ---- */

static med_str journal_line(import *im, const file *f)
{
    return med_arena_printf(im->args->arena, "%lu %ld %.*s", (unsigned long)f->size,
                            (long)f->modified, MED_STR_ARG(f->path));
}

static void read_journal(import *im, const char *path)
{
    char *line = NULL;
    size_t room = 0, n_room = 0;
    ssize_t len;
    FILE *in = fopen(path, "re");
    while (in != NULL && (len = getline(&line, &room, in)) > 0) {
        if (im->n_done == n_room) {
            n_room = n_room == 0 ? 256 : 2 * n_room;
            med_str *more = MED_TAKE(im->args->arena, n_room, med_str);
            if (more == NULL)
                break;
            if (im->n_done > 0)
                memcpy(more, im->done, im->n_done * sizeof *more);
            im->done = more;
        }
        if (!med_arena_copy(im->args->arena, med_str_trim((med_str){line, (size_t)len}),
                            &im->done[im->n_done]))
            break;
        im->n_done++;
    }
    free(line); /* getline made it */
    if (in != NULL)
        (void)fclose(in);
}

static bool open_journal(import *im, med_err *err)
{
    med_str unused;
    med_str path = med_arena_printf(im->args->arena, "%.*s/import.done",
                                    MED_STR_ARG(med_config_text(im->args->config, "store.data")));
    bool restart = med_argument(im->args, "restart", &unused);
    if (!restart)
        read_journal(im, path.ptr);
    im->journal = fopen(path.ptr, restart ? "we" : "ae");
    return im->journal != NULL ? true
                               : MED_FAIL(err, MED_ISSUE_EXCEPTION, "can not write %.*s: %s",
                                          MED_STR_ARG(path), strerrordesc_np(errno));
}

static bool is_done(const import *im, med_str line)
{
    for (size_t i = 0; i < im->n_done; i++) {
        if (med_str_eq(im->done[i], line))
            return true;
    }
    return false;
}

/* ---- rejects ---- */

static void write_reject(void *arg, med_str source, uint64_t line, med_str reason, med_str text)
{
    import *im = arg;
    med_buf out;
    if (im->rejects == NULL)
        im->rejects = fopen(im->rejects_path.ptr, "we");
    if (im->rejects == NULL)
        return;
    med_buf_init(&out, MED_JSON_MAX_BYTES);
    med_json_writer w = med_json_writer_to(&out);
    med_json_open(&w, '{');
    med_json_pair(&w, "file", source);
    med_json_key(&w, MED_STR("line"));
    med_json_int(&w, (int64_t)line);
    med_json_pair(&w, "reason", reason);
    med_json_pair(&w, "text", text);
    med_json_close(&w, '}');
    med_buf_addc(&out, '\n');
    (void)fwrite(out.ptr, 1, out.len, im->rejects);
    med_buf_free(&out);
}

/* ---- one file ---- */

static void show(import *im, const med_source *s)
{
    med_loader_counts counts;
    med_loader_count(im->loader, &counts);
    double done = (double)(im->bytes_done + med_source_position(s));
    med_progress_show(&im->bar, im->bytes > 0 ? done / (double)im->bytes : -1, counts.resources,
                      counts.rejected);
}

static bool is_ndjson(med_str path)
{
    return med_str_eqz(path, "-") || med_str_search(path, MED_STR(".ndjson"), 0) < path.len;
}

/* Hands over each full line of `pending`, keeping the rest. */
static bool take_lines(import *im, const file *f, med_buf *pending, uint64_t *line, med_err *err)
{
    med_str all = med_buf_str(pending);
    size_t from = 0, to;
    while ((to = med_str_find(all, '\n', from)) < all.len) {
        med_str one = med_str_trim(med_str_sub(all, from, to));
        ++*line;
        if (one.len > 0 && !med_loader_add(im->loader, f->path, *line, one, err))
            return false;
        from = to + 1;
    }
    memmove(pending->ptr, pending->ptr + from, all.len - from);
    pending->len = all.len - from;
    return true;
}

static bool read_file(import *im, const file *f, med_source *s, med_buf *pending, med_err *err)
{
    char bytes[LINE_BYTES];
    uint64_t line = 0;
    size_t n = 0;
    bool lines = is_ndjson(f->path);
    do {
        if (!med_source_read(s, bytes, sizeof bytes, &n, err))
            return false;
        med_buf_add(pending, (med_str){bytes, n});
        if (pending->failed)
            return MED_FAIL(err, MED_ISSUE_TOO_LONG, "%.*s holds a resource of more than 1 GiB",
                            MED_STR_ARG(f->path));
        if (lines && !take_lines(im, f, pending, &line, err))
            return false;
        show(im, s);
    } while (n > 0);
    med_str rest = med_str_trim(med_buf_str(pending));
    return rest.len == 0 || med_loader_add(im->loader, f->path, line + 1, rest, err);
}

static bool load_file(import *im, const file *f, med_err *err)
{
    med_buf pending;
    med_source *s = med_source_open(f->path, err);
    if (s == NULL)
        return false;
    med_buf_init(&pending, MED_JSON_MAX_BYTES);
    bool ok = read_file(im, f, s, &pending, err);
    med_buf_free(&pending);
    med_source_close(s);
    return ok;
}

/* A file that can not be read is the file's fault, told and passed over; a store that takes no
 * more writes ends the import. */
static bool load_files(import *im, med_err *err)
{
    for (size_t i = 0; i < im->n; i++) {
        const file *f = &im->files[i];
        med_err why = {0};
        med_store_stats stats;
        if (is_done(im, journal_line(im, f))) {
            im->skipped++;
        } else if (!load_file(im, f, &why)) {
            med_store_count(im->app.store, &stats);
            if (stats.failed || !stats.writable) {
                *err = why;
                return false;
            }
            (void)med_command_fail(MED_EXIT_PARTLY, "%.*s: %s", MED_STR_ARG(f->path), why.text);
            im->damaged++;
        }
        im->bytes_done += f->size;
    }
    return med_loader_flush(im->loader, err);
}

/* Only when all is in the store are the files noted as finished. */
static void write_journal(import *im)
{
    for (size_t i = 0; i < im->n; i++) {
        med_str line = journal_line(im, &im->files[i]);
        if (!med_str_eqz(im->files[i].path, "-") && !is_done(im, line))
            (void)fprintf(im->journal, "%.*s\n", MED_STR_ARG(line));
    }
    (void)fflush(im->journal);
}

/* ---- the report ---- */

static void print_table(import *im)
{
    size_t n;
    const med_loader_type *types = med_loader_types(im->loader, &n);
    printf("%-28s %10s %10s %10s %10s\n", "type", "created", "updated", "unchanged", "rejected");
    for (size_t i = 0; i < n; i++) {
        const med_loader_type *t = &types[i];
        if (t->created + t->updated + t->unchanged + t->rejected == 0)
            continue;
        printf("%-28.*s %10lu %10lu %10lu %10lu\n",
               MED_STR_ARG(t->type.len > 0 ? t->type : MED_STR("(unknown)")),
               (unsigned long)t->created, (unsigned long)t->updated, (unsigned long)t->unchanged,
               (unsigned long)t->rejected);
    }
    if (im->skipped > 0)
        printf("%zu files were imported before and passed over; --restart imports them again\n",
               im->skipped);
}

static enum med_exit load(import *im)
{
    med_err err = {0};
    med_loader_counts counts;
    med_loader_options o = {.reject = write_reject, .arg = im};
    im->loader = med_loader_new(&im->app, &o, &err);
    if (im->loader == NULL)
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    med_progress_start(&im->bar, "importing", "resources");
    bool ok = load_files(im, &err);
    med_loader_count(im->loader, &counts);
    med_progress_end(&im->bar, counts.resources, counts.rejected);
    print_table(im);
    if (ok && im->damaged == 0)
        write_journal(im);
    med_loader_free(im->loader);
    if (im->rejects != NULL) {
        (void)fclose(im->rejects);
        printf("rejected resources and why: %.*s\n", MED_STR_ARG(im->rejects_path));
    }
    if (!ok)
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    return counts.rejected + im->damaged > 0 ? MED_EXIT_PARTLY : MED_EXIT_OK;
}

static bool find_files(import *im, med_err *err)
{
    for (size_t i = 0; i < im->args->n; i++) {
        if (!add_path(im, im->args->words[i], 0, err))
            return false;
    }
    return true;
}

static enum med_exit run(const med_arguments *args)
{
    med_err err = {0};
import im = {.args = args, .rejects_path = MED_STR("rejects.ndjson") };
    (void)med_argument(args, "rejects", &im.rejects_path);
    if (args->n == 0)
        return med_command_fail(MED_EXIT_USAGE,
                                "import needs files or folders; see medulla import --help");
    if (!find_files(&im, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    if (!med_app_open(&im.app, args->arena, args->config, true, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    enum med_exit code =
        open_journal(&im, &err) ? load(&im) : med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    if (im.journal != NULL)
        (void)fclose(im.journal);
    med_app_close(&im.app);
    return code;
}

static const med_option options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"rejects", "FILE", NULL, "where rejected resources go (default rejects.ndjson)"},
    {"restart", NULL, NULL, "import files again that were imported before"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_import = {
    .name = "import",
    .usage = "[--data DIR] [--rejects FILE] [--restart] PATH...",
    .summary = "load resources and Bundles from files, folders or standard input",
    .examples = "  medulla import --data DIR bundles/\n"
                "  medulla import patients.ndjson.gz observations.ndjson.zst\n"
                "  zcat big.ndjson.gz | medulla import -\n",
    .options = options,
    .run = run,
};
