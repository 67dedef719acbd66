/* backup.c - `medulla backup TO` and `medulla restore FROM`.
 *
 * A backup is a data directory that can be served as it is. Neither command ever overwrites, and
 * half a backup is removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "command/task.h"

static bool copy_store(med_task *t, int file, int key, med_err *err)
{
    t->host->begin(t->host, "backing up", "bytes");
    bool ok = med_store_backup(t->app->store, file, key, med_task_progress, t->host, err);
    struct stat st;
    t->host->end(t->host, fstat(file, &st) == 0 ? (uint64_t)st.st_size : 0, 0);
    return ok;
}

static enum med_exit task(med_task *t, med_err *err)
{
    med_str unused;
    bool with_key = med_message_option_get(t->request, "with-key", &unused);
    int file = t->host->make(t->host, MED_STR("medulla.db"), err);
    int key = file >= 0 && with_key ? t->host->make(t->host, MED_STR("key"), err) : -1;
    bool ok = file >= 0 && (key >= 0 || !with_key) && copy_store(t, file, key, err);
    if (file >= 0)
        (void)close(file);
    if (key >= 0)
        (void)close(key);
    return ok ? MED_EXIT_OK : MED_EXIT_FAILED;
}

static void say_done(const med_arguments *args)
{
    med_str unused;
    bool with_key = med_argument(args, "with-key", &unused);
    printf("backup made: %.*s%s\n", MED_STR_ARG(args->words[0]),
           with_key ? " (with the key: keep it as safe as the data)"
                    : "\nThe key is not in it: keep a copy of the data directory's file 'key' "
                      "elsewhere, or it can not be restored.");
}

/* They lie beside the store; each file there is written once and swapped in whole. */
static void say_missing(const med_arguments *args)
{
    static const char *const folders[] = {"packages", "terminology"};
    med_str data = med_config_text(args->config, "store.data");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct stat st;
        med_str path = med_arena_printf(args->arena, "%.*s/%s", MED_STR_ARG(data), folders[i]);
        if (stat(path.ptr, &st) == 0)
            printf("Not in it: %.*s; copy this folder, too.\n", MED_STR_ARG(path));
    }
}

static enum med_exit run_backup(const med_arguments *args)
{
    if (args->n != 1)
        return med_command_fail(MED_EXIT_USAGE, "backup needs one word: the directory to make");
    enum med_exit code = med_task_perform_into(args, &med_command_backup, args->words[0]);
    if (code == MED_EXIT_OK) {
        say_done(args);
        say_missing(args);
    }
    return code;
}

/* ---- restore ---- */

static bool copy_bytes(int from, int to, med_err *err)
{
    char bytes[1 << 16];
    ssize_t n;
    while ((n = read(from, bytes, sizeof bytes)) > 0) {
        for (ssize_t at = 0; at < n;) {
            ssize_t put = write(to, bytes + at, (size_t)(n - at));
            if (put < 0)
                return MED_FAIL(err, MED_ISSUE_NO_STORE, "writing failed: %s",
                                strerrordesc_np(errno));
            at += put;
        }
    }
    if (n < 0 || fsync(to) != 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "copying failed: %s", strerrordesc_np(errno));
    return true;
}

