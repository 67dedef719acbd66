/* backup.c - a copy of the running store, made between groups on the commit thread's connection.
 *
 * Being the connection that writes, it sees its own writes copied, too, so the backup never
 * starts again and ends as of its last step. https://www.sqlite.org/backup.html */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/fd_vfs.h"
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

static bool end_copy(struct backup_job *b, int rc)
{
    int end = sqlite3_backup_finish(b->copy);
    return rc == SQLITE_DONE && end == SQLITE_OK ? true : fail(b, rc == SQLITE_DONE ? end : rc);
}

static void step(struct job *job)
{
    struct backup_job *b = (struct backup_job *)job;
    const struct sqlite_store *s = job->store;
    if (b->copy == NULL)
        b->copy = sqlite3_backup_init(b->to, "main", s->writer.db, "main");
    if (b->copy == NULL) {
        b->good = fail(b, sqlite3_errcode(b->to));
        return;
    }
    int rc = sqlite3_backup_step(b->copy, STEP_PAGES);
    uint64_t total = (uint64_t)sqlite3_backup_pagecount(b->copy);
    uint64_t left = (uint64_t)sqlite3_backup_remaining(b->copy);
    bool go_on = b->progress == NULL
                 || b->progress(b->arg, (total - left) * MED_PAGE_SIZE, total * MED_PAGE_SIZE);
    bool more = rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED;
    job->again = more && go_on;
    if (job->again)
        return;
    b->good = end_copy(b, more ? SQLITE_DONE : rc);
    if (b->good && more)
        b->good = MED_FAIL(b->err, MED_ISSUE_INCOMPLETE, "cancelled");
}

/* The copy needs no journal: half of it is worth nothing. It is synced at its end. */
static bool open_target(struct backup_job *b, int file)
{
    char name[MED_FD_NAME];
    char vfs[MED_PAGE_CHECK_NAME]; /* pages get their check values anew */
    if (!med_fd_vfs(b->err) || !med_page_check_vfs(MED_FD_VFS, vfs, b->err))
        return false;
    med_fd_name(file, name);
    int rc = sqlite3_open_v2(
        name, &b->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(b->to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL,
                          NULL);
    return rc == SQLITE_OK || fail(b, rc);
}

static bool is_empty(int file, med_err *err)
{
    struct stat st;
    return (fstat(file, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
           || MED_FAIL(err, MED_ISSUE_DUPLICATE,
                       "a backup needs a new, empty file; nothing is ever overwritten");
}

static bool sync_file(int fd, med_err *err)
{
    return fsync(fd) == 0
           || MED_FAIL(err, MED_ISSUE_EXCEPTION, "the backup could not be synced: %s",
                       strerrordesc_np(errno));
}

bool med_sqlite_backup(med_store *store, int file, int key, med_progress progress, void *arg,
                       med_err *err)
{
    struct sqlite_store *s = med_sqlite_of(store);
    struct backup_job b = {
        .job.run = step, .progress = progress, .arg = arg, .good = true, .err = err};
    bool good = is_empty(file, err) && open_target(&b, file);
    good = good && med_queue_run_job(&s->queue, &b.job, err) && b.good;
    (void)sqlite3_close(b.to);
    return good && sync_file(file, err)
           && (key < 0 || (med_keyring_write(&s->keys, key, err) && sync_file(key, err)));
}
