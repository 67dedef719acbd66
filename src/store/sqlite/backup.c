/* backup.c - a copy of the running store, made between groups on the commit thread's connection.
 *
 * Being the connection that writes, it sees its own writes copied, too, so the backup never
 * starts again and ends as of its last step. https://www.sqlite.org/backup.html */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store/file.h"
#include "store/sqlite/page_check.h"
#include "store/sqlite/sqlite_impl.h"

enum { STEP_PAGES = 512 }; /* some 2 MiB: commits wait a few milliseconds at most */

struct backup_job {
    struct job job;
    sqlite3 *to;
    sqlite3_backup *copy;
    med_progress progress;
    void *arg;
    bool good;
    med_err *err;
};

static bool fail(struct backup_job *b, int rc)
{
    if ((rc & 0xff) == SQLITE_FULL)
        return MED_FAIL(b->err, MED_ISSUE_NO_STORE, "the disk of the backup is full");
    return MED_FAIL(b->err, MED_ISSUE_EXCEPTION, "the backup failed: %s (%d)", sqlite3_errstr(rc),
                    rc);
}

static void step(struct job *job)
{
    struct backup_job *b = (struct backup_job *)job;
    if (b->copy == NULL)
        b->copy = sqlite3_backup_init(b->to, "main", job->store->writer.db, "main");
    if (b->copy == NULL) {
        b->good = fail(b, sqlite3_errcode(b->to));
        return;
    }
    int rc = sqlite3_backup_step(b->copy, STEP_PAGES);
    uint64_t total = (uint64_t)sqlite3_backup_pagecount(b->copy);
    uint64_t left = (uint64_t)sqlite3_backup_remaining(b->copy);
    if (b->progress != NULL)
        b->progress(b->arg, (total - left) * 4096, total * 4096);
    job->again = rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED;
    if (job->again)
        return;
    int end = sqlite3_backup_finish(b->copy);
    b->good = rc == SQLITE_DONE && end == SQLITE_OK ? true : fail(b, rc == SQLITE_DONE ? end : rc);
}

/* An empty database in DIRECTORY, with our mode; what is copied into it is synced at the end. */
static bool open_target(struct backup_job *b, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return MED_FAIL(b->err, MED_ISSUE_EXCEPTION, "the backup's file could not be made: %s",
                        strerrordesc_np(errno));
    (void)close(fd);
    char vfs[MED_PAGE_CHECK_NAME]; /* pages get their check values anew */
    if (!med_page_check_vfs(NULL, vfs, b->err))
        return false;
    int rc = sqlite3_open_v2(
        path, &b->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(b->to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL,
                          NULL);
    return rc == SQLITE_OK || fail(b, rc);
}

static bool sync_target(struct backup_job *b, const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good
           || MED_FAIL(b->err, MED_ISSUE_EXCEPTION, "the backup could not be synced: %s",
                       strerrordesc_np(errno));
}

static bool copy_all(struct sqlite_store *s, struct backup_job *b, const char *directory,
                     const char *path, bool with_key)
{
    bool good = open_target(b, path);
    if (good && !med_sqlite_run_job(s, &b->job))
        good = MED_FAIL(b->err, MED_ISSUE_TRANSIENT, "the store is stopping");
    good = good && b->good;
    (void)sqlite3_close(b->to);
    return good && sync_target(b, path)
           && (!with_key || med_keyring_copy(&s->keys, directory, b->err))
           && med_file_sync_directory(directory, b->err);
}

bool med_sqlite_backup(med_store *store, med_str to, bool with_key, med_progress progress,
                       void *arg, med_err *err)
{
    char directory[MED_FILE_PATH];
    char path[MED_FILE_PATH];
    struct backup_job b = {
        .job.run = step, .progress = progress, .arg = arg, .good = true, .err = err};
    if (to.len == 0 || to.len >= sizeof directory - 32)
        return MED_FAIL(err, MED_ISSUE_INVALID, "a backup needs the path of a new directory");
    memcpy(directory, to.ptr, to.len);
    directory[to.len] = '\0';
    struct stat info;
    if (stat(directory, &info) == 0)
        return MED_FAIL(err, MED_ISSUE_DUPLICATE,
                        "the place of the backup exists already; nothing is ever overwritten");
    if (!med_file_make_directory(directory, false, err)
        || !med_file_join(path, directory, "medulla.db", err))
        return false;
    bool good = copy_all(med_sqlite_of(store), &b, directory, path, with_key);
    if (!good) { /* half a backup must not be taken for one */
        (void)unlink(path);
        (void)rmdir(directory);
    }
    return good;
}