/* Copies one file of the backup; a missing one is an error only if it `must` be there. */
static bool copy_file(const med_arguments *args, med_str to, const char *name, bool must,
                      med_err *err)
{
    med_str source = med_arena_printf(args->arena, "%.*s/%s", MED_STR_ARG(args->words[0]), name);
    med_str target = med_arena_printf(args->arena, "%.*s/%s", MED_STR_ARG(to), name);
    int from = open(source.ptr, O_RDONLY | O_CLOEXEC);
    if (from < 0 && !must)
        return true;
    if (from < 0)
        return MED_FAIL(err, MED_ISSUE_NOT_FOUND, "%s is no backup: it has no file '%s'%s",
                        args->words[0].ptr, name,
                        strcmp(name, "key") == 0 ? "; copy the key of the backed up store beside it"
                                                 : "");
    int out = open(target.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = out >= 0 ? copy_bytes(from, out, err)
                       : MED_FAIL(err, MED_ISSUE_CONFLICT, "can not make %s: %s", target.ptr,
                                  strerrordesc_np(errno));
    if (out >= 0)
        (void)close(out);
    (void)close(from);
    return ok;
}

static void take_back(const med_arguments *args, med_str to)
{
    static const char *const names[] = {"key", "medulla.db"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unlink(med_arena_printf(args->arena, "%.*s/%s", MED_STR_ARG(to), names[i]).ptr);
    (void)rmdir(to.ptr);
}

/* Under another name until all of it is there: half a store could be taken for one. */
static bool restore(const med_arguments *args, med_str to, med_err *err)
{
    struct stat st;
    med_str name = to;
    while (name.len > 1 && name.ptr[name.len - 1] == '/')
        name.len--;
    med_str half = med_arena_printf(args->arena, "%.*s.restoring", MED_STR_ARG(name));
    int why = lstat(to.ptr, &st) == 0 ? EEXIST : mkdir(half.ptr, 0700) != 0 ? errno : 0;
    if (why != 0)
        return MED_FAIL(err, MED_ISSUE_CONFLICT,
                        "%s can not be made (%s); restore only makes a new data directory",
                        why == EEXIST && lstat(to.ptr, &st) != 0 ? half.ptr : to.ptr,
                        strerrordesc_np(why));
    if (!copy_file(args, half, "key", true, err) || !copy_file(args, half, "medulla.db", true, err)
        || !med_file_sync_directory(half.ptr, err)) {
        take_back(args, half);
        return false;
    }
    if (rename(half.ptr, to.ptr) == 0)
        return med_file_sync_directory(
            med_arena_printf(args->arena, "%.*s/..", MED_STR_ARG(to)).ptr, err);
    (void)MED_FAIL(err, MED_ISSUE_CONFLICT, "%s can not be made: %s", to.ptr,
                   strerrordesc_np(errno));
    take_back(args, half);
    return false;
}

static enum med_exit run_restore(const med_arguments *args)
{
    med_err err = {0};
    med_str to;
    if (args->n != 1)
        return med_command_fail(MED_EXIT_USAGE, "restore needs one word: the backup's directory");
    if (!med_arena_copy(args->arena, med_config_text(args->config, "store.data"), &to))
        return med_command_fail(MED_EXIT_FAILED, "no memory");
    if (!restore(args, to, &err))
        return med_command_fail(MED_EXIT_FAILED, "%s", err.text);
    printf("restored to %s; check it with: medulla verify --data %s\n", to.ptr, to.ptr);
    return MED_EXIT_OK;
}

static const med_option backup_options[] = {
    {"data", "DIR", "store.data", "data directory (default medulla-data)"},
    {"store", "URL", "store.url", "sqlite (default), or postgres:CONNINFO"},
    {"with-key", NULL, NULL, "put the key into the backup"},
    {NULL, NULL, NULL, NULL},
};

static const med_option restore_options[] = {
    {"data", "DIR", "store.data", "data directory to make (default medulla-data)"},
    {NULL, NULL, NULL, NULL},
};

const med_command med_command_backup = {
    .name = "backup",
    .usage = "[--data DIR] [--with-key] TO",
    .summary = "copy the store, consistent, to a new directory",
    .examples = "  medulla backup --data DIR --with-key /backups/2026-01-31\n",
    .options = backup_options,
    .run = run_backup,
    .task = task,
};

const med_command med_command_restore = {
    .name = "restore",
    .usage = "[--data DIR] FROM",
    .summary = "make a new data directory from a backup; never overwrites",
    .examples = "  medulla restore --data NEW-DIR /backups/2026-01-31\n",
    .options = restore_options,
    .run = run_restore,
};
