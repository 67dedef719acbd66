/* upgrade.c - a store brought to the newest format; a copy of it stays for the older program.
 *
 * Nobody else has it open: we hold the lock. With the WAL moved into the file, the file is all
 * there is, so a copy of it and of the key is a data directory of its own. The change is one
 * transaction: whatever happens, the store has the old format or the new one, whole, and the copy
 * is never needed to mend it. A copy that was cut off keeps the name SNAPSHOT.partial. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/sqlite/sqlite_impl.h"

enum { COPY_BYTES = 1 << 20, CACHE = 64 << 20 };

struct upgrading {
    const med_sqlite_options *o;
    char data[MED_FILE_PATH], snapshot[MED_FILE_PATH], file[MED_FILE_PATH];
    char partial[MED_FILE_PATH]; /* what the snapshot is called until it is whole */
    struct connection c;
    med_sqlite_upgrade *out;
};

static bool take_path(med_str path, char to[MED_FILE_PATH], med_err *err)
{
    if (path.len == 0 || path.len >= MED_FILE_PATH - 32)
        return MED_FAIL(err, MED_ISSUE_INVALID, "an upgrade needs two paths of sensible length");
    memcpy(to, path.ptr, path.len);
    to[path.len] = '\0';
    return true;
}

static bool copy_bytes(int from, int to, const char *name, med_err *err)
{
    char *bytes = med_alloc(COPY_BYTES, 1);
    ssize_t n = -1;
    bool good = bytes != NULL ? true : MED_FAIL_MEMORY(err);
    while (good && (n = read(from, bytes, COPY_BYTES)) > 0)
        good = med_file_write(to, (med_str){bytes, (size_t)n}, name, err);
    med_free(bytes);
    if (good && (n < 0 || fsync(to) != 0))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "copying %s failed: %s", name,
                        strerrordesc_np(errno));
    return good;
}

/* FROM/NAME to the new file TO/AS, on disk when this returns. */
static bool copy_file(const char *from, const char *name, const char *to, const char *as,
                      med_err *err)
{
    char source[MED_FILE_PATH], target[MED_FILE_PATH];
    if (!med_file_join(source, from, name, err) || !med_file_join(target, to, as, err))
        return false;
    int in = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = in >= 0 && out >= 0 ? copy_bytes(in, out, name, err)
                                    : MED_FAIL(err, MED_ISSUE_EXCEPTION, "%s can not be copied: %s",
                                               name, strerrordesc_np(errno));
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    if (!good && out >= 0)
        (void)unlink(target);
    return good;
}

/* Nothing is left in the WAL, which then has length 0. */
static bool empty_wal(struct upgrading *u, med_err *err)
{
    int rc = sqlite3_wal_checkpoint_v2(u->c.db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK || med_connection_fail(&u->c, rc, "moving its log into the file", err);
}

static void remove_partial(const struct upgrading *u)
{
    static const char *const names[] = {"medulla.db", "key"};
    char path[MED_FILE_PATH];
    med_err ignored = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (med_file_join(path, u->partial, names[i], &ignored))
            (void)unlink(path);
    }
    (void)rmdir(u->partial);
}

/* Its name says whether it is whole: it is on disk before it gets its own. */
static bool name_snapshot(const struct upgrading *u, med_err *err)
{
    char beside[MED_FILE_PATH];
    if (rename(u->partial, u->snapshot) != 0)
        return MED_FAIL(err, MED_ISSUE_EXCEPTION, "the copy of the store can not get its name: %s",
                        strerrordesc_np(errno));
    return med_file_join(beside, u->snapshot, "..", err) && med_file_sync_directory(beside, err);
}

static bool take_snapshot(struct upgrading *u, med_err *err)
{
    struct stat st;
    if (stat(u->snapshot, &st) == 0)
        return MED_FAIL(err, MED_ISSUE_DUPLICATE, "%.200s is there already", u->snapshot);
    if (!empty_wal(u, err) || !med_file_make_directory(u->partial, false, err))
        return false;
    bool good = copy_file(u->data, "medulla.db", u->partial, "medulla.db", err)
                && copy_file(u->data, "key", u->partial, "key", err)
                && med_file_sync_directory(u->partial, err) && name_snapshot(u, err);
    if (!good)
        remove_partial(u);
    return good;
}

/* After a failure: what the file says by now. An error at the commit leaves that open. */
static bool look_again(struct upgrading *u, unsigned *format)
{
    med_err ignored = {0};
    med_connection_close(&u->c);
    return med_connection_open(&u->c, u->file, u->o->vfs, CONNECTION_WRITER, CACHE, &ignored)
           && med_sqlite_read_format(&u->c, format, &ignored);
}

static bool migrate(struct upgrading *u, med_err *err)
{
    unsigned format = 0;
    med_sqlite_options o = *u->o;
    o.upgrade = true;
    if (med_sqlite_migrate(&u->c, &o, err)) {
        med_err ignored = {0};
        (void)empty_wal(u, &ignored); /* what stays there is moved by the next start */
        return true;
    }
    if (!look_again(u, &format))
        return MED_FAIL(err, MED_ISSUE_EXCEPTION,
                        "the upgrade failed and the store can not be read any more: look at the "
                        "disk, then: medulla restore --data NEW-DIR %.*s",
                        MED_STR_ARG(med_str_sub(med_str_from(u->snapshot), 0, 100)));
    u->out->unchanged = format == u->out->from;
    return format == u->out->to;
}

static bool upgrade(struct upgrading *u, med_err *err)
{
    if (!med_connection_open(&u->c, u->file, u->o->vfs, CONNECTION_WRITER, CACHE, err)
        || !med_sqlite_read_format(&u->c, &u->out->from, err))
        return false;
    if (u->out->from == u->out->to)
        return MED_FAIL(err, MED_ISSUE_INFORMATIONAL, "the store has format %u: nothing to do",
                        u->out->to);
    if (u->out->from > u->out->to) {
        med_sqlite_options o = *u->o;
        return med_sqlite_migrate(&u->c, &o, err); /* which refuses, and says why */
    }
    return take_snapshot(u, err) && migrate(u, err);
}

bool med_sqlite_upgrade_run(const med_sqlite_options *o, med_str snapshot, med_sqlite_upgrade *out,
                            med_err *err)
{
    struct stat st;
    int lock = -1;
    struct upgrading *u = MED_NEW(1, struct upgrading);
    if (u == NULL)
        return MED_FAIL_MEMORY(err);
    *out = (med_sqlite_upgrade){.to = med_sqlite_newest(o)};
    u->o = o;
    u->out = out;
    bool good = take_path(o->data, u->data, err) && take_path(snapshot, u->snapshot, err)
                && take_path(snapshot, u->partial, err)
                && med_file_join(u->file, u->data, "medulla.db", err);
    if (good)
        memcpy(u->partial + snapshot.len, ".partial", sizeof ".partial");
    if (good && stat(u->file, &st) != 0)
        good = MED_FAIL(err, MED_ISSUE_NOT_FOUND, "there is no store in the data directory");
    good = good && med_file_lock(u->data, &lock, err) && upgrade(u, err);
    med_connection_close(&u->c);
    if (lock >= 0)
        (void)close(lock);
    med_free(u);
    return good;
}
